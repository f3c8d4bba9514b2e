//! [`CommitError`]: a commit that the disk interrupted, and what the hive is now.

use std::{error, fmt, io};

/// The disk failed during a commit.
#[derive(Debug)]
pub struct CommitError {
    /// What was being done.
    pub step: &'static str,
    /// What whoever opens the hive next will find.
    pub outcome: Outcome,
    /// What the disk said.
    pub source: io::Error,
}

/// What a failed commit left on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The hive as it was.
    Old,
    /// The hive as it was or with the changes, whole either way.
    OldOrNew,
    /// The hive with the changes; its log (or journal) completes what is missing.
    New,
    /// A clean hive with at least the first so many of the changes.
    Prefix(usize),
}

impl fmt::Display for CommitError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} failed: {}; ", self.step, self.source)?;
        match self.outcome {
            Outcome::Old => out.write_str("the hive is as it was"),
            Outcome::OldOrNew => {
                out.write_str("the hive is either as it was or fully changed, open it again to see which")
            }
            Outcome::New => {
                out.write_str("the hive has all of the changes, or will have when it is opened again with its log")
            }
            Outcome::Prefix(changes) => {
                write!(out, "the hive is clean and has at least the first {changes} of the changes")
            }
        }
    }
}

impl error::Error for CommitError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        Some(&self.source)
    }
}

/// Names the step and the outcome of a failed call.
pub(super) trait Step<T> {
    fn step(self, step: &'static str, outcome: Outcome) -> Result<T, CommitError>;
}

impl<T> Step<T> for io::Result<T> {
    fn step(self, step: &'static str, outcome: Outcome) -> Result<T, CommitError> {
        self.map_err(|source| CommitError { step, outcome, source })
    }
}
