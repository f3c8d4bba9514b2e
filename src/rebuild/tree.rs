//! [`Tree`]: everything a hive holds, without its cells.

use std::borrow::Cow;

use crate::{
    CellOffset, ValueType,
    bytes::{u16_at, u32_at},
    format::key_node::KEY_NODE_FIXED,
    name::{Name, Units, compare, encode},
};

/// The keys of a hive with all that belongs to them. Names and data borrow from the file that they were read from.
#[derive(Default)]
pub(super) struct Tree<'a> {
    /// The root comes first; otherwise in any order.
    pub(super) keys: Vec<Node<'a>>,
    /// Those of one key stand together, in its order.
    pub(super) values: Vec<Entry<'a>>,
    /// Descriptors as stored, each once.
    pub(super) descriptors: Vec<Cow<'a, [u8]>>,
}

/// A key.
pub(super) struct Node<'a> {
    /// The fixed part of the key node as it was read. What points somewhere, counts or is a maximum is written anew; the
    /// rest (time, flags, access bits, layer byte, virtualization and user flags, what is not understood) stays.
    pub(super) fixed: [u8; KEY_NODE_FIXED],
    pub(super) name: Text<'a>,
    /// UTF-16LE; empty for none.
    pub(super) class: &'a [u8],
    /// The number of its parent; that of the root is its own.
    pub(super) parent: u32,
    /// The number of its descriptor.
    pub(super) descriptor: u32,
}

impl Node<'_> {
    pub(super) fn flags(&self) -> u16 {
        u16_at(&self.fixed, 0x02).unwrap_or_default()
    }
}

/// A value.
pub(super) struct Entry<'a> {
    /// The number of its key.
    pub(super) key: u32,
    pub(super) name: Text<'a>,
    pub(super) kind: ValueType,
    pub(super) flags: u16,
    /// The field behind the flags, which means nothing.
    pub(super) spare: u16,
    pub(super) content: Content<'a>,
}

/// The data of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content<'a> {
    /// Up to four bytes, which stand in the record itself.
    Inline([u8; 4], u32),
    /// In one piece.
    Bytes(&'a [u8]),
    /// The segments of big data.
    Pieces(Vec<&'a [u8]>),
    /// No data, and no place for them either: how differencing hives say that a value is deleted.
    Nowhere,
}

impl<'a> Content<'a> {
    /// Bytes that stand in one piece, as few of them as they may be.
    pub(super) fn of(bytes: &'a [u8]) -> Self {
        let mut inline = [0; 4];
        match inline.get_mut(..bytes.len()) {
            Some(to) => {
                to.copy_from_slice(bytes);
                Self::Inline(inline, bytes.len() as u32)
            }
            None => Self::Bytes(bytes),
        }
    }

    /// No data, as Windows stores that for a value with these flags.
    pub(super) fn nothing(flags: u16) -> Self {
        if flags & TOMBSTONE == 0 { Self::Inline([0; 4], 0) } else { Self::Nowhere }
    }

    /// Length of the data.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Inline(_, length) => *length as usize,
            Self::Bytes(bytes) => bytes.len(),
            Self::Pieces(pieces) => pieces.iter().map(|piece| piece.len()).sum(),
            Self::Nowhere => 0,
        }
    }

    /// The data in one piece.
    pub(super) fn joined(&self) -> Cow<'_, [u8]> {
        match self {
            Self::Inline(bytes, length) => Cow::Borrowed(bytes.get(..*length as usize).unwrap_or(bytes)),
            Self::Bytes(bytes) => Cow::Borrowed(bytes),
            Self::Pieces(pieces) => Cow::Owned(pieces.concat()),
            Self::Nowhere => Cow::Borrowed(&[]),
        }
    }
}

/// Set in a value's flags in differencing hives: the value is deleted.
const TOMBSTONE: u16 = 2;

/// A name in the shorter of its two stored forms.
#[derive(Clone)]
pub(super) struct Text<'a> {
    bytes: Cow<'a, [u8]>,
    compressed: bool,
}

impl<'a> Text<'a> {
    /// Windows stores a name as Latin-1 wherever that can be; other programs left some as UTF-16.
    pub(super) fn of(name: Name<'a>) -> Self {
        match name {
            Name::Latin1(bytes) => Self { bytes: Cow::Borrowed(bytes), compressed: true },
            Name::Utf16(bytes) => {
                let whole = bytes.get(..bytes.len() & !1).unwrap_or(bytes);
                match encode(&name) {
                    (narrow, true) => Self { bytes: Cow::Owned(narrow), compressed: true },
                    (_, false) => Self { bytes: Cow::Borrowed(whole), compressed: false },
                }
            }
        }
    }

    /// A name that no file holds.
    pub(super) fn made<N: Units + ?Sized>(name: &N) -> Self {
        let (bytes, compressed) = encode(name);
        Self { bytes: Cow::Owned(bytes), compressed }
    }

    /// As stored.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn is_compressed(&self) -> bool {
        self.compressed
    }

    pub(super) fn name(&self) -> Name<'_> {
        Name::new(&self.bytes, self.compressed)
    }

    /// Bytes that programs need for it, which see UTF-16 only.
    pub(super) fn wide_len(&self) -> u32 {
        self.name().len() as u32 * 2
    }
}

/// Which keys are below which, sorted as subkeys lists are.
pub(super) struct Children {
    /// Numbers of keys; siblings stand together.
    sorted: Vec<u32>,
    /// Where in `sorted` the subkeys of a key begin. One more than there are keys.
    starts: Vec<u32>,
}

impl Children {
    pub(super) fn of(tree: &Tree<'_>) -> Self {
        let mut starts = vec![0_u32; tree.keys.len() + 1];
        // The root is nobody's subkey.
        let subkeys = || tree.keys.iter().enumerate().skip(1);
        for (_, key) in subkeys() {
            if let Some(count) = starts.get_mut(key.parent as usize + 1) {
                *count += 1;
            }
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        let mut next = starts.clone();
        let mut sorted = vec![0; sum as usize];
        for (at, key) in subkeys() {
            let Some(place) = next.get_mut(key.parent as usize) else { continue };
            if let Some(slot) = sorted.get_mut(*place as usize) {
                *slot = at as u32;
            }
            *place += 1;
        }
        let mut children = Self { sorted, starts };
        for at in 0..tree.keys.len() {
            let (start, end) = children.range(at as u32);
            let Some(siblings) = children.sorted.get_mut(start..end) else { continue };
            siblings.sort_by(|a, b| match (tree.keys.get(*a as usize), tree.keys.get(*b as usize)) {
                (Some(a), Some(b)) => compare(&a.name.name(), &b.name.name()),
                _ => a.cmp(b),
            });
        }
        children
    }

    fn range(&self, key: u32) -> (usize, usize) {
        let at = |at: usize| self.starts.get(at).map_or(0, |start| *start as usize);
        (at(key as usize), at(key as usize + 1))
    }

    /// The numbers of a key's subkeys, in the order of lists.
    pub(super) fn below(&self, key: u32) -> &[u32] {
        let (start, end) = self.range(key);
        self.sorted.get(start..end).unwrap_or_default()
    }
}

/// The position that a field of a key node holds.
pub(super) fn offset_in(fixed: &[u8; KEY_NODE_FIXED], field: u32) -> CellOffset {
    u32_at(fixed, field as usize).map_or(CellOffset::NIL, CellOffset)
}
