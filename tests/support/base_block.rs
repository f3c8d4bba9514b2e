//! Base blocks changed by hand: by the description of the format, not by our own code.

/// Puts sequence numbers into a base block, and the checksum that goes with them. What lies behind the base block stays.
pub(crate) fn number(base: &mut [u8], sequence1: u32, sequence2: u32) {
    base[4..8].copy_from_slice(&sequence1.to_le_bytes());
    base[8..12].copy_from_slice(&sequence2.to_le_bytes());
    sum_up(base);
}

/// Gives a base block the checksum that it should have. What lies behind it stays.
pub(crate) fn sum_up(base: &mut [u8]) {
    let sum = checksum(base);
    base[508..512].copy_from_slice(&sum.to_le_bytes());
}

/// The checksum that a base block should have.
pub(crate) fn checksum(base: &[u8]) -> u32 {
    let word = |word: &[u8]| u32::from_le_bytes(word.try_into().expect("four bytes"));
    match base[..508].chunks_exact(4).fold(0, |sum, bytes| sum ^ word(bytes)) {
        0 => 1,
        u32::MAX => u32::MAX - 1,
        sum => sum,
    }
}
