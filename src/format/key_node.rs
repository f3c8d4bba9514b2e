//! The key node, `nk`.
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0x00 | 2 | `nk` |
//! | 0x02 | 2 | flags |
//! | 0x04 | 8 | last written |
//! | 0x0C | 1 | access bits (Windows 8 and later) |
//! | 0x0D | 1 | layer semantics (Windows 10 1607 and later): low two bits |
//! | 0x10 | 4 | parent |
//! | 0x14 | 8 | number of subkeys, stable and volatile |
//! | 0x1C | 8 | subkeys lists, stable and volatile; on disk the volatile pair means nothing |
//! | 0x24 | 4 | number of values |
//! | 0x28 | 4 | values list |
//! | 0x2C | 4 | key security |
//! | 0x30 | 4 | class name |
//! | 0x34 | 2 | largest subkey name, in bytes as UTF-16 |
//! | 0x36 | 1 | user flags (low nibble), virtualization control flags (high nibble) |
//! | 0x38 | 4 | largest subkey class name, in bytes |
//! | 0x3C | 4 | largest value name, in bytes as UTF-16 |
//! | 0x40 | 4 | largest value data, in bytes |
//! | 0x48 | 2 | name length in bytes as stored |
//! | 0x4A | 2 | class name length in bytes |
//! | 0x4C | | name |

use bitflags::bitflags;

use super::cell::Cell;
use crate::{CellOffset, Defect, FileTime, FormatError, Structure, bytes::Fixed, name::Name};

/// Bytes before the name.
pub(crate) const KEY_NODE_FIXED: usize = 0x4c;

/// The largest payload of a key node that Windows' loader accepts.
pub(crate) const MAX_KEY_NODE: u32 = 0x45c;

/// Where the fields stand in the payload, for those who change them.
pub(crate) mod field {
    pub(crate) const FLAGS: u32 = 0x02;
    pub(crate) const LAST_WRITTEN: u32 = 0x04;
    pub(crate) const PARENT: u32 = 0x10;
    pub(crate) const SUBKEY_COUNT: u32 = 0x14;
    pub(crate) const SUBKEYS_LIST: u32 = 0x1c;
    pub(crate) const VALUE_COUNT: u32 = 0x24;
    pub(crate) const VALUES_LIST: u32 = 0x28;
    pub(crate) const SECURITY: u32 = 0x2c;
    pub(crate) const CLASS: u32 = 0x30;
    pub(crate) const LARGEST_SUBKEY_NAME: u32 = 0x34;
    pub(crate) const USER_FLAGS: u32 = 0x36;
    pub(crate) const LARGEST_SUBKEY_CLASS: u32 = 0x38;
    pub(crate) const LARGEST_VALUE_NAME: u32 = 0x3c;
    pub(crate) const LARGEST_VALUE_DATA: u32 = 0x40;
    pub(crate) const NAME_LENGTH: u32 = 0x48;
    pub(crate) const CLASS_LENGTH: u32 = 0x4a;
}

bitflags! {
    /// The flags of a key. Bits without a name are kept.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct KeyFlags: u16 {
        /// Lives in memory only; not expected on disk.
        const VOLATILE = 0x0001;
        /// Mount point of another hive; not expected on disk.
        const HIVE_EXIT = 0x0002;
        /// The root of a hive.
        const HIVE_ENTRY = 0x0004;
        /// Must not be deleted.
        const NO_DELETE = 0x0008;
        /// A symbolic link: the value `SymbolicLinkValue` names the target.
        const SYMBOLIC_LINK = 0x0010;
        /// The name is stored as Latin-1. Follows from the name and cannot be set.
        const COMPRESSED_NAME = 0x0020;
        /// Stands for another key; the number of values holds its handle.
        const PREDEFINED_HANDLE = 0x0040;
        /// The origin of a virtualized key.
        const VIRTUAL_SOURCE = 0x0080;
        /// The copy of a virtualized key.
        const VIRTUAL_TARGET = 0x0100;
        /// The store of virtualized keys.
        const VIRTUAL_STORE = 0x0200;
        const _ = !0;
    }
}

bitflags! {
    /// How programs without rights to a key are deceived about it (UAC's registry virtualization, Windows Vista and
    /// later); a nibble of the key node, with the values of `REG_KEY_…` in winnt.h.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct Virtualization: u8 {
        /// A write that is not allowed fails, and does not go to the user's own store instead.
        const DONT_VIRTUALIZE = 0x2;
        /// Opening with more rights than there are fails, and is not tried again with those there are.
        const DONT_SILENT_FAIL = 0x4;
        /// New subkeys take these flags over.
        const RECURSE = 0x8;
        const _ = 0xf;
    }
}

/// A key node whose fixed part is there.
#[derive(Clone, Copy)]
pub(crate) struct KeyNode<'a> {
    pub(crate) cell: Cell<'a>,
    fixed: Fixed<'a, KEY_NODE_FIXED>,
    tail: &'a [u8],
}

impl<'a> KeyNode<'a> {
    pub(crate) fn parse(cell: Cell<'a>) -> Result<Self, FormatError> {
        let (fixed, tail) = Fixed::split(cell.payload)
            .ok_or_else(|| cell.too_short(Structure::KeyNode, "fixed part", KEY_NODE_FIXED as u64))?;
        let node = Self { cell, fixed, tail };
        if node.fixed.u16::<0>() != u16::from_le_bytes(*b"nk") {
            return Err(cell.wrong_signature(Structure::KeyNode, "\"nk\""));
        }
        Ok(node)
    }

    pub(crate) fn offset(self) -> CellOffset {
        self.cell.offset
    }

    pub(crate) fn flags(self) -> KeyFlags {
        KeyFlags::from_bits_retain(self.fixed.u16::<0x02>())
    }

    pub(crate) fn last_written(self) -> FileTime {
        FileTime(self.fixed.u64::<0x04>())
    }

    /// Layer semantics of differencing hives: 0 in an ordinary key.
    pub(crate) fn layer(self) -> u8 {
        self.fixed.u8::<0x0d>() & 0x03
    }

    pub(crate) fn parent(self) -> CellOffset {
        CellOffset(self.fixed.u32::<0x10>())
    }

    pub(crate) fn subkey_count(self) -> u32 {
        self.fixed.u32::<0x14>()
    }

    pub(crate) fn subkeys_list(self) -> CellOffset {
        CellOffset(self.fixed.u32::<0x1c>())
    }

    /// As stored; [`value_count`](Self::value_count) is what callers want.
    fn raw_value_count(self) -> u32 {
        self.fixed.u32::<0x24>()
    }

    /// Number of values; a predefined-handle key has none, its field holds the handle.
    pub(crate) fn value_count(self) -> u32 {
        if self.flags().contains(KeyFlags::PREDEFINED_HANDLE) { 0 } else { self.raw_value_count() }
    }

    pub(crate) fn values_list(self) -> CellOffset {
        CellOffset(self.fixed.u32::<0x28>())
    }

    pub(crate) fn security(self) -> CellOffset {
        CellOffset(self.fixed.u32::<0x2c>())
    }

    pub(crate) fn class(self) -> CellOffset {
        CellOffset(self.fixed.u32::<0x30>())
    }

    pub(crate) fn largest_subkey_name(self) -> u16 {
        self.fixed.u16::<0x34>()
    }

    /// User flags and virtualization control flags.
    pub(crate) fn user_flags(self) -> u8 {
        self.fixed.u8::<0x36>()
    }

    pub(crate) fn virtualization(self) -> Virtualization {
        Virtualization::from_bits_retain(self.user_flags() >> 4)
    }

    pub(crate) fn largest_subkey_class(self) -> u32 {
        self.fixed.u32::<0x38>()
    }

    pub(crate) fn largest_value_name(self) -> u32 {
        self.fixed.u32::<0x3c>()
    }

    pub(crate) fn largest_value_data(self) -> u32 {
        self.fixed.u32::<0x40>()
    }

    pub(crate) fn name_length(self) -> u16 {
        self.fixed.u16::<0x48>()
    }

    pub(crate) fn class_length(self) -> u16 {
        self.fixed.u16::<0x4a>()
    }

    pub(crate) fn name(self) -> Result<Name<'a>, FormatError> {
        let length = usize::from(self.name_length());
        let bytes = self.tail.get(..length).ok_or_else(|| {
            self.cell.error(
                Structure::KeyNode,
                Defect::Truncated { part: "name", needed: length as u64, available: self.tail.len() as u64 },
            )
        })?;
        Ok(Name::new(bytes, self.flags().contains(KeyFlags::COMPRESSED_NAME)))
    }
}

/// The fields of a new key node; all others begin as 0 or "none".
pub(crate) struct NewKeyNode<'a> {
    pub(crate) flags: KeyFlags,
    pub(crate) last_written: FileTime,
    pub(crate) parent: CellOffset,
    pub(crate) security: CellOffset,
    pub(crate) user_flags: u8,
    /// Encoded; `flags` says how.
    pub(crate) name: &'a [u8],
}

impl NewKeyNode<'_> {
    /// The payload.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = vec![0; KEY_NODE_FIXED];
        let mut put = |at: u32, bytes: &[u8]| {
            for (to, from) in out.iter_mut().skip(at as usize).zip(bytes) {
                *to = *from;
            }
        };
        put(0, b"nk");
        put(field::FLAGS, &self.flags.bits().to_le_bytes());
        put(field::LAST_WRITTEN, &self.last_written.0.to_le_bytes());
        put(field::PARENT, &self.parent.0.to_le_bytes());
        put(field::SUBKEYS_LIST, &[0xff; 8]);
        put(field::VALUES_LIST, &[0xff; 4]);
        put(field::SECURITY, &self.security.0.to_le_bytes());
        put(field::CLASS, &[0xff; 4]);
        put(field::LARGEST_SUBKEY_NAME + 2, &[self.user_flags]);
        put(field::NAME_LENGTH, &(self.name.len() as u16).to_le_bytes());
        out.extend_from_slice(self.name);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_key_node_reads_back() {
        let payload = NewKeyNode {
            flags: KeyFlags::COMPRESSED_NAME,
            last_written: FileTime(1234),
            parent: CellOffset(0x20),
            security: CellOffset(0x78),
            user_flags: 0xa0,
            name: b"Server",
        }
        .encode();
        let node = KeyNode::parse(Cell { offset: CellOffset(0x100), payload: &payload }).unwrap();
        assert_eq!(node.name().unwrap().to_string(), "Server");
        assert_eq!(node.last_written(), FileTime(1234));
        assert_eq!(node.parent(), CellOffset(0x20));
        assert_eq!(node.security(), CellOffset(0x78));
        assert_eq!(node.user_flags(), 0xa0);
        assert!(node.subkeys_list().is_nil() && node.values_list().is_nil() && node.class().is_nil());
        assert_eq!((node.subkey_count(), node.value_count(), node.class_length()), (0, 0, 0));
    }

    #[test]
    fn a_name_longer_than_its_cell_is_refused() {
        let mut payload = NewKeyNode {
            flags: KeyFlags::empty(),
            last_written: FileTime(0),
            parent: CellOffset(0),
            security: CellOffset(0),
            user_flags: 0,
            name: b"abcd",
        }
        .encode();
        payload[0x48] = 6;
        let node = KeyNode::parse(Cell { offset: CellOffset(0), payload: &payload }).unwrap();
        assert_eq!(node.name().unwrap_err().to_string(), "key node at 0x00001000: name needs 6 bytes, 4 are left");
    }
}
