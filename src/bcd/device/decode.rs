//! Bytes to devices.

use super::{
    Descriptor, Device, DeviceKind, DiskId, FIXED, HEADER, PartitionId, PathOn, cursor::Cursor, encode::PATH_VERSION,
    kind, local,
};
use crate::{Guid, bcd::ElementCode};

impl Device {
    /// Reads the data of a device element; none where the bytes are not those that the device would be written as.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut cursor = Cursor(bytes);
        let options = Guid::from_bytes(cursor.array()?);
        let descriptor = descriptor(cursor.0, 0)?;
        let device = Self { options, descriptor };
        // The fields that are not kept (zeros, lengths that follow from others) were what they should be.
        (device.encode() == bytes).then_some(device)
    }
}

/// A descriptor that takes all of the bytes.
fn descriptor(bytes: &[u8], depth: usize) -> Option<Descriptor> {
    let mut cursor = Cursor(bytes);
    let (number, flags, size, zero) = (cursor.u32()?, cursor.u32()?, cursor.u32()?, cursor.u32()?);
    if usize::try_from(size) != Ok(bytes.len()) || zero != 0 {
        return None;
    }
    let payload = cursor.0;
    let known = if depth < DEEPEST { known(number, cursor, depth) } else { None };
    // Known as far as its own bytes would come back; anything else is kept as it is.
    let kind = known
        .filter(|kind| super::encode::payload_of(kind) == payload)
        .unwrap_or_else(|| DeviceKind::Unknown { kind: number, payload: payload.to_vec() });
    Some(Descriptor { flags, kind })
}

fn known(number: u32, mut cursor: Cursor<'_>, depth: usize) -> Option<DeviceKind> {
    match number {
        kind::BOOT if cursor.0.len() == FIXED - HEADER && cursor.is_zero() => Some(DeviceKind::Boot),
        kind::PARTITION => partition(cursor).map(DeviceKind::Partition),
        kind::LOCATE => {
            let (mode, element, at) = (cursor.u32()?, cursor.u32()?, cursor.u32()?);
            // Mode 0 looks by an element; no other one was met.
            if mode != 0 {
                return None;
            }
            let text = usize::try_from(at).ok()?.checked_sub(HEADER + 12)?;
            let path = Cursor(cursor.take(text)?).text_to_the_end()?;
            let parent = Box::new(descriptor(cursor.0, depth + 1)?);
            Some(DeviceKind::Locate { element: ElementCode(element), path, parent })
        }
        kind::LOCAL => match cursor.u32()? {
            local::HARD_DISK => Some(DeviceKind::HardDisk(disk(&mut cursor)?)),
            local::FILE => Some(DeviceKind::File(path_on(cursor, depth)?)),
            local::VHD => {
                let disk = disk(&mut cursor)?;
                Some(DeviceKind::Vhd { disk, parent: Box::new(descriptor(cursor.0, depth + 1)?) })
            }
            local::RAMDISK => {
                let (base, size, offset) = (cursor.u64()?, cursor.u64()?, cursor.u32()?);
                Some(DeviceKind::Ramdisk { base, size, offset, file: path_on(cursor, depth)? })
            }
            _ => None,
        },
        _ => None,
    }
}

fn partition(mut cursor: Cursor<'_>) -> Option<PartitionId> {
    let own: [u8; 16] = cursor.array()?;
    if cursor.u32()? != local::HARD_DISK {
        return None;
    }
    let disk = disk(&mut cursor)?;
    let (offset, _) = own.split_first_chunk()?;
    let (signature, _) = disk.id.split_first_chunk()?;
    match disk.style {
        0 => Some(PartitionId::Gpt { disk: Guid::from_bytes(disk.id), partition: Guid::from_bytes(own) }),
        1 => Some(PartitionId::Mbr { signature: u32::from_le_bytes(*signature), offset: u64::from_le_bytes(*offset) }),
        _ => None,
    }
}

fn disk(cursor: &mut Cursor<'_>) -> Option<DiskId> {
    Some(DiskId { style: cursor.u32()?, id: cursor.array()? })
}

fn path_on(mut cursor: Cursor<'_>, depth: usize) -> Option<PathOn> {
    let (version, _length, _source) = (cursor.u32()?, cursor.u32()?, cursor.u32()?);
    if version != PATH_VERSION {
        return None;
    }
    let size = Cursor(cursor.0.get(8..)?).u32()?;
    let parent = descriptor(cursor.take(usize::try_from(size).ok()?)?, depth + 1)?;
    Some(PathOn { parent: Box::new(parent), path: cursor.text_to_the_end()? })
}

/// Devices that are on devices: bcdedit makes three levels.
const DEEPEST: usize = 8;
