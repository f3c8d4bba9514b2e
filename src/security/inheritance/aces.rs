//! The entries that a child takes from its parent's list.

use super::super::{
    access_mask::AccessMask, ace::Ace, ace_type::AceFlags, error::SecurityError, object_kind::ObjectKind, sid::Sid,
    well_known,
};

/// The ACEs that a child takes from these of its parent, in their order, all marked as inherited.
///
/// CREATOR OWNER and CREATOR GROUP become the child's owner and group, generic rights what they mean to the child. An
/// ACE that such a change would keep from being handed on as it is, is split: one in force, one for the children. An
/// ACE that says nothing new is left out.
pub(in super::super) fn inherited(
    parent: &[Ace],
    child: ObjectKind,
    owner: Option<&Sid>,
    group: Option<&Sid>,
) -> Result<Vec<Ace>, SecurityError> {
    let mut taken: Vec<Ace> = Vec::new();
    for ace in parent {
        let reach = ace.flags() & REACH;
        let reaches = if child.container { AceFlags::CONTAINER_INHERIT } else { AceFlags::OBJECT_INHERIT };
        // Keys and files have no object type: what only one type inherits is never in force on them.
        let in_force = reach.contains(reaches) && ace.inherited_object_type().is_none();
        let hands_on = child.container && !ace.flags().contains(AceFlags::NO_PROPAGATE_INHERIT) && !reach.is_empty();
        let marked = ace.flags().difference(INHERITANCE) | AceFlags::INHERITED;

        let here = if in_force { resolved(ace, child, owner, group)? } else { None };
        let here = here.map(|ace| within_rights(ace, child)).transpose()?;
        let mut for_children = hands_on;
        if let Some(here) = here {
            let covered = taken.iter().any(|earlier| earlier.is_in_force() && says_all(earlier, &here));
            if !covered && !same_grant(&here, ace) {
                taken.push(here.with_flags(marked));
            } else if !covered {
                let handed_on = if hands_on { reach } else { AceFlags::empty() };
                taken.push(here.with_flags(marked | handed_on));
                for_children = false;
            }
        }
        if for_children {
            let ace = ace.clone().with_flags(marked | AceFlags::INHERIT_ONLY | reach);
            if !taken.iter().any(|earlier| (earlier.flags() & REACH).contains(reach) && says_all(earlier, &ace)) {
                taken.push(ace);
            }
        }
    }
    Ok(taken)
}

/// An ACE that somebody asks for, as an object stores it: CREATOR OWNER, CREATOR GROUP and generic rights are in force
/// only as what they stand for, and are kept for the children besides, if the ACE has any in mind.
pub(in super::super) fn settled(
    ace: &Ace,
    object: ObjectKind,
    owner: Option<&Sid>,
    group: Option<&Sid>,
) -> Result<Vec<Ace>, SecurityError> {
    let kept = || vec![ace.clone()];
    if !ace.is_in_force() {
        return Ok(kept());
    }
    Ok(match resolved(ace, object, owner, group)? {
        Some(here) if same_grant(&here, ace) => kept(),
        Some(here) if object.container && ace.flags().intersects(REACH) => {
            let here_only = ace.flags().difference(REACH | AceFlags::NO_PROPAGATE_INHERIT);
            vec![here.with_flags(here_only), ace.clone().with_flags(ace.flags() | AceFlags::INHERIT_ONLY)]
        }
        Some(here) => vec![here],
        None => kept(),
    })
}

/// The ACE as it is in force on an object: for a real SID, with real rights. `None` if it is for an owner or group
/// that the object does not have. Flags stay.
fn resolved(
    ace: &Ace,
    object: ObjectKind,
    owner: Option<&Sid>,
    group: Option<&Sid>,
) -> Result<Option<Ace>, SecurityError> {
    let (Some(sid), Some(mask)) = (ace.sid(), ace.mask()) else { return Ok(Some(ace.clone())) };
    let sid = match *sid {
        well_known::CREATOR_OWNER => owner,
        well_known::CREATOR_GROUP => group,
        _ => Some(sid),
    };
    let Some(sid) = sid else { return Ok(None) };
    let mask = if ace.ace_type().holds_rights() { object.mapping.map(mask) } else { mask };
    ace.clone().with_mask(mask)?.with_sid(*sid).map(Some)
}

/// Without the rights that objects of this kind do not know.
fn within_rights(ace: Ace, object: ObjectKind) -> Result<Ace, SecurityError> {
    let known = if ace.ace_type().is_allow() || ace.ace_type().is_deny() {
        object.mapping.all
    } else {
        // Reading the SACL is a right that can be audited.
        object.mapping.all | AccessMask::ACCESS_SYSTEM_SECURITY
    };
    match ace.mask() {
        Some(mask) if ace.ace_type().holds_rights() => ace.with_mask(mask & known),
        _ => Ok(ace),
    }
}

/// Whether `ace` says all that `other` says about the object, flags of inheritance apart.
fn says_all(ace: &Ace, other: &Ace) -> bool {
    match (ace.mask(), other.mask()) {
        (Some(mask), Some(asked)) => {
            let audited = other.flags().difference(INHERITANCE);
            mask.contains(asked) && same_but_mask(ace, other) && ace.flags().contains(audited)
        }
        // Nobody knows what an unknown type means, not even that saying it once is enough.
        _ => false,
    }
}

fn same_grant(ace: &Ace, other: &Ace) -> bool {
    ace.mask() == other.mask() && same_but_mask(ace, other)
}

fn same_but_mask(ace: &Ace, other: &Ace) -> bool {
    ace.ace_type() == other.ace_type()
        && ace.sid() == other.sid()
        && ace.object_type() == other.object_type()
        && ace.inherited_object_type() == other.inherited_object_type()
        && ace.data() == other.data()
}

/// To whom an ACE is handed on.
const REACH: AceFlags = AceFlags::OBJECT_INHERIT.union(AceFlags::CONTAINER_INHERIT);
/// Everything about inheritance; the rest says what is audited, and stays.
const INHERITANCE: AceFlags =
    REACH.union(AceFlags::NO_PROPAGATE_INHERIT).union(AceFlags::INHERIT_ONLY).union(AceFlags::INHERITED);

#[cfg(test)]
mod tests {
    use super::{
        super::super::{AceType, Acl, AclState, GenericMapping, SecurityDescriptor},
        *,
    };

    /// What a child that SYSTEM owns and Guests are the group of takes from this DACL.
    fn taken(parent: &str, child: ObjectKind) -> String {
        given(&format!("D:{parent}"), child, |sd| sd.dacl().acl().unwrap().aces().to_vec())
    }

    fn given(parent: &str, child: ObjectKind, list: fn(&SecurityDescriptor) -> Vec<Ace>) -> String {
        let parent: SecurityDescriptor = parent.parse().unwrap();
        let guests = Sid::from_sddl_alias("BG").unwrap();
        let aces = inherited(&list(&parent), child, Some(&well_known::LOCAL_SYSTEM), Some(&guests)).unwrap();
        show(aces)
    }

    fn show(aces: Vec<Ace>) -> String {
        let mut descriptor = SecurityDescriptor::new();
        let acl = Acl::new(aces).unwrap();
        descriptor.set_dacl(AclState::Present(acl));
        descriptor.to_string().split_off(2)
    }

    const FILE: ObjectKind = ObjectKind::FILE;
    const DIRECTORY: ObjectKind = ObjectKind::DIRECTORY;
    const KEY: ObjectKind = ObjectKind::KEY;

    /// Flags of the parent's entry, then those of a directory's and of a file's; `-` for no entry.
    const FLAGS: &[(&str, &str, &str)] = &[
        ("", "-", "-"),
        ("IO", "-", "-"),
        ("NP", "-", "-"),
        ("OI", "OIIOID", "ID"),
        ("CI", "CIID", "-"),
        ("OICI", "OICIID", "ID"),
        ("OINP", "-", "ID"),
        ("CINP", "ID", "-"),
        ("OICINP", "ID", "ID"),
        ("OIIO", "OIIOID", "ID"),
        ("CIIO", "CIID", "-"),
        ("OICIIO", "OICIID", "ID"),
        ("OICINPIO", "ID", "ID"),
        ("OICIID", "OICIID", "ID"),
        ("OICIIOID", "OICIID", "ID"),
    ];

    #[test]
    fn flags_decide_who_takes_what_and_hands_it_on() {
        let entry = |flags: &str| if flags == "-" { String::new() } else { format!("(A;{flags};FR;;;BU)") };
        for (parent, directory, file) in FLAGS {
            assert_eq!(taken(&entry(parent), DIRECTORY), entry(directory), "{parent} on a directory");
            assert_eq!(taken(&entry(parent), FILE), entry(file), "{parent} on a file");
        }
    }

    #[test]
    fn a_key_is_a_container_so_what_is_for_objects_is_handed_down_and_never_in_force() {
        assert_eq!(taken("(A;OI;KR;;;BU)(A;CI;KR;;;BA)", KEY), "(A;OIIOID;KR;;;BU)(A;CIID;KR;;;BA)");
    }

    #[test]
    fn generic_rights_are_what_they_mean_here_and_stay_generic_below() {
        assert_eq!(taken("(A;CI;GA;;;BU)", KEY), "(A;ID;KA;;;BU)(A;CIIOID;GA;;;BU)");
        assert_eq!(taken("(A;OICI;GA;;;BU)", DIRECTORY), "(A;ID;FA;;;BU)(A;OICIIOID;GA;;;BU)");
        assert_eq!(taken("(A;OICI;GRGX;;;BU)", FILE), "(A;ID;0x1200a9;;;BU)");
        assert_eq!(taken("(A;CINP;GA;;;BU)", KEY), "(A;ID;KA;;;BU)");
        let by_kernel = ObjectKind { mapping: GenericMapping::KEY_BY_KERNEL, ..KEY };
        assert_eq!(taken("(A;CINP;GX;;;BU)", by_kernel), "(A;ID;CCSWRPWPRC;;;BU)");
    }

    #[test]
    fn rights_that_the_child_does_not_know_are_left_out() {
        assert_eq!(taken("(A;CI;FA;;;BU)", KEY), "(A;ID;KA;;;BU)(A;CIIOID;FA;;;BU)");
        assert_eq!(taken("(A;OI;0x33f01ff;;;BU)", FILE), "(A;ID;FA;;;BU)");
    }

    #[test]
    fn creators_are_the_childs_owner_and_group_here_and_creators_below() {
        assert_eq!(taken("(A;CI;KR;;;CO)", KEY), "(A;ID;KR;;;SY)(A;CIIOID;KR;;;CO)");
        assert_eq!(taken("(A;OICIIO;FR;;;CG)", FILE), "(A;ID;FR;;;BG)");
        assert_eq!(taken("(A;CI;FR;;;S-1-3-2)", DIRECTORY), "(A;CIID;FR;;;S-1-3-2)", "nobody knows the server");
        let parent: SecurityDescriptor = "D:(A;CI;KR;;;CO)(A;CINP;KR;;;CG)".parse().unwrap();
        let aces = inherited(parent.dacl().acl().unwrap().aces(), KEY, None, None).unwrap();
        assert_eq!(show(aces), "(A;CIIOID;KR;;;CO)", "without an owner only the children can have it");
    }

    #[test]
    fn what_is_granted_already_is_not_granted_again() {
        assert_eq!(taken("(A;CI;KA;;;SY)(A;CIIO;KA;;;CO)", KEY), "(A;CIID;KA;;;SY)(A;CIIOID;KA;;;CO)");
        assert_eq!(taken("(A;CI;KA;;;BU)(A;CI;KR;;;BU)", KEY), "(A;CIID;KA;;;BU)");
        assert_eq!(taken("(A;CI;KR;;;BU)(A;CI;KA;;;BU)", KEY), "(A;CIID;KR;;;BU)(A;CIID;KA;;;BU)");
        assert_eq!(taken("(A;CI;KA;;;BU)(D;CI;KR;;;BU)", KEY), "(A;CIID;KA;;;BU)(D;CIID;KR;;;BU)");
        // In force it is covered, but the earlier one is not handed on to files.
        assert_eq!(taken("(A;CI;FA;;;BU)(A;OICI;FR;;;BU)", DIRECTORY), "(A;CIID;FA;;;BU)(A;OICIIOID;FR;;;BU)");
        assert_eq!(taken("(A;CINP;FA;;;BU)(A;CI;FR;;;BU)", DIRECTORY), "(A;ID;FA;;;BU)(A;CIIOID;FR;;;BU)");
        assert_eq!(taken("(A;OI;FA;;;BU)(A;OI;FR;;;BU)", DIRECTORY), "(A;OIIOID;FA;;;BU)");
    }

    #[test]
    fn conditions_and_types_of_objects_make_entries_differ() {
        let conditional = "(XA;CI;KR;;;BU;(@USER.a == 1))(XA;CI;KR;;;BU;(@USER.a == 2))";
        assert_eq!(taken(conditional, KEY), conditional.replace("CI;", "CIID;"));
        assert_eq!(taken("(XA;CI;KR;;;BU;(@USER.a == 1))(XA;CI;KR;;;BU;(@USER.a == 1))", KEY).matches("XA").count(), 1);
        let class = "bf967aba-0de6-11d0-a285-00aa003049e2";
        let objects = format!("(OA;CI;KR;{class};;BU)(OA;CI;KR;;;BU)");
        assert_eq!(taken(&objects, KEY), objects.replace("CI;", "CIID;"));
    }

    #[test]
    fn what_one_type_of_child_inherits_is_handed_on_and_not_in_force() {
        let class = "bf967aba-0de6-11d0-a285-00aa003049e2";
        let parent = format!("(OA;OICI;KR;;{class};BU)");
        assert_eq!(taken(&parent, KEY), format!("(OA;OICIIOID;KR;;{class};BU)"));
        assert_eq!(taken(&parent, FILE), "");
    }

    #[test]
    fn audits_keep_what_they_watch() {
        let sacl = |text: &str, child| given(text, child, |sd| sd.sacl().acl().unwrap().aces().to_vec());
        assert_eq!(sacl("S:(AU;OICISAFA;GW;;;WD)", FILE), "(AU;IDSAFA;FW;;;WD)");
        assert_eq!(
            sacl("S:(AU;CISA;KA;;;WD)(AU;CIFA;KA;;;WD)", KEY),
            "(AU;CIIDSA;KA;;;WD)(AU;CIIDFA;KA;;;WD)",
            "watching successes does not cover failures"
        );
        assert_eq!(sacl("S:(AU;CISA;0x1000001;;;WD)", KEY), "(AU;CIIDSA;0x1000001;;;WD)");
    }

    #[test]
    fn labels_and_claims_are_no_rights() {
        let sacl = |text: &str, child| given(text, child, |sd| sd.sacl().acl().unwrap().aces().to_vec());
        assert_eq!(sacl("S:(ML;OICI;NWNRNX;;;HI)", FILE), "(ML;ID;NWNRNX;;;HI)");
        let claim = r#"(RA;OICI;;;;WD;("Project",TS,0x0,"Windows","SQL"))"#;
        assert_eq!(sacl(&format!("S:{claim}"), FILE), claim.replace("OICI", "ID"));
        assert_eq!(sacl(&format!("S:{claim}{}", claim.replace("SQL", "IIS")), KEY).matches("RA;OICIID").count(), 2);
        // Bits outside the rights of a file mean something in a trust label.
        assert_eq!(sacl("S:(TL;OICI;0xffffff;;;S-1-19-512-4096)", FILE), "(TL;ID;0xffffff;;;S-1-19-512-4096)");
    }

    #[test]
    fn an_unknown_type_keeps_its_bytes() {
        let acl = [2, 0, 24, 0, 2, 0, 0, 0, 0x77, 0x43, 8, 0, 1, 2, 3, 4, 0x77, 0x43, 8, 0, 1, 2, 3, 4];
        let acl = Acl::parse(&acl).unwrap();
        let aces = inherited(acl.aces(), KEY, None, None).unwrap();
        assert_eq!(show(aces), "(0x77;OICIIDSA;01020304)(0x77;OICIIDSA;01020304)");
        assert_eq!(show(inherited(acl.aces(), FILE, None, None).unwrap()).matches("(0x77;IDSA;01020304)").count(), 2);
    }

    #[test]
    fn a_condition_that_leaves_no_room_for_the_owner_is_an_error() {
        let ace_type = AceType::ACCESS_ALLOWED_CALLBACK;
        let data = vec![0; Ace::MAX_SIZE - 20];
        let ace = Ace::new(ace_type, REACH, AccessMask::KEY_READ, well_known::CREATOR_OWNER, &data).unwrap();
        let owner = well_known::ADMINISTRATORS;
        let error = inherited(&[ace], KEY, Some(&owner), None).unwrap_err();
        assert_eq!(error.to_string(), "ace: size 65536 exceeds the limit of 65532");
    }
}
