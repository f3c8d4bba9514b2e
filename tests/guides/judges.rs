//! Readers that share no code with the crate, by way of `tests/oracle`.

use std::{collections::BTreeSet, path::Path};

use serde_json::Value as Json;

use crate::support::oracle;

/// Everybody who can be asked, the quick ones first, and whether they tell the data as stored (reglookup prints them for people).
pub(crate) const READERS: [(&str, bool); 4] =
    [("regf", true), ("hivex", true), ("reglookup", false), ("python-registry", true)];

/// What one reader says has changed between two hives; none where it is not installed, which is said.
pub(crate) fn changes(before: &Path, after: &Path, reader: &str) -> Option<Json> {
    let output = oracle("changes.py", &["--reader", reader], &[before, after])?;
    assert!(output.status.success(), "{reader}: {}", String::from_utf8_lossy(&output.stderr));
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

/// Structural findings, each with its place.
pub(crate) fn findings(hive: &Path) -> Option<BTreeSet<String>> {
    let output = oracle("regf.py", &["judge"], &[hive])?;
    assert!(matches!(output.status.code(), Some(0 | 1)), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect())
}

/// What Windows makes of a dirty hive and its logs; false where no Python is there to say so.
pub(crate) fn replay(hive: &Path, logs: &[&Path], to: &Path) -> bool {
    let mut files = vec![hive];
    files.extend(logs);
    let to = to.display().to_string();
    let Some(output) = oracle("regf.py", &["replay", "-o", &to], &files) else { return false };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    true
}
