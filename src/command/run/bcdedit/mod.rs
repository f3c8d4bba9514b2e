//! `bcdedit`

mod objects;
mod set;
mod show;

use super::{Effect, NewFile, RunError};
use crate::{
    Guid, Hive, HiveView, Result,
    bcd::{NewStore, PartitionId, Places, Store, StoreError, WellKnown},
    command::{
        Word,
        bcdedit::{BcdEdit, EnumScope, ObjectRef, Verb},
        diagnostic::Fault,
    },
    edit::Change,
    plan::{Registry, Step},
    volume::{DrivePartitions, Drives, Existing},
};

/// Carries out one `bcdedit` command on a store, which is the registry's hive of this number; `why` says where it comes
/// from.
///
/// # Errors
///
/// [`RunError`]; the registry may hold part of the command's changes then and should be dropped.
pub fn bcdedit(
    registry: &mut Registry<'_>,
    drives: &Drives,
    hive: usize,
    command: &BcdEdit,
    why: &str,
) -> Result<Effect, RunError> {
    let partitions = DrivePartitions::new(drives);
    let mut run = Run { registry, hive, partitions, why, steps: Vec::new(), warnings: Vec::new() };
    let output = run.carry_out(drives, &command.verb)?;
    let Run { steps, warnings, .. } = run;
    Ok(Effect { steps, warnings, ..output })
}

/// The bytes of the store that `/createstore` makes, and where it is to be.
///
/// # Errors
///
/// None that a new store can meet.
pub fn create_store(file: &Word) -> Result<Effect, RunError> {
    let made = NewStore::new().create().map(|hive| hive.to_bytes());
    let bytes = made.map_err(|error| RunError::Engine(file.text.clone().into(), error))?;
    let file = NewFile { path: file.text.clone(), bytes, existing: Existing::Keep };
    Ok(Effect { files: vec![file], ..Effect::text(super::SUCCESS) })
}

/// A store as JSON, for `/enum`.
///
/// # Errors
///
/// [`RunError`] where it is no store, or a record of it is broken.
pub fn store_json(hive: HiveView<'_>, drives: &Drives) -> Result<serde_json::Value, RunError> {
    let partitions = DrivePartitions::new(drives);
    let failed = |error: StoreError| RunError::Refused(error.to_string());
    let store = Store::new(hive).map_err(failed)?;
    store.to_json(&Names { store, partitions: &partitions }).map_err(failed)
}

/// One command under way.
struct Run<'r, 'h> {
    registry: &'r mut Registry<'h>,
    hive: usize,
    partitions: DrivePartitions<'r>,
    why: &'r str,
    steps: Vec<Step>,
    warnings: Vec<String>,
}

impl Run<'_, '_> {
    fn carry_out(&mut self, drives: &Drives, verb: &Verb) -> Result<Effect, RunError> {
        match verb {
            Verb::Enum { scope, verbose } => {
                let object = match scope {
                    EnumScope::One(word) => Some(self.object_of(word)?),
                    _ => None,
                };
                let names = Names { store: self.store()?, partitions: &self.partitions };
                let output = show::show(&names, scope, object, *verbose);
                let output = output.map_err(|error| self.failed(error))?;
                return Ok(Effect { negative: output.is_empty(), ..Effect::text(output) });
            }
            Verb::Set { object, element, values, list } => self.set(object, element, values, *list)?,
            Verb::Put { object, code, value } => self.put(object, *code, value)?,
            Verb::DeleteValue { object, element } => self.delete_value(object, element)?,
            Verb::Settings { object, set, delete } => self.settings(*object, set, delete)?,
            Verb::Create { id, description, object_type } => {
                return self.create(id.as_ref(), description.as_deref(), *object_type);
            }
            Verb::Copy { id, description } => return self.copy(id, description.as_deref()),
            Verb::Delete { id, force, cleanup } => self.delete(id, *force, *cleanup)?,
            Verb::Export { file } => return self.export(file),
            Verb::Import { file } => self.import(drives, file)?,
            Verb::CreateStore { file } => return create_store(file),
        }
        Ok(Effect::text(super::SUCCESS))
    }

    fn store(&self) -> Result<Store<'_>, RunError> {
        let view = self.registry.view(self.hive).map_err(|error| self.failed(error.into()))?;
        Store::new(view).map_err(|error| self.failed(error))
    }

    /// An error that no word is to blame for.
    fn failed(&self, error: StoreError) -> RunError {
        match error {
            StoreError::Engine(error) => RunError::Engine(self.registry.path(self.hive).to_owned(), error),
            error => RunError::Refused(format!("{}: {error}", self.registry.path(self.hive).display())),
        }
    }

    /// An error that a word is to blame for.
    fn blame(&self, word: &Word, error: StoreError) -> RunError {
        if matches!(error, StoreError::Engine(_)) {
            return self.failed(error);
        }
        let hint = match &error {
            StoreError::NoSuchObject(id) => Some(match WellKnown::of(*id) {
                Some(known) => format!("`/create {{{}}}` makes it; `/enum all` shows what there is", known.alias),
                None => "`/enum all` shows what there is".to_owned(),
            }),
            StoreError::Current(Some(id)) => self.store().ok().and_then(|store| described(store, *id)),
            StoreError::NoDefault(_) => Some("name the entry; `/enum osloader /v` lists them".to_owned()),
            _ => None,
        };
        let fault = Fault::new(word.span, error.to_string());
        match hint {
            Some(hint) => fault.hint(hint).into(),
            None => fault.into(),
        }
    }

    /// What an identifier stands for; it need not exist.
    fn id_of(&self, word: &Word) -> Result<Guid, RunError> {
        self.store()?.resolve(&word.text).map_err(|error| self.blame(word, error))
    }

    /// The existing object that an identifier stands for.
    fn object_of(&self, word: &Word) -> Result<Guid, RunError> {
        let id = self.id_of(word)?;
        self.store()?.existing(id).map_err(|error| self.blame(word, error))?;
        Ok(id)
    }

    fn object(&self, object: &ObjectRef) -> Result<Guid, RunError> {
        match object {
            ObjectRef::Named(word) => self.object_of(word),
            ObjectRef::Known(id) => {
                self.store()?.existing(*id).map_err(|error| self.failed(error))?;
                Ok(*id)
            }
        }
    }

    /// Makes changes; they become steps.
    fn apply(&mut self, changes: Result<Vec<Change>, StoreError>) -> Result<(), RunError> {
        let changes = changes.map_err(|error| self.failed(error))?;
        for change in &changes {
            let steps = self.registry.apply(self.hive, change, self.why);
            self.steps.extend(steps.map_err(|error| self.failed(error.into()))?);
        }
        Ok(())
    }

    fn export(&mut self, file: &Word) -> Result<Effect, RunError> {
        let root = self.store()?.hive().root().map_err(|error| self.failed(error.into()))?;
        let bytes = super::files::copy_to_hive(root).map_err(|error| self.failed(error.into()))?;
        // Logs that lie beside an existing file would belong to another hive then.
        let file = NewFile { path: file.text.clone(), bytes, existing: Existing::Keep };
        Ok(Effect { files: vec![file], ..Effect::text(super::SUCCESS) })
    }

    fn import(&mut self, drives: &Drives, file: &Word) -> Result<(), RunError> {
        let opened = drives.open_hive(&file.text, false);
        let (path, storage) = opened.map_err(|error| RunError::File(file.text.clone(), error))?;
        let hive = Hive::options().read_only(true).open_files(storage);
        let hive = hive.map_err(|error| RunError::Engine(path.clone(), error))?;
        let theirs = Store::new(hive.view()).map_err(|error| self.blame(file, error))?;
        let manager = |store: Store<'_>| store.object(WellKnown::BOOT_MANAGER).map(|found| found.is_some());
        let starts = (manager(self.store()?), manager(theirs));
        if let (Ok(true), Ok(false)) = starts {
            self.warnings.push(format!("{} has no {{bootmgr}}: nothing starts from a store without one", file.text));
        }
        let changes = self.store()?.import(theirs);
        self.apply(changes)
    }
}

/// An entry with its description, for messages.
fn described(store: Store<'_>, id: Guid) -> Option<String> {
    let text = store.object(id).ok()??.text(crate::bcd::ElementCode::DESCRIPTION).ok()??;
    Some(format!("{id:?} is \"{}\"", crate::name::NameBuf::from(text)))
}

/// Names inside values: drives and objects.
struct Names<'n> {
    store: Store<'n>,
    partitions: &'n DrivePartitions<'n>,
}

impl Places for Names<'_> {
    fn partition(&self, name: &str) -> Result<PartitionId, String> {
        self.partitions.find(name)
    }

    fn object(&self, id: &str) -> Result<Guid, String> {
        self.store.resolve(id).map_err(|error| error.to_string())
    }

    fn name_of(&self, id: PartitionId) -> Option<String> {
        self.partitions.letter_of(id).map(|letter| format!("{letter}:"))
    }
}
