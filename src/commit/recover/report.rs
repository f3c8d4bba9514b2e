//! [`RecoveryReport`]: what a replay took from the logs, what it left, and why.

use std::fmt;

use crate::{FileOffset, FormatError, HiveFile};

/// What a replay did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecoveryReport {
    /// What was applied, in order.
    pub applied: Vec<ReplayedEntry>,
    /// What was not, and why.
    pub skipped: Vec<Skipped>,
    /// The sequence number of the clean hive.
    pub sequence: u32,
    /// Why this is more than Windows would do, where it is: what was replayed, or accepted as it is, passed the check
    /// of the whole hive.
    pub beyond_windows: Option<&'static str>,
}

/// One applied entry of a log. A log of the format before Windows 8.1 is a single one.
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

/// A log, or the rest of one from an entry on, that was not applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Skipped {
    /// The log.
    pub log: HiveFile,
    /// Where in the log the entry stands; none for the whole log.
    pub at: Option<FileOffset>,
    /// Why.
    pub why: SkipReason,
}

/// Why a log or an entry was not applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SkipReason {
    /// The log's base block is none of a complete log.
    NoBaseBlock,
    /// It has the format before Windows 8.1, and there are logs of the later one.
    OlderFormat,
    /// It begins before what the hive already has.
    Stale {
        /// Number of its first entry.
        begins: u32,
        /// The hive's second sequence number.
        hive: u32,
    },
    /// It does not continue what was applied before it.
    Gap {
        /// Number of its first entry.
        begins: u32,
        /// The number that would continue.
        expected: u32,
    },
    /// Its time stamp is not the hive's: it belongs to another state, or to another hive.
    TimeStamp,
    /// The hive's base block is damaged, and Windows takes the newer log alone then.
    OlderLog,
    /// Another log of the same state is newer.
    Superseded,
    /// The entry is broken; nothing behind it can be applied.
    Broken(FormatError),
    /// The entry is a left-over of an earlier round.
    LeftOver {
        /// Its number.
        sequence: u32,
        /// The number that would continue.
        expected: u32,
    },
    /// The entry speaks of more bins than hive and logs hold together.
    TooLong,
    /// What it gives is no hive that passes the check.
    Unsound,
    /// The journal is not of this hive, or its commit had not begun.
    OtherHive,
}

impl fmt::Display for Skipped {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at {
            Some(at) => write!(out, "{} from {at} on: {}", self.log, self.why),
            None => write!(out, "{}: {}", self.log, self.why),
        }
    }
}

impl fmt::Display for SkipReason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoBaseBlock => out.write_str("has no valid base block"),
            Self::OlderFormat => {
                out.write_str("has the format before Windows 8.1, and there are logs of the later one")
            }
            Self::Stale { begins, hive } => write!(out, "begins at {begins}, before the hive's own {hive}"),
            Self::Gap { begins, expected } => {
                write!(out, "begins at {begins}, which does not continue the other log ({expected} would)")
            }
            Self::TimeStamp => out.write_str("has another time stamp than the hive"),
            Self::OlderLog => out.write_str("is the older one, and the base block is damaged"),
            Self::Superseded => out.write_str("is the older one of two that belong to the hive"),
            Self::Broken(error) => write!(out, "{error}"),
            Self::LeftOver { sequence, expected } => {
                write!(out, "left over from earlier (entry {sequence}, where {expected} would follow)")
            }
            Self::TooLong => out.write_str("speaks of more bins than hive and logs hold together"),
            Self::Unsound => out.write_str("gives a hive that is damaged"),
            Self::OtherHive => out.write_str("does not belong to this state of the hive"),
        }
    }
}
