//! [`SecurityView`]: a key's descriptor and the record that holds it.

use super::HiveView;
use crate::{CellOffset, Result, format::key_security::KeySecurity, security::SecurityDescriptor};

/// A key security record: one descriptor, shared by all keys that have the same.
#[derive(Clone, Copy)]
pub struct SecurityView<'a> {
    offset: CellOffset,
    record: KeySecurity<'a>,
}

impl<'a> SecurityView<'a> {
    pub(crate) fn parse(hive: HiveView<'a>, at: CellOffset) -> Result<Self> {
        Ok(Self { offset: at, record: KeySecurity::parse(hive.cell(at)?)? })
    }

    /// Where the record stands. Keys with equal offsets share their descriptor.
    #[must_use]
    pub fn offset(self) -> CellOffset {
        self.offset
    }

    /// How many keys the record says share it.
    #[must_use]
    pub fn references(self) -> u32 {
        self.record.references
    }

    /// The self-relative descriptor as stored.
    #[must_use]
    pub fn bytes(self) -> &'a [u8] {
        self.record.descriptor
    }

    /// The descriptor, parsed.
    ///
    /// # Errors
    ///
    /// [`Error::Security`](crate::Error::Security) where it is malformed.
    pub fn descriptor(self) -> Result<SecurityDescriptor> {
        Ok(SecurityDescriptor::parse(self.record.descriptor)?)
    }
}
