//! A small hive with something of everything.

use hivesmith::{Data, FileTime, NewHive, Version, name::NameBuf};

/// The descriptor of its key `guarded`.
pub(crate) const RUNNER_UP: &str = "D:(A;CI;KA;;;SY)";
/// One that no key has.
pub(crate) const OTHER: &str = "O:BAG:BAD:(A;CI;KA;;;BA)(A;CI;KR;;;WD)";

pub(crate) fn descriptor(sddl: &str) -> Vec<u8> {
    sddl.parse::<hivesmith::security::SecurityDescriptor>().unwrap().to_bytes()
}

/// Some keys of each kind to be edited.
pub(crate) fn small_hive(version: Version) -> Vec<u8> {
    let mut hive = NewHive::new(version).time(FileTime(1)).create().unwrap();
    let mut txn = hive.begin().unwrap();
    let services = txn.create_key(txn.root(), "Services").unwrap();
    // Early, so that both descriptors stand in one sector: a third can be linked between them without a log.
    let guarded = txn.create_key(services, "guarded").unwrap();
    txn.set_security(guarded, &descriptor(RUNNER_UP)).unwrap();
    for at in 0..30 {
        let key = txn.create_key(services, format!("svc{at}").as_str()).unwrap();
        txn.set_value(key, "Start", &Data::Dword(at)).unwrap();
        txn.set_value(key, "ImagePath", &Data::ExpandSz(format!(r"%SystemRoot%\svc{at}.exe"))).unwrap();
    }
    txn.set_value(guarded, "Big", &Data::Binary(vec![3; 30_000])).unwrap();
    txn.set_class_name(guarded, Some(NameBuf::from("class"))).unwrap();
    txn.commit().unwrap();
    hive.to_bytes()
}
