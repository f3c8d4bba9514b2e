//! Editing lists as `icacls` does it.
//!
//! * `grant`: allow, deny
//! * `remove`: take entries away, replace one SID by another
//! * `protect`: stop and resume inheriting, start anew
//! * `label`: the integrity level
//! * `order`: where a new entry goes, and what is wrong with the order of a list
//!
//! No edit looks at the parent except those that are about it. Windows' own tools recompute the inherited entries
//! whenever they write a list; call [`SecurityDescriptor::inherit`] after an edit to do the same.

mod grant;
mod label;
mod order;
#[cfg(test)]
mod properties;
mod protect;
mod remove;

pub use label::IntegrityLevel;
pub use order::Disorder;
pub use remove::Entries;

use super::{
    access_mask::AccessMask,
    ace::Ace,
    ace_type::{AceFlags, AceType},
    acl::AclState,
    descriptor::SecurityDescriptor,
    error::SecurityError,
    inheritance::{ListKind, settled},
    object_kind::ObjectKind,
    sid::Sid,
};

/// Who may or may not do what, here or below: what `icacls` writes as `trustee:(OI)(CI)(RX)`.
///
/// ```
/// use hivesmith::security::{AccessMask, AceFlags, ObjectKind, Permission, SecurityDescriptor, well_known};
///
/// let everything = Permission::new(well_known::LOCAL_SYSTEM, AccessMask::FILE_ALL)
///     .handed_on(AceFlags::OBJECT_INHERIT | AceFlags::CONTAINER_INHERIT);
/// let mut descriptor: SecurityDescriptor = "O:BAG:BAD:AI(A;;FR;;;BU)(A;ID;FA;;;BA)".parse()?;
/// assert!(descriptor.grant(&everything, ObjectKind::DIRECTORY)?.changed());
/// assert_eq!(descriptor.to_string(), "O:BAG:BAD:AI(A;OICI;FA;;;SY)(A;;FR;;;BU)(A;ID;FA;;;BA)");
/// assert!(!descriptor.grant(&everything, ObjectKind::DIRECTORY)?.changed());
/// # Ok::<(), hivesmith::security::SecurityError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Permission {
    /// Who.
    pub trustee: Sid,
    /// What.
    pub mask: AccessMask,
    /// How children inherit it. Counts on containers only.
    pub inheritance: AceFlags,
}

impl Permission {
    /// For one object alone.
    #[must_use]
    pub fn new(trustee: Sid, mask: AccessMask) -> Self {
        Self { trustee, mask, inheritance: AceFlags::empty() }
    }

    /// The same, handed on to children as these flags say. Flags that are not about handing on do not count.
    #[must_use]
    pub fn handed_on(self, inheritance: AceFlags) -> Self {
        Self { inheritance, ..self }
    }

    /// The entries that an object stores for it: two where it means one thing here and another one below.
    fn aces(&self, ace_type: AceType, object: ObjectKind, on: &SecurityDescriptor) -> Result<Vec<Ace>, SecurityError> {
        let flags = if object.container { self.inheritance & HANDED_ON } else { AceFlags::empty() };
        let ace = Ace::new(ace_type, flags, self.mask, self.trustee, &[])?;
        settled(&ace, object, on.owner(), on.group())
    }
}

/// What an edit did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[must_use]
pub enum Edited {
    /// Nothing: it was so already.
    Unchanged,
    /// The list holds other entries now.
    Changed,
    /// The list has lost its last entry. A DACL like that lets nobody in.
    Emptied,
    /// Nothing: there is no list, or a NULL one, and everybody may do everything already. One that holds the new entry
    /// alone would take access away from all others.
    NoList,
}

impl Edited {
    /// Whether the descriptor is another one than before.
    #[must_use]
    pub fn changed(self) -> bool {
        matches!(self, Self::Changed | Self::Emptied)
    }
}

impl SecurityDescriptor {
    /// Changes the owner alone, as `takeown` and `icacls /setowner` do; `false` if it is the owner already.
    ///
    /// Entries that once stood for CREATOR OWNER keep naming the owner of then, as on Windows.
    pub fn change_owner(&mut self, owner: Sid) -> bool {
        let changes = self.owner() != Some(&owner);
        self.set_owner(Some(owner));
        changes
    }

    /// Whether an entry of the DACL is about this SID, of its own or inherited (`icacls /findsid`). Groups that hold
    /// the SID do not count.
    #[must_use]
    pub fn mentions(&self, sid: &Sid) -> bool {
        self.dacl().acl().is_some_and(|acl| acl.aces().iter().any(|ace| ace.sid() == Some(sid)))
    }

    fn edit(
        &mut self,
        list: ListKind,
        edit: impl FnOnce(&mut Vec<Ace>) -> Result<(), SecurityError>,
    ) -> Result<Edited, SecurityError> {
        let Some(acl) = list.of(self).acl() else { return Ok(Edited::NoList) };
        let mut aces = acl.aces().to_vec();
        edit(&mut aces)?;
        if aces == acl.aces() {
            return Ok(Edited::Unchanged);
        }
        let edited = if aces.is_empty() { Edited::Emptied } else { Edited::Changed };
        let mut acl = acl.clone();
        acl.set_aces(aces)?;
        list.set(self, AclState::Present(acl));
        Ok(edited)
    }
}

const HANDED_ON: AceFlags = AceFlags::OBJECT_INHERIT
    .union(AceFlags::CONTAINER_INHERIT)
    .union(AceFlags::NO_PROPAGATE_INHERIT)
    .union(AceFlags::INHERIT_ONLY);
