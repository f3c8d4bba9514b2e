//! Reading a hive: views that borrow its bytes.

mod hive_view;
mod key;
mod security;
mod subkeys;
mod value;
mod walk;

pub use hive_view::HiveView;
pub use key::Key;
pub use security::SecurityView;
pub use subkeys::Subkeys;
pub use value::{Value, Values};
pub use walk::{Walk, Walked};
