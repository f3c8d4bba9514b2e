//! What an image knows of the open transaction: how to roll back, what a commit has to make durable, what may be
//! remembered until its end.

use std::collections::BTreeSet;

use super::{
    Allocator, Image,
    pages::Mark,
    steps::{StepPlan, Steps},
};
use crate::{
    CellOffset, FormatError, Result,
    format::{base_block::BaseBlock, cell::CellSize, hbin::PAGE},
};

impl Image {
    /// Begins a transaction. With `stepwise` every free is deferred to the commit, and it is recorded which writes make
    /// what visible.
    pub(crate) fn begin(&mut self, stepwise: bool) -> Result<(), FormatError> {
        if self.allocator.is_none() {
            self.allocator = Some(Allocator::scan(self.bins())?);
        }
        self.steps = stepwise.then(Steps::default);
        self.marks.clear();
        self.moves.clear();
        self.heirs.clear();
        self.records = None;
        self.share = false;
        let length = self.len();
        if let Some(allocator) = &mut self.allocator {
            allocator.begin(length);
        }
        self.marks.push(Mark::new(length, self.base.clone(), None));
        Ok(())
    }

    /// Begins the replay of a log: pages are noted as touched, and nothing is known of free cells.
    pub(crate) fn begin_replay(&mut self) {
        self.allocator = None;
        self.marks.clear();
        self.marks.push(Mark::new(self.len(), self.base.clone(), None));
    }

    /// Remembers this moment; returns its serial number, for [`savepoint_at`](Self::savepoint_at).
    pub(crate) fn savepoint(&mut self) -> u64 {
        self.savepoints += 1;
        let mut mark = Mark::new(self.len(), self.base.clone(), self.allocator.clone());
        mark.steps = self.steps.as_ref().map_or(0, Steps::len);
        mark.moves = self.moves.len();
        mark.serial = self.savepoints;
        self.marks.push(mark);
        self.savepoints
    }

    /// The place of a savepoint that can be rolled back to, for [`rollback_to`](Self::rollback_to).
    pub(crate) fn savepoint_at(&self, serial: u64) -> Option<usize> {
        self.marks.iter().position(|mark| mark.serial == serial)
    }

    /// Puts back what the image was at a savepoint; 0 is the begin of the transaction. The savepoint is used up, except
    /// that the begin of the transaction stays.
    pub(crate) fn rollback_to(&mut self, savepoint: usize) {
        while self.marks.len() > savepoint.max(1) {
            self.roll_back_one();
        }
        if savepoint == 0 {
            self.roll_back_one();
            self.allocator = Allocator::scan(self.bins()).ok();
            self.marks.push(Mark::new(self.len(), self.base.clone(), None));
        }
    }

    fn roll_back_one(&mut self) {
        let Some(mut mark) = self.marks.pop() else { return };
        self.base = mark.base.clone();
        self.allocator = mark.allocator.take();
        if let Some(steps) = &mut self.steps {
            steps.truncate(mark.steps);
        }
        self.moves.truncate(mark.moves);
        self.heirs.clear();
        self.records = None;
        let length = mark.length;
        self.grow(length.saturating_sub(self.len()));
        for (page, bytes) in mark.into_saved() {
            if let Some(to) = self.bytes_mut(page * PAGE, bytes.len()) {
                to.copy_from_slice(&bytes);
            }
        }
        self.shrink_to(length);
    }

    /// Ends the transaction and forgets how to roll back.
    pub(crate) fn end(&mut self) {
        self.marks.clear();
        self.steps = None;
    }

    /// Joins what the transaction freed with its neighbours, so that it can be used again and the bins hold no two
    /// free cells in a row. The last thing before a commit.
    pub(crate) fn settle(&mut self) -> Result<(), FormatError> {
        let freed = self.allocator.as_mut().map(Allocator::settle).unwrap_or_default();
        for (offset, size) in freed {
            let Some(allocator) = &mut self.allocator else { break };
            let (offset, size) = allocator.join(offset, size);
            self.put_bytes(offset, &CellSize { size, allocated: false }.encode())?;
        }
        Ok(())
    }

    /// The pages of the bins that differ, or may differ, from the begin of the transaction; ascending.
    pub(crate) fn touched_pages(&self) -> BTreeSet<u32> {
        let mut pages: BTreeSet<u32> = self.marks.iter().flat_map(Mark::saved_pages).collect();
        if let Some(begin) = self.marks.first() {
            pages.extend(begin.length / PAGE..self.len() / PAGE);
            pages.retain(|page| *page < self.len() / PAGE);
        }
        pages
    }

    /// Length of the bins when the transaction began.
    pub(crate) fn length_at_begin(&self) -> u32 {
        self.marks.first().map_or(self.len(), |mark| mark.length)
    }

    /// The base block that goes with the bins of when the transaction began, with the numbers of now: what may be on disk
    /// before the new bins are.
    pub(crate) fn base_at_begin(&self) -> BaseBlock {
        let root = self.marks.first().map_or(self.base.root, |mark| mark.base.root);
        BaseBlock { root, length: self.length_at_begin(), ..self.base.clone() }
    }

    /// A page as it was when the transaction began; none for pages that did not exist or were not touched.
    pub(crate) fn page_at_begin(&self, page: u32) -> Option<&[u8]> {
        self.marks.iter().find_map(|mark| mark.saved(page))
    }

    /// The touched pages, joined where they are neighbours: offset and bytes, as logs record them.
    pub(crate) fn touched_runs(&self) -> Vec<(u32, Vec<u8>)> {
        let mut runs: Vec<(u32, Vec<u8>)> = Vec::new();
        for page in self.touched_pages() {
            let at = page * PAGE;
            let Some(bytes) = self.page(page) else { continue };
            match runs.last_mut() {
                Some((start, run)) if *start + run.len() as u32 == at => run.extend_from_slice(bytes),
                _ => runs.push((at, bytes.to_vec())),
            }
        }
        runs
    }

    // ---- one step after the other -------------------------------------------------------------------------------

    /// Notes that a key moved, so that ids of it can follow.
    pub(crate) fn forward(&mut self, from: CellOffset, to: CellOffset) {
        self.moves.push((from, to));
    }

    /// Where a key is that was at `at` at some time of this transaction.
    pub(crate) fn forwarded(&self, at: CellOffset) -> CellOffset {
        self.moves.iter().fold(at, |at, (from, to)| if *from == at { *to } else { at })
    }

    /// Whether every change must be made so that one write of a sector makes it visible.
    pub(crate) fn is_stepwise(&self) -> bool {
        self.steps.is_some()
    }

    /// Forgets the steps: the transaction will be committed all at once.
    pub(crate) fn leave_steps(&mut self) {
        self.steps = None;
    }

    /// Ends a step: what was written since the last one becomes visible at once. An error if that takes more than one
    /// sector.
    pub(crate) fn end_step(&mut self) -> Result<()> {
        let Some(mut steps) = self.steps.take() else { return Ok(()) };
        let ended = steps.end(self.bins());
        self.steps = Some(steps);
        ended
    }

    /// Ends the last step of a change, see [`end_step`](Self::end_step).
    pub(crate) fn end_change(&mut self) -> Result<()> {
        self.end_step()?;
        if let Some(steps) = &mut self.steps {
            steps.end_change();
        }
        Ok(())
    }

    /// What a stepwise commit has to do before [`settle`](Self::settle) changes the free cells.
    pub(crate) fn step_plan(&self) -> Option<StepPlan> {
        self.steps.as_ref().map(|steps| steps.plan(self.bins(), self.length_at_begin()))
    }

    // ---- what new keys inherit ----------------------------------------------------------------------------------

    /// From here to the end of the transaction new keys share their parent's descriptor, whatever it hands on.
    pub(crate) fn share_with_new_keys(&mut self) {
        self.share = true;
    }

    pub(crate) fn new_keys_share(&self) -> bool {
        self.share
    }

    /// The descriptor record that a new key gets in a key with this one, if that is known.
    pub(crate) fn heir(&self, of: CellOffset) -> Option<CellOffset> {
        self.heirs.get(&of).copied()
    }

    /// Remembers it, until either record goes or something is rolled back.
    pub(crate) fn set_heir(&mut self, of: CellOffset, heir: CellOffset) {
        self.heirs.insert(of, heir);
    }
}
