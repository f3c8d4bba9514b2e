//! What `icacls` reads and prints: its words, permissions, listings, files of saved lists.
//!
//! Text to types and back, nothing is opened or changed: [`SecurityDescriptor`](crate::security::SecurityDescriptor)
//! does the edits, [`Accounts`](super::Accounts) knows the names.
//!
//! ```
//! use hivesmith::{command::{Accounts, icacls}, security::{ObjectKind, SecurityDescriptor}};
//!
//! let accounts = Accounts::new();
//! let grant = icacls::parse_permission("NT AUTHORITY\\NETWORK SERVICE:(R)", &accounts)?;
//! let mut key: SecurityDescriptor = "O:SYG:SYD:PAI(A;;FA;;;SY)(A;;FA;;;BA)".parse()?;
//! assert!(key.grant(&grant, ObjectKind::FILE)?.changed());
//! assert_eq!(icacls::listing("key", &key, &accounts), [
//!     "key NT AUTHORITY\\NETWORK SERVICE:(R)",
//!     "    NT AUTHORITY\\SYSTEM:(F)",
//!     "    BUILTIN\\Administrators:(F)",
//! ]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod arguments;
mod display;
mod permission;
pub(in crate::command) mod rights;
mod saved;

pub use arguments::{Action, Edit, IcaclsCommand};
pub use display::{listing, processed, summary};
pub(super) use permission::split_permission;
pub use permission::{PermissionError, parse_integrity_level, parse_permission};
pub use saved::{SaveError, SavedDescriptor, read_saved, write_saved};
