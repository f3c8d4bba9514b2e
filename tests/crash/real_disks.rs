//! Disks of the system that are full or not to be written to, and the program on them.
#![cfg(all(feature = "cli", target_os = "linux"))]

use std::{
    env, fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use hivesmith::{Hive, HiveFile, HiveView, Version};
use tempfile::TempDir;

use crate::{
    files::{FILES, Files},
    generated,
    known::content,
    logs::{new_log, old_log},
    say,
};

/// A file system of its own, until it is dropped.
struct Mount {
    /// Where the image, the mount point and the undo copies are.
    folder: TempDir,
}

impl Mount {
    /// None, said aloud, where the host does not let us.
    fn made(kind: &str, bytes: usize) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mount = Self { folder };
        fs::create_dir(mount.point()).unwrap();
        let root = mount.folder.path().metadata().unwrap().uid() == 0;
        let point = mount.point().display().to_string();
        let done = root
            && match kind {
                "tmpfs" => tool("mount", &["-t", "tmpfs", "-o", &format!("size={bytes}"), "none", &point]),
                _ => {
                    let image = mount.folder.path().join("image");
                    fs::File::create(&image).unwrap().set_len(bytes as u64).unwrap();
                    let image = image.display().to_string();
                    let plain = ["-q", "-O", "^has_journal", "-m", "0", "-b", "1024", &image];
                    tool("mkfs.ext4", &plain) && tool("mount", &["-o", "loop", &image, &point])
                }
            };
        if !done {
            say(&format!("*** SKIPPED: cannot mount a small {kind} here, the program met no such full disk ***"));
        }
        done.then_some(mount)
    }

    fn point(&self) -> PathBuf {
        self.folder.path().join("mounted")
    }

    fn hive(&self) -> PathBuf {
        self.point().join("SYSTEM")
    }

    fn place(&self, files: &Files) {
        for file in FILES {
            if file == HiveFile::Primary || !files.bytes(file).is_empty() {
                fs::write(self.file(file), files.bytes(file)).unwrap();
            }
        }
    }

    fn file(&self, file: HiveFile) -> PathBuf {
        self.point().join(format!("SYSTEM{}", file.suffix()))
    }

    /// Takes what room there is, but for less than a page.
    fn fill(&self) {
        let filler = self.point().join("filler");
        for size in [1 << 16, 1 << 10] {
            let chunk = vec![0x5a; size];
            while append(&filler, &chunk).is_ok() {}
        }
    }

    /// Adds a value that the hive has to grow for; undo copies go elsewhere.
    fn add(&self) -> Output {
        Command::new(env!("CARGO_BIN_EXE_hivesmith"))
            .args(["reg", "add", r"HKLM\X\Services\svc1", "/v", "Blob", "/t", "REG_BINARY", "/f", "/d"])
            .arg("ab".repeat(40_000))
            .arg("--hive")
            .arg(format!("X={}", self.hive().display()))
            .arg("--undo-dir")
            .arg(self.folder.path().join("undo"))
            .output()
            .unwrap()
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // Not mounted if the host did not let us.
        let _ = Command::new("umount").arg(self.point()).output();
    }
}

fn append(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write;
    let mut file = fs::OpenOptions::new().create(true).append(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn tool(name: &str, arguments: &[&str]) -> bool {
    let path = format!("{}:/usr/sbin:/sbin", env::var("PATH").unwrap_or_default());
    Command::new(name).args(arguments).env("PATH", path).output().is_ok_and(|output| output.status.success())
}

/// A hive under each protocol.
fn hives() -> [(&'static str, Files); 3] {
    let hive = generated::small_hive(Version::V1_5);
    let with = |log| Files::new(hive.clone()).with(HiveFile::Log1, log);
    [
        ("a log of Windows 8.1", with(new_log(&hive))),
        ("a log of Windows 7", with(old_log(&hive))),
        ("no log", Files::new(hive.clone())),
    ]
}

fn failed_with(output: &Output, message: &str, what: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{what}: {said}");
    assert!(said.contains(message), "{what}: {said}");
}

#[test]
fn on_a_full_disk_the_hive_stays_as_it_is() {
    for (kind, room) in [("tmpfs", 1 << 20), ("ext4", 1 << 20)] {
        for (what, files) in hives() {
            let Some(mount) = Mount::made(kind, room) else { break };
            let what = format!("{kind}, {what}");
            mount.place(&files);
            mount.fill();
            let output = mount.add();
            failed_with(&output, "No space left on device", &what);
            assert!(String::from_utf8_lossy(&output.stderr).contains("the hive is as it was"), "{what}");
            let old = content(HiveView::parse(files.primary()).unwrap());
            assert_eq!(content(Hive::open(mount.hive()).unwrap().view()), old, "{what}");
            // With room it goes on from there.
            fs::remove_file(mount.point().join("filler")).unwrap();
            let output = mount.add();
            assert!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&output.stderr));
            let hive = Hive::open(mount.hive()).unwrap();
            assert!(hive.view().key(r"Services\svc1").unwrap().unwrap().value("Blob").unwrap().is_some());
        }
    }
}

#[test]
fn on_a_disk_that_is_mounted_read_only_nothing_changes() {
    for (what, files) in hives() {
        let Some(mount) = Mount::made("tmpfs", 1 << 20) else { return };
        mount.place(&files);
        let point = mount.point().display().to_string();
        assert!(tool("mount", &["-o", "remount,ro", &point]));
        failed_with(&mount.add(), "Read-only file system", what);
        for file in FILES {
            assert_eq!(fs::read(mount.file(file)).unwrap_or_default(), files.bytes(file), "{what}: {file}");
        }
        // Reading goes on.
        assert!(Hive::options().read_only(true).open(mount.hive()).is_ok());
    }
}
