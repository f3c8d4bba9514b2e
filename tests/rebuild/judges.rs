//! Readers that share no code with the crate, by way of `tests/oracle`.

use std::path::Path;

use crate::support::oracle;

/// The rules that the independent judge finds broken, each once; none where it cannot be asked.
pub(crate) fn broken_rules(hive: &Path) -> Option<Vec<String>> {
    let output = oracle("regf.py", &["judge"], &[hive])?;
    assert!(matches!(output.status.code(), Some(0 | 1)), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let mut rules: Vec<String> = text.lines().filter_map(|line| Some(line.split_whitespace().next()?.into())).collect();
    rules.sort_unstable();
    rules.dedup();
    Some(rules)
}

/// The canonical dump by the independent parser.
pub(crate) fn dump(hive: &Path) -> Option<Vec<u8>> {
    let output = oracle("regf.py", &["dump"], &[hive])?;
    output.status.success().then_some(output.stdout)
}

/// What a third-party reader sees; none where it is not installed, an error where it gives up.
pub(crate) fn read(reader: &str, hive: &Path) -> Option<Result<Vec<u8>, String>> {
    let output = oracle("readers.py", &[reader], &[hive])?;
    let said = || String::from_utf8_lossy(&output.stderr).into_owned();
    Some(if output.status.success() { Ok(output.stdout.clone()) } else { Err(said()) })
}

/// What the independent parser sees, told as that reader would tell it.
pub(crate) fn read_as(reader: &str, hive: &Path) -> Option<Vec<u8>> {
    oracle("readers.py", &["regf", "--as", reader], &[hive]).map(|output| output.stdout)
}
