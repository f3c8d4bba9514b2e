//! Disks of a few kilobytes.

use std::io::Cursor;

use super::{gpt::crc32, *};

const DISK: Guid = Guid::from_u128(0x5541e87d_91a5_4f2b_ad43_a0345c199e9b);
const ESP: Guid = Guid::from_u128(0xc12a7328_f81f_11d2_ba4b_00a0c93ec93b);
const BASIC: Guid = Guid::from_u128(0xebd0a0a2_b9e5_4433_87c0_68b6b72699c7);

fn put(disk: &mut [u8], at: usize, bytes: &[u8]) {
    disk[at..at + bytes.len()].copy_from_slice(bytes);
}

fn entry(disk: &mut [u8], at: usize, active: bool, kind: u8, first: u32, sectors: u32) {
    put(disk, at, &[u8::from(active) << 7, 0, 0, 0, kind]);
    put(disk, at + 8, &first.to_le_bytes());
    put(disk, at + 12, &sectors.to_le_bytes());
}

/// A disk of `sectors` sectors of `size` bytes with partitions given by type, own GUID, first and last sector.
fn gpt_disk(size: usize, sectors: usize, partitions: &[(Guid, Guid, u64, u64)]) -> Vec<u8> {
    let mut disk = vec![0; size * sectors];
    entry(&mut disk, 0x1be, false, 0xee, 1, u32::MAX);
    put(&mut disk, 0x1fe, &[0x55, 0xaa]);
    let mut entries = vec![0; 128 * 128];
    for (at, (kind, own, first, last)) in partitions.iter().enumerate() {
        put(&mut entries, at * 128, &kind.to_bytes());
        put(&mut entries, at * 128 + 16, &own.to_bytes());
        put(&mut entries, at * 128 + 32, &first.to_le_bytes());
        put(&mut entries, at * 128 + 40, &last.to_le_bytes());
    }
    let taken = entries.len().div_ceil(size);
    for (header_at, entries_at) in [(1, 2), (sectors - 1, sectors - 1 - taken)] {
        let mut header = vec![0; 92];
        put(&mut header, 0, b"EFI PART\0\0\x01\0");
        put(&mut header, 0x0c, &92_u32.to_le_bytes());
        put(&mut header, 0x18, &(header_at as u64).to_le_bytes());
        put(&mut header, 0x38, &DISK.to_bytes());
        put(&mut header, 0x48, &(entries_at as u64).to_le_bytes());
        put(&mut header, 0x50, &128_u32.to_le_bytes());
        put(&mut header, 0x54, &128_u32.to_le_bytes());
        put(&mut header, 0x58, &crc32(&entries).to_le_bytes());
        let sum = crc32(&header);
        put(&mut header, 0x10, &sum.to_le_bytes());
        put(&mut disk, header_at * size, &header);
        put(&mut disk, entries_at * size, &entries);
    }
    disk
}

fn read(disk: &[u8]) -> io::Result<PartitionTable> {
    PartitionTable::read(&mut Cursor::new(disk))
}

fn two_partitions(size: usize) -> Vec<u8> {
    let (first, second) = (Guid::from_u128(1), Guid::from_u128(2));
    gpt_disk(size, 120, &[(ESP, first, 40, 59), (BASIC, second, 60, 79)])
}

#[test]
fn a_checksum_that_everybody_knows() {
    assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
}

#[test]
fn gpt_of_both_sector_sizes() {
    for size in [512, 4096] {
        let table = read(&two_partitions(size)).unwrap();
        assert_eq!(table.disk, DiskStyle::Gpt { disk: DISK });
        let [esp, windows] = table.partitions[..] else { panic!("{table:?}") };
        assert_eq!((esp.number, esp.boots, esp.offset, esp.length), (1, true, 40 * size as u64, 20 * size as u64));
        assert!(!windows.boots);
        assert_eq!(windows.id, PartitionId::Gpt { disk: DISK, partition: Guid::from_u128(2) });
    }
}

#[test]
fn a_damaged_gpt_is_read_from_its_copy_and_two_damaged_ones_are_refused() {
    let whole = two_partitions(512);
    for at in [512, 512 + 0x38, 512 + 0x48, 1024 + 16] {
        let mut disk = whole.clone();
        disk[at] ^= 0xff;
        assert_eq!(read(&disk).unwrap(), read(&whole).unwrap(), "byte {at}");
        let copy = 119 * 512 + if at < 1024 { at - 512 } else { 0x58 };
        disk[copy] ^= 0xff;
        assert_eq!(read(&disk).unwrap_err().kind(), io::ErrorKind::InvalidData, "byte {at}");
    }
    let backwards = gpt_disk(512, 120, &[(BASIC, DISK, 60, 40)]);
    assert!(read(&backwards).unwrap_err().to_string().contains("partition 1 ends before it begins"));
}

/// Windows takes a hybrid disk for one with a master boot record, and its boot store names partitions so; what is in the
/// GPT alone it does not see.
#[test]
fn partitions_in_a_hybrid_record_go_by_it() {
    let mut disk = two_partitions(512);
    put(&mut disk, 0x1b8, &0x43da_9ab1_u32.to_le_bytes());
    entry(&mut disk, 0x1ce, true, 7, 60, 20);
    let table = read(&disk).unwrap();
    assert_eq!(table.disk, DiskStyle::Mbr { signature: 0x43da_9ab1 });
    let [esp, windows] = table.partitions[..] else { panic!("{table:?}") };
    assert_eq!(esp.id, PartitionId::Gpt { disk: DISK, partition: Guid::from_u128(1) });
    assert_eq!((windows.number, windows.boots), (2, true));
    assert_eq!(windows.id, PartitionId::Mbr { signature: 0x43da_9ab1, offset: 60 * 512 });
    // Without either copy of the GPT the record is all there is.
    disk[512..1024].fill(0);
    disk[119 * 512..].fill(0);
    let [only] = read(&disk).unwrap().partitions[..] else { panic!() };
    assert_eq!((only.number, only.id), (2, windows.id));
}

#[test]
fn master_boot_records_with_logical_partitions() {
    let mut disk = vec![0; 512 * 400];
    put(&mut disk, 0x1b8, &0x43da_9ab1_u32.to_le_bytes());
    entry(&mut disk, 0x1be, true, 7, 8, 32);
    entry(&mut disk, 0x1ce, false, 0x0f, 100, 300);
    entry(&mut disk, 0x1de, false, 7, 40, 60);
    put(&mut disk, 0x1fe, &[0x55, 0xaa]);
    for (record, next) in [(100, Some(50)), (150, None)] {
        let at = record * 512;
        entry(&mut disk, at + 0x1be, false, 7, 2, 20);
        if let Some(next) = next {
            entry(&mut disk, at + 0x1ce, false, 5, next, 50);
        }
        put(&mut disk, at + 0x1fe, &[0x55, 0xaa]);
    }
    let table = read(&disk).unwrap();
    assert_eq!(table.disk, DiskStyle::Mbr { signature: 0x43da_9ab1 });
    let found: Vec<(u32, u64, bool)> =
        table.partitions.iter().map(|known| (known.number, known.offset / 512, known.boots)).collect();
    assert_eq!(found, [(1, 8, true), (3, 40, false), (5, 102, false), (6, 152, false)]);
    assert_eq!(table.partitions[0].id, PartitionId::Mbr { signature: 0x43da_9ab1, offset: 4096 });

    // A chain that bites its tail.
    entry(&mut disk, 150 * 512 + 0x1ce, false, 5, 0, 50);
    assert_eq!(read(&disk).unwrap().partitions.len(), 4);
}

#[test]
fn what_is_no_disk_says_so() {
    for (disk, why) in [
        (vec![], "too short"),
        (vec![0; 511], "too short"),
        (vec![0; 4096], "55 aa"),
        ([vec![0; 510], vec![0x55, 0xaa]].concat(), "empty"),
    ] {
        let error = read(&disk).unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
    }
    // The boot sector of a file system has code in the place of entries.
    let mut volume = vec![0; 4096];
    entry(&mut volume, 0x1be, false, 0x6f, 0x2049_676e, 0x6c75_6f43);
    put(&mut volume, 0x1fe, &[0x55, 0xaa]);
    assert!(read(&volume).unwrap_err().to_string().contains("image of one partition"));
}

/// Every bit of the tables, one at a time: an answer or an error, and never much memory.
#[test]
fn damaged_tables_do_no_harm() {
    let gpt = two_partitions(512);
    for bit in (0x1b8 * 8..(1024 + 256) * 8).chain((119 * 512) * 8..(119 * 512 + 92) * 8).step_by(11) {
        let mut disk = gpt.clone();
        disk[bit / 8] ^= 1 << (bit % 8);
        if let Ok(table) = read(&disk) {
            assert!(table.partitions.len() <= 128);
        }
    }
}
