//! Making cells and freeing them.

use super::Image;
use crate::{
    CellOffset, FileTime, FormatError, RequestError, Result,
    format::{
        cell::{CELL_HEADER, CellSize, MAX_CELL, size_for},
        hbin::{HBIN_HEADER, Hbin, MAX_BINS, PAGE},
    },
};

impl Image {
    /// Makes a cell with this payload, padded with zeros to `capacity` bytes if that is more.
    pub(crate) fn allocate(&mut self, payload: &[u8], capacity: u32) -> Result<CellOffset> {
        let wanted = u32::try_from(payload.len()).unwrap_or(u32::MAX).max(capacity);
        let too_large = || RequestError::DataTooLarge { size: wanted.into(), limit: (MAX_CELL - CELL_HEADER).into() };
        let size = size_for(wanted).ok_or_else(too_large)?;
        self.allocate_cell(size, size, payload)
    }

    /// Makes a cell of exactly `size` bytes in a bin of its own size, as Windows does for segments of big data: a free
    /// cell of that very size or a new bin, never a part of a larger free cell.
    pub(crate) fn allocate_alone(&mut self, size: u32, payload: &[u8]) -> Result<CellOffset> {
        if let Some(offset) = self.allocator.as_mut().and_then(|allocator| allocator.take_exact(size)) {
            if let Some(steps) = &mut self.steps {
                steps.took(offset, size);
            }
            return self.fill_new(offset, size, payload);
        }
        self.add_bin(size)?;
        self.allocate_cell(size, size, payload)
    }

    fn allocate_cell(&mut self, size: u32, bin_room: u32, payload: &[u8]) -> Result<CellOffset> {
        let mut taken = self.allocator.as_mut().and_then(|allocator| allocator.take(size));
        if taken.is_none() {
            self.add_bin(bin_room)?;
            taken = self.allocator.as_mut().and_then(|allocator| allocator.take(size));
        }
        let taken = taken.ok_or(RequestError::HiveFull)?;
        if let Some(steps) = &mut self.steps {
            steps.took(taken.offset, taken.rest.map_or(size, |(_, rest)| size + rest));
        }
        if let Some((rest, size)) = taken.rest {
            self.put_bytes(rest, &CellSize { size, allocated: false }.encode())?;
        }
        self.fill_new(taken.offset, size, payload)
    }

    fn fill_new(&mut self, offset: u32, size: u32, payload: &[u8]) -> Result<CellOffset> {
        self.before_write(offset, size as usize)?;
        if let Some((header, room)) =
            self.bytes_mut(offset, size as usize).and_then(|cell| cell.split_first_chunk_mut())
        {
            *header = CellSize { size, allocated: true }.encode();
            let (to, padding) = room.split_at_mut(payload.len().min(room.len()));
            to.copy_from_slice(payload);
            padding.fill(0);
        }
        if let Some(steps) = &mut self.steps {
            steps.made(offset, size);
        }
        Ok(CellOffset(offset))
    }

    /// Appends a bin with one free cell that holds at least `size` bytes.
    fn add_bin(&mut self, size: u32) -> Result<()> {
        let at = self.len();
        let bin = size
            .checked_add(HBIN_HEADER)
            .and_then(|size| size.checked_next_multiple_of(PAGE))
            .filter(|bin| at.checked_add(*bin).is_some_and(|end| end <= MAX_BINS))
            .ok_or(RequestError::HiveFull)?;
        self.grow(bin);
        self.base.length = self.len();
        let cell = bin - HBIN_HEADER;
        self.put_bytes(at, &Hbin::new(at, bin, FileTime(0)).encode())?;
        self.put_bytes(at + HBIN_HEADER, &CellSize { size: cell, allocated: false }.encode())?;
        if let Some(allocator) = &mut self.allocator {
            allocator.add_bin(at + HBIN_HEADER, cell);
        }
        Ok(())
    }

    /// Frees an allocated cell. One that was live when the transaction began stays out of use until the commit.
    pub(crate) fn free(&mut self, cell: CellOffset) -> Result<(), FormatError> {
        self.free_cell(cell, true)
    }

    /// Frees a key node. Whoever made it, it stays out of use until the commit: another key in its place would answer
    /// to its id.
    pub(crate) fn free_key(&mut self, cell: CellOffset) -> Result<(), FormatError> {
        self.free_cell(cell, false)
    }

    fn free_cell(&mut self, cell: CellOffset, reuse: bool) -> Result<(), FormatError> {
        let size = self.bins().cell(cell)?.payload.len() as u32 + CELL_HEADER;
        self.put_bytes(cell.0, &CellSize { size, allocated: false }.encode())?;
        let reuse = reuse && self.steps.is_none();
        let Some(allocator) = &mut self.allocator else { return Ok(()) };
        let (offset, size) = if reuse && allocator.forget_fresh(cell.0) {
            allocator.join(cell.0, size)
        } else {
            allocator.defer(cell.0, size);
            return Ok(());
        };
        self.put_bytes(offset, &CellSize { size, allocated: false }.encode())
    }
}
