//! `hivesmith security`: descriptors of registry keys, with the rights that keys have.
//!
//! Windows has no command of its own for these; grants, denials and removals do what `icacls` does with files.
//!
//! ```
//! use hivesmith::{command::{Accounts, security}, security::SecurityDescriptor};
//!
//! let accounts = Accounts::new();
//! let grant = security::KeyEdit::Grant {
//!     permissions: vec![security::parse_permission("NT AUTHORITY\\NETWORK SERVICE:(CI)R", &accounts)?],
//!     only: false,
//! };
//! let mut key: SecurityDescriptor = "O:BAG:SYD:PAI(A;CI;KA;;;SY)(A;CI;KA;;;BA)".parse()?;
//! grant.apply(&mut key)?;
//! assert_eq!(key.to_string(), "O:BAG:SYD:PAI(A;CI;KR;;;NS)(A;CI;KA;;;SY)(A;CI;KA;;;BA)");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod edit;
mod listing;
mod permission;
mod rights;

pub use edit::{KeyEdit, edit_key};
pub use listing::{listing, to_json, warnings};
pub use permission::{parse_permission, parse_removal, parse_trustee};
