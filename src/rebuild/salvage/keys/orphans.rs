//! Keys that no list leads to, found by what key nodes say of their parents.

use super::{
    Element, Search,
    node::{Read, read_node},
};
use crate::{
    CellOffset, Defect, Structure,
    name::{lh_hash, same},
    rebuild::salvage::loss::Fate,
};

impl<'a> Search<'a> {
    /// Key nodes in allocated cells to which no list leads, sorted by the parent that they name.
    pub(super) fn orphans(&self) -> Vec<(CellOffset, CellOffset)> {
        let key_nodes = self.cells.allocated(*b"nk").filter(|at| !self.numbers.contains_key(at));
        let mut orphans: Vec<_> = key_nodes
            .filter_map(|at| {
                Some((read_node(&self.cells, at, None, None).ok().filter(|read| read.name.is_some())?.parent(), at))
            })
            .collect();
        orphans.sort_unstable();
        orphans
    }

    /// Takes in the keys that say they are below one whose lists are broken. Others are not looked for: where lists are
    /// whole, key nodes that they do not hold are left over from keys that were deleted or renamed.
    pub(super) fn adopt_below_deficient(&mut self, orphans: &[(CellOffset, CellOffset)]) -> bool {
        let before = self.tree.keys.len();
        while let Some(number) = self.gaps.pop() {
            let Some(at) = self.found.get(number as usize).map(|found| found.at) else { continue };
            for orphan in below(orphans, at) {
                self.adopt_orphan(*orphan, number);
            }
        }
        self.tree.keys.len() > before
    }

    fn adopt_orphan(&mut self, at: CellOffset, parent: u32) {
        if !self.waits(at) {
            return;
        }
        if let Ok(read) = read_node(&self.cells, at, None, None) {
            self.adopt(at, read, parent);
        }
    }

    /// Takes in a key that no list of its parent's holds, unless that has a subkey of this name already: then this is
    /// what a deleted or renamed key left behind.
    pub(super) fn adopt(&mut self, at: CellOffset, read: Read<'a>, parent: u32) {
        if let Some(name) = &read.name {
            let twin = self.siblings.get(&(parent, lh_hash(&name.name())));
            if let Some(twin) = twin.and_then(|twin| self.tree.keys.get(*twin as usize)) {
                if same(&twin.name.name(), &name.name()) {
                    let (what, why) = (format!("a key \"{}\"", name.name()), "a subkey with this name is listed");
                    self.lose(Fate::Lost, Structure::KeyNode, at, Some(parent), what, why);
                    return;
                }
            }
        }
        if let Some(number) = self.accept(at, read, parent, None) {
            self.restored += 1;
            let why = "no list holds it; it names its parent itself";
            self.lose(Fate::Restored, Structure::KeyNode, at, Some(number), "the key", why);
        }
    }

    /// Makes keys in the place of destroyed ones that a list leads to and others name as their parents.
    pub(super) fn stand_in_for_listed(&mut self, orphans: &[(CellOffset, CellOffset)]) -> bool {
        let before = self.tree.keys.len();
        while let Some(hole) = self.holes.pop() {
            if self.numbers.contains_key(&hole) || !below(orphans, hole).any(|at| self.waits(*at)) {
                continue;
            }
            if let Some((Element { parent, hash, .. }, _)) = self.dangling.get(&hole) {
                let (parent, hash) = (*parent, *hash);
                self.make(hole, parent, hash);
            }
        }
        self.tree.keys.len() > before
    }

    /// Makes a key, below the root, in the place of the next destroyed one that others name as their parent and of which
    /// nothing else is known. One at a time: what it brings back may tell more about the others.
    pub(super) fn stand_in_for_unknown(&mut self, families: &mut &[(CellOffset, CellOffset)]) -> bool {
        while let Some((parent, _)) = families.first().copied() {
            let (family, rest) = families.split_at(families.partition_point(|(other, _)| *other == parent));
            *families = rest;
            let unknown = !self.numbers.contains_key(&parent) && family.iter().any(|(_, at)| self.waits(*at));
            if unknown && self.is_destroyed(parent) {
                let why = "neither its key node nor a list that it is in can be found; keys that name it as their parent are here";
                let made = self.make(parent, 0, None);
                self.lose(Fate::Altered, Structure::KeyNode, parent, made, "a key", why);
                return made.is_some();
            }
        }
        false
    }

    /// Whether a key node has no place in the result yet.
    fn waits(&self, at: CellOffset) -> bool {
        !self.numbers.contains_key(&at) && !self.cells.is_taken(at)
    }

    /// Whether there was a key node once that was not deleted but destroyed.
    fn is_destroyed(&self, at: CellOffset) -> bool {
        self.cells.is_damaged(at)
            && self.cells.open(at).err() != Some(Defect::Free)
            && read_node(&self.cells, at, None, None).is_err()
    }
}

/// Those of the orphans that name this parent.
fn below(orphans: &[(CellOffset, CellOffset)], parent: CellOffset) -> impl Iterator<Item = &CellOffset> {
    let first = orphans.partition_point(|(other, _)| *other < parent);
    orphans.iter().skip(first).take_while(move |(other, _)| *other == parent).map(|(_, at)| at)
}
