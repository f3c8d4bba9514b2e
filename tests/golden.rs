//! The hives in `corpus/hives` come out of the engine again, byte for byte: what it writes does not change by accident.
//!
//! A wanted change is recorded with `HIVESMITH_BLESS=1 cargo test --test golden`, and looked at before it is committed.

use std::{env, fs, path::PathBuf};

use hivesmith::{Data, FileTime, Hive, HiveView, KeyFlags, NewHive, Result, ValueType, Version};

/// 2021-01-01 00:00 UTC
const TIME: FileTime = FileTime(132_539_328_000_000_000);

fn empty(version: Version) -> Result<Hive> {
    NewHive::new(version).time(TIME).create()
}

/// A little of everything: all kinds of lists, data of all sizes, class names, flags, two descriptors.
fn full(version: Version) -> Result<Hive> {
    let mut hive = empty(version)?;
    let mut txn = hive.begin()?;
    txn.set_time(TIME);
    let root = txn.root();
    let values = txn.create_key(root, "values")?;
    txn.set_value(values, "", &Data::Sz("the default value".to_owned()))?;
    txn.set_value(values, "dword", &Data::Dword(0x1234_5678))?;
    txn.set_value(values, "multi", &Data::MultiSz(vec!["one".to_owned(), "two".to_owned()]))?;
    txn.set_value(values, "\u{416}", &Data::Qword(7))?;
    for size in [0, 1, 4, 5, 16344, 16345, 40000] {
        let bytes: Vec<u8> = (0..size).map(|at: u32| (at % 251) as u8).collect();
        txn.set_value_bytes(values, format!("{size} bytes"), ValueType::BINARY, &bytes)?;
    }
    for (list, count) in [("one leaf", 20_u32), ("full leaf", 600), ("leaves", 1100)] {
        let parent = txn.create_key(root, list)?;
        for number in 0..count {
            // Not in order, so that insertion goes everywhere; 7919 is prime.
            txn.create_key(parent, format!("key {:04}", number * 7919 % count).as_str())?;
        }
    }
    let special = txn.create_key(root, "special")?;
    txn.set_class_name(special, Some("class".into()))?;
    txn.set_security(
        special,
        &"O:SYG:SYD:P(A;CI;KA;;;SY)".parse::<hivesmith::security::SecurityDescriptor>()?.to_bytes(),
    )?;
    let link = txn.create_key(special, "link")?;
    txn.set_flags(link, KeyFlags::SYMBOLIC_LINK)?;
    txn.commit()?;
    Ok(hive)
}

#[test]
fn hives_come_out_byte_for_byte() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpus/hives");
    let made = [
        ("empty-1.3.hive", empty(Version::V1_3)),
        ("empty-1.5.hive", empty(Version::V1_5)),
        ("full-1.3.hive", full(Version::V1_3)),
        ("full-1.5.hive", full(Version::V1_5)),
    ];
    for (name, hive) in made {
        let bytes = hive.unwrap().to_bytes();
        assert!(HiveView::parse(&bytes).unwrap().check().is_clean(), "{name}");
        let path = folder.join(name);
        if env::var_os("HIVESMITH_BLESS").is_some() {
            fs::write(&path, &bytes).unwrap();
        }
        assert!(fs::read(&path).unwrap() == bytes, "{name} is another one now");
    }
}
