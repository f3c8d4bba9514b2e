//! [`BootStore`]: which boot store of a volume the machine starts from.

use std::{io, path::Path};

use super::{DrivePartitions, Drives, Volume};
use crate::bcd::PartitionId;

/// Where boot stores lie, beneath the root of the volume that firmware starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BootStore {
    /// `\EFI\Microsoft\Boot\BCD` on the EFI system partition: machines with UEFI, virtual ones of generation 2.
    Efi,
    /// `\Boot\BCD` on the active partition: machines with a BIOS, virtual ones of generation 1.
    Bios,
}

impl BootStore {
    /// Its path from the root of the volume.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::Efi => r"\EFI\Microsoft\Boot\BCD",
            Self::Bios => r"\Boot\BCD",
        }
    }

    /// The other one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Efi => Self::Bios,
            Self::Bios => Self::Efi,
        }
    }

    /// The stores that a volume has.
    #[must_use]
    pub fn all_of(volume: &Volume) -> Vec<Self> {
        [Self::Efi, Self::Bios].into_iter().filter(|store| volume.resolve(store.path()).is_ok()).collect()
    }

    /// The store that the machine starts from, and the one that it does not, where there is one. Of two the kind of the
    /// disk's partition table says which: firmware with a BIOS reads no GPT, UEFI starts Windows from nothing else.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`] where there is none; [`io::ErrorKind::InvalidInput`] where there are two and nothing
    /// tells which one counts.
    pub fn find(volume: &Volume) -> io::Result<(Self, Option<Self>)> {
        let folder = volume.folder();
        match Self::all_of(volume)[..] {
            [] => Err(io::Error::new(
                io::ErrorKind::NotFound,
                format!(
                    "{}: there is neither {} nor {}: with UEFI the store is on the EFI system partition, else on the \
                     active partition, which is often not that of Windows; mount that one",
                    folder.display(),
                    Self::Efi.path(),
                    Self::Bios.path()
                ),
            )),
            [only] => Ok((only, None)),
            _ => match style(folder) {
                Some(PartitionId::Gpt { .. }) => Ok((Self::Efi, Some(Self::Bios))),
                Some(PartitionId::Mbr { .. }) => Ok((Self::Bios, Some(Self::Efi))),
                None => Err(io::Error::new(
                    io::ErrorKind::InvalidInput,
                    format!(
                        "{}: there are both {} (machines with UEFI) and {} (with a BIOS), and the disk cannot be seen: \
                         name the file",
                        folder.display(),
                        Self::Efi.path(),
                        Self::Bios.path()
                    ),
                )),
            },
        }
    }
}

fn style(folder: &Path) -> Option<PartitionId> {
    let mut drives = Drives::default();
    drives.add(&format!("X:={}", folder.display())).ok()?;
    DrivePartitions::new(&drives).find("X:").ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn the_only_store_is_the_one_and_of_two_neither() {
        let disk = tempfile::tempdir().unwrap();
        let volume = Volume::open(disk.path()).unwrap();
        assert_eq!(BootStore::find(&volume).unwrap_err().kind(), io::ErrorKind::NotFound);
        fs::create_dir_all(disk.path().join("boot")).unwrap();
        fs::write(disk.path().join("boot/bcd"), b"").unwrap();
        assert_eq!(BootStore::find(&volume).unwrap(), (BootStore::Bios, None));
        fs::create_dir_all(disk.path().join("efi/microsoft/boot")).unwrap();
        fs::write(disk.path().join("efi/microsoft/boot/BCD"), b"").unwrap();
        let both = BootStore::find(&volume);
        // A machine whose temporary files are on a partition that can be seen knows.
        assert!(both.is_ok() || both.unwrap_err().to_string().contains("name the file"));
    }
}
