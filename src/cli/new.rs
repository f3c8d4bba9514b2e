//! `hivesmith new`

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::ValueEnum;
use hivesmith::{
    Error, Hive, NewHive,
    name::{KeyPath, same},
    reg_text::{self, RegFile, RegPath, RootKey, Section},
    security::SecurityDescriptor,
};
use serde_json::json;

use super::{Common, Exit, Failure, compact::refuse_existing, output::Output};

/// A new hive, empty or with what .reg files hold.
#[derive(Debug, clap::Args)]
#[command(after_long_help = DETAILS)]
pub(crate) struct New {
    /// The file to make; it must not exist.
    hive: PathBuf,
    /// The format.
    #[arg(long, value_enum, default_value_t = Version::Latest)]
    version: Version,
    /// Import a .reg file; may be given several times.
    #[arg(long, value_name = "FILE.reg")]
    import: Vec<PathBuf>,
    /// The key of the .reg files that is the root of the hive.
    #[arg(long, value_name = "KEY", requires = "import")]
    prefix: Option<String>,
    /// The descriptor of the root, which new keys get as well.
    #[arg(long, value_name = "SDDL")]
    root_sddl: Option<String>,
    /// Do everything except writing the file.
    #[arg(long)]
    dry_run: bool,
}

const DETAILS: &str = "\
The sections of the .reg files are those of one hive. Under HKEY_LOCAL_MACHINE and HKEY_USERS they
all lie in one key, which becomes the root, whatever its name; HKEY_CURRENT_USER and the others are
the root themselves. --prefix names another key as the root. Everything is imported, or no file is
made.";

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Version {
    /// NT 4 to Windows 10, and all boot configuration stores.
    #[value(name = "1.3")]
    Standard,
    /// Windows XP and later.
    #[value(name = "1.5")]
    Latest,
}

impl New {
    pub(crate) fn run(self, common: &Common) -> Result<Exit, Failure> {
        refuse_existing(&self.hive)?;
        let mut hive = self.create()?;
        self.import_all(&mut hive)?;
        let (mut keys, mut values) = (0_u64, 0_u64);
        for walked in hive.view().walk() {
            let key = walked.map_err(|error| self.failure(&error))?.key;
            keys += 1;
            values += u64::from(key.value_count());
        }
        if !self.dry_run {
            hive.write_to(&self.hive).map_err(|error| self.failure(&error))?;
        }
        self.report(keys, values, common)?;
        Ok(Exit::Done)
    }

    fn create(&self) -> Result<Hive, Failure> {
        let version = match self.version {
            Version::Standard => hivesmith::Version::V1_3,
            Version::Latest => hivesmith::Version::V1_5,
        };
        let mut new = NewHive::new(version);
        if let Some(sddl) = &self.root_sddl {
            let descriptor: SecurityDescriptor =
                sddl.parse().map_err(|error| Failure::usage(format!("--root-sddl: {error}")))?;
            new = new.descriptor(descriptor.to_bytes());
        }
        new.create().map_err(|error| self.failure(&error))
    }

    /// Imports all files in one transaction.
    fn import_all(&self, hive: &mut Hive) -> Result<(), Failure> {
        let mut files: Vec<(&Path, RegFile)> = Vec::new();
        for path in &self.import {
            let bytes = fs::read(path).map_err(|error| Failure::io(path, &error))?;
            let parsed = reg_text::parse(&bytes);
            let file = parsed.map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
            files.push((path, file));
        }
        let Some(prefix) = self.prefix(&files)? else { return Ok(()) };
        let mut txn = hive.begin().map_err(|error| self.failure(&error))?;
        for (path, file) in &files {
            for section in &file.sections {
                let Some(key) = section.key.relative_to(&prefix) else { return Err(outside(path, section, &prefix)) };
                for change in section.changes(key) {
                    txn.apply([&change]).map_err(|error| {
                        let message = format!("{}: section in line {}: {error}", path.display(), section.line);
                        Failure { message, ..self.failure(&error) }
                    })?;
                }
            }
        }
        txn.commit().map_err(|error| self.failure(&error))?;
        Ok(())
    }

    /// The key of the files that is the hive's root; none where they have no sections.
    fn prefix(&self, files: &[(&Path, RegFile)]) -> Result<Option<RegPath>, Failure> {
        if let Some(prefix) = &self.prefix {
            return prefix.parse().map(Some).map_err(|error| Failure::usage(format!("--prefix: {error}")));
        }
        let mut found: Option<RegPath> = None;
        for (path, file) in files {
            for section in &file.sections {
                let Some(root) = root_of(&section.key) else {
                    let message = format!(
                        "{}: line {}: {} lies above all hives; --prefix says which key is the root",
                        path.display(),
                        section.line,
                        section.key
                    );
                    return Err(Failure::usage(message));
                };
                match &found {
                    Some(found) if !is_same(found, &root) => return Err(outside(path, section, found)),
                    Some(_) => {}
                    None => found = Some(root),
                }
            }
        }
        Ok(found)
    }

    fn failure(&self, error: &Error) -> Failure {
        Failure::of(&self.hive, error)
    }

    fn report(&self, keys: u64, values: u64, common: &Common) -> Result<(), Failure> {
        let version = self.version.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
        let path = self.hive.display();
        let mut out = Output::open(None)?;
        let written = if common.json {
            let document = json!({
                "changed": !self.dry_run,
                "dry_run": self.dry_run,
                "hive": path.to_string(),
                "version": version,
                "keys": keys,
                "values": values,
            });
            std::io::Write::write_fmt(&mut out, format_args!("{document}\n"))
        } else {
            let done = if self.dry_run { "would be made" } else { "made" };
            let text = format!("{path}: {done}, version {version}, {keys} keys, {values} values\n");
            std::io::Write::write_all(&mut out, text.as_bytes())
        };
        out.finish(written)
    }
}

/// The key that a hive with this key in it is loaded at.
fn root_of(key: &RegPath) -> Option<RegPath> {
    let path: KeyPath = match key.root {
        RootKey::LocalMachine | RootKey::Users => std::iter::once(key.path.names().first()?.clone()).collect(),
        RootKey::CurrentUser | RootKey::ClassesRoot | RootKey::CurrentConfig => KeyPath::default(),
    };
    Some(RegPath { root: key.root, path })
}

fn is_same(a: &RegPath, b: &RegPath) -> bool {
    same(a, b)
}

fn outside(path: &Path, section: &Section, prefix: &RegPath) -> Failure {
    let (path, line, key) = (path.display(), section.line, &section.key);
    let message = format!("{path}: line {line}: {key} does not lie in {prefix}, and a hive has one root");
    Failure::usage(format!("{message}\n  to say which key is the root: --prefix"))
}
