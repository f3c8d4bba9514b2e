//! The search for keys: along the lists from the root, and, where lists or key nodes are broken, by what key nodes say
//! of their parents.

use std::collections::HashMap;

use super::{
    cells::{Cells, Opened},
    loss::{Draft, Fate, Losses},
};
use crate::{
    CellOffset, Defect, Structure,
    bytes::{u16_at, u32_at},
    format::{
        KeyFlags,
        key_node::{KEY_NODE_FIXED, field},
        subkeys_list::ListKind,
    },
    name::{Name, NameBuf, lh_hash, same},
    rebuild::tree::{Node, Text, Tree, offset_in},
};

/// Windows' own check gives up at 511 levels.
const MAX_DEPTH: u16 = 510;

/// Most units in a key's name.
const MAX_NAME: usize = 255;

/// The descriptor of a key that has none yet.
pub(super) const NO_DESCRIPTOR: u32 = u32::MAX;

/// What is known of a key beside what the tree needs.
pub(super) struct Found {
    pub(super) at: CellOffset,
    depth: u16,
    /// Its lists do not hold all that they should, or not certainly: keys that say they are below it may be.
    pub(super) deficient: bool,
    /// Its name is made up.
    pub(super) nameless: Option<Nameless>,
    /// There is no key node: the key stands for one that its subkeys speak of.
    pub(super) made: bool,
}

/// What is left of a name.
#[derive(Clone, Copy)]
pub(super) struct Nameless {
    /// The hash that a list holds.
    hash: Option<u32>,
}

/// Which name a hash may stand for.
enum Candidate {
    None,
    One(NameBuf),
    Several,
}

/// A key node that could be read.
struct Read<'a> {
    fixed: [u8; KEY_NODE_FIXED],
    name: Option<Text<'a>>,
    /// What is wrong with the name, if it was shortened.
    cut: bool,
    length: usize,
}

impl Read<'_> {
    fn parent(&self) -> CellOffset {
        offset_in(&self.fixed, field::PARENT)
    }
}

/// An element of a list.
#[derive(Clone, Copy)]
struct Element {
    /// The number of the key whose list it is.
    parent: u32,
    target: CellOffset,
    /// The hash of the name, if the list has hashes.
    hash: Option<u32>,
}

pub(super) struct Search<'a> {
    pub(super) cells: Cells<'a>,
    pub(super) tree: Tree<'a>,
    pub(super) found: Vec<Found>,
    pub(super) losses: Losses,
    /// The keys by their positions.
    numbers: HashMap<CellOffset, u32>,
    /// The first subkey of a key with a name of this hash.
    siblings: HashMap<(u32, u32), u32>,
    /// Keys whose lists have not been read.
    pending: Vec<u32>,
    /// Elements whose key names another parent.
    disputed: Vec<Element>,
    /// Keys whose lists turned out to be deficient.
    gaps: Vec<u32>,
    /// Elements that lead to no key node, by where they lead.
    dangling: HashMap<CellOffset, (Element, Defect)>,
    /// Where those lead that have not been looked at.
    holes: Vec<CellOffset>,
    /// Elements of lists that may still be looked at.
    budget: usize,
    /// How many leaves of versions below and from 1.5 on were met.
    pub(super) leaves: (u64, u64),
    pub(super) restored: u64,
}

impl<'a> Search<'a> {
    pub(super) fn new(cells: Cells<'a>) -> Self {
        let budget = cells.most() * 2;
        Self {
            cells,
            tree: Tree::default(),
            found: Vec::new(),
            losses: Losses::default(),
            numbers: HashMap::new(),
            siblings: HashMap::new(),
            pending: Vec::new(),
            disputed: Vec::new(),
            gaps: Vec::new(),
            dangling: HashMap::new(),
            holes: Vec::new(),
            budget,
            leaves: (0, 0),
            restored: 0,
        }
    }

    /// Finds all keys; `noted` is where the base block says the root is, which is certain if it is `sound`.
    pub(super) fn run(&mut self, noted: Option<CellOffset>, sound: bool) {
        self.find_root(noted, sound);
        self.follow_lists();
        let orphans = self.orphans();
        let mut families = orphans.as_slice();
        while self.adopt_below_deficient(&orphans)
            || self.stand_in_for_listed(&orphans)
            || self.stand_in_for_unknown(&mut families)
        {
            self.follow_lists();
        }
        self.report_dangling();
    }

    // ---- the root -----------------------------------------------------------------------------------------------

    fn find_root(&mut self, noted: Option<CellOffset>, sound: bool) {
        let usual = CellOffset(0x20);
        let marked = |search: &Self, at: CellOffset| {
            let read = search.read_node(at, None, None).ok()?;
            let flags = u16_at(&read.fixed, field::FLAGS as usize)?;
            KeyFlags::from_bits_retain(flags).contains(KeyFlags::HIVE_ENTRY).then_some((at, read))
        };
        let first = noted.unwrap_or(usual);
        let plain = |search: &Self| search.read_node(first, None, None).ok().map(|read| (first, read));
        let root = plain(self)
            .filter(|_| sound)
            .or_else(|| marked(self, first))
            .or_else(|| marked(self, usual))
            .or_else(|| self.cells.allocated(*b"nk").find_map(|at| marked(self, at)))
            // Roots that offreg.dll makes are not marked.
            .or_else(|| plain(self));
        if let Some((at, read)) = root {
            if noted.is_some_and(|noted| noted != at) {
                let why = "the base block does not name it";
                self.lose(Fate::Restored, Structure::KeyNode, at, Some(0), "the root", why);
            }
            self.accept(at, read, 0, None);
            return;
        }
        let why = "its key node cannot be found; keys that name it as their parent are below a new one";
        self.lose(Fate::Altered, Structure::KeyNode, first, None, "the root", why);
        self.make(first, 0, None);
        if let Some(node) = self.tree.keys.first_mut() {
            let flags = KeyFlags::HIVE_ENTRY | KeyFlags::NO_DELETE;
            put(&mut node.fixed, field::FLAGS, &flags.bits().to_le_bytes());
            node.name = Text::made("ROOT");
        }
        if let Some(found) = self.found.first_mut() {
            found.nameless = None;
        }
    }

    // ---- reading a key node -------------------------------------------------------------------------------------

    /// Reads the key node at an offset; `lister` is the key whose list leads there.
    fn read_node(&self, at: CellOffset, lister: Option<CellOffset>, hash: Option<u32>) -> Result<Read<'a>, Defect> {
        let Opened { cell, sized, .. } = self.cells.open(at)?;
        let payload = cell.payload;
        let Some((fixed, tail)) = payload.split_first_chunk::<KEY_NODE_FIXED>() else {
            let available = payload.len() as u64;
            return Err(Defect::Truncated { part: "fixed part", needed: KEY_NODE_FIXED as u64, available });
        };
        let length = u16_at(fixed, field::NAME_LENGTH as usize).map_or(0, usize::from);
        let compressed = u16_at(fixed, field::FLAGS as usize).is_some_and(|flags| flags & 0x20 != 0);
        let stored = tail.get(..length).filter(|name| name.len() > 1 || compressed && !name.is_empty());
        if !payload.starts_with(b"nk") {
            // Believed all the same if everything else is as it should be: it names the key that lists it as its
            // parent, and its name fills the cell.
            let exact = stored.is_some() && tail.len() - length < 8;
            if !(sized && exact && lister == Some(offset_in(fixed, field::PARENT))) {
                let mut found = [0; 4];
                found.iter_mut().zip(payload.iter().take(2)).for_each(|(to, from)| *to = *from);
                return Err(Defect::Signature { expected: "\"nk\"", found });
            }
        }
        if let Some(stored) = stored {
            let name = Name::new(stored, compressed);
            let most = if compressed { MAX_NAME } else { MAX_NAME * 2 };
            let cut = name.len() > MAX_NAME || (!compressed && length % 2 != 0);
            let name = Name::new(stored.get(..length.min(most)).unwrap_or(stored), compressed);
            return Ok(Read { fixed: *fixed, name: Some(Text::of(name)), cut, length: KEY_NODE_FIXED + length });
        }
        if !sized {
            return Err(Defect::Truncated { part: "name", needed: length as u64, available: tail.len() as u64 });
        }
        // The cell is as long as the name made it, to the next multiple of 8; the hash in the list tells which of the
        // lengths that come into question is the right one.
        let lengths = tail.len().saturating_sub(7)..=tail.len();
        let names = lengths.filter_map(|length| Some(Name::new(tail.get(..length)?, compressed)));
        let name = names.into_iter().find(|name| !name.is_empty() && hash == Some(lh_hash(name)));
        Ok(Read { fixed: *fixed, name: name.map(Text::of), cut: false, length: payload.len() })
    }

    /// Makes a key of a key node, if nothing else has its bytes; its number.
    fn accept(&mut self, at: CellOffset, read: Read<'a>, parent: u32, hash: Option<u32>) -> Option<u32> {
        let depth = self.depth_below(parent);
        if depth > MAX_DEPTH {
            let why = "lies more than 510 levels deep";
            self.lose(Fate::Lost, Structure::KeyNode, at, Some(parent), "a subkey", why);
            return None;
        }
        if !self.cells.take(at, read.length) {
            let why = "it shares bytes with something else";
            self.lose(Fate::Lost, Structure::KeyNode, at, Some(parent), "a subkey", why);
            return None;
        }
        let number = self.tree.keys.len() as u32;
        let nameless = read.name.is_none().then_some(Nameless { hash });
        if read.cut {
            self.lose(
                Fate::Altered,
                Structure::KeyNode,
                at,
                Some(number),
                "the name",
                "its length is not that of a name",
            );
        }
        if nameless.is_some() {
            let why = "its length is not that of a name";
            self.lose(Fate::Altered, Structure::KeyNode, at, Some(number), "the name", why);
        }
        let name = read.name.unwrap_or_else(|| self.made_name(at));
        self.add(at, Node { fixed: read.fixed, name, class: &[], parent, descriptor: NO_DESCRIPTOR }, depth);
        if let Some(found) = self.found.last_mut() {
            found.nameless = nameless;
        }
        self.pending.push(number);
        Some(number)
    }

    /// Adds a key that no key node is there for; its number.
    fn make(&mut self, at: CellOffset, parent: u32, hash: Option<u32>) -> Option<u32> {
        let depth = self.depth_below(parent);
        if depth > MAX_DEPTH {
            return None;
        }
        let number = self.tree.keys.len() as u32;
        let mut fixed = [0; KEY_NODE_FIXED];
        put(&mut fixed, field::PARENT, &CellOffset::NIL.0.to_le_bytes());
        // Its time is not known: that of its parent is not wrong by much.
        if let Some(above) = self.tree.keys.get(parent as usize) {
            let time =
                above.fixed.get(field::LAST_WRITTEN as usize..).and_then(|time| time.get(..8)).unwrap_or_default();
            put(&mut fixed, field::LAST_WRITTEN, time);
        }
        let name = self.made_name(at);
        self.add(at, Node { fixed, name, class: &[], parent, descriptor: NO_DESCRIPTOR }, depth);
        if let Some(found) = self.found.last_mut() {
            (found.made, found.nameless) = (true, Some(Nameless { hash }));
        }
        self.doubt(number);
        Some(number)
    }

    fn add(&mut self, at: CellOffset, node: Node<'a>, depth: u16) {
        let number = self.tree.keys.len() as u32;
        if number > 0 {
            self.siblings.entry((node.parent, lh_hash(&node.name.name()))).or_insert(number);
        }
        self.tree.keys.push(node);
        self.found.push(Found { at, depth, deficient: false, nameless: None, made: false });
        self.numbers.insert(at, number);
    }

    fn depth_below(&self, parent: u32) -> u16 {
        self.found.get(parent as usize).map_or(0, |found| found.depth + 1)
    }

    fn made_name(&self, at: CellOffset) -> Text<'a> {
        Text::made(format!("lost at {}", self.cells.ground().file_offset(at.0)).as_str())
    }

    // ---- along the lists ----------------------------------------------------------------------------------------

    fn follow_lists(&mut self) {
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
        match self.read_node(target, Some(lister), hash) {
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
        let Ok(read) = self.read_node(target, Some(lister), hash) else { return };
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

    fn doubt(&mut self, number: u32) {
        if let Some(found) = self.found.get_mut(number as usize).filter(|found| !found.deficient) {
            found.deficient = true;
            self.gaps.push(number);
        }
    }

    // ---- by what key nodes say of their parents -----------------------------------------------------------------

    /// Key nodes in allocated cells to which no list leads, sorted by the parent that they name.
    fn orphans(&self) -> Vec<(CellOffset, CellOffset)> {
        let key_nodes = self.cells.allocated(*b"nk").filter(|at| !self.numbers.contains_key(at));
        let mut orphans: Vec<_> = key_nodes
            .filter_map(|at| {
                Some((self.read_node(at, None, None).ok().filter(|read| read.name.is_some())?.parent(), at))
            })
            .collect();
        orphans.sort_unstable();
        orphans
    }

    /// Takes in the keys that say they are below one whose lists are broken. Others are not looked for: where lists are
    /// whole, key nodes that they do not hold are left over from keys that were deleted or renamed.
    fn adopt_below_deficient(&mut self, orphans: &[(CellOffset, CellOffset)]) -> bool {
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
        if let Ok(read) = self.read_node(at, None, None) {
            self.adopt(at, read, parent);
        }
    }

    /// Takes in a key that no list of its parent's holds, unless that has a subkey of this name already: then this is
    /// what a deleted or renamed key left behind.
    fn adopt(&mut self, at: CellOffset, read: Read<'a>, parent: u32) {
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
    fn stand_in_for_listed(&mut self, orphans: &[(CellOffset, CellOffset)]) -> bool {
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
    fn stand_in_for_unknown(&mut self, families: &mut &[(CellOffset, CellOffset)]) -> bool {
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
            && self.read_node(at, None, None).is_err()
    }

    /// Says which elements of lists lead nowhere.
    fn report_dangling(&mut self) {
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

    // ---- names --------------------------------------------------------------------------------------------------

    /// Gives back names that are lost where the hash in a list is that of one other name in the hive, and makes names of
    /// siblings differ.
    pub(super) fn settle_names(&mut self) {
        let nameless: Vec<(u32, u32)> =
            (0..).zip(&self.found).filter_map(|(number, found)| Some((number, found.nameless?.hash?))).collect();
        if !nameless.is_empty() {
            let mut names: HashMap<u32, Candidate> =
                nameless.iter().map(|(_, hash)| (*hash, Candidate::None)).collect();
            for (key, _) in self.tree.keys.iter().zip(&self.found).filter(|(_, found)| found.nameless.is_none()) {
                let name = key.name.name();
                let Some(candidate) = names.get_mut(&lh_hash(&name)) else { continue };
                match candidate {
                    Candidate::None => *candidate = Candidate::One(name.to_name_buf()),
                    Candidate::One(known) if !same(known, &name) => *candidate = Candidate::Several,
                    Candidate::One(_) | Candidate::Several => {}
                }
            }
            for (number, hash) in nameless {
                let (Some(Candidate::One(name)), Some(key)) =
                    (names.get(&hash), self.tree.keys.get_mut(number as usize))
                else {
                    continue;
                };
                // Not if it is a sibling's: then it is not this one's.
                if !self.siblings.contains_key(&(key.parent, hash)) {
                    key.name = Text::made(name);
                }
            }
        }
        self.part_siblings();
    }

    /// Of several subkeys with one name the first keeps it.
    fn part_siblings(&mut self) {
        let children = crate::rebuild::tree::Children::of(&self.tree);
        let mut again = Vec::new();
        for number in 0..self.tree.keys.len() as u32 {
            for pair in children.below(number).windows(2) {
                let [one, other] = *pair else { continue };
                let name = |at: u32| self.tree.keys.get(at as usize).map(|key| key.name.name());
                if let (Some(first), Some(second)) = (name(one), name(other)) {
                    if same(&first, &second) {
                        again.push(other);
                    }
                }
            }
        }
        for number in again {
            let (Some(key), Some(found)) = (self.tree.keys.get_mut(number as usize), self.found.get(number as usize))
            else {
                continue;
            };
            let at = found.at;
            let suffix = format!(" (at {})", self.cells.ground().file_offset(at.0));
            let old = key.name.name().to_name_buf();
            let kept = old.as_units().iter().take(MAX_NAME - suffix.len()).copied();
            key.name = Text::made(&NameBuf::from(kept.chain(suffix.encode_utf16()).collect::<Vec<u16>>()));
            let why = format!("a subkey called \"{old}\" comes before it");
            self.lose(Fate::Altered, Structure::KeyNode, at, Some(number), "the name", why);
        }
    }

    #[cold]
    pub(super) fn lose(
        &mut self,
        fate: Fate,
        structure: Structure,
        at: CellOffset,
        key: Option<u32>,
        what: impl Into<String>,
        why: impl Into<String>,
    ) {
        let offset = self.cells.ground().file_offset(at.0);
        self.losses.add(Draft { fate, structure, offset, key, what: what.into(), why: why.into() });
    }
}

/// Those of the orphans that name this parent.
fn below(orphans: &[(CellOffset, CellOffset)], parent: CellOffset) -> impl Iterator<Item = &CellOffset> {
    let first = orphans.partition_point(|(other, _)| *other < parent);
    orphans.iter().skip(first).take_while(move |(other, _)| *other == parent).map(|(_, at)| at)
}

fn put(fixed: &mut [u8; KEY_NODE_FIXED], at: u32, bytes: &[u8]) {
    for (to, from) in fixed.iter_mut().skip(at as usize).zip(bytes) {
        *to = *from;
    }
}
