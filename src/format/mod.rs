//! One on-disk record a file: decode and encode, no navigation, no I/O.

mod value_type;

pub use value_type::{UnknownValueType, ValueType};
