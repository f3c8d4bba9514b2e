//! The base block: the first 4096 bytes of a hive, of which all that counts stands in the first 512-byte sector.
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0x000 | 4 | `regf` |
//! | 0x004 | 4 | sequence number 1: raised when a write begins |
//! | 0x008 | 4 | sequence number 2: raised when it is complete; equal numbers mean a clean hive |
//! | 0x00C | 8 | last written (frozen since Windows 8.1) |
//! | 0x014 | 8 | major and minor version |
//! | 0x01C | 4 | file type: 0 hive, 1 log (XP to 8.0), 2 log (NT to 2000), 6 log (8.1 and later) |
//! | 0x020 | 4 | file format: 1 |
//! | 0x024 | 4 | offset of the root key node |
//! | 0x028 | 4 | length of the hive bins |
//! | 0x02C | 4 | clustering factor: 1 |
//! | 0x030 | 64 | end of the file's path, UTF-16LE |
//! | 0x070 | 140 | transaction manager ids, flags, `rmtm`, reorganisation stamp, `OfRg` |
//! | 0x1FC | 4 | checksum of the bytes before |
//!
//! A log begins with the same sector. Everything that is not understood is written back as it was read.

use std::io::Cursor;

use binrw::{BinRead, BinWrite, binrw};

use super::checksum::xor32;
use crate::{BINS_START, CellOffset, Defect, FileOffset, FileTime, FormatError, Structure};

/// The sector that holds every field of a base block.
pub(crate) const SECTOR: usize = 512;

#[binrw]
#[brw(little)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BaseBlock {
    pub(crate) signature: [u8; 4],
    pub(crate) sequence1: u32,
    pub(crate) sequence2: u32,
    pub(crate) last_written: u64,
    pub(crate) major: u32,
    pub(crate) minor: u32,
    pub(crate) file_type: u32,
    pub(crate) file_format: u32,
    pub(crate) root: u32,
    pub(crate) length: u32,
    pub(crate) cluster: u32,
    pub(crate) file_name: [u8; 64],
    pub(crate) rm_id: [u8; 16],
    pub(crate) log_id: [u8; 16],
    /// Bit 0: the kernel transaction manager has the hive locked. Copied into log entries.
    pub(crate) flags: u32,
    pub(crate) tm_id: [u8; 16],
    pub(crate) guid_signature: [u8; 4],
    pub(crate) last_reorganized: u64,
    pub(crate) rest: [u8; 0x1fc - 0xb0],
    pub(crate) checksum: u32,
}

/// What kind of file a base block begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileType {
    Hive,
    OldLog,
    NewLog,
    Other(u32),
}

impl BaseBlock {
    /// Decodes a sector without judging it.
    pub(crate) fn decode(sector: &[u8; SECTOR]) -> Self {
        // Every field is plain and the sizes add up to the sector, so reading from 512 bytes cannot fail; a block of
        // zeros, which no check accepts, stands in for the impossible.
        Self::read(&mut Cursor::new(sector)).unwrap_or_else(|_| Self::blank())
    }

    /// Encodes with a fresh checksum.
    pub(crate) fn encode(&self) -> [u8; SECTOR] {
        let mut sector = [0; SECTOR];
        // Writing 512 bytes into 512 bytes of memory does not fail.
        let _ = self.write(&mut Cursor::new(&mut sector[..]));
        let sum = xor32(&sector);
        sector[SECTOR - 4..].copy_from_slice(&sum.to_le_bytes());
        sector
    }

    /// The base block of a new, empty, clean hive.
    pub(crate) fn new(minor: u32, root: CellOffset, length: u32, written: FileTime) -> Self {
        Self {
            signature: *b"regf",
            sequence1: 1,
            sequence2: 1,
            last_written: written.0,
            major: 1,
            minor,
            file_format: 1,
            root: root.0,
            length,
            cluster: 1,
            ..Self::blank()
        }
    }

    fn blank() -> Self {
        Self {
            signature: [0; 4],
            sequence1: 0,
            sequence2: 0,
            last_written: 0,
            major: 0,
            minor: 0,
            file_type: 0,
            file_format: 0,
            root: 0,
            length: 0,
            cluster: 0,
            file_name: [0; 64],
            rm_id: [0; 16],
            log_id: [0; 16],
            flags: 0,
            tm_id: [0; 16],
            guid_signature: [0; 4],
            last_reorganized: 0,
            rest: [0; 0x1fc - 0xb0],
            checksum: 0,
        }
    }

    pub(crate) fn file_type(&self) -> FileType {
        match self.file_type {
            0 => FileType::Hive,
            1 | 2 => FileType::OldLog,
            6 => FileType::NewLog,
            other => FileType::Other(other),
        }
    }

    pub(crate) fn root(&self) -> CellOffset {
        CellOffset(self.root)
    }

    /// Whether the stored checksum is that of the stored bytes.
    pub(crate) fn checksum_ok(&self) -> bool {
        self.checksum == self.true_checksum()
    }

    pub(crate) fn true_checksum(&self) -> u32 {
        let sector = self.encode();
        u32::from_le_bytes([sector[508], sector[509], sector[510], sector[511]])
    }

    /// Whether Windows would take the hive as it stands, without looking at its logs.
    pub(crate) fn is_clean(&self) -> bool {
        self.sequence1 == self.sequence2 && self.checksum_ok()
    }

    /// What every base block must hold, of hives and of logs: signature, versions, format, cluster, length.
    pub(crate) fn validate(&self) -> Result<(), FormatError> {
        let fail = |defect| FormatError::new(Structure::BaseBlock, FileOffset(0), defect);
        let field = |field, expected, found: u32| fail(Defect::Field { field, expected, found: found.into() });
        if self.signature != *b"regf" {
            return Err(fail(Defect::Signature { expected: "\"regf\"", found: self.signature }));
        }
        if self.major != 1 {
            return Err(field("major version", "1", self.major));
        }
        if !(3..=6).contains(&self.minor) {
            return Err(field("minor version", "3 to 6", self.minor));
        }
        if self.file_format != 1 {
            return Err(field("file format", "1", self.file_format));
        }
        if self.cluster != 1 {
            return Err(field("clustering factor", "1", self.cluster));
        }
        if self.length == 0 || self.length % BINS_START != 0 || self.length > super::hbin::MAX_BINS {
            return Err(field("hive bins length", "a multiple of 0x1000, above 0 and below 2 GiB", self.length));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoding_and_encoding_keeps_what_is_not_understood() {
        let mut sector: [u8; SECTOR] = core::array::from_fn(|at| (at * 7 + at / 256) as u8);
        let sum = xor32(&sector);
        sector[508..].copy_from_slice(&sum.to_le_bytes());
        assert_eq!(BaseBlock::decode(&sector).encode(), sector);
        assert!(BaseBlock::decode(&sector).checksum_ok());
    }

    #[test]
    fn a_new_base_block_is_valid_and_clean() {
        let base = BaseBlock::new(5, CellOffset(0x20), 0x1000, FileTime(7));
        assert_eq!(BaseBlock::decode(&base.encode()).validate(), Ok(()));
        assert!(BaseBlock::decode(&base.encode()).is_clean());
    }
}
