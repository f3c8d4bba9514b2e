//! Permissions on keys as they stand on a command line: `BUILTIN\Users:(CI)(read,set-value)`.

use super::{
    super::{
        Accounts,
        icacls::{PermissionError, split_permission},
        word::shown,
    },
    rights,
};
use crate::security::{AccessMask, Entries, Permission, Sid};

/// Reads `TRUSTEE:RIGHTS` for keys: the flags of `icacls` in front, then rights with commas between them, with or
/// without parentheses. A right is a letter (`F`, `R`, `W`), a name (`set-value`) or a number (`0x20019`).
///
/// ```
/// use hivesmith::{command::{Accounts, security::parse_permission}, security::{AccessMask, AceFlags}};
///
/// let permission = parse_permission("NT AUTHORITY\\NETWORK SERVICE:(CI)(R,set-value)", &Accounts::new())?;
/// assert_eq!(permission.mask, AccessMask::KEY_READ | AccessMask::from_bits_retain(2));
/// assert_eq!(permission.inheritance, AceFlags::CONTAINER_INHERIT);
/// # Ok::<(), hivesmith::command::icacls::PermissionError>(())
/// ```
///
/// # Errors
///
/// [`PermissionError`] with its place in the text.
pub fn parse_permission(text: &str, accounts: &Accounts) -> Result<Permission, PermissionError> {
    let (sid, inheritance, rest) = split_permission(text, accounts)?;
    let offset = text.len() - rest.len();
    let (list, at) = match rest.strip_prefix('(') {
        None => (rest, offset),
        Some(list) => match list.strip_suffix(')') {
            Some(list) => (list, offset + 1),
            None => return Err(PermissionError::at(text.len(), 0, "expected `)` behind the rights".to_owned())),
        },
    };
    if list.trim().is_empty() {
        return Err(PermissionError::at(at, 0, "expected rights".to_owned()).hint(rights::WORDS));
    }
    let (mut mask, mut start) = (AccessMask::empty(), at);
    for item in list.split(',') {
        let word = item.trim();
        mask |= rights::parse(word).ok_or_else(|| {
            let offset = start + item.len() - item.trim_start().len();
            PermissionError::at(offset, word.len(), format!("`{}` is no right", shown(word))).hint(rights::WORDS)
        })?;
        start += item.len() + 1;
    }
    Ok(Permission::new(sid, mask).handed_on(inheritance))
}

/// Reads whose entries are to be removed: `TRUSTEE` for all, `TRUSTEE:g` for grants, `TRUSTEE:d` for denials.
///
/// # Errors
///
/// [`PermissionError`] where nobody is called that.
pub fn parse_removal(text: &str, accounts: &Accounts) -> Result<(Sid, Entries), PermissionError> {
    let (trustee, entries) = match text.rsplit_once(':') {
        Some((trustee, letter)) if letter.eq_ignore_ascii_case("g") => (trustee, Entries::Grants),
        Some((trustee, letter)) if letter.eq_ignore_ascii_case("d") => (trustee, Entries::Denials),
        Some((trustee, letter)) => {
            let message = format!("`{}` is neither `g` (grants) nor `d` (denials)", shown(letter));
            return Err(PermissionError::at(trustee.len() + 1, letter.len(), message));
        }
        None => (text, Entries::All),
    };
    Ok((parse_trustee(trustee, accounts)?, entries))
}

/// Reads the name or SID of an account.
///
/// # Errors
///
/// [`PermissionError`] where nobody is called that.
pub fn parse_trustee(text: &str, accounts: &Accounts) -> Result<Sid, PermissionError> {
    accounts.sid(text).map_err(|error| PermissionError::unknown_account(&error, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> (u32, u8) {
        let permission = parse_permission(&format!("Everyone:{text}"), &Accounts::new()).unwrap();
        (permission.mask.bits(), permission.inheritance.bits())
    }

    #[test]
    fn rights_stand_alone_with_commas_or_between_parentheses() {
        assert_eq!(parsed("F"), (0xf_003f, 0));
        assert_eq!(parsed("full"), (0xf_003f, 0));
        assert_eq!(parsed("(CI)R"), (0x2_0019, 2));
        assert_eq!(parsed("(oi)(ci)(io)(np)(R, W)"), (0x2_001f, 0xf));
        assert_eq!(parsed("query-value,SetValue , DE"), (0x1_0003, 0));
        assert_eq!(parsed("(CI)(0x20019)"), (0x2_0019, 2));
    }

    #[test]
    fn errors_know_their_place() {
        let refused = |text: &str| {
            let error = parse_permission(text, &Accounts::new()).unwrap_err();
            (error.offset, error.length, error.message)
        };
        assert_eq!(refused("Everyone"), (8, 0, "expected `:` and rights behind the account".to_owned()));
        assert_eq!(refused("Everyone:"), (9, 0, "expected rights".to_owned()));
        assert_eq!(refused("Everyone:()"), (10, 0, "expected rights".to_owned()));
        assert_eq!(refused("Everyone:(CI)"), (13, 0, "expected rights".to_owned()));
        assert_eq!(refused("Everyone:(R"), (11, 0, "expected `)` behind the rights".to_owned()));
        assert_eq!(refused("Everyone:R, RX"), (12, 2, "`RX` is no right".to_owned()));
        assert_eq!(refused("Evryone:R").0, 0);
    }

    #[test]
    fn removals_say_which_entries() {
        let removal = |text: &str| parse_removal(text, &Accounts::new()).map(|(_, entries)| entries);
        assert_eq!(removal("BUILTIN\\Users"), Ok(Entries::All));
        assert_eq!(removal("BUILTIN\\Users:g"), Ok(Entries::Grants));
        assert_eq!(removal("*S-1-5-18:D"), Ok(Entries::Denials));
        assert_eq!(removal("Everyone:x").unwrap_err().offset, 9);
        assert!(removal("Nobody").is_err());
    }
}
