//! What is different between two states of a disk, for the judge; and a number that stands for a whole state.

use std::{
    collections::BTreeSet,
    hash::{DefaultHasher, Hash, Hasher},
};

use hivesmith::HiveFile;

use crate::{
    files::{FILES, Files, index},
    power::{Change, Piece, SECTOR},
};

/// Lengths first, then sectors.
#[derive(Default)]
pub(crate) struct Diff {
    pub(crate) lengths: Vec<(HiveFile, usize)>,
    pub(crate) sectors: Vec<(HiveFile, usize, Vec<u8>)>,
}

impl Diff {
    /// The difference between states that `pieces` may tell apart.
    pub(crate) fn between(from: &Files, to: &Files, pieces: &[Piece]) -> Self {
        let places: BTreeSet<(usize, usize)> = pieces
            .iter()
            .filter_map(|piece| match &piece.change {
                Change::Sector { at, .. } => Some((index(piece.file), *at)),
                Change::Length(_) => None,
            })
            .collect();
        Self::at(from, to, places)
    }

    /// The difference between states that differ in lengths and in these sectors at most.
    pub(crate) fn at(from: &Files, to: &Files, places: BTreeSet<(usize, usize)>) -> Self {
        let mut diff = Self::default();
        for file in FILES {
            let length = to.bytes(file).len();
            if length != from.bytes(file).len() {
                diff.lengths.push((file, length));
            }
        }
        for (file, at) in places {
            let file = FILES[file];
            let sector = |files: &Files| {
                let bytes = files.bytes(file);
                bytes.get(at..(at + SECTOR).min(bytes.len())).filter(|sector| !sector.is_empty()).map(<[u8]>::to_vec)
            };
            if let Some(new) = sector(to).filter(|new| sector(from).as_ref() != Some(new)) {
                diff.sectors.push((file, at, new));
            }
        }
        diff
    }

    /// The difference between any two states.
    pub(crate) fn whole(from: &Files, to: &Files) -> Self {
        let sectors = |file| (0..to.bytes(file).len()).step_by(SECTOR);
        let places = FILES.iter().flat_map(|file| sectors(*file).map(|at| (index(*file), at)));
        Self::at(from, to, places.collect())
    }

    /// As the judge reads it.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let number = |out: &mut Vec<u8>, number: usize| out.extend((number as u32).to_le_bytes());
        number(&mut out, self.lengths.len());
        for (file, length) in &self.lengths {
            number(&mut out, index(*file));
            number(&mut out, *length);
        }
        number(&mut out, self.sectors.len());
        for (file, at, bytes) in &self.sectors {
            number(&mut out, index(*file));
            number(&mut out, *at);
            number(&mut out, bytes.len());
            out.extend(bytes);
        }
        out
    }
}

/// A hash of a whole disk that is cheap to tell after a small change: the sum of its sectors' hashes.
#[derive(Clone)]
pub(crate) struct Print {
    sectors: [Vec<u128>; 5],
    sum: u128,
}

fn hash(file: usize, at: usize, bytes: &[u8]) -> u128 {
    let half = |salt: u64| {
        let mut hasher = DefaultHasher::new();
        (salt, file, at, bytes).hash(&mut hasher);
        u128::from(hasher.finish())
    };
    half(1) << 64 | half(2)
}

impl Print {
    /// `salt` tells disks of different scenarios apart.
    pub(crate) fn new(salt: &str, files: &Files) -> Self {
        let sectors = FILES.map(|file| {
            let sectors = files.bytes(file).chunks(SECTOR).enumerate();
            sectors.map(|(at, bytes)| hash(index(file), at * SECTOR, bytes)).collect::<Vec<_>>()
        });
        let sum =
            sectors.iter().flatten().fold(hash(FILES.len(), 0, salt.as_bytes()), |sum, one| sum.wrapping_add(*one));
        Self { sectors, sum }
    }

    /// The number of the state `to` that is `diff` away from this one.
    pub(crate) fn with(&self, to: &Files, diff: &Diff) -> u128 {
        let mut print = self.clone();
        print.change(to, diff);
        print.sum
    }

    /// Follows a change.
    pub(crate) fn change(&mut self, to: &Files, diff: &Diff) {
        let mut places: BTreeSet<(usize, usize)> =
            diff.sectors.iter().map(|(file, at, _)| (index(*file), at / SECTOR)).collect();
        for (file, _) in &diff.lengths {
            let file = index(*file);
            let (before, after) = (self.sectors[file].len(), to.bytes(FILES[file]).len().div_ceil(SECTOR));
            // The last sector of a file may be a short one.
            places.extend((before.min(after).saturating_sub(1)..before.max(after)).map(|at| (file, at)));
            self.sectors[file].resize(before.max(after), 0);
        }
        for (file, at) in places {
            let bytes = to.bytes(FILES[file]);
            let from = at * SECTOR;
            let new = bytes.get(from..(from + SECTOR).min(bytes.len())).filter(|sector| !sector.is_empty());
            let new = new.map_or(0, |sector| hash(file, from, sector));
            let old = std::mem::replace(&mut self.sectors[file][at], new);
            self.sum = self.sum.wrapping_sub(old).wrapping_add(new);
        }
        for (file, sectors) in self.sectors.iter_mut().enumerate() {
            sectors.truncate(to.bytes(FILES[file]).len().div_ceil(SECTOR));
        }
    }
}
