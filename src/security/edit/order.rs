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

/// Where a new own entry goes: a denial to the front, a grant behind the denials that stand there. No entry that is
/// there moves past another one.
pub(super) fn place(aces: &[Ace], new: &Ace) -> usize {
    if new.ace_type().is_deny() {
        return 0;
    }
    aces.iter().take_while(|ace| !ace.is_inherited() && ace.ace_type().is_deny()).count()
}
