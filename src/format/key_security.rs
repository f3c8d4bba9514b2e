//! The key security record, `sk`: a descriptor shared by all keys that have the same one.
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0x00 | 2 | `sk` |
//! | 0x02 | 2 | reserved, often garbage |
//! | 0x04 | 4 | next record of the ring |
//! | 0x08 | 4 | previous record of the ring |
//! | 0x0C | 4 | number of key nodes that point here |
//! | 0x10 | 4 | descriptor length |
//! | 0x14 | | self-relative descriptor |
//!
//! All records of a hive form one ring; a lone one points at itself.

use std::io::Cursor;

use binrw::{BinRead, BinWrite, binrw};

use super::cell::Cell;
use crate::{CellOffset, Defect, FormatError, Structure};

/// Bytes before the descriptor.
pub(crate) const KEY_SECURITY_FIXED: usize = 0x14;

/// Where the fields stand in the payload, for those who change them.
pub(crate) mod field {
    pub(crate) const NEXT: u32 = 0x04;
    pub(crate) const PREVIOUS: u32 = 0x08;
    pub(crate) const REFERENCES: u32 = 0x0c;
}

#[binrw]
#[brw(little)]
struct Header {
    signature: [u8; 2],
    reserved: u16,
    next: u32,
    previous: u32,
    references: u32,
    length: u32,
}

/// A key security record whose descriptor lies inside its cell.
#[derive(Clone, Copy)]
pub(crate) struct KeySecurity<'a> {
    pub(crate) next: CellOffset,
    pub(crate) previous: CellOffset,
    pub(crate) references: u32,
    pub(crate) descriptor: &'a [u8],
}

impl<'a> KeySecurity<'a> {
    pub(crate) fn parse(cell: Cell<'a>) -> Result<Self, FormatError> {
        let Header { signature, next, previous, references, length, .. } = Header::read(&mut Cursor::new(cell.payload))
            .map_err(|_| cell.too_short(Structure::KeySecurity, "fixed part", KEY_SECURITY_FIXED as u64))?;
        if signature != *b"sk" {
            return Err(cell.wrong_signature(Structure::KeySecurity, "\"sk\""));
        }
        let room = cell.payload.get(KEY_SECURITY_FIXED..).unwrap_or_default();
        let descriptor = room.get(..length as usize).ok_or_else(|| {
            cell.error(
                Structure::KeySecurity,
                Defect::Truncated { part: "descriptor", needed: length.into(), available: room.len() as u64 },
            )
        })?;
        Ok(Self { next: CellOffset(next), previous: CellOffset(previous), references, descriptor })
    }
}

/// The payload of a new record.
pub(crate) fn encode(next: CellOffset, previous: CellOffset, references: u32, descriptor: &[u8]) -> Vec<u8> {
    let header = Header {
        signature: *b"sk",
        reserved: 0,
        next: next.0,
        previous: previous.0,
        references,
        length: descriptor.len() as u32,
    };
    let mut out = Cursor::new(Vec::with_capacity(KEY_SECURITY_FIXED + descriptor.len()));
    // Writing to memory does not fail.
    let _ = header.write(&mut out);
    let mut out = out.into_inner();
    out.extend_from_slice(descriptor);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_reads_back() {
        let payload = encode(CellOffset(0x80), CellOffset(0x40), 3, b"descriptor");
        let security = KeySecurity::parse(Cell { offset: CellOffset(0), payload: &payload }).unwrap();
        assert_eq!((security.next, security.previous, security.references), (CellOffset(0x80), CellOffset(0x40), 3));
        assert_eq!(security.descriptor, b"descriptor");
    }

    #[test]
    fn a_descriptor_that_leaves_the_cell_is_refused() {
        let mut payload = encode(CellOffset(0), CellOffset(0), 1, b"1234");
        payload[0x10] = 5;
        assert!(KeySecurity::parse(Cell { offset: CellOffset(0), payload: &payload }).is_err());
    }
}
