//! Descriptors of keys: records that keys share, count, and hang in one ring.
//!
//! * `record`: the records and their ring
//! * `inherit`: what a new key takes from its parent
//! * `tree`: what becomes of the keys below one whose descriptor is edited
//! * `assign`: giving keys what was found so

mod assign;
mod inherit;
mod record;
mod tree;

pub(crate) use assign::assign;
pub(super) use inherit::{Inherited, known_heir};
pub(super) use record::release;
pub(crate) use tree::{Plan, edit, propagate};
pub use tree::{SecurityChange, SecurityScope};
