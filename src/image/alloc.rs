//! Free cells: finding, splitting, joining.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::bins::Bins;
use crate::{
    CellOffset, Defect, FormatError, Structure,
    format::hbin::{HBIN_HEADER, Hbin},
};

/// Knows every free cell of an image. Nothing of this is on disk: like Windows, it is rebuilt from the cells.
#[derive(Clone, Default)]
pub(crate) struct Allocator {
    /// (size, offset): the first at or above a size is the best fit, lowest offset first.
    by_size: BTreeSet<(u32, u32)>,
    /// Offset to size.
    by_offset: BTreeMap<u32, u32>,
    /// What is left of the newest bin (size, offset), in neither of the two: most cells are cut from it.
    newest: Option<(u32, u32)>,
    /// Length of the bins when the transaction began: all cells behind are of this transaction.
    old: u32,
    /// Allocated since the transaction began, from the free cells of then. Like those behind [`old`](Self::old) they are
    /// reusable as soon as they are freed.
    fresh: HashSet<u32>,
    /// Freed, but live when the transaction began: kept until the commit, so that ids of deleted keys are noticed and
    /// a stepwise commit finds the old state intact. (offset, size)
    deferred: Vec<(u32, u32)>,
}

/// What became of a request for space.
pub(super) struct Taken {
    /// The part that was left over, if any: a free cell (offset, size).
    pub(super) rest: Option<(u32, u32)>,
    pub(super) offset: u32,
}

impl Allocator {
    /// Finds the free cells of all bins. Bins and cells must tile; the first place where they do not is the error.
    pub(crate) fn scan(bins: Bins<'_>) -> Result<Self, FormatError> {
        let mut found = Vec::new();
        let mut at = 0;
        while at < bins.len() {
            let header = bins.get(at, HBIN_HEADER as usize).unwrap_or_default();
            let end = at + Hbin::parse(header, at, bins.len() - at)?.size;
            let mut cell = at + HBIN_HEADER;
            while cell < end {
                let size = bins.cell_size(CellOffset(cell)).map_or(0, |size| {
                    if !size.allocated {
                        found.push((cell, size.size));
                    }
                    size.size
                });
                if size < 8 || size % 8 != 0 || size > end - cell {
                    return Err(FormatError::new(
                        Structure::Cell,
                        CellOffset(cell).file_offset(),
                        Defect::Field {
                            field: "size",
                            expected: "a multiple of 8 that stays in its bin",
                            found: size.into(),
                        },
                    ));
                }
                cell += size;
            }
            at = end;
        }
        Ok(Self {
            by_size: found.iter().map(|&(offset, size)| (size, offset)).collect(),
            by_offset: found.into_iter().collect(),
            old: bins.len(),
            ..Self::default()
        })
    }

    /// A transaction begins, with bins of this length.
    pub(super) fn begin(&mut self, length: u32) {
        self.old = length;
    }

    fn note_fresh(&mut self, offset: u32) {
        if offset < self.old {
            self.fresh.insert(offset);
        }
    }

    /// Takes the smallest free cell that holds `size` bytes and gives back what it does not need.
    pub(super) fn take(&mut self, size: u32) -> Option<Taken> {
        let newest = self.newest.filter(|newest| newest.0 >= size);
        let (found, offset) = self.by_size.range((size, 0)..).next().copied().into_iter().chain(newest).min()?;
        let rest = (found > size).then(|| (offset + size, found - size));
        if newest == Some((found, offset)) {
            self.newest = rest.map(|(offset, size)| (size, offset));
        } else {
            self.remove(offset, found);
            if let Some((offset, size)) = rest {
                self.insert(offset, size);
            }
        }
        self.note_fresh(offset);
        Some(Taken { rest, offset })
    }

    /// Takes a free cell of exactly this size.
    pub(super) fn take_exact(&mut self, size: u32) -> Option<u32> {
        self.close_newest();
        let &(_, offset) = self.by_size.range((size, 0)..=(size, u32::MAX)).next()?;
        self.remove(offset, size);
        self.note_fresh(offset);
        Some(offset)
    }

    /// A new bin's one free cell.
    pub(super) fn add_bin(&mut self, offset: u32, size: u32) {
        self.close_newest();
        self.newest = Some((size, offset));
    }

    /// Makes the rest of the newest bin a free cell like any other.
    fn close_newest(&mut self) {
        if let Some((size, offset)) = self.newest.take() {
            self.insert(offset, size);
        }
    }

    fn insert(&mut self, offset: u32, size: u32) {
        self.by_size.insert((size, offset));
        self.by_offset.insert(offset, size);
    }

    fn remove(&mut self, offset: u32, size: u32) {
        self.by_size.remove(&(size, offset));
        self.by_offset.remove(&offset);
    }

    /// Whether the cell was allocated by the running transaction; it is no longer, from now on.
    pub(super) fn forget_fresh(&mut self, offset: u32) -> bool {
        offset >= self.old || self.fresh.remove(&offset)
    }

    /// Keeps a freed cell out of reach until [`settle`](Self::settle).
    pub(super) fn defer(&mut self, offset: u32, size: u32) {
        self.deferred.push((offset, size));
    }

    /// Makes a cell free, joined with its free neighbours; the result is the free cell (offset, size) to write.
    ///
    /// Bins need no thought here: their 32-byte headers lie between the cells of neighbours, so no free cell ends where
    /// another bin's first one begins.
    pub(super) fn join(&mut self, mut offset: u32, mut size: u32) -> (u32, u32) {
        if self.newest.is_some_and(|(len, at)| at == offset + size || at + len == offset) {
            self.close_newest();
        }
        if let Some(&right) = self.by_offset.get(&(offset + size)) {
            self.remove(offset + size, right);
            size += right;
        }
        let left = self.by_offset.range(..offset).next_back().map(|(&at, &size)| (at, size));
        if let Some((left, left_size)) = left.filter(|(at, size)| at + size == offset) {
            self.remove(left, left_size);
            offset = left;
            size += left_size;
        }
        self.insert(offset, size);
        (offset, size)
    }

    /// Ends the transaction: what it allocated is ordinary now, and what it freed is handed out for joining.
    pub(super) fn settle(&mut self) -> Vec<(u32, u32)> {
        self.fresh.clear();
        std::mem::take(&mut self.deferred)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(cells: &[(u32, u32)]) -> Allocator {
        let mut allocator = Allocator::default();
        for &(offset, size) in cells {
            allocator.insert(offset, size);
        }
        allocator
    }

    #[test]
    fn the_best_fit_is_taken_and_the_rest_stays_free() {
        let mut allocator = with(&[(0x20, 0x100), (0x200, 0x40), (0x300, 0x60)]);
        let taken = allocator.take(0x50).unwrap();
        assert_eq!((taken.offset, taken.rest), (0x300, Some((0x350, 0x10))));
        assert_eq!(allocator.take(0x10).unwrap().offset, 0x350);
        assert!(allocator.take(0x101).is_none());
    }

    #[test]
    fn the_rest_of_the_newest_bin_is_a_free_cell_like_any_other() {
        let mut allocator = with(&[(0x20, 0x100)]);
        allocator.add_bin(0x1020, 0xfe0);
        assert_eq!(allocator.take(0x100).unwrap().offset, 0x20);
        assert_eq!(allocator.take(0x200).unwrap().rest, Some((0x1220, 0xde0)));
        assert_eq!(allocator.join(0x1020, 0x200), (0x1020, 0xfe0));
        assert_eq!(allocator.take_exact(0xfe0), Some(0x1020));
        assert!(allocator.take(8).is_none());
    }

    #[test]
    fn a_freed_cell_joins_both_neighbours() {
        let mut allocator = with(&[(0x20, 0x10), (0x40, 0x10)]);
        assert_eq!(allocator.join(0x30, 0x10), (0x20, 0x30));
        assert_eq!(allocator.take(0x30).unwrap().offset, 0x20);
    }

    #[test]
    fn cells_of_two_bins_never_join() {
        let mut allocator = with(&[(0xff0, 0x10)]);
        assert_eq!(allocator.join(0x1020, 0x20), (0x1020, 0x20));
    }
}
