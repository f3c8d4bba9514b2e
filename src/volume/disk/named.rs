//! [`DrivePartitions`]: partitions by the names that commands have for them.

use std::{cell::OnceCell, io, path::Path};

use super::{PartitionEntry, PartitionTable};
use crate::{bcd::PartitionId, volume::Drives};

/// What drive letters, block devices and partitions of disk images are, as boot stores say it.
///
/// * `F:` is what the folder given for it is mounted from, or, where a disk image was given with a number, as in
///   `F:=disk.img#2`, that partition of it
/// * `/dev/sda2` is that partition
/// * `disk.img#2` and `/dev/sda#2` are the second partition of that disk
#[derive(Debug)]
pub struct DrivePartitions<'d> {
    drives: &'d Drives,
    known: OnceCell<Vec<(char, PartitionId)>>,
}

impl<'d> DrivePartitions<'d> {
    /// Of these drives. Nothing is read before it is asked for.
    #[must_use]
    pub fn new(drives: &'d Drives) -> Self {
        Self { drives, known: OnceCell::new() }
    }

    /// The partition that a name stands for.
    ///
    /// # Errors
    ///
    /// A sentence for the user.
    pub fn find(&self, name: &str) -> Result<PartitionId, String> {
        let mut chars = name.chars();
        let found = match (chars.next(), chars.next(), chars.next()) {
            (Some(letter), Some(':'), None) if letter.is_ascii_alphabetic() => {
                let letter = letter.to_ascii_uppercase();
                let Some(place) = self.drives.folder(letter) else {
                    return Err(format!(
                        "nothing is known of drive {letter}:, say where it is mounted: --drive {letter}:=/mnt/win (or \
                         {letter}:=DISK.img#NUMBER); {SPELLINGS}"
                    ));
                };
                lookup(place)
            }
            _ if name.to_ascii_lowercase().starts_with("\\device\\") => {
                return Err(format!(
                    "`{name}` is a name that only the running Windows gives; give the drive a letter with --drive, or \
                     {SPELLINGS}"
                ));
            }
            _ => lookup(Path::new(name)),
        };
        found.map(|partition| partition.id).map_err(|error| format!("`{name}`: {error}; {SPELLINGS}"))
    }

    /// The letter of a partition, where one of the drives is it.
    #[must_use]
    pub fn letter_of(&self, id: PartitionId) -> Option<char> {
        let known = self.known.get_or_init(|| {
            self.drives.iter().filter_map(|(letter, place)| Some((letter, lookup(place).ok()?.id))).collect()
        });
        known.iter().find(|(_, known)| *known == id).map(|(letter, _)| *letter)
    }
}

/// A folder, a block device, or `DISK#NUMBER`.
fn lookup(place: &Path) -> io::Result<PartitionEntry> {
    let numbered = place.to_str().and_then(|text| {
        let (disk, number) = text.rsplit_once('#')?;
        Some((disk, number.parse::<u32>().ok()?))
    });
    if let Some((disk, number)) = numbered.filter(|_| !place.exists()) {
        let table = PartitionTable::open(disk)?;
        return table.number(number).copied().ok_or_else(|| {
            let numbers: Vec<String> = table.partitions.iter().map(|known| known.number.to_string()).collect();
            let message = format!("there is no partition {number}, only {}", numbers.join(", "));
            io::Error::new(io::ErrorKind::NotFound, message)
        });
    }
    of_host(place)
}

#[cfg(target_os = "linux")]
fn of_host(place: &Path) -> io::Result<PartitionEntry> {
    if place.is_dir() {
        super::mounted::partition_of_folder(place)
    } else if place.exists() {
        super::mounted::partition_of_device(place)
    } else {
        Err(io::Error::new(io::ErrorKind::NotFound, "there is no such folder, device or DISK#NUMBER"))
    }
}

#[cfg(not(target_os = "linux"))]
fn of_host(_: &Path) -> io::Result<PartitionEntry> {
    let message = "which partition that is can be told on Linux only; name the disk: DISK#NUMBER";
    Err(io::Error::new(io::ErrorKind::Unsupported, message))
}

const SPELLINGS: &str = "a partition can also be written gpt:DISK-GUID/PARTITION-GUID or mbr:SIGNATURE@BYTE-OFFSET";
