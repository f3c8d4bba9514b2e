//! Committing through a log: all changes or none.
//!
//! The hive is clean at *N* before. What a loader makes of the disk if power fails:
//!
//! | step | write, then make durable | then |
//! |---|---|---|
//! | 1 | logs neutralised | old: Windows never looks at the logs of a clean hive |
//! | 2 | room in the hive | old |
//! | 3 | every changed page, in the log | old |
//! | 4 | the log's base block | old |
//! | 5 | (log of before 8.1) the new time stamp in the first bin's header | old |
//! | 6 | **the hive's base block, numbers unequal** | new: dirty, and the log belongs to it |
//! | 7 | the changed pages | new: a replay overwrites any mixture |
//! | 8 | the hive's base block, numbers equal and above all others | new, clean; the log is below it for ever |
//!
//! Every write of a base block is one sector. Where it is torn (steps 6 and 8) its checksum is wrong, and the loader
//! takes the log's base block and pages, which hold the new state. What the logs look like, [`Journal`] says.

use super::{
    CommitReport, HiveFile, Outcome, Protocol, Storage,
    error::Step,
    logs::{LogFormat, Logs},
    recover::{first_bin_stamp, in_file},
    redo::{self, Redo},
};
use crate::{
    CommitError, FileTime,
    format::{
        base_block::{BaseBlock, SECTOR},
        dirty_vector::{self, DIRTY_VECTOR},
        hbin::PAGE,
        log_entry::{self, FIRST_ENTRY},
    },
    image::Image,
};

/// Numbers this close to the end wrap around soon; the hive moves to a low one first.
const WRAP_MARGIN: u32 = 0x100;

/// Where the changes of a commit are before they reach the hive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Journal {
    /// A log of Windows 8.1 or later, with one entry numbered *N* - 1; the hive goes from *N* over *N* / *N* - 1 to
    /// *N* + 1.
    ///
    /// Why not *N*, as Windows numbers: if power fails before step 6, the log stays behind a clean hive *N*. The next
    /// dirty state Windows makes has a second number of at least *N*, so this log can never be taken for its log. The
    /// state of step 6 is byte for byte what Windows leaves after its first flush behind clean number *N* - 1.
    New(HiveFile),
    /// A log of Windows XP to 8.0, numbered *N* + 1; the hive goes from *N* over *N* + 1 / *N* to *N* + 2.
    ///
    /// Such a log belongs to the hive with the same time stamp; so every commit has a new one. Where the base block is
    /// damaged, the first bin's counts, which therefore gets it before.
    Old(HiveFile),
    /// A journal of our own on other storage. Windows knows nothing of it: from step 6 to 8 the hive must not be
    /// booted.
    Redo,
}

impl Journal {
    pub(crate) fn of((file, format): (HiveFile, LogFormat)) -> Self {
        match format {
            LogFormat::New => Self::New(file),
            LogFormat::Old => Self::Old(file),
        }
    }

    pub(crate) fn protocol(self) -> Protocol {
        match self {
            Self::New(_) => Protocol::Logged,
            Self::Old(_) => Protocol::OldLog,
            Self::Redo => Protocol::Redo,
        }
    }

    fn file(self) -> HiveFile {
        match self {
            Self::New(log) | Self::Old(log) => log,
            Self::Redo => HiveFile::Redo,
        }
    }
}

/// What a commit writes.
struct Writes {
    /// Changed pages: offset in the bins, and bytes.
    runs: Vec<(u32, Vec<u8>)>,
    /// Position in the journal, and bytes.
    body: (u64, Vec<u8>),
    /// The journal's own base block.
    log_base: Option<BaseBlock>,
    /// The first sector of the bins as it was, with the new time stamp.
    stamped: Option<Vec<u8>>,
    armed: BaseBlock,
    clean: BaseBlock,
}

/// Commits the image's transaction. `now` is the time stamp of a hive that has one with each write.
pub(crate) fn commit(
    image: &mut Image,
    storage: &mut dyn Storage,
    logs: &Logs,
    journal: Journal,
    now: FileTime,
) -> Result<CommitReport, CommitError> {
    let mut base = image.base_at_begin();
    neutralise(storage, logs, journal.file())?;
    let number = settle_number(storage, logs, &mut base)?;
    make_room(storage, image.len())?;
    // Where compacting moved the root, loaders take it from the base block that says "dirty" on.
    base.root = image.base().root;
    let writes = prepare(image, &base, number, journal, now)?;
    write(storage, journal.file(), &writes)?;

    let pages = writes.runs.iter().map(|(_, bytes)| bytes.len() as u32 / PAGE).sum();
    *image.base_mut() = BaseBlock::decode(&writes.clean.encode());
    Ok(CommitReport { protocol: journal.protocol(), pages, sequence: writes.clean.sequence1 })
}

fn prepare(
    image: &mut Image,
    base: &BaseBlock,
    number: u32,
    journal: Journal,
    now: FileTime,
) -> Result<Writes, CommitError> {
    let length = image.len();
    match journal {
        Journal::New(_) => {
            let runs = image.touched_runs();
            let first = number - 1;
            let log_base = BaseBlock { file_type: 6, length, ..numbered(base, first, first) };
            Ok(Writes {
                body: (FIRST_ENTRY, entry(base.flags, first, length, &runs)),
                log_base: Some(log_base),
                stamped: None,
                armed: numbered(base, number, first),
                clean: BaseBlock { length, ..numbered(base, number + 1, number + 1) },
                runs,
            })
        }
        Journal::Old(_) => {
            let stamp = later(image, base, now);
            let stamped = stamp_first_bin(image, stamp).step("taking a new time stamp", Outcome::Old)?;
            let base = BaseBlock { last_written: stamp.0, ..base.clone() };
            let runs = image.touched_runs();
            let log_base = BaseBlock { file_type: 1, length, ..numbered(&base, number + 1, number + 1) };
            Ok(Writes {
                body: (DIRTY_VECTOR, dirty_vector::encode(length, &runs)),
                log_base: Some(log_base),
                stamped: Some(stamped),
                armed: numbered(&base, number + 1, number),
                clean: BaseBlock { length, ..numbered(&base, number + 2, number + 2) },
                runs,
            })
        }
        Journal::Redo => {
            let runs = image.touched_runs();
            let armed = numbered(base, number + 1, number);
            let clean = BaseBlock { length, ..numbered(base, number + 1, number + 1) };
            let before = redo::hashes_before(image, &runs);
            let body = (0, Redo::encode(&armed, &clean, &runs, before.into_iter()));
            Ok(Writes { runs, body, log_base: None, stamped: None, armed, clean })
        }
    }
}

fn write(storage: &mut dyn Storage, journal: HiveFile, writes: &Writes) -> Result<(), CommitError> {
    let step = "writing the changes to the log";
    let (at, body) = &writes.body;
    if journal == HiveFile::Redo {
        // It is read whole.
        storage.set_len(journal, 0).step(step, Outcome::Old)?;
    }
    storage.write(journal, *at, body).step(step, Outcome::Old)?;
    storage.sync(journal).step(step, Outcome::Old)?;

    if let Some(log_base) = &writes.log_base {
        let step = "writing the log's base block";
        storage.write(journal, 0, &log_base.encode()).step(step, Outcome::Old)?;
        storage.sync(journal).step(step, Outcome::Old)?;
    }
    if let Some(sector) = &writes.stamped {
        let step = "writing the new time stamp";
        storage.write(HiveFile::Primary, in_file(0), sector).step(step, Outcome::Old)?;
        storage.sync(HiveFile::Primary).step(step, Outcome::Old)?;
    }

    write_base(storage, &writes.armed, "marking the hive as dirty", Outcome::OldOrNew)?;

    let step = "writing the changed pages";
    for (at, bytes) in &writes.runs {
        storage.write(HiveFile::Primary, in_file(*at), bytes).step(step, Outcome::New)?;
    }
    storage.sync(HiveFile::Primary).step(step, Outcome::New)?;

    write_base(storage, &writes.clean, "marking the hive as clean", Outcome::New)?;
    verify(storage, &writes.clean, &writes.runs)?;

    if journal == HiveFile::Redo { clear_redo(storage) } else { Ok(()) }
}

fn clear_redo(storage: &mut dyn Storage) -> Result<(), CommitError> {
    const STEP: &str = "clearing the journal";
    storage.set_len(HiveFile::Redo, 0).step(STEP, Outcome::New)?;
    storage.sync(HiveFile::Redo).step(STEP, Outcome::New)
}

/// After a replay was written back: no log may be ahead of the clean hive, and no journal is needed any more.
pub(crate) fn put_to_rest(base: &mut BaseBlock, storage: &mut dyn Storage, logs: &Logs) -> Result<(), CommitError> {
    let rest = |storage: &mut dyn Storage, base: &mut BaseBlock| {
        if logs.highest_from(base.sequence1).is_some() {
            neutralise(storage, logs, HiveFile::Primary)?;
            settle_number(storage, logs, base)?;
        }
        let of_another = logs.redo_of_another(base);
        if logs.redo().is_some() && !of_another { clear_redo(storage) } else { Ok(()) }
    };
    // The hive itself is complete already.
    rest(storage, base).map_err(|error| CommitError { outcome: Outcome::New, ..error })
}

/// An entry, and zeros behind it: a left-over with the next number would be taken for its continuation.
fn entry(flags: u32, number: u32, length: u32, runs: &[(u32, Vec<u8>)]) -> Vec<u8> {
    let mut entry = log_entry::encode(FIRST_ENTRY, flags, number, length, runs);
    entry.resize(entry.len() + SECTOR, 0);
    entry
}

/// A time stamp that neither the base block nor the first bin had before.
fn later(image: &Image, base: &BaseBlock, now: FileTime) -> FileTime {
    let before = base.last_written.max(first_bin_stamp(image).unwrap_or(0));
    FileTime(now.0.max(before.saturating_add(1)))
}

/// Puts the stamp into the image's first bin; returns the first sector of the bins as it was, but for the stamp.
fn stamp_first_bin(image: &mut Image, stamp: FileTime) -> std::io::Result<Vec<u8>> {
    const STAMP: std::ops::Range<usize> = 0x14..0x1c;
    image.stamp_first_bin(stamp).map_err(std::io::Error::other)?;
    let mut sector = image.page_at_begin(0).and_then(|page| page.get(..SECTOR)).unwrap_or_default().to_vec();
    let field = sector.get_mut(STAMP).ok_or(std::io::ErrorKind::UnexpectedEof)?;
    field.copy_from_slice(&stamp.0.to_le_bytes());
    Ok(sector)
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
    let wanted = in_file(length);
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

        storage.read(HiveFile::Primary, in_file(*at), &mut found).step(STEP, Outcome::New)?;
        same &= found == *bytes;
    }
    if same { Ok(()) } else { Err(std::io::Error::other("the disk returned other bytes")).step(STEP, Outcome::New) }
}
