//! What `icacls` and `takeown` have in common: our options among Windows' words, progress, carrying out, the last line.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    io::{self, IsTerminal as _, Write as _},
    time::{Duration, Instant},
};

use hivesmith::{
    command::{
        Accounts, icacls,
        run::{FileCommands, FileEffect, RunError},
    },
    plan::{Descriptors, Registry},
    security::Sid,
};

use super::{Common, Exit, Failure, Writing, apply, mounts::Sources, reg};

/// What stands among the words without being Windows' syntax.
pub(crate) struct Ours {
    pub(crate) sources: Sources,
    pub(crate) writing: Writing,
    pub(crate) owner: Option<Sid>,
}

impl Ours {
    /// Separates our long options from Windows' words.
    pub(crate) fn take(
        words: Vec<String>,
        accounts: &Accounts,
        common: &mut Common,
    ) -> Result<(Vec<String>, Self), Failure> {
        let mut ours = Self { sources: Sources::default(), writing: Writing::default(), owner: None };
        let mut theirs: Vec<String> = Vec::new();
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            let (name, value) = match word.split_once('=') {
                Some((name, value)) if name.starts_with("--") => (name.to_owned(), Some(value.to_owned())),
                _ => (word.clone(), None),
            };
            let mut argument = || {
                value
                    .clone()
                    .or_else(|| words.next())
                    .ok_or_else(|| Failure::usage(format!("{name} needs an argument")))
            };
            match name.as_str() {
                "--drive" => ours.sources.drives.push(argument()?),
                "--root" => ours.sources.drives.push(format!("C:={}", argument()?)),
                "--undo-dir" => ours.writing.undo_dir = argument()?.into(),
                "--owner" => {
                    let owner = accounts.sid(&argument()?);
                    ours.owner = Some(owner.map_err(|error| Failure::usage(error.to_string()))?);
                }
                "--dry-run" => ours.writing.dry_run = true,
                "--accept-hibernated" => ours.writing.accept_hibernated = true,
                name => {
                    if common.take(name, argument)? {
                        continue;
                    }
                    if name.starts_with("--") && name != "--help" {
                        return Err(Failure::usage(format!("unknown option {name}; Windows' own begin with /")));
                    }
                    theirs.push(word);
                }
            }
        }
        Ok((theirs, ours))
    }
}

/// A command that was read: what it does with the files, and what its last line says.
pub(crate) struct Verb<'v> {
    pub(crate) ours: &'v Ours,
    pub(crate) accounts: &'v Accounts,
    /// Where changes come from.
    pub(crate) why: String,
    /// Whether nothing is changed, so that lines can be printed as they come.
    pub(crate) only_looks: bool,
    pub(crate) go_on: bool,
    /// Whether the last line of `icacls` is printed.
    pub(crate) summary: bool,
    /// What was printed of a file that is changed.
    pub(crate) printed: &'v dyn Fn(&str) -> String,
}

type Carry<'c> = dyn FnMut(&mut FileCommands<'_>, &mut dyn fmt::Write) -> Result<FileEffect, RunError> + 'c;

/// Plans a command, and carries the plan out.
pub(crate) fn carry_out(verb: &Verb<'_>, common: &Common, command: &mut Carry<'_>) -> Result<Exit, Failure> {
    let (ours, drives) = (verb.ours, verb.ours.sources.drives()?);
    let mut plan = Descriptors::default();
    let mut progress = Progress::new(common.quiet || common.json);
    let mut text = String::new();
    let mut stdout = Printed(io::BufWriter::new(io::stdout().lock()));
    let streams = verb.only_looks && !common.json;
    let mut effect = {
        let mut at = |count| progress.at("looked at", count);
        let mut commands = FileCommands {
            drives: &drives,
            accounts: verb.accounts,
            plan: &mut plan,
            why: verb.why.as_str().into(),
            progress: &mut at,
        };
        let out: &mut dyn fmt::Write = if streams { &mut stdout } else { &mut text };
        let done = command(&mut commands, out);
        let flushed = stdout.0.flush();
        progress.end();
        let effect = done.map_err(|error| failure(&error, verb.only_looks))?;
        flushed?;
        effect
    };
    for warning in effect.warnings.iter().filter(|_| !common.quiet) {
        anstream::eprintln!("hivesmith: warning: {warning}");
    }

    let planned = apply::Planned { files: &effect.files, folders: &[], descriptors: &plan, undoes_files: false };
    let mut at = |count| progress.at("written", count);
    let applied = apply::apply_all(Registry::reading(&[]), &drives, &planned, verb.go_on, &ours.writing, &mut at);
    progress.end();
    let mut applied = applied?;
    let mut failed: HashMap<usize, io::Error> = applied.failed.drain(..).collect();
    let failed = plan.changes().enumerate().filter_map(|(number, change)| Some((change, failed.remove(&number)?)));
    let failed: Vec<_> = failed.map(|(change, error)| (change.shown.clone(), error)).collect();
    // They are not processed after all.
    if !failed.is_empty() {
        text = without(&text, &failed.iter().map(|(shown, _)| (verb.printed)(shown)).collect());
    }
    effect.done = effect.done.saturating_sub(failed.len());
    effect.failed.extend(failed);
    for (path, error) in &effect.failed {
        anstream::eprintln!("{path}: {error}");
    }

    let out = &mut stdout.0;
    if common.json {
        let mut document = apply::to_json([], &applied, ours.writing.dry_run, &[], &effect.warnings);
        apply::add_descriptors(&mut document, &plan);
        document["output"] = text.into();
        document["processed"] = effect.done.into();
        let failed =
            effect.failed.iter().map(|(path, error)| serde_json::json!({ "path": path, "error": error.to_string() }));
        document["failed"] = failed.collect::<Vec<_>>().into();
        writeln!(out, "{document:#}")?;
    } else if ours.writing.dry_run && !verb.only_looks {
        let mut count = 0;
        for change in plan.changes() {
            count += 1;
            writeln!(out, "{change}")?;
        }
        writeln!(out, "dry run: {count} descriptors, nothing was written")?;
    } else {
        out.write_all(text.as_bytes())?;
        if verb.summary {
            writeln!(out, "{}", icacls::summary(effect.done, effect.failed.len()))?;
        }
        if let (Some(journal), false) = (&applied.journal, common.quiet) {
            out.flush()?;
            anstream::eprintln!("hivesmith: descriptors from before are in {}", journal.display());
        }
    }
    out.flush()?;
    Ok(match effect.failed.first() {
        Some((path, error)) => Failure::opening(path, error).exit,
        None if effect.negative => Exit::No,
        None => Exit::Done,
    })
}

/// The text without what was printed of some files: a line each, or a line behind an empty one.
fn without(text: &str, gone: &HashSet<String>) -> String {
    let mut left = String::with_capacity(text.len());
    let mut piece = String::new();
    for line in text.split_inclusive('\n') {
        piece += line;
        if line != "\n" {
            if !gone.contains(&piece) {
                left += &piece;
            }
            piece.clear();
        }
    }
    left + &piece
}

fn failure(error: &RunError, only_looks: bool) -> Failure {
    if let RunError::File(_, error) = error {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Failure::new(Exit::Done, "");
        }
    }
    let failure = reg::failure(error);
    if only_looks {
        return failure;
    }
    Failure { message: failure.message + "\n  nothing was written", ..failure }
}

/// Standard output for what writes text.
struct Printed(io::BufWriter<io::StdoutLock<'static>>);

impl fmt::Write for Printed {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.write_all(text.as_bytes()).map_err(|_| fmt::Error)
    }
}

/// How far it is, on a terminal, of what takes longer than a second.
pub(crate) struct Progress {
    begun: Instant,
    last: Option<Instant>,
    silent: bool,
}

impl Progress {
    pub(crate) fn new(silent: bool) -> Self {
        Self { begun: Instant::now(), last: None, silent: silent || !io::stderr().is_terminal() }
    }

    pub(crate) fn at(&mut self, what: &str, count: usize) {
        let now = Instant::now();
        let due = match self.last {
            Some(last) => now - last > Duration::from_millis(200),
            None => now - self.begun > Duration::from_secs(1),
        };
        if due && !self.silent {
            self.last = Some(now);
            anstream::eprint!("\r{count} files {what}");
        }
    }

    pub(crate) fn end(&mut self) {
        if self.last.take().is_some() {
            anstream::eprint!("\r\x1b[K");
        }
    }
}

/// Where our own options are told.
pub(crate) const OUR_OPTIONS: &str =
    "  --drive F:=DIR     paths that begin with F: lie below DIR; --root DIR is --drive C:=DIR
  --dry-run          show what would change and write nothing
  --undo-dir DIR     where descriptors from before are kept (hivesmith-undo)
  --json             one JSON document
  -q, --quiet        only errors on stderr
  --accept-hibernated  write although Windows is hibernated there

Paths are those of this machine, or of Windows with --drive. Links on the disk are never followed.
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_is_not_said_to_be_done() {
        let gone: HashSet<String> = ["processed file: b\n".to_owned(), "\nSUCCESS: b\n".to_owned()].into();
        assert_eq!(
            without("processed file: a\nprocessed file: b\nprocessed file: bb\n", &gone),
            "processed file: a\nprocessed file: bb\n"
        );
        assert_eq!(without("\nSUCCESS: a\n\nSUCCESS: b\n\nSUCCESS: c\n", &gone), "\nSUCCESS: a\n\nSUCCESS: c\n");
        assert_eq!(without("a\n\n", &gone), "a\n\n");
    }
}
