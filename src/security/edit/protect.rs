//! Stopping and resuming to inherit, and starting anew.

use super::super::{
    ace::Ace,
    ace_type::AceFlags,
    descriptor::SecurityDescriptor,
    error::SecurityError,
    inheritance::{Inherited, ListKind},
    object_kind::ObjectKind,
};

impl SecurityDescriptor {
    /// Protects the DACL and makes its inherited entries its own (`icacls /inheritance:d`).
    ///
    /// # Errors
    ///
    /// [`SecurityError::TooLarge`] if the list exceeds [`Acl::MAX_SIZE`](super::super::Acl::MAX_SIZE), which only a
    /// damaged one can.
    pub fn protect_keeping(&mut self) -> Result<Inherited, SecurityError> {
        self.protect(|aces| {
            for ace in aces.iter_mut().filter(|ace| ace.is_inherited()) {
                let flags = ace.flags().difference(AceFlags::INHERITED);
                *ace = ace.clone().with_flags(flags);
            }
        })
    }

    /// Protects the DACL and removes its inherited entries (`icacls /inheritance:r`).
    ///
    /// # Errors
    ///
    /// As [`SecurityDescriptor::protect_keeping`].
    pub fn protect_dropping(&mut self) -> Result<Inherited, SecurityError> {
        self.protect(|aces| aces.retain(|ace| !ace.is_inherited()))
    }

    /// Ends the protection of the DACL and takes what the parent gives (`icacls /inheritance:e`). Own entries stay,
    /// also those that say the same. Nothing is changed on error.
    ///
    /// # Errors
    ///
    /// As [`SecurityDescriptor::inherit`].
    pub fn unprotect(&mut self, parent: &Self, object: ObjectKind) -> Result<Inherited, SecurityError> {
        let mut changed = self.clone();
        changed.set_control(self.control().difference(ListKind::Dacl.protected()));
        let inherited = changed.inherit(parent, object, ListKind::Dacl)?;
        let was_protected = changed.control() != self.control();
        *self = changed;
        Ok(if inherited == Inherited::Unchanged && was_protected { Inherited::Unprotected } else { inherited })
    }

    /// Ends the protection of the DACL and leaves in it what the parent gives, nothing else (`icacls /reset`). A
    /// descriptor without a list stays without one if the parent gives nothing. Nothing is changed on error.
    ///
    /// # Errors
    ///
    /// As [`SecurityDescriptor::inherit`].
    pub fn reset(&mut self, parent: &Self, object: ObjectKind) -> Result<Inherited, SecurityError> {
        let mut changed = self.clone();
        // Marked, so that nothing in it counts as inherited but what is.
        let edited = changed.edit(ListKind::Dacl, |aces| {
            aces.retain(Ace::is_inherited);
            Ok(())
        })?;
        if edited.changed() {
            changed.set_control(changed.control() | ListKind::Dacl.auto_inherited());
        }
        let inherited = changed.unprotect(parent, object)?;
        let emptied = changed.dacl().acl().is_some_and(|acl| acl.aces().is_empty());
        let outcome = match inherited {
            _ if changed == *self => return Ok(Inherited::Unchanged),
            _ if emptied && self.dacl() != changed.dacl() => Inherited::Emptied,
            Inherited::Unchanged | Inherited::Unprotected if edited.changed() => Inherited::Replaced,
            other => other,
        };
        *self = changed;
        Ok(outcome)
    }

    fn protect(&mut self, edit: impl FnOnce(&mut Vec<Ace>)) -> Result<Inherited, SecurityError> {
        let edited = self.edit(ListKind::Dacl, |aces| {
            edit(aces);
            Ok(())
        })?;
        let control = self.control();
        self.set_control(control | ListKind::Dacl.protected());
        Ok(match edited {
            super::Edited::Emptied => Inherited::Emptied,
            edited if edited.changed() || self.control() != control => Inherited::ProtectedNow,
            _ => Inherited::Protected,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sd(text: &str) -> SecurityDescriptor {
        text.parse().unwrap()
    }

    fn twice(before: &str, edit: impl Fn(&mut SecurityDescriptor) -> Inherited) -> (Inherited, String) {
        let mut descriptor = sd(before);
        let outcome = edit(&mut descriptor);
        assert_eq!(outcome.changed(), descriptor != sd(before), "{outcome:?}");
        let text = descriptor.to_string();
        assert!(!edit(&mut descriptor).changed());
        assert_eq!(descriptor.to_string(), text);
        (outcome, text)
    }

    const CHILD: &str = "O:BAD:AI(A;;FR;;;BU)(A;OICIID;FA;;;BA)";

    #[test]
    fn protection_keeps_or_drops_what_is_inherited() {
        let keep = |descriptor: &mut SecurityDescriptor| descriptor.protect_keeping().unwrap();
        let (outcome, text) = twice(CHILD, keep);
        assert_eq!((outcome, text.as_str()), (Inherited::ProtectedNow, "O:BAD:PAI(A;;FR;;;BU)(A;OICI;FA;;;BA)"));
        let drop = |descriptor: &mut SecurityDescriptor| descriptor.protect_dropping().unwrap();
        assert_eq!(twice(CHILD, drop).1, "O:BAD:PAI(A;;FR;;;BU)");
        let (outcome, text) = twice("D:AI(A;ID;FA;;;BA)", drop);
        assert_eq!((outcome, text.as_str()), (Inherited::Emptied, "D:PAI"));
        assert_eq!(twice("D:NO_ACCESS_CONTROL", drop).1, "D:PNO_ACCESS_CONTROL");
    }

    #[test]
    fn unprotected_it_takes_what_the_parent_gives() {
        let parent = sd("D:AI(A;OICI;FA;;;SY)");
        let unprotect = |descriptor: &mut SecurityDescriptor| descriptor.unprotect(&parent, ObjectKind::FILE).unwrap();
        let (outcome, text) = twice("D:PAI(A;;FR;;;BU)", unprotect);
        assert_eq!((outcome, text.as_str()), (Inherited::Replaced, "D:AI(A;;FR;;;BU)(A;ID;FA;;;SY)"));
        let (outcome, text) = twice("D:PAI(A;ID;FA;;;SY)", unprotect);
        assert_eq!((outcome, text.as_str()), (Inherited::Unprotected, "D:AI(A;ID;FA;;;SY)"));
    }

    #[test]
    fn reset_leaves_what_the_parent_gives() {
        let parent = sd("D:AI(A;OICI;FA;;;SY)");
        let reset = |descriptor: &mut SecurityDescriptor| descriptor.reset(&parent, ObjectKind::FILE).unwrap();
        for before in [
            "D:PAI(D;;FA;;;WD)(A;;FR;;;BU)",
            "D:(A;;FA;;;SY)",
            "D:AI(A;;FR;;;BU)(A;ID;FA;;;SY)",
            "D:PNO_ACCESS_CONTROL",
        ] {
            let (outcome, text) = twice(before, reset);
            assert!(outcome.changed());
            assert_eq!(text, "D:AI(A;ID;FA;;;SY)", "{before}");
        }
        assert_eq!(twice("D:AI(A;ID;FA;;;SY)", reset).0, Inherited::Unchanged);
        let bare = sd("D:(A;;FA;;;SY)");
        let reset = |descriptor: &mut SecurityDescriptor| descriptor.reset(&bare, ObjectKind::FILE).unwrap();
        let (outcome, text) = twice("D:P(A;;FR;;;BU)", reset);
        assert_eq!((outcome, text.as_str()), (Inherited::Emptied, "D:AI"));
        assert_eq!(twice("D:NO_ACCESS_CONTROL", reset).0, Inherited::Unchanged);
        assert_eq!(twice("D:PNO_ACCESS_CONTROL", reset).0, Inherited::Unprotected);
    }
}
