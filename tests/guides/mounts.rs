//! The disk as the host shows it: names in odd case, links, and a real NTFS volume.

use std::{
    fs,
    os::unix::fs::{MetadataExt, symlink},
    path::{Path, PathBuf},
    process::Command,
};

use hivesmith::security::SecurityDescriptor;

use crate::{
    blocks,
    disk::{Disk, corpus},
    support::{missing, missing_program, python},
};

fn tls() -> String {
    blocks::script("TLS", &[blocks::TLS], &["ControlSet001"])
}

#[test]
fn names_are_found_in_whatever_case_the_disk_has_them() {
    let disk = Disk::laid_out(&["windows", "system32", "CONFIG"]);
    fs::copy(Disk::small().hive(), disk.beside("System")).unwrap();
    fs::write(disk.beside("system.Log1"), b"").unwrap();
    let done = disk.run(&tls(), &[]).ends(0);
    assert!(done.out.contains("windows/system32/CONFIG/System step by step"), "{}", done.out);
    assert_eq!(disk.files().len(), 2, "nothing is made beside what is there");
    let kept = crate::disk::files(&disk.undo_folders()[0]);
    let names: Vec<_> = kept.keys().map(|path| path.to_str().unwrap()).collect();
    assert_eq!(names, ["0-System", "0-System.LOG1", "journal.json"], "the log was found and kept too");
    disk.reg(&["query", r"HKLM\SYSTEM\CurrentControlSet\Services\gpsvc", "/v", "Start"]).ends(0);
}

#[test]
fn links_that_lead_out_of_the_mount_are_refused() {
    let outside = Disk::small();
    let before = outside.files();
    let refused = |disk: &Disk, what: &str, why: &str| {
        disk.run(&tls(), &[]).ends(3).says(why).says("nothing was written").says(what);
        disk.reg(&["query", r"HKLM\SYSTEM\Select"]).ends(3).says(why);
        assert!(!disk.undo().exists());
    };
    let hive = Disk::new();
    symlink(outside.hive(), hive.hive()).unwrap();
    refused(&hive, "script.cmd:2:1", "leads out of the mounted folder");
    let folder = Disk::laid_out(&["Windows"]);
    symlink(outside.root().join("Windows/System32"), folder.root().join("Windows/System32")).unwrap();
    refused(&folder, "script.cmd:2:1", "leads out of the mounted folder");
    let log = Disk::small();
    symlink(outside.hive(), log.beside("SYSTEM.LOG1")).unwrap();
    refused(&log, "SYSTEM.LOG1", "is a link or no file");
    assert!(outside.files() == before);

    // One that stays inside is followed, as the host would.
    let inside = Disk::small();
    fs::rename(inside.hive(), inside.root().join("elsewhere")).unwrap();
    symlink("../../../elsewhere", inside.hive()).unwrap();
    inside.run(&tls(), &[]).ends(0);
    assert!(inside.hive().symlink_metadata().unwrap().is_symlink(), "the link is not replaced by a file");
}

#[test]
fn on_a_mounted_ntfs_volume_the_file_stays_the_file() {
    let Some(hive) = corpus("hives/bitcurator-SYSTEM") else { return };
    let Some(volume) = Ntfs::made() else { return };
    let disk = Disk::new();
    let config = disk.root().join("Windows");
    fs::remove_dir_all(config).unwrap();

    volume.mount(&disk.root(), "rw");
    fs::create_dir_all(disk.hive().parent().unwrap()).unwrap();
    fs::copy(hive, disk.hive()).unwrap();
    // As Windows has it: an owner and an inheritance that no new file gets.
    let descriptor: SecurityDescriptor = "O:BAG:SYD:PAI(A;;FA;;;SY)(A;;FA;;;BA)".parse().unwrap();
    Ntfs::set_descriptor(&disk.hive(), &descriptor.to_bytes());
    let (number, stored) = (disk.hive().metadata().unwrap().ino(), Ntfs::descriptor(&disk.hive()));
    volume.unmount();

    volume.mount(&disk.root(), "ro");
    let before = disk.files();
    let dry = disk.run(&tls(), &["--dry-run"]).ends(0);
    assert!(dry.out.contains("nothing was written"), "{}", dry.out);
    disk.run(&tls(), &[]).ends(4).says("ead-only file system").says("nothing was written");
    assert!(!disk.undo().exists());
    volume.unmount();

    volume.mount(&disk.root(), "rw");
    disk.run(&tls(), &[]).ends(0);
    let after = disk.files();
    assert!(after != before);
    volume.unmount();

    volume.mount(&disk.root(), "ro");
    assert!(disk.files() == after, "what the program wrote is not what the volume holds");
    assert_eq!(disk.hive().metadata().unwrap().ino(), number, "in place, never by rename");
    assert_eq!(Ntfs::descriptor(&disk.hive()), stored);
    let again = disk.run(&tls(), &["--dry-run"]).ends(0);
    assert!(again.out.starts_with("nothing to change"), "{}", again.out);
    volume.unmount();
}

/// An NTFS volume in a file, mounted by ntfs-3g.
struct Ntfs {
    folder: tempfile::TempDir,
    mounted: std::cell::RefCell<Option<PathBuf>>,
}

impl Ntfs {
    /// None where the host cannot do that, which is said.
    fn made() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        // Whose process this is shows in what it makes.
        if folder.path().metadata().unwrap().uid() != 0 {
            missing("root, who alone mounts volumes");
            return None;
        }
        if !Path::new("/dev/fuse").exists() {
            missing("/dev/fuse");
            return None;
        }
        fs::File::create(folder.path().join("image")).unwrap().set_len(64 << 20).unwrap();
        let volume = Self { folder, mounted: None.into() };
        tool("mkntfs", &["-F", "-q", &volume.image()])?;
        tool("ntfs-3g", &["--version"])?;
        Some(volume)
    }

    fn image(&self) -> String {
        self.folder.path().join("image").display().to_string()
    }

    fn mount(&self, folder: &Path, how: &str) {
        *self.mounted.borrow_mut() = Some(folder.to_owned());
        tool("ntfs-3g", &["-o", how, &self.image(), &folder.display().to_string()]);
    }

    fn unmount(&self) {
        if let Some(folder) = self.mounted.borrow_mut().take() {
            tool("umount", &[&folder.display().to_string()]);
        }
    }

    /// The descriptor as NTFS stores it, which ntfs-3g shows as an extended attribute.
    fn descriptor(file: &Path) -> Vec<u8> {
        Self::python("sys.stdout.buffer.write(os.getxattr(sys.argv[1], 'system.ntfs_acl'))", file)
    }

    fn set_descriptor(file: &Path, bytes: &[u8]) {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        Self::python(&format!("os.setxattr(sys.argv[1], 'system.ntfs_acl', bytes.fromhex('{hex}'))"), file);
    }

    fn python(what: &str, file: &Path) -> Vec<u8> {
        let (python, file) = (python().display().to_string(), file.display().to_string());
        tool(&python, &["-c", &format!("import os, sys; {what}"), &file]).unwrap_or_default()
    }
}

/// Runs a tool to its end; what it printed.
fn tool(name: &str, arguments: &[&str]) -> Option<Vec<u8>> {
    let Ok(output) = Command::new(name).args(arguments).output() else {
        missing_program(name);
        return None;
    };
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    Some(output.stdout)
}

impl Drop for Ntfs {
    /// A test that fails leaves no mount behind.
    fn drop(&mut self) {
        if let Some(folder) = self.mounted.borrow_mut().take() {
            let _ = Command::new("umount").arg(folder).status();
        }
    }
}
