//! Whole scripts: every line is carried out in the registry's transactions before anything is written.

use super::{Effect, FileCommands, NewFile, RunError, bcdedit, provider, reg, sc};
use crate::{
    command::{
        Accounts, Diagnostic,
        bcdedit::{BcdEdit, Verb},
        icacls,
        reg::{Load, RegCommand},
        script::{Command, Line, Script, Target},
    },
    name,
    plan::{Descriptors, Mount, Registry, Step},
    volume::{Drives, Existing},
};

/// What a script came to.
#[derive(Debug, Default)]
pub struct ScriptRun {
    /// The lines that were carried out, in order.
    pub ran: Vec<Ran>,
    /// The lines that were not.
    pub refused: Vec<Refusal>,
    /// The descriptors of files that they change.
    pub descriptors: Descriptors,
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
    /// Folders that it makes, before all files.
    pub folders: Vec<String>,
    /// Files that it could not deal with and passed over, as `/c` says.
    pub failed: usize,
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

/// The `bcdedit` lines of a script: each needs its store opened, or made, before.
pub fn boot_stores(script: &Script) -> impl Iterator<Item = (&Line, &BcdEdit)> {
    script.lines.iter().filter_map(|line| match &line.command {
        Command::BcdEdit(command) => Some((line, command)),
        _ => None,
    })
}

/// Which of the registry's hives the lines of a script mean.
#[derive(Clone, Copy, Debug, Default)]
pub struct ScriptHives<'s> {
    /// For each `reg load`, in order; see [`hive_files`].
    pub loads: &'s [usize],
    /// For each `bcdedit`, in order; see [`boot_stores`]. That of a `/createstore` is empty and new.
    pub stores: &'s [usize],
}

impl ScriptRun {
    /// Carries a script out. The second drives are those that `bcdedit` lines see.
    pub fn new(
        registry: &mut Registry<'_>,
        (drives, bcd_drives): (&Drives, &Drives),
        script: &Script,
        hives: ScriptHives<'_>,
        leniency: Leniency,
    ) -> Self {
        let mut run = Self::default();
        let mut loads = hives.loads.iter().copied();
        let mut stores = hives.stores.iter().copied();
        for line in &script.lines {
            let refusal = beforehand(line, leniency).or_else(|| redirected_nowhere(line, drives, leniency));
            run.refused.extend(refusal);
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
                Command::BcdEdit(_) if leniency.registry_only => continue,
                Command::BcdEdit(command) => match (stores.next(), &command.verb) {
                    (Some(_), Verb::CreateStore { .. }) => Ok(Effect::text(super::SUCCESS)),
                    (Some(store), _) => bcdedit::bcdedit(registry, bcd_drives, store, command, &why),
                    (None, _) => Err(RunError::Refused("the store was not opened".to_owned())),
                },
                Command::Provider(command) => provider::run(registry, command, &why),
                Command::Sc(command) => sc(registry, command, &why),
                Command::Icacls(_) | Command::Takeown(_) | Command::MakeDirectory { .. } if leniency.registry_only => {
                    continue;
                }
                Command::Icacls(_) | Command::Takeown(_) => on_files(drives, &mut run.descriptors, &line.command, &why),
                Command::MakeDirectory { paths } => Ok(Effect { folders: paths.clone(), ..Effect::default() }),
                Command::Other { .. } | Command::Online { .. } => continue,
            };
            match done {
                Ok(mut effect) => {
                    folder_of_redirection(line, drives, &run.ran, &mut effect);
                    run.ran.push(ran(line, effect));
                }
                Err(error) => {
                    let stops = !leniency.keep_going || !matches!(error, RunError::NotFound(_));
                    let mut diagnostic = match &error {
                        RunError::Word { span, message, hint } if span.line > 0 => {
                            let mut diagnostic = line.diagnostic_at(*span, message.as_str());
                            diagnostic.hint.clone_from(hint);
                            diagnostic
                        }
                        error => line.diagnostic(error.to_string()),
                    };
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

    /// All folders to make, in order.
    pub fn folders(&self) -> impl Iterator<Item = &String> {
        self.ran.iter().flat_map(|ran| &ran.folders)
    }
}

/// What can be said of a line without carrying it out.
fn beforehand(line: &Line, leniency: Leniency) -> Option<Refusal> {
    let (message, hint, stops) = match &line.command {
        Command::Online { what, instead } => (
            format!("`{what}` needs the running Windows"),
            if leniency.skip_online {
                instead.to_string()
            } else {
                format!("{instead} (--skip-online leaves such lines out)")
            },
            !leniency.skip_online,
        ),
        Command::Other { program, .. } => (
            format!("`{program}` cannot be carried out by this version"),
            "--registry-only carries out the registry commands alone".to_owned(),
            !leniency.registry_only,
        ),
        Command::BcdEdit(_) | Command::Icacls(_) | Command::Takeown(_) | Command::MakeDirectory { .. }
            if leniency.registry_only =>
        {
            let program = line.source().trim().split([' ', '\t']).next().unwrap_or_default();
            let message = format!("`{program}` is no registry command");
            (message, "--registry-only leaves it out".to_owned(), false)
        }
        _ => return None,
    };
    let mut diagnostic = line.diagnostic(message);
    diagnostic.hint = Some(hint);
    Some(Refusal { diagnostic, stops, error: None })
}

/// A redirection to a drive that nobody knows must be found before anything is written.
fn redirected_nowhere(line: &Line, drives: &Drives, leniency: Leniency) -> Option<Refusal> {
    let carried_out = match &line.command {
        Command::Online { .. } | Command::Other { .. } => false,
        Command::Icacls(_) | Command::Takeown(_) | Command::MakeDirectory { .. } => !leniency.registry_only,
        _ => true,
    };
    let files = line.redirections.iter().filter_map(|redirection| match &redirection.target {
        Target::File(path) => Some((redirection.span, path)),
        _ => None,
    });
    let made = match &line.command {
        Command::MakeDirectory { paths } => paths.as_slice(),
        _ => &[],
    };
    let mut paths = files.chain(made.iter().map(|path| (line.span, path))).filter(|_| carried_out);
    paths.find_map(|(span, path)| {
        let error = drives.folder_of(path).err()?;
        let diagnostic = line.diagnostic_at(span, format!("{path}: {error}"));
        Some(Refusal { diagnostic, stops: true, error: Some(RunError::File(path.clone(), error)) })
    })
}

/// One of the guides makes its folder on the one drive and writes its listings into the same folder of the other.
fn folder_of_redirection(line: &Line, drives: &Drives, earlier: &[Ran], effect: &mut Effect) {
    for redirection in &line.redirections {
        let Target::File(path) = &redirection.target else { continue };
        let Some((folder, _)) = path.rsplit_once(['\\', '/']) else { continue };
        let same = |made: &String| name::same(made.trim_end_matches(['\\', '/']), folder);
        let will_be_made = earlier.iter().flat_map(|ran| &ran.folders).any(same);
        let on_a_drive = drives.folder_of(path).is_ok_and(|found| found.is_some());
        if on_a_drive && !will_be_made && !drives.has_folder(folder) {
            effect.warnings.push(format!("{folder} does not exist and is made, so that the output has a place"));
            effect.folders.push(folder.to_owned());
        }
    }
}

fn on_files(drives: &Drives, plan: &mut Descriptors, command: &Command, why: &str) -> Result<Effect, RunError> {
    let accounts = Accounts::new();
    let mut commands = FileCommands { drives, accounts: &accounts, plan, why: why.into(), progress: &mut |_| {} };
    let mut effect = Effect::default();
    let done = match command {
        Command::Icacls(command) => commands.icacls(command, &mut effect.output)?,
        Command::Takeown(command) => commands.takeown(command, None, &mut effect.output)?,
        _ => return Ok(effect),
    };
    if matches!(command, Command::Icacls(_)) {
        effect.output += &icacls::summary(done.done, done.failed.len());
        effect.output.push('\n');
    }
    effect.failed = done.failed.len();
    effect.warnings = done.warnings;
    effect.warnings.extend(done.failed.iter().map(|(path, error)| format!("{path}: {error}")));
    effect.files = done.files;
    effect.negative = done.negative;
    Ok(effect)
}

fn ran(line: &Line, effect: Effect) -> Ran {
    let Effect { mut output, steps, warnings, mut files, folders, failed, .. } = effect;
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
    Ran { output, steps, warnings, files, folders, failed }
}
