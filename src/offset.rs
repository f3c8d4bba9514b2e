//! Positions in a hive as types, so that the two zero points are never mixed up.

use std::fmt;

/// Where the hive bins begin in the file: behind the base block.
pub const BINS_START: u32 = 0x1000;

/// A cell's position, relative to the start of the hive bins: what key nodes, lists and values store.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CellOffset(pub u32);

impl CellOffset {
    /// "No cell": what Windows stores where there is nothing to point at.
    pub const NIL: Self = Self(u32::MAX);

    /// Whether this is [`NIL`](Self::NIL).
    #[must_use]
    pub fn is_nil(self) -> bool {
        self == Self::NIL
    }

    /// The same position counted from the start of the file.
    #[must_use]
    pub fn file_offset(self) -> FileOffset {
        FileOffset(u64::from(self.0) + u64::from(BINS_START))
    }
}

impl fmt::Debug for CellOffset {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_nil() { out.write_str("NIL") } else { write!(out, "{:#x}", self.0) }
    }
}

/// A position counted from the start of a file (hive or log).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileOffset(pub u64);

impl fmt::Display for FileOffset {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:#010x}", self.0)
    }
}

impl fmt::Debug for FileOffset {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{self}")
    }
}

/// Remembers a key across edits: the position of its key node.
///
/// An id stays good while its key lives and is not renamed; afterwards it is refused as stale
/// ([`RequestError::StaleId`](crate::RequestError::StaleId)) until the transaction ends, never mistaken for another
/// cell. Space is used again behind a commit or a rollback, so ids of keys that went with those are to be dropped, and
/// where a hive has no log keys may have moved: take ids anew then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub(crate) CellOffset);

impl KeyId {
    /// Where the key node stands.
    #[must_use]
    pub fn offset(self) -> CellOffset {
        self.0
    }
}
