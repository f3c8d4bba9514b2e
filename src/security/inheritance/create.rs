//! The descriptor of a new object.

use super::{
    super::{
        ace::Ace,
        ace_type::AceFlags,
        acl::{Acl, AclState},
        control::Control,
        descriptor::SecurityDescriptor,
        error::SecurityError,
        object_kind::ObjectKind,
        sid::Sid,
    },
    ListKind,
    aces::{inherited, settled},
};

/// An object about to be made, and what its descriptor is made of (MS-DTYP 2.5.3.4.1).
///
/// For each list, the first of these that there is:
///
/// 1. the list that its creator asks for, unless that one is marked as a default; with it what the parent hands on,
///    unless the creator's list is protected or the parent's has never known inheritance as it is today
/// 2. what the parent hands on
/// 3. the creator's list that is marked as a default
/// 4. for the DACL, the default of whoever makes the object
///
/// ```
/// use hivesmith::security::{NewObject, ObjectKind, SecurityDescriptor};
///
/// let parent: SecurityDescriptor = "O:SYG:SYD:AI(A;CIID;KA;;;BA)(A;CIIOID;GA;;;CO)".parse()?;
/// let child = NewObject::new(ObjectKind::KEY).below(&parent).owned_by("S-1-5-18".parse()?).descriptor()?;
/// assert_eq!(child.to_string(), "O:SYG:SYD:AI(A;CIID;KA;;;BA)(A;ID;KA;;;SY)(A;CIIOID;GA;;;CO)");
/// # Ok::<(), hivesmith::security::SecurityError>(())
/// ```
#[derive(Debug, Clone)]
pub struct NewObject<'a> {
    kind: ObjectKind,
    parent: Option<&'a SecurityDescriptor>,
    creator: Option<&'a SecurityDescriptor>,
    owner: Option<Sid>,
    group: Option<Sid>,
    default_dacl: Option<&'a Acl>,
    auto_inherit: Option<bool>,
}

impl<'a> NewObject<'a> {
    /// An object of this kind, for which nobody asks anything yet.
    #[must_use]
    pub fn new(kind: ObjectKind) -> Self {
        Self { kind, parent: None, creator: None, owner: None, group: None, default_dacl: None, auto_inherit: None }
    }

    /// Made inside the object with this descriptor.
    #[must_use]
    pub fn below(self, parent: &'a SecurityDescriptor) -> Self {
        Self { parent: Some(parent), ..self }
    }

    /// With the descriptor that its creator asks for. What is marked as inherited in it is not asked for.
    #[must_use]
    pub fn asked_for(self, creator: &'a SecurityDescriptor) -> Self {
        Self { creator: Some(creator), ..self }
    }

    /// The owner if the creator asks for none. Without it the parent's: offline nobody is logged on.
    #[must_use]
    pub fn owned_by(self, owner: Sid) -> Self {
        Self { owner: Some(owner), ..self }
    }

    /// The primary group if the creator asks for none. Without it the parent's.
    #[must_use]
    pub fn in_group(self, group: Sid) -> Self {
        Self { group: Some(group), ..self }
    }

    /// The DACL if nobody else has one.
    #[must_use]
    pub fn default_dacl(self, dacl: &'a Acl) -> Self {
        Self { default_dacl: Some(dacl), ..self }
    }

    /// Whether inherited entries are marked as such and join those that the creator asks for. As the kernel does it,
    /// that depends on whether the parent's own list is marked.
    #[must_use]
    pub fn auto_inherit(self, auto_inherit: bool) -> Self {
        Self { auto_inherit: Some(auto_inherit), ..self }
    }

    /// The descriptor.
    ///
    /// # Errors
    ///
    /// [`SecurityError::TooLarge`] if a list would exceed [`Acl::MAX_SIZE`].
    pub fn descriptor(&self) -> Result<SecurityDescriptor, SecurityError> {
        let mut made = SecurityDescriptor::new();
        let of = |own: fn(&SecurityDescriptor) -> Option<&Sid>, default: Option<Sid>| {
            let asked = self.creator.and_then(own).copied();
            asked.or(default).or_else(|| self.parent.and_then(own).copied())
        };
        made.set_owner(of(SecurityDescriptor::owner, self.owner));
        made.set_group(of(SecurityDescriptor::group, self.group));
        for list in [ListKind::Dacl, ListKind::Sacl] {
            self.make(list, &mut made)?;
        }
        Ok(made)
    }

    fn make(&self, list: ListKind, made: &mut SecurityDescriptor) -> Result<(), SecurityError> {
        let (owner, group) = (made.owner().copied(), made.group().copied());
        let settle = |aces: &[Ace]| -> Result<Vec<Ace>, SecurityError> {
            let asked = aces.iter().filter(|ace| !ace.flags().contains(AceFlags::INHERITED));
            let settled = asked.map(|ace| settled(ace, self.kind, owner.as_ref(), group.as_ref()));
            Ok(settled.collect::<Result<Vec<_>, _>>()?.concat())
        };
        let parent_is_marked = || self.parent.is_some_and(|parent| parent.control().contains(list.auto_inherited()));
        let auto_inherit = self.auto_inherit.unwrap_or_else(parent_is_marked);
        let handed_on = self.parent.and_then(|parent| list.of(parent).acl()).map_or(&[][..], Acl::aces);
        let mut handed_on = inherited(handed_on, self.kind, owner.as_ref(), group.as_ref())?;
        if !auto_inherit {
            handed_on = handed_on.into_iter().map(unmarked).collect();
        }

        let asked = self.creator.map_or(&AclState::Absent, |creator| list.of(creator));
        let creator = self.creator.map(SecurityDescriptor::control).unwrap_or_default();
        let protected = creator & list.protected();
        let marked = if auto_inherit { list.auto_inherited() } else { Control::empty() };
        let (state, control) = match asked {
            AclState::Null if !creator.contains(list.defaulted()) => (AclState::Null, protected | marked),
            AclState::Present(acl) if !creator.contains(list.defaulted()) => {
                let mut aces = settle(acl.aces())?;
                if auto_inherit && protected.is_empty() {
                    aces.append(&mut handed_on);
                }
                (AclState::Present(Acl::new(aces)?), protected | marked)
            }
            _ if !handed_on.is_empty() => (AclState::Present(Acl::new(handed_on)?), marked),
            AclState::Null => (AclState::Null, list.defaulted()),
            AclState::Present(acl) => (AclState::Present(Acl::new(settle(acl.aces())?)?), list.defaulted()),
            AclState::Absent => match self.default_dacl.filter(|_| list == ListKind::Dacl) {
                Some(acl) => (AclState::Present(Acl::new(settle(acl.aces())?)?), list.defaulted()),
                None => (AclState::Absent, Control::empty()),
            },
        };
        list.set(made, state);
        made.set_control(made.control() | control);
        Ok(())
    }
}

fn unmarked(ace: Ace) -> Ace {
    let flags = ace.flags().difference(AceFlags::INHERITED);
    ace.with_flags(flags)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sd(text: &str) -> SecurityDescriptor {
        text.parse().unwrap()
    }

    fn made(kind: ObjectKind, parent: &str, creator: &str) -> String {
        NewObject::new(kind).below(&sd(parent)).asked_for(&sd(creator)).descriptor().unwrap().to_string()
    }

    const PARENT: &str = "O:BAG:SYD:AI(A;OICI;FA;;;BA)(A;OICIIO;GA;;;CO)(D;OI;FW;;;BG)";

    #[test]
    fn owner_and_group_are_the_creators_then_the_given_then_the_parents() {
        let (parent, creator) = (sd("O:BAG:SY"), sd("O:BU"));
        let object = NewObject::new(ObjectKind::KEY).below(&parent);
        assert_eq!(object.descriptor().unwrap().to_string(), "O:BAG:SY");
        let object = object.owned_by("S-1-1-0".parse().unwrap()).in_group("S-1-5-11".parse().unwrap());
        assert_eq!(object.descriptor().unwrap().to_string(), "O:WDG:AU");
        assert_eq!(object.asked_for(&creator).descriptor().unwrap().to_string(), "O:BUG:AU");
        assert_eq!(NewObject::new(ObjectKind::KEY).descriptor().unwrap(), SecurityDescriptor::new());
    }

    #[test]
    fn without_a_list_of_its_own_an_object_has_its_parents() {
        assert_eq!(made(ObjectKind::FILE, PARENT, "O:SY"), "O:SYG:SYD:AI(A;ID;FA;;;BA)(A;ID;FA;;;SY)(D;ID;FW;;;BG)");
        assert_eq!(
            made(ObjectKind::DIRECTORY, PARENT, "O:SY"),
            "O:SYG:SYD:AI(A;OICIID;FA;;;BA)(A;ID;FA;;;SY)(A;OICIIOID;GA;;;CO)(D;OIIOID;FW;;;BG)"
        );
    }

    #[test]
    fn the_list_asked_for_comes_first() {
        assert_eq!(
            made(ObjectKind::FILE, PARENT, "D:(A;;GR;;;BU)(A;ID;FA;;;WD)"),
            "O:BAG:SYD:AI(A;;FR;;;BU)(A;ID;FA;;;BA)(D;ID;FW;;;BG)"
        );
    }

    #[test]
    fn a_protected_list_stands_alone() {
        assert_eq!(made(ObjectKind::FILE, PARENT, "D:P(A;;FR;;;BU)"), "O:BAG:SYD:PAI(A;;FR;;;BU)");
    }

    #[test]
    fn a_null_or_empty_list_asked_for_is_an_answer() {
        assert_eq!(made(ObjectKind::FILE, PARENT, "D:NO_ACCESS_CONTROL"), "O:BAG:SYD:AINO_ACCESS_CONTROL");
        assert_eq!(made(ObjectKind::FILE, "D:P(A;;FA;;;BA)", "D:"), "D:");
    }

    #[test]
    fn a_default_gives_way_to_the_parent() {
        let mut creator = sd("D:(A;;GA;;;WD)");
        creator.set_control(creator.control() | Control::DACL_DEFAULTED);
        let (parent, childless) = (sd("D:(A;CI;KR;;;BU)"), sd("D:(A;;KR;;;BU)"));
        let object = NewObject::new(ObjectKind::KEY).asked_for(&creator);
        assert_eq!(object.clone().below(&parent).descriptor().unwrap().to_string(), "D:(A;CI;KR;;;BU)");
        let made = object.below(&childless).descriptor().unwrap();
        assert_eq!(made.to_string(), "D:(A;;KA;;;WD)");
        assert!(made.control().contains(Control::DACL_DEFAULTED));
    }

    #[test]
    fn the_last_resort_is_the_default_of_whoever_makes_the_object() {
        let default = sd("D:(A;;GA;;;SY)");
        let object = NewObject::new(ObjectKind::FILE).default_dacl(default.dacl().acl().unwrap());
        assert_eq!(object.descriptor().unwrap().to_string(), "D:(A;;FA;;;SY)");
        let parent = sd(PARENT);
        assert_eq!(object.below(&parent).descriptor().unwrap().dacl().acl().unwrap().aces().len(), 2);
    }

    #[test]
    fn below_a_parent_that_was_never_marked_nothing_is() {
        assert_eq!(made(ObjectKind::KEY, "D:(A;CI;KA;;;BA)", "O:SY"), "O:SYD:(A;CI;KA;;;BA)");
        assert_eq!(made(ObjectKind::KEY, "D:(A;CI;KA;;;BA)", "D:(A;;KR;;;BU)"), "D:(A;;KR;;;BU)");
        let parent = sd("D:(A;CI;KA;;;BA)");
        let object = NewObject::new(ObjectKind::KEY).below(&parent).auto_inherit(true);
        assert_eq!(object.descriptor().unwrap().to_string(), "D:AI(A;CIID;KA;;;BA)");
    }

    #[test]
    fn rights_and_sids_that_stand_for_others_are_split_for_containers() {
        assert_eq!(
            made(ObjectKind::DIRECTORY, "D:AI", "O:SYD:(A;OICI;GA;;;CO)(A;CINP;GR;;;BU)(A;OICIIO;GR;;;BG)"),
            "O:SYD:AI(A;;FA;;;SY)(A;OICIIO;GA;;;CO)(A;;FR;;;BU)(A;CINPIO;GR;;;BU)(A;OICIIO;GR;;;BG)"
        );
    }

    #[test]
    fn the_sacl_goes_its_own_way() {
        assert_eq!(
            made(ObjectKind::FILE, "D:AI(A;OI;FA;;;BA)S:AI(AU;OISAFA;GW;;;WD)(ML;OI;NW;;;HI)", "D:P"),
            "D:PAIS:AI(AU;IDSAFA;FW;;;WD)(ML;ID;NW;;;HI)"
        );
    }
}
