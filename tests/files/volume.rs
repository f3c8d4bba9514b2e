//! An NTFS volume in a file, the program run on it, and other programs that look at it.

use std::{
    cell::Cell,
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use hivesmith::security::SecurityDescriptor;

use crate::support::{Done, missing};

pub(crate) const MACHINE_KEYS: &str = "ProgramData/Microsoft/Crypto/RSA/MachineKeys";

/// A volume that is mounted, and beside it a folder to work in.
pub(crate) struct Volume {
    folder: tempfile::TempDir,
    mounted: Cell<bool>,
}

impl Volume {
    /// None where the host cannot do that, which is said.
    pub(crate) fn mounted() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        if folder.path().metadata().unwrap().uid() != 0 {
            missing("root");
            return None;
        }
        if !Path::new("/dev/fuse").exists() {
            missing("/dev/fuse");
            return None;
        }
        for name in ["mkntfs", "ntfs-3g", "getfattr", "setfattr"] {
            if Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_err() {
                missing(name);
                return None;
            }
        }
        let volume = Self { folder, mounted: Cell::new(false) };
        fs::create_dir(volume.root()).unwrap();
        fs::create_dir(volume.work()).unwrap();
        fs::File::create(volume.image()).unwrap().set_len(64 << 20).unwrap();
        tool("mkntfs", &["-F", "-q", volume.image().to_str().unwrap()]);
        volume.mount("rw");
        Some(volume)
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("mnt")
    }

    pub(crate) fn work(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    pub(crate) fn undo(&self) -> PathBuf {
        self.folder.path().join("undo")
    }

    pub(crate) fn image(&self) -> PathBuf {
        self.folder.path().join("image")
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.root().join(below)
    }

    pub(crate) fn mount(&self, how: &str) {
        tool("ntfs-3g", &["-o", how, self.image().to_str().unwrap(), self.root().to_str().unwrap()]);
        self.mounted.set(true);
    }

    pub(crate) fn unmount(&self) {
        if self.mounted.replace(false) {
            tool("umount", &[self.root().to_str().unwrap()]);
        }
    }

    pub(crate) fn remount(&self) {
        self.unmount();
        self.mount("rw");
    }

    /// A file with this descriptor, as another program writes it.
    pub(crate) fn file(&self, below: &str, sddl: &str) -> PathBuf {
        let path = self.path(below);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, b"content").unwrap();
        self.set(below, sddl);
        path
    }

    pub(crate) fn folder(&self, below: &str, sddl: &str) -> PathBuf {
        fs::create_dir_all(self.path(below)).unwrap();
        self.set(below, sddl);
        self.path(below)
    }

    pub(crate) fn set(&self, below: &str, sddl: &str) {
        let bytes = sddl.parse::<SecurityDescriptor>().unwrap().to_bytes();
        let value = format!("0x{}", hex(&bytes));
        tool("setfattr", &["-h", "-n", "system.ntfs_acl", "-v", &value, self.path(below).to_str().unwrap()]);
    }

    /// The descriptor as getfattr reads it, in hexadecimal.
    pub(crate) fn hex(&self, below: &str) -> String {
        let path = self.path(below);
        let out =
            tool("getfattr", &["-h", "-e", "hex", "--only-values", "-n", "system.ntfs_acl", path.to_str().unwrap()]);
        hex(&out)
    }

    pub(crate) fn sddl(&self, below: &str) -> String {
        let hex = self.hex(below);
        let bytes: Vec<u8> =
            (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
        SecurityDescriptor::parse(&bytes).unwrap().to_string()
    }

    /// What everything on the volume has, by its path.
    pub(crate) fn all(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        let mut folders = vec![String::new()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(self.path(&folder)).unwrap() {
                let entry = entry.unwrap();
                let below = format!("{folder}{}", entry.file_name().to_str().unwrap());
                found.push((below.clone(), self.hex(&below)));
                if entry.file_type().unwrap().is_dir() {
                    folders.push(below + "/");
                }
            }
        }
        found.push((String::new(), self.hex("")));
        found.sort();
        found
    }

    /// `hivesmith ARGUMENTS`, with `F:` as the volume and `C:` as the folder to work in.
    pub(crate) fn hivesmith(&self, arguments: &[&str]) -> Done {
        let (drive, here) = (format!("F:={}", self.root().display()), format!("C:={}", self.work().display()));
        let undo = self.undo().display().to_string();
        let (verb, rest) = arguments.split_first().unwrap();
        let ours: &[&str] = match *verb {
            "undo" => &["--undo-dir", &undo],
            _ => &["--drive", &drive, "--drive", &here, "--undo-dir", &undo],
        };
        let mut command = Command::new(env!("CARGO_BIN_EXE_hivesmith"));
        command.arg(verb).args(ours).args(rest).current_dir(self.work());
        Done::of(&mut command)
    }

    pub(crate) fn run(&self, script: &str, more: &[&str]) -> Done {
        fs::write(self.work().join("script.cmd"), script).unwrap();
        self.hivesmith(&[&["run", "script.cmd"], more].concat())
    }

    pub(crate) fn journals(&self) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(self.undo()) else { return Vec::new() };
        let mut folders: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        folders.sort();
        folders
    }
}

impl Drop for Volume {
    /// A test that fails leaves no mount behind.
    fn drop(&mut self) {
        if self.mounted.get() {
            let _ = Command::new("umount").arg("-l").arg(self.root()).status();
        }
    }
}

/// Runs a tool to its end; what it printed.
#[track_caller]
pub(crate) fn tool(name: &str, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new(name).args(arguments).output().unwrap_or_else(|error| panic!("{name}: {error}"));
    assert!(output.status.success(), "{name} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// The same, with arguments that are no text.
#[track_caller]
pub(crate) fn tool_at(name: &str, arguments: &[&std::ffi::OsStr]) {
    let status = Command::new(name).args(arguments).status().unwrap_or_else(|error| panic!("{name}: {error}"));
    assert!(status.success(), "{name} {arguments:?}");
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
