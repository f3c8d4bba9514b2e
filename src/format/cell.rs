//! Cells: the units of allocation inside a bin.
//!
//! A cell is a signed 32-bit size, a multiple of 8 that counts itself, and the payload. Negative means allocated,
//! positive free. Zero is never legal: a walk would not advance.

use crate::{CellOffset, Defect, FormatError, Structure};

/// Bytes of the size field.
pub(crate) const CELL_HEADER: u32 = 4;

/// The largest cell that Windows can reallocate, size field included.
pub(crate) const MAX_CELL: u32 = 0x10_0000;

/// Cells above this size are rounded up to a power of two by Windows.
pub(crate) const POWER_OF_TWO_FROM: u32 = 0x4000;

/// What a size field says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CellSize {
    /// Bytes of the cell, size field included.
    pub(crate) size: u32,
    pub(crate) allocated: bool,
}

impl CellSize {
    #[inline]
    pub(crate) fn decode(bytes: [u8; 4]) -> Self {
        let raw = i32::from_le_bytes(bytes);
        Self { size: raw.unsigned_abs(), allocated: raw < 0 }
    }

    /// Sizes stay far below 2 GiB, so the sign bit is free for "allocated".
    #[inline]
    pub(crate) fn encode(self) -> [u8; 4] {
        let raw = if self.allocated { self.size.wrapping_neg() } else { self.size };
        raw.to_le_bytes()
    }
}

/// The size of the cell that Windows would make for a payload: rounded up to 8, above 0x4000 to a power of two.
///
/// `None` where that is more than a cell can be.
pub(crate) fn size_for(payload: u32) -> Option<u32> {
    let size = payload.checked_add(CELL_HEADER)?.checked_next_multiple_of(8)?;
    let size = if size > POWER_OF_TWO_FROM { size.checked_next_power_of_two()? } else { size };
    (size <= MAX_CELL).then_some(size)
}

/// An allocated cell.
#[derive(Clone, Copy)]
pub(crate) struct Cell<'a> {
    pub(crate) offset: CellOffset,
    pub(crate) payload: &'a [u8],
}

impl<'a> Cell<'a> {
    pub(crate) fn error(&self, structure: Structure, defect: Defect) -> FormatError {
        FormatError::new(structure, self.offset.file_offset(), defect)
    }

    /// "`part` does not fit the cell."
    pub(crate) fn too_short(&self, structure: Structure, part: &'static str, needed: u64) -> FormatError {
        self.error(structure, Defect::Truncated { part, needed, available: self.payload.len() as u64 })
    }

    pub(crate) fn wrong_signature(&self, structure: Structure, expected: &'static str) -> FormatError {
        let mut found = [0; 4];
        for (to, from) in found.iter_mut().zip(self.payload.iter().take(2)) {
            *to = *from;
        }
        self.error(structure, Defect::Signature { expected, found })
    }

    /// The first `needed` bytes of the payload.
    pub(crate) fn head(
        &self,
        structure: Structure,
        part: &'static str,
        needed: usize,
    ) -> Result<&'a [u8], FormatError> {
        self.payload.get(..needed).ok_or_else(|| self.too_short(structure, part, needed as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_rounded_as_windows_does() {
        assert_eq!(size_for(0), Some(8));
        assert_eq!(size_for(4), Some(8));
        assert_eq!(size_for(5), Some(16));
        assert_eq!(size_for(0x3ffc), Some(0x4000));
        assert_eq!(size_for(19184), Some(0x8000));
        assert_eq!(size_for(73315), Some(0x2_0000));
        assert_eq!(size_for(0x10_0000 - 4), Some(0x10_0000));
        assert_eq!(size_for(0x10_0000), None);
        assert_eq!(size_for(u32::MAX), None);
    }

    #[test]
    fn the_sign_of_the_size_says_allocated() {
        assert_eq!(CellSize::decode((-16_i32).to_le_bytes()), CellSize { size: 16, allocated: true });
        assert_eq!(CellSize { size: 16, allocated: true }.encode(), (-16_i32).to_le_bytes());
        assert_eq!(CellSize::decode(i32::MIN.to_le_bytes()).size, 0x8000_0000);
    }
}
