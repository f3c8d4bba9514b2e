//! What subkeys lists store beside each key node: the hint of `lf` and the hash of `lh`.

use super::{Units, upcase};

/// The hash of an `lh` element: for each unit `h = h * 37 + upcase(unit)`, modulo 2^32.
///
/// ```
/// assert_eq!(hivesmith::name::lh_hash("ControlSet001"), 0x8f3b_a9a2);
/// ```
#[must_use]
pub fn lh_hash<N: Units + ?Sized>(name: &N) -> u32 {
    name.units().fold(0, |hash: u32, unit| hash.wrapping_mul(37).wrapping_add(u32::from(upcase(unit))))
}

/// The hint of an `lf` element: the first four units in their original case, one byte each, zero padded.
///
/// The kernel fills from the fourth unit backwards and stops at the first one above 0xFF, so bytes before it stay 0:
/// a zero first byte means that the hint says nothing (lists written by Windows for Cyrillic names hold `00000000`).
///
/// ```
/// assert_eq!(hivesmith::name::lf_hint("ß2"), [0xdf, b'2', 0, 0]);
/// assert_eq!(hivesmith::name::lf_hint("Привет"), [0; 4]);
/// ```
#[must_use]
pub fn lf_hint<N: Units + ?Sized>(name: &N) -> [u8; 4] {
    let mut head = [0_u16; 4];
    for (slot, unit) in head.iter_mut().zip(name.units()) {
        *slot = unit;
    }
    let mut hint = [0; 4];
    for (byte, unit) in hint.iter_mut().zip(head).rev() {
        match u8::try_from(unit) {
            Ok(narrow) => *byte = narrow,
            Err(_) => break,
        }
    }
    hint
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_equal_those_that_windows_stored() {
        assert_eq!(lh_hash("a"), 0x41);
        assert_eq!(lh_hash("Select"), 0x5f00_24a0);
        assert_eq!(lh_hash("Objects"), 0x4aae_45ee);
        assert_eq!(lh_hash("{9dea862c-5cdd-4e70-acc1-f32b344d4795}"), 0x4774_7e47);
        assert_eq!(lh_hash("Ünïcode"), 0xc626_7de8);
        assert_eq!(lh_hash("\u{10428}"), 0x0020_144d, "supplementary letters are two units and never fold");
    }

    #[test]
    fn hints_keep_the_case_of_the_name() {
        assert_eq!(&lf_hint("ss1"), b"ss1\0");
        assert_eq!(&lf_hint("SS3"), b"SS3\0");
        assert_eq!(&lf_hint("abПd"), &[0, 0, 0, b'd']);
    }
}
