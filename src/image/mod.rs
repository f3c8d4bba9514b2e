//! The hive bins as one mutable thing: cells, pages, free space, and the one narrow door for writes.
//!
//! An image is changed in place. Every write goes through [`Image::write`] and its siblings, which keep a copy of each
//! page as it was before its first change: rolling back puts the copies back, and their page numbers are what a commit
//! has to make durable. Bytes that nobody writes stay as they were read.

mod alloc;
mod bins;
#[cfg(feature = "mmap")]
pub(crate) mod mmap;
mod pages;
mod records;
mod space;
pub(crate) mod steps;
mod transaction;

use std::collections::BTreeMap;

pub(crate) use alloc::Allocator;
pub(crate) use bins::Bins;
pub(crate) use records::Records;

use self::{pages::Mark, steps::Steps};
use crate::{
    BINS_START, CellOffset, Defect, FileTime, FormatError, Structure,
    format::{
        base_block::{BaseBlock, SECTOR},
        cell::CELL_HEADER,
        hbin::PAGE,
    },
};

/// A hive in memory: base block and bins.
pub(crate) struct Image {
    base: BaseBlock,
    head: Head,
    /// Bins added to a mapped head, which cannot grow.
    tail: Vec<u8>,
    /// The begin of the transaction and its savepoints; empty outside of one.
    marks: Vec<Mark>,
    allocator: Option<Allocator>,
    /// Where the commit will be stepwise: what to make durable in which order.
    steps: Option<Steps>,
    /// Keys that the transaction moved: from where to where, in order.
    moves: Vec<(CellOffset, CellOffset)>,
    /// By a key's descriptor record: that of new keys in it, as far as that is known.
    heirs: BTreeMap<CellOffset, CellOffset>,
    /// Where descriptors stand, once somebody has looked for one.
    records: Option<Records>,
    /// Whether new keys inherit nothing in this transaction and share their parent's record.
    share: bool,
    writes: u64,
    /// How many savepoints there ever were.
    savepoints: u64,
}

/// The bins that were read: from `BINS_START` of these bytes on, as many as fit.
enum Head {
    Owned(Vec<u8>),
    #[cfg(feature = "mmap")]
    Mapped(mmap::PrivateMap, u32),
}

impl Head {
    fn bins(&self) -> &[u8] {
        match self {
            Self::Owned(bytes) => bytes.get(BINS_START as usize..).unwrap_or_default(),
            #[cfg(feature = "mmap")]
            Self::Mapped(map, len) => {
                let end = BINS_START as usize + *len as usize;
                map.get(BINS_START as usize..end).unwrap_or_default()
            }
        }
    }

    fn bins_mut(&mut self) -> &mut [u8] {
        match self {
            Self::Owned(bytes) => bytes.get_mut(BINS_START as usize..).unwrap_or_default(),
            #[cfg(feature = "mmap")]
            Self::Mapped(map, len) => {
                let end = BINS_START as usize + *len as usize;
                map.get_mut(BINS_START as usize..end).unwrap_or_default()
            }
        }
    }
}

impl Image {
    /// Takes a file's bytes; what lies behind the bins is dropped. The base block must be valid for them.
    pub(crate) fn from_vec(base: BaseBlock, mut bytes: Vec<u8>) -> Self {
        bytes.resize(BINS_START as usize + base.length as usize, 0);
        Self::new(base, Head::Owned(bytes))
    }

    /// As [`from_vec`](Self::from_vec), over a map that is at least as long as base block and bins.
    #[cfg(feature = "mmap")]
    pub(crate) fn from_map(base: BaseBlock, map: mmap::PrivateMap) -> Self {
        let length = base.length;
        Self::new(base, Head::Mapped(map, length))
    }

    fn new(base: BaseBlock, head: Head) -> Self {
        Self {
            base,
            head,
            tail: Vec::new(),
            marks: Vec::new(),
            allocator: None,
            steps: None,
            moves: Vec::new(),
            heirs: BTreeMap::new(),
            records: None,
            share: false,
            writes: 0,
            savepoints: 0,
        }
    }

    pub(crate) fn base(&self) -> &BaseBlock {
        &self.base
    }

    /// For commits and recovery, which own the numbers in there.
    pub(crate) fn base_mut(&mut self) -> &mut BaseBlock {
        &mut self.base
    }

    pub(crate) fn bins(&self) -> Bins<'_> {
        Bins::new(self.head.bins(), &self.tail)
    }

    /// Length of the hive bins.
    pub(crate) fn len(&self) -> u32 {
        self.bins().len()
    }

    /// The first page of the file as it is to be written: base block sector, and what the file held behind it.
    pub(crate) fn base_page(&self) -> Vec<u8> {
        let mut page = match &self.head {
            Head::Owned(bytes) => bytes.get(..BINS_START as usize).unwrap_or_default().to_vec(),
            #[cfg(feature = "mmap")]
            Head::Mapped(map, _) => map.get(..BINS_START as usize).unwrap_or_default().to_vec(),
        };
        page.resize(BINS_START as usize, 0);
        let mut sector = self.base.encode();
        if !self.base.checksum_ok() {
            // A hive that is looked at as it is, unclean: whoever gets these bytes must see that, too.
            sector[SECTOR - 4..].copy_from_slice(&self.base.checksum.to_le_bytes());
        }
        for (to, from) in page.iter_mut().zip(sector) {
            *to = from;
        }
        page
    }

    pub(crate) fn page(&self, page: u32) -> Option<&[u8]> {
        self.bins().get(page.checked_mul(PAGE)?, PAGE as usize)
    }

    // ---- the narrow door ----------------------------------------------------------------------------------------

    /// Changes a field of a live record. In a stepwise commit this is (part of) the flip that makes a change visible.
    pub(crate) fn write(&mut self, cell: CellOffset, field: u32, bytes: &[u8]) -> Result<(), FormatError> {
        let at = position(cell, field);
        if let Some(steps) = &mut self.steps {
            steps.flip(cell, at, bytes.len() as u32);
        }
        self.put_bytes(at, bytes)
    }

    /// Changes a field that may reach the disk any time after the change is visible, such as a time stamp or a count
    /// that gets smaller.
    pub(crate) fn write_after(&mut self, cell: CellOffset, field: u32, bytes: &[u8]) -> Result<(), FormatError> {
        self.put_bytes(position(cell, field), bytes)
    }

    /// Raises a number that may be too high but never too low, such as a maximum or a count of references; it may
    /// reach the disk any time before the change is visible.
    pub(crate) fn raise(&mut self, cell: CellOffset, field: u32, value: u32) -> Result<(), FormatError> {
        let at = position(cell, field);
        if let Some(steps) = &mut self.steps {
            steps.raise(at, value, 4);
        }
        self.put_bytes(at, &value.to_le_bytes())
    }

    /// As [`raise`](Self::raise), for a field of 16 bits.
    pub(crate) fn raise_u16(&mut self, cell: CellOffset, field: u32, value: u16) -> Result<(), FormatError> {
        let at = position(cell, field);
        if let Some(steps) = &mut self.steps {
            steps.raise(at, value.into(), 2);
        }
        self.put_bytes(at, &value.to_le_bytes())
    }

    /// Replaces whole pages, as the replay of a log does.
    pub(crate) fn write_page(&mut self, at: u32, bytes: &[u8]) -> Result<(), FormatError> {
        self.allocator = None;
        self.put_bytes(at, bytes)
    }

    /// Puts a time stamp into the header of the first bin.
    pub(crate) fn stamp_first_bin(&mut self, stamp: FileTime) -> Result<(), FormatError> {
        /// Position in the header of a bin.
        const STAMP: u32 = 0x14;
        self.put_bytes(STAMP, &stamp.0.to_le_bytes())
    }

    /// Gives the bins another length, as the replay of a log does; new bytes are zero.
    pub(crate) fn set_len(&mut self, length: u32) -> Result<(), FormatError> {
        self.allocator = None;
        let now = self.len();
        if length < now {
            // Rolling back brings them back.
            self.before_write(length, (now - length) as usize)?;
            self.shrink_to(length);
        } else {
            self.grow(length - now);
        }
        self.base.length = length;
        Ok(())
    }

    /// How often something was written: tells whether a failed edit left traces.
    pub(crate) fn writes(&self) -> u64 {
        self.writes
    }

    fn put_bytes(&mut self, at: u32, bytes: &[u8]) -> Result<(), FormatError> {
        self.before_write(at, bytes.len())?;
        // Replayed pages may span the halves; records do not.
        let split = bytes.len().min(self.head.bins().len().saturating_sub(at as usize));
        let (head, tail) = bytes.split_at(if split == 0 { bytes.len() } else { split });
        for (at, part) in [(at, head), (at + head.len() as u32, tail)] {
            if let Some(to) = self.bytes_mut(at, part.len()) {
                to.copy_from_slice(part);
            }
        }
        Ok(())
    }

    /// Keeps what the pages hold that are about to be written.
    fn before_write(&mut self, at: u32, len: usize) -> Result<(), FormatError> {
        self.writes += 1;
        let length = self.len();
        let end = at as usize + len;
        if end > length as usize {
            return Err(FormatError::new(
                Structure::Cell,
                CellOffset(at).file_offset(),
                Defect::OutOfBins { offset: at, length },
            ));
        }
        for page in at / PAGE..(end as u32).div_ceil(PAGE) {
            if self.marks.last().is_some_and(|mark| mark.needs(page)) {
                let before = Bins::new(self.head.bins(), &self.tail).get(page * PAGE, PAGE as usize);
                if let (Some(before), Some(mark)) = (before, self.marks.last_mut()) {
                    mark.save(page, before);
                }
            }
        }
        Ok(())
    }

    fn bytes_mut(&mut self, at: u32, len: usize) -> Option<&mut [u8]> {
        let at = at as usize;
        let head = self.head.bins_mut();
        match at.checked_sub(head.len()) {
            None => head.get_mut(at..at.checked_add(len)?),
            Some(at) => self.tail.get_mut(at..at.checked_add(len)?),
        }
    }

    // ---- length -------------------------------------------------------------------------------------------------

    fn grow(&mut self, bytes: u32) {
        let more = bytes as usize;
        match &mut self.head {
            Head::Owned(all) => all.resize(all.len() + more, 0),
            #[cfg(feature = "mmap")]
            Head::Mapped(..) => self.tail.resize(self.tail.len() + more, 0),
        }
    }

    fn shrink_to(&mut self, length: u32) {
        let length = length as usize;
        match &mut self.head {
            Head::Owned(all) => all.truncate(BINS_START as usize + length),
            #[cfg(feature = "mmap")]
            Head::Mapped(_, len) => {
                let head = length.min(*len as usize);
                *len = head as u32;
                self.tail.truncate(length - head);
            }
        }
    }
}

/// Where a field of a record stands in the bins.
fn position(cell: CellOffset, field: u32) -> u32 {
    cell.0.saturating_add(CELL_HEADER).saturating_add(field)
}
