//! Allowing and denying.

use super::{
    super::{
        ace::Ace, ace_type::AceType, descriptor::SecurityDescriptor, error::SecurityError, inheritance::ListKind,
        object_kind::ObjectKind,
    },
    Edited, Permission,
    order::place,
};

impl SecurityDescriptor {
    /// Allows (`icacls /grant`): adds the rights to the trustee's own entry that is handed on in the same way, else
    /// adds an entry in front of the other grants. Nothing is changed on error.
    ///
    /// What denies these rights stays in force: [`SecurityDescriptor::access`] tells what it still withholds.
    ///
    /// Generic rights, CREATOR OWNER and CREATOR GROUP are stored as Windows stores them: as what they stand for, and
    /// besides, if children inherit them, as they are for those.
    ///
    /// # Errors
    ///
    /// [`SecurityError::TooLarge`] if the list would exceed [`Acl::MAX_SIZE`](super::super::Acl::MAX_SIZE).
    pub fn grant(&mut self, permission: &Permission, object: ObjectKind) -> Result<Edited, SecurityError> {
        let wanted = permission.aces(AceType::ACCESS_ALLOWED, object, self)?;
        self.edit(ListKind::Dacl, |aces| wanted.into_iter().try_for_each(|ace| merge(aces, ace)))
    }

    /// Allows this and nothing else (`icacls /grant:r`): removes the trustee's own grants that say something else.
    ///
    /// # Errors
    ///
    /// As [`SecurityDescriptor::grant`].
    pub fn grant_only(&mut self, permission: &Permission, object: ObjectKind) -> Result<Edited, SecurityError> {
        let wanted = permission.aces(AceType::ACCESS_ALLOWED, object, self)?;
        self.edit(ListKind::Dacl, |aces| {
            // One that is there already keeps its place, so that a second time changes nothing.
            let mut missing = wanted.clone();
            aces.retain(|ace| {
                // What an owner is granted by his own name stays where CREATOR OWNER is meant.
                let named = ace.sid() == Some(&permission.trustee);
                if !named || ace.is_inherited() || !ace.ace_type().is_allow() {
                    return true;
                }
                let at = missing.iter().position(|wanted| wanted == ace);
                at.map(|at| missing.remove(at)).is_some()
            });
            missing.into_iter().try_for_each(|ace| merge(aces, ace))
        })
    }

    /// Denies (`icacls /deny`): adds the rights to the trustee's own denial that is handed on in the same way, else
    /// adds a denial in front of all entries; takes them out of the trustee's own grants, and removes those of which
    /// nothing is left.
    ///
    /// # Errors
    ///
    /// As [`SecurityDescriptor::grant`].
    pub fn deny(&mut self, permission: &Permission, object: ObjectKind) -> Result<Edited, SecurityError> {
        let wanted = permission.aces(AceType::ACCESS_DENIED, object, self)?;
        self.edit(ListKind::Dacl, |aces| {
            for denial in &wanted {
                take_out(aces, denial)?;
            }
            wanted.into_iter().try_for_each(|ace| merge(aces, ace))
        })
    }
}

/// Adds an own entry, or its rights to the one that differs in nothing else.
fn merge(aces: &mut Vec<Ace>, new: Ace) -> Result<(), SecurityError> {
    let mask = new.mask().unwrap_or_default();
    let same = |ace: &Ace| ace.ace_type() == new.ace_type() && ace.flags() == new.flags() && ace.sid() == new.sid();
    if aces.iter().any(|ace| same(ace) && ace.mask().is_some_and(|held| held.contains(mask))) {
        return Ok(());
    }
    match aces.iter_mut().find(|ace| same(ace)) {
        Some(ace) => *ace = ace.clone().with_mask(mask | ace.mask().unwrap_or_default())?,
        None => aces.insert(place(aces, &new), new),
    }
    Ok(())
}

/// Takes the rights of a denial out of the same trustee's own grants.
fn take_out(aces: &mut Vec<Ace>, denial: &Ace) -> Result<(), SecurityError> {
    let denied = denial.mask().unwrap_or_default();
    let mut kept = Vec::with_capacity(aces.len());
    for ace in aces.drain(..) {
        let granted = ace.mask().filter(|granted| {
            ace.ace_type().is_allow() && !ace.is_inherited() && ace.sid() == denial.sid() && granted.intersects(denied)
        });
        match granted.map(|granted| granted.difference(denied)) {
            None => kept.push(ace),
            Some(left) if left.is_empty() => (),
            Some(left) => kept.push(ace.with_mask(left)?),
        }
    }
    *aces = kept;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{
        super::super::{AccessMask, AceFlags, Sid, well_known},
        *,
    };

    fn permission(trustee: &str, bits: u32) -> Permission {
        let trustee = Sid::from_sddl_alias(trustee).unwrap_or_else(|| trustee.parse().unwrap());
        Permission::new(trustee, AccessMask::from_bits_retain(bits))
    }

    type Edit = fn(&mut SecurityDescriptor, &Permission, ObjectKind) -> Result<Edited, SecurityError>;

    /// The DACL after the edit; a second time changes nothing.
    fn edited(edit: Edit, before: &str, permission: Permission, kind: ObjectKind) -> String {
        let mut descriptor: SecurityDescriptor = before.parse().unwrap();
        let stored = descriptor.to_bytes();
        let first = edit(&mut descriptor, &permission, kind).unwrap();
        assert_eq!(first.changed(), descriptor.to_bytes() != stored);
        let after = descriptor.to_bytes();
        assert!(!edit(&mut descriptor, &permission, kind).unwrap().changed(), "{descriptor}");
        assert_eq!(descriptor.to_bytes(), after);
        descriptor.to_string()
    }

    const GRANT: Edit = SecurityDescriptor::grant;
    const GRANT_ONLY: Edit = SecurityDescriptor::grant_only;
    const DENY: Edit = SecurityDescriptor::deny;
    const FILE: ObjectKind = ObjectKind::FILE;
    const DIRECTORY: ObjectKind = ObjectKind::DIRECTORY;
    const READ: u32 = AccessMask::FILE_READ.bits();
    const ALL: u32 = AccessMask::FILE_ALL.bits();

    #[test]
    fn a_grant_goes_behind_the_own_denials_in_front_of_all_else() {
        let after = edited(GRANT, "D:AI(D;;FW;;;BG)(A;;FR;;;BU)(D;ID;FA;;;WD)", permission("SY", ALL), FILE);
        assert_eq!(after, "D:AI(D;;FW;;;BG)(A;;FA;;;SY)(A;;FR;;;BU)(D;ID;FA;;;WD)");
        // An inherited denial in front does not draw the grant behind it.
        let after = edited(GRANT, "D:AI(D;ID;FA;;;WD)", permission("SY", ALL), FILE);
        assert_eq!(after, "D:AI(A;;FA;;;SY)(D;ID;FA;;;WD)");
    }

    #[test]
    fn rights_are_added_to_the_own_entry_that_is_handed_on_in_the_same_way() {
        let read = permission("BU", READ);
        assert_eq!(edited(GRANT, "D:(A;;FW;;;BU)", read, FILE), "D:(A;;0x12019f;;;BU)");
        // Handed on in another way, inherited, conditional: another entry.
        let after = edited(GRANT, "D:(A;OICI;FW;;;BU)", read, DIRECTORY);
        assert_eq!(after, "D:(A;;FR;;;BU)(A;OICI;FW;;;BU)");
        assert_eq!(edited(GRANT, "D:AI(A;ID;FW;;;BU)", read, FILE), "D:AI(A;;FR;;;BU)(A;ID;FW;;;BU)");
        let conditional = "(XA;;FW;;;BU;(@User.a == 1))";
        let after = edited(GRANT, &format!("D:{conditional}"), read, FILE);
        assert!(after.starts_with("D:(A;;FR;;;BU)(XA;"), "{after}");
    }

    #[test]
    fn what_is_granted_already_changes_nothing() {
        let before = "D:AI(A;;FX;;;SY)(A;;FA;;;SY)";
        assert_eq!(edited(GRANT, before, permission("SY", READ), FILE), before);
    }

    #[test]
    fn flags_of_inheritance_count_on_containers_only() {
        let all = permission("SY", ALL).handed_on(AceFlags::all());
        assert_eq!(edited(GRANT, "D:", all, FILE), "D:(A;;FA;;;SY)");
        assert_eq!(edited(GRANT, "D:", all, DIRECTORY), "D:(A;OICINPIO;FA;;;SY)");
    }

    #[test]
    fn generic_rights_and_creators_are_split_as_windows_does_it() {
        let both = AceFlags::OBJECT_INHERIT | AceFlags::CONTAINER_INHERIT;
        let creator = permission("CO", ALL).handed_on(both);
        assert_eq!(edited(GRANT, "O:BUD:", creator, DIRECTORY), "O:BUD:(A;OICIIO;FA;;;CO)(A;;FA;;;BU)");
        let read = permission("BU", 0x8000_0000).handed_on(both);
        assert_eq!(edited(GRANT, "D:", read, DIRECTORY), "D:(A;OICIIO;GR;;;BU)(A;;FR;;;BU)");
        assert_eq!(edited(GRANT, "D:", read, FILE), "D:(A;;FR;;;BU)");
        assert_eq!(edited(GRANT_ONLY, "D:(A;;FA;;;BU)", read, DIRECTORY), "D:(A;OICIIO;GR;;;BU)(A;;FR;;;BU)");
    }

    #[test]
    fn replacing_removes_the_other_own_grants_of_the_trustee() {
        let before = "D:AI(D;;FW;;;BU)(A;;FA;;;BU)(A;OICI;FX;;;BU)(A;;FA;;;SY)(A;ID;FA;;;BU)";
        let after = edited(GRANT_ONLY, before, permission("BU", READ), DIRECTORY);
        assert_eq!(after, "D:AI(D;;FW;;;BU)(A;;FR;;;BU)(A;;FA;;;SY)(A;ID;FA;;;BU)");
        let after = edited(GRANT_ONLY, "D:(A;;FA;;;SY)(A;;FR;;;BU)(A;;FR;;;BU)", permission("BU", READ), FILE);
        assert_eq!(after, "D:(A;;FA;;;SY)(A;;FR;;;BU)");
        let creator = permission("CO", READ).handed_on(AceFlags::CONTAINER_INHERIT);
        let after = edited(GRANT_ONLY, "O:BUD:(A;CIIO;FA;;;CO)(A;OICI;FX;;;BU)", creator, DIRECTORY);
        assert_eq!(after, "O:BUD:(A;CIIO;FR;;;CO)(A;;FR;;;BU)(A;OICI;FX;;;BU)");
    }

    #[test]
    fn a_denial_takes_its_rights_out_of_the_trustees_own_grants() {
        let before = "D:AI(A;;0x12019f;;;BU)(A;OICI;0x116;;;BU)(A;;FA;;;SY)(A;ID;FA;;;BU)";
        let after = edited(DENY, before, permission("BU", 0x116), DIRECTORY);
        assert_eq!(after, "D:AI(D;;DCLCRPCR;;;BU)(A;;FR;;;BU)(A;;FA;;;SY)(A;ID;FA;;;BU)");
    }

    #[test]
    fn a_denial_is_added_to_the_one_that_is_there() {
        let after = edited(DENY, "D:(D;;FA;;;BG)(D;;DC;;;BU)(A;;FR;;;WD)", permission("BU", 4), FILE);
        assert_eq!(after, "D:(D;;FA;;;BG)(D;;DCLC;;;BU)(A;;FR;;;WD)");
        let after = edited(DENY, "D:(D;;FA;;;BG)(A;;FR;;;WD)", permission("BU", 4), FILE);
        assert_eq!(after, "D:(D;;LC;;;BU)(D;;FA;;;BG)(A;;FR;;;WD)");
    }

    #[test]
    fn a_descriptor_without_a_list_is_open_and_stays_so() {
        for before in ["D:NO_ACCESS_CONTROL", "O:SY"] {
            let mut descriptor: SecurityDescriptor = before.parse().unwrap();
            let all = permission("SY", ALL);
            assert_eq!(descriptor.grant(&all, FILE), Ok(Edited::NoList));
            assert_eq!(descriptor.grant_only(&all, FILE), Ok(Edited::NoList));
            assert_eq!(descriptor.deny(&all, FILE), Ok(Edited::NoList));
            assert_eq!(descriptor.to_string(), before);
        }
    }

    #[test]
    fn the_entry_too_many_is_refused_and_nothing_changes() {
        let aces =
            (0..3_276_u32).map(|rid| Ace::allow(AceFlags::empty(), AccessMask::DELETE, Sid::new(5, &[rid]).unwrap()));
        let mut descriptor = SecurityDescriptor::new();
        let full = super::super::super::Acl::new(aces.collect()).unwrap();
        descriptor.set_dacl(super::super::super::AclState::Present(full));
        let stored = descriptor.to_bytes();
        let error = descriptor.grant(&Permission::new(well_known::ADMINISTRATORS, AccessMask::FILE_ALL), FILE);
        assert_eq!(error.unwrap_err().to_string(), "acl: size 65552 exceeds the limit of 65532");
        assert_eq!(descriptor.to_bytes(), stored);
    }
}
