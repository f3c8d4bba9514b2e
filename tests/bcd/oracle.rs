//! Other readers: those of `tests/oracle`, which share no code with the crate.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use crate::say;

/// An interpreter for `tests/oracle`; its own part of it needs no packages.
fn python() -> Option<PathBuf> {
    if cfg!(windows) {
        // These comparisons are made on the Linux side.
        return None;
    }
    let candidates = [env::var_os("HIVESMITH_PYTHON").map(PathBuf::from), Some("python3".into())];
    let found = candidates
        .into_iter()
        .flatten()
        .find(|python| Command::new(python).arg("--version").output().is_ok_and(|done| done.status.success()));
    if found.is_none() {
        assert!(env::var_os("CI").is_none(), "python3 must be found in CI");
        say("*** SKIPPED: no python3, other readers were not asked ***");
    }
    found
}

/// What a program of `tests/oracle` prints; none where there is no Python, or where the reader that it needs is missing
/// (exit status 3).
fn ask(script: &str, arguments: &[&str], file: &Path) -> Option<String> {
    let python = python()?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle").join(script);
    let (options, before): (Vec<&str>, Vec<&str>) = arguments.iter().partition(|word| word.starts_with("--"));
    let done = Command::new(python).arg(script).args(before).arg(file).args(options).output().unwrap();
    let err = String::from_utf8_lossy(&done.stderr).into_owned();
    if done.status.code() == Some(3) {
        assert!(env::var_os("CI").is_none(), "{err}");
        say(&format!("*** SKIPPED: {} ***", err.trim()));
        return None;
    }
    assert!(done.status.success(), "{}: {err}{}", file.display(), String::from_utf8_lossy(&done.stdout));
    Some(String::from_utf8(done.stdout).unwrap())
}

/// What `/enum all` should print.
pub(crate) fn enumeration(store: &Path, verbose: bool) -> Option<String> {
    ask("bcd.py", if verbose { &["enum", "--verbose"] } else { &["enum"] }, store)
}

/// Objects and elements in the form of [`crate::Elements`].
pub(crate) fn elements(store: &Path) -> Option<crate::Elements> {
    let text = ask("bcd.py", &["elements"], store)?;
    let bytes = |hex: &str| -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    };
    let line = |line: &str| match line.split('\t').collect::<Vec<_>>()[..] {
        [id, number] => (id.to_owned(), (u32::from_str_radix(number, 16).unwrap(), Vec::new())),
        [id, _, code, kind, data] => (format!("{id} {code}"), (kind.parse().unwrap(), bytes(data))),
        _ => panic!("{line}"),
    };
    Some(text.lines().map(line).collect())
}

/// Keys and values as hivex sees them.
pub(crate) fn hivex(store: &Path) -> Option<Vec<String>> {
    Some(ask("readers.py", &["hivex"], store)?.lines().map(str::to_owned).collect())
}

/// The structural judge finds nothing.
#[track_caller]
pub(crate) fn judge(store: &Path) {
    ask("regf.py", &["judge"], store);
}
