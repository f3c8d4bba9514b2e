//! `hivesmith undo`: byte for byte, and never over what somebody else has done since.

use std::fs;

use hivesmith::{Data, Hive, Version};

use crate::volume::Volume;

fn system(volume: &Volume) -> std::path::PathBuf {
    let path = volume.path("Windows/System32/config/SYSTEM");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut hive = Hive::create(Version::V1_5).unwrap();
    let mut txn = hive.begin().unwrap();
    let key = txn.create_key(txn.root(), "ControlSet001").unwrap();
    txn.set_value(key, "Start", &Data::Dword(2)).unwrap();
    txn.commit().unwrap();
    hive.write_to(&path).unwrap();
    path
}

const SCRIPT: &str = "reg load HKLM\\B F:\\Windows\\System32\\config\\SYSTEM\r\n\
    reg add HKLM\\B\\ControlSet001 /v Start /t REG_DWORD /d 4 /f\r\n\
    reg unload HKLM\\B\r\n\
    icacls F:\\a /grant SYSTEM:F\r\n";

#[test]
fn hives_and_descriptors_come_back_byte_for_byte() {
    let Some(volume) = Volume::mounted() else { return };
    let hive = system(&volume);
    volume.file("a", "O:BAG:BUD:PAI(A;;FR;;;BU)");
    let before = (fs::read(&hive).unwrap(), volume.all());
    volume.run(SCRIPT, &[]).ends(0);
    assert_ne!((fs::read(&hive).unwrap(), volume.all()), before);

    volume.hivesmith(&["undo", "--list"]).ends(0).prints("    hive ").prints("descriptors of 1 files");
    volume.hivesmith(&["undo", "--dry-run"]).ends(0).prints("2 of 2 would be put back, nothing was written");
    let document = volume.hivesmith(&["undo", "--json"]).ends(0).json();
    assert_eq!((&document["changed"], document["steps"].as_array().unwrap().len()), (&true.into(), 2));
    assert_eq!((fs::read(&hive).unwrap(), volume.all()), before);
    assert!(Hive::open(&hive).unwrap().view().check().is_clean());
    volume.hivesmith(&["undo", "--list"]).ends(0).prints("(put back)");
    volume.hivesmith(&["undo"]).ends(1).says("nothing is kept there that was not put back");
    let journal = volume.journals()[0].display().to_string();
    volume.hivesmith(&["undo", &journal]).ends(0).prints("nothing to put back");
}

#[test]
fn what_somebody_has_changed_since_is_left_alone_unless_told() {
    let Some(volume) = Volume::mounted() else { return };
    let hive = system(&volume);
    volume.file("a", "O:BAG:BUD:PAI(A;;FR;;;BU)");
    let before = (fs::read(&hive).unwrap(), volume.all());
    volume.run(SCRIPT, &[]).ends(0);
    let first = volume.journals()[0].display().to_string();
    let second = SCRIPT.replace("/d 4", "/d 3").replace("SYSTEM:F", "Everyone:R");
    volume.run(&second, &[]).ends(0);
    let now = (fs::read(&hive).unwrap(), volume.all());

    let refused = volume.hivesmith(&["undo", &first]).ends(3).says("--force").says("nothing was put back");
    assert!(refused.err.contains("SYSTEM: hive is neither"), "{}", refused.err);
    assert_eq!((fs::read(&hive).unwrap(), volume.all()), now);
    // In their order both go well.
    volume.hivesmith(&["undo"]).ends(0);
    volume.hivesmith(&["undo"]).ends(0);
    assert_eq!((fs::read(&hive).unwrap(), volume.all()), before);

    volume.run(SCRIPT, &[]).ends(0);
    volume.set("a", "O:SYG:SYD:P");
    volume.hivesmith(&["undo"]).ends(3).says("descriptor is neither");
    volume.hivesmith(&["undo", "--force"]).ends(0);
    assert_eq!((fs::read(&hive).unwrap(), volume.all()), before);
}

#[test]
fn an_undo_that_was_interrupted_is_finished_by_the_next() {
    let Some(volume) = Volume::mounted() else { return };
    let hive = system(&volume);
    volume.file("a", "O:BAG:BUD:PAI(A;;FR;;;BU)");
    let before = (fs::read(&hive).unwrap(), volume.all());
    volume.run(SCRIPT, &[]).ends(0);
    // As a power cut in the middle leaves it: begun, and no base block.
    fs::write(volume.journals()[0].join("undo.json"), "{\"undone\":false}").unwrap();
    let mut torn = fs::read(&hive).unwrap();
    torn[..512].fill(0);
    fs::write(&hive, torn).unwrap();
    volume.hivesmith(&["undo"]).ends(0);
    assert_eq!((fs::read(&hive).unwrap(), volume.all()), before);
}

#[test]
fn a_damaged_journal_writes_nothing() {
    let Some(volume) = Volume::mounted() else { return };
    let hive = system(&volume);
    volume.file("a", "O:BAG:BUD:PAI(A;;FR;;;BU)");
    volume.run(SCRIPT, &[]).ends(0);
    let now = (fs::read(&hive).unwrap(), volume.all());
    let journal = volume.journals()[0].clone();
    let copy = journal.join("0-SYSTEM");
    let mut bytes = fs::read(&copy).unwrap();
    bytes[0x1800] ^= 1;
    fs::write(&copy, bytes).unwrap();
    volume.hivesmith(&["undo"]).ends(4).says("is not what was kept");
    assert_eq!((fs::read(&hive).unwrap(), volume.all()), now);
    fs::write(journal.join("journal.json"), "{\"version\":9}").unwrap();
    volume.hivesmith(&["undo", journal.to_str().unwrap()]).ends(4).says("not a journal of ours");
}

#[test]
fn files_that_are_gone_do_not_keep_the_others_from_being_put_back() {
    let Some(volume) = Volume::mounted() else { return };
    for name in ["a/1", "a/folder/2", "a/3", "a/4"] {
        volume.file(name, "O:BAG:BUD:PAI(A;;FR;;;BU)");
    }
    let before = volume.hex("a/4");
    volume.hivesmith(&["icacls", r"F:\a", "/t", "/grant", "SYSTEM:F"]).ends(0);
    fs::remove_file(volume.path("a/1")).unwrap();
    let now = volume.all();
    volume.hivesmith(&["undo"]).ends(3).says("1: descriptor is gone").says("--force");
    assert_eq!(volume.all(), now);
    // A link in the place of a folder is not followed, and fails alone.
    fs::remove_dir_all(volume.path("a/folder")).unwrap();
    std::os::unix::fs::symlink(".", volume.path("a/folder")).unwrap();
    volume.set("a/3", "O:SYG:SYD:P");
    volume.hivesmith(&["undo", "--force"]).ends(3).says("links on the disk are not followed").says("run this again");
    assert_eq!((volume.hex("a/3"), volume.hex("a/4")), (before.clone(), before.clone()));
    fs::remove_file(volume.path("a/folder")).unwrap();
    volume.hivesmith(&["undo", "--force"]).ends(0).prints("what is left is as it was before");
    volume.hivesmith(&["undo", "--list"]).ends(0).prints("(put back)");

    // Where the volume is not mounted, nothing is gone.
    volume.hivesmith(&["icacls", r"F:\a", "/t", "/grant", "Guests:F"]).ends(0);
    volume.unmount();
    for force in [&["undo"][..], &["undo", "--force"]] {
        let done = volume.hivesmith(force);
        assert!(done.code != 0 && done.err.contains("no Windows security descriptors"), "{done:?}");
    }
    volume.mount("rw");
    volume.hivesmith(&["undo"]).ends(0);
    assert_eq!(volume.hex("a/4"), before);
}

#[test]
fn a_hive_that_was_put_back_is_not_put_back_again_over_what_was_done_since() {
    let Some(volume) = Volume::mounted() else { return };
    let hive = system(&volume);
    volume.file("a", "O:BAG:BUD:PAI(A;;FR;;;BU)");
    let before = (fs::read(&hive).unwrap(), volume.all());
    volume.run(SCRIPT, &[]).ends(0);
    let journal = volume.journals()[0].clone();
    // As it is left where the hive was put back and a descriptor failed; then Windows ran.
    fs::copy(journal.join("0-SYSTEM"), &hive).unwrap();
    fs::write(journal.join("undo.json"), "{\"hives\":true,\"undone\":false}").unwrap();
    volume.run(&SCRIPT.replace("/d 4", "/d 1").replace("icacls", "rem"), &[]).ends(0);
    let now = fs::read(&hive).unwrap();
    let journal = journal.display().to_string();
    volume.hivesmith(&["undo", &journal]).ends(3).says("SYSTEM: hive is neither");
    assert_eq!(fs::read(&hive).unwrap(), now);
    volume.hivesmith(&["undo", &journal, "--force"]).ends(0);
    assert_eq!((fs::read(&hive).unwrap(), volume.all()), before);
}
