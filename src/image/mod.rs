//! The hive bins as one mutable thing: cells, pages, free space, and the one narrow door for writes.
//!
//! An image is changed in place. Every write goes through [`Image::write`] and its siblings, which keep a copy of each
//! page as it was before its first change: rolling back puts the copies back, and their page numbers are what a commit
//! has to make durable. Bytes that nobody writes stay as they were read.

mod alloc;
mod bins;
#[cfg(feature = "mmap")]
pub(crate) mod mmap;
mod pages;
pub(crate) mod steps;

use std::collections::{BTreeMap, BTreeSet};

pub(crate) use alloc::Allocator;
pub(crate) use bins::Bins;

use self::{
    pages::Mark,
    steps::{StepPlan, Steps},
};
use crate::{
    BINS_START, CellOffset, Defect, FileTime, FormatError, RequestError, Result, Structure,
    format::{
        base_block::{BaseBlock, SECTOR},
        cell::{CELL_HEADER, CellSize, size_for},
        hbin::{HBIN_HEADER, Hbin, PAGE},
    },
};

/// The most bytes that hive bins can have: bit 31 of an offset selects volatile storage.
pub(crate) const MAX_BINS: u32 = 0x7fff_f000;

/// A hive in memory: base block and bins.
pub(crate) struct Image {
    base: BaseBlock,
    head: Head,
    /// Bins added to a mapped head, which cannot grow.
    tail: Vec<u8>,
    /// The begin of the transaction and its savepoints; empty outside of one.
    marks: Vec<Mark>,
    allocator: Option<Allocator>,
    /// Where protocol B is in use: what to make durable in which order.
    steps: Option<Steps>,
    /// Keys that the transaction moved: from where to where, in order.
    moves: Vec<(CellOffset, CellOffset)>,
    /// By a key's descriptor record: that of new keys in it, as far as that is known.
    heirs: BTreeMap<CellOffset, CellOffset>,
    /// Whether new keys inherit nothing in this transaction and share their parent's record.
    share: bool,
    writes: u64,
    /// How many savepoints there ever were.
    savepoints: u64,
}

/// The bins that were read: from `BINS_START` of these bytes on, as many as fit.
enum Head {
    Owned(Vec<u8>),
    #[cfg(feature = "mmap")]
    Mapped(mmap::PrivateMap, u32),
}

impl Head {
    fn bins(&self) -> &[u8] {
        match self {
            Self::Owned(bytes) => bytes.get(BINS_START as usize..).unwrap_or_default(),
            #[cfg(feature = "mmap")]
            Self::Mapped(map, len) => {
                let end = BINS_START as usize + *len as usize;
                map.get(BINS_START as usize..end).unwrap_or_default()
            }
        }
    }

    fn bins_mut(&mut self) -> &mut [u8] {
        match self {
            Self::Owned(bytes) => bytes.get_mut(BINS_START as usize..).unwrap_or_default(),
            #[cfg(feature = "mmap")]
            Self::Mapped(map, len) => {
                let end = BINS_START as usize + *len as usize;
                map.get_mut(BINS_START as usize..end).unwrap_or_default()
            }
        }
    }
}

impl Image {
    /// Takes a file's bytes; what lies behind the bins is dropped. The base block must be valid for them.
    pub(crate) fn from_vec(base: BaseBlock, mut bytes: Vec<u8>) -> Self {
        bytes.resize(BINS_START as usize + base.length as usize, 0);
        Self::new(base, Head::Owned(bytes))
    }

    /// As [`from_vec`](Self::from_vec), over a map that is at least as long as base block and bins.
    #[cfg(feature = "mmap")]
    pub(crate) fn from_map(base: BaseBlock, map: mmap::PrivateMap) -> Self {
        let length = base.length;
        Self::new(base, Head::Mapped(map, length))
    }

    fn new(base: BaseBlock, head: Head) -> Self {
        Self {
            base,
            head,
            tail: Vec::new(),
            marks: Vec::new(),
            allocator: None,
            steps: None,
            moves: Vec::new(),
            heirs: BTreeMap::new(),
            share: false,
            writes: 0,
            savepoints: 0,
        }
    }

    pub(crate) fn base(&self) -> &BaseBlock {
        &self.base
    }

    /// For commits and recovery, which own the numbers in there.
    pub(crate) fn base_mut(&mut self) -> &mut BaseBlock {
        &mut self.base
    }

    pub(crate) fn bins(&self) -> Bins<'_> {
        Bins::new(self.head.bins(), &self.tail)
    }

    /// Length of the hive bins.
    pub(crate) fn len(&self) -> u32 {
        self.bins().len()
    }

    /// The first page of the file as it is to be written: base block sector, and what the file held behind it.
    pub(crate) fn base_page(&self) -> Vec<u8> {
        let mut page = match &self.head {
            Head::Owned(bytes) => bytes.get(..BINS_START as usize).unwrap_or_default().to_vec(),
            #[cfg(feature = "mmap")]
            Head::Mapped(map, _) => map.get(..BINS_START as usize).unwrap_or_default().to_vec(),
        };
        page.resize(BINS_START as usize, 0);
        let mut sector = self.base.encode();
        if !self.base.checksum_ok() {
            // A hive that is looked at as it is, unclean: whoever gets these bytes must see that, too.
            sector[SECTOR - 4..].copy_from_slice(&self.base.checksum.to_le_bytes());
        }
        for (to, from) in page.iter_mut().zip(sector) {
            *to = from;
        }
        page
    }

    // ---- transactions -------------------------------------------------------------------------------------------

    /// Begins a transaction. With `stepwise` every free is deferred to the commit and writes are recorded for
    /// protocol B.
    pub(crate) fn begin(&mut self, stepwise: bool) -> Result<(), FormatError> {
        if self.allocator.is_none() {
            self.allocator = Some(Allocator::scan(self.bins())?);
        }
        self.steps = stepwise.then(Steps::default);
        self.marks.clear();
        self.moves.clear();
        self.heirs.clear();
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

    pub(crate) fn page(&self, page: u32) -> Option<&[u8]> {
        self.bins().get(page.checked_mul(PAGE)?, PAGE as usize)
    }

    // ---- the narrow door ----------------------------------------------------------------------------------------

    /// Changes a field of a live record. Protocol B counts this as (part of) the flip that makes a change visible.
    pub(crate) fn write(&mut self, cell: CellOffset, field: u32, bytes: &[u8]) -> Result<(), FormatError> {
        let at = position(cell, field);
        if let Some(steps) = &mut self.steps {
            steps.flip(cell, at, bytes.len() as u32);
        }
        self.put_bytes(at, bytes)
    }

    /// Changes a field that may reach the disk any time after the change is visible, such as a time stamp or a count
    /// that gets smaller.
    pub(crate) fn write_after(&mut self, cell: CellOffset, field: u32, bytes: &[u8]) -> Result<(), FormatError> {
        self.put_bytes(position(cell, field), bytes)
    }

    /// Raises a number that may be too high but never too low, such as a maximum or a count of references; it may
    /// reach the disk any time before the change is visible.
    pub(crate) fn raise(&mut self, cell: CellOffset, field: u32, value: u32) -> Result<(), FormatError> {
        let at = position(cell, field);
        if let Some(steps) = &mut self.steps {
            steps.raise(at, value, 4);
        }
        self.put_bytes(at, &value.to_le_bytes())
    }

    /// As [`raise`](Self::raise), for a field of 16 bits.
    pub(crate) fn raise_u16(&mut self, cell: CellOffset, field: u32, value: u16) -> Result<(), FormatError> {
        let at = position(cell, field);
        if let Some(steps) = &mut self.steps {
            steps.raise(at, value.into(), 2);
        }
        self.put_bytes(at, &value.to_le_bytes())
    }

    /// Replaces whole pages, as the replay of a log does.
    pub(crate) fn write_page(&mut self, at: u32, bytes: &[u8]) -> Result<(), FormatError> {
        self.allocator = None;
        self.put_bytes(at, bytes)
    }

    /// Puts a time stamp into the header of the first bin.
    pub(crate) fn stamp_first_bin(&mut self, stamp: FileTime) -> Result<(), FormatError> {
        /// Position in the header of a bin.
        const STAMP: u32 = 0x14;
        self.put_bytes(STAMP, &stamp.0.to_le_bytes())
    }

    /// Gives the bins another length, as the replay of a log does; new bytes are zero.
    pub(crate) fn set_len(&mut self, length: u32) -> Result<(), FormatError> {
        self.allocator = None;
        let now = self.len();
        if length < now {
            // Rolling back brings them back.
            self.before_write(length, (now - length) as usize)?;
            self.shrink_to(length);
        } else {
            self.grow(length - now);
        }
        self.base.length = length;
        Ok(())
    }

    /// How often something was written: tells whether a failed edit left traces.
    pub(crate) fn writes(&self) -> u64 {
        self.writes
    }

    fn put_bytes(&mut self, at: u32, bytes: &[u8]) -> Result<(), FormatError> {
        self.before_write(at, bytes.len())?;
        // Replayed pages may span the halves; records do not.
        let split = bytes.len().min(self.head.bins().len().saturating_sub(at as usize));
        let (head, tail) = bytes.split_at(if split == 0 { bytes.len() } else { split });
        for (at, part) in [(at, head), (at + head.len() as u32, tail)] {
            if let Some(to) = self.bytes_mut(at, part.len()) {
                to.copy_from_slice(part);
            }
        }
        Ok(())
    }

    /// Keeps what the pages hold that are about to be written.
    fn before_write(&mut self, at: u32, len: usize) -> Result<(), FormatError> {
        self.writes += 1;
        let length = self.len();
        let end = at as usize + len;
        if end > length as usize {
            return Err(FormatError::new(
                Structure::Cell,
                CellOffset(at).file_offset(),
                Defect::OutOfBins { offset: at, length },
            ));
        }
        for page in at / PAGE..(end as u32).div_ceil(PAGE) {
            if self.marks.last().is_some_and(|mark| mark.needs(page)) {
                let before = Bins::new(self.head.bins(), &self.tail).get(page * PAGE, PAGE as usize);
                if let (Some(before), Some(mark)) = (before, self.marks.last_mut()) {
                    mark.save(page, before);
                }
            }
        }
        Ok(())
    }

    fn bytes_mut(&mut self, at: u32, len: usize) -> Option<&mut [u8]> {
        let at = at as usize;
        let head = self.head.bins_mut();
        match at.checked_sub(head.len()) {
            None => head.get_mut(at..at.checked_add(len)?),
            Some(at) => self.tail.get_mut(at..at.checked_add(len)?),
        }
    }

    // ---- space --------------------------------------------------------------------------------------------------

    /// Makes a cell with this payload, padded with zeros to `capacity` bytes if that is more.
    pub(crate) fn allocate(&mut self, payload: &[u8], capacity: u32) -> Result<CellOffset> {
        let wanted = u32::try_from(payload.len()).unwrap_or(u32::MAX).max(capacity);
        let too_large = || RequestError::DataTooLarge {
            size: wanted.into(),
            limit: (crate::format::cell::MAX_CELL - CELL_HEADER).into(),
        };
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

    fn grow(&mut self, bytes: u32) {
        let more = bytes as usize;
        match &mut self.head {
            Head::Owned(all) => all.resize(all.len() + more, 0),
            #[cfg(feature = "mmap")]
            Head::Mapped(..) => self.tail.resize(self.tail.len() + more, 0),
        }
    }

    fn shrink_to(&mut self, length: u32) {
        let length = length as usize;
        match &mut self.head {
            Head::Owned(all) => all.truncate(BINS_START as usize + length),
            #[cfg(feature = "mmap")]
            Head::Mapped(_, len) => {
                let head = length.min(*len as usize);
                *len = head as u32;
                self.tail.truncate(length - head);
            }
        }
    }

    // ---- what new keys inherit --------------------------------------------------------------------------------

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

    /// A record goes, and another may stand in its place soon.
    pub(crate) fn forget_heirs(&mut self) {
        self.heirs.clear();
    }

    // ---- protocol B ---------------------------------------------------------------------------------------------

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

    /// What protocol B has to do before [`settle`](Self::settle) changes the free cells.
    pub(crate) fn step_plan(&self) -> Option<StepPlan> {
        self.steps.as_ref().map(|steps| steps.plan(self.bins(), self.length_at_begin()))
    }
}

/// Where a field of a record stands in the bins.
fn position(cell: CellOffset, field: u32) -> u32 {
    cell.0.saturating_add(CELL_HEADER).saturating_add(field)
}
