//! What keeps the program from writing, and how it is told to write all the same.
#![cfg(feature = "cli")]

mod support;

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use hivesmith::{
    Data, FileStorage, Hive, HiveFile, OpenOptions, Protocol, Storage, System, Version, security::SecurityDescriptor,
};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use support::base_block::sum_up;

/// A Windows volume with a SYSTEM and a SOFTWARE hive.
struct Disk(TempDir);

impl Disk {
    fn new(build: &str) -> Self {
        let disk = TempDir::new().unwrap();
        let config = disk.path().join("Windows/System32/config");
        fs::create_dir_all(&config).unwrap();
        let mut software = Hive::create(Version::V1_5).unwrap();
        let mut txn = software.begin().unwrap();
        let key = txn.create_key(txn.root(), r"Microsoft\Windows NT\CurrentVersion").unwrap();
        txn.set_value(key, "CurrentBuildNumber", &Data::Sz(build.to_owned())).unwrap();
        txn.commit().unwrap();
        software.write_to(config.join("SOFTWARE")).unwrap();
        let mut system = Hive::create(Version::V1_5).unwrap();
        let mut txn = system.begin().unwrap();
        txn.create_key(txn.root(), r"ControlSet001\Services").unwrap();
        txn.commit().unwrap();
        system.write_to(config.join("SYSTEM")).unwrap();
        for log in ["SYSTEM.LOG1", "SYSTEM.LOG2"] {
            fs::write(config.join(log), b"").unwrap();
        }
        Self(disk)
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn system(&self) -> PathBuf {
        self.path("Windows/System32/config/SYSTEM")
    }

    /// `hivesmith reg add` to the SYSTEM hive, with more options.
    fn add(&self, options: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hivesmith"));
        command.args(["reg", "--json", "--root"]).arg(self.0.path());
        command.arg("--undo-dir").arg(self.path("undo")).args(options);
        command.args(["add", r"HKLM\SYSTEM\ControlSet001\Services\new", "/v", "Start", "/t", "REG_DWORD", "/d", "4"]);
        command.stdin(Stdio::null()).output().unwrap()
    }
}

fn outcome(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn nothing_is_written_to_a_volume_whose_windows_sleeps() {
    let disk = Disk::new("19045");
    fs::write(disk.path("hiberfil.sys"), b"HIBR and the memory of a kernel").unwrap();
    let before = fs::read(disk.system()).unwrap();
    let (code, message) = outcome(&disk.add(&[]));
    assert_eq!(code, Some(3), "{message}");
    assert!(message.contains("hiberfil.sys") && message.contains("--accept-hibernated"), "{message}");
    assert!(fs::read(disk.system()).unwrap() == before && !disk.path("undo").exists());

    // Looking and planning do no harm.
    assert_eq!(outcome(&disk.add(&["--dry-run"])).0, Some(0));
    let (code, message) = outcome(&disk.add(&["--accept-hibernated"]));
    assert_eq!(code, Some(0), "{message}");
    assert!(fs::read(disk.system()).unwrap() != before);

    // A dirty hive is not written back either.
    let mut dirty = fs::read(disk.system()).unwrap();
    dirty[4] ^= 1;
    fs::write(disk.system(), &dirty).unwrap();
    let mut recover = Command::new(env!("CARGO_BIN_EXE_hivesmith"));
    let output = recover.arg("recover").arg(disk.system()).arg("--undo-dir").arg(disk.path("undo")).output().unwrap();
    assert_eq!(outcome(&output).0, Some(3));
    assert!(outcome(&output).1.contains("hiberfil.sys"), "{}", outcome(&output).1);
    assert!(fs::read(disk.system()).unwrap() == dirty);

    // It woke up.
    let disk = Disk::new("19045");
    fs::write(disk.path("hiberfil.sys"), [0; 64]).unwrap();
    assert_eq!(outcome(&disk.add(&[])).0, Some(0));
}

/// Under Windows the file itself cannot be opened twice.
#[test]
fn a_hive_that_is_being_edited_is_in_use() {
    let disk = Disk::new("19045");
    let before = fs::read(disk.system()).unwrap();
    let editor = Hive::open(disk.system()).unwrap();
    let (code, message) = outcome(&disk.add(&[]));
    assert_eq!(code, Some(3), "{message}");
    if cfg!(unix) {
        assert!(message.contains("open in another program"), "{message}");
        let busy = Hive::open(disk.system());
        assert!(
            matches!(&busy, Err(hivesmith::Error::Io(why)) if why.kind() == io::ErrorKind::ResourceBusy),
            "{busy:?}"
        );
    }
    assert!(fs::read(disk.system()).unwrap() == before);
    assert!(Hive::options().read_only(true).open(disk.system()).is_ok(), "looking is no harm");
    drop(editor);
    assert_eq!(outcome(&disk.add(&[])).0, Some(0));
}

/// The same where the logs are elsewhere.
#[cfg(unix)]
#[test]
fn a_hive_in_use_is_not_recovered_with_logs_from_elsewhere() {
    let disk = Disk::new("19045");
    let editor = Hive::open(disk.system()).unwrap();
    let log = disk.path("log");
    fs::write(&log, b"").unwrap();
    let mut recover = Command::new(env!("CARGO_BIN_EXE_hivesmith"));
    recover.arg("recover").arg(disk.system()).arg("--log").arg(&log).arg("--undo-dir").arg(disk.path("undo"));
    let (code, message) = outcome(&recover.output().unwrap());
    assert!(code == Some(3) && message.contains("open in another program"), "{message}");
    drop(editor);
    let (code, message) = outcome(&recover.output().unwrap());
    assert_eq!(code, Some(0), "{message}");
}

/// A commit cuts logs to nothing, and a disk may name any file of this machine as one.
#[cfg(unix)]
#[test]
fn a_log_that_is_a_link_is_not_followed() {
    let disk = Disk::new("19045");
    let (victim, log) = (disk.path("victim"), disk.path("Windows/System32/config/SYSTEM.LOG2"));
    fs::write(&victim, b"not of this hive").unwrap();
    fs::remove_file(&log).unwrap();
    std::os::unix::fs::symlink(&victim, &log).unwrap();
    let before = fs::read(disk.system()).unwrap();
    let hive = format!("--hive=X={}", disk.system().display());
    let key = r"HKLM\X\new";
    for words in [["compact", disk.system().to_str().unwrap()].as_slice(), &["reg", &hive, "add", key]] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hivesmith"));
        command.args(words).arg("--undo-dir").arg(disk.path("undo")).stdin(Stdio::null());
        let (code, message) = outcome(&command.output().unwrap());
        assert!(code == Some(3) && message.contains("is a link"), "{message}");
    }
    assert_eq!(fs::read(&victim).unwrap(), b"not of this hive");
    assert!(fs::read(disk.system()).unwrap() == before);
}

/// Its length costs a hostile disk nothing.
#[cfg(target_os = "linux")]
#[test]
fn a_log_without_end_is_an_error_or_ignored_and_no_crash() {
    let disk = Disk::new("19045");
    let log = fs::File::create(disk.path("Windows/System32/config/SYSTEM.LOG1")).unwrap();
    log.set_len(1 << 40).unwrap();
    // With as little memory as a rescue system may have.
    let command = format!("ulimit -v 1500000; exec \"$0\" check {}", disk.system().display());
    let output = Command::new("sh").args(["-c", &command, env!("CARGO_BIN_EXE_hivesmith")]).output().unwrap();
    assert!(matches!(output.status.code(), Some(0 | 4)), "{output:?}");
}

/// Logs of length 0 say nothing of their format; the installation does.
#[test]
fn the_installation_around_a_hive_tells_how_it_is_committed() {
    for (build, how) in [
        ("19045", "through its log"),
        ("9600", "through its log"),
        ("9200", "through its log, as Windows before 8.1"),
        ("2600", "through its log, as Windows before 8.1"),
        ("?", "step by step, clean at every instant"),
    ] {
        let disk = Disk::new(build);
        let output = disk.add(&[]);
        assert_eq!(output.status.code(), Some(0), "{}", outcome(&output).1);
        let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(document["commits"][0]["protocol"], how, "build {build}");
        assert!(Hive::options().recover(hivesmith::Recover::Refuse).open(disk.system()).is_ok());
    }
}

#[test]
fn a_dirty_hive_without_logs_is_edited_when_told_to() {
    let disk = Disk::new("19045");
    let mut dirty = fs::read(disk.system()).unwrap();
    dirty[4..8].copy_from_slice(&9_u32.to_le_bytes());
    sum_up(&mut dirty);
    fs::write(disk.system(), &dirty).unwrap();
    let (code, message) = outcome(&disk.add(&[]));
    assert_eq!(code, Some(3), "{message}");
    assert!(message.contains("--accept-dirty"), "{message}");
    assert!(fs::read(disk.system()).unwrap() == dirty);
    let (code, message) = outcome(&disk.add(&["--accept-dirty"]));
    assert_eq!(code, Some(0), "{message}");
    assert!(message.contains("may be missing"), "{message}");
    let hive = Hive::options().read_only(true).recover(hivesmith::Recover::Refuse).open(disk.system()).unwrap();
    assert!(hive.view().key(r"ControlSet001\Services\new").unwrap().is_some());
}

/// Files whose hive stops taking writes after so many of them.
struct Failing(FileStorage, usize);

impl Storage for Failing {
    fn len(&mut self, file: HiveFile) -> io::Result<Option<u64>> {
        self.0.len(file)
    }

    fn read(&mut self, file: HiveFile, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.0.read(file, offset, buffer)
    }

    fn write(&mut self, file: HiveFile, offset: u64, bytes: &[u8]) -> io::Result<()> {
        if file == HiveFile::Primary {
            self.1 = self.1.checked_sub(1).ok_or_else(|| io::Error::other("the cable came off"))?;
        }
        self.0.write(file, offset, bytes)
    }

    fn set_len(&mut self, file: HiveFile, length: u64) -> io::Result<()> {
        self.0.set_len(file, length)
    }

    fn sync(&mut self, file: HiveFile) -> io::Result<()> {
        self.0.sync(file)
    }
}

/// What neither a log nor single steps can carry: a descriptor where no two neighbours of the ring share a sector.
fn hive_that_needs_a_journal(path: &Path) {
    let mut hive = Hive::create(Version::V1_5).unwrap();
    let mut txn = hive.begin().unwrap();
    for at in 0..100 {
        txn.set_value(txn.root(), format!("between {at}").as_str(), &Data::Binary(vec![1; 40])).unwrap();
    }
    let key = txn.create_key(txn.root(), "key").unwrap();
    txn.set_security(key, &"O:BAG:BAD:(A;CI;KA;;;BA)".parse::<SecurityDescriptor>().unwrap().to_bytes()).unwrap();
    txn.commit().unwrap();
    hive.write_to(path).unwrap();
}

#[test]
fn an_interrupted_commit_through_our_journal_is_finished_by_the_next_run() {
    let folder = TempDir::new().unwrap();
    let (hive, undo) = (folder.path().join("NTUSER.DAT"), folder.path().join("undo"));
    hive_that_needs_a_journal(&hive);
    let hash = Sha256::digest(hive.canonicalize().unwrap().as_os_str().as_encoded_bytes());
    let journal = undo.join(hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect::<String>() + ".redo");

    let storage = FileStorage::open(&hive, true).unwrap().with_redo(&journal).unwrap();
    // The number, which is too low, and the mark that the hive is dirty.
    let mut opened = OpenOptions::new().open_storage(Failing(storage, 2)).unwrap();
    let mut txn = opened.begin().unwrap();
    let key = txn.find(&"key".into()).unwrap().unwrap();
    txn.set_security(key, &"O:SYG:SYD:(A;;KR;;;AU)".parse::<SecurityDescriptor>().unwrap().to_bytes()).unwrap();
    assert_eq!(txn.protocol(), Protocol::Redo);
    let failed = txn.commit();
    assert!(matches!(&failed, Err(hivesmith::Error::Commit(_))), "{failed:?}");
    drop(opened);
    assert!(journal.is_file());
    assert!(Hive::options().read_only(true).open(&hive).is_err(), "dirty, and no log");

    let mut recover = Command::new(env!("CARGO_BIN_EXE_hivesmith"));
    let output = recover.arg("recover").arg(&hive).arg("--undo-dir").arg(&undo).output().unwrap();
    assert_eq!(outcome(&output).0, Some(0), "{}", outcome(&output).1);
    assert!(String::from_utf8_lossy(&output.stdout).contains("finished"));
    assert!(!journal.exists());
    let hive = Hive::options().recover(hivesmith::Recover::Refuse).system(System::Unknown).open(&hive).unwrap();
    let sddl = hive.view().key("key").unwrap().unwrap().security().unwrap().bytes().to_vec();
    assert_eq!(SecurityDescriptor::parse(&sddl).unwrap().to_string(), "O:SYG:SYD:(A;;KR;;;AU)");
}

/// In place, through the log or through a journal of our own.
#[test]
fn a_hive_is_compacted_in_place() {
    for log in [true, false] {
        let folder = TempDir::new().unwrap();
        let (hive, undo) = (folder.path().join("NTUSER.DAT"), folder.path().join("undo"));
        hive_that_needs_a_journal(&hive);
        let mut opened = Hive::open(&hive).unwrap();
        let mut txn = opened.begin().unwrap();
        txn.set_value(txn.root(), "gone", &Data::Binary(vec![1; 50_000])).unwrap();
        txn.commit().unwrap();
        let mut txn = opened.begin().unwrap();
        txn.delete_value(txn.root(), "gone").unwrap();
        txn.commit().unwrap();
        drop(opened);
        if log {
            let mut base = fs::read(&hive).unwrap()[..512].to_vec();
            base[0x1c] = 6;
            sum_up(&mut base);
            fs::write(folder.path().join("NTUSER.DAT.LOG1"), base).unwrap();
        }
        let run = |verb: &[&str]| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_hivesmith"));
            command.args(verb).arg(&hive).stdin(Stdio::null()).output().unwrap()
        };
        let dump = || run(&["dump", "--format", "canonical", "--recover", "refuse"]).stdout;
        let (before, size) = (dump(), fs::metadata(&hive).unwrap().len());
        let undo = undo.to_str().unwrap();
        let planned = run(&["compact", "--dry-run", "--undo-dir", undo]);
        assert_eq!(outcome(&planned).0, Some(0), "{}", outcome(&planned).1);
        assert_eq!(fs::metadata(&hive).unwrap().len(), size);
        let done = run(&["compact", "--undo-dir", undo]);
        assert_eq!(outcome(&done).0, Some(0), "{}", outcome(&done).1);
        assert!(fs::metadata(&hive).unwrap().len() < size / 3);
        assert!(dump() == before && !before.is_empty());
        assert_eq!(outcome(&run(&["check", "--strict"])).0, Some(0));
        assert!(!fs::read_dir(undo).unwrap().any(|entry| entry.unwrap().path().extension().is_some()), "no journal");
        let again = run(&["compact", "--json", "--undo-dir", undo]);
        let document: serde_json::Value = serde_json::from_slice(&again.stdout).unwrap();
        assert_eq!((again.status.code(), &document["changed"]), (Some(0), &false.into()));
    }
}

/// A new file is a change of the volume, too.
#[test]
fn no_file_is_made_on_a_volume_whose_windows_sleeps() {
    let disk = Disk::new("19045");
    fs::write(disk.path("hiberfil.sys"), b"hibr").unwrap();
    let elsewhere = TempDir::new().unwrap();
    let hive = elsewhere.path().join("hive");
    Hive::create(Version::V1_5).unwrap().write_to(&hive).unwrap();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hivesmith"));
        outcome(&command.args(arguments).current_dir(elsewhere.path()).stdin(Stdio::null()).output().unwrap())
    };
    let new = disk.path("new");
    let (new, drive) = (new.to_str().unwrap(), format!("F:={}", disk.0.path().display()));
    let export = ["reg", "--drive", &drive, "--hive", "X=hive", "export", r"HKLM\X", r"F:\out.reg"];
    let refused: [&[&str]; 4] =
        [&["new", new], &["compact", "hive", "-o", new], &["repair", "hive", "-o", new], &export];
    for arguments in refused {
        let (code, message) = run(arguments);
        assert_eq!(code, Some(3), "{arguments:?}: {message}");
        assert!(message.contains("hiberfil.sys"), "{message}");
    }
    let mut names: Vec<_> = fs::read_dir(disk.0.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["Windows", "hiberfil.sys"]);
    fs::remove_file(disk.path("hiberfil.sys")).unwrap();
    for arguments in refused {
        assert_eq!(run(arguments).0, Some(0), "{arguments:?}");
        let _ = fs::remove_file(new);
    }
}
