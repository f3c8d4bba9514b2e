//! `hivesmith run SCRIPT`

use std::{
    fmt::Write as _,
    fs,
    io::{Read as _, Write as _},
    path::PathBuf,
};

use clap::Args;
use hivesmith::{
    command::{
        Diagnostic,
        run::{Leniency, NewFile, ScriptHives, ScriptRun, boot_stores, hive_files},
        script::{Command, Line, Script},
    },
    plan::Registry,
    reg_text,
};
use serde_json::{Value as Json, json};

use super::{
    Common, Exit, Failure, Writing, apply,
    apply::{Applied, to_json},
    mounts::{Purpose, Sources, keys_of},
    reg,
    stores::{StoreSources, Stores},
};

/// Carries out a script of the documentation on offline hives.
///
/// The whole script is read and carried out in memory before anything is written; a line that cannot be understood or
/// carried out stops it.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// The script: .cmd lines, PowerShell lines, or a .reg file; - for standard input.
    script: PathBuf,
    #[command(flatten)]
    sources: Sources,
    #[command(flatten)]
    stores: StoreSources,
    /// Go on behind a command that finds nothing to delete or to query, as cmd would.
    #[arg(long)]
    keep_going: bool,
    /// Leave out lines that only a running Windows can carry out.
    #[arg(long)]
    skip_online: bool,
    /// Carry out the registry commands and leave out all others.
    #[arg(long)]
    registry_only: bool,
    #[command(flatten)]
    writing: Writing,
}

impl Run {
    pub(crate) fn run(self, common: &Common) -> Result<Exit, Failure> {
        let name = self.script.display().to_string();
        let mut bytes = Vec::new();
        if name == "-" {
            std::io::stdin().lock().read_to_end(&mut bytes)?;
        } else {
            bytes = fs::read(&self.script).map_err(|error| Failure::io(&self.script, &error))?;
        }
        let is_reg = self.script.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("reg"))
            || reg_text::is_reg(&bytes);
        if is_reg && name == "-" {
            return Err(Failure::usage("a .reg file is imported by its name, not from standard input"));
        }
        // A `.reg` file is the script that imports it.
        let bytes = if is_reg { format!("reg import \"{name}\"").into_bytes() } else { bytes };
        match Script::parse(&name, &bytes) {
            Ok(script) => run_script(&script, (&self.sources, &self.stores), self.leniency(), &self.writing, common),
            Err(error) => {
                let failure = Failure::usage("the script was not understood, nothing was written");
                Err(refused(failure, &error.errors, &self.writing, common))
            }
        }
    }

    fn leniency(&self) -> Leniency {
        Leniency { skip_online: self.skip_online, registry_only: self.registry_only, keep_going: self.keep_going }
    }
}

/// Plans a script, and carries the plan out.
pub(crate) fn run_script(
    script: &Script,
    (sources, store_sources): (&Sources, &StoreSources),
    leniency: Leniency,
    writing: &Writing,
    common: &Common,
) -> Result<Exit, Failure> {
    let drives = sources.drives()?;
    let keys: Vec<_> = script
        .lines
        .iter()
        .filter_map(|line| match &line.command {
            Command::Reg(command) => Some(keys_of(command, &drives)),
            Command::Provider(command) => Some(vec![command.key()]),
            Command::Sc(command) => Some(vec![command.key()]),
            _ => None,
        })
        .flatten()
        .collect();
    let purpose = Purpose::Edit(writing);
    let stopped =
        |failure: Failure| Failure { message: format!("nothing was written: {}", failure.message), ..failure };
    let mut mounts = sources.open(&keys, purpose).map_err(stopped)?;
    let mut loads = Vec::new();
    for (line, load) in hive_files(script) {
        match mounts.open_named(&drives, &load.file, purpose) {
            Ok(number) => loads.push(number),
            Err(failure) => return Err(refused_at(line, &failure, writing, common)),
        }
    }
    let bcd_drives = store_sources.drives(&drives)?;
    let mut stores = Stores::default();
    let mut store_numbers = Vec::new();
    for (line, command) in boot_stores(script).filter(|_| !leniency.registry_only) {
        let from = (store_sources, sources.root.as_deref());
        match stores.of(command, &mut mounts, &bcd_drives, from, purpose) {
            Ok(number) => store_numbers.push(number),
            Err(failure) => return Err(refused_at(line, &failure, writing, common)),
        }
    }
    let mut notes: Vec<String> = apply::replayed(&mounts.hives);
    notes.append(&mut stores.notes);
    let initial = mounts.mounts.clone();
    let mut registry =
        Registry::editing(&mut mounts.hives).map_err(|(path, error)| stopped(Failure::of(&path, &error)))?;
    for mount in initial {
        registry.mount(mount);
    }
    let numbers = ScriptHives { loads: &loads, stores: &store_numbers };
    let ran = ScriptRun::new(&mut registry, (&drives, &bcd_drives), script, numbers, leniency);
    let warnings: Vec<&Diagnostic> =
        script.warnings.iter().chain(ran.ran.iter().flat_map(|ran| &ran.warnings)).collect();
    let files: Vec<NewFile> = ran.files().cloned().collect();
    let stops = ran.must_stop();
    let new_folders: Vec<&String> = ran.folders().filter(|folder| !drives.has_folder(folder)).collect();
    let news = stores.makes_any() || !new_folders.is_empty() || apply::brings_news(&drives, &files);
    let applied = if stops {
        drop(registry);
        Applied::default()
    } else {
        let folders: Vec<String> = ran.folders().cloned().collect();
        let planned =
            apply::Planned { files: &files, folders: &folders, descriptors: &ran.descriptors, undoes_files: true };
        apply::apply_all(registry, &drives, &planned, false, writing, &mut |_| {})?
    };
    if !stops && !writing.dry_run && stores.makes_any() {
        stores.write(&mounts.hives, &bcd_drives)?;
    }

    if common.json {
        notes.extend(warnings.iter().map(ToString::to_string));
        let refused = ran.refused.iter().map(|refusal| refusal_json(&refusal.diagnostic, refusal.stops));
        let refused: Vec<Json> = refused.collect();
        // What a stopped script had come to in memory is nowhere now.
        let steps = ran.steps().filter(|_| !stops);
        let mut document = to_json(steps, &applied, writing.dry_run, &refused, &notes);
        if !stops {
            apply::add_descriptors(&mut document, &ran.descriptors);
            document["output"] = ran.ran.iter().map(|line| line.output.as_str()).collect::<String>().into();
            document["files"] = files.iter().map(|file| file.path.as_str()).collect();
            document["folders"] = new_folders.iter().map(|folder| folder.as_str()).collect();
            if news {
                document["changed"] = true.into();
            }
        }
        writeln!(std::io::stdout().lock(), "{document:#}")?;
    } else {
        report(&ran, &new_folders, &applied, (&notes, &warnings), writing, common)?;
    }
    if !stops {
        let failed: usize = ran.ran.iter().map(|ran| ran.failed).sum();
        return match failed {
            0 => Ok(Exit::Done),
            _ => Err(Failure::new(Exit::Io, format!("{failed} files could not be dealt with, see the warnings"))),
        };
    }
    let error = ran.refused.iter().filter(|refusal| refusal.stops).find_map(|refusal| refusal.error.as_ref());
    let exit = error.map_or(Exit::Refused, |error| reg::failure(error).exit);
    Err(Failure::new(exit, "the script was stopped, nothing was written"))
}

/// A line whose hive or store could not be opened.
fn refused_at(line: &Line, failure: &Failure, writing: &Writing, common: &Common) -> Failure {
    let (message, hint) = match failure.message.split_once("\n  ") {
        Some((message, hint)) => (message, Some(hint.to_owned())),
        None => (failure.message.as_str(), None),
    };
    let mut place = line.diagnostic(message);
    place.hint = hint;
    let failure = Failure::new(failure.exit, "the script was stopped, nothing was written");
    refused(failure, &[place], writing, common)
}

/// A failure with the places of the script that it is about; with `--json` they make a document of their own.
fn refused(failure: Failure, places: &[Diagnostic], writing: &Writing, common: &Common) -> Failure {
    if common.json {
        let refused: Vec<Json> = places.iter().map(|place| refusal_json(place, true)).collect();
        let document = to_json([], &Applied::default(), writing.dry_run, &refused, &[]);
        if let Err(error) = writeln!(std::io::stdout().lock(), "{document:#}") {
            return error.into();
        }
    }
    let message = places.iter().fold(failure.message, |mut message, place| {
        let _ = write!(message, "\n{}", place.render().to_string().trim_end());
        message
    });
    Failure { message, ..failure }
}

fn refusal_json(place: &Diagnostic, stops: bool) -> Json {
    json!({ "where": place.to_string(), "hint": place.hint, "stops": stops })
}

fn report(
    ran: &ScriptRun,
    new_folders: &[&String],
    applied: &Applied,
    (notes, warnings): (&[String], &[&Diagnostic]),
    writing: &Writing,
    common: &Common,
) -> Result<(), Failure> {
    if !common.quiet {
        for note in notes {
            anstream::eprintln!("hivesmith: {note}");
        }
        let mut last = None;
        for warning in warnings {
            // The line is shown once, however many files it is about.
            if last.replace(warning.span) == Some(warning.span) {
                anstream::eprintln!("hivesmith: warning: {warning}");
            } else {
                anstream::eprintln!("hivesmith: warning: {}", warning.render().to_string().trim_end());
            }
        }
    }
    for refusal in ran.refused.iter().filter(|refusal| refusal.stops || !common.quiet) {
        let word = if refusal.stops { "refused" } else { "left out" };
        anstream::eprintln!("hivesmith: {word}: {}", refusal.diagnostic.render().to_string().trim_end());
    }
    if ran.must_stop() {
        return Ok(());
    }
    let mut out = std::io::stdout().lock();
    let mut steps = 0;
    for line in &ran.ran {
        if line.output != "The operation completed successfully.\n" {
            out.write_all(line.output.as_bytes())?;
        }
        for step in &line.steps {
            steps += 1;
            writeln!(out, "{step}")?;
        }
    }
    let mut descriptors = 0;
    for change in ran.descriptors.changes() {
        descriptors += 1;
        if writing.dry_run || common.verbose {
            writeln!(out, "{change}")?;
        }
    }
    steps += descriptors;
    for folder in new_folders {
        steps += 1;
        writeln!(out, "+ {folder}")?;
    }
    for file in ran.files() {
        steps += 1;
        writeln!(out, "+ file {}, {} bytes", file.path, file.bytes.len())?;
    }
    match (steps, writing.dry_run) {
        (0, _) => writeln!(out, "nothing to change: everything is as the script wants it")?,
        (_, true) => writeln!(out, "dry run: {steps} steps, nothing was written")?,
        _ => {
            for (path, commit) in &applied.commits {
                let how = apply::protocol(commit.protocol);
                writeln!(out, "changed {} {how}: {} pages", path.display(), commit.pages)?;
            }
            if descriptors > 0 {
                writeln!(out, "changed the descriptors of {descriptors} files")?;
            }
            if let Some(journal) = &applied.journal {
                writeln!(
                    out,
                    "copies from before are in {}; its journal.json says where each belongs",
                    journal.display()
                )?;
            }
        }
    }
    Ok(())
}
