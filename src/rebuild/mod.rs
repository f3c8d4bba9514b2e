//! Whole hives written anew, densely, from what they hold.
//!
//! * [`Hive::compacted`](crate::Hive::compacted): the same hive without free space and slack; nothing is lost
//! * [`salvage()`]: everything that is left in a damaged hive, in a new and sound one, with a list of what is not
//!
//! Neither writes to the hive that it reads: the result is in memory, and
//! [`Hive::write_to`](crate::Hive::write_to) makes a file of it.

mod builder;
mod compact;
mod salvage;
mod tree;
mod write;

#[cfg(feature = "volume")]
pub(crate) use compact::copy_behind;
pub use salvage::{Fate, Loss, Salvage, Salvaged, salvage};
