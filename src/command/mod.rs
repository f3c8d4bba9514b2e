//! Windows' own commands, read as the documentation prints them.
//!
//! [`reg`] is the grammar of `reg.exe`, which serves scripts and the
//! command line alike. Everything here is text in, typed requests out: nothing is opened, nothing is changed. What
//! carries a request out finds its paths, names, types and bytes ready, and every complaint knows line and column.

mod diagnostic;
mod nearest;
mod programs;
pub mod reg;
mod word;

pub use diagnostic::Diagnostic;
pub use word::{Span, Word};
