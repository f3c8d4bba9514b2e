//! Any bytes: as a hive to read, to check, to edit; and with the rest of them as its logs.
//!
//! The first two bytes say how the rest is divided: pages of hive, and what follows is the first log, up to the second.

#![no_main]

use std::hint::black_box;

use hivesmith::{
    Data, Hive, HiveFile, HiveView, Key, MemoryStorage, OpenOptions, Recover, Result, check::check_file, name::Units,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((&[hive_pages, log_sectors], rest)) = input.split_first_chunk() else { return };
    let (hive, logs) = rest.split_at(rest.len().min(usize::from(hive_pages) * 0x1000));
    let (log1, log2) = logs.split_at(logs.len().min(usize::from(log_sectors) * 0x200));

    black_box(check_file(hive));
    if let Ok(view) = HiveView::parse(hive) {
        read(view);
    }
    if let Ok(opened) = Hive::from_bytes(hive.to_vec()) {
        let _ = edit(opened);
    }
    let files = MemoryStorage::new(hive.to_vec()).with(HiveFile::Log1, log1.to_vec());
    let files = files.with(HiveFile::Log2, log2.to_vec());
    for recover in [Recover::Apply, Recover::InMemory] {
        if let Ok(opened) = OpenOptions::new().recover(recover).open_storage(files.clone()) {
            read(opened.view());
            let _ = edit(opened);
        }
    }
});

/// Everything that can be read.
fn read(hive: HiveView<'_>) {
    black_box(hive.check());
    for walked in hive.walk().take(1 << 16) {
        let Ok(walked) = walked else { continue };
        let _ = black_box(read_key(walked.key));
    }
}

fn read_key(key: Key<'_>) -> Result<()> {
    let name = key.name()?;
    black_box((name.to_string(), key.last_written(), key.flags()));
    black_box(key.class_name().map(|class| class.map(|class| class.units().count()))).ok();
    black_box(key.security().and_then(|security| security.descriptor()).map(|descriptor| descriptor.to_string())).ok();
    if let Ok(Some(parent)) = key.parent() {
        black_box(parent.subkey(&name)).ok();
    }
    for value in key.values()?.take(1 << 12) {
        let Ok(value) = value else { continue };
        black_box(value.decode()).ok();
        let name = value.name()?;
        black_box(key.value(&name)).ok();
    }
    Ok(())
}

/// A hive that passes its check is still whole when it was edited.
fn edit(mut hive: Hive) -> Result<()> {
    let mut txn = hive.begin()?;
    let key = txn.create_key(txn.root(), r"made\here")?;
    txn.set_value(key, "value", &Data::Binary(vec![1; 20_000]))?;
    let ids: Vec<_> = txn.view().walk().take(64).flatten().map(|walked| walked.key.id()).collect();
    for id in ids {
        let _ = txn.set_value(id, "", &Data::Dword(1));
        let _ = txn.delete_value(id, "a");
    }
    txn.commit()?;
    assert!(hive.view().check().editable());
    Ok(())
}
