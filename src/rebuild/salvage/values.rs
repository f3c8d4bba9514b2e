//! What belongs to the keys that were found: class names, values and their data.
//!
//! A cell has one owner. Where two records claim the same bytes, those whose cells stand where the cells of their bin
//! tile come first, so that a damaged pointer takes nothing away from a sound one.

use super::{cells::Opened, keys::Search, loss::Fate};
use crate::{
    CellOffset, Defect, Structure, ValueType,
    bytes::{u16_at, u32_at},
    format::{
        KeyFlags,
        big_data::SEGMENT,
        cell::CELL_HEADER,
        key_node::field,
        key_value::{DataPlace, KEY_VALUE_FIXED, KeyValue},
    },
    name::Name,
    rebuild::tree::{Content, Entry, Text, offset_in},
};

/// Most units in a value's name.
const MAX_NAME: usize = 16383;

/// An entry of a values list that waits until the sound ones have their cells.
struct Waiting {
    key: u32,
    /// Its place among the key's values.
    order: u32,
    at: CellOffset,
    /// It lies within what the key counts.
    counted: bool,
}

/// A value with its place among those of its key.
type Placed<'a> = (u32, u32, Entry<'a>);

impl<'a> Search<'a> {
    /// Finds the class names.
    pub(super) fn find_classes(&mut self) {
        for number in 0..self.tree.keys.len() as u32 {
            let Some(key) = self.tree.keys.get(number as usize) else { continue };
            let length = u16_at(&key.fixed, field::CLASS_LENGTH as usize).map_or(0, usize::from);
            let class = offset_in(&key.fixed, field::CLASS);
            if length == 0 {
                continue;
            }
            let found = self.cells.open(class).and_then(|opened| match opened {
                Opened { cell, sized: true, .. } => Ok(cell.payload.get(..length).unwrap_or(cell.payload)),
                Opened { cell, .. } => Err(too_short("class name", length, cell.payload.len())),
            });
            let found =
                found.and_then(|found| if self.cells.take(class, found.len()) { Ok(found) } else { Err(SHARED) });
            match found {
                Ok(found) => {
                    if found.len() < length {
                        let why = too_short("class name", length, found.len()).to_string();
                        self.lose(Fate::Altered, Structure::ClassName, class, Some(number), "the class name", why);
                    }
                    if let Some(key) = self.tree.keys.get_mut(number as usize) {
                        key.class = found;
                    }
                }
                Err(defect) => {
                    let why = defect.to_string();
                    self.lose(Fate::Lost, Structure::ClassName, class, Some(number), "the class name", why);
                }
            }
        }
    }

    /// Finds the values; how many could not be.
    pub(super) fn find_values(&mut self) -> u64 {
        let mut waiting = Vec::new();
        let mut values: Vec<Placed<'a>> = Vec::new();
        let mut budget = self.cells.most() * 2;
        let mut lost = 0;
        let mut later = Vec::new();
        for number in 0..self.tree.keys.len() as u32 {
            if self.is_sound_list(number) {
                self.read_values_list(number, &mut budget, &mut waiting, &mut lost);
            } else {
                later.push(number);
            }
        }
        let mut doubtful = Vec::new();
        for entry in waiting {
            if self.is_sound_value(entry.at) {
                lost += u64::from(self.value(&entry, &mut values));
            } else {
                doubtful.push(entry);
            }
        }
        for number in later {
            self.read_values_list(number, &mut budget, &mut doubtful, &mut lost);
        }
        for entry in doubtful {
            lost += u64::from(self.value(&entry, &mut values));
        }
        values.sort_by_key(|(key, order, _)| (*key, *order));
        self.tree.values = values.into_iter().map(|(_, _, value)| value).collect();
        lost
    }

    /// The number of values that a key counts and its list; none for keys that have a handle there.
    fn values_list(&self, number: u32) -> Option<(usize, CellOffset)> {
        let key = self.tree.keys.get(number as usize)?;
        let made = self.found.get(number as usize)?.made;
        if made || KeyFlags::from_bits_retain(key.flags()).contains(KeyFlags::PREDEFINED_HANDLE) {
            return None;
        }
        let count = u32_at(&key.fixed, field::VALUE_COUNT as usize)? as usize;
        let list = offset_in(&key.fixed, field::VALUES_LIST);
        (count > 0 || !list.is_nil()).then_some((count, list))
    }

    /// Whether a values list holds what its key counts.
    fn is_sound_list(&self, number: u32) -> bool {
        let Some((count, list)) = self.values_list(number) else { return true };
        let opened = self.cells.open(list);
        opened.is_ok_and(|opened| count > 0 && opened.placed && count <= opened.cell.payload.len() / 4)
    }

    /// Reads the entries of a key's values list.
    fn read_values_list(&mut self, number: u32, budget: &mut usize, to: &mut Vec<Waiting>, lost: &mut u64) {
        let Some((count, list)) = self.values_list(number) else { return };
        let opened = self.cells.open(list).and_then(|opened| match opened {
            Opened { cell, sized: true, .. } => Ok(cell.payload),
            Opened { cell, .. } => Err(too_short("entries", count.saturating_mul(4), cell.payload.len())),
        });
        let room = match opened {
            Ok(room) => room,
            // A key that counts no values says nothing certain by a list.
            Err(_) if count == 0 => return,
            Err(defect) => {
                // The number is as doubtful as the list: it is said, not counted.
                *lost += 1;
                let (what, why) = (format!("{count} values"), defect.to_string());
                return self.lose(Fate::Lost, Structure::ValuesList, list, Some(number), what, why);
            }
        };
        let whole = room.len() / 4;
        let entries = if count == 0 || count > whole { whole } else { count };
        let Some(left) = budget.checked_sub(1 + entries).filter(|_| self.cells.take(list, entries * 4)) else {
            if count > 0 {
                *lost += count as u64;
                let what = format!("{count} values");
                self.lose(Fate::Lost, Structure::ValuesList, list, Some(number), what, SHARED.to_string());
            }
            return;
        };
        *budget = left;
        if count > whole {
            let why = too_short("entries", count.saturating_mul(4), room.len()).to_string();
            let what = "the list of values: its first entries are used";
            self.lose(Fate::Altered, Structure::ValuesList, list, Some(number), what, why);
        }
        let counted = count > 0 && count <= whole;
        for (order, entry) in room.chunks_exact(4).take(entries).enumerate() {
            let at = u32_at(entry, 0).map_or(CellOffset::NIL, CellOffset);
            to.push(Waiting { key: number, order: order as u32, at, counted });
        }
    }

    /// Whether value and data stand where cells tile.
    fn is_sound_value(&self, at: CellOffset) -> bool {
        let Ok(Opened { cell, placed: true, .. }) = self.cells.open(at) else { return false };
        let Ok(value) = KeyValue::parse(cell) else { return false };
        match value.data_place() {
            Ok(DataPlace::Cell(data, length)) if length > 0 => self.cells.open(data).is_ok_and(|opened| opened.placed),
            place => place.is_ok(),
        }
    }

    /// Reads a value; whether it is lost.
    fn value(&mut self, entry: &Waiting, values: &mut Vec<Placed<'a>>) -> bool {
        let Waiting { key, order, at, counted } = *entry;
        let (record, shortened) = match self.read_value(at) {
            Ok(read) => read,
            Err(defect) => {
                // What stands behind the counted entries may be left over from other times.
                if counted {
                    self.lose(Fate::Lost, Structure::KeyValue, at, Some(key), "a value", defect.to_string());
                }
                return counted;
            }
        };
        let name = Text::of(record.name);
        let what =
            if record.name.is_empty() { "the default value".to_owned() } else { format!("value \"{}\"", record.name) };
        if shortened {
            let why = "its name does not fit its cell";
            self.lose(Fate::Altered, Structure::KeyValue, at, Some(key), what.as_str(), why);
        }
        let content = match self.data(&record) {
            Ok((content, None)) => content,
            Ok((content, Some(defect))) => {
                let why = format!("{defect}; its first {} bytes are kept", content.len());
                self.lose(Fate::Altered, Structure::ValueData, record.data(), Some(key), what, why);
                content
            }
            Err(defect) => {
                self.lose(Fate::Lost, Structure::ValueData, record.data(), Some(key), what, defect.to_string());
                return true;
            }
        };
        let Record { kind, flags, spare, .. } = record;
        values.push((key, order, Entry { key, name, kind, flags, spare, content }));
        false
    }

    /// Reads the record of a value, and whether its name had to be shortened.
    fn read_value(&mut self, at: CellOffset) -> Result<(Record<'a>, bool), Defect> {
        let Opened { cell, sized, placed } = self.cells.open(at)?;
        let payload = cell.payload;
        let Some((fixed, tail)) = payload.split_at_checked(KEY_VALUE_FIXED) else {
            return Err(too_short("fixed part", KEY_VALUE_FIXED, payload.len()));
        };
        let field = |at: usize| u32_at(fixed, at).unwrap_or_default();
        let flags = u16_at(fixed, 0x10).unwrap_or_default();
        let length = u16_at(fixed, 2).map_or(0, usize::from);
        let compressed = flags & 1 != 0;
        if !payload.starts_with(b"vk") {
            // Believed all the same if the cell is as long as the name makes it and no unknown flag is set.
            let exact = tail.len().checked_sub(length).is_some_and(|slack| slack < 8);
            if !(placed && exact && flags & !3 == 0) {
                let mut found = [0; 4];
                found.iter_mut().zip(payload.iter().take(2)).for_each(|(to, from)| *to = *from);
                return Err(Defect::Signature { expected: "\"vk\"", found });
            }
        }
        let (name, shortened) = match tail.get(..length) {
            Some(name) => (name, false),
            None if sized => (trimmed(tail, compressed), true),
            None => return Err(too_short("name", length, tail.len())),
        };
        let used = KEY_VALUE_FIXED + name.len();
        let name = Name::new(name, compressed);
        if name.len() > MAX_NAME {
            let found = length as u64;
            return Err(Defect::Field { field: "name length", expected: "at most 16383 units", found });
        }
        let shortened = shortened || (!compressed && length % 2 != 0);
        if !self.cells.take(at, used) {
            return Err(SHARED);
        }
        let spare = u16_at(fixed, 0x12).unwrap_or_default();
        Ok((Record { name, kind: ValueType(field(0x0c)), flags, spare, length: field(4), place: field(8) }, shortened))
    }

    /// The data of a value; with a defect if they are not whole.
    fn data(&mut self, record: &Record<'a>) -> Result<(Content<'a>, Option<Defect>), Defect> {
        const INLINE: u32 = 0x8000_0000;
        let length = (record.length & !INLINE) as usize;
        if record.length & INLINE != 0 {
            let defect = Defect::Field { field: "inline data length", expected: "at most 4", found: length as u64 };
            let content = Content::Inline(record.place.to_le_bytes(), length.min(4) as u32);
            return Ok((content, (length > 4).then_some(defect)));
        }
        if length == 0 {
            return Ok((Content::nothing(record.flags), None));
        }
        let data = record.data();
        let Opened { cell, sized, .. } = self.cells.open(data)?;
        if cell.payload.starts_with(b"db") && length > SEGMENT as usize && cell.payload.len() < length {
            return self.big_data(data, cell.payload, length);
        }
        // Where the size makes no sense, the data end where the next cell begins, or are not believed.
        let end = (length + CELL_HEADER as usize).next_multiple_of(8) as u64 + u64::from(data.0);
        if !sized && !u32::try_from(end).is_ok_and(|end| self.cells.is_boundary(end)) {
            let found = u64::from(u32_at(self.cells.ground().from(data.0), 0).unwrap_or_default());
            return Err(Defect::Field { field: "size", expected: "a multiple of 8 that stays in its bin", found });
        }
        let there = cell.payload.get(..length).unwrap_or(cell.payload);
        if !self.cells.take(data, there.len()) {
            return Err(SHARED);
        }
        let defect = (there.len() < length).then(|| too_short("data", length, there.len()));
        Ok((Content::of(there), defect))
    }

    /// Data in segments, up to the first that is missing.
    fn big_data(
        &mut self,
        at: CellOffset,
        record: &'a [u8],
        length: usize,
    ) -> Result<(Content<'a>, Option<Defect>), Defect> {
        let list = u32_at(record, 4).map_or(CellOffset::NIL, CellOffset);
        let entries = self.cells.open(list)?.cell.payload;
        let count = length.div_ceil(SEGMENT as usize);
        if !self.cells.take(at, 8) || !self.cells.take(list, entries.len().min(count * 4)) {
            return Err(SHARED);
        }
        let mut pieces = Vec::new();
        let mut left = length;
        let mut defect = None;
        for entry in entries.chunks_exact(4).take(count) {
            let segment = u32_at(entry, 0).map_or(CellOffset::NIL, CellOffset);
            let wanted = left.min(SEGMENT as usize);
            let found = self.cells.open(segment).and_then(|opened| match opened.cell.payload.get(..wanted) {
                Some(piece) if opened.sized => Ok(piece),
                _ => Err(too_short("segment", wanted, opened.cell.payload.len())),
            });
            match found.and_then(|piece| if self.cells.take(segment, wanted) { Ok(piece) } else { Err(SHARED) }) {
                Ok(piece) => pieces.push(piece),
                Err(error) => {
                    defect = Some(error);
                    break;
                }
            }
            left -= wanted;
        }
        if left > 0 && defect.is_none() {
            defect = Some(too_short("segment list", count * 4, entries.len()));
        }
        match (pieces.is_empty(), defect) {
            (true, Some(defect)) => Err(defect),
            (_, defect) => Ok((shortest(pieces), defect)),
        }
    }
}

/// The fields of a value's record.
struct Record<'a> {
    name: Name<'a>,
    kind: ValueType,
    flags: u16,
    spare: u16,
    /// As stored.
    length: u32,
    place: u32,
}

impl Record<'_> {
    fn data(&self) -> CellOffset {
        CellOffset(self.place)
    }
}

/// Two records claim the same bytes.
const SHARED: Defect = Defect::Cycle;

fn too_short(part: &'static str, needed: usize, available: usize) -> Defect {
    Defect::Truncated { part, needed: needed as u64, available: available as u64 }
}

/// A single piece is like any other data.
fn shortest(pieces: Vec<&[u8]>) -> Content<'_> {
    match pieces[..] {
        [piece] => Content::of(piece),
        _ => Content::Pieces(pieces),
    }
}

/// A name without the zeros that fill its cell.
fn trimmed(name: &[u8], compressed: bool) -> &[u8] {
    let unit = if compressed { 1 } else { 2 };
    let whole = name.get(..name.len() / unit * unit).unwrap_or(name);
    let used = whole.chunks_exact(unit).rposition(|unit| unit.iter().any(|byte| *byte != 0)).map_or(0, |last| last + 1);
    whole.get(..used * unit).unwrap_or(whole)
}
