//! Security descriptors: owner, group, DACL and SACL, as bytes and as SDDL text.
//!
//! Knows no hive and no file: bytes come in, bytes or text go out.
//!
//! * [`SecurityDescriptor`] is the whole; [`validate`] checks stored bytes without building it
//! * [`Acl`] and [`Ace`] are the lists of who may do what, [`AccessMask`] the what, [`Sid`] the who
//! * [`NewObject`] makes the descriptor of a new object; [`propagate`] hands a changed list on to those that exist
//! * [`Permission`] is what [`SecurityDescriptor::grant`] and `deny` work with, as `icacls` does
//! * [`SecurityDescriptor::access`] tells what somebody may do, and what stands in the way
//! * [`well_known`] names the SIDs that are the same on each Windows
//! * [`SddlContext`] gives the domain and machine that some SDDL aliases are relative to
//!
//! ```
//! use hivesmith::security::{AccessMask, Ace, AceFlags, AclState, SecurityDescriptor, well_known};
//!
//! let mut descriptor: SecurityDescriptor = "O:BAG:SYD:PAI(A;CI;KA;;;BA)(A;CI;KR;;;BU)".parse()?;
//! let stored = descriptor.to_bytes();
//! assert_eq!(SecurityDescriptor::parse(&stored)?, descriptor);
//!
//! let AclState::Present(mut dacl) = descriptor.dacl().clone() else { unreachable!() };
//! dacl.push(Ace::allow(AceFlags::CONTAINER_INHERIT, AccessMask::KEY_ALL, well_known::LOCAL_SYSTEM))?;
//! descriptor.set_dacl(AclState::Present(dacl));
//! assert_eq!(descriptor.to_string(), "O:BAG:SYD:PAI(A;CI;KA;;;BA)(A;CI;KR;;;BU)(A;CI;KA;;;SY)");
//! # Ok::<(), hivesmith::security::SecurityError>(())
//! ```
//!
//! Text is for input, display and reports: SDDL does not carry ACL slack, revisions, part order or unknown ACEs, so a
//! stored descriptor is edited as a [`SecurityDescriptor`], never through its text.

#![forbid(unsafe_code)]

mod access;
mod access_mask;
mod ace;
mod ace_type;
mod acl;
mod bytes;
mod control;
mod descriptor;
mod edit;
mod error;
mod guid;
mod inheritance;
mod object_kind;
#[cfg(test)]
mod properties;
mod sddl;
mod sid;
mod stored;
pub mod well_known;

pub use access::{Access, DaclKind, Denial, Subject};
pub use access_mask::AccessMask;
pub use ace::Ace;
pub use ace_type::{AceFlags, AceType};
pub use acl::{Acl, AclState};
pub use control::Control;
pub use descriptor::SecurityDescriptor;
pub use edit::{Disorder, Edited, Entries, IntegrityLevel, Permission};
pub use error::{SecurityError, SecurityStructure};
pub use guid::Guid;
pub use inheritance::{Inherited, ListKind, NewObject, Propagated, descriptor_of_new_key, propagate};
pub use object_kind::{GenericMapping, ObjectKind};
pub use sddl::SddlContext;
pub use sid::Sid;
pub use stored::validate;
