//! Conditional expressions, the data of callback ACEs (MS-DTYP 2.4.4.17).
//!
//! Stored as the four letters `artx` and tokens in postfix order, padded with zeros to a multiple of 4. Both directions
//! keep their own stack, so neither deep nesting nor a long chain of `&&` can exhaust the call stack; only composite
//! literals recurse, and those are bounded by [`MAX_COMPOSITE_DEPTH`].

mod parse;
mod print;

pub(super) use parse::parse;
pub(super) use print::print;
pub(super) use text::{octets, push_name_unit, string_units};

mod text;

const SIGNATURE: [u8; 4] = *b"artx";

const PADDING: u8 = 0x00;
/// Integers of 8, 16, 32 and 64 bits: the body is the same, from text only the last is made.
const INT8: u8 = 0x01;
const INT64: u8 = 0x04;
const STRING: u8 = 0x10;
const OCTETS: u8 = 0x18;
const COMPOSITE: u8 = 0x50;
const SID: u8 = 0x51;
const EXISTS: u8 = 0x87;
const NOT_EXISTS: u8 = 0x8D;
const AND: u8 = 0xA0;
const OR: u8 = 0xA1;
const NOT: u8 = 0xA2;
const LOCAL_ATTRIBUTE: u8 = 0xF8;

/// Value, sign and base of an integer.
const INTEGER_BODY: usize = 10;
const SIGN_PLUS: u8 = 1;
const SIGN_MINUS: u8 = 2;
const SIGN_NONE: u8 = 3;
const BASE_OCTAL: u8 = 1;
const BASE_DECIMAL: u8 = 2;
const BASE_HEXADECIMAL: u8 = 3;

/// Composites in composites. Windows makes none; the bound keeps hostile ones from recursing far.
const MAX_COMPOSITE_DEPTH: usize = 8;

/// Attributes that are looked up somewhere else than in the request.
static ATTRIBUTES: &[(u8, &str)] = &[(0xF9, "@USER."), (0xFA, "@RESOURCE."), (0xFB, "@DEVICE.")];

/// `attribute operator literal-or-attribute`. Those that start like another stand before it.
static RELATIONS: &[(u8, &str)] = &[
    (0x80, "=="),
    (0x81, "!="),
    (0x83, "<="),
    (0x82, "<"),
    (0x85, ">="),
    (0x84, ">"),
    (0x86, "Contains"),
    (0x8E, "Not_Contains"),
    (0x88, "Any_of"),
    (0x8F, "Not_Any_of"),
];

/// `operator sids`. The odd case of the third is how Windows prints it.
static MEMBERSHIPS: &[(u8, &str)] = &[
    (0x89, "Member_of"),
    (0x90, "Not_Member_of"),
    (0x8B, "Member_of_any"),
    (0x92, "Not_Member_of_Any"),
    (0x8A, "Device_Member_of"),
    (0x91, "Not_Device_Member_of"),
    (0x8C, "Device_Member_of_Any"),
    (0x93, "Not_Device_Member_of_Any"),
];

/// `operator attribute`.
static EXISTENCES: &[(u8, &str)] = &[(EXISTS, "Exists"), (NOT_EXISTS, "Not_Exists")];

fn by_word(table: &[(u8, &'static str)], word: &str) -> Option<u8> {
    table.iter().find(|(_, known)| known.eq_ignore_ascii_case(word)).map(|&(token, _)| token)
}

fn by_token(table: &[(u8, &'static str)], token: u8) -> Option<&'static str> {
    table.iter().find(|(known, _)| *known == token).map(|&(_, word)| word)
}

/// A character that stands for itself in the name of a local attribute.
fn is_local_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || ":./_".contains(c)
}

/// A character that stands for itself in the name of a user, resource or device attribute, when printed.
fn is_prefixed_name(c: char) -> bool {
    is_local_name(c) || "#$'*+-;?@[\\]^`{}~".contains(c)
}

#[cfg(test)]
mod tests {
    use super::{super::super::SecurityDescriptor, *};

    fn stored(condition: &str) -> Vec<u8> {
        let text = format!("D:(XA;;FX;;;WD;{condition})");
        let descriptor: SecurityDescriptor = text.parse().unwrap();
        descriptor.dacl().acl().unwrap().aces()[0].data().to_vec()
    }

    #[test]
    fn not_binds_looser_than_a_relation_and_tighter_than_and() {
        assert_eq!(print(&stored("(!a == 1 && !b || c)")).unwrap(), "(((!(a == 1)) && (!(b))) || (c))");
    }

    #[test]
    fn a_name_that_is_an_operator_word_is_escaped() {
        let text = "(%0045xists == 1)";
        assert_eq!(print(&stored(text)).unwrap(), text);
    }

    #[test]
    fn the_largest_and_smallest_integers_come_back() {
        for text in ["(a == 18446744073709551615)", "(a == -9223372036854775808)", "(a == 0xffffffffffffffff)"] {
            assert_eq!(print(&stored(text)).unwrap(), text);
        }
        for text in ["(a == -9223372036854775809)", "(a == 18446744073709551616)"] {
            assert!(format!("D:(XA;;FX;;;WD;{text})").parse::<SecurityDescriptor>().is_err(), "{text}");
        }
    }

    #[test]
    fn octet_strings_take_a_hash_for_a_zero_and_a_missing_first_digit() {
        assert_eq!(print(&stored("(a == #1#2)")).unwrap(), "(a == #0102)");
        assert_eq!(print(&stored("(a == #)")).unwrap(), "(a == #)");
    }

    #[test]
    fn deep_nesting_neither_overflows_the_stack_nor_is_refused() {
        let depth = 10_000;
        let text = format!("{}a{}", "(!".repeat(depth), ")".repeat(depth));
        let data = stored(&text);
        assert_eq!(stored(&print(&data).unwrap()), data);
        let chain = format!("(a{})", " && b".repeat(3_000));
        let data = stored(&chain);
        assert_eq!(stored(&print(&data).unwrap()), data);
    }

    #[test]
    fn composites_nest_only_so_far() {
        let nested = |depth: usize| format!("(a == {}1{})", "{".repeat(depth), "}".repeat(depth));
        assert_eq!(print(&stored(&nested(MAX_COMPOSITE_DEPTH))).unwrap(), nested(MAX_COMPOSITE_DEPTH));
        let text = format!("D:(XA;;FX;;;WD;{})", nested(MAX_COMPOSITE_DEPTH + 1));
        assert!(text.parse::<SecurityDescriptor>().is_err());
    }

    #[test]
    fn malformed_tokens_are_refused() {
        let malformed: [&[u8]; 8] = [
            b"",
            b"artx",
            b"artx\x80",
            b"artx\xf8\xff\xff\xff\xff",
            b"artx\x04\x01\0\0\0\0\0\0\0\x03\x02",
            b"artx\xf8\x02\0\0\0a\0\xf8\x02\0\0\0a\0\x80",
            b"artx\xf8\x02\0\0\0a\0\0\x87",
            b"artx\xf8\x01\0\0\0a",
        ];
        for data in malformed {
            assert!(print(data).is_err(), "{data:x?}");
        }
    }
}
