//! `hivesmith reg …`: Windows' own syntax, so clap only hands the words over.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use clap::Args;
use hivesmith::{
    Hive,
    command::{
        reg::RegCommand,
        run::{self, Effect, RunError},
    },
    plan::{Registry, StepKind},
    reg_text::RegPath,
    volume::Drives,
};

use super::{
    Common, Exit, Failure, Writing, apply,
    apply::{Applied, to_json},
    loaded::Loaded,
    mounts::{Mounts, Purpose, Sources, keys_of},
};

/// Windows' `reg`, offline.
///
/// The syntax is that of Windows: options with `/`, in any case. Besides it there are --hive NAME=FILE, --root DIR and
/// --drive F:=DIR to say which hives are meant without loading them, --dry-run, --undo-dir DIR and --json.
#[derive(Debug, Args)]
#[command(disable_help_flag = true, override_usage = "hivesmith reg [--hive NAME=FILE] [--root DIR] VERB KEY …")]
pub(crate) struct Reg {
    /// query, add, delete, copy, compare, export, import, load, unload, save, restore or flags, with their arguments.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENT")]
    words: Vec<String>,
}

/// What stands among the words without being Windows' syntax.
pub(crate) struct Ours {
    pub(crate) sources: Sources,
    pub(crate) writing: Writing,
    json: bool,
}

impl Reg {
    pub(crate) fn run(self, common: &Common) -> Result<Exit, Failure> {
        let (words, ours) = take_ours(self.words, common)?;
        if words.is_empty() || words.iter().any(|word| matches!(word.as_str(), "/?" | "--help" | "-?")) {
            io::stdout().lock().write_all(HELP.as_bytes())?;
            return Ok(if words.is_empty() { Exit::Usage } else { Exit::Done });
        }
        let (command, warnings) = RegCommand::from_args(words)
            .map_err(|error| Failure::usage(error.render().to_string().trim_end().to_owned()))?;
        if !common.quiet {
            for warning in warnings {
                anstream::eprintln!("hivesmith: warning: {}", warning.render().to_string().trim_end());
            }
        }
        let drives = ours.sources.drives()?;
        match &command {
            RegCommand::Load(load) => {
                let (path, storage) =
                    drives.open_hive(&load.file, false).map_err(|error| Failure::opening(&load.file, &error))?;
                let hive = Hive::options().read_only(true).open_files(storage);
                hive.map_err(|error| Failure::of(&path, &error))?;
                let path = path.canonicalize().map_err(|error| Failure::io(&path, &error))?;
                Loaded::read()?.add(load.key.clone(), &path)?;
                writeln!(io::stdout().lock(), "The operation completed successfully.")?;
                Ok(Exit::Done)
            }
            RegCommand::Unload(unload) => {
                Loaded::read()?.remove(&unload.key)?;
                writeln!(io::stdout().lock(), "The operation completed successfully.")?;
                Ok(Exit::Done)
            }
            _ => {
                let keys = keys_of(&command, &drives);
                let work = |registry: &mut Registry<'_>| run::reg(registry, &drives, &command, "reg");
                let question = |effect: &Effect| confirmed(&command, effect);
                carry_out(&keys, command.edits(), (&ours, &drives, common), work, question)
            }
        }
    }
}

/// Opens the hives that hold `keys`, carries a command out on them, and writes what it changed if that is confirmed.
pub(crate) fn carry_out(
    keys: &[RegPath],
    edits: bool,
    (ours, drives, common): (&Ours, &Drives, &Common),
    work: impl FnOnce(&mut Registry<'_>) -> Result<Effect, RunError>,
    confirmed: impl FnOnce(&Effect) -> Result<bool, Failure>,
) -> Result<Exit, Failure> {
    let purpose = if edits { Purpose::Edit(&ours.writing) } else { Purpose::Read(&ours.writing) };
    let mut mounts = ours.sources.open(keys, purpose)?;
    for (key, file) in Loaded::read()?.hives {
        if keys.iter().any(|wanted| wanted.relative_to(&key).is_some()) && !mounts.has(&key) {
            mounts.open_path(key, &file, purpose)?;
        }
    }
    if !common.quiet {
        for note in apply::replayed(&mounts.hives) {
            anstream::eprintln!("hivesmith: {note}");
        }
    }
    let Mounts { mut hives, mounts } = mounts;
    let mut registry = if edits {
        Registry::editing(&mut hives).map_err(|(path, error)| Failure::of(&path, &error))?
    } else {
        Registry::reading(&hives)
    };
    for mount in mounts {
        registry.mount(mount);
    }
    let effect = work(&mut registry).map_err(|error| failure(&error))?;
    if !common.quiet {
        for warning in &effect.warnings {
            anstream::eprintln!("hivesmith: warning: {warning}");
        }
    }
    if !ours.writing.dry_run && !confirmed(&effect)? {
        return Err(Failure::new(Exit::No, "not confirmed, nothing was written"));
    }
    let applied = apply::apply(registry, drives, &effect.files, &ours.writing)?;
    print(&effect, &applied, ours, common)?;
    Ok(if effect.negative { Exit::No } else { Exit::Done })
}

fn print(effect: &Effect, applied: &Applied, ours: &Ours, common: &Common) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    if ours.json {
        let mut document = to_json(&effect.steps, applied, ours.writing.dry_run, &[], &effect.warnings);
        document["output"] = effect.output.as_str().into();
        writeln!(out, "{document:#}")?;
        return Ok(());
    }
    if ours.writing.dry_run {
        for step in &effect.steps {
            writeln!(out, "{step}")?;
        }
        writeln!(out, "dry run: {} steps, nothing was written", effect.steps.len())?;
        return Ok(());
    }
    out.write_all(effect.output.as_bytes())?;
    if let (Some(journal), false) = (&applied.journal, common.quiet) {
        anstream::eprintln!("hivesmith: copies from before are in {}", journal.display());
    }
    Ok(())
}

/// What a command that could not be carried out ends with.
pub(crate) fn failure(error: &RunError) -> Failure {
    match error {
        RunError::NotFound(_) => Failure::new(Exit::No, error.to_string()),
        RunError::Refused(why) => Failure::usage(why),
        RunError::Word { message, .. } => Failure::usage(message),
        RunError::Engine(path, error) => Failure::of(path, error),
        RunError::File(file, error) => Failure::opening(file, error),
        other => Failure::new(Exit::Io, other.to_string()),
    }
}

/// Without `/f` Windows asks before something is overwritten or deleted; so do we, if somebody is there to answer.
fn confirmed(command: &RegCommand, effect: &Effect) -> Result<bool, Failure> {
    let overwrites = effect.steps.iter().any(|step| step.kind == StepKind::SetValue && step.before.is_some());
    let question = match command {
        RegCommand::Delete(delete) if !delete.force => "Permanently delete what is shown above (Yes/No)? ",
        RegCommand::Add(add) if !add.force && overwrites => "The value exists, overwrite it (Yes/No)? ",
        RegCommand::Copy(copy) if !copy.force && overwrites => "Values exist, overwrite them (Yes/No)? ",
        _ => return Ok(true),
    };
    if !io::stdin().is_terminal() {
        return Err(Failure::usage("nobody is there to confirm this; /f does it without asking"));
    }
    for step in &effect.steps {
        anstream::eprintln!("{step}");
    }
    anstream::eprint!("{question}");
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// Separates our long options from Windows' words. What stands behind `/v` or `/d` is data, whatever it looks like.
pub(crate) fn take_ours(words: Vec<String>, common: &Common) -> Result<(Vec<String>, Ours), Failure> {
    let mut ours = Ours { sources: Sources::default(), writing: Writing::default(), json: common.json };
    let mut theirs: Vec<String> = Vec::new();
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        let is_data = theirs
            .last()
            .is_some_and(|last| ["/v", "/d", "-v", "-d"].iter().any(|option| last.eq_ignore_ascii_case(option)));
        let (name, value) = match word.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name.to_owned(), Some(value.to_owned())),
            _ => (word.clone(), None),
        };
        let mut argument = || {
            value.clone().or_else(|| words.next()).ok_or_else(|| Failure::usage(format!("{name} needs an argument")))
        };
        match name.as_str() {
            _ if is_data => theirs.push(word),
            "--hive" => ours.sources.hives.push(argument()?),
            "--root" => ours.sources.root = Some(argument()?.into()),
            "--drive" => ours.sources.drives.push(argument()?),
            "--undo-dir" => ours.writing.undo_dir = argument()?.into(),
            "--dry-run" => ours.writing.dry_run = true,
            "--accept-dirty" => ours.writing.accept_dirty = true,
            "--accept-hibernated" => ours.writing.accept_hibernated = true,
            "--json" => ours.json = true,
            _ => theirs.push(word),
        }
    }
    Ok((theirs, ours))
}

const HELP: &str = "\
Windows' reg, offline. The syntax is that of Windows; these stand besides it, anywhere:

  --hive NAME=FILE   the hive FILE is HKLM\\NAME
  --root DIR         DIR is a mounted Windows volume: HKLM\\SYSTEM, HKLM\\SOFTWARE … are its hives
  --drive F:=DIR     F: in file names is DIR
  --dry-run          show what would change and write nothing
  --undo-dir DIR     where copies of changed hives are kept (default: hivesmith-undo)
  --accept-dirty     take an unclean hive without usable logs as it is, if it is sound
  --accept-hibernated  write although Windows is hibernated on the volume
  --json             one JSON document

  hivesmith reg query  KEY [/v NAME | /ve] [/s] [/f TEXT [/k] [/d] [/c] [/e]] [/t TYPE] [/z] [/se SEPARATOR]
  hivesmith reg add    KEY [/v NAME | /ve] [/t TYPE] [/s SEPARATOR] [/d DATA] [/f]
  hivesmith reg delete KEY [/v NAME | /ve | /va] [/f]
  hivesmith reg copy   KEY1 KEY2 [/s] [/f]
  hivesmith reg compare KEY1 KEY2 [/v NAME | /ve] [/s] [/oa | /od | /os | /on]
  hivesmith reg flags  KEY [query | set [DONT_VIRTUALIZE] [DONT_SILENT_FAIL] [RECURSE_FLAG]]
  hivesmith reg export KEY FILE [/y]
  hivesmith reg import FILE
  hivesmith reg save   KEY NEWFILE
  hivesmith reg restore KEY FILE
  hivesmith reg load   HKLM\\NAME FILE
  hivesmith reg unload HKLM\\NAME

HKLM\\SYSTEM\\CurrentControlSet is the control set that the hive's Select key says will be it.
";
