//! Committing through the log that Windows 8.1 and later keep beside a hive: all changes or none.
//!
//! The hive is clean at number *N* before and at *N* + 1 after. What a loader makes of the disk if power fails:
//!
//! | step | write, then make durable | then |
//! |---|---|---|
//! | 1 | logs neutralised | old: Windows never looks at the logs of a clean hive |
//! | 2 | room in the hive | old |
//! | 3 | one log entry, number *N* - 1, with every changed page | old |
//! | 4 | the log's base block | old; and *N* - 1 is too low for any later dirty state of this hive |
//! | 5 | **the hive's base block, numbers *N* / *N* - 1** | new: dirty, and the entry is eligible |
//! | 6 | the changed pages | new: a replay overwrites any mixture |
//! | 7 | the hive's base block, numbers *N* + 1 | new, clean; the log is below it for ever |
//!
//! Every write of a base block is one sector. Where it is torn (steps 5 and 7) its checksum is wrong, and the loader
//! takes the log's base block and entry, which hold the new state.

use super::{CommitReport, HiveFile, Outcome, Protocol, Storage, error::Step, logs::Logs};
use crate::{
    BINS_START, CommitError,
    format::{
        base_block::{BaseBlock, SECTOR},
        hbin::PAGE,
        log_entry::{FIRST_ENTRY, encode},
    },
    image::Image,
};

/// File type of a log's base block.
const NEW_LOG: u32 = 6;

/// Numbers this close to the end wrap around soon; the hive moves to a low one first.
const WRAP_MARGIN: u32 = 0x100;

/// Commits the image's transaction.
pub(crate) fn commit(
    image: &mut Image,
    storage: &mut dyn Storage,
    logs: &Logs,
    log: HiveFile,
) -> Result<CommitReport, CommitError> {
    let runs = image.touched_runs();
    let pages = runs.iter().map(|(_, bytes)| bytes.len() as u32 / PAGE).sum();
    let old_length = image.length_at_begin();
    let new_length = image.len();
    let mut base = BaseBlock { length: old_length, ..image.base().clone() };

    neutralise(storage, logs, log)?;
    let number = settle_number(storage, logs, &mut base)?;

    let entry = encode(FIRST_ENTRY, base.flags, number - 1, new_length, &runs);
    make_room(storage, new_length)?;

    let step = "writing the log entry";
    storage.write(log, FIRST_ENTRY, &entry).step(step, Outcome::Old)?;
    // A left-over entry right behind with the next number would be taken for a continuation.
    storage.write(log, FIRST_ENTRY + entry.len() as u64, &[0; SECTOR]).step(step, Outcome::Old)?;
    storage.sync(log).step(step, Outcome::Old)?;
    drop(entry);

    let step = "writing the log's base block";
    let log_base = numbered(&base, number - 1, number - 1);
    let log_base = BaseBlock { file_type: NEW_LOG, length: new_length, ..log_base };
    storage.write(log, 0, &log_base.encode()).step(step, Outcome::Old)?;
    storage.sync(log).step(step, Outcome::Old)?;

    let step = "marking the hive as dirty";
    write_base(storage, &numbered(&base, number, number - 1), step, Outcome::OldOrNew)?;

    let step = "writing the changed pages";
    for (at, bytes) in &runs {
        let at = u64::from(BINS_START) + u64::from(*at);
        storage.write(HiveFile::Primary, at, bytes).step(step, Outcome::New)?;
    }
    storage.sync(HiveFile::Primary).step(step, Outcome::New)?;

    let step = "marking the hive as clean";
    let clean = BaseBlock { length: new_length, ..numbered(&base, number + 1, number + 1) };
    write_base(storage, &clean, step, Outcome::New)?;

    verify(storage, &clean, &runs)?;
    *image.base_mut() = BaseBlock::decode(&clean.encode());
    Ok(CommitReport { protocol: Protocol::Logged, pages, sequence: number + 1 })
}

fn numbered(base: &BaseBlock, sequence1: u32, sequence2: u32) -> BaseBlock {
    BaseBlock { sequence1, sequence2, ..base.clone() }
}

fn write_base(
    storage: &mut dyn Storage,
    base: &BaseBlock,
    step: &'static str,
    outcome: Outcome,
) -> Result<(), CommitError> {
    storage.write(HiveFile::Primary, 0, &base.encode()).step(step, outcome)?;
    storage.sync(HiveFile::Primary).step(step, outcome)
}

/// Makes every log invalid while the hive is clean, so that no entry from before can ever meet the new state: zeros
/// over the first sector of the log that is written next, length 0 for the others.
pub(super) fn neutralise(storage: &mut dyn Storage, logs: &Logs, used: HiveFile) -> Result<(), CommitError> {
    const STEP: &str = "neutralising the old logs";
    for log in logs.iter() {
        if storage.len(log.file).step(STEP, Outcome::Old)?.unwrap_or(0) == 0 {
            continue;
        }
        if log.file == used {
            storage.write(log.file, 0, &[0; SECTOR]).step(STEP, Outcome::Old)?;
        } else {
            storage.set_len(log.file, 0).step(STEP, Outcome::Old)?;
        }
        storage.sync(log.file).step(STEP, Outcome::Old)?;
    }
    Ok(())
}

/// The clean number to start from: the hive's own, unless a log (of another tool) is ahead of it, it is too low to have
/// a predecessor, or it is about to wrap around. A new one is made durable with one sector while no log is valid.
pub(super) fn settle_number(storage: &mut dyn Storage, logs: &Logs, base: &mut BaseBlock) -> Result<u32, CommitError> {
    let now = base.sequence1;
    let wanted = match logs.highest_from(now) {
        Some(ahead) => ahead.wrapping_add(2),
        None => now.max(2),
    };
    let wanted = if wanted > u32::MAX - WRAP_MARGIN { WRAP_MARGIN } else { wanted.max(2) };
    if wanted != now {
        *base = numbered(base, wanted, wanted);
        write_base(storage, base, "moving the hive's sequence number", Outcome::Old)?;
    }
    Ok(wanted)
}

/// Extends the hive's file with zeros, not just to a length: a full disk has to show before the hive is marked as dirty.
/// The log needs no such care, its entry is written before.
fn make_room(storage: &mut dyn Storage, length: u32) -> Result<(), CommitError> {
    const STEP: &str = "making room in the hive";
    let wanted = u64::from(BINS_START) + u64::from(length);
    let there = storage.len(HiveFile::Primary).step(STEP, Outcome::Old)?.unwrap_or(0);
    if there < wanted {
        let zeros = vec![0; usize::try_from(wanted - there).unwrap_or(usize::MAX)];
        storage.write(HiveFile::Primary, there, &zeros).step(STEP, Outcome::Old)?;
        storage.sync(HiveFile::Primary).step(STEP, Outcome::Old)?;
    }
    Ok(())
}

/// Reads everything back.
fn verify(storage: &mut dyn Storage, base: &BaseBlock, runs: &[(u32, Vec<u8>)]) -> Result<(), CommitError> {
    const STEP: &str = "reading the changes back";
    let mut sector = [0; SECTOR];
    storage.read(HiveFile::Primary, 0, &mut sector).step(STEP, Outcome::New)?;
    let mut same = sector == base.encode();
    for (at, bytes) in runs {
        let mut found = vec![0; bytes.len()];
        let at = u64::from(BINS_START) + u64::from(*at);
        storage.read(HiveFile::Primary, at, &mut found).step(STEP, Outcome::New)?;
        same &= found == *bytes;
    }
    if same { Ok(()) } else { Err(std::io::Error::other("the disk returned other bytes")).step(STEP, Outcome::New) }
}
