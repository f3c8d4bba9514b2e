//! [`Builder`]: a hive file that grows cell by cell and leaves no room unused that a later cell fits into.

use std::collections::BTreeSet;

use crate::{
    BINS_START, CellOffset, FileTime, RequestError,
    format::{
        base_block::{BaseBlock, SECTOR},
        big_data::SEGMENT,
        cell::{CELL_HEADER, CellSize, POWER_OF_TWO_FROM, size_for},
        hbin::{HBIN_HEADER, Hbin, MAX_BINS, PAGE},
    },
};

/// The cell of a segment of big data, the last one included: with its bin's header it fills four pages.
const SEGMENT_CELL: u32 = 0x3fe0;

/// Bins are of one page, as Windows makes most of them; a larger cell gets a bin of as many pages as it needs, and what
/// is left of those is used like any other room.
pub(super) struct Builder {
    /// The file: the first page, and the bins so far.
    bytes: Vec<u8>,
    /// Where the first of these bins is among those of the hive.
    start: u32,
    /// What is left of the bins: (size, offset), so that the first at or above a size is the best fit.
    free: BTreeSet<(u32, u32)>,
    stamp: FileTime,
}

impl Builder {
    /// Begins a file with its first page; `stamp` is the time in the first bin's header.
    pub(super) fn new(mut page: Vec<u8>, stamp: FileTime) -> Self {
        page.resize(BINS_START as usize, 0);
        Self { bytes: page, start: 0, free: BTreeSet::new(), stamp }
    }

    /// Begins with a bin at this offset, for a hive that has bins before it.
    #[cfg(feature = "volume")]
    pub(super) fn behind(start: u32) -> Self {
        Self { start, ..Self::new(Vec::new(), FileTime(0)) }
    }

    /// Length of the bins so far.
    fn len(&self) -> u32 {
        (self.bytes.len() - BINS_START as usize) as u32
    }

    /// Makes a cell with this payload.
    pub(super) fn put(&mut self, payload: &[u8]) -> Result<CellOffset, RequestError> {
        let length = u32::try_from(payload.len()).map_err(|_| RequestError::HiveFull)?;
        let at = self.allocate(cell_size(length).ok_or(RequestError::HiveFull)?)?;
        self.patch(at, 0, payload);
        Ok(at)
    }

    /// Makes a segment of big data.
    pub(super) fn put_segment(&mut self, data: &[u8]) -> Result<CellOffset, RequestError> {
        debug_assert!(data.len() <= SEGMENT as usize);
        let at = self.allocate(SEGMENT_CELL)?;
        self.patch(at, 0, data);
        Ok(at)
    }

    /// Overwrites a part of a cell's payload.
    pub(super) fn patch(&mut self, cell: CellOffset, field: u32, bytes: &[u8]) {
        let cell = cell.0.wrapping_sub(self.start);
        let start = (BINS_START + CELL_HEADER) as usize + cell as usize + field as usize;
        self.write(start, bytes);
    }

    fn write(&mut self, start: usize, bytes: &[u8]) {
        if let Some(to) = self.bytes.get_mut(start..).and_then(|rest| rest.get_mut(..bytes.len())) {
            to.copy_from_slice(bytes);
        }
    }

    fn write_size(&mut self, at: u32, size: CellSize) {
        self.write(BINS_START as usize + at as usize, &size.encode());
    }

    fn allocate(&mut self, size: u32) -> Result<CellOffset, RequestError> {
        let fit = self.free.range((size, 0)..).next().copied();
        let (found, at) = match fit {
            Some(fit) => {
                self.free.remove(&fit);
                fit
            }
            None => self.add_bin(size)?,
        };
        if found > size {
            self.free.insert((found - size, at + size));
        }
        self.write_size(at, CellSize { size, allocated: true });
        Ok(CellOffset(self.start + at))
    }

    /// A new bin for a cell of this size; its room (size, offset).
    fn add_bin(&mut self, size: u32) -> Result<(u32, u32), RequestError> {
        let at = self.len();
        let room = MAX_BINS.saturating_sub(self.start).saturating_sub(at);
        let length = size.checked_add(HBIN_HEADER).and_then(|size| size.checked_next_multiple_of(PAGE));
        let length = length.filter(|length| *length <= room).ok_or(RequestError::HiveFull)?;
        let stamp = if at == 0 { self.stamp } else { FileTime(0) };
        self.bytes.extend_from_slice(&Hbin::new(self.start + at, length, stamp).encode());
        self.bytes.resize(self.bytes.len() + (length - HBIN_HEADER) as usize, 0);
        Ok((length - HBIN_HEADER, at + HBIN_HEADER))
    }

    /// Ends the file: what is left becomes free cells, and the base block stands before the bins.
    pub(super) fn finish(mut self, base: &BaseBlock, root: CellOffset) -> Vec<u8> {
        self.free_the_rest();
        let base = BaseBlock { root: root.0, length: self.len(), ..base.clone() };
        let sector: [u8; SECTOR] = base.encode();
        self.write(0, &sector);
        self.bytes
    }

    /// Ends bins that stand behind others: they alone.
    #[cfg(feature = "volume")]
    pub(super) fn finish_bins(mut self) -> Vec<u8> {
        self.free_the_rest();
        self.bytes.split_off(BINS_START as usize)
    }

    fn free_the_rest(&mut self) {
        for (size, at) in std::mem::take(&mut self.free) {
            self.write_size(at, CellSize { size, allocated: false });
        }
    }
}

/// The size of a cell as Windows makes it. Hives of version 1.3 that other programs wrote may hold data beyond 1 MiB,
/// which Windows reads; those get a cell of their length.
fn cell_size(payload: u32) -> Option<u32> {
    size_for(payload).or_else(|| {
        let size = payload.checked_add(CELL_HEADER)?.checked_next_multiple_of(8)?;
        (size > POWER_OF_TWO_FROM && size < MAX_BINS).then_some(size)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn builder() -> Builder {
        Builder::new(Vec::new(), FileTime(7))
    }

    #[test]
    fn later_cells_fill_what_large_ones_leave() {
        let mut builder = builder();
        let large = builder.put(&[1; 0x800]).unwrap();
        let next = builder.put(&[2; 0x900]).unwrap();
        assert_eq!((large.0, next.0), (0x20, 0x1020));
        // The rest of the second bin is smaller and still fits.
        assert_eq!(builder.put(&[3; 0x600]).unwrap().0, 0x1928);
        assert_eq!(builder.put(&[4; 0x700]).unwrap().0, 0x828);
        assert_eq!(builder.len(), 0x2000);
    }

    #[test]
    fn a_cell_above_a_page_gets_a_bin_whose_rest_is_used() {
        let mut builder = builder();
        assert_eq!(builder.put(&vec![1; 0x5000]).unwrap().0, 0x20);
        // A cell of 0x8000 bytes in a bin of 0x9000.
        assert_eq!(builder.put(&[2; 16]).unwrap().0, 0x8020);
        assert_eq!(builder.len(), 0x9000);
    }

    #[test]
    fn a_segment_fills_its_bin() {
        let mut builder = builder();
        builder.put_segment(&[1; 3]).unwrap();
        builder.put_segment(&vec![1; SEGMENT as usize]).unwrap();
        assert!(builder.free.is_empty());
        assert_eq!(builder.len(), 0x8000);
    }
}
