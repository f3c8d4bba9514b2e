//! Replaying the logs of a hive that was not closed cleanly, as Windows 8.1 and later do.
//!
//! A log's base block carries the number of its first entry; entries count on from there, also from one log into the
//! other. The primary's second sequence number is the lowest that may be replayed: a log that begins below it is stale.
//! An entry numbered *q* leaves the hive at *q*, and the next clean number is *q* + 1.

use std::collections::BTreeSet;

use super::{
    CommitError, HiveFile, Outcome, Storage,
    error::Step,
    logs::{Log, Logs, is_before},
};
use crate::{
    BINS_START, Defect, DirtyState, FileOffset, FormatError, LogState, Result, Structure,
    format::{
        base_block::{BaseBlock, FileType},
        hbin::PAGE,
    },
    image::Image,
};

/// Windows may leave pages of a new bin out of an entry; of that much at most is believed, so that a hostile length
/// does not cost its memory.
const GROWTH_SLACK: u64 = 16 << 20;

/// What a replay did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecoveryReport {
    /// The entries that were applied, in order.
    pub applied: Vec<ReplayedEntry>,
    /// Logs that were left out, and why.
    pub ignored: Vec<(HiveFile, String)>,
}

/// One applied entry of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReplayedEntry {
    /// The log it came from.
    pub log: HiveFile,
    /// Its sequence number.
    pub sequence: u32,
    /// Bytes of pages that it carries.
    pub bytes: u64,
}

/// Applies what the logs hold to the image of a dirty hive. The image's transaction afterwards knows the pages that
/// changed, and its base block the numbers of a clean hive.
///
/// `promised` is the length of the bins that the base block speaks of; where the file is shorter, the logs must have
/// what is missing.
pub(crate) fn replay(image: &mut Image, logs: &Logs, promised: u32) -> Result<RecoveryReport> {
    let base = image.base().clone();
    let dirty = |logs| DirtyState {
        sequence1: base.sequence1,
        sequence2: base.sequence2,
        checksum_ok: base.checksum_ok(),
        logs,
    };
    let mut report = RecoveryReport::default();
    let mut usable: Vec<(&Log, BaseBlock)> = Vec::new();
    for log in logs.in_use() {
        match log.base() {
            Some(base) if base.file_type() == FileType::NewLog => usable.push((log, base)),
            Some(_) => report.ignored.push((log.file, "has the format before Windows 8.1".to_owned())),
            None => report.ignored.push((log.file, "has no valid base block".to_owned())),
        }
    }
    // Oldest first; the difference of two numbers is signed, so that they may wrap around.
    usable.sort_by(|(_, a), (_, b)| (is_before(b.sequence1, a.sequence1)).cmp(&is_before(a.sequence1, b.sequence1)));

    image.begin_replay();
    let there = image.len();
    // An entry carries the bins that it adds, so nothing honest grows the hive by more than its logs hold.
    let most = u64::from(there) + logs.bytes() + GROWTH_SLACK;
    let mut brought = BTreeSet::new();
    let mut last: Option<u32> = None;
    // The number that the next entry must have, once a log was begun with: behind a broken entry nothing fits.
    let mut next: Option<u32> = None;
    if !base.checksum_ok() {
        // A torn base block says nothing of what may be replayed: Windows takes the newer log alone, base block and all.
        while usable.len() > 1 {
            let (older, _) = usable.remove(0);
            report.ignored.push((older.file, "is the older one, and the base block is damaged".to_owned()));
        }
    }
    for (log, log_base) in usable {
        let first = log_base.sequence1;
        if base.checksum_ok() {
            let stale = is_before(first, base.sequence2);
            let gap = next.is_some_and(|next| first != next);
            if stale || gap {
                let why = if stale {
                    format!("begins at {first}, before the hive's own {}", base.sequence2)
                } else {
                    format!("begins at {first}, which does not continue the other log")
                };
                report.ignored.push((log.file, why));
                continue;
            }
        } else {
            *image.base_mut() = BaseBlock { file_type: 0, length: base.length, ..log_base };
        }
        next = Some(first);
        for entry in log.entries(first) {
            let Ok(entry) = entry else { break };
            if u64::from(entry.length) > most {
                break;
            }
            image.set_len(entry.length);
            let mut bytes = 0;
            for (at, page) in entry.pages() {
                image.write_page(at, page)?;
                bytes += page.len() as u64;
                let end = at + page.len() as u32;
                brought.extend((at.max(there) / PAGE..end.div_ceil(PAGE)).filter(|page| *page >= there / PAGE));
            }
            let flags = image.base().flags;
            image.base_mut().flags = (flags & !1) | entry.flags & 1;
            last = Some(entry.sequence);
            next = Some(entry.sequence.wrapping_add(1));
            report.applied.push(ReplayedEntry { log: log.file, sequence: entry.sequence, bytes });
        }
    }
    let Some(last) = last else {
        image.rollback_to(0);
        image.end();
        let state = if logs.has_old_format() { LogState::OldFormat } else { LogState::Unusable };
        return Err(crate::Error::NeedsRecovery(dirty(state)));
    };
    if (there / PAGE..promised.min(image.len()) / PAGE).any(|page| !brought.contains(&page)) {
        let defect = Defect::Truncated { part: "hive bins", needed: promised.into(), available: there.into() };
        return Err(FormatError::new(Structure::BaseBlock, FileOffset(0), defect).into());
    }
    let clean = last.wrapping_add(1);
    let base = image.base_mut();
    base.sequence1 = clean;
    base.sequence2 = clean;
    base.checksum = base.true_checksum();
    Ok(report)
}

/// A replay that is not on disk yet.
pub(crate) struct Replayed {
    /// Clean, with the numbers that follow the last entry.
    base: BaseBlock,
    /// The changed pages of the bins.
    runs: Vec<(u32, Vec<u8>)>,
}

impl Replayed {
    /// Takes note of what [`replay`] changed and ends the image's transaction.
    pub(crate) fn of(image: &mut Image) -> Self {
        let replayed = Self { base: image.base().clone(), runs: image.touched_runs() };
        image.end();
        replayed
    }

    /// Writes the replay back: pages first, the base block when they are durable. Until then the hive is as dirty as
    /// before and its logs are untouched, so whoever opens it next replays the same again.
    pub(crate) fn write(&self, storage: &mut dyn Storage) -> Result<(), CommitError> {
        const STEP: &str = "writing the replayed log back";
        let length = u64::from(BINS_START) + u64::from(self.base.length);
        if storage.len(HiveFile::Primary).step(STEP, Outcome::Old)?.unwrap_or(0) < length {
            storage.set_len(HiveFile::Primary, length).step(STEP, Outcome::Old)?;
        }
        for (at, bytes) in &self.runs {
            let at = u64::from(BINS_START) + u64::from(*at);
            storage.write(HiveFile::Primary, at, bytes).step(STEP, Outcome::Old)?;
        }
        storage.sync(HiveFile::Primary).step(STEP, Outcome::Old)?;
        // From here on the pages hold the replayed state; the base block says whether to trust them.
        storage.write(HiveFile::Primary, 0, &self.base.encode()).step(STEP, Outcome::Old)?;
        storage.sync(HiveFile::Primary).step(STEP, Outcome::OldOrNew)
    }
}

#[cfg(test)]
mod tests {
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
}
