//! [`Replayed`]: a replay that is not on disk yet.

use super::in_file;
use crate::{
    CommitError, HiveFile, Outcome, Storage, commit::error::Step, format::base_block::BaseBlock, image::Image,
};

/// A replay that is not on disk yet.
pub(crate) struct Replayed {
    /// Clean, with the number of the hive after the replay.
    base: BaseBlock,
    /// The changed pages of the bins.
    runs: Vec<(u32, Vec<u8>)>,
}

impl Replayed {
    /// Takes note of what a replay changed and ends the image's transaction.
    pub(crate) fn of(image: &mut Image) -> Self {
        let replayed = Self { base: image.base().clone(), runs: image.touched_runs() };
        image.end();
        replayed
    }

    /// Writes the replay back: pages first, the base block when they are durable. Until then the hive is as dirty as
    /// before and its logs are untouched, so whoever opens it next replays the same again.
    pub(crate) fn write(&self, storage: &mut dyn Storage) -> Result<(), CommitError> {
        const STEP: &str = "writing the replayed log back";
        let length = in_file(self.base.length);
        if storage.len(HiveFile::Primary).step(STEP, Outcome::Old)?.unwrap_or(0) < length {
            storage.set_len(HiveFile::Primary, length).step(STEP, Outcome::Old)?;
        }
        for (at, bytes) in &self.runs {
            storage.write(HiveFile::Primary, in_file(*at), bytes).step(STEP, Outcome::Old)?;
        }
        storage.sync(HiveFile::Primary).step(STEP, Outcome::Old)?;
        // From here on the pages hold the replayed state; the base block says whether to trust them.
        storage.write(HiveFile::Primary, 0, &self.base.encode()).step(STEP, Outcome::Old)?;
        storage.sync(HiveFile::Primary).step(STEP, Outcome::OldOrNew)
    }
}
