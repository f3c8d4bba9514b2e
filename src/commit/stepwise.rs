//! Committing where there is no log to rely on (BCD stores, which boot code reads; hives of unknown systems): the hive
//! is clean and whole at every instant.
//!
//! | step | write, then make durable | then |
//! |---|---|---|
//! | 1 | logs neutralised | old |
//! | 2 | new cells, inside the bodies of free cells and in bins behind the end; numbers that may be too high, raised | old: nothing points there |
//! | 3 | base block with new length and number; headers of the free cells that were used | old, with allocated cells that nobody uses, which Windows tolerates |
//! | 4 | one change after the other: bytes inside one sector each | the first *k* changes |
//! | 5 | cells that are no longer used set free, numbers lowered, time stamps | new |
//!
//! A disk writes a sector of 512 bytes whole or not at all; within a step the order of sectors does not matter.

use std::collections::BTreeMap;

use super::{
    CommitReport, HiveFile, Outcome, Protocol, Storage,
    error::Step,
    logged::{neutralise, settle_number},
    logs::Logs,
};
use crate::{
    BINS_START, CommitError, Error, Result,
    format::{
        base_block::{BaseBlock, SECTOR},
        hbin::PAGE,
    },
    image::{
        Image,
        steps::{Patch, StepPlan},
    },
};

/// Commits the image's transaction; its steps must be recorded.
pub(crate) fn commit(image: &mut Image, storage: &mut dyn Storage, logs: &Logs) -> Result<CommitReport> {
    let Some(plan) = image.step_plan() else { return Err(Error::Poisoned) };
    image.settle()?;
    Ok(write(image, &plan, storage, logs)?)
}

fn write(
    image: &mut Image,
    plan: &StepPlan,
    storage: &mut dyn Storage,
    logs: &Logs,
) -> Result<CommitReport, CommitError> {
    let old_length = image.length_at_begin();
    let mut base = image.base_at_begin();
    neutralise(storage, logs, HiveFile::Primary)?;
    let number = settle_number(storage, logs, &mut base)?;

    let mut disk = Disk::new(image, storage, old_length);
    let step = "writing new cells";
    let length = u64::from(BINS_START) + u64::from(image.len());
    if disk.storage.len(HiveFile::Primary).step(step, Outcome::Old)?.unwrap_or(0) < length {
        disk.storage.set_len(HiveFile::Primary, length).step(step, Outcome::Old)?;
    }
    for (at, bytes) in &plan.regions {
        // The header of a free cell keeps what follows invisible; behind the end of the bins everything is.
        let hidden = if *at < old_length { 4 } else { 0 };
        disk.fill(at + hidden, bytes.get(hidden as usize..).unwrap_or_default(), step, Outcome::Old)?;
    }
    for (at, bytes) in &plan.raised {
        disk.raise(*at, bytes, step, Outcome::Old)?;
    }
    disk.sync(step, Outcome::Old)?;

    let step = "making new cells part of the hive";
    let clean = number + 1;
    let base = BaseBlock { sequence1: clean, sequence2: clean, length: image.len(), ..base };
    disk.storage.write(HiveFile::Primary, 0, &base.encode()).step(step, Outcome::Old)?;
    for (at, bytes) in plan.regions.iter().filter(|(at, _)| *at < old_length) {
        disk.patch(*at, bytes.get(..4).unwrap_or_default(), step, Outcome::Old)?;
    }
    disk.sync(step, Outcome::Old)?;

    for flip in &plan.flips {
        let (step, outcome) = ("making a change visible", Outcome::Prefix(flip.after));
        if let Some((at, bytes)) = flip_as_one(&flip.patches, &disk) {
            disk.patch(at, &bytes, step, outcome)?;
        }
        disk.sync(step, outcome)?;
    }

    let step = "setting unused cells free";
    let outcome = Outcome::Prefix(plan.changes);
    let pages = disk.pages.len() as u32;
    for at in disk.pages.keys().copied().collect::<Vec<_>>() {
        let wanted = image.page(at).unwrap_or_default().to_vec();
        disk.patch_words(at * PAGE, &wanted, step, outcome)?;
    }
    disk.sync(step, outcome)?;
    disk.verify(&base, image, outcome)?;
    *image.base_mut() = BaseBlock::decode(&base.encode());
    Ok(CommitReport { protocol: Protocol::Stepwise, pages, sequence: clean })
}

/// The patches of a flip as a single write from the first changed byte to the last: all inside one sector.
fn flip_as_one(flip: &[Patch], disk: &Disk<'_>) -> Option<Patch> {
    let start = flip.iter().map(|(at, _)| *at).min()?;
    let end = flip.iter().map(|(at, bytes)| at + bytes.len() as u32).max()?;
    let mut bytes = disk.bytes(start, (end - start) as usize);
    for (at, patch) in flip {
        let from = (at - start) as usize;
        if let Some(to) = bytes.get_mut(from..from + patch.len()) {
            to.copy_from_slice(patch);
        }
    }
    Some((start, bytes))
}

/// The touched pages as they are on disk, so that every write is known to change what it should and nothing else.
struct Disk<'a> {
    storage: &'a mut dyn Storage,
    pages: BTreeMap<u32, Vec<u8>>,
    /// Length of the bins before: of what lies behind, the file may hold anything.
    old_length: u32,
}

impl<'a> Disk<'a> {
    fn new(image: &Image, storage: &'a mut dyn Storage, old_length: u32) -> Self {
        let pages = image
            .touched_pages()
            .into_iter()
            .map(|page| {
                // Bins that are new have been nothing before.
                let before = image.page_at_begin(page).filter(|_| page < old_length / PAGE);
                (page, before.map_or_else(|| vec![0; PAGE as usize], <[u8]>::to_vec))
            })
            .collect();
        Self { storage, pages, old_length }
    }

    fn bytes(&self, at: u32, len: usize) -> Vec<u8> {
        (at..at + len as u32)
            .map(|at| {
                self.pages.get(&(at / PAGE)).and_then(|page| page.get((at % PAGE) as usize)).copied().unwrap_or(0)
            })
            .collect()
    }

    /// Writes bytes that may span sectors.
    fn patch(&mut self, at: u32, bytes: &[u8], step: &'static str, outcome: Outcome) -> Result<(), CommitError> {
        let mut at = at;
        let mut rest = bytes;
        let whole = (at, bytes);
        while !rest.is_empty() {
            let room = (PAGE - at % PAGE) as usize;
            let (part, behind) = rest.split_at(rest.len().min(room));
            let page = self.pages.get_mut(&(at / PAGE)).and_then(|page| {
                let from = (at % PAGE) as usize;
                page.get_mut(from..from + part.len())
            });
            match page {
                Some(page) => page.copy_from_slice(part),
                None => {
                    return Err(std::io::Error::other("a change lies outside the pages it touched"))
                        .step(step, outcome);
                }
            }
            at += part.len() as u32;
            rest = behind;
        }
        let (at, bytes) = whole;
        self.storage.write(HiveFile::Primary, u64::from(BINS_START) + u64::from(at), bytes).step(step, outcome)
    }

    /// Writes what was free space, page by page. What was left over of a long free cell may reach into pages that
    /// nobody touched: there the disk has these bytes already.
    fn fill(&mut self, at: u32, bytes: &[u8], step: &'static str, outcome: Outcome) -> Result<(), CommitError> {
        let (mut at, mut rest) = (at, bytes);
        while !rest.is_empty() {
            let (part, behind) = rest.split_at(rest.len().min((PAGE - at % PAGE) as usize));
            let unknown = at >= self.old_length;
            if unknown || (self.pages.contains_key(&(at / PAGE)) && self.bytes(at, part.len()) != part) {
                self.patch(at, part, step, outcome)?;
            }
            at += part.len() as u32;
            rest = behind;
        }
        Ok(())
    }

    /// Writes a little-endian number unless the one that stands there is as high: an edit may have lowered a number
    /// before it raised it, and until that edit is visible the old one holds.
    fn raise(&mut self, at: u32, bytes: &[u8], step: &'static str, outcome: Outcome) -> Result<(), CommitError> {
        let before = self.bytes(at, bytes.len());
        if before.iter().rev().lt(bytes.iter().rev()) { self.patch(at, bytes, step, outcome) } else { Ok(()) }
    }

    /// Brings a page to its final bytes, writing only the runs of four-byte words that differ, none across a sector.
    fn patch_words(&mut self, at: u32, wanted: &[u8], step: &'static str, outcome: Outcome) -> Result<(), CommitError> {
        let now = self.bytes(at, wanted.len());
        let mut runs: Vec<(usize, usize)> = Vec::new();
        for (word, (old, new)) in now.chunks(4).zip(wanted.chunks(4)).enumerate() {
            if old == new {
                continue;
            }
            let from = word * 4;
            match runs.last_mut() {
                Some((_, end)) if *end == from && from % SECTOR != 0 => *end = from + new.len(),
                _ => runs.push((from, from + new.len())),
            }
        }
        for (from, end) in runs {
            let bytes = wanted.get(from..end).unwrap_or_default();
            self.patch(at + from as u32, bytes, step, outcome)?;
        }
        Ok(())
    }

    fn sync(&mut self, step: &'static str, outcome: Outcome) -> Result<(), CommitError> {
        self.storage.sync(HiveFile::Primary).step(step, outcome)
    }

    /// Reads back what was written.
    fn verify(&mut self, base: &BaseBlock, image: &Image, outcome: Outcome) -> Result<(), CommitError> {
        const STEP: &str = "reading the changes back";
        let mut sector = [0; SECTOR];
        self.storage.read(HiveFile::Primary, 0, &mut sector).step(STEP, outcome)?;
        let mut same = sector == base.encode();
        for page in self.pages.keys() {
            let mut found = vec![0; PAGE as usize];
            let at = u64::from(BINS_START) + u64::from(page * PAGE);
            self.storage.read(HiveFile::Primary, at, &mut found).step(STEP, outcome)?;
            same &= image.page(*page).is_some_and(|wanted| wanted == found);
        }
        if same { Ok(()) } else { Err(std::io::Error::other("the disk returned other bytes")).step(STEP, outcome) }
    }
}
