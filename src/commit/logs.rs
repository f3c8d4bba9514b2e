//! What the logs beside a hive hold.

use std::io;

use super::{HiveFile, Storage, redo::Redo, storage::read_all};
use crate::{
    Defect, FormatError,
    format::{
        base_block::{BaseBlock, FileType, SECTOR},
        dirty_vector::{self, DIRTY_VECTOR},
        log_entry::{self, FIRST_ENTRY, LogEntry},
    },
};

/// The logs of a hive and a journal of our own, read whole.
#[derive(Default)]
pub(crate) struct Logs {
    logs: Vec<Log>,
    /// None where the storage has no place for one.
    redo: Option<Vec<u8>>,
}

/// What is known of the Windows that a hive belongs to, as far as it matters for its logs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum System {
    /// Nothing: what the logs beside the hive hold has to tell.
    #[default]
    Unknown,
    /// Windows 8.0 or earlier: logs hold one set of pages.
    BeforeWindows81,
    /// Windows 8.1, Server 2012 R2 or later: logs hold numbered entries.
    Windows81,
}

/// The two formats of logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// XP to 8.0.
    Old,
    /// Windows 8.1 and later.
    New,
}

/// One log file that exists.
pub(crate) struct Log {
    pub(crate) file: HiveFile,
    bytes: Vec<u8>,
}

impl Logs {
    pub(crate) fn read(storage: &mut dyn Storage) -> io::Result<Self> {
        let mut logs = Vec::new();
        for file in HiveFile::LOGS {
            if storage.len(file)?.is_some() {
                logs.push(Log { file, bytes: read_all(storage, file)? });
            }
        }
        let redo = match storage.len(HiveFile::Redo)? {
            Some(_) => Some(read_all(storage, HiveFile::Redo)?),
            None => None,
        };
        Ok(Self { logs, redo })
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Log> {
        self.logs.iter()
    }

    /// Whether there is nothing to recover a hive with.
    pub(crate) fn is_empty(&self) -> bool {
        self.logs.is_empty() && self.redo.as_ref().is_none_or(Vec::is_empty)
    }

    /// Whether there is a place for a journal of our own.
    pub(crate) fn has_place_for_redo(&self) -> bool {
        self.redo.is_some()
    }

    /// The journal of our own, if it holds anything.
    pub(crate) fn redo(&self) -> Option<Result<Redo, FormatError>> {
        self.redo.as_ref().filter(|bytes| !bytes.is_empty()).map(|bytes| Redo::parse(bytes))
    }

    /// Whether the journal holds the commit of another hive than the one with this base block: nothing else can finish
    /// it.
    pub(crate) fn redo_of_another(&self, base: &BaseBlock) -> bool {
        matches!(self.redo(), Some(Ok(redo)) if !redo.may_be_of(base))
    }

    /// The logs that the hive's system uses: the pair if one of it holds anything, else the single one if that does;
    /// else whichever there is.
    pub(crate) fn in_use(&self) -> Vec<&Log> {
        let (single, pair): (Vec<&Log>, Vec<&Log>) = self.logs.iter().partition(|log| log.file == HiveFile::Log);
        let holds = |logs: &[&Log]| logs.iter().any(|log| !log.bytes.is_empty());
        if holds(&pair) || (!holds(&single) && !pair.is_empty()) { pair } else { single }
    }

    /// Bytes of all logs.
    pub(crate) fn bytes(&self) -> u64 {
        self.logs.iter().map(|log| log.bytes.len() as u64).sum()
    }

    /// The base block that stands in for a damaged one: that of the newest log, one of the new format if there is one.
    pub(crate) fn newest_base(&self) -> Option<BaseBlock> {
        let bases = || self.in_use().into_iter().filter_map(Log::base);
        let new_format = bases().filter(|base| base.file_type() == FileType::NewLog);
        new_format
            .reduce(|a, b| if is_before(a.sequence1, b.sequence1) { b } else { a })
            .or_else(|| bases().max_by_key(|base| base.last_written))
    }

    /// The log that a commit writes, the first of the pair or the single one, and how. `None` where nothing tells which
    /// format the hive's system reads, or it has no log file (a new one would have another descriptor than Windows'
    /// own).
    pub(crate) fn writable(&self, system: System) -> Option<(HiveFile, LogFormat)> {
        let in_use = self.in_use();
        let has = |format| in_use.iter().any(|log| log.format() == Some(format));
        let format = match system {
            System::Windows81 => LogFormat::New,
            System::BeforeWindows81 => LogFormat::Old,
            // A system that was upgraded may have left a log of before.
            System::Unknown if has(LogFormat::New) => LogFormat::New,
            System::Unknown if has(LogFormat::Old) => LogFormat::Old,
            System::Unknown => return None,
        };
        in_use.first().map(|log| (log.file, format))
    }

    /// The highest sequence number anywhere in the logs, left-overs behind the live entries included, by its distance
    /// ahead of `sequence`; `None` where none is ahead of or equal to it. A log of the format before Windows 8.1 has the
    /// number of the clean hive, so only one that is ahead counts.
    pub(crate) fn highest_from(&self, sequence: u32) -> Option<u32> {
        self.logs
            .iter()
            .flat_map(Log::numbers)
            .filter(|(format, number)| {
                !is_before(*number, sequence) && (*format == LogFormat::New || *number != sequence)
            })
            .map(|(_, number)| number)
            .max_by_key(|number| number.wrapping_sub(sequence))
    }
}

/// Whether one sequence number comes before another; they may wrap around, so their difference is a signed one.
pub(super) fn is_before(number: u32, other: u32) -> bool {
    number.wrapping_sub(other) >= 1 << 31
}

impl Log {
    /// The base block, if it is that of a log and belongs to a complete write.
    pub(crate) fn base(&self) -> Option<BaseBlock> {
        let sector: &[u8; SECTOR] = self.bytes.first_chunk()?;
        let base = BaseBlock::decode(sector);
        let is_log = matches!(base.file_type(), FileType::NewLog | FileType::OldLog);
        (is_log && base.is_clean() && base.validate().is_ok()).then_some(base)
    }

    /// The whole file.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Which Windows writes it. Where a commit was interrupted the base block is gone, but what follows still says so.
    fn format(&self) -> Option<LogFormat> {
        /// Windows XP to 8.0; the 2 of Windows NT and 2000 is not written by anybody else.
        const XP: u32 = 1;
        match self.base() {
            Some(base) if base.file_type() == FileType::NewLog => Some(LogFormat::New),
            Some(base) => (base.file_type == XP).then_some(LogFormat::Old),
            None => {
                let body = self.bytes.get(FIRST_ENTRY as usize..)?;
                if self.bytes.get(DIRTY_VECTOR as usize..)?.starts_with(&dirty_vector::SIGNATURE) {
                    Some(LogFormat::Old)
                } else {
                    log_entry::header_sequence(body).map(|_| LogFormat::New)
                }
            }
        }
    }

    /// The entries of a log whose first has number `first`, each with its position, up to the first that is broken or
    /// out of turn; the last item says why it ends there.
    pub(crate) fn entries(&self, first: u32) -> impl Iterator<Item = (u64, Result<LogEntry<'_>, LogEnd>)> {
        let mut next = Some((FIRST_ENTRY, first));
        std::iter::from_fn(move || {
            let (at, expected) = next?;
            let entry = self.entry(at, expected);
            next = entry.as_ref().ok().map(|entry| (at + u64::from(entry.size), expected.wrapping_add(1)));
            Some((at, entry))
        })
    }

    fn entry(&self, at: u64, expected: u32) -> Result<LogEntry<'_>, LogEnd> {
        let bytes = usize::try_from(at).ok().and_then(|at| self.bytes.get(at..)).filter(|bytes| !bytes.is_empty());
        match LogEntry::parse(bytes.ok_or(LogEnd::End)?, at) {
            Ok(entry) if entry.sequence == expected => Ok(entry),
            // Valid, but no continuation.
            Ok(LogEntry { sequence, .. }) => Err(LogEnd::LeftOver { sequence, expected }),
            Err(FormatError { defect: Defect::Signature { .. }, .. }) => Err(LogEnd::End),
            Err(error) => Err(LogEnd::Broken(error)),
        }
    }

    /// Every sequence number in the file: the base block's and those of all entries, live or not.
    fn numbers(&self) -> impl Iterator<Item = (LogFormat, u32)> + '_ {
        let entries = self.bytes.get(FIRST_ENTRY as usize..).unwrap_or_default().chunks(SECTOR);
        let base = self.base().map(|base| match base.file_type() {
            FileType::NewLog => (LogFormat::New, base.sequence1),
            _ => (LogFormat::Old, base.sequence1),
        });
        let entries = entries.filter_map(log_entry::header_sequence).map(|number| (LogFormat::New, number));
        base.into_iter().chain(entries)
    }
}

/// Why a log's entries end.
pub(crate) enum LogEnd {
    /// No entry follows.
    End,
    /// What follows is an entry of an earlier round.
    LeftOver {
        sequence: u32,
        expected: u32,
    },
    Broken(FormatError),
}
