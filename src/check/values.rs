//! Values (rules V): the list, the records, and where their data stand.

use super::{Checker, Rule, lists::Way, map::Claim, names};
use crate::{
    CellOffset, Structure,
    bytes::{u16_at, u32_at},
    format::{
        KeyFlags,
        big_data::{self, SEGMENT},
        key_node::KeyNode,
        key_value::{DataPlace, KEY_VALUE_FIXED, KeyValue, MAX_INLINE},
    },
    name::{Name, same},
};

/// Most units in a value's name.
const MAX_VALUE_NAME: usize = 16383;

/// Set in a value's flags in differencing hives: the value is deleted.
const TOMBSTONE: u16 = 2;

/// A value by the hash of its name.
pub(super) type Hashed = (u32, CellOffset);

impl<'a> Checker<'a> {
    /// Judges the values of a key.
    #[inline]
    pub(super) fn check_values(&mut self, node: KeyNode<'a>, way: &Way<'_, 'a>) {
        if node.flags().contains(KeyFlags::PREDEFINED_HANDLE) {
            self.say(Rule::V15, Structure::KeyNode, node.offset(), Some(way), format_args!("is a predefined handle"));
            return;
        }
        let count = node.value_count();
        if count > 0 {
            self.check_list(node, count, way);
        } else if !node.values_list().is_nil() {
            let message = format!("counts no values, values list is {:?}", node.values_list());
            self.say(Rule::V14, Structure::KeyNode, node.offset(), Some(way), message);
        }
    }

    fn check_list(&mut self, node: KeyNode<'a>, count: u32, way: &Way<'_, 'a>) {
        let list = node.values_list();
        match self.map.claim(list) {
            Claim::First => {}
            Claim::Again => return self.say_twice(list, way),
            Claim::Nothing => {
                self.cut = true;
                let message = format!("values list is {list:?}, which is no allocated cell");
                return self.say(Rule::V1, Structure::KeyNode, node.offset(), Some(way), message);
            }
        }
        let room = self.hive.cell(list).map(|cell| cell.payload).unwrap_or_default();
        // Slack behind the counted entries may hold stale offsets and is not looked at.
        let Some(entries) = (count as usize).checked_mul(4).and_then(|needed| room.get(..needed)) else {
            self.cut = true;
            let message = format!("{count} entries do not fit the {} bytes of the list", room.len());
            return self.say(Rule::V2, Structure::ValuesList, list, Some(way), message);
        };
        self.hashed.clear();
        let (mut largest_name, mut largest_data) = (0, 0);
        for entry in entries.chunks_exact(4) {
            let at = u32_at(entry, 0).map_or(CellOffset::NIL, CellOffset);
            if let Some((name, data)) = self.check_value(list, at, way) {
                largest_name = largest_name.max(name);
                largest_data = largest_data.max(data);
            }
        }
        self.check_duplicates(way);
        let noted = node.largest_value_name();
        if largest_name > noted {
            self.too_small(node, "largest value name", noted, largest_name, way);
        }
        let noted = node.largest_value_data();
        if largest_data > noted {
            self.too_small(node, "largest value data", noted, largest_data, way);
        }
    }

    /// Judges one value; returns the lengths of its name (as UTF-16) and of its data.
    fn check_value(&mut self, list: CellOffset, at: CellOffset, way: &Way<'_, 'a>) -> Option<(u32, u32)> {
        if at.is_nil() {
            self.say(Rule::V3, Structure::ValuesList, list, Some(way), format_args!("an entry is empty"));
            return None;
        }
        match self.map.claim(at) {
            Claim::First => {}
            Claim::Again => {
                self.say_twice(at, way);
                return None;
            }
            Claim::Nothing => {
                self.cut = true;
                let message = format!("an entry is {at:?}, which is no allocated cell");
                self.say(Rule::V4, Structure::ValuesList, list, Some(way), message);
                return None;
            }
        }
        let cell = self.hive.cell(at).ok()?;
        let Ok(value) = KeyValue::parse(cell) else {
            self.cut = true;
            let room = cell.payload.len();
            if room < KEY_VALUE_FIXED {
                self.value(
                    Rule::V5,
                    at,
                    way,
                    format_args!("fixed part needs {KEY_VALUE_FIXED} bytes, {room} are left"),
                );
            } else {
                let found = cell.payload.get(..2).unwrap_or_default().escape_ascii();
                self.value(Rule::V9, at, way, format_args!("signature is \"{found}\", expected \"vk\""));
            }
            return None;
        };
        self.report.totals.values += 1;
        let name = self.check_value_name(value, way)?;
        if value.flags() & TOMBSTONE != 0 && !self.hive.is_layered() {
            self.value(Rule::H13, at, way, format_args!("\"{name}\" is a tombstone"));
        }
        let length = self.check_data(value, name, way);
        Some((name.len() as u32 * 2, length))
    }

    fn check_value_name(&mut self, value: KeyValue<'a>, way: &Way<'_, 'a>) -> Option<Name<'a>> {
        let at = value.offset();
        let length = value.name_length();
        let Ok(name) = value.name() else {
            self.cut = true;
            let room = value.cell.payload.len() - KEY_VALUE_FIXED;
            self.value(Rule::V5, at, way, format_args!("name needs {length} bytes, {room} are left"));
            return None;
        };
        if names::is_torn(name) || name.len() > MAX_VALUE_NAME {
            self.value(Rule::V5, at, way, format_args!("name length is {length}, expected at most 16383 UTF-16 units"));
        }
        if name.is_empty() && value.has_compressed_name() {
            self.value(Rule::V13, at, way, format_args!("the unnamed value is marked as having a Latin-1 name"));
        } else if names::is_needlessly_wide(name) {
            self.value(Rule::V13, at, way, format_args!("name \"{name}\" fits Latin-1 and is stored as UTF-16"));
        }
        self.hashed.push((names::hash(name), at));
        Some(name)
    }

    /// Judges where the data stand; returns their length.
    fn check_data(&mut self, value: KeyValue<'a>, name: Name<'a>, way: &Way<'_, 'a>) -> u32 {
        let at = value.offset();
        let Ok(place) = value.data_place() else {
            let length = value.data_length();
            self.value(Rule::V10, at, way, format_args!("{length} bytes of \"{name}\" are said to stand in the value"));
            return 0;
        };
        let (data, length) = match place {
            DataPlace::Inline(_, length) => return length,
            DataPlace::Cell(data, 0) => {
                if !data.is_nil() {
                    self.value(Rule::V6, at, way, format_args!("\"{name}\" has no data, but data cell {data:?}"));
                }
                return 0;
            }
            DataPlace::Cell(data, length) => (data, length),
        };
        if length <= MAX_INLINE {
            self.value(Rule::V13, at, way, format_args!("{length} bytes of \"{name}\" stand outside the value"));
        }
        if big_data::applies(self.hive.minor_version(), length) {
            self.check_big_data(value, data, length, way);
            return length;
        }
        if self.claim_data(Rule::V7, at, data, way) {
            let room = self.map.payload(data);
            if length > room {
                let message = format!("data of \"{name}\" need {length} bytes, {room} are left");
                self.say(Rule::V11, Structure::ValueData, data, Some(way), message);
            }
        }
        length
    }

    /// Claims a cell that the value at `at` needs.
    #[inline]
    fn claim_data(&mut self, rule: Rule, at: CellOffset, data: CellOffset, way: &Way<'_, 'a>) -> bool {
        match self.map.claim(data) {
            Claim::First => return true,
            Claim::Again => self.say_twice(data, way),
            Claim::Nothing => {
                self.cut = true;
                self.value(rule, at, way, format_args!("data need {data:?}, which is no allocated cell"));
            }
        }
        false
    }

    /// Judges data in segments: the record, the list of segments, and each of them.
    fn check_big_data(&mut self, value: KeyValue<'a>, record: CellOffset, length: u32, way: &Way<'_, 'a>) {
        let at = value.offset();
        if !self.claim_data(Rule::V8, at, record, way) {
            return;
        }
        let bytes = self.hive.cell(record).map(|cell| cell.payload).unwrap_or_default();
        let (Some(b"db"), Some(count), Some(list)) = (bytes.get(..2), u16_at(bytes, 2), u32_at(bytes, 4)) else {
            self.cut = true;
            let message = format!("{length} bytes of data need a \"db\" record");
            return self.say(Rule::V8, Structure::BigData, record, Some(way), message);
        };
        let expected = length.div_ceil(SEGMENT);
        if u32::from(count) != expected {
            let message = format!("segment count is {count}, expected {expected}");
            self.say(Rule::V8, Structure::BigData, record, Some(way), message);
        }
        let list = CellOffset(list);
        if !self.claim_data(Rule::V8, at, list, way) {
            return;
        }
        let room = self.hive.cell(list).map(|cell| cell.payload).unwrap_or_default();
        let Some(segments) = room.get(..usize::from(count) * 4) else {
            self.cut = true;
            let message = format!("{count} segments do not fit the {} bytes of the list", room.len());
            return self.say(Rule::V8, Structure::BigData, list, Some(way), message);
        };
        let mut left = length;
        for segment in segments.chunks_exact(4) {
            let segment = u32_at(segment, 0).map_or(CellOffset::NIL, CellOffset);
            let needed = left.min(SEGMENT);
            left -= needed;
            if self.claim_data(Rule::V8, at, segment, way) {
                let room = self.map.payload(segment);
                if room < needed {
                    let message = format!("segment needs {needed} bytes, {room} are left");
                    self.say(Rule::V8, Structure::BigData, segment, Some(way), message);
                }
            }
        }
    }

    /// Windows finds only the first of two values with the same name.
    ///
    /// Only neighbours by hash are compared, so that a list made of collisions costs no more than any other.
    fn check_duplicates(&mut self, way: &Way<'_, 'a>) {
        let mut hashed = std::mem::take(&mut self.hashed);
        hashed.sort_unstable();
        for pair in hashed.windows(2) {
            let [(one, first), (other, second)] = *pair else { continue };
            if one != other {
                continue;
            }
            let name = |at| KeyValue::parse(self.hive.cell(at).ok()?).ok()?.name().ok();
            let (Some(one), Some(other)) = (name(first), name(second)) else { continue };
            if same(&one, &other) {
                let message = format!("the value at {} is called \"{one}\" too", first.file_offset());
                self.value(Rule::V12, second, way, message);
            }
        }
        self.hashed = hashed;
    }

    #[cold]
    fn value(&mut self, rule: Rule, at: CellOffset, way: &Way<'_, 'a>, message: impl std::fmt::Display) {
        self.say(rule, Structure::KeyValue, at, Some(way), message);
    }
}
