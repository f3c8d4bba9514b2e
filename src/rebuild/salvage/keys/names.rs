//! Names that are lost, and names that several siblings have.

use std::collections::HashMap;

use super::{MAX_NAME, Search};
use crate::{
    Structure,
    name::{NameBuf, lh_hash, same},
    rebuild::{
        salvage::loss::Fate,
        tree::{Children, Text},
    },
};

impl Search<'_> {
    /// Gives back names that are lost where the hash in a list is that of one other name in the hive, and makes names of
    /// siblings differ.
    pub(in super::super) fn settle_names(&mut self) {
        let nameless: Vec<(u32, u32)> =
            (0..).zip(&self.found).filter_map(|(number, found)| Some((number, found.nameless?.hash?))).collect();
        if !nameless.is_empty() {
            let mut names: HashMap<u32, Candidate> =
                nameless.iter().map(|(_, hash)| (*hash, Candidate::None)).collect();
            for (key, _) in self.tree.keys.iter().zip(&self.found).filter(|(_, found)| found.nameless.is_none()) {
                let name = key.name.name();
                let Some(candidate) = names.get_mut(&lh_hash(&name)) else { continue };
                match candidate {
                    Candidate::None => *candidate = Candidate::One(name.to_name_buf()),
                    Candidate::One(known) if !same(known, &name) => *candidate = Candidate::Several,
                    Candidate::One(_) | Candidate::Several => {}
                }
            }
            for (number, hash) in nameless {
                let (Some(Candidate::One(name)), Some(key)) =
                    (names.get(&hash), self.tree.keys.get_mut(number as usize))
                else {
                    continue;
                };
                // Not if it is a sibling's: then it is not this one's.
                if !self.siblings.contains_key(&(key.parent, hash)) {
                    key.name = Text::made(name);
                }
            }
        }
        self.part_siblings();
    }

    /// Of several subkeys with one name the first keeps it.
    fn part_siblings(&mut self) {
        let children = Children::of(&self.tree);
        let mut again = Vec::new();
        for number in 0..self.tree.keys.len() as u32 {
            for pair in children.below(number).windows(2) {
                let [one, other] = *pair else { continue };
                let name = |at: u32| self.tree.keys.get(at as usize).map(|key| key.name.name());
                if let (Some(first), Some(second)) = (name(one), name(other)) {
                    if same(&first, &second) {
                        again.push(other);
                    }
                }
            }
        }
        for number in again {
            let (Some(key), Some(found)) = (self.tree.keys.get_mut(number as usize), self.found.get(number as usize))
            else {
                continue;
            };
            let at = found.at;
            let suffix = format!(" (at {})", self.cells.ground().file_offset(at.0));
            let old = key.name.name().to_name_buf();
            let kept = old.as_units().iter().take(MAX_NAME - suffix.len()).copied();
            key.name = Text::made(&NameBuf::from(kept.chain(suffix.encode_utf16()).collect::<Vec<u16>>()));
            let why = format!("a subkey called \"{old}\" comes before it");
            self.lose(Fate::Altered, Structure::KeyNode, at, Some(number), "the name", why);
        }
    }
}

/// Which name a hash may stand for.
enum Candidate {
    None,
    One(NameBuf),
    Several,
}
