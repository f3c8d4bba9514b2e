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
