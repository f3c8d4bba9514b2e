//! Keys: creating, flags, class names, time stamps.

use super::{
    editable, key_list, path_of, relocate,
    security::{self, Inherited},
    touch,
};
use crate::{
    CellOffset, FileTime, RequestError, Result,
    format::{
        KeyFlags, Virtualization,
        base_block::SECTOR,
        cell::CELL_HEADER,
        key_node::{NewKeyNode, field},
    },
    image::Image,
    name::{NameBuf, Units, encode},
    tree::Key,
};

/// The most levels below the root: Windows' loader gives up at 511.
const MAX_DEPTH: usize = 510;

/// The most bytes of a class name: its length is a 16-bit number of bytes, of which two make a unit.
const MAX_CLASS: usize = 0xfffe;

/// The flags that callers may change; the others follow from the key's name and place.
const SETTABLE: KeyFlags = KeyFlags::NO_DELETE
    .union(KeyFlags::SYMBOLIC_LINK)
    .union(KeyFlags::VIRTUAL_SOURCE)
    .union(KeyFlags::VIRTUAL_TARGET)
    .union(KeyFlags::VIRTUAL_STORE)
    .union(KeyFlags::from_bits_retain(0xf000));

/// A key name has 1 to 255 units and no backslash; every other unit is legal.
pub(crate) fn validate_name(name: &NameBuf) -> Result<(), RequestError> {
    let units = name.as_units();
    if units.is_empty() || units.len() > 255 || units.contains(&u16::from(b'\\')) {
        return Err(RequestError::BadKeyName(name.to_string()));
    }
    Ok(())
}

/// Finds or makes the key at a path. Whether the names that are missing can all be made is known before the first is.
pub(crate) fn create_path(
    image: &mut Image,
    parent: CellOffset,
    names: &[NameBuf],
    now: FileTime,
) -> Result<CellOffset> {
    create_path_with(image, parent, names, None, now)
}

/// As [`create_path`]; with a descriptor for the last key, that one must be new.
pub(crate) fn create_path_with(
    image: &mut Image,
    parent: CellOffset,
    names: &[NameBuf],
    descriptor: Option<&[u8]>,
    now: FileTime,
) -> Result<CellOffset> {
    let (mut at, mut missing) = (parent, names);
    while let [name, below @ ..] = missing {
        let Some(existing) = super::key_at(image, at)?.subkey(name)? else { break };
        (at, missing) = (existing.offset(), below);
    }
    if missing.is_empty() {
        return match descriptor {
            Some(_) => Err(RequestError::AlreadyExists(path_of(super::key_at(image, at)?)).into()),
            None => Ok(at),
        };
    }
    missing.iter().try_for_each(validate_name)?;
    validate_depth(image, at, missing.len())?;
    validate_parent(image, at)?;
    relocate::check_list_change(image, at)?;
    if let (None, [name]) = (descriptor, missing) {
        // One key of many, mostly.
        if let Some(record) = security::known_heir(image, at)? {
            return create(image, at, name, record, now);
        }
    }
    let records = Inherited::find(image, at, missing.len(), descriptor)?.take(image, &vec![1; missing.len()])?;
    missing.iter().zip(records).try_fold(at, |at, (name, record)| create(image, at, name, record, now))
}

/// Whether a key may have subkeys.
pub(super) fn validate_parent(image: &Image, at: CellOffset) -> Result<()> {
    let key = editable(image, at)?;
    if key.flags().contains(KeyFlags::SYMBOLIC_LINK) {
        return Err(RequestError::SymbolicLink(path_of(key)).into());
    }
    Ok(())
}

/// Whether a key may have so many more levels below it.
pub(super) fn validate_depth(image: &Image, at: CellOffset, levels: usize) -> Result<()> {
    if levels > 0 && depth(super::key_at(image, at)?)? + levels > MAX_DEPTH {
        return Err(RequestError::TooDeep.into());
    }
    Ok(())
}

/// Makes a key that does not exist yet, with a valid name, where one more level is allowed. The descriptor's record
/// counts it already.
pub(super) fn create(
    image: &mut Image,
    parent: CellOffset,
    name: &NameBuf,
    descriptor: CellOffset,
    now: FileTime,
) -> Result<CellOffset> {
    let inherited = editable(image, parent)?.virtualization();
    let inherits = inherited.contains(Virtualization::RECURSE);
    let user_flags = if inherits { inherited.bits() << 4 } else { 0 };

    let parent = relocate::for_list_change(image, parent)?;
    let (bytes, compressed) = encode(name);
    let payload = NewKeyNode {
        flags: if compressed { KeyFlags::COMPRESSED_NAME } else { KeyFlags::empty() },
        last_written: now,
        parent,
        security: descriptor,
        user_flags,
        name: &bytes,
    }
    .encode();
    let child = image.allocate(&payload, 0)?;
    key_list::insert(image, parent, child, name)?;
    raise_largest_name(image, parent, name)?;
    touch(image, parent, now)?;
    Ok(child)
}

/// The parent's longest subkey name is counted in bytes as UTF-16, however the name is stored.
pub(super) fn raise_largest_name(image: &mut Image, parent: CellOffset, name: &NameBuf) -> Result<()> {
    let length = (name.units().count() * 2) as u16;
    if editable(image, parent)?.node().largest_subkey_name() < length {
        image.raise_u16(parent, field::LARGEST_SUBKEY_NAME, length)?;
    }
    Ok(())
}

/// Levels below the root.
fn depth(key: Key<'_>) -> Result<usize> {
    let (mut key, mut depth) = (key, 0);
    while let Some(parent) = key.parent()? {
        key = parent;
        depth += 1;
        if depth > MAX_DEPTH {
            break;
        }
    }
    Ok(depth)
}

/// Sets the flags that can be set and keeps the others.
pub(crate) fn set_flags(image: &mut Image, at: CellOffset, flags: KeyFlags, now: FileTime) -> Result<()> {
    let key = editable(image, at)?;
    let flags = (key.flags() - SETTABLE) | (flags & SETTABLE);
    if flags == key.flags() {
        return Ok(());
    }
    if flags.contains(KeyFlags::SYMBOLIC_LINK) && key.subkey_count() > 0 {
        return Err(RequestError::HasSubkeys(path_of(key)).into());
    }
    image.write(at, field::FLAGS, &flags.bits().to_le_bytes())?;
    Ok(touch(image, at, now)?)
}

/// Sets the virtualization control flags; the user flags beside them stay.
pub(crate) fn set_virtualization(
    image: &mut Image,
    at: CellOffset,
    flags: Virtualization,
    now: FileTime,
) -> Result<()> {
    let node = editable(image, at)?.node();
    if flags == node.virtualization() {
        return Ok(());
    }
    let both = node.user_flags() & 0x0f | flags.bits() << 4;
    image.write(at, field::USER_FLAGS, &[both])?;
    Ok(touch(image, at, now)?)
}

/// Sets the class name or, with an empty one, removes it; the key may move.
pub(crate) fn set_class(image: &mut Image, at: CellOffset, class: &NameBuf, now: FileTime) -> Result<()> {
    let bytes: Vec<u8> = class.units().flat_map(u16::to_le_bytes).collect();
    if bytes.len() > MAX_CLASS {
        return Err(RequestError::ClassTooLong.into());
    }
    let key = editable(image, at)?;
    let old = key.class_name()?.map(|_| key.node().class());
    if old.is_none() && bytes.is_empty() {
        return Ok(());
    }
    let parent = key.parent()?.map(Key::offset);

    // Offset and length of the class name stand apart; where a sector ends between them the key moves first.
    let one_sector = [field::CLASS, field::CLASS_LENGTH].map(|field| (at.0 + CELL_HEADER + field) / SECTOR as u32);
    let at = if image.is_stepwise() && one_sector[0] != one_sector[1] { relocate::relocate(image, at)? } else { at };
    let cell = if bytes.is_empty() { CellOffset::NIL } else { image.allocate(&bytes, 0)? };
    if let Some(parent) = parent {
        let length = bytes.len() as u32;
        if super::key_at(image, parent)?.node().largest_subkey_class() < length {
            image.raise(parent, field::LARGEST_SUBKEY_CLASS, length)?;
        }
    }
    image.write(at, field::CLASS, &cell.0.to_le_bytes())?;
    image.write(at, field::CLASS_LENGTH, &(bytes.len() as u16).to_le_bytes())?;
    if let Some(old) = old {
        image.free(old)?;
    }
    Ok(touch(image, at, now)?)
}
