//! What a transaction log before Windows 8.1 holds behind its base block: which 512-byte pages of the hive bins it
//! carries, and those pages.
//!
//! | offset | field |
//! |---|---|
//! | 0x200 | `DIRT` |
//! | 0x204 | one bit for each 512 bytes of the hive bins, lowest bit first |
//! | next multiple of 0x200 | the pages whose bit is set, ascending, without gaps |
//!
//! Windows marks 4096 bytes at a time, so a byte of the bitmap is 0x00 or 0xFF.

use super::{base_block::SECTOR, hbin::PAGE};
use crate::{Defect, FileOffset, FormatError, Structure};

/// Where the signature stands in a log.
pub(crate) const DIRTY_VECTOR: u64 = 0x200;

pub(crate) const SIGNATURE: [u8; 4] = *b"DIRT";

/// The pages that the log carries for hive bins of `length` bytes: where in the bins, and what to put there. Pages in a
/// row are one run.
pub(crate) fn parse(log: &[u8], length: u32) -> Result<Vec<(u32, &[u8])>, FormatError> {
    let fail = |defect| FormatError::new(Structure::TransactionLog, FileOffset(DIRTY_VECTOR), defect);
    let short =
        |part, needed: usize| fail(Defect::Truncated { part, needed: needed as u64, available: log.len() as u64 });
    let at = DIRTY_VECTOR as usize;
    let signature: [u8; 4] =
        *log.get(at..).and_then(|bytes| bytes.first_chunk()).ok_or_else(|| short("signature", at + 4))?;
    if signature != SIGNATURE {
        return Err(fail(Defect::Signature { expected: "\"DIRT\"", found: signature }));
    }
    let (first, pages_at) = layout(length);
    let bitmap = log.get(first..first + (length / PAGE) as usize).ok_or_else(|| short("bitmap", pages_at))?;
    let mut runs: Vec<(u32, usize, usize)> = Vec::new();
    let mut from = pages_at;
    for bit in 0..length / SECTOR as u32 {
        if bitmap.get(bit as usize / 8).is_none_or(|bits| bits >> (bit % 8) & 1 == 0) {
            continue;
        }
        let offset = bit * SECTOR as u32;
        match runs.last_mut() {
            Some((at, _, len)) if *at + *len as u32 == offset => *len += SECTOR,
            _ => runs.push((offset, from, SECTOR)),
        }
        from += SECTOR;
    }
    if runs.is_empty() {
        return Err(fail(Defect::Field { field: "number of dirty pages", expected: "above 0", found: 0 }));
    }
    let bytes = |(at, from, len): (u32, usize, usize)| log.get(from..from + len).map(|bytes| (at, bytes));
    runs.into_iter().map(bytes).collect::<Option<_>>().ok_or_else(|| short("dirty pages", from))
}

/// Builds what stands behind the base block of a log; `runs` are contiguous dirty pages of 4096 bytes, ascending.
pub(crate) fn encode(length: u32, runs: &[(u32, Vec<u8>)]) -> Vec<u8> {
    let (first, pages_at) = layout(length);
    let mut bytes = Vec::with_capacity(pages_at - SECTOR + runs.iter().map(|(_, run)| run.len()).sum::<usize>());
    bytes.extend_from_slice(&SIGNATURE);
    bytes.resize(pages_at - SECTOR, 0);
    for (at, run) in runs {
        let bitmap = first - SECTOR + (*at / PAGE) as usize;
        if let Some(bits) = bytes.get_mut(bitmap..bitmap + run.len() / PAGE as usize) {
            bits.fill(0xff);
        }
    }
    for (_, run) in runs {
        bytes.extend_from_slice(run);
    }
    bytes
}

/// Where in the log the bitmap begins, and where the pages do.
fn layout(length: u32) -> (usize, usize) {
    let bitmap = DIRTY_VECTOR as usize + SIGNATURE.len();
    (bitmap, (bitmap + (length / PAGE) as usize).next_multiple_of(SECTOR))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(length: u32, runs: &[(u32, Vec<u8>)]) -> Vec<u8> {
        [vec![0; SECTOR], encode(length, runs)].concat()
    }

    #[test]
    fn what_was_built_reads_back() {
        for length in [0x3000, 0x000e_0000, 0x0100_0000] {
            let last = length - 0x1000;
            let runs = [(0, vec![7; 0x1000]), (last, vec![9; 0x1000])];
            let log = log(length, &runs);
            assert_eq!(log[0x204], 0xff);
            let read: Vec<_> = parse(&log, length).unwrap().into_iter().map(|(at, run)| (at, run.to_vec())).collect();
            assert_eq!(read, runs);
        }
    }

    #[test]
    fn single_pages_of_512_bytes_and_runs_of_them_are_told_apart() {
        let mut log = log(0x2000, &[(0, vec![1; 0x1000])]);
        log[0x204..0x206].copy_from_slice(&[0b1000_0110, 0b0000_0001]);
        let runs: Vec<_> = parse(&log, 0x2000).unwrap().into_iter().map(|(at, run)| (at, run.len())).collect();
        // Bits 7 and 8 are neighbours, although in two bytes.
        assert_eq!(runs, [(0x200, 0x400), (0xe00, 0x400)]);
    }

    #[test]
    fn a_log_that_is_too_short_or_says_nothing_is_refused() {
        let whole = log(0x3000, &[(0x1000, vec![7; 0x2000])]);
        for length in [0, 0x202, 0x204, 0x206, 0x400, whole.len() - 1] {
            assert!(parse(&whole[..length], 0x3000).is_err(), "{length:#x} bytes");
        }
        let mut empty = whole.clone();
        empty[0x204..0x207].fill(0);
        assert!(parse(&empty, 0x3000).is_err());
        let mut other = whole;
        other[0x200] = b'E';
        assert!(parse(&other, 0x3000).is_err());
    }
}
