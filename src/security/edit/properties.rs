//! What holds for any sequence of edits on any descriptor.

use proptest::{collection::vec, prelude::*, sample::select};

use super::{
    super::{
        AccessMask, Ace, AceFlags, Acl, Inherited, ListKind, ObjectKind, SecurityDescriptor, SecurityError, Sid,
        Subject,
        properties::{descriptor, hostile_bytes},
        validate, well_known,
    },
    Edited, Entries, IntegrityLevel, Permission,
};

#[derive(Debug, Clone)]
enum Edit {
    Grant(Permission),
    GrantOnly(Permission),
    Deny(Permission),
    Remove(Sid, Entries),
    Substitute(Sid, Sid),
    Label(IntegrityLevel, AceFlags),
    ProtectKeeping,
    ProtectDropping,
    Unprotect(Box<SecurityDescriptor>),
    Reset(Box<SecurityDescriptor>),
    Inherit(Box<SecurityDescriptor>),
}

impl Edit {
    fn apply(&self, to: &mut SecurityDescriptor, object: ObjectKind) -> Result<bool, SecurityError> {
        Ok(match self {
            Self::Grant(permission) => to.grant(permission, object)?.changed(),
            Self::GrantOnly(permission) => to.grant_only(permission, object)?.changed(),
            Self::Deny(permission) => to.deny(permission, object)?.changed(),
            Self::Remove(sid, entries) => to.remove(sid, *entries)?.changed(),
            Self::Substitute(old, new) => to.substitute(old, new)?,
            Self::Label(level, flags) => to.set_integrity_level(*level, *flags, object)?.changed(),
            Self::ProtectKeeping => to.protect_keeping()?.changed(),
            Self::ProtectDropping => to.protect_dropping()?.changed(),
            Self::Unprotect(parent) => to.unprotect(parent, object)?.changed(),
            Self::Reset(parent) => to.reset(parent, object)?.changed(),
            Self::Inherit(parent) => to.inherit(parent, object, ListKind::Dacl)?.changed(),
        })
    }

    /// Whether an entry of the DACL may become another one, move or go.
    fn concerns(&self, ace: &Ace, on: &SecurityDescriptor) -> bool {
        let is = |sid: &Sid| ace.sid() == Some(sid);
        let about = |permission: &Permission| {
            let creators = [(well_known::CREATOR_OWNER, on.owner()), (well_known::CREATOR_GROUP, on.group())];
            let stands_for = creators.into_iter().find(|(creator, _)| *creator == permission.trustee);
            !ace.is_inherited() && (is(&permission.trustee) || stands_for.and_then(|(_, sid)| sid).is_some_and(is))
        };
        match self {
            Self::Grant(permission) | Self::GrantOnly(permission) | Self::Deny(permission) => about(permission),
            Self::Remove(sid, _) => !ace.is_inherited() && is(sid),
            Self::Substitute(old, new) => is(old) || is(new),
            Self::Label(..) => false,
            Self::ProtectKeeping | Self::ProtectDropping => ace.is_inherited(),
            Self::Reset(_) => true,
            // An entry of a list that was never marked may turn out to be inherited.
            Self::Unprotect(_) | Self::Inherit(_) => ace.is_inherited() || !is_marked(on),
        }
    }
}

fn is_marked(descriptor: &SecurityDescriptor) -> bool {
    descriptor.control().contains(ListKind::Dacl.auto_inherited()) || aces(descriptor).iter().any(Ace::is_inherited)
}

fn aces(descriptor: &SecurityDescriptor) -> &[Ace] {
    descriptor.dacl().acl().map_or(&[], Acl::aces)
}

fn is_canonical(descriptor: &SecurityDescriptor) -> bool {
    descriptor.dacl().acl().is_none_or(|acl| acl.disorder().is_empty())
}

proptest! {
    #[test]
    fn edits_keep_what_they_are_not_about(start in start(), edits in vec(edit(), 1..8), object in object()) {
        let mut descriptor = start;
        for edit in edits {
            let before = descriptor.clone();
            let changed = edit.apply(&mut descriptor, object).unwrap();
            let stored = descriptor.to_bytes();

            prop_assert_eq!(changed, stored != before.to_bytes(), "{:?}", &edit);
            prop_assert_eq!(validate(&stored), Ok(()));
            let parsed = SecurityDescriptor::parse(&stored).unwrap();
            prop_assert_eq!(&parsed, &descriptor);
            prop_assert_eq!(parsed.to_bytes(), stored.clone());

            let kept = |descriptor: &SecurityDescriptor| -> Vec<Ace> {
                aces(descriptor).iter().filter(|ace| !edit.concerns(ace, &before)).cloned().collect()
            };
            match &edit {
                // What was inherited before is one's own now, or the other way round: own entries stay a sequence.
                Edit::ProtectKeeping => prop_assert_eq!(aces(&descriptor).len(), aces(&before).len()),
                Edit::Unprotect(_) | Edit::Inherit(_) if !is_marked(&before) => (),
                _ => prop_assert_eq!(kept(&descriptor), kept(&before), "{:?}", &edit),
            }
            // Denials that were inherited become own ones, wherever they stand.
            let may_disorder = matches!(edit, Edit::ProtectKeeping);
            prop_assert!(may_disorder || !is_canonical(&before) || is_canonical(&descriptor), "{:?}", &edit);

            let again = edit.apply(&mut descriptor, object).unwrap();
            let settled = matches!(edit, Edit::Substitute(..)) || !again;
            prop_assert!(settled && descriptor.to_bytes() == stored, "not idempotent: {:?}", &edit);
        }
    }

    /// After taking what the parent gives, the inherited entries are those that a new object gets.
    #[test]
    fn the_inherited_part_is_what_the_parent_gives(
        parent in descriptor(),
        child in start(),
        object in object(),
        list in select(vec![ListKind::Dacl, ListKind::Sacl]),
    ) {
        let mut after = child.clone();
        let outcome = after.inherit(&parent, object, list).unwrap();
        let taken = |descriptor: &SecurityDescriptor| -> Vec<Ace> {
            let aces = list.of(descriptor).acl().map_or(&[][..], Acl::aces);
            aces.iter().filter(|ace| ace.is_inherited()).cloned().collect()
        };
        if !matches!(outcome, Inherited::Protected | Inherited::ProtectedNow) {
            let mut creator = SecurityDescriptor::new();
            creator.set_owner(child.owner().copied());
            creator.set_group(child.group().copied());
            let mut orphan = parent.clone();
            orphan.set_owner(None);
            orphan.set_group(None);
            let new = super::super::NewObject::new(object).below(&orphan).asked_for(&creator).auto_inherit(true);
            prop_assert_eq!(taken(&after), taken(&new.descriptor().unwrap()));
        }
        prop_assert_eq!(after.owner(), child.owner());
        prop_assert_eq!(after.group(), child.group());
    }

    /// Two generations at once or one after the other: what a grandchild inherits from a child, it would inherit again.
    #[test]
    fn handing_on_settles(parent in descriptor(), child in start(), object in object()) {
        let mut child = child;
        let _ = child.inherit(&parent, ObjectKind::DIRECTORY, ListKind::Dacl).unwrap();
        let mut grandchild = SecurityDescriptor::new();
        grandchild.set_owner(child.owner().copied());
        let _ = grandchild.inherit(&child, object, ListKind::Dacl).unwrap();
        let stored = grandchild.to_bytes();
        prop_assert!(!grandchild.inherit(&child, object, ListKind::Dacl).unwrap().changed());
        prop_assert_eq!(grandchild.to_bytes(), stored);
    }

    /// Granted is what was asked for, except what a denial withholds and the report names.
    #[test]
    fn a_grant_is_in_force_unless_a_denial_is_named(
        start in start(), trustee in trustee(), bits in 0..0x0020_0000_u32, object in object(),
    ) {
        let mut descriptor = start;
        let mask = AccessMask::from_bits_retain(bits);
        let edited = descriptor.grant(&Permission::new(trustee, mask), object).unwrap();
        if edited == Edited::NoList {
            prop_assert_eq!(descriptor.access(&Subject::new(trustee), object).withheld(object.mapping.all).bits(), 0);
            return Ok(());
        }
        let trustee = match trustee {
            well_known::CREATOR_OWNER => descriptor.owner().copied().unwrap_or(trustee),
            other => other,
        };
        let access = descriptor.access(&Subject::new(trustee), object);
        let named = access.denials.iter().fold(AccessMask::empty(), |named, denial| named | denial.mask);
        prop_assert!(named.contains(access.withheld(mask)), "{:?}", access);
        // A denial by an inherited entry never comes before the grant.
        let too_early = access.denials.iter().any(|denial| denial.inherited && denial.mask.intersects(mask));
        prop_assert!(!is_canonical(&descriptor) || !too_early, "{:?}", access);
    }

    /// A list that would outgrow its size field is refused, and the descriptor is what it was.
    #[test]
    fn what_does_not_fit_changes_nothing(edit in edit(), more in 0..3_usize, object in object()) {
        let full = (0..3_274 + more as u32).map(|rid| {
            Ace::allow(AceFlags::empty(), AccessMask::DELETE, Sid::new(77, &[rid]).unwrap())
        });
        let mut descriptor = SecurityDescriptor::new();
        descriptor.set_dacl(super::super::AclState::Present(Acl::new(full.collect()).unwrap()));
        let stored = descriptor.to_bytes();
        match edit.apply(&mut descriptor, object) {
            Err(error) => {
                prop_assert!(matches!(error, SecurityError::TooLarge { limit: Acl::MAX_SIZE, .. }), "{}", error);
                prop_assert_eq!(descriptor.to_bytes(), stored);
            }
            Ok(_) => prop_assert!(descriptor.dacl().acl().unwrap().size() <= Acl::MAX_SIZE),
        }
    }
}

/// Descriptors that SDDL can write, and such as only bytes can.
fn start() -> impl Strategy<Value = SecurityDescriptor> {
    let stored = hostile_bytes().prop_filter_map("not a descriptor", |bytes| SecurityDescriptor::parse(&bytes).ok());
    prop_oneof![2 => descriptor(), 1 => stored]
}

fn object() -> impl Strategy<Value = ObjectKind> {
    select(vec![ObjectKind::KEY, ObjectKind::DIRECTORY, ObjectKind::FILE])
}

/// Few, so that they meet, and meet those of [`descriptor`].
fn trustee() -> impl Strategy<Value = Sid> {
    select(vec![
        well_known::EVERYONE,
        well_known::USERS,
        well_known::LOCAL_SYSTEM,
        well_known::NETWORK_SERVICE,
        well_known::CREATOR_OWNER,
    ])
}

fn permission() -> impl Strategy<Value = Permission> {
    let bits = prop_oneof![any::<u32>(), select(vec![0, 0x001F_01FF, 0x0002_0019, 0x1000_0000, 0x0012_0089])];
    (trustee(), bits, any::<u8>()).prop_map(|(trustee, bits, flags)| {
        Permission::new(trustee, AccessMask::from_bits_retain(bits)).handed_on(AceFlags::from_bits_retain(flags))
    })
}

fn edit() -> impl Strategy<Value = Edit> {
    let parent = || descriptor().prop_map(Box::new);
    let entries = select(vec![Entries::All, Entries::Grants, Entries::Denials]);
    let level = select(vec![IntegrityLevel::Low, IntegrityLevel::Medium, IntegrityLevel::High]);
    prop_oneof![
        3 => permission().prop_map(Edit::Grant),
        2 => permission().prop_map(Edit::GrantOnly),
        3 => permission().prop_map(Edit::Deny),
        1 => (trustee(), entries).prop_map(|(sid, entries)| Edit::Remove(sid, entries)),
        1 => (trustee(), trustee()).prop_map(|(old, new)| Edit::Substitute(old, new)),
        1 => (level, any::<u8>()).prop_map(|(level, flags)| Edit::Label(level, AceFlags::from_bits_retain(flags))),
        1 => Just(Edit::ProtectKeeping),
        1 => Just(Edit::ProtectDropping),
        1 => parent().prop_map(Edit::Unprotect),
        1 => parent().prop_map(Edit::Reset),
        2 => parent().prop_map(Edit::Inherit),
    ]
}
