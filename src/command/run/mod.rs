//! Carrying commands out on offline hives.
//!
//! A command is carried out in the [`Registry`]'s transactions, so what it does can be looked at, built upon by the
//! next command, and dropped. Only [`Registry::commit`] writes, and for descriptors of files
//! [`Descriptors::write`](crate::plan::Descriptors::write).

mod add;
mod bcdedit;
mod compare;
mod copy;
mod copy_tree;
mod delete;
mod descriptors;
mod files;
mod flags;
mod provider;
mod query;
mod restore;
mod sc;
mod script;
mod targets;
mod tree;

use std::{error, fmt};

pub use bcdedit::{bcdedit, create_store, store_json};
pub use descriptors::{FileCommands, FileEffect};
pub use sc::sc;
pub use script::{Leniency, Ran, Refusal, ScriptHives, ScriptRun, boot_stores, hive_files};

use super::{
    Span,
    diagnostic::Fault,
    reg::{RegCommand, View},
};
use crate::{
    Error,
    name::{self, KeyPath, NameBuf},
    plan::{Located, Registry, Step},
    reg_text::RegPath,
    volume::{Drives, Existing},
};

/// What a command did.
#[derive(Debug, Default)]
pub struct Effect {
    /// What it prints, as Windows' own command would.
    pub output: String,
    /// What it changed; nothing where all was so already.
    pub steps: Vec<Step>,
    /// Worth saying besides.
    pub warnings: Vec<String>,
    /// The command's own answer was "no": nothing found, or a difference.
    pub negative: bool,
    /// Files that it writes. They are written when the plan is carried out, not before.
    pub files: Vec<NewFile>,
    /// Folders that it makes, before all files.
    pub folders: Vec<String>,
    /// Files that it could not deal with and passed over.
    pub failed: usize,
}

impl Effect {
    fn steps(steps: impl IntoIterator<Item = Step>) -> Self {
        Self { output: SUCCESS.to_owned(), steps: steps.into_iter().collect(), ..Self::default() }
    }

    fn text(output: impl Into<String>) -> Self {
        Self { output: output.into(), ..Self::default() }
    }
}

/// A file that a command writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewFile {
    /// Where, as the command says it.
    pub path: String,
    /// What.
    pub bytes: Vec<u8>,
    /// What is done where there is one already.
    pub existing: Existing,
}

const SUCCESS: &str = "The operation completed successfully.\n";

/// Why a command could not be carried out.
#[derive(Debug)]
#[non_exhaustive]
pub enum RunError {
    /// What it is about does not exist.
    NotFound(String),
    /// It cannot be done like this; says what to do.
    Refused(String),
    /// The engine's own error, and the hive's file.
    Engine(std::path::PathBuf, Error),
    /// A word of the command is wrong for what it is about.
    Word {
        /// Where it stands.
        span: Span,
        /// What is wrong.
        message: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// A file that the command reads or writes.
    File(String, std::io::Error),
}

impl fmt::Display for RunError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound(what) => {
                write!(out, "the system was unable to find the specified registry key or value: {what}")
            }
            Self::Refused(why) => out.write_str(why),
            Self::Word { message, .. } => out.write_str(message),
            Self::Engine(file, error) => write!(out, "{}: {error}", file.display()),
            Self::File(file, error) => write!(out, "{file}: {error}"),
        }
    }
}

impl error::Error for RunError {}

impl From<Fault> for RunError {
    fn from(fault: Fault) -> Self {
        let Fault { span, message, hint } = fault;
        Self::Word { span, message, hint }
    }
}

/// Carries out one `reg` command; `why` says where it comes from.
///
/// `load` and `unload` only hang opened hives in and off: whoever runs commands opens the files first, see
/// [`hive_files`].
///
/// # Errors
///
/// [`RunError`]; the registry may hold part of the command's changes then and should be dropped.
pub fn reg(registry: &mut Registry<'_>, drives: &Drives, command: &RegCommand, why: &str) -> Result<Effect, RunError> {
    let mut effect = match command {
        RegCommand::Query(query) => query::run(registry, query),
        RegCommand::Add(add) => add::run(registry, add, why),
        RegCommand::Delete(delete) => delete::run(registry, delete, why),
        RegCommand::Copy(copy) => copy::run(registry, copy, why),
        RegCommand::Export(export) => files::export(registry, export),
        RegCommand::Import(import) => files::import(registry, drives, import, why),
        RegCommand::Save(save) => files::save(registry, save),
        RegCommand::Load(_) | RegCommand::Unload(_) => {
            Err(RunError::Refused("load and unload are for scripts and for `hivesmith reg` itself".to_owned()))
        }
        RegCommand::Compare(compare) => compare::run(registry, compare),
        RegCommand::Restore(restore) => restore::run(registry, drives, restore, why),
        RegCommand::Flags(flags) => flags::run(registry, flags, why),
    }?;
    effect.warnings.extend(registry.take_warnings());
    Ok(effect)
}

/// Which hive and key a path means; an error where nothing is mounted there.
fn locate(registry: &Registry<'_>, key: &RegPath, view: View) -> Result<Located, RunError> {
    let found = registry.locate(key).map_err(|error| RunError::Refused(format!("{key}: {error}")))?;
    let Some(mut located) = found else {
        let mounts: Vec<String> = registry.mounts().iter().map(|mount| mount.key.to_string()).collect();
        let known = if mounts.is_empty() { String::new() } else { format!(" (there is {})", mounts.join(", ")) };
        return Err(RunError::Refused(format!(
            "no loaded hive holds {key}{known}; load one with `reg load`, or say where it is with --hive NAME=FILE; \
             --root DIR has HKLM\\SYSTEM, SOFTWARE, SAM, SECURITY, COMPONENTS and DRIVERS, and HKU\\.DEFAULT"
        )));
    };
    if view == View::Bits32 {
        located.path = narrow(registry, &located).map_err(|error| engine(registry, &located, error))?;
    }
    Ok(located)
}

/// What 32-bit programs see: the keys below `WOW6432Node`, in hives that have it.
fn narrow(registry: &Registry<'_>, at: &Located) -> Result<KeyPath, Error> {
    let node = NameBuf::from("WOW6432Node");
    let names = at.path.names();
    let has_it = registry.view(at.hive)?.root()?.subkey(&node)?.is_some();
    if !has_it || names.first().is_some_and(|first| name::same(first, &node)) {
        return Ok(at.path.clone());
    }
    Ok(std::iter::once(node).chain(names.iter().cloned()).collect())
}

fn engine(registry: &Registry<'_>, at: &Located, error: Error) -> RunError {
    RunError::Engine(registry.path(at.hive).to_owned(), error)
}

/// A key path below the root key, as Windows' tools print it.
fn not_found(at: &Located) -> RunError {
    RunError::NotFound(at.key.to_string())
}
