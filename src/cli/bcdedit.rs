//! `hivesmith bcdedit …`: Windows' own syntax, so clap only hands the words over.

use std::io::{self, Write as _};

use clap::Args;
use hivesmith::{
    command::{
        bcdedit::{BcdEdit, Verb},
        run::{self, Effect, RunError},
    },
    plan::Registry,
    volume::Drives,
};

use super::{
    Common, Exit, Failure, Writing, apply,
    apply::{Applied, to_json},
    mounts::{Mounts, Purpose, Sources},
    reg,
    stores::{StoreSources, Stores},
};

/// Windows' `bcdedit`, offline.
///
/// The syntax is that of Windows: options with `/`, in any case. Besides it there are --bcd FILE, --root DIR and --drive
/// F:=DIR to say which store and which disks are meant, --dry-run, --undo-dir DIR and --json.
#[derive(Debug, Args)]
#[command(disable_help_flag = true, override_usage = "hivesmith bcdedit [/store FILE | --root DIR] /VERB …")]
pub(crate) struct Bcdedit {
    /// /enum, /set, /deletevalue, /create, /copy, /delete and more, with their arguments.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENT")]
    words: Vec<String>,
}

/// What stands among the words without being Windows' syntax.
struct Ours {
    sources: Sources,
    stores: StoreSources,
    writing: Writing,
    /// `/?` and its like.
    help: bool,
}

impl Bcdedit {
    pub(crate) fn run(self, common: &Common) -> Result<Exit, Failure> {
        let common = &mut common.clone();
        let (words, ours) = take_ours(self.words, common)?;
        if ours.help {
            io::stdout().lock().write_all(HELP.as_bytes())?;
            return Ok(Exit::Done);
        }
        let command = BcdEdit::from_args(words.iter().map(String::as_str))
            .map_err(|error| Failure::usage(error.render().to_string().trim_end().to_owned()))?;
        let drives = ours.stores.drives(&ours.sources.drives()?)?;
        if let Verb::CreateStore { file } = &command.verb {
            let effect = run::create_store(file).map_err(|error| failure(&words, &error))?;
            drives.folder_of(&file.text).map_err(|error| Failure::opening(&file.text, &error))?;
            if drives.exists(&file.text) {
                let message = format!("{}: the file exists, and is not overwritten", file.text);
                return Err(Failure::new(Exit::Refused, message));
            }
            let applied = apply::apply(Registry::reading(&[]), &drives, &effect.files, &ours.writing)?;
            print(&effect, &applied, &ours, common)?;
            return Ok(Exit::Done);
        }
        carry_out(&words, &command, &ours, &drives, common)
    }
}

fn carry_out(
    words: &[String],
    command: &BcdEdit,
    ours: &Ours,
    drives: &Drives,
    common: &Common,
) -> Result<Exit, Failure> {
    let purpose = if command.edits() { Purpose::Edit(&ours.writing) } else { Purpose::Read(&ours.writing) };
    let mut mounts = Mounts::default();
    let mut stores = Stores::default();
    let sources = (&ours.stores, ours.sources.root.as_deref());
    let hive = stores.of(command, &mut mounts, drives, sources, purpose)?;
    if !common.quiet {
        for note in apply::replayed(&mounts.hives).iter().chain(&stores.notes) {
            anstream::eprintln!("hivesmith: {note}");
        }
    }
    let mut registry = if command.edits() {
        Registry::editing(&mut mounts.hives).map_err(|(path, error)| Failure::of(&path, &error))?
    } else {
        Registry::reading(&mounts.hives)
    };
    let done = run::bcdedit(&mut registry, drives, hive, command, "bcdedit");
    let effect = done.map_err(|error| failure(words, &error))?;
    if !common.quiet {
        for warning in &effect.warnings {
            anstream::eprintln!("hivesmith: warning: {warning}");
        }
    }
    if let (true, Verb::Enum { .. }) = (common.json, &command.verb) {
        let view = registry.view(hive).map_err(|error| Failure::of(registry.path(hive), &error))?;
        let mut document = run::store_json(view, drives).map_err(|error| failure(words, &error))?;
        document["store"] = registry.path(hive).display().to_string().into();
        document["output"] = effect.output.as_str().into();
        writeln!(io::stdout().lock(), "{document:#}")?;
        return Ok(if effect.negative { Exit::No } else { Exit::Done });
    }
    let applied = apply::apply(registry, drives, &effect.files, &ours.writing)?;
    print(&effect, &applied, ours, common)?;
    Ok(if effect.negative { Exit::No } else { Exit::Done })
}

fn print(effect: &Effect, applied: &Applied, ours: &Ours, common: &Common) -> Result<(), Failure> {
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
    if ours.writing.dry_run && (!effect.steps.is_empty() || !effect.files.is_empty()) {
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

/// What a command that could not be carried out ends with; a word to blame is shown in its line.
fn failure(words: &[String], error: &RunError) -> Failure {
    match error {
        RunError::Word { span, message, hint } if span.line > 0 => {
            let words = words.iter().map(String::as_str);
            let complaint = BcdEdit::complaint(words, *span, message.as_str(), hint.clone());
            Failure::usage(complaint.render().to_string().trim_end().to_owned())
        }
        RunError::NotFound(what) => Failure::new(Exit::No, what.clone()),
        error => reg::failure(error),
    }
}

/// Separates our long options from Windows' words. What stands behind `/d` is a text, whatever it looks like.
fn take_ours(words: Vec<String>, common: &mut Common) -> Result<(Vec<String>, Ours), Failure> {
    let (sources, stores) = (Sources::default(), StoreSources::default());
    let mut ours = Ours { sources, stores, writing: Writing::default(), help: false };
    let mut theirs: Vec<String> = Vec::new();
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        let is_text =
            theirs.last().is_some_and(|last| ["/d", "-d"].iter().any(|option| last.eq_ignore_ascii_case(option)));
        let (name, value) = match word.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name.to_owned(), Some(value.to_owned())),
            _ => (word.clone(), None),
        };
        let mut argument = || {
            value.clone().or_else(|| words.next()).ok_or_else(|| Failure::usage(format!("{name} needs an argument")))
        };
        match name.as_str() {
            _ if is_text => theirs.push(word),
            "--bcd" => ours.stores.bcd = Some(argument()?.into()),
            "--bcd-drive" => ours.stores.bcd_drives.push(argument()?),
            "--root" => ours.sources.root = Some(argument()?.into()),
            "--drive" => ours.sources.drives.push(argument()?),
            "--undo-dir" => ours.writing.undo_dir = argument()?.into(),
            "--dry-run" => ours.writing.dry_run = true,
            "--accept-dirty" => ours.writing.accept_dirty = true,
            "--accept-hibernated" => ours.writing.accept_hibernated = true,
            "/?" | "-?" | "--help" | "/help" => ours.help = true,
            "-h" | "-H" | "/h" | "/H" if theirs.is_empty() => ours.help = true,
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
Windows' bcdedit, offline. The syntax is that of Windows; these stand besides it, anywhere:

  --bcd FILE         the boot store, as /store FILE
  --root DIR         DIR is the mounted volume with the boot store: \\EFI\\Microsoft\\Boot\\BCD or \\Boot\\BCD
  --drive F:=DIR     F: in file names, and in partition=F:, is DIR; F:=DISK.img#2 is a partition of an image
  --dry-run          show what would change and write nothing
  --undo-dir DIR     where copies of the changed store are kept (default: hivesmith-undo)
  --accept-dirty     take an unclean store without usable logs as it is, if it is sound
  --accept-hibernated  write although Windows is hibernated on the volume
  --json             one JSON document
  -q, --quiet        only errors on stderr

  hivesmith bcdedit [/enum [active | firmware | bootapp | bootmgr | osloader | resume | inherit | all | {ID}]] [/v]
  hivesmith bcdedit /set {ID} ELEMENT VALUE
  hivesmith bcdedit /set {ID} LIST {ID}… [/addfirst | /addlast | /remove]
  hivesmith bcdedit /deletevalue {ID} ELEMENT
  hivesmith bcdedit /create [{ID}] [/d TEXT] [/application TYPE | /inherit [TYPE] | /device]
  hivesmith bcdedit /copy {ID} [/d TEXT]
  hivesmith bcdedit /delete {ID} [/f] [/cleanup | /nocleanup]
  hivesmith bcdedit /default {ID}
  hivesmith bcdedit /displayorder | /toolsdisplayorder | /bootsequence {ID}… [/addfirst | /addlast | /remove]
  hivesmith bcdedit /timeout SECONDS
  hivesmith bcdedit /ems | /bootems | /debug | /bootdebug {ID} ON | OFF
  hivesmith bcdedit /emssettings BIOS | EMSPORT:N [EMSBAUDRATE:N]
  hivesmith bcdedit /dbgsettings | /hypervisorsettings [TYPE [PARAMETER:VALUE…]]
  hivesmith bcdedit /export FILE | /import FILE | /createstore FILE

{default} is what the store says; {current} means the Windows that runs, of which there is none here.
Devices are boot, partition=F:, partition=gpt:DISK-GUID/PARTITION-GUID, partition=mbr:SIGNATURE@BYTE-OFFSET,
file=[DEVICE]\\path, ramdisk=[DEVICE]\\path,{ID} and vhd=[DEVICE]\\path.
";
