//! Compaction loses nothing and never makes a hive longer.

use std::fs;

use hivesmith::{Data, Error, Hive, RequestError, Version, check::check_file, name::NameBuf};

use crate::{contents, corpus, judges};

/// What the content of a hive itself causes: a compacted hive may have these if the original had them.
fn findings(bytes: &[u8]) -> Vec<String> {
    let report = check_file(bytes);
    let mut rules: Vec<String> = report.findings.iter().map(|finding| finding.rule.to_string()).collect();
    rules.sort_unstable();
    rules.dedup();
    rules
}

#[test]
fn every_intact_hive_of_the_corpus_is_the_same_afterwards() {
    let folder = tempfile::tempdir().unwrap();
    let (mut judged, mut before, mut after) = (0, 0, 0);
    let long = std::env::var_os("HIVESMITH_LONG").is_some();
    for (name, bytes) in corpus::hives(&["hives", "bcd", "dirty", "adversarial"]) {
        let report = check_file(&bytes);
        let minor = bytes[0x18];
        if !report.editable() || minor == 6 {
            continue;
        }
        judged += 1;
        let original = Hive::from_bytes(bytes).unwrap();
        let compacted = original.compacted().unwrap_or_else(|error| panic!("{name}: {error}"));
        let (old, new) = (original.to_bytes(), compacted.to_bytes());
        assert!(new.len() <= old.len(), "{name}: {} bytes became {}", old.len(), new.len());
        (before, after) = (before + old.len(), after + new.len());
        assert_eq!(contents::base_block(&old), contents::base_block(&new), "{name}");
        let (expected, found) = (contents::lines(&old), contents::lines(&new));
        let differing = expected.iter().zip(&found).find(|(one, other)| one != other);
        assert!(differing.is_none() && expected.len() == found.len(), "{name}: {differing:?}");
        // Nothing is wrong with it that was not wrong before, and cells, lists and records are as they should be.
        let (was, is) = (findings(&old), findings(&new));
        assert!(is.iter().all(|rule| was.contains(rule)), "{name}: {was:?} became {is:?}");
        if new.len() < old.len() {
            let written = ["C5", "C6", "H14", "K11", "K18", "K20", "L11", "L12", "S6", "S7", "V13"];
            assert!(!is.iter().any(|rule| written.contains(&rule.as_str())), "{name}: {is:?}");
        }
        assert_eq!(compacted.compacted().unwrap().to_bytes(), new, "{name}: compacting twice");

        // The large ones take the readers in Python long, and have nothing that the others have not.
        if new.len() > 2 << 20 && !long {
            continue;
        }
        let (one, other) = (folder.path().join("one"), folder.path().join("other"));
        fs::write(&one, &old).unwrap();
        fs::write(&other, &new).unwrap();
        if let Some(is) = judges::broken_rules(&other).filter(|rules| !rules.is_empty()) {
            let was = judges::broken_rules(&one).unwrap();
            assert!(is.iter().all(|rule| was.contains(rule)), "{name}: the judge found {was:?}, then {is:?}");
        }
        assert_eq!(judges::dump(&one), judges::dump(&other), "{name}: the other parser's dump");
        // Starting them takes longer than reading: every fourth hive.
        let asked = new.len() < 1 << 20 && (judged % 4 == 0 || long);
        for reader in ["hivex", "reglookup"].into_iter().filter(|_| asked) {
            match judges::read(reader, &other) {
                Some(Ok(read)) => {
                    assert!(judges::read_as(reader, &other) == Some(read), "{name}: {reader} reads something else");
                }
                Some(Err(error)) => assert!(judges::read(reader, &one).unwrap().is_err(), "{name}: {reader}: {error}"),
                None => {}
            }
        }
    }
    if std::env::var_os("HIVESMITH_CORPUS").is_some() {
        assert!(judged >= 60, "only {judged} hives were compacted");
        println!("{judged} hives: {before} bytes became {after}");
    }
}

/// A hive with one key and 2500 subkeys, half of which are deleted again.
fn riddled(version: Version) -> Hive {
    let mut hive = Hive::create(version).unwrap();
    let mut txn = hive.begin().unwrap();
    let ids: Vec<_> = (0..2500)
        .map(|at| {
            let key = txn.create_key(txn.root(), format!("many\\key {at:04}").as_str()).unwrap();
            txn.set_value(key, "data", &Data::Binary(vec![at as u8; at % 97])).unwrap();
            key
        })
        .collect();
    txn.commit().unwrap();
    let mut txn = hive.begin().unwrap();
    for id in ids.iter().step_by(2) {
        txn.delete_key(*id).unwrap();
    }
    txn.commit().unwrap();
    hive
}

#[test]
fn long_lists_are_cut_into_leaves_of_the_kind_that_the_version_calls_for() {
    for version in [Version::V1_3, Version::V1_5] {
        let hive = riddled(version);
        let compacted = hive.compacted().unwrap();
        let (old, new) = (hive.to_bytes(), compacted.to_bytes());
        assert!(new.len() < old.len() * 2 / 3, "{} became {}", old.len(), new.len());
        assert!(compacted.view().check().findings.is_empty(), "{:?}", compacted.view().check().findings);
        assert_eq!(contents::lines(&old), contents::lines(&new));
        // At most one page and what is left of it is free: later cells filled what earlier ones left.
        assert!(compacted.view().check().totals.free_bytes < 0x1000);
    }
}

#[test]
fn a_compacted_hive_can_be_edited_on() {
    let mut compacted = riddled(Version::V1_5).compacted().unwrap();
    let mut txn = compacted.begin().unwrap();
    let many = txn.view().key("many").unwrap().unwrap().id();
    txn.create_key(many, "another").unwrap();
    txn.set_value(many, "big", &Data::Binary(vec![3; 100_000])).unwrap();
    txn.commit().unwrap();
    assert!(compacted.view().check().findings.is_empty());
    let again = compacted.compacted().unwrap();
    assert_eq!(contents::lines(&compacted.to_bytes()), contents::lines(&again.to_bytes()));
}

#[test]
fn names_and_data_of_every_size_survive() {
    for version in [Version::V1_3, Version::V1_5] {
        let mut hive = Hive::create(version).unwrap();
        let mut txn = hive.begin().unwrap();
        for size in [0_usize, 1, 4, 5, 4063, 4064, 4065, 16_344, 16_345, 32_688, 40_000, 300_000, 1_048_572] {
            let name = NameBuf::from(vec![0xd801, size as u16, 0]);
            let key = txn.create_key(txn.root(), hivesmith::name::KeyPath::from(vec![name.clone()])).unwrap();
            txn.set_value(key, name, &Data::Binary((0..size).map(|byte| byte as u8).collect())).unwrap();
            txn.set_class_name(key, Some("class\0name".into())).unwrap();
        }
        txn.commit().unwrap();
        let compacted = hive.compacted().unwrap();
        assert!(compacted.view().check().findings.is_empty(), "{:?}", compacted.view().check().findings);
        assert_eq!(contents::lines(&hive.to_bytes()), contents::lines(&compacted.to_bytes()));
    }
}

#[test]
fn the_deepest_tree_is_no_problem() {
    let mut hive = Hive::create(Version::V1_5).unwrap();
    let mut txn = hive.begin().unwrap();
    let mut key = txn.root();
    for _ in 0..510 {
        key = txn.create_key(key, "d").unwrap();
    }
    txn.commit().unwrap();
    let compacted = hive.compacted().unwrap();
    assert_eq!(compacted.view().check().totals.keys, 511);
    assert!(compacted.view().check().findings.is_empty());
}

#[test]
fn what_is_not_intact_is_refused() {
    let whole = riddled(Version::V1_5).to_bytes();
    let options = || Hive::options().recover(hivesmith::Recover::Ignore);
    let mut dirty = whole.clone();
    dirty[4] ^= 1;
    let hive = options().open_bytes(dirty).unwrap();
    assert!(matches!(hive.compacted(), Err(Error::NeedsRecovery(_))));

    let mut damaged = whole.clone();
    let list = whole.windows(2).position(|bytes| bytes == b"ri").unwrap();
    damaged[list] = 0;
    let hive = Hive::from_bytes(damaged).unwrap();
    assert!(matches!(hive.compacted(), Err(Error::Corrupt(_))));

    let mut layered = whole;
    layered[0x18] = 6;
    crate::support::base_block::sum_up(&mut layered);
    let hive = Hive::from_bytes(layered).unwrap();
    assert!(matches!(hive.compacted(), Err(Error::Request(RequestError::Layered))));
}
