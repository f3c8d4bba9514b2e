use crate::{
    BINS_START, Data, Error, Hive, HiveFile, MemoryStorage, OpenOptions, Version,
    format::{
        base_block::{BaseBlock, SECTOR},
        log_entry::{FIRST_ENTRY, encode},
    },
};

/// A hive of several pages, clean at `number`.
fn hive(number: u32) -> Vec<u8> {
    let mut hive = Hive::create(Version::V1_5).unwrap();
    let mut txn = hive.begin().unwrap();
    txn.set_value(txn.root(), "large", &Data::Binary(vec![7; 16_000])).unwrap();
    txn.set_value(txn.root(), "behind", &Data::Binary(vec![8; 10_000])).unwrap();
    txn.commit().unwrap();
    with_base(&hive.to_bytes(), |base| (base.sequence1, base.sequence2) = (number, number))
}

fn base_of(bytes: &[u8]) -> BaseBlock {
    let sector: &[u8; SECTOR] = bytes.first_chunk().unwrap();
    BaseBlock::decode(sector)
}

fn with_base(bytes: &[u8], change: impl FnOnce(&mut BaseBlock)) -> Vec<u8> {
    let mut base = base_of(bytes);
    change(&mut base);
    [&base.encode(), &bytes[SECTOR..]].concat()
}

/// A log with the number `first` and one entry for each byte, which it puts at the end of the first page; 0 for one
/// that is broken.
fn log(hive: &[u8], first: u32, entries: &[u8]) -> Vec<u8> {
    let mut base = base_of(hive);
    (base.file_type, base.sequence1, base.sequence2) = (6, first, first);
    let mut log = base.encode().to_vec();
    for (number, byte) in (first..).zip(entries) {
        let at = FIRST_ENTRY + (log.len() - SECTOR) as u64;
        let mut page = hive[BINS_START as usize..][..0x1000].to_vec();
        page[0xfff] = *byte;
        log.extend(encode(at, 0, number, base.length, &[(0, page)]));
        if *byte == 0 {
            *log.last_mut().unwrap() ^= 1;
        }
    }
    log
}

fn open(files: MemoryStorage) -> Result<(Hive, u8), Error> {
    OpenOptions::new().open_storage(files).map(|hive| {
        let byte = hive.to_bytes()[0x1fff];
        (hive, byte)
    })
}

#[test]
fn a_log_is_not_replayed_over_the_gap_that_a_broken_one_leaves() {
    let clean = hive(4);
    let dirty = with_base(&clean, |base| base.sequence1 = 5);
    let files = |log1: Vec<u8>, log2: Vec<u8>| {
        MemoryStorage::new(dirty.clone()).with(HiveFile::Log1, log1).with(HiveFile::Log2, log2)
    };
    let both = open(files(log(&clean, 6, &[6]), log(&clean, 4, &[4, 5]))).unwrap();
    assert_eq!((both.1, both.0.recovery().unwrap().applied.len()), (6, 3));
    // Entry 5 is broken: what 6 changes is built on it.
    assert_eq!(open(files(log(&clean, 6, &[6]), log(&clean, 4, &[4, 0]))).unwrap().1, 4);
    assert!(open(files(log(&clean, 5, &[5]), log(&clean, 4, &[0]))).is_err());
    // The same number twice: the other one has what the broken one should have had.
    assert_eq!(open(files(log(&clean, 4, &[0]), log(&clean, 4, &[44]))).unwrap().1, 44);
}

#[test]
fn a_damaged_length_does_not_hide_the_bins_behind_it() {
    let clean = hive(4);
    let mut damaged = with_base(&clean, |base| base.sequence1 = 5);
    damaged[0x28..0x2c].copy_from_slice(&0x1000_u32.to_le_bytes());
    let files = MemoryStorage::new(damaged).with(HiveFile::Log1, log(&clean, 4, &[4]));
    let (hive, byte) = open(files).unwrap();
    assert_eq!(byte, 4);
    let value = hive.view().root().unwrap().value("behind").unwrap().unwrap();
    assert_eq!(*value.data().unwrap(), [8; 10_000]);
}

/// The base block is damaged, and both logs are there.
mod damaged_base_block {
    use super::{BINS_START, Error, Hive, HiveFile, MemoryStorage, OpenOptions, hive, log, with_base};
    use crate::{LogState, ReplayOf, SkipReason};

    fn files(older: &[u8], newer: &[u8]) -> MemoryStorage {
        let clean = hive(4);
        let mut damaged = clean.clone();
        damaged[8] ^= 0xff;
        let newer_begins = 4 + older.len() as u32;
        MemoryStorage::new(damaged)
            .with(HiveFile::Log1, log(&clean, newer_begins, newer))
            .with(HiveFile::Log2, log(&clean, 4, older))
    }

    fn open(files: &MemoryStorage, which: ReplayOf) -> Result<Hive, Error> {
        OpenOptions::new().replay_of(which).open_storage(files.clone())
    }

    #[test]
    fn both_ways_give_the_same_and_the_newer_log_is_enough() {
        let opened = open(&files(&[4, 5], &[6]), ReplayOf::Either).unwrap();
        let report = opened.recovery().unwrap();
        assert_eq!((report.applied.len(), report.sequence, report.beyond_windows), (1, 7, None));
        assert_eq!(report.skipped[0].why, SkipReason::OlderLog);
        let both = open(&files(&[4, 5], &[6]), ReplayOf::BothLogs).unwrap();
        assert_eq!(both.recovery().unwrap().applied.len(), 3);
    }

    /// The older log changes a page that the newer one does not.
    #[test]
    fn two_sound_hives_are_for_the_caller_to_choose_from() {
        let clean = hive(4);
        let mut older = log(&clean, 4, &[4]);
        // The same entry, for the second page.
        let mut page = clean[BINS_START as usize + 0x1000..][..0x1000].to_vec();
        page[0xff0] ^= 0xff;
        let entry = crate::format::log_entry::encode(0x200, 0, 4, clean.len() as u32 - BINS_START, &[(0x1000, page)]);
        older.truncate(0x200);
        older.extend(entry);
        let mut damaged = clean.clone();
        damaged[8] ^= 0xff;
        let files = MemoryStorage::new(damaged).with(HiveFile::Log1, log(&clean, 5, &[5])).with(HiveFile::Log2, older);

        let undecided = open(&files, ReplayOf::Either);
        let Err(Error::NeedsRecovery(state)) = undecided else { panic!("{undecided:?}") };
        assert_eq!(state.logs, LogState::Ambiguous);
        let newer = open(&files, ReplayOf::NewerLog).unwrap();
        assert_eq!(newer.recovery().unwrap().applied.len(), 1);
        let both = open(&files, ReplayOf::BothLogs).unwrap();
        assert_eq!(both.recovery().unwrap().applied.len(), 2);
        assert_ne!(newer.to_bytes(), both.to_bytes());
    }

    /// What the older log brings the newer one builds on.
    #[test]
    fn the_way_that_gives_a_damaged_hive_is_not_taken() {
        let clean = hive(4);
        let mut without = clean.clone();
        // The second page of the hive on disk is not what it was when the older log was written.
        without[BINS_START as usize..][0x1000..0x2000].fill(0xee);
        without[8] ^= 0xff;
        let page = |at: usize| clean[BINS_START as usize + at..][..0x1000].to_vec();
        let length = clean.len() as u32 - BINS_START;
        let first = (length / 0x1000 - 1) as usize;
        let runs: Vec<(u32, Vec<u8>)> = (1..=first).map(|at| (at as u32 * 0x1000, page(at * 0x1000))).collect();
        let mut older = with_base(&clean, |base| (base.file_type, base.sequence1, base.sequence2) = (6, 4, 4));
        older.truncate(0x200);
        older.extend(crate::format::log_entry::encode(0x200, 0, 4, length, &runs));
        let files = MemoryStorage::new(without).with(HiveFile::Log1, log(&clean, 5, &[5])).with(HiveFile::Log2, older);
        let opened = open(&files, ReplayOf::Either).unwrap();
        let report = opened.recovery().unwrap();
        assert_eq!(report.applied.len(), 2);
        assert!(report.beyond_windows.is_some());
        assert!(opened.view().check().editable());
    }

    /// What the older log holds may have reached the hive long ago, or never.
    #[test]
    fn a_newer_log_that_is_broken_from_the_start_decides_nothing() {
        let files = files(&[4], &[0]);
        let undecided = open(&files, ReplayOf::Either);
        let Err(Error::NeedsRecovery(state)) = undecided else { panic!("{undecided:?}") };
        assert_eq!(state.logs, LogState::Ambiguous);
        assert_eq!(open(&files, ReplayOf::BothLogs).unwrap().recovery().unwrap().applied.len(), 1);
        assert!(open(&files, ReplayOf::NewerLog).is_err());
    }

    #[test]
    fn logs_that_do_not_continue_each_other_leave_the_newer_one() {
        let clean = hive(4);
        let mut damaged = clean.clone();
        damaged[8] ^= 0xff;
        let files = MemoryStorage::new(damaged)
            .with(HiveFile::Log1, log(&clean, 9, &[9]))
            .with(HiveFile::Log2, log(&clean, 4, &[4]));
        for which in [ReplayOf::Either, ReplayOf::BothLogs] {
            let opened = open(&files, which).unwrap();
            assert_eq!(opened.recovery().unwrap().sequence, 10);
        }
    }
}

/// Numbers that a recovery leaves in the logs are below the hive's.
#[test]
fn a_log_that_was_left_out_does_not_stay_ahead_of_the_hive() {
    let clean = hive(4);
    let dirty = with_base(&clean, |base| base.sequence1 = 5);
    let files = MemoryStorage::new(dirty)
        .with(HiveFile::Log1, log(&clean, 4, &[4]))
        .with(HiveFile::Log2, log(&clean, 40, &[40, 41]));
    let mut hive = OpenOptions::new().open_storage(files).unwrap();
    assert_eq!(hive.recovery().unwrap().sequence, 5);
    hive.recover().unwrap();
    let storage = hive.storage_mut().unwrap();
    assert_eq!(storage.len(HiveFile::Log2).unwrap(), Some(0));
    let mut sector = [0; SECTOR];
    storage.read(HiveFile::Primary, 0, &mut sector).unwrap();
    assert_eq!((BaseBlock::decode(&sector).sequence1, BaseBlock::decode(&sector).is_clean()), (43, true));
    // And the hive knows it.
    let mut txn = hive.begin().unwrap();
    txn.set_value(txn.root(), "next", &Data::Dword(1)).unwrap();
    assert_eq!(txn.commit().unwrap().sequence, 44);
}

#[test]
fn a_dirty_hive_without_logs_is_accepted_when_it_is_sound() {
    let clean = hive(4);
    let dirty = with_base(&clean, |base| base.sequence1 = 5);
    let stale = log(&clean, 2, &[2]);
    for files in [MemoryStorage::new(dirty.clone()), MemoryStorage::new(dirty.clone()).with(HiveFile::Log1, stale)] {
        assert!(matches!(OpenOptions::new().open_storage(files.clone()), Err(Error::NeedsRecovery(_))));
        let mut hive = OpenOptions::new().accept_dirty(true).open_storage(files).unwrap();
        assert!(hive.recovery().unwrap().beyond_windows.is_some());
        let mut txn = hive.begin().unwrap();
        txn.set_value(txn.root(), "edit", &Data::Dword(1)).unwrap();
        assert!(txn.commit().unwrap().sequence > 6);
    }
    // A number of keys that is not so.
    let mut broken = dirty;
    let root = BINS_START as usize + 0x24;
    broken[root + 0x14] = 9;
    let refused = OpenOptions::new().accept_dirty(true).open_storage(MemoryStorage::new(broken));
    assert!(matches!(refused, Err(Error::Corrupt(_))), "{refused:?}");
}

/// Each entry of a small log lets the bins become long or short; making that room costs its length.
#[test]
fn bins_that_grow_and_shrink_by_turns_do_not_cost_their_length_each_time() {
    let clean = hive(4);
    let dirty = with_base(&clean, |base| base.sequence1 = 5);
    let short = base_of(&clean).length;
    let mut log = log(&clean, 4, &[]);
    for number in 4..400 {
        let length = if number % 2 == 0 { short } else { 16 << 20 };
        let entry = encode(FIRST_ENTRY + (log.len() - SECTOR) as u64, 0, number, length, &[(0, vec![7; 0x200])]);
        log.extend(entry);
    }
    let mut image = crate::image::Image::from_vec(base_of(&dirty), dirty.clone());
    let logs = crate::commit::Logs::read(&mut MemoryStorage::new(dirty).with(HiveFile::Log1, log)).unwrap();
    let report = super::replay(&mut image, &logs, short, super::ReplayOf::Either).unwrap();
    assert!((2..6).contains(&report.applied.len()), "{}", report.applied.len());
    assert_eq!(report.skipped.last().unwrap().why, super::SkipReason::TooLong);
}

/// Since Windows 8.1 the time stamp stands still, so a log of before an upgrade has the one of the hive.
#[test]
fn a_log_of_before_the_upgrade_is_not_replayed() {
    let clean = hive(40);
    let dirty = with_base(&clean, |base| base.sequence1 = 41);
    let length = base_of(&clean).length;
    let log = |number: u32| {
        let base = with_base(&clean, |base| (base.file_type, base.sequence1, base.sequence2) = (1, number, number));
        let mut page = clean[BINS_START as usize..][..0x1000].to_vec();
        page[0xfff] = 0x77;
        [&base[..SECTOR], &crate::format::dirty_vector::encode(length, &[(0, page)])].concat()
    };
    let files = |number| MemoryStorage::new(dirty.clone()).with(HiveFile::Log1, log(number));
    assert_eq!(open(files(41)).unwrap().1, 0x77);
    let Err(Error::NeedsRecovery(state)) = open(files(12)) else { panic!("a stale log was replayed") };
    assert_eq!(state.skipped[0].why, super::SkipReason::Stale { begins: 12, hive: 40 });
}

/// The base block is damaged. The first log is of a time when the hive was shorter; the second one has the last write.
#[test]
fn a_log_of_shorter_times_does_not_hide_bins() {
    let mut clean = hive(40);
    clean[0x1014..0x101c].copy_from_slice(&500_u64.to_le_bytes());
    let mut damaged = clean.clone();
    damaged[8] ^= 0xff;
    let log = |number: u32, stamp: u64, length: u32, byte: u8| {
        let base = with_base(&clean, |base| {
            (base.file_type, base.sequence1, base.sequence2) = (1, number, number);
            (base.last_written, base.length) = (stamp, length);
        });
        let mut page = clean[BINS_START as usize..][..0x1000].to_vec();
        page[0xfff] = byte;
        [&base[..SECTOR], &crate::format::dirty_vector::encode(length, &[(0, page)])].concat()
    };
    let files = MemoryStorage::new(damaged)
        .with(HiveFile::Log1, log(12, 100, 0x1000, 1))
        .with(HiveFile::Log2, log(41, 500, base_of(&clean).length, 0x77));
    let (hive, byte) = open(files).unwrap();
    assert_eq!(byte, 0x77);
    assert!(hive.view().check().editable());
}
