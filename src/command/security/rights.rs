//! Words for the rights of registry keys.

use crate::security::AccessMask;

/// The rights that a word stands for, whatever its case: a whole (`F`, `full`), a single right by its letters or its
/// name (`QV`, `query-value`), or a number (`0x20019`).
pub(super) fn parse(word: &str) -> Option<AccessMask> {
    let plain: String = word.chars().filter(|c| !matches!(c, '-' | '_' | ' ')).collect();
    let is = |known: &str| known.chars().filter(|c| *c != '-').collect::<String>().eq_ignore_ascii_case(&plain);
    let whole = WHOLE.iter().find(|(names, _)| names.iter().any(|name| is(name))).map(|&(_, bits)| bits);
    let single = || SINGLE.iter().find(|(letters, name, _)| is(letters) || is(name)).map(|&(.., bits)| bits);
    let number = || {
        let digits = plain.strip_prefix("0x").or_else(|| plain.strip_prefix("0X"))?;
        u32::from_str_radix(digits, 16).ok().filter(|_| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
    };
    whole.or_else(single).or_else(number).map(AccessMask::from_bits_retain)
}

/// A mask in words: `full`, `read, set-value`. Bits without a name are shown as a number.
pub(super) fn print(mask: AccessMask) -> String {
    let mut left = mask.bits();
    let mut words = Vec::new();
    for &(names, bits) in LISTED {
        if mask.bits() & bits == bits && left & bits != 0 {
            words.extend(names.first().map(|name| (*name).to_owned()));
            left &= !bits;
        }
    }
    for &(_, name, bit) in SINGLE {
        if left & bit != 0 {
            words.push(name.to_owned());
            left &= !bit;
        }
    }
    if left != 0 {
        words.push(format!("{left:#x}"));
    }
    if words.is_empty() { "nothing".to_owned() } else { words.join(", ") }
}

/// All words that can be given, for messages.
pub(super) const WORDS: &str = "F (full), R (read), W (write), X (execute), or between parentheses QV, SV, CS, ES, NT, \
    CL, DE, RC, WDAC, WO, AS, MA, GR, GW, GE, GA, a name such as set-value, a number such as 0x20019";

type Whole = (&'static [&'static str], u32);

/// The rights that are given as one: by their names, by the letter that `icacls` and `subinacl` have for them, and by
/// the letters of SDDL.
static WHOLE: &[Whole] = &[
    (&["full", "F", "full-control", "KA"], AccessMask::KEY_ALL.bits()),
    (&["read", "R", "KR"], AccessMask::KEY_READ.bits()),
    (&["write", "W", "KW"], AccessMask::KEY_WRITE.bits()),
    (&["execute", "X", "KX"], AccessMask::KEY_EXECUTE.bits()),
];

/// Those among them that are listed; executing a key is reading it.
static LISTED: &[Whole] = WHOLE.split_at(3).0;

/// Letters, name, bit (winnt.h; MS-DTYP 2.4.3 for those that all objects have). The letters of the latter are those of
/// `icacls`.
static SINGLE: &[(&str, &str, u32)] = &[
    ("QV", "query-value", 0x0001),
    ("SV", "set-value", 0x0002),
    ("CS", "create-subkey", 0x0004),
    ("ES", "enumerate-subkeys", 0x0008),
    ("NT", "notify", 0x0010),
    ("CL", "create-link", 0x0020),
    ("W64", "wow64-64key", 0x0100),
    ("W32", "wow64-32key", 0x0200),
    ("DE", "delete", 0x0001_0000),
    ("RC", "read-control", 0x0002_0000),
    ("WDAC", "write-dac", 0x0004_0000),
    ("WO", "write-owner", 0x0008_0000),
    ("S", "synchronize", 0x0010_0000),
    ("AS", "access-system-security", 0x0100_0000),
    ("MA", "maximum-allowed", 0x0200_0000),
    ("GA", "generic-all", 0x1000_0000),
    ("GE", "generic-execute", 0x2000_0000),
    ("GW", "generic-write", 0x4000_0000),
    ("GR", "generic-read", 0x8000_0000),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_listed_reads_back() {
        let bits = (0..32).map(|bit| 1 << bit).chain([0xf_003f, 0x2_0019, 0x2_0006, 0x2_001b, 0x2_0039, u32::MAX, 0x7]);
        for bits in bits {
            let mask = AccessMask::from_bits_retain(bits);
            let printed = print(mask);
            let read = printed.split(", ").map(|word| parse(word).unwrap_or_else(|| panic!("{word} of {printed}")));
            assert_eq!(read.fold(AccessMask::empty(), |all, right| all | right), mask, "{printed}");
        }
    }

    #[test]
    fn rights_have_names_letters_and_numbers() {
        for (word, bits) in [
            ("F", 0xf_003f),
            ("Full-Control", 0xf_003f),
            ("KR", 0x2_0019),
            ("kx", 0x2_0019),
            ("w", 0x2_0006),
            ("SetValue", 2),
            ("set_value", 2),
            ("sv", 2),
            ("0x20019", 0x2_0019),
        ] {
            assert_eq!(parse(word), Some(AccessMask::from_bits_retain(bits)), "{word}");
        }
        for word in ["", "RX", "M", "0x", "0x1ffffffff", "0x+1", "20019", "é"] {
            assert_eq!(parse(word), None, "{word}");
        }
    }

    #[test]
    fn wholes_are_listed_before_their_parts() {
        assert_eq!(print(AccessMask::KEY_ALL), "full");
        assert_eq!(print(AccessMask::KEY_READ | AccessMask::KEY_WRITE), "read, write");
        assert_eq!(print(AccessMask::KEY_READ | AccessMask::DELETE), "read, delete");
        assert_eq!(print(AccessMask::empty()), "nothing");
    }
}
