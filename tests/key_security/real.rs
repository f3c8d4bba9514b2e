//! Grants on the key trees of real systems, as deep as they go.

use std::{
    collections::{BTreeMap, HashSet},
    fs,
};

use hivesmith::{
    CellOffset, Error, Hive, KeyId, Protocol, RequestError, SecurityChange, SecurityScope,
    security::{ObjectKind, SecurityDescriptor, SecurityError},
};

use crate::{Way, cell, judges, read_for_network_service, say, support::corpus, text};

// Lists of entries that were never marked as inherited, and such that are; small and large.
const NT4: &str = "hives/aiowinreg-nt-SYSTEM";
const XP: &str = "hives/bitcurator-SYSTEM";
const WINDOWS_7: &str = "hives/regipy-SYSTEM";
const SERVICES: &str = r"ControlSet001\Services";

fn grant(descriptor: &mut SecurityDescriptor) -> Result<(), SecurityError> {
    descriptor.grant(&read_for_network_service(), ObjectKind::KEY).map(drop)
}

/// A hive of the corpus.
fn stored(name: &str) -> Option<Vec<u8>> {
    Some(fs::read(corpus()?.join(name)).unwrap_or_else(|error| panic!("{name}: {error}")))
}

/// The bytes of each key node, by where it stands.
fn nodes(hive: &Hive, stored: &[u8]) -> BTreeMap<u32, Vec<u8>> {
    let node = |at: u32| {
        let at = 0x1000 + at as usize;
        let size = i32::from_le_bytes(stored[at..at + 4].try_into().unwrap()).unsigned_abs() as usize;
        stored[at..at + size].to_vec()
    };
    hive.view().walk().map(|walked| cell(walked.unwrap().key)).map(|at| (at, node(at))).collect()
}

#[test]
fn a_grant_travels_down_windows_nt_4_and_touches_nothing_else() {
    let Some(stored) = stored(NT4) else { return };
    for way in Way::ALL {
        granted(NT4, &stored, way, SecurityScope::Inheriting);
    }
    granted(NT4, &stored, Way::Log, SecurityScope::Tree);
}

#[test]
fn a_grant_travels_down_windows_xp_and_touches_nothing_else() {
    let Some(stored) = stored(XP) else { return };
    for way in Way::ALL {
        granted(XP, &stored, way, SecurityScope::Inheriting);
    }
}

/// The judges take seconds for so large a hive.
#[test]
fn a_grant_travels_down_windows_7_and_touches_nothing_else() {
    let Some(stored) = stored(WINDOWS_7) else { return };
    for way in [Way::Log, Way::Steps] {
        granted(WINDOWS_7, &stored, way, SecurityScope::Inheriting);
    }
}

fn granted(system: &str, stored: &[u8], way: Way, scope: SecurityScope) {
    let mut hive = way.open(stored);
    let before = nodes(&hive, stored);
    let old = judges::own(hive.view());
    let mut txn = hive.begin().unwrap();
    let services = txn.find(&SERVICES.into()).unwrap().unwrap();
    let changes = match txn.edit_security(services, scope, grant) {
        // No two neighbours of its ring share a sector. The program takes its journal then.
        Err(Error::Request(RequestError::Uncommittable(why))) if way == Way::Steps => {
            txn.commit().unwrap();
            assert!(stored.starts_with(&hive.to_bytes()), "{system}: refused, and changed");
            say(&format!("{system}, {way:?}: {why}"));
            return;
        }
        changes => changes.unwrap(),
    };
    assert!(changes.len() > 100, "{system}: {} keys change", changes.len());
    assert_eq!(txn.edit_security(services, scope, grant).unwrap(), [], "{system}: a second time");
    let new = txn.create_key(services, r"hivesmith\Parameters").unwrap();
    let new = [new, txn.view().key_by_id(new).unwrap().parent().unwrap().unwrap().id()].map(KeyId::offset);
    let protocol = txn.commit().unwrap().protocol;
    match way {
        Way::Steps => assert_eq!(protocol, Protocol::Stepwise),
        Way::Journal => assert!(matches!(protocol, Protocol::Stepwise | Protocol::Redo)),
        _ => {}
    }

    let after_bytes = hive.to_bytes();
    let after = nodes(&hive, &after_bytes);
    let moved = way.may_leave_records() && before.keys().any(|at| !after.contains_key(at));
    untouched(&before, &after, &changes, new, moved);
    explained(&hive, &changes, moved);
    judged(system, stored, &after_bytes, way);

    // All readers see what is there, and what is there is what was said.
    let seen = judges::own(hive.view());
    let differ = seen.iter().filter(|(path, now)| old.get(*path).is_some_and(|then| then != *now)).count();
    assert_eq!(differ, changes.len(), "{system}");
    let small = after_bytes.len() < 4 << 20;
    for reader in ["regf", "python-registry"].iter().take(if small { 2 } else { 1 }) {
        if let Some(other) = judges::descriptors(reader, &after_bytes) {
            assert!(other == seen, "{system}, {way:?}: {reader} sees other descriptors");
        }
    }
    let top = text(hive.view(), SERVICES);
    assert!(top.contains("(A;CI;KR;;;NS)"), "{top}");
    if let Some([_, _, dacl]) = judges::reglookup(&after_bytes, SERVICES) {
        assert!(dacl.contains("S-1-5-20:ALLOW:QRY_VAL ENUM_KEYS NOTIFY R_CONT:CI"), "{dacl}");
        let made = format!(r"{SERVICES}\hivesmith\Parameters");
        let [owner, group, dacl] = judges::reglookup(&after_bytes, &made).expect("reglookup sees the new key");
        let new = hive.view().key(&made).unwrap().unwrap().security().unwrap().descriptor().unwrap();
        assert_eq!(Some(&owner.parse().unwrap()), new.owner());
        assert_eq!(Some(&group.parse().unwrap()), new.group());
        assert!(dacl.contains("S-1-5-20:ALLOW:QRY_VAL ENUM_KEYS NOTIFY R_CONT:CI"), "{dacl}");
        assert_eq!(dacl.matches(":ALLOW:").count(), new.dacl().acl().unwrap().aces().len());
    }
    say(&format!("{system}, {way:?}, {scope:?}: {} of {} keys have another descriptor", changes.len(), seen.len()));
}

/// Keys that were not said to change are byte for byte what they were, but for the lists and times of the parents of new
/// keys. In those that were, record and time stamp are other ones and nothing else.
fn untouched(
    before: &BTreeMap<u32, Vec<u8>>,
    after: &BTreeMap<u32, Vec<u8>>,
    changes: &[SecurityChange],
    new: [CellOffset; 2],
    moved: bool,
) {
    let changed: HashSet<u32> = changes.iter().map(|change| change.key.offset().0).collect();
    let mut other = Vec::new();
    for (at, old) in before {
        let Some(now) = after.get(at) else {
            assert!(moved, "a key is gone");
            continue;
        };
        if changed.contains(at) {
            let rest = |node: &[u8]| [&node[..8], &node[0x10..0x18], &node[0x34..]].concat();
            if rest(old) != rest(now) {
                other.push(*at);
            }
        } else if old != now {
            other.push(*at);
        }
    }
    // The parent of the new key has another list, which holds one key more.
    assert!(moved || other.len() <= 1, "{} keys were touched besides", other.len());
    let made = after.keys().filter(|at| !before.contains_key(at)).count();
    assert!(moved || made == new.len(), "{made} keys are new");
}

/// What the hive holds is what the changes say.
fn explained(hive: &Hive, changes: &[SecurityChange], moved: bool) {
    for change in changes {
        match hive.view().key_by_id(change.key) {
            Ok(key) => assert_eq!(key.security().unwrap().bytes(), &change.after[..]),
            Err(_) => assert!(moved),
        }
        assert_ne!(change.before, change.after);
    }
}

/// The check and the independent judge find nothing that was not there before; counts of references are among that.
fn judged(system: &str, before: &[u8], after: &[u8], way: Way) {
    let report = Hive::from_bytes(after.to_vec()).unwrap().view().check();
    assert!(report.editable(), "{system}: {report:?}");
    let (Some(old), Some(new)) = (judges::findings(before), judges::findings(after)) else { return };
    for (rule, count) in new {
        // Without a log an unused record cannot always be unlinked; Windows tolerates that.
        let unused = way.may_leave_records() && rule == "S6";
        assert!(unused || old.get(&rule).is_some_and(|before| *before >= count), "{system}, {way:?}: {count} {rule}");
    }
}

/// Descriptors are not all that a hive holds: keys and values are what they were.
#[test]
fn keys_and_values_stay_what_they_were_for_hivex() {
    let Some(stored) = stored(XP) else { return };
    let mut hive = Way::Log.open(&stored);
    let mut txn = hive.begin().unwrap();
    let root = txn.root();
    let keys = txn.view().walk().count();
    let changes = txn.edit_security(root, SecurityScope::Tree, grant).unwrap();
    assert_eq!(changes.len(), keys, "every key has the entry");
    txn.commit().unwrap();
    let (before, after) = (judges::hivex(&stored), judges::hivex(&hive.to_bytes()));
    assert!(before == after, "hivex reads something else");
}
