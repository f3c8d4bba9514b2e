//! Logs of Windows 8.1 and later.
//!
//! A log's base block carries the number of its first entry; entries count on from there, also from one log into the
//! other. The primary's second sequence number is the lowest that may be replayed: a log that begins below it is stale.
//! An entry numbered *q* leaves the hive at *q*, and the next clean number is *q* + 1.

use super::{Done, RecoveryReport, ReplayOf, ReplayedEntry, SkipReason, Target};
use crate::{
    Result,
    commit::logs::{Log, LogEnd, is_before},
    format::base_block::BaseBlock,
};

type Usable<'l> = [(&'l Log, BaseBlock)];

pub(super) fn replay(
    target: &mut Target<'_>,
    logs: &Usable<'_>,
    which: ReplayOf,
    report: &mut RecoveryReport,
) -> Result<Done> {
    let mut logs = logs.to_vec();
    // Oldest first; the difference of two numbers is signed, so that they may wrap around.
    logs.sort_by(|(_, a), (_, b)| (is_before(b.sequence1, a.sequence1)).cmp(&is_before(a.sequence1, b.sequence1)));
    let last = if target.image.base().checksum_ok() {
        replay_from(target, &logs, report)?
    } else {
        match damaged(target, &logs, which, report)? {
            Some(last) => last,
            None => return Ok(Done::Ambiguous),
        }
    };
    Ok(last.map_or(Done::Nothing, |last| Done::Clean(last.wrapping_add(1))))
}

/// Replays the logs that belong to the hive's base block; the number of the last entry.
fn replay_from(target: &mut Target<'_>, logs: &Usable<'_>, report: &mut RecoveryReport) -> Result<Option<u32>> {
    let lowest = target.image.base().sequence2;
    let mut chain = Chain::default();
    for (log, base) in logs {
        let begins = base.sequence1;
        if is_before(begins, lowest) {
            report.skip(log.file, SkipReason::Stale { begins, hive: lowest });
        } else {
            chain.follow(target, log, begins, report)?;
        }
    }
    Ok(chain.last)
}

/// A damaged base block says nothing of what may be replayed. Windows takes the newer log alone, base block and all;
/// what the older one held is lost if it had not reached the hive. So both ways are tried: none if they differ and
/// nothing tells which is right.
#[allow(clippy::option_option, reason = "no decision, and a decision for nothing")]
fn damaged(
    target: &mut Target<'_>,
    logs: &Usable<'_>,
    which: ReplayOf,
    report: &mut RecoveryReport,
) -> Result<Option<Option<u32>>> {
    let Some(((newest, newest_base), older)) = logs.split_last() else { return Ok(Some(None)) };
    let mut both = report.clone();
    let newer_only = |target: &mut Target<'_>, report: &mut RecoveryReport| {
        for (log, _) in older {
            report.skip(log.file, SkipReason::OlderLog);
        }
        take_base(target, newest_base);
        let mut chain = Chain::default();
        chain.follow(target, newest, newest_base.sequence1, report)?;
        Ok::<_, crate::Error>(chain.last)
    };
    if older.is_empty() || which == ReplayOf::NewerLog {
        return newer_only(target, report).map(Some);
    }
    let last = in_order(target, logs, &mut both)?;
    if last.is_none() {
        // They do not continue each other.
        target.reset();
        return newer_only(target, report).map(Some);
    }
    if which == ReplayOf::BothLogs {
        *report = both;
        return Ok(Some(last));
    }
    let sound_both = target.check().editable();
    let bins_both = target.image.bins().to_vec();
    target.reset();
    let mut alone = report.clone();
    let last_alone = newer_only(target, &mut alone)?;
    let sound_alone = target.check().editable();
    let same = target.image.bins().to_vec() == bins_both;
    // Also where the newer log has nothing that is whole: then it is the hive as it stands against the older log.
    if !same && sound_both && sound_alone {
        return Ok(None);
    }
    if same || sound_alone || !sound_both {
        *report = alone;
        return Ok(Some(last_alone));
    }
    target.reset();
    *report = both;
    report.beyond_windows = Some("Windows would take the newer log alone, which gives a damaged hive");
    in_order(target, logs, &mut RecoveryReport::default()).map(Some)
}

/// Replays logs over a damaged base block one after the other; none if they do not continue each other.
fn in_order(target: &mut Target<'_>, logs: &Usable<'_>, report: &mut RecoveryReport) -> Result<Option<u32>> {
    let mut chain = Chain::default();
    for (log, base) in logs {
        take_base(target, base);
        if chain.last.is_some() && chain.next != Some(base.sequence1) {
            return Ok(None);
        }
        chain.follow(target, log, base.sequence1, report)?;
        if chain.last.is_none() {
            return Ok(None);
        }
    }
    Ok(chain.last)
}

/// The log's base block stands in for the hive's.
fn take_base(target: &mut Target<'_>, log: &BaseBlock) {
    let length = target.image.base().length;
    *target.image.base_mut() = BaseBlock { file_type: 0, length, ..log.clone() };
}

/// Entries that continue each other.
#[derive(Default)]
struct Chain {
    /// The last one that was applied.
    last: Option<u32>,
    /// The number that the next one must have, once a log was begun with: behind a broken entry nothing fits.
    next: Option<u32>,
}

impl Chain {
    /// Applies the entries of a log, if it continues the chain.
    fn follow(&mut self, target: &mut Target<'_>, log: &Log, begins: u32, report: &mut RecoveryReport) -> Result<()> {
        if let Some(expected) = self.next.filter(|next| *next != begins) {
            report.skip(log.file, SkipReason::Gap { begins, expected });
            return Ok(());
        }
        self.next = Some(begins);
        for (at, entry) in log.entries(begins) {
            let entry = match entry {
                Ok(entry) => entry,
                Err(LogEnd::End) => break,
                Err(LogEnd::Broken(error)) => {
                    report.skip_from(log.file, at, SkipReason::Broken(error));
                    break;
                }
                Err(LogEnd::LeftOver { sequence, expected }) => {
                    report.skip_from(log.file, at, SkipReason::LeftOver { sequence, expected });
                    break;
                }
            };
            if !target.set_len(entry.length)? {
                report.skip_from(log.file, at, SkipReason::TooLong);
                break;
            }
            let mut bytes = 0;
            for (at, page) in entry.pages() {
                target.put(at, page)?;
                bytes += page.len() as u64;
            }
            let flags = target.image.base().flags;
            target.image.base_mut().flags = (flags & !1) | entry.flags & 1;
            self.last = Some(entry.sequence);
            self.next = Some(entry.sequence.wrapping_add(1));
            report.applied.push(ReplayedEntry { log: log.file, sequence: entry.sequence, bytes });
        }
        Ok(())
    }
}
