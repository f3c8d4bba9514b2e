//! Subkeys lists: `li`, `lf`, `lh` (leaves) and `ri` (a list of leaves).
//!
//! A signature, a 16-bit count, and that many elements: the offset of a key node (in `ri`, of a leaf), in `lf` followed
//! by a hint of four characters and in `lh` by the hash of the name. Leaves are sorted by name; so is the concatenation
//! of all leaves under an `ri`.

use super::cell::Cell;
use crate::{
    CellOffset, Defect, FormatError, Structure,
    bytes::{u16_at, u32_at},
    name::{Units, lf_hint, lh_hash},
};

/// Bytes before the elements.
pub(crate) const LIST_HEADER: u32 = 4;

/// What a list is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ListKind {
    /// Offsets only.
    Li,
    /// Offsets with name hints.
    Lf,
    /// Offsets with name hashes.
    Lh,
    /// Offsets of leaves.
    Ri,
}

impl ListKind {
    pub(crate) fn signature(self) -> [u8; 2] {
        match self {
            Self::Li => *b"li",
            Self::Lf => *b"lf",
            Self::Lh => *b"lh",
            Self::Ri => *b"ri",
        }
    }

    /// Bytes of an element.
    pub(crate) fn element(self) -> u32 {
        match self {
            Self::Li | Self::Ri => 4,
            Self::Lf | Self::Lh => 8,
        }
    }

    /// The leaf that a hive of this minor version begins with.
    pub(crate) fn first_leaf(minor: u32) -> Self {
        if minor >= 5 { Self::Lh } else { Self::Lf }
    }

    /// The most elements that Windows puts into one leaf before it splits or converts it.
    pub(crate) fn capacity(self) -> usize {
        match self {
            Self::Lf => 507,
            Self::Li | Self::Lh => 1012,
            Self::Ri => u16::MAX as usize,
        }
    }

    /// The leaves of a list of `count` subkeys that is written anew, and how many elements go into each: one leaf as long
    /// as it holds them, else several that are cut where Windows' own offline library cuts them, so that each has room for
    /// what comes. The kind follows from the version alone: Windows chooses the size of an element by it when it splits a
    /// leaf.
    pub(crate) fn leaves_of(minor: u32, count: usize) -> (Self, usize) {
        const CUT: usize = 507;
        let kind = match Self::first_leaf(minor) {
            Self::Lf if count > Self::Lf.capacity() => Self::Li,
            kind => kind,
        };
        (kind, if count <= kind.capacity() { kind.capacity() } else { CUT })
    }

    /// The second half of an element: hint, hash, or nothing.
    pub(crate) fn tag<N: Units + ?Sized>(self, name: &N) -> u32 {
        match self {
            Self::Li | Self::Ri => 0,
            Self::Lf => u32::from_le_bytes(lf_hint(name)),
            Self::Lh => lh_hash(name),
        }
    }
}

/// A list whose elements all lie inside its cell.
#[derive(Clone, Copy)]
pub(crate) struct SubkeysList<'a> {
    pub(crate) cell: Cell<'a>,
    pub(crate) kind: ListKind,
    elements: &'a [u8],
}

impl<'a> SubkeysList<'a> {
    pub(crate) fn parse(cell: Cell<'a>) -> Result<Self, FormatError> {
        let kind = match cell.payload.get(..2) {
            Some(b"lh") => ListKind::Lh,
            Some(b"lf") => ListKind::Lf,
            Some(b"li") => ListKind::Li,
            Some(b"ri") => ListKind::Ri,
            _ => return Err(cell.wrong_signature(Structure::SubkeysList, "\"li\", \"lf\", \"lh\" or \"ri\"")),
        };
        let count = u16_at(cell.payload, 2).ok_or_else(|| cell.too_short(Structure::SubkeysList, "header", 4))?;
        let needed = usize::from(count) * kind.element() as usize;
        let room = cell.payload.get(LIST_HEADER as usize..).unwrap_or_default();
        let elements = room.get(..needed).ok_or_else(|| {
            cell.error(
                Structure::SubkeysList,
                Defect::Truncated { part: "elements", needed: needed as u64, available: room.len() as u64 },
            )
        })?;
        Ok(Self { cell, kind, elements })
    }

    pub(crate) fn offset(self) -> CellOffset {
        self.cell.offset
    }

    pub(crate) fn len(self) -> usize {
        self.elements.len() / self.kind.element() as usize
    }

    /// The key node or leaf of element `at`.
    #[inline]
    pub(crate) fn target(self, at: usize) -> Option<CellOffset> {
        u32_at(self.elements, at.checked_mul(self.kind.element() as usize)?).map(CellOffset)
    }

    /// The hint or hash of element `at`; 0 in lists without.
    #[inline]
    pub(crate) fn tag(self, at: usize) -> Option<u32> {
        match self.kind {
            ListKind::Li | ListKind::Ri => (at < self.len()).then_some(0),
            ListKind::Lf | ListKind::Lh => u32_at(self.elements, at.checked_mul(8)?.checked_add(4)?),
        }
    }

    /// Which elements of an `lf` or `lh` have this hint or hash.
    pub(crate) fn tagged(self, tag: u32) -> impl Iterator<Item = usize> + 'a {
        let tag = tag.to_le_bytes();
        let elements = self.elements.chunks_exact(8).enumerate();
        elements.filter(move |(_, element)| element.ends_with(&tag)).map(|(at, _)| at)
    }

    /// The elements as stored.
    pub(crate) fn elements(self) -> &'a [u8] {
        self.elements
    }

    pub(crate) fn targets(self) -> impl Iterator<Item = CellOffset> + Clone + 'a {
        (0..self.len()).map_while(move |at| self.target(at))
    }
}

/// One element as stored.
pub(crate) fn encode_element(kind: ListKind, target: CellOffset, tag: u32) -> ([u8; 8], usize) {
    let mut out = [0; 8];
    out[..4].copy_from_slice(&target.0.to_le_bytes());
    out[4..].copy_from_slice(&tag.to_le_bytes());
    (out, kind.element() as usize)
}

/// The payload of a list: header and the elements as stored.
pub(crate) fn encode(kind: ListKind, elements: &[u8]) -> Vec<u8> {
    let count = elements.len() / kind.element() as usize;
    let mut out = Vec::with_capacity(LIST_HEADER as usize + elements.len());
    out.extend_from_slice(&kind.signature());
    out.extend_from_slice(&(count as u16).to_le_bytes());
    out.extend_from_slice(elements);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_reads_back() {
        let mut elements = Vec::new();
        for (at, name) in ["alpha", "beta"].iter().enumerate() {
            let (bytes, size) = encode_element(ListKind::Lh, CellOffset(at as u32 * 8), ListKind::Lh.tag(*name));
            elements.extend_from_slice(&bytes[..size]);
        }
        let payload = encode(ListKind::Lh, &elements);
        let list = SubkeysList::parse(Cell { offset: CellOffset(0), payload: &payload }).unwrap();
        assert_eq!((list.kind, list.len()), (ListKind::Lh, 2));
        assert_eq!(list.target(1), Some(CellOffset(8)));
        assert_eq!(list.tag(1), Some(lh_hash("beta")));
        assert_eq!((list.target(2), list.tag(2)), (None, None));
    }

    #[test]
    fn a_count_that_leaves_the_cell_is_refused() {
        let payload = [b'r', b'i', 3, 0, 1, 2, 3, 4, 5, 6, 7, 8];
        assert!(SubkeysList::parse(Cell { offset: CellOffset(0), payload: &payload }).is_err());
    }
}
