//! Boot configuration stores: what Windows' boot manager reads to know what to start, and how.
//!
//! A store is a registry hive of format 1.3 that boot code reads before any kernel runs:
//!
//! ```text
//! Description        KeyName, and what the store is
//! Objects
//!   {guid}
//!     Description    Type, a REG_DWORD
//!     Elements
//!       25000004     Element: REG_BINARY, REG_SZ or REG_MULTI_SZ
//! ```
//!
//! [`Store`] reads one and says what to change in it; the changes are [`Change`](crate::Change)s for a
//! [`Transaction`](crate::Transaction). Objects have a [type](ObjectType), some have [names](WellKnown). What an
//! element is called and which values it may have depends on the object's type: [`Definition`] knows. [`Device`] is the
//! one kind of value with a structure of its own.
//!
//! Sources: Microsoft's documentation of the BCD WMI provider and of `bcdedit`; Geoff Chappell's study of BCD elements;
//! the bytes of stores that `bcdboot`, `bcdedit` and install media made, Windows Vista to 11.

mod device;
mod edit;
mod elements;
mod error;
#[cfg(feature = "volume")]
mod json;
mod new;
mod object_type;
mod store;
mod value;
mod well_known;

pub use device::{Descriptor, Device, DeviceKind, DiskId, NoPlaces, PartitionId, PathOn, Places};
pub use edit::{NewObject, Place, Reference};
pub use elements::{Definition, ElementCode, Format, NoElementCode, Scope};
pub use error::StoreError;
pub use new::NewStore;
pub use object_type::{Application, ObjectKind, ObjectType};
pub use store::{Element, Object, Store};
pub use value::ElementValue;
pub use well_known::WellKnown;
