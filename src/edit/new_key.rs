//! [`NewKey`]: a key that is made with all it holds.

use super::{key, relocate, security::Inherited, value, value_data};
use crate::{
    CellOffset, FileTime, RequestError, Result,
    format::ValueType,
    image::Image,
    name::{NameBuf, same},
    tree::Key,
};

/// The values and subkeys of a key that does not exist yet.
///
/// A key that is made first and filled afterwards may be met empty if power fails in between. This one is there with
/// all it holds, or not at all, also where no log protects the commit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewKey {
    /// Name, type and bytes of its values.
    pub values: Vec<(NameBuf, ValueType, Vec<u8>)>,
    /// Its subkeys.
    pub subkeys: Vec<(NameBuf, NewKey)>,
}

impl NewKey {
    /// A key with nothing in it.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With one more value.
    #[must_use]
    pub fn value(mut self, name: impl Into<NameBuf>, kind: ValueType, data: impl Into<Vec<u8>>) -> Self {
        self.values.push((name.into(), kind, data.into()));
        self
    }

    /// With one more subkey.
    #[must_use]
    pub fn subkey(mut self, name: impl Into<NameBuf>, key: NewKey) -> Self {
        self.subkeys.push((name.into(), key));
        self
    }

    /// Levels, this key included.
    fn levels(&self) -> usize {
        1 + self.subkeys.iter().map(|(_, key)| key.levels()).max().unwrap_or(0)
    }

    /// Counts the keys of each level below this one.
    fn count_below(&self, level: usize, counts: &mut Vec<u32>) {
        for (_, key) in &self.subkeys {
            if counts.len() <= level {
                counts.push(0);
            }
            if let Some(count) = counts.get_mut(level) {
                *count += 1;
            }
            key.count_below(level + 1, counts);
        }
    }

    fn validate(&self, minor: u32) -> Result<()> {
        for (name, _, data) in &self.values {
            value::validate_name(name)?;
            value_data::validate(minor, data)?;
        }
        for (at, (name, below)) in self.subkeys.iter().enumerate() {
            key::validate_name(name)?;
            if self.subkeys.iter().take(at).any(|(before, _)| same(before, name)) {
                return Err(RequestError::AlreadyExists(name.to_string()).into());
            }
            below.validate(minor)?;
        }
        Ok(())
    }
}

/// Makes the key at a path, which must not exist, with all it holds and with those above it that are missing.
pub(crate) fn create(
    image: &mut Image,
    root: CellOffset,
    names: &[NameBuf],
    tree: &NewKey,
    now: FileTime,
) -> Result<CellOffset> {
    let (mut at, mut missing) = (root, names);
    while let [name, below @ ..] = missing {
        let Some(existing) = super::key_at(image, at)?.subkey(name)? else { break };
        (at, missing) = (existing.offset(), below);
    }
    if missing.is_empty() {
        return Err(RequestError::AlreadyExists(super::path_of(super::key_at(image, at)?)).into());
    }
    missing.iter().try_for_each(key::validate_name)?;
    tree.validate(image.base().minor)?;
    key::validate_depth(image, at, missing.len() + tree.levels() - 1)?;
    key::validate_parent(image, at)?;
    relocate::check_list_change(image, at)?;
    // All keys of one level inherit the same, and no record is made once the first key is.
    let mut keys = vec![1; missing.len()];
    tree.count_below(missing.len(), &mut keys);
    let records = Inherited::find(image, at, keys.len(), None)?.take(image, &keys)?;
    let (above, below) = records.split_at(missing.len());
    let made =
        missing.iter().zip(above).try_fold(at, |at, (name, record)| key::create(image, at, name, *record, now))?;
    fill(image, made, tree, below, now)
}

/// Gives a new key what it is to hold; where it is then, for making subkeys may move it. The records are those of the
/// levels below it.
fn fill(image: &mut Image, at: CellOffset, tree: &NewKey, records: &[CellOffset], now: FileTime) -> Result<CellOffset> {
    for (name, kind, data) in &tree.values {
        value::set(image, at, name, *kind, data, now)?;
    }
    let (mut at, Some((record, deeper))) = (at, records.split_first()) else { return Ok(at) };
    for (name, below) in &tree.subkeys {
        let child = key::create(image, at, name, *record, now)?;
        at = super::key_at(image, child)?.parent()?.map_or(at, Key::offset);
        let child = fill(image, child, below, deeper, now)?;
        at = super::key_at(image, child)?.parent()?.map_or(at, Key::offset);
    }
    Ok(at)
}
