//! Writes inputs to begin with into `fuzz/corpus/<target>/`: small hives that the engine made, whole and damaged, and
//! lists of operations; elements of boot stores; disks.

#![allow(dead_code, reason = "the property tests use more of these modules")]

#[path = "../../../tests/support/base_block.rs"]
mod base_block;
#[path = "../../../tests/support/log.rs"]
mod log;
#[path = "../../../tests/model/ops.rs"]
mod ops;
#[path = "../stores.rs"]
mod stores;

use std::{fs, io, path::Path};

use hivesmith::{Data, FileTime, Hive, HiveFile, KeyFlags, MemoryStorage, NewHive, OpenOptions, Result, Version};

use ops::{Name, Op, Size, descriptor};

type Error = Box<dyn std::error::Error>;

fn main() -> std::result::Result<(), Error> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    stores::write(&corpus)?;
    let (open_walk, edit_ops) = (corpus.join("open_walk"), corpus.join("edit_ops"));
    let salvage = corpus.join("salvage");
    for folder in [&open_walk, &edit_ops, &salvage] {
        fs::create_dir_all(folder)?;
    }
    for version in [Version::V1_3, Version::V1_5] {
        for (name, hive) in [("empty", empty(version)?), ("lists", lists(version)?), ("full", full(version)?)] {
            let hive = hive.to_bytes();
            let name = format!("{version:?}-{name}");
            write(&open_walk, &name, &hive, &[])?;
            fs::write(salvage.join(&name), &hive)?;
            fs::write(salvage.join(format!("{name}-headless")), hive.get(0x1000..).unwrap_or_default())?;
            write(&open_walk, &format!("{name}-cut"), &hive[..hive.len() * 2 / 3], &[])?;
            for bit in (0..hive.len() * 8).step_by(hive.len() * 8 / 13 + 1) {
                let mut flipped = hive.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                write(&open_walk, &format!("{name}-flip{bit}"), &flipped, &[])?;
            }
            let (dirty, log) = dirty(&hive)?;
            write(&open_walk, &format!("{name}-dirty"), &dirty, &log)?;
        }
    }
    for (at, ops) in op_lists().into_iter().enumerate() {
        for first in 0..6_u8 {
            let records = ops.iter().flat_map(|op| op.encode());
            let input: Vec<u8> = std::iter::once(first).chain(records).collect();
            fs::write(edit_ops.join(format!("ops{at}-{first}")), input)?;
        }
    }
    Ok(())
}

fn write(folder: &Path, name: &str, hive: &[u8], log: &[u8]) -> io::Result<()> {
    let pages = u8::try_from(hive.len().div_ceil(0x1000)).unwrap_or(u8::MAX);
    let mut input = vec![pages, u8::MAX];
    input.extend_from_slice(hive);
    if !log.is_empty() {
        input.resize(2 + usize::from(pages) * 0x1000, 0);
        input.extend_from_slice(log);
    }
    fs::write(folder.join(name), input)
}

fn empty(version: Version) -> Result<Hive> {
    NewHive::new(version).time(FileTime(1)).create()
}

/// Subkeys under an index of lists.
fn lists(version: Version) -> Result<Hive> {
    let mut hive = empty(version)?;
    let mut txn = hive.begin()?;
    for at in 0..1020 {
        txn.create_key(txn.root(), format!("{at}").as_str())?;
    }
    txn.commit()?;
    Ok(hive)
}

/// A little of everything.
fn full(version: Version) -> Result<Hive> {
    let mut hive = empty(version)?;
    let mut txn = hive.begin()?;
    for at in 1..40 {
        let key = txn.create_key(txn.root(), hivesmith::name::KeyPath::from(vec![Name(at).buf()]))?;
        txn.set_security(key, &descriptor(at % 5))?;
        let size = Size::EDGES[usize::from(at) % 18];
        txn.set_value(key, Name(at + 1).buf(), &Data::Binary(ops::data(size.min(20_000), at.into())))?;
        txn.set_value(key, "text", &Data::MultiSz(vec!["one".to_owned(), "two".to_owned()]))?;
        if at % 5 == 0 {
            txn.set_class_name(key, Some("class".into()))?;
            txn.set_flags(key, KeyFlags::SYMBOLIC_LINK)?;
        }
    }
    txn.commit()?;
    Ok(hive)
}

/// A hive whose last edit is in its log only.
fn dirty(hive: &[u8]) -> std::result::Result<(Vec<u8>, Vec<u8>), Error> {
    let files = MemoryStorage::new(hive.to_vec()).with(HiveFile::Log1, log::log_for(hive));
    let mut opened = OpenOptions::new().open_storage(files)?;
    let mut txn = opened.begin()?;
    txn.set_value(txn.root(), "new", &Data::Dword(1))?;
    let sequence = txn.commit()?.sequence;
    let storage = opened.storage_mut().ok_or("no storage")?;
    let mut log = vec![0; usize::try_from(storage.len(HiveFile::Log1)?.unwrap_or(0))?];
    storage.read(HiveFile::Log1, 0, &mut log)?;
    let mut dirty = hive.to_vec();
    base_block::number(&mut dirty, sequence - 1, sequence - 2);
    Ok((dirty, log))
}

fn op_lists() -> Vec<Vec<Op>> {
    let create = |at, name| Op::Create { at, name: Name(name), levels: 1 };
    let set = |at, name, size| Op::SetValue { at, name: Name(name), kind: 3, size: Size(size) };
    vec![
        (1..44).map(|name| create(0, name)).chain([Op::Reopen, Op::DeleteTree { at: 3 }, Op::Commit]).collect(),
        (0..22).map(|size| set(0, 50, size)).chain((0..22).map(|size| set(0, 60 + size as u8, size))).collect(),
        vec![
            Op::Siblings { at: 0, count: 40 },
            Op::Savepoint,
            Op::Rename { at: 5, name: Name(37) },
            Op::DeleteSiblings { at: 0, keep: 3 },
            Op::Rollback { to: 0 },
            Op::Commit,
            Op::DeleteSiblings { at: 0, keep: 1 },
            Op::UseStale { which: 4 },
            Op::Abort,
            Op::DeleteSiblings { at: 0, keep: 0 },
            Op::Reopen,
        ],
        vec![
            create(0, 1),
            Op::SetSecurity { at: 1, which: 1 },
            Op::SetSecurity { at: 2, which: 2 },
            Op::SetClass { at: 1, size: Size(5) },
            Op::SetFlags { at: 2, flags: 0x10 },
            Op::SetTime { at: 1, time: 5 },
            Op::Commit,
            Op::SetSecurity { at: 1, which: 0 },
            Op::ManyValues { at: 2, count: 40 },
            Op::DeleteTree { at: 1 },
        ],
    ]
}
