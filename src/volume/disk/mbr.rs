//! Master boot records and the chain of extended ones.
//!
//! ```text
//! 0x1b8  4  signature of the disk
//! 0x1be 64  four entries: 0 active (0x80), 4 type, 8 first sector u32, 12 sectors u32
//! 0x1fe  2  55 aa
//! ```

use std::{
    collections::HashSet,
    io::{self, Read, Seek},
};

use super::{DiskStyle, PartitionEntry, PartitionTable, broken, read_at};
use crate::{bcd::PartitionId, bytes::u32_at};

/// The first sector of a disk, or that of an extended partition.
pub(super) struct BootRecord {
    signature: u32,
    entries: [Entry; 4],
}

#[derive(Clone, Copy, Default)]
struct Entry {
    active: bool,
    kind: u8,
    first: u64,
    sectors: u64,
}

impl BootRecord {
    pub(super) fn read(disk: &mut (impl Read + Seek)) -> io::Result<Self> {
        Self::at(disk, 0)?.ok_or_else(|| broken("no partition table: the first sector does not end in 55 aa"))
    }

    fn at(disk: &mut (impl Read + Seek), offset: u64) -> io::Result<Option<Self>> {
        let sector: [u8; 512] = read_at(disk, offset).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => broken("no partition table: too short for one"),
            _ => error,
        })?;
        if !sector.ends_with(&[0x55, 0xaa]) {
            return Ok(None);
        }
        let mut entries = [Entry::default(); 4];
        for (entry, bytes) in entries.iter_mut().zip(sector.get(0x1be..0x1fe).unwrap_or_default().chunks_exact(16)) {
            let number = |at| u64::from(u32_at(bytes, at).unwrap_or(0));
            *entry = Entry {
                active: bytes.first() == Some(&0x80),
                kind: bytes.get(4).copied().unwrap_or(0),
                first: number(8),
                sectors: number(12),
            };
        }
        Ok(Some(Self { signature: u32_at(&sector, 0x1b8).unwrap_or(0), entries }))
    }

    pub(super) fn protects_a_gpt(&self) -> bool {
        self.entries.iter().any(|entry| entry.kind == PROTECTIVE)
    }

    /// Whether it has partitions of its own besides the protective one.
    pub(super) fn is_hybrid(&self) -> bool {
        self.own().next().is_some()
    }

    /// A GPT as Windows sees it through this record: where it is a hybrid one, the partitions in it go by the record.
    pub(super) fn rename(&self, mut table: PartitionTable) -> PartitionTable {
        if self.is_hybrid() {
            table.disk = DiskStyle::Mbr { signature: self.signature };
        }
        for partition in &mut table.partitions {
            if let Some((_, entry)) = self.own().find(|(_, entry)| entry.first * SECTOR == partition.offset) {
                partition.id = PartitionId::Mbr { signature: self.signature, offset: partition.offset };
                partition.boots = entry.active;
            }
        }
        table
    }

    /// The entries that say something, by their numbers.
    fn own(&self) -> impl Iterator<Item = (u32, &Entry)> {
        let says = |entry: &Entry| entry.kind != 0 && entry.kind != PROTECTIVE && entry.sectors != 0;
        (1..).zip(&self.entries).filter(move |(_, entry)| says(entry))
    }

    pub(super) fn table(&self, disk: &mut (impl Read + Seek), length: u64) -> io::Result<PartitionTable> {
        let mut partitions = Vec::new();
        for (number, entry) in self.own() {
            if is_extended(entry.kind) {
                logical(disk, entry.first, self.signature, &mut partitions);
            } else {
                partitions.push(self.partition(entry, number, entry.first));
            }
        }
        partitions.sort_by_key(|partition| partition.number);
        if partitions.is_empty() {
            return Err(broken("the partition table is empty"));
        }
        if let Some(outside) = partitions.iter().find(|partition| partition.offset >= length) {
            // The first sector of a file system ends in 55 aa, too, and has code or text where entries would be.
            let number = outside.number;
            return Err(broken(format!(
                "no partition table: partition {number} would begin behind the end; is this the image of one partition?"
            )));
        }
        Ok(PartitionTable { disk: DiskStyle::Mbr { signature: self.signature }, partitions })
    }

    fn partition(&self, entry: &Entry, number: u32, first: u64) -> PartitionEntry {
        partition(self.signature, entry, number, first)
    }
}

fn partition(signature: u32, entry: &Entry, number: u32, first: u64) -> PartitionEntry {
    let offset = first * SECTOR;
    PartitionEntry {
        number,
        offset,
        length: entry.sectors * SECTOR,
        id: PartitionId::Mbr { signature, offset },
        boots: entry.active,
    }
}

/// The logical partitions of an extended one: each record has one partition and points at the next record, both counted
/// in sectors, from itself and from the first record.
fn logical(disk: &mut (impl Read + Seek), extended: u64, signature: u32, out: &mut Vec<PartitionEntry>) {
    let mut at = extended;
    let mut seen = HashSet::new();
    let mut number = 5;
    while seen.insert(at) && seen.len() <= MOST_LOGICAL {
        let Ok(Some(record)) = BootRecord::at(disk, at * SECTOR) else { break };
        let mut next = None;
        for entry in record.entries.iter().filter(|entry| entry.kind != 0 && entry.sectors != 0) {
            if is_extended(entry.kind) {
                next = next.or(extended.checked_add(entry.first));
            } else {
                out.push(partition(signature, entry, number, at + entry.first));
                number += 1;
            }
        }
        match next {
            Some(next) => at = next,
            None => break,
        }
    }
}

fn is_extended(kind: u8) -> bool {
    matches!(kind, 0x05 | 0x0f | 0x85)
}

const SECTOR: u64 = 512;
const PROTECTIVE: u8 = 0xee;
/// A chain that is longer is taken for a joke.
const MOST_LOGICAL: usize = 128;
