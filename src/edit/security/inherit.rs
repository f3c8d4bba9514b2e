//! The descriptor of a new key: what its parent hands on.

use super::{
    super::key_at,
    record::{Places, add_references, record},
};
use crate::{
    CellOffset, Result,
    image::Image,
    security::{self, SecurityDescriptor, descriptor_of_new_key},
};

/// The record of a new key in `parent`, counted, if it is known from another key.
pub(in super::super) fn known_heir(image: &mut Image, parent: CellOffset) -> Result<Option<CellOffset>> {
    let heir = image.heir(key_at(image, parent)?.node().security());
    heir.map(|heir| add_references(image, heir, 1).map(|()| heir)).transpose()
}

/// The records of new keys below one another, of which the first lies in `parent`: found, not yet counted or made.
pub(in super::super) struct Inherited {
    /// For each level either a record that exists or the number of a descriptor that is to be found or made.
    levels: Vec<Level>,
    descriptors: Vec<Vec<u8>>,
    places: Option<Places>,
    parent: CellOffset,
    /// The last level has a descriptor of its own, which nobody inherits.
    own: bool,
}

#[derive(Clone, Copy)]
enum Level {
    Record(CellOffset),
    Descriptor(usize),
}

impl Inherited {
    /// What so many keys below one another inherit, unless the last one has a descriptor of its own. Nothing is written.
    pub(in super::super) fn find(
        image: &mut Image,
        parent: CellOffset,
        levels: usize,
        own: Option<&[u8]>,
    ) -> Result<Self> {
        let parent = key_at(image, parent)?.security()?.offset();
        let mut at = Level::Record(parent);
        let mut found = Self { levels: Vec::new(), descriptors: Vec::new(), places: None, parent, own: own.is_some() };
        for _ in usize::from(own.is_some())..levels {
            at = found.next(image, at)?;
            found.levels.push(at);
        }
        if let Some(own) = own {
            security::validate(own)?;
            found.levels.push(Level::Descriptor(found.descriptors.len()));
            found.descriptors.push(own.to_vec());
        }
        if !found.descriptors.is_empty() {
            let wanted: Vec<&[u8]> = found.descriptors.iter().map(Vec::as_slice).collect();
            found.places = Some(Places::find(image, &wanted)?);
        }
        Ok(found)
    }

    /// What a key below one with this descriptor inherits.
    fn next(&mut self, image: &Image, above: Level) -> Result<Level> {
        let bytes = match above {
            Level::Record(at) => match image.heir(at) {
                Some(heir) => return Ok(Level::Record(heir)),
                None => record(image, at)?.descriptor,
            },
            Level::Descriptor(number) => self.descriptors.get(number).map_or(&[][..], Vec::as_slice),
        };
        if image.new_keys_share() {
            return Ok(above);
        }
        let Some(handed_on) = handed_on(bytes)?.filter(|handed_on| handed_on != bytes) else { return Ok(above) };
        self.descriptors.push(handed_on);
        Ok(Level::Descriptor(self.descriptors.len() - 1))
    }

    /// The record of each level, counted for so many keys there, and made where it did not exist.
    pub(in super::super) fn take(self, image: &mut Image, keys: &[u32]) -> Result<Vec<CellOffset>> {
        let mut made = Vec::new();
        if let Some(places) = self.places {
            let wanted: Vec<&[u8]> = self.descriptors.iter().map(Vec::as_slice).collect();
            let users: Vec<u32> = (0..wanted.len())
                .map(|number| {
                    let uses = |level: &Level| matches!(level, Level::Descriptor(used) if *used == number);
                    self.levels.iter().zip(keys).filter(|(level, _)| uses(level)).map(|(_, keys)| keys).sum()
                })
                .collect();
            made = places.take(image, &wanted, &users)?;
        }
        let (mut above, levels) = (self.parent, self.levels.len());
        let mut records = Vec::with_capacity(self.levels.len());
        for (level, &keys) in self.levels.into_iter().zip(keys) {
            let at = match level {
                Level::Record(at) => {
                    add_references(image, at, keys)?;
                    at
                }
                Level::Descriptor(number) => made.get(number).copied().unwrap_or(above),
            };
            records.push(at);
            if !self.own || records.len() < levels {
                image.set_heir(above, at);
            }
            above = at;
        }
        Ok(records)
    }
}

/// The descriptor of a new key below one with this descriptor; none if that hands nothing on.
fn handed_on(parent: &[u8]) -> Result<Option<Vec<u8>>> {
    let new = descriptor_of_new_key(&SecurityDescriptor::parse(parent)?)?;
    Ok(new.map(|new| new.to_bytes()))
}
