//! Writing a [`Tree`] as a hive file.
//!
//! Keys are written depth first, each with all that belongs to it behind it: descriptor (if it is the first to use it),
//! class name, values, lists. What points forward is filled in when its target has a place.

use super::{
    builder::Builder,
    tree::{Children, Content, Entry, Node, Tree},
};
use crate::{
    CellOffset, FileTime, RequestError,
    format::{
        KeyFlags,
        base_block::BaseBlock,
        big_data::{self, BigData, MAX_BIG_DATA, SEGMENT},
        key_node::{KEY_NODE_FIXED, field},
        key_security,
        key_value::{self, DataPlace},
        subkeys_list::{LIST_HEADER, ListKind, encode, encode_element},
    },
};

/// Where the volatile number and list of subkeys stand in a key node. On disk they mean nothing.
const VOLATILE_COUNT: u32 = 0x18;
const VOLATILE_LIST: u32 = 0x20;

/// Set in a value's flags when its name is Latin-1.
const COMPRESSED_NAME: u16 = 1;

/// Where a value's flags and the unused field behind them stand in its record.
const VALUE_FLAGS: u32 = 0x10;

/// The file of a hive with this base block and, behind the base block's first sector, what `page` holds.
///
/// # Errors
///
/// [`RequestError::HiveFull`] above 2 GiB, [`RequestError::DataTooLarge`].
pub(super) fn write(tree: &Tree<'_>, base: &BaseBlock, page: Vec<u8>) -> Result<Vec<u8>, RequestError> {
    let mut writer = Writer::new(Builder::new(page, FileTime(base.last_written)), tree, base.minor);
    let root = writer.keys()?;
    writer.close_ring();
    Ok(writer.builder.finish(base, root))
}

/// Bins with a tree of their own to be put behind others, the first of them at `start`, and where its root is.
///
/// # Errors
///
/// As [`write`].
#[cfg(feature = "volume")]
pub(super) fn write_behind(tree: &Tree<'_>, minor: u32, start: u32) -> Result<(Vec<u8>, CellOffset), RequestError> {
    let mut writer = Writer::new(Builder::behind(start), tree, minor);
    let root = writer.keys()?;
    writer.close_ring();
    Ok((writer.builder.finish_bins(), root))
}

struct Writer<'t, 'a> {
    builder: Builder,
    tree: &'t Tree<'a>,
    children: Children,
    minor: u32,
    /// Where the keys are, as far as they have been written.
    places: Vec<CellOffset>,
    /// For each key the element of a leaf that waits for its place.
    slots: Vec<(CellOffset, u32)>,
    /// For each descriptor its record, and how many keys share it.
    security: Vec<(CellOffset, u32)>,
    /// The records in the order of the ring.
    ring: Vec<CellOffset>,
}

impl<'t, 'a> Writer<'t, 'a> {
    fn new(builder: Builder, tree: &'t Tree<'a>, minor: u32) -> Self {
        Self {
            builder,
            children: Children::of(tree),
            tree,
            minor,
            places: vec![CellOffset::NIL; tree.keys.len()],
            slots: vec![(CellOffset::NIL, 0); tree.keys.len()],
            security: vec![(CellOffset::NIL, 0); tree.descriptors.len()],
            ring: Vec::with_capacity(tree.descriptors.len()),
        }
    }
}

impl Writer<'_, '_> {
    /// Writes all keys; where the root is.
    fn keys(&mut self) -> Result<CellOffset, RequestError> {
        let mut values = self.tree.values.as_slice();
        let mut starts = vec![(0_usize, 0_usize); self.tree.keys.len()];
        let mut at = 0;
        while let Some(first) = values.first() {
            let count = values.iter().take_while(|value| value.key == first.key).count();
            if let Some(start) = starts.get_mut(first.key as usize) {
                *start = (at, count);
            }
            at += count;
            values = values.get(count..).unwrap_or_default();
        }
        let mut waiting = vec![0_u32];
        while let Some(number) = waiting.pop() {
            let Some(key) = self.tree.keys.get(number as usize) else { continue };
            let (start, count) = starts.get(number as usize).copied().unwrap_or_default();
            let values = self.tree.values.get(start..start + count).unwrap_or_default();
            self.key(number, key, values)?;
            waiting.extend(self.children.below(number).iter().rev());
        }
        Ok(self.places.first().copied().unwrap_or(CellOffset::NIL))
    }

    fn key(&mut self, number: u32, key: &Node<'_>, values: &[Entry<'_>]) -> Result<(), RequestError> {
        let node = self.builder.put(&self.node(number, key, values))?;
        if let Some(place) = self.places.get_mut(number as usize) {
            *place = node;
        }
        if let Some((leaf, field)) = self.slots.get(number as usize).copied().filter(|(leaf, _)| !leaf.is_nil()) {
            self.builder.patch(leaf, field, &node.0.to_le_bytes());
        }
        self.share(key, node)?;
        if !key.class.is_empty() {
            let class = self.builder.put(key.class)?;
            self.builder.patch(node, field::CLASS, &class.0.to_le_bytes());
        }
        if !values.is_empty() {
            let list = self.builder.put(&vec![0xff; values.len() * 4])?;
            self.builder.patch(node, field::VALUES_LIST, &list.0.to_le_bytes());
            for (at, value) in values.iter().enumerate() {
                let record = self.value(value)?;
                self.builder.patch(list, at as u32 * 4, &record.0.to_le_bytes());
            }
        }
        let list = self.lists(number)?;
        self.builder.patch(node, field::SUBKEYS_LIST, &list.0.to_le_bytes());
        Ok(())
    }

    /// The key node, as far as it can be known before what it points at is written.
    fn node(&self, number: u32, key: &Node<'_>, values: &[Entry<'_>]) -> Vec<u8> {
        let mut out = key.fixed.to_vec();
        let mut put = |at: u32, bytes: &[u8]| {
            for (to, from) in out.iter_mut().skip(at as usize).zip(bytes) {
                *to = *from;
            }
        };
        let mut flags = KeyFlags::from_bits_retain(key.flags());
        flags.set(KeyFlags::COMPRESSED_NAME, key.name.is_compressed());
        put(0, b"nk");
        put(field::FLAGS, &flags.bits().to_le_bytes());
        // The root's parent means nothing and stays what it was.
        if number > 0 {
            let parent = self.places.get(key.parent as usize).copied().unwrap_or(CellOffset::NIL);
            put(field::PARENT, &parent.0.to_le_bytes());
        }
        let subkeys = self.children.below(number);
        put(field::SUBKEY_COUNT, &(subkeys.len() as u32).to_le_bytes());
        put(VOLATILE_COUNT, &[0; 4]);
        put(field::SUBKEYS_LIST, &[0xff; 4]);
        put(VOLATILE_LIST, &[0xff; 4]);
        // Where a predefined handle stands instead of a number of values, it stays.
        if !flags.contains(KeyFlags::PREDEFINED_HANDLE) {
            put(field::VALUE_COUNT, &(values.len() as u32).to_le_bytes());
        }
        put(field::VALUES_LIST, &[0xff; 4]);
        put(field::CLASS, &[0xff; 4]);
        let subkeys = || subkeys.iter().filter_map(|at| self.tree.keys.get(*at as usize));
        let name = subkeys().map(|key| key.name.wide_len()).max().unwrap_or(0);
        let class = subkeys().map(|key| key.class.len()).max().unwrap_or(0);
        let value_name = values.iter().map(|value| value.name.wide_len()).max().unwrap_or(0);
        let data = values.iter().map(|value| value.content.len()).max().unwrap_or(0);
        // Sixteen bits: the flags of the key stand in the other half.
        put(field::LARGEST_SUBKEY_NAME, &(name as u16).to_le_bytes());
        put(field::LARGEST_SUBKEY_CLASS, &(class as u32).to_le_bytes());
        put(field::LARGEST_VALUE_NAME, &value_name.to_le_bytes());
        put(field::LARGEST_VALUE_DATA, &(data as u32).to_le_bytes());
        put(field::NAME_LENGTH, &(key.name.bytes().len() as u16).to_le_bytes());
        put(field::CLASS_LENGTH, &(key.class.len() as u16).to_le_bytes());
        debug_assert_eq!(out.len(), KEY_NODE_FIXED);
        out.extend_from_slice(key.name.bytes());
        out
    }

    /// Lets a key share its descriptor's record, which the first to need it makes.
    fn share(&mut self, key: &Node<'_>, node: CellOffset) -> Result<(), RequestError> {
        let number = key.descriptor as usize;
        let Some((record, references)) = self.security.get_mut(number) else { return Ok(()) };
        *references += 1;
        if record.is_nil() {
            let descriptor = self.tree.descriptors.get(number).map(AsRef::as_ref).unwrap_or_default();
            *record = self.builder.put(&key_security::encode(CellOffset::NIL, CellOffset::NIL, 0, descriptor))?;
            self.ring.push(*record);
        }
        self.builder.patch(node, field::SECURITY, &record.0.to_le_bytes());
        Ok(())
    }

    /// Links the records, each with the next, and writes their counts.
    fn close_ring(&mut self) {
        let next = self.ring.iter().skip(1).chain(self.ring.first());
        for (record, next) in self.ring.iter().zip(next) {
            self.builder.patch(*record, key_security::field::NEXT, &next.0.to_le_bytes());
            self.builder.patch(*next, key_security::field::PREVIOUS, &record.0.to_le_bytes());
        }
        for (record, references) in self.security.iter().filter(|(record, _)| !record.is_nil()) {
            self.builder.patch(*record, key_security::field::REFERENCES, &references.to_le_bytes());
        }
    }

    fn value(&mut self, value: &Entry<'_>) -> Result<CellOffset, RequestError> {
        let name = &value.name;
        let place = match &value.content {
            Content::Inline(bytes, length) => DataPlace::Inline(*bytes, *length),
            Content::Nowhere => DataPlace::Cell(CellOffset::NIL, 0),
            content => DataPlace::Cell(CellOffset::NIL, content.len() as u32),
        };
        let record = self.builder.put(&key_value::encode(name.bytes(), name.is_compressed(), place, value.kind))?;
        let compressed = name.is_compressed() && !name.bytes().is_empty();
        let flags = value.flags & !COMPRESSED_NAME | if compressed { COMPRESSED_NAME } else { 0 };
        self.builder.patch(record, VALUE_FLAGS, &flags.to_le_bytes());
        self.builder.patch(record, VALUE_FLAGS + 2, &value.spare.to_le_bytes());
        if let Content::Bytes(_) | Content::Pieces(_) = &value.content {
            let data = self.data(&value.content)?;
            let place = DataPlace::Cell(data, value.content.len() as u32);
            self.builder.patch(record, key_value::field::DATA_LENGTH, &place.encode());
        }
        Ok(record)
    }

    fn data(&mut self, content: &Content<'_>) -> Result<CellOffset, RequestError> {
        let length = content.len();
        let data = content.joined();
        if !big_data::applies(self.minor, u32::try_from(length).map_err(|_| RequestError::HiveFull)?) {
            return self.builder.put(&data);
        }
        let count = length.div_ceil(SEGMENT as usize);
        let too_large = || RequestError::DataTooLarge { size: length as u64, limit: MAX_BIG_DATA };
        let count = u16::try_from(count).map_err(|_| too_large())?;
        let record = self.builder.put(&BigData { count, list: CellOffset::NIL }.encode())?;
        let list = self.builder.put(&vec![0xff; usize::from(count) * 4])?;
        self.builder.patch(record, 0, &BigData { count, list }.encode());
        for (at, segment) in data.chunks(SEGMENT as usize).enumerate() {
            let segment = self.builder.put_segment(segment)?;
            self.builder.patch(list, at as u32 * 4, &segment.0.to_le_bytes());
        }
        Ok(record)
    }

    /// Writes the lists of a key, whose elements wait for their keys; where the list is.
    fn lists(&mut self, number: u32) -> Result<CellOffset, RequestError> {
        let subkeys = self.children.below(number);
        let (kind, most) = ListKind::leaves_of(self.minor, subkeys.len());
        let mut leaves = Vec::new();
        for chunk in subkeys.chunks(most) {
            let mut elements = Vec::with_capacity(chunk.len() * 8);
            for subkey in chunk {
                let Some(key) = self.tree.keys.get(*subkey as usize) else { continue };
                let (bytes, size) = encode_element(kind, CellOffset::NIL, kind.tag(&key.name.name()));
                elements.extend(bytes.into_iter().take(size));
            }
            let leaf = self.builder.put(&encode(kind, &elements))?;
            for (at, subkey) in chunk.iter().enumerate() {
                if let Some(slot) = self.slots.get_mut(*subkey as usize) {
                    *slot = (leaf, LIST_HEADER + at as u32 * kind.element());
                }
            }
            leaves.push(leaf);
        }
        match leaves[..] {
            [] => Ok(CellOffset::NIL),
            [leaf] => Ok(leaf),
            _ => {
                let elements: Vec<u8> = leaves.iter().flat_map(|leaf| leaf.0.to_le_bytes()).collect();
                self.builder.put(&encode(ListKind::Ri, &elements))
            }
        }
    }
}
