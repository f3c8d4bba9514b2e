//! What `icacls` printed on Windows.

use hivesmith::{
    command::{
        Accounts,
        icacls::{listing, parse_permission},
    },
    security::{AccessMask, Ace, AceFlags, AceType, Acl, AclState, ObjectKind, SecurityDescriptor, well_known},
};
use serde_json::Value;

use crate::{list, load, say, text};

fn with(ace: Ace) -> SecurityDescriptor {
    let mut descriptor = SecurityDescriptor::new();
    descriptor.set_dacl(AclState::Present(Acl::new(vec![ace]).unwrap()));
    descriptor
}

fn mask(item: &Value) -> AccessMask {
    let digits = text(item, "mask").strip_prefix("0x").unwrap();
    AccessMask::from_bits_retain(u32::from_str_radix(digits, 16).unwrap())
}

#[test]
fn rights_are_listed_as_windows_lists_them() {
    let Some(vectors) = load("icacls-display.json") else { return };
    let mut seen = 0;
    for item in list(&vectors, "rights", RIGHTS) {
        let ace_type = match text(item, "ace_type") {
            "A" => AceType::ACCESS_ALLOWED,
            "D" => AceType::ACCESS_DENIED,
            "XA" => AceType::ACCESS_ALLOWED_CALLBACK,
            other => panic!("ace type {other}"),
        };
        let ace = Ace::new(ace_type, AceFlags::empty(), mask(item), well_known::EVERYONE, &[]).unwrap();
        let rights = text(item, "rights");
        // All rights denied are shown without the word.
        let deny = if ace_type == AceType::ACCESS_DENIED && rights != "N" { "(DENY)" } else { "" };
        assert_eq!(listing("x", &with(ace), &Accounts::new()), [format!("x Everyone:{deny}({rights})")], "{item}");
        seen += usize::from(item["seen_on_windows"] == true);
    }
    assert_eq!(seen, RIGHTS_SEEN, "how many of them were seen on Windows");
    say(&format!("icacls-display.json: {RIGHTS} of {RIGHTS} masks listed, {seen} of them seen on Windows"));
}

/// What is listed can be granted again: with the same rights, but for two letters that mean more there.
#[test]
fn listed_rights_are_read_back() {
    let Some(vectors) = load("icacls-display.json") else { return };
    let mut read = 0;
    for item in list(&vectors, "rights", RIGHTS) {
        let (rights, mask) = (text(item, "rights"), mask(item));
        let permission = parse_permission(&format!("Everyone:({rights})"), &Accounts::new()).unwrap();
        let expected = match rights {
            "F" => AccessMask::FILE_ALL,
            "N" => AccessMask::empty(),
            _ if rights.split(',').any(|right| right == "D") => mask | AccessMask::SYNCHRONIZE,
            _ => mask,
        };
        assert_eq!(permission.mask, expected, "{item}");
        read += 1;
    }
    assert_eq!(read, RIGHTS);
}

#[test]
fn listings_are_those_of_windows() {
    let Some(vectors) = load("icacls-display.json") else { return };
    for item in list(&vectors, "listings", LISTINGS) {
        let lines: Vec<_> = item["lines"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
        let descriptor: SecurityDescriptor = text(item, "sddl").parse().unwrap();
        assert_eq!(listing(text(item, "path"), &descriptor, &Accounts::new()), lines);
    }
    let order: Vec<_> = list(&vectors, "flag_order", 7).iter().map(|flag| flag.as_str().unwrap()).collect();
    let flags = AceFlags::from_bits_retain(0x1F);
    let ace = Ace::deny(flags, AccessMask::FILE_READ, well_known::EVERYONE);
    let expected = format!("x Everyone:{}", order.concat().replace("rights", "R"));
    assert_eq!(listing("x", &with(ace), &Accounts::new()), [expected]);
    say(&format!("icacls-display.json: {LISTINGS} of {LISTINGS} listings printed, and the order of the flags"));
}

/// The documented procedure for the keys of the machine, on the states in which such files are found.
#[test]
fn the_grants_for_machine_keys_bring_back_the_usual_state() {
    let accounts = Accounts::new();
    let usual = "O:BAG:SYD:PAI(A;;FA;;;BA)(A;;FR;;;NS)(A;;FA;;;SY)";
    for (before, after) in [
        ("O:SYG:SYD:PAI", usual),
        ("O:SYG:SYD:PAI(A;;FR;;;NS)", "O:BAG:SYD:PAI(A;;FA;;;BA)(A;;FA;;;SY)(A;;FR;;;NS)"),
        ("O:SYG:SYD:AI(A;ID;FA;;;WD)", "O:BAG:SYD:AI(A;;FA;;;BA)(A;;FR;;;NS)(A;;FA;;;SY)(A;ID;FA;;;WD)"),
        ("O:SYG:SYD:PAI(D;;FA;;;WD)", "O:BAG:SYD:PAI(D;;FA;;;WD)(A;;FA;;;BA)(A;;FR;;;NS)(A;;FA;;;SY)"),
        ("O:SYG:SYD:NO_ACCESS_CONTROL", "O:BAG:SYD:NO_ACCESS_CONTROL"),
        (usual, usual),
    ] {
        let mut descriptor: SecurityDescriptor = before.parse().unwrap();
        descriptor.change_owner(well_known::ADMINISTRATORS);
        for grant in ["NT AUTHORITY\\System:(F)", "NT AUTHORITY\\NETWORK SERVICE:(R)", "BUILTIN\\Administrators:(F)"] {
            let permission = parse_permission(grant, &accounts).unwrap();
            let edited = descriptor.grant(&permission, ObjectKind::FILE).unwrap();
            assert!(edited.changed() || before == usual || before.contains("NO_ACCESS") || before.contains("FR;;;NS"));
        }
        assert_eq!(descriptor.to_string(), after, "{before}");
    }
}

const RIGHTS: usize = 39;
const RIGHTS_SEEN: usize = 28;
const LISTINGS: usize = 4;
