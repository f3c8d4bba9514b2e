//! Making changes durable: the files of a hive, replay of their logs, and the commit protocols.

mod error;
mod file_storage;
mod logged;
mod logs;
mod memory_storage;
mod recover;
mod redo;
mod stepwise;
mod storage;
#[cfg(feature = "volume")]
mod switch;

pub use error::{CommitError, Outcome};
#[cfg(all(unix, feature = "volume"))]
pub(crate) use file_storage::DO_NOT_WAIT;
pub use file_storage::FileStorage;
#[cfg(feature = "volume")]
pub(crate) use file_storage::{folder_for_file, linked_log};
pub use logs::System;
pub use memory_storage::MemoryStorage;
pub use recover::{RecoveryReport, ReplayOf, ReplayedEntry, SkipReason, Skipped};
pub use storage::{HiveFile, Storage};

pub(crate) use logged::{Journal, commit as commit_logged, put_to_rest};
pub(crate) use logs::Logs;
pub(crate) use recover::{Replayed, accept, finish, replay};
pub(crate) use stepwise::commit as commit_stepwise;
pub(crate) use storage::{first_sector, read_all};
#[cfg(feature = "volume")]
pub(crate) use switch::{holds_the_same, switch};

/// Whether the first sector of a file is the base block of a hive that was closed cleanly.
#[cfg(feature = "volume")]
pub(crate) fn is_clean_base(sector: &[u8; crate::format::base_block::SECTOR]) -> bool {
    crate::tree::parse_base_block(sector).is_ok_and(|base| base.is_clean())
}

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
    /// Through the transaction log beside the hive, as Windows XP to 8.0 do: all changes at once.
    OldLog,
    /// Without a log: one change after the other, the hive clean at every instant.
    Stepwise,
    /// Through a journal of our own on other storage, all changes at once: what neither a log nor single steps can
    /// carry. If power fails, the hive must not be booted before hivesmith has opened it again with that journal.
    Redo,
}

/// Makes the name of a new file, or the removal of one, durable.
#[cfg(unix)]
pub(crate) fn sync_folder_of(file: &std::path::Path) -> std::io::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    std::fs::File::open(folder.unwrap_or(std::path::Path::new(".")))?.sync_all()
}

/// Windows keeps names in its own journal.
#[cfg(not(unix))]
pub(crate) fn sync_folder_of(_: &std::path::Path) -> std::io::Result<()> {
    Ok(())
}
