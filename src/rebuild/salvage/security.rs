//! Descriptors of the keys that were found. A key whose own cannot be read gets its parent's.

use std::{borrow::Cow, collections::HashMap};

use super::{cells::Opened, keys::Search, loss::Fate};
use crate::{
    CellOffset, Result, Structure,
    bytes::u32_at,
    format::{key_node::field, key_security::KEY_SECURITY_FIXED},
    rebuild::tree::offset_in,
    security::{SecurityDescriptor, validate},
};

/// For a root without descriptor: what new hives have. SYSTEM and Administrators do everything, Users read.
const DEFAULT: &str = "O:BAG:SYD:(A;CI;KA;;;SY)(A;CI;KA;;;BA)(A;CI;KR;;;BU)";

/// What a key security record is worth.
enum Record {
    /// The number of its descriptor.
    Good(u32),
    /// What is wrong, and the keys that would have it: the first of them, and how many.
    Bad(String, u32, u64),
}

impl<'a> Search<'a> {
    /// Gives every key a descriptor. Parents come before their subkeys in the tree.
    pub(super) fn find_descriptors(&mut self) -> Result<()> {
        let mut records: HashMap<CellOffset, Record> = HashMap::new();
        let mut known: HashMap<Cow<'a, [u8]>, u32> = HashMap::new();
        for number in 0..self.tree.keys.len() as u32 {
            let Some(key) = self.tree.keys.get(number as usize) else { continue };
            let (parent, at) = (key.parent, offset_in(&key.fixed, field::SECURITY));
            let made = self.found.get(number as usize).is_none_or(|found| found.made);
            let own = if made {
                None
            } else {
                let record = records.entry(at).or_insert_with(|| match self.descriptor(at) {
                    Ok(bytes) => Record::Good(*known.entry(Cow::Borrowed(bytes)).or_insert_with(|| {
                        self.tree.descriptors.push(Cow::Borrowed(bytes));
                        self.tree.descriptors.len() as u32 - 1
                    })),
                    Err(why) => Record::Bad(why, number, 0),
                });
                match record {
                    Record::Good(descriptor) => Some(*descriptor),
                    Record::Bad(_, _, keys) => {
                        *keys += 1;
                        None
                    }
                }
            };
            let descriptor = match own {
                Some(descriptor) => descriptor,
                None if number > 0 => self.tree.keys.get(parent as usize).map_or(0, |parent| parent.descriptor),
                None => {
                    let bytes = DEFAULT.parse::<SecurityDescriptor>()?.to_bytes();
                    self.tree.descriptors.push(Cow::Owned(bytes.clone()));
                    known.insert(Cow::Owned(bytes), 0);
                    0
                }
            };
            if let Some(key) = self.tree.keys.get_mut(number as usize) {
                key.descriptor = descriptor;
            }
        }
        let bad = records.into_iter().filter_map(|(at, record)| match record {
            Record::Bad(why, first, keys) => Some((at, why, first, keys)),
            Record::Good(_) => None,
        });
        for (at, why, first, keys) in bad {
            let what = match keys {
                1 => "the descriptor, now the parent's,".to_owned(),
                keys => format!("the descriptor of {keys} keys, now their parents', first of them that"),
            };
            self.lose(Fate::Altered, Structure::KeySecurity, at, Some(first), what, why);
        }
        Ok(())
    }

    /// The descriptor that a record holds.
    fn descriptor(&mut self, at: CellOffset) -> Result<&'a [u8], String> {
        let Opened { cell, .. } = self.cells.open(at).map_err(|defect| defect.to_string())?;
        let Some((fixed, room)) = cell.payload.split_at_checked(KEY_SECURITY_FIXED) else {
            return Err("the cell is too short for a record".to_owned());
        };
        if !fixed.starts_with(b"sk") {
            return Err(format!(
                "signature is \"{}\", expected \"sk\"",
                fixed.get(..2).unwrap_or_default().escape_ascii()
            ));
        }
        let length = u32_at(fixed, 0x10).unwrap_or_default();
        let Some(descriptor) = room.get(..length as usize).filter(|bytes| !bytes.is_empty()) else {
            return Err(format!("descriptor needs {length} bytes, {} are left", room.len()));
        };
        validate(descriptor).map_err(|error| error.to_string())?;
        if !self.cells.take(at, KEY_SECURITY_FIXED + descriptor.len()) {
            return Err("it shares bytes with something else".to_owned());
        }
        Ok(descriptor)
    }
}
