//! [`Cells`]: what can be made out of cells in damaged bins, and which of them have found their owner.

use super::ground::Ground;
use crate::{
    CellOffset, Defect,
    bytes::{u16_at, u32_at},
    format::{
        cell::{CELL_HEADER, Cell, CellSize, MAX_CELL},
        hbin::{HBIN_HEADER, PAGE},
        key_node::{self, KEY_NODE_FIXED},
        key_security::KEY_SECURITY_FIXED,
        key_value::KEY_VALUE_FIXED,
    },
};

/// Cells are aligned to this.
const UNIT: u32 = 8;

/// The cells of a file. Where bins and cells tile as they should, that is what says where they are; elsewhere records
/// are recognized by their signatures.
pub(super) struct Cells<'a> {
    ground: Ground<'a>,
    /// Where each bin begins and ends; together they cover the ground.
    bins: Vec<(u32, u32)>,
    /// Where the cells of a bin are not known.
    damaged: Vec<(u32, u32)>,
    boundary: Bits,
    allocated: Bits,
    taken: Bits,
    /// What looking for overlaps may still cost. In sound bins it is never used up; cells that overlap a thousandfold
    /// would otherwise cost their lengths a thousand times.
    work: u64,
}

/// A cell that something points at.
#[derive(Clone, Copy)]
pub(super) struct Opened<'a> {
    pub(super) cell: Cell<'a>,
    /// Whether its size makes sense. If not, the payload goes on to the end of the bin, and only what the record itself
    /// says tells how long it is.
    pub(super) sized: bool,
    /// Whether it was found where the cells of its bin tile, too.
    pub(super) placed: bool,
}

impl<'a> Cells<'a> {
    pub(super) fn scan(ground: Ground<'a>) -> Self {
        let units = (ground.end() - ground.first()).div_ceil(UNIT) as usize;
        let mut cells = Self {
            ground,
            bins: Vec::new(),
            damaged: Vec::new(),
            boundary: Bits::new(units),
            allocated: Bits::new(units),
            taken: Bits::new(units),
            work: units as u64 * 4 + 0x1000,
        };
        let mut at = ground.first();
        while at < ground.end() {
            let end = match ground.bin_size(at) {
                Some(size) => cells.scan_bin(at, at.saturating_add(size).min(ground.end()), false),
                None => {
                    let end = cells.next_bin(at, ground.end());
                    cells.scan_bin(at, end, true)
                }
            };
            cells.bins.push((at, end));
            at = end;
        }
        cells
    }

    /// The next page behind `at` that begins with a bin's header.
    fn next_bin(&self, at: u32, end: u32) -> u32 {
        let next = (at & !(PAGE - 1)).saturating_add(PAGE);
        (next..end).step_by(PAGE as usize).find(|page| self.ground.bin_size(*page).is_some()).unwrap_or(end)
    }

    /// Follows the cells of a bin; returns where it ends, which is before `end` if another begins there.
    fn scan_bin(&mut self, start: u32, mut end: u32, headless: bool) -> u32 {
        if headless {
            self.damaged.push((start, end));
        }
        let mut at = start.saturating_add(HBIN_HEADER);
        let (mut lost, mut broken) = (headless, headless);
        while at < end {
            if at % PAGE == 0 && self.ground.bin_size(at).is_some() {
                // A size too large by mistake: the next bin says itself that it begins here.
                return at;
            }
            let size = u32_at(self.ground.from(at), 0).map(|raw| CellSize::decode(raw.to_le_bytes()));
            let known = size.filter(|size| size.size >= UNIT && size.size % UNIT == 0 && size.size <= end - at);
            // Where cells did not tile before, only what looks like a record is taken for the begin of a cell again.
            if let Some(size) = known.filter(|_| !lost || self.looks_like_a_record(at, end)) {
                lost = false;
                self.boundary.set(self.unit(at));
                if size.allocated {
                    self.allocated.set(self.unit(at));
                }
                at += size.size;
                continue;
            }
            if !broken {
                broken = true;
                end = self.next_bin(at, end);
                self.damaged.push((at, end));
            }
            lost = true;
            at += UNIT;
        }
        end
    }

    /// Whether an allocated cell with a signature and sizes that go with each other begins here.
    fn looks_like_a_record(&self, at: u32, end: u32) -> bool {
        let Ok(Opened { cell, sized: true, .. }) = self.open_within(CellOffset(at), end) else { return false };
        let payload = cell.payload;
        let fits = |needed: usize| needed <= payload.len();
        let count = || u16_at(payload, 2).map_or(0, usize::from);
        match payload.get(..2) {
            Some(b"nk") => {
                let length = u16_at(payload, key_node::field::NAME_LENGTH as usize).map_or(0, usize::from);
                length > 0 && fits(KEY_NODE_FIXED + length)
            }
            Some(b"vk") => fits(KEY_VALUE_FIXED + count()),
            Some(b"sk") => u32_at(payload, 0x10).is_some_and(|length| fits(KEY_SECURITY_FIXED + length as usize)),
            Some(b"lf" | b"lh") => count() > 0 && fits(4 + count() * 8),
            Some(b"li" | b"ri") => count() > 0 && fits(4 + count() * 4),
            Some(b"db") => count() > 1 && fits(8),
            _ => false,
        }
    }

    fn unit(&self, at: u32) -> usize {
        (at.saturating_sub(self.ground.first()) / UNIT) as usize
    }

    /// The cell at an offset that something points at.
    pub(super) fn open(&self, at: CellOffset) -> Result<Opened<'a>, Defect> {
        let behind = self.bins.partition_point(|(start, _)| *start <= at.0);
        let end = behind.checked_sub(1).and_then(|bin| self.bins.get(bin));
        self.open_within(at, end.map_or(0, |(_, end)| *end))
    }

    fn open_within(&self, at: CellOffset, end: u32) -> Result<Opened<'a>, Defect> {
        if at.0 % UNIT != 0 || at.0 >= end || at.0 < self.ground.first() {
            return Err(Defect::OutOfBins { offset: at.0, length: self.ground.end() });
        }
        let bytes = self.ground.from(at.0);
        let room = bytes.get(..(end - at.0) as usize).unwrap_or(bytes);
        let raw = u32_at(room, 0).ok_or(Defect::OutOfBins { offset: at.0, length: self.ground.end() })?;
        let size = CellSize::decode(raw.to_le_bytes());
        let sized = size.size >= UNIT && size.size % UNIT == 0 && size.size as usize <= room.len();
        if sized && !size.allocated {
            return Err(Defect::Free);
        }
        let length = if sized { size.size } else { MAX_CELL } as usize;
        let payload = room.get(..length).unwrap_or(room).get(CELL_HEADER as usize..).unwrap_or_default();
        let placed = sized && self.allocated.get(self.unit(at.0));
        Ok(Opened { cell: Cell { offset: at, payload }, sized, placed })
    }

    /// Whether a cell, or a bin, is known to begin here.
    pub(super) fn is_boundary(&self, at: u32) -> bool {
        self.boundary.get(self.unit(at)) || self.bins.binary_search_by_key(&at, |(start, _)| *start).is_ok()
    }

    /// Makes the first `length` bytes of a cell's payload the property of whoever asks; false if a part of them is
    /// somebody's already. So nothing is copied twice, and the result never becomes longer than its source.
    pub(super) fn take(&mut self, at: CellOffset, length: usize) -> bool {
        let first = self.unit(at.0);
        let units = (length + CELL_HEADER as usize).div_ceil(UNIT as usize);
        let cost = 1 + units as u64 / 64;
        let Some(work) = self.work.checked_sub(cost) else { return false };
        self.work = work;
        self.taken.set_all(first, units)
    }

    /// Whether the cell at an offset has an owner.
    pub(super) fn is_taken(&self, at: CellOffset) -> bool {
        self.taken.get(self.unit(at.0))
    }

    /// Whether a record that once stood here may have been destroyed; if not, it was deleted.
    pub(super) fn is_damaged(&self, at: CellOffset) -> bool {
        let index = self.damaged.partition_point(|(start, _)| *start <= at.0);
        let range = index.checked_sub(1).and_then(|index| self.damaged.get(index));
        self.ground.is_cut_off(at.0) || range.is_some_and(|(_, end)| at.0 < *end)
    }

    /// The allocated cells that begin with a signature, in the order of the file.
    pub(super) fn allocated(&self, signature: [u8; 2]) -> impl Iterator<Item = CellOffset> + '_ {
        let offset = |unit: usize| CellOffset(self.ground.first() + unit as u32 * UNIT);
        self.allocated.ones().map(offset).filter(move |at| self.ground.from(at.0 + CELL_HEADER).starts_with(&signature))
    }

    /// Most records that the ground has room for: what lists may hold altogether.
    pub(super) fn most(&self) -> usize {
        (self.ground.end() - self.ground.first()) as usize / 4
    }

    /// Where the cells of a bin do not tile: (from, to).
    pub(super) fn damaged(&self) -> &[(u32, u32)] {
        &self.damaged
    }

    pub(super) fn ground(&self) -> Ground<'a> {
        self.ground
    }
}

/// One bit for each unit.
struct Bits(Vec<u64>);

impl Bits {
    fn new(units: usize) -> Self {
        Self(vec![0; units.div_ceil(64)])
    }

    fn get(&self, unit: usize) -> bool {
        self.0.get(unit / 64).is_some_and(|word| word & (1 << (unit % 64)) != 0)
    }

    fn set(&mut self, unit: usize) {
        if let Some(word) = self.0.get_mut(unit / 64) {
            *word |= 1 << (unit % 64);
        }
    }

    /// Sets a run of bits if none of it is set; whether it did.
    fn set_all(&mut self, first: usize, count: usize) -> bool {
        let mask = |word: usize| {
            let (start, end) = ((word * 64).max(first), (word * 64 + 64).min(first + count));
            let ones = if end - start == 64 { u64::MAX } else { (1 << (end - start)) - 1 };
            ones << (start % 64)
        };
        let words = first / 64..(first + count).div_ceil(64);
        let Some(run) = self.0.get_mut(words.clone()) else { return false };
        if run.iter().zip(words.clone()).any(|(bits, word)| bits & mask(word) != 0) {
            return false;
        }
        for (bits, word) in run.iter_mut().zip(words) {
            *bits |= mask(word);
        }
        true
    }

    fn ones(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().enumerate().flat_map(|(index, word)| {
            let mut bits = *word;
            std::iter::from_fn(move || {
                let bit = (bits != 0).then(|| bits.trailing_zeros())?;
                bits &= bits - 1;
                Some(index * 64 + bit as usize)
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_bits_never_overlap() {
        let mut bits = Bits::new(256);
        assert!(bits.set_all(60, 70));
        assert!(!bits.set_all(129, 1) && !bits.set_all(0, 61) && !bits.set_all(255, 2));
        assert!(bits.set_all(0, 60) && bits.set_all(130, 126));
        assert_eq!(bits.ones().count(), 256);
    }
}
