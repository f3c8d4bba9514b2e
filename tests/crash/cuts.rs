//! Power fails during a commit.

use std::{env, thread};

use hivesmith::{HiveFile, HiveView, Version};

use crate::{
    files::Files,
    generated,
    lab::{Found, Lab, Run},
    logs::{new_log, old_log},
    real, record, say,
};

/// How many different disks are looked at; `HIVESMITH_CRASH_CUTS=100000` for a long run.
fn wanted() -> usize {
    match env::var("HIVESMITH_CRASH_CUTS") {
        Ok(cuts) => cuts.parse().expect("HIVESMITH_CRASH_CUTS is a number"),
        Err(_) => 4000,
    }
}

/// Which logs lie beside the hive decides on the protocol.
#[derive(Clone, Copy)]
enum Beside {
    New,
    Old,
    Nothing,
    /// No log, but a place for a journal of our own.
    Journal,
    /// What the corpus has there.
    Own,
}

fn with_logs(files: Files, beside: Beside) -> Files {
    let hive = files.primary().to_vec();
    match beside {
        Beside::New => Files::new(hive.clone()).with(HiveFile::Log1, new_log(&hive)).with(HiveFile::Log2, Vec::new()),
        Beside::Old => Files::new(hive.clone()).with(HiveFile::Log1, old_log(&hive)).with(HiveFile::Log2, Vec::new()),
        Beside::Nothing => Files::new(hive),
        Beside::Journal => Files::new(hive).with(HiveFile::Redo, Vec::new()),
        Beside::Own => files,
    }
}

fn generated_run(version: Version, beside: Beside) -> Run {
    let (hive, edits) = match beside {
        Beside::Journal => (generated::far_apart(version), generated::far_apart_edits()),
        _ => (generated::small_hive(version), generated::edits()),
    };
    let files = with_logs(Files::new(hive), beside);
    record::commit_run(&format!("generated {version:?}"), &files, &edits).0
}

/// The log is the only one of the scheme before Vista; a count of references must never be too low on disk.
fn special_run(beside: Beside) -> Option<Run> {
    let hive = generated::small_hive(Version::V1_5);
    let files = Files::new(hive.clone());
    let (name, files) = match beside {
        Beside::New => ("single log", files.with(HiveFile::Log, new_log(&hive))),
        Beside::Old => ("single log", files.with(HiveFile::Log, old_log(&hive))),
        Beside::Nothing => ("references", files),
        Beside::Journal | Beside::Own => return None,
    };
    Some(record::commit_run(name, &files, &generated::reference_edits()).0)
}

fn real_run(path: &str, beside: Beside) -> Option<Run> {
    let files = with_logs(real::read(path)?, beside);
    let (_, hive) = record::open(&files);
    let edits = real::edits(HiveView::parse(&hive.to_bytes()).unwrap());
    let edits = record::accepted(&files, edits);
    Some(record::commit_run(path, &files, &edits).0)
}

/// The runs of one protocol: hives of several ages and sizes.
fn runs(beside: Beside, long: bool) -> Vec<Run> {
    let mut runs: Vec<Run> = [Version::V1_3, Version::V1_5].map(|version| generated_run(version, beside)).into();
    runs.extend(special_run(beside));
    let (real, large): (&[(&str, Beside)], _) = match beside {
        Beside::New => (
            &[
                ("hives/aiowinreg-win2022_64-SAM", beside),
                ("hives/aiowinreg-win2012_64-SECURITY", beside),
                ("hives/artemis-win10-NTUSER.DAT", beside),
                // Dirty: the replay is written back first.
                ("dirty/yarp-NewDirtyHive1/NewDirtyHive", Beside::Own),
            ],
            "hives/regipy-SYSTEM",
        ),
        Beside::Old => (
            &[
                ("hives/aiowinreg-win2008_32-SAM", beside),
                ("hives/regipy-SAM", beside),
                ("hives/ez-NTUSER1.DAT", beside),
                ("dirty/yarp-OldDirtyHive/OldDirtyHive", Beside::Own),
            ],
            "hives/bitcurator-SYSTEM",
        ),
        Beside::Journal => (
            &[
                ("hives/aiowinreg-win2008_32-SECURITY", beside),
                ("hives/ez-NTUSER1.DAT", beside),
                ("hives/regipy-SAM", beside),
            ],
            "hives/artemis-win10-NTUSER.DAT",
        ),
        _ => (
            &[
                ("bcd/windeploy-BCD", beside),
                // Its log is of the new format, but this is a boot store.
                ("bcd/esp-nuc8/Recovery/BCD", Beside::Own),
                ("hives/aiowinreg-nt-SECURITY", beside),
            ],
            "hives/aiowinreg-nt-SYSTEM",
        ),
    };
    runs.extend(real.iter().filter_map(|(path, beside)| real_run(path, *beside)));
    if long {
        runs.extend(real_run(large, beside));
    }
    runs
}

/// Runs the laboratory over one protocol until so many disks were judged.
fn cut_all(beside: Beside, wanted: usize) -> Lab {
    let mut lab = Lab::new();
    let runs = runs(beside, wanted > 10_000);
    let protocol = runs[0].protocol;
    assert!(runs.iter().all(|run| run.protocol == protocol), "the logs decide on the protocol");
    for round in 0..20 {
        let missing = wanted.saturating_sub(lab.distinct());
        if missing == 0 && round > 0 {
            break;
        }
        let shares: usize = runs.iter().map(weight).sum();
        for run in &runs {
            lab.judge(run, (missing * weight(run)).div_ceil(shares).max(2), round);
        }
    }
    lab
}

/// A large hive takes long to read.
fn weight(run: &Run) -> usize {
    match run.before.primary().len() {
        0..100_000 => 24,
        100_000..1_000_000 => 12,
        _ => 1,
    }
}

#[test]
fn after_a_power_cut_the_hive_is_as_it_was_or_as_it_should_be() {
    let wanted = wanted();
    let labs: Vec<Lab> = thread::scope(|scope| {
        // What a hive without log goes through is judged as a whole each time, which takes longest.
        let each = [
            (Beside::New, wanted * 4 / 10),
            (Beside::Old, wanted * 3 / 10),
            (Beside::Nothing, wanted * 2 / 10),
            (Beside::Journal, wanted / 10),
        ];
        let labs = each.map(|(beside, wanted)| scope.spawn(move || cut_all(beside, wanted + 1)));
        labs.map(|lab| lab.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).into()
    });
    let distinct: usize = labs.iter().map(Lab::distinct).sum();
    for lab in &labs {
        for (protocol, tally) in &lab.tally {
            let all: usize = tally.found.values().sum();
            say(&format!(
                "{protocol}: {all} different disks, {:?}, {} more with a torn base block, {} judged twice",
                tally.found, tally.torn, tally.judged_twice
            ));
            assert!(tally.found.get(&Found::Old) > Some(&0) && tally.found.get(&Found::New) > Some(&0));
            assert!(tally.torn > 0 || protocol == "Stepwise", "{protocol}: no base block was torn");
        }
        assert!(lab.unmet().is_empty(), "never met: {:?}", lab.unmet());
    }
    say(&format!("{distinct} different disks after power cuts"));
    assert!(distinct >= wanted, "only {distinct} of {wanted} different disks");
}
