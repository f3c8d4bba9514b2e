//! GUID partition tables (UEFI specification, chapter 5).
//!
//! ```text
//! header, in the second sector and in the last one
//!   0x00  8  "EFI PART"          0x38 16  GUID of the disk
//!   0x0c  4  length of it        0x48  8  first sector of the entries
//!   0x10  4  CRC32 of it         0x50  4  number of entries
//!   0x18  8  the sector it is in 0x54  4  length of an entry
//!                                0x58  4  CRC32 of the entries
//! entry
//!   0x00 16  type                0x20  8  first sector
//!   0x10 16  GUID                0x28  8  last sector
//! ```

use std::io::{self, Read, Seek, SeekFrom};

use super::{DiskStyle, PartitionEntry, PartitionTable, broken, read_at};
use crate::{Guid, bcd::PartitionId, bytes::u32_at};

/// Reads the table of a disk of `length` bytes; the sector size is the one whose second sector has a header.
pub(super) fn read(disk: &mut (impl Read + Seek), length: u64) -> io::Result<PartitionTable> {
    let mut why = None;
    for sector in SECTORS {
        let last = (length / sector).saturating_sub(1);
        for at in [1, last] {
            match Header::read(disk, at, sector) {
                Ok(Some(header)) => match header.table(disk, length) {
                    Ok(table) => return Ok(table),
                    Err(error) => why = why.or(Some(error)),
                },
                Ok(None) => {}
                Err(error) => why = why.or(Some(error)),
            }
        }
    }
    Err(why.unwrap_or_else(|| broken("the disk says it has a GUID partition table, but neither copy of it is there")))
}

struct Header {
    sector: u64,
    disk: Guid,
    entries: u64,
    count: u32,
    entry: u32,
    checksum: u32,
}

impl Header {
    /// None where no header stands.
    fn read(disk: &mut (impl Read + Seek), at: u64, sector: u64) -> io::Result<Option<Self>> {
        let Some(offset) = at.checked_mul(sector) else { return Ok(None) };
        let bytes: [u8; 512] = match read_at(disk, offset) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(error),
        };
        if !bytes.starts_with(b"EFI PART") {
            return Ok(None);
        }
        let u32 = |at| u32_at(&bytes, at).unwrap_or(0);
        let length = u32(0x0c) as usize;
        let mut summed =
            bytes.get(..length).filter(|_| length >= 92).ok_or_else(|| broken("GPT: length of the header"))?.to_vec();
        if let Some(own) = summed.get_mut(0x10..0x14) {
            own.fill(0);
        }
        if crc32(&summed) != u32(0x10) || u64_at(&bytes, 0x18) != at {
            return Err(broken("GPT: the checksum of the header is wrong"));
        }
        let header = Self {
            sector,
            disk: guid_at(&bytes, 0x38),
            entries: u64_at(&bytes, 0x48),
            count: u32(0x50),
            entry: u32(0x54),
            checksum: u32(0x58),
        };
        let sensible = (128..=4096).contains(&header.entry) && header.entry % 8 == 0 && header.count <= MOST_ENTRIES;
        if sensible { Ok(Some(header)) } else { Err(broken("GPT: number or length of the entries")) }
    }

    fn table(&self, disk: &mut (impl Read + Seek), length: u64) -> io::Result<PartitionTable> {
        let offset = self.entries.checked_mul(self.sector).filter(|offset| *offset < length);
        let offset = offset.ok_or_else(|| broken("GPT: the entries lie behind the end of the disk"))?;
        let mut bytes = vec![0; self.count as usize * self.entry as usize];
        disk.seek(SeekFrom::Start(offset))?;
        disk.read_exact(&mut bytes)?;
        if crc32(&bytes) != self.checksum {
            return Err(broken("GPT: the checksum of the entries is wrong"));
        }
        let mut partitions = Vec::new();
        for (entry, number) in bytes.chunks_exact(self.entry as usize).zip(1..) {
            let kind = guid_at(entry, 0);
            if kind.is_nil() {
                continue;
            }
            let (first, last) = (u64_at(entry, 0x20), u64_at(entry, 0x28));
            let sectors = last.checked_sub(first).and_then(|more| more.checked_add(1));
            let place =
                sectors.and_then(|sectors| Some((first.checked_mul(self.sector)?, sectors.checked_mul(self.sector)?)));
            let (offset, length) =
                place.ok_or_else(|| broken(format!("GPT: partition {number} ends before it begins")))?;
            let id = PartitionId::Gpt { disk: self.disk, partition: guid_at(entry, 0x10) };
            partitions.push(PartitionEntry { number, offset, length, id, boots: kind == EFI_SYSTEM_PARTITION });
        }
        Ok(PartitionTable { disk: DiskStyle::Gpt { disk: self.disk }, partitions })
    }
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let field = bytes.get(at..).and_then(|rest| rest.first_chunk());
    field.map_or(0, |field| u64::from_le_bytes(*field))
}

fn guid_at(bytes: &[u8], at: usize) -> Guid {
    let field = bytes.get(at..).and_then(|rest| rest.first_chunk());
    field.map_or(Guid::NIL, |field| Guid::from_bytes(*field))
}

/// CRC-32 as in Ethernet and zip. Tables are read once; this needs no table.
pub(super) fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
    })
}

/// Sizes of sectors that Windows starts from.
const SECTORS: [u64; 2] = [512, 4096];
/// Tables have 128 as a rule; 4 MiB of entries at most are read.
const MOST_ENTRIES: u32 = 1024;
const EFI_SYSTEM_PARTITION: Guid = Guid::from_u128(0xc12a7328_f81f_11d2_ba4b_00a0c93ec93b);
