//! Devices to bytes.

use super::{Descriptor, Device, DeviceKind, DiskId, FIXED, HEADER, PartitionId, PathOn, kind, local};

impl Device {
    /// The data of a device element.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = self.options.to_bytes().to_vec();
        out.extend(descriptor(&self.descriptor));
        out
    }
}

fn descriptor(of: &Descriptor) -> Vec<u8> {
    let number = match &of.kind {
        DeviceKind::Boot => kind::BOOT,
        DeviceKind::Partition(_) => kind::PARTITION,
        DeviceKind::Locate { .. } => kind::LOCATE,
        DeviceKind::HardDisk(_) | DeviceKind::Ramdisk { .. } | DeviceKind::File(_) | DeviceKind::Vhd { .. } => {
            kind::LOCAL
        }
        DeviceKind::Unknown { kind, .. } => *kind,
    };
    let payload = payload_of(&of.kind);
    let size = (HEADER + payload.len()) as u32;
    let mut out = Vec::with_capacity(HEADER + payload.len());
    out.extend([number, of.flags, size, 0].iter().flat_map(|field| field.to_le_bytes()));
    out.extend(payload);
    out
}

/// What follows the header.
pub(super) fn payload_of(kind: &DeviceKind) -> Vec<u8> {
    let mut out = Vec::new();
    match kind {
        DeviceKind::Boot => out.resize(FIXED - HEADER, 0),
        DeviceKind::Partition(id) => {
            match id {
                PartitionId::Gpt { partition, .. } => out.extend(partition.to_bytes()),
                PartitionId::Mbr { offset, .. } => {
                    out.extend(offset.to_le_bytes());
                    out.resize(16, 0);
                }
            }
            out.extend(local::HARD_DISK.to_le_bytes());
            disk(&mut out, id.disk());
            out.resize(FIXED - HEADER, 0);
        }
        DeviceKind::HardDisk(id) => {
            out.extend(local::HARD_DISK.to_le_bytes());
            disk(&mut out, *id);
        }
        DeviceKind::Ramdisk { base, size, offset, file } => {
            out.extend(local::RAMDISK.to_le_bytes());
            out.extend(base.to_le_bytes());
            out.extend(size.to_le_bytes());
            out.extend(offset.to_le_bytes());
            path_on(&mut out, file);
        }
        DeviceKind::File(file) => {
            out.extend(local::FILE.to_le_bytes());
            path_on(&mut out, file);
        }
        DeviceKind::Vhd { disk: id, parent } => {
            out.extend(local::VHD.to_le_bytes());
            disk(&mut out, *id);
            out.extend(descriptor(parent));
        }
        DeviceKind::Locate { element, path, parent } => {
            let text = text(path);
            let at = (HEADER + 12 + text.len()) as u32;
            out.extend([0, element.0, at].iter().flat_map(|field| field.to_le_bytes()));
            out.extend(text);
            out.extend(descriptor(parent));
        }
        DeviceKind::Unknown { payload, .. } => out.extend(payload),
    }
    out
}

fn disk(out: &mut Vec<u8>, id: DiskId) {
    out.extend(id.style.to_le_bytes());
    out.extend(id.id);
}

/// Version, length of it all, kind of source, the device, the path.
fn path_on(out: &mut Vec<u8>, file: &PathOn) {
    let (parent, text) = (descriptor(&file.parent), text(&file.path));
    let length = (12 + parent.len() + text.len()) as u32;
    out.extend([PATH_VERSION, length, PATH_SOURCE].iter().flat_map(|field| field.to_le_bytes()));
    out.extend(parent);
    out.extend(text);
}

fn text(text: &str) -> Vec<u8> {
    text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect()
}

pub(super) const PATH_VERSION: u32 = 1;
/// The only one met.
const PATH_SOURCE: u32 = 5;
