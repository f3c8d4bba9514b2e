//! Which pages were touched, and what they held before.

use std::collections::BTreeMap;

use super::alloc::Allocator;
use crate::format::{base_block::BaseBlock, hbin::PAGE};

/// A page as it was when it was first touched.
pub(super) type SavedPage = Box<[u8]>;

/// A point to roll back to: the begin of a transaction, or a savepoint in it.
pub(super) struct Mark {
    /// Length of the hive bins then; pages behind it need no copy, they did not exist.
    pub(super) length: u32,
    pub(super) base: BaseBlock,
    pub(super) allocator: Option<Allocator>,
    /// Steps recorded until then; see [`super::steps`].
    pub(super) steps: usize,
    /// Moved keys until then.
    pub(super) moves: usize,
    /// Which savepoint this is; 0 for the begin of a transaction.
    pub(super) serial: u64,
    saved: BTreeMap<u32, SavedPage>,
    touched: Vec<u64>,
}

impl Mark {
    pub(super) fn new(length: u32, base: BaseBlock, allocator: Option<Allocator>) -> Self {
        Self { length, base, allocator, steps: 0, moves: 0, serial: 0, saved: BTreeMap::new(), touched: Vec::new() }
    }

    /// Whether `page` must be copied before it is written.
    #[inline]
    pub(super) fn needs(&self, page: u32) -> bool {
        page < self.length / PAGE
            && self.touched.get(page as usize / 64).is_none_or(|word| word & (1 << (page % 64)) == 0)
    }

    pub(super) fn save(&mut self, page: u32, bytes: &[u8]) {
        let word = page as usize / 64;
        if self.touched.len() <= word {
            self.touched.resize(word + 1, 0);
        }
        if let Some(word) = self.touched.get_mut(word) {
            *word |= 1 << (page % 64);
        }
        self.saved.insert(page, bytes.into());
    }

    /// The copies, ascending by page.
    pub(super) fn into_saved(self) -> BTreeMap<u32, SavedPage> {
        self.saved
    }

    /// A page as it was at this mark, if it was touched since.
    pub(super) fn saved(&self, page: u32) -> Option<&[u8]> {
        self.saved.get(&page).map(AsRef::as_ref)
    }

    pub(super) fn saved_pages(&self) -> impl Iterator<Item = u32> + '_ {
        self.saved.keys().copied()
    }
}
