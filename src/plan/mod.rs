//! What would change and why: hives mounted into one registry, the steps taken in them, and copies kept before the
//! first write.

mod keep;
mod registry;
mod step;

pub use keep::Kept;
pub use registry::{CommitFailure, Located, Mount, Opened, Registry};
pub use step::{Step, StepKind, shown};
