//! Logs made by hand, and every number that stands in one; by the description of the format, not by our own code.

use hivesmith::HiveFile;

pub(crate) use crate::support::base_block::number;
use crate::{files::Files, support::base_block::checksum};

pub(crate) fn word(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).map_or(0, |bytes| u32::from_le_bytes(bytes.try_into().expect("four bytes")))
}

pub(crate) fn put(bytes: &mut [u8], at: usize, value: u32) {
    bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

/// The two sequence numbers of a base block.
pub(crate) fn numbers(bytes: &[u8]) -> (u32, u32) {
    (word(bytes, 4), word(bytes, 8))
}

/// The base block of a log for a hive.
pub(crate) fn base(hive: &[u8], file_type: u32, sequence: u32) -> Vec<u8> {
    let mut sector = hive[..512].to_vec();
    put(&mut sector, 0x1c, file_type);
    number(&mut sector, sequence, sequence);
    sector
}

/// A log as Windows 8.1 and later leave it beside a clean hive: an entry below the hive's number.
pub(crate) fn new_log(hive: &[u8]) -> Vec<u8> {
    let sequence = word(hive, 4).wrapping_sub(1);
    let mut log = base(hive, 6, sequence);
    log.extend(entry(sequence, word(hive, 0x28), &[(0, &hive[0x1000..0x2000])]));
    log
}

/// A log as Windows before 8.1 leaves it beside a clean hive: the first page, with the hive's own time stamp.
pub(crate) fn old_log(hive: &[u8]) -> Vec<u8> {
    let mut log = base(hive, 1, word(hive, 4));
    let length = word(hive, 0x28) as usize;
    log.extend(b"DIRT\xff");
    log.resize((0x204 + length / 0x1000).next_multiple_of(512), 0);
    log.extend(&hive[0x1000..0x2000]);
    log
}

/// An entry of a log of Windows 8.1 or later.
pub(crate) fn entry(sequence: u32, length: u32, pages: &[(u32, &[u8])]) -> Vec<u8> {
    let mut entry = vec![0; 0x28];
    for (at, bytes) in pages {
        entry.extend(at.to_le_bytes());
        entry.extend((bytes.len() as u32).to_le_bytes());
    }
    for (_, bytes) in pages {
        entry.extend(*bytes);
    }
    // The first entry begins in the file's second sector and ends with a page.
    entry.resize((entry.len() + 512).next_multiple_of(0x1000) - 512, 0);
    entry[..4].copy_from_slice(b"HvLE");
    let size = entry.len() as u32;
    for (at, value) in [(4, size), (12, sequence), (16, length), (20, pages.len() as u32)] {
        put(&mut entry, at, value);
    }
    let hash = marvin32(&entry[0x28..]);
    entry[0x18..0x20].copy_from_slice(&hash.to_le_bytes());
    let hash = marvin32(&entry[..0x20]);
    entry[0x20..0x28].copy_from_slice(&hash.to_le_bytes());
    entry
}

fn marvin32(bytes: &[u8]) -> u64 {
    let (mut low, mut high) = (0x7a4e_55c5_u32, 0x82ef_4d88_u32);
    for value in (0..bytes.len() / 4).map(|at| word(bytes, 4 * at)).chain([0x80, 0]) {
        low = low.wrapping_add(value);
        high ^= low;
        low = low.rotate_left(20).wrapping_add(high);
        high = high.rotate_left(9) ^ low;
        low = low.rotate_left(27).wrapping_add(high);
        high = high.rotate_left(19);
    }
    u64::from(high) << 32 | u64::from(low)
}

/// Whether a sector is a base block with the right checksum.
pub(crate) fn is_whole(sector: &[u8]) -> bool {
    sector.starts_with(b"regf") && word(sector, 508) == checksum(sector)
}

/// Whether a log begins with a base block that a loader would take for the hive's, and has something behind it.
pub(crate) fn is_base(log: &[u8]) -> bool {
    log.len() > 512 && is_whole(&log[..512]) && [1, 6].contains(&word(log, 0x1c))
}

/// Every sequence number in a log that a loader could come to believe: that of a base block whose checksum is right, and
/// those of entries whose header is, wherever they lie.
pub(crate) fn all_numbers(log: &[u8]) -> Vec<u32> {
    let base = log.get(..512).filter(|base| is_whole(base));
    let entries = log.chunks(512).filter(|entry| {
        entry.starts_with(b"HvLE")
            && entry.len() >= 0x28
            && marvin32(&entry[..0x20]) == u64::from_le_bytes(entry[0x20..0x28].try_into().expect("eight bytes"))
    });
    base.iter().flat_map(|base| [word(base, 4), word(base, 8)]).chain(entries.map(|entry| word(entry, 12))).collect()
}

/// Fails where a number in any log is not below that of the clean hive; the numbers wrap around.
pub(crate) fn assert_below(files: &Files, what: &str) {
    let (clean, second) = numbers(files.primary());
    assert_eq!(clean, second, "{what}: not clean");
    for log in HiveFile::LOGS {
        for number in all_numbers(files.bytes(log)) {
            let below = clean.wrapping_sub(number);
            assert!(below != 0 && below < 1 << 31, "{what}: {number} in {log}, the hive is at {clean}");
        }
    }
}
