//! The letters of SDDL: ACE types, ACE flags, rights.

use super::super::{
    access_mask::AccessMask,
    ace_type::{AceFlags, AceType},
};

/// What an ACE of a type carries after its SID.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Data {
    Nothing,
    Condition,
    /// Access filters may go without their condition.
    OptionalCondition,
    Claim,
}

/// An ACE type that SDDL has letters for.
pub(super) struct TypeLetters {
    pub(super) letters: &'static str,
    pub(super) ace_type: AceType,
    pub(super) object: bool,
    pub(super) data: Data,
}

impl TypeLetters {
    pub(super) fn find(letters: &str) -> Option<&'static Self> {
        TYPES.iter().find(|known| known.letters.eq_ignore_ascii_case(letters))
    }

    pub(super) fn of(ace_type: AceType) -> Option<&'static Self> {
        TYPES.iter().find(|known| known.ace_type == ace_type)
    }
}

/// The flag that two letters stand for in an ACE of this type.
pub(super) fn flag(letters: &str, ace_type: AceType) -> Option<AceFlags> {
    if ace_type == AceType::SYSTEM_ACCESS_FILTER && letters.eq_ignore_ascii_case(TRUST_PROTECTED) {
        return Some(AceFlags::SUCCESSFUL_ACCESS);
    }
    FLAGS.iter().find(|(known, _)| known.eq_ignore_ascii_case(letters)).map(|&(_, flag)| flag)
}

/// The letters of these flags, in the order in which Windows prints them.
pub(super) fn flag_letters(flags: AceFlags, ace_type: AceType) -> impl Iterator<Item = &'static str> {
    FLAGS.iter().filter(move |(_, flag)| flags.contains(*flag)).map(move |&(letters, flag)| {
        let filter = ace_type == AceType::SYSTEM_ACCESS_FILTER && flag == AceFlags::SUCCESSFUL_ACCESS;
        if filter { TRUST_PROTECTED } else { letters }
    })
}

/// The right that two letters stand for in an ACE of this type.
pub(super) fn right(letters: &str, ace_type: AceType) -> Option<AccessMask> {
    let label = if ace_type == AceType::SYSTEM_MANDATORY_LABEL { LABEL_POLICY } else { &[] };
    let known = label.iter().chain(WHOLE).chain(READ_ONLY).chain(SINGLE);
    let mut matching = known.filter(|(known, _)| known.eq_ignore_ascii_case(letters));
    matching.next().map(|&(_, bits)| AccessMask::from_bits_retain(bits))
}

/// The letters that Windows prints for a mask, or `None` if it prints the number.
pub(super) fn right_letters(mask: AccessMask, ace_type: AceType) -> Option<String> {
    let bits = mask.bits();
    if ace_type == AceType::SYSTEM_MANDATORY_LABEL {
        if let Some(letters) = spell(bits, LABEL_POLICY) {
            return Some(letters);
        }
    }
    match WHOLE.iter().find(|(_, whole)| *whole == bits) {
        Some((letters, _)) => Some((*letters).to_owned()),
        None => spell(bits, SINGLE),
    }
}

fn spell(bits: u32, alphabet: &[(&str, u32)]) -> Option<String> {
    let spelt = alphabet.iter().filter(|(_, bit)| bits & bit != 0);
    let covered = spelt.clone().fold(0, |covered, (_, bit)| covered | bit);
    (covered == bits).then(|| spelt.map(|(letters, _)| *letters).collect())
}

const fn letters(letters: &'static str, ace_type: AceType, object: bool, data: Data) -> TypeLetters {
    TypeLetters { letters, ace_type, object, data }
}

static TYPES: &[TypeLetters] = &[
    letters("A", AceType::ACCESS_ALLOWED, false, Data::Nothing),
    letters("D", AceType::ACCESS_DENIED, false, Data::Nothing),
    letters("AU", AceType::SYSTEM_AUDIT, false, Data::Nothing),
    letters("AL", AceType::SYSTEM_ALARM, false, Data::Nothing),
    letters("OA", AceType::ACCESS_ALLOWED_OBJECT, true, Data::Nothing),
    letters("OD", AceType::ACCESS_DENIED_OBJECT, true, Data::Nothing),
    letters("OU", AceType::SYSTEM_AUDIT_OBJECT, true, Data::Nothing),
    letters("OL", AceType::SYSTEM_ALARM_OBJECT, true, Data::Nothing),
    letters("XA", AceType::ACCESS_ALLOWED_CALLBACK, false, Data::Condition),
    letters("XD", AceType::ACCESS_DENIED_CALLBACK, false, Data::Condition),
    letters("ZA", AceType::ACCESS_ALLOWED_CALLBACK_OBJECT, true, Data::Condition),
    letters("XU", AceType::SYSTEM_AUDIT_CALLBACK, false, Data::Condition),
    letters("ML", AceType::SYSTEM_MANDATORY_LABEL, false, Data::Nothing),
    letters("RA", AceType::SYSTEM_RESOURCE_ATTRIBUTE, false, Data::Claim),
    letters("SP", AceType::SYSTEM_SCOPED_POLICY_ID, false, Data::Nothing),
    letters("TL", AceType::SYSTEM_PROCESS_TRUST_LABEL, false, Data::Nothing),
    letters("FL", AceType::SYSTEM_ACCESS_FILTER, false, Data::OptionalCondition),
];

static FLAGS: &[(&str, AceFlags)] = &[
    ("OI", AceFlags::OBJECT_INHERIT),
    ("CI", AceFlags::CONTAINER_INHERIT),
    ("NP", AceFlags::NO_PROPAGATE_INHERIT),
    ("IO", AceFlags::INHERIT_ONLY),
    ("ID", AceFlags::INHERITED),
    ("CR", AceFlags::CRITICAL),
    ("SA", AceFlags::SUCCESSFUL_ACCESS),
    ("FA", AceFlags::FAILED_ACCESS),
];

const TRUST_PROTECTED: &str = "TP";

/// Printed only if the whole mask is equal.
static WHOLE: &[(&str, u32)] = &[
    ("FA", AccessMask::FILE_ALL.bits()),
    ("FR", AccessMask::FILE_READ.bits()),
    ("FW", AccessMask::FILE_WRITE.bits()),
    ("FX", AccessMask::FILE_EXECUTE.bits()),
    ("KA", AccessMask::KEY_ALL.bits()),
    ("KR", AccessMask::KEY_READ.bits()),
    ("KW", AccessMask::KEY_WRITE.bits()),
];

/// The same bits as `KR`, so never printed.
static READ_ONLY: &[(&str, u32)] = &[("KX", AccessMask::KEY_EXECUTE.bits())];

/// One letter pair a bit, in the order in which Windows prints them. `SYNCHRONIZE` has none.
static SINGLE: &[(&str, u32)] = &[
    ("CC", 0x0001),
    ("DC", 0x0002),
    ("LC", 0x0004),
    ("SW", 0x0008),
    ("RP", 0x0010),
    ("WP", 0x0020),
    ("DT", 0x0040),
    ("LO", 0x0080),
    ("CR", 0x0100),
    ("SD", AccessMask::DELETE.bits()),
    ("RC", AccessMask::READ_CONTROL.bits()),
    ("WD", AccessMask::WRITE_DAC.bits()),
    ("WO", AccessMask::WRITE_OWNER.bits()),
    ("GA", AccessMask::GENERIC_ALL.bits()),
    ("GX", AccessMask::GENERIC_EXECUTE.bits()),
    ("GW", AccessMask::GENERIC_WRITE.bits()),
    ("GR", AccessMask::GENERIC_READ.bits()),
];

/// What those below an integrity label may not do.
static LABEL_POLICY: &[(&str, u32)] = &[("NW", 1), ("NR", 2), ("NX", 4)];
