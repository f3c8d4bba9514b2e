//! Reading a hive: views that borrow its bytes.

mod data;
mod hive_view;
mod key;
mod security;
mod subkeys;
mod value;
mod walk;

pub use data::Data;
pub use hive_view::HiveView;
pub(crate) use hive_view::parse_base_block;
pub use key::Key;
pub use security::SecurityView;
pub use subkeys::Subkeys;
pub(crate) use subkeys::{leaf, leaf_for, list_of, search};
pub(crate) use value::segments;
pub use value::{Value, Values};
pub use walk::{Walk, Walked};
