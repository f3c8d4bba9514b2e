//! Opening a hive: what to do about a dirty one, and how its bytes are held.

use std::{io, path::Path};

use super::Hive;
use crate::{
    BINS_START, Defect, DirtyState, Error, FileOffset, FormatError, LogState, Result, Structure,
    commit::{
        FileStorage, HiveFile, Logs, Protocol, RecoveryReport, ReplayOf, Replayed, SkipReason, Skipped, Storage,
        System, accept, finish, read_all, replay,
    },
    edit,
    format::{
        base_block::{BaseBlock, SECTOR},
        hbin::{HBIN_HEADER, Hbin, MAX_BINS},
    },
    image::Image,
    tree::parse_base_block,
};

/// What to do with a hive that was not closed cleanly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Recover {
    /// Replay its logs in memory; a later commit writes the replay back first.
    #[default]
    InMemory,
    /// Replay its logs and write the hive back clean.
    Apply,
    /// Refuse it.
    Refuse,
    /// Look at the hive as it is, without its logs. It cannot be edited then: an edit would bury the log's changes.
    Ignore,
}

/// The ways to open a hive.
///
/// ```no_run
/// # fn main() -> hivesmith::Result<()> {
/// use hivesmith::{Hive, Recover};
/// let hive = Hive::options().read_only(true).recover(Recover::Refuse).open("/mnt/win/Windows/System32/config/SYSTEM")?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct OpenOptions {
    read_only: bool,
    recover: Recover,
    replay_of: ReplayOf,
    accept_dirty: bool,
    system: System,
}

impl OpenOptions {
    /// Editing, and a dirty hive replayed in memory.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Opens the files for reading only; editing is refused.
    #[must_use]
    pub fn read_only(mut self, read_only: bool) -> Self {
        self.read_only = read_only;
        self
    }

    /// What to do with a hive that was not closed cleanly.
    #[must_use]
    pub fn recover(mut self, recover: Recover) -> Self {
        self.recover = recover;
        self
    }

    /// Which logs to replay where the hive's base block is damaged.
    #[must_use]
    pub fn replay_of(mut self, logs: ReplayOf) -> Self {
        self.replay_of = logs;
        self
    }

    /// Takes a hive that was not closed cleanly as it is if no log belongs to it and the check of the whole hive finds
    /// nothing wrong. What Windows had in its logs is lost then: without this such a hive is refused.
    #[must_use]
    pub fn accept_dirty(mut self, accept: bool) -> Self {
        self.accept_dirty = accept;
        self
    }

    /// Which Windows the hive belongs to, if that is known: it decides how commits use its logs. Otherwise what the logs
    /// hold does, and a hive with empty logs is changed step by step.
    #[must_use]
    pub fn system(mut self, system: System) -> Self {
        self.system = system;
        self
    }

    /// Opens a hive file and the logs beside it. With the feature `mmap` the hive is mapped and read as it is needed.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], of the kind [`ResourceBusy`](io::ErrorKind::ResourceBusy) where another program has the hive for
    /// editing; [`Error::Format`] where the file is no hive; [`Error::NeedsRecovery`] where it was not closed
    /// cleanly and the options or the lack of logs forbid to go on.
    pub fn open(self, path: impl AsRef<Path>) -> Result<Hive> {
        let path = path.as_ref();
        let storage = FileStorage::open(path, !self.read_only)?;
        self.open_files(storage)
    }

    /// As [`open`](Self::open), for files that are open already.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    #[cfg_attr(not(feature = "mmap"), allow(unused_mut))]
    pub fn open_files(self, mut storage: FileStorage) -> Result<Hive> {
        #[cfg(feature = "mmap")]
        if storage.primary().metadata()?.len() > 0 {
            if !self.read_only {
                storage.lock()?;
            }
            let map = crate::image::mmap::PrivateMap::new(storage.primary())?;
            return self.finish(Bytes::Mapped(map), Box::new(storage));
        }
        self.open_storage(storage)
    }

    /// Opens a hive in a storage of the caller's.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_storage(self, storage: impl Storage + 'static) -> Result<Hive> {
        let mut storage: Box<dyn Storage> = Box::new(storage);
        if storage.len(HiveFile::Primary)?.is_none() {
            return Err(io::Error::from(io::ErrorKind::NotFound).into());
        }
        if !self.read_only {
            storage.lock()?;
        }
        let bytes = read_all(storage.as_mut(), HiveFile::Primary)?;
        self.finish(Bytes::Owned(bytes), storage)
    }

    /// Opens a hive in memory, without logs.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_bytes(self, bytes: Vec<u8>) -> Result<Hive> {
        let opened = self.image(Bytes::Owned(bytes), &Logs::default())?;
        let mut hive = Hive::in_memory(opened.image, Logs::default());
        hive.writable = !self.read_only && opened.editable;
        Ok(hive)
    }

    fn finish(self, bytes: Bytes, mut storage: Box<dyn Storage>) -> Result<Hive> {
        let logs = Logs::read(storage.as_mut())?;
        let sector = bytes.first_chunk().copied();
        let opened = self.image(bytes, &logs)?;
        let mut hive = Hive::in_memory(opened.image, logs);
        hive.storage = Some(storage);
        hive.sector = sector;
        hive.system = self.system;
        hive.writable = !self.read_only && opened.editable;
        if let Some((report, replayed)) = opened.recovery {
            hive.recovery = Some(report);
            hive.unwritten = Some(replayed);
        }
        if self.recover == Recover::Apply {
            hive.recover()?;
        }
        Ok(hive)
    }

    fn image(&self, bytes: Bytes, logs: &Logs) -> Result<Opened> {
        let mut base = base_block(&bytes, logs)?;
        if !base.is_clean() && self.recover != Recover::Ignore {
            return self.recovered(bytes, base, logs);
        }
        let editable = base.is_clean();
        if !editable {
            let damaged = !base.checksum_ok();
            base.length = length_by_bins(&bytes, base.length);
            if !damaged {
                base.checksum = base.true_checksum();
            }
        }
        Ok(Opened { image: bytes.into_image(base)?, editable, recovery: None })
    }
}

impl OpenOptions {
    /// A dirty hive, replayed in memory.
    fn recovered(&self, bytes: Bytes, mut base: BaseBlock, logs: &Logs) -> Result<Opened> {
        if self.recover == Recover::Refuse || (logs.is_empty() && !self.accept_dirty) {
            return Err(dirty(&base, logs));
        }
        let sector: Option<[u8; SECTOR]> = bytes.first_chunk().copied();
        let available = (bytes.len() as u64).saturating_sub(BINS_START.into()) / 0x1000 * 0x1000;
        // A damaged base block says nothing of the bins.
        let promised = if base.checksum_ok() { base.length } else { 0 };
        if let (false, Some(newest)) = (base.checksum_ok(), logs.newest_base()) {
            base.length = newest.length;
        }
        // A crash may have left the file shorter than the base block says: the log has the missing pages.
        base.length = base.length.min(u32::try_from(available).unwrap_or(u32::MAX));
        let mut image = bytes.into_image(base)?;
        let finished = sector.as_ref().and_then(|sector| finish(&mut image, logs, sector));
        let mut report = match finished {
            Some(report) => report,
            None => match replay(&mut image, logs, promised, self.replay_of) {
                Err(Error::NeedsRecovery(state)) if self.accept_dirty => {
                    accept_as_is(&mut image, logs, promised, state)?
                }
                replayed => replayed?,
            },
        };
        let journal_was_used = report.applied.iter().any(|entry| entry.log == HiveFile::Redo);
        if logs.redo().is_some() && !journal_was_used {
            report.skipped.push(Skipped { log: HiveFile::Redo, at: None, why: SkipReason::OtherHive });
        }
        let replayed = Replayed::of(&mut image);
        Ok(Opened { image, editable: true, recovery: Some((report, replayed)) })
    }
}

/// A dirty hive without usable logs, if its check finds nothing wrong.
fn accept_as_is(image: &mut Image, logs: &Logs, promised: u32, state: DirtyState) -> Result<RecoveryReport> {
    if !state.checksum_ok || state.logs != LogState::Unusable || promised > image.len() {
        return Err(Error::NeedsRecovery(state));
    }
    let report = edit::view(image).check();
    if !report.editable() {
        return Err(Error::Corrupt(Box::new(report)));
    }
    Ok(RecoveryReport { skipped: state.skipped, ..accept(image, logs) })
}

/// The base block; that of the newest log where the hive's own is unusable.
fn base_block(bytes: &Bytes, logs: &Logs) -> Result<BaseBlock> {
    match parse_base_block(bytes) {
        Ok(base) => Ok(base),
        Err(error) => {
            let from_journal = || logs.redo()?.ok().map(|redo| redo.clean);
            let from_log = logs.newest_base().or_else(from_journal);
            let looks_like_a_hive = bytes.get(BINS_START as usize..).is_some_and(|bins| bins.starts_with(b"hbin"));
            match from_log {
                // Not clean, so that what follows is a replay.
                Some(base) if looks_like_a_hive => Ok(BaseBlock { checksum: !base.checksum, file_type: 0, ..base }),
                _ => Err(error.into()),
            }
        }
    }
}

/// The length of the bins of a hive that is looked at as it is, unclean: the base block may be older than the bins, so
/// bins that stand behind its length, each naming its own position, belong to them.
fn length_by_bins(bytes: &[u8], length: u32) -> u32 {
    let bins = bytes.get(BINS_START as usize..).unwrap_or_default();
    let there = u32::try_from(bins.len()).unwrap_or(u32::MAX).min(MAX_BINS);
    let mut at = length;
    while let Some(header) = bins.get(at as usize..).and_then(|rest| rest.get(..HBIN_HEADER as usize)) {
        match Hbin::parse(header, at, there.saturating_sub(at)) {
            Ok(bin) => at += bin.size,
            Err(_) => break,
        }
    }
    at
}

fn dirty(base: &BaseBlock, logs: &Logs) -> Error {
    let any = logs.in_use().iter().any(|log| log.base().is_some());
    Error::NeedsRecovery(DirtyState::new(base, if any { LogState::Replayable } else { LogState::Unusable }))
}

struct Opened {
    image: Image,
    editable: bool,
    recovery: Option<(RecoveryReport, Replayed)>,
}

/// A hive's file.
enum Bytes {
    Owned(Vec<u8>),
    #[cfg(feature = "mmap")]
    Mapped(crate::image::mmap::PrivateMap),
}

impl std::ops::Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Owned(bytes) => bytes,
            #[cfg(feature = "mmap")]
            Self::Mapped(map) => map,
        }
    }
}

impl Bytes {
    fn into_image(self, base: BaseBlock) -> Result<Image> {
        let available = self.len().saturating_sub(BINS_START as usize) as u64;
        if available < base.length.into() || self.len() < SECTOR {
            return Err(FormatError::new(
                Structure::BaseBlock,
                FileOffset(0),
                Defect::Truncated { part: "hive bins", needed: base.length.into(), available },
            )
            .into());
        }
        Ok(match self {
            Self::Owned(bytes) => Image::from_vec(base, bytes),
            #[cfg(feature = "mmap")]
            Self::Mapped(map) => Image::from_map(base, map),
        })
    }
}

impl Hive {
    pub(super) fn in_memory(image: Image, logs: Logs) -> Self {
        Self {
            image,
            storage: None,
            logs,
            sector: None,
            system: System::Unknown,
            begun: Protocol::Memory,
            writable: true,
            recovery: None,
            unwritten: None,
            checked: false,
            poisoned: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Data, Version};

    #[test]
    fn a_base_block_older_than_its_bins_does_not_hide_them() {
        let mut hive = Hive::create(Version::V1_5).unwrap();
        let mut txn = hive.begin().unwrap();
        txn.set_value(txn.root(), "large", &Data::Binary(vec![1; 10_000])).unwrap();
        let key = txn.create_key(txn.root(), "key").unwrap();
        txn.set_value(key, "large", &Data::Binary(vec![2; 10_000])).unwrap();
        txn.commit().unwrap();
        let mut bytes = hive.to_bytes();
        let length = bytes.len() as u32 - BINS_START;
        let first = Hbin::parse(&bytes[BINS_START as usize..][..HBIN_HEADER as usize], 0, length).unwrap();
        assert!(first.size < length, "the hive should have several bins");
        // The length of the bins; the checksum is wrong from here on.
        bytes[0x28..0x2c].copy_from_slice(&first.size.to_le_bytes());

        let options = OpenOptions::new().recover(Recover::Ignore);
        let seen = options.clone().open_bytes(bytes.clone()).unwrap();
        assert_eq!(seen.view().key("key").unwrap().unwrap().value("large").unwrap().unwrap().len(), 10_000);

        // What stands behind the bins and is none is left out.
        bytes.extend([0xaa; 0x1000]);
        let seen = options.open_bytes(bytes).unwrap();
        assert_eq!(seen.to_bytes().len(), (BINS_START + length) as usize);
    }

    #[test]
    fn a_copy_of_an_unclean_hive_is_unclean() {
        let clean = Hive::create(Version::V1_5).unwrap().to_bytes();
        // A sequence number; the checksum.
        for damaged in [4, 0x1fc] {
            let mut bytes = clean.clone();
            bytes[damaged] ^= 1;
            let copy = OpenOptions::new().recover(Recover::Ignore).open_bytes(bytes).unwrap().to_bytes();
            assert!(matches!(Hive::from_bytes(copy), Err(Error::NeedsRecovery(_))), "byte {damaged:#x}");
        }
    }
}
