//! `hivesmith undo [JOURNAL] [--list]`

use std::{io::Write as _, path::PathBuf};

use clap::Args;
use hivesmith::plan::{Journal, Standing, UndoStep};
use serde_json::{Value as Json, json};

use super::{Common, Exit, Failure, Writing};

/// Puts back what a change has kept: hives byte for byte, descriptors of files byte for byte.
///
/// Files and folders that a script made go, too, where they are as it left them; what it replaced stays replaced.
#[derive(Debug, Args)]
pub(crate) struct Undo {
    /// The folder with the copies; without it the newest one in --undo-dir that has not been put back.
    journal: Option<PathBuf>,
    /// List what is kept in --undo-dir, or what is in JOURNAL.
    #[arg(long)]
    list: bool,
    /// Put back also what somebody has changed since: what they did is lost.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    writing: Writing,
}

impl Undo {
    pub(crate) fn run(self, common: &Common) -> Result<Exit, Failure> {
        if self.list && self.journal.is_none() {
            return self.list(common);
        }
        let mut journal = self.journal()?;
        let steps = journal.steps();
        let dry_run = self.writing.dry_run || self.list;
        if !dry_run {
            self.guard(&journal)?;
        }
        let in_the_way = |step: &&UndoStep| match step.standing {
            Standing::ChangedSince | Standing::Missing => !self.force,
            // One file that cannot be read must not keep all others from being put back; a hive is another matter.
            Standing::Unreadable(_) => !self.force || step.kind == "restore-hive",
            _ => false,
        };
        let stopped = steps.iter().any(|step| in_the_way(&step));
        let left = steps.iter().filter(|step| !step.standing.is_settled()).count();
        if !stopped && !dry_run {
            journal.undo().map_err(|failed| not_put_back(&failed))?;
        }
        self.report(&journal, &steps, left, dry_run, stopped, common)?;
        if stopped && !self.list {
            let lines: Vec<String> =
                steps.iter().filter(in_the_way).take(20).map(|step| format!("\n  {step}")).collect();
            let message = format!(
                "nothing was put back:{}\n  --force puts back all that can be: what was done since is lost, files that \
                 are gone or cannot be read are passed over",
                lines.concat()
            );
            return Err(Failure::new(Exit::Refused, message));
        }
        Ok(Exit::Done)
    }

    fn journal(&self) -> Result<Journal, Failure> {
        if let Some(path) = &self.journal {
            return Journal::open(path).map_err(|error| Failure::io(path, &error));
        }
        let all = Journal::all(&self.writing.undo_dir).map_err(|error| Failure::io(&self.writing.undo_dir, &error))?;
        for journal in all {
            match journal {
                Ok(journal) if journal.is_undone() => {}
                Ok(journal) => return Ok(journal),
                // What came before it is not what was done last.
                Err((folder, error)) => {
                    let mut failure = Failure::io(&folder, &error);
                    failure.message += "\n  nothing was put back; undo JOURNAL names another one";
                    return Err(failure);
                }
            }
        }
        Err(Failure::new(
            Exit::No,
            format!("{}: nothing is kept there that was not put back", self.writing.undo_dir.display()),
        ))
    }

    fn guard(&self, journal: &Journal) -> Result<(), Failure> {
        for hive in journal.hives().filter(|hive| hive.exists()) {
            self.writing.guard(hive)?;
        }
        journal.volumes().into_iter().filter(|volume| volume.exists()).try_for_each(|volume| self.writing.guard(volume))
    }

    fn list(&self, common: &Common) -> Result<Exit, Failure> {
        let all = Journal::all(&self.writing.undo_dir).map_err(|error| Failure::io(&self.writing.undo_dir, &error))?;
        let mut out = std::io::stdout().lock();
        if common.json {
            let entries: Vec<Json> = all
                .iter()
                .map(|journal| match journal {
                    Err((folder, error)) => {
                        json!({ "journal": folder.display().to_string(), "error": error.to_string() })
                    }
                    Ok(journal) => json!({
                        "journal": journal.folder().display().to_string(),
                        "hives": journal.hives().map(|hive| hive.display().to_string()).collect::<Vec<_>>(),
                        "descriptors": journal.descriptors(),
                        "made": journal.made(),
                        "undone": journal.is_undone(),
                    }),
                })
                .collect();
            writeln!(out, "{:#}", Json::from(entries))?;
            return Ok(Exit::Done);
        }
        for journal in &all {
            let journal = match journal {
                Ok(journal) => journal,
                Err((folder, error)) => {
                    writeln!(out, "{} (cannot be read: {error})", folder.display())?;
                    continue;
                }
            };
            let state = if journal.is_undone() { " (put back)" } else { "" };
            writeln!(out, "{}{state}", journal.folder().display())?;
            for hive in journal.hives() {
                writeln!(out, "    hive {}", hive.display())?;
            }
            if journal.descriptors() > 0 {
                writeln!(out, "    descriptors of {} files", journal.descriptors())?;
            }
            if journal.made() > 0 {
                writeln!(out, "    {} files and folders that were made", journal.made())?;
            }
        }
        Ok(Exit::Done)
    }

    fn report(
        &self,
        journal: &Journal,
        steps: &[UndoStep],
        left: usize,
        dry_run: bool,
        stopped: bool,
        common: &Common,
    ) -> Result<(), Failure> {
        let mut out = std::io::stdout().lock();
        if common.json {
            let step = |step: &UndoStep| {
                json!({
                    "target": step.target.display().to_string(),
                    "kind": step.kind,
                    "standing": step.standing.to_string(),
                })
            };
            let document = json!({
                "changed": left > 0 && !stopped,
                "dry_run": dry_run,
                "journal": journal.folder().display().to_string(),
                "steps": steps.iter().map(step).collect::<Vec<_>>(),
            });
            writeln!(out, "{document:#}")?;
            return Ok(());
        }
        if stopped && !self.list {
            return Ok(());
        }
        for step in steps {
            writeln!(out, "{step}")?;
        }
        match (left, dry_run) {
            (0, _) if steps.iter().any(|step| step.standing == Standing::Missing) => {
                writeln!(out, "nothing to put back: what is left is as it was before")?;
            }
            (0, _) => writeln!(out, "nothing to put back: everything is as it was before")?,
            (_, true) => writeln!(out, "dry run: {left} of {} would be put back, nothing was written", steps.len())?,
            _ => writeln!(out, "put back from {}", journal.folder().display())?,
        }
        Ok(())
    }
}

/// What an undo could not do; the rest is done.
fn not_put_back(failed: &[(PathBuf, std::io::Error)]) -> Failure {
    let mut failures = failed.iter().map(|(path, error)| Failure::io(path, error));
    let mut failure = failures.next().unwrap_or_else(|| Failure::new(Exit::Io, ""));
    for other in failures.take(20) {
        failure.message += &format!("\n{}", other.message);
    }
    if failed.len() > 21 {
        failure.message += &format!("\nand {} more", failed.len() - 21);
    }
    failure.message += "\n  not everything is put back: run this again before the machine is booted";
    failure
}
