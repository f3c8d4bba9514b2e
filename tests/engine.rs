//! Tiny hives that show their whole world: what one edit does to them, and what it may not do.

use hivesmith::{
    Data, Error, FileTime, Hive, KeyFlags, KeyId, NewHive, RequestError, Transaction, ValueType, Version,
    name::{KeyPath, NameBuf},
};

fn hive(version: Version) -> Hive {
    NewHive::new(version).time(FileTime(1)).create().unwrap()
}

/// Edits a new hive of each version, commits, and judges what came of it.
fn edited(edit: impl Fn(&mut Transaction<'_>), look: impl Fn(Version, &Hive)) {
    for version in [Version::V1_3, Version::V1_5] {
        let mut hive = hive(version);
        let mut txn = hive.begin().unwrap();
        edit(&mut txn);
        txn.commit().unwrap();
        let report = hive.view().check();
        assert!(report.is_clean(), "{:?}", report.findings);
        look(version, &hive);
    }
}

/// Creates so many subkeys of the root, the last name first.
fn siblings(txn: &mut Transaction<'_>, count: u32) {
    for at in (0..count).rev() {
        txn.create_key(txn.root(), format!("key{at:05}").as_str()).unwrap();
    }
}

/// The signatures of the root's list and of the leaves under it, with their numbers of elements.
fn lists(hive: &Hive) -> Vec<(String, u16)> {
    let bytes = hive.to_bytes();
    let u32_at = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    let cell = |offset: usize| 0x1000 + offset + 4;
    let list = |at: usize| {
        let count = u16::from_le_bytes([bytes[at + 2], bytes[at + 3]]);
        (String::from_utf8_lossy(&bytes[at..at + 2]).into_owned(), count)
    };
    let top = cell(u32_at(cell(u32_at(0x24)) + 0x1c));
    let mut lists = vec![list(top)];
    if lists[0].0 == "ri" {
        lists.extend((0..usize::from(lists[0].1)).map(|at| list(cell(u32_at(top + 4 + at * 4)))));
    }
    lists
}

fn named(kind: &str, count: u16) -> (String, u16) {
    (kind.to_owned(), count)
}

#[test]
fn the_508th_subkey_turns_a_fast_leaf_into_an_index_leaf() {
    edited(
        |txn| siblings(txn, 507),
        |version, hive| match version {
            Version::V1_3 => assert_eq!(lists(hive), [named("lf", 507)]),
            _ => assert_eq!(lists(hive), [named("lh", 507)]),
        },
    );
    edited(
        |txn| siblings(txn, 508),
        |version, hive| match version {
            Version::V1_3 => assert_eq!(lists(hive), [named("li", 508)]),
            _ => assert_eq!(lists(hive), [named("lh", 508)]),
        },
    );
}

#[test]
fn the_1013th_subkey_splits_the_list() {
    edited(|txn| siblings(txn, 1012), |_, hive| assert_eq!(lists(hive).len(), 1));
    edited(
        |txn| siblings(txn, 1013),
        |version, hive| {
            let leaf = if version == Version::V1_3 { "li" } else { "lh" };
            assert_eq!(lists(hive), [named("ri", 2), named(leaf, 506), named(leaf, 507)]);
        },
    );
}

#[test]
fn deleting_the_last_subkey_frees_its_list() {
    edited(
        |txn| {
            siblings(txn, 1100);
            let keys: Vec<KeyId> = txn.view().root().unwrap().subkeys().unwrap().map(|key| key.unwrap().id()).collect();
            for key in keys {
                txn.delete_key(key).unwrap();
            }
        },
        |_, hive| {
            assert_eq!(hive.view().root().unwrap().subkey_count(), 0);
            let totals = hive.view().check().totals;
            // All but the root and its descriptor is free again, one cell a bin.
            assert_eq!(totals.cells, totals.bins + 2);
        },
    );
}

#[test]
fn a_longer_name_moves_the_key_and_its_children_find_it() {
    edited(
        |txn| {
            let below = txn.create_key(txn.root(), r"short\child\grandchild").unwrap();
            let key = txn.find(&"short".into()).unwrap().unwrap();
            let moved = txn.rename_key(key, "a name that does not fit the cell of the old one").unwrap();
            assert_ne!(moved, key);
            assert!(matches!(txn.delete_key(key), Err(Error::Request(RequestError::StaleId))));
            txn.set_value(below, "", &Data::Dword(1)).unwrap();
        },
        |_, hive| {
            let path = r"A NAME that does not fit the cell of the old one\child";
            let child = hive.view().key(path).unwrap().unwrap();
            assert_eq!(child.path().unwrap().to_string().to_lowercase(), path.to_lowercase());
        },
    );
}

#[test]
fn a_name_of_another_case_is_the_same_key_spelt_differently() {
    edited(
        |txn| {
            let key = txn.create_key(txn.root(), "Select").unwrap();
            assert_eq!(txn.create_key(txn.root(), "SELECT").unwrap(), key);
            assert_eq!(txn.rename_key(key, "SELECT").unwrap(), key);
        },
        |_, hive| assert_eq!(hive.view().key("select").unwrap().unwrap().name().unwrap().to_string(), "SELECT"),
    );
}

#[test]
fn a_dword_stays_in_its_record() {
    edited(
        |txn| txn.set_value(txn.root(), "Start", &Data::Dword(4)).unwrap(),
        |_, hive| {
            let value = hive.view().root().unwrap().value("START").unwrap().unwrap();
            assert_eq!(value.decode().unwrap(), Data::Dword(4));
            // Root, descriptor, list, value, and what is left: no cell for four bytes.
            assert_eq!(hive.view().check().totals.cells, 5);
        },
    );
}

/// 16,344 bytes are the most that one cell holds where there is big data, and the most that a segment holds.
#[test]
fn big_data_begins_where_windows_begins_it() {
    for (size, cells) in [(16_344_u32, 1), (16_345, 4), (32_688, 4), (32_689, 5)] {
        let data = Data::Binary((0..size).map(|at| (at % 251) as u8).collect());
        edited(
            |txn| txn.set_value(txn.root(), "big", &data).unwrap(),
            |version, hive| {
                let value = hive.view().root().unwrap().value("big").unwrap().unwrap();
                assert_eq!(value.decode().unwrap(), data);
                let totals = hive.view().check().totals;
                let expected = if version == Version::V1_3 { 1 } else { cells };
                // Besides the data: root, descriptor, list and value. Free cells are what is left of the bins.
                let free = hive.view().check().totals.cells - 4 - expected;
                assert!(free <= totals.bins, "{size}: {totals:?}");
            },
        );
    }
}

#[test]
fn the_limits_are_those_of_the_format() {
    for version in [Version::V1_3, Version::V1_5] {
        let mut hive = hive(version);
        let before = hive.to_bytes();
        let mut txn = hive.begin().unwrap();
        let root = txn.root();
        let refused = |result: hivesmith::Result<()>| match result {
            Err(Error::Request(request)) => request,
            other => panic!("{other:?}"),
        };
        let long = |units| NameBuf::from(vec![u16::from(b'n'); units]);
        let path = |name: NameBuf| KeyPath::from(vec![NameBuf::from("made on the way"), name]);
        assert!(matches!(refused(txn.create_key(root, path(long(256))).map(drop)), RequestError::BadKeyName(_)));
        assert!(matches!(refused(txn.create_key(root, path(long(0))).map(drop)), RequestError::BadKeyName(_)));
        assert!(matches!(refused(txn.create_key(root, path("a\\b".into())).map(drop)), RequestError::BadKeyName(_)));
        let deep: KeyPath = (0..511).map(|_| NameBuf::from("d")).collect();
        assert!(matches!(refused(txn.create_key(root, deep).map(drop)), RequestError::TooDeep));
        assert!(matches!(refused(txn.set_value(root, long(16_384), &Data::Dword(0))), RequestError::BadValueName(_)));
        assert!(matches!(refused(txn.set_class_name(root, Some(long(0x8000)))), RequestError::ClassTooLong));
        assert!(matches!(refused(txn.delete_tree(root).map(drop)), RequestError::Undeletable(_)));
        assert!(matches!(refused(txn.rename_key(root, "other").map(drop)), RequestError::Undeletable(_)));
        let megabyte = vec![0; 0x10_0000 - 3];
        let set = txn.set_value_bytes(root, "large", ValueType::BINARY, &megabyte);
        assert_eq!(set.is_err(), version == Version::V1_3);
        txn.abort();
        // Nothing that was refused left a trace, the keys on the way to a bad name included.
        assert!(hive.to_bytes() == before);

        let mut txn = hive.begin().unwrap();
        txn.create_key(txn.root(), (0..510).map(|_| NameBuf::from("d")).collect::<KeyPath>()).unwrap();
        txn.set_value(txn.root(), long(16_383), &Data::Dword(0)).unwrap();
        txn.set_class_name(txn.root(), Some(long(0x7fff))).unwrap();
        txn.commit().unwrap();
        assert!(hive.view().check().is_clean());
    }
}

/// The space of a deleted key is not used again at once: a key there would answer to the deleted one's id.
#[test]
fn a_stale_id_is_refused() {
    edited(
        |txn| {
            let gone = txn.create_key(txn.root(), "gone").unwrap();
            txn.delete_key(gone).unwrap();
            let next = txn.create_key(txn.root(), "next").unwrap();
            assert_ne!(gone, next);
            assert!(matches!(txn.set_value(gone, "", &Data::Dword(1)), Err(Error::Request(RequestError::StaleId))));
        },
        |_, hive| assert_eq!(hive.view().root().unwrap().subkey_count(), 1),
    );
}

#[test]
fn a_rollback_restores_every_byte() {
    let mut hive = hive(Version::V1_5);
    let before = hive.to_bytes();
    let mut txn = hive.begin().unwrap();
    siblings(&mut txn, 20);
    let early = txn.savepoint();
    siblings(&mut txn, 600);
    let late = txn.savepoint();
    txn.set_value(txn.root(), "big", &Data::Binary(vec![1; 100_000])).unwrap();
    txn.rollback_to(early).unwrap();
    assert_eq!(txn.view().root().unwrap().subkey_count(), 20);
    // The later savepoint went with the earlier one, and a new one is another.
    let _new = (txn.savepoint(), txn.savepoint());
    assert!(matches!(txn.rollback_to(late), Err(Error::Request(RequestError::StaleId))));
    txn.abort();
    assert!(hive.to_bytes() == before);
}

#[test]
fn a_tree_that_holds_a_key_which_must_stay_is_not_deleted() {
    edited(
        |txn| {
            let kept = txn.create_key(txn.root(), r"a\b\c").unwrap();
            txn.set_flags(kept, KeyFlags::NO_DELETE).unwrap();
            let top = txn.find(&"a".into()).unwrap().unwrap();
            assert!(matches!(txn.delete_tree(top), Err(Error::Request(RequestError::Undeletable(_)))));
            txn.create_key(txn.root(), "the transaction goes on").unwrap();
        },
        |_, hive| assert!(hive.view().key(r"a\b\c").unwrap().is_some()),
    );
}

#[test]
fn keys_with_one_descriptor_share_one_record() {
    let other = "O:BAG:SYD:(A;CI;KA;;;BA)".parse::<hivesmith::security::SecurityDescriptor>().unwrap().to_bytes();
    edited(
        |txn| {
            for name in ["a", "b", "c"] {
                let key = txn.create_key(txn.root(), name).unwrap();
                txn.set_security(key, &other).unwrap();
            }
            let b = txn.find(&"b".into()).unwrap().unwrap();
            txn.delete_key(b).unwrap();
        },
        |_, hive| {
            let security = |path| hive.view().key(path).unwrap().unwrap().security().unwrap();
            assert_eq!(security("a").offset(), security("c").offset());
            assert_eq!(security("a").references(), 2);
            assert_eq!(hive.view().check().totals.descriptors, 2);
        },
    );
}
