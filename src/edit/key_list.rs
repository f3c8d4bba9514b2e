//! The subkeys lists of a key: inserting, removing, splitting.
//!
//! A hive of minor version 5 and later has `lh` leaves of up to 1012 elements; one of version 3 or 4 begins with an
//! `lf`, which becomes an `li` above 507 elements. What does not fit one leaf goes under an `ri`. Leaves are never
//! empty, and neither is an `ri`.

use super::key_at;
use crate::{
    CellOffset, Defect, Result, Structure,
    format::{
        key_node::field,
        subkeys_list::{LIST_HEADER, ListKind, SubkeysList, encode, encode_element},
    },
    image::Image,
    name::NameBuf,
    tree::{Key, leaf, leaf_for, list_of, search},
};

/// A list taken out of the image, so that the image can be changed.
struct Taken {
    at: CellOffset,
    kind: ListKind,
    /// As stored.
    elements: Vec<u8>,
    /// Bytes of payload that the cell has.
    room: usize,
}

impl Taken {
    fn new(list: SubkeysList<'_>) -> Self {
        let room = list.cell.payload.len();
        Self { at: list.offset(), kind: list.kind, elements: list.elements().to_vec(), room }
    }

    fn len(&self) -> usize {
        self.elements.len() / self.kind.element() as usize
    }

    fn position(&self, at: usize) -> usize {
        at * self.kind.element() as usize
    }

    fn insert(&mut self, at: usize, target: CellOffset, tag: u32) {
        let (bytes, size) = encode_element(self.kind, target, tag);
        let at = self.position(at);
        self.elements.splice(at..at, bytes.into_iter().take(size));
    }

    fn remove(&mut self, at: usize) {
        let at = self.position(at);
        self.elements.drain(at..at + self.kind.element() as usize);
    }
}

/// Puts a key into its parent's lists and counts it.
pub(super) fn insert(image: &mut Image, parent: CellOffset, child: CellOffset, name: &NameBuf) -> Result<()> {
    if image.is_stepwise() {
        return rebuild(image, parent, None, Some((child, name)));
    }
    let key = key_at(image, parent)?;
    let (minor, count) = (image.base().minor, key.subkey_count());
    let Some(list) = list_of(key)? else {
        let kind = ListKind::first_leaf(minor);
        let (bytes, size) = encode_element(kind, child, kind.tag(name));
        let list = image.allocate(&encode(kind, bytes.get(..size).unwrap_or_default()), 0)?;
        return point_at(image, parent, 1, list);
    };
    let hive = key.hive();
    // Windows chooses the size of an element by the version when it splits a leaf: one of another kind must not grow.
    let fits = |leaf: SubkeysList<'_>| (leaf.kind == ListKind::Lh) == (ListKind::first_leaf(minor) == ListKind::Lh);
    if list.kind != ListKind::Ri {
        if !fits(list) {
            return rebuild(image, parent, None, Some((child, name)));
        }
        let at = search(hive, list, name)?.unwrap_or_else(|at| at);
        let mut leaf = Taken::new(list);
        leaf.insert(at, child, leaf.kind.tag(name));
        if leaf.len() <= leaf.kind.capacity() {
            let list = store(image, &leaf, at)?;
            return point_at(image, parent, count + 1, list);
        }
        if leaf.kind == ListKind::Lf {
            let list = store_as_li(image, &leaf)?;
            return point_at(image, parent, count + 1, list);
        }
        let right = split(image, &mut leaf)?;
        let left = store(image, &leaf, 0)?;
        let leaves: Vec<u8> = [left, right].iter().flat_map(|leaf| leaf.0.to_le_bytes()).collect();
        let index = image.allocate(&encode(ListKind::Ri, &leaves), 0)?;
        return point_at(image, parent, count + 1, index);
    }
    let Some((place, leaf)) = leaf_for(hive, list, name)? else {
        return Err(empty_index(list).into());
    };
    if !fits(leaf) {
        return rebuild(image, parent, None, Some((child, name)));
    }
    let at = search(hive, leaf, name)?.unwrap_or_else(|at| at);
    let (mut index, mut leaf) = (Taken::new(list), Taken::new(leaf));
    leaf.insert(at, child, leaf.kind.tag(name));
    let mut index_at = index.at;
    if leaf.len() > leaf.kind.capacity() {
        let right = split(image, &mut leaf)?;
        index.insert(place + 1, right, 0);
        index_at = store(image, &index, place + 1)?;
    }
    let left = store(image, &leaf, at.min(leaf.len()))?;
    if left != leaf.at {
        image.write(index_at, LIST_HEADER + index.position(place) as u32, &left.0.to_le_bytes())?;
    }
    point_at(image, parent, count + 1, index_at)
}

/// Takes a key out of its parent's lists; a leaf that empties goes.
pub(super) fn remove(image: &mut Image, parent: CellOffset, child: CellOffset) -> Result<()> {
    if image.is_stepwise() {
        return rebuild(image, parent, Some(child), None);
    }
    let (key, gone) = (key_at(image, parent)?, key_at(image, child)?);
    let count = key.subkey_count().saturating_sub(1);
    let Some(list) = list_of(key)? else { return Err(not_listed(gone)) };
    if list.kind != ListKind::Ri {
        let at = list.targets().position(|target| target == child).ok_or_else(|| not_listed(gone))?;
        let mut leaf = Taken::new(list);
        leaf.remove(at);
        return if leaf.elements.is_empty() {
            image.free(leaf.at)?;
            point_at(image, parent, 0, CellOffset::NIL)
        } else {
            let list = store(image, &leaf, at)?;
            point_at(image, parent, count, list)
        };
    }
    let (place, found, at) = find_in_index(gone, list)?;
    let (mut index, mut leaf) = (Taken::new(list), Taken::new(found));
    leaf.remove(at);
    if !leaf.elements.is_empty() {
        let stored = store(image, &leaf, at)?;
        if stored != leaf.at {
            image.write(index.at, LIST_HEADER + index.position(place) as u32, &stored.0.to_le_bytes())?;
        }
        return point_at(image, parent, count, index.at);
    }
    image.free(leaf.at)?;
    index.remove(place);
    if index.elements.is_empty() {
        image.free(index.at)?;
        return point_at(image, parent, 0, CellOffset::NIL);
    }
    let index = store(image, &index, place)?;
    point_at(image, parent, count, index)
}

/// Which leaf of an `ri` holds a key, and where: by its name, or, if the lists are out of order, by looking everywhere.
fn find_in_index<'a>(child: Key<'a>, index: SubkeysList<'a>) -> Result<(usize, SubkeysList<'a>, usize)> {
    let hive = child.hive();
    let position = |leaf: SubkeysList<'_>| leaf.targets().position(|target| target == child.offset());
    if let Some((place, leaf)) = leaf_for(hive, index, &child.name()?)? {
        if let Some(at) = position(leaf) {
            return Ok((place, leaf, at));
        }
    }
    for (place, target) in index.targets().enumerate() {
        let leaf = leaf(hive, target)?;
        if let Some(at) = position(leaf) {
            return Ok((place, leaf, at));
        }
    }
    Err(not_listed(child))
}

/// Writes a changed list: in its cell if it fits, else in a new one of one and a half times the size. `from` is the
/// first element that is not as it was.
fn store(image: &mut Image, list: &Taken, from: usize) -> Result<CellOffset> {
    let needed = LIST_HEADER as usize + list.elements.len();
    if needed <= list.room {
        let from = list.position(from);
        image.write(list.at, 2, &(list.len() as u16).to_le_bytes())?;
        if let Some(changed) = list.elements.get(from..).filter(|changed| !changed.is_empty()) {
            image.write(list.at, LIST_HEADER + from as u32, changed)?;
        }
        return Ok(list.at);
    }
    let limit = LIST_HEADER as usize + list.position(list.kind.capacity());
    let capacity = (needed + needed / 2).min(limit);
    let new = image.allocate(&encode(list.kind, &list.elements), capacity as u32)?;
    image.free(list.at)?;
    Ok(new)
}

/// An `lf` that is full becomes an `li`, which takes half the space: it stays in its cell.
fn store_as_li(image: &mut Image, list: &Taken) -> Result<CellOffset> {
    let elements: Vec<u8> = list.elements.chunks_exact(8).flat_map(|pair| pair.iter().take(4)).copied().collect();
    image.write(list.at, 0, &encode(ListKind::Li, &elements))?;
    Ok(list.at)
}

/// Moves the upper half of a leaf into a new one.
fn split(image: &mut Image, leaf: &mut Taken) -> Result<CellOffset> {
    let half = leaf.position(leaf.len() / 2);
    let upper = leaf.elements.split_off(half);
    image.allocate(&encode(leaf.kind, &upper), 0)
}

/// Builds all lists of a key anew, without one key and with another, leaving the old ones as they are until the change
/// is visible.
pub(super) fn rebuild(
    image: &mut Image,
    parent: CellOffset,
    without: Option<CellOffset>,
    with: Option<(CellOffset, &NameBuf)>,
) -> Result<()> {
    let key = key_at(image, parent)?;
    let hive = key.hive();
    let minor = image.base().minor;
    let (mut old, mut targets) = (Vec::new(), Vec::new());
    if let Some(list) = list_of(key)? {
        old.push(list.offset());
        if list.kind == ListKind::Ri {
            for at in list.targets() {
                let leaf = leaf(hive, at)?;
                old.push(at);
                targets.extend(leaf.targets());
            }
        } else {
            targets.extend(list.targets());
        }
    }
    if let Some(without) = without {
        let before = targets.len();
        targets.retain(|target| *target != without);
        if targets.len() + 1 != before {
            return Err(not_listed(key_at(image, without)?));
        }
    }
    if let Some((child, name)) = with {
        let at = targets.partition_point(|target| {
            Key::parse(hive, *target).and_then(Key::name).is_ok_and(|other| crate::name::compare(&other, name).is_lt())
        });
        targets.insert(at, child);
    }
    let (kind, most) = ListKind::leaves_of(minor, targets.len());
    let mut payloads = Vec::new();
    for targets in targets.chunks(most) {
        let mut elements = Vec::with_capacity(targets.len() * 8);
        for target in targets {
            let (bytes, size) = encode_element(kind, *target, kind.tag(&Key::parse(hive, *target)?.name()?));
            elements.extend(bytes.into_iter().take(size));
        }
        payloads.push(encode(kind, &elements));
    }
    let mut leaves = Vec::new();
    for payload in payloads {
        leaves.push(image.allocate(&payload, 0)?);
    }
    let list = match leaves[..] {
        [] => CellOffset::NIL,
        [leaf] => leaf,
        _ => {
            let elements: Vec<u8> = leaves.iter().flat_map(|leaf| leaf.0.to_le_bytes()).collect();
            image.allocate(&encode(ListKind::Ri, &elements), 0)?
        }
    };
    point_at(image, parent, targets.len() as u32, list)?;
    for at in old {
        image.free(at)?;
    }
    Ok(())
}

/// Lets a key node point at its lists. The last subkey takes the two maxima with it.
fn point_at(image: &mut Image, parent: CellOffset, count: u32, list: CellOffset) -> Result<()> {
    let node = key_at(image, parent)?.node();
    if node.subkey_count() != count {
        image.write(parent, field::SUBKEY_COUNT, &count.to_le_bytes())?;
    }
    if node_list(image, parent)? != list {
        image.write(parent, field::SUBKEYS_LIST, &list.0.to_le_bytes())?;
    }
    if count == 0 {
        // Sixteen bits: the flags of the key stand in the other half.
        image.write_after(parent, field::LARGEST_SUBKEY_NAME, &[0; 2])?;
        image.write_after(parent, field::LARGEST_SUBKEY_CLASS, &[0; 4])?;
    }
    Ok(())
}

fn node_list(image: &Image, parent: CellOffset) -> Result<CellOffset> {
    Ok(key_at(image, parent)?.node().subkeys_list())
}

fn empty_index(list: SubkeysList<'_>) -> crate::FormatError {
    list.cell.error(Structure::SubkeysList, Defect::Field { field: "count", expected: "above 0", found: 0 })
}

/// The parent of a key does not know it.
fn not_listed(child: Key<'_>) -> crate::Error {
    let parent = child.node().parent().0.into();
    let defect = Defect::Field { field: "parent", expected: "a key that lists this one", found: parent };
    child.node().cell.error(Structure::KeyNode, defect).into()
}

#[cfg(test)]
mod tests {
    use crate::{Hive, Version, check::Rule, format::base_block::BaseBlock};

    #[test]
    fn a_leaf_of_another_version_is_replaced_before_it_grows() {
        for (version, minor, keys) in [(Version::V1_3, 5, 500), (Version::V1_5, 3, 600), (Version::V1_3, 5, 1100)] {
            let mut hive = Hive::create(version).unwrap();
            let mut txn = hive.begin().unwrap();
            for at in 0..keys {
                txn.create_key(txn.root(), format!("key {at}").as_str()).unwrap();
            }
            txn.commit().unwrap();
            let mut bytes = hive.to_bytes();
            let base = BaseBlock { minor, ..BaseBlock::decode(bytes.first_chunk().unwrap()) };
            bytes[..512].copy_from_slice(&base.encode());
            let mut hive = Hive::from_bytes(bytes).unwrap();
            assert!(hive.view().check().findings.iter().all(|finding| finding.rule == Rule::L11));

            let mut txn = hive.begin().unwrap();
            txn.create_key(txn.root(), "one more").unwrap();
            txn.commit().unwrap();
            let report = hive.view().check();
            assert!(report.is_clean(), "{version:?}: {:?}", report.findings.first());
            assert_eq!(report.totals.keys, keys + 2);
        }
    }
}
