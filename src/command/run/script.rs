//! Whole scripts: every line is carried out in the registry's transactions before anything is written.

use super::{Effect, NewFile, RunError, provider, reg};
use crate::{
    command::{
        Diagnostic,
        reg::{Load, RegCommand},
        script::{Command, Line, Script, Target},
    },
    plan::{Mount, Registry, Step},
    volume::{Drives, Existing},
};

/// What a script came to.
#[derive(Debug, Default)]
pub struct ScriptRun {
    /// The lines that were carried out, in order.
    pub ran: Vec<Ran>,
    /// The lines that were not.
    pub refused: Vec<Refusal>,
}

/// A line that was carried out.
#[derive(Debug)]
pub struct Ran {
    /// What it printed and was not sent to a file.
    pub output: String,
    /// What it changed.
    pub steps: Vec<Step>,
    /// What is odd about it.
    pub warnings: Vec<Diagnostic>,
    /// Files that it writes.
    pub files: Vec<NewFile>,
}

/// A line that was not carried out.
#[derive(Debug)]
pub struct Refusal {
    /// Where, and why.
    pub diagnostic: Diagnostic,
    /// Whether the run must stop for it.
    pub stops: bool,
    /// What went wrong, where it was tried.
    pub error: Option<RunError>,
}

/// Which lines may be left out, and whether to go on behind one that fails.
#[derive(Clone, Copy, Debug, Default)]
pub struct Leniency {
    /// Lines that only a running Windows can carry out.
    pub skip_online: bool,
    /// Lines that are no registry commands.
    pub registry_only: bool,
    /// Go on behind a command that fails, as cmd would.
    pub keep_going: bool,
}

/// The `reg load` lines of a script: the files that must be opened before it can be carried out.
pub fn hive_files(script: &Script) -> impl Iterator<Item = (&Line, &Load)> {
    script.lines.iter().filter_map(|line| match &line.command {
        Command::Reg(RegCommand::Load(load)) => Some((line, load)),
        _ => None,
    })
}

impl ScriptRun {
    /// Carries a script out. `hives` tells for each `reg load`, in order, which of the registry's hives it means.
    pub fn new(
        registry: &mut Registry<'_>,
        drives: &Drives,
        script: &Script,
        hives: &[usize],
        leniency: Leniency,
    ) -> Self {
        let mut run = Self::default();
        let mut loads = hives.iter().copied();
        for line in &script.lines {
            if let Some(refusal) = beforehand(line, leniency) {
                run.refused.push(refusal);
            }
        }
        if run.must_stop() {
            return run;
        }
        for line in &script.lines {
            let why = format!("line {}: {}", line.span.line, line.source().trim());
            let done = match &line.command {
                Command::Reg(RegCommand::Load(load)) => match loads.next() {
                    Some(hive) => {
                        registry.mount(Mount { key: load.key.clone(), hive });
                        Ok(Effect::text(super::SUCCESS))
                    }
                    None => Err(RunError::Refused("the hive was not opened".to_owned())),
                },
                Command::Reg(RegCommand::Unload(unload)) => {
                    if registry.unmount(&unload.key) {
                        Ok(Effect::text(super::SUCCESS))
                    } else {
                        Err(RunError::NotFound(format!("{} is not loaded", unload.key)))
                    }
                }
                Command::Reg(command) => reg(registry, drives, command, &why),
                Command::Provider(command) => provider::run(registry, command, &why),
                Command::MakeDirectory { .. } | Command::Other { .. } | Command::Online { .. } => continue,
            };
            match done {
                Ok(effect) => run.ran.push(ran(line, effect)),
                Err(error) => {
                    let stops = !leniency.keep_going || !matches!(error, RunError::NotFound(_));
                    let mut diagnostic = line.diagnostic(error.to_string());
                    if stops && matches!(error, RunError::NotFound(_)) {
                        diagnostic.hint = Some("--keep-going goes on behind such a line, as cmd would".to_owned());
                    }
                    run.refused.push(Refusal { diagnostic, stops, error: Some(error) });
                    if stops {
                        break;
                    }
                }
            }
        }
        run
    }

    /// Whether nothing may be written because a line was not carried out.
    #[must_use]
    pub fn must_stop(&self) -> bool {
        self.refused.iter().any(|refusal| refusal.stops)
    }

    /// All steps, in order.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.ran.iter().flat_map(|ran| &ran.steps)
    }

    /// All files to write, in order.
    pub fn files(&self) -> impl Iterator<Item = &NewFile> {
        self.ran.iter().flat_map(|ran| &ran.files)
    }
}

/// What can be said of a line without carrying it out.
fn beforehand(line: &Line, leniency: Leniency) -> Option<Refusal> {
    let (message, hint, stops) = match &line.command {
        Command::Online { what, instead } => (
            format!("`{what}` needs the running Windows"),
            format!("{instead} (--skip-online leaves such lines out)"),
            !leniency.skip_online,
        ),
        Command::Other { program, .. } => (
            format!("`{program}` cannot be carried out by this version"),
            "--registry-only carries out the registry commands alone".to_owned(),
            !leniency.registry_only,
        ),
        Command::MakeDirectory { paths } => (
            format!("making {} is left to you", paths.join(", ")),
            "--registry-only carries out the registry commands alone".to_owned(),
            !leniency.registry_only,
        ),
        _ => return None,
    };
    let mut diagnostic = line.diagnostic(message);
    diagnostic.hint = Some(hint);
    Some(Refusal { diagnostic, stops, error: None })
}

fn ran(line: &Line, effect: Effect) -> Ran {
    let Effect { mut output, steps, warnings, mut files, .. } = effect;
    let to_file = line.redirections.iter().rev().find(|redirection| redirection.stream == 1);
    if let Some(redirection) = to_file {
        let printed = std::mem::take(&mut output);
        match &redirection.target {
            Target::File(path) => files.push(NewFile {
                path: path.clone(),
                bytes: printed.replace('\n', "\r\n").into_bytes(),
                existing: if redirection.append { Existing::Append } else { Existing::Replace },
            }),
            Target::Null => {}
            Target::Stream(_) => output = printed,
        }
    }
    let warnings = warnings.into_iter().map(|warning| line.diagnostic(warning)).collect();
    Ran { output, steps, warnings, files }
}
