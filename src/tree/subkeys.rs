//! Subkeys: enumerating a key's lists and finding a name in them.

use std::cmp::Ordering;

use super::{HiveView, Key};
use crate::{
    CellOffset, Defect, FormatError, Result, Structure,
    format::subkeys_list::{ListKind, SubkeysList},
    name::{Units, compare, lh_hash},
};

/// Iterator over the subkeys of a key.
#[derive(Clone)]
pub struct Subkeys<'a> {
    hive: HiveView<'a>,
    /// The `ri` whose leaves are still to come, and the number of the next.
    index: Option<(SubkeysList<'a>, usize)>,
    leaf: Option<SubkeysList<'a>>,
    next: usize,
    /// Why there is no list, to be said once.
    broken: Option<FormatError>,
}

/// The list of a key; none if it has no subkeys.
pub(crate) fn list_of(key: Key<'_>) -> Result<Option<SubkeysList<'_>>, FormatError> {
    let node = key.node();
    if node.subkey_count() == 0 {
        return Ok(None);
    }
    SubkeysList::parse(key.hive().cell(node.subkeys_list())?).map(Some)
}

/// A leaf at `at`; lists of lists have one level only.
pub(crate) fn leaf(hive: HiveView<'_>, at: CellOffset) -> Result<SubkeysList<'_>, FormatError> {
    let list = SubkeysList::parse(hive.cell(at)?)?;
    if list.kind == ListKind::Ri {
        return Err(list.cell.error(
            Structure::SubkeysList,
            Defect::Signature { expected: "\"li\", \"lf\" or \"lh\" below an \"ri\"", found: *b"ri\0\0" },
        ));
    }
    Ok(list)
}

impl<'a> Subkeys<'a> {
    pub(super) fn of(key: Key<'a>) -> Result<Self, FormatError> {
        let hive = key.hive();
        let empty = Self { hive, index: None, leaf: None, next: 0, broken: None };
        Ok(match list_of(key)? {
            None => empty,
            Some(list) if list.kind == ListKind::Ri => Self { index: Some((list, 0)), ..empty },
            Some(list) => Self { leaf: Some(list), ..empty },
        })
    }

    /// The subkeys of a key, a broken list being the first and only element.
    pub(super) fn or_broken(key: Key<'a>) -> Self {
        Self::of(key).unwrap_or_else(|error| Self {
            hive: key.hive(),
            index: None,
            leaf: None,
            next: 0,
            broken: Some(error),
        })
    }

    /// The next element of the lists without looking at its key node.
    pub(crate) fn next_offset(&mut self) -> Option<Result<CellOffset, FormatError>> {
        if let Some(error) = self.broken.take() {
            return Some(Err(error));
        }
        loop {
            if let Some(target) = self.leaf.and_then(|leaf| leaf.target(self.next)) {
                self.next += 1;
                return Some(Ok(target));
            }
            let (index, at) = self.index.as_mut()?;
            let target = index.target(*at)?;
            *at += 1;
            self.next = 0;
            match leaf(self.hive, target) {
                Ok(leaf) => self.leaf = Some(leaf),
                Err(error) => {
                    self.leaf = None;
                    return Some(Err(error));
                }
            }
        }
    }
}

impl<'a> Iterator for Subkeys<'a> {
    type Item = Result<Key<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.next_offset()?.map_err(Into::into).and_then(|at| Key::parse(self.hive, at)))
    }
}

/// Finds a subkey by name.
pub(super) fn find<'a, N: Units + ?Sized>(key: Key<'a>, name: &N) -> Result<Option<Key<'a>>> {
    let hive = key.hive();
    let Some(list) = list_of(key)? else { return Ok(None) };
    let leaf = if list.kind == ListKind::Ri {
        match leaf_for(hive, list, name)? {
            Some((_, leaf)) => leaf,
            None => return Ok(None),
        }
    } else {
        list
    };
    if leaf.kind == ListKind::Lh {
        // The hashes of a leaf are a few cache lines; names would be a cache miss each.
        for at in leaf.tagged(lh_hash(name)) {
            if let Some(found) = same_name(hive, leaf, at, name)? {
                return Ok(Some(found));
            }
        }
        return Ok(None);
    }
    match search(hive, leaf, name)? {
        Ok(at) => same_name(hive, leaf, at, name),
        Err(_) => Ok(None),
    }
}

fn same_name<'a, N: Units + ?Sized>(
    hive: HiveView<'a>,
    leaf: SubkeysList<'a>,
    at: usize,
    name: &N,
) -> Result<Option<Key<'a>>> {
    let Some(target) = leaf.target(at) else { return Ok(None) };
    let key = Key::parse(hive, target)?;
    Ok((compare(&key.name()?, name) == Ordering::Equal).then_some(key))
}

/// Binary search by name: where it is (`Ok`) or belongs (`Err`).
pub(crate) fn search<N: Units + ?Sized>(
    hive: HiveView<'_>,
    leaf: SubkeysList<'_>,
    name: &N,
) -> Result<Result<usize, usize>> {
    let (mut low, mut high) = (0, leaf.len());
    while low < high {
        let middle = low + (high - low) / 2;
        let Some(target) = leaf.target(middle) else { break };
        match compare(&Key::parse(hive, target)?.name()?, name) {
            Ordering::Less => low = middle + 1,
            Ordering::Equal => return Ok(Ok(middle)),
            Ordering::Greater => high = middle,
        }
    }
    Ok(Err(low))
}

/// The leaf under an `ri` that holds a name or where it belongs: the last one whose first key is not greater, else the
/// first. None if the `ri` is empty.
pub(crate) fn leaf_for<'a, N: Units + ?Sized>(
    hive: HiveView<'a>,
    index: SubkeysList<'a>,
    name: &N,
) -> Result<Option<(usize, SubkeysList<'a>)>> {
    let (mut low, mut high) = (0, index.len());
    while low < high {
        let middle = low + (high - low) / 2;
        let Some(target) = index.target(middle) else { break };
        let leaf = leaf(hive, target)?;
        let Some(first) = leaf.target(0) else { break };
        match compare(&Key::parse(hive, first)?.name()?, name) {
            Ordering::Less | Ordering::Equal => low = middle + 1,
            Ordering::Greater => high = middle,
        }
    }
    let at = low.saturating_sub(1);
    match index.target(at) {
        Some(target) => Ok(Some((at, leaf(hive, target)?))),
        None => Ok(None),
    }
}
