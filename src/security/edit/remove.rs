//! Taking entries away, and replacing one SID by another.

use super::{
    super::{ace::Ace, descriptor::SecurityDescriptor, error::SecurityError, inheritance::ListKind, sid::Sid},
    Edited,
};

/// Which entries of a trustee.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Entries {
    /// All of them.
    All,
    /// Those that allow.
    Grants,
    /// Those that deny.
    Denials,
}

impl SecurityDescriptor {
    /// Removes the trustee's own entries from the DACL (`icacls /remove`, `/remove:g`, `/remove:d`). Inherited ones
    /// stay: they would be back with the next change above.
    ///
    /// # Errors
    ///
    /// [`SecurityError::TooLarge`] if what is left exceeds [`Acl::MAX_SIZE`](super::super::Acl::MAX_SIZE), which only a
    /// damaged list can.
    pub fn remove(&mut self, trustee: &Sid, entries: Entries) -> Result<Edited, SecurityError> {
        let meant = |ace: &Ace| match entries {
            Entries::All => true,
            Entries::Grants => ace.ace_type().is_allow(),
            Entries::Denials => ace.ace_type().is_deny(),
        };
        self.edit(ListKind::Dacl, |aces| {
            aces.retain(|ace| ace.is_inherited() || ace.sid() != Some(trustee) || !meant(ace));
            Ok(())
        })
    }

    /// Puts one SID in the place of another, as owner, group and in both lists (`icacls /restore /substitute`). `true`
    /// if it was there. Nothing is changed on error.
    ///
    /// # Errors
    ///
    /// [`SecurityError::TooLarge`] if a list would exceed [`Acl::MAX_SIZE`](super::super::Acl::MAX_SIZE).
    pub fn substitute(&mut self, old: &Sid, new: &Sid) -> Result<bool, SecurityError> {
        let mut changed = self.clone();
        if self.owner() == Some(old) {
            changed.set_owner(Some(*new));
        }
        if self.group() == Some(old) {
            changed.set_group(Some(*new));
        }
        for list in [ListKind::Dacl, ListKind::Sacl] {
            let _ = changed.edit(list, |aces| {
                for ace in aces.iter_mut().filter(|ace| ace.sid() == Some(old)) {
                    *ace = ace.clone().with_sid(*new)?;
                }
                Ok(())
            })?;
        }
        let differs = changed != *self;
        if differs {
            *self = changed;
        }
        Ok(differs)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::super::well_known, *};

    const BEFORE: &str = "D:AI(D;;FW;;;BU)(OD;;CC;;;BU)(A;;FR;;;SY)(A;OICI;FR;;;BU)(A;ID;FA;;;BU)";

    fn removed(entries: Entries) -> String {
        let mut descriptor: SecurityDescriptor = BEFORE.parse().unwrap();
        assert_eq!(descriptor.remove(&well_known::USERS, entries), Ok(Edited::Changed));
        assert_eq!(descriptor.remove(&well_known::USERS, entries), Ok(Edited::Unchanged));
        descriptor.to_string()
    }

    #[test]
    fn own_entries_go_and_inherited_ones_stay() {
        assert_eq!(removed(Entries::All), "D:AI(A;;FR;;;SY)(A;ID;FA;;;BU)");
        assert_eq!(removed(Entries::Grants), "D:AI(D;;FW;;;BU)(OD;;CC;;;BU)(A;;FR;;;SY)(A;ID;FA;;;BU)");
        assert_eq!(removed(Entries::Denials), "D:AI(A;;FR;;;SY)(A;OICI;FR;;;BU)(A;ID;FA;;;BU)");
    }

    #[test]
    fn the_last_entry_leaves_an_empty_list_and_says_so() {
        let mut descriptor: SecurityDescriptor = "D:(A;;FA;;;BU)".parse().unwrap();
        assert_eq!(descriptor.remove(&well_known::USERS, Entries::Denials), Ok(Edited::Unchanged));
        assert_eq!(descriptor.remove(&well_known::USERS, Entries::Grants), Ok(Edited::Emptied));
        assert_eq!(descriptor.to_string(), "D:");
    }

    #[test]
    fn a_sid_is_replaced_wherever_it_stands() {
        let mut descriptor: SecurityDescriptor =
            "O:BUG:BUD:(A;;FA;;;SY)(A;ID;FR;;;BU)S:(AU;SA;FA;;;BU)".parse().unwrap();
        let text = "O:BGG:BGD:(A;;FA;;;SY)(A;ID;FR;;;BG)S:(AU;SA;FA;;;BG)";
        let guests = Sid::from_sddl_alias("BG").unwrap();
        assert_eq!(descriptor.substitute(&well_known::USERS, &guests), Ok(true));
        assert_eq!(descriptor.to_string(), text);
        assert_eq!(descriptor.substitute(&well_known::USERS, &guests), Ok(false));
    }
}
