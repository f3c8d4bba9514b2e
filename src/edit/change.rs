//! [`Change`]: the one currency of edits.

use crate::{
    FileTime,
    format::ValueType,
    name::{KeyPath, NameBuf},
};

/// One change to a hive, by path. Everything that writes (`.reg` files, Windows' commands, diffs) speaks this.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// Make a key and those above it; nothing where it exists.
    CreateKey {
        /// The key.
        key: KeyPath,
    },
    /// Make a key that does not exist, and those above it, together with all it holds: whole or not at all.
    CreateTree {
        /// The key.
        key: KeyPath,
        /// What it holds.
        tree: super::NewKey,
    },
    /// Delete a key with everything below it; nothing where it does not exist.
    DeleteTree {
        /// The key.
        key: KeyPath,
    },
    /// Give a key another name beneath the same parent.
    RenameKey {
        /// The key.
        key: KeyPath,
        /// Its new name.
        name: NameBuf,
    },
    /// Set a value; the key must exist.
    SetValue {
        /// The key.
        key: KeyPath,
        /// The value's name; empty for the default value.
        name: NameBuf,
        /// The value's type.
        kind: ValueType,
        /// The bytes as stored.
        data: Vec<u8>,
    },
    /// Delete a value; nothing where it does not exist.
    DeleteValue {
        /// The key.
        key: KeyPath,
        /// The value's name; empty for the default value.
        name: NameBuf,
    },
    /// Set or, with none, remove a key's class name.
    SetClassName {
        /// The key.
        key: KeyPath,
        /// The class name.
        class: Option<NameBuf>,
    },
    /// Set a key's time stamp.
    SetLastWritten {
        /// The key.
        key: KeyPath,
        /// The time.
        time: FileTime,
    },
    /// Set a key's security descriptor (self-relative bytes).
    SetSecurity {
        /// The key.
        key: KeyPath,
        /// The descriptor.
        descriptor: Vec<u8>,
    },
}
