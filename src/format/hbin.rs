//! The hive bin header.
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0x00 | 4 | `hbin` |
//! | 0x04 | 4 | offset of this bin, relative to the first |
//! | 0x08 | 4 | size, a multiple of 0x1000 |
//! | 0x0C | 8 | reserved |
//! | 0x14 | 8 | time stamp; in the first bin a copy of the base block's |
//! | 0x1C | 4 | used in memory only |
//!
//! Bins tile the hive bins data, and from 0x20 on cells tile the bin.

use std::io::Cursor;

use binrw::{BinRead, BinWrite, binrw};

use crate::{CellOffset, Defect, FileTime, FormatError, Structure};

/// Bytes of a bin before its first cell.
pub(crate) const HBIN_HEADER: u32 = 0x20;

/// Bins are made of pages of this size, which is also the unit that logs record.
pub(crate) const PAGE: u32 = 0x1000;

/// The most bytes that all bins of a hive can have: bit 31 of an offset selects volatile storage.
pub(crate) const MAX_BINS: u32 = 0x7fff_f000;

#[binrw]
#[brw(little)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hbin {
    pub(crate) signature: [u8; 4],
    pub(crate) offset: u32,
    pub(crate) size: u32,
    pub(crate) reserved: u64,
    pub(crate) timestamp: u64,
    pub(crate) spare: u32,
}

impl Hbin {
    pub(crate) fn new(offset: u32, size: u32, timestamp: FileTime) -> Self {
        Self { signature: *b"hbin", offset, size, reserved: 0, timestamp: timestamp.0, spare: 0 }
    }

    pub(crate) fn encode(&self) -> [u8; HBIN_HEADER as usize] {
        let mut bytes = [0; HBIN_HEADER as usize];
        // Writing 32 bytes into 32 bytes of memory does not fail.
        let _ = self.write(&mut Cursor::new(&mut bytes[..]));
        bytes
    }

    /// Reads and judges the header at `at`, of whose bin no more than `available` bytes can be there.
    pub(crate) fn parse(bytes: &[u8], at: u32, available: u32) -> Result<Self, FormatError> {
        let fail = |defect| FormatError::new(Structure::Hbin, CellOffset(at).file_offset(), defect);
        let hbin = Self::read(&mut Cursor::new(bytes)).map_err(|_| {
            fail(Defect::Truncated { part: "header", needed: HBIN_HEADER.into(), available: bytes.len() as u64 })
        })?;
        if hbin.signature != *b"hbin" {
            return Err(fail(Defect::Signature { expected: "\"hbin\"", found: hbin.signature }));
        }
        if hbin.offset != at {
            return Err(fail(Defect::Field {
                field: "offset",
                expected: "its own position",
                found: hbin.offset.into(),
            }));
        }
        if hbin.size < PAGE || hbin.size % PAGE != 0 {
            return Err(fail(Defect::Field {
                field: "size",
                expected: "a multiple of 0x1000 above 0",
                found: hbin.size.into(),
            }));
        }
        if hbin.size > available {
            return Err(fail(Defect::Truncated { part: "bin", needed: hbin.size.into(), available: available.into() }));
        }
        Ok(hbin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bin_header_survives_the_round_trip() {
        let hbin = Hbin::new(0x3000, 0x2000, FileTime(99));
        assert_eq!(Hbin::parse(&hbin.encode(), 0x3000, 0x2000), Ok(hbin));
        assert!(Hbin::parse(&hbin.encode(), 0x2000, 0x2000).is_err());
        assert!(Hbin::parse(&hbin.encode(), 0x3000, 0x1000).is_err());
    }
}
