//! Hives of real systems.

use std::{fs, path::Path};

use crate::support::corpus;

/// A hive of the corpus: its name in there, and its bytes.
pub(crate) type Sample = (String, Vec<u8>);

/// All hives of these folders of the corpus; none where it is not there, which is said.
pub(crate) fn hives(folders: &[&str]) -> Vec<Sample> {
    let Some(corpus) = corpus() else { return Vec::new() };
    let mut found = Vec::new();
    for folder in folders {
        collect(&corpus, &corpus.join(folder), &mut found);
    }
    assert!(!found.is_empty(), "no hives in {}", corpus.display());
    found
}

/// One hive of the corpus.
pub(crate) fn hive(name: &str) -> Option<Vec<u8>> {
    Some(fs::read(corpus()?.join(name)).unwrap())
}

fn collect(corpus: &Path, folder: &Path, found: &mut Vec<Sample>) {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            collect(corpus, &path, found);
            continue;
        }
        let bytes = fs::read(&path).unwrap();
        if bytes.starts_with(b"regf") && bytes.get(0x1c..0x20) == Some(&[0; 4]) {
            let name = path.strip_prefix(corpus).unwrap().to_str().unwrap().replace('\\', "/");
            found.push((name, bytes));
        }
    }
}
