//! Deleting a key, alone or with everything below it.

use super::{editable, key_at, key_list, path_of, relocate, security, touch, value};
use crate::{
    CellOffset, FileTime, RequestError, Result,
    format::{KeyFlags, subkeys_list::ListKind},
    image::Image,
    tree::{Key, list_of},
};

/// What a subtree owns.
#[derive(Default)]
struct Owned {
    nodes: Vec<CellOffset>,
    /// Lists, class names, values and their data.
    cells: Vec<CellOffset>,
    /// The descriptor record of each key.
    security: Vec<CellOffset>,
}

/// Deletes a key; one with subkeys only if the whole tree is meant. Returns how many keys went.
pub(crate) fn delete(image: &mut Image, at: CellOffset, whole_tree: bool, now: FileTime) -> Result<u32> {
    let key = editable(image, at)?;
    let Some(parent) = key.parent()? else {
        return Err(RequestError::Undeletable(path_of(key)).into());
    };
    if !whole_tree && key.subkey_count() > 0 {
        return Err(RequestError::HasSubkeys(path_of(key)).into());
    }
    let parent = parent.offset();
    let mut owned = owned_by(key)?;
    let moved = relocate::for_list_change(image, parent)?;
    let mut at = at;
    if moved != parent {
        // The move took the key along.
        at = image.forwarded(at);
        owned = owned_by(key_at(image, at)?)?;
    }
    key_list::remove(image, moved, at)?;
    touch(image, moved, now)?;
    image.end_step()?;
    for record in owned.security {
        security::release(image, record)?;
    }
    let keys = owned.nodes.len() as u32;
    for node in owned.nodes {
        image.free_key(node)?;
    }
    for cell in owned.cells {
        image.free(cell)?;
    }
    Ok(keys)
}

/// Everything below a key, looked at before the first byte is changed.
fn owned_by(top: Key<'_>) -> Result<Owned> {
    let mut owned = Owned::default();
    for walked in top.walk() {
        let key = walked?.key;
        if key.flags().intersects(KeyFlags::NO_DELETE | KeyFlags::HIVE_ENTRY) {
            return Err(RequestError::Undeletable(path_of(key)).into());
        }
        owned.nodes.push(key.offset());
        owned.security.push(key.security()?.offset());
        if key.class_name()?.is_some() {
            owned.cells.push(key.node().class());
        }
        if let Some(list) = list_of(key)? {
            owned.cells.push(list.offset());
            if list.kind == ListKind::Ri {
                owned.cells.extend(list.targets());
            }
        }
        value::cells_of_all(key, &mut owned.cells)?;
    }
    Ok(owned)
}
