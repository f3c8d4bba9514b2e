//! Real hives, and edits that fit any of them.

use std::fs;

use hivesmith::{
    Data, HiveFile, HiveView, Result, Transaction,
    name::{KeyPath, NameBuf},
};

use crate::{
    files::Files,
    generated::{Edit, descriptor},
    support::corpus,
};

/// A hive of the corpus, with the logs that lie beside it.
pub(crate) fn read(path: &str) -> Option<Files> {
    let path = corpus()?.join(path);
    let mut files = Files::new(fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())));
    for log in HiveFile::LOGS {
        let mut name = path.file_name().expect("a file").to_owned();
        name.push(log.suffix());
        if let Ok(bytes) = fs::read(path.with_file_name(name)) {
            files = files.with(log, bytes);
        }
    }
    Some(files)
}

/// What there is to edit.
struct Places {
    /// A key with values, the first of these and the last.
    valued: Option<(KeyPath, NameBuf, NameBuf)>,
    /// Keys without subkeys.
    leaves: Vec<KeyPath>,
    /// A key with something below it that is not too much.
    small_tree: Option<KeyPath>,
}

fn places(hive: HiveView<'_>) -> Places {
    let mut places = Places { valued: None, leaves: Vec::new(), small_tree: None };
    for walked in hive.walk() {
        let key = walked.unwrap().key;
        let path = key.path().unwrap();
        let names: Vec<NameBuf> = key.values().unwrap().map(|value| value.unwrap().name().unwrap().into()).collect();
        if key.subkey_count() == 0 {
            places.leaves.push(path);
        } else if places.valued.is_none() && names.len() > 1 {
            places.valued = Some((path, names[0].clone(), names[names.len() - 1].clone()));
        } else if path.names().len() > 1 && key.subkey_count() < 4 {
            places.small_tree = Some(path);
        }
    }
    places
}

fn edit(edit: impl Fn(&mut Transaction<'_>) -> Result<()> + Send + Sync + 'static) -> Edit {
    Box::new(edit)
}

/// Edits of every kind at whatever places a hive has; one that it refuses is left out by whoever uses them.
pub(crate) fn edits(hive: HiveView<'_>) -> Vec<Edit> {
    let at = |txn: &Transaction<'_>, path: &KeyPath| Ok::<_, hivesmith::Error>(txn.find(path)?.expect("it is there"));
    let places = places(hive);
    let mut edits = vec![
        edit(|txn| txn.create_key(txn.root(), r"~hivesmith\below").map(drop)),
        edit(move |txn| txn.set_value(at(txn, &r"~hivesmith\below".into())?, "", &Data::Sz("text".to_owned()))),
        edit(move |txn| txn.set_value(at(txn, &"~hivesmith".into())?, "blob", &Data::Binary(vec![7; 9_000]))),
        edit(move |txn| txn.set_security(at(txn, &"~hivesmith".into())?, &descriptor("D:(A;CI;KA;;;SY)"))),
        edit(move |txn| txn.set_class_name(at(txn, &"~hivesmith".into())?, Some("a class".into()))),
    ];
    if let Some((key, first, last)) = places.valued {
        let other = key.clone();
        edits.push(edit(move |txn| txn.set_value(at(txn, &key)?, &first, &Data::Qword(0x0123_4567_89ab_cdef))));
        edits.push(edit(move |txn| txn.delete_value(at(txn, &other)?, &last).map(drop)));
    }
    // From the end, where no key of an edit before is in the way.
    let mut leaves = places.leaves.into_iter().rev();
    if let Some(leaf) = leaves.next() {
        edits.push(edit(move |txn| txn.delete_key(at(txn, &leaf)?)));
    }
    if let Some(leaf) = leaves.next() {
        edits.push(edit(move |txn| txn.rename_key(at(txn, &leaf)?, "a name of another length").map(drop)));
    }
    if let Some(tree) = places.small_tree {
        edits.push(edit(move |txn| match txn.find(&tree)? {
            Some(key) => txn.delete_tree(key).map(drop),
            None => Ok(()),
        }));
    }
    edits.push(edit(move |txn| txn.set_value(at(txn, &"~hivesmith".into())?, "large", &Data::Binary(vec![9; 40_000]))));
    edits
}
