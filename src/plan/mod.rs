//! What would change and why: hives mounted into one registry, the steps taken in them, descriptors of files, and
//! copies kept before the first write.

mod descriptors;
mod keep;
mod made;
mod registry;
mod step;
mod undo;

pub use descriptors::{DescriptorChange, DescriptorPath, Descriptors, DescriptorsWritten};
pub use keep::Kept;
pub use registry::{CommitFailure, Located, Mount, Opened, Registry};
pub use step::{Step, StepKind, shown};
pub use undo::{Journal, Standing, UndoStep};
