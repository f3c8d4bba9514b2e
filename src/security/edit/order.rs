//! The canonical order of a DACL: own denials, own grants, then what is inherited in the order in which it came.

use std::fmt;

use super::super::{ace::Ace, acl::Acl};

/// An entry that stands where it should not (`icacls /verify`). Windows still asks the entries one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Disorder {
    /// An own entry stands behind an inherited one: if that one denies, it wins.
    OwnBehindInherited {
        /// Which, counted from 0.
        index: usize,
    },
    /// An own denial stands behind an own grant: if both are about the same right, the grant wins.
    DenyBehindAllow {
        /// Which, counted from 0.
        index: usize,
    },
}

impl fmt::Display for Disorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OwnBehindInherited { index } => {
                write!(f, "ace {index} is not inherited, but stands behind one that is")
            }
            Self::DenyBehindAllow { index } => write!(f, "ace {index} denies, but stands behind one that allows"),
        }
    }
}

impl Acl {
    /// The entries that break the canonical order. Inherited entries are not compared with one another: each
    /// generation has an order of its own.
    ///
    /// ```
    /// use hivesmith::security::{Disorder, SecurityDescriptor};
    ///
    /// let descriptor: SecurityDescriptor = "D:(A;;FA;;;BA)(D;;FA;;;BG)(A;ID;FA;;;SY)(A;;FR;;;BU)".parse()?;
    /// let disorder = descriptor.dacl().acl().unwrap().disorder();
    /// assert_eq!(disorder, [Disorder::DenyBehindAllow { index: 1 }, Disorder::OwnBehindInherited { index: 3 }]);
    /// # Ok::<(), hivesmith::security::SecurityError>(())
    /// ```
    #[must_use]
    pub fn disorder(&self) -> Vec<Disorder> {
        let (mut allowed, mut inherited) = (false, false);
        let mut found = Vec::new();
        for (index, ace) in self.aces().iter().enumerate() {
            if ace.is_inherited() {
                inherited = true;
                continue;
            }
            if inherited {
                found.push(Disorder::OwnBehindInherited { index });
            }
            if allowed && ace.ace_type().is_deny() {
                found.push(Disorder::DenyBehindAllow { index });
            }
            allowed |= ace.ace_type().is_allow();
        }
        found
    }
}

/// Where a new own entry goes: a denial to the front, a grant behind the own denials in front of all grants. No entry
/// that is there moves past another one.
pub(super) fn place(aces: &[Ace], new: &Ace) -> usize {
    if new.ace_type().is_deny() {
        return 0;
    }
    // Entries of other types may stand among the denials.
    let front = aces.iter().take_while(|ace| !ace.is_inherited() && !ace.ace_type().is_allow());
    front.enumerate().filter(|(_, ace)| ace.ace_type().is_deny()).last().map_or(0, |(last, _)| last + 1)
}

#[cfg(test)]
mod tests {
    use super::{
        super::super::{AccessMask, AceFlags, SecurityDescriptor, well_known},
        *,
    };

    #[test]
    fn a_grant_finds_its_place_among_other_entries() {
        let grant = Ace::allow(AceFlags::empty(), AccessMask::DELETE, well_known::EVERYONE);
        for (list, expected) in [
            ("", 0),
            ("(A;;FR;;;BU)(D;;FR;;;BG)", 0),
            ("(D;;FR;;;BG)(D;;FR;;;BU)(A;;FR;;;BU)(D;;FR;;;BG)", 2),
            ("(AU;SA;FR;;;BU)(OD;;CC;;;BG)(AU;SA;FR;;;BU)(A;;FR;;;BU)", 2),
            ("(D;ID;FR;;;BG)(D;;FR;;;BG)", 0),
        ] {
            let descriptor: SecurityDescriptor = format!("D:{list}").parse().unwrap();
            assert_eq!(place(descriptor.dacl().acl().unwrap().aces(), &grant), expected, "{list}");
        }
    }
}
