//! Files of Windows go on behind the bins: mostly zeros, sometimes what was there before.

use hivesmith::{Data, FileStorage, Hive, HiveFile, HiveView, Recover, Version};

/// Left-overs behind the bins are no zeros, and a hive that grows into them must not inherit them.
#[test]
fn what_lies_behind_the_bins_is_never_taken_for_new_space() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("SYSTEM");
    let mut bytes = Hive::create(Version::V1_3).unwrap().to_bytes();
    bytes.resize(0x40000, 0xa5);
    std::fs::write(&path, &bytes).unwrap();

    let mut hive = Hive::open(&path).unwrap();
    let mut txn = hive.begin().unwrap();
    let key = txn.create_key(txn.root(), "key").unwrap();
    // A large cell, of which most pages are zeros.
    txn.set_value(key, "value", &Data::Binary(vec![0; 100_000])).unwrap();
    txn.commit().unwrap();
    drop(hive);

    let hive = Hive::options().recover(Recover::Refuse).open(&path).unwrap();
    assert!(hive.view().check().is_clean());
    let value = hive.view().key("key").unwrap().unwrap().value("value").unwrap().unwrap();
    assert!(value.data().unwrap().iter().all(|byte| *byte == 0));
    let file = std::fs::read(&path).unwrap();
    assert_eq!(HiveView::parse(&file).unwrap().root().unwrap().subkey_count(), 1);
    assert_eq!(file.len(), 0x40000, "the tail stays");
    assert_eq!(file.last(), Some(&0xa5));
}

#[test]
fn files_can_come_from_somebody_who_opened_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x");
    Hive::create(Version::V1_5).unwrap().write_to(&path).unwrap();
    let file = std::fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
    let mut hive = Hive::options().open_files(FileStorage::from_files(file, [None, None, None])).unwrap();
    assert_eq!(hive.log_files(), []);
    let mut txn = hive.begin().unwrap();
    txn.create_key(txn.root(), "key").unwrap();
    txn.commit().unwrap();
    assert_eq!(HiveFile::Primary.suffix(), "");
    drop(hive);
    assert!(Hive::open(&path).unwrap().view().key("KEY").unwrap().is_some());
}

/// As a child process has them between its fork and its exec.
#[test]
fn copies_of_a_handle_do_not_keep_the_lock() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x");
    Hive::create(Version::V1_5).unwrap().write_to(&path).unwrap();
    let file = std::fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
    let copy = file.try_clone().unwrap();
    let hive = Hive::options().open_files(FileStorage::from_files(file, [None, None, None])).unwrap();
    #[cfg(unix)]
    assert!(Hive::open(&path).is_err(), "one writer at a time");
    drop(hive);
    #[cfg(unix)]
    Hive::open(&path).unwrap();
    drop(copy);
    Hive::open(&path).unwrap();
}
