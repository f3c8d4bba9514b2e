//! `hivesmith reg …`: Windows' own syntax, so clap only hands the words over.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use clap::Args;
use hivesmith::{
    Hive,
    command::{
        reg::{Query, RegCommand, ValueFilter},
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
    mounts::{Mounts, Purpose, Sources, keys_of, same_key},
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
    /// `/?` and its like.
    pub(crate) help: bool,
}

impl Reg {
    pub(crate) fn run(self, common: &Common) -> Result<Exit, Failure> {
        let common = &mut common.clone();
        let (words, ours) = take_ours(self.words, common)?;
        if words.is_empty() || ours.help {
            io::stdout().lock().write_all(HELP.as_bytes())?;
            return Ok(if ours.help { Exit::Done } else { Exit::Usage });
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
                let mut loaded = Loaded::read()?;
                loaded.add(load.key.clone(), &path)?;
                remember(&loaded, &ours, common)
            }
            RegCommand::Unload(unload) => {
                let mut loaded = Loaded::read()?;
                loaded.remove(&unload.key)?;
                remember(&loaded, &ours, common)
            }
            RegCommand::Query(query) if lists_a_root(query) => roots(&query.key, &ours, common),
            _ => {
                let keys = keys_of(&command, &drives);
                let work = |registry: &mut Registry<'_>| run::reg(registry, &drives, &command, "reg");
                let question = |effect: &Effect| confirmed(&command, effect);
                carry_out(&keys, command.edits(), (&ours, &drives, common), work, question)
            }
        }
    }
}

fn lists_a_root(query: &Query) -> bool {
    let all = query.values == ValueFilter::All && query.search.is_none() && query.kind.is_none();
    query.key.path.is_root() && all && !query.recurse
}

/// `reg query HKLM`: it holds hives.
fn roots(root: &RegPath, ours: &Ours, common: &Common) -> Result<Exit, Failure> {
    let mut places = ours.sources.places()?;
    places.extend(Loaded::read()?.hives.into_iter().map(|(key, _)| key));
    places.retain(|place| place.relative_to(root).is_some());
    let mut output = String::new();
    for (at, place) in places.iter().enumerate() {
        if !places[..at].iter().any(|before| same_key(before, place)) {
            output += &format!("{}{place}\n", if at == 0 { "\n" } else { "" });
        }
    }
    if output.is_empty() {
        let message = format!("no hive is loaded in {root}: reg load, --hive NAME=FILE or --root DIR put some there");
        return Err(Failure::new(Exit::No, message));
    }
    print(&Effect { output, ..Effect::default() }, false, &Applied::default(), ours, common)?;
    Ok(Exit::Done)
}

/// Ends a `load` or `unload`.
fn remember(loaded: &Loaded, ours: &Ours, common: &Common) -> Result<Exit, Failure> {
    if !ours.writing.dry_run {
        loaded.write()?;
    }
    let done = "The operation completed successfully.\n".to_owned();
    print(&Effect { output: done, ..Effect::default() }, true, &Applied::default(), ours, common)?;
    Ok(Exit::Done)
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
    print(&effect, edits, &applied, ours, common)?;
    Ok(if effect.negative { Exit::No } else { Exit::Done })
}

fn print(effect: &Effect, edits: bool, applied: &Applied, ours: &Ours, common: &Common) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    if common.json {
        let mut document = to_json(&effect.steps, applied, ours.writing.dry_run, &[], &effect.warnings);
        document["output"] = effect.output.as_str().into();
        document["files"] = effect.files.iter().map(|file| file.path.as_str()).collect();
        if !effect.files.is_empty() {
            document["changed"] = true.into();
        }
        writeln!(out, "{document:#}")?;
        return Ok(());
    }
    // What only looks prints what it finds.
    if ours.writing.dry_run && (edits || !effect.files.is_empty()) {
        for step in &effect.steps {
            writeln!(out, "{step}")?;
        }
        for file in &effect.files {
            writeln!(out, "+ file {}, {} bytes", file.path, file.bytes.len())?;
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

/// Separates our long options from Windows' words. What stands behind `/v NAME`, `/d DATA` of an `add` and `/f TEXT` of a
/// `query` is data, whatever it looks like.
pub(crate) fn take_ours(words: Vec<String>, common: &mut Common) -> Result<(Vec<String>, Ours), Failure> {
    let mut ours = Ours { sources: Sources::default(), writing: Writing::default(), help: false };
    let mut theirs: Vec<String> = Vec::new();
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        let before = theirs.last().map(|last| last.to_ascii_lowercase()).unwrap_or_default();
        let verb = theirs.first().map(|verb| verb.to_ascii_lowercase()).unwrap_or_default();
        let is_data = match before.strip_prefix(['/', '-']) {
            Some("v") => true,
            Some("d") => verb == "add",
            Some("f") => verb == "query",
            _ => false,
        };
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
            "/?" | "-?" | "--help" => ours.help = true,
            // Anywhere else it may be a name or a file.
            "/h" | "/H" | "-h" | "-H" if theirs.len() < 2 => ours.help = true,
            name => {
                if !common.take(name, argument)? {
                    theirs.push(word);
                }
            }
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
  -q, --quiet        only errors on stderr

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
