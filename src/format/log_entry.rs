//! Entries of the transaction logs of Windows 8.1 and later, `HvLE`.
//!
//! A log is a base block sector (file type 6) and from 0x200 on entries, back to back:
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0x00 | 4 | `HvLE` |
//! | 0x04 | 4 | size of the entry, a multiple of 0x200 |
//! | 0x08 | 4 | flags: bit 0 of the base block's |
//! | 0x0C | 4 | sequence number |
//! | 0x10 | 4 | length of the hive bins after this entry |
//! | 0x14 | 4 | number of page references, above 0 |
//! | 0x18 | 8 | Marvin32 hash of everything from 0x28 on |
//! | 0x20 | 8 | Marvin32 hash of the first 0x20 bytes |
//! | 0x28 | | references: offset and size of pages, relative to the hive bins; then the pages |
//!
//! Windows pads entries so that each ends on a 4096-byte boundary of the log.

use std::io::Cursor;

use binrw::{BinRead, BinWrite, binrw};

use super::{checksum::Marvin32, hbin::PAGE};
use crate::{Defect, FileOffset, FormatError, Structure, bytes::u32_at};

/// Where the first entry stands in a log.
pub(crate) const FIRST_ENTRY: u64 = 0x200;

const HEADER: usize = 0x28;
const REFERENCE: usize = 8;

#[binrw]
#[brw(little)]
#[derive(Clone, Copy)]
struct Header {
    signature: [u8; 4],
    size: u32,
    flags: u32,
    sequence: u32,
    length: u32,
    count: u32,
    data_hash: u64,
    own_hash: u64,
}

/// An entry whose hashes are right and whose pages all lie inside it and inside the hive bins.
#[derive(Clone, Copy)]
pub(crate) struct LogEntry<'a> {
    /// Bytes of the entry, padding included.
    pub(crate) size: u32,
    pub(crate) flags: u32,
    pub(crate) sequence: u32,
    /// Length of the hive bins after this entry.
    pub(crate) length: u32,
    references: &'a [u8],
    pages: &'a [u8],
}

impl<'a> LogEntry<'a> {
    /// Reads the entry that `bytes` begin with; `at` is its position in the log, for errors.
    pub(crate) fn parse(bytes: &'a [u8], at: u64) -> Result<Self, FormatError> {
        let fail = |defect| FormatError::new(Structure::LogEntry, FileOffset(at), defect);
        let short = |part, needed: usize| {
            fail(Defect::Truncated { part, needed: needed as u64, available: bytes.len() as u64 })
        };
        let header = Header::read(&mut Cursor::new(bytes)).map_err(|_| short("header", HEADER))?;
        if header.signature != *b"HvLE" {
            return Err(fail(Defect::Signature { expected: "\"HvLE\"", found: header.signature }));
        }
        let field = |field, expected, found: u32| fail(Defect::Field { field, expected, found: found.into() });
        if header.size % 0x200 != 0 || (header.size as usize) < HEADER {
            return Err(field("size", "a multiple of 0x200", header.size));
        }
        let entry = bytes.get(..header.size as usize).ok_or_else(|| short("entry", header.size as usize))?;
        if header.length % PAGE != 0 || header.length == 0 || header.length > super::hbin::MAX_BINS {
            return Err(field("hive bins length", "a multiple of 0x1000 above 0", header.length));
        }
        if header.count == 0 {
            return Err(field("page reference count", "above 0", 0));
        }
        let body = entry.get(HEADER..).unwrap_or_default();
        let (data_hash, own_hash) = hashes(entry);
        if header.data_hash != data_hash {
            return Err(fail(Defect::Checksum { expected: data_hash, found: header.data_hash }));
        }
        if header.own_hash != own_hash {
            return Err(fail(Defect::Checksum { expected: own_hash, found: header.own_hash }));
        }
        let needed = (header.count as usize).saturating_mul(REFERENCE);
        let (references, pages) = body.split_at_checked(needed).ok_or_else(|| short("page references", needed))?;
        let entry = Self {
            size: header.size,
            flags: header.flags,
            sequence: header.sequence,
            length: header.length,
            references,
            pages,
        };
        let mut total = 0_u64;
        for (offset, size) in entry.references() {
            if offset % 0x200 != 0 || size == 0 || u64::from(offset) + u64::from(size) > u64::from(header.length) {
                return Err(field("page reference", "inside the hive bins", offset));
            }
            total += u64::from(size);
        }
        if total > pages.len() as u64 {
            return Err(short("pages", usize::try_from(total).unwrap_or(usize::MAX)));
        }
        Ok(entry)
    }

    fn references(self) -> impl Iterator<Item = (u32, u32)> + 'a {
        self.references.chunks_exact(REFERENCE).map(|pair| (u32_at(pair, 0).unwrap_or(0), u32_at(pair, 4).unwrap_or(0)))
    }

    /// Where in the hive bins, and what to put there.
    pub(crate) fn pages(self) -> impl Iterator<Item = (u32, &'a [u8])> + 'a {
        let mut left = self.pages;
        self.references().map_while(move |(offset, size)| {
            let (page, rest) = left.split_at_checked(size as usize)?;
            left = rest;
            Some((offset, page))
        })
    }
}

/// The number of the entry whose header `bytes` begin with, judged by the header's own hash alone: what follows may be
/// overwritten, and hashing it for every sector of a log would take a hostile one for ever.
pub(crate) fn header_sequence(bytes: &[u8]) -> Option<u32> {
    let header = Header::read(&mut Cursor::new(bytes)).ok()?;
    let hash = Marvin32::new().update(bytes.get(..0x20)?).finish();
    (header.signature == *b"HvLE" && header.own_hash == hash).then_some(header.sequence)
}

/// Both hashes of a whole entry.
fn hashes(entry: &[u8]) -> (u64, u64) {
    let data = Marvin32::new().update(entry.get(HEADER..).unwrap_or_default()).finish();
    let fixed = entry.get(..0x18).unwrap_or_default();
    (data, Marvin32::new().update(fixed).update(&data.to_le_bytes()).finish())
}

/// Builds an entry that will stand at `at` in its log; `runs` are contiguous dirty pages, ascending.
pub(crate) fn encode(at: u64, flags: u32, sequence: u32, length: u32, runs: &[(u32, Vec<u8>)]) -> Vec<u8> {
    let used = HEADER + runs.iter().map(|(_, bytes)| REFERENCE + bytes.len()).sum::<usize>();
    // Windows lets every entry end on a 4096-byte boundary of the log.
    let end = (at + used as u64).next_multiple_of(u64::from(PAGE));
    let size = (end - at) as usize;
    let mut header = Header {
        signature: *b"HvLE",
        size: size as u32,
        flags: flags & 1,
        sequence,
        length,
        count: runs.len() as u32,
        data_hash: 0,
        own_hash: 0,
    };
    let mut entry = vec![0; HEADER];
    entry.reserve_exact(size - HEADER);
    for (offset, bytes) in runs {
        entry.extend_from_slice(&offset.to_le_bytes());
        entry.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
    }
    for (_, bytes) in runs {
        entry.extend_from_slice(bytes);
    }
    entry.resize(size, 0);
    // Writing the header into memory that is longer does not fail. The hashes cover the header, so it goes in twice.
    let _ = header.write(&mut Cursor::new(&mut entry[..]));
    (header.data_hash, header.own_hash) = hashes(&entry);
    let _ = header.write(&mut Cursor::new(&mut entry[..]));
    entry
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_reads_back_and_ends_on_a_page_boundary() {
        let runs = [(0x1000, vec![7; 0x1000]), (0x4000, vec![9; 0x2000])];
        let bytes = encode(FIRST_ENTRY, 0xffff, 41, 0x6000, &runs);
        assert_eq!((FIRST_ENTRY + bytes.len() as u64) % 0x1000, 0);
        let entry = LogEntry::parse(&bytes, FIRST_ENTRY).unwrap();
        assert_eq!((entry.sequence, entry.length, entry.flags, entry.size as usize), (41, 0x6000, 1, bytes.len()));
        let pages: Vec<_> = entry.pages().map(|(at, page)| (at, page.to_vec())).collect();
        assert_eq!(pages, runs);
        assert_eq!(header_sequence(&bytes[..0x200]), Some(41));
    }

    #[test]
    fn first_entries_have_the_geometry_that_windows_gives_them() {
        assert_eq!(encode(FIRST_ENTRY, 0, 1, 0x1000, &[(0, vec![0; 0x1000])]).len(), 0x1e00);
        assert_eq!(encode(FIRST_ENTRY, 0, 1, 0x5000, &[(0, vec![0; 0x5000])]).len(), 0x5e00);
    }

    #[test]
    fn one_flipped_bit_anywhere_is_noticed() {
        let bytes = encode(FIRST_ENTRY, 0, 41, 0x1000, &[(0, vec![7; 0x1000])]);
        for at in [4, 8, 0xc, 0x10, 0x14, 0x18, 0x20, 0x28, 0x30, 0x800, bytes.len() - 1] {
            let mut bad = bytes.clone();
            bad[at] ^= 0x10;
            assert!(LogEntry::parse(&bad, FIRST_ENTRY).is_err(), "byte {at:#x}");
        }
    }

    #[test]
    fn a_hostile_count_costs_nothing() {
        let mut bytes = encode(FIRST_ENTRY, 0, 41, 0x1000, &[(0, vec![7; 0x1000])]);
        bytes[0x14..0x18].fill(0xff);
        let (data, _) = hashes(&bytes);
        bytes[0x18..0x20].copy_from_slice(&data.to_le_bytes());
        let (_, header) = hashes(&bytes);
        bytes[0x20..0x28].copy_from_slice(&header.to_le_bytes());
        assert!(LogEntry::parse(&bytes, FIRST_ENTRY).is_err());
    }
}
