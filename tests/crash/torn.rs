//! Disks that do not even write a sector whole: what is left of a base block whose write was interrupted.

use hivesmith::HiveFile;

use crate::{
    files::Files,
    logs,
    power::{Change, Piece},
    select::Dice,
};

/// The new first sector of the hive, if that is on its way to the disk while a log could stand in for it. Where none
/// could (the hive's number is moved while the logs are neutralised, or there are no logs) a sector has to be whole.
pub(crate) fn base_on_its_way(durable: &Files, pending: &[Piece]) -> Option<Vec<u8>> {
    let has_log = HiveFile::LOGS.iter().any(|log| logs::is_base(durable.bytes(*log)));
    let stands_in = has_log || durable.bytes(HiveFile::Redo).starts_with(b"hsREDO01");
    pending.iter().rev().filter(|_| stands_in).find_map(|piece| match &piece.change {
        Change::Sector { at: 0, bytes, .. } if piece.file == HiveFile::Primary => Some(bytes.clone()),
        _ => None,
    })
}

/// What may stand there instead of the old sector and the new one.
pub(crate) fn remains(old: &[u8], new: &[u8], seed: u64) -> Vec<Vec<u8>> {
    let split = |at: usize, first: &[u8], second: &[u8]| [&first[..at], &second[at..]].concat();
    let mut dice = Dice::new(seed);
    let mut noise: Vec<u8> = (0..512).map(|_| dice.roll() as u8).collect();
    noise[..4].copy_from_slice(b"regf");
    let mut scratched = new.to_vec();
    scratched[8..408].fill(0xee);
    let remains = [
        vec![0; 512],
        noise,
        scratched,
        split(256, new, old),
        split(256, old, new),
        // Both numbers; one of them; the checksum alone.
        split(12, new, old),
        split(8, new, old),
        split(508, old, new),
    ];
    remains.into_iter().filter(|sector| !logs::is_whole(sector)).collect()
}
