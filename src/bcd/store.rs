//! [`Store`], [`Object`], [`Element`]: reading.

use std::fmt;

use super::{Definition, ElementCode, ElementValue, ObjectType, StoreError, WellKnown};
use crate::{Data, Guid, HiveView, ValueType, name::KeyPath, tree::Key};

/// A boot configuration store: a hive with the keys `Objects` and `Description`.
///
/// ```
/// # fn main() -> Result<(), hivesmith::bcd::StoreError> {
/// use hivesmith::bcd::{ElementCode, ElementValue, NewObject, NewStore, ObjectType, Store, WellKnown};
///
/// let mut hive = NewStore::new().create()?;
/// let changes = Store::new(hive.view())?.create(&NewObject::new(WellKnown::BOOT_MANAGER, ObjectType::BOOT_MANAGER))?;
/// let mut txn = hive.begin()?;
/// txn.apply(&changes)?;
/// let timeout = ElementValue::Integer(5);
/// let changes = Store::new(txn.view())?.set(WellKnown::BOOT_MANAGER, ElementCode::TIMEOUT, &timeout)?;
/// txn.apply(&changes)?;
/// txn.commit()?;
///
/// let store = Store::new(hive.view())?;
/// let manager = store.object(WellKnown::BOOT_MANAGER)?.expect("just made");
/// assert_eq!(manager.value(ElementCode::TIMEOUT)?, Some(timeout));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy)]
pub struct Store<'a> {
    hive: HiveView<'a>,
    objects: Key<'a>,
}

impl<'a> Store<'a> {
    /// Takes a hive for a store.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotAStore`] where one of the two keys is missing.
    pub fn new(hive: HiveView<'a>) -> Result<Self, StoreError> {
        let root = hive.root()?;
        match (root.subkey(OBJECTS)?, root.subkey(DESCRIPTION)?) {
            (Some(objects), Some(_)) => Ok(Self { hive, objects }),
            _ => Err(StoreError::NotAStore),
        }
    }

    /// The hive.
    #[must_use]
    pub fn hive(self) -> HiveView<'a> {
        self.hive
    }

    /// All objects in the order of their keys. Keys whose names are no GUID in braces are passed over, see
    /// [`unknown_keys`](Self::unknown_keys).
    ///
    /// # Errors
    ///
    /// [`StoreError::Engine`] where a record is broken.
    pub fn objects(self) -> Result<Vec<Object<'a>>, StoreError> {
        let mut objects = Vec::new();
        for key in self.objects.subkeys()? {
            objects.extend(Object::of(key?)?);
        }
        Ok(objects)
    }

    /// The objects of one type.
    ///
    /// # Errors
    ///
    /// [`StoreError::Engine`] where a record is broken.
    pub fn objects_of(self, object_type: ObjectType) -> Result<Vec<Object<'a>>, StoreError> {
        let mut objects = self.objects()?;
        objects.retain(|object| object.object_type() == Some(object_type));
        Ok(objects)
    }

    /// An object by its identifier.
    ///
    /// # Errors
    ///
    /// [`StoreError::Engine`] where a record is broken.
    pub fn object(self, id: Guid) -> Result<Option<Object<'a>>, StoreError> {
        match self.objects.subkey(&format!("{id:?}"))? {
            Some(key) => Object::of(key),
            None => Ok(None),
        }
    }

    /// An object that must exist.
    ///
    /// # Errors
    ///
    /// [`StoreError::NoSuchObject`]; [`StoreError::Engine`] where a record is broken.
    pub fn existing(self, id: Guid) -> Result<Object<'a>, StoreError> {
        self.object(id)?.ok_or(StoreError::NoSuchObject(id))
    }

    /// Keys below `Objects` and `Elements` whose names are neither GUIDs nor codes, as paths.
    ///
    /// # Errors
    ///
    /// [`StoreError::Engine`] where a record is broken.
    pub fn unknown_keys(self) -> Result<Vec<String>, StoreError> {
        let mut unknown = Vec::new();
        for key in self.objects.subkeys()? {
            let key = key?;
            let Some(object) = Object::of(key)? else {
                unknown.push(key.path()?.to_string());
                continue;
            };
            if let Some(elements) = object.elements_key()? {
                for key in elements.subkeys()? {
                    let key = key?;
                    if code_of(key)?.is_none() {
                        unknown.push(key.path()?.to_string());
                    }
                }
            }
        }
        Ok(unknown)
    }

    /// The entry that the boot manager starts by itself, what `{default}` stands for: its `default`; else the first
    /// OS loader of its `displayorder`; else the only OS loader there is besides recovery environments.
    ///
    /// # Errors
    ///
    /// [`StoreError::NoDefault`] with the candidates; [`StoreError::Engine`] where a record is broken.
    pub fn default_entry(self) -> Result<Guid, StoreError> {
        let manager = self.object(WellKnown::BOOT_MANAGER)?;
        if let Some(manager) = manager {
            if let Some(ElementValue::Object(id)) = manager.value(ElementCode::DEFAULT)? {
                return Ok(id);
            }
            if let Some(ElementValue::ObjectList(ids)) = manager.value(ElementCode::DISPLAY_ORDER)? {
                for id in ids {
                    let object = self.object(id)?;
                    if object.is_some_and(|object| object.object_type() == Some(ObjectType::OS_LOADER)) {
                        return Ok(id);
                    }
                }
            }
        }
        let mut candidates = Vec::new();
        for object in self.objects_of(ObjectType::OS_LOADER)? {
            if object.starts_windows()? {
                candidates.push(object.id());
            }
        }
        match candidates[..] {
            [only] => Ok(only),
            _ => Err(StoreError::NoDefault(candidates)),
        }
    }

    /// What an identifier stands for: a GUID in any case with or without braces, or a name such as `{bootmgr}`.
    /// `{default}` is looked up; `{current}` means the Windows that runs, of which there is none here.
    ///
    /// The object need not exist.
    ///
    /// # Errors
    ///
    /// [`StoreError::NoIdentifier`], [`StoreError::Current`], [`StoreError::NoDefault`].
    pub fn resolve(self, identifier: &str) -> Result<Guid, StoreError> {
        let known = WellKnown::named(identifier).filter(|_| identifier.starts_with('{'));
        let id = match (known, identifier.parse::<Guid>()) {
            (Some(known), _) => known.id,
            (None, Ok(id)) => id,
            (None, Err(_)) => return Err(StoreError::NoIdentifier(identifier.to_owned())),
        };
        match id {
            WellKnown::DEFAULT => self.default_entry(),
            WellKnown::CURRENT => Err(StoreError::Current(self.default_entry().ok())),
            id => Ok(id),
        }
    }

    pub(super) fn objects_path() -> KeyPath {
        OBJECTS.into()
    }

    pub(super) fn path_of(id: Guid) -> KeyPath {
        Self::objects_path().join(format!("{id:?}"))
    }
}

impl fmt::Debug for Store<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Store").field("objects", &self.objects.subkey_count()).finish_non_exhaustive()
    }
}

/// One object of a store.
#[derive(Clone, Copy, Debug)]
pub struct Object<'a> {
    key: Key<'a>,
    id: Guid,
    kind: Option<ObjectType>,
}

impl<'a> Object<'a> {
    fn of(key: Key<'a>) -> Result<Option<Self>, StoreError> {
        // Without braces it is no object: nobody would find it by its identifier.
        let name = key.name()?.to_string();
        let Some(id) = name.parse::<Guid>().ok().filter(|_| name.starts_with('{')) else { return Ok(None) };
        let stored = match key.subkey(DESCRIPTION)? {
            Some(description) => description.value(TYPE)?,
            None => None,
        };
        let kind = match stored.map(crate::Value::decode).transpose()? {
            Some(Data::Dword(number)) => Some(ObjectType(number)),
            _ => None,
        };
        Ok(Some(Self { key, id, kind }))
    }

    /// Its identifier.
    #[must_use]
    pub fn id(self) -> Guid {
        self.id
    }

    /// Its type; none where it has none, or one that is no number.
    #[must_use]
    pub fn object_type(self) -> Option<ObjectType> {
        self.kind
    }

    /// Its key.
    #[must_use]
    pub fn key(self) -> Key<'a> {
        self.key
    }

    fn elements_key(self) -> Result<Option<Key<'a>>, StoreError> {
        Ok(self.key.subkey(ELEMENTS)?)
    }

    /// Its elements by ascending code.
    ///
    /// # Errors
    ///
    /// [`StoreError::Engine`] where a record is broken.
    pub fn elements(self) -> Result<Vec<Element>, StoreError> {
        let mut elements = Vec::new();
        if let Some(key) = self.elements_key()? {
            for key in key.subkeys()? {
                let key = key?;
                if let Some(code) = code_of(key)? {
                    elements.push(Element::of(code, key)?);
                }
            }
        }
        elements.sort_by_key(|element| element.code);
        Ok(elements)
    }

    /// One element.
    ///
    /// # Errors
    ///
    /// [`StoreError::Engine`] where a record is broken.
    pub fn element(self, code: ElementCode) -> Result<Option<Element>, StoreError> {
        let Some(elements) = self.elements_key()? else { return Ok(None) };
        match elements.subkey(&code.to_string())? {
            Some(key) => Element::of(code, key).map(Some),
            None => Ok(None),
        }
    }

    /// The value of one element; none where the element does not exist or holds nothing.
    ///
    /// # Errors
    ///
    /// [`StoreError::Engine`] where a record is broken.
    pub fn value(self, code: ElementCode) -> Result<Option<ElementValue>, StoreError> {
        Ok(self.element(code)?.and_then(|element| element.value()))
    }

    /// A text of it, such as its description.
    ///
    /// # Errors
    ///
    /// [`StoreError::Engine`] where a record is broken.
    pub fn text(self, code: ElementCode) -> Result<Option<String>, StoreError> {
        Ok(match self.value(code)? {
            Some(ElementValue::String(text)) => Some(text),
            _ => None,
        })
    }

    /// What is known of an element in an object of this type.
    #[must_use]
    pub fn definition(self, code: ElementCode) -> Option<&'static Definition> {
        Definition::of(code, self.kind.unwrap_or(ObjectType(0)))
    }

    /// Whether an OS loader starts an installed Windows, and not a recovery environment or another Windows PE.
    ///
    /// Both have the same type. What tells them apart is `winpe`, and that the environment is a RAM disk.
    ///
    /// # Errors
    ///
    /// [`StoreError::Engine`] where a record is broken.
    pub fn starts_windows(self) -> Result<bool, StoreError> {
        let path = self.text(ElementCode::PATH)?.unwrap_or_default().to_ascii_lowercase();
        let winpe = self.value(ElementCode::WINPE)? == Some(ElementValue::Boolean(true));
        let in_memory = match self.value(ElementCode::OS_DEVICE)? {
            Some(ElementValue::Device(device)) => {
                matches!(device.descriptor.kind, super::DeviceKind::Ramdisk { .. })
            }
            _ => false,
        };
        Ok(!winpe && !in_memory && (path.ends_with("winload.exe") || path.ends_with("winload.efi")))
    }
}

/// One element of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    /// Its code.
    pub code: ElementCode,
    /// Type and bytes as they are stored; none where the key has no value.
    pub stored: Option<(ValueType, Vec<u8>)>,
}

impl Element {
    fn of(code: ElementCode, key: Key<'_>) -> Result<Self, StoreError> {
        let stored = match key.value(ELEMENT)? {
            Some(value) => Some((value.kind(), value.data()?.into_owned())),
            None => None,
        };
        Ok(Self { code, stored })
    }

    /// What the bytes mean.
    #[must_use]
    pub fn value(&self) -> Option<ElementValue> {
        self.stored.as_ref().map(|(kind, bytes)| ElementValue::decode(self.code, *kind, bytes))
    }
}

/// The code that a key's name is.
fn code_of(key: Key<'_>) -> Result<Option<ElementCode>, StoreError> {
    let name = key.name()?.to_string();
    Ok(name.parse().ok().filter(|_| name.len() == 8))
}

pub(super) const OBJECTS: &str = "Objects";
pub(super) const DESCRIPTION: &str = "Description";
pub(super) const ELEMENTS: &str = "Elements";
pub(super) const ELEMENT: &str = "Element";
pub(super) const TYPE: &str = "Type";
