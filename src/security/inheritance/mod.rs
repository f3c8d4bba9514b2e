//! What an object takes from the one that holds it (MS-DTYP 2.5.3.4).
//!
//! * `aces`: the entries a child takes from a parent's list
//! * `create`: the descriptor of a new object
//! * `propagate`: an existing object below a parent whose list has changed

mod aces;
mod create;
mod new_key;
mod propagate;

pub(super) use aces::settled;
pub use create::NewObject;
pub use new_key::descriptor_of_new_key;
pub use propagate::{Inherited, Propagated, propagate};

use super::{acl::AclState, control::Control, descriptor::SecurityDescriptor};

/// One of the two lists of a descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ListKind {
    /// Who may do what.
    Dacl,
    /// What is audited, the integrity label, resource attributes.
    Sacl,
}

impl ListKind {
    pub(super) fn of(self, descriptor: &SecurityDescriptor) -> &AclState {
        match self {
            Self::Dacl => descriptor.dacl(),
            Self::Sacl => descriptor.sacl(),
        }
    }

    pub(super) fn set(self, descriptor: &mut SecurityDescriptor, list: AclState) {
        match self {
            Self::Dacl => descriptor.set_dacl(list),
            Self::Sacl => descriptor.set_sacl(list),
        }
    }

    pub(super) fn protected(self) -> Control {
        match self {
            Self::Dacl => Control::DACL_PROTECTED,
            Self::Sacl => Control::SACL_PROTECTED,
        }
    }

    pub(super) fn auto_inherited(self) -> Control {
        match self {
            Self::Dacl => Control::DACL_AUTO_INHERITED,
            Self::Sacl => Control::SACL_AUTO_INHERITED,
        }
    }

    pub(super) fn auto_inherit_requested(self) -> Control {
        match self {
            Self::Dacl => Control::DACL_AUTO_INHERIT_REQ,
            Self::Sacl => Control::SACL_AUTO_INHERIT_REQ,
        }
    }

    pub(super) fn defaulted(self) -> Control {
        match self {
            Self::Dacl => Control::DACL_DEFAULTED,
            Self::Sacl => Control::SACL_DEFAULTED,
        }
    }
}
