//! The XOR checksum of base blocks and the Marvin32 hash of log entries.

/// The checksum of a base block: XOR of the 127 numbers before it, with 0 and 0xFFFFFFFF replaced.
///
/// A result of 0xFFFFFFFF is stored as 0xFFFFFFFE and 0 as 1 (regf specification, "base block").
pub(crate) fn xor32(sector: &[u8; 512]) -> u32 {
    let words = sector.chunks_exact(4).take(127);
    match words.fold(0, |sum, word| sum ^ u32::from_le_bytes([word[0], word[1], word[2], word[3]])) {
        0 => 1,
        u32::MAX => u32::MAX - 1,
        sum => sum,
    }
}

/// The seed of the log hashes, low and high half (regf specification, "new format of transaction log files").
const SEED: (u32, u32) = (0x7a4e_55c5, 0x82ef_4d88);

/// Marvin32 with the seed of the transaction logs, fed in parts that are multiples of four bytes long.
#[derive(Clone, Copy)]
pub(crate) struct Marvin32 {
    low: u32,
    high: u32,
}

impl Marvin32 {
    pub(crate) fn new() -> Self {
        Self { low: SEED.0, high: SEED.1 }
    }

    fn round(&mut self, word: u32) {
        self.low = self.low.wrapping_add(word);
        self.high ^= self.low;
        self.low = self.low.rotate_left(20).wrapping_add(self.high);
        self.high = self.high.rotate_left(9) ^ self.low;
        self.low = self.low.rotate_left(27).wrapping_add(self.high);
        self.high = self.high.rotate_left(19);
    }

    /// Bytes behind the last whole group of four are left out: log entries have none.
    pub(crate) fn update(mut self, bytes: &[u8]) -> Self {
        for word in bytes.chunks_exact(4) {
            self.round(u32::from_le_bytes([word[0], word[1], word[2], word[3]]));
        }
        self
    }

    pub(crate) fn finish(mut self) -> u64 {
        self.round(0x80);
        self.round(0);
        u64::from(self.high) << 32 | u64::from(self.low)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marvin32_gives_the_published_vectors() {
        let hash = |bytes: &[u8]| Marvin32::new().update(bytes).finish();
        assert_eq!(hash(b""), 0xb39e_fca4_0396_6e08);
        assert_eq!(hash(&[0; 4]), 0x2400_585e_2d11_6fbf);
        assert_eq!(hash(&[0; 32]), 0xda91_a06a_c535_9223);
        assert_eq!(hash(&core::array::from_fn::<u8, 32, _>(|at| at as u8)), 0xc64f_eee4_25c2_e24c);
    }

    #[test]
    fn the_two_forbidden_sums_are_replaced() {
        assert_eq!(xor32(&[0; 512]), 1);
        let mut ones = [0; 512];
        ones[..4].fill(0xff);
        assert_eq!(xor32(&ones), 0xffff_fffe);
        ones[508..].fill(0xff);
        assert_eq!(xor32(&ones), 0xffff_fffe, "the stored checksum itself is not summed");
    }
}
