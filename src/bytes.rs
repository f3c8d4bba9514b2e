//! Little-endian numbers out of hostile bytes.

/// The fixed part of a record: `N` bytes that are known to be there.
///
/// A field's position is a constant parameter that the compiler checks against `N`, so a getter cannot panic and needs
/// no test at run time.
#[derive(Clone, Copy)]
pub(crate) struct Fixed<'a, const N: usize>(&'a [u8; N]);

impl<'a, const N: usize> Fixed<'a, N> {
    /// Splits `bytes` after `N`; none if there are fewer.
    pub(crate) fn split(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        bytes.split_first_chunk().map(|(fixed, rest)| (Self(fixed), rest))
    }

    #[inline]
    pub(crate) fn u8<const AT: usize>(self) -> u8 {
        const { assert!(AT < N) };
        self.0[AT]
    }

    #[inline]
    pub(crate) fn u16<const AT: usize>(self) -> u16 {
        const { assert!(AT + 2 <= N) };
        u16::from_le_bytes([self.0[AT], self.0[AT + 1]])
    }

    #[inline]
    pub(crate) fn u32<const AT: usize>(self) -> u32 {
        const { assert!(AT + 4 <= N) };
        u32::from_le_bytes([self.0[AT], self.0[AT + 1], self.0[AT + 2], self.0[AT + 3]])
    }

    #[inline]
    pub(crate) fn u64<const AT: usize>(self) -> u64 {
        const { assert!(AT + 8 <= N) };
        u64::from_le_bytes(std::array::from_fn(|byte| self.0[AT + byte]))
    }
}

/// The number at `at`, if four bytes are there.
#[inline]
pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().copied().map(u32::from_le_bytes)
}

/// The number at `at`, if two bytes are there.
#[inline]
pub(crate) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().copied().map(u16::from_le_bytes)
}
