//! SDDL, the text form of security descriptors (MS-DTYP 2.5.1).

mod claim;
mod condition;
mod cursor;
mod letters;
mod parse;
mod print;

pub(super) use cursor::Cursor;
pub(super) use parse::parse;
pub(super) use print::{display, print};

use super::{
    error::SecurityError,
    sid::Sid,
    well_known::{Authority, RelativeAlias},
};

/// The SIDs that some SDDL aliases are relative to.
///
/// Windows takes them from the machine it runs on. Offline there is no such machine: without the SID the alias is an
/// error. Printing needs no context, it writes these SIDs as numbers.
///
/// ```
/// use hivesmith::security::{SddlContext, SecurityDescriptor};
///
/// let context = SddlContext::default().with_domain("S-1-5-21-1-2-3".parse()?);
/// let descriptor = SecurityDescriptor::from_sddl("O:DA", &context)?;
/// assert_eq!(descriptor.to_string(), "O:S-1-5-21-1-2-3-512");
/// assert!("O:DA".parse::<SecurityDescriptor>().is_err());
/// # Ok::<(), hivesmith::security::SecurityError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct SddlContext {
    domain: Option<Sid>,
    forest_root: Option<Sid>,
    machine: Option<Sid>,
}

impl SddlContext {
    /// With the SID of the domain: `DA`, `DU`, `DG`, `DC`, `DD`, `CA`, `PA`, `CN`, `AP`, `KA` and `RS`.
    #[must_use]
    pub fn with_domain(mut self, domain: Sid) -> Self {
        self.domain = Some(domain);
        self
    }

    /// With the SID of the forest's root domain, if it is not the domain: `RO`, `SA`, `EA` and `EK`.
    #[must_use]
    pub fn with_forest_root(mut self, forest_root: Sid) -> Self {
        self.forest_root = Some(forest_root);
        self
    }

    /// With the SID of the machine: `LA` and `LG`.
    #[must_use]
    pub fn with_machine(mut self, machine: Sid) -> Self {
        self.machine = Some(machine);
        self
    }

    /// The SID of an alias that stands at `position`.
    fn resolve(&self, alias: &RelativeAlias, position: usize) -> Result<Sid, SecurityError> {
        let (base, authority) = match alias.authority {
            Authority::Domain => (self.domain, "domain"),
            Authority::ForestRoot => (self.forest_root.or(self.domain), "root domain of the forest"),
            Authority::Machine => (self.machine, "machine"),
        };
        base.ok_or(SecurityError::DomainSidRequired { position, alias: alias.letters, authority })?.with_rid(alias.rid)
    }
}

#[cfg(test)]
mod tests {
    use super::super::*;

    #[test]
    fn an_alias_without_its_domain_names_what_is_missing() {
        let error = "O:BAG:SYD:(A;;FA;;;la)".parse::<SecurityDescriptor>().unwrap_err();
        assert_eq!(error.to_string(), "sddl at byte 19: alias LA needs the sid of the machine");
        let error = "O:EA".parse::<SecurityDescriptor>().unwrap_err();
        assert_eq!(error.to_string(), "sddl at byte 2: alias EA needs the sid of the root domain of the forest");
    }

    #[test]
    fn a_machine_alias_needs_only_the_machine() {
        let context = SddlContext::default().with_machine("S-1-5-21-7-8-9".parse().unwrap());
        let descriptor = SecurityDescriptor::from_sddl("O:LAG:LG", &context).unwrap();
        assert_eq!(descriptor.to_string(), "O:S-1-5-21-7-8-9-500G:S-1-5-21-7-8-9-501");
    }

    #[test]
    fn an_ace_without_words_is_shown_but_not_printed() {
        let acl = Acl::parse(&[2, 0, 16, 0, 1, 0, 0, 0, 4, 2, 8, 0, 0xAA, 0xBB, 0xCC, 0xDD]).unwrap();
        let mut descriptor: SecurityDescriptor = "O:SY".parse().unwrap();
        descriptor.set_dacl(AclState::Present(acl));
        assert_eq!(descriptor.to_string(), "O:SYD:(0x04;CI;aabbccdd)");
        let error = descriptor.to_sddl().unwrap_err();
        assert_eq!(error.to_string(), "ace of type 0x04 cannot be written as sddl: no letters for this type");
        assert!(descriptor.to_string().parse::<SecurityDescriptor>().is_err());
    }

    #[test]
    fn text_for_more_than_an_acl_holds_is_refused_where_it_overflows() {
        let text = format!("D:{}", "(A;;FA;;;SY)".repeat(4_000));
        let error = text.parse::<SecurityDescriptor>().unwrap_err();
        let SecurityError::Sddl { position, expected, .. } = error else { panic!("{error}") };
        assert_eq!((position, expected), (2 + 3_276 * 12, "an acl of at most 65532 bytes"));
    }

    #[test]
    fn a_sid_that_ends_in_hexadecimal_leaves_the_next_part_alone() {
        let descriptor: SecurityDescriptor = "O:S-1-5-32-0x220D:".parse().unwrap();
        assert_eq!(descriptor.to_string(), "O:BAD:");
        let descriptor: SecurityDescriptor = "O:S-1-5-32-0x22DG:SY".parse().unwrap();
        assert_eq!(descriptor.to_string(), "O:S-1-5-32-557G:SY");
    }

    #[test]
    fn access_filters_say_trust_protected_and_may_lack_a_condition() {
        for text in ["S:(FL;TP;FR;;;WD)", "S:(FL;;FR;;;WD;(@USER.a == 1))"] {
            assert_eq!(text.parse::<SecurityDescriptor>().unwrap().to_sddl().unwrap(), text);
        }
        assert!("S:(AU;TP;FR;;;WD)".parse::<SecurityDescriptor>().is_err());
    }
}
