//! Other readers: those of `tests/oracle`, which share no code with the crate.

use std::path::Path;

use crate::support;

/// What a program of `tests/oracle` prints; none where it cannot be asked.
fn ask(program: &str, arguments: &[&str], store: &Path) -> Option<String> {
    let done = support::oracle(program, arguments, &[store])?;
    let (out, err) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{}: {err}{out}", store.display());
    Some(out.into_owned())
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
