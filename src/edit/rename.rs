//! Renaming a key: its name, its place among its siblings, and, where the name needs another cell, its children's way
//! back to it.

use super::{editable, key, key_at, key_list, path_of, relocate, touch};
use crate::{
    CellOffset, FileTime, RequestError, Result,
    format::{
        KeyFlags,
        cell::{CELL_HEADER, size_for},
        key_node::{KEY_NODE_FIXED, field},
    },
    image::Image,
    name::{NameBuf, Units, encode},
    tree::Key,
};

/// Gives a key another name; returns where it is then.
pub(crate) fn rename(image: &mut Image, at: CellOffset, name: &NameBuf, now: FileTime) -> Result<CellOffset> {
    key::validate_name(name)?;
    let node = editable(image, at)?;
    let Some(parent) = node.parent()? else {
        return Err(RequestError::Undeletable(path_of(node)).into());
    };
    if node.name()?.units().eq(name.units()) {
        return Ok(at);
    }
    if let Some(other) = parent.subkey(name)? {
        if other.offset() != at {
            return Err(RequestError::AlreadyExists(path_of(other)).into());
        }
    }
    let parent = parent.offset();
    if image.is_stepwise() {
        let new = relocate::relocate_as(image, parent, at, name)?;
        return finish(image, parent, new, name, now);
    }
    let (bytes, compressed) = encode(name);
    let mut payload = node.node().cell.payload.to_vec();
    let room = payload.len() as u32;
    patch_name(&mut payload, &bytes, compressed);
    let children: Vec<CellOffset> = node.subkeys()?.map(|child| child.map(Key::offset)).collect::<Result<_>>()?;
    let largest_class = key_at(image, parent)?.node().largest_subkey_class();

    key_list::remove(image, parent, at)?;
    // A key node's cell is no larger than it must be, so another size means another cell.
    let fits = size_for(payload.len() as u32) == Some(room + CELL_HEADER);
    let new = if fits {
        image.write(at, 0, &payload)?;
        at
    } else {
        let new = image.allocate(&payload, 0)?;
        for child in children {
            image.write(child, field::PARENT, &new.0.to_le_bytes())?;
        }
        image.free_key(at)?;
        new
    };
    key_list::insert(image, parent, new, name)?;
    // Taking out an only subkey took the maximum along.
    image.raise(parent, field::LARGEST_SUBKEY_CLASS, largest_class)?;
    finish(image, parent, new, name, now)
}

fn finish(image: &mut Image, parent: CellOffset, new: CellOffset, name: &NameBuf, now: FileTime) -> Result<CellOffset> {
    key::raise_largest_name(image, parent, name)?;
    touch(image, new, now)?;
    touch(image, parent, now)?;
    Ok(new)
}

/// Puts a name into the payload of a key node, which gets the length that this needs.
pub(super) fn patch_name(payload: &mut Vec<u8>, name: &[u8], compressed: bool) {
    payload.resize(KEY_NODE_FIXED, 0);
    let mut put = |field: u32, set: &dyn Fn(u16) -> u16| {
        if let Some(bytes) = payload.get_mut(field as usize..field as usize + 2) {
            let old = u16::from_le_bytes([bytes[0], bytes[1]]);
            bytes.copy_from_slice(&set(old).to_le_bytes());
        }
    };
    let flag = KeyFlags::COMPRESSED_NAME.bits();
    put(field::FLAGS, &|flags| if compressed { flags | flag } else { flags & !flag });
    put(field::NAME_LENGTH, &|_| name.len() as u16);
    payload.extend_from_slice(name);
}
