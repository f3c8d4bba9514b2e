//! `hivesmith recover`

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use hivesmith::{
    Error, FileStorage, Hive, HiveFile, Recover as Mode, RecoveryReport, Storage, check::Severity, plan::Kept,
};
use serde_json::{Value as Json, json};

use super::{Common, Exit, Failure, Writing, output::Output};

/// Replays the logs of a hive that was not closed cleanly, and writes it back clean.
#[derive(Debug, clap::Args)]
#[command(after_long_help = DETAILS)]
pub(crate) struct Recover {
    /// The hive.
    hive: PathBuf,
    /// Use this log instead of those beside the hive; twice for a pair, in any order.
    #[arg(long = "log", value_name = "FILE")]
    logs: Vec<PathBuf>,
    #[command(flatten)]
    writing: Writing,
}

const DETAILS: &str = "\
The bins are written first, and the base block when they are durable: until then the hive is as
unclean as before, and its logs, which are never written, can be replayed again. Copies of all files
are kept before the first write.

Exit code 0: done, or nothing to do; 3: no log belongs to the hive, or replaying it gives a hive
that Windows refuses.";

impl Recover {
    pub(crate) fn run(self, common: &Common) -> Result<Exit, Failure> {
        if self.logs.len() > 2 {
            return Err(Failure::usage("a hive has at most two logs"));
        }
        let storage = self.storage()?;
        let options = Hive::options().read_only(self.writing.dry_run).recover(Mode::InMemory);
        let mut hive = options.open_files(storage).map_err(|error| self.cannot(&error))?;
        let Some(report) = hive.recovery().cloned() else {
            self.report(None, None, common)?;
            return Ok(Exit::Done);
        };
        self.judge(&hive, common)?;
        let mut journal = None;
        if !self.writing.dry_run {
            let kept = self.keep(&mut hive).map_err(|error| {
                let place = self.writing.undo_dir.display();
                Failure::new(Exit::Io, format!("{place}: {error}; nothing was written"))
            })?;
            hive.recover().map_err(|error| {
                let failure = Failure::of(&self.hive, &error);
                let message = format!("{}\n  copies from before are in {}", failure.message, kept.folder().display());
                Failure { message, ..failure }
            })?;
            journal = Some(kept.folder().to_owned());
        }
        self.report(Some(&report), journal.as_deref(), common)?;
        Ok(Exit::Done)
    }

    fn storage(&self) -> Result<FileStorage, Failure> {
        let writable = !self.writing.dry_run;
        if self.logs.is_empty() {
            return FileStorage::open(&self.hive, writable).map_err(|error| Failure::io(&self.hive, &error));
        }
        let primary = OpenOptions::new().read(true).write(writable).open(&self.hive);
        let primary = primary.map_err(|error| Failure::io(&self.hive, &error))?;
        // The pair has no order: what a log holds says where it belongs.
        let mut logs = [None, None, None];
        for (slot, path) in logs.iter_mut().zip(&self.logs) {
            *slot = Some(File::open(path).map_err(|error| Failure::io(path, &error))?);
        }
        Ok(FileStorage::from_files(primary, logs))
    }

    /// How a log is called in messages.
    fn name(&self, log: HiveFile) -> String {
        let slot = HiveFile::LOGS.iter().position(|known| *known == log);
        match slot.and_then(|slot| self.logs.get(slot)) {
            Some(path) => path.display().to_string(),
            None => log.to_string(),
        }
    }

    /// Refuses what Windows would refuse; says what else is wrong.
    fn judge(&self, hive: &Hive, common: &Common) -> Result<(), Failure> {
        let found = hive.view().check();
        if found.worst() == Some(Severity::Fatal) {
            let failure = Failure::of(&self.hive, &Error::Corrupt(Box::new(found)));
            let message = format!("{}\n  this is what replaying its logs gives; nothing was written", failure.message);
            return Err(Failure { message, ..failure });
        }
        if !found.editable() && !common.quiet {
            anstream::eprintln!(
                "hivesmith: {}: what replaying its logs gives has {} findings that Windows repairs when it loads it",
                self.hive.display(),
                found.count(Severity::Healed)
            );
        }
        Ok(())
    }

    fn keep(&self, hive: &mut Hive) -> io::Result<Kept> {
        let mut kept = Kept::create(&self.writing.undo_dir)?;
        if self.logs.is_empty() {
            if let Some(storage) = hive.storage_mut() {
                kept.keep(&self.hive, storage)?;
            }
        } else {
            // Logs from elsewhere are not written, and do not belong beside the hive when it is put back.
            kept.keep(&self.hive, &mut FileStorage::from_files(File::open(&self.hive)?, [None, None, None]))?;
        }
        Ok(kept)
    }

    fn cannot(&self, error: &Error) -> Failure {
        let failure = Failure::of(&self.hive, error);
        if !matches!(error, Error::NeedsRecovery(_)) {
            return failure;
        }
        let mut message = format!("{}: {error}; nothing was written", self.hive.display());
        let logs = match self.files_beside() {
            Ok(logs) if self.logs.is_empty() => logs,
            _ => self.logs.iter().map(|log| log.display().to_string()).collect(),
        };
        if logs.is_empty() {
            message.push_str("\n  there are no logs beside it; --log names them where they are elsewhere");
        } else {
            message.push_str("\n  logs that were looked at: ");
            message.push_str(&logs.join(", "));
        }
        Failure { message, ..failure }
    }

    fn files_beside(&self) -> io::Result<Vec<String>> {
        let mut storage = FileStorage::open(&self.hive, false)?;
        let mut logs = Vec::new();
        for log in HiveFile::LOGS {
            if let Some(length) = storage.len(log)? {
                logs.push(format!("{log} ({length} bytes)"));
            }
        }
        Ok(logs)
    }

    fn report(&self, report: Option<&RecoveryReport>, journal: Option<&Path>, common: &Common) -> Result<(), Failure> {
        let mut out = Output::open(None)?;
        let written = if common.json {
            writeln!(out, "{:#}", self.to_json(report, journal))
        } else {
            self.print(&mut out, report, journal)
        };
        out.finish(written)
    }

    fn print(&self, out: &mut Output, report: Option<&RecoveryReport>, journal: Option<&Path>) -> io::Result<()> {
        let path = self.hive.display();
        let Some(report) = report else { return writeln!(out, "{path}: nothing to do, the hive is clean") };
        let would = if self.writing.dry_run { "would be " } else { "" };
        for entry in &report.applied {
            let (log, sequence, bytes) = (self.name(entry.log), entry.sequence, entry.bytes);
            writeln!(out, "{would}applied: entry {sequence} of {log}, {bytes} bytes")?;
        }
        for (log, why) in &report.ignored {
            writeln!(out, "ignored: {}: {why}", self.name(*log))?;
        }
        let sequence = clean_sequence(report);
        if self.writing.dry_run {
            return writeln!(out, "{path}: would be clean at sequence number {sequence}; nothing was written");
        }
        writeln!(out, "{path}: clean at sequence number {sequence}")?;
        match journal {
            Some(journal) => writeln!(out, "copies from before are in {}", journal.display()),
            None => Ok(()),
        }
    }

    fn to_json(&self, report: Option<&RecoveryReport>, journal: Option<&Path>) -> Json {
        let applied = report.into_iter().flat_map(|report| &report.applied);
        let ignored = report.into_iter().flat_map(|report| &report.ignored);
        json!({
            "hive": self.hive.display().to_string(),
            "changed": journal.is_some(),
            "dry_run": self.writing.dry_run,
            "journal": journal.map(|journal| journal.display().to_string()),
            "sequence": report.map(clean_sequence),
            "applied": applied
                .map(|entry| {
                    json!({ "log": self.name(entry.log), "sequence": entry.sequence, "bytes": entry.bytes })
                })
                .collect::<Vec<_>>(),
            "ignored": ignored
                .map(|(log, why)| json!({ "log": self.name(*log), "why": why }))
                .collect::<Vec<_>>(),
        })
    }
}

/// The number of a hive that was replayed: it follows that of the last entry.
fn clean_sequence(report: &RecoveryReport) -> u32 {
    report.applied.last().map_or(0, |entry| entry.sequence.wrapping_add(1))
}
