//! The first commit of a hive that was replayed, with a log left over that is ahead of it: the logs are neutralised and
//! the number moves, in the middle of the transaction.

use hivesmith::{Data, HiveFile, MemoryStorage, OpenOptions, Protocol, System, Version};

use super::{EDITS, Tape, arming, bins, committed, cut, each_cut, files, log_for, small_hive, with_number};

/// Dirty, by a commit that was interrupted; the second log does not belong to it and is ahead.
fn dirty_hive() -> MemoryStorage {
    let hive = with_number(&small_hive(Version::V1_5), 7);
    let before = files(&hive, true);
    let (calls, _) = committed(&before, &[EDITS[0], EDITS[10]]);
    let interrupted = cut(&before, &calls[..arming(&calls) + 2], || true);
    interrupted.with(HiveFile::Log2, log_for(&with_number(&hive, 41)))
}

#[test]
fn nothing_of_the_open_transaction_reaches_the_disk_with_the_number() {
    let before = dirty_hive();
    let replayed = bins(&OpenOptions::new().open_storage(before.clone()).unwrap());
    for compacts in [false, true] {
        let tape = Tape::new(before.clone());
        let mut hive = OpenOptions::new().system(System::Windows81).open_storage(tape.clone()).unwrap();
        if compacts {
            assert!(hive.compact().unwrap().pages > 0);
        } else {
            let mut txn = hive.begin().unwrap();
            txn.set_value(txn.root(), "large", &Data::Binary(vec![1; 50_000])).unwrap();
            txn.commit().unwrap();
        }
        assert_ne!(replayed.len(), bins(&hive).len());
        each_cut(&before, &tape.take(), |made, left| {
            let found = OpenOptions::new().open_storage(left);
            let found = bins(&found.unwrap_or_else(|error| panic!("call {made}: {error}")));
            assert!(found == replayed || found == bins(&hive), "call {made}");
        });
    }
}

/// What said how to commit were the logs, which are empty by then.
#[test]
fn the_protocol_stays_what_it_was_when_the_transaction_began() {
    let mut hive = OpenOptions::new().open_storage(dirty_hive()).unwrap();
    let mut txn = hive.begin().unwrap();
    txn.set_value(txn.root(), "small", &Data::Dword(1)).unwrap();
    assert_eq!(txn.protocol(), Protocol::Logged);
    assert_eq!(txn.commit().unwrap().protocol, Protocol::Logged);
}
