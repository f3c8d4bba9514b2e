//! The key value, `vk`.
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0x00 | 2 | `vk` |
//! | 0x02 | 2 | name length in bytes as stored; 0 for the default value |
//! | 0x04 | 4 | data length; bit 31: the data stands in the next field |
//! | 0x08 | 4 | data cell, big data cell, or up to four bytes of data |
//! | 0x0C | 4 | type |
//! | 0x10 | 2 | flags: 1 name is Latin-1, 2 tombstone (differencing hives) |
//! | 0x12 | 2 | unused |
//! | 0x14 | | name |

use super::{ValueType, cell::Cell};
use crate::{CellOffset, Defect, FormatError, Structure, bytes::Fixed, name::Name};

/// Bytes before the name.
pub(crate) const KEY_VALUE_FIXED: usize = 0x14;

/// Data up to this size stands in the record itself.
pub(crate) const MAX_INLINE: u32 = 4;

/// Set in the data length when the data stands in the record itself.
const INLINE: u32 = 0x8000_0000;

/// Set in the flags when the name is stored as Latin-1.
const COMPRESSED_NAME: u16 = 1;

/// Where the fields stand in the payload, for those who change them.
pub(crate) mod field {
    pub(crate) const DATA_LENGTH: u32 = 0x04;
    pub(crate) const TYPE: u32 = 0x0c;
}

/// A key value whose fixed part is there.
#[derive(Clone, Copy)]
pub(crate) struct KeyValue<'a> {
    pub(crate) cell: Cell<'a>,
    fixed: Fixed<'a, KEY_VALUE_FIXED>,
    tail: &'a [u8],
}

/// Where the data of a value stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DataPlace {
    /// In the record: this many bytes (at most 4) of these.
    Inline([u8; 4], u32),
    /// In a cell, or in segments if the hive keeps data of that length so.
    Cell(CellOffset, u32),
}

impl DataPlace {
    /// The data length and data fields as they are stored, eight bytes that always share a sector.
    pub(crate) fn encode(self) -> [u8; 8] {
        let (length, data) = match self {
            Self::Inline(bytes, length) => (INLINE | length, bytes),
            Self::Cell(at, length) => (length, at.0.to_le_bytes()),
        };
        let mut out = [0; 8];
        out[..4].copy_from_slice(&length.to_le_bytes());
        out[4..].copy_from_slice(&data);
        out
    }
}

impl<'a> KeyValue<'a> {
    pub(crate) fn parse(cell: Cell<'a>) -> Result<Self, FormatError> {
        let (fixed, tail) = Fixed::split(cell.payload)
            .ok_or_else(|| cell.too_short(Structure::KeyValue, "fixed part", KEY_VALUE_FIXED as u64))?;
        let value = Self { cell, fixed, tail };
        if value.fixed.u16::<0>() != u16::from_le_bytes(*b"vk") {
            return Err(cell.wrong_signature(Structure::KeyValue, "\"vk\""));
        }
        Ok(value)
    }

    pub(crate) fn offset(self) -> CellOffset {
        self.cell.offset
    }

    pub(crate) fn name_length(self) -> u16 {
        self.fixed.u16::<0x02>()
    }

    pub(crate) fn kind(self) -> ValueType {
        ValueType(self.fixed.u32::<0x0c>())
    }

    pub(crate) fn flags(self) -> u16 {
        self.fixed.u16::<0x10>()
    }

    pub(crate) fn has_compressed_name(self) -> bool {
        self.flags() & COMPRESSED_NAME != 0
    }

    pub(crate) fn name(self) -> Result<Name<'a>, FormatError> {
        let length = usize::from(self.name_length());
        let bytes = self.tail.get(..length).ok_or_else(|| {
            self.cell.error(
                Structure::KeyValue,
                Defect::Truncated { part: "name", needed: length as u64, available: self.tail.len() as u64 },
            )
        })?;
        Ok(Name::new(bytes, self.has_compressed_name()))
    }

    /// Data length in bytes.
    pub(crate) fn data_length(self) -> u32 {
        self.fixed.u32::<0x04>() & !INLINE
    }

    pub(crate) fn data_place(self) -> Result<DataPlace, FormatError> {
        let length = self.data_length();
        let data = self.fixed.u32::<0x08>();
        if self.fixed.u32::<0x04>() & INLINE == 0 {
            return Ok(DataPlace::Cell(CellOffset(data), length));
        }
        if length > MAX_INLINE {
            return Err(self.cell.error(
                Structure::KeyValue,
                Defect::Field { field: "inline data length", expected: "at most 4", found: length.into() },
            ));
        }
        Ok(DataPlace::Inline(data.to_le_bytes(), length))
    }
}

/// The payload of a new value record. `compressed` is how `name` is encoded; an unnamed value never has that flag.
pub(crate) fn encode(name: &[u8], compressed: bool, place: DataPlace, kind: ValueType) -> Vec<u8> {
    let flags = if compressed && !name.is_empty() { COMPRESSED_NAME } else { 0 };
    let mut out = Vec::with_capacity(KEY_VALUE_FIXED + name.len());
    out.extend_from_slice(b"vk");
    out.extend_from_slice(&(name.len() as u16).to_le_bytes());
    out.extend_from_slice(&place.encode());
    out.extend_from_slice(&kind.0.to_le_bytes());
    out.extend_from_slice(&flags.to_le_bytes());
    out.extend_from_slice(&[0; 2]);
    out.extend_from_slice(name);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_reads_back() {
        let payload = encode(b"Enabled", true, DataPlace::Inline([1, 0, 0, 0], 4), ValueType::DWORD);
        let value = KeyValue::parse(Cell { offset: CellOffset(0), payload: &payload }).unwrap();
        assert_eq!(value.name().unwrap().to_string(), "Enabled");
        assert_eq!(value.data_place(), Ok(DataPlace::Inline([1, 0, 0, 0], 4)));
        assert_eq!((value.kind(), value.flags()), (ValueType::DWORD, 1));
    }

    #[test]
    fn the_default_value_carries_no_name_flag() {
        let payload = encode(b"", true, DataPlace::Cell(CellOffset(0x40), 9), ValueType::SZ);
        let value = KeyValue::parse(Cell { offset: CellOffset(0), payload: &payload }).unwrap();
        assert_eq!(value.flags(), 0);
        assert_eq!(value.data_place(), Ok(DataPlace::Cell(CellOffset(0x40), 9)));
    }

    #[test]
    fn five_inline_bytes_are_refused() {
        let mut payload = encode(b"", true, DataPlace::Inline([0; 4], 4), ValueType::SZ);
        payload[4] = 5;
        assert!(KeyValue::parse(Cell { offset: CellOffset(0), payload: &payload }).unwrap().data_place().is_err());
    }
}
