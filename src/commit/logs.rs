//! What the logs beside a hive hold.

use std::io;

use super::{HiveFile, Storage, storage::read_all};
use crate::{
    FormatError,
    format::{
        base_block::{BaseBlock, FileType, SECTOR},
        log_entry::{self, FIRST_ENTRY, LogEntry},
    },
};

/// The logs of a hive, read whole.
pub(crate) struct Logs(Vec<Log>);

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
        Ok(Self(logs))
    }

    pub(crate) fn none() -> Self {
        Self(Vec::new())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Log> {
        self.0.iter()
    }

    /// The logs that the hive's system uses: the pair if one of it holds anything, else the single one.
    pub(crate) fn in_use(&self) -> Vec<&Log> {
        let pair: Vec<&Log> = self.0.iter().filter(|log| log.file != HiveFile::Log).collect();
        if pair.iter().any(|log| !log.bytes.is_empty()) {
            pair
        } else {
            self.0.iter().filter(|log| log.file == HiveFile::Log).collect()
        }
    }

    /// Bytes of all logs.
    pub(crate) fn bytes(&self) -> u64 {
        self.0.iter().map(|log| log.bytes.len() as u64).sum()
    }

    /// The base block that stands in for a damaged one: that of the newest log, one of the new format if there is one.
    pub(crate) fn newest_base(&self) -> Option<BaseBlock> {
        let bases = || self.in_use().into_iter().filter_map(Log::base);
        let new_format = bases().filter(|base| base.file_type() == FileType::NewLog);
        new_format.reduce(|a, b| if is_before(a.sequence1, b.sequence1) { b } else { a }).or_else(|| bases().next())
    }

    /// The log that a commit writes: one of the new format, the first of the pair or the single one. `None` where the
    /// hive's system never kept a log of that format, as far as the files tell.
    pub(crate) fn writable(&self) -> Option<HiveFile> {
        let in_use = self.in_use();
        if in_use.iter().any(|log| log.is_new_format()) { in_use.first().map(|log| log.file) } else { None }
    }

    /// Whether a log of the format before Windows 8.1 is there.
    pub(crate) fn has_old_format(&self) -> bool {
        self.0.iter().any(|log| log.base().is_some_and(|base| base.file_type() == FileType::OldLog))
    }

    /// The highest sequence number anywhere in the logs, left-overs behind the live entries included, by its distance
    /// ahead of `sequence`; `None` where none is ahead of or equal to it.
    pub(crate) fn highest_from(&self, sequence: u32) -> Option<u32> {
        self.0
            .iter()
            .flat_map(Log::numbers)
            .filter(|number| number.wrapping_sub(sequence) < 0x8000_0000)
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

    /// Whether the log is one of Windows 8.1 or later. Where a commit was interrupted the base block is gone, but the
    /// first entry still says so.
    fn is_new_format(&self) -> bool {
        match self.base() {
            Some(base) => base.file_type() == FileType::NewLog,
            None => self.bytes.get(FIRST_ENTRY as usize..).and_then(log_entry::header_sequence).is_some(),
        }
    }

    /// The entries of a log whose first has number `first`, up to the first that is broken or out of turn; the last
    /// item says why it ends there.
    pub(crate) fn entries(&self, first: u32) -> impl Iterator<Item = Result<LogEntry<'_>, Option<FormatError>>> {
        let mut at = FIRST_ENTRY;
        let mut expected = Some(first);
        std::iter::from_fn(move || {
            let number = expected?;
            let parsed = usize::try_from(at)
                .ok()
                .and_then(|from| self.bytes.get(from..))
                .map_or(Err(None), |bytes| LogEntry::parse(bytes, at).map_err(Some));
            let entry = match parsed {
                Ok(entry) if entry.sequence == number => entry,
                Ok(_) => {
                    // A left-over of an earlier round: valid, but not a continuation.
                    expected = None;
                    return Some(Err(None));
                }
                Err(error) => {
                    expected = None;
                    return Some(Err(error));
                }
            };
            at += u64::from(entry.size);
            expected = Some(number.wrapping_add(1));
            Some(Ok(entry))
        })
    }

    /// Every sequence number in the file: the base block's and those of all entries, live or not.
    fn numbers(&self) -> impl Iterator<Item = u32> + '_ {
        let entries = self.bytes.get(FIRST_ENTRY as usize..).unwrap_or_default().chunks(SECTOR);
        self.base().map(|base| base.sequence1).into_iter().chain(entries.filter_map(log_entry::header_sequence))
    }
}
