//! Big data, `db`: value data above 16,344 bytes in hives of minor version 4 and later, kept in segments.
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0x00 | 2 | `db` |
//! | 0x02 | 2 | number of segments, at least 2 |
//! | 0x04 | 4 | list of segment offsets |
//!
//! Every segment but the last holds exactly 16,344 bytes. Windows gives each a cell of 0x3FE0 bytes, alone in its bin.

use super::cell::Cell;
use crate::{CellOffset, Defect, FormatError, Structure, bytes::Fixed};

/// Data bytes in a segment, and the most that one plain cell holds where big data exists.
pub(crate) const SEGMENT: u32 = 16344;

/// The most data that a segment count of 16 bits allows.
pub(crate) const MAX_BIG_DATA: u64 = SEGMENT as u64 * u16::MAX as u64;

/// Whether data of this length is kept in segments.
pub(crate) fn applies(minor: u32, length: u32) -> bool {
    minor >= 4 && length > SEGMENT
}

/// A big data record.
#[derive(Clone, Copy)]
pub(crate) struct BigData {
    pub(crate) count: u16,
    pub(crate) list: CellOffset,
}

impl BigData {
    /// Parses the record for data of `length` bytes, whose number of segments follows from it.
    pub(crate) fn parse(cell: Cell<'_>, length: u32) -> Result<Self, FormatError> {
        let (fixed, _) =
            Fixed::<8>::split(cell.payload).ok_or_else(|| cell.too_short(Structure::BigData, "record", 8))?;
        if fixed.u16::<0>() != u16::from_le_bytes(*b"db") {
            return Err(cell.wrong_signature(Structure::BigData, "\"db\""));
        }
        let count = fixed.u16::<2>();
        if u32::from(count) != length.div_ceil(SEGMENT) {
            return Err(cell.error(
                Structure::BigData,
                Defect::Field { field: "segment count", expected: "data length / 16344", found: count.into() },
            ));
        }
        Ok(Self { count, list: CellOffset(fixed.u32::<4>()) })
    }

    pub(crate) fn encode(self) -> [u8; 8] {
        let mut out = [0; 8];
        out[..2].copy_from_slice(b"db");
        out[2..4].copy_from_slice(&self.count.to_le_bytes());
        out[4..].copy_from_slice(&self.list.0.to_le_bytes());
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_segments_follows_from_the_length() {
        let payload = BigData { count: 2, list: CellOffset(0x40) }.encode();
        let cell = Cell { offset: CellOffset(0), payload: &payload };
        assert_eq!(BigData::parse(cell, 16345).unwrap().list, CellOffset(0x40));
        assert!(BigData::parse(cell, 2 * 16344).is_ok());
        assert!(BigData::parse(cell, 2 * 16344 + 1).is_err());
        assert!(!applies(4, 16344) && applies(4, 16345) && !applies(3, 16345));
    }
}
