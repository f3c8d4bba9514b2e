//! What holds for any bytes, any text, and any descriptor that SDDL has words for.

use proptest::{collection::vec, option, prelude::*, sample::select, string::string_regex};

use super::*;

proptest! {
    /// The two entrances agree, what is read is written back, and what is rebuilt says the same.
    #[test]
    fn any_bytes_are_kept_or_refused(bytes in hostile_bytes()) {
        let valid = validate(&bytes);
        let Ok(descriptor) = SecurityDescriptor::parse(&bytes) else {
            prop_assert!(valid.is_err());
            return Ok(());
        };
        prop_assert_eq!(valid, Ok(()));
        let stored = descriptor.to_bytes();
        prop_assert_eq!(&stored[..], &bytes[..stored.len()]);
        let _ = descriptor.to_string();
        let mut rebuilt = descriptor.clone();
        rebuilt.set_owner(Some(well_known::NULL));
        rebuilt.set_owner(descriptor.owner().copied());
        let again = SecurityDescriptor::parse(&rebuilt.to_bytes()).unwrap();
        prop_assert_eq!(again, rebuilt);
    }

    /// Whatever can be printed reads back to the same text.
    #[test]
    fn printed_bytes_read_back(bytes in hostile_bytes()) {
        let Ok(descriptor) = SecurityDescriptor::parse(&bytes) else { return Ok(()) };
        let Ok(printed) = descriptor.to_sddl() else { return Ok(()) };
        let again: SecurityDescriptor = printed.parse().unwrap();
        prop_assert_eq!(again.to_sddl().unwrap(), printed);
    }

    #[test]
    fn any_condition_tokens_print_and_read_back_or_are_refused(tokens in vec(token(), 0..12), padding in 0..4_usize) {
        let data = [b"artx".to_vec(), tokens.concat(), vec![0; padding]].concat();
        let Ok(ace) = conditional(&data) else { return Ok(()) };
        let mut descriptor = SecurityDescriptor::new();
        descriptor.set_dacl(AclState::Present(Acl::new(vec![ace]).unwrap()));
        let Ok(printed) = descriptor.to_sddl() else { return Ok(()) };
        let again: SecurityDescriptor = printed.parse().unwrap();
        prop_assert_eq!(again.to_sddl().unwrap(), printed);
    }

    /// An error stands at a place of the text; what is accepted is printed and read back.
    #[test]
    fn any_text_is_read_or_refused_at_a_place(text in hostile_text()) {
        match text.parse::<SecurityDescriptor>() {
            Err(SecurityError::Sddl { position, .. } | SecurityError::DomainSidRequired { position, .. }) => {
                prop_assert!(text.is_char_boundary(position));
            }
            Err(other) => prop_assert!(false, "{}", other),
            Ok(descriptor) => {
                let printed = descriptor.to_sddl().unwrap();
                let again: SecurityDescriptor = printed.parse().unwrap();
                prop_assert_eq!(again.to_bytes(), descriptor.to_bytes());
            }
        }
    }

    #[test]
    fn a_descriptor_goes_through_bytes_and_through_text(descriptor in descriptor()) {
        let stored = descriptor.to_bytes();
        prop_assert_eq!(validate(&stored), Ok(()));
        let parsed = SecurityDescriptor::parse(&stored).unwrap();
        prop_assert_eq!(&parsed, &descriptor);
        let read: SecurityDescriptor = parsed.to_sddl().unwrap().parse().unwrap();
        prop_assert_eq!(&read, &descriptor);
        prop_assert_eq!(read.to_bytes(), stored);
    }

    #[test]
    fn a_sid_goes_through_bytes_and_through_text(sid in sid()) {
        prop_assert_eq!(Sid::parse(&sid.to_bytes()).unwrap(), sid);
        prop_assert_eq!(sid.to_string().parse::<Sid>().unwrap(), sid);
    }
}

fn sid() -> impl Strategy<Value = Sid> {
    let any =
        (0..1_u64 << 48, vec(any::<u32>(), 0..=15)).prop_map(|(authority, rids)| Sid::new(authority, &rids).unwrap());
    prop_oneof![select(vec![well_known::EVERYONE, well_known::USERS, well_known::LOCAL_SYSTEM]), any]
}

fn mask() -> impl Strategy<Value = AccessMask> {
    prop_oneof![any::<u32>(), select(vec![0_u32, 0x001F_01FF, 0x000F_003F, 0x0002_0019, 0x8000_0000, 7, 0x20]),]
        .prop_map(AccessMask::from_bits_retain)
}

fn ace() -> impl Strategy<Value = Ace> {
    let flags = || any::<u8>().prop_map(AceFlags::from_bits_retain);
    let guid = || option::of(any::<[u8; 16]>().prop_map(Guid::from_bytes));
    let plain = select(vec![0_u8, 1, 2, 3, 0x11, 0x13, 0x14, 0x15]);
    let plain = (plain, flags(), mask(), sid())
        .prop_map(|(ace_type, flags, mask, sid)| Ace::new(AceType(ace_type), flags, mask, sid, &[]).unwrap());
    let object =
        (5..=8_u8, flags(), mask(), guid(), guid(), sid()).prop_map(|(ace_type, flags, mask, own, child, sid)| {
            Ace::object(AceType(ace_type), flags, mask, own, child, sid, &[]).unwrap()
        });
    let read = prop_oneof![
        condition().prop_map(|condition| format!("(XA;CI;KR;;;BU;({condition}))")),
        claim().prop_map(|claim| format!("(RA;CI;;;;WD;({claim}))")),
    ];
    let read = read.prop_map(|ace| {
        let descriptor: SecurityDescriptor = format!("D:{ace}").parse().unwrap();
        descriptor.dacl().acl().unwrap().aces()[0].clone()
    });
    prop_oneof![3 => plain, 1 => object, 1 => read]
}

fn condition() -> impl Strategy<Value = String> {
    let name =
        || string_regex("(@User\\.|@Device\\.|@Resource\\.|)[a-zA-Z:._/][a-zA-Z0-9]{0,4}(%[0-9a-f]{4})?").unwrap();
    let literal = prop_oneof![
        any::<i64>().prop_map(|number| number.to_string()),
        any::<u64>().prop_map(|number| format!("{number:#x}")),
        string_regex("[+-]?0[0-7]{1,9}").unwrap(),
        string_regex("\"[^\"]{0,6}\"").unwrap(),
        string_regex("#([0-9a-f]{2}){0,6}").unwrap(),
        sid().prop_map(|sid| format!("SID({sid})")),
    ];
    let literal = literal.prop_recursive(3, 8, 3, |element| {
        vec(element, 1..4).prop_map(|elements| format!("{{{}}}", elements.join(", ")))
    });
    let operator = select(vec!["==", "!=", "<", "<=", ">", ">=", "Contains", "Not_Contains", "Any_of", "Not_Any_of"]);
    let member = select(vec!["Member_of", "Not_Member_of_Any", "Device_Member_of", "Not_Device_Member_of_Any"]);
    let term = prop_oneof![
        (name(), operator, literal).prop_map(|(name, operator, literal)| format!("{name} {operator} {literal}")),
        (member, vec(sid(), 1..4)).prop_map(|(member, sids)| {
            let sids: Vec<_> = sids.iter().map(|sid| format!("SID({sid})")).collect();
            format!("{member} {{{}}}", sids.join(","))
        }),
        (select(vec!["Exists", "Not_Exists"]), name()).prop_map(|(exists, name)| format!("{exists} {name}")),
        name(),
    ];
    term.prop_recursive(4, 12, 2, |part| {
        prop_oneof![
            part.clone().prop_map(|part| format!("!({part})")),
            part.clone().prop_map(|part| format!("({part})")),
            (part.clone(), part.clone()).prop_map(|(left, right)| format!("{left} && {right}")),
            (part.clone(), part).prop_map(|(left, right)| format!("{left} || {right}")),
        ]
    })
}

fn claim() -> impl Strategy<Value = String> {
    let values = prop_oneof![
        vec(any::<i64>().prop_map(|number| number.to_string()), 0..4).prop_map(|values| ("TI", values)),
        vec(any::<u64>().prop_map(|number| number.to_string()), 0..4).prop_map(|values| ("TU", values)),
        vec(string_regex("\"[^\"\\x00]{0,6}\"").unwrap(), 0..4).prop_map(|values| ("TS", values)),
        vec(sid().prop_map(|sid| sid.to_string()), 0..4).prop_map(|values| ("TD", values)),
        vec(select(vec!["0".to_owned(), "1".to_owned()]), 0..4).prop_map(|values| ("TB", values)),
        vec(string_regex("([0-9a-f]{2}){0,6}").unwrap(), 0..4).prop_map(|values| ("TX", values)),
    ];
    (string_regex("[a-zA-Z/,;é]{0,6}(%002[0-9])?").unwrap(), values, any::<u32>()).prop_map(
        |(name, (kind, values), flags)| {
            [vec![format!("\"{name}\""), kind.to_owned(), format!("{flags:#x}")], values].concat().join(",")
        },
    )
}

fn list() -> impl Strategy<Value = AclState> {
    prop_oneof![
        Just(AclState::Absent),
        Just(AclState::Null),
        vec(ace(), 0..6).prop_map(|aces| AclState::Present(Acl::new(aces).unwrap())),
    ]
}

/// Descriptors without what SDDL leaves out.
pub(super) fn descriptor() -> impl Strategy<Value = SecurityDescriptor> {
    (option::of(sid()), option::of(sid()), list(), list(), any::<u16>()).prop_map(
        |(owner, group, dacl, sacl, control)| {
            let mut descriptor = SecurityDescriptor::new();
            let mut control = Control::from_bits_retain(control);
            control.remove(Control::from_bits_retain(0xC0FF));
            if dacl == AclState::Absent {
                control.remove(Control::from_bits_retain(0x1500));
            }
            if sacl == AclState::Absent {
                control.remove(Control::from_bits_retain(0x2A00));
            }
            descriptor.set_owner(owner);
            descriptor.set_group(group);
            descriptor.set_dacl(dacl);
            descriptor.set_sacl(sacl);
            descriptor.set_control(control);
            descriptor
        },
    )
}

/// Noise, and stored descriptors with a few bytes overwritten, cut short or followed by more.
pub(super) fn hostile_bytes() -> impl Strategy<Value = Vec<u8>> {
    let damage = vec((any::<prop::sample::Index>(), any::<u8>()), 0..4);
    let damaged = (descriptor(), damage, option::of(any::<prop::sample::Index>()), vec(any::<u8>(), 0..3)).prop_map(
        |(descriptor, damage, cut, more)| {
            let mut bytes = descriptor.to_bytes();
            for (index, byte) in damage {
                let index = index.index(bytes.len());
                bytes[index] = byte;
            }
            if let Some(cut) = cut.filter(|cut| cut.index(4) == 0) {
                bytes.truncate(cut.index(bytes.len()));
            }
            bytes.extend(more);
            bytes
        },
    );
    prop_oneof![1 => vec(any::<u8>(), 0..200), 4 => damaged]
}

/// Noise, tokens in disorder, and printed descriptors with a few characters changed.
fn hostile_text() -> impl Strategy<Value = String> {
    const TOKENS: &[&str] = &[
        "O:",
        "G:",
        "D:",
        "S:",
        "(",
        ")",
        ";",
        ";;",
        ";;;",
        "A",
        "XA",
        "RA",
        "OICI",
        "FA",
        "0x1f",
        "BA",
        "DA",
        "WD",
        "S-1-5-18",
        " ",
        "P",
        "AI",
        "NO_ACCESS_CONTROL",
        "{",
        "}",
        ",",
        "@User.a",
        "==",
        "&&",
        "||",
        "!",
        "\"",
        "#1",
        "Member_of",
        "SID(",
        "%0041",
        "é",
        "-",
        "1",
        "TS",
        "D:(A;;FA;;;",
        "D:(XA;;FX;;;WD;(",
        "S:(RA;;;;;WD;(\"n\",",
    ];
    let tokens = vec(select(TOKENS), 0..16).prop_map(|tokens| tokens.concat());
    let damage = vec((any::<prop::sample::Index>(), any::<char>(), any::<bool>()), 0..3);
    let damaged = (descriptor(), damage).prop_map(|(descriptor, damage)| {
        let mut text: Vec<char> = descriptor.to_string().chars().collect();
        for (index, c, remove) in damage {
            let index = index.index(text.len() + 1);
            if remove && index < text.len() {
                text.remove(index);
            } else {
                text.insert(index, c);
            }
        }
        text.into_iter().collect()
    });
    prop_oneof![any::<String>(), tokens, damaged]
}

fn conditional(data: &[u8]) -> Result<Ace, SecurityError> {
    Ace::new(AceType::ACCESS_ALLOWED_CALLBACK, AceFlags::empty(), AccessMask::FILE_READ, well_known::USERS, data)
}

/// A token of a stored condition, mostly well-formed.
fn token() -> impl Strategy<Value = Vec<u8>> {
    let counted = |code: u8, body: Vec<u8>| [vec![code], (body.len() as u32).to_le_bytes().to_vec(), body].concat();
    let integer = (1..=4_u8, any::<i64>(), 0..5_u8, 0..5_u8)
        .prop_map(|(code, value, sign, base)| [vec![code], value.to_le_bytes().to_vec(), vec![sign, base]].concat());
    let units = vec(prop_oneof![Just(0x41_u16), any::<u16>()], 0..4);
    let units = units.prop_map(|units| units.into_iter().flat_map(u16::to_le_bytes).collect::<Vec<u8>>());
    let name = (0xF8..=0xFB_u8, units.clone()).prop_map(move |(code, name)| counted(code, name));
    let simple = prop_oneof![
        integer,
        units.prop_map(move |units| counted(0x10, units)),
        vec(any::<u8>(), 0..4).prop_map(move |octets| counted(0x18, octets)),
        sid().prop_map(move |sid| counted(0x51, sid.to_bytes())),
    ];
    let literal = simple.prop_recursive(10, 12, 2, move |element| {
        vec(element, 0..3).prop_map(move |elements| counted(0x50, elements.concat()))
    });
    let operator = (0x80..=0x93_u8).prop_map(|code| vec![code]);
    let logical = (0xA0..=0xA2_u8).prop_map(|code| vec![code]);
    prop_oneof![3 => name, 2 => literal, 2 => operator, 1 => logical, 1 => vec(any::<u8>(), 0..3)]
}
