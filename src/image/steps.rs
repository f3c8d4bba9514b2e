//! The order in which changes may become durable where no log protects them: in a stepwise commit.
//!
//! A change is a *step*. New cells and raised numbers can be on disk before it, and free cells and lowered numbers
//! after it; what makes it visible is a *flip* of bytes that share one 512-byte sector, which a disk writes whole or
//! not at all. This module records, while the image is edited, which write is which.

use std::collections::{BTreeMap, HashSet};

use super::bins::Bins;
use crate::{CellOffset, RequestError, Result, format::base_block::SECTOR};

/// Bytes to put at an offset of the bins.
pub(crate) type Patch = (u32, Vec<u8>);

/// What a stepwise commit writes, in this order.
pub(crate) struct StepPlan {
    /// Contents of what was free space, and of new bins; the first four bytes of each range are the header of the free
    /// cell that stood there (or of the new bin) and make the rest visible.
    pub(crate) regions: Vec<Patch>,
    /// Numbers at their highest.
    pub(crate) raised: Vec<Patch>,
    /// What makes changes visible, every one inside one sector.
    pub(crate) flips: Vec<Flip>,
    /// Changes in all.
    pub(crate) changes: usize,
}

/// One write that is visible.
pub(crate) struct Flip {
    pub(crate) patches: Vec<Patch>,
    /// Changes that are whole before it; some take more than one flip.
    pub(crate) after: usize,
}

/// The steps of a transaction so far.
#[derive(Default)]
pub(crate) struct Steps {
    done: Vec<Step>,
    /// Cells made since the last step ended: nobody can see them yet, so writes to them are part of making them.
    fresh: HashSet<u32>,
    made: Vec<(u32, u32)>,
    writes: Vec<(u32, u32)>,
    space: Space,
}

struct Step {
    /// New cells as they were when the step ended.
    cells: Vec<Patch>,
    flip: Vec<Patch>,
    space: Space,
    /// Whether a change is whole with it.
    ends_change: bool,
}

/// What a step needs from before it. It is kept step by step, so that a rollback forgets it with them.
#[derive(Default)]
struct Space {
    /// Free cells that were used, as a whole or their first part: start and end.
    taken: Vec<(u32, u32)>,
    /// Raised numbers: offset, value, width in bytes.
    raised: Vec<(u32, u32, usize)>,
}

impl Steps {
    pub(super) fn len(&self) -> usize {
        self.done.len()
    }

    pub(super) fn truncate(&mut self, steps: usize) {
        self.done.truncate(steps);
        self.fresh.clear();
        self.made.clear();
        self.writes.clear();
        self.space = Space::default();
    }

    /// A free cell was used, as a whole or its first part.
    pub(super) fn took(&mut self, offset: u32, size: u32) {
        self.space.taken.push((offset, offset + size));
    }

    pub(super) fn made(&mut self, offset: u32, size: u32) {
        self.fresh.insert(offset);
        self.made.push((offset, size));
    }

    pub(super) fn flip(&mut self, cell: CellOffset, at: u32, len: u32) {
        if !self.fresh.contains(&cell.0) {
            self.writes.push((at, len));
        }
    }

    pub(super) fn raise(&mut self, at: u32, value: u32, width: usize) {
        self.space.raised.push((at, value, width));
    }

    pub(super) fn end(&mut self, bins: Bins<'_>) -> Result<()> {
        let copy = |&(at, len): &(u32, u32)| (at, bins.get(at, len as usize).unwrap_or_default().to_vec());
        let cells = self.made.drain(..).collect::<Vec<_>>();
        let writes = self.writes.drain(..).collect::<Vec<_>>();
        let space = std::mem::take(&mut self.space);
        self.fresh.clear();
        let sectors = writes.iter().flat_map(|&(at, len)| [at / SECTOR as u32, (at + len.max(1) - 1) / SECTOR as u32]);
        let first = sectors.clone().min();
        if first != sectors.max() {
            return Err(RequestError::Uncommittable(
                "this change touches more than one disk sector of live records, which only a transaction log makes \
                 safe, and this hive has none"
                    .to_owned(),
            )
            .into());
        }
        self.done.push(Step {
            cells: cells.iter().map(copy).collect(),
            flip: writes.iter().map(copy).collect(),
            space,
            ends_change: false,
        });
        Ok(())
    }

    /// The step that just ended is the last one of a change.
    pub(super) fn end_change(&mut self) {
        if let Some(step) = self.done.last_mut() {
            step.ends_change = true;
        }
    }

    pub(super) fn plan(&self, bins: Bins<'_>, length_at_begin: u32) -> StepPlan {
        let mut regions: BTreeMap<u32, Vec<u8>> = self
            .regions()
            .into_iter()
            .filter(|(start, _)| *start < length_at_begin)
            .map(|(start, end)| (start, bins.get(start, (end - start) as usize).unwrap_or_default().to_vec()))
            .collect();
        let added = (bins.len() - length_at_begin) as usize;
        if added > 0 {
            regions.insert(length_at_begin, bins.get(length_at_begin, added).unwrap_or_default().to_vec());
        }
        for (at, bytes) in self.done.iter().flat_map(|step| &step.cells) {
            if let Some((start, region)) = regions.range_mut(..=at).next_back() {
                let from = (at - start) as usize;
                if let Some(to) = region.get_mut(from..from + bytes.len()) {
                    to.copy_from_slice(bytes);
                }
            }
        }
        let mut flips = Vec::new();
        let mut changes = 0;
        for step in &self.done {
            if !step.flip.is_empty() {
                flips.push(Flip { patches: step.flip.clone(), after: changes });
            }
            changes += usize::from(step.ends_change);
        }
        StepPlan { regions: regions.into_iter().collect(), raised: self.raised(), flips, changes }
    }

    /// The free cells of the disk that were used, start to end: what is taken later of what was left over of one
    /// belongs to it.
    fn regions(&self) -> BTreeMap<u32, u32> {
        let mut regions: BTreeMap<u32, u32> = BTreeMap::new();
        for &(start, end) in self.done.iter().flat_map(|step| &step.space.taken) {
            if regions.range(..=start).next_back().is_none_or(|(_, known)| start >= *known) {
                regions.insert(start, end);
            }
        }
        regions
    }

    /// The raised numbers at their highest.
    fn raised(&self) -> Vec<Patch> {
        let mut raised: BTreeMap<u32, (u32, usize)> = BTreeMap::new();
        for &(at, value, width) in self.done.iter().flat_map(|step| &step.space.raised) {
            let (highest, _) = raised.entry(at).or_insert((value, width));
            *highest = value.max(*highest);
        }
        let patch =
            |(at, (value, width)): (u32, (u32, usize))| (at, value.to_le_bytes().into_iter().take(width).collect());
        raised.into_iter().map(patch).collect()
    }
}
