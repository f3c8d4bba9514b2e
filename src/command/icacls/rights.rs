//! The letters for rights: `F`, `RX`, `(DE,RC,WDAC)`.

use crate::security::AccessMask;

/// The right, or rights, that these letters stand for in a permission.
pub(super) fn parse(letters: &str) -> Option<AccessMask> {
    let specific = SPECIFIC.iter().map(|&(known, _, right)| (known, right));
    let mut known = SIMPLE.iter().copied().chain(specific);
    let found = known.find(|(known, _)| known.eq_ignore_ascii_case(letters));
    found.map(|(_, rights)| AccessMask::from_bits_retain(rights))
}

/// The simple rights at the start of letters that are run together, and how many letters that are.
pub(super) fn parse_first(letters: &str) -> Option<(AccessMask, usize)> {
    let starts = |known: &str| letters.get(..known.len()).is_some_and(|start| start.eq_ignore_ascii_case(known));
    SIMPLE
        .iter()
        .find(|(known, _)| starts(known))
        .map(|&(known, bits)| (AccessMask::from_bits_retain(bits), known.len()))
}

/// A mask as `icacls` lists it; `whole` allows the simple rights.
///
/// Bits that have no letters are shown as a number, which `icacls` does not do: it leaves them out.
pub(in crate::command) fn print(mask: AccessMask, whole: bool) -> String {
    let bits = mask.bits();
    if whole && mask == AccessMask::GENERIC_ALL {
        return "F".to_owned();
    }
    let mut left = bits;
    let mut printed = Vec::new();
    for &(letters, rights) in LISTED.iter().filter(|_| whole) {
        if bits & rights == rights && left & rights != 0 {
            printed.push(letters.to_owned());
            left &= !rights;
        }
    }
    for &(_, letters, right) in SPECIFIC {
        if left & right != 0 {
            printed.push(letters.to_owned());
            left &= !right;
        }
    }
    if left != 0 {
        printed.push(format!("{left:#x}"));
    }
    if printed.is_empty() { "N".to_owned() } else { printed.join(",") }
}

/// Longer letters first: `RX` is not `R` and then `X`.
static SIMPLE: &[(&str, u32)] = &[
    ("RX", READ_AND_EXECUTE),
    ("N", 0),
    ("F", ALL),
    ("M", MODIFY),
    ("R", READ),
    ("W", WRITE),
    // With SYNCHRONIZE, as far as is known; the listing uses the same letter for the bit alone.
    ("D", 0x0011_0000),
];

/// As they are read, as they are listed, and the bit; in the order in which they are listed.
static SPECIFIC: &[(&str, &str, u32)] = &[
    ("DE", "D", 0x0001_0000),
    ("RC", "Rc", 0x0002_0000),
    ("WDAC", "WDAC", 0x0004_0000),
    ("WO", "WO", 0x0008_0000),
    ("S", "S", 0x0010_0000),
    ("AS", "AS", 0x0100_0000),
    ("MA", "MA", 0x0200_0000),
    ("GR", "GR", 0x8000_0000),
    ("GW", "GW", 0x4000_0000),
    ("GE", "GE", 0x2000_0000),
    ("GA", "GA", 0x1000_0000),
    ("RD", "RD", 0x0000_0001),
    ("WD", "WD", 0x0000_0002),
    ("AD", "AD", 0x0000_0004),
    ("REA", "REA", 0x0000_0008),
    ("WEA", "WEA", 0x0000_0010),
    ("X", "X", 0x0000_0020),
    ("DC", "DC", 0x0000_0040),
    ("RA", "RA", 0x0000_0080),
    ("WA", "WA", 0x0000_0100),
];

/// The rights that are listed as one, in the order in which they are tried.
static LISTED: &[(&str, u32)] = &[("F", ALL), ("M", MODIFY), ("RX", READ_AND_EXECUTE), ("R", READ), ("W", WRITE)];

pub(super) const ALL: u32 = AccessMask::FILE_ALL.bits();
const MODIFY: u32 = 0x0013_01BF;
const READ_AND_EXECUTE: u32 = AccessMask::FILE_READ.bits() | AccessMask::FILE_EXECUTE.bits();
const READ: u32 = AccessMask::FILE_READ.bits();
/// Without `READ_CONTROL`, unlike the generic right.
const WRITE: u32 = 0x0010_0116;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_listed_with_the_same_bits() {
        for letters in SIMPLE.iter().map(|row| row.0).chain(SPECIFIC.iter().map(|row| row.0)) {
            let read = parse(letters).unwrap();
            let listed = print(read, true);
            let again = listed.split(',').filter_map(parse).fold(AccessMask::empty(), |mask, right| mask | right);
            match letters {
                // Listed as the letter for all rights of a file.
                "GA" => assert_eq!(again, AccessMask::FILE_ALL),
                // `D` is listed for the bit alone, and read with SYNCHRONIZE.
                "DE" => assert_eq!(again, read | AccessMask::SYNCHRONIZE),
                _ => assert_eq!(again, read, "{letters} listed as {listed}"),
            }
        }
    }

    #[test]
    fn bits_without_letters_are_not_hidden() {
        assert_eq!(print(AccessMask::from_bits_retain(0x0012_0289), true), "R,0x200");
        assert_eq!(print(AccessMask::empty(), true), "N");
    }
}
