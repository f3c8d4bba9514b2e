//! `hivesmith repair` and `hivesmith compact`.

#![cfg(feature = "cli")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use hivesmith::{Data, Hive, Version, check::check_file};
use serde_json::Value as Json;

use crate::support::{base_block::sum_up, corpus};

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hivesmith")).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A hive with free space in it.
fn sample(folder: &Path) -> PathBuf {
    let mut hive = Hive::create(Version::V1_5).unwrap();
    let mut txn = hive.begin().unwrap();
    let gone = txn.create_key(txn.root(), "gone").unwrap();
    txn.set_value(gone, "", &Data::Binary(vec![1; 12_000])).unwrap();
    let key = txn.create_key(txn.root(), r"a\b").unwrap();
    txn.set_value(key, "Start\u{1b}[2J", &Data::Binary(vec![2; 100])).unwrap();
    txn.commit().unwrap();
    let mut txn = hive.begin().unwrap();
    txn.delete_key(gone).unwrap();
    txn.commit().unwrap();
    let path = folder.join("SYSTEM");
    fs::write(&path, hive.to_bytes()).unwrap();
    path
}

fn dump(hive: &str) -> String {
    text(&run(&["dump", hive]).stdout)
}

#[test]
fn compact_makes_a_new_file_with_the_same_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let hive = sample(folder.path());
    let before = fs::read(&hive).unwrap();
    let (old, new) = (hive.to_str().unwrap(), folder.path().join("new"));
    let new = new.to_str().unwrap();
    let output = run(&["compact", old, "-o", new, "--dry-run"]);
    assert!(text(&output.stdout).starts_with(&format!("{new}: would be made from {old}: ")));
    assert!(!Path::new(new).exists());
    let output = run(&["compact", old, "-o", new]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let after = fs::read(new).unwrap();
    let expected = format!("{new}: made from {old}: {} bytes became {}\n", before.len(), after.len());
    assert_eq!(text(&output.stdout), expected);
    assert!(after.len() < before.len());
    assert_eq!(dump(old), dump(new));
    assert_eq!(fs::read(&hive).unwrap(), before);

    // Not over a file.
    assert_eq!(run(&["compact", old, "-o", new]).status.code(), Some(3));
    fs::remove_file(new).unwrap();
    let output = run(&["compact", old, "-o", new, "--json"]);
    let json: Json = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["bytes_before"].as_u64(), Some(before.len() as u64));
    assert_eq!(json["bytes_after"].as_u64(), Some(after.len() as u64));
    assert_eq!(json["replayed"], false);

    // What is damaged or unclean is not for it.
    let mut damaged = before;
    damaged[4] ^= 1;
    fs::write(&hive, damaged).unwrap();
    fs::remove_file(new).unwrap();
    assert_eq!(run(&["compact", old, "-o", new]).status.code(), Some(3));
    assert!(!Path::new(new).exists());
}

#[test]
fn what_was_compacted_in_place_is_put_back_without_force() {
    let folder = tempfile::tempdir().unwrap();
    let hive = sample(folder.path());
    let before = fs::read(&hive).unwrap();
    let undo = folder.path().join("undo");
    let (path, undo) = (hive.to_str().unwrap(), undo.to_str().unwrap());
    let output = run(&["compact", path, "--undo-dir", undo]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(fs::read(&hive).unwrap().len() < before.len());
    let output = run(&["undo", "--undo-dir", undo]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(fs::read(&hive).unwrap() == before);
}

#[test]
fn repair_lists_what_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let hive = sample(folder.path());
    let whole = fs::read(&hive).unwrap();
    let (old, new) = (hive.to_str().unwrap(), folder.path().join("new"));
    let new = new.to_str().unwrap();
    let output = run(&["repair", old, "-o", new, "--dry-run"]);
    let expected = format!("{new}: would be made from {old}: 3 keys, 1 values; nothing was lost\n");
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(0), expected));
    assert!(!Path::new(new).exists());
    let output = run(&["repair", old, "-o", new]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(text(&output.stdout), format!("{new}: made from {old}: 3 keys, 1 values; nothing was lost\n"));
    assert_eq!(dump(old), dump(new));
    assert_eq!(run(&["repair", old, "-o", new]).status.code(), Some(3));
    fs::remove_file(new).unwrap();

    // Without its base block, and with a value that points at nothing.
    let mut damaged = whole.clone();
    damaged[..0x1000].fill(0);
    let value = whole.windows(2).position(|bytes| bytes == b"vk").unwrap();
    damaged[value + 8..value + 12].fill(0xee);
    fs::write(&hive, &damaged).unwrap();
    let output = run(&["repair", old, "-o", new]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    assert!(said.starts_with("altered base block 0x00000000: "), "{said}");
    assert!(said.contains("lost value data ") && said.contains(r#"value "Start\u{001b}[2J" of a\b: "#), "{said}");
    assert!(said.ends_with("3 keys, 0 values; 2 things are not as they were\n"), "{said}");
    assert!(check_file(&fs::read(new).unwrap()).is_clean());
    assert_eq!(fs::read(&hive).unwrap(), damaged);

    fs::remove_file(new).unwrap();
    let json: Json = serde_json::from_slice(&run(&["repair", old, "-o", new, "--json"]).stdout).unwrap();
    assert_eq!((json["keys"].as_u64(), json["losses"].as_array().unwrap().len()), (Some(3), 2));
    assert_eq!(json["losses"][1]["fate"], "lost");
    assert_eq!(json["losses"][1]["path"], r"a\b");

    // An unclean hive without logs is used as it is, and that is said.
    fs::remove_file(new).unwrap();
    let mut dirty = whole;
    dirty[4] ^= 2;
    sum_up(&mut dirty);
    fs::write(&hive, dirty).unwrap();
    let output = run(&["repair", old, "-o", new]);
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stderr).contains("it is used as it is"), "{}", text(&output.stderr));
    assert_eq!(run(&["check", new]).status.code(), Some(0));

    // Nothing at all.
    fs::write(&hive, [0; 0x4000]).unwrap();
    fs::remove_file(new).unwrap();
    let output = run(&["repair", old, "-o", new]);
    assert_eq!(output.status.code(), Some(3));
    assert!(text(&output.stderr).contains("nothing in it could be saved"));
    assert!(!Path::new(new).exists());
}

#[test]
fn repair_replays_logs_that_can_be_replayed() {
    let Some(corpus) = corpus() else { return };
    let folder = tempfile::tempdir().unwrap();
    for name in ["NewDirtyHive", "NewDirtyHive.LOG1", "NewDirtyHive.LOG2"] {
        fs::copy(corpus.join("dirty/yarp-NewDirtyHive1").join(name), folder.path().join(name)).unwrap();
    }
    let (hive, new) = (folder.path().join("NewDirtyHive"), folder.path().join("new"));
    let (hive, new) = (hive.to_str().unwrap(), new.to_str().unwrap());
    for verb in ["repair", "compact"] {
        let output = run(&[verb, hive, "-o", new, "--json"]);
        assert_eq!(output.status.code(), Some(0), "{verb}: {}", text(&output.stderr));
        let json: Json = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(json["replayed"], true);
        assert_eq!(dump(hive), dump(new), "{verb}: the replayed hive");
        fs::remove_file(new).unwrap();
    }
}
