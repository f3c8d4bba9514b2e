//! Hives made here, and edits of every kind for them.

use hivesmith::{Data, FileTime, KeyFlags, KeyId, NewHive, Result, Transaction, ValueType, Version, name::NameBuf};

use crate::support::small_hive::{OTHER, RUNNER_UP};
pub(crate) use crate::support::small_hive::{descriptor, small_hive};

/// One change, which a commit without a log makes visible by itself.
pub(crate) type Edit = Box<dyn Fn(&mut Transaction<'_>) -> Result<()> + Send + Sync>;

/// A hive whose descriptors lie far apart: another one cannot be linked between them with one sector.
pub(crate) fn far_apart(version: Version) -> Vec<u8> {
    let mut hive = NewHive::new(version).time(FileTime(1)).create().unwrap();
    let mut txn = hive.begin().unwrap();
    for at in 0..30 {
        let key = txn.create_key(txn.root(), format!("key{at}").as_str()).unwrap();
        txn.set_value(key, "data", &Data::Binary(vec![at; 300])).unwrap();
    }
    let guarded = txn.create_key(txn.root(), "guarded").unwrap();
    txn.set_security(guarded, &descriptor(RUNNER_UP)).unwrap();
    txn.commit().unwrap();
    hive.to_bytes()
}

/// Edits for that; the second needs all of them to be made at once.
pub(crate) fn far_apart_edits() -> Vec<Edit> {
    vec![
        edit(|txn| txn.create_key(txn.root(), r"new\below").map(drop)),
        edit(|txn| txn.set_security(key(txn, "key3"), &descriptor(OTHER))),
        edit(|txn| txn.set_value(key(txn, "key20"), "data", &Data::Binary(vec![1; 20_000]))),
        edit(|txn| txn.delete_key(key(txn, "key9"))),
    ]
}

/// References to a descriptor fall and rise again in one commit; a key that is rolled back raised some, too.
pub(crate) fn reference_edits() -> Vec<Edit> {
    let delete = |at: u32| edit(move |txn| txn.delete_key(key(txn, &format!(r"Services\svc{at}"))));
    let mut edits: Vec<Edit> = (0..5).map(delete).collect();
    edits.push(edit(|txn| {
        let savepoint = txn.savepoint();
        for at in 0..9 {
            let gone = txn.create_key(txn.root(), format!("gone{at}").as_str())?;
            txn.set_value(gone, "name", &Data::Binary(vec![0xff; 9000]))?;
        }
        txn.rollback_to(savepoint)?;
        txn.create_key(txn.root(), "kept").map(drop)
    }));
    edits.push(edit(|txn| txn.set_value(txn.root(), "in place of a key", &Data::Binary(vec![0; 20_000]))));
    edits
}

pub(crate) fn key(txn: &Transaction<'_>, path: &str) -> KeyId {
    txn.find(&path.into()).unwrap().expect(path)
}

fn edit(edit: impl Fn(&mut Transaction<'_>) -> Result<()> + Send + Sync + 'static) -> Edit {
    Box::new(edit)
}

/// Edits of every kind; later ones undo what earlier ones did, use what they freed, and grow the hive.
pub(crate) fn edits() -> Vec<Edit> {
    vec![
        edit(|txn| txn.set_value(key(txn, r"Services\svc7"), "Start", &Data::Dword(4))),
        edit(|txn| txn.delete_key(key(txn, r"Services\svc8"))),
        edit(|txn| txn.delete_tree(key(txn, r"Services\svc9")).map(drop)),
        edit(|txn| txn.create_key(key(txn, "Services"), r"new\below").map(drop)),
        edit(|txn| txn.set_value(key(txn, r"Services\new\below"), "", &Data::Sz("text".to_owned()))),
        edit(|txn| txn.rename_key(key(txn, r"Services\svc10"), "a name that needs another cell").map(drop)),
        edit(|txn| txn.set_value_bytes(key(txn, r"Services\svc11"), "Start", ValueType::QWORD, &[1; 8])),
        edit(|txn| txn.set_security(key(txn, r"Services\svc12"), &descriptor(OTHER))),
        edit(|txn| txn.set_security(key(txn, r"Services\guarded"), &descriptor(OTHER))),
        edit(|txn| txn.set_class_name(key(txn, r"Services\guarded"), Some(NameBuf::from("another")))),
        edit(|txn| txn.delete_value(key(txn, r"Services\guarded"), "Big").map(drop)),
        edit(|txn| txn.set_flags(key(txn, r"Services\svc13"), KeyFlags::SYMBOLIC_LINK)),
        edit(|txn| txn.set_value(key(txn, r"Services\svc14"), "Blob", &Data::Binary(vec![9; 50_000]))),
        edit(|txn| txn.rename_key(key(txn, "Services"), "SERVICES").map(drop)),
    ]
}

/// Edits for any hive, behind those.
pub(crate) fn later_edits() -> Vec<Edit> {
    vec![
        edit(|txn| txn.create_key(txn.root(), r"~later\below").map(drop)),
        edit(|txn| txn.set_value(key(txn, "~later"), "data", &Data::Binary(vec![5; 9_000]))),
    ]
}
