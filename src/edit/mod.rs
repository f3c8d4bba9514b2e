//! Changing an image.

mod change;

pub use change::Change;
