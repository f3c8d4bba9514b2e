//! Hives of real systems, damaged in many ways: how much of them comes back, and that what comes back is sound.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
};

use hivesmith::{HiveView, check::check_file, rebuild::salvage};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

use crate::{
    contents, corpus,
    hurt::{Dice, WAYS},
    judges,
};

/// Keys of `found` that were in the hive before it was damaged: in their places; and in any place, for where a key's
/// name is lost all keys below it have another path.
fn true_keys(whole: &BTreeMap<String, u32>, found: &BTreeMap<String, u32>) -> (usize, usize) {
    let in_place = found.keys().filter(|path| whole.contains_key(*path)).count();
    let mut names: HashMap<&str, usize> = HashMap::new();
    for path in whole.keys() {
        *names.entry(own_name(path)).or_default() += 1;
    }
    let known = found.keys().filter(|path| match names.get_mut(own_name(path)) {
        Some(left @ 1..) => {
            *left -= 1;
            true
        }
        _ => false,
    });
    (in_place, known.count())
}

fn own_name(path: &str) -> &str {
    path.rsplit('\\').next().unwrap_or(path)
}

/// How many keys another reader tells of, if it does not give up.
fn reader(name: &str, file: &std::path::Path) -> String {
    match judges::read(name, file) {
        None => "-".to_owned(),
        Some(Err(_)) => "gives up".to_owned(),
        Some(Ok(read)) => read.split(|byte| *byte == b'\n').filter(|line| line.starts_with(b"K")).count().to_string(),
    }
}

/// The share of keys, in percent, that must come back from each kind of damage, in the order of `WAYS`.
const BACK: [usize; 15] = [100, 100, 98, 100, 95, 86, 96, 98, 64, 100, 100, 94, 100, 100, 95];

#[test]
fn most_of_a_damaged_hive_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hive");
    for name in ["hives/regipy-NTUSER.DAT", "hives/velo-UsrClass.dat", "hives/bitcurator-SYSTEM"] {
        let Some(bytes) = corpus::hive(name) else { return };
        let whole = contents::keys(HiveView::parse(&bytes).unwrap());
        println!("{name}: {} keys", whole.len());
        let [hivex, reglookup, python] = ["hivex", "reglookup", "python-registry"];
        println!(
            "{:34}{:>8}{:>10}{:>10}{hivex:>12}{reglookup:>12}{python:>17}",
            "", "salvage", "in place", "tree walk"
        );
        for ((way, hurt), least) in WAYS.iter().zip(BACK) {
            let mut damaged = bytes.clone();
            hurt(&mut damaged, &mut Dice(7));
            let salvage = salvage(&damaged).unwrap_or_else(|error| panic!("{name}, {way}: {error}"));
            let back = contents::keys(salvage.hive.view());
            let walked = HiveView::parse(&damaged).map(contents::keys).unwrap_or_default();
            let ((in_place, back), (walked_in_place, walked)) = (true_keys(&whole, &back), true_keys(&whole, &walked));
            fs::write(&file, &damaged).unwrap();
            // The others are programs to be started: of one hive only.
            let others =
                |reader_name| if name.ends_with("NTUSER.DAT") { reader(reader_name, &file) } else { String::new() };
            let [hivex, reglookup, python] = [hivex, reglookup, python].map(others);
            println!("{way:34}{back:>8}{in_place:>10}{walked:>10}{hivex:>12}{reglookup:>12}{python:>17}");
            assert!(back >= walked, "{name}, {way}: {back} keys, a plain walk finds {walked}");
            assert!(
                in_place >= walked_in_place,
                "{name}, {way}: {in_place} keys in place, by a plain walk {walked_in_place}"
            );
            let share = back * 100 / whole.len();
            assert!(share >= least, "{name}, {way}: {share} % of the keys came back, expected {least} %");
            assert!(salvage.totals.losses > 0 || back == whole.len(), "{name}, {way}: something is lost in silence");
        }
    }
}

#[test]
fn an_intact_hive_loses_nothing() {
    for (name, bytes) in corpus::hives(&["hives", "bcd", "dirty", "adversarial"]) {
        if !check_file(&bytes).editable() || bytes[0x18] == 6 {
            continue;
        }
        let salvage = salvage(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(salvage.losses, [], "{name}");
        let (expected, found) = (contents::lines(&bytes), contents::lines(&salvage.hive.to_bytes()));
        let differing = expected.iter().zip(&found).find(|(one, other)| one != other);
        assert!(differing.is_none() && expected.len() == found.len(), "{name}: {differing:?}");
    }
}

#[test]
fn with_another_base_block_a_hive_is_the_same() {
    for (name, bytes) in corpus::hives(&["hives", "bcd"]) {
        if !check_file(&bytes).editable() {
            continue;
        }
        let expected = contents::lines(&bytes);
        for (way, hurt) in &WAYS[..2] {
            let mut damaged = bytes.clone();
            hurt(&mut damaged, &mut Dice(1));
            let salvage = salvage(&damaged).unwrap_or_else(|error| panic!("{name}, {way}: {error}"));
            let found = contents::lines(&salvage.hive.to_bytes());
            let differing = expected.iter().zip(&found).find(|(one, other)| one != other);
            assert!(differing.is_none() && expected.len() == found.len(), "{name}, {way}: {differing:?}");
        }
    }
}

/// Hives of other kinds, each small enough for hundreds of turns.
const SMALL: [&str; 6] = [
    "hives/plaso-100_sub_keys.hiv",
    "hives/aiowinreg-win2022_64-SECURITY",
    "hives/aiowinreg-nt-SAM",
    "hives/nthive-testhive",
    "bcd/winpe-boot-bcd",
    "adversarial/yarp-BigDataHive",
];

#[test]
fn whatever_happened_to_a_hive_the_result_is_sound() {
    let hives: Vec<_> = SMALL.iter().filter_map(|name| corpus::hive(name)).collect();
    if hives.is_empty() {
        return;
    }
    let cases = std::env::var("HIVESMITH_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(400);
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let strategy = (0..hives.len(), any::<u64>(), 0..4_usize, 0..60_usize, 0..40_usize);
    let done = runner.run(&strategy, |(which, seed, ways, words, copies)| {
        let mut dice = Dice(seed);
        let mut bytes = hives[which].clone();
        for _ in 0..ways {
            // Only of those that do not follow the cells: there may be none left.
            let (_, hurt) = WAYS[[0, 1, 2, 3, 4, 5, 6, 7, 9][dice.below(9)]];
            if bytes.len() > 0x3000 {
                hurt(&mut bytes, &mut dice);
            }
        }
        // Fields that point, count or measure are aligned to four bytes; another field's value is the best lie.
        for _ in 0..words {
            let (from, to) = (dice.below(bytes.len() / 4) * 4, dice.below(bytes.len() / 4) * 4);
            bytes.copy_within(from..from + 4, to);
        }
        for _ in 0..copies {
            let (from, to) = (dice.below(bytes.len() - 96) & !7, dice.below(bytes.len() - 96) & !7);
            bytes.copy_within(from..from + 96, to);
        }
        let Ok(salvage) = salvage(&bytes) else { return Ok(()) };
        let result = salvage.hive.to_bytes();
        let report = check_file(&result);
        prop_assert!(report.editable(), "{:?}", report.findings);
        prop_assert!(result.len() <= bytes.len() * 2 + 0x10000, "{} bytes of {}", result.len(), bytes.len());
        prop_assert_eq!(contents::keys(salvage.hive.view()).len() as u64, salvage.totals.keys);
        // Nothing is left to be salvaged.
        let again = hivesmith::rebuild::salvage(&result);
        prop_assert!(again.is_ok_and(|again| again.totals.losses == 0), "a second salvage finds something");
        Ok(())
    });
    done.unwrap();
}

#[test]
fn the_judge_agrees_with_what_was_salvaged() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hive");
    for name in SMALL {
        let Some(bytes) = corpus::hive(name) else { return };
        for (at, (way, hurt)) in WAYS.iter().enumerate() {
            let mut damaged = bytes.clone();
            hurt(&mut damaged, &mut Dice(at as u64));
            let Ok(salvage) = salvage(&damaged) else { continue };
            fs::write(&file, salvage.hive.to_bytes()).unwrap();
            let Some(rules) = judges::broken_rules(&file) else { return };
            assert!(rules.is_empty(), "{name}, {way}: {rules:?}");
        }
    }
}
