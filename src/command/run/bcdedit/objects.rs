//! `/create`, `/copy`, `/delete`

use super::{Effect, Run, RunError};
use crate::{
    Guid,
    bcd::{ElementCode, ElementValue, NewObject, ObjectType, StoreError, WellKnown},
    command::{Word, diagnostic::Fault},
};

impl Run<'_, '_> {
    pub(super) fn create(
        &mut self,
        word: Option<&Word>,
        description: Option<&str>,
        object_type: Option<ObjectType>,
    ) -> Result<Effect, RunError> {
        let id = match word {
            // `{default}` is no object, whatever it stands for.
            Some(word) if WellKnown::named(&word.text).is_some_and(|known| known.object_type.is_none()) => {
                let message = format!("`{}` stands for another entry and cannot be made", word.text);
                return Err(Fault::new(word.span, message).into());
            }
            Some(word) => self.id_of(word)?,
            None => self.unused()?,
        };
        let implied = WellKnown::of(id).and_then(|known| known.object_type);
        let Some(object_type) = object_type.or(implied) else {
            return Err(RunError::Refused("the type of the new object is missing".to_owned()));
        };
        let mut new = NewObject::new(id, object_type);
        if let Some(description) = description {
            new = new.with(ElementCode::DESCRIPTION, &ElementValue::String(description.to_owned()));
        }
        let changes = match (self.store()?.create(&new), word) {
            (Err(error @ (StoreError::Exists(_) | StoreError::WrongType { .. })), Some(word)) => {
                return Err(self.blame(word, error));
            }
            (changes, _) => changes,
        };
        self.apply(changes)?;
        let name = WellKnown::of(id).map_or_else(|| format!("{id:?}"), |known| format!("{{{}}}", known.alias));
        Ok(Effect::text(format!("The entry {name} was successfully created.\n")))
    }

    pub(super) fn copy(&mut self, word: &Word, description: Option<&str>) -> Result<Effect, RunError> {
        let (from, to) = (self.object_of(word)?, self.unused()?);
        let changes = self.store()?.copy(from, to, description);
        self.apply(changes)?;
        Ok(Effect::text(format!("The entry was successfully copied to {to:?}.\n")))
    }

    pub(super) fn delete(&mut self, word: &Word, force: bool, cleanup: bool) -> Result<(), RunError> {
        let id = self.object_of(word)?;
        if let (Some(known), false) = (WellKnown::of(id), force) {
            let message = format!("{{{}}} is one of Windows' own objects", known.alias);
            return Err(Fault::new(word.span, message).hint("/f deletes it all the same").into());
        }
        let references = self.store()?.references(id).map_err(|error| self.failed(error))?;
        for reference in references {
            let (from, code) = (reference.from, reference.code);
            match reference.value {
                ElementValue::Device(_) => {
                    let warning = format!("{from:?}, element {code}, is a device whose options were in {id:?}");
                    self.warnings.push(warning);
                }
                ElementValue::Object(_) if code == ElementCode::DEFAULT => {
                    self.warnings.push("this was the default entry; /default names another".to_owned());
                }
                _ if !cleanup => self.warnings.push(format!("{from:?}, element {code}, still names {id:?}")),
                _ => {}
            }
        }
        let changes = self.store()?.delete(id, cleanup);
        self.apply(changes)
    }

    /// An identifier that no object has.
    fn unused(&self) -> Result<Guid, RunError> {
        let store = self.store()?;
        loop {
            let id = Guid::random();
            if store.object(id).map_err(|error| self.failed(error))?.is_none() {
                return Ok(id);
            }
        }
    }
}
