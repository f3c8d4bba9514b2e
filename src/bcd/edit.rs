//! Changing a store. Every function only says what to change: a [`Transaction`](crate::Transaction) or a plan makes it
//! so, and can show it before.
//!
//! Changes come in an order that makes every prefix of them a store that boots at least as well as before: what is new
//! comes whole and before anything that refers to it, references go before what they refer to.

use super::{
    Element, ElementCode, ElementValue, Object, ObjectType, Store, StoreError, WellKnown,
    store::{DESCRIPTION, ELEMENT, ELEMENTS, TYPE},
};
use crate::{
    Guid, ValueType,
    edit::{Change, NewKey},
};

/// An object to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewObject {
    id: Guid,
    object_type: ObjectType,
    elements: Vec<(ElementCode, ValueType, Vec<u8>)>,
}

impl NewObject {
    /// An object without elements.
    #[must_use]
    pub fn new(id: Guid, object_type: ObjectType) -> Self {
        Self { id, object_type, elements: Vec::new() }
    }

    /// With one more element; an empty list of objects is none.
    #[must_use]
    pub fn with(self, code: ElementCode, value: &ElementValue) -> Self {
        if is_nothing(value) {
            return self;
        }
        let (kind, bytes) = value.encode();
        self.with_stored(code, kind, bytes)
    }

    fn with_stored(mut self, code: ElementCode, kind: ValueType, bytes: Vec<u8>) -> Self {
        self.elements.retain(|(known, ..)| *known != code);
        self.elements.push((code, kind, bytes));
        self
    }

    /// With all elements of an object, as they are stored.
    fn with_all_of(mut self, object: Object<'_>) -> Result<Self, StoreError> {
        let stored =
            object.elements()?.into_iter().filter_map(|it| it.stored.map(|(kind, bytes)| (it.code, kind, bytes)));
        self.elements.extend(stored);
        Ok(self)
    }

    fn change(self) -> Change {
        let description = NewKey::new().value(TYPE, ValueType::DWORD, self.object_type.0.to_le_bytes());
        let elements = self.elements.into_iter().fold(NewKey::new(), |elements, (code, kind, bytes)| {
            elements.subkey(code.to_string(), element_key(kind, bytes))
        });
        let tree = NewKey::new().subkey(DESCRIPTION, description).subkey(ELEMENTS, elements);
        Change::CreateTree { key: Store::path_of(self.id), tree }
    }
}

/// Where in a list something is put.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// Before all others.
    First,
    /// Behind all others.
    Last,
}

/// An element that names an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The object that has the element.
    pub from: Guid,
    /// The element.
    pub code: ElementCode,
    /// Its value.
    pub value: ElementValue,
}

impl Store<'_> {
    /// Sets an element. One that means this already stays as it is, an empty list deletes it.
    ///
    /// # Errors
    ///
    /// [`StoreError::NoSuchObject`]; [`StoreError::WrongFormat`] where the value is not of the format of the code.
    pub fn set(self, id: Guid, code: ElementCode, value: &ElementValue) -> Result<Vec<Change>, StoreError> {
        if value.format() != Some(code.format()) {
            return Err(StoreError::WrongFormat(code));
        }
        if is_nothing(value) {
            return self.delete_element(id, code);
        }
        let existing = self.existing(id)?.element(code)?;
        if existing.as_ref().and_then(Element::value).as_ref() == Some(value) {
            return Ok(Vec::new());
        }
        let (kind, bytes) = value.encode();
        Ok(vec![change_of(id, code, existing.is_some(), kind, bytes)])
    }

    /// Deletes an element; nothing where there is none.
    ///
    /// # Errors
    ///
    /// [`StoreError::NoSuchObject`].
    pub fn delete_element(self, id: Guid, code: ElementCode) -> Result<Vec<Change>, StoreError> {
        let existing = self.existing(id)?.element(code)?;
        Ok(existing.map(|_| Change::DeleteTree { key: element_path(id, code) }).into_iter().collect())
    }

    /// Makes an object.
    ///
    /// # Errors
    ///
    /// [`StoreError::Exists`]; [`StoreError::Virtual`] for `{default}` and `{current}`; [`StoreError::WrongType`] for a
    /// well-known object of another type than its own.
    pub fn create(self, new: &NewObject) -> Result<Vec<Change>, StoreError> {
        if let Some(known) = WellKnown::of(new.id) {
            match known.object_type {
                None => return Err(StoreError::Virtual(new.id)),
                Some(expected) if expected != new.object_type => {
                    return Err(StoreError::WrongType { id: new.id, expected, found: new.object_type });
                }
                Some(_) => {}
            }
        }
        if self.object(new.id)?.is_some() {
            return Err(StoreError::Exists(new.id));
        }
        Ok(vec![new.clone().change()])
    }

    /// Makes a copy of an object with all its elements, as they are stored; no list refers to it.
    ///
    /// # Errors
    ///
    /// [`StoreError::NoSuchObject`]; as [`create`](Self::create) for the copy.
    pub fn copy(self, from: Guid, to: Guid, description: Option<&str>) -> Result<Vec<Change>, StoreError> {
        let object = self.existing(from)?;
        let mut new = NewObject::new(to, object.object_type().unwrap_or(ObjectType(0))).with_all_of(object)?;
        if let Some(description) = description {
            new = new.with(ElementCode::DESCRIPTION, &ElementValue::String(description.to_owned()));
        }
        self.create(&new)
    }

    /// Deletes an object; with `cleanup` first whatever refers to it: it leaves the lists it is in, and elements that
    /// are that object alone go. Devices keep it as the name of their options.
    ///
    /// # Errors
    ///
    /// [`StoreError::NoSuchObject`].
    pub fn delete(self, id: Guid, cleanup: bool) -> Result<Vec<Change>, StoreError> {
        self.existing(id)?;
        let mut changes = Vec::new();
        for reference in if cleanup { self.references(id)? } else { Vec::new() } {
            let Reference { from, code, value } = reference;
            match value {
                ElementValue::ObjectList(mut ids) => {
                    ids.retain(|member| *member != id);
                    changes.extend(self.set(from, code, &ElementValue::ObjectList(ids))?);
                }
                ElementValue::Object(_) => changes.extend(self.delete_element(from, code)?),
                _ => {}
            }
        }
        changes.push(Change::DeleteTree { key: Store::path_of(id) });
        Ok(changes)
    }

    /// The elements of other objects that name an object.
    ///
    /// # Errors
    ///
    /// [`StoreError::Engine`] where a record is broken.
    pub fn references(self, id: Guid) -> Result<Vec<Reference>, StoreError> {
        let mut references = Vec::new();
        for object in self.objects()?.into_iter().filter(|object| object.id() != id) {
            for element in object.elements()? {
                if let Some(value) = element.value().filter(|value| value.objects().contains(&id)) {
                    references.push(Reference { from: object.id(), code: element.code, value });
                }
            }
        }
        Ok(references)
    }

    /// The members of a list; none where it does not exist.
    ///
    /// # Errors
    ///
    /// [`StoreError::NoSuchObject`]; [`StoreError::UnreadableList`] where something else is stored.
    pub fn list(self, id: Guid, code: ElementCode) -> Result<Vec<Guid>, StoreError> {
        match self.existing(id)?.value(code)? {
            Some(ElementValue::ObjectList(ids)) => Ok(ids),
            Some(_) => Err(StoreError::UnreadableList(id, code)),
            None => Ok(Vec::new()),
        }
    }

    /// Puts objects into a list, in their order. Those that are in it already move.
    ///
    /// # Errors
    ///
    /// As [`set`](Self::set), and as [`list`](Self::list).
    pub fn add_to_list(
        self,
        id: Guid,
        code: ElementCode,
        members: &[Guid],
        place: Place,
    ) -> Result<Vec<Change>, StoreError> {
        let mut rest = self.list(id, code)?;
        rest.retain(|member| !members.contains(member));
        let members = members.to_vec();
        let list = match place {
            Place::First => members.into_iter().chain(rest).collect(),
            Place::Last => rest.into_iter().chain(members).collect(),
        };
        self.set(id, code, &ElementValue::ObjectList(without_doubles(list)))
    }

    /// Takes objects off a list; the last one takes the list with it.
    ///
    /// # Errors
    ///
    /// As [`set`](Self::set), and as [`list`](Self::list).
    pub fn remove_from_list(self, id: Guid, code: ElementCode, members: &[Guid]) -> Result<Vec<Change>, StoreError> {
        let mut list = self.list(id, code)?;
        list.retain(|member| !members.contains(member));
        self.set(id, code, &ElementValue::ObjectList(list))
    }

    /// Makes a settings object such as `{emssettings}` where the store has none, and lets `{globalsettings}` inherit it
    /// where there are those: without that nobody would read it.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create).
    pub fn ensure_settings(self, id: Guid) -> Result<Vec<Change>, StoreError> {
        if self.object(id)?.is_some() {
            return Ok(Vec::new());
        }
        let object_type = WellKnown::of(id).and_then(|known| known.object_type).unwrap_or(ObjectType::SETTINGS);
        let mut changes = self.create(&NewObject::new(id, object_type))?;
        let heir = if object_type == ObjectType::SETTINGS {
            WellKnown::GLOBAL_SETTINGS
        } else {
            WellKnown::BOOT_LOADER_SETTINGS
        };
        if self.object(heir)?.is_some() && heir != id {
            changes.extend(self.add_to_list(heir, ElementCode::INHERIT, &[id], Place::Last)?);
        }
        Ok(changes)
    }

    /// Gives this store the objects of another: theirs as they are, and no others. What this store says of itself
    /// (its `Description`) stays.
    ///
    /// First comes what is new, then what objects of both stores hold, the boot manager's last, since it names the
    /// others; then goes what the other store does not have. So whatever is there at any moment names only what exists.
    ///
    /// # Errors
    ///
    /// [`StoreError::Engine`] where a record of one of them is broken.
    pub fn import(self, other: Store<'_>) -> Result<Vec<Change>, StoreError> {
        let (mut made, mut changed, mut gone) = (Vec::new(), Vec::new(), Vec::new());
        let mut theirs = other.objects()?;
        theirs.sort_by_key(|object| object.object_type().is_some_and(starts_others));
        for theirs in theirs {
            let id = theirs.id();
            let ours = self.object(id)?;
            if ours.is_none_or(|ours| ours.object_type() != theirs.object_type()) {
                made.extend(ours.map(|_| Change::DeleteTree { key: Store::path_of(id) }));
                let new = NewObject::new(id, theirs.object_type().unwrap_or(ObjectType(0)));
                made.push(new.with_all_of(theirs)?.change());
                continue;
            }
            let (before, after) = (ours.map(Object::elements).transpose()?.unwrap_or_default(), theirs.elements()?);
            // Both are in the order of their codes.
            let find = |elements: &[Element], code| elements.binary_search_by_key(&code, |element| element.code).ok();
            for Element { code, stored } in &after {
                let existing = find(&before, *code).and_then(|at| before.get(at));
                match stored {
                    Some((kind, bytes)) if existing.map(|it| &it.stored) != Some(stored) => {
                        changed.push(change_of(id, *code, existing.is_some(), *kind, bytes.clone()));
                    }
                    _ => {}
                }
            }
            let superfluous = before.iter().filter(|existing| find(&after, existing.code).is_none());
            changed.extend(superfluous.map(|element| Change::DeleteTree { key: element_path(id, element.code) }));
        }
        for ours in self.objects()? {
            if other.object(ours.id())?.is_none() {
                gone.push(Change::DeleteTree { key: Store::path_of(ours.id()) });
            }
        }
        made.extend(changed);
        made.extend(gone);
        Ok(made)
    }
}

/// Boot managers: their elements name what they start.
fn starts_others(object_type: ObjectType) -> bool {
    [ObjectType::BOOT_MANAGER, ObjectType::FIRMWARE_BOOT_MANAGER].contains(&object_type)
}

/// An element whose key exists gets another value; one that does not comes into being with it, since boot code stops
/// at an element that has none.
fn change_of(id: Guid, code: ElementCode, exists: bool, kind: ValueType, data: Vec<u8>) -> Change {
    let key = element_path(id, code);
    if exists {
        Change::SetValue { key, name: ELEMENT.into(), kind, data }
    } else {
        Change::CreateTree { key, tree: element_key(kind, data) }
    }
}

fn element_key(kind: ValueType, data: Vec<u8>) -> NewKey {
    NewKey::new().value(ELEMENT, kind, data)
}

fn element_path(id: Guid, code: ElementCode) -> crate::name::KeyPath {
    Store::path_of(id).join(ELEMENTS).join(code.to_string())
}

/// No store has an empty list of objects: the element is missing then.
fn is_nothing(value: &ElementValue) -> bool {
    matches!(value, ElementValue::ObjectList(ids) if ids.is_empty())
}

fn without_doubles(list: Vec<Guid>) -> Vec<Guid> {
    let mut seen = std::collections::HashSet::new();
    list.into_iter().filter(|id| seen.insert(*id)).collect()
}
