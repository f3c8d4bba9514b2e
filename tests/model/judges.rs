//! A sample of the hives that the model made, before readers that share no code with the crate.

use std::{
    path::Path,
    sync::atomic::{AtomicU32, Ordering},
};

use crate::support::{oracle, with_file};

/// Every so-manieth hive is judged: starting processes takes longer than the edits.
fn turn() -> bool {
    static SEEN: AtomicU32 = AtomicU32::new(0);
    SEEN.fetch_add(1, Ordering::Relaxed) % 60 == 7
}

/// Judges a new hive, if it is its turn.
pub(crate) fn sample(hive: &[u8]) -> Result<(), String> {
    if !turn() {
        return Ok(());
    }
    with_file(hive, |file| {
        let judged = judge(file)?;
        if judged.is_some_and(|findings| !findings.is_empty()) {
            return Err(format!("the judge found: {}", judge(file)?.unwrap_or_default().join("; ")));
        }
        readers(file)
    })
}

/// Judges an edited real hive, if it is its turn: there is no finding of a kind that was not there before.
pub(crate) fn sample_of_real(before: &[u8], after: &[u8]) -> Result<(), String> {
    if !turn() {
        return Ok(());
    }
    let kinds = |findings: Vec<String>| -> Vec<String> {
        findings.iter().filter_map(|finding| finding.split_whitespace().next().map(str::to_owned)).collect()
    };
    let Some(old) = with_file(before, judge)? else { return Ok(()) };
    let old = kinds(old);
    with_file(after, |file| {
        let new = judge(file)?.unwrap_or_default();
        match new.iter().find(|finding| !kinds(vec![(*finding).clone()]).iter().all(|kind| old.contains(kind))) {
            Some(finding) => Err(format!("the judge found: {finding}")),
            None => readers(file),
        }
    })
}

/// The findings of the independent judge. An unused descriptor, which an edit without a log may leave, is none.
fn judge(file: &Path) -> Result<Option<Vec<String>>, String> {
    let Some(judged) = oracle("regf.py", &["judge", "--allow", "S6"], &[file]) else { return Ok(None) };
    let findings: Vec<String> = String::from_utf8_lossy(&judged.stdout).lines().map(str::to_owned).collect();
    match judged.status.code() {
        Some(0) => Ok(Some(Vec::new())),
        Some(1) if !findings.is_empty() => Ok(Some(findings)),
        _ => Err(format!("the judge failed: {}", String::from_utf8_lossy(&judged.stderr))),
    }
}

/// Both third-party readers get through the hive.
fn readers(file: &Path) -> Result<(), String> {
    for reader in ["hivex", "reglookup"] {
        let Some(read) = oracle("readers.py", &[reader], &[file]) else { continue };
        if !read.status.success() {
            return Err(format!("{reader} cannot read it: {}", String::from_utf8_lossy(&read.stderr)));
        }
        let own = oracle("readers.py", &["regf", "--as", reader], &[file]);
        if own.is_some_and(|own| own.stdout != read.stdout) {
            return Err(format!("{reader} reads something else"));
        }
    }
    Ok(())
}
