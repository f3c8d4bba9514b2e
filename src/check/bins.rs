//! Bins and cells (rules B and C): one pass over the bytes in their order.

use super::{Checker, Rule};
use crate::{
    CellOffset, Structure,
    bytes::{Fixed, u32_at},
    format::{
        cell::{CELL_HEADER, CellSize, MAX_CELL},
        hbin::{HBIN_HEADER, PAGE},
    },
};

impl Checker<'_> {
    /// Reads every bin header and every size field, and fills the map.
    pub(super) fn check_bins(&mut self) {
        let (bins, length) = (self.hive.bins(), self.hive.bins().len());
        let mut at = 0;
        while at < length {
            self.map.mark_boundary(at);
            let Some((header, _)) =
                bins.get(at, HBIN_HEADER as usize).and_then(Fixed::<{ HBIN_HEADER as usize }>::split)
            else {
                self.bin(Rule::B4, at, format_args!("header needs 32 bytes, {} are left", length - at));
                return;
            };
            let (signature, size) = (header.u32::<0>(), header.u32::<8>());
            // Where there is no bin to be seen, Windows puts an empty one of one page and looks behind it.
            if signature != u32::from_le_bytes(*b"hbin") {
                let found = signature.to_le_bytes();
                self.bin(Rule::B1, at, format_args!("signature is \"{}\", expected \"hbin\"", found.escape_ascii()));
                at = at.saturating_add(PAGE);
                continue;
            }
            if header.u32::<4>() != at {
                self.bin(Rule::B2, at, format_args!("offset is {:#x}, expected {at:#x}", header.u32::<4>()));
            }
            if size < PAGE || size % PAGE != 0 {
                self.bin(Rule::B3, at, format_args!("size is {size:#x}, expected a multiple of 0x1000 above 0"));
                at = at.saturating_add(PAGE);
                continue;
            }
            let Some(bin) = bins.get(at, size as usize) else {
                self.bin(Rule::B4, at, format_args!("size is {size:#x}, {:#x} bytes are left", length - at));
                return;
            };
            self.report.totals.bins += 1;
            self.check_cells(at, bin);
            at = at.saturating_add(size);
        }
    }

    /// Cells tile a bin; where a size makes no sense, the rest of the bin cannot be read as cells.
    fn check_cells(&mut self, start: u32, bin: &[u8]) {
        let mut at = HBIN_HEADER;
        let mut after_free = false;
        let (mut cells, mut free_bytes) = (0, 0);
        while let Some(raw) = u32_at(bin, at as usize) {
            let (offset, cell) = (start + at, CellSize::decode(raw.to_le_bytes()));
            if cell.size == 0 || cell.size % 8 != 0 || cell.size > bin.len() as u32 - at {
                self.map.mark_boundary(offset);
                self.bad_size(offset, cell.size, bin.len() as u32 - at);
                break;
            }
            self.map.mark_cell(offset, cell.allocated);
            cells += 1;
            if cell.allocated {
                if cell.size > MAX_CELL {
                    self.cell(
                        Rule::C8,
                        offset,
                        format_args!("size is {:#x}, expected at most {MAX_CELL:#x}", cell.size),
                    );
                }
            } else {
                free_bytes += u64::from(cell.size);
                if after_free {
                    self.cell(Rule::C5, offset, format_args!("the cell before this free cell is free too"));
                }
            }
            after_free = !cell.allocated;
            at += cell.size;
        }
        self.report.totals.cells += cells;
        self.report.totals.free_bytes += free_bytes;
    }

    #[cold]
    fn bad_size(&mut self, at: u32, size: u32, left: u32) {
        if size == 0 {
            self.cell(Rule::C1, at, format_args!("size is 0"));
        } else if size > left {
            self.cell(Rule::C2, at, format_args!("size is {size:#x}, {left:#x} bytes are left in the bin"));
        } else {
            self.cell(Rule::C3, at, format_args!("size is {size:#x}, expected a multiple of 8"));
        }
    }

    /// What is allocated and was not met on the way.
    ///
    /// Where part of the tree could not be entered, its cells were not met either: they are counted, not reported.
    pub(super) fn check_leaks(&mut self) {
        let map = std::mem::take(&mut self.map);
        for at in map.unclaimed() {
            let size = map.payload(at) + CELL_HEADER;
            self.report.totals.leaked_cells += 1;
            self.report.totals.leaked_bytes += u64::from(size);
            if !self.cut {
                self.cell(Rule::C6, at.0, format_args!("nothing refers to these {size} allocated bytes"));
            }
        }
        self.map = map;
    }

    #[cold]
    fn bin(&mut self, rule: Rule, at: u32, message: impl std::fmt::Display) {
        self.say(rule, Structure::Hbin, CellOffset(at), None, message);
    }

    #[cold]
    fn cell(&mut self, rule: Rule, at: u32, message: impl std::fmt::Display) {
        self.say(rule, Structure::Cell, CellOffset(at), None, message);
    }
}
