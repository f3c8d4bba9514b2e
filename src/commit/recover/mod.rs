//! Replaying the logs of a hive that was not closed cleanly, as Windows does.
//!
//! * [`new_format`]: logs of Windows 8.1 and later, a chain of numbered entries
//! * [`old_format`]: logs of XP to 8.0, one set of pages, matched by time stamp
//! * [`write_back`]: the replayed hive on disk
//!
//! A clean hive's logs are never looked at.

mod new_format;
mod old_format;
mod report;
#[cfg(test)]
mod tests;
mod write_back;

use std::collections::BTreeSet;

pub use report::{RecoveryReport, ReplayedEntry, SkipReason, Skipped};
pub(crate) use write_back::Replayed;

use super::{HiveFile, logs::Logs};
use crate::{
    BINS_START, Defect, DirtyState, Error, FileOffset, FormatError, LogState, Result, Structure,
    check::Report,
    edit,
    format::{
        base_block::{BaseBlock, FileType, SECTOR},
        hbin::PAGE,
    },
    image::Image,
};

/// Windows may leave pages of a new bin out of a log; of that much at most is believed, so that a hostile length does
/// not cost its memory.
const GROWTH_SLACK: u64 = 16 << 20;

/// Which logs to replay where the hive's base block is damaged and there are two that continue each other: what was
/// written back before the damage, and so where to begin, stood in the base block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ReplayOf {
    /// What gives a sound hive. If both ways do, and the hives differ, that is for the caller to decide:
    /// [`LogState::Ambiguous`].
    #[default]
    Either,
    /// The newer log alone, as Windows does.
    NewerLog,
    /// Both, in their order.
    BothLogs,
}

/// Applies what the logs hold to the image of a dirty hive. The image's transaction afterwards knows the pages that
/// changed, and its base block the numbers of a clean hive. If nothing can be applied, the image is as it was.
///
/// `promised` is the length of the bins that the base block speaks of; where the file is shorter, the logs must have
/// what is missing.
pub(crate) fn replay(image: &mut Image, logs: &Logs, promised: u32, which: ReplayOf) -> Result<RecoveryReport> {
    let before = image.base().clone();
    let mut report = RecoveryReport::default();
    let mut new = Vec::new();
    let mut old = Vec::new();
    for log in logs.in_use() {
        match log.base() {
            Some(base) if base.file_type() == FileType::NewLog => new.push((log, base)),
            Some(base) => old.push((log, base)),
            None if log.bytes().is_empty() => {}
            None => report.skip(log.file, SkipReason::NoBaseBlock),
        }
    }
    image.begin_replay();
    let mut target = Target::new(image, logs.bytes());
    let done = if new.is_empty() {
        old_format::replay(&mut target, &old, &mut report)
    } else {
        for (log, _) in old {
            report.skip(log.file, SkipReason::OlderFormat);
        }
        new_format::replay(&mut target, &new, which, &mut report)
    };
    let done = done.and_then(|done| match done {
        Done::Clean(number) => target.has_all(promised).map(|()| Ok(number)),
        Done::Nothing => Ok(Err(LogState::Unusable)),
        Done::Ambiguous => Ok(Err(LogState::Ambiguous)),
    });
    match done {
        Ok(Ok(number)) => {
            seal(image.base_mut(), number);
            report.sequence = number;
            Ok(report)
        }
        Ok(Err(state)) => {
            forget(image);
            Err(Error::NeedsRecovery(DirtyState { skipped: report.skipped, ..DirtyState::new(&before, state) }))
        }
        Err(error) => {
            forget(image);
            Err(error)
        }
    }
}

/// Takes a dirty hive as it is, without logs: what they would have held is lost. The image's base block gets the number
/// of a clean hive, above all that the logs hold.
pub(crate) fn accept(image: &mut Image, logs: &Logs) -> RecoveryReport {
    let base = image.base();
    let next = base.sequence1.wrapping_add(1);
    let number = logs.highest_from(base.sequence2).map_or(next, |ahead| {
        let above = ahead.wrapping_add(2);
        if next.wrapping_sub(above) < 1 << 31 { next } else { above }
    });
    image.begin_replay();
    seal(image.base_mut(), number);
    RecoveryReport {
        sequence: number,
        beyond_windows: Some("the hive is taken as it is, without what its logs would have held"),
        ..RecoveryReport::default()
    }
}

/// Finishes the commit that a journal of our own holds, if it is of this state of this hive. `sector` is the hive's
/// first as it stands on disk.
///
/// A log means that Windows wrote after the journal, whose commit had left none: it never began then, and Windows may
/// have come to the very numbers that it would have begun with.
pub(crate) fn finish(image: &mut Image, logs: &Logs, sector: &[u8; SECTOR]) -> Option<RecoveryReport> {
    let redo = logs.redo()?.ok()?;
    if logs.iter().any(|log| log.base().is_some()) || !redo.is_of(sector, image.bins()) {
        return None;
    }
    image.begin_replay();
    let mut bytes = 0;
    let written = image.set_len(redo.clean.length).and_then(|()| {
        redo.runs.iter().try_for_each(|(at, run)| {
            bytes += run.len() as u64;
            image.write_page(*at, run)
        })
    });
    if written.is_err() {
        forget(image);
        return None;
    }
    *image.base_mut() = redo.clean.clone();
    let sequence = redo.clean.sequence1;
    let applied = vec![ReplayedEntry { log: HiveFile::Redo, sequence, bytes }];
    Some(RecoveryReport { applied, sequence, ..RecoveryReport::default() })
}

fn seal(base: &mut BaseBlock, number: u32) {
    (base.sequence1, base.sequence2) = (number, number);
    base.checksum = base.true_checksum();
}

fn forget(image: &mut Image) {
    image.rollback_to(0);
    image.end();
}

/// How a replay ended.
enum Done {
    /// The number of the clean hive.
    Clean(u32),
    Nothing,
    Ambiguous,
}

impl RecoveryReport {
    fn skip(&mut self, log: HiveFile, why: SkipReason) {
        self.skipped.push(Skipped { log, at: None, why });
    }

    fn skip_from(&mut self, log: HiveFile, at: u64, why: SkipReason) {
        self.skipped.push(Skipped { log, at: Some(FileOffset(at)), why });
    }
}

/// The image that logs are replayed into.
struct Target<'i> {
    image: &'i mut Image,
    /// Length of the bins that the file had.
    there: u32,
    /// The longest that the bins can honestly become: a log carries the bins that it adds.
    most: u64,
    /// How much the bins grew so far; what shrank before counts again.
    grown: u64,
    /// Pages behind `there` that came from a log.
    brought: BTreeSet<u32>,
}

impl<'i> Target<'i> {
    fn new(image: &'i mut Image, logs: u64) -> Self {
        let there = image.len();
        Self { image, there, most: u64::from(there) + logs + GROWTH_SLACK, grown: 0, brought: BTreeSet::new() }
    }

    /// As it was before anything was applied.
    fn reset(&mut self) {
        self.image.rollback_to(0);
        self.grown = 0;
        self.brought.clear();
    }

    /// Gives the bins another length; false, with nothing done, where that is more than can be honest. Entries that let
    /// a long hive shrink and grow by turns would cost its length each.
    fn set_len(&mut self, length: u32) -> Result<bool, FormatError> {
        let grown = self.grown + u64::from(length.saturating_sub(self.image.len()));
        if u64::from(length) > self.most || grown > self.most {
            return Ok(false);
        }
        self.grown = grown;
        self.image.set_len(length)?;
        Ok(true)
    }

    fn put(&mut self, at: u32, bytes: &[u8]) -> Result<(), FormatError> {
        self.image.write_page(at, bytes)?;
        let end = at + bytes.len() as u32;
        let behind = self.there / PAGE;
        self.brought.extend((at / PAGE).max(behind)..end.div_ceil(PAGE).max(behind));
        Ok(())
    }

    /// Whether the file or the logs had every page of bins that long.
    fn has_all(&self, promised: u32) -> Result<()> {
        let length = promised.min(self.image.len());
        if (self.there / PAGE..length / PAGE).all(|page| self.brought.contains(&page)) {
            return Ok(());
        }
        let defect = Defect::Truncated { part: "hive bins", needed: promised.into(), available: self.there.into() };
        Err(FormatError::new(Structure::BaseBlock, FileOffset(0), defect).into())
    }

    /// What the check says of the image as it is now.
    fn check(&self) -> Report {
        edit::view(self.image).check()
    }
}

/// The time stamp in the header of the first bin, which that of the base block was copied to with every write before
/// Windows 8.1.
pub(crate) fn first_bin_stamp(image: &Image) -> Option<u64> {
    let header = image.bins().get(0, 0x1c)?;
    let stamp: [u8; 8] = *header.get(0x14..)?.first_chunk()?;
    header.starts_with(b"hbin").then_some(u64::from_le_bytes(stamp))
}

/// Position in the hive's file of an offset in its bins.
pub(crate) fn in_file(at: u32) -> u64 {
    u64::from(BINS_START) + u64::from(at)
}
