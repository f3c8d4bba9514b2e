//! What can go wrong, in three families: the disk, the bytes, the caller.

use std::{error, fmt, io};

use crate::{
    FileOffset,
    check::Report,
    commit::{CommitError, Skipped},
    format::base_block::BaseBlock,
    security::SecurityError,
};

/// Short for a result with the crate's error.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Every error of the crate.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The disk failed.
    Io(io::Error),
    /// The bytes are not what the format demands.
    Format(FormatError),
    /// The caller asked for something that cannot be.
    Request(RequestError),
    /// The hive was not closed cleanly: what is on disk is not the last state.
    NeedsRecovery(DirtyState),
    /// A check found what Windows would refuse or repair by discarding something; nothing is built on that.
    Corrupt(Box<Report>),
    /// The disk failed during a commit; says what the hive is now.
    Commit(CommitError),
    /// A descriptor is malformed.
    Security(SecurityError),
    /// An earlier commit failed part-way, so what is in memory may not be what is on disk: open the hive again.
    Poisoned,
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(out),
            Self::Format(error) => error.fmt(out),
            Self::Request(error) => error.fmt(out),
            Self::NeedsRecovery(state) => state.fmt(out),
            Self::Corrupt(report) => match report.findings.iter().max_by_key(|finding| finding.severity) {
                Some(finding) => write!(out, "the hive is damaged: {finding}"),
                None => out.write_str("the hive is damaged"),
            },
            Self::Commit(error) => error.fmt(out),
            Self::Security(error) => write!(out, "security descriptor: {error}"),
            Self::Poisoned => out
                .write_str("an earlier commit failed part-way; open the hive again to see and recover what is on disk"),
        }
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            Self::Security(error) => Some(error),
            Self::Commit(error) => Some(error),
            _ => None,
        }
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<FormatError> for Error {
    fn from(error: FormatError) -> Self {
        Self::Format(error)
    }
}

impl From<RequestError> for Error {
    fn from(error: RequestError) -> Self {
        Self::Request(error)
    }
}

impl From<CommitError> for Error {
    fn from(error: CommitError) -> Self {
        Self::Commit(error)
    }
}

impl From<SecurityError> for Error {
    fn from(error: SecurityError) -> Self {
        Self::Security(error)
    }
}

/// Bytes that break the format: which structure, where, and how.
///
/// `key node at 0x0001f3a8: name needs 412 bytes, 96 are left`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FormatError {
    /// The structure that was being read.
    pub structure: Structure,
    /// Where it stands, counted from the start of its file.
    pub offset: FileOffset,
    /// What is wrong with it.
    pub defect: Defect,
}

impl FormatError {
    pub(crate) fn new(structure: Structure, offset: FileOffset, defect: Defect) -> Self {
        Self { structure, offset, defect }
    }
}

impl fmt::Display for FormatError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} at {}: {}", self.structure, self.offset, self.defect)
    }
}

impl error::Error for FormatError {}

/// The structures of the format, by the names of the field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Structure {
    /// The first 4096 bytes of a hive, or the first 512 of a log.
    BaseBlock,
    /// A hive bin and its header.
    Hbin,
    /// A cell: size field and payload.
    Cell,
    /// `nk`
    KeyNode,
    /// `vk`
    KeyValue,
    /// `sk`
    KeySecurity,
    /// `li`, `lf`, `lh` or `ri`
    SubkeysList,
    /// The array of value offsets of a key.
    ValuesList,
    /// A value's data outside its `vk`.
    ValueData,
    /// `db` and its segments
    BigData,
    /// The class name of a key.
    ClassName,
    /// A transaction log.
    TransactionLog,
    /// One entry of a transaction log.
    LogEntry,
    /// A journal of our own.
    Redo,
}

impl fmt::Display for Structure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::BaseBlock => "base block",
            Self::Hbin => "hive bin",
            Self::Cell => "cell",
            Self::KeyNode => "key node",
            Self::KeyValue => "key value",
            Self::KeySecurity => "key security",
            Self::SubkeysList => "subkeys list",
            Self::ValuesList => "values list",
            Self::ValueData => "value data",
            Self::BigData => "big data",
            Self::ClassName => "class name",
            Self::TransactionLog => "transaction log",
            Self::LogEntry => "log entry",
            Self::Redo => "journal",
        })
    }
}

/// What is wrong with a structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Defect {
    /// A part needs more bytes than are left.
    Truncated {
        /// The part.
        part: &'static str,
        /// Bytes it needs.
        needed: u64,
        /// Bytes that are left.
        available: u64,
    },
    /// The signature is another one.
    Signature {
        /// What it should be.
        expected: &'static str,
        /// What stands there.
        found: [u8; 4],
    },
    /// A field has a value that it must not have.
    Field {
        /// The field.
        field: &'static str,
        /// What it should be.
        expected: &'static str,
        /// What it is.
        found: u64,
    },
    /// The cell is free although something points at it.
    Free,
    /// An offset points outside the hive bins.
    OutOfBins {
        /// The offset, relative to the bins.
        offset: u32,
        /// The length of the bins.
        length: u32,
    },
    /// A checksum or hash does not match.
    Checksum {
        /// What the bytes give.
        expected: u64,
        /// What is stored.
        found: u64,
    },
    /// A walk came to the same place again.
    Cycle,
}

impl fmt::Display for Defect {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated { part, needed, available } => {
                write!(out, "{part} needs {needed} bytes, {available} are left")
            }
            Self::Signature { expected, found } => {
                write!(out, "signature is \"{}\", expected {expected}", found.escape_ascii())
            }
            Self::Field { field, expected, found } => write!(out, "{field} is {found:#x}, expected {expected}"),
            Self::Free => out.write_str("the cell is free although something points at it"),
            Self::OutOfBins { offset, length } => {
                write!(out, "offset {offset:#x} lies outside the hive bins of {length:#x} bytes")
            }
            Self::Checksum { expected, found } => write!(out, "checksum is {found:#x}, the bytes give {expected:#x}"),
            Self::Cycle => out.write_str("the walk came here before"),
        }
    }
}

/// A request that cannot be met; nothing was changed by it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RequestError {
    /// There is no such key or value.
    NotFound(String),
    /// A sibling has that name already.
    AlreadyExists(String),
    /// A key name must have 1 to 255 units and no backslash.
    BadKeyName(String),
    /// A value name has at most 16,383 units.
    BadValueName(String),
    /// The id's key was deleted, renamed or never was in this hive.
    StaleId,
    /// The key has subkeys and the request was not to delete a tree.
    HasSubkeys(String),
    /// The root of a hive, hive entries and keys marked "no delete" stay.
    Undeletable(String),
    /// Symbolic links have no subkeys.
    SymbolicLink(String),
    /// Differencing hives (minor version 6) and layered keys are read, never written.
    Layered,
    /// A predefined-handle key stores a handle where others store their values.
    PredefinedHandle(String),
    /// The data is larger than this hive version can hold (1 MiB in minor version 3).
    DataTooLarge {
        /// Bytes asked for.
        size: u64,
        /// Bytes possible.
        limit: u64,
    },
    /// The class name is longer than 65,534 bytes.
    ClassTooLong,
    /// Keys nest at most 510 deep below the root.
    TooDeep,
    /// A hive holds at most 2 GiB.
    HiveFull,
    /// The hive was opened for reading only, or has no storage to commit to.
    ReadOnly,
    /// An edit of this transaction failed half-way: roll it back.
    HalfDone,
    /// The commit protocol at hand cannot make this change safely; says why and what can.
    Uncommittable(String),
}

impl fmt::Display for RequestError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound(what) => write!(out, "not found: {what}"),
            Self::AlreadyExists(what) => write!(out, "already exists: {what}"),
            Self::BadKeyName(what) => {
                write!(out, "bad key name (1 to 255 UTF-16 units, no backslash): {what}")
            }
            Self::BadValueName(what) => write!(out, "bad value name (at most 16383 UTF-16 units): {what}"),
            Self::StaleId => out.write_str("the key of this id is no longer there"),
            Self::HasSubkeys(what) => write!(out, "key has subkeys: {what}"),
            Self::Undeletable(what) => write!(out, "key is marked as not deletable or is the root: {what}"),
            Self::SymbolicLink(what) => write!(out, "symbolic link keys have no subkeys: {what}"),
            Self::Layered => out.write_str("differencing hives and layered keys (format 1.6) can only be read"),
            Self::PredefinedHandle(what) => write!(out, "predefined-handle key has no values of its own: {what}"),
            Self::DataTooLarge { size, limit } => {
                write!(out, "value data of {size} bytes is larger than this hive version holds ({limit})")
            }
            Self::ClassTooLong => out.write_str("class name is longer than 32767 UTF-16 units"),
            Self::TooDeep => out.write_str("keys nest at most 510 deep below the root"),
            Self::HiveFull => out.write_str("a hive holds at most 2 GiB"),
            Self::ReadOnly => out.write_str("the hive was opened for reading only"),
            Self::HalfDone => out.write_str("an edit of this transaction failed half-way; roll it back"),
            Self::Uncommittable(why) => out.write_str(why),
        }
    }
}

impl error::Error for RequestError {}

/// Why a hive needs recovery before anybody should trust or edit what stands in its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirtyState {
    /// First sequence number of the base block: the write that was begun.
    pub sequence1: u32,
    /// Second sequence number: the write that was completed.
    pub sequence2: u32,
    /// Whether the base block's checksum is right.
    pub checksum_ok: bool,
    /// What the logs offer.
    pub logs: LogState,
    /// What was looked at, and why it was not applied.
    pub skipped: Vec<Skipped>,
}

impl DirtyState {
    pub(crate) fn new(base: &BaseBlock, logs: LogState) -> Self {
        let (sequence1, sequence2) = (base.sequence1, base.sequence2);
        Self { sequence1, sequence2, checksum_ok: base.checksum_ok(), logs, skipped: Vec::new() }
    }
}

/// What was found beside a dirty hive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogState {
    /// Logs that may belong to it.
    Replayable,
    /// The base block is damaged, and what was written back before does not tell which of two sound states is right;
    /// see [`ReplayOf`](crate::ReplayOf).
    Ambiguous,
    /// No log, or none that belongs to this state of the hive.
    Unusable,
}

impl fmt::Display for DirtyState {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "the hive was not closed cleanly (sequence numbers {}/{}", self.sequence1, self.sequence2)?;
        if !self.checksum_ok {
            out.write_str(", base block checksum wrong")?;
        }
        out.write_str(match self.logs {
            LogState::Replayable => "); its logs hold the last changes: replay them first",
            LogState::Ambiguous => {
                "); its newer log alone and both of its logs give two different hives, both of them sound: one must be \
                 chosen"
            }
            LogState::Unusable => {
                "); no log beside it belongs to this state, so changes that Windows had made may be missing"
            }
        })
    }
}
