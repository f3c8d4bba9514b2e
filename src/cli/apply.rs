//! From a plan to the disk: copies first, then the hives, then the files that commands write.

use std::path::{Path, PathBuf};

use hivesmith::{
    CommitReport, Protocol,
    command::run::NewFile,
    plan::{Kept, Opened, Registry, Step},
    volume::Drives,
};
use serde_json::{Value as Json, json};

use super::{Exit, Failure, Writing};

/// What was written.
#[derive(Debug, Default)]
pub(crate) struct Applied {
    /// Where copies of the changed hives are.
    pub(crate) journal: Option<PathBuf>,
    pub(crate) commits: Vec<(PathBuf, CommitReport)>,
}

/// Writes what the registry and the commands have planned, unless it is a dry run.
pub(crate) fn apply(
    registry: Registry<'_>,
    drives: &Drives,
    files: &[NewFile],
    writing: &Writing,
) -> Result<Applied, Failure> {
    if writing.dry_run {
        return Ok(Applied::default());
    }
    let mut applied = Applied::default();
    if registry.is_changed() {
        let mut kept = Kept::create(&writing.undo_dir).map_err(|error| Failure::io(&writing.undo_dir, &error))?;
        applied.journal = Some(kept.folder().to_owned());
        for (path, protocol) in registry.protocols() {
            if protocol == Protocol::Redo {
                anstream::eprintln!(
                    "hivesmith: {}: no log protects this change, so it is written to {} first; should power fail, run \
                     this again (or hivesmith recover) with the same --undo-dir before the machine is booted",
                    path.display(),
                    writing.redo_for(path).display()
                );
            }
        }
        applied.commits = registry.commit(&mut kept).map_err(|failure| {
            let mut failed = Failure::of(&failure.path, &failure.error);
            for (path, _) in failure.done {
                failed.message += &format!("\n  already changed: {}", path.display());
            }
            failed.message += &format!("\n  copies from before are in {}", kept.folder().display());
            let redo = writing.redo_for(&failure.path);
            if redo.exists() {
                failed.message += &format!(
                    "\n  the commit is in {} and not finished: before the machine is booted, run hivesmith recover {} \
                     --undo-dir {}",
                    redo.display(),
                    failure.path.display(),
                    writing.undo_dir.display()
                );
            }
            failed
        })?;
    }
    for file in files {
        drives
            .write(&file.path, &file.bytes, file.existing)
            .map_err(|error| Failure::new(Exit::Io, format!("{}: {error}", file.path)))?;
    }
    Ok(applied)
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
