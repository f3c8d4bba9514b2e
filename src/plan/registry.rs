//! [`Registry`]: hives mounted under keys such as `HKLM\BROKENSYSTEM`, edited together.

mod security;

use std::path::{Path, PathBuf};

use super::{Kept, Step, StepKind};
use crate::{
    CommitReport, Error, FileStorage, Hive, HiveView, Protocol, Result, ValueType, Virtualization,
    edit::Change,
    hive::Transaction,
    name::{self, KeyPath, NameBuf},
    reg_text::RegPath,
    tree::{Data, Key},
};

/// A hive file that was opened for a registry.
#[derive(Debug)]
pub struct Opened {
    /// The file on this machine.
    pub path: PathBuf,
    /// The hive.
    pub hive: Hive,
}

/// Where a hive hangs in the registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// The key that stands for the hive's root.
    pub key: RegPath,
    /// Which of the opened hives.
    pub hive: usize,
}

/// A key of a mounted hive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// Which hive.
    pub hive: usize,
    /// The key as it was asked for.
    pub key: RegPath,
    /// The key in the hive. `CurrentControlSet`, which a hive at rest does not have, is the control set that `Select`
    /// says will be it.
    pub path: KeyPath,
}

impl Located {
    /// A key directly below it.
    #[must_use]
    pub fn below(&self, name: &NameBuf) -> Self {
        let key = RegPath { root: self.key.root, path: self.key.path.join(name.clone()) };
        Self { hive: self.hive, key, path: self.path.join(name.clone()) }
    }
}

/// Opened hives under their mount points. Editing happens in one transaction a hive; nothing is written before
/// [`commit`](Self::commit).
pub struct Registry<'h> {
    hives: Vec<Entry<'h>>,
    mounts: Vec<Mount>,
    warnings: Vec<String>,
}

struct Entry<'h> {
    path: &'h Path,
    access: Access<'h>,
    changed: bool,
    /// Keys that were warned of: control sets that are missing or not the ones meant.
    warned: Vec<KeyPath>,
}

enum Access<'h> {
    Read(&'h Hive),
    Write(Transaction<'h>),
}

impl<'h> Registry<'h> {
    /// Takes opened hives for looking at.
    #[must_use]
    pub fn reading(hives: &'h [Opened]) -> Self {
        Self::new(hives.iter().map(|opened| (opened.path.as_path(), Access::Read(&opened.hive))))
    }

    /// Takes opened hives for editing, which checks each.
    ///
    /// # Errors
    ///
    /// As [`Hive::begin`], with the file.
    pub fn editing(hives: &'h mut [Opened]) -> Result<Self, (PathBuf, Error)> {
        let mut entries = Vec::new();
        for Opened { path, hive } in hives {
            let txn = hive.begin().map_err(|error| (path.clone(), error))?;
            entries.push((path.as_path(), Access::Write(txn)));
        }
        Ok(Self::new(entries))
    }

    fn new(hives: impl IntoIterator<Item = (&'h Path, Access<'h>)>) -> Self {
        let entry = |(path, access)| Entry { path, access, changed: false, warned: Vec::new() };
        Self { hives: hives.into_iter().map(entry).collect(), mounts: Vec::new(), warnings: Vec::new() }
    }

    /// Hangs a hive in.
    pub fn mount(&mut self, mount: Mount) {
        self.mounts.retain(|known| known.key.relative_to(&mount.key).is_none_or(|rest| !rest.is_root()));
        self.mounts.push(mount);
    }

    /// Takes a hive off; whether one was mounted at exactly that key. Its changes stay part of the plan.
    pub fn unmount(&mut self, key: &RegPath) -> bool {
        let before = self.mounts.len();
        self.mounts.retain(|known| known.key.relative_to(key).is_none_or(|rest| !rest.is_root()));
        self.mounts.len() != before
    }

    /// The mount points.
    #[must_use]
    pub fn mounts(&self) -> &[Mount] {
        &self.mounts
    }

    /// The file of a hive.
    #[must_use]
    pub fn path(&self, hive: usize) -> &Path {
        self.hives.get(hive).map_or(Path::new(""), |entry| entry.path)
    }

    /// The files of all hives.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.hives.iter().map(|entry| entry.path)
    }

    /// Which hive and which key in it a path means; none where nothing is mounted above it.
    ///
    /// # Errors
    ///
    /// [`Error::Format`] where `Select` cannot be read.
    pub fn locate(&self, key: &RegPath) -> Result<Option<Located>> {
        let inside = self.mounts.iter().filter_map(|mount| Some((mount, key.relative_to(&mount.key)?)));
        let Some((mount, path)) = inside.min_by_key(|(_, rest)| rest.names().len()) else { return Ok(None) };
        let path = self.current_control_set(mount.hive, path)?;
        Ok(Some(Located { hive: mount.hive, key: key.clone(), path }))
    }

    fn current_control_set(&self, hive: usize, path: KeyPath) -> Result<KeyPath> {
        let Some(first) = path.names().first().filter(|first| name::same(*first, "CurrentControlSet")) else {
            return Ok(path);
        };
        let view = self.view(hive)?;
        if view.root()?.subkey(first)?.is_some() {
            return Ok(path);
        }
        let Some(number) = select(view, "Current")? else { return Ok(path) };
        let set = NameBuf::from(format!("ControlSet{number:03}"));
        Ok(std::iter::once(set).chain(path.names().iter().skip(1).cloned()).collect())
    }

    /// A hive with the changes so far.
    ///
    /// # Errors
    ///
    /// [`RequestError::NotFound`](crate::RequestError::NotFound) where there is no hive of that number; good ones come
    /// from [`locate`](Self::locate).
    pub fn view(&self, hive: usize) -> Result<HiveView<'_>> {
        match self.hives.get(hive).map(|entry| &entry.access) {
            Some(Access::Read(hive)) => Ok(hive.view()),
            Some(Access::Write(txn)) => Ok(txn.view()),
            None => Err(crate::RequestError::NotFound(format!("hive number {hive}")).into()),
        }
    }

    /// A key with the changes so far.
    ///
    /// # Errors
    ///
    /// [`Error::Format`] where a record on the way is broken.
    pub fn key(&self, at: &Located) -> Result<Option<Key<'_>>> {
        self.view(at.hive)?.key_at(&at.path)
    }

    /// What should be said besides, since the last call.
    pub fn take_warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.warnings)
    }

    /// Makes a key where it does not exist: a step for each level that is new.
    ///
    /// # Errors
    ///
    /// As [`Transaction::create_key`].
    pub fn create_key(&mut self, at: &Located, why: &str) -> Result<Vec<Step>> {
        let names = at.path.names();
        let mut steps = Vec::new();
        for depth in 1..=names.len() {
            let path: KeyPath = names.iter().take(depth).cloned().collect();
            if self.view(at.hive)?.key_at(&path)?.is_some() {
                continue;
            }
            if depth == 1 {
                self.warn_of_control_set(at.hive, &path)?;
            }
            let level = Located { path: path.clone(), ..at.clone() };
            self.change(at.hive, &Change::CreateKey { key: path })?;
            steps.push(self.step(&level, StepKind::CreateKey, why));
        }
        Ok(steps)
    }

    /// Sets a value of an existing key; no step where it is so already.
    ///
    /// # Errors
    ///
    /// As [`Transaction::set_value_bytes`].
    pub fn set_value(
        &mut self,
        at: &Located,
        name: &NameBuf,
        kind: ValueType,
        data: &[u8],
        why: &str,
    ) -> Result<Option<Step>> {
        let before = self.value(at, name)?;
        let after = Some((kind, data.to_vec()));
        if before == after {
            return Ok(None);
        }
        let change = Change::SetValue { key: at.path.clone(), name: name.clone(), kind, data: data.to_vec() };
        self.change(at.hive, &change)?;
        let step = self.step(at, StepKind::SetValue, why);
        Ok(Some(Step { value: Some(name.clone()), before, after, ..step }))
    }

    /// Deletes a value; no step where there is none.
    ///
    /// # Errors
    ///
    /// As [`Transaction::delete_value`].
    pub fn delete_value(&mut self, at: &Located, name: &NameBuf, why: &str) -> Result<Option<Step>> {
        let Some(before) = self.value(at, name)? else { return Ok(None) };
        self.change(at.hive, &Change::DeleteValue { key: at.path.clone(), name: name.clone() })?;
        let step = self.step(at, StepKind::DeleteValue, why);
        Ok(Some(Step { value: Some(name.clone()), before: Some(before), ..step }))
    }

    /// Deletes a key with all below it; no step where there is none.
    ///
    /// # Errors
    ///
    /// As [`Transaction::delete_tree`].
    pub fn delete_key(&mut self, at: &Located, why: &str) -> Result<Option<Step>> {
        if self.key(at)?.is_none() {
            return Ok(None);
        }
        self.change(at.hive, &Change::DeleteTree { key: at.path.clone() })?;
        Ok(Some(self.step(at, StepKind::DeleteKey, why)))
    }

    /// Makes a change of a hive that hangs nowhere, such as a boot store; a step for each key that it makes and each
    /// value that it sets.
    ///
    /// # Errors
    ///
    /// As [`Transaction::apply`].
    pub fn apply(&mut self, hive: usize, change: &Change, why: &str) -> Result<Vec<Step>> {
        let at = |path: &KeyPath| Located { hive, key: boot_store().below(path), path: path.clone() };
        match change {
            Change::CreateKey { key } => self.create_key(&at(key), why),
            Change::SetValue { key, name, kind, data } => {
                Ok(self.set_value(&at(key), name, *kind, data, why)?.into_iter().collect())
            }
            Change::DeleteValue { key, name } => Ok(self.delete_value(&at(key), name, why)?.into_iter().collect()),
            Change::DeleteTree { key } => {
                let at = at(key);
                let before = self.only_value(&at)?;
                let step = self.delete_key(&at, why)?;
                Ok(step.map(|step| Step { before, ..step }).into_iter().collect())
            }
            Change::CreateTree { key, tree } => {
                self.change(hive, change)?;
                let mut steps = Vec::new();
                let mut rest = vec![(key.clone(), tree)];
                while let Some((path, tree)) = rest.pop() {
                    let at = at(&path);
                    steps.push(self.step(&at, StepKind::CreateKey, why));
                    for (name, kind, data) in &tree.values {
                        let step = self.step(&at, StepKind::SetValue, why);
                        let after = Some((*kind, data.clone()));
                        steps.push(Step { value: Some(name.clone()), after, ..step });
                    }
                    rest.extend(tree.subkeys.iter().rev().map(|(name, below)| (path.join(name), below)));
                }
                Ok(steps)
            }
            _ => Err(crate::RequestError::Uncommittable("a change that no step is made of".to_owned()).into()),
        }
    }

    /// The value of a key that has no other and no subkeys.
    fn only_value(&self, at: &Located) -> Result<Option<(ValueType, Vec<u8>)>> {
        let Some(key) = self.key(at)?.filter(|key| key.subkey_count() == 0 && key.value_count() == 1) else {
            return Ok(None);
        };
        let Some(value) = key.values()?.next().transpose()? else { return Ok(None) };
        Ok(Some((value.kind(), value.data()?.into_owned())))
    }

    fn value(&self, at: &Located, name: &NameBuf) -> Result<Option<(ValueType, Vec<u8>)>> {
        let Some(key) = self.key(at)? else { return Ok(None) };
        let Some(value) = key.value(name)? else { return Ok(None) };
        Ok(Some((value.kind(), value.data()?.into_owned())))
    }

    fn change(&mut self, hive: usize, change: &Change) -> Result<()> {
        self.transaction(hive)?.apply([change])
    }

    fn mark_changed(&mut self, hive: usize) {
        if let Some(entry) = self.hives.get_mut(hive) {
            entry.changed = true;
        }
    }

    /// Sets a key's virtualization control flags; no step where they are so already. What they were and are stands in
    /// the step as a number.
    ///
    /// # Errors
    ///
    /// As [`Transaction::set_virtualization`].
    pub fn set_virtualization(&mut self, at: &Located, flags: Virtualization, why: &str) -> Result<Option<Step>> {
        let missing = || crate::RequestError::NotFound(at.key.to_string());
        let key = self.key(at)?.ok_or_else(missing)?;
        let (id, before) = (key.id(), key.virtualization());
        if before == flags {
            return Ok(None);
        }
        self.transaction(at.hive)?.set_virtualization(id, flags)?;
        let number = |flags: Virtualization| Some((ValueType::DWORD, vec![flags.bits(), 0, 0, 0]));
        let step = self.step(at, StepKind::SetVirtualization, why);
        Ok(Some(Step { before: number(before), after: number(flags), ..step }))
    }

    /// The transaction of a hive that is about to be changed.
    pub(crate) fn transaction(&mut self, hive: usize) -> Result<&mut Transaction<'h>> {
        match self.hives.get_mut(hive) {
            Some(Entry { access: Access::Write(txn), changed, .. }) => {
                *changed = true;
                Ok(txn)
            }
            _ => Err(crate::RequestError::ReadOnly.into()),
        }
    }

    pub(crate) fn step(&mut self, at: &Located, kind: StepKind, why: &str) -> Step {
        self.warn_of_default(at);
        Step {
            target: self.path(at.hive).to_owned(),
            kind,
            key: at.key.clone(),
            hive_path: at.path.clone(),
            value: None,
            before: None,
            after: None,
            security: None,
            why: why.to_owned(),
        }
    }

    /// `Current` is what `CurrentControlSet` was when Windows last ran; it starts from `Default`, mostly the same.
    fn warn_of_default(&mut self, at: &Located) {
        let Ok(view) = self.view(at.hive) else { return };
        let number = |name| select(view, name).ok().flatten();
        let (Some(current), Some(default)) = (number("Current"), number("Default")) else { return };
        let asked = self.mounts.iter().filter_map(|mount| at.key.relative_to(&mount.key)).any(|path| {
            path.names().first().is_some_and(|first| name::same(first, "CurrentControlSet")) && path != at.path
        });
        if asked && current != default {
            self.warn_once(
                at.hive,
                "CurrentControlSet".into(),
                format!(
                    "CurrentControlSet is taken for ControlSet{current:03} (Select\\Current), but Windows starts from \
                     ControlSet{default:03} (Select\\Default): name that one where the change is to have an effect"
                ),
            );
        }
    }

    fn warn_once(&mut self, hive: usize, about: KeyPath, warning: String) {
        if let Some(entry) = self.hives.get_mut(hive) {
            if !entry.warned.contains(&about) {
                entry.warned.push(about);
                self.warnings.push(warning);
            }
        }
    }

    /// The guides write every line for `ControlSet001` and `ControlSet002`, whether the second exists or not.
    fn warn_of_control_set(&mut self, hive: usize, path: &KeyPath) -> Result<()> {
        let name = path.to_string();
        let is_set = name.get(..10).is_some_and(|start| start.eq_ignore_ascii_case("ControlSet"))
            && name.get(10..).is_some_and(|number| number.len() == 3 && number.bytes().all(|b| b.is_ascii_digit()));
        let view = self.view(hive)?;
        let (Some(current), true) = (select(view, "Current")?, is_set) else { return Ok(()) };
        let warning = format!(
            "{name} does not exist in {}: the command makes a stub that Windows does not boot from. Offline, \
             CurrentControlSet means ControlSet{current:03} (Select\\Current is {current})",
            self.path(hive).display()
        );
        self.warn_once(hive, path.clone(), warning);
        Ok(())
    }

    /// Whether anything is to be written.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        self.hives.iter().any(|entry| entry.changed)
    }

    /// How each changed hive will be committed.
    pub fn protocols(&self) -> impl Iterator<Item = (&Path, Protocol)> {
        self.hives.iter().filter(|entry| entry.changed).filter_map(|entry| match &entry.access {
            Access::Write(txn) => Some((entry.path, txn.protocol())),
            Access::Read(_) => None,
        })
    }

    /// Makes the changes durable, hive after hive. Before the first write copies of all changed hives are kept in
    /// `kept`.
    ///
    /// # Errors
    ///
    /// The file, what went wrong with it, and which files were committed before it.
    pub fn commit(self, kept: &mut Kept) -> Result<Vec<(PathBuf, CommitReport)>, CommitFailure> {
        let mut done = Vec::new();
        let mut changed: Vec<(&Path, Transaction<'h>)> = Vec::new();
        for entry in self.hives {
            if let (true, Access::Write(txn)) = (entry.changed, entry.access) {
                changed.push((entry.path, txn));
            }
        }
        for (path, txn) in &mut changed {
            if let Some(storage) = txn.storage_mut() {
                if let Err(error) = kept.keep(path, storage) {
                    return Err(CommitFailure { path: path.to_path_buf(), error: error.into(), done });
                }
            }
        }
        for (path, txn) in changed {
            match txn.commit() {
                Ok(report) => done.push((path.to_owned(), report)),
                Err(error) => return Err(CommitFailure { path: path.to_owned(), error, done }),
            }
            // For an undo to see whether somebody else came after us. Without it an undo only asks to be sure.
            let _ = FileStorage::open(path, false).and_then(|mut files| kept.committed(path, &mut files));
        }
        Ok(done)
    }
}

/// A commit of several hives that stopped at one.
#[derive(Debug)]
pub struct CommitFailure {
    /// The hive.
    pub path: PathBuf,
    /// What went wrong.
    pub error: Error,
    /// The hives that were committed before.
    pub done: Vec<(PathBuf, CommitReport)>,
}

/// Where Windows mounts the boot store of the machine.
fn boot_store() -> RegPath {
    RegPath { root: crate::reg_text::RootKey::LocalMachine, path: "BCD00000000".into() }
}

/// A number of the `Select` key of a SYSTEM hive.
fn select(hive: HiveView<'_>, name: &str) -> Result<Option<u32>> {
    let Some(select) = hive.key("Select")? else { return Ok(None) };
    let Some(value) = select.value(name)? else { return Ok(None) };
    Ok(match value.decode()? {
        Data::Dword(number) => Some(number),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_no_hive_has_is_an_error_and_no_panic() {
        let mut registry = Registry::reading(&[]);
        let key: RegPath = r"HKLM\BROKENSYSTEM".parse().unwrap();
        registry.mount(Mount { key: key.clone(), hive: 7 });
        let at = registry.locate(&key).unwrap().unwrap();
        assert!(registry.view(7).is_err() && registry.key(&at).is_err());
        assert!(registry.create_key(&at, "test").is_ok(), "the root is not made");
        let below = Located { path: KeyPath::from("x"), ..at };
        assert!(registry.create_key(&below, "test").is_err());
    }
}
