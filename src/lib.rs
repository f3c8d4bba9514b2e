//! Read, edit and commit Windows registry hives without Windows, and be able to lose power at any instant.
//!
//! A hive is opened where it lies, replayed if it was not closed cleanly, checked, changed in a transaction, and
//! committed in place:
//!
//! ```no_run
//! # fn main() -> hivesmith::Result<()> {
//! use hivesmith::{Data, Hive};
//!
//! let mut hive = Hive::open("/mnt/win/Windows/System32/config/SYSTEM")?;
//! let mut txn = hive.begin()?;
//! let key = txn.create_key(txn.root(), r"ControlSet001\Services\gpsvc")?;
//! txn.set_value(key, "Start", &Data::Dword(4))?;
//! txn.commit()?;
//! # Ok(())
//! # }
//! ```
//!
//! Reading needs no copy: a [`HiveView`] over any bytes hands out [`Key`]s and [`Value`]s that borrow from them.
//!
//! ```
//! # fn main() -> hivesmith::Result<()> {
//! # use hivesmith::{Data, Hive, HiveView, Version};
//! # let mut hive = Hive::create(Version::V1_5)?;
//! # let mut txn = hive.begin()?;
//! # let select = txn.create_key(txn.root(), "Select")?;
//! # txn.set_value(select, "Current", &Data::Dword(1))?;
//! # txn.commit()?;
//! # let bytes = hive.to_bytes();
//! let hive = HiveView::parse(&bytes)?;
//! for walked in hive.walk() {
//!     let key = walked?.key;
//!     for value in key.values()? {
//!         let value = value?;
//!         println!("{}: {} = {:?}", key.path()?, value.name()?, value.decode()?);
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! A hive of a machine that died may be dirty: its newest changes stand in the logs beside it. Opening it replays them in
//! memory, and says so; nothing on the disk changes before something is committed, or [`Hive::recover`] is called.
//!
//! ```no_run
//! # fn main() -> hivesmith::Result<()> {
//! # use hivesmith::Hive;
//! let hive = Hive::options().read_only(true).open("/mnt/win/Windows/System32/config/SOFTWARE")?;
//! if let Some(report) = hive.recovery() {
//!     println!("{} entries of its logs replayed, {} left out", report.applied.len(), report.skipped.len());
//! }
//! # Ok(())
//! # }
//! ```
//!
//! More examples stand where they belong: grants on keys at [`Transaction::edit_security`], descriptors as text in
//! [`security`], elements of boot stores at [`bcd::Store`], the import of a `.reg` file in [`reg_text`].
//!
//! # The parts, in the order data flows through them
//!
//! | module | what it is |
//! |---|---|
//! | [`name`] | names as UTF-16 units: NT order, case folding, hashes |
//! | [`security`] | descriptors and SDDL; knows no hive |
//! | (crate root) | reading: [`HiveView`], [`Key`], [`Value`], [`Walk`] |
//! | [`check`] | what Windows' loader would say about a hive, rule by rule |
//! | [`edit`] | [`Change`], the currency of edits |
//! | [`commit`] | the files of a hive, replay of their logs, the commit protocols |
//! | (crate root) | the facade: [`Hive`], [`OpenOptions`], [`Transaction`] |
//! | [`rebuild`] | whole hives written anew: compaction ([`Hive::compacted`]), salvage of damaged ones |
//! | [`reg_text`] | `.reg` files |
//! | [`bcd`] | boot configuration stores |
//! | `volume`, `plan`, `command` | a mounted installation and Windows' own commands on it (feature `volume`) |
//!
//! # Features
//!
//! None is on by default; a program that wants the engine compiles little more than `binrw` and `bitflags`, and `rustix`
//! under Unix.
//!
//! * `mmap`: [`Hive::open`] maps the file instead of reading it, which is unsafe code in one small module
//! * `volume`: mounted disks, and Windows' commands carried out on their hives; unsafe code on Windows hosts only, in the
//!   module with the native calls on descriptors of files
//! * `cli`: everything, and the `hivesmith` program
//!
//! # Hostile bytes
//!
//! No bytes of a hive, log, descriptor or `.reg` file make a function of this crate panic, hang, or allocate beyond a
//! small multiple of their length. What is wrong is said with the structure, the offset, what was expected and what was
//! found.

#![cfg_attr(not(any(feature = "mmap", all(windows, feature = "volume"))), forbid(unsafe_code))]

pub mod bcd;
mod bytes;
pub mod check;
#[cfg(feature = "volume")]
pub mod command;
pub mod commit;
pub mod edit;
mod error;
mod format;
mod guid;
mod hive;
mod image;
pub mod name;
mod offset;
#[cfg(feature = "volume")]
pub mod plan;
pub mod rebuild;
pub mod reg_text;
pub mod security;
mod time;
mod tree;
#[cfg(feature = "volume")]
pub mod volume;

pub use commit::{
    CommitError, CommitReport, FileStorage, HiveFile, MemoryStorage, Outcome, Protocol, RecoveryReport, ReplayOf,
    ReplayedEntry, SkipReason, Skipped, Storage, System,
};
pub use edit::{Change, SecurityChange, SecurityScope};
pub use error::{Defect, DirtyState, Error, FormatError, LogState, RequestError, Result, Structure};
pub use format::{KeyFlags, UnknownValueType, ValueType, Virtualization};
pub use guid::{Guid, GuidError};
pub use hive::{Hive, NewHive, OpenOptions, Recover, Savepoint, Transaction, Version};
pub use offset::{BINS_START, CellOffset, FileOffset, KeyId};
pub use time::FileTime;
pub use tree::{Data, HiveView, Key, SecurityView, Subkeys, Value, Values, Walk, Walked};

/// The README's example is a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
