//! Records what the engine asks of the disk for a commit or a recovery, and what may be found on it meanwhile.

use hivesmith::{CommitReport, FileTime, Hive, OpenOptions, Protocol};

use crate::{
    files::Files,
    generated::Edit,
    known::{Known, bins, bins_of, content},
    lab::Run,
    logs::{assert_below, numbers},
    tape::Tape,
};

/// Opens a disk for editing.
pub(crate) fn open(files: &Files) -> (Tape, Hive) {
    let tape = Tape::new(files.clone());
    let hive = OpenOptions::new().open_storage(tape.clone()).unwrap();
    (tape, hive)
}

/// Commits edits.
pub(crate) fn commit(hive: &mut Hive, edits: &[Edit]) -> hivesmith::Result<CommitReport> {
    commit_when(hive, edits, || ())
}

/// Commits edits; `ready` is called when they are made.
pub(crate) fn commit_when(hive: &mut Hive, edits: &[Edit], ready: impl FnOnce()) -> hivesmith::Result<CommitReport> {
    let mut txn = hive.begin()?;
    // The same run gives the same bytes.
    txn.set_time(FileTime(0x01dd_0000_0000_0000));
    for edit in edits {
        edit(&mut txn).unwrap();
    }
    ready();
    txn.commit()
}

/// The edits that a hive takes under its protocol: not everything can be done without a log.
pub(crate) fn accepted(files: &Files, edits: Vec<Edit>) -> Vec<Edit> {
    let (_, mut hive) = open(files);
    let mut txn = hive.begin().unwrap();
    let mut kept = Vec::new();
    for edit in edits {
        let before = txn.savepoint();
        match edit(&mut txn) {
            Ok(()) => kept.push(edit),
            Err(_) => txn.rollback_to(before).unwrap(),
        }
    }
    assert!(kept.len() > 4, "hardly an edit is possible");
    kept
}

/// A commit of edits, recorded.
pub(crate) fn commit_run(name: &str, before: &Files, edits: &[Edit]) -> (Run, Files) {
    let (tape, mut hive) = open(before);
    let old = hive.to_bytes();
    let report = commit(&mut hive, edits).unwrap_or_else(|error| panic!("{name}: {error}"));
    let protocol = report.protocol;
    let after = tape.files();
    assert!(after.primary()[0x1000..].starts_with(&bins(&hive)), "{name}: the disk has something else than memory");
    assert_below(&after, name);
    let (known, hives) = match protocol {
        Protocol::Stepwise => steps(&old, edits, before),
        Protocol::OldLog => {
            let new = hive.to_bytes();
            // The time stamp of the first bin goes first.
            let mut stamped = old.clone();
            stamped[0x1014..0x101c].copy_from_slice(&new[0x1014..0x101c]);
            whole(vec![old, stamped, new])
        }
        _ => whole(vec![old, hive.to_bytes()]),
    };
    (Run { name: name.to_owned(), protocol, before: before.clone(), calls: tape.take(), known, hives }, after)
}

fn whole(hives: Vec<Vec<u8>>) -> (Known, Vec<Vec<u8>>) {
    (Known::Whole(hives.iter().map(|hive| bins_of(hive)).collect()), hives)
}

/// A recovery, recorded: the replayed hive is the only thing that may be found.
pub(crate) fn recovery_run(name: &str, before: &Files) -> (Run, Files) {
    let (tape, mut hive) = open(before);
    let protocol = hive.protocol();
    let replayed = hive.to_bytes();
    assert!(hive.recover().unwrap().is_some(), "{name}: nothing to recover");
    let known = Known::Whole(vec![bins(&hive)]);
    let calls = tape.take();
    (Run { name: name.to_owned(), protocol, before: before.clone(), calls, known, hives: vec![replayed] }, tape.files())
}

/// The hive after each of the edits; one that changes nothing but time stamps makes no state of its own.
fn steps(hive: &[u8], edits: &[Edit], before: &Files) -> (Known, Vec<Vec<u8>>) {
    let mut memory = Hive::from_bytes(hive.to_vec()).unwrap();
    let (mut states, mut hives) = (vec![content(memory.view())], vec![memory.to_bytes()]);
    for edit in edits {
        commit(&mut memory, std::slice::from_ref(edit)).unwrap();
        let state = content(memory.view());
        if !states.contains(&state) {
            states.push(state);
            hives.push(memory.to_bytes());
        }
    }
    assert_eq!(states.last(), Some(&content(memory.view())), "the last edit undoes another one");
    let (first, second) = numbers(before.primary());
    (Known::Steps { states, dirty_before: first != second }, hives)
}
