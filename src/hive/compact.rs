//! Compaction in place.

use super::{Hive, first_sector};
use crate::{BINS_START, CommitReport, FileTime, HiveFile, Protocol, RequestError, Result, edit, format::hbin::PAGE};

impl Hive {
    /// Writes the hive anew over itself, without free space and slack, as one commit: see
    /// [`compacted`](Self::compacted) for what it becomes. A hive that would not get shorter is left alone.
    ///
    /// # Errors
    ///
    /// As [`begin`](Self::begin), [`compacted`](Self::compacted) and [`Transaction::commit`](crate::Transaction::commit);
    /// [`RequestError::Uncommittable`] for a hive without a log whose storage has no place for a journal, and for boot
    /// stores: every page changes, which single steps cannot carry.
    pub fn compact(&mut self) -> Result<CommitReport> {
        self.begin()?.abort();
        let compacted = self.compacted()?;
        let (before, length) = (self.image.len(), compacted.image.len());
        if length >= before {
            let sequence = self.image.base().sequence1;
            return Ok(CommitReport { protocol: self.protocol(), pages: 0, sequence });
        }
        self.begun = self.compaction().ok_or_else(|| {
            RequestError::Uncommittable(
                "compacting changes every page, which only a transaction log or a journal makes safe; write a new file \
                 instead"
                    .to_owned(),
            )
        })?;
        self.image.begin(false)?;
        let replaced = self.replace_bins(&compacted).and_then(|()| self.commit(FileTime::now()));
        if replaced.is_err() && !self.poisoned {
            self.image.rollback_to(0);
            self.image.end();
        }
        let report = replaced?;
        self.cut_file(length);
        Ok(report)
    }

    /// How [`compact`](Self::compact) becomes durable; none where it cannot be.
    #[must_use]
    pub fn compaction(&self) -> Option<Protocol> {
        match self.protocol() {
            Protocol::Stepwise => self.has_journal().then_some(Protocol::Redo),
            protocol => Some(protocol),
        }
    }

    fn replace_bins(&mut self, other: &Self) -> Result<()> {
        self.image.set_len(other.image.len())?;
        self.image.base_mut().root = edit::view(&other.image).root_offset().0;
        for page in 0..other.image.len() / PAGE {
            match other.image.page(page) {
                Some(bytes) if self.image.page(page) != Some(bytes) => self.image.write_page(page * PAGE, bytes)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// What stands behind the bins means nothing; if the host will not cut it off (it does not while a file is mapped
    /// under Windows), it stays.
    fn cut_file(&mut self, length: u32) {
        let Some(storage) = self.storage.as_deref_mut() else { return };
        let length = u64::from(BINS_START) + u64::from(length);
        let cut = storage.set_len(HiveFile::Primary, length).and_then(|()| storage.sync(HiveFile::Primary));
        if cut.is_ok() {
            self.sector = first_sector(storage).ok();
        }
    }
}
