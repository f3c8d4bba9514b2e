//! A key's descriptor for people and for machines.

use serde_json::{Value as Json, json};

use super::{super::Accounts, rights};
use crate::security::{
    Ace, AceFlags, AceType, Acl, AclState, Control, DaclKind, ObjectKind, Permission, SecurityDescriptor, Sid, Subject,
};

/// The lines that show a descriptor: owner, group, who may do what, in columns.
#[must_use]
pub fn listing(descriptor: &SecurityDescriptor, accounts: &Accounts) -> Vec<String> {
    let name = |sid: Option<&Sid>| sid.map_or_else(|| "(none)".to_owned(), |sid| named(sid, accounts));
    let mut lines =
        vec![format!("owner  {}", name(descriptor.owner())), format!("group  {}", name(descriptor.group()))];
    let lists = [
        ("access", descriptor.dacl(), Control::DACL_PROTECTED, "everybody may do everything"),
        ("audit", descriptor.sacl(), Control::SACL_PROTECTED, ""),
    ];
    for (title, list, protected, open) in lists {
        let suffix = if descriptor.control().contains(protected) { ", protected: inherits nothing" } else { "" };
        match list {
            AclState::Absent | AclState::Null if open.is_empty() => {}
            AclState::Absent => lines.push(format!("{title}  (no list: {open}){suffix}")),
            AclState::Null => lines.push(format!("{title}  (NULL list: {open}){suffix}")),
            AclState::Present(acl) if acl.aces().is_empty() && open.is_empty() => {}
            AclState::Present(acl) if acl.aces().is_empty() => {
                lines.push(format!("{title}  (empty list: nobody may do anything){suffix}"));
            }
            AclState::Present(acl) => {
                lines.push(format!("{title}{suffix}"));
                lines.extend(table(acl, accounts).into_iter().map(|line| format!("  {line}")));
            }
        }
    }
    lines
}

/// Entries in columns: what kind, who, what, where, whence.
fn table(acl: &Acl, accounts: &Accounts) -> Vec<String> {
    let rows: Vec<[String; 5]> = acl.aces().iter().map(|ace| row(ace, accounts)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths = [width(0), width(1), width(2), width(3), width(4)];
    let line = |row: &[String; 5]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

fn row(ace: &Ace, accounts: &Accounts) -> [String; 5] {
    let who = ace.sid().map_or_else(|| "?".to_owned(), |sid| named(sid, accounts));
    let inherited = if ace.flags().contains(AceFlags::INHERITED) { "inherited" } else { "" };
    [kind(ace), who, rights_of(ace), reach(ace.flags()).to_owned(), inherited.to_owned()]
}

fn kind(ace: &Ace) -> String {
    let condition = if ace.data().is_empty() { "" } else { " if" };
    match ace.ace_type() {
        AceType::SYSTEM_MANDATORY_LABEL => "label".to_owned(),
        AceType::SYSTEM_AUDIT => "audit".to_owned(),
        ace_type if ace_type.is_allow() => format!("allow{condition}"),
        ace_type if ace_type.is_deny() => format!("DENY{condition}"),
        ace_type => format!("type {:#04x}", ace_type.0),
    }
}

fn rights_of(ace: &Ace) -> String {
    let Some(mask) = ace.mask() else { return String::new() };
    match ace.ace_type() {
        AceType::SYSTEM_MANDATORY_LABEL => format!("{:#x}", mask.bits()),
        _ => rights::print(mask),
    }
}

/// To which keys an entry applies.
fn reach(flags: AceFlags) -> &'static str {
    let has = |flag| flags.contains(flag);
    match (has(AceFlags::INHERIT_ONLY), has(AceFlags::CONTAINER_INHERIT), has(AceFlags::NO_PROPAGATE_INHERIT)) {
        (true, true, true) => "subkeys, one level",
        (true, true, false) => "all below",
        (true, false, _) => "no key",
        (false, true, true) => "this key and subkeys, one level",
        (false, true, false) => "this key and all below",
        (false, false, _) => "this key",
    }
}

/// What should be known about a descriptor besides its listing.
#[must_use]
pub fn warnings(descriptor: &SecurityDescriptor, accounts: &Accounts) -> Vec<String> {
    let mut found = Vec::new();
    let everybody = Subject::new(crate::security::well_known::EVERYONE);
    match descriptor.access(&everybody, ObjectKind::KEY).dacl {
        DaclKind::Absent => found.push("no list says who may do what: everybody may do everything".to_owned()),
        DaclKind::Null => found.push("the list is NULL: everybody may do everything".to_owned()),
        DaclKind::Empty => found.push("the list is empty: nobody but the owner gets in".to_owned()),
        DaclKind::Listed => {}
    }
    for (part, missing) in [("owner", descriptor.owner().is_none()), ("group", descriptor.group().is_none())] {
        if missing {
            found.push(format!("there is no {part}, which no key that Windows made lacks"));
        }
    }
    if let AclState::Present(acl) = descriptor.dacl() {
        found.extend(acl.disorder().into_iter().map(|disorder| format!("not in canonical order: {disorder}")));
        for (index, ace) in acl.aces().iter().enumerate().filter(|(_, ace)| ace.ace_type().is_deny()) {
            let (who, what) = (ace.sid().map_or_else(|| "?".to_owned(), |sid| named(sid, accounts)), rights_of(ace));
            found.push(format!("ace {index} denies {who} {what}, whatever other entries grant"));
        }
    }
    found
}

/// What a trustee is still denied of what was granted, and by whom.
pub(super) fn withheld(descriptor: &SecurityDescriptor, granted: &Permission, accounts: &Accounts) -> Vec<String> {
    let wanted = ObjectKind::KEY.mapping.map(granted.mask);
    let access = descriptor.access(&Subject::new(granted.trustee), ObjectKind::KEY);
    let withheld = access.withheld(wanted);
    let denials = access.denials.into_iter().filter(|denial| denial.mask.intersects(withheld));
    denials
        .map(|denial| {
            let whence = if denial.inherited { "an inherited entry" } else { "an entry" };
            format!(
                "{} is still denied {} by {whence} for {} (ace {})",
                named(&granted.trustee, accounts),
                rights::print(denial.mask.intersection(withheld)),
                named(&denial.trustee, accounts),
                denial.index
            )
        })
        .collect()
}

/// The descriptor as JSON: `sddl`, `owner`, `group`, `dacl` (absent, null, empty or listed), `protected`, `entries`,
/// `audit`, `warnings`.
#[must_use]
pub fn to_json(descriptor: &SecurityDescriptor, accounts: &Accounts) -> Json {
    let who = |sid: Option<&Sid>| match sid {
        Some(sid) => json!({ "sid": sid.to_string(), "name": accounts.name(sid) }),
        None => Json::Null,
    };
    let entries = |list: &AclState| -> Json {
        let aces = list.acl().map_or(&[][..], Acl::aces);
        aces.iter().map(|ace| entry(ace, &who(ace.sid()))).collect()
    };
    let state = match descriptor.dacl() {
        AclState::Absent => "absent",
        AclState::Null => "null",
        AclState::Present(acl) if acl.aces().is_empty() => "empty",
        AclState::Present(_) => "listed",
    };
    json!({
        "sddl": descriptor.to_string(),
        "owner": who(descriptor.owner()),
        "group": who(descriptor.group()),
        "dacl": state,
        "protected": descriptor.control().contains(Control::DACL_PROTECTED),
        "entries": entries(descriptor.dacl()),
        "audit": entries(descriptor.sacl()),
        "warnings": warnings(descriptor, accounts),
    })
}

fn entry(ace: &Ace, trustee: &Json) -> Json {
    json!({
        "kind": kind(ace),
        "type": ace.ace_type().0,
        "trustee": trustee,
        "mask": ace.mask().map(|mask| mask.bits()),
        "rights": rights_of(ace),
        "flags": ace.flags().bits(),
        "applies_to": reach(ace.flags()),
        "inherited": ace.flags().contains(AceFlags::INHERITED),
    })
}

/// A name, safe for a terminal.
fn named(sid: &Sid, accounts: &Accounts) -> String {
    crate::name::NameBuf::from(accounts.name(sid)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sd(text: &str) -> SecurityDescriptor {
        text.parse().unwrap()
    }

    #[test]
    fn a_listing_has_columns() {
        let descriptor =
            sd("O:BAG:SYD:PAI(D;;SD;;;BG)(A;CI;KA;;;SY)(A;CIIOID;KA;;;CO)(A;CINPID;KR;;;S-1-5-21-1-2-3-4)");
        assert_eq!(
            listing(&descriptor, &Accounts::new()),
            [
                r"owner  BUILTIN\Administrators",
                r"group  NT AUTHORITY\SYSTEM",
                "access, protected: inherits nothing",
                r"  DENY   BUILTIN\Guests       delete  this key",
                r"  allow  NT AUTHORITY\SYSTEM  full    this key and all below",
                "  allow  CREATOR OWNER        full    all below                        inherited",
                "  allow  S-1-5-21-1-2-3-4     read    this key and subkeys, one level  inherited",
            ]
        );
    }

    #[test]
    fn lists_that_are_none_are_told_apart() {
        let access = |text: &str| listing(&sd(text), &Accounts::new()).pop().unwrap();
        assert_eq!(access("O:BAG:BA"), "access  (no list: everybody may do everything)");
        assert_eq!(access("O:BAG:BAD:NO_ACCESS_CONTROL"), "access  (NULL list: everybody may do everything)");
        assert_eq!(access("O:BAG:BAD:"), "access  (empty list: nobody may do anything)");
        let state = |text: &str| to_json(&sd(text), &Accounts::new())["dacl"].as_str().unwrap().to_owned();
        assert_eq!(state("O:BA"), "absent");
        assert_eq!(state("D:NO_ACCESS_CONTROL"), "null");
        assert_eq!(state("D:"), "empty");
        assert_eq!(state("D:(A;;KR;;;WD)"), "listed");
    }

    #[test]
    fn what_is_dangerous_is_said() {
        let said = |text: &str| warnings(&sd(text), &Accounts::new()).join("\n");
        assert_eq!(said("O:BAG:BAD:(A;;KA;;;BA)"), "");
        assert!(said("O:BAG:BAD:NO_ACCESS_CONTROL").contains("everybody"));
        assert!(said("O:BAG:BAD:").contains("nobody"));
        assert!(said("G:BAD:(A;;KA;;;BA)").contains("no owner"));
        let disordered = said("O:BAG:BAD:(A;;KA;;;BA)(D;;KW;;;BU)");
        assert!(disordered.contains("canonical") && disordered.contains(r"ace 1 denies BUILTIN\Users write"));
    }
}
