//! One on-disk record a file: decode and encode, no navigation, no I/O.

pub(crate) mod base_block;
pub(crate) mod big_data;
pub(crate) mod cell;
pub(crate) mod checksum;
pub(crate) mod dirty_vector;
pub(crate) mod hbin;
pub(crate) mod key_node;
pub(crate) mod key_security;
pub(crate) mod key_value;
pub(crate) mod log_entry;
pub(crate) mod subkeys_list;
mod value_type;

pub use key_node::{KeyFlags, Virtualization};
pub use value_type::{UnknownValueType, ValueType};
