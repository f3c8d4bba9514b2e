//! Subkeys lists (rules L): what a key's lists hold, and whether a name can be found in them.

use std::{cmp::Ordering, fmt};

use super::{Checker, Rule, ahead, map::Claim, names};
use crate::{
    CellOffset, Defect, Structure,
    format::{
        key_node::KeyNode,
        subkeys_list::{ListKind, SubkeysList},
    },
    name::{KeyPath, Name, NameBuf, Units, lf_hint},
};

/// A key whose list is being walked.
pub(super) struct Level<'a> {
    node: KeyNode<'a>,
    name: Name<'a>,
    /// The `ri`, and the number of its next leaf.
    index: Option<(SubkeysList<'a>, usize)>,
    leaf: Option<SubkeysList<'a>>,
    next: usize,
    /// The kind of the first leaf.
    kind: Option<ListKind>,
    previous: Option<Name<'a>>,
    listed: u64,
    /// A leaf could not be read: its elements are missing from `listed`.
    partial: bool,
    largest_name: u32,
    largest_class: u32,
}

impl<'a> Level<'a> {
    /// The walk came by a subkey.
    pub(super) fn passed(&mut self, child: KeyNode<'a>, name: Name<'a>) {
        self.previous = Some(name);
        self.largest_name = self.largest_name.max(name.len() as u32 * 2);
        self.largest_class = self.largest_class.max(child.class_length().into());
    }
}

/// An element of a leaf, and what it takes to judge it.
pub(super) struct Element<'a> {
    pub(super) target: CellOffset,
    pub(super) parent: CellOffset,
    pub(super) leaf: CellOffset,
    kind: ListKind,
    tag: u32,
    previous: Option<Name<'a>>,
}

/// The way to a key: the keys above it, and its own name unless that cannot be read.
pub(super) struct Way<'s, 'a> {
    pub(super) above: &'s [Level<'a>],
    pub(super) name: Option<Name<'a>>,
}

impl Way<'_, '_> {
    /// The path; without the key's own name it is that of its parent.
    pub(super) fn path(&self) -> KeyPath {
        // The root's name is no part of a path.
        let own = self.name.filter(|_| !self.above.is_empty());
        self.above.iter().skip(1).map(|level| level.name).chain(own).map(NameBuf::from).collect()
    }
}

impl<'a> Checker<'a> {
    /// Begins with the list of a key, if it has subkeys and the list can be read.
    pub(super) fn open_list(&mut self, node: KeyNode<'a>, name: Name<'a>, way: &Way<'_, 'a>) -> Option<Level<'a>> {
        let at = node.subkeys_list();
        if node.subkey_count() == 0 {
            if !at.is_nil() {
                let message = format!("counts no subkeys, subkeys list is {at:?}");
                self.say(Rule::K10, Structure::KeyNode, node.offset(), Some(way), message);
            }
            return None;
        }
        let list = self.read_list(at, (Rule::L1, Rule::L2), way)?;
        let mut level = Level {
            node,
            name,
            index: None,
            leaf: None,
            next: 0,
            kind: None,
            previous: None,
            listed: 0,
            partial: false,
            largest_name: 0,
            largest_class: 0,
        };
        if list.kind == ListKind::Ri {
            level.index = Some((list, 0));
        } else {
            self.enter_leaf(&mut level, list, way);
        }
        Some(level)
    }

    /// The list at `at`; `rules` are those for a missing cell and for a wrong signature.
    fn read_list(&mut self, at: CellOffset, rules: (Rule, Rule), way: &Way<'_, 'a>) -> Option<SubkeysList<'a>> {
        let problem = match self.map.claim(at) {
            Claim::First => match self.hive.cell(at).and_then(SubkeysList::parse) {
                Ok(list) if list.len() == 0 => {
                    (Rule::L8, at, Defect::Field { field: "count", expected: "1 or more", found: 0 })
                }
                Ok(list) => return Some(list),
                Err(error) if matches!(error.defect, Defect::Signature { .. }) => (rules.1, at, error.defect),
                Err(error) => (Rule::L7, at, error.defect),
            },
            Claim::Again => {
                self.cut = true;
                self.say_listed_twice(at, Structure::SubkeysList, way);
                return None;
            }
            Claim::Nothing => {
                self.cut = true;
                let message = format!("list is {at:?}, which is no allocated cell");
                self.say(rules.0, Structure::SubkeysList, at, Some(way), message);
                return None;
            }
        };
        self.cut = true;
        let (rule, at, defect) = problem;
        self.say(rule, Structure::SubkeysList, at, Some(way), format_args!("{defect}"));
        None
    }

    /// Judges a leaf as a whole and makes it the next to be walked.
    fn enter_leaf(&mut self, level: &mut Level<'a>, leaf: SubkeysList<'a>, way: &Way<'_, 'a>) {
        let (kind, minor) = (leaf.kind, self.hive.minor_version());
        if leaf.len() > kind.capacity() {
            let message = format!("has {} elements, expected at most {}", leaf.len(), kind.capacity());
            self.list(Rule::L12, leaf.offset(), way, message);
        }
        let first = *level.kind.get_or_insert(kind);
        // Windows chooses the size of an element by the version when it splits a leaf, not by the signature.
        if first != kind || (kind == ListKind::Lh) != (minor >= 5) {
            let found = kind.signature();
            let message =
                format!("is \"{}\", which does not go with version 1.{minor} and the first leaf", found.escape_ascii());
            self.list(Rule::L11, leaf.offset(), way, message);
        }
        level.listed += leaf.len() as u64;
        level.leaf = Some(leaf);
        level.next = 0;
    }

    /// The next element of a key's leaves.
    #[inline]
    pub(super) fn next_element(&mut self, level: &mut Level<'a>, above: &[Level<'a>]) -> Option<Element<'a>> {
        loop {
            if let Some(leaf) = level.leaf {
                ahead::read(self.hive, leaf, level.next);
                if let (Some(target), Some(tag)) = (leaf.target(level.next), leaf.tag(level.next)) {
                    level.next += 1;
                    return Some(Element {
                        target,
                        parent: level.node.offset(),
                        leaf: leaf.offset(),
                        kind: leaf.kind,
                        tag,
                        previous: level.previous,
                    });
                }
                level.leaf = None;
            }
            let (index, next) = level.index.as_mut()?;
            let target = index.target(*next)?;
            *next += 1;
            let way = Way { above, name: Some(level.name) };
            match self.read_list(target, (Rule::L4, Rule::L5), &way) {
                Some(list) if list.kind == ListKind::Ri => {
                    self.cut = true;
                    level.partial = true;
                    let message = "is an \"ri\" within an \"ri\", expected a leaf";
                    self.list(Rule::L5, target, &way, message);
                }
                Some(leaf) => self.enter_leaf(level, leaf, &way),
                None => level.partial = true,
            }
        }
    }

    /// Judges how an element describes its key, and where among its siblings it stands.
    #[inline]
    pub(super) fn check_element(&mut self, element: &Element<'a>, name: Name<'a>, way: &Way<'_, 'a>) {
        let (tag, leaf) = (element.tag, element.leaf);
        match element.kind {
            ListKind::Lh => {
                let expected = names::hash(name);
                if tag != expected {
                    let message = format!(
                        "hash of \"{name}\" is {tag:#x}, expected {expected:#x} (the key cannot be found by name)"
                    );
                    self.list(Rule::L9, leaf, way, message);
                }
            }
            ListKind::Lf => {
                let hint = lf_hint(&name);
                let expected = u32::from_le_bytes(hint);
                // No hint at all is right where one of the first four units has none.
                if tag != expected && (tag != 0 || name.units().take(4).all(|unit| unit <= 0xff)) {
                    let found = tag.to_le_bytes();
                    let message = format!(
                        "hint of \"{name}\" is \"{}\", expected \"{}\" (the key cannot be found by name)",
                        found.escape_ascii(),
                        hint.escape_ascii()
                    );
                    self.list(Rule::L9, leaf, way, message);
                }
            }
            ListKind::Li | ListKind::Ri => {}
        }
        if let Some(previous) = element.previous {
            match names::order(previous, name) {
                Ordering::Less => {}
                Ordering::Equal => self.list(Rule::L10, leaf, way, format_args!("\"{name}\" is listed twice")),
                Ordering::Greater => {
                    let message = format!("\"{name}\" stands behind \"{previous}\", expected before it");
                    self.list(Rule::L10, leaf, way, message);
                }
            }
        }
    }

    /// Judges what a key says about all its subkeys, after they went by.
    pub(super) fn close_list(&mut self, level: &Level<'a>, above: &[Level<'a>]) {
        let way = Way { above, name: Some(level.name) };
        let node = level.node;
        let counted = node.subkey_count();
        if level.listed != u64::from(counted) && !level.partial {
            let rule = if level.index.is_some() { Rule::L6 } else { Rule::L3 };
            let message = format!("counts {counted} subkeys, {} are listed", level.listed);
            self.say(rule, Structure::KeyNode, node.offset(), Some(&way), message);
        }
        let noted = u32::from(node.largest_subkey_name());
        if level.largest_name > noted {
            self.too_small(node, "largest subkey name", noted, level.largest_name, &way);
        }
        let noted = node.largest_subkey_class();
        if level.largest_class > noted {
            self.too_small(node, "largest subkey class name", noted, level.largest_class, &way);
        }
    }

    /// Two references to a cell: a list or a key that is listed twice would be walked twice, perhaps for ever.
    #[cold]
    pub(super) fn say_listed_twice(&mut self, at: CellOffset, structure: Structure, way: &Way<'_, 'a>) {
        let signature = self.hive.cell(at).ok().and_then(|cell| cell.payload.get(..2)).unwrap_or_default();
        let same_kind = match structure {
            Structure::KeyNode => signature == b"nk",
            _ => matches!(signature, b"li" | b"lf" | b"lh" | b"ri"),
        };
        if !same_kind {
            return self.say_twice(at, way);
        }
        self.say(Rule::L13, structure, at, Some(way), format_args!("is listed elsewhere too"));
    }

    #[cold]
    fn list(&mut self, rule: Rule, at: CellOffset, way: &Way<'_, 'a>, message: impl fmt::Display) {
        self.say(rule, Structure::SubkeysList, at, Some(way), message);
    }
}
