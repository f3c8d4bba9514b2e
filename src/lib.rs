//! Read, edit and commit Windows registry hives without Windows.

#[cfg(feature = "volume")]
pub mod command;
pub mod edit;
mod error;
pub mod format;
pub mod name;
mod offset;
pub mod reg_text;
pub mod security;
mod time;
#[cfg(feature = "volume")]
pub mod volume;

pub use error::{Defect, DirtyState, Error, FormatError, LogState, RequestError, Result, Structure};
pub use format::ValueType;
pub use offset::{BINS_START, CellOffset, FileOffset, KeyId};
pub use time::FileTime;
