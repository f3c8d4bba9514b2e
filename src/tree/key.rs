//! [`Key`]: one key of a hive.

use std::fmt;

use super::{HiveView, SecurityView, Subkeys, Value, Values, Walk, subkeys};
use crate::{
    CellOffset, FileTime, FormatError, KeyId, Result, Structure,
    format::{
        KeyFlags, Virtualization,
        key_node::{KEY_NODE_FIXED, KeyNode},
    },
    name::{KeyPath, Name, NameBuf, Units, same},
};

/// A key: borrows the hive's bytes, is `Copy`, and decodes what it is asked for.
#[derive(Clone, Copy)]
pub struct Key<'a> {
    hive: HiveView<'a>,
    node: KeyNode<'a>,
}

impl<'a> Key<'a> {
    pub(crate) fn parse(hive: HiveView<'a>, at: CellOffset) -> Result<Self> {
        Ok(Self { hive, node: KeyNode::parse(hive.cell(at)?)? })
    }

    /// What to remember this key by across edits.
    #[must_use]
    pub fn id(self) -> KeyId {
        KeyId(self.node.offset())
    }

    /// The key's own name. The root has one too, which paths leave out.
    ///
    /// # Errors
    ///
    /// [`Error::Format`](crate::Error::Format) where the name does not fit its cell.
    pub fn name(self) -> Result<Name<'a>> {
        Ok(self.node.name()?)
    }

    /// When the key, its values or its subkeys were last changed.
    #[must_use]
    pub fn last_written(self) -> FileTime {
        self.node.last_written()
    }

    /// The key's flags, unknown bits included.
    #[must_use]
    pub fn flags(self) -> KeyFlags {
        self.node.flags()
    }

    /// The key's virtualization control flags; keys of systems before Windows Vista have none.
    #[must_use]
    pub fn virtualization(self) -> Virtualization {
        self.node.virtualization()
    }

    /// The class name, if the key has one.
    ///
    /// # Errors
    ///
    /// [`Error::Format`](crate::Error::Format) where it does not fit its cell.
    pub fn class_name(self) -> Result<Option<Name<'a>>> {
        let length = self.node.class_length();
        // Offset 0 with length 0 occurs and means "none", as NIL does.
        if length == 0 || self.node.class().is_nil() {
            return Ok(None);
        }
        let cell = self.hive.cell(self.node.class())?;
        Ok(Some(Name::Utf16(cell.head(Structure::ClassName, "class name", length.into())?)))
    }

    /// The parent; none for the root.
    ///
    /// # Errors
    ///
    /// [`Error::Format`](crate::Error::Format) where the parent's key node is broken.
    pub fn parent(self) -> Result<Option<Self>> {
        if self.node.offset() == self.hive.root_offset() {
            return Ok(None);
        }
        Self::parse(self.hive, self.node.parent()).map(Some)
    }

    /// The way from the root to this key.
    ///
    /// # Errors
    ///
    /// [`Error::Format`](crate::Error::Format) where a key node on the way is broken or the parents form a cycle.
    pub fn path(self) -> Result<KeyPath> {
        let mut names: Vec<NameBuf> = Vec::new();
        let mut key = self;
        while let Some(parent) = key.parent()? {
            // Deeper than any name sequence that fits the hive: the parents go round in a circle.
            if names.len() > self.hive.bins().len() as usize / KEY_NODE_FIXED {
                return Err(key.node.cell.error(Structure::KeyNode, crate::Defect::Cycle).into());
            }
            names.push(key.name()?.to_name_buf());
            key = parent;
        }
        names.reverse();
        Ok(KeyPath::from(names))
    }

    /// Number of subkeys as the key node counts them.
    #[must_use]
    pub fn subkey_count(self) -> u32 {
        self.node.subkey_count()
    }

    /// Number of values as the key node counts them; 0 for predefined-handle keys.
    #[must_use]
    pub fn value_count(self) -> u32 {
        self.node.value_count()
    }

    /// The subkeys, in the order of the lists, which is that of their upper-cased names.
    ///
    /// # Errors
    ///
    /// [`Error::Format`](crate::Error::Format) where the list is broken; a broken subkey is an error of the iterator.
    pub fn subkeys(self) -> Result<Subkeys<'a>> {
        Ok(Subkeys::of(self)?)
    }

    /// The subkey of that name, in any case; found by hash or by order.
    ///
    /// # Errors
    ///
    /// [`Error::Format`](crate::Error::Format) where a record on the way is broken.
    pub fn subkey<N: Units + ?Sized>(self, name: &N) -> Result<Option<Self>> {
        subkeys::find(self, name)
    }

    /// The values, in the order of the list, which is that of their making.
    ///
    /// # Errors
    ///
    /// [`Error::Format`](crate::Error::Format) where the list is broken; a broken value is an error of the iterator.
    pub fn values(self) -> Result<Values<'a>> {
        Ok(Values::of(self)?)
    }

    /// The value of that name, in any case; the default value for an empty name. Values have no order or hash on disk,
    /// so this compares names one by one, as Windows does.
    ///
    /// # Errors
    ///
    /// [`Error::Format`](crate::Error::Format) where a record on the way is broken.
    pub fn value<N: Units + ?Sized>(self, name: &N) -> Result<Option<Value<'a>>> {
        for value in self.values()? {
            let value = value?;
            if same(&value.name()?, name) {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    /// The record with the key's descriptor.
    ///
    /// # Errors
    ///
    /// [`Error::Format`](crate::Error::Format) where it is missing or broken.
    pub fn security(self) -> Result<SecurityView<'a>> {
        SecurityView::parse(self.hive, self.node.security())
    }

    /// This key and every key below it, depth first.
    #[must_use]
    pub fn walk(self) -> Walk<'a> {
        Walk::new(self.hive, self.node.offset())
    }

    /// The hive that this key is of.
    #[must_use]
    pub fn hive(self) -> HiveView<'a> {
        self.hive
    }

    pub(crate) fn node(self) -> KeyNode<'a> {
        self.node
    }

    pub(crate) fn offset(self) -> CellOffset {
        self.node.offset()
    }

    /// The values list as stored; none if the key has no values.
    pub(crate) fn values_list(self) -> Result<&'a [u8], FormatError> {
        let count = self.node.value_count();
        if count == 0 {
            return Ok(&[]);
        }
        let cell = self.hive.cell(self.node.values_list())?;
        let needed = (count as usize).saturating_mul(4);
        cell.head(Structure::ValuesList, "entries", needed)
    }
}

impl fmt::Debug for Key<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Key").field("id", &self.id()).field("name", &self.name()).finish_non_exhaustive()
    }
}
