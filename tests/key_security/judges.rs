//! Readers that share no code with the crate.

use std::{collections::BTreeMap, process::Command};

use hivesmith::{HiveView, name::Units};

use crate::support::{missing_program, oracle, with_file};

/// What the independent judge has against a hive: rules, with how often each is broken. Counts of references that are
/// too low or too high are among them.
pub(crate) fn findings(hive: &[u8]) -> Option<BTreeMap<String, usize>> {
    let judged = with_file(hive, |file| oracle("regf.py", &["judge"], &[file]))?;
    let said = String::from_utf8_lossy(&judged.stdout).into_owned();
    assert!(matches!(judged.status.code(), Some(0 | 1)), "{}", String::from_utf8_lossy(&judged.stderr));
    let mut rules = BTreeMap::new();
    for rule in said.lines().filter_map(|line| line.split_whitespace().next()) {
        *rules.entry(rule.to_owned()).or_insert(0) += 1;
    }
    Some(rules)
}

/// The descriptor of every key as a reader sees it, by path.
pub(crate) fn descriptors(reader: &str, hive: &[u8]) -> Option<BTreeMap<String, String>> {
    let read = with_file(hive, |file| oracle("descriptors.py", &[reader], &[file]))?;
    assert!(read.status.success(), "{reader}: {}", String::from_utf8_lossy(&read.stderr));
    let text = String::from_utf8(read.stdout).unwrap();
    Some(text.lines().filter_map(|line| line.split_once(' ')).map(|(at, is)| (at.to_owned(), is.to_owned())).collect())
}

/// The same, as the crate sees it.
pub(crate) fn own(hive: HiveView<'_>) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for walked in hive.walk() {
        let key = walked.unwrap().key;
        let mut path = String::new();
        for name in key.path().unwrap().names() {
            path.extend(std::iter::once(u16::from(b'\\')).chain(name.units()).map(|unit| hex(&unit.to_le_bytes())));
        }
        let path = if path.is_empty() { "-".to_owned() } else { path };
        found.insert(path, hex(key.security().unwrap().bytes()));
    }
    found
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Owner, group and DACL of a key in the words of reglookup.
pub(crate) fn reglookup(hive: &[u8], path: &str) -> Option<[String; 3]> {
    let path = format!("/{}", path.replace('\\', "/"));
    let read = with_file(hive, |file| {
        Command::new("reglookup").args(["-s", "-H", "-t", "KEY", "-p", &path]).arg(file).output()
    });
    let Ok(read) = read else {
        missing_program("reglookup");
        return None;
    };
    let text = String::from_utf8_lossy(&read.stdout).into_owned();
    let line = text.lines().find(|line| line.split(',').next().is_some_and(|at| at.eq_ignore_ascii_case(&path)))?;
    let mut fields = line.split(',').skip(4).map(str::to_owned);
    let (owner, group, _sacl, dacl) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    Some([owner, group, dacl])
}

/// Keys and values as hivex sees them; descriptors are not its business.
pub(crate) fn hivex(hive: &[u8]) -> Option<String> {
    let read = with_file(hive, |file| oracle("readers.py", &["hivex"], &[file]))?;
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    Some(String::from_utf8_lossy(&read.stdout).into_owned())
}
