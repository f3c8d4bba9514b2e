//! Making changes durable: the files of a hive, replay of their logs, and the commit protocols.

mod error;
mod file_storage;
mod logged;
mod logs;
mod memory_storage;
mod recover;
mod stepwise;
mod storage;

pub use error::{CommitError, Outcome};
pub use file_storage::FileStorage;
pub use memory_storage::MemoryStorage;
pub use recover::{RecoveryReport, ReplayedEntry};
pub use storage::{HiveFile, Storage};

pub(crate) use logged::commit as commit_logged;
pub(crate) use logs::Logs;
pub(crate) use recover::{Replayed, replay};
pub(crate) use stepwise::commit as commit_stepwise;
pub(crate) use storage::first_sector;

/// What a commit wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CommitReport {
    /// How the changes were made durable.
    pub protocol: Protocol,
    /// 4096-byte pages of the hive bins that were changed.
    pub pages: u32,
    /// Sequence number of the clean hive.
    pub sequence: u32,
}

/// How changes are made durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Protocol {
    /// The hive lives in memory only.
    Memory,
    /// Through the transaction log beside the hive, as Windows 8.1 and later do: all changes at once.
    Logged,
    /// Without a log: one change after the other, the hive clean at every instant.
    Stepwise,
}
