//! `/set`, `/deletevalue`, and the verbs that are short for them.

use super::{Names, Run, RunError};
use crate::{
    Guid,
    bcd::{Definition, ElementCode, ElementValue, Format, ObjectKind, ObjectType, Place, Scope, Store, WellKnown},
    command::{
        Word,
        bcdedit::{ElementRef, ListEdit, ObjectRef, element_of, value_of},
        diagnostic::Fault,
    },
};

impl Run<'_, '_> {
    pub(super) fn set(
        &mut self,
        object: &ObjectRef,
        element: &ElementRef,
        values: &[Word],
        list: Option<ListEdit>,
    ) -> Result<(), RunError> {
        let id = self.object(object)?;
        let (object_type, code) = self.element(id, element)?;
        if code.format() == Format::ObjectList {
            return self.set_list(id, code, values, list);
        }
        if let (Some(word), Some(_)) = (values.first(), list) {
            let message = "/addfirst, /addlast and /remove are for lists of objects, and this element is none";
            return Err(Fault::new(word.span, message).into());
        }
        let names = Names { store: self.store()?, partitions: &self.partitions };
        let value = value_of(code, object_type, values, &names)?;
        if let (ElementValue::Object(named), Some(word)) = (&value, values.first()) {
            self.expect_member(code, *named, word)?;
        }
        let changes = self.store()?.set(id, code, &value);
        self.warn_of(id, code);
        self.apply(changes)
    }

    fn set_list(
        &mut self,
        id: Guid,
        code: ElementCode,
        words: &[Word],
        edit: Option<ListEdit>,
    ) -> Result<(), RunError> {
        let mut members = Vec::new();
        for word in words {
            let member = self.id_of(word)?;
            if members.contains(&member) {
                let message = "this entry is named twice; a list holds it once";
                return Err(Fault::new(word.span, message).into());
            }
            if edit != Some(ListEdit::Remove) {
                self.expect_member(code, member, word)?;
            }
            members.push(member);
        }
        let store = self.store()?;
        let changes = match edit {
            None => store.set(id, code, &ElementValue::ObjectList(members)),
            Some(ListEdit::AddFirst) => store.add_to_list(id, code, &members, Place::First),
            Some(ListEdit::AddLast) => store.add_to_list(id, code, &members, Place::Last),
            Some(ListEdit::Remove) => {
                let before = store.list(id, code).map_err(|error| self.failed(error))?;
                let missing = words.iter().zip(&members).filter(|(_, member)| !before.contains(member));
                let missing: Vec<String> =
                    missing.map(|(word, _)| format!("{} was not in the list", word.text)).collect();
                let changes = store.remove_from_list(id, code, &members);
                self.warnings.extend(missing);
                changes
            }
        };
        self.warn_of(id, code);
        self.apply(changes)
    }

    /// What the boot manager offers or starts must exist, and be something that starts. Elsewhere, as in `inherit`,
    /// bcdedit itself lets one name what does not exist.
    fn expect_member(&mut self, code: ElementCode, member: Guid, word: &Word) -> Result<(), RunError> {
        match self.store()?.existing(member) {
            Ok(object) => match object.object_type() {
                Some(kind)
                    if is_boot_managers(code) && matches!(kind.kind(), ObjectKind::Inherit | ObjectKind::Device) =>
                {
                    let heading = super::show::heading(member, Some(kind));
                    let fault = Fault::new(word.span, format!("`{}` is {heading}, which nothing starts", word.text));
                    Err(fault.hint("`/enum active` and `/enum osloader` show entries that start").into())
                }
                _ => Ok(()),
            },
            Err(error) if is_boot_managers(code) => Err(self.blame(word, error)),
            Err(error) => {
                self.warnings.push(format!("{error}: what refers to it has no effect until it exists"));
                Ok(())
            }
        }
    }

    pub(super) fn put(&mut self, object: &ObjectRef, code: ElementCode, value: &ElementValue) -> Result<(), RunError> {
        let id = self.object(object)?;
        let object_type = self.type_of(id)?;
        if Definition::of(code, object_type).is_none() {
            let name = Definition::all().iter().find(|known| known.code == code).and_then(|known| known.name);
            let heading = super::show::heading(id, Some(object_type));
            let message = format!("`{}` is not an element of a {heading} ({object_type})", name.unwrap_or("it"));
            return Err(match object {
                ObjectRef::Named(word) => {
                    let fault = Fault::new(word.span, message);
                    fault.hint("name the entry that starts Windows: {default}, or one that /enum osloader shows").into()
                }
                ObjectRef::Known(_) => RunError::Refused(message),
            });
        }
        let changes = self.store()?.set(id, code, value);
        self.warn_of(id, code);
        self.apply(changes)
    }

    pub(super) fn delete_value(&mut self, object: &ObjectRef, element: &ElementRef) -> Result<(), RunError> {
        let id = self.object(object)?;
        let (_, code) = self.element(id, element)?;
        let changes = self.store()?.delete_element(id, code);
        if changes.as_ref().is_ok_and(Vec::is_empty) {
            let what = match element {
                ElementRef::Named(word) => word.text.clone(),
                ElementRef::Known(code) => code.to_string(),
            };
            return Err(RunError::NotFound(format!("{id:?} has no element {what}")));
        }
        self.warn_of(id, code);
        self.apply(changes)
    }

    /// Settings objects are made where the store has none, and reach what starts by being inherited.
    pub(super) fn settings(
        &mut self,
        object: Guid,
        set: &[(ElementCode, ElementValue)],
        delete: &[ElementCode],
    ) -> Result<(), RunError> {
        let changes = self.store()?.ensure_settings(object);
        self.apply(changes)?;
        for (code, value) in set {
            let changes = self.store()?.set(object, *code, value);
            self.apply(changes)?;
        }
        for code in delete {
            let changes = self.store()?.delete_element(object, *code);
            self.apply(changes)?;
        }
        Ok(())
    }

    fn element(&self, id: Guid, element: &ElementRef) -> Result<(ObjectType, ElementCode), RunError> {
        let object_type = self.type_of(id)?;
        let heading = super::show::heading(id, Some(object_type));
        Ok((object_type, element_of(element, object_type, &heading)?))
    }

    fn type_of(&self, id: Guid) -> Result<ObjectType, RunError> {
        let object = self.store()?.existing(id).map_err(|error| self.failed(error))?;
        Ok(object.object_type().unwrap_or(ObjectType(0)))
    }

    /// What an edit of the store alone does not do.
    pub(super) fn warn_of(&mut self, id: Guid, code: ElementCode) {
        let in_nvram = [ElementCode::DEVICE, ElementCode::PATH, ElementCode::DESCRIPTION].contains(&code)
            || id == WellKnown::FIRMWARE_BOOT_MANAGER;
        if in_nvram {
            let Ok(store) = self.store() else { return };
            if id == WellKnown::FIRMWARE_BOOT_MANAGER || has_firmware_variable(store, id) {
                self.warnings.push(
                    "this machine's firmware keeps a copy of this in its NVRAM, which cannot be changed from here"
                        .to_owned(),
                );
            }
        }
        if SECURED.contains(&code.0) {
            self.warnings.push("where Secure Boot is on, Windows ignores this element or refuses it".to_owned());
        }
    }
}

/// Whether the firmware's own entry for an object was copied into the store.
fn has_firmware_variable(store: Store<'_>, id: Guid) -> bool {
    let Ok(Some(object)) = store.object(id) else { return false };
    let Ok(Some(description)) = object.key().subkey("Description") else { return false };
    matches!(description.value("FirmwareVariable"), Ok(Some(_)))
}

fn is_boot_managers(code: ElementCode) -> bool {
    let known = |known: &&Definition| known.code == code && known.scope == Scope::BootManager;
    code.class() == 2
        && Definition::all().iter().any(|definition| known(&definition))
        && matches!(code.format(), Format::Object | Format::ObjectList)
        && code != RESUME_OBJECT
}

/// Of an OS loader; the boot manager's own has another code.
const RESUME_OBJECT: ElementCode = ElementCode(0x2300_0006);

/// `bootdebug`, `nointegritychecks`, `testsigning`, `debug`
const SECURED: [u32; 4] = [0x1600_0010, 0x1600_0048, 0x1600_0049, 0x2600_00a0];
