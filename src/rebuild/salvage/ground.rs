//! [`Ground`]: where in a file the hive bins are, whatever became of its base block.

use std::collections::HashMap;

use crate::{
    BINS_START, FileOffset,
    bytes::u32_at,
    format::{
        base_block::{BaseBlock, FileType, SECTOR},
        hbin::{HBIN_HEADER, Hbin, MAX_BINS, PAGE},
    },
};

/// The unit in which files lose or gain parts: disks and their copies know nothing smaller.
const STEP: usize = 512;

/// The hive bins of a file, as many as are there.
#[derive(Clone, Copy)]
pub(super) struct Ground<'a> {
    bytes: &'a [u8],
    /// The offset that the first byte has, counted as records count: 0 unless the file's begin is missing.
    first: u32,
    /// Where the first byte stands in the file.
    file: u64,
    /// Where the bins should end, if that is further.
    noted: u32,
}

impl<'a> Ground<'a> {
    /// Finds the bins, and how far they go.
    pub(super) fn find(bytes: &'a [u8], base: &Base) -> Self {
        let origin = origin(bytes, base);
        let start = usize::try_from(origin).unwrap_or(0).min(bytes.len());
        let first = u32::try_from(-origin).unwrap_or(0);
        let there = bytes.get(start..).unwrap_or_default();
        let most = (MAX_BINS - first) as usize & !(PAGE as usize - 1);
        let there = there.get(..most).unwrap_or(there);
        let all = Self { bytes: there, first, file: start as u64, noted: 0 };
        let noted = all.length(base);
        let end = noted.saturating_sub(first) as usize;
        Self { bytes: there.get(..end).unwrap_or(there), noted, ..all }
    }

    /// Where the bins end. What lies behind may be left over from other times.
    fn length(self, base: &Base) -> u32 {
        let noted = match base {
            Base::Sound(block) => block.length,
            // The number may still be right although something else in the block is not.
            Base::Doubtful(block) if block.length % PAGE == 0 && block.length > 0 => block.length,
            Base::Doubtful(_) | Base::Gone => return self.last_bin().unwrap_or(self.end()),
        };
        if matches!(base, Base::Sound(block) if block.sequence1 == block.sequence2) {
            return noted;
        }
        // The base block may be older than the bins: those that follow, each naming its own position, are the hive's.
        let mut end = noted;
        while let Some(size) = self.bin_size(end) {
            end = end.saturating_add(size);
        }
        end
    }

    /// The end of the last bin that can be recognized.
    fn last_bin(self) -> Option<u32> {
        let pages = (self.first..self.end()).step_by(PAGE as usize);
        pages.filter_map(|at| self.bin_size(at).map(|size| at.saturating_add(size))).max()
    }

    pub(super) fn first(self) -> u32 {
        self.first
    }

    /// The offset behind the last byte.
    pub(super) fn end(self) -> u32 {
        self.first + self.bytes.len() as u32
    }

    /// Everything from an offset on; empty outside.
    pub(super) fn from(self, at: u32) -> &'a [u8] {
        at.checked_sub(self.first).and_then(|at| self.bytes.get(at as usize..)).unwrap_or_default()
    }

    /// The size that the header at an offset gives its bin, if that is a header in its place.
    pub(super) fn bin_size(self, at: u32) -> Option<u32> {
        let bytes = self.from(at);
        if !bytes.starts_with(b"hbin") {
            return None;
        }
        // The bin may go on behind what is left of the file.
        Hbin::parse(bytes.get(..HBIN_HEADER as usize)?, at, MAX_BINS).ok().map(|bin| bin.size)
    }

    /// Whether this offset lies in a part that the file should have and has not.
    pub(super) fn is_cut_off(self, at: u32) -> bool {
        at < self.first || (self.end()..self.noted).contains(&at)
    }

    /// How many bytes are missing at the end of the file.
    pub(super) fn missing(self) -> u32 {
        self.noted.saturating_sub(self.end())
    }

    pub(super) fn file_offset(self, at: u32) -> FileOffset {
        FileOffset((self.file + u64::from(at)).saturating_sub(self.first.into()))
    }
}

/// What is left of the base block.
pub(super) enum Base {
    /// Valid, with the right checksum.
    Sound(BaseBlock),
    /// Recognizable. Each field may be wrong.
    Doubtful(BaseBlock),
    /// Not there, or not recognizable.
    Gone,
}

impl Base {
    pub(super) fn read(bytes: &[u8]) -> Self {
        let Some(sector) = bytes.first_chunk::<SECTOR>() else { return Self::Gone };
        let block = BaseBlock::decode(sector);
        let valid = block.validate().is_ok() && block.file_type() == FileType::Hive;
        match (block.checksum_ok(), valid) {
            (true, true) => Self::Sound(block),
            _ if block.signature == *b"regf" => Self::Doubtful(block),
            _ => Self::Gone,
        }
    }

    /// The block, if there is one.
    pub(super) fn block(&self) -> Option<&BaseBlock> {
        match self {
            Self::Sound(block) | Self::Doubtful(block) => Some(block),
            Self::Gone => None,
        }
    }
}

/// Where offset 0 is in the file; negative if that part is missing.
///
/// Each bin names its own offset, so each tells where offset 0 should be. Most of them are right.
fn origin(bytes: &[u8], base: &Base) -> i64 {
    let usual = i64::from(BINS_START);
    let mut votes: HashMap<i64, u32> = HashMap::new();
    for (start, sector) in (0_i64..).step_by(STEP).zip(bytes.chunks(STEP)) {
        let Some(offset) = sector.starts_with(b"hbin").then(|| u32_at(sector, 4)).flatten() else { continue };
        if offset % PAGE == 0 && offset < MAX_BINS {
            *votes.entry(start - i64::from(offset)).or_default() += 1;
        }
    }
    if votes.contains_key(&usual) && !matches!(base, Base::Gone) {
        return usual;
    }
    let best = votes.into_iter().max_by_key(|&(origin, votes)| (votes, origin == usual, origin));
    best.map_or(usual, |(origin, _)| origin)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FileTime;

    fn bins(offsets: &[u32]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for offset in offsets {
            bytes.extend_from_slice(&Hbin::new(*offset, PAGE, FileTime(0)).encode());
            bytes.resize(bytes.len() + (PAGE - HBIN_HEADER) as usize, 0);
        }
        bytes
    }

    #[test]
    fn bins_tell_where_they_belong_when_the_begin_is_missing() {
        let cut = bins(&[0x5000, 0x6000]);
        let ground = Ground::find(&cut, &Base::read(&cut));
        assert_eq!((ground.first(), ground.end()), (0x5000, 0x7000));
        assert_eq!(ground.file_offset(0x6000), FileOffset(0x1000));
        assert!(ground.from(0x4000).is_empty());
    }

    #[test]
    fn something_before_the_file_does_not_matter() {
        let mut moved = vec![7; 0x1e00];
        moved.extend(bins(&[0, 0x1000]));
        let ground = Ground::find(&moved, &Base::read(&moved));
        assert_eq!((ground.first(), ground.end(), ground.file_offset(0)), (0, 0x2000, FileOffset(0x1e00)));
    }

    #[test]
    fn what_lies_behind_the_bins_of_a_sound_hive_is_not_looked_at() {
        let mut bytes = crate::Hive::create(crate::Version::V1_5).unwrap().to_bytes();
        let end = bytes.len() as u32 - BINS_START;
        bytes.extend(bins(&[end]));
        assert_eq!(Ground::find(&bytes, &Base::read(&bytes)).end(), end);
        // A base block that was not completed may be older than the bins.
        bytes[4] ^= 2;
        assert_eq!(Ground::find(&bytes, &Base::read(&bytes)).end(), end + PAGE);
    }
}
