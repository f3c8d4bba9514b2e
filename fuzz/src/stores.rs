//! Elements of boot stores, and disks of a few kilobytes.

use std::{fs, io, path::Path};

use hivesmith::{
    Guid,
    bcd::{Device, DeviceKind, DiskId, ElementCode, ElementValue, PartitionId, PathOn},
};

pub(crate) fn write(corpus: &Path) -> io::Result<()> {
    let (elements, disks) = (corpus.join("bcd_device"), corpus.join("partition_table"));
    fs::create_dir_all(&elements)?;
    fs::create_dir_all(&disks)?;
    for (at, (code, value)) in values().into_iter().enumerate() {
        let (kind, bytes) = value.encode();
        let input: Vec<u8> = [kind.0 as u8].into_iter().chain(code.to_be_bytes()).chain(bytes).collect();
        fs::write(elements.join(format!("value{at}")), input)?;
    }
    fs::write(disks.join("mbr"), mbr())?;
    for size in [512, 4096] {
        fs::write(disks.join(format!("gpt{size}")), gpt(size))?;
    }
    Ok(())
}

fn values() -> Vec<(u32, ElementValue)> {
    let gpt = PartitionId::Gpt { disk: Guid::from_u128(1), partition: Guid::from_u128(2) };
    let mbr = PartitionId::Mbr { signature: 7, offset: 1 << 20 };
    let on =
        |id: PartitionId| PathOn { parent: Box::new(DeviceKind::Partition(id).into()), path: r"\a\b.vhd".to_owned() };
    let options = Guid::from_u128(3);
    let devices = [
        Device::boot(),
        Device::partition(gpt),
        Device::partition(mbr),
        Device::ramdisk(options, DeviceKind::Boot.into(), r"\sources\boot.wim"),
        Device::vhd(on(gpt), ElementCode::OS_DEVICE),
        DeviceKind::File(on(mbr)).into(),
        DeviceKind::HardDisk(DiskId { style: 1, id: [9; 16] }).into(),
        DeviceKind::Unknown { kind: 4, payload: vec![5; 20] }.into(),
    ];
    let mut values: Vec<(u32, ElementValue)> =
        devices.into_iter().map(|device| (0x1100_0001, ElementValue::Device(device))).collect();
    values.extend([
        (0x1200_0004, ElementValue::String("Windows".to_owned())),
        (0x2300_0003, ElementValue::Object(options)),
        (0x2400_0001, ElementValue::ObjectList(vec![options, Guid::NIL])),
        (0x2500_0004, ElementValue::Integer(30)),
        (0x2600_0020, ElementValue::Boolean(true)),
        (0x1700_0077, ElementValue::IntegerList(vec![0x1500_0075, 1])),
    ]);
    values
}

fn put(disk: &mut [u8], at: usize, bytes: &[u8]) {
    disk[at..at + bytes.len()].copy_from_slice(bytes);
}

/// Two primary partitions and an extended one with two logical ones.
fn mbr() -> Vec<u8> {
    let mut disk = vec![0; 512 * 40];
    let mut entry = |at: usize, kind: u8, first: u32, sectors: u32| {
        disk[at + 4] = kind;
        put(&mut disk, at + 8, &first.to_le_bytes());
        put(&mut disk, at + 12, &sectors.to_le_bytes());
    };
    entry(0x1be, 7, 1, 4);
    entry(0x1ce, 7, 5, 4);
    entry(0x1de, 0x0f, 10, 30);
    entry(10 * 512 + 0x1be, 7, 1, 5);
    entry(10 * 512 + 0x1ce, 5, 10, 10);
    entry(20 * 512 + 0x1be, 7, 1, 5);
    for record in [0, 10, 20] {
        put(&mut disk, record * 512 + 0x1fe, &[0x55, 0xaa]);
    }
    disk
}

/// Two partitions in a table of four entries, with checksums that are right.
fn gpt(size: usize) -> Vec<u8> {
    let mut disk = vec![0; size * 8];
    disk[0x1c2] = 0xee;
    put(&mut disk, 0x1ca, &u32::MAX.to_le_bytes());
    put(&mut disk, 0x1fe, &[0x55, 0xaa]);
    let mut entries = vec![0; 4 * 128];
    for at in 0..2 {
        entries[at * 128..at * 128 + 32].fill(at as u8 + 1);
        entries[at * 128 + 32] = 4 + at as u8;
        entries[at * 128 + 40] = 4 + at as u8;
    }
    let mut header = vec![0; 92];
    put(&mut header, 0, b"EFI PART\0\0\x01\0");
    for (at, number) in [(0x0c, 92), (0x18, 1), (0x48, 2), (0x50, 4), (0x54, 128), (0x58, crc32(&entries))] {
        put(&mut header, at, &number.to_le_bytes());
    }
    let sum = crc32(&header);
    put(&mut header, 0x10, &sum.to_le_bytes());
    put(&mut disk, size, &header);
    put(&mut disk, size * 2, &entries);
    disk
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
    })
}
