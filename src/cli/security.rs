//! `hivesmith security …`: descriptors of keys.

use std::{
    io::{self, Write as _},
    path::Path,
};

use clap::{Args, Subcommand};
use hivesmith::{
    SecurityScope,
    command::{
        Accounts,
        icacls::PermissionError,
        run::Effect,
        security::{self, KeyEdit},
    },
    plan::{Located, Registry},
    reg_text::{RegPath, RootKey},
    security::SecurityDescriptor,
    volume::Drives,
};
use serde_json::{Value as Json, json};

use super::{
    Common, Exit, Failure, Writing, apply,
    apply::to_json,
    loaded::Loaded,
    mounts::{Mounts, Purpose, Sources, mount_point},
    reg::failure,
};

/// Who may do what with registry keys: descriptors of keys in hives.
#[derive(Debug, Args)]
#[command(after_long_help = DETAILS)]
pub(crate) struct Security {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Owner, group and entries of a key.
    Show(Show),
    /// Puts SDDL in the place of what a key has; parts that it does not name stay.
    Set(Edit),
    /// Allows: TRUSTEE:RIGHTS, such as "NT AUTHORITY\NETWORK SERVICE:(CI)R".
    Grant(Grant),
    /// Denies: TRUSTEE:RIGHTS.
    Deny(Edit),
    /// Takes away a key's own entries: TRUSTEE for all, TRUSTEE:g for grants, TRUSTEE:d for denials.
    Remove(Edit),
    /// Gives a key another owner: TRUSTEE.
    Owner(Edit),
}

#[derive(Debug, Args)]
struct Show {
    #[command(flatten)]
    sources: Sources,
    /// HIVE KEY: a hive file and a key in it ("" for its root); or KEY alone, such as HKLM\SYSTEM\Select, with --root,
    /// --hive or a loaded hive.
    #[arg(value_name = "HIVE|KEY", num_args = 1..=2, required = true)]
    words: Vec<String>,
    /// The keys below, too.
    #[arg(short, long)]
    recurse: bool,
    /// SDDL alone, a line a key.
    #[arg(long)]
    sddl: bool,
}

#[derive(Debug, Args)]
struct Grant {
    #[command(flatten)]
    edit: Edit,
    /// Instead of all else that these were allowed by entries of the key's own.
    #[arg(long)]
    replace: bool,
}

#[derive(Debug, Args)]
struct Edit {
    #[command(flatten)]
    sources: Sources,
    #[command(flatten)]
    writing: Writing,
    /// HIVE KEY or KEY, as for show; then SDDL, or who, or who with which rights.
    #[arg(value_name = "HIVE|KEY|WHAT", num_args = 2.., required = true)]
    words: Vec<String>,
    /// The same on all keys below.
    #[arg(short, long)]
    recurse: bool,
    /// Leave the keys below as they are, whatever they inherited.
    #[arg(long, conflicts_with = "recurse")]
    this_key_only: bool,
}

const DETAILS: &str = "\
Names of trustees are those that are the same on each Windows (\"BUILTIN\\Users\"), \"NT SERVICE\\NAME\", or
SIDs (*S-1-5-18). Rights of keys: F (full), R (read), W (write), X (execute); QV, SV, CS, ES, NT, CL, DE, RC,
WDAC, WO or their names (query-value, set-value, create-subkey, enumerate-subkeys, notify, create-link, delete,
read-control, write-dac, write-owner); GR, GW, GE, GA; a number such as 0x20019. Several with commas: R,set-value.
In front of them (CI) hands an entry on to subkeys; (NP) to one level only; (IO) to subkeys only.

A change is handed on as Windows does it: what subkeys inherit from the key follows, protected ones and entries of
their own stay. --recurse makes the same change on each key below besides; --this-key-only does neither.

  hivesmith security show  SYSTEM 'ControlSet001\\Services\\TermService'
  hivesmith security grant SYSTEM 'ControlSet001\\Services' 'NT AUTHORITY\\NETWORK SERVICE:(CI)R'
  hivesmith security owner --root /mnt/win 'HKLM\\SOFTWARE\\Policies' BUILTIN\\Administrators";

impl Security {
    pub(crate) fn run(self, common: &Common) -> Result<Exit, Failure> {
        match self.verb {
            Verb::Show(show) => show.run(common),
            Verb::Set(edit) => edit.run(common, "set", |words, _| match words {
                [sddl] => Ok(KeyEdit::Set(Box::new(descriptor(sddl)?))),
                _ => Err(Failure::usage("set takes one SDDL text behind the key")),
            }),
            Verb::Grant(Grant { edit, replace }) => edit.run(common, "grant", |words, accounts| {
                let permissions = each(words, |text| security::parse_permission(text, accounts))?;
                Ok(KeyEdit::Grant { permissions, only: replace })
            }),
            Verb::Deny(edit) => edit.run(common, "deny", |words, accounts| {
                Ok(KeyEdit::Deny(each(words, |text| security::parse_permission(text, accounts))?))
            }),
            Verb::Remove(edit) => edit.run(common, "remove", |words, accounts| {
                Ok(KeyEdit::Remove(each(words, |text| security::parse_removal(text, accounts))?))
            }),
            Verb::Owner(edit) => edit.run(common, "owner", |words, accounts| {
                match &each(words, |text| security::parse_trustee(text, accounts))?[..] {
                    [owner] => Ok(KeyEdit::Owner(*owner)),
                    _ => Err(Failure::usage("a key has one owner")),
                }
            }),
        }
    }
}

impl Show {
    fn run(self, common: &Common) -> Result<Exit, Failure> {
        let (target, rest) = Target::of(&self.words, &self.sources)?;
        if let Some(word) = rest.first() {
            return Err(Failure::usage(format!(
                "\"{word}\" is too much: show takes HIVE KEY, or KEY with --root or --hive"
            )));
        }
        let Mounts { hives, mounts } = target.open(&self.sources, Purpose::Read(&Writing::default()))?;
        said_first(&hives, common);
        let mut registry = Registry::reading(&hives);
        for mount in mounts {
            registry.mount(mount);
        }
        let at = target.locate(&registry)?;
        let failed = |error| Failure::of(registry.path(at.hive), &error);
        let top = registry.key(&at).map_err(failed)?.ok_or_else(|| no_such_key(&target.shown(&at.key)))?;
        let accounts = Accounts::new();
        let mut out = io::BufWriter::new(io::stdout().lock());
        let mut shown: Vec<Json> = Vec::new();
        for walked in top.walk().take(if self.recurse { usize::MAX } else { 1 }) {
            let key = walked.map_err(failed)?.key;
            let path = key.path().map_err(failed)?;
            let below = path.names().iter().skip(at.path.names().len()).cloned().collect();
            let name = target.shown(&at.key.below(&below));
            let record = key.security().map_err(failed)?;
            let descriptor = record.descriptor().map_err(failed)?;
            if common.json {
                let mut document = security::to_json(&descriptor, &accounts);
                document["key"] = name.into();
                document["path"] = path.to_string().into();
                document["shared_by"] = record.references().into();
                shown.push(document);
            } else if self.sddl {
                writeln!(out, "{name}\t{descriptor}")?;
            } else {
                writeln!(out, "{name}")?;
                for line in security::listing(&descriptor, &accounts) {
                    writeln!(out, "  {line}")?;
                }
                for warning in security::warnings(&descriptor, &accounts) {
                    writeln!(out, "  warning: {warning}")?;
                }
            }
        }
        if common.json {
            writeln!(out, "{:#}", json!({ "hive": registry.path(at.hive).display().to_string(), "keys": shown }))?;
        }
        out.flush()?;
        Ok(Exit::Done)
    }
}

impl Edit {
    fn run(
        self,
        common: &Common,
        verb: &str,
        parse: impl FnOnce(&[String], &Accounts) -> Result<KeyEdit, Failure>,
    ) -> Result<Exit, Failure> {
        let (target, rest) = Target::of(&self.words, &self.sources)?;
        let accounts = Accounts::new();
        if rest.is_empty() {
            return Err(Failure::usage(format!("security {verb}: nothing behind the key says what is to be done")));
        }
        let edit = parse(rest, &accounts)?;
        let scope = match (self.recurse, self.this_key_only) {
            (true, _) => SecurityScope::Tree,
            (false, true) => SecurityScope::Key,
            (false, false) => SecurityScope::Inheriting,
        };
        let Mounts { mut hives, mounts } = target.open(&self.sources, Purpose::Edit(&self.writing))?;
        said_first(&hives, common);
        let mut registry = Registry::editing(&mut hives).map_err(|(path, error)| Failure::of(&path, &error))?;
        for mount in mounts {
            registry.mount(mount);
        }
        let at = target.locate(&registry)?;
        let why = format!("security {verb}");
        let done = security::edit_key(&mut registry, &at, &edit, scope, &accounts, &why);
        let effect = done.map_err(|error| match error {
            // Nothing is wrong with the command: the key is such that it would do harm.
            hivesmith::command::run::RunError::Refused(why) => Failure::new(Exit::Refused, why),
            error => failure(&error),
        })?;
        let applied = apply::apply(registry, &Drives::default(), &[], &self.writing)?;
        report(&effect, &applied, &self.writing, common)
    }
}

fn report(effect: &Effect, applied: &apply::Applied, writing: &Writing, common: &Common) -> Result<Exit, Failure> {
    if !common.quiet {
        for warning in &effect.warnings {
            anstream::eprintln!("hivesmith: warning: {warning}");
        }
    }
    let mut out = io::BufWriter::new(io::stdout().lock());
    if common.json {
        let document = to_json(&effect.steps, applied, writing.dry_run, &[], &effect.warnings);
        writeln!(out, "{document:#}")?;
    } else {
        for step in &effect.steps {
            writeln!(out, "{step}")?;
        }
        match (effect.steps.len(), writing.dry_run) {
            (0, _) => writeln!(out, "nothing to do, it is so already")?,
            (keys, true) => writeln!(out, "dry run: {keys} keys, nothing was written")?,
            (keys, false) => writeln!(out, "{keys} keys changed")?,
        }
        if let (Some(journal), false) = (&applied.journal, common.quiet) {
            anstream::eprintln!("hivesmith: copies from before are in {}", journal.display());
        }
    }
    out.flush()?;
    Ok(Exit::Done)
}

/// The key that the words begin with.
enum Target<'w> {
    /// A hive file and a key in it.
    File(&'w Path, RegPath),
    /// A key of the registry that the sources make.
    Registry(RegPath),
}

impl<'w> Target<'w> {
    /// The key, and the words behind it. A word that begins like a key of the registry is one, unless a file has that
    /// name.
    fn of(words: &'w [String], sources: &Sources) -> Result<(Self, &'w [String]), Failure> {
        let (first, rest) = words.split_first().ok_or_else(|| Failure::usage("which key?"))?;
        let key: Option<RegPath> = first.parse().ok();
        let given = sources.root.is_some() || !sources.hives.is_empty();
        if let Some(key) = key.filter(|_| given || !Path::new(first).exists()) {
            return Ok((Self::Registry(key), rest));
        }
        let (key, rest) = rest.split_first().ok_or_else(|| {
            Failure::usage(format!("which key of {first}? \"\" is its root; a key of the registry begins with HKLM\\"))
        })?;
        let inside = if key.to_ascii_uppercase().starts_with("HKLM\\") || key.to_ascii_uppercase().starts_with("HKEY_")
        {
            return Err(Failure::usage(format!(
                "\"{key}\" is a key of a whole registry: name the key inside {first} alone, such as ControlSet001\\Services"
            )));
        } else {
            mounted(Path::new(first)).below(&key.as_str().into())
        };
        Ok((Self::File(Path::new(first), inside), rest))
    }

    fn open(&self, sources: &Sources, purpose: Purpose<'_>) -> Result<Mounts, Failure> {
        match self {
            Self::File(file, _) => {
                let mut mounts = Mounts::default();
                mounts.open_path(mounted(file), file, purpose)?;
                Ok(mounts)
            }
            Self::Registry(key) => {
                let mut mounts = sources.open(std::slice::from_ref(key), purpose)?;
                for (mount, file) in Loaded::read()?.hives {
                    if key.relative_to(&mount).is_some() && !mounts.has(&mount) {
                        mounts.open_path(mount, &file, purpose)?;
                    }
                }
                Ok(mounts)
            }
        }
    }

    fn key(&self) -> &RegPath {
        match self {
            Self::File(_, key) | Self::Registry(key) => key,
        }
    }

    fn locate(&self, registry: &Registry<'_>) -> Result<Located, Failure> {
        let found = registry.locate(self.key()).map_err(|error| Failure::of(registry.path(0), &error))?;
        found.ok_or_else(|| {
            Failure::usage(format!("no hive holds {}: --root DIR or --hive NAME=FILE says where it is", self.key()))
        })
    }

    /// A key as the user names it: inside its file, or in the registry.
    fn shown(&self, key: &RegPath) -> String {
        match self {
            Self::Registry(_) => key.to_string(),
            Self::File(file, _) => {
                let inside = key.relative_to(&mounted(file)).unwrap_or_default();
                if inside.is_root() { "\\".to_owned() } else { inside.to_string() }
            }
        }
    }
}

/// Where a hive that is given as a file is mounted: under its own name.
fn mounted(file: &Path) -> RegPath {
    let name = file.file_name().and_then(|name| name.to_str()).filter(|name| !name.contains('\\'));
    mount_point(RootKey::LocalMachine, name.unwrap_or("HIVE"))
}

fn no_such_key(shown: &str) -> Failure {
    Failure::new(Exit::No, format!("{shown}: there is no such key"))
}

fn said_first(hives: &[hivesmith::plan::Opened], common: &Common) {
    if !common.quiet {
        for note in apply::replayed(hives) {
            anstream::eprintln!("hivesmith: {note}");
        }
    }
}

fn descriptor(sddl: &str) -> Result<SecurityDescriptor, Failure> {
    let parsed: SecurityDescriptor = sddl.parse().map_err(|error| Failure::usage(format!("\"{sddl}\": {error}")))?;
    if parsed == SecurityDescriptor::new() {
        return Err(Failure::usage("the SDDL names no part of a descriptor: O: G: D: S:"));
    }
    Ok(parsed)
}

fn each<T>(words: &[String], parse: impl Fn(&str) -> Result<T, PermissionError>) -> Result<Vec<T>, Failure> {
    let parsed = words.iter().map(|word| {
        parse(word).map_err(|error| {
            let before = word.get(..error.offset).unwrap_or_default().chars().count();
            let marked = word.get(error.offset..).and_then(|rest| rest.get(..error.length)).unwrap_or_default();
            let carets = "^".repeat(marked.chars().count().max(1));
            Failure::usage(format!("{error}\n  {word}\n  {}{carets}", " ".repeat(before)))
        })
    });
    parsed.collect()
}
