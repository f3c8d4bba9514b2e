//! Real data, which is no part of the package.

use std::{env, path::PathBuf};

use super::missing;

/// The folder of real hives; none where `HIVESMITH_CORPUS` is not set, which is said.
pub(crate) fn corpus() -> Option<PathBuf> {
    folder("HIVESMITH_CORPUS")
}

/// The folder of recorded descriptors; none where `HIVESMITH_VECTORS` is not set, which is said.
pub(crate) fn vectors() -> Option<PathBuf> {
    folder("HIVESMITH_VECTORS")
}

fn folder(variable: &str) -> Option<PathBuf> {
    let found = env::var_os(variable).map(PathBuf::from);
    if found.is_none() {
        missing(variable);
    }
    found
}
