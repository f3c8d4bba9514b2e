//! What can be done to the descriptor of a key.

use super::super::{
    Accounts,
    run::{Effect, RunError},
};
use super::listing::withheld;
use crate::{
    SecurityScope,
    plan::{Located, Registry},
    security::{
        AceFlags, Acl, AclState, Control, Edited, Entries, ObjectKind, Permission, SecurityDescriptor, SecurityError,
        Sid,
    },
};

/// An edit of a key's descriptor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyEdit {
    /// Puts in the parts that this descriptor has; those that it does not have stay.
    Set(Box<SecurityDescriptor>),
    /// Allows.
    Grant {
        /// Whom, what.
        permissions: Vec<Permission>,
        /// And nothing else that these were allowed by entries of the key's own.
        only: bool,
    },
    /// Denies.
    Deny(Vec<Permission>),
    /// Takes away the key's own entries for these.
    Remove(Vec<(Sid, Entries)>),
    /// Gives the key an owner.
    Owner(Sid),
}

impl KeyEdit {
    /// Makes the edit. Whether it has to be left: entries are not added to a list that is open to everybody.
    ///
    /// # Errors
    ///
    /// [`SecurityError::TooLarge`] where a list would be.
    pub fn apply(&self, descriptor: &mut SecurityDescriptor) -> Result<Edited, SecurityError> {
        let before = descriptor.clone();
        let mut done = Edited::Unchanged;
        let mut note = |edited: Edited| {
            if edited != Edited::Unchanged {
                done = edited;
            }
        };
        match self {
            Self::Set(wanted) => set(descriptor, wanted),
            Self::Owner(owner) => descriptor.set_owner(Some(*owner)),
            Self::Grant { permissions, only } => {
                for permission in permissions {
                    note(if *only {
                        descriptor.grant_only(permission, ObjectKind::KEY)?
                    } else {
                        descriptor.grant(permission, ObjectKind::KEY)?
                    });
                }
            }
            Self::Deny(permissions) => {
                for permission in permissions {
                    note(descriptor.deny(permission, ObjectKind::KEY)?);
                }
            }
            Self::Remove(trustees) => {
                for (trustee, entries) in trustees {
                    note(descriptor.remove(trustee, *entries)?);
                }
            }
        }
        let changed = if *descriptor == before { Edited::Unchanged } else { Edited::Changed };
        Ok(if matches!(self, Self::Set(_) | Self::Owner(_)) { changed } else { done })
    }
}

fn set(descriptor: &mut SecurityDescriptor, wanted: &SecurityDescriptor) {
    if let Some(owner) = wanted.owner() {
        descriptor.set_owner(Some(*owner));
    }
    if let Some(group) = wanted.group() {
        descriptor.set_group(Some(*group));
    }
    let mut control = descriptor.control();
    if *wanted.dacl() != AclState::Absent {
        descriptor.set_dacl(wanted.dacl().clone());
        control = take_bits(control, wanted.control(), DACL_BITS);
    }
    if *wanted.sacl() != AclState::Absent {
        descriptor.set_sacl(wanted.sacl().clone());
        control = take_bits(control, wanted.control(), SACL_BITS);
    }
    descriptor.set_control(control);
}

fn take_bits(old: Control, new: Control, bits: Control) -> Control {
    old.difference(bits) | new.intersection(bits)
}

/// What text says of a list besides its entries. `AR` is a request to Windows and is not stored.
const DACL_BITS: Control = Control::DACL_PROTECTED.union(Control::DACL_AUTO_INHERITED).union(Control::DACL_DEFAULTED);
const SACL_BITS: Control = Control::SACL_PROTECTED.union(Control::SACL_AUTO_INHERITED).union(Control::SACL_DEFAULTED);

/// Edits a key of a registry and, as far as `scope` says, the keys below it.
///
/// # Errors
///
/// [`RunError::NotFound`] where there is no such key, [`RunError::Refused`] where an entry would lock everybody else out
/// of a key that is open to all; the engine's.
pub fn edit_key(
    registry: &mut Registry<'_>,
    at: &Located,
    edit: &KeyEdit,
    scope: SecurityScope,
    accounts: &Accounts,
    why: &str,
) -> Result<Effect, RunError> {
    let engine = |registry: &Registry<'_>, error| RunError::Engine(registry.path(at.hive).to_owned(), error);
    if registry.key(at).map_err(|error| engine(registry, error))?.is_none() {
        return Err(RunError::NotFound(at.key.to_string()));
    }
    // Descriptors without a list that were left alone.
    let mut open = 0;
    let done = registry.edit_security(
        at,
        scope,
        |descriptor| {
            open += usize::from(edit.apply(descriptor)? == Edited::NoList);
            Ok(())
        },
        why,
    );
    let steps = done.map_err(|error| engine(registry, error))?;
    let mut warnings = registry.take_warnings();
    if open > 0 && matches!(edit, KeyEdit::Deny(_)) {
        return Err(RunError::Refused(format!(
            "{}: no list says who may do what, so everybody may do everything, and a list with a denial alone would lock \
             everybody out; give it a whole list with set",
            at.key
        )));
    }
    if open > 0 && matches!(edit, KeyEdit::Grant { .. }) {
        warnings.push(format!(
            "{}: no list says who may do what, so everybody may do everything already; one grant would lock everybody \
             else out, so none was added",
            at.key
        ));
    }
    let key = registry.key(at).map_err(|error| engine(registry, error))?;
    if let (Some(key), KeyEdit::Grant { .. } | KeyEdit::Remove(_)) = (key, edit) {
        let descriptor = key.security().and_then(crate::SecurityView::descriptor);
        let descriptor = descriptor.map_err(|error| engine(registry, error))?;
        match edit {
            KeyEdit::Grant { permissions, .. } => {
                warnings.extend(permissions.iter().flat_map(|permission| withheld(&descriptor, permission, accounts)));
            }
            KeyEdit::Remove(trustees) => warnings.extend(still_inherited(&descriptor, trustees, accounts)),
            _ => {}
        }
    }
    Ok(Effect { steps, warnings, ..Effect::default() })
}

/// What removing own entries does not do.
fn still_inherited(descriptor: &SecurityDescriptor, trustees: &[(Sid, Entries)], accounts: &Accounts) -> Vec<String> {
    let aces = descriptor.dacl().acl().map_or(&[][..], Acl::aces);
    let inherits =
        |sid: &Sid| aces.iter().any(|ace| ace.flags().contains(AceFlags::INHERITED) && ace.sid() == Some(sid));
    let said = trustees.iter().filter(|(trustee, _)| inherits(trustee)).map(|(trustee, _)| {
        format!(
            "entries for {} that the key inherits stay: they are removed where they come from",
            accounts.name(trustee)
        )
    });
    said.collect()
}
