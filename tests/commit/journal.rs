//! A journal of our own that must not be used, and one that must not be lost.

use hivesmith::{Data, Error, HiveFile, MemoryStorage, OpenOptions, Protocol, RequestError};

use super::{
    Edit, THIRD, Tape, arming, bins, boot_store_with_place_for_a_journal, committed, cut, descriptor,
    hive_without_room_for_a_descriptor, key, log_for, sum_up, with_number,
};

const NEEDS_A_JOURNAL: [Edit; 1] = [|txn| txn.set_security(key(txn, "key"), &descriptor(THIRD))];

/// A hive and the journal of a commit that was interrupted so many calls after the last one before the hive is marked as
/// dirty.
fn interrupted(hive: &[u8], behind: usize) -> MemoryStorage {
    let before = MemoryStorage::new(hive.to_vec()).with(HiveFile::Redo, Vec::new());
    let (calls, _) = committed(&before, &NEEDS_A_JOURNAL);
    cut(&before, &calls[..arming(&calls) + behind], || true)
}

/// Power failed before the commit began, so Windows could start. It came to the numbers that the commit would have had,
/// and crashed.
#[test]
fn a_journal_whose_commit_never_began_does_not_replace_the_logs_of_windows() {
    let hive = with_number(&hive_without_room_for_a_descriptor(), 7);
    let journal = interrupted(&hive, 0).bytes(HiveFile::Redo).unwrap().to_vec();
    // Windows' first flush behind clean number 7 is what we leave of a commit behind clean number 8.
    let at_eight = with_number(&hive, 8);
    let before = MemoryStorage::new(at_eight.clone()).with(HiveFile::Log1, log_for(&at_eight));
    let (calls, windows) = committed(&before, &[|txn| txn.set_value(txn.root(), "windows", &Data::Dword(1))]);
    let crashed = cut(&before, &calls[..arming(&calls) + 2], || true);
    assert_eq!(crashed.bytes(HiveFile::Primary).unwrap()[4..12], [8, 0, 0, 0, 7, 0, 0, 0]);

    let opened = OpenOptions::new().open_storage(crashed.with(HiveFile::Redo, journal)).unwrap();
    assert!(bins(&opened) == bins(&windows));
    assert_eq!(opened.recovery().unwrap().applied[0].log, HiveFile::Log1);
}

/// Two disks, mounted in the same place one after the other, have one place for their journals.
#[test]
fn the_unfinished_journal_of_another_hive_is_not_lost() {
    let hive = with_number(&hive_without_room_for_a_descriptor(), 7);
    let unfinished = interrupted(&hive, 2);
    let journal = unfinished.bytes(HiveFile::Redo).unwrap().to_vec();
    // An older one, and one with another name.
    let mut named = hive.clone();
    named[0x30] ^= b'S';
    sum_up(&mut named);
    for other in [with_number(&hive, 3), named] {
        let tape = Tape::new(MemoryStorage::new(other).with(HiveFile::Redo, journal.clone()));
        let mut opened = OpenOptions::new().open_storage(tape.clone()).unwrap();
        let mut txn = opened.begin().unwrap();
        NEEDS_A_JOURNAL[0](&mut txn).unwrap();
        let refused = txn.commit();
        assert!(matches!(refused, Err(Error::Request(RequestError::Uncommittable(_)))), "{refused:?}");
        // What needs none goes on.
        let mut txn = opened.begin().unwrap();
        txn.set_value(txn.root(), "small", &Data::Dword(1)).unwrap();
        assert_eq!(txn.commit().unwrap().protocol, Protocol::Stepwise);
        assert!(tape.both(HiveFile::Redo).1 == journal);
    }
    let finished = OpenOptions::new().open_storage(unfinished).unwrap();
    assert_eq!(finished.recovery().unwrap().applied[0].log, HiveFile::Redo);
}

/// Until the commit the disk holds a boot store, whatever the transaction makes of it.
#[test]
fn a_boot_store_that_is_taken_apart_is_not_left_to_a_journal() {
    let mut opened = boot_store_with_place_for_a_journal();
    let mut txn = opened.begin().unwrap();
    txn.delete_tree(key(&txn, "Description")).unwrap();
    let refused = NEEDS_A_JOURNAL[0](&mut txn);
    assert!(matches!(refused, Err(Error::Request(RequestError::Uncommittable(_)))), "{refused:?}");
}
