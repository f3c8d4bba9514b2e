//! Disks that fail in the middle, that somebody else writes to, and that lost part of a file.

mod support;

use std::{
    io,
    sync::{Arc, Mutex},
};

use hivesmith::{
    Data, Error, Hive, HiveFile, HiveView, MemoryStorage, OpenOptions, Outcome, Protocol, Recover, Storage,
    Transaction, Version,
};

use support::log::log_for;

/// Files that several hives may be opened on; what is written is lost unless it is synced, and after some number of
/// changing calls all others fail.
#[derive(Clone)]
struct Disk(Arc<Mutex<State>>);

struct State {
    durable: MemoryStorage,
    seen: MemoryStorage,
    calls_left: usize,
}

impl Disk {
    fn new(files: MemoryStorage) -> Self {
        Self::failing_after(files, usize::MAX)
    }

    fn failing_after(files: MemoryStorage, calls: usize) -> Self {
        Self(Arc::new(Mutex::new(State { durable: files.clone(), seen: files, calls_left: calls })))
    }

    /// What is there after a power cut.
    fn durable(&self) -> MemoryStorage {
        self.0.lock().unwrap().durable.clone()
    }

    fn call(&self, call: impl FnOnce(&mut State) -> io::Result<()>) -> io::Result<()> {
        let mut state = self.0.lock().unwrap();
        state.calls_left = state.calls_left.checked_sub(1).ok_or_else(|| io::Error::other("no more"))?;
        call(&mut state)
    }
}

impl Storage for Disk {
    fn len(&mut self, file: HiveFile) -> io::Result<Option<u64>> {
        self.0.lock().unwrap().seen.len(file)
    }

    fn read(&mut self, file: HiveFile, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.0.lock().unwrap().seen.read(file, offset, buffer)
    }

    fn write(&mut self, file: HiveFile, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.call(|state| state.seen.write(file, offset, bytes))
    }

    fn set_len(&mut self, file: HiveFile, length: u64) -> io::Result<()> {
        self.call(|state| state.seen.set_len(file, length))
    }

    fn sync(&mut self, file: HiveFile) -> io::Result<()> {
        self.call(|state| {
            let bytes = state.seen.bytes(file).unwrap_or_default().to_vec();
            state.durable = state.durable.clone().with(file, bytes);
            Ok(())
        })
    }
}

fn small_hive() -> Vec<u8> {
    let mut hive = Hive::create(Version::V1_5).unwrap();
    let mut txn = hive.begin().unwrap();
    txn.create_key(txn.root(), "key").unwrap();
    txn.commit().unwrap();
    hive.to_bytes()
}

fn files(logged: bool) -> MemoryStorage {
    let hive = small_hive();
    let log = log_for(&hive);
    let files = MemoryStorage::new(hive);
    if logged { files.with(HiveFile::Log1, log) } else { files }
}

fn create(txn: &mut Transaction<'_>, name: &str) {
    txn.create_key(txn.root(), name).unwrap();
}

/// Pages of one and numbers of the other would make a hive that nobody wrote.
#[test]
fn a_hive_that_somebody_else_changed_is_not_written() {
    for logged in [true, false] {
        let disk = Disk::new(files(logged));
        let mut one = OpenOptions::new().open_storage(disk.clone()).unwrap();
        let mut other = OpenOptions::new().open_storage(disk.clone()).unwrap();
        for name in ["first", "second"] {
            let mut txn = one.begin().unwrap();
            create(&mut txn, name);
            txn.commit().unwrap();
        }
        let before = disk.durable();

        let mut txn = other.begin().unwrap();
        create(&mut txn, "lost");
        let error = txn.commit().unwrap_err();
        assert!(matches!(&error, Error::Commit(error) if error.outcome == Outcome::Old), "{error}");
        assert!(disk.durable() == before);
        assert!(matches!(other.begin().err(), Some(Error::Poisoned)));
    }
}

/// An entry without pages is none: a hive that waits for it would be dirty for ever.
#[test]
fn a_commit_of_nothing_writes_nothing() {
    for logged in [true, false] {
        for calls in 0.. {
            let disk = Disk::failing_after(files(logged), calls);
            let mut hive = OpenOptions::new().open_storage(disk.clone()).unwrap();
            let mut txn = hive.begin().unwrap();
            let savepoint = txn.savepoint();
            create(&mut txn, "gone");
            txn.rollback_to(savepoint).unwrap();
            let committed = txn.commit();
            let left = OpenOptions::new().recover(Recover::Refuse).open_storage(disk.durable());
            assert!(left.is_ok(), "after {calls} calls: {:?}", left.err());
            if committed.is_ok() {
                assert_eq!(calls, 0);
                break;
            }
        }
    }
}

/// Without a log a commit that fails says how many changes are there at least.
#[test]
fn a_failed_commit_without_log_promises_no_change_that_is_not_there() {
    let mut seen = 0;
    for calls in 0.. {
        let disk = Disk::failing_after(files(false), calls);
        let mut hive = OpenOptions::new().open_storage(disk.clone()).unwrap();
        let mut txn = hive.begin().unwrap();
        for name in ["a", "b", "c"] {
            create(&mut txn, name);
        }
        let promised = match txn.commit() {
            Err(Error::Commit(error)) => match error.outcome {
                Outcome::Prefix(changes) => changes,
                _ => 0,
            },
            other => {
                other.unwrap();
                break;
            }
        };
        let left = disk.durable();
        let left = HiveView::parse(left.bytes(HiveFile::Primary).unwrap()).unwrap();
        assert!(left.root().unwrap().subkeys().unwrap().count() > promised, "after {calls} calls: {promised}");
        seen = seen.max(promised);
    }
    assert_eq!(seen, 3);
}

/// The next attempt is to be as safe as the first, although the log has no base block any more.
#[test]
fn a_commit_that_failed_early_does_not_change_the_protocol() {
    let disk = Disk::new(files(true));
    let mut hive = OpenOptions::new().open_storage(disk.clone()).unwrap();
    let mut txn = hive.begin().unwrap();
    create(&mut txn, "first");
    txn.commit().unwrap();
    for calls in 0..4 {
        let disk = Disk::failing_after(disk.durable(), calls);
        let mut hive = OpenOptions::new().open_storage(disk.clone()).unwrap();
        let mut txn = hive.begin().unwrap();
        create(&mut txn, "second");
        assert!(txn.commit().is_err());
        let hive = OpenOptions::new().open_storage(disk.durable()).unwrap();
        assert_eq!(hive.protocol(), Protocol::Logged, "after {calls} calls");
    }
}

/// What neither the file nor the log has cannot be made up: the hive stays as dirty as it is.
#[test]
fn pages_that_are_nowhere_are_not_replayed_as_zeros() {
    let mut hive = Hive::create(Version::V1_5).unwrap();
    let mut txn = hive.begin().unwrap();
    txn.set_value(txn.root(), "large", &Data::Binary(vec![1; 16_344])).unwrap();
    txn.commit().unwrap();
    let hive = hive.to_bytes();
    let log = log_for(&hive);

    // Power fails when the hive is marked as dirty.
    let files = MemoryStorage::new(hive.clone()).with(HiveFile::Log1, log);
    for calls in 0.. {
        let disk = Disk::failing_after(files.clone(), calls);
        let mut opened = OpenOptions::new().open_storage(disk.clone()).unwrap();
        let mut txn = opened.begin().unwrap();
        create(&mut txn, "key");
        assert!(txn.commit().is_err());
        let left = disk.durable();
        let primary = left.bytes(HiveFile::Primary).unwrap();
        if primary[4..8] == primary[8..12] {
            continue;
        }
        assert!(OpenOptions::new().open_storage(left.clone()).unwrap().view().check().is_clean());
        let cut = primary[..primary.len() - 0x1000].to_vec();
        assert!(OpenOptions::new().open_storage(left.with(HiveFile::Primary, cut)).is_err());
        break;
    }
}
