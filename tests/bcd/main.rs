//! Boot stores: real ones and ones made here, as the library and the program see them, against other readers.
//!
//! Real stores are no part of the package: `HIVESMITH_CORPUS` names the folder that has them. Without it the tests that
//! need them say so and pass, unless `CI` is set.
#![cfg(feature = "cli")]

mod corpus;
mod cuts;
mod devices;
mod disks;
mod guides;
mod hostile;
mod oracle;
mod program;
mod reproduced;
mod scripts;
mod shape;
#[path = "../support/mod.rs"]
mod support;
mod table;
mod undo;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use hivesmith::{
    Hive,
    bcd::{ElementCode, Store, StoreError},
};
use tempfile::TempDir;

use support::{Done, say};

/// The stores of the corpus; the other files there are their logs.
const STORES: [&str; 10] = [
    "bcdsys-BCD-NEW",
    "gobcdedit-BCD-template",
    "esp-b360m/Boot/BCD",
    "esp-b360m/Recovery/BCD",
    "esp-nuc8/Boot/BCD",
    "esp-nuc8/Recovery/BCD",
    "regipy-BCD",
    "windeploy-BCD",
    "winpe-boot-bcd",
    "winpe-efi-bcd",
];

/// The folder of real stores; none where there is no corpus, which is said.
fn corpus() -> Option<PathBuf> {
    Some(support::corpus()?.join("bcd"))
}

/// A folder with a copy of a store and of the logs beside it, which the program may change.
struct Desk {
    folder: TempDir,
}

impl Desk {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn with(store: &Path) -> Self {
        let desk = Self::new();
        for suffix in ["", ".LOG", ".LOG1", ".LOG2"] {
            let mut from = store.as_os_str().to_owned();
            from.push(suffix);
            if Path::new(&from).exists() {
                fs::copy(&from, desk.path(&format!("BCD{suffix}"))).unwrap();
            }
        }
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn store(&self) -> PathBuf {
        self.path("BCD")
    }

    /// `hivesmith bcdedit /store BCD …`, a line as it is typed; a blank between quotes is part of its word.
    fn bcdedit(&self, line: &str) -> Done {
        let words = ["bcdedit", "/store", "BCD"]
            .into_iter()
            .map(str::to_owned)
            .chain(words(line).into_iter().filter(|word| !word.is_empty()));
        self.hivesmith(words)
    }

    fn hivesmith(&self, words: impl IntoIterator<Item = impl AsRef<std::ffi::OsStr>>) -> Done {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hivesmith"));
        command.args(words).current_dir(self.folder.path()).env("HIVESMITH_STATE", self.path("state"));
        Done::of(&mut command)
    }

    /// All elements of the store.
    fn elements(&self) -> Elements {
        elements_of(&self.store())
    }
}

fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            c => words.last_mut().unwrap().push(c),
        }
    }
    words
}

/// Object, code, registry type and bytes of every element, and object and type of every object.
type Elements = std::collections::BTreeMap<String, (u32, Vec<u8>)>;

fn elements_of(path: &Path) -> Elements {
    let hive = Hive::options().read_only(true).open(path).unwrap();
    elements(Store::new(hive.view()).unwrap()).unwrap()
}

fn elements(store: Store<'_>) -> Result<Elements, StoreError> {
    let mut found = Elements::new();
    for object in store.objects()? {
        let number = object.object_type().map_or(0, |known| known.0);
        found.insert(object.id().to_string(), (number, Vec::new()));
        for element in object.elements()? {
            let (kind, bytes) = element.stored.expect("an element without a value");
            found.insert(key(&object.id().to_string(), element.code), (kind.0, bytes));
        }
    }
    Ok(found)
}

fn key(id: &str, code: ElementCode) -> String {
    format!("{id} {code}")
}

/// What is in `after` and not the same in `before`, and what is gone: lines for people.
fn changes(before: &Elements, after: &Elements) -> Vec<String> {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let gone = before.keys().filter(|key| !after.contains_key(*key)).map(|key| format!("- {key}"));
    let new = after.iter().filter(|(key, value)| before.get(*key) != Some(value));
    gone.chain(new.map(|(key, (kind, bytes))| format!("{key} {kind} {}", hex(bytes)))).collect()
}

/// The store passes its check, and so does another judge of it, where there is one.
#[track_caller]
fn assert_sound(path: &Path) {
    let hive = Hive::options().read_only(true).open(path).unwrap();
    let report = hive.view().check();
    assert!(report.is_clean(), "{:?}", report.findings);
    oracle::judge(path);
}
