//! Random edits against a model: thousands of sequences of every operation, on new hives and on real ones, in memory
//! and through both commit protocols. What the hive holds must be what the model holds, its structure sound, and what
//! is stored the same as what is in memory. Readers that share no code with the crate judge a sample.
//!
//! `HIVESMITH_CASES` says how many sequences each property runs, `HIVESMITH_CORPUS` where real hives are.

mod judges;
mod ops;
#[path = "../support/mod.rs"]
mod support;
mod tree;
mod world;

use std::{env, fs, path::PathBuf, sync::OnceLock};

use hivesmith::Version;
use proptest::{collection::vec, prelude::*, test_runner::TestRunner};

use ops::{Name, Op, Size};
use support::log;
use world::{Bounds, Mode, World};

/// Hives of several ages and kinds: Windows NT 4 to 10, configuration and user hives, a boot store.
const REAL: [&str; 8] = [
    "hives/aiowinreg-nt-SAM",
    "hives/frnsc-SAM",
    "hives/winregkb-SAM",
    "hives/aiowinreg-win2022_64-SAM",
    "hives/nthive-testhive",
    "bcd/esp-nuc8/Boot/BCD",
    "hives/plaso-NTUSER-WIN7.DAT",
    "hives/bitcurator-SYSTEM",
];

fn cases(default: u32) -> u32 {
    match env::var("HIVESMITH_CASES") {
        Ok(cases) => cases.parse().expect("HIVESMITH_CASES is a number"),
        Err(_) => default,
    }
}

fn name() -> impl Strategy<Value = Name> {
    prop_oneof![8 => 1..44_u8, 4 => 46..60_u8, 1 => any::<u8>()].prop_map(Name)
}

fn size() -> impl Strategy<Value = Size> {
    prop_oneof![8 => 0..13_u16, 4 => 10..21_u16, 1 => 22..24_u16, 2 => 24..6000_u16].prop_map(Size)
}

fn op() -> impl Strategy<Value = Op> {
    // Small numbers pick keys near the root, which are the ones that exist in small hives, too.
    let at = || prop_oneof![3 => 0..12_u16, 1 => any::<u16>()];
    prop_oneof![
        12 => (at(), name(), 0..3_u8).prop_map(|(at, name, levels)| Op::Create { at, name, levels }),
        8 => (at(), name()).prop_map(|(at, name)| Op::Rename { at, name }),
        4 => at().prop_map(|at| Op::Delete { at }),
        3 => at().prop_map(|at| Op::DeleteTree { at }),
        14 => (at(), name(), 0..16_u8, size()).prop_map(|(at, name, kind, size)| Op::SetValue { at, name, kind, size }),
        5 => (at(), name()).prop_map(|(at, name)| Op::DeleteValue { at, name }),
        4 => (at(), size()).prop_map(|(at, size)| Op::SetClass { at, size }),
        3 => (at(), prop_oneof![Just(0_u16), Just(0x10), Just(0x8), any::<u16>()])
            .prop_map(|(at, flags)| Op::SetFlags { at, flags }),
        2 => (at(), any::<u16>()).prop_map(|(at, time)| Op::SetTime { at, time }),
        6 => (at(), 0..6_u8).prop_map(|(at, which)| Op::SetSecurity { at, which }),
        2 => (at(), prop_oneof![9 => 0..30_u16, 1 => 480..540_u16]).prop_map(|(at, count)| Op::Siblings { at, count }),
        2 => (at(), 0..10_u16).prop_map(|(at, keep)| Op::DeleteSiblings { at, keep }),
        2 => (at(), prop_oneof![9 => 0..30_u16, 1 => 90..230_u16])
            .prop_map(|(at, count)| Op::ManyValues { at, count }),
        4 => any::<u16>().prop_map(|which| Op::UseStale { which }),
        3 => Just(Op::Savepoint),
        3 => any::<u8>().prop_map(|to| Op::Rollback { to }),
        3 => Just(Op::Commit),
        3 => Just(Op::Reopen),
        2 => Just(Op::Abort),
    ]
}

fn mode() -> impl Strategy<Value = Mode> {
    prop_oneof![Just(Mode::Memory), Just(Mode::Stepwise), Just(Mode::Logged)]
}

fn version() -> impl Strategy<Value = Version> {
    prop_oneof![Just(Version::V1_3), Just(Version::V1_5)]
}

/// Runs a property over cases; a failure shows the shortest sequence that fails.
fn check<S: Strategy>(cases: u32, strategy: &S, property: impl Fn(S::Value) -> Result<(), String>) {
    let config = ProptestConfig { cases, failure_persistence: None, max_shrink_iters: 20_000, ..Default::default() };
    let verdict = TestRunner::new(config).run(strategy, |case| property(case).map_err(TestCaseError::fail));
    if let Err(failure) = verdict {
        panic!("{failure}");
    }
}

#[test]
fn a_new_hive_is_its_model_after_any_edits() {
    let bounds = Bounds { siblings: 540, values: 230, hive: 4 << 20 };
    check(cases(100), &(version(), mode(), vec(op(), 1..50)), |(version, mode, ops)| {
        let mut world = World::new(version, mode, bounds);
        world.run(&ops)?;
        judges::sample(&world.bytes())
    });
}

/// As a program opens it: from a file, which the feature `mmap` maps, new bins being kept beside the map.
#[test]
fn a_hive_in_a_file_is_its_model_after_any_edits() {
    let bounds = Bounds { siblings: 540, values: 230, hive: 4 << 20 };
    check(cases(60).div_ceil(4), &(version(), any::<bool>(), vec(op(), 1..50)), |(version, logged, ops)| {
        let hive = World::new(version, Mode::Memory, bounds).bytes();
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let path = folder.path().join("hive");
        let write =
            |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).map_err(|error| error.to_string());
        write("hive", &hive)?;
        if logged {
            write("hive.LOG1", &log::log_for(&hive))?;
            write("hive.LOG2", &[])?;
        }
        World::open(path, bounds)?.run(&ops)
    });
}

/// Lists split at 507 and 1012 subkeys, go under an index, and shrink back; names come out of order. Without a log each
/// subkey rebuilds all lists, so there are fewer of them there.
#[test]
fn thousands_of_siblings_are_listed() {
    let op = || {
        prop_oneof![
            3 => (0..3_u16, 400..2200_u16).prop_map(|(at, count)| Op::Siblings { at, count }),
            3 => (0..3_u16, prop_oneof![Just(0_u16), 0..1100_u16]).prop_map(|(at, keep)| Op::DeleteSiblings { at, keep }),
            2 => (0..3000_u16, name()).prop_map(|(at, name)| Op::Rename { at, name }),
            1 => (0..3000_u16, name()).prop_map(|(at, name)| Op::Create { at, name, levels: 0 }),
            1 => Just(Op::Commit),
            1 => Just(Op::Savepoint),
            1 => Just(Op::Rollback { to: 0 }),
        ]
    };
    check(cases(6).div_ceil(20).max(6), &(version(), mode(), vec(op(), 1..8)), |(version, mode, ops)| {
        let siblings = if mode == Mode::Stepwise { 540 } else { 2200 };
        let mut world = World::new(version, mode, Bounds { siblings, values: 0, hive: 64 << 20 });
        world.run(&ops)?;
        judges::sample(&world.bytes())
    });
}

fn real_hives() -> &'static [(PathBuf, Vec<u8>)] {
    static HIVES: OnceLock<Vec<(PathBuf, Vec<u8>)>> = OnceLock::new();
    HIVES.get_or_init(|| {
        let Some(corpus) = support::corpus() else { return Vec::new() };
        let read = |name: &&str| {
            let path = corpus.join(name);
            let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            (path, bytes)
        };
        REAL.iter().map(read).collect()
    })
}

#[test]
fn a_real_hive_is_its_model_after_any_edits() {
    if real_hives().is_empty() {
        return;
    }
    let bounds = Bounds { siblings: 60, values: 60, hive: 16 << 20 };
    let hives = 0..real_hives().len();
    // The larger hives, at the end of the list, are taken less often.
    let hive = (hives.clone(), hives).prop_map(|(one, other)| one.min(other));
    check(cases(24).div_ceil(4), &(hive, mode(), vec(op(), 1..25)), |(hive, mode, ops)| {
        let (path, bytes) = &real_hives()[hive];
        let named = |what: String| format!("{}: {what}", path.display());
        let mut world = World::with(bytes, mode, bounds).map_err(named)?;
        world.run(&ops).map_err(named)?;
        judges::sample_of_real(bytes, &world.bytes())
    });
}

/// The fuzzer stores operations as records of eight bytes.
#[test]
fn an_operation_is_its_record() {
    check(1000, &op(), |op| if Op::decode(op.encode()) == op { Ok(()) } else { Err(format!("{op:?}")) });
}
