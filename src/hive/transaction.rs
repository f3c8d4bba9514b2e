//! [`Transaction`]: changes that become durable together or not at all.

use super::Hive;
use crate::{
    CellOffset, Error, FileTime, HiveView, KeyFlags, KeyId, RequestError, Result, ValueType, Virtualization,
    commit::{CommitReport, Protocol, Storage},
    edit::{self, Change},
    image::Image,
    name::{KeyPath, NameBuf},
    tree::{Data, Key},
};

/// An open transaction on a hive; dropping it rolls everything back.
///
/// Its [`view`](Self::view) sees its own edits. Keys are named by [`KeyId`]s, which outlive views:
///
/// ```
/// # fn main() -> hivesmith::Result<()> {
/// # use hivesmith::{Data, Hive, Version};
/// # let mut hive = Hive::create(Version::V1_5)?;
/// let mut txn = hive.begin()?;
/// let key = txn.create_key(txn.root(), r"Protocols\TLS 1.2\Server")?;
/// txn.set_value(key, "Enabled", &Data::Dword(1))?;
/// let ids: Vec<_> = txn.view().walk().map(|walked| Ok(walked?.key.id())).collect::<hivesmith::Result<_>>()?;
/// for id in ids {
///     txn.delete_value(id, "Enabled")?;
/// }
/// txn.abort();
/// assert!(hive.view().key("Protocols")?.is_none());
/// # Ok(())
/// # }
/// ```
#[must_use = "a transaction that is dropped rolls back"]
pub struct Transaction<'h> {
    hive: &'h mut Hive,
    now: FileTime,
    /// Whether a journal of our own was allowed at the begin: the hive on disk is a boot store even where edits have made
    /// it none.
    may_have_journal: bool,
    half_done: bool,
    committed: bool,
}

/// A point in a transaction to roll back to.
#[derive(Debug)]
pub struct Savepoint {
    serial: u64,
    half_done: bool,
}

impl<'h> Transaction<'h> {
    pub(super) fn new(hive: &'h mut Hive) -> Self {
        let may_have_journal = hive.has_journal();
        Self { hive, now: FileTime::now(), may_have_journal, half_done: false, committed: false }
    }

    /// The time stamp that edits of this transaction give to keys; the time of its begin unless set.
    pub fn set_time(&mut self, now: FileTime) {
        self.now = now;
    }

    /// The hive with the edits so far.
    #[must_use]
    pub fn view(&self) -> HiveView<'_> {
        self.hive.view()
    }

    /// The root key.
    #[must_use]
    pub fn root(&self) -> KeyId {
        KeyId(self.hive.image.base().root())
    }

    /// The key at a path like `ControlSet001\Services`, if it exists.
    ///
    /// # Errors
    ///
    /// [`Error::Format`] where a record on the way is broken.
    pub fn find(&self, path: &KeyPath) -> Result<Option<KeyId>> {
        Ok(self.view().key_at(path)?.map(Key::id))
    }

    /// The key at `path` below `parent`, made with all keys above it where they do not exist.
    ///
    /// A new key gets the descriptor that Windows would give it: the entries that its parent hands on. Owner and group
    /// are the parent's, as nobody is logged on offline. Where the parent hands nothing on, and in what
    /// was a boot store when the transaction began, it shares its parent's.
    /// [`create_key_with_security`](Self::create_key_with_security) takes another one.
    ///
    /// # Errors
    ///
    /// [`RequestError::BadKeyName`], [`RequestError::SymbolicLink`], [`RequestError::TooDeep`],
    /// [`RequestError::Uncommittable`] where the hive has no log and the key would need a descriptor that it does not
    /// hold yet and that cannot be linked safely without, [`RequestError::StaleId`].
    pub fn create_key(&mut self, parent: KeyId, path: impl Into<KeyPath>) -> Result<KeyId> {
        let path = path.into();
        let parent = self.resolve(parent)?;
        self.edit(|image, now| edit::key::create_path(image, parent, path.names(), now).map(KeyId))
    }

    /// Makes the key at a path, with those above it where they do not exist, together with all it holds. Nobody sees
    /// it without, whatever interrupts the commit.
    ///
    /// # Errors
    ///
    /// [`RequestError::AlreadyExists`]; else as [`create_key`](Self::create_key) and
    /// [`set_value_bytes`](Self::set_value_bytes).
    pub fn create_tree(&mut self, path: impl Into<KeyPath>, tree: &edit::NewKey) -> Result<KeyId> {
        let (path, root) = (path.into(), self.resolve(self.root())?);
        self.edit(|image, now| edit::new_key::create(image, root, path.names(), tree, now).map(KeyId))
    }

    /// Sets a value; the default value for an empty name. A value that exists keeps its place and the spelling of its
    /// name.
    ///
    /// # Errors
    ///
    /// As [`set_value_bytes`](Self::set_value_bytes).
    pub fn set_value(&mut self, key: KeyId, name: impl Into<NameBuf>, data: &Data) -> Result<()> {
        self.set_value_bytes(key, name, data.kind(), &data.to_bytes())
    }

    /// As [`set_value`](Self::set_value), with the bytes as they are stored.
    ///
    /// # Errors
    ///
    /// [`RequestError::BadValueName`], [`RequestError::DataTooLarge`], [`RequestError::PredefinedHandle`],
    /// [`RequestError::HiveFull`], [`RequestError::StaleId`].
    pub fn set_value_bytes(
        &mut self,
        key: KeyId,
        name: impl Into<NameBuf>,
        kind: ValueType,
        data: &[u8],
    ) -> Result<()> {
        let (key, name) = (self.resolve(key)?, name.into());
        self.edit(|image, now| edit::value::set(image, key, &name, kind, data, now))
    }

    /// Deletes a value; whether there was one.
    ///
    /// # Errors
    ///
    /// [`RequestError::PredefinedHandle`], [`RequestError::StaleId`].
    pub fn delete_value(&mut self, key: KeyId, name: impl Into<NameBuf>) -> Result<bool> {
        let (key, name) = (self.resolve(key)?, name.into());
        self.edit(|image, now| edit::value::delete(image, key, &name, now))
    }

    /// Deletes a key that has no subkeys.
    ///
    /// # Errors
    ///
    /// [`RequestError::HasSubkeys`], [`RequestError::Undeletable`], [`RequestError::StaleId`].
    pub fn delete_key(&mut self, key: KeyId) -> Result<()> {
        let key = self.resolve(key)?;
        self.edit(|image, now| edit::delete::delete(image, key, false, now).map(drop))
    }

    /// Deletes a key with everything below it; the number of keys that went.
    ///
    /// # Errors
    ///
    /// [`RequestError::Undeletable`] where the key or one below it must stay, [`RequestError::StaleId`].
    pub fn delete_tree(&mut self, key: KeyId) -> Result<u32> {
        let key = self.resolve(key)?;
        self.edit(|image, now| edit::delete::delete(image, key, true, now))
    }

    /// Gives a key another name beneath the same parent. The key may get another id by that, the old one is stale then.
    ///
    /// # Errors
    ///
    /// [`RequestError::BadKeyName`], [`RequestError::AlreadyExists`], [`RequestError::Undeletable`] for the root,
    /// [`RequestError::StaleId`].
    pub fn rename_key(&mut self, key: KeyId, name: impl Into<NameBuf>) -> Result<KeyId> {
        let (key, name) = (self.resolve(key)?, name.into());
        self.edit(|image, now| edit::rename::rename(image, key, &name, now).map(KeyId))
    }

    /// Sets or, with none, removes a key's class name.
    ///
    /// # Errors
    ///
    /// [`RequestError::ClassTooLong`], [`RequestError::StaleId`].
    pub fn set_class_name(&mut self, key: KeyId, class: Option<NameBuf>) -> Result<()> {
        let key = self.resolve(key)?;
        let class = class.unwrap_or_default();
        self.edit(|image, now| edit::key::set_class(image, key, &class, now))
    }

    /// Sets those flags of a key that can be set: no delete, symbolic link, virtualization, user flags. The others
    /// follow from the key and stay as they are.
    ///
    /// # Errors
    ///
    /// [`RequestError::HasSubkeys`] where a key with subkeys is to become a symbolic link, [`RequestError::StaleId`].
    pub fn set_flags(&mut self, key: KeyId, flags: KeyFlags) -> Result<()> {
        let key = self.resolve(key)?;
        self.edit(|image, now| edit::key::set_flags(image, key, flags, now))
    }

    /// Sets a key's virtualization control flags.
    ///
    /// # Errors
    ///
    /// [`RequestError::StaleId`].
    pub fn set_virtualization(&mut self, key: KeyId, flags: Virtualization) -> Result<()> {
        let key = self.resolve(key)?;
        self.edit(|image, now| edit::key::set_virtualization(image, key, flags, now))
    }

    /// Sets a key's time stamp.
    ///
    /// # Errors
    ///
    /// [`RequestError::StaleId`].
    pub fn set_last_written(&mut self, key: KeyId, time: FileTime) -> Result<()> {
        let key = self.resolve(key)?;
        self.edit(|image, _| Ok(edit::touch(image, key, time)?))
    }

    /// Gives a key a security descriptor, self-relative. Keys with the same descriptor share one record.
    ///
    /// Keys below it keep theirs, whatever they inherited; [`propagate_security`](Self::propagate_security) hands on
    /// what is new, [`edit_security`](Self::edit_security) does both.
    ///
    /// # Errors
    ///
    /// [`Error::Security`] where the descriptor is malformed, [`RequestError::Uncommittable`] where the hive has no log
    /// and a new record cannot be linked safely without, [`RequestError::StaleId`].
    pub fn set_security(&mut self, key: KeyId, descriptor: &[u8]) -> Result<()> {
        let key = self.resolve(key)?;
        self.edit(|image, now| edit::security::assign(image, &[descriptor], &[(key, 0)], now))
    }

    /// Makes changes, in order.
    ///
    /// # Errors
    ///
    /// The first one's that fails; [`RequestError::NotFound`] where a change is for a key that does not exist.
    pub fn apply<'c>(&mut self, changes: impl IntoIterator<Item = &'c Change>) -> Result<()> {
        changes.into_iter().try_for_each(|change| self.apply_one(change))
    }

    fn apply_one(&mut self, change: &Change) -> Result<()> {
        match change {
            Change::CreateKey { key } => self.create_key(self.root(), key).map(drop),
            Change::CreateTree { key, tree } => self.create_tree(key, tree).map(drop),
            Change::DeleteTree { key } => match self.find(key)? {
                Some(id) => self.delete_tree(id).map(drop),
                None => Ok(()),
            },
            Change::RenameKey { key, name } => self.rename_key(self.existing(key)?, name).map(drop),
            Change::SetValue { key, name, kind, data } => self.set_value_bytes(self.existing(key)?, name, *kind, data),
            Change::DeleteValue { key, name } => match self.find(key)? {
                Some(id) => self.delete_value(id, name).map(drop),
                None => Ok(()),
            },
            Change::SetClassName { key, class } => self.set_class_name(self.existing(key)?, class.clone()),
            Change::SetLastWritten { key, time } => self.set_last_written(self.existing(key)?, *time),
            Change::SetSecurity { key, descriptor } => self.set_security(self.existing(key)?, descriptor),
        }
    }

    fn existing(&self, path: &KeyPath) -> Result<KeyId> {
        self.find(path)?.ok_or_else(|| RequestError::NotFound(path.to_string()).into())
    }

    /// Remembers this moment.
    pub fn savepoint(&mut self) -> Savepoint {
        Savepoint { serial: self.hive.image.savepoint(), half_done: self.half_done }
    }

    /// Takes back everything since a savepoint, and later savepoints with it.
    ///
    /// # Errors
    ///
    /// [`RequestError::StaleId`] where the savepoint was rolled back already.
    #[allow(clippy::needless_pass_by_value, reason = "it is used up")]
    pub fn rollback_to(&mut self, savepoint: Savepoint) -> Result<()> {
        let Some(at) = self.hive.image.savepoint_at(savepoint.serial) else {
            return Err(RequestError::StaleId.into());
        };
        self.hive.image.rollback_to(at);
        self.half_done = savepoint.half_done;
        Ok(())
    }

    /// Makes the edits durable.
    ///
    /// # Errors
    ///
    /// [`Error::Corrupt`] where the edited hive does not pass its check (nothing is written then), [`Error::Commit`]
    /// where the disk fails, with what that left; [`RequestError::HalfDone`].
    pub fn commit(mut self) -> Result<CommitReport> {
        if self.half_done {
            return Err(RequestError::HalfDone.into());
        }
        let report = self.hive.commit(self.now)?;
        self.committed = true;
        Ok(report)
    }

    /// How the edits will become durable, as far as they are made.
    #[must_use]
    pub fn protocol(&self) -> Protocol {
        let left_steps = self.hive.begun == Protocol::Stepwise && !self.hive.image.is_stepwise();
        if left_steps { Protocol::Redo } else { self.hive.begun }
    }

    /// Rolls everything back; the same as dropping the transaction.
    pub fn abort(self) {}

    /// The files behind the hive; none for one in memory. They hold the hive as it was before the transaction.
    pub fn storage_mut(&mut self) -> Option<&mut dyn Storage> {
        self.hive.storage_mut()
    }

    pub(super) fn image(&self) -> &Image {
        &self.hive.image
    }

    /// Where a key is now. An id that went stale because its key was moved follows it.
    pub(super) fn resolve(&self, key: KeyId) -> Result<CellOffset> {
        let at = |at: CellOffset| Key::parse(self.view(), at).map(Key::offset);
        at(key.0).or_else(|_| at(self.hive.image.forwarded(key.0))).map_err(|_| RequestError::StaleId.into())
    }

    /// Runs one edit. If it fails after it wrote something, the transaction can only be rolled back.
    ///
    /// What single steps cannot carry, a journal of our own can; the transaction goes over to that then.
    pub(super) fn edit<T>(&mut self, edit: impl Fn(&mut Image, FileTime) -> Result<T>) -> Result<T> {
        if self.half_done {
            return Err(RequestError::HalfDone.into());
        }
        let has_journal = self.may_have_journal && self.hive.image.is_stepwise() && self.hive.has_journal();
        let image = &mut self.hive.image;
        let before = image.writes();
        let mut done: Result<T, Error> = edit(image, self.now);
        if has_journal && image.writes() == before && is_uncommittable(&done) {
            image.leave_steps();
            done = edit(image, self.now);
        }
        let done = done.and_then(|done| match image.end_change() {
            Err(Error::Request(RequestError::Uncommittable(_))) if has_journal => {
                image.leave_steps();
                Ok(done)
            }
            ended => ended.map(|()| done),
        });
        self.half_done = done.is_err() && image.writes() != before;
        done
    }
}

fn is_uncommittable<T>(done: &Result<T>) -> bool {
    matches!(done, Err(Error::Request(RequestError::Uncommittable(_))))
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        if !self.committed && !self.hive.poisoned {
            self.hive.image.rollback_to(0);
            self.hive.image.end();
        }
    }
}
