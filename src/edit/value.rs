//! Values: setting and deleting.

use super::{editable, key_at, path_of, touch, value_data, view};
use crate::{
    CellOffset, FileTime, RequestError, Result, ValueType,
    format::{
        KeyFlags,
        key_node::field as key_field,
        key_value::{DataPlace, encode, field},
    },
    image::Image,
    name::{NameBuf, Units, encode as encode_name},
    tree::{Key, Value},
};

/// The most units of a value name.
const MAX_NAME: usize = 16_383;

/// A key's values list as entries, and the cell it stands in.
struct List {
    at: Option<CellOffset>,
    entries: Vec<u8>,
    room: usize,
}

impl List {
    fn of(key: Key<'_>) -> Result<Self> {
        let entries = key.values_list()?.to_vec();
        if entries.is_empty() {
            return Ok(Self { at: None, entries, room: 0 });
        }
        let at = key.node().values_list();
        Ok(Self { at: Some(at), entries, room: key.hive().cell(at)?.payload.len() })
    }

    fn count(&self) -> u32 {
        (self.entries.len() / 4) as u32
    }

    /// Bytes that Windows gives a list: exact below 100 entries, then in hundreds, then in pages.
    fn capacity(&self) -> u32 {
        4 * match self.count() {
            few @ 0..100 => few,
            some @ 100..1024 => some.next_multiple_of(100),
            many => many.next_multiple_of(1024),
        }
    }
}

/// Sets a value. One that exists keeps its place in the list and the spelling of its name.
pub(crate) fn set(
    image: &mut Image,
    at: CellOffset,
    name: &NameBuf,
    kind: ValueType,
    data: &[u8],
    now: FileTime,
) -> Result<()> {
    let key = with_values(image, at)?;
    value_data::validate(image.base().minor, data)?;
    validate_name(name)?;
    match key.value(name)? {
        Some(value) => replace(image, at, value.offset(), kind, data)?,
        None => append(image, at, name, kind, data)?,
    }
    raise_maxima(image, at, name, data)?;
    Ok(touch(image, at, now)?)
}

pub(super) fn validate_name(name: &NameBuf) -> Result<(), RequestError> {
    if name.as_units().len() > MAX_NAME { Err(RequestError::BadValueName(name.to_string())) } else { Ok(()) }
}

/// A key that has values of its own.
fn with_values(image: &Image, at: CellOffset) -> Result<Key<'_>> {
    let key = editable(image, at)?;
    if key.flags().contains(KeyFlags::PREDEFINED_HANDLE) {
        return Err(RequestError::PredefinedHandle(path_of(key)).into());
    }
    Ok(key)
}

/// Windows' programs size their buffers by these.
fn raise_maxima(image: &mut Image, at: CellOffset, name: &NameBuf, data: &[u8]) -> Result<()> {
    let node = key_at(image, at)?.node();
    let (largest_name, largest_data) = (node.largest_value_name(), node.largest_value_data());
    let name = (name.units().count() * 2) as u32;
    if largest_name < name {
        image.raise(at, key_field::LARGEST_VALUE_NAME, name)?;
    }
    if largest_data < data.len() as u32 {
        image.raise(at, key_field::LARGEST_VALUE_DATA, data.len() as u32)?;
    }
    Ok(())
}

fn append(image: &mut Image, at: CellOffset, name: &NameBuf, kind: ValueType, data: &[u8]) -> Result<()> {
    let mut list = List::of(key_at(image, at)?)?;
    let (bytes, compressed) = encode_name(name);
    let place = value_data::store(image, data)?;
    let value = image.allocate(&encode(&bytes, compressed, place, kind), 0)?;
    list.entries.extend_from_slice(&value.0.to_le_bytes());
    let last = list.entries.len() - 4;
    store(image, at, &list, last)
}

fn replace(image: &mut Image, key: CellOffset, at: CellOffset, kind: ValueType, data: &[u8]) -> Result<()> {
    let value = Value::parse(view(image), at)?;
    let old_kind = value.kind();
    let mut old = Vec::new();
    value_data::cells(value, &mut old)?;
    if !image.is_stepwise() {
        if let Some(cell) = value_data::reusable_cell(value, data)? {
            value_data::overwrite(image, cell, data)?;
            let place = DataPlace::Cell(cell, data.len() as u32);
            image.write(at, field::DATA_LENGTH, &place.encode())?;
            return Ok(image.write(at, field::TYPE, &kind.0.to_le_bytes())?);
        }
    }
    if image.is_stepwise() && kind != old_kind {
        // Length and data share a sector, the type behind them may not: the record is replaced as a whole.
        let (bytes, compressed) = (value.name()?.to_name_buf(), value.record().has_compressed_name());
        let list = key_at(image, key)?;
        let place_in_list = list
            .values_list()?
            .chunks_exact(4)
            .position(|entry| entry == at.0.to_le_bytes())
            .ok_or(RequestError::StaleId)? as u32;
        let list = list.node().values_list();
        let place = value_data::store(image, data)?;
        let (bytes, compressed) = if compressed { encode_name(&bytes) } else { (wide(&bytes), false) };
        let new = image.allocate(&encode(&bytes, compressed, place, kind), 0)?;
        image.write(list, place_in_list * 4, &new.0.to_le_bytes())?;
        old.push(at);
    } else {
        let place = value_data::store(image, data)?;
        image.write(at, field::DATA_LENGTH, &place.encode())?;
        if kind != old_kind {
            image.write(at, field::TYPE, &kind.0.to_le_bytes())?;
        }
    }
    for cell in old {
        image.free(cell)?;
    }
    Ok(())
}

/// A name that stands in its record as UTF-16 although it need not stays so.
fn wide(name: &NameBuf) -> Vec<u8> {
    name.units().flat_map(u16::to_le_bytes).collect()
}

/// Deletes a value; whether there was one.
pub(crate) fn delete(image: &mut Image, at: CellOffset, name: &NameBuf, now: FileTime) -> Result<bool> {
    let key = with_values(image, at)?;
    let Some(value) = key.value(name)? else { return Ok(false) };
    let gone = value.offset();
    let mut cells = vec![gone];
    value_data::cells(value, &mut cells)?;
    let mut list = List::of(key)?;
    let place =
        list.entries.chunks_exact(4).position(|entry| entry == gone.0.to_le_bytes()).ok_or(RequestError::StaleId)?;
    list.entries.drain(place * 4..place * 4 + 4);
    store(image, at, &list, place * 4)?;
    for cell in cells {
        image.free(cell)?;
    }
    touch(image, at, now)?;
    Ok(true)
}

/// Writes a changed values list: in its cell if it fits, else in a new one. `from` is the first byte that is not as it
/// was.
fn store(image: &mut Image, key: CellOffset, list: &List, from: usize) -> Result<()> {
    let count = list.count();
    if list.entries.is_empty() {
        point_at(image, key, 0, CellOffset::NIL)?;
        image.write_after(key, key_field::LARGEST_VALUE_NAME, &[0; 8])?;
    } else if let (Some(at), false) = (list.at, image.is_stepwise() || list.entries.len() > list.room) {
        if let Some(changed) = list.entries.get(from..).filter(|changed| !changed.is_empty()) {
            image.write(at, from as u32, changed)?;
        }
        return point_at(image, key, count, at);
    } else {
        let new = image.allocate(&list.entries, list.capacity())?;
        point_at(image, key, count, new)?;
    }
    if let Some(old) = list.at {
        image.free(old)?;
    }
    Ok(())
}

/// Number of values and values list stand side by side in eight bytes that always share a sector.
fn point_at(image: &mut Image, key: CellOffset, count: u32, list: CellOffset) -> Result<()> {
    let mut bytes = [0; 8];
    bytes[..4].copy_from_slice(&count.to_le_bytes());
    bytes[4..].copy_from_slice(&list.0.to_le_bytes());
    Ok(image.write(key, key_field::VALUE_COUNT, &bytes)?)
}

/// All cells of a key's values: list, records, data.
pub(super) fn cells_of_all(key: Key<'_>, out: &mut Vec<CellOffset>) -> Result<()> {
    if key.value_count() == 0 {
        return Ok(());
    }
    out.push(key.node().values_list());
    for value in key.values()? {
        let value = value?;
        out.push(value.offset());
        value_data::cells(value, out)?;
    }
    Ok(())
}
