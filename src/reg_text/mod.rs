//! `.reg` files: what `regedit` exports and imports, as [`Change`](crate::edit::Change)s and back.
//!
//! [`parse`] reads both formats (`REGEDIT4` and `Windows Registry Editor Version 5.00`) in UTF-16, UTF-8 or Latin-1 and
//! says line and column where a file is not what it should be; `regedit` skips such lines without a word.
//! [`Writer`] and [`print_changes`] write version 5 text that `regedit` accepts and that [`parse`] reads back unchanged.
//!
//! ```
//! use hivesmith::{Data, Hive, Version, edit::Change, reg_text};
//!
//! let text = "Windows Registry Editor Version 5.00\r\n\r\n\
//!             [HKEY_LOCAL_MACHINE\\BROKENSYSTEM\\ControlSet001\\Services\\gpsvc]\r\n\
//!             \"Start\"=dword:00000004\r\n";
//! let file = reg_text::parse(text.as_bytes())?;
//!
//! let mount = "HKLM\\BROKENSYSTEM".parse()?;
//! let changes: Vec<Change> = file.changes_under(&mount).collect();
//! assert_eq!(changes.len(), 2); // make the key, set the value
//!
//! // Import: into a hive that stands for that key. Export is the way back.
//! let mut hive = Hive::create(Version::V1_5)?;
//! let mut txn = hive.begin()?;
//! txn.apply(&changes)?;
//! txn.commit()?;
//! let gpsvc = hive.view().key(r"ControlSet001\Services\gpsvc")?.expect("just imported");
//! assert_eq!(gpsvc.value("Start")?.expect("just imported").decode()?, Data::Dword(4));
//!
//! let mut printed = Vec::new();
//! let left_out = reg_text::print_changes(&mut printed, &mount, &changes)?;
//! assert!(left_out.is_empty());
//! assert_eq!(reg_text::parse(&printed)?.changes_under(&mount).collect::<Vec<_>>(), changes);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What the format cannot say: names with a NUL or a line break, class names, time stamps, security descriptors,
//! renames. [`Writer`] leaves these out, puts a comment in their place and reports each as a [`LeftOut`].

mod cursor;
mod data;
mod decode;
mod error;
mod file;
mod parse;
mod path;
mod print;

pub use error::RegTextError;
pub use file::{Edit, Entry, RegFile, Section, SectionEdit, Version};
pub use parse::{is_reg, parse};
pub use path::{RegPath, RegPathError, RootKey};
pub use print::{LeftOut, Writer, print_changes};
