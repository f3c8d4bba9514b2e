//! What a new key gets from the key above it.

use super::NewObject;
use crate::security::{AclState, GenericMapping, ObjectKind, SecurityDescriptor, SecurityError, well_known};

/// A key as the kernel makes it. Its idea of executing differs from that of programs which set descriptors: it includes
/// creating links. Keys that Windows made below `GENERIC_EXECUTE` have those rights.
const NEW_KEY: ObjectKind = ObjectKind { mapping: GenericMapping::KEY_BY_KERNEL, ..ObjectKind::KEY };

/// The descriptor of a new key below one with this descriptor; none if that hands nothing on.
///
/// Windows takes the default list of whoever makes the key then, or the program says what it wants, as it does in boot
/// stores, whose entries have no flags. Offline nobody is logged on, so the key shares its parent's descriptor: whoever
/// may enter the one may enter the other. Owner and group are the parent's for the same reason.
///
/// # Errors
///
/// [`SecurityError`] where the list would be longer than a list can be.
pub fn descriptor_of_new_key(parent: &SecurityDescriptor) -> Result<Option<SecurityDescriptor>, SecurityError> {
    let mut new = NewObject::new(NEW_KEY).below(parent);
    // No key that Windows made lacks them.
    if parent.owner().is_none() {
        new = new.owned_by(well_known::ADMINISTRATORS);
    }
    if parent.group().is_none() {
        new = new.in_group(well_known::LOCAL_SYSTEM);
    }
    let new = new.descriptor()?;
    Ok(matches!(new.dacl(), AclState::Present(_)).then_some(new))
}
