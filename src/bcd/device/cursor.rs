//! Reading bytes from the front.

/// What is left of the bytes of a device.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'a>(pub(super) &'a [u8]);

impl<'a> Cursor<'a> {
    pub(super) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// The rest as text that ends in NUL and has no other.
    pub(super) fn text_to_the_end(&mut self) -> Option<String> {
        let bytes = std::mem::take(&mut self.0);
        if bytes.len() % 2 != 0 {
            return None;
        }
        let units: Vec<u16> = bytes.chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]])).collect();
        let (last, text) = units.split_last()?;
        if *last != 0 || text.contains(&0) { None } else { String::from_utf16(text).ok() }
    }

    pub(super) fn is_zero(self) -> bool {
        self.0.iter().all(|byte| *byte == 0)
    }
}
