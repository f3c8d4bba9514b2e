//! The search for keys: along the lists from the root, and, where lists or key nodes are broken, by what key nodes say
//! of their parents.

mod lists;
mod names;
mod node;
mod orphans;

use std::collections::HashMap;

use self::node::{Read, read_node};
use super::{
    cells::Cells,
    loss::{Draft, Fate, Losses},
};
use crate::{
    CellOffset, Defect, Structure,
    bytes::u16_at,
    format::{
        KeyFlags,
        key_node::{KEY_NODE_FIXED, field},
    },
    name::lh_hash,
    rebuild::tree::{Node, Text, Tree},
};

/// The search, and what it has found so far.
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

/// What is known of a key beside what the tree needs.
pub(super) struct Found {
    pub(super) at: CellOffset,
    depth: u16,
    /// Its lists do not hold all that they should, or not certainly: keys that say they are below it may be.
    pub(super) deficient: bool,
    /// Its name is made up.
    nameless: Option<Nameless>,
    /// There is no key node: the key stands for one that its subkeys speak of.
    pub(super) made: bool,
}

/// What is left of a name.
#[derive(Clone, Copy)]
struct Nameless {
    /// The hash that a list holds.
    hash: Option<u32>,
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

/// Windows' own check gives up at 511 levels.
const MAX_DEPTH: u16 = 510;

/// Most units in a key's name.
const MAX_NAME: usize = 255;

/// The descriptor of a key that has none yet.
const NO_DESCRIPTOR: u32 = u32::MAX;

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
            let read = read_node(&search.cells, at, None, None).ok()?;
            let flags = u16_at(&read.fixed, field::FLAGS as usize)?;
            KeyFlags::from_bits_retain(flags).contains(KeyFlags::HIVE_ENTRY).then_some((at, read))
        };
        let first = noted.unwrap_or(usual);
        let plain = |search: &Self| read_node(&search.cells, first, None, None).ok().map(|read| (first, read));
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

    // ---- taking keys in -----------------------------------------------------------------------------------------

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

    /// Notes that the lists of a key do not hold all that they should.
    fn doubt(&mut self, number: u32) {
        if let Some(found) = self.found.get_mut(number as usize).filter(|found| !found.deficient) {
            found.deficient = true;
            self.gaps.push(number);
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

fn put(fixed: &mut [u8; KEY_NODE_FIXED], at: u32, bytes: &[u8]) {
    for (to, from) in fixed.iter_mut().skip(at as usize).zip(bytes) {
        *to = *from;
    }
}
