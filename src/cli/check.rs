//! `hivesmith check`

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use hivesmith::{
    Error, FileStorage, Hive, HiveFile, Recover, Storage,
    check::{Finding, Report, Severity, check_file},
};
use serde_json::{Value as Json, json};

use super::{Common, Exit, Failure, input::read_file, output::Output};

/// What Windows' loader would say about hives.
#[derive(Debug, clap::Args)]
#[command(after_long_help = DETAILS)]
pub(crate) struct Check {
    /// The hives.
    #[arg(required = true, value_name = "HIVE")]
    hives: Vec<PathBuf>,
    /// Where a hive needs its logs, judge also what replaying them in memory gives.
    #[arg(long)]
    deep: bool,
    /// Exit code 1 for `tolerated` findings too.
    #[arg(long)]
    strict: bool,
}

const DETAILS: &str = "\
A line for each finding, with the file's name before it where there are several:

  severity rule structure offset: message

  fatal      Windows refuses the hive
  healed     Windows loads it by discarding or rewriting something
  tolerated  Windows does not notice; something may break later
  odd        normal, but worth knowing

Each file is judged as it is, its base block included; its logs are named on stderr.

Exit code 0: nothing worse than `tolerated`, which Windows itself leaves behind; 1: something worse.";

impl Check {
    pub(crate) fn run(self, common: &Common) -> Result<Exit, Failure> {
        let mut out = Output::open(None)?;
        let mut documents = Vec::new();
        let mut exit = Exit::Done;
        let mut unreadable = None;
        for path in &self.hives {
            let checked = match Checked::open(path, self.deep) {
                Ok(checked) => checked,
                Err(error) => {
                    // The others are checked all the same.
                    let failure = Failure::io(path, &error);
                    unreadable = Some(failure.exit);
                    failure.report();
                    continue;
                }
            };
            if checked.reports().any(|report| self.is_bad(report)) {
                exit = Exit::No;
            }
            if common.json {
                documents.push(checked.to_json());
            } else {
                checked.print(&mut out, self.hives.len() > 1, common)?;
            }
        }
        if common.json {
            writeln!(out, "{}", json!({ "hives": documents }))?;
        }
        out.finish(Ok(()))?;
        Ok(unreadable.unwrap_or(exit))
    }

    fn is_bad(&self, report: &Report) -> bool {
        if self.strict { !report.is_clean() } else { !report.editable() }
    }
}

/// A hive that was checked.
struct Checked<'p> {
    path: &'p Path,
    report: Report,
    logs: Vec<(HiveFile, u64)>,
    recovery: Recovery,
}

/// What an unclean hive's logs are good for.
enum Recovery {
    /// The hive is clean, or so broken that the question does not arise.
    NotNeeded {
        /// A number in the logs that is not below the hive's.
        log_ahead: Option<u32>,
    },
    Possible {
        entries: usize,
        /// What is wrong with the replayed hive; only looked at when asked.
        report: Option<Report>,
    },
    Impossible(String),
}

impl<'p> Checked<'p> {
    fn open(path: &'p Path, deep: bool) -> std::io::Result<Self> {
        let report = check_file(&read_file(path)?);
        let mut storage = FileStorage::open(path, false)?;
        let mut logs = Vec::new();
        for log in HiveFile::LOGS {
            if let Some(length) = storage.len(log)? {
                logs.push((log, length));
            }
        }
        let options = Hive::options().read_only(true).recover(Recover::InMemory);
        let recovery = match options.open_files(storage) {
            Ok(hive) => match hive.recovery() {
                Some(recovery) => Recovery::Possible {
                    entries: recovery.applied.len(),
                    report: deep.then(|| check_file(&hive.to_bytes())),
                },
                None => Recovery::NotNeeded { log_ahead: hive.log_ahead() },
            },
            Err(Error::NeedsRecovery(state)) => {
                let skipped = state.skipped.iter().map(|skipped| format!("\n  {skipped}"));
                Recovery::Impossible(state.to_string() + &skipped.collect::<String>())
            }
            // Of that the report speaks.
            Err(_) => Recovery::NotNeeded { log_ahead: None },
        };
        Ok(Self { path, report, logs, recovery })
    }

    fn reports(&self) -> impl Iterator<Item = &Report> {
        std::iter::once(&self.report).chain(self.replayed())
    }

    fn replayed(&self) -> Option<&Report> {
        match &self.recovery {
            Recovery::Possible { report, .. } => report.as_ref(),
            Recovery::NotNeeded { .. } | Recovery::Impossible(_) => None,
        }
    }

    fn print(&self, out: &mut Output, several: bool, common: &Common) -> Result<(), Failure> {
        let path = self.path.display();
        let prefix = if several { format!("{path}: ") } else { String::new() };
        print_findings(out, &prefix, &self.report, common)?;
        if let Some(report) = self.replayed() {
            let prefix = if several { format!("{path} (replayed): ") } else { "replayed: ".to_owned() };
            print_findings(out, &prefix, report, common)?;
        }
        // Findings before what is said about them, should both go to the same terminal.
        out.flush()?;
        if common.quiet {
            return Ok(());
        }
        anstream::eprintln!("hivesmith: {path}: {}", summary(&self.report));
        if let Some(report) = self.replayed() {
            anstream::eprintln!("hivesmith: {path}, replayed: {}", summary(report));
        }
        let logs: Vec<String> = self.logs.iter().map(|(log, length)| format!("{log} ({length} bytes)")).collect();
        let logs = if logs.is_empty() { "none".to_owned() } else { logs.join(", ") };
        match &self.recovery {
            Recovery::NotNeeded { log_ahead: Some(number) } => anstream::eprintln!(
                "hivesmith: {path}: logs beside it: {logs}; they hold number {number}, which is not below the hive's own: \
                 after a crash Windows might replay them over a newer hive; the next commit neutralises them"
            ),
            Recovery::NotNeeded { .. } if common.verbose => {
                anstream::eprintln!("hivesmith: {path}: logs beside it: {logs}; they are not needed");
            }
            Recovery::NotNeeded { .. } => {}
            Recovery::Possible { entries, .. } => anstream::eprintln!(
                "hivesmith: {path}: the hive was not closed cleanly; logs beside it: {logs}; {entries} of their \
                 entries belong to it\n  to write them back: hivesmith recover {path}"
            ),
            Recovery::Impossible(why) => anstream::eprintln!("hivesmith: {path}: {why}\n  logs beside it: {logs}"),
        }
        Ok(())
    }

    fn to_json(&self) -> Json {
        let logs: Vec<Json> =
            self.logs.iter().map(|(log, length)| json!({ "log": log.to_string(), "length": length })).collect();
        let mut json = report_to_json(&self.report);
        let Some(members) = json.as_object_mut() else { return json };
        members.insert("file".to_owned(), json!(self.path.to_string_lossy()));
        members.insert("logs".to_owned(), logs.into());
        let recovery = match &self.recovery {
            Recovery::NotNeeded { log_ahead: None } => Json::Null,
            Recovery::NotNeeded { log_ahead } => json!({ "log_ahead": log_ahead }),
            Recovery::Possible { entries, report } => {
                json!({ "possible": true, "entries": entries, "replayed": report.as_ref().map(report_to_json) })
            }
            Recovery::Impossible(why) => json!({ "possible": false, "why": why }),
        };
        members.insert("recovery".to_owned(), recovery);
        json
    }
}

fn print_findings(out: &mut Output, prefix: &str, report: &Report, common: &Common) -> Result<(), Failure> {
    for finding in &report.findings {
        match &finding.path {
            Some(path) if common.verbose => writeln!(out, "{prefix}{finding} (key {path})")?,
            _ => writeln!(out, "{prefix}{finding}")?,
        }
    }
    Ok(())
}

fn summary(report: &Report) -> String {
    let counts: Vec<String> = Severity::ALL
        .into_iter()
        .rev()
        .filter(|severity| report.count(*severity) > 0)
        .map(|severity| format!("{} {severity}", report.count(severity)))
        .collect();
    let counts = if counts.is_empty() { "no findings".to_owned() } else { counts.join(", ") };
    let dropped = match report.dropped() {
        0 => String::new(),
        dropped => format!(" ({dropped} of them not listed)"),
    };
    let totals = report.totals;
    format!("{counts}{dropped}; {} keys, {} values, {} bins", totals.keys, totals.values, totals.bins)
}

fn report_to_json(report: &Report) -> Json {
    let counts: serde_json::Map<String, Json> =
        Severity::ALL.into_iter().map(|severity| (severity.to_string(), report.count(severity).into())).collect();
    let totals = report.totals;
    json!({
        "clean": report.is_clean(),
        "editable": report.editable(),
        "worst": report.worst().map(|severity| severity.to_string()),
        "counts": counts,
        "not_listed": report.dropped(),
        "findings": report.findings.iter().map(finding_to_json).collect::<Vec<_>>(),
        "totals": {
            "bins": totals.bins,
            "cells": totals.cells,
            "free_bytes": totals.free_bytes,
            "keys": totals.keys,
            "values": totals.values,
            "descriptors": totals.descriptors,
            "leaked_cells": totals.leaked_cells,
            "leaked_bytes": totals.leaked_bytes,
        },
    })
}

fn finding_to_json(finding: &Finding) -> Json {
    json!({
        "severity": finding.severity.to_string(),
        "rule": finding.rule.id(),
        "title": finding.rule.title(),
        "structure": finding.structure.to_string(),
        "offset": finding.offset.0,
        "path": finding.path.as_ref().map(ToString::to_string),
        "message": finding.message,
    })
}
