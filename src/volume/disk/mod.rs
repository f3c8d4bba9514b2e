//! Partition tables, read and never written: how boot stores tell partitions apart.

mod gpt;
mod mbr;
#[cfg(target_os = "linux")]
mod mounted;
mod named;

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::Path,
};

pub use named::DrivePartitions;

use crate::{Guid, bcd::PartitionId};

/// The partitions of a disk.
///
/// ```no_run
/// # fn main() -> std::io::Result<()> {
/// use hivesmith::volume::PartitionTable;
/// let table = PartitionTable::open("/dev/sda")?;
/// for partition in &table.partitions {
///     println!("{}: {} bytes from {}", partition.number, partition.length, partition.offset);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionTable {
    /// Its kind, and what tells the disk from others.
    pub disk: DiskStyle,
    /// The partitions, by number.
    pub partitions: Vec<PartitionEntry>,
}

/// The kind of a partition table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DiskStyle {
    /// A GUID partition table.
    Gpt {
        /// The disk's GUID.
        disk: Guid,
    },
    /// A master boot record.
    Mbr {
        /// The disk's signature.
        signature: u32,
    },
}

/// One partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartitionEntry {
    /// Its number as Linux counts: the place in the table; logical partitions of a master boot record begin at 5.
    pub number: u32,
    /// Bytes before it on the disk.
    pub offset: u64,
    /// Bytes it takes.
    pub length: u64,
    /// What a boot store calls it.
    pub id: PartitionId,
    /// Whether firmware starts from it: an EFI system partition, or the active one of a master boot record.
    pub boots: bool,
}

impl PartitionTable {
    /// Reads the partition table of a disk or of the image of one.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::InvalidData`] where there is no partition table, or one that contradicts itself; what the host
    /// says otherwise.
    pub fn open(disk: impl AsRef<Path>) -> io::Result<Self> {
        Self::read(&mut File::open(disk)?)
    }

    /// Reads a partition table. A GPT goes before the master boot record that protects it; its copy at the end of the
    /// disk is used where the first one is damaged.
    ///
    /// A hybrid record has partitions of its own besides the protective one. Windows takes such a disk for one with a
    /// master boot record (Rod Smith, "Hybrid MBRs"), and so its boot store names the partitions that are in both
    /// tables. Their numbers are those of the GPT, which Linux reads.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn read(disk: &mut (impl Read + Seek)) -> io::Result<Self> {
        let length = disk.seek(SeekFrom::End(0))?;
        let record = mbr::BootRecord::read(disk)?;
        if !record.protects_a_gpt() {
            return record.table(disk, length);
        }
        match gpt::read(disk, length) {
            Ok(table) => Ok(record.rename(table)),
            Err(_) if record.is_hybrid() => record.table(disk, length),
            Err(error) => Err(error),
        }
    }

    /// The partition of this number.
    #[must_use]
    pub fn number(&self, number: u32) -> Option<&PartitionEntry> {
        self.partitions.iter().find(|partition| partition.number == number)
    }
}

/// What of a range of the disk can be read as a whole.
fn read_at<const N: usize>(disk: &mut (impl Read + Seek), offset: u64) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    disk.seek(SeekFrom::Start(offset))?;
    disk.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn broken(why: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why.into())
}

#[cfg(test)]
mod tests;
