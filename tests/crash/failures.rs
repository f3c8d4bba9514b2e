//! The disk refuses a call, whichever it is: what is left, and whether the error says so truthfully.

use hivesmith::{Error, Hive, HiveFile, OpenOptions, Outcome, Protocol, Version};

use crate::{
    diff::Diff,
    files::Files,
    generated::{self, Edit},
    known::Known,
    lab::Run,
    logs::{new_log, numbers, old_log},
    power::Power,
    python::{Python, Rule},
    record, say,
    select::Dice,
    tape::{Call, Fault, Tape},
};

const EIO: i32 = 5;
const ENOSPC: i32 = 28;

/// The ways in which a call fails: what is said, how much of a write lands all the same, and whether it stays that way.
const FAULTS: [(i32, usize, bool); 6] =
    [(EIO, 0, true), (ENOSPC, 13, true), (EIO, 32, false), (ENOSPC, 31, false), (EIO, 1, true), (ENOSPC, 0, false)];

/// What is counted, so that nothing passes because nothing happened.
#[derive(Default)]
struct Seen {
    failed: usize,
    disks: usize,
    outcomes: Vec<Outcome>,
}

/// The disks that may be left after a failure: the one a program on the same machine sees, and what power cuts make of
/// it, now that nobody syncs any more.
fn disks(before: &Files, calls: &[Call], live: Files, seed: u64) -> Vec<Files> {
    let mut power = Power::new(before);
    for call in calls {
        power.make(call);
    }
    let mut dice = Dice::new(seed);
    let mut disks = vec![live];
    for odds in [0, 8, 4, 4, 1, 7] {
        let survives: Vec<bool> = power.pending().iter().map(|_| dice.below(8) < odds).collect();
        let disk = power.cut(&survives, odds == 1);
        if !disks.contains(&disk) {
            disks.push(disk);
        }
    }
    disks
}

/// Whether a hive in state `found` is what the error promised.
fn is_true(outcome: Outcome, found: usize, known: &Known) -> bool {
    let last = known.len() - 1;
    match (outcome, known) {
        // What was replayed is the same before and after.
        _ if last == 0 => true,
        (Outcome::Old, Known::Steps { .. }) => found == 0,
        // With a log of before Windows 8.1 the time stamp may be new.
        (Outcome::Old, Known::Whole(_)) => found < last,
        (Outcome::New, _) => found == last,
        (Outcome::OldOrNew, _) => true,
        (Outcome::Prefix(changes), _) => found >= changes,
        _ => false,
    }
}

fn assert_poisoned(hive: &mut Hive, what: &str) {
    assert!(matches!(hive.begin().map(drop), Err(Error::Poisoned)), "{what}: a new transaction");
    assert!(matches!(hive.recover().map(drop), Err(Error::Poisoned)), "{what}: a recovery");
}

/// Makes every call of a run fail, each in one way or in all; `act` does again what was recorded.
fn fail_each(run: &Run, all_ways: bool, act: impl Fn(&mut Hive, &Tape, Fault) -> hivesmith::Result<()>) -> Seen {
    let rule = match run.known {
        Known::Whole(_) => Rule::Replay,
        Known::Steps { .. } => Rule::Clean,
    };
    let mut python = Python::start();
    if let Some(python) = &mut python {
        python.begin(rule, &run.before, &run.hives);
    }
    let mut seen = Seen::default();
    let mut expected = Vec::new();
    'calls: for at in 0.. {
        let ways = if all_ways { FAULTS.len() } else { 1 };
        for way in 0..ways {
            let (errno, landed, lasting) = FAULTS[(at + way) % FAULTS.len()];
            let fault = Fault { at, errno, landed, lasting };
            let what = format!("{}, {fault:?}", run.name);
            let (tape, mut hive) = record::open(&run.before);
            let result = act(&mut hive, &tape, fault);
            if !tape.tripped() {
                result.unwrap();
                break 'calls;
            }
            let live = tape.files();
            let outcome = match &result {
                Err(Error::Commit(error)) => {
                    assert_eq!(error.source.raw_os_error(), Some(errno), "{what}: {error}");
                    error.outcome
                }
                // What failed is the look at the hive after a commit that succeeded.
                Ok(()) => Outcome::New,
                Err(error) => panic!("{what}: {error}"),
            };
            assert_poisoned(&mut hive, &what);
            for disk in disks(&run.before, &tape.take(), live.clone(), at as u64) {
                let found = run.known.identify(&disk).unwrap_or_else(|why| panic!("{what}: {why}"));
                assert!(is_true(outcome, found, &run.known), "{what}: {outcome:?} is said, it is in state {found}");
                if let Some(python) = &mut python {
                    python.judge(&Diff::whole(&run.before, &disk));
                    expected.push((what.clone(), found));
                }
                seen.disks += 1;
            }
            // Whoever opens it again can go on.
            let mut again = OpenOptions::new().open_storage(live).unwrap();
            record::commit(&mut again, &generated::later_edits()).unwrap_or_else(|error| panic!("{what}: {error}"));
            seen.failed += 1;
            if result.is_err() && !seen.outcomes.contains(&outcome) {
                seen.outcomes.push(outcome);
            }
        }
    }
    for (what, found) in expected {
        assert_eq!(python.as_mut().map(Python::answer), Some(Ok(found)), "{what}: the other judge");
    }
    say(&format!("{}: {} failed calls, {} disks, {:?}", run.name, seen.failed, seen.disks, seen.outcomes));
    seen
}

fn commits_fail(name: &str, protocol: Protocol, files: &Files, edits: &[Edit], all_ways: bool) -> Seen {
    let (run, _) = record::commit_run(name, files, edits);
    assert_eq!(run.protocol, protocol);
    if protocol == Protocol::Stepwise {
        assert_eq!(run.known.len(), edits.len() + 1, "states are edits");
    }
    fail_each(&run, all_ways, |hive, tape, fault| record::commit_when(hive, edits, || tape.lay(fault)).map(drop))
}

fn two_logs(hive: &[u8], log: Vec<u8>) -> Files {
    Files::new(hive.to_vec()).with(HiveFile::Log1, log).with(HiveFile::Log2, vec![1; 700])
}

#[test]
fn a_commit_that_fails_says_what_it_left() {
    for version in [Version::V1_3, Version::V1_5] {
        let hive = generated::small_hive(version);
        let all = [Outcome::Old, Outcome::OldOrNew, Outcome::New];
        for (protocol, log) in [(Protocol::Logged, new_log(&hive)), (Protocol::OldLog, old_log(&hive))] {
            let name = format!("{protocol:?} {version:?} fails");
            let seen = commits_fail(&name, protocol, &two_logs(&hive, log), &generated::edits(), true);
            assert!(seen.failed > 80 && all.iter().all(|outcome| seen.outcomes.contains(outcome)));
        }
        let far_apart = Files::new(generated::far_apart(version)).with(HiveFile::Redo, Vec::new());
        let name = format!("Redo {version:?} fails");
        let seen = commits_fail(&name, Protocol::Redo, &far_apart, &generated::far_apart_edits(), true);
        assert!(seen.failed > 60 && all.iter().all(|outcome| seen.outcomes.contains(outcome)));
    }
}

#[test]
fn a_commit_in_steps_that_fails_says_how_far_it_came() {
    for version in [Version::V1_3, Version::V1_5] {
        let edits = generated::edits();
        let steps = edits.len();
        let files = Files::new(generated::small_hive(version)).with(HiveFile::Log1, vec![1; 700]);
        let name = format!("Stepwise {version:?} fails");
        let seen = commits_fail(&name, Protocol::Stepwise, &files, &edits, false);
        let every = (0..=steps).map(Outcome::Prefix);
        assert!(seen.outcomes.contains(&Outcome::Old));
        assert!(every.clone().all(|outcome| seen.outcomes.contains(&outcome)), "{:?}", seen.outcomes);
    }
}

/// Writing a replay back fails: the hive is dirty as before or clean, and says the same either way.
#[test]
fn a_recovery_that_fails_loses_nothing() {
    let hive = generated::small_hive(Version::V1_5);
    for log in [new_log(&hive), old_log(&hive)] {
        let files = two_logs(&hive, log);
        let (run, _) = record::commit_run("before", &files, &generated::edits());
        let mut power = Power::new(&files);
        let is_dirty = |files: &Files| numbers(files.primary()).0 != numbers(files.primary()).1;
        let dirty = run.calls.iter().find(|call| {
            power.make(call);
            is_dirty(power.durable())
        });
        assert!(dirty.is_some());
        let (run, _) = record::recovery_run(&format!("{:?} recovery fails", run.protocol), power.durable());
        let seen = fail_each(&run, true, |hive, tape, fault| {
            tape.lay(fault);
            hive.recover().map(drop)
        });
        assert!(seen.failed > 20 && seen.outcomes.contains(&Outcome::Old));
    }
}
