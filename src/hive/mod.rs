//! The facade: open a hive, change it in a transaction, commit.

mod compact;
mod new;
mod open;
mod security;
mod transaction;

use std::{fmt, fs, io::Write, path::Path};

pub use new::{NewHive, Version};
pub use open::{OpenOptions, Recover};
pub use transaction::{Savepoint, Transaction};

use crate::{
    CommitError, Error, FileTime, HiveView, RequestError, Result,
    check::Severity,
    commit::{
        CommitReport, HiveFile, Journal, Logs, Outcome, Protocol, RecoveryReport, Replayed, Storage, System,
        commit_logged, commit_stepwise, first_sector, put_to_rest, sync_folder_of,
    },
    edit,
    format::base_block::SECTOR,
    image::Image,
};

/// A registry hive that can be edited.
///
/// # Example
///
/// ```
/// # fn main() -> hivesmith::Result<()> {
/// use hivesmith::{Data, Hive, Version};
///
/// let mut hive = Hive::create(Version::V1_5)?;
/// let mut txn = hive.begin()?;
/// let key = txn.create_key(txn.root(), r"ControlSet001\Services\gpsvc")?;
/// txn.set_value(key, "Start", &Data::Dword(4))?;
/// txn.commit()?;
///
/// let gpsvc = hive.view().key(r"controlset001\SERVICES\gpsvc")?.expect("just made");
/// assert_eq!(gpsvc.value("start")?.expect("just set").decode()?, Data::Dword(4));
/// # Ok(())
/// # }
/// ```
pub struct Hive {
    image: Image,
    /// None for a hive that lives in memory.
    storage: Option<Box<dyn Storage>>,
    logs: Logs,
    /// The first sector of the file as it was read or last written: it changes with every commit, so it tells whether
    /// somebody else wrote in between.
    sector: Option<[u8; SECTOR]>,
    system: System,
    /// How the open transaction will be committed, unless an edit needs more.
    begun: Protocol,
    writable: bool,
    /// What was replayed when the hive was opened.
    recovery: Option<RecoveryReport>,
    /// The replay, as long as it is in memory only: it goes to disk before anything else does.
    unwritten: Option<Replayed>,
    checked: bool,
    poisoned: bool,
}

impl Hive {
    /// Opens a hive file for editing, with the options' defaults: a dirty hive is replayed in memory.
    ///
    /// # Errors
    ///
    /// As [`OpenOptions::open`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        OpenOptions::new().open(path)
    }

    /// The ways to open a hive.
    #[must_use]
    pub fn options() -> OpenOptions {
        OpenOptions::new()
    }

    /// A hive in memory from the bytes of a file. It must be clean; commits change the memory only, see
    /// [`to_bytes`](Self::to_bytes).
    ///
    /// # Errors
    ///
    /// [`Error::Format`] where the bytes are no hive, [`Error::NeedsRecovery`] where it was not closed cleanly.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self> {
        OpenOptions::new().open_bytes(bytes)
    }

    /// A new, empty hive in memory. [`NewHive`] has the options.
    ///
    /// # Errors
    ///
    /// None that a default hive can meet.
    pub fn create(version: Version) -> Result<Self> {
        NewHive::new(version).create()
    }

    /// The hive as it stands, edits of the past included. After a commit that failed it shows what the error's
    /// [`Outcome`] says, and the new state where that is not certain.
    #[must_use]
    pub fn view(&self) -> HiveView<'_> {
        edit::view(&self.image)
    }

    /// What was replayed when the hive was opened; none if it was clean.
    #[must_use]
    pub fn recovery(&self) -> Option<&RecoveryReport> {
        self.recovery.as_ref()
    }

    /// The highest sequence number in the logs of a clean hive that is not below the hive's own, left-overs behind live
    /// entries included. Windows never leaves that; after a crash with a torn base block it would replay such a log over
    /// a newer hive. Every commit puts an end to it.
    #[must_use]
    pub fn log_ahead(&self) -> Option<u32> {
        let base = self.image.base();
        self.logs.highest_from(base.sequence1).filter(|_| self.recovery.is_none() && base.is_clean())
    }

    /// Begins a transaction. The hive is checked before the first one.
    ///
    /// # Errors
    ///
    /// [`RequestError::ReadOnly`] where the hive was opened so, [`RequestError::Layered`] for differencing hives,
    /// [`Error::Corrupt`] where the check found what Windows would refuse or repair, [`Error::Poisoned`] after a commit
    /// that failed.
    pub fn begin(&mut self) -> Result<Transaction<'_>> {
        if self.poisoned {
            return Err(Error::Poisoned);
        }
        if !self.writable {
            return Err(RequestError::ReadOnly.into());
        }
        if self.view().is_layered() {
            return Err(RequestError::Layered.into());
        }
        self.check_once()?;
        self.begun = self.protocol();
        self.image.begin(self.begun == Protocol::Stepwise)?;
        // What makes keys in there says which descriptor they get, and it is that of the keys around them. Entries that
        // would be handed on occur in some stores, and all but one of the keys below have not inherited them.
        if self.view().is_boot_store() {
            self.image.share_with_new_keys();
        }
        Ok(Transaction::new(self))
    }

    fn check_once(&mut self) -> Result<()> {
        if self.checked {
            return Ok(());
        }
        let report = self.view().check();
        if !report.editable() {
            return Err(Error::Corrupt(Box::new(report)));
        }
        self.checked = true;
        Ok(())
    }

    /// Writes the replay of the logs back, if there was one: pages first, the base block when they are durable. A hive
    /// that was clean is left alone.
    ///
    /// # Errors
    ///
    /// [`Error::Commit`] where the disk fails, with what that left; [`RequestError::ReadOnly`]; [`Error::Corrupt`] where
    /// Windows would refuse the replayed hive, which is not written then.
    pub fn recover(&mut self) -> Result<Option<&RecoveryReport>> {
        if self.unwritten.is_some() {
            let report = self.view().check();
            if report.worst() == Some(Severity::Fatal) {
                return Err(Error::Corrupt(Box::new(report)));
            }
        }
        self.write_recovery()?;
        Ok(self.recovery.as_ref())
    }

    fn write_recovery(&mut self) -> Result<()> {
        if self.poisoned {
            return Err(Error::Poisoned);
        }
        let Some(replayed) = &self.unwritten else { return Ok(()) };
        let (true, Some(storage)) = (self.writable, self.storage.as_deref_mut()) else {
            return Err(RequestError::ReadOnly.into());
        };
        let written = expect_sector(storage, self.sector.as_ref()).and_then(|()| replayed.write(storage));
        if let Err(error) = written {
            self.poisoned = true;
            return Err(error.into());
        }
        self.unwritten = None;
        // Of an open transaction nothing may reach the disk here, the length of its bins least of all.
        let mut base = self.image.base_at_begin();
        let rested = put_to_rest(&mut base, storage, &self.logs);
        let now = self.image.base_mut();
        (now.sequence1, now.sequence2) = (base.sequence1, base.sequence2);
        self.look_again();
        self.poisoned |= rested.is_err();
        Ok(rested?)
    }

    /// Takes note of what a write left on disk; the next write must know it.
    fn look_again(&mut self) {
        let Some(storage) = self.storage.as_deref_mut() else { return };
        match (Logs::read(storage), first_sector(storage)) {
            (Ok(logs), Ok(sector)) => (self.logs, self.sector) = (logs, Some(sector)),
            _ => self.poisoned = true,
        }
    }

    /// How a commit of this hive becomes durable.
    #[must_use]
    pub fn protocol(&self) -> Protocol {
        if self.storage.is_none() {
            return Protocol::Memory;
        }
        let log = self.logs.writable(self.system).filter(|_| !self.view().is_boot_store());
        log.map_or(Protocol::Stepwise, |log| Journal::of(log).protocol())
    }

    /// Whether a commit may use a journal of our own: there is a place for it, and the hive is not one that boot code
    /// reads while it waits for that journal.
    fn has_journal(&self) -> bool {
        self.logs.has_place_for_redo() && !self.view().is_boot_store()
    }

    /// Makes the open transaction durable; `now` is for hives that have a time stamp with each write.
    fn commit(&mut self, now: FileTime) -> Result<CommitReport> {
        let report = self.view().check();
        if !report.editable() {
            return Err(Error::Corrupt(Box::new(report)));
        }
        // Decided when the transaction began: its edits may have made a boot store of the hive, or have ended one, and
        // the logs may be empty once the replay is written back.
        let journal = match (self.begun, self.logs.writable(self.system)) {
            (Protocol::Logged | Protocol::OldLog, Some(log)) => Journal::of(log),
            _ => Journal::Redo,
        };
        if journal == Journal::Redo && !self.image.is_stepwise() && self.logs.redo_of_another(self.image.base()) {
            return Err(RequestError::Uncommittable(
                "the journal that this change needs holds the unfinished commit of another hive: finish that one first, \
                 or have the journal elsewhere"
                    .to_owned(),
            )
            .into());
        }
        // The edit is built on the replayed state, so that is made durable first, as a write of its own.
        self.write_recovery()?;
        if self.image.touched_pages().is_empty() {
            // A log entry without pages is invalid, and a hive that waits for it would stay dirty.
            self.image.end();
            let sequence = self.image.base().sequence1;
            return Ok(CommitReport { protocol: self.begun, pages: 0, sequence });
        }
        if let Some(storage) = self.storage.as_deref_mut() {
            if let Err(error) = expect_sector(storage, self.sector.as_ref()) {
                self.poisoned = true;
                return Err(error.into());
            }
        }
        let stepwise = self.image.is_stepwise();
        let committed = match self.storage.as_deref_mut() {
            None => self.commit_to_memory(),
            Some(storage) if stepwise => commit_stepwise(&mut self.image, storage, &self.logs),
            Some(storage) => self
                .image
                .settle()
                .map_err(Error::from)
                .and_then(|()| Ok(commit_logged(&mut self.image, storage, &self.logs, journal, now)?)),
        };
        if matches!(&committed, Err(Error::Commit(failed)) if failed.outcome == Outcome::Old) {
            self.image.rollback_to(0);
        }
        self.image.end();
        self.poisoned = committed.is_err();
        if committed.is_ok() {
            self.look_again();
        }
        committed
    }

    fn commit_to_memory(&mut self) -> Result<CommitReport> {
        self.image.settle()?;
        let pages = self.image.touched_pages().len() as u32;
        let base = self.image.base_mut();
        let sequence = base.sequence1.wrapping_add(1);
        (base.sequence1, base.sequence2) = (sequence, sequence);
        base.checksum = base.true_checksum();
        Ok(CommitReport { protocol: Protocol::Memory, pages, sequence })
    }

    /// The hive as the bytes of a file: base block and bins.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.image.base_page();
        let (head, tail) = self.image.bins().halves();
        bytes.extend_from_slice(head);
        bytes.extend_from_slice(tail);
        bytes
    }

    /// Writes the hive to a file that does not exist yet, durably: under another name first, then renamed.
    ///
    /// This makes a new file. To change an existing hive, commit a transaction: that writes in place.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] where the file exists or the disk fails.
    pub fn write_to(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let exists = || std::io::Error::new(std::io::ErrorKind::AlreadyExists, "the file exists");
        if path.try_exists()? {
            return Err(exists().into());
        }
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.new", std::process::id()));
        let temporary = path.with_file_name(name);
        let mut file = fs::OpenOptions::new().write(true).create_new(true).open(&temporary)?;
        let written = file.write_all(&self.to_bytes()).and_then(|()| file.sync_all());
        drop(file);
        let done = written.and_then(|()| fs::rename(&temporary, path)).and_then(|()| sync_folder_of(path));
        if done.is_err() {
            // Best effort: the error that is reported is the one that matters.
            let _ = fs::remove_file(&temporary);
        }
        Ok(done?)
    }

    /// The files behind the hive, for programs that bring their own.
    pub fn storage_mut(&mut self) -> Option<&mut dyn Storage> {
        match &mut self.storage {
            Some(storage) => Some(storage.as_mut()),
            None => None,
        }
    }

    /// Which logs exist beside the hive.
    #[must_use]
    pub fn log_files(&self) -> Vec<HiveFile> {
        self.logs.iter().map(|log| log.file).collect()
    }
}

/// Whether the file still begins as it was read. What is about to be written is right for that hive only.
fn expect_sector(storage: &mut dyn Storage, sector: Option<&[u8; SECTOR]>) -> Result<(), CommitError> {
    let now = first_sector(storage).and_then(|now| match sector {
        Some(sector) if *sector == now => Ok(()),
        _ => Err(std::io::Error::other("somebody else has written to it")),
    });
    now.map_err(|source| CommitError {
        step: "comparing the hive with what was read of it",
        outcome: Outcome::Old,
        source,
    })
}

impl fmt::Debug for Hive {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Hive")
            .field("bins", &self.image.len())
            .field("sequence", &self.image.base().sequence1)
            .field("protocol", &self.protocol())
            .finish_non_exhaustive()
    }
}
