//! Two states of a hive file, cell by cell: which records differ, and that nothing else does.

use std::collections::{BTreeMap, BTreeSet};

pub(crate) const PAGE: usize = 4096;

/// What differs between two states of a hive file.
#[derive(Debug, Default)]
pub(crate) struct Differences {
    /// Numbers of the 4096-byte pages of the file.
    pub(crate) pages: BTreeSet<usize>,
    /// Records that were there before, by where they are: signature, and the name of keys and values.
    pub(crate) changed: BTreeMap<usize, (String, String)>,
    /// Cells that were free before, or are behind the old end.
    pub(crate) new: BTreeSet<usize>,
    /// Cells that were free before and are free again, and were written to.
    pub(crate) used_between: BTreeSet<usize>,
    /// Places that no change of a record explains.
    pub(crate) unexplained: Vec<String>,
}

/// Compares two states. Bytes of free cells belong to whatever was deleted there and must stay.
pub(crate) fn differences(before: &[u8], after: &[u8]) -> Differences {
    let (old, new) = (cells(before), cells(after));
    let mut found = Differences::default();
    let differ = |at: &usize, length: usize| before.get(*at..at + length) != after.get(*at..at + length);
    let pages = (0..after.len()).step_by(PAGE).filter(|at| differ(at, PAGE));
    for at in pages.flat_map(|page| (page..page + PAGE).step_by(4)).filter(|at| differ(at, 4)) {
        found.pages.insert(at / PAGE);
        if at < 512 {
            continue;
        }
        match cell_at(&new, at) {
            Some(cell) if cell.allocated => {
                if cell_at(&old, cell.start).is_some_and(|old| old.start == cell.start && old.allocated) {
                    found.changed.insert(cell.start, record(after, cell.start));
                } else {
                    found.new.insert(cell.start);
                }
            }
            // The header of a free cell, or what was one before cells were joined.
            Some(cell) if at == cell.start || cell_at(&old, at).is_some_and(|old| old.start == at) => {}
            Some(cell) if cell_at(&old, at).is_some_and(|old| !old.allocated) => {
                found.used_between.insert(cell.start);
            }
            // Bins behind the old end are new altogether.
            _ if at >= end(before) => {}
            cell => found.unexplained.push(format!("{at:#x}, cell {cell:x?}")),
        }
    }
    found
}

#[derive(Debug)]
struct Cell {
    /// Where it is in the file.
    start: usize,
    length: usize,
    allocated: bool,
}

/// All cells, ascending.
fn cells(hive: &[u8]) -> Vec<Cell> {
    let mut cells = Vec::new();
    let mut bin = PAGE;
    while bin < end(hive) {
        assert_eq!(&hive[bin..bin + 4], b"hbin", "at {bin:#x}");
        let next = bin + number(hive, bin + 8) as usize;
        let mut start = bin + 32;
        while start < next {
            let size = i32::from_le_bytes(hive[start..start + 4].try_into().unwrap());
            assert_ne!(size, 0, "at {start:#x}");
            let length = size.unsigned_abs() as usize;
            cells.push(Cell { start, length, allocated: size < 0 });
            start += length;
        }
        bin = next;
    }
    cells
}

/// The cell that a place of the file is in.
fn cell_at(cells: &[Cell], at: usize) -> Option<&Cell> {
    let behind = cells.partition_point(|cell| cell.start <= at);
    cells.get(behind.checked_sub(1)?).filter(|cell| at < cell.start + cell.length)
}

/// Where the bins end in the file.
fn end(hive: &[u8]) -> usize {
    PAGE + number(hive, 0x28) as usize
}

fn record(hive: &[u8], cell: usize) -> (String, String) {
    let signature: String = hive[cell + 4..cell + 6].iter().map(|byte| char::from(*byte)).collect();
    let body = &hive[cell + 4..];
    let name = match signature.as_str() {
        "nk" => text(body, 0x48, 0x4c),
        "vk" => text(body, 0x02, 0x14),
        _ => String::new(),
    };
    (signature, name)
}

/// A compressed name: its length and where it begins.
fn text(body: &[u8], length: usize, at: usize) -> String {
    let length = usize::from(u16::from_le_bytes([body[length], body[length + 1]]));
    body[at..at + length].iter().map(|byte| char::from(*byte)).collect()
}

pub(crate) fn number(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}
