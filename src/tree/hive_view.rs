//! [`HiveView`]: a whole hive, read-only.

use crate::{
    BINS_START, CellOffset, Defect, FileOffset, FormatError, KeyId, RequestError, Result, Structure,
    format::{
        base_block::{BaseBlock, FileType, SECTOR},
        cell::Cell,
    },
    image::Bins,
    name::{KeyPath, Units},
    tree::{Key, Walk},
};

/// A hive over bytes that somebody else owns: a slice, a file's contents, or a [`Hive`](crate::Hive).
///
/// Views are small and `Copy`; nothing is decoded before it is asked for, and any bytes are safe to look at.
///
/// # Example
///
/// ```
/// # fn main() -> hivesmith::Result<()> {
/// use hivesmith::{Hive, HiveView, Version};
/// let bytes = Hive::create(Version::V1_5)?.to_bytes();
///
/// let hive = HiveView::parse(&bytes)?;
/// assert_eq!(hive.root()?.subkeys()?.count(), 0);
/// assert!(hive.key(r"ControlSet001\Control")?.is_none());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy)]
pub struct HiveView<'a> {
    bins: Bins<'a>,
    root: CellOffset,
    minor: u32,
    layered: bool,
}

impl<'a> HiveView<'a> {
    /// Looks at a whole hive file (base block and bins; bytes behind the bins are ignored) as it is: nothing is
    /// replayed, and neither the checksum nor the sequence numbers are judged.
    ///
    /// # Errors
    ///
    /// [`Error::Format`](crate::Error::Format) where the base block is not that of a hive of version 1.3 to 1.6 or
    /// promises more bins than there are bytes.
    pub fn parse(bytes: &'a [u8]) -> Result<Self> {
        let base = parse_base_block(bytes)?;
        let bins = bytes.get(BINS_START as usize..).unwrap_or_default();
        let bins = bins.get(..base.length as usize).ok_or_else(|| {
            FormatError::new(
                Structure::BaseBlock,
                FileOffset(0),
                Defect::Truncated { part: "hive bins", needed: base.length.into(), available: bins.len() as u64 },
            )
        })?;
        Ok(Self::new(&base, Bins::new(bins, &[])))
    }

    pub(crate) fn new(base: &BaseBlock, bins: Bins<'a>) -> Self {
        Self { bins, root: base.root(), minor: base.minor, layered: base.minor >= 6 }
    }

    /// The root key.
    ///
    /// # Errors
    ///
    /// [`Error::Format`](crate::Error::Format) where its key node is broken.
    pub fn root(self) -> Result<Key<'a>> {
        Key::parse(self, self.root)
    }

    /// The key at a path like `ControlSet001\Services`, in any case; the root for an empty path.
    ///
    /// # Errors
    ///
    /// [`Error::Format`](crate::Error::Format) where a record on the way is broken.
    pub fn key(self, path: &str) -> Result<Option<Key<'a>>> {
        self.descend(path.split('\\').filter(|part| !part.is_empty()))
    }

    /// As [`key`](Self::key), for names that are no text.
    ///
    /// # Errors
    ///
    /// [`Error::Format`](crate::Error::Format) where a record on the way is broken.
    pub fn key_at(self, path: &KeyPath) -> Result<Option<Key<'a>>> {
        self.descend(path.names())
    }

    fn descend<N: Units>(self, names: impl IntoIterator<Item = N>) -> Result<Option<Key<'a>>> {
        let mut key = self.root()?;
        for name in names {
            match key.subkey(&name)? {
                Some(next) => key = next,
                None => return Ok(None),
            }
        }
        Ok(Some(key))
    }

    /// The key that an id remembers.
    ///
    /// # Errors
    ///
    /// [`RequestError::StaleId`] where there is none any more.
    pub fn key_by_id(self, id: KeyId) -> Result<Key<'a>> {
        Key::parse(self, id.0).map_err(|_| RequestError::StaleId.into())
    }

    /// Every key, depth first in the order of the lists, beginning with the root.
    #[must_use]
    pub fn walk(self) -> Walk<'a> {
        Walk::new(self, self.root)
    }

    /// The minor version of the format: 3 (Windows NT 4 and later) to 6 (differencing hives).
    #[must_use]
    pub fn minor_version(self) -> u32 {
        self.minor
    }

    /// Whether this is a differencing hive, which is read but never written.
    #[must_use]
    pub fn is_layered(self) -> bool {
        self.layered
    }

    /// Whether this is a boot configuration store. Boot code reads those, and whether it replays logs is not known, so
    /// they stay clean at every instant.
    pub(crate) fn is_boot_store(self) -> bool {
        ["Objects", "Description"].iter().all(|name| matches!(self.key(name), Ok(Some(_))))
    }

    pub(crate) fn bins(self) -> Bins<'a> {
        self.bins
    }

    pub(crate) fn root_offset(self) -> CellOffset {
        self.root
    }

    pub(crate) fn cell(self, at: CellOffset) -> Result<Cell<'a>, FormatError> {
        self.bins.cell(at)
    }
}

/// The base block that `bytes` begin with, judged except for checksum and numbers.
pub(crate) fn parse_base_block(bytes: &[u8]) -> Result<BaseBlock, FormatError> {
    let fail = |defect| FormatError::new(Structure::BaseBlock, FileOffset(0), defect);
    let sector: &[u8; SECTOR] = bytes.first_chunk().ok_or_else(|| {
        fail(Defect::Truncated { part: "base block", needed: SECTOR as u64, available: bytes.len() as u64 })
    })?;
    let base = BaseBlock::decode(sector);
    base.validate()?;
    if base.file_type() != FileType::Hive {
        return Err(fail(Defect::Field {
            field: "file type",
            expected: "0, a hive (1, 2 and 6 are transaction logs)",
            found: base.file_type.into(),
        }));
    }
    Ok(base)
}
