//! Reading the hive bins as one run of bytes.

use crate::{
    CellOffset, Defect, FormatError, Structure,
    format::cell::{Cell, CellSize},
};

/// The hive bins: what was in the file, and behind it the bins that were added since.
///
/// A cell never crosses a bin, so every cell lies in one of the two halves.
#[derive(Clone, Copy)]
pub(crate) struct Bins<'a> {
    head: &'a [u8],
    tail: &'a [u8],
}

impl<'a> Bins<'a> {
    /// The halves together stay below 2 GiB.
    pub(crate) fn new(head: &'a [u8], tail: &'a [u8]) -> Self {
        Self { head, tail }
    }

    pub(crate) fn len(self) -> u32 {
        (self.head.len() + self.tail.len()) as u32
    }

    /// What was in the file, and what was added.
    pub(crate) fn halves(self) -> (&'a [u8], &'a [u8]) {
        (self.head, self.tail)
    }

    /// All of it, copied.
    pub(crate) fn to_vec(self) -> Vec<u8> {
        [self.head, self.tail].concat()
    }

    /// Everything from `at` to the end of its half; empty behind the end.
    #[inline]
    fn from(self, at: u32) -> &'a [u8] {
        let at = at as usize;
        match self.head.get(at..) {
            Some(bytes) if !bytes.is_empty() => bytes,
            _ => at.checked_sub(self.head.len()).and_then(|at| self.tail.get(at..)).unwrap_or_default(),
        }
    }

    /// `len` bytes at `at`, if they are there and do not cross the halves (no record does).
    #[inline]
    pub(crate) fn get(self, at: u32, len: usize) -> Option<&'a [u8]> {
        self.from(at).get(..len)
    }

    /// The size field at `at`.
    #[inline]
    pub(crate) fn cell_size(self, at: CellOffset) -> Option<CellSize> {
        self.from(at.0).first_chunk().copied().map(CellSize::decode)
    }

    /// The allocated cell at `at`.
    #[inline]
    pub(crate) fn cell(self, at: CellOffset) -> Result<Cell<'a>, FormatError> {
        let bytes = self.from(at.0);
        let Some(size) = bytes.first_chunk().copied().map(CellSize::decode) else {
            return Err(self.out_of_bins(at));
        };
        if !size.allocated {
            return Err(FormatError::new(Structure::Cell, at.file_offset(), Defect::Free));
        }
        match bytes.get(4..size.size as usize) {
            Some(payload) => Ok(Cell { offset: at, payload }),
            None => Err(FormatError::new(
                Structure::Cell,
                at.file_offset(),
                Defect::Truncated { part: "cell", needed: size.size.into(), available: bytes.len() as u64 },
            )),
        }
    }

    fn out_of_bins(self, at: CellOffset) -> FormatError {
        FormatError::new(Structure::Cell, at.file_offset(), Defect::OutOfBins { offset: at.0, length: self.len() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell_of(size: i32, fill: u8) -> Vec<u8> {
        let mut bytes = vec![fill; size.unsigned_abs() as usize];
        bytes[..4].copy_from_slice(&size.to_le_bytes());
        bytes
    }

    #[test]
    fn cells_are_found_in_either_half() {
        let (head, tail) = (cell_of(-16, 1), cell_of(-8, 2));
        let bins = Bins::new(&head, &tail);
        assert_eq!(bins.cell(CellOffset(0)).unwrap().payload, [1; 12]);
        assert_eq!(bins.cell(CellOffset(16)).unwrap().payload, [2; 4]);
        assert!(bins.cell(CellOffset(24)).is_err());
        assert!(bins.cell(CellOffset::NIL).is_err());
    }

    #[test]
    fn free_and_overlong_cells_are_refused() {
        let (free, long) = (cell_of(16, 0), cell_of(-16, 0));
        assert_eq!(Bins::new(&free, &[]).cell(CellOffset(0)).err().unwrap().defect, Defect::Free);
        assert!(Bins::new(&long[..8], &[]).cell(CellOffset(0)).is_err());
    }
}
