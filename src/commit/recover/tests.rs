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
