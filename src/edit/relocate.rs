//! Moving a key so that one small write makes a change of it visible (in a stepwise commit).
//!
//! A key node's number of subkeys and its subkeys list stand in eight-byte units that a sector boundary may separate.
//! Where it does, no single sector write can change both, so the key first moves to a new cell. Its children store its
//! position, so all key nodes below it move too; what they point at (values, classes, descriptors) stays where it is.
//! The move itself becomes visible with the four bytes of the parent's list that point at the key.

use super::{key_at, key_list};
use crate::{
    CellOffset, RequestError, Result,
    format::{
        base_block::SECTOR,
        cell::CELL_HEADER,
        key_node::field,
        subkeys_list::{LIST_HEADER, ListKind, encode, encode_element},
    },
    image::Image,
    name::{NameBuf, encode as encode_name},
    tree::{Key, leaf, list_of},
};

/// Whether the lists of a key can be changed at all; nothing is written.
pub(super) fn check_list_change(image: &Image, parent: CellOffset) -> Result<()> {
    if image.is_stepwise() && straddles(parent) { parent_of(key_at(image, parent)?).map(drop) } else { Ok(()) }
}

/// The key to whose lists a change is to be made: `parent` itself, or where it moved to.
pub(super) fn for_list_change(image: &mut Image, parent: CellOffset) -> Result<CellOffset> {
    if image.is_stepwise() && straddles(parent) { relocate(image, parent) } else { Ok(parent) }
}

/// Whether number of subkeys and subkeys list lie in two sectors.
fn straddles(key: CellOffset) -> bool {
    let sector = |field| (key.0 + CELL_HEADER + field) / SECTOR as u32;
    sector(field::SUBKEY_COUNT) != sector(field::SUBKEYS_LIST)
}

/// Moves a key with all keys below it.
pub(super) fn relocate(image: &mut Image, at: CellOffset) -> Result<CellOffset> {
    let parent = parent_of(key_at(image, at)?)?;
    let (list, field) = place_in_lists(parent, at)?;
    let parent = parent.offset();
    let new = copy(image, at, parent, None)?;
    image.write(list, field, &new.0.to_le_bytes())?;
    Ok(new)
}

/// The parent of a key that is to be moved.
fn parent_of(key: Key<'_>) -> Result<Key<'_>> {
    key.parent()?.ok_or_else(|| {
        RequestError::Uncommittable(
            "the root key cannot be moved, and this change to it takes more than one disk sector, which only a \
             transaction log makes safe"
                .to_owned(),
        )
        .into()
    })
}

/// Moves a key with all keys below it and gives it another name.
pub(super) fn relocate_as(image: &mut Image, parent: CellOffset, at: CellOffset, name: &NameBuf) -> Result<CellOffset> {
    let new = copy(image, at, parent, Some(name))?;
    key_list::rebuild(image, parent, Some(at), Some((new, name)))?;
    free_nodes(image, at)?;
    Ok(new)
}

/// The list and the place in its payload that point at a subkey.
fn place_in_lists(parent: Key<'_>, child: CellOffset) -> Result<(CellOffset, u32)> {
    let hive = parent.hive();
    let mut leaves = Vec::new();
    if let Some(list) = list_of(parent)? {
        if list.kind == ListKind::Ri {
            for at in list.targets() {
                leaves.push(leaf(hive, at)?);
            }
        } else {
            leaves.push(list);
        }
    }
    leaves
        .into_iter()
        .find_map(|leaf| {
            let at = leaf.targets().position(|target| target == child)?;
            Some((leaf.offset(), LIST_HEADER + at as u32 * leaf.kind.element()))
        })
        .ok_or_else(|| RequestError::StaleId.into())
}

/// Copies key nodes and lists of a subtree to new cells and frees the old ones, which stay on disk until the commit.
fn copy(image: &mut Image, top: CellOffset, parent: CellOffset, name: Option<&NameBuf>) -> Result<CellOffset> {
    let mut nodes = Vec::new();
    for walked in key_at(image, top)?.walk() {
        let key = walked?.key;
        nodes.push((key.offset(), key.node().parent(), key.node().cell.payload.to_vec()));
    }
    // Parents come before their children in a walk, so the new place of a parent is known when its child is copied.
    let mut moved = std::collections::HashMap::from([(key_at(image, top)?.node().parent(), parent)]);
    let mut news = Vec::with_capacity(nodes.len());
    for (old, old_parent, mut payload) in nodes {
        if let (true, Some(name)) = (old == top, name) {
            let (bytes, compressed) = encode_name(name);
            super::rename::patch_name(&mut payload, &bytes, compressed);
        }
        let parent = moved.get(&old_parent).copied().unwrap_or(old_parent);
        if let Some(to) = payload.get_mut(field::PARENT as usize..field::PARENT as usize + 4) {
            to.copy_from_slice(&parent.0.to_le_bytes());
        }
        let new = image.allocate(&payload, 0)?;
        moved.insert(old, new);
        image.forward(old, new);
        news.push(new);
    }
    for new in news {
        copy_lists(image, new, &moved)?;
    }
    if name.is_none() {
        free_nodes(image, top)?;
    }
    Ok(moved.get(&top).copied().unwrap_or(top))
}

/// Gives a copied key lists of its own that point at the copies of its children.
fn copy_lists(
    image: &mut Image,
    new: CellOffset,
    moved: &std::collections::HashMap<CellOffset, CellOffset>,
) -> Result<()> {
    let key = key_at(image, new)?;
    let Some(list) = list_of(key)? else { return Ok(()) };
    let hive = key.hive();
    let leaves = if list.kind == ListKind::Ri {
        list.targets().map(|at| leaf(hive, at)).collect::<Result<Vec<_>, _>>()?
    } else {
        vec![list]
    };
    let mut payloads = Vec::with_capacity(leaves.len());
    for leaf in leaves {
        let mut elements = Vec::with_capacity(leaf.elements().len());
        for (at, old) in leaf.targets().enumerate() {
            let target = moved.get(&old).copied().unwrap_or(old);
            let (bytes, size) = encode_element(leaf.kind, target, leaf.tag(at).unwrap_or(0));
            elements.extend(bytes.into_iter().take(size));
        }
        payloads.push(encode(leaf.kind, &elements));
    }
    let is_index = list.kind == ListKind::Ri;
    let mut copies = Vec::with_capacity(payloads.len());
    for payload in payloads {
        copies.push(image.allocate(&payload, 0)?);
    }
    let top = match copies[..] {
        [leaf] if !is_index => leaf,
        _ => {
            let elements: Vec<u8> = copies.iter().flat_map(|leaf| leaf.0.to_le_bytes()).collect();
            image.allocate(&encode(ListKind::Ri, &elements), 0)?
        }
    };
    Ok(image.write(new, field::SUBKEYS_LIST, &top.0.to_le_bytes())?)
}

/// Frees the key nodes and lists of a subtree whose copies are in use, and nothing else of it.
fn free_nodes(image: &mut Image, top: CellOffset) -> Result<()> {
    let (mut nodes, mut cells) = (Vec::new(), Vec::new());
    for walked in key_at(image, top)?.walk() {
        let key = walked?.key;
        nodes.push(key.offset());
        if let Some(list) = list_of(key)? {
            cells.push(list.offset());
            if list.kind == ListKind::Ri {
                cells.extend(list.targets());
            }
        }
    }
    for node in nodes {
        image.free_key(node)?;
    }
    for cell in cells {
        image.free(cell)?;
    }
    Ok(())
}
