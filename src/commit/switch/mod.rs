//! Giving a boot store the bytes of another, without a log and whole at every instant.
//!
//! Where the root is stands in the base block, which is one sector. So all keys of the other store are written once more
//! behind the bins, and one sector makes them the store; what is before them is nobody's then and can be written in
//! peace, until one sector makes that the store.
//!
//! | | write, then make durable | what there is |
//! |---|---|---|
//! | 1 | logs neutralised | old |
//! | 2 | behind the bins: those that only the other store has, and all its keys once more | old: nothing points there |
//! | 3 | base block: the root of that copy, the new length | **new** |
//! | 4 | of each bin the size of its first cell: free up to the end | new: these bins are nobody's |
//! | 5 | everything else in them | new: in the bodies of free cells |
//! | 6 | the true sizes of those first cells | new: cells that nobody uses, which Windows tolerates |
//! | 7 | the other store's base block | new, its own bytes |
//! | 8 | the length of the file | new |
//!
//! If power fails, the same again from there ends as well.

use super::{
    HiveFile, Logs, Storage,
    logged::{neutralise, settle_number},
    read_all,
    recover::in_file,
};
use crate::{
    BINS_START, HiveView, Result,
    format::{
        base_block::{BaseBlock, SECTOR},
        cell::{CELL_HEADER, CellSize},
        hbin::{HBIN_HEADER, Hbin, MAX_BINS},
    },
    rebuild::copy_behind,
    tree::parse_base_block,
};

/// Makes the store in `storage` the one whose file is `wanted`, byte for byte but for its logs, which are neutralised.
/// False, and nothing is written, where one of them is no clean and sound boot store, or where the bins that both have
/// do not lie alike.
pub(crate) fn switch(storage: &mut dyn Storage, wanted: &[u8]) -> Result<bool> {
    let now = read_all(storage, HiveFile::Primary)?;
    let Some(plan) = Plan::of(&now, wanted)? else { return Ok(false) };
    let logs = Logs::read(storage)?;
    let mut base = plan.base.clone();
    neutralise(storage, &logs, HiveFile::Primary)?;
    let number = settle_number(storage, &logs, &mut base)? + 1;
    plan.write(storage, wanted, number)?;
    Ok(true)
}

/// Whether a file is a clean and sound boot store that holds what another does, wherever its records are: that is how
/// an interrupted switch to the other one leaves it.
pub(crate) fn holds_the_same(file: &[u8], other: &[u8]) -> bool {
    let content = |file| copy_behind(sound(file)?.1, 0).ok();
    content(file).is_some_and(|held| content(other) == Some(held))
}

struct Plan {
    /// The base block that is there.
    base: BaseBlock,
    /// The one in between, but for its numbers.
    between: BaseBlock,
    /// What comes behind the bins that are there.
    behind: Vec<u8>,
    /// Offset and size of the bins that both have.
    shared: Vec<(u32, u32)>,
    /// Length of the wanted bins.
    length: u32,
}

impl Plan {
    fn of(now: &[u8], wanted: &[u8]) -> Result<Option<Self>> {
        let (Some((base, _)), Some((theirs, view))) = (sound(now), sound(wanted)) else { return Ok(None) };
        let end = base.length.min(theirs.length);
        let shared = bins(now, end);
        if shared.is_none() || shared != bins(wanted, end) {
            return Ok(None);
        }
        let start = base.length.max(theirs.length);
        let (copy, root) = copy_behind(view, start)?;
        let length = start.saturating_add(copy.len() as u32);
        if length > MAX_BINS {
            return Ok(None);
        }
        let only_theirs = range(wanted, base.length, theirs.length);
        let behind = [only_theirs, &copy].concat();
        let wanted = theirs.length;
        let between = BaseBlock { root: root.0, length, ..theirs };
        Ok(Some(Self { base, between, behind, shared: shared.unwrap_or_default(), length: wanted }))
    }

    fn write(&self, storage: &mut dyn Storage, wanted: &[u8], number: u32) -> Result<()> {
        const FILE: HiveFile = HiveFile::Primary;
        storage.write(FILE, in_file(self.base.length), &self.behind)?;
        storage.sync(FILE)?;

        let between = BaseBlock { sequence1: number, sequence2: number, ..self.between.clone() };
        storage.write(FILE, 0, &between.encode())?;
        storage.sync(FILE)?;

        for (at, size) in &self.shared {
            let whole = CellSize { size: size - HBIN_HEADER, allocated: false };
            storage.write(FILE, in_file(at + HBIN_HEADER), &whole.encode())?;
        }
        storage.sync(FILE)?;

        for (at, size) in &self.shared {
            let first = at + HBIN_HEADER;
            let body = first + CELL_HEADER;
            storage.write(FILE, in_file(*at), range(wanted, *at, first))?;
            storage.write(FILE, in_file(body), range(wanted, body, at + size))?;
        }
        // Of the first page the rest, which means nothing.
        let rest = wanted.get(SECTOR..BINS_START as usize).unwrap_or_default();
        storage.write(FILE, SECTOR as u64, rest)?;
        storage.sync(FILE)?;

        for (at, _) in &self.shared {
            let first = at + HBIN_HEADER;
            storage.write(FILE, in_file(first), range(wanted, first, first + CELL_HEADER))?;
        }
        storage.sync(FILE)?;

        storage.write(FILE, 0, wanted.get(..SECTOR).unwrap_or_default())?;
        storage.sync(FILE)?;

        let end = in_file(self.length);
        storage.write(FILE, end, wanted.get(end as usize..).unwrap_or_default())?;
        storage.set_len(FILE, wanted.len() as u64)?;
        storage.sync(FILE)?;
        if read_all(storage, FILE)? == wanted {
            Ok(())
        } else {
            Err(std::io::Error::other("the disk returned other bytes").into())
        }
    }
}

/// The base block and contents of a clean boot store in which nothing is wrong that Windows would mind.
fn sound(file: &[u8]) -> Option<(BaseBlock, HiveView<'_>)> {
    let base = parse_base_block(file).ok().filter(BaseBlock::is_clean)?;
    let view = HiveView::parse(file).ok().filter(|view| !view.is_layered() && view.is_boot_store())?;
    view.check().editable().then_some((base, view))
}

/// Offset and size of the bins before `end`, where one ends there.
fn bins(file: &[u8], end: u32) -> Option<Vec<(u32, u32)>> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < end {
        let bin = Hbin::parse(range(file, at, at + HBIN_HEADER), at, end - at).ok()?;
        found.push((at, bin.size));
        at += bin.size;
    }
    Some(found)
}

/// Bytes of the bins in a file.
fn range(file: &[u8], start: u32, end: u32) -> &[u8] {
    file.get(in_file(start) as usize..in_file(end) as usize).unwrap_or_default()
}

#[cfg(test)]
mod tests;
