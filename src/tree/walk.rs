//! [`Walk`]: every key below one, whatever the bytes say.

use super::{HiveView, Key, Subkeys};
use crate::{CellOffset, Defect, Error, FormatError, Result, Structure};

/// No hive nests deeper; Windows stops at 512 levels.
const MAX_DEPTH: usize = 512;

/// Depth-first iterator over a key and all keys below it, in the order of the lists.
///
/// Broken records come as errors and the walk goes on behind them. It is bounded: each key node is visited once, a
/// second way to it is an error, and levels below 512 are not entered.
pub struct Walk<'a> {
    hive: HiveView<'a>,
    start: Option<CellOffset>,
    levels: Vec<Subkeys<'a>>,
    /// One bit for each 8 bytes of the bins: the key nodes seen.
    seen: Vec<u64>,
}

/// One step of a [`Walk`].
#[derive(Clone, Copy, Debug)]
pub struct Walked<'a> {
    /// Levels below the key that the walk began with.
    pub depth: usize,
    /// The key.
    pub key: Key<'a>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(hive: HiveView<'a>, start: CellOffset) -> Self {
        let bits = hive.bins().len() as usize / 8;
        Self { hive, start: Some(start), levels: Vec::new(), seen: vec![0; bits.div_ceil(64)] }
    }

    /// Whether this is the first visit.
    fn visit(&mut self, at: CellOffset) -> bool {
        let bit = at.0 as usize / 8;
        match self.seen.get_mut(bit / 64) {
            Some(word) => {
                let mask = 1 << (bit % 64);
                let first = *word & mask == 0;
                *word |= mask;
                first
            }
            // Outside the bins: reading the key says so.
            None => true,
        }
    }

    fn enter(&mut self, at: CellOffset) -> Result<Walked<'a>> {
        let fail = |defect| Error::from(FormatError::new(Structure::KeyNode, at.file_offset(), defect));
        if !self.visit(at) {
            return Err(fail(Defect::Cycle));
        }
        let key = Key::parse(self.hive, at)?;
        let depth = self.levels.len();
        if depth >= MAX_DEPTH {
            return Err(fail(Defect::Field { field: "depth", expected: "at most 512 levels", found: depth as u64 }));
        }
        Ok(Walked { depth, key })
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = Result<Walked<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        let at = match self.start.take() {
            Some(start) => Ok(start),
            None => loop {
                match self.levels.last_mut()?.next_offset() {
                    Some(next) => break next,
                    None => {
                        self.levels.pop();
                    }
                }
            },
        };
        let walked = at.map_err(Error::from).and_then(|at| self.enter(at));
        if let Some(walked) = walked.as_ref().ok().filter(|walked| walked.key.subkey_count() > 0) {
            // A key with a broken list is handed out all the same, and the error comes after it.
            self.levels.push(Subkeys::or_broken(walked.key));
        }
        Some(walked)
    }
}
