//! [`Device`]: what a device element says, and its bytes.

mod cursor;
mod decode;
mod encode;
mod text;

pub use text::{NoPlaces, Places};

use super::ElementCode;
use crate::Guid;

/// The value of a device element: where something is to be found.
///
/// ```text
/// 0x00  16  options object (all zero: none)
/// 0x10      descriptor:
///        0   4  type: 0 local, 5 boot, 6 partition, 8 locate …
///        4   4  flags
///        8   4  size, these 16 bytes included
///       12   4  zero
///       16      what the type calls for
/// ```
///
/// Decoding is lossless: what its own encoding would not give back is no `Device`.
///
/// ```
/// use hivesmith::{Guid, bcd::{Device, NoPlaces, PartitionId, ElementCode}};
/// let device = Device::parse("partition=mbr:43da9ab1@525336576", ElementCode::DEVICE, &NoPlaces)?;
/// assert_eq!(device, Device::partition(PartitionId::Mbr { signature: 0x43da_9ab1, offset: 0x1f50_0000 }));
/// let bytes = device.encode();
/// assert_eq!((bytes.len(), &bytes[0x20..0x28]), (88, &0x1f50_0000_u64.to_le_bytes()[..]));
/// assert_eq!(Device::decode(&bytes), Some(device));
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Device {
    /// The object with this device's options, such as `{ramdiskoptions}`; [`Guid::NIL`] for none.
    pub options: Guid,
    /// The device itself.
    pub descriptor: Descriptor,
}

impl Device {
    /// The device that the firmware started from.
    #[must_use]
    pub fn boot() -> Self {
        DeviceKind::Boot.into()
    }

    /// A partition.
    #[must_use]
    pub fn partition(id: PartitionId) -> Self {
        DeviceKind::Partition(id).into()
    }

    /// The file of a RAM disk on another device.
    #[must_use]
    pub fn ramdisk(options: Guid, parent: Descriptor, path: impl Into<String>) -> Self {
        let file = PathOn { parent: Box::new(parent), path: path.into() };
        let kind = DeviceKind::Ramdisk { base: 0, size: 0, offset: 0, file };
        // Every RAM disk met has this flag, and nothing else has it.
        Self { options, descriptor: Descriptor { flags: 1, kind } }
    }

    /// A virtual disk in a file, to be looked for by what an element says: this is what bcdedit makes of `vhd=`.
    #[must_use]
    pub fn vhd(file: PathOn, element: ElementCode) -> Self {
        let file = Descriptor::from(DeviceKind::File(file));
        let disk = Descriptor::from(DeviceKind::Vhd { disk: DiskId::NONE, parent: Box::new(file) });
        DeviceKind::Locate { element: locating(element), path: String::new(), parent: Box::new(disk) }.into()
    }

    /// The partitions that this names, itself or the devices it is on.
    #[must_use]
    pub fn partitions(&self) -> Vec<PartitionId> {
        let mut found = Vec::new();
        let mut next = Some(&self.descriptor);
        while let Some(descriptor) = next {
            if let DeviceKind::Partition(id) = descriptor.kind {
                found.push(id);
            }
            next = descriptor.parent();
        }
        found
    }
}

/// The path that tells a locating device whether it found the right one: that of the application for its own device,
/// `systemroot` for the system's.
fn locating(element: ElementCode) -> ElementCode {
    const SYSTEM_ROOT: ElementCode = ElementCode(0x2200_0002);
    if element.class() == 2 { SYSTEM_ROOT } else { ElementCode::PATH }
}

impl From<DeviceKind> for Device {
    fn from(kind: DeviceKind) -> Self {
        Self { options: Guid::NIL, descriptor: kind.into() }
    }
}

/// A device, without its options.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Descriptor {
    /// 1 for RAM disks, as far as is known 0 for everything else.
    pub flags: u32,
    /// What it is.
    pub kind: DeviceKind,
}

impl Descriptor {
    /// The device that this one is on.
    #[must_use]
    pub fn parent(&self) -> Option<&Self> {
        match &self.kind {
            DeviceKind::Ramdisk { file, .. } | DeviceKind::File(file) => Some(&file.parent),
            DeviceKind::Vhd { parent, .. } | DeviceKind::Locate { parent, .. } => Some(parent),
            DeviceKind::Boot | DeviceKind::Partition(_) | DeviceKind::HardDisk(_) | DeviceKind::Unknown { .. } => None,
        }
    }
}

impl From<DeviceKind> for Descriptor {
    fn from(kind: DeviceKind) -> Self {
        Self { flags: 0, kind }
    }
}

/// What a device is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DeviceKind {
    /// What the firmware started from.
    Boot,
    /// A partition of a hard disk.
    Partition(PartitionId),
    /// A whole hard disk.
    HardDisk(DiskId),
    /// An image that is loaded into memory.
    Ramdisk {
        /// Where it is in memory, if it is there already.
        base: u64,
        /// Its size there; install media have anything here.
        size: u64,
        /// Where it begins in the file.
        offset: u32,
        /// The file.
        file: PathOn,
    },
    /// A file.
    File(PathOn),
    /// A virtual disk.
    Vhd {
        /// Which disk in it.
        disk: DiskId,
        /// The file.
        parent: Box<Descriptor>,
    },
    /// The device that has what an element of the same object names.
    Locate {
        /// The element.
        element: ElementCode,
        /// A path in place of an element's; empty as a rule.
        path: String,
        /// What is looked for, with the place to begin at.
        parent: Box<Descriptor>,
    },
    /// Something else, kept as it is.
    Unknown {
        /// Its type.
        kind: u32,
        /// What follows the first 16 bytes.
        payload: Vec<u8>,
    },
}

/// A path on a device.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PathOn {
    /// The device.
    pub parent: Box<Descriptor>,
    /// The path, beginning with a backslash.
    pub path: String,
}

/// How a partition is told from all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PartitionId {
    /// On a disk with a GUID partition table.
    Gpt {
        /// The disk's GUID.
        disk: Guid,
        /// The partition's own GUID.
        partition: Guid,
    },
    /// On a disk with a master boot record.
    Mbr {
        /// The disk's signature.
        signature: u32,
        /// Bytes before the partition.
        offset: u64,
    },
}

impl PartitionId {
    /// The disk it is on.
    #[must_use]
    pub fn disk(self) -> DiskId {
        match self {
            Self::Gpt { disk, .. } => DiskId { style: 0, id: disk.to_bytes() },
            Self::Mbr { signature, .. } => {
                let mut id = [0; 16];
                id[..4].copy_from_slice(&signature.to_le_bytes());
                DiskId { style: 1, id }
            }
        }
    }
}

/// How a disk is told from all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DiskId {
    /// 0 GPT, 1 MBR, 2 neither.
    pub style: u32,
    /// The GUID, or the signature with zeros behind it.
    pub id: [u8; 16],
}

impl DiskId {
    /// No disk in particular.
    pub const NONE: Self = Self { style: 0, id: [0; 16] };
}

/// The types of devices.
mod kind {
    pub(super) const LOCAL: u32 = 0;
    pub(super) const BOOT: u32 = 5;
    pub(super) const PARTITION: u32 = 6;
    pub(super) const LOCATE: u32 = 8;
}

/// The types of local devices.
mod local {
    pub(super) const HARD_DISK: u32 = 0;
    pub(super) const RAMDISK: u32 = 3;
    pub(super) const FILE: u32 = 5;
    pub(super) const VHD: u32 = 6;
}

/// Bytes before what the type calls for.
const HEADER: usize = 16;
/// All of what boot devices and partitions take, header included.
const FIXED: usize = 0x48;

#[cfg(test)]
mod tests {
    use super::*;

    const GPT: PartitionId = PartitionId::Gpt {
        disk: Guid::from_u128(0x5541e87d_91a5_4f2b_ad43_a0345c199e9b),
        partition: Guid::from_u128(0x1c6ab89c_bcbf_4abe_8593_618e4d2f5811),
    };

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        digits.chunks(2).map(byte).collect()
    }

    fn on(parent: DeviceKind, path: &str) -> PathOn {
        PathOn { parent: Box::new(parent.into()), path: path.to_owned() }
    }

    #[test]
    fn partitions_as_windows_writes_them() {
        let gpt = hex("00000000 00000000 00000000 00000000  06000000 00000000 48000000 00000000
             9cb86a1c bfbcbe4a 8593618e 4d2f5811  00000000 00000000 7de84155 a5912b4f
             ad43a034 5c199e9b 00000000 00000000  00000000 00000000");
        assert_eq!(Device::partition(GPT).encode(), gpt);
        assert_eq!(Device::decode(&gpt), Some(Device::partition(GPT)));
        let mbr = hex("00000000 00000000 00000000 00000000  06000000 00000000 48000000 00000000
             0000501f 00000000 00000000 00000000  00000000 01000000 b19ada43 00000000
             00000000 00000000 00000000 00000000  00000000 00000000");
        let id = PartitionId::Mbr { signature: 0x43da_9ab1, offset: 0x1f50_0000 };
        assert_eq!(Device::partition(id).encode(), mbr);
        assert_eq!(Device::decode(&mbr), Some(Device::partition(id)));
    }

    /// Lengths that were met in stores which bcdedit made: a path of 254 characters on a partition.
    #[test]
    fn long_paths_have_the_lengths_of_real_stores() {
        let path = format!("\\{}.wim", "0".repeat(249));
        let ramdisk = Device::ramdisk(Guid::NIL, DeviceKind::Partition(GPT).into(), path.as_str());
        assert_eq!(ramdisk.encode().len(), 650);
        let vhd = Device::vhd(on(DeviceKind::Partition(GPT), &path), ElementCode::OS_DEVICE);
        assert_eq!(vhd.encode().len(), 700);
        assert_eq!(Device::boot().encode().len(), 88);
        let wim = Device::ramdisk(Guid::NIL, DeviceKind::Boot.into(), r"\sources\boot.wim");
        assert_eq!(wim.encode().len(), 176);
        for device in [ramdisk, vhd, Device::boot(), wim] {
            assert_eq!(Device::decode(&device.encode()), Some(device));
        }
    }

    #[test]
    fn bytes_that_would_not_come_back_are_no_device() {
        let good = Device::vhd(on(DeviceKind::Partition(GPT), r"\a.vhd"), ElementCode::DEVICE).encode();
        assert!(Device::decode(&good).is_some());
        for at in 0..good.len() {
            for bit in 0..8 {
                let mut bytes = good.clone();
                bytes[at] ^= 1 << bit;
                if let Some(device) = Device::decode(&bytes) {
                    assert_eq!(device.encode(), bytes, "byte {at}, bit {bit}");
                }
            }
            assert_eq!(Device::decode(&good[..at]), None);
        }
        let mut longer = good;
        longer.push(0);
        assert_eq!(Device::decode(&longer), None);
    }

    #[test]
    fn what_is_not_known_is_kept() {
        let udp = Device::from(DeviceKind::Unknown { kind: 4, payload: vec![7; 9] });
        assert_eq!(Device::decode(&udp.encode()), Some(udp));
        // A partition that is not quite one: its last bytes are not zero.
        let mut odd = Device::partition(GPT).encode();
        odd[0x57] = 1;
        let device = Device::decode(&odd).unwrap();
        assert!(matches!(device.descriptor.kind, DeviceKind::Unknown { kind: 6, .. }));
        assert_eq!(device.encode(), odd);
    }

    /// A file on a file on a file …: as deep as anybody likes, and no deeper than the stack.
    #[test]
    fn nesting_has_an_end() {
        let mut bytes = Device::boot().encode().split_off(16);
        for _ in 0..2000 {
            let words = [0, 0, 16 + 4 + 12 + bytes.len() as u32 + 2, 0, local::FILE, 1, 12 + bytes.len() as u32 + 2, 5];
            bytes = words.iter().flat_map(|word| word.to_le_bytes()).chain(bytes).chain([0, 0]).collect();
        }
        let bytes: Vec<u8> = [0; 16].into_iter().chain(bytes).collect();
        let device = Device::decode(&bytes).unwrap();
        assert_eq!(device.encode(), bytes);
    }

    #[test]
    fn partitions_are_found_wherever_they_are_named() {
        let vhd = Device::vhd(on(DeviceKind::Partition(GPT), r"\a.vhd"), ElementCode::DEVICE);
        assert_eq!(vhd.partitions(), [GPT]);
        assert!(Device::boot().partitions().is_empty());
    }
}
