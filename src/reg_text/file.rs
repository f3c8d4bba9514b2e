//! What a `.reg` file says, section by section.

use std::iter;

use super::RegPath;
use crate::{
    ValueType,
    edit::Change,
    name::{KeyPath, NameBuf},
};

/// A `.reg` file: its sections in the order in which `regedit` would carry them out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegFile {
    /// Which of the two formats it was written in.
    pub version: Version,
    /// The sections.
    pub sections: Vec<Section>,
}

impl RegFile {
    /// The changes to the hive that is loaded at `prefix`, with paths relative to its root.
    ///
    /// Sections elsewhere are passed over; [`sections_outside`](Self::sections_outside) names them. The changes are made
    /// one at a time because each carries its key's path: many values beneath a long path need not all be in memory.
    pub fn changes_under<'a>(&'a self, prefix: &'a RegPath) -> impl Iterator<Item = Change> + 'a {
        self.sections
            .iter()
            .filter_map(|section| Some((section, section.key.relative_to(prefix)?)))
            .flat_map(|(section, key)| section.changes(key))
    }

    /// The sections whose key does not lie in the hive loaded at `prefix`.
    pub fn sections_outside<'a>(&'a self, prefix: &'a RegPath) -> impl Iterator<Item = &'a Section> + 'a {
        self.sections.iter().filter(|section| section.key.relative_to(prefix).is_none())
    }
}

/// The format of a `.reg` file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Version {
    /// `REGEDIT4`: Windows 95 and NT 4. Text inside `hex(1)`, `hex(2)` and `hex(7)` is ANSI, not UTF-16.
    V4,
    /// `Windows Registry Editor Version 5.00`: Windows 2000 and later.
    V5,
}

/// `[key]` with its values, or `[-key]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// The line it begins on.
    pub line: u32,
    /// The key.
    pub key: RegPath,
    /// What happens to it.
    pub edit: SectionEdit,
}

impl Section {
    /// The changes this section makes when its key is `key` of some hive.
    ///
    /// For callers that resolve [`Section::key`] themselves, as through `CurrentControlSet`.
    pub fn changes(&self, key: KeyPath) -> impl Iterator<Item = Change> + '_ {
        let (head, entries) = match &self.edit {
            SectionEdit::Delete => (Change::DeleteTree { key: key.clone() }, [].as_slice()),
            SectionEdit::Create(entries) => (Change::CreateKey { key: key.clone() }, entries.as_slice()),
        };
        iter::once(head).chain(entries.iter().map(move |entry| entry.change(key.clone())))
    }
}

/// What a section does to its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SectionEdit {
    /// Make the key where it does not exist, then do this to its values.
    Create(Vec<Entry>),
    /// Delete the key with everything below it.
    Delete,
}

/// One value line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The line it begins on.
    pub line: u32,
    /// The value's name; empty for `@`, the default value.
    pub name: NameBuf,
    /// What happens to it.
    pub edit: Edit,
}

impl Entry {
    fn change(&self, key: KeyPath) -> Change {
        let name = self.name.clone();
        match &self.edit {
            Edit::Set { kind, data } => Change::SetValue { key, name, kind: *kind, data: data.clone() },
            Edit::Delete => Change::DeleteValue { key, name },
        }
    }
}

/// What happens to a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// It gets this type and these bytes.
    Set {
        /// The type.
        kind: ValueType,
        /// The bytes as stored in a hive.
        data: Vec<u8>,
    },
    /// It is deleted.
    Delete,
}
