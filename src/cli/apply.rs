//! From a plan to the disk: copies first, then the hives, then the files that commands write.

use std::{
    io,
    path::{Path, PathBuf},
};

use hivesmith::{
    CommitReport, Protocol,
    command::run::NewFile,
    plan::{DescriptorChange, Descriptors, Kept, Opened, Registry, Step},
    volume::{Drives, Existing, Made, Place},
};
use serde_json::{Value as Json, json};

use super::{Exit, Failure, Writing};

/// What was written.
#[derive(Debug, Default)]
pub(crate) struct Applied {
    /// Where copies of the changed hives are.
    pub(crate) journal: Option<PathBuf>,
    pub(crate) commits: Vec<(PathBuf, CommitReport)>,
    /// Descriptors that could not be written, by their number among the changes.
    pub(crate) failed: Vec<(usize, io::Error)>,
}

/// What commands have planned besides changes of hives.
pub(crate) struct Planned<'p> {
    pub(crate) files: &'p [NewFile],
    pub(crate) folders: &'p [String],
    pub(crate) descriptors: &'p Descriptors,
    /// Whether files and folders are noted for an undo. Single commands make the one file that they were asked for.
    pub(crate) undoes_files: bool,
}

/// Writes what the registry and the commands have planned, unless it is a dry run.
pub(crate) fn apply(
    registry: Registry<'_>,
    drives: &Drives,
    files: &[NewFile],
    writing: &Writing,
) -> Result<Applied, Failure> {
    let planned = Planned { files, folders: &[], descriptors: &Descriptors::default(), undoes_files: false };
    apply_all(registry, drives, &planned, false, writing, &mut |_| {})
}

/// The same, with descriptors of files: they are kept before the first write of any kind, and written behind the hives.
/// With `go_on`, those that cannot be written are left to the caller; else the first one ends it.
pub(crate) fn apply_all(
    registry: Registry<'_>,
    drives: &Drives,
    planned: &Planned<'_>,
    go_on: bool,
    writing: &Writing,
    progress: &mut dyn FnMut(usize),
) -> Result<Applied, Failure> {
    let &Planned { files, folders, descriptors, undoes_files } = planned;
    guard_files(&registry, drives, files)?;
    if writing.dry_run {
        return Ok(Applied::default());
    }
    let mut applied = Applied::default();
    guard_volumes(descriptors, writing)?;
    for path in files.iter().map(|file| file.path.as_str()).chain(folders.iter().map(String::as_str)) {
        if let Ok(Some((folder, _))) = drives.folder_of(path) {
            writing.guard(folder)?;
        }
    }
    let mut journal = None;
    if registry.is_changed() || !descriptors.is_empty() {
        let mut kept = Kept::create(&writing.undo_dir).map_err(|error| Failure::io(&writing.undo_dir, &error))?;
        applied.journal = Some(kept.folder().to_owned());
        if !descriptors.is_empty() {
            let noted = kept.keep_descriptors(descriptors.changes());
            noted.map_err(|error| Failure::io(kept.folder(), &error))?;
        }
        for (path, protocol) in registry.protocols() {
            if protocol == Protocol::Redo {
                say_journal(path, writing);
            }
        }
        applied.commits = registry.commit(&mut kept).map_err(|failure| {
            let mut failed = Failure::of(&failure.path, &failure.error);
            for (path, _) in failure.done {
                failed.message += &format!("\n  already changed: {}", path.display());
            }
            failed.message += &format!("\n  copies from before are in {}", kept.folder().display());
            failed.message += &unfinished(&failure.path, writing);
            failed
        })?;
        let mut written = descriptors.write(go_on, progress);
        if let (false, Some((number, error))) = (go_on, written.failed.pop()) {
            let target = descriptors.changes().nth(number).map(DescriptorChange::target).unwrap_or_default();
            let mut failed = Failure::io(&target, &error);
            failed.message += &format!(
                "\n  {} descriptors were changed before it; descriptors from before are in {}",
                written.done,
                kept.folder().display()
            );
            return Err(failed);
        }
        applied.failed = written.failed;
        journal = Some(kept);
    }
    let mut made = Vec::new();
    let mut written = write_files(drives, folders, files, &mut made);
    if undoes_files && !made.is_empty() {
        let kept = journal.map_or_else(|| Kept::create(&writing.undo_dir), Ok);
        let noted = kept.and_then(|mut kept| kept.made(&made).map(|()| kept.folder().to_owned()));
        applied.journal = Some(noted.map_err(|error| Failure::io(&writing.undo_dir, &error))?);
    }
    if let (Err(failure), Some(journal)) = (&mut written, &applied.journal) {
        failure.message +=
            &format!("\n  all else was changed before it; copies from before are in {}", journal.display());
    }
    written.map(|()| applied)
}

fn write_files(drives: &Drives, folders: &[String], files: &[NewFile], made: &mut Vec<Made>) -> Result<(), Failure> {
    for folder in folders {
        let done = drives.make_folder(folder, made);
        done.map_err(|error| Failure::new(Exit::Io, format!("{folder}: {error}")))?;
    }
    for file in files {
        let done = drives.write(&file.path, &file.bytes, file.existing, made);
        done.map_err(|error| Failure::new(Exit::Io, format!("{}: {error}", file.path)))?;
    }
    Ok(())
}

/// Whether writing these makes or changes any: what a script prints into a file may be there from its last run.
pub(crate) fn brings_news(drives: &Drives, files: &[NewFile]) -> bool {
    // Only of a file that could hold just this: reading a FIFO would wait for its other end for ever.
    let fits = |file: &NewFile| {
        let known = drives.find(&file.path).and_then(std::fs::metadata);
        known.is_ok_and(|known| known.is_file() && known.len() == file.bytes.len() as u64)
    };
    let is_new = |file: &NewFile| match file.existing {
        Existing::Append => !file.bytes.is_empty(),
        _ => !fits(file) || drives.read(&file.path).ok().as_ref() != Some(&file.bytes),
    };
    files.iter().any(is_new)
}

/// Refuses to write over what must stay, before anything is written.
fn guard_files(registry: &Registry<'_>, drives: &Drives, files: &[NewFile]) -> Result<(), Failure> {
    for file in files {
        let Ok(there) = drives.find(&file.path) else { continue };
        let canonical = there.canonicalize().ok();
        let is_it = |hive: &Path| canonical.is_some() && hive.canonicalize().ok() == canonical;
        let why = if registry.files().any(is_it) {
            "this is the hive that the commands are about"
        } else if file.existing == Existing::Keep {
            "the file exists, and is not overwritten (reg export does that with /y)"
        } else {
            continue;
        };
        return Err(Failure::new(Exit::Refused, format!("{}: {why}; nothing was written", file.path)));
    }
    Ok(())
}

/// Refuses volumes that cannot or must not be written, before anything is kept for an undo.
fn guard_volumes(descriptors: &Descriptors, writing: &Writing) -> Result<(), Failure> {
    let mut seen: Vec<&Path> = Vec::new();
    for change in descriptors.changes() {
        if seen.contains(&change.volume.as_path()) {
            continue;
        }
        seen.push(&change.volume);
        writing.guard(&change.volume)?;
        let writable = Place::open(&change.volume).and_then(|volume| volume.writable());
        writable.map_err(|error| {
            let failure = Failure::io(&change.volume, &error);
            Failure { message: failure.message + "\n  nothing was written", ..failure }
        })?;
    }
    Ok(())
}

/// Puts changes of descriptors among the steps of a document.
pub(crate) fn add_descriptors(document: &mut Json, descriptors: &Descriptors) {
    let changes = descriptors.changes().map(DescriptorChange::to_json);
    if let Some(steps) = document["steps"].as_array_mut() {
        let before = steps.len();
        steps.extend(changes);
        if steps.len() > before {
            document["changed"] = true.into();
        }
    }
}

/// To be said before a commit through a journal of our own.
pub(crate) fn say_journal(hive: &Path, writing: &Writing) {
    anstream::eprintln!(
        "hivesmith: {}: no log protects this change, so it is written to {} first; should power fail, run this again (or \
         hivesmith recover) with the same --undo-dir before the machine is booted",
        hive.display(),
        writing.redo_for(hive).display()
    );
}

/// What a failed commit through a journal of our own asks for; nothing where there is no journal.
pub(crate) fn unfinished(hive: &Path, writing: &Writing) -> String {
    let redo = writing.redo_for(hive);
    if !redo.exists() {
        return String::new();
    }
    format!(
        "\n  the commit is in {} and not finished: before the machine is booted, run hivesmith recover {} --undo-dir {}",
        redo.display(),
        hive.display(),
        writing.undo_dir.display()
    )
}

/// What a replayed log brought, to be said when a hive is opened.
pub(crate) fn replayed(hives: &[Opened]) -> Vec<String> {
    hives
        .iter()
        .filter_map(|opened| {
            let report = opened.hive.recovery()?;
            let (Some(first), Some(last)) = (report.applied.first(), report.applied.last()) else {
                return Some(format!(
                    "{} was not closed cleanly and no log belongs to it: it is taken as it is, and what Windows wrote \
                     last may be missing",
                    opened.path.display()
                ));
            };
            Some(format!(
                "{} was not closed cleanly: {} log entries ({} to {}) are replayed first",
                opened.path.display(),
                report.applied.len(),
                first.sequence,
                last.sequence
            ))
        })
        .collect()
}

/// The document of `run` and `fix`.
pub(crate) fn to_json<'s>(
    steps: impl IntoIterator<Item = &'s Step>,
    applied: &Applied,
    dry_run: bool,
    refused: &[Json],
    warnings: &[String],
) -> Json {
    let steps: Vec<Json> = steps.into_iter().map(Step::to_json).collect();
    let commits: Vec<Json> = applied
        .commits
        .iter()
        .map(|(path, report)| {
            json!({
                "hive": path.display().to_string(),
                "protocol": protocol(report.protocol),
                "pages": report.pages,
                "sequence": report.sequence,
            })
        })
        .collect();
    json!({
        "changed": !steps.is_empty() && refused.iter().all(|refusal| refusal["stops"] != true),
        "dry_run": dry_run,
        "journal": applied.journal.as_deref().map(Path::display).map(|path| path.to_string()),
        "steps": steps,
        "refused": refused,
        "warnings": warnings,
        "commits": commits,
    })
}

/// How a commit was made durable, in words.
pub(crate) fn protocol(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Logged => "through its log",
        Protocol::OldLog => "through its log, as Windows before 8.1",
        Protocol::Redo => "through a journal of our own",
        Protocol::Stepwise => "step by step, clean at every instant",
        _ => "in memory",
    }
}
