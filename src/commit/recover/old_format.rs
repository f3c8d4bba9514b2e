//! Logs of Windows XP to 8.0: one set of 512-byte pages, which belongs to the hive with the same time stamp.
//!
//! Every write of such a Windows puts a new time stamp into base block, first bin and log. Where the base block is
//! damaged, the first bin has the stamp of the last write that reached it.

use super::{Done, RecoveryReport, ReplayedEntry, SkipReason, Target, first_bin_stamp};
use crate::{
    Result,
    commit::logs::{Log, is_before},
    format::{
        base_block::BaseBlock,
        dirty_vector,
        hbin::{HBIN_HEADER, Hbin},
    },
};

/// What the number of the log is below that of the clean hive: Windows 7 brought a hive whose log had 5 to 7.
const AHEAD: u32 = 2;

pub(super) fn replay(target: &mut Target<'_>, logs: &[(&Log, BaseBlock)], report: &mut RecoveryReport) -> Result<Done> {
    let sound = target.image.base().checksum_ok();
    let stamp = if sound { Some(target.image.base().last_written) } else { first_bin_stamp(target.image) };
    let mut candidates: Vec<(&Log, &BaseBlock, bool)> = Vec::new();
    let lowest = target.image.base().sequence2;
    for (log, base) in logs {
        match stamp {
            // Since Windows 8.1 the stamp stands still: a log of before an upgrade has it as well.
            _ if sound && is_before(base.sequence1, lowest) => {
                report.skip(log.file, SkipReason::Stale { begins: base.sequence1, hive: lowest });
            }
            Some(stamp) if stamp == base.last_written => candidates.push((log, base, true)),
            // The base block was written first, with the new stamp, and the first bin never.
            Some(stamp) if !sound && stamp < base.last_written => candidates.push((log, base, false)),
            _ => report.skip(log.file, SkipReason::TimeStamp),
        }
    }
    // Windows' own way first, and of two the newer.
    candidates.sort_by_key(|(_, base, exact)| (!exact, std::cmp::Reverse(base.last_written)));
    if let [(_, first, true), (_, second, true), ..] = candidates.as_slice() {
        if is_before(first.sequence1, second.sequence1) {
            candidates.swap(0, 1);
        }
    }
    let mut candidates = candidates.into_iter();
    for (log, base, exact) in candidates.by_ref() {
        if apply(target, log, base, report)? && (exact || target.check().editable()) {
            if !exact {
                report.beyond_windows =
                    Some("the base block is damaged and the log newer than the first bin, which Windows does not take");
            }
            break;
        }
        if report.applied.pop().is_some() {
            report.skip(log.file, SkipReason::Unsound);
        }
        target.reset();
    }
    for (log, ..) in candidates {
        report.skip(log.file, SkipReason::Superseded);
    }
    Ok(match report.applied.last() {
        Some(entry) => Done::Clean(entry.sequence.wrapping_add(AHEAD)),
        None => Done::Nothing,
    })
}

/// Puts the log's pages into the image; whether all of them are there and every bin is one then. Windows stops at a bin
/// that is none and keeps the pages before it, which is a mixture that nothing should be built on.
fn apply(target: &mut Target<'_>, log: &Log, base: &BaseBlock, report: &mut RecoveryReport) -> Result<bool> {
    let runs = match dirty_vector::parse(log.bytes(), base.length) {
        Ok(runs) => runs,
        Err(error) => {
            report.skip(log.file, SkipReason::Broken(error));
            return Ok(false);
        }
    };
    if !target.image.base().checksum_ok() {
        *target.image.base_mut() = BaseBlock { file_type: 0, ..base.clone() };
    }
    if !target.set_len(base.length)? {
        report.skip(log.file, SkipReason::TooLong);
        return Ok(false);
    }
    let mut bytes = 0;
    for (at, run) in runs {
        target.put(at, run)?;
        bytes += run.len() as u64;
    }
    report.applied.push(ReplayedEntry { log: log.file, sequence: base.sequence1, bytes });
    Ok(bins_are_whole(target, base.length))
}

fn bins_are_whole(target: &Target<'_>, length: u32) -> bool {
    let bins = target.image.bins();
    let mut at = 0;
    while at < length {
        let header = bins.get(at, HBIN_HEADER as usize);
        match header.map(|header| Hbin::parse(header, at, length - at)) {
            Some(Ok(bin)) => at += bin.size,
            _ => return false,
        }
    }
    true
}
