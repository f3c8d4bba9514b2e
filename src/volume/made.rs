//! [`Made`]: what was made and was not there before.

use std::path::PathBuf;

/// A file or folder that did not exist before.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Made {
    /// The folder that a volume is mounted on, or one of this machine.
    pub volume: PathBuf,
    /// The path below it.
    pub path: PathBuf,
}
