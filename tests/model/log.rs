//! A transaction log beside a hive.

/// A log as Windows 8.1 and later leave it beside a clean hive: a base block of type 6 with a number below the hive's,
/// and no entry that matters.
pub(crate) fn log_for(hive: &[u8]) -> Vec<u8> {
    let number = u32::from_le_bytes(hive[4..8].try_into().expect("four bytes")).saturating_sub(1);
    log_base(hive, 6, number)
}

/// A log as Windows Vista to 8.0 leave it beside a clean hive: a base block of type 1 with the hive's own number and
/// time stamp.
#[allow(dead_code, reason = "not every test that includes this file knows both formats")]
pub(crate) fn old_log_for(hive: &[u8]) -> Vec<u8> {
    log_base(hive, 1, u32::from_le_bytes(hive[4..8].try_into().expect("four bytes")))
}

fn log_base(hive: &[u8], file_type: u32, number: u32) -> Vec<u8> {
    let mut sector = hive[..512].to_vec();
    for (field, value) in [(4, number), (8, number), (0x1c, file_type)] {
        sector[field..field + 4].copy_from_slice(&value.to_le_bytes());
    }
    let word = |word: &[u8]| u32::from_le_bytes(word.try_into().expect("four bytes"));
    let sum = match sector[..508].chunks_exact(4).fold(0, |sum, bytes| sum ^ word(bytes)) {
        0 => 1,
        u32::MAX => u32::MAX - 1,
        sum => sum,
    };
    sector[508..].copy_from_slice(&sum.to_le_bytes());
    sector
}
