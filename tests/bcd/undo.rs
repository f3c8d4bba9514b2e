//! `hivesmith undo` on boot stores, and on what else a script has made.

use std::{fs, path::PathBuf};

use hivesmith::{
    Guid, Hive, Version,
    bcd::{ElementCode, ElementValue, NewObject, NewStore, ObjectType, Store, StoreError, WellKnown},
};

use crate::{Desk, assert_sound};

const LOADER: Guid = Guid::from_u128(0x1111_1111_2222_4333_8444_5555_5555_5555);

/// A desk with a store that has a boot manager and a Windows to start, and with logs beside it.
pub(crate) fn desk() -> Desk {
    let desk = Desk::new();
    let mut hive = NewStore::system().create().unwrap();
    let text = |text: &str| ElementValue::String(text.to_owned());
    edit(&mut hive, |store| {
        let loader = NewObject::new(LOADER, ObjectType::OS_LOADER);
        store.create(&loader.with(ElementCode::DESCRIPTION, &text("Windows")))
    });
    edit(&mut hive, |store| {
        let manager = NewObject::new(WellKnown::BOOT_MANAGER, ObjectType::BOOT_MANAGER);
        let manager = manager.with(ElementCode::DEFAULT, &ElementValue::Object(LOADER));
        store.create(&manager.with(ElementCode::DISPLAY_ORDER, &ElementValue::ObjectList(vec![LOADER])))
    });
    hive.write_to(desk.store()).unwrap();
    fs::write(desk.path("BCD.LOG1"), vec![7; 2048]).unwrap();
    fs::write(desk.path("BCD.LOG2"), []).unwrap();
    desk
}

pub(crate) fn edit(hive: &mut Hive, edit: impl Fn(Store<'_>) -> Result<Vec<hivesmith::Change>, StoreError>) {
    let mut txn = hive.begin().unwrap();
    let changes = edit(Store::new(txn.view()).unwrap()).unwrap();
    txn.apply(&changes).unwrap();
    txn.commit().unwrap();
}

fn files(desk: &Desk) -> Vec<Vec<u8>> {
    ["BCD", "BCD.LOG1", "BCD.LOG2"].iter().map(|name| fs::read(desk.path(name)).unwrap()).collect()
}

fn journals(desk: &Desk) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> =
        fs::read_dir(desk.path("hivesmith-undo")).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.sort();
    found
}

#[test]
fn a_store_and_its_logs_come_back_byte_for_byte() {
    let desk = desk();
    let before = files(&desk);
    desk.bcdedit("/timeout 7").ends(0);
    desk.bcdedit("/copy {default} /d Another").ends(0);
    assert_ne!(files(&desk), before);
    desk.hivesmith(["undo"]).ends(0);
    assert_sound(&desk.store());
    desk.hivesmith(["undo"]).ends(0);
    assert!(files(&desk) == before);
}

/// As a power cut leaves it behind the base block that leads to a copy of all keys: a clean store with what was before,
/// in a longer file. The next undo goes on, and nobody has to say --force.
#[test]
fn an_undo_of_a_store_that_was_interrupted_goes_on() {
    let desk = desk();
    let before = files(&desk);
    desk.bcdedit("/timeout 7").ends(0);
    let journal = journals(&desk).remove(0);
    let mut longer = before[0].clone();
    longer.resize(longer.len() + 0x3000, 0xaa);
    fs::write(desk.store(), &longer).unwrap();
    desk.hivesmith(["undo"]).ends(3).says("hive is neither");
    fs::write(journal.join("undo.json"), "{\"undone\":false}").unwrap();
    desk.hivesmith(["undo"]).ends(0);
    assert!(files(&desk) == before);

    // That it was begun says nothing of a store that somebody has changed since.
    fs::write(journal.join("undo.json"), "{\"undone\":false}").unwrap();
    desk.bcdedit("/timeout 9").ends(0);
    let now = files(&desk);
    desk.hivesmith(["undo", journal.to_str().unwrap()]).ends(3).says("hive is neither");
    assert!(files(&desk) == now);
}

/// A log that is gone cannot be written; the store must not be harmed before that shows.
#[test]
fn a_log_that_is_gone_stays_gone_and_the_hive_comes_back() {
    let desk = desk();
    let before = files(&desk);
    desk.bcdedit("/timeout 7").ends(0);
    fs::remove_file(desk.path("BCD.LOG1")).unwrap();
    desk.hivesmith(["undo"]).ends(3);
    desk.hivesmith(["undo", "--force"]).ends(0);
    assert!(fs::read(desk.store()).unwrap() == before[0]);
    assert!(!desk.path("BCD.LOG1").exists());

    // The same for a hive that is put back in place.
    let hive = desk.path("HIVE");
    Hive::create(Version::V1_5).unwrap().write_to(&hive).unwrap();
    fs::write(desk.path("HIVE.LOG1"), vec![7; 2048]).unwrap();
    let before = fs::read(&hive).unwrap();
    desk.hivesmith(["reg", "--hive", "X=HIVE", "add", "HKLM\\X\\a", "/f"]).ends(0);
    fs::remove_file(desk.path("HIVE.LOG1")).unwrap();
    desk.hivesmith(["undo", "--force"]).ends(0);
    assert!(fs::read(&hive).unwrap() == before);
}

#[test]
fn copies_are_looked_at_before_the_first_write() {
    let desk = desk();
    Hive::create(Version::V1_5).unwrap().write_to(desk.path("HIVE")).unwrap();
    let script = "reg load HKLM\\X HIVE\r\nreg add HKLM\\X\\a /f\r\nbcdedit /store BCD /timeout 3\r\n";
    fs::write(desk.path("script.cmd"), script).unwrap();
    desk.hivesmith(["run", "script.cmd"]).ends(0);
    let now = (files(&desk), fs::read(desk.path("HIVE")).unwrap());
    let journal = journals(&desk).remove(0);
    let copies: Vec<PathBuf> = fs::read_dir(&journal).unwrap().map(|entry| entry.unwrap().path()).collect();
    // Whichever comes last.
    for name in ["BCD", "HIVE"] {
        let copy = copies.iter().find(|copy| copy.to_str().unwrap().ends_with(&format!("-{name}"))).unwrap();
        let whole = fs::read(copy).unwrap();
        let mut damaged = whole.clone();
        damaged[0x1100] ^= 1;
        fs::write(copy, damaged).unwrap();
        desk.hivesmith(["undo"]).ends(4).says("is not what was kept");
        assert!((files(&desk), fs::read(desk.path("HIVE")).unwrap()) == now, "{name}");
        fs::write(copy, whole).unwrap();
    }
    desk.hivesmith(["undo"]).ends(0);
}

#[test]
fn a_journal_that_cannot_be_read_is_not_passed_over_for_an_older_one() {
    let desk = desk();
    desk.bcdedit("/timeout 7").ends(0);
    desk.bcdedit("/set {default} description x").ends(0);
    let now = files(&desk);
    let [first, second] = &journals(&desk)[..] else { panic!() };
    let whole = fs::read(second.join("journal.json")).unwrap();
    for broken in ["", "{\"version\":1,\"files\":[", "{\"version\":1,\"files\":[{}]}"] {
        fs::write(second.join("journal.json"), broken).unwrap();
        desk.hivesmith(["undo"]).ends(4).says("nothing was put back");
        assert!(files(&desk) == now, "{broken}");
        let list = desk.hivesmith(["undo", "--list"]).ends(0);
        assert!(list.out.contains("cannot be read"), "{}", list.out);
    }
    // Without the hive itself there would be nothing to put in the place of its first sector.
    let mut document: serde_json::Value = serde_json::from_slice(&whole).unwrap();
    document["files"].as_array_mut().unwrap().remove(0);
    fs::write(second.join("journal.json"), document.to_string()).unwrap();
    desk.hivesmith(["undo", second.to_str().unwrap(), "--force"]).ends(4).says("a hive without a copy of it");
    assert!(files(&desk) == now);
    fs::write(second.join("journal.json"), whole).unwrap();
    // Changes are kept before anything is written, so a folder without a journal is none.
    fs::create_dir(desk.path("hivesmith-undo/9999999999-0000")).unwrap();
    desk.hivesmith(["undo"]).ends(0);
    desk.hivesmith(["undo", first.to_str().unwrap()]).ends(0);
}

#[cfg(unix)]
#[test]
fn links_lead_an_undo_nowhere() {
    let desk = desk();
    desk.bcdedit("/timeout 7").ends(0);
    fs::rename(desk.store(), desk.path("elsewhere")).unwrap();
    std::os::unix::fs::symlink("elsewhere", desk.store()).unwrap();
    let now = files(&desk);
    desk.hivesmith(["undo", "--force"]).ends(3).says("a link stands in its path");
    assert!(files(&desk) == now);
    fs::remove_file(desk.store()).unwrap();
    fs::rename(desk.path("elsewhere"), desk.store()).unwrap();
    let journal = journals(&desk).remove(0);
    fs::rename(journal.join("0-BCD"), journal.join("other")).unwrap();
    std::os::unix::fs::symlink("other", journal.join("0-BCD")).unwrap();
    desk.hivesmith(["undo"]).ends(4).says("is a link or no file");
    assert!(files(&desk) == now);
}

/// An unclean hive is written back by `recover`, which is a change like any other.
#[test]
fn what_recover_and_compact_wrote_is_undone_without_force() {
    let desk = desk();
    let before = fs::read(desk.store()).unwrap();
    let mut unclean = before.clone();
    // The second sequence number, and the checksum over it.
    unclean[8] ^= 1;
    unclean[508] ^= 1;
    fs::write(desk.store(), &unclean).unwrap();
    desk.hivesmith(["recover", "BCD", "--accept-dirty"]).ends(0);
    assert!(fs::read(desk.store()).unwrap() != unclean);
    desk.hivesmith(["undo"]).ends(0);
    assert!(fs::read(desk.store()).unwrap() == unclean);
}

const SCRIPT: &str = "md F:\\new\\deep\r\n\
    reg load HKLM\\X F:\\HIVE\r\n\
    reg add HKLM\\X\\a /f\r\n\
    reg query HKLM\\X > F:\\new\\deep\\list.txt\r\n\
    reg query HKLM\\X >> F:\\new\\deep\\list.txt\r\n\
    reg query HKLM\\X > F:\\old\\list.txt\r\n\
    reg query HKLM\\X > F:\\old\\known.txt\r\n\
    reg unload HKLM\\X\r\n";

fn with_script() -> Desk {
    let desk = Desk::new();
    fs::create_dir_all(desk.path("win/old")).unwrap();
    fs::write(desk.path("win/old/known.txt"), "known").unwrap();
    Hive::create(Version::V1_5).unwrap().write_to(desk.path("win/HIVE")).unwrap();
    fs::write(desk.path("script.cmd"), SCRIPT).unwrap();
    desk.hivesmith(["run", "script.cmd", "--drive", "F:=win"]).ends(0);
    assert!(desk.path("win/new/deep/list.txt").exists() && desk.path("win/old/list.txt").exists());
    desk
}

#[test]
fn files_and_folders_that_a_script_made_go_and_nothing_else() {
    let desk = with_script();
    let steps = desk.hivesmith(["undo", "--dry-run"]).ends(0);
    for line in ["list.txt: file is taken away", "deep: folder is taken away", "new: folder is taken away"] {
        assert!(steps.out.contains(line), "{}", steps.out);
    }
    desk.hivesmith(["undo"]).ends(0);
    assert!(!desk.path("win/new").exists() && !desk.path("win/old/list.txt").exists());
    // It was there before.
    assert!(desk.path("win/old/known.txt").exists());
    desk.hivesmith(["undo", journals(&desk)[0].to_str().unwrap()]).ends(0);
}

#[test]
fn what_was_changed_or_put_there_since_stays_and_is_not_in_the_way() {
    let desk = with_script();
    fs::write(desk.path("win/old/list.txt"), "mine").unwrap();
    fs::write(desk.path("win/new/mine.txt"), "mine").unwrap();
    let done = desk.hivesmith(["undo", "--force"]).ends(0);
    assert!(done.out.contains("list.txt: file stays: it was changed since"), "{}", done.out);
    assert!(done.out.contains("new: folder stays: something is in it"), "{}", done.out);
    assert_eq!(fs::read(desk.path("win/old/list.txt")).unwrap(), b"mine");
    assert_eq!(fs::read(desk.path("win/new/mine.txt")).unwrap(), b"mine");
    assert!(!desk.path("win/new/deep").exists());
}

#[cfg(unix)]
#[test]
fn a_link_in_the_place_of_a_folder_is_not_followed() {
    let desk = with_script();
    fs::rename(desk.path("win/new"), desk.path("win/moved")).unwrap();
    std::os::unix::fs::symlink("moved", desk.path("win/new")).unwrap();
    let done = desk.hivesmith(["undo"]).ends(0);
    assert!(done.out.contains("file stays: a link stands in its path"), "{}", done.out);
    assert!(desk.path("win/moved/deep/list.txt").exists() && desk.path("win/new").is_symlink());

    // A journal names what is below the volume, or it is none.
    let journal = journals(&desk).remove(0).join("journal.json");
    let mut document: serde_json::Value = serde_json::from_slice(&fs::read(&journal).unwrap()).unwrap();
    for path in ["../script.cmd", "/etc/passwd", ""] {
        document["made"][0]["path"] = path.into();
        fs::write(&journal, document.to_string()).unwrap();
        let folder = journal.parent().unwrap().to_str().unwrap();
        desk.hivesmith(["undo", folder]).ends(4).says("not a journal of ours");
    }
}
