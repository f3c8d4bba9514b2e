//! Descriptors of keys in a [`Registry`].

use super::{Access, Entry, Located, Registry};
use crate::{
    RequestError, Result, SecurityScope,
    name::KeyPath,
    plan::{Step, StepKind},
    security::{Inherited, SecurityDescriptor, SecurityError},
};

impl Registry<'_> {
    /// Edits the descriptor of a key and, as far as `scope` says, those below: a step for each key that has another one
    /// then. What inheriting does beyond replacing entries is worth a warning.
    ///
    /// # Errors
    ///
    /// [`RequestError::NotFound`] where there is no such key; as
    /// [`Transaction::edit_security`](crate::Transaction::edit_security).
    pub fn edit_security(
        &mut self,
        at: &Located,
        scope: SecurityScope,
        edit: impl FnMut(&mut SecurityDescriptor) -> Result<(), SecurityError>,
        why: &str,
    ) -> Result<Vec<Step>> {
        let Some(Entry { access: Access::Write(txn), .. }) = self.hives.get_mut(at.hive) else {
            return Err(RequestError::ReadOnly.into());
        };
        let key = txn.find(&at.path)?.ok_or_else(|| RequestError::NotFound(at.key.to_string()))?;
        let changes = txn.edit_security(key, scope, edit)?;
        if !changes.is_empty() {
            self.mark_changed(at.hive);
        }
        let mut steps = Vec::with_capacity(changes.len());
        for change in changes {
            let path = self.view(at.hive)?.key_by_id(change.key)?.path()?;
            let below: KeyPath = path.names().iter().skip(at.path.names().len()).cloned().collect();
            let level = Located { hive: at.hive, key: at.key.below(&below), path };
            if let Some(warning) = change.inherited.and_then(warning) {
                self.warnings.push(format!("{}: {warning}", level.key));
            }
            let step = self.step(&level, StepKind::SetSecurity, why);
            steps.push(Step { security: Some(change), ..step });
        }
        Ok(steps)
    }
}

fn warning(inherited: Inherited) -> Option<&'static str> {
    match inherited {
        Inherited::Restricted => Some("had no list and was open to everybody; now it has what it inherits"),
        Inherited::Emptied => Some("nothing is left in its list: nobody but its owner gets in"),
        Inherited::ProtectedNow => Some(
            "its list dates from before inherited entries were marked, and taking new ones would move a grant past a \
             denial: it is protected now, and inherits nothing",
        ),
        _ => None,
    }
}
