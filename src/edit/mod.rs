//! Changing an image: keys, values, lists, big data, security cells.
//!
//! Each function first looks at everything it needs, then writes, so that a request that cannot be met leaves no trace.
//! Where no log protects the commit a change replaces lists and records instead of editing
//! them, so that one small write makes it visible; otherwise it edits in place.

mod change;
pub(crate) mod delete;
pub(crate) mod key;
mod key_list;
pub(crate) mod new_key;
mod relocate;
pub(crate) mod rename;
pub(crate) mod security;
pub(crate) mod value;
mod value_data;

pub use change::Change;
pub use new_key::NewKey;
pub use security::{SecurityChange, SecurityScope};

use crate::{
    CellOffset, FileTime, FormatError, RequestError, Result,
    format::key_node::field,
    image::Image,
    tree::{HiveView, Key},
};

/// The hive as it stands in the image.
pub(crate) fn view(image: &Image) -> HiveView<'_> {
    HiveView::new(image.base(), image.bins())
}

fn key_at(image: &Image, at: CellOffset) -> Result<Key<'_>> {
    Key::parse(view(image), at)
}

/// A key that may be edited: not part of a layer of a differencing hive.
fn editable(image: &Image, at: CellOffset) -> Result<Key<'_>> {
    let key = key_at(image, at)?;
    if is_layered(image, key) {
        return Err(RequestError::Layered.into());
    }
    Ok(key)
}

/// Whether a key carries layer semantics. Older systems left anything in that byte, so it counts only where the base
/// block says that the hive has layered keys.
fn is_layered(image: &Image, key: Key<'_>) -> bool {
    const LAYERED_KEYS: u32 = 2;
    image.base().flags & LAYERED_KEYS != 0 && key.node().layer() != 0
}

/// Sets a key's time stamp.
pub(crate) fn touch(image: &mut Image, key: CellOffset, time: FileTime) -> Result<(), FormatError> {
    image.write_after(key, field::LAST_WRITTEN, &time.0.to_le_bytes())
}

/// A key's path for messages; what can be had of it if a record on the way is broken.
fn path_of(key: Key<'_>) -> String {
    match key.path() {
        Ok(path) if path.is_root() => "the root".to_owned(),
        Ok(path) => path.to_string(),
        Err(_) => key.name().map_or_else(|_| format!("{:?}", key.offset()), |name| name.to_string()),
    }
}
