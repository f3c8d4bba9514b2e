//! Compaction in place: every page changes, and power fails anywhere.

use hivesmith::{
    Data, Error, Hive, HiveFile, HiveView, MemoryStorage, NewHive, OpenOptions, Protocol, RequestError, Version,
};

use super::{Call, FileTime, Tape, bins, coin, cut, each_cut, log_for, old_log_for, sum_up, with_number};

/// Everything that a hive says.
fn content(hive: HiveView<'_>) -> String {
    let mut text = String::new();
    for walked in hive.walk() {
        let key = walked.unwrap().key;
        let security = key.security().unwrap().bytes();
        text += &format!("{} {:?} {:?} {security:?}\n", key.path().unwrap(), key.flags(), key.last_written());
        for value in key.values().unwrap() {
            let value = value.unwrap();
            text += &format!("  {} {:?} {:?}\n", value.name().unwrap(), value.kind(), value.data().unwrap());
        }
    }
    text
}

/// Most of it free.
fn loose_hive() -> Vec<u8> {
    let mut hive = NewHive::new(Version::V1_5).time(FileTime(1)).create().unwrap();
    let mut txn = hive.begin().unwrap();
    for at in 0..60_u8 {
        let key = txn.create_key(txn.root(), format!("key {at}").as_str()).unwrap();
        txn.set_value(key, "data", &Data::Binary(vec![at; 500])).unwrap();
    }
    txn.commit().unwrap();
    let mut txn = hive.begin().unwrap();
    for at in (0..60_u8).filter(|at| at % 3 != 0) {
        txn.delete_key(txn.find(&format!("key {at}").as_str().into()).unwrap().unwrap()).unwrap();
    }
    txn.commit().unwrap();
    hive.to_bytes()
}

fn compacted(before: &MemoryStorage) -> (Vec<Call>, Hive, Protocol) {
    let tape = Tape::new(before.clone());
    let mut hive = OpenOptions::new().open_storage(tape.clone()).unwrap();
    let report = hive.compact().unwrap();
    let left = tape.both(HiveFile::Primary).0;
    assert_eq!(left.len(), hive.to_bytes().len(), "the file is cut");
    (tape.take(), hive, report.protocol)
}

#[test]
fn power_fails_while_a_hive_is_compacted_and_nothing_is_lost() {
    let loose = loose_hive();
    let said = content(Hive::from_bytes(loose.clone()).unwrap().view());
    let files = |log: HiveFile, bytes: Vec<u8>| MemoryStorage::new(loose.clone()).with(log, bytes);
    for (before, protocol) in [
        (files(HiveFile::Log1, log_for(&loose)), Protocol::Logged),
        (files(HiveFile::Log1, old_log_for(&loose)), Protocol::OldLog),
        (files(HiveFile::Redo, Vec::new()), Protocol::Redo),
    ] {
        let (calls, after, by) = compacted(&before);
        assert_eq!(by, protocol);
        assert!(after.to_bytes().len() * 3 < loose.len() * 2, "{} bytes", after.to_bytes().len());
        assert_eq!(content(after.view()), said);
        let (mut old, mut new) = (0, 0);
        for made in 0..=calls.len() {
            for seed in 0..8 {
                let mut coin = coin(seed);
                let left = cut(&before, &calls[..made], || seed == 0 || (seed > 1 && coin()));
                let reopened = OpenOptions::new().open_storage(left).unwrap();
                assert_eq!(content(reopened.view()), said, "{protocol:?}, call {made}, seed {seed}");
                assert!(reopened.view().check().editable());
                if bins(&reopened).len() == bins(&after).len() { new += 1 } else { old += 1 }
            }
        }
        assert!(old > 10 && new > 10, "{old} {new}");
    }
}

#[test]
fn a_hive_is_edited_after_it_was_compacted() {
    let loose = loose_hive();
    let files = MemoryStorage::new(loose.clone()).with(HiveFile::Log1, log_for(&loose));
    let mut hive = OpenOptions::new().open_storage(files).unwrap();
    let pages = hive.compact().unwrap().pages;
    assert!(pages > 0);
    assert_eq!(hive.compact().unwrap().pages, 0, "nothing to do");
    let mut txn = hive.begin().unwrap();
    txn.set_value(txn.root(), "large", &Data::Binary(vec![1; 20_000])).unwrap();
    txn.commit().unwrap();
    assert!(hive.view().check().is_clean());
    let large = hive.view().root().unwrap().value("large").unwrap().unwrap();
    assert_eq!(large.len(), 20_000);
}

#[test]
fn without_log_and_journal_a_hive_is_left_alone() {
    let mut hive = OpenOptions::new().open_storage(MemoryStorage::new(loose_hive())).unwrap();
    let refused = hive.compact();
    assert!(matches!(refused, Err(Error::Request(RequestError::Uncommittable(_)))), "{refused:?}");
    let mut txn = hive.begin().unwrap();
    txn.create_key(txn.root(), "still fine").unwrap();
    txn.commit().unwrap();
}

/// The root key in a bin of its own at the end, where other programs may have it.
fn with_root_at_the_end(mut hive: Vec<u8>) -> Vec<u8> {
    const ROOT: usize = 0x1020;
    let number = |bytes: &[u8], at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    let size = number(&hive, ROOT).wrapping_neg();
    let cell = hive[ROOT..][..size as usize].to_vec();
    // It is free now.
    hive[ROOT..ROOT + 4].copy_from_slice(&size.to_le_bytes());
    let length = number(&hive, 0x28);
    let root = length + 0x20;
    for at in (ROOT..hive.len() - 0x18).step_by(8) {
        if hive[at + 4..].starts_with(b"nk") && number(&hive, at + 0x14) == 0x20 {
            hive[at + 0x14..at + 0x18].copy_from_slice(&root.to_le_bytes());
        }
    }
    let mut bin = b"hbin".to_vec();
    bin.extend(length.to_le_bytes());
    bin.extend(0x1000_u32.to_le_bytes());
    bin.resize(0x20, 0);
    bin.extend(cell);
    bin.extend((0x1000 - 0x20 - size).to_le_bytes());
    bin.resize(0x1000, 0);
    hive.extend(bin);
    hive[0x24..0x28].copy_from_slice(&root.to_le_bytes());
    hive[0x28..0x2c].copy_from_slice(&(length + 0x1000).to_le_bytes());
    sum_up(&mut hive);
    hive
}

/// Number 1 is too low to have one before it, so the base block is written before the hive is compacted.
#[test]
fn a_root_that_moves_is_not_looked_for_before_it_is_there() {
    let loose = with_number(&with_root_at_the_end(loose_hive()), 1);
    let said = content(Hive::from_bytes(loose.clone()).unwrap().view());
    let before = MemoryStorage::new(loose.clone()).with(HiveFile::Log1, log_for(&loose));
    let (calls, after, _) = compacted(&before);
    assert_eq!(after.to_bytes()[0x24..0x28], [0x20, 0, 0, 0]);
    each_cut(&before, &calls, |made, left| {
        let reopened = OpenOptions::new().open_storage(left).unwrap();
        assert!(reopened.view().check().editable(), "call {made}");
        assert_eq!(content(reopened.view()), said, "call {made}");
    });
}
