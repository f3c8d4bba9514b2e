//! Names on the hot path: hashing and comparing without a detour through generic units.

use std::cmp::Ordering;

use crate::name::{Name, Units, compare, lh_hash, upcase};

/// The hash of `lh` lists, four bytes at a time for compressed names: 37^4 h + 37^3 a + 37^2 b + 37 c + d has a quarter
/// of the dependent multiplications.
pub(super) fn hash(name: Name<'_>) -> u32 {
    let Name::Latin1(bytes) = name else { return lh_hash(&name) };
    let fold = |byte: u8| u32::from(upcase(u16::from(byte)));
    let chunks = bytes.chunks_exact(4);
    let rest = chunks.remainder();
    let head = chunks.fold(0_u32, |sum, chunk| {
        let [a, b, c, d] = [chunk[0], chunk[1], chunk[2], chunk[3]].map(fold);
        let quad = a
            .wrapping_mul(37 * 37 * 37)
            .wrapping_add(b.wrapping_mul(37 * 37))
            .wrapping_add(c.wrapping_mul(37))
            .wrapping_add(d);
        sum.wrapping_mul(37 * 37 * 37 * 37).wrapping_add(quad)
    });
    rest.iter().fold(head, |sum, byte| sum.wrapping_mul(37).wrapping_add(fold(*byte)))
}

/// The order of subkeys lists; skips what two compressed names have in common byte by byte.
pub(super) fn order(a: Name<'_>, b: Name<'_>) -> Ordering {
    let (Name::Latin1(left), Name::Latin1(right)) = (a, b) else { return compare(&a, &b) };
    for (left, right) in left.iter().zip(right) {
        if left != right {
            match upcase(u16::from(*left)).cmp(&upcase(u16::from(*right))) {
                Ordering::Equal => {}
                unequal => return unequal,
            }
        }
    }
    left.len().cmp(&right.len())
}

/// Whether a wide name could have been stored compressed.
pub(super) fn is_needlessly_wide(name: Name<'_>) -> bool {
    matches!(name, Name::Utf16(bytes) if !bytes.is_empty()) && name.units().all(|unit| unit <= 0xff)
}

/// Whether a wide name ends within a unit.
pub(super) fn is_torn(name: Name<'_>) -> bool {
    matches!(name, Name::Utf16(bytes) if bytes.len() % 2 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_cuts_agree_with_the_plain_way() {
        let names: [&[u8]; 9] =
            [b"", b"a", b"Select", b"SELECT", b"ControlSet001", b"control", b"\xff\xfe\xe0", b"\xdf2", b"CONTROL_"];
        for a in names.map(Name::Latin1) {
            assert_eq!(hash(a), lh_hash(&a));
            for b in names.map(Name::Latin1) {
                assert_eq!(order(a, b), compare(&a, &b), "{a} {b}");
            }
        }
    }
}
