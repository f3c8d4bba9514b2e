//! [`CellMap`]: which cells there are and which of them something refers to, three bits for each 8 bytes of the bins.
//!
//! The map of an 80 MiB hive takes 4 MiB and mostly stays in the processor's caches, so that questions like "does this
//! data cell exist, and how long is it" cost no trip to the hive's own bytes.

use crate::{CellOffset, image::Bins};

/// Cells are aligned to this.
const UNIT: u32 = 8;

/// The bits of 512 bytes, side by side: whoever needs one of them usually needs the others.
#[derive(Clone, Copy, Default)]
struct Words {
    /// A cell begins here, or a bin, or what could not be read as cells.
    boundary: u64,
    allocated: u64,
    claimed: u64,
}

/// The outcome of [`CellMap::claim`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Claim {
    /// An allocated cell, and this is the first reference to it.
    First,
    /// An allocated cell that something referred to before.
    Again,
    /// No allocated cell begins here.
    Nothing,
}

#[derive(Default)]
pub(super) struct CellMap {
    words: Vec<Words>,
    /// Length of the bins.
    end: u32,
}

/// Where the bit of an offset is; none for offsets that no cell can have.
#[inline]
fn place(at: u32) -> Option<(usize, u64)> {
    (at % UNIT == 0).then_some(((at / UNIT / 64) as usize, 1 << (at / UNIT % 64)))
}

impl CellMap {
    pub(super) fn new(bins: Bins<'_>) -> Self {
        let units = bins.len().div_ceil(UNIT);
        Self { words: vec![Words::default(); units.div_ceil(64) as usize], end: bins.len() }
    }

    /// Something begins at `at` that is no cell.
    pub(super) fn mark_boundary(&mut self, at: u32) {
        if let Some((word, mask)) = self.find(at) {
            word.boundary |= mask;
        }
    }

    #[inline]
    pub(super) fn mark_cell(&mut self, at: u32, allocated: bool) {
        if let Some((word, mask)) = self.find(at) {
            word.boundary |= mask;
            word.allocated |= if allocated { mask } else { 0 };
        }
    }

    #[inline]
    fn find(&mut self, at: u32) -> Option<(&mut Words, u64)> {
        let (index, mask) = place(at)?;
        Some((self.words.get_mut(index)?, mask))
    }

    /// Notes a reference to a cell.
    #[inline]
    pub(super) fn claim(&mut self, at: CellOffset) -> Claim {
        let Some((word, mask)) = self.find(at.0) else { return Claim::Nothing };
        if word.allocated & mask == 0 {
            return Claim::Nothing;
        }
        if word.claimed & mask != 0 {
            return Claim::Again;
        }
        word.claimed |= mask;
        Claim::First
    }

    #[inline]
    pub(super) fn is_allocated(&self, at: CellOffset) -> bool {
        place(at.0).is_some_and(|(index, mask)| self.words.get(index).is_some_and(|word| word.allocated & mask != 0))
    }

    /// Payload bytes of the cell at `at`, from where the next one begins. Takes time in proportion to the cell, so it
    /// is asked once a claim.
    #[inline]
    pub(super) fn payload(&self, at: CellOffset) -> u32 {
        let first = at.0 / UNIT + 1;
        let mut index = (first / 64) as usize;
        let mut skip = u64::MAX << (first % 64);
        let end = loop {
            let Some(word) = self.words.get(index) else { break self.end };
            match word.boundary & skip {
                0 => (index, skip) = (index + 1, u64::MAX),
                bits => break (index as u32 * 64 + bits.trailing_zeros()) * UNIT,
            }
        };
        end.saturating_sub(at.0).saturating_sub(4)
    }

    /// The allocated cells that nothing refers to.
    pub(super) fn unclaimed(&self) -> impl Iterator<Item = CellOffset> + '_ {
        self.words.iter().enumerate().flat_map(|(index, word)| {
            let mut bits = word.allocated & !word.claimed;
            std::iter::from_fn(move || {
                let bit = (bits != 0).then(|| bits.trailing_zeros())?;
                bits &= bits - 1;
                Some(CellOffset((index as u32 * 64 + bit) * UNIT))
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map() -> CellMap {
        let bytes = [0; 0x1000];
        let mut map = CellMap::new(Bins::new(&bytes, &[]));
        map.mark_boundary(0);
        map.mark_cell(0x20, true);
        map.mark_cell(0x800, false);
        map.mark_cell(0x808, true);
        map
    }

    #[test]
    fn a_cell_is_claimed_once() {
        let mut map = map();
        assert_eq!(map.claim(CellOffset(0x20)), Claim::First);
        assert_eq!(map.claim(CellOffset(0x20)), Claim::Again);
        assert_eq!(map.unclaimed().collect::<Vec<_>>(), [CellOffset(0x808)]);
    }

    #[test]
    fn nothing_else_can_be_claimed() {
        let mut map = map();
        for at in [0, 4, 0x28, 0x800, 0x1000, 0xffff_fff8, u32::MAX] {
            assert_eq!(map.claim(CellOffset(at)), Claim::Nothing, "{at:#x}");
            assert!(!map.is_allocated(CellOffset(at)));
        }
    }

    #[test]
    fn the_next_boundary_says_how_long_a_cell_is() {
        let map = map();
        assert_eq!(map.payload(CellOffset(0x20)), 0x7dc);
        assert_eq!(map.payload(CellOffset(0x808)), 0x7f4, "the last cell ends with the bins");
        assert_eq!(map.payload(CellOffset::NIL), 0);
    }
}
