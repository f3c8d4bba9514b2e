//! Little-endian reads that answer `None` instead of panicking.

pub(super) use crate::bytes::{u16_at, u32_at};

/// The 64-bit number at `offset`.
pub(super) fn u64_at(bytes: &[u8], offset: usize) -> Option<u64> {
    array_at(bytes, offset).map(u64::from_le_bytes)
}

/// The `N` bytes at `offset`.
pub(super) fn array_at<const N: usize>(bytes: &[u8], offset: usize) -> Option<[u8; N]> {
    bytes.get(offset..)?.first_chunk().copied()
}

/// A 32-bit length at `offset`, and as many bytes after it.
pub(super) fn counted_at(bytes: &[u8], offset: usize) -> Option<&[u8]> {
    let length = usize::try_from(u32_at(bytes, offset)?).ok()?;
    bytes.get(offset.checked_add(4)?..)?.get(..length)
}
