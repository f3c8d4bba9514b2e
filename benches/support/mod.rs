//! What the benchmarks share: hives of the corpus, hives made on the spot, and hivex beside us.

#![allow(dead_code, reason = "each benchmark uses a part")]

pub(crate) mod made;
pub(crate) mod peer;

use std::{env, fs, path::PathBuf};

/// Whether criterion runs everything once and measures nothing.
pub(crate) fn smoke() -> bool {
    env::args().any(|arg| arg == "--test")
}

/// A number for measuring, or a small one where nothing is measured.
pub(crate) fn size(full: u32, small: u32) -> u32 {
    if smoke() { small } else { full }
}

/// A hive of the corpus; says so where it is not there.
pub(crate) fn corpus(name: &str) -> Option<PathBuf> {
    let Some(corpus) = env::var_os("HIVESMITH_CORPUS") else {
        eprintln!("SKIPPED: {name}: HIVESMITH_CORPUS is not set");
        return None;
    };
    let path = PathBuf::from(corpus).join(name);
    if !path.is_file() {
        eprintln!("SKIPPED: {name}: not in HIVESMITH_CORPUS");
        return None;
    }
    Some(path)
}

/// A real hive with 31,000 keys, of Windows 7.
pub(crate) const SYSTEM: &str = "hives/regipy-SYSTEM";

/// A folder that goes with the benchmark.
pub(crate) fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// A hive as a file.
pub(crate) fn file(folder: &tempfile::TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, bytes).expect("a temporary file");
    path
}
