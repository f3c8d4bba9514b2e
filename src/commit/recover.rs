//! Replaying the logs of a hive that was not closed cleanly, as Windows 8.1 and later do.
//!
//! A log's base block carries the number of its first entry; entries count on from there, also from one log into the
//! other. The primary's second sequence number is the lowest that may be replayed: a log that begins below it is stale.
//! An entry numbered *q* leaves the hive at *q*, and the next clean number is *q* + 1.

use super::{
    CommitError, HiveFile, Outcome, Storage,
    error::Step,
    logs::{Log, Logs},
};
use crate::{
    BINS_START, DirtyState, LogState, Result,
    format::base_block::{BaseBlock, FileType},
    image::Image,
};

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
pub(crate) fn replay(image: &mut Image, logs: &Logs) -> Result<RecoveryReport> {
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
    let mut last: Option<u32> = None;
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
            let gap = last.is_some_and(|last| first != last.wrapping_add(1));
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
        for entry in log.entries(first) {
            let Ok(entry) = entry else { break };
            image.set_len(entry.length);
            let mut bytes = 0;
            for (at, page) in entry.pages() {
                image.write_page(at, page)?;
                bytes += page.len() as u64;
            }
            let flags = image.base().flags;
            image.base_mut().flags = (flags & !1) | entry.flags & 1;
            last = Some(entry.sequence);
            report.applied.push(ReplayedEntry { log: log.file, sequence: entry.sequence, bytes });
        }
    }
    let Some(last) = last else {
        image.rollback_to(0);
        image.end();
        let state = if logs.has_old_format() { LogState::OldFormat } else { LogState::Unusable };
        return Err(crate::Error::NeedsRecovery(dirty(state)));
    };
    let clean = last.wrapping_add(1);
    let base = image.base_mut();
    base.sequence1 = clean;
    base.sequence2 = clean;
    base.checksum = base.true_checksum();
    Ok(report)
}

/// Whether one sequence number comes before another; they may wrap around, so their difference is a signed one.
fn is_before(number: u32, other: u32) -> bool {
    number.wrapping_sub(other) >= 1 << 31
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
