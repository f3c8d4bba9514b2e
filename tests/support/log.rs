//! A transaction log beside a hive.

use super::base_block::number;

/// A log as Windows 8.1 and later leave it beside a clean hive: a base block of type 6 with a number below the hive's,
/// and no entry that matters.
pub(crate) fn log_for(hive: &[u8]) -> Vec<u8> {
    let number = u32::from_le_bytes(hive[4..8].try_into().expect("four bytes")).saturating_sub(1);
    log_base(hive, 6, number)
}

/// A log as Windows Vista to 8.0 leave it beside a clean hive: a base block of type 1 with the hive's own number and
/// time stamp.
pub(crate) fn old_log_for(hive: &[u8]) -> Vec<u8> {
    log_base(hive, 1, u32::from_le_bytes(hive[4..8].try_into().expect("four bytes")))
}

fn log_base(hive: &[u8], file_type: u8, sequence: u32) -> Vec<u8> {
    let mut sector = hive[..512].to_vec();
    sector[0x1c] = file_type;
    number(&mut sector, sequence, sequence);
    sector
}
