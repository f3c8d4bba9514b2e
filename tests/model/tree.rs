//! The model: what a hive is meant to hold, as plain maps and vectors.

use std::collections::BTreeMap;

use hivesmith::{
    HiveView, Key, KeyFlags, KeyId,
    name::{NameBuf, Units, upcase},
};

/// A name as the order of siblings and lookups see it.
pub(crate) type Folded = Vec<u16>;

pub(crate) fn fold(units: &[u16]) -> Folded {
    units.iter().map(|unit| upcase(*unit)).collect()
}

#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) id: KeyId,
    pub(crate) name: Vec<u16>,
    pub(crate) time: u64,
    pub(crate) flags: u16,
    pub(crate) class: Option<Vec<u16>>,
    pub(crate) descriptor: Vec<u8>,
    pub(crate) values: Vec<Entry>,
    pub(crate) subkeys: BTreeMap<Folded, Node>,
}

#[derive(Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) name: Vec<u16>,
    pub(crate) kind: u32,
    pub(crate) data: Vec<u8>,
}

/// Flags that say how the name is stored, which the model does not care about.
fn without_storage(flags: KeyFlags) -> u16 {
    (flags - KeyFlags::COMPRESSED_NAME).bits()
}

impl Node {
    /// Reads a hive into a model of itself.
    pub(crate) fn read(key: Key<'_>) -> hivesmith::Result<Self> {
        let mut subkeys = BTreeMap::new();
        for child in key.subkeys()? {
            let child = Self::read(child?)?;
            subkeys.insert(fold(&child.name), child);
        }
        let values = key
            .values()?
            .map(|value| {
                let value = value?;
                let name = value.name()?.units().collect();
                Ok(Entry { name, kind: value.kind().0, data: value.data()?.into_owned() })
            })
            .collect::<hivesmith::Result<_>>()?;
        Ok(Self {
            id: key.id(),
            name: key.name()?.units().collect(),
            time: key.last_written().0,
            flags: without_storage(key.flags()),
            class: key.class_name()?.map(|class| class.units().collect()),
            descriptor: key.security()?.bytes().to_vec(),
            values,
            subkeys,
        })
    }

    /// How many keys there are from this one down.
    pub(crate) fn count(&self) -> usize {
        1 + self.subkeys.values().map(Self::count).sum::<usize>()
    }

    /// The path of the so-manieth key of a depth-first walk.
    pub(crate) fn nth(&self, mut at: usize) -> Vec<Folded> {
        let mut path = Vec::new();
        let mut node = self;
        'down: while at > 0 {
            at -= 1;
            for (name, child) in &node.subkeys {
                let below = child.count();
                if at < below {
                    path.push(name.clone());
                    node = child;
                    continue 'down;
                }
                at -= below;
            }
            unreachable!("a place beyond the last key");
        }
        path
    }

    pub(crate) fn at(&self, path: &[Folded]) -> &Self {
        path.iter().fold(self, |node, name| &node.subkeys[name])
    }

    pub(crate) fn at_mut(&mut self, path: &[Folded]) -> &mut Self {
        path.iter().fold(self, |node, name| node.subkeys.get_mut(name).expect("a key of the model"))
    }

    /// The ids from this key down.
    pub(crate) fn ids(&self) -> Vec<KeyId> {
        let mut ids = vec![self.id];
        ids.extend(self.subkeys.values().flat_map(Self::ids));
        ids
    }

    pub(crate) fn has_undeletable(&self) -> bool {
        let keeps = (KeyFlags::NO_DELETE | KeyFlags::HIVE_ENTRY).bits();
        self.flags & keeps != 0 || self.subkeys.values().any(Self::has_undeletable)
    }

    pub(crate) fn value(&self, name: &[u16]) -> Option<usize> {
        let folded = fold(name);
        self.values.iter().position(|entry| fold(&entry.name) == folded)
    }

    /// Takes the ids that the keys of a hive have now. The trees must be the same.
    pub(crate) fn refresh_ids(&mut self, key: Key<'_>) -> hivesmith::Result<()> {
        self.id = key.id();
        for (node, child) in self.subkeys.values_mut().zip(key.subkeys()?) {
            node.refresh_ids(child?)?;
        }
        Ok(())
    }

    /// The first difference between this and what a hive holds.
    pub(crate) fn differs_from(&self, hive: HiveView<'_>) -> Result<(), String> {
        let root = hive.root().map_err(|error| error.to_string())?;
        self.compare(root)
    }

    fn compare(&self, key: Key<'_>) -> Result<(), String> {
        let here = |what: &str| format!("{:?} in the key {}", what, NameBuf::from(self.name.clone()));
        let read = |error: hivesmith::Error| here(&error.to_string());
        let ensure = |same: bool, what: &str| if same { Ok(()) } else { Err(here(what)) };

        ensure(key.name().map_err(read)?.units().eq(self.name.iter().copied()), "another name")?;
        ensure(key.last_written().0 == self.time, &format!("time {} not {}", key.last_written().0, self.time))?;
        let flags = without_storage(key.flags());
        ensure(flags == self.flags, &format!("flags {flags:#x} not {:#x}", self.flags))?;
        let class = key.class_name().map_err(read)?.map(|class| class.units().collect::<Vec<_>>());
        ensure(class == self.class, "another class")?;
        ensure(key.security().map_err(read)?.bytes() == self.descriptor, "another descriptor")?;

        ensure(key.value_count() as usize == self.values.len(), "another number of values")?;
        for (value, entry) in key.values().map_err(read)?.zip(&self.values) {
            let value = value.map_err(read)?;
            let what = format!("value {} of {} bytes", NameBuf::from(entry.name.clone()), entry.data.len());
            ensure(value.name().map_err(read)?.units().eq(entry.name.iter().copied()), &format!("name of {what}"))?;
            ensure(value.kind().0 == entry.kind, &format!("type of {what}"))?;
            ensure(value.data().map_err(read)?[..] == entry.data[..], &format!("data of {what}"))?;
        }
        if self.values.len() < 100 {
            for entry in &self.values {
                let found = key.value(&fold(&entry.name)[..]).map_err(read)?;
                ensure(found.is_some(), &format!("looking up {}", NameBuf::from(entry.name.clone())))?;
            }
        }

        ensure(key.subkey_count() as usize == self.subkeys.len(), "another number of subkeys")?;
        let mut children = 0;
        for (child, node) in key.subkeys().map_err(read)?.zip(self.subkeys.values()) {
            let child = child.map_err(read)?;
            let found = key.subkey(&fold(&node.name)[..]).map_err(read)?;
            let what = NameBuf::from(node.name.clone());
            ensure(found.map(Key::id) == Some(child.id()), &format!("looking up subkey {what}"))?;
            ensure(child.parent().map_err(read)?.map(Key::id) == Some(key.id()), &format!("parent of {what}"))?;
            node.compare(child)?;
            children += 1;
        }
        ensure(children == self.subkeys.len(), "missing subkeys")
    }
}
