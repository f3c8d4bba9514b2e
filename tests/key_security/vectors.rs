//! What keys of real systems inherited, reproduced in a hive.

use std::fs;

use hivesmith::{
    Hive, NewHive, Version,
    security::{ListKind, SecurityDescriptor},
};
use serde_json::Value;

use crate::{Way, bytes, judges, say, sd, support::vectors};

const ROWS: usize = 274;
/// Keys whose rights a new key shows as the kernel computes them. The others were handed theirs by programs, which
/// leave creating links out of executing.
const BY_PROGRAMS: usize = 5;

struct Row {
    parent: Vec<u8>,
    explicit: String,
    who: String,
    inherited: String,
    kernel: bool,
}

impl Row {
    fn child(&self, explicit: &str, inherited: &str) -> SecurityDescriptor {
        sd(&format!("{}D:AI{explicit}{inherited}", self.who))
    }
}

fn rows() -> Option<Vec<Row>> {
    let vectors: Value = serde_json::from_slice(&fs::read(vectors()?.join("inherit-key.json")).unwrap()).unwrap();
    let items = vectors["items"].as_array().unwrap();
    assert_eq!(items.len(), ROWS, "the number of vectors has changed: see what the new ones say");
    let row = |item: &Value| {
        let text = |field: &str| item[field].as_str().unwrap().to_owned();
        let who = format!("O:{}G:{}", text("owner"), text("group"));
        Row {
            // Owner and group of a new key are its parent's.
            parent: bytes(&format!("{who}D:AI{}", text("parent_dacl"))),
            explicit: text("child_explicit"),
            inherited: text("child_inherited"),
            kernel: text("mapping") == "kernel",
            who,
        }
    };
    Some(items.iter().map(row).collect())
}

/// A key is made below a key with the parent's descriptor.
#[test]
fn a_new_key_has_what_windows_gave_it() {
    let Some(rows) = rows() else { return };
    let empty = NewHive::new(Version::V1_5).create().unwrap().to_bytes();
    for way in [Way::Memory, Way::Log, Way::OldLog] {
        let mut hive = way.open(&empty);
        let mut txn = hive.begin().unwrap();
        for (index, row) in rows.iter().enumerate() {
            txn.create_key_with_security(txn.root(), format!("{index}").as_str(), &row.parent).unwrap();
            txn.create_key(txn.root(), format!(r"{index}\child").as_str()).unwrap();
        }
        txn.commit().unwrap();
        let (mut equal, mut by_programs) = (0, 0);
        let link = 0x20;
        for (index, row) in rows.iter().enumerate() {
            let key = hive.view().key(&format!(r"{index}\child")).unwrap().unwrap();
            let (made, expected) = (key.security().unwrap(), row.child("", &row.inherited));
            if made.bytes() == expected.to_bytes() {
                equal += 1;
                continue;
            }
            assert!(!row.kernel, "{index}: {}, not {expected}", made.descriptor().unwrap());
            let without_links = |descriptor: &SecurityDescriptor| -> Vec<_> {
                let aces = descriptor.dacl().acl().unwrap().aces().iter();
                aces.map(|ace| (ace.ace_type(), ace.flags(), ace.sid().copied(), ace.mask().unwrap().bits() & !link))
                    .collect()
            };
            assert_eq!(without_links(&made.descriptor().unwrap()), without_links(&expected), "{index}");
            by_programs += 1;
        }
        assert_eq!((equal, by_programs), (ROWS - BY_PROGRAMS, BY_PROGRAMS));
        sound(&hive);
    }
    say(&format!("inherit-key.json: {ROWS} keys made in a hive, {BY_PROGRAMS} of them as the kernel would"));
}

/// A key that exists, with entries of its own and with stale ones, inherits anew.
#[test]
fn an_existing_key_gets_back_what_windows_gave_it() {
    let Some(rows) = rows() else { return };
    let rows: Vec<Row> = rows.into_iter().filter(|row| !row.kernel).collect();
    let empty = NewHive::new(Version::V1_5).create().unwrap().to_bytes();
    for way in [Way::Memory, Way::Log, Way::OldLog] {
        let mut hive = way.open(&empty);
        let mut txn = hive.begin().unwrap();
        for (index, row) in rows.iter().enumerate() {
            let parent = txn.create_key_with_security(txn.root(), format!("{index}").as_str(), &row.parent).unwrap();
            for (name, stale) in [("stale", "(A;CIID;KA;;;WD)(D;ID;KW;;;BG)"), ("none", "")] {
                let before = row.child(&row.explicit, stale).to_bytes();
                txn.create_key_with_security(parent, name, &before).unwrap();
            }
            let changes = txn.propagate_security(parent, ListKind::Dacl).unwrap();
            assert_eq!(changes.len(), 2, "{index}");
            let expected = row.child(&row.explicit, &row.inherited).to_bytes();
            assert!(changes.iter().all(|change| change.after[..] == expected[..]), "{index}");
            assert_eq!(txn.propagate_security(parent, ListKind::Dacl).unwrap(), [], "{index}: a second time");
        }
        txn.commit().unwrap();
        for (index, row) in rows.iter().enumerate() {
            let expected = row.child(&row.explicit, &row.inherited).to_bytes();
            for name in ["stale", "none"] {
                let key = hive.view().key(&format!(r"{index}\{name}")).unwrap().unwrap();
                assert_eq!(key.security().unwrap().bytes(), expected, "{index}");
            }
        }
        sound(&hive);
    }
    say(&format!("inherit-key.json: {} keys in a hive inherit anew", rows.len()));
}

/// The hive is sound, its counts are exact, and other readers see the same descriptors.
fn sound(hive: &Hive) {
    assert!(hive.view().check().is_clean(), "{:?}", hive.view().check());
    let stored = hive.to_bytes();
    if let Some(found) = judges::findings(&stored) {
        assert!(found.is_empty(), "{found:?}");
    }
    for reader in ["regf", "python-registry"] {
        if let Some(seen) = judges::descriptors(reader, &stored) {
            assert!(seen == judges::own(hive.view()), "{reader} sees other descriptors");
        }
    }
}
