//! What is left of a key node.

use crate::{
    CellOffset, Defect,
    bytes::u16_at,
    format::key_node::{KEY_NODE_FIXED, field},
    name::{Name, lh_hash},
    rebuild::{
        salvage::cells::{Cells, Opened},
        tree::{Text, offset_in},
    },
};

use super::MAX_NAME;

/// A key node that could be read.
pub(super) struct Read<'a> {
    pub(super) fixed: [u8; KEY_NODE_FIXED],
    pub(super) name: Option<Text<'a>>,
    /// What is wrong with the name, if it was shortened.
    pub(super) cut: bool,
    pub(super) length: usize,
}

impl Read<'_> {
    pub(super) fn parent(&self) -> CellOffset {
        offset_in(&self.fixed, field::PARENT)
    }
}

/// Reads the key node at an offset; `lister` is the key whose list leads there.
pub(super) fn read_node<'a>(
    cells: &Cells<'a>,
    at: CellOffset,
    lister: Option<CellOffset>,
    hash: Option<u32>,
) -> Result<Read<'a>, Defect> {
    let Opened { cell, sized, .. } = cells.open(at)?;
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
