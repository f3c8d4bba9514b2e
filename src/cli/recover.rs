//! `hivesmith recover`

use std::{
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
};

use hivesmith::{
    Error, FileStorage, Hive, HiveFile, LogState, MemoryStorage, Recover as Mode, RecoveryReport, ReplayOf, Skipped,
    Storage, check::Severity, plan::Kept,
};
use serde_json::{Value as Json, json};

use super::{Common, Exit, Failure, Writing, input::read_file, output::Output};

/// Replays the logs of a hive that was not closed cleanly, and writes it back clean.
#[derive(Debug, clap::Args)]
#[command(after_long_help = DETAILS)]
pub(crate) struct Recover {
    /// The hive.
    hive: PathBuf,
    /// Use this log instead of those beside the hive; twice for a pair, in any order.
    #[arg(long = "log", value_name = "FILE")]
    logs: Vec<PathBuf>,
    /// Which logs to replay where the base block is damaged and there are two that give different hives.
    #[arg(long, value_enum)]
    replay: Option<Replay>,
    #[command(flatten)]
    writing: Writing,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Replay {
    /// The newer log alone, as Windows does.
    Newer,
    /// Both, in their order.
    Both,
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
        self.writing.guard(&self.hive)?;
        let which = match self.replay {
            None => ReplayOf::Either,
            Some(Replay::Newer) => ReplayOf::NewerLog,
            Some(Replay::Both) => ReplayOf::BothLogs,
        };
        let options = Hive::options().read_only(self.writing.dry_run).recover(Mode::InMemory).replay_of(which);
        let options = options.accept_dirty(self.writing.accept_dirty);
        let mut hive = self.open(options)?;
        let Some(report) = hive.recovery().cloned() else {
            self.report(None, None, common)?;
            return Ok(Exit::Done);
        };
        self.judge(&hive, common)?;
        let mut journal = None;
        if !self.writing.dry_run {
            let mut kept = self.keep(&mut hive).map_err(|error| {
                let place = self.writing.undo_dir.display();
                Failure::new(Exit::Io, format!("{place}: {error}; nothing was written"))
            })?;
            hive.recover().map_err(|error| {
                let failure = Failure::of(&self.hive, &error);
                let message = format!("{}\n  copies from before are in {}", failure.message, kept.folder().display());
                Failure { message, ..failure }
            })?;
            if let Some(storage) = hive.storage_mut() {
                // Without it an undo only asks to be sure.
                let _ = kept.committed(&self.hive, storage);
            }
            journal = Some(kept.folder().to_owned());
        }
        self.report(Some(&report), journal.as_deref(), common)?;
        Ok(Exit::Done)
    }

    fn open(&self, options: hivesmith::OpenOptions) -> Result<Hive, Failure> {
        let writable = !self.writing.dry_run;
        let storage = FileStorage::open(&self.hive, writable).map_err(|error| Failure::io(&self.hive, &error))?;
        let redo = self.writing.redo_for(&self.hive);
        let storage = storage.with_redo(&redo).map_err(|error| Failure::io(&redo, &error))?;
        if self.logs.is_empty() {
            return options.open_files(storage).map_err(|error| self.cannot(&error));
        }
        let mut logs = MemoryStorage::default();
        // The pair has no order: what a log holds says where it belongs.
        for (slot, path) in HiveFile::LOGS.into_iter().zip(&self.logs) {
            logs = logs.with(slot, read_file(path).map_err(|error| Failure::io(path, &error))?);
        }
        options.open_storage(LogsFromElsewhere { hive: storage, logs }).map_err(|error| self.cannot(&error))
    }

    /// How a log is called in messages.
    fn name(&self, log: HiveFile) -> String {
        let slot = HiveFile::LOGS.iter().position(|known| *known == log);
        match slot.and_then(|slot| self.logs.get(slot)) {
            Some(path) => path.display().to_string(),
            None => log.to_string(),
        }
    }

    fn skipped(&self, skipped: &Skipped) -> String {
        let log = self.name(skipped.log);
        match skipped.at {
            Some(at) => format!("{log} from {at} on: {}", skipped.why),
            None => format!("{log}: {}", skipped.why),
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
        let Error::NeedsRecovery(state) = error else { return failure };
        let mut message = format!("{}: {error}; nothing was written", self.hive.display());
        for skipped in &state.skipped {
            message.push_str("\n  ");
            message.push_str(&self.skipped(skipped));
        }
        if state.logs == LogState::Ambiguous {
            message.push_str(
                "\n  --replay newer takes the newer log alone, as Windows does; --replay both takes both\n  to compare \
                 them: run each on a copy of the files, then hivesmith diff",
            );
            return Failure { message, ..failure };
        }
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
        if state.checksum_ok && !self.writing.accept_dirty {
            message.push_str(
                "\n  --accept-dirty takes the hive as it is, without what its logs would have held, if its check finds \
                 nothing wrong",
            );
        } else {
            message.push_str("\n  hivesmith repair saves what can be read into a new hive");
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
            if entry.log == HiveFile::Redo {
                writeln!(out, "{would}finished: the interrupted commit in {log}, {bytes} bytes")?;
            } else {
                writeln!(out, "{would}applied: entry {sequence} of {log}, {bytes} bytes")?;
            }
        }
        for skipped in &report.skipped {
            writeln!(out, "ignored: {}", self.skipped(skipped))?;
        }
        if let Some(why) = report.beyond_windows {
            writeln!(out, "note: Windows itself would not do this: {why}; the whole hive was checked")?;
        }
        let sequence = report.sequence;
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
        let ignored = report.into_iter().flat_map(|report| &report.skipped);
        json!({
            "hive": self.hive.display().to_string(),
            "changed": journal.is_some(),
            "dry_run": self.writing.dry_run,
            "journal": journal.map(|journal| journal.display().to_string()),
            "sequence": report.map(|report| report.sequence),
            "beyond_windows": report.and_then(|report| report.beyond_windows),
            "applied": applied
                .map(|entry| {
                    json!({ "log": self.name(entry.log), "sequence": entry.sequence, "bytes": entry.bytes })
                })
                .collect::<Vec<_>>(),
            "ignored": ignored
                .map(|skipped| {
                    let offset = skipped.at.map(|at| at.0);
                    json!({ "log": self.name(skipped.log), "offset": offset, "why": skipped.why.to_string() })
                })
                .collect::<Vec<_>>(),
        })
    }
}

/// A hive with logs that lie elsewhere: they are read, and what a recovery would do to those beside a hive is done to
/// copies in memory.
struct LogsFromElsewhere {
    hive: FileStorage,
    logs: MemoryStorage,
}

impl LogsFromElsewhere {
    fn of(&mut self, file: HiveFile) -> &mut dyn Storage {
        if HiveFile::LOGS.contains(&file) { &mut self.logs } else { &mut self.hive }
    }
}

impl Storage for LogsFromElsewhere {
    fn len(&mut self, file: HiveFile) -> io::Result<Option<u64>> {
        self.of(file).len(file)
    }

    fn read(&mut self, file: HiveFile, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.of(file).read(file, offset, buffer)
    }

    fn write(&mut self, file: HiveFile, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.of(file).write(file, offset, bytes)
    }

    fn set_len(&mut self, file: HiveFile, length: u64) -> io::Result<()> {
        self.of(file).set_len(file, length)
    }

    fn sync(&mut self, file: HiveFile) -> io::Result<()> {
        self.of(file).sync(file)
    }

    fn lock(&mut self) -> io::Result<()> {
        self.hive.lock()
    }
}
