//! A folder laid out as a mounted Windows disk, and the program run on it.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use hivesmith::{Data, Hive, NewHive, Version};
use tempfile::TempDir;

use crate::support;
pub(crate) use crate::support::Done;

/// A disk, and beside it a folder to work in.
pub(crate) struct Disk {
    folder: TempDir,
    /// Where the system hives are, relative to the disk.
    config: PathBuf,
}

impl Disk {
    pub(crate) fn new() -> Self {
        Self::laid_out(&["Windows", "System32", "config"])
    }

    /// With folders of another spelling.
    pub(crate) fn laid_out(config: &[&str]) -> Self {
        let disk = Self { folder: tempfile::tempdir().unwrap(), config: config.iter().collect() };
        fs::create_dir_all(disk.root().join(&disk.config)).unwrap();
        fs::create_dir(disk.work()).unwrap();
        disk
    }

    /// A disk with a small hive of a system that has `ControlSet001` alone, as today's do.
    pub(crate) fn small() -> Self {
        let disk = Self::new();
        small_system().unwrap().write_to(disk.hive()).unwrap();
        disk
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("disk")
    }

    /// The current folder of the program.
    pub(crate) fn work(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    pub(crate) fn undo(&self) -> PathBuf {
        self.folder.path().join("undo")
    }

    pub(crate) fn hive(&self) -> PathBuf {
        self.beside("SYSTEM")
    }

    /// A file in the folder of the hives.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.root().join(&self.config).join(name)
    }

    /// A file in the folder to work in.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.work().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// `hivesmith ARGUMENTS`
    pub(crate) fn hivesmith<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Done {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hivesmith"));
        command.args(arguments).current_dir(self.work()).env("HIVESMITH_STATE", self.folder.path().join("state"));
        Done::of(&mut command)
    }

    /// `hivesmith run`, with `F:` as the disk.
    pub(crate) fn run(&self, script: &str, more: &[&str]) -> Done {
        self.write("script.cmd", script);
        let (drive, undo) = (format!("F:={}", self.root().display()), self.undo().display().to_string());
        let arguments = ["run", "script.cmd", "--drive", &drive, "--undo-dir", &undo];
        self.hivesmith(arguments.into_iter().chain(more.iter().copied()))
    }

    /// `hivesmith reg --root DISK`
    pub(crate) fn reg(&self, arguments: &[&str]) -> Done {
        let (root, undo) = (self.root().display().to_string(), self.undo().display().to_string());
        let ours = ["reg", "--root", &root, "--undo-dir", &undo];
        self.hivesmith(ours.into_iter().chain(arguments.iter().copied()))
    }

    /// Every file of the disk with its bytes.
    pub(crate) fn files(&self) -> Files {
        files(&self.root())
    }

    /// The folders that were made for undoing, with their files.
    pub(crate) fn undo_folders(&self) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(self.undo()) else { return Vec::new() };
        let mut folders: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        folders.sort();
        folders
    }
}

pub(crate) type Files = BTreeMap<PathBuf, Vec<u8>>;

/// Every file below a folder, by its path in it.
pub(crate) fn files(folder: &Path) -> Files {
    let mut found = Files::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.symlink_metadata().unwrap().is_dir() {
                folders.push(path);
            } else {
                found.insert(path.strip_prefix(folder).unwrap().to_owned(), fs::read(&path).unwrap());
            }
        }
    }
    found
}

/// A hive as small as a SYSTEM hive can be for the guides: TLS switched off, the listener asking for nothing.
fn small_system() -> hivesmith::Result<Hive> {
    let mut hive = NewHive::new(Version::V1_5).create()?;
    let mut txn = hive.begin()?;
    let select = txn.create_key(txn.root(), "Select")?;
    for (name, number) in [("Current", 1), ("Default", 1), ("Failed", 0), ("LastKnownGood", 1)] {
        txn.set_value(select, name, &Data::Dword(number))?;
    }
    let set = txn.create_key(txn.root(), "ControlSet001")?;
    let server = txn.create_key(set, r"Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.0\Server")?;
    txn.set_value(server, "Enabled", &Data::Dword(0))?;
    let listener = txn.create_key(set, r"Control\Terminal Server\WinStations\RDP-Tcp")?;
    for (name, number) in [("PortNumber", 3389), ("SecurityLayer", 0), ("UserAuthentication", 0)] {
        txn.set_value(listener, name, &Data::Dword(number))?;
    }
    let crash = txn.create_key(set, r"Control\CrashControl")?;
    txn.set_value(crash, "CrashDumpEnabled", &Data::Dword(7))?;
    let service = txn.create_key(set, r"Services\gpsvc")?;
    txn.set_value(service, "Start", &Data::Dword(2))?;
    txn.commit()?;
    Ok(hive)
}

/// A file of the corpus; none where there is no corpus, which is said.
pub(crate) fn corpus(file: &str) -> Option<PathBuf> {
    Some(support::corpus()?.join(file))
}
