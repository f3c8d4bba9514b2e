//! [`Redo`]: a journal of our own, on other storage, for commits that neither a log nor single steps can carry.
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0x00 | 8 | `hsREDO01` |
//! | 0x08 | 8 | Marvin32 of everything behind |
//! | 0x10 | 512 | the hive's base block while the commit is under way |
//! | 0x210 | 512 | the hive's base block behind the commit |
//! | 0x410 | 4 | number of runs of pages |
//! | 0x414 | 8 each | offset and length of a run in the hive bins |
//! | .. | .. | the pages |
//! | .. | 8 each | Marvin32 of each 512 bytes of these pages as they were; 0 behind the bins of before |
//!
//! The hashes say whether a hive is the one that the journal was written for, whatever part of the commit has reached
//! it: each of its sectors is the old or the new one.

use super::logs::is_before;
use crate::{
    Defect, FileOffset, FormatError, Structure,
    bytes::u32_at,
    format::{
        base_block::{BaseBlock, SECTOR},
        checksum::Marvin32,
        hbin::{MAX_BINS, PAGE},
    },
    image::{Bins, Image},
};

const SIGNATURE: &[u8; 8] = b"hsREDO01";
const ARMED: usize = 0x10;
const CLEAN: usize = ARMED + SECTOR;
const RUNS: usize = CLEAN + SECTOR;

/// A journal: everything that a commit writes.
pub(crate) struct Redo {
    /// The first sector of the hive while the commit is under way.
    armed: [u8; SECTOR],
    /// The base block behind it.
    pub(crate) clean: BaseBlock,
    /// Pages: offset in the bins, and bytes.
    pub(crate) runs: Vec<(u32, Vec<u8>)>,
    before: Vec<u64>,
}

impl Redo {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, FormatError> {
        let fail = |defect| FormatError::new(Structure::Redo, FileOffset(0), defect);
        let parsed = (|| {
            let hash = u64::from_le_bytes(*bytes.get(8..)?.first_chunk()?);
            if !bytes.starts_with(SIGNATURE) || Marvin32::new().update(bytes.get(ARMED..)?).finish() != hash {
                return None;
            }
            let armed: [u8; SECTOR] = *bytes.get(ARMED..)?.first_chunk()?;
            let clean = BaseBlock::decode(bytes.get(CLEAN..)?.first_chunk()?);
            let count = u32_at(bytes, RUNS)? as usize;
            let (table, mut rest) = bytes.get(RUNS + 4..)?.split_at_checked(count.checked_mul(8)?)?;
            let mut runs = Vec::new();
            for pair in table.chunks_exact(8) {
                let (at, length) = (u32_at(pair, 0)?, u32_at(pair, 4)?);
                let (run, behind) = rest.split_at_checked(length as usize)?;
                at.checked_add(length).filter(|end| *end <= clean.length && clean.length <= MAX_BINS)?;
                runs.push((at, run.to_vec()));
                rest = behind;
            }
            let before = rest.chunks_exact(8).map(|hash| hash.try_into().map(u64::from_le_bytes));
            Some(Self { armed, clean, runs, before: before.collect::<Result<_, _>>().ok()? })
        })();
        parsed
            .filter(|redo| redo.clean.is_clean() && redo.clean.validate().is_ok())
            .ok_or_else(|| fail(Defect::Field { field: "journal", expected: "one that is whole", found: 0 }))
    }

    /// Builds the file.
    pub(crate) fn encode(
        armed: &BaseBlock,
        clean: &BaseBlock,
        runs: &[(u32, Vec<u8>)],
        before: impl Iterator<Item = u64>,
    ) -> Vec<u8> {
        let mut bytes = SIGNATURE.to_vec();
        bytes.resize(ARMED, 0);
        bytes.extend_from_slice(&armed.encode());
        bytes.extend_from_slice(&clean.encode());
        bytes.extend_from_slice(&(runs.len() as u32).to_le_bytes());
        for (at, run) in runs {
            bytes.extend_from_slice(&at.to_le_bytes());
            bytes.extend_from_slice(&(run.len() as u32).to_le_bytes());
        }
        for (_, run) in runs {
            bytes.extend_from_slice(run);
        }
        for hash in before {
            bytes.extend_from_slice(&hash.to_le_bytes());
        }
        let hash = Marvin32::new().update(bytes.get(ARMED..).unwrap_or_default()).finish();
        if let Some(to) = bytes.get_mut(8..ARMED) {
            to.copy_from_slice(&hash.to_le_bytes());
        }
        bytes
    }

    /// Whether this can be a journal of the hive with this base block, in whatever state: the hive has the same names and
    /// no number of before. Disks that are mounted in one place one after the other have one place for journals, too.
    pub(crate) fn may_be_of(&self, base: &BaseBlock) -> bool {
        let clean = &self.clean;
        let same = (clean.file_name, clean.rm_id, clean.minor) == (base.file_name, base.rm_id, base.minor);
        same && !is_before(base.sequence2, BaseBlock::decode(&self.armed).sequence2)
    }

    /// Whether the hive is in the middle of this commit: its base block says so or is damaged, and each sector is as it
    /// was before or as it is to be.
    pub(crate) fn is_of(&self, sector: &[u8; SECTOR], bins: Bins<'_>) -> bool {
        let base = BaseBlock::decode(sector);
        if *sector != self.armed && base.checksum_ok() && base.validate().is_ok() {
            return false;
        }
        let mut before = self.before.iter();
        self.runs.iter().all(|(at, run)| {
            (*at..).step_by(SECTOR).zip(run.chunks(SECTOR)).all(|(at, new)| {
                let old = before.next().copied().unwrap_or(0);
                old == 0 || bins.get(at, SECTOR).is_some_and(|now| now == new || hash(now) == old)
            })
        })
    }
}

/// The hashes of the sectors of these pages as they were when the transaction began.
pub(crate) fn hashes_before(image: &Image, runs: &[(u32, Vec<u8>)]) -> Vec<u64> {
    let pages = runs.iter().flat_map(|(at, run)| (at / PAGE..).take(run.len() / PAGE as usize));
    pages
        .flat_map(|page| match image.page_at_begin(page) {
            Some(before) => before.chunks(SECTOR).map(hash).collect(),
            None => vec![0; PAGE as usize / SECTOR],
        })
        .collect()
}

/// Never 0, which stands for nothing.
fn hash(sector: &[u8]) -> u64 {
    Marvin32::new().update(sector).finish().max(1)
}
