//! Along the lists of subkeys, from the root down.

use super::{Element, Search, node::read_node};
use crate::{
    CellOffset, Defect, Structure,
    bytes::{u16_at, u32_at},
    format::{key_node::field, subkeys_list::ListKind},
    rebuild::{
        salvage::{cells::Opened, loss::Fate},
        tree::offset_in,
    },
};

impl<'a> Search<'a> {
    pub(super) fn follow_lists(&mut self) {
        loop {
            while let Some(number) = self.pending.pop() {
                self.read_lists(number);
            }
            // Only now is it known what else a key could be below.
            let Some(element) = self.disputed.pop() else { break };
            self.settle(element);
        }
    }

    fn read_lists(&mut self, number: u32) {
        let Some(node) = self.tree.keys.get(number as usize) else { return };
        let count = u32_at(&node.fixed, field::SUBKEY_COUNT as usize).unwrap_or_default();
        let list = offset_in(&node.fixed, field::SUBKEYS_LIST);
        if count == 0 && list.is_nil() {
            return;
        }
        // A key that counts no subkeys and has a list: what that holds is believed if it says so, too.
        let counted = count > 0;
        let mut listed = 0;
        let mut waiting = vec![list];
        let mut broken = None;
        while let Some(at) = waiting.pop() {
            let (kind, elements) = match self.read_list(at) {
                Ok(list) => list,
                Err(defect) => {
                    broken.get_or_insert((at, defect));
                    continue;
                }
            };
            let size = kind.element() as usize;
            let target = |element: &[u8]| u32_at(element, 0).map_or(CellOffset::NIL, CellOffset);
            if kind == ListKind::Ri {
                waiting.extend(elements.chunks_exact(size).rev().map(target));
                continue;
            }
            let votes = if kind == ListKind::Lh { &mut self.leaves.1 } else { &mut self.leaves.0 };
            *votes += 1;
            for element in elements.chunks_exact(size) {
                let hash = (kind == ListKind::Lh).then(|| u32_at(element, 4)).flatten();
                listed += u32::from(self.element(Element { parent: number, target: target(element), hash }, counted));
            }
        }
        if let (Some((at, defect)), true) = (broken, counted) {
            let why = format!("{defect}; subkeys are found by what they say of their parent");
            self.lose(Fate::Altered, Structure::SubkeysList, at, Some(number), "a list of subkeys", why);
        }
        if listed < count || broken.is_some() {
            self.doubt(number);
        }
    }

    /// A list's kind and elements, as many as fit its cell. Each list is read once.
    fn read_list(&mut self, at: CellOffset) -> Result<(ListKind, &'a [u8]), Defect> {
        let Opened { cell, .. } = self.cells.open(at)?;
        let kind = match cell.payload.get(..2) {
            Some(b"lh") => ListKind::Lh,
            Some(b"lf") => ListKind::Lf,
            Some(b"li") => ListKind::Li,
            Some(b"ri") => ListKind::Ri,
            other => {
                let mut found = [0; 4];
                found.iter_mut().zip(other.unwrap_or_default()).for_each(|(to, from)| *to = *from);
                return Err(Defect::Signature { expected: "\"li\", \"lf\", \"lh\" or \"ri\"", found });
            }
        };
        let count = u16_at(cell.payload, 2).map_or(0, usize::from);
        let size = kind.element() as usize;
        let room = cell.payload.get(4..).unwrap_or_default();
        let elements = room.get(..(count * size).min(room.len() / size * size)).unwrap_or(room);
        self.budget = self.budget.checked_sub(1 + elements.len() / size).ok_or(Defect::Cycle)?;
        if !self.cells.take(at, 4 + elements.len()) {
            return Err(Defect::Cycle);
        }
        Ok((kind, elements))
    }

    /// Looks at an element of a list; whether it leads to a key that is, or may become, its key's subkey.
    fn element(&mut self, element: Element, counted: bool) -> bool {
        let Element { parent, target, hash } = element;
        let Some(lister) = self.found.get(parent as usize).map(|found| found.at) else { return false };
        if let Some(known) = self.numbers.get(&target) {
            let is_there = self.tree.keys.get(*known as usize).is_some_and(|key| key.parent == parent);
            if counted && !is_there {
                let why = "it is a subkey of another key already";
                self.lose(Fate::Altered, Structure::SubkeysList, target, Some(parent), "an element of a list", why);
            }
            return false;
        }
        match read_node(&self.cells, target, Some(lister), hash) {
            Ok(read) if read.parent() == lister => self.accept(target, read, parent, hash).is_some(),
            Ok(_) if counted => {
                self.disputed.push(element);
                true
            }
            Ok(_) => false,
            Err(defect) => {
                if counted {
                    self.doubt(parent);
                    self.dangling.entry(target).or_insert((element, defect));
                    self.holes.push(target);
                }
                false
            }
        }
    }

    /// Decides about a key that is in the list of one key and names another as its parent.
    fn settle(&mut self, element: Element) {
        let Element { parent, target, hash } = element;
        let Some(lister) = self.found.get(parent as usize).map(|found| found.at) else { return };
        if self.numbers.contains_key(&target) {
            let why = "it is a subkey of another key already";
            self.lose(Fate::Altered, Structure::SubkeysList, target, Some(parent), "an element of a list", why);
            self.doubt(parent);
            return;
        }
        let Ok(read) = read_node(&self.cells, target, Some(lister), hash) else { return };
        let named = self.numbers.get(&read.parent()).copied();
        let deficient = |number: &u32| self.found.get(*number as usize).is_some_and(|found| found.deficient);
        match named.filter(deficient) {
            // Two witnesses: what the key says, and the gap in that parent's lists.
            Some(named) => {
                self.doubt(parent);
                self.adopt(target, read, named);
            }
            // As Windows does: the list is right.
            None => {
                self.accept(target, read, parent, hash);
            }
        }
    }

    /// Says which elements of lists lead nowhere.
    pub(super) fn report_dangling(&mut self) {
        let mut dangling: Vec<_> = std::mem::take(&mut self.dangling).into_iter().collect();
        dangling.sort_unstable_by_key(|(at, _)| *at);
        for (at, (element, defect)) in dangling {
            let made = self.numbers.get(&at).copied();
            let why = defect.to_string();
            match made {
                Some(number) => {
                    let what = "values, class name and descriptor";
                    self.lose(Fate::Lost, Structure::KeyNode, at, Some(number), what, why);
                }
                None => self.lose(Fate::Lost, Structure::KeyNode, at, Some(element.parent), "a subkey", why),
            }
        }
    }
}
