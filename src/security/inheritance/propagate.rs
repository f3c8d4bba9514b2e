//! An existing object below a parent whose list has changed.

use super::{
    super::{
        ace::Ace,
        ace_type::AceFlags,
        acl::{Acl, AclState},
        descriptor::SecurityDescriptor,
        error::SecurityError,
        object_kind::ObjectKind,
    },
    ListKind,
    aces::inherited,
};

/// The descriptor of a child after its parent's list has changed, and what that did to it.
///
/// For a walk over a tree: hand each child the descriptor that its parent has now, go on into the containers for which
/// [`Propagated::changed`] holds. What does not change the child cannot change what is below it.
///
/// ```
/// use hivesmith::security::{ListKind, ObjectKind, SecurityDescriptor, propagate};
///
/// let parent: SecurityDescriptor = "O:BAG:SYD:AI(A;OICI;FA;;;SY)".parse()?;
/// let child: SecurityDescriptor = "O:BAG:SYD:AI(D;;FW;;;BG)(A;ID;FR;;;BU)".parse()?;
/// let after = propagate(&parent, &child, ObjectKind::FILE, ListKind::Dacl)?;
/// assert!(after.changed());
/// assert_eq!(after.descriptor.to_string(), "O:BAG:SYD:AI(D;;FW;;;BG)(A;ID;FA;;;SY)");
/// assert!(!propagate(&parent, &after.descriptor, ObjectKind::FILE, ListKind::Dacl)?.changed());
/// # Ok::<(), hivesmith::security::SecurityError>(())
/// ```
///
/// # Errors
///
/// As [`SecurityDescriptor::inherit`].
pub fn propagate(
    parent: &SecurityDescriptor,
    child: &SecurityDescriptor,
    kind: ObjectKind,
    list: ListKind,
) -> Result<Propagated, SecurityError> {
    let mut descriptor = child.clone();
    let inherited = descriptor.inherit(parent, kind, list)?;
    Ok(Propagated { descriptor, inherited })
}

/// What [`propagate`] gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Propagated {
    /// The child's descriptor from now on.
    pub descriptor: SecurityDescriptor,
    /// What happened to it.
    pub inherited: Inherited,
}

impl Propagated {
    /// Whether the descriptor is another one than before.
    #[must_use]
    pub fn changed(&self) -> bool {
        self.inherited.changed()
    }
}

/// What taking the parent's entries did to a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Inherited {
    /// Nothing: it holds what the parent gives, and nothing else that is inherited.
    Unchanged,
    /// Nothing: it is protected, and takes nothing from its parent.
    Protected,
    /// Its inherited entries are other ones now.
    Replaced,
    /// There was no DACL, or a NULL one: everybody was allowed everything. Now there is one of inherited entries.
    Restricted,
    /// The DACL is empty now: nothing of its own, and nothing from the parent. It lets nobody in.
    Emptied,
    /// It is no longer protected; its entries are what they were.
    Unprotected,
    /// It is protected from now on. [`inherit`](SecurityDescriptor::inherit) does that to a list that dates from before
    /// inherited entries were marked, where telling them from its own would move an allowing entry past a denying one.
    ProtectedNow,
}

impl Inherited {
    /// Whether the descriptor is another one than before.
    #[must_use]
    pub fn changed(self) -> bool {
        !matches!(self, Self::Unchanged | Self::Protected)
    }
}

impl SecurityDescriptor {
    /// Takes what the parent hands on: replaces the inherited entries of a list, keeps those of its own in front of
    /// them, leaves a protected list alone. Nothing is changed on error.
    ///
    /// A list that was never marked ([`Control::DACL_AUTO_INHERITED`](super::super::Control)) may hold inherited
    /// entries without their flag: one that equals what the parent gives counts as inherited.
    ///
    /// # Errors
    ///
    /// [`SecurityError::TooLarge`] if the list would exceed [`Acl::MAX_SIZE`].
    pub fn inherit(
        &mut self,
        parent: &SecurityDescriptor,
        kind: ObjectKind,
        list: ListKind,
    ) -> Result<Inherited, SecurityError> {
        if self.control().contains(list.protected()) {
            return Ok(Inherited::Protected);
        }
        let handed_on = list.of(parent).acl().map_or(&[][..], Acl::aces);
        let handed_on = inherited(handed_on, kind, self.owner(), self.group())?;
        let Some(acl) = list.of(self).acl() else {
            if handed_on.is_empty() {
                return Ok(Inherited::Unchanged);
            }
            self.take(list, Acl::new(handed_on)?);
            return Ok(list.outcome(Inherited::Restricted));
        };

        let marked = self.control().contains(list.auto_inherited()) || acl.aces().iter().any(Ace::is_inherited);
        let is_own = |ace: &&Ace| {
            if marked { !ace.is_inherited() } else { !handed_on.iter().any(|given| same_but_mark(ace, given)) }
        };
        let own: Vec<Ace> = acl.aces().iter().filter(is_own).cloned().collect();
        let aces = [own, handed_on].concat();
        if aces == acl.aces() {
            return Ok(Inherited::Unchanged);
        }
        if !marked && moves_allow_past_deny(acl.aces(), &aces) {
            self.set_control(self.control() | list.protected());
            return Ok(Inherited::ProtectedNow);
        }
        let outcome = if aces.is_empty() { Inherited::Emptied } else { Inherited::Replaced };
        let mut acl = acl.clone();
        acl.set_aces(aces)?;
        self.take(list, acl);
        Ok(list.outcome(outcome))
    }

    fn take(&mut self, list: ListKind, acl: Acl) {
        list.set(self, AclState::Present(acl));
        let control = self.control().difference(list.auto_inherit_requested()) | list.auto_inherited();
        self.set_control(control);
    }
}

impl ListKind {
    /// A SACL opens nothing and closes nothing.
    fn outcome(self, of_a_dacl: Inherited) -> Inherited {
        match self {
            Self::Dacl => of_a_dacl,
            Self::Sacl => Inherited::Replaced,
        }
    }
}

/// Whether two entries of opposite effect stand in another order after than before.
fn moves_allow_past_deny(before: &[Ace], after: &[Ace]) -> bool {
    let place = |ace: &Ace| after.iter().position(|new| same_but_mark(ace, new)).unwrap_or_default();
    // The furthest place so far of an allowing and of a denying entry.
    let (mut allow, mut deny) = (0, 0);
    let mut judged = before.iter().filter(|ace| ace.ace_type().is_allow() || ace.ace_type().is_deny());
    judged.any(|ace| {
        let at = place(ace);
        let (own, opposite) = if ace.ace_type().is_allow() { (&mut allow, deny) } else { (&mut deny, allow) };
        *own = at.max(*own);
        at < opposite
    })
}

fn same_but_mark(ace: &Ace, other: &Ace) -> bool {
    ace.flags() | AceFlags::INHERITED == other.flags() | AceFlags::INHERITED && ace.same_but_flags(other)
}

#[cfg(test)]
mod tests {
    use super::{super::super::AccessMask, *};

    fn sd(text: &str) -> SecurityDescriptor {
        text.parse().unwrap()
    }

    fn after(parent: &str, child: &str, kind: ObjectKind) -> (Inherited, String) {
        let after = propagate(&sd(parent), &sd(child), kind, ListKind::Dacl).unwrap();
        assert_eq!(after.changed(), after.descriptor != sd(child));
        let again = propagate(&sd(parent), &after.descriptor, kind, ListKind::Dacl).unwrap();
        assert!(!again.changed(), "{again:?}");
        assert_eq!(again.descriptor.to_bytes(), after.descriptor.to_bytes());
        (after.inherited, after.descriptor.to_string())
    }

    #[test]
    fn own_entries_stay_and_inherited_ones_are_replaced() {
        let (inherited, text) = after(
            "D:AI(D;CI;KW;;;BG)(A;CIID;KA;;;SY)",
            "D:AI(D;;KA;;;WD)(A;CI;KR;;;BU)(A;ID;KA;;;BA)",
            ObjectKind::KEY,
        );
        assert_eq!(inherited, Inherited::Replaced);
        assert_eq!(text, "D:AI(D;;KA;;;WD)(A;CI;KR;;;BU)(D;CIID;KW;;;BG)(A;CIID;KA;;;SY)");
    }

    #[test]
    fn an_own_entry_behind_inherited_ones_comes_to_the_front() {
        let (_, text) = after("D:(A;OI;FA;;;SY)", "D:AI(A;ID;FA;;;SY)(A;;FR;;;BU)", ObjectKind::FILE);
        assert_eq!(text, "D:AI(A;;FR;;;BU)(A;ID;FA;;;SY)");
    }

    #[test]
    fn a_protected_list_is_left_alone() {
        let child = "D:PAI(A;;FR;;;BU)(A;ID;FA;;;BA)";
        assert_eq!(after("D:(A;OI;FA;;;SY)", child, ObjectKind::FILE), (Inherited::Protected, child.to_owned()));
    }

    #[test]
    fn the_childs_owner_and_group_take_the_place_of_their_creators() {
        let (_, text) = after("D:(A;OICIIO;GA;;;CO)(A;OIIO;GR;;;CG)", "O:BUG:BGD:AI(A;ID;FA;;;SY)", ObjectKind::FILE);
        assert_eq!(text, "O:BUG:BGD:AI(A;ID;FA;;;BU)(A;ID;FR;;;BG)");
    }

    #[test]
    fn a_list_that_was_open_to_everybody_is_so_no_longer_and_says_it() {
        let parent = "D:(A;OI;FA;;;SY)";
        assert_eq!(
            after(parent, "D:NO_ACCESS_CONTROL", ObjectKind::FILE),
            (Inherited::Restricted, "D:AI(A;ID;FA;;;SY)".to_owned())
        );
        assert_eq!(after(parent, "O:SY", ObjectKind::FILE).0, Inherited::Restricted);
        assert_eq!(after("D:(A;;FA;;;SY)", "D:NO_ACCESS_CONTROL", ObjectKind::FILE).0, Inherited::Unchanged);
    }

    #[test]
    fn a_list_that_becomes_empty_stays_a_list_and_says_it() {
        assert_eq!(
            after("D:(A;;FA;;;SY)", "D:AI(A;ID;FA;;;BA)", ObjectKind::FILE),
            (Inherited::Emptied, "D:AI".to_owned())
        );
    }

    #[test]
    fn an_unmarked_entry_that_the_parent_gives_counts_as_inherited() {
        let (inherited, text) =
            after("D:(A;CI;KA;;;SY)(A;CI;KR;;;BU)", "D:(A;CI;KA;;;SY)(A;;KW;;;NS)", ObjectKind::KEY);
        assert_eq!(inherited, Inherited::Replaced);
        assert_eq!(text, "D:AI(A;;KW;;;NS)(A;CIID;KA;;;SY)(A;CIID;KR;;;BU)");
    }

    #[test]
    fn an_unmarked_list_with_nothing_to_inherit_is_not_touched() {
        assert_eq!(after("D:(A;;KA;;;SY)", "D:(A;;KR;;;BU)", ObjectKind::KEY).0, Inherited::Unchanged);
    }

    #[test]
    fn rather_than_move_allow_past_deny_an_unmarked_list_is_protected() {
        let (inherited, text) = after("D:(A;CI;KA;;;SY)", "D:(A;CI;KA;;;SY)(D;;KA;;;NS)", ObjectKind::KEY);
        assert_eq!(inherited, Inherited::ProtectedNow);
        assert_eq!(text, "D:P(A;CI;KA;;;SY)(D;;KA;;;NS)");
        // Both are inherited here, but in the other order.
        let (inherited, _) = after("D:(A;CI;KA;;;SY)(D;CI;KA;;;NS)", "D:(D;CI;KA;;;NS)(A;CI;KA;;;SY)", ObjectKind::KEY);
        assert_eq!(inherited, Inherited::ProtectedNow);
        // An own denial in front stays in front.
        let (inherited, _) = after("D:(A;CI;KA;;;SY)", "D:(D;;KA;;;NS)(A;CI;KA;;;SY)", ObjectKind::KEY);
        assert_eq!(inherited, Inherited::Replaced);
    }

    #[test]
    fn the_request_bit_goes_when_it_is_met() {
        let (_, text) = after("D:(A;CI;KA;;;SY)", "D:ARAI(A;ID;KA;;;BA)", ObjectKind::KEY);
        assert_eq!(text, "D:AI(A;CIID;KA;;;SY)");
    }

    #[test]
    fn the_sacl_is_inherited_when_asked_for() {
        let (parent, child) = (sd("D:(A;OI;FA;;;SY)S:(AU;OIFA;GA;;;WD)"), sd("D:AI(A;;FA;;;BA)"));
        let after = propagate(&parent, &child, ObjectKind::FILE, ListKind::Sacl).unwrap();
        assert_eq!(after.descriptor.to_string(), "D:AI(A;;FA;;;BA)S:AI(AU;IDFA;FA;;;WD)");
        // Without audits an object was no more open than with them, and is no less so when they go.
        assert_eq!(after.inherited, Inherited::Replaced);
        let after = propagate(&sd("S:"), &after.descriptor, ObjectKind::FILE, ListKind::Sacl).unwrap();
        assert_eq!(
            (after.inherited, after.descriptor.to_string().as_str()),
            (Inherited::Replaced, "D:AI(A;;FA;;;BA)S:AI")
        );
    }

    #[test]
    fn what_does_not_fit_is_refused_and_nothing_changes() {
        let aces = vec![Ace::allow(AceFlags::CONTAINER_INHERIT, AccessMask::KEY_READ, "S-1-5-1".parse().unwrap()); 1];
        let many = (0..3000_u32).map(|rid| aces[0].clone().with_sid(format!("S-1-5-{rid}").parse().unwrap()).unwrap());
        let mut parent = SecurityDescriptor::new();
        parent.set_dacl(AclState::Present(Acl::new(many.collect()).unwrap()));
        let mut child = parent.clone();
        let error = child.inherit(&parent.clone(), ObjectKind::DIRECTORY, ListKind::Dacl);
        assert_eq!(error, Ok(Inherited::Replaced), "the same entries, now marked");
        let own =
            (5000..5400_u32).map(|rid| aces[0].clone().with_sid(format!("S-1-5-{rid}").parse().unwrap()).unwrap());
        child.set_dacl(AclState::Present(Acl::new(own.collect()).unwrap()));
        let before = child.clone();
        let error = child.inherit(&parent, ObjectKind::DIRECTORY, ListKind::Dacl).unwrap_err();
        assert_eq!(error.to_string(), "acl: size 68008 exceeds the limit of 65532");
        assert_eq!(child.to_bytes(), before.to_bytes());
    }
}
