//! Keys (rules K): the walk over the tree, and each key node by itself.

use super::{
    Checker, Rule, Severity,
    lists::{Element, Level, Way},
    map::Claim,
    names,
};
use crate::{
    CellOffset, Structure,
    bytes::u32_at,
    format::{
        KeyFlags,
        key_node::{KEY_NODE_FIXED, KeyNode, MAX_KEY_NODE},
    },
    name::Name,
};

/// Windows' own check gives up at 511 levels.
const MAX_DEPTH: usize = 510;

/// Most units in a key's name.
const MAX_KEY_NAME: usize = 255;

impl<'a> Checker<'a> {
    /// Judges every key that the root leads to, depth first.
    pub(super) fn check_tree(&mut self) {
        let Some(root) = self.find_root() else {
            self.cut = true;
            return;
        };
        self.check_ring(root.security());
        let mut levels: Vec<Level<'a>> = Vec::new();
        let way = Way { above: &levels, name: None };
        self.check_root(root, &way);
        self.check_key(root, &way);
        let level = self.open_list(root, Name::Latin1(&[]), &way);
        levels.extend(level);
        while let Some((level, above)) = levels.split_last_mut() {
            let Some(element) = self.next_element(level, above) else {
                self.close_list(level, above);
                levels.pop();
                continue;
            };
            let Some((child, name)) = self.check_child(&element, &levels) else { continue };
            if let Some(level) = levels.last_mut() {
                level.passed(child, name);
            }
            let way = Way { above: &levels, name: Some(name) };
            self.check_key(child, &way);
            if levels.len() > MAX_DEPTH {
                self.cut = true;
                let message = format!("lies {} levels deep, expected at most {MAX_DEPTH}", levels.len());
                self.key(Rule::K14, child, &way, message);
                continue;
            }
            let level = self.open_list(child, name, &way);
            levels.extend(level);
        }
    }

    fn find_root(&mut self) -> Option<KeyNode<'a>> {
        let at = self.hive.root_offset();
        let claim = self.map.claim(at);
        let node = self.hive.cell(at).ok().and_then(|cell| KeyNode::parse(cell).ok());
        if let (Claim::First, Some(node)) = (claim, node) {
            return Some(node);
        }
        self.say(Rule::H11, Structure::BaseBlock, at, None, format_args!("root is {at:?}, which is no key node"));
        None
    }

    fn check_root(&mut self, node: KeyNode<'a>, way: &Way<'_, 'a>) {
        if node.name_length() == 0 || node.name().is_err() {
            let (length, room) = (node.name_length(), node.cell.payload.len() - KEY_NODE_FIXED);
            self.key(
                Rule::K13,
                node,
                way,
                format_args!("name needs {length} bytes, {room} are left, expected 1 or more"),
            );
        }
        if !node.flags().contains(KeyFlags::HIVE_ENTRY) {
            // Hives saved by offreg.dll have such a root, and Windows loads them.
            let verdict = (Rule::K19, Severity::Odd);
            let message = "the root is not marked as hive entry";
            self.say_as(verdict, Structure::KeyNode, node.offset(), Some(way), message);
        }
    }

    /// Judges what a list element leads to, as far as the list is concerned: a key node with a name, in its place.
    fn check_child(&mut self, element: &Element<'a>, above: &[Level<'a>]) -> Option<(KeyNode<'a>, Name<'a>)> {
        let at = element.target;
        let nameless = Way { above, name: None };
        match self.map.claim(at) {
            Claim::First => {}
            Claim::Again => {
                self.cut = true;
                self.say_listed_twice(at, Structure::KeyNode, &nameless);
                return None;
            }
            Claim::Nothing => {
                self.cut = true;
                let message = format!("a subkey is {at:?}, which is no allocated cell");
                self.say(Rule::K1, Structure::SubkeysList, element.leaf, Some(&nameless), message);
                return None;
            }
        }
        let Some((node, name)) = self.check_node(at, &nameless) else {
            self.cut = true;
            return None;
        };
        let way = Way { above, name: Some(name) };
        if names::is_needlessly_wide(name) {
            self.key(Rule::K20, node, &way, format_args!("name \"{name}\" fits Latin-1 and is stored as UTF-16"));
        }
        if has_backslash(name) {
            self.key(Rule::K17, node, &way, format_args!("name \"{name}\" has a backslash"));
        }
        if node.parent() != element.parent {
            let (found, expected) = (node.parent(), element.parent);
            self.key(Rule::K5, node, &way, format_args!("parent is {found:?}, expected {expected:?}"));
        }
        if node.flags().contains(KeyFlags::HIVE_ENTRY) {
            self.key(Rule::K19, node, &way, format_args!("is marked as hive entry and is not the root"));
        }
        self.check_element(element, name, &way);
        Some((node, name))
    }

    fn check_node(&mut self, at: CellOffset, way: &Way<'_, 'a>) -> Option<(KeyNode<'a>, Name<'a>)> {
        let cell = self.hive.cell(at).ok()?;
        let Ok(node) = KeyNode::parse(cell) else {
            let room = cell.payload.len();
            if room < KEY_NODE_FIXED {
                let message = format!("fixed part needs {KEY_NODE_FIXED} bytes, {room} are left");
                self.say(Rule::K4, Structure::KeyNode, at, Some(way), message);
            } else {
                let found = cell.payload.get(..2).unwrap_or_default().escape_ascii();
                let message = format!("signature is \"{found}\", expected \"nk\"");
                self.say(Rule::K6, Structure::KeyNode, at, Some(way), message);
            }
            return None;
        };
        let length = node.name_length();
        let Ok(name) = node.name() else {
            let room = cell.payload.len() - KEY_NODE_FIXED;
            self.key(Rule::K4, node, way, format_args!("name needs {length} bytes, {room} are left"));
            return None;
        };
        if length == 0 {
            self.key(Rule::K3, node, way, format_args!("name length is 0"));
            return None;
        }
        if names::is_torn(name) || name.len() > MAX_KEY_NAME {
            self.key(Rule::K4, node, way, format_args!("name length is {length}, expected at most 255 UTF-16 units"));
        }
        Some((node, name))
    }

    /// Judges a key by itself: fields, class name, security, values.
    fn check_key(&mut self, node: KeyNode<'a>, way: &Way<'_, 'a>) {
        self.report.totals.keys += 1;
        let room = node.cell.payload.len();
        if room > MAX_KEY_NODE as usize {
            self.key(Rule::K2, node, way, format_args!("has {room:#x} bytes, expected at most {MAX_KEY_NODE:#x}"));
        }
        let flags = node.flags();
        if flags.intersects(KeyFlags::VOLATILE | KeyFlags::HIVE_EXIT) {
            self.key(Rule::K16, node, way, format_args!("flags are {:#06x}", flags.bits()));
        }
        if node.layer() != 0 {
            // Systems that know no layers leave stale bytes there.
            let severity = if self.hive.is_layered() { Severity::Tolerated } else { Severity::Odd };
            let message = format!("layer semantics are {}", node.layer());
            self.say_as((Rule::H13, severity), Structure::KeyNode, node.offset(), Some(way), message);
        }
        if let Some(count @ 1..) = u32_at(node.cell.payload, 0x18) {
            self.key(Rule::K11, node, way, format_args!("{count} volatile subkeys are counted"));
        }
        self.check_class(node, way);
        self.check_security(node, way);
        self.check_values(node, way);
    }

    fn check_class(&mut self, node: KeyNode<'a>, way: &Way<'_, 'a>) {
        let (length, class) = (u32::from(node.class_length()), node.class());
        if length == 0 {
            // Offset 0 with length 0 occurs and means "none", as NIL does.
            if class.0 != 0 && self.map.is_allocated(class) {
                let message = format!("class name length is 0, class name is {class:?}");
                self.say_as((Rule::K8, Severity::Tolerated), Structure::KeyNode, node.offset(), Some(way), message);
            }
            return;
        }
        match self.map.claim(class) {
            Claim::First => {
                let room = self.map.payload(class);
                if length > room {
                    let message = format!("class name needs {length} bytes, {room} are left");
                    self.say(Rule::K8, Structure::ClassName, class, Some(way), message);
                }
            }
            Claim::Again => self.say_twice(class, way),
            Claim::Nothing => {
                self.key(Rule::K8, node, way, format_args!("class name is {class:?}, which is no allocated cell"));
            }
        }
    }

    /// A length that callers size their buffers by is too small.
    #[cold]
    pub(super) fn too_small(&mut self, node: KeyNode<'a>, what: &str, noted: u32, found: u32, way: &Way<'_, 'a>) {
        let message = format!("{what} is noted as {noted} bytes, {found} are there");
        self.say(Rule::K18, Structure::KeyNode, node.offset(), Some(way), message);
    }

    /// Two references to a cell: freeing one of its owners would pull it from under the other.
    #[cold]
    pub(super) fn say_twice(&mut self, at: CellOffset, way: &Way<'_, 'a>) {
        self.say(Rule::C7, Structure::Cell, at, Some(way), format_args!("something else refers to this cell as well"));
    }

    #[cold]
    fn key(&mut self, rule: Rule, node: KeyNode<'a>, way: &Way<'_, 'a>, message: impl std::fmt::Display) {
        self.say(rule, Structure::KeyNode, node.offset(), Some(way), message);
    }
}

fn has_backslash(name: Name<'_>) -> bool {
    match name {
        Name::Latin1(bytes) => bytes.contains(&b'\\'),
        Name::Utf16(bytes) => bytes.chunks_exact(2).any(|unit| unit == [b'\\', 0]),
    }
}
