//! [`Loss`]: what a salvage could not keep as it was.

use std::fmt;

use crate::{FileOffset, Structure, name::KeyPath};

/// How many losses are kept; more are counted. A hostile file would otherwise make the list larger than itself.
const KEPT: usize = 10_000;

/// How many names all paths together may hold; losses behind that come without path.
const KEPT_NAMES: usize = 1 << 18;

/// What became of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fate {
    /// It is in the result, although nothing led to it any more: a key that is in no list of its parent's.
    Restored,
    /// It is in the result, but not as it was: data cut short, a descriptor that is the parent's, another name.
    Altered,
    /// It is not in the result.
    Lost,
}

impl fmt::Display for Fate {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(match self {
            Self::Restored => "restored",
            Self::Altered => "altered",
            Self::Lost => "lost",
        })
    }
}

/// One thing that is not in the result as it was in the hive.
///
/// Displays as one line, `lost key value 0x0001f3a8: value "Start" of ControlSet001\Services\x: the cell is free
/// although something points at it`; names in it are escaped, so it is safe for a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Loss {
    /// What became of it.
    pub fate: Fate,
    /// The structure that is damaged.
    pub structure: Structure,
    /// Where it stands, or should stand, in the damaged file.
    pub offset: FileOffset,
    /// The key of the result that it belongs to, as far as that is known.
    pub path: Option<KeyPath>,
    /// What it is.
    pub what: String,
    /// What is wrong with it.
    pub why: String,
}

impl fmt::Display for Loss {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { fate, structure, offset, path, what, why } = self;
        write!(out, "{fate} {structure} {offset}: {what}")?;
        match path {
            Some(path) if path.is_root() => out.write_str(" of the root")?,
            Some(path) => write!(out, " of {path}")?,
            None => {}
        }
        write!(out, ": {why}")
    }
}

/// A loss whose path is not known yet: names are settled last.
pub(super) struct Draft {
    pub(super) fate: Fate,
    pub(super) structure: Structure,
    pub(super) offset: FileOffset,
    /// The number of the key.
    pub(super) key: Option<u32>,
    pub(super) what: String,
    pub(super) why: String,
}

/// The losses so far, kept within bounds and counted in full.
#[derive(Default)]
pub(super) struct Losses {
    drafts: Vec<Draft>,
    pub(super) count: u64,
}

impl Losses {
    #[cold]
    pub(super) fn add(&mut self, draft: Draft) {
        self.count += 1;
        if self.drafts.len() < KEPT {
            self.drafts.push(draft);
        }
    }

    /// The losses with their paths, in the order of the file.
    pub(super) fn finish(self, path: impl Fn(u32) -> KeyPath) -> Vec<Loss> {
        let mut names = 0;
        let mut losses: Vec<Loss> = self
            .drafts
            .into_iter()
            .map(|Draft { fate, structure, offset, key, what, why }| {
                let path = key.filter(|_| names < KEPT_NAMES).map(&path);
                names += path.as_ref().map_or(0, |path| path.names().len());
                Loss { fate, structure, offset, path, what, why }
            })
            .collect();
        losses.sort_by_key(|loss| loss.offset);
        losses
    }
}
