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
        applied.commits = registry.commit(&mut kept).map_err(|failure| {
            let mut failed = Failure::of(&failure.path, &failure.error);
            for (path, _) in failure.done {
                failed.message += &format!("\n  already changed: {}", path.display());
            }
            failed.message += &format!("\n  copies from before are in {}", kept.folder().display());
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
            let (first, last) = (report.applied.first()?, report.applied.last()?);
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
        Protocol::Stepwise => "step by step, clean at every instant",
        _ => "in memory",
    }
}
