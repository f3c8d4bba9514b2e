//! Readers that share no code with the crate: the programs of `tests/oracle`.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use super::missing_program;

/// What a program of `tests/oracle` makes of files. None, which is said, where there is no Python or not the reader that
/// is asked for (exit status 3); any other status is for the caller to judge.
pub(crate) fn oracle(name: &str, arguments: &[&str], files: &[&Path]) -> Option<Output> {
    if cfg!(windows) {
        missing_program("python3");
        return None;
    }
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle").join(name);
    let Ok(output) = Command::new(python()).arg(program).args(arguments).args(files).output() else {
        missing_program("python3");
        return None;
    };
    if output.status.code() == Some(3) {
        missing_program(&format!("{name} {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim()));
        return None;
    }
    Some(output)
}

/// An interpreter for these programs; what they need beyond its library they look for themselves.
pub(crate) fn python() -> PathBuf {
    env::var_os("HIVESMITH_PYTHON").map_or_else(|| "python3".into(), PathBuf::from)
}

/// A file with these bytes, for programs that want one.
pub(crate) fn with_file<T>(bytes: &[u8], then: impl FnOnce(&Path) -> T) -> T {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hive");
    fs::write(&file, bytes).unwrap();
    then(&file)
}
