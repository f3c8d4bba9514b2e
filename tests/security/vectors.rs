//! Real descriptors, SDDL, and what keys inherit.

use hivesmith::security::{
    AceFlags, AceType, Acl, Edited, Entries, GenericMapping, Inherited, ListKind, NewObject, ObjectKind, Permission,
    SddlContext, SecurityDescriptor, SecurityError, Sid, propagate, validate, well_known,
};

use crate::{INHERITED, INVALID, REAL, SDDL, bytes, items, load, say, text};

#[test]
fn descriptors_of_real_hives_survive_and_print() {
    let Some(vectors) = load("sd-real.json") else { return };
    let mut failures = Vec::new();
    for (index, item) in items(&vectors, REAL).iter().enumerate() {
        let stored = bytes(item, "hex");
        if let Err(error) = validate(&stored) {
            failures.push(format!("{index}: refused: {error}"));
            continue;
        }
        let descriptor = SecurityDescriptor::parse(&stored).unwrap();
        if descriptor.to_bytes() != stored {
            failures.push(format!("{index}: bytes differ"));
        }
        let printed = descriptor.to_sddl().unwrap();
        assert_eq!(printed, descriptor.to_string());
        if printed != text(item, "sddl") {
            failures.push(format!("{index}: printed {printed}, not {}", text(item, "sddl")));
        }
        let canonical = printed.parse::<SecurityDescriptor>().unwrap();
        if canonical.to_bytes() != bytes(item, "canonical_hex") {
            failures.push(format!("{index}: the text gives other bytes"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    say(&format!("sd-real.json: {} descriptors kept, printed and read back", items(&vectors, REAL).len()));
}

/// A change of one part rebuilds the descriptor; undone, the lists are still stored as they were.
#[test]
fn an_edit_leaves_the_lists_of_real_descriptors_as_they_are() {
    let Some(vectors) = load("sd-real.json") else { return };
    for (index, item) in items(&vectors, REAL).iter().enumerate() {
        let stored = bytes(item, "hex");
        let mut descriptor = SecurityDescriptor::parse(&stored).unwrap();
        let owner = descriptor.owner().copied();
        descriptor.set_owner(None);
        descriptor.set_owner(owner);
        assert_eq!(descriptor.to_bytes(), stored, "{index}");
    }
    say(&format!("sd-real.json: {} descriptors rebuilt from their parts", items(&vectors, REAL).len()));
}

#[test]
fn sddl_gives_the_bytes_and_the_bytes_give_the_canonical_text() {
    let Some(vectors) = load("sddl.json") else { return };
    let domain: Sid = text(&vectors, "domain_sid").parse().unwrap();
    let machine: Sid = text(&vectors, "machine_sid").parse().unwrap();
    let context = SddlContext::default().with_domain(domain).with_machine(machine);
    let mut failures = Vec::new();
    for item in items(&vectors, SDDL) {
        let (id, sddl, canonical, stored) =
            (text(item, "id"), text(item, "sddl"), text(item, "canonical"), bytes(item, "hex"));
        match SecurityDescriptor::from_sddl(sddl, &context) {
            Ok(descriptor) if descriptor.to_bytes() == stored => (),
            Ok(descriptor) => failures.push(format!("{id}: {sddl}: gave {:02x?}", descriptor.to_bytes())),
            Err(error) => failures.push(format!("{id}: {sddl}: {error}")),
        }
        validate(&stored).unwrap();
        let descriptor = SecurityDescriptor::parse(&stored).unwrap();
        assert_eq!(descriptor.to_bytes(), stored, "{id}");
        match descriptor.to_sddl() {
            Ok(printed) if printed == canonical => (),
            Ok(printed) => failures.push(format!("{id}: printed {printed}, not {canonical}")),
            Err(error) => failures.push(format!("{id}: {error}")),
        }
        match SecurityDescriptor::from_sddl(canonical, &context) {
            Ok(again) if again == descriptor => (),
            other => failures.push(format!("{id}: canonical {canonical}: {other:?}")),
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    say(&format!("sddl.json: {} texts read, printed and read again", items(&vectors, SDDL).len()));
}

#[test]
fn malformed_sddl_is_refused_at_its_position() {
    let Some(vectors) = load("sddl-invalid.json") else { return };
    for item in items(&vectors, INVALID) {
        let (sddl, why) = (text(item, "sddl"), text(item, "why"));
        match sddl.parse::<SecurityDescriptor>() {
            Err(error @ SecurityError::Sddl { position, .. }) => {
                assert!(position <= sddl.len(), "{sddl}: position {position}");
                println!("{why:<40} {sddl}\n{:>41}{}^ {error}", "", " ".repeat(position));
            }
            other => panic!("{sddl} ({why}): {other:?}"),
        }
    }
    say(&format!("sddl-invalid.json: {} texts refused", items(&vectors, INVALID).len()));
}

/// What Windows gave a key from its parent is what a new key gets, and what an existing one gets back.
#[test]
fn keys_inherit_what_windows_gave_them() {
    let Some(vectors) = load("inherit-key.json") else { return };
    let mut failures = Vec::new();
    for (index, item) in items(&vectors, INHERITED).iter().enumerate() {
        let mapping = match text(item, "mapping") {
            "user" => GenericMapping::KEY,
            "kernel" => GenericMapping::KEY_BY_KERNEL,
            other => panic!("{index}: mapping {other}"),
        };
        let kind = ObjectKind { mapping, ..ObjectKind::KEY };
        let (explicit, inherited) = (text(item, "child_explicit"), text(item, "child_inherited"));
        let parent: SecurityDescriptor = format!("D:{}", text(item, "parent_dacl")).parse().unwrap();
        let who = format!("O:{}G:{}", text(item, "owner"), text(item, "group"));
        let child: SecurityDescriptor = format!("{who}D:AI{explicit}{inherited}").parse().unwrap();

        let (owner, group) = (*child.owner().unwrap(), *child.group().unwrap());
        let new = NewObject::new(kind).below(&parent).owned_by(owner).in_group(group).auto_inherit(true);
        let new = new.descriptor().unwrap();
        let expected: SecurityDescriptor = format!("{who}D:AI{inherited}").parse().unwrap();
        if new != expected {
            failures.push(format!("{index}: a new key gets\n  {new}, not\n  {expected}"));
        }

        // With inherited entries of another parent, and with none: the same comes back. With the right ones: nothing to
        // do.
        for stale in ["(A;CIID;KA;;;WD)(D;ID;KW;;;BG)", ""] {
            let before: SecurityDescriptor = format!("{who}D:AI{explicit}{stale}").parse().unwrap();
            let after = propagate(&parent, &before, kind, ListKind::Dacl).unwrap();
            if after.descriptor != child || after.inherited != Inherited::Replaced {
                failures.push(format!("{index}: {:?}, gets\n  {}, not\n  {child}", after.inherited, after.descriptor));
            }
        }
        let stored = child.to_bytes();
        let again = propagate(&parent, &SecurityDescriptor::parse(&stored).unwrap(), kind, ListKind::Dacl).unwrap();
        if again.changed() || again.descriptor.to_bytes() != stored {
            failures.push(format!("{index}: not left alone"));
        }
    }
    assert!(failures.is_empty(), "{} of {INHERITED} differ:\n{}", failures.len(), failures.join("\n"));
    say(&format!("inherit-key.json: {INHERITED} of {INHERITED} keys inherit as on Windows"));
}

/// No edit that has nothing to do touches a byte of a real descriptor, whatever its layout.
#[test]
fn edits_without_effect_keep_real_descriptors_byte_for_byte() {
    let Some(vectors) = load("sd-real.json") else { return };
    let mut granted = 0;
    for (index, item) in items(&vectors, REAL).iter().enumerate() {
        let stored = bytes(item, "hex");
        let mut descriptor = SecurityDescriptor::parse(&stored).unwrap();
        let nobody: Sid = "S-1-5-21-1-2-3-4".parse().unwrap();
        assert!(!descriptor.remove(&nobody, Entries::All).unwrap().changed(), "{index}");
        assert!(!descriptor.substitute(&nobody, &nobody).unwrap(), "{index}");
        assert!(!descriptor.change_owner(*descriptor.owner().unwrap()), "{index}");
        for ace in descriptor.dacl().acl().map(Acl::aces).unwrap_or_default().to_vec() {
            // What an own entry says already; of those that are stored as they are asked for.
            let creators = [well_known::CREATOR_OWNER, well_known::CREATOR_GROUP];
            let (Some(&trustee), Some(mask)) = (ace.sid(), ace.mask()) else { continue };
            let plain = ace.flags().intersection(INHERITANCE) == ace.flags() && mask.bits() < 0x1000_0000;
            if ace.ace_type() == AceType::ACCESS_ALLOWED && plain && !creators.contains(&trustee) {
                let same = Permission::new(trustee, mask).handed_on(ace.flags());
                assert_eq!(descriptor.grant(&same, ObjectKind::KEY), Ok(Edited::Unchanged), "{index}: {ace:?}");
                granted += 1;
            }
        }
        assert_eq!(descriptor.to_bytes(), stored, "{index}");
    }
    assert!(granted > REAL, "only {granted} entries were granted again");
    say(&format!("sd-real.json: {REAL} of {REAL} descriptors unchanged, {granted} entries granted again"));
}

const INHERITANCE: AceFlags = AceFlags::OBJECT_INHERIT
    .union(AceFlags::CONTAINER_INHERIT)
    .union(AceFlags::NO_PROPAGATE_INHERIT)
    .union(AceFlags::INHERIT_ONLY);
