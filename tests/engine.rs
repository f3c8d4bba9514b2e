//! Tiny hives that show their whole world.

use hivesmith::{Data, FileTime, Hive, KeyFlags, NewHive, Version};

#[test]
fn scratch() {
    for version in [Version::V1_3, Version::V1_5] {
        let mut hive = NewHive::new(version).create().unwrap();
        let mut txn = hive.begin().unwrap();
        let key = txn.create_key(txn.root(), r"ControlSet001\Services\gpsvc").unwrap();
        txn.set_value(key, "Start", &Data::Dword(4)).unwrap();
        txn.set_value(key, "Big", &Data::Binary(vec![7; 40000])).unwrap();
        for i in 0..3000 {
            txn.create_key(txn.root(), format!("k{}", i * 7919 % 3000).as_str()).unwrap();
        }
        let k = txn.rename_key(key, "a much longer name than before").unwrap();
        txn.set_class_name(k, Some("cls".into())).unwrap();
        txn.set_flags(k, KeyFlags::SYMBOLIC_LINK).unwrap();
        txn.set_last_written(k, FileTime(5)).unwrap();
        txn.commit().unwrap();
        let report = hive.view().check();
        for f in report.findings.iter().take(10) {
            println!("{f}");
        }
        assert!(report.is_clean());
        let name = format!("/tmp/scratch-{version:?}.hive");
        let _ = std::fs::remove_file(&name);
        hive.write_to(&name).unwrap();
    }
}
