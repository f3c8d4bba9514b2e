//! What new keys inherit, in hives small enough to be seen whole.

use hivesmith::{Error, Hive, NewHive, RequestError, SecurityScope, ValueType, Version};

use hivesmith::edit::NewKey;

use crate::{Way, bytes, cell, text};

fn with_root(sddl: &str) -> Hive {
    NewHive::new(Version::V1_5).descriptor(bytes(sddl)).create().unwrap()
}

/// The records of all keys, each with its count of references and its true users.
fn shared(hive: &Hive) -> Vec<(u32, u32)> {
    let mut records = std::collections::BTreeMap::new();
    for walked in hive.view().walk() {
        let security = walked.unwrap().key.security().unwrap();
        records.entry(security.offset()).or_insert((security.references(), 0)).1 += 1;
    }
    records.into_values().collect()
}

#[test]
fn a_new_key_takes_what_its_parent_hands_on_and_nothing_else() {
    let mut hive = with_root("O:BAG:SYD:PAI(A;;KR;;;BU)(A;CI;KA;;;SY)(A;CI;KA;;;BA)(A;CIIO;KA;;;CO)(A;CINP;KR;;;AU)");
    let mut txn = hive.begin().unwrap();
    txn.create_key(txn.root(), r"one\two\three").unwrap();
    txn.commit().unwrap();
    let below = "O:BAG:SYD:AI(A;CIID;KA;;;SY)(A;CIID;KA;;;BA)(A;CIIOID;KA;;;CO)";
    assert_eq!(text(hive.view(), "one"), format!("{below}(A;ID;KR;;;AU)"));
    assert_eq!(text(hive.view(), r"one\two"), below, "one level only");
    assert_eq!(text(hive.view(), r"one\two\three"), below);
    assert_eq!(shared(&hive), [(1, 1), (1, 1), (2, 2)]);
    assert!(hive.view().check().is_clean());
}

#[test]
fn what_is_inherited_unchanged_is_the_parents_record() {
    let mut hive = with_root("O:BAG:SYD:AI(A;CIID;KA;;;SY)(A;CIIOID;GA;;;CO)(A;ID;KA;;;BA)");
    let mut txn = hive.begin().unwrap();
    for name in ["a", "b", r"a\c", r"a\c\d"] {
        txn.create_key(txn.root(), name).unwrap();
    }
    txn.commit().unwrap();
    let cells = |path: &str| hive.view().key(path).unwrap().unwrap().security().unwrap().offset();
    assert_ne!(cells(""), cells("a"), "what CREATOR OWNER is given is in force below");
    assert_eq!(cells("a"), cells("b"));
    assert_eq!(text(hive.view(), "a"), "O:BAG:SYD:AI(A;CIID;KA;;;SY)(A;ID;KA;;;BA)(A;CIIOID;GA;;;CO)");
    assert_eq!([cells(r"a\c"), cells(r"a\c\d")], [cells("a"); 2]);
    assert_eq!(shared(&hive), [(1, 1), (4, 4)]);
}

/// Boot stores are like this: Windows gives each of their keys its descriptor, and nothing is handed on.
#[test]
fn a_parent_that_hands_nothing_on_shares_its_descriptor() {
    for root in ["O:BAG:SYD:(A;;CCSWRPRCWD;;;BA)(A;;KA;;;SY)", "O:BAG:SYD:NO_ACCESS_CONTROL", "O:BAG:SYD:", "O:BAG:SY"]
    {
        let mut hive = with_root(root);
        let mut txn = hive.begin().unwrap();
        txn.create_key(txn.root(), r"Objects\{9dea862c-5cdd-4e70-acc1-f32b344d4795}\Elements").unwrap();
        txn.commit().unwrap();
        assert_eq!(shared(&hive), [(4, 4)], "{root}");
        assert!(hive.view().check().is_clean());
    }
}

#[test]
fn owner_and_group_are_the_parents_and_never_missing() {
    let mut hive = with_root("O:S-1-5-21-1-2-3-1001G:S-1-5-21-1-2-3-513D:(A;CI;KA;;;CO)");
    let mut txn = hive.begin().unwrap();
    txn.create_key(txn.root(), "a").unwrap();
    let orphan = txn.create_key_with_security(txn.root(), "orphan", &bytes("D:(A;CI;KA;;;SY)")).unwrap();
    txn.create_key(orphan, "below").unwrap();
    txn.commit().unwrap();
    assert_eq!(
        text(hive.view(), "a"),
        "O:S-1-5-21-1-2-3-1001G:S-1-5-21-1-2-3-513D:(A;;KA;;;S-1-5-21-1-2-3-1001)(A;CIIO;KA;;;CO)"
    );
    assert_eq!(text(hive.view(), r"orphan\below"), "O:BAG:SYD:(A;CI;KA;;;SY)");
}

#[test]
fn a_key_may_have_a_descriptor_of_its_own_from_the_start() {
    let own = bytes("O:SYG:SYD:P(A;;KA;;;SY)");
    for way in Way::ALL {
        let mut hive = way.open(&with_root("O:BAG:SYD:(A;CI;KA;;;BA)").to_bytes());
        let mut txn = hive.begin().unwrap();
        let made = txn.create_key_with_security(txn.root(), r"Policy\Secrets", &own).unwrap();
        let again = txn.create_key_with_security(txn.root(), r"policy\SECRETS", &own);
        assert!(matches!(again, Err(Error::Request(RequestError::AlreadyExists(_)))));
        // The same again is the same record.
        txn.create_key_with_security(txn.root(), "Secrets", &own).unwrap();
        let bad = txn.create_key_with_security(txn.root(), "Bad", b"no descriptor");
        assert!(matches!(bad, Err(Error::Security(_))));
        txn.create_key(made, "below").unwrap();
        txn.commit().unwrap();
        assert_eq!(text(hive.view(), "Policy"), "O:BAG:SYD:(A;CI;KA;;;BA)", "{way:?}");
        assert_eq!(text(hive.view(), r"Policy\Secrets"), "O:SYG:SYD:P(A;;KA;;;SY)");
        assert_eq!(text(hive.view(), r"Policy\Secrets\below"), "O:SYG:SYD:P(A;;KA;;;SY)", "nothing is handed on");
        assert!(hive.view().key("Bad").unwrap().is_none());
        assert!(hive.view().check().is_clean());
        assert_eq!(shared(&hive), [(2, 2), (3, 3)]);
    }
}

/// A key that is made with all it holds is visible at once also where single steps make it so.
#[test]
fn all_levels_of_a_new_tree_inherit_at_once() {
    let root = "O:BAG:SYD:P(A;CI;KA;;;BA)(A;CINP;KR;;;BU)";
    let leaf = || NewKey::new().value("Element", ValueType::DWORD, [1, 0, 0, 0]);
    let tree = NewKey::new().subkey("a", NewKey::new().subkey("a1", leaf()).subkey("a2", leaf())).subkey("b", leaf());
    for way in Way::ALL {
        let mut hive = way.open(&with_root(root).to_bytes());
        let mut txn = hive.begin().unwrap();
        txn.create_tree(r"x\y", &tree).unwrap();
        txn.commit().unwrap();
        assert_eq!(text(hive.view(), "x"), "O:BAG:SYD:(A;CI;KA;;;BA)(A;;KR;;;BU)", "{way:?}");
        for path in [r"x\y", r"x\y\a", r"x\y\b", r"x\y\a\a1", r"x\y\a\a2"] {
            assert_eq!(text(hive.view(), path), "O:BAG:SYD:(A;CI;KA;;;BA)", "{path}");
        }
        assert!(hive.view().check().is_clean(), "{:?}", hive.view().check());
        assert_eq!(shared(&hive), [(1, 1), (1, 1), (5, 5)]);
    }
}

/// What a record handed on is forgotten with it: another one may stand in its place.
#[test]
fn what_was_known_of_a_descriptor_goes_with_it() {
    let mut hive = with_root("O:BAG:SYD:P(A;CI;KA;;;BA)");
    let mut txn = hive.begin().unwrap();
    let first = txn.create_key(txn.root(), "first").unwrap();
    let savepoint = txn.savepoint();
    txn.create_key(first, "below").unwrap();
    txn.rollback_to(savepoint).unwrap();
    txn.delete_tree(first).unwrap();
    // The same length, so that it stands where the other one stood.
    let other = txn.create_key_with_security(txn.root(), "other", &bytes("O:BAG:SYD:(A;CI;KR;;;BU)")).unwrap();
    txn.create_key(other, "below").unwrap();
    txn.create_key(txn.root(), "again").unwrap();
    txn.commit().unwrap();
    assert_eq!(text(hive.view(), r"other\below"), "O:BAG:SYD:(A;CI;KR;;;BU)");
    assert_eq!(text(hive.view(), "again"), "O:BAG:SYD:(A;CI;KA;;;BA)");
    assert!(hive.view().check().is_clean());
    assert_eq!(shared(&hive).iter().map(|record| record.1).sum::<u32>(), 4);
}

/// Without a log a record can be linked in only between two that share a sector. Where no two do, the reason is said,
/// nothing is changed, and what needs no new record still works.
#[test]
fn what_single_steps_cannot_carry_is_refused_with_the_reason() {
    let mut hive = with_root("O:BAG:SYD:P(A;CI;KA;;;BA)");
    let mut txn = hive.begin().unwrap();
    // Two records far apart, and no others.
    for filler in 0..60 {
        txn.set_value_bytes(txn.root(), format!("{filler}"), ValueType::BINARY, &[0; 100]).unwrap();
    }
    txn.create_key_with_security(txn.root(), "far", &bytes("O:SYG:SYD:P(A;;KA;;;SY)")).unwrap();
    txn.commit().unwrap();
    let before = hive.to_bytes();
    let mut hive = Way::Steps.open(&before);
    let mut txn = hive.begin().unwrap();
    let refused = txn.create_key(txn.root(), "new").unwrap_err();
    assert!(matches!(&refused, Error::Request(RequestError::Uncommittable(why)) if why.contains("descriptor")));
    let grant = |sd: &mut hivesmith::security::SecurityDescriptor| {
        sd.grant(&crate::read_for_network_service(), hivesmith::security::ObjectKind::KEY).map(drop)
    };
    let refused = txn.edit_security(txn.root(), SecurityScope::Inheriting, grant).unwrap_err();
    assert!(matches!(&refused, Error::Request(RequestError::Uncommittable(why)) if why.contains("log")));
    let far = txn.find(&"far".into()).unwrap().unwrap();
    txn.create_key(far, "below").unwrap();
    txn.commit().unwrap();
    assert_eq!(text(hive.view(), r"far\below"), "O:SYG:SYD:P(A;;KA;;;SY)");
    assert!(hive.view().key("new").unwrap().is_none());
    assert!(hive.view().check().is_clean());
}

/// Any number of new records needs one place to be linked in.
#[test]
fn single_steps_carry_many_new_descriptors_of_one_edit() {
    let mut hive = with_root("O:BAG:SYD:P(A;CI;KA;;;BA)");
    let mut txn = hive.begin().unwrap();
    for number in 0..20 {
        // Each has an entry of its own besides.
        let own = format!("O:BAG:SYD:AI(A;;KR;;;S-1-5-21-1-2-3-{number})(A;CIID;KA;;;BA)");
        txn.create_key_with_security(txn.root(), format!("{number}").as_str(), &bytes(&own)).unwrap();
    }
    txn.commit().unwrap();
    let mut hive = Way::Steps.open(&hive.to_bytes());
    let mut txn = hive.begin().unwrap();
    let changes = txn
        .edit_security(txn.root(), SecurityScope::Inheriting, |sd| {
            sd.grant(&crate::read_for_network_service(), hivesmith::security::ObjectKind::KEY).map(drop)
        })
        .unwrap();
    assert_eq!(changes.len(), 21);
    assert!(changes.windows(2).all(|pair| pair[0].key != pair[1].key));
    txn.commit().unwrap();
    let report = hive.view().check();
    assert!(report.findings.iter().all(|finding| finding.rule.to_string() == "S6"), "{report:?}");
    for number in 0..20 {
        let after = text(hive.view(), &format!("{number}"));
        assert_eq!(after, format!("O:BAG:SYD:AI(A;;KR;;;S-1-5-21-1-2-3-{number})(A;CIID;KR;;;NS)(A;CIID;KA;;;BA)"));
    }
    assert!(hive.view().walk().all(|walked| cell(walked.unwrap().key) != 0));
}

/// Some boot stores hold entries that would be handed on, and keys below that have not inherited them.
#[test]
fn new_keys_of_a_boot_store_share_whatever_is_handed_on() {
    let mut hive = with_root("O:BAG:SYD:AI(A;OICI;KA;;;BA)");
    let mut txn = hive.begin().unwrap();
    txn.create_key(txn.root(), "Description").unwrap();
    txn.create_key(txn.root(), "Objects").unwrap();
    assert_eq!(text(txn.view(), "Objects"), "O:BAG:SYD:AI(A;OICIID;KA;;;BA)", "it was none when this began");
    txn.commit().unwrap();
    let mut txn = hive.begin().unwrap();
    txn.create_key(txn.root(), "Other").unwrap();
    txn.create_key(txn.root(), r"Objects\{9dea862c-5cdd-4e70-acc1-f32b344d4795}\Elements").unwrap();
    txn.commit().unwrap();
    assert_eq!(text(hive.view(), "Other"), "O:BAG:SYD:AI(A;OICI;KA;;;BA)");
    assert_eq!(shared(&hive), [(2, 2), (4, 4)]);
}
