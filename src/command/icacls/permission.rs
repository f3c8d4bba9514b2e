//! Permissions as they stand on a command line: `BUILTIN\Users:(OI)(CI)(RX,WD)`.

use std::{error, fmt};

use super::{
    super::{Accounts, accounts::UnknownAccount, word::shown},
    rights,
};
use crate::security::{AccessMask, AceFlags, IntegrityLevel, Permission, Sid};

/// Reads `TRUSTEE:PERMISSION`: `(OI)`, `(CI)`, `(NP)`, `(IO)`, `(I)` in any order, then simple rights run together
/// (`RXW`), or rights of any kind between parentheses with commas (`(RX,WD)`). Letters of any case.
///
/// `(I)` counts for nothing: it stands in listings, and what is granted is not inherited.
///
/// ```
/// use hivesmith::{command::{Accounts, icacls::parse_permission}, security::{AccessMask, AceFlags, well_known}};
///
/// let permission = parse_permission("*S-1-5-18:(OI)(CI)F", &Accounts::new())?;
/// assert_eq!(permission.trustee, well_known::LOCAL_SYSTEM);
/// assert_eq!(permission.mask, AccessMask::FILE_ALL);
/// assert_eq!(permission.inheritance, AceFlags::OBJECT_INHERIT | AceFlags::CONTAINER_INHERIT);
/// # Ok::<(), hivesmith::command::icacls::PermissionError>(())
/// ```
///
/// # Errors
///
/// [`PermissionError`] with its place in the text.
pub fn parse_permission(text: &str, accounts: &Accounts) -> Result<Permission, PermissionError> {
    let (sid, inheritance, rest) = split_permission(text, accounts)?;
    let offset = text.len() - rest.len();
    let mask = match rest.strip_prefix('(') {
        Some(list) => parse_list(list, offset + 1)?,
        None => parse_run(rest, offset)?,
    };
    Ok(Permission::new(sid, mask).handed_on(inheritance))
}

/// Account, flags of inheritance, and the text of the rights behind them.
pub(in super::super) fn split_permission<'t>(
    text: &'t str,
    accounts: &Accounts,
) -> Result<(Sid, AceFlags, &'t str), PermissionError> {
    let Some((trustee, permission)) = text.split_once(':') else {
        let fault = PermissionError::at(text.len(), 0, "expected `:` and rights behind the account".to_owned());
        return Err(fault.hint("such as `:(R)` or `:(OI)(CI)(F)`"));
    };
    let sid = accounts.sid(trustee).map_err(|error| PermissionError::unknown_account(&error, trustee))?;
    let (inheritance, rest) = parse_flags(permission);
    Ok((sid, inheritance, rest))
}

/// Reads the argument of `/setintegritylevel`: `H`, `(OI)(CI)Low`.
///
/// # Errors
///
/// [`PermissionError`] with its place in the text.
pub fn parse_integrity_level(text: &str) -> Result<(IntegrityLevel, AceFlags), PermissionError> {
    let (inheritance, level) = parse_flags(text);
    let levels = [
        ("L", "Low", IntegrityLevel::Low),
        ("M", "Medium", IntegrityLevel::Medium),
        ("H", "High", IntegrityLevel::High),
    ];
    let is = |short: &str, long: &str| level.eq_ignore_ascii_case(short) || level.eq_ignore_ascii_case(long);
    match levels.iter().find(|(short, long, _)| is(short, long)) {
        Some(&(.., found)) => Ok((found, inheritance)),
        None => {
            let message = format!("`{}` is no integrity level", shown(level));
            Err(PermissionError::at(text.len() - level.len(), level.len(), message).hint("one of L, M, H"))
        }
    }
}

/// What is wrong with a permission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PermissionError {
    /// Where it is wrong: bytes from the start of the text.
    pub offset: usize,
    /// Bytes that are wrong; 0 where something is missing.
    pub length: usize,
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl PermissionError {
    pub(in super::super) fn at(offset: usize, length: usize, message: String) -> Self {
        Self { offset, length, message, hint: None }
    }

    pub(in super::super) fn hint(self, hint: &str) -> Self {
        Self { hint: Some(hint.to_owned()), ..self }
    }

    pub(in super::super) fn unknown_account(error: &UnknownAccount, trustee: &str) -> Self {
        let message = match &error.near {
            Some(_) => error.to_string(),
            None => format!("unknown account `{}`", shown(trustee)),
        };
        Self::at(0, trustee.len(), message).hint(UnknownAccount::HINT)
    }
}

impl fmt::Display for PermissionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.hint.iter().try_for_each(|hint| write!(f, " ({hint})"))
    }
}

impl error::Error for PermissionError {}

/// The flags in front, and what follows them.
fn parse_flags(mut text: &str) -> (AceFlags, &str) {
    let mut flags = AceFlags::empty();
    while let Some((letters, rest)) = text.strip_prefix('(').and_then(|text| text.split_once(')')) {
        match FLAGS.iter().find(|(known, _)| known.eq_ignore_ascii_case(letters)) {
            Some(&(_, flag)) => flags |= flag,
            None => break,
        }
        text = rest;
    }
    (flags, text)
}

/// Rights with commas, behind the parenthesis at which they begin.
fn parse_list(text: &str, offset: usize) -> Result<AccessMask, PermissionError> {
    let Some((list, rest)) = text.split_once(')') else {
        return Err(PermissionError::at(offset + text.len(), 0, "expected `)` behind the rights".to_owned()));
    };
    let mut mask = AccessMask::empty();
    let mut at = offset;
    for item in list.split(',') {
        let letters = item.trim();
        let start = at + item.len() - item.trim_start().len();
        mask |= rights::parse(letters).ok_or_else(|| unknown_right(start, letters))?;
        at += item.len() + 1;
    }
    if !rest.is_empty() {
        let message = format!("expected the end behind the rights, found `{}`", shown(rest));
        let fault = PermissionError::at(offset + list.len() + 1, rest.len(), message);
        return Err(fault.hint("`(OI)`, `(CI)`, `(NP)` and `(IO)` stand in front of the rights"));
    }
    Ok(mask)
}

/// Simple rights without anything between them.
fn parse_run(text: &str, offset: usize) -> Result<AccessMask, PermissionError> {
    if text.is_empty() {
        return Err(PermissionError::at(offset, 0, "expected rights".to_owned()).hint(RIGHTS));
    }
    if text.len() > 1 && rights::parse(text).is_some() && rights::parse_first(text).is_none_or(|(_, n)| n < text.len())
    {
        let message = format!("`{}` stands between parentheses: `({})`", shown(text), shown(text));
        return Err(PermissionError::at(offset, text.len(), message));
    }
    let mut mask = AccessMask::empty();
    let mut rest = text;
    while !rest.is_empty() {
        let at = offset + text.len() - rest.len();
        let (right, length) = rights::parse_first(rest).ok_or_else(|| unknown_right(at, rest))?;
        mask |= right;
        rest = rest.get(length..).unwrap_or_default();
    }
    Ok(mask)
}

fn unknown_right(offset: usize, letters: &str) -> PermissionError {
    let message = format!("`{}` is no right", shown(letters));
    let deny = letters.eq_ignore_ascii_case("DENY");
    PermissionError::at(offset, letters.len(), message).hint(if deny {
        "what is denied is given to `/deny`"
    } else {
        RIGHTS
    })
}

const RIGHTS: &str = "F, M, RX, R, W, D, N; between parentheses also DE, RC, WDAC, WO, S, AS, MA, GR, GW, GE, GA, RD, \
    WD, AD, REA, WEA, X, DC, RA, WA";

static FLAGS: &[(&str, AceFlags)] = &[
    ("OI", AceFlags::OBJECT_INHERIT),
    ("CI", AceFlags::CONTAINER_INHERIT),
    ("NP", AceFlags::NO_PROPAGATE_INHERIT),
    ("IO", AceFlags::INHERIT_ONLY),
    ("I", AceFlags::empty()),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> (u32, u8) {
        let permission = parse_permission(&format!("Everyone:{text}"), &Accounts::new()).unwrap();
        (permission.mask.bits(), permission.inheritance.bits())
    }

    #[test]
    fn rights_are_read_in_all_forms() {
        for (text, bits) in [
            ("F", 0x1F_01FF),
            ("(F)", 0x1F_01FF),
            ("M", 0x13_01BF),
            ("RX", 0x12_00A9),
            ("rxw", 0x12_01BF),
            ("RW", 0x12_019F),
            ("WR", 0x12_019F),
            ("D", 0x11_0000),
            ("N", 0),
            ("(DE)", 0x1_0000),
            ("(DE,RC,WDAC,WO,S)", 0x1F_0000),
            ("(RX,WD)", 0x12_00AB),
            ("( rx , wd )", 0x12_00AB),
            ("(AS,MA,GR,GW,GE,GA)", 0xF300_0000),
            ("(RD,WD,AD,REA,WEA,X,DC,RA,WA)", 0x1FF),
        ] {
            assert_eq!(parsed(text), (bits, 0), "{text}");
        }
    }

    #[test]
    fn flags_stand_in_front_in_any_order() {
        assert_eq!(parsed("(OI)(CI)(F)"), (0x1F_01FF, 3));
        assert_eq!(parsed("(CI)(OI)F"), (0x1F_01FF, 3));
        assert_eq!(parsed("(I)(ci)(NP)(io)(GR,GE)"), (0xA000_0000, 0xE));
    }

    /// The text with carets below what the error is about, and the error.
    fn refused(text: &str) -> (String, String) {
        let error = parse_permission(text, &Accounts::new()).unwrap_err();
        assert!(error.offset + error.length <= text.len(), "{text}");
        (format!("{}{}", " ".repeat(error.offset), "^".repeat(error.length.max(1))), error.message)
    }

    #[test]
    fn errors_know_their_place() {
        let check = |text: &str, carets: &str, message: &str| {
            assert_eq!(refused(text), (carets.to_owned(), message.to_owned()), "{text}");
        };
        check("Everyone", "        ^", "expected `:` and rights behind the account");
        check("Everyone:", "         ^", "expected rights");
        check("Everyone:(OI)", "             ^", "expected rights");
        check("Everyone:RQ", "          ^", "`Q` is no right");
        check("Everyone:DE", "         ^^", "`DE` stands between parentheses: `(DE)`");
        check("Everyone:(R", "           ^", "expected `)` behind the rights");
        check("Everyone:(R, QQ)", "             ^^", "`QQ` is no right");
        check("Everyone:()", "          ^", "`` is no right");
        check("Everyone:(F)(OI)", "            ^^^^", "expected the end behind the rights, found `(OI)`");
        check("Everyone:(DENY)(F)", "          ^^^^", "`DENY` is no right");
        check("Evryone:F", "^^^^^^^", "unknown account `Evryone`, did you mean `Everyone`?");
        check("CONTOSO\\bob:F", "^^^^^^^^^^^", "unknown account `CONTOSO\\bob`");
        check("Everyone:é", "         ^^", "`é` is no right");
    }

    #[test]
    fn an_unknown_account_says_what_can_be_given() {
        let error = parse_permission("CONTOSO\\bob:F", &Accounts::new()).unwrap_err();
        assert!(error.to_string().contains("any other as its SID: `*S-1-5-...`"), "{error}");
    }

    #[test]
    fn levels_are_letters_or_words() {
        let both = AceFlags::OBJECT_INHERIT | AceFlags::CONTAINER_INHERIT;
        assert_eq!(parse_integrity_level("H"), Ok((IntegrityLevel::High, AceFlags::empty())));
        assert_eq!(parse_integrity_level("(CI)(OI)low"), Ok((IntegrityLevel::Low, both)));
        let error = parse_integrity_level("(CI)system").unwrap_err();
        assert_eq!(
            (error.offset, error.to_string()),
            (4, "`system` is no integrity level (one of L, M, H)".to_owned())
        );
    }
}
