//! Read, edit and commit Windows registry hives without Windows.

#![cfg_attr(not(feature = "mmap"), forbid(unsafe_code))]

mod bytes;
pub mod check;
#[cfg(feature = "volume")]
pub mod command;
pub mod commit;
pub mod edit;
mod error;
mod format;
mod hive;
mod image;
pub mod name;
mod offset;
#[cfg(feature = "volume")]
pub mod plan;
pub mod reg_text;
pub mod security;
mod time;
mod tree;
#[cfg(feature = "volume")]
pub mod volume;

pub use commit::{
    CommitError, CommitReport, FileStorage, HiveFile, MemoryStorage, Outcome, Protocol, RecoveryReport, Storage,
};
pub use edit::Change;
pub use error::{Defect, DirtyState, Error, FormatError, LogState, RequestError, Result, Structure};
pub use format::{KeyFlags, UnknownValueType, ValueType};
pub use hive::{Hive, NewHive, OpenOptions, Recover, Savepoint, Transaction, Version};
pub use offset::{BINS_START, CellOffset, FileOffset, KeyId};
pub use time::FileTime;
pub use tree::{Data, HiveView, Key, SecurityView, Subkeys, Value, Values, Walk, Walked};
