//! Stores as nobody but an enemy or a broken disk makes them, and commands that would harm a machine.

use std::fs;

use hivesmith::{
    Change, Guid, Hive,
    bcd::{ElementCode, ElementValue, NewObject, NewStore, ObjectType, Store, WellKnown},
    name::KeyPath,
};

use crate::{
    Desk,
    undo::{desk, edit},
};

const OTHER: Guid = Guid::from_u128(0xaaaa_aaaa_2222_4333_8444_5555_5555_5555);

/// The path of an element's key.
fn element(id: Guid, code: ElementCode) -> KeyPath {
    KeyPath::from(format!("Objects\\{id:?}\\Elements\\{code}").as_str())
}

/// A boot manager that offers itself and others over and over: as many lines as entries, and no more.
#[test]
fn a_list_that_repeats_itself_is_shown_once() {
    let desk = desk();
    let mut hive = Hive::open(desk.store()).unwrap();
    edit(&mut hive, |store| {
        let list = ElementValue::ObjectList(vec![WellKnown::BOOT_MANAGER; 5000]);
        store.set(WellKnown::BOOT_MANAGER, ElementCode::DISPLAY_ORDER, &list)
    });
    drop(hive);
    let done = desk.bcdedit("/enum").ends(0);
    assert_eq!(done.out.matches("Windows Boot Manager").count(), 1);
    assert_eq!(done.out.matches("{bootmgr}").count(), 5001);
}

/// A list with a name in it that is none would lose all its members to an edit that cannot read it.
#[test]
fn a_list_that_cannot_be_read_is_not_edited() {
    let desk = desk();
    let mut hive = Hive::open(desk.store()).unwrap();
    let data: Vec<u8> =
        "{9dea862c-5cdd-4e70-acc1-f32b344d4795}\0{nonsense}\0\0".encode_utf16().flat_map(u16::to_le_bytes).collect();
    edit(&mut hive, |_| {
        let key = element(WellKnown::BOOT_MANAGER, ElementCode::DISPLAY_ORDER);
        let kind = hivesmith::ValueType::MULTI_SZ;
        Ok(vec![Change::SetValue { key, name: "Element".into(), kind, data: data.clone() }])
    });
    drop(hive);
    let before = fs::read(desk.store()).unwrap();
    for line in
        ["/displayorder {default} /addlast", "/displayorder {default} /addfirst", "/displayorder {default} /remove"]
    {
        desk.bcdedit(line).ends(2).says("holds something that is no list of objects");
        assert!(fs::read(desk.store()).unwrap() == before);
    }
    desk.bcdedit("/enum all").ends(0);
    desk.bcdedit("/displayorder {default}").ends(0);
}

/// A key without braces is no object of boot code's, and two keys are not one object.
#[test]
fn a_guid_without_braces_is_no_object() {
    let desk = desk();
    let mut hive = Hive::open(desk.store()).unwrap();
    edit(&mut hive, |_| Ok(vec![Change::CreateKey { key: KeyPath::from(format!("Objects\\{OTHER}").as_str()) }]));
    let store = Store::new(hive.view()).unwrap();
    assert!(store.objects().unwrap().iter().all(|object| object.id() != OTHER));
    assert_eq!(store.unknown_keys().unwrap(), [format!("Objects\\{OTHER}")]);
    drop(hive);
    let created = desk.bcdedit(&format!("/create {{{OTHER}}} /application osloader")).ends(0);
    assert!(created.out.contains("successfully created"), "{}", created.out);
}

/// What starts the machine must be something that starts.
#[test]
fn settings_are_offered_by_no_boot_manager() {
    let desk = desk();
    desk.bcdedit("/create {globalsettings}").ends(0);
    desk.bcdedit("/create {ramdiskoptions}").ends(0);
    let before = fs::read(desk.store()).unwrap();
    for line in [
        "/default {globalsettings}",
        "/displayorder {default} {ramdiskoptions}",
        "/bootsequence {globalsettings} /addfirst",
        "/set {bootmgr} toolsdisplayorder {globalsettings}",
    ] {
        desk.bcdedit(line).ends(2).says("which nothing starts");
        assert!(fs::read(desk.store()).unwrap() == before, "{line}");
    }
}

/// At every moment of an import what the boot manager names exists.
#[test]
fn an_import_makes_what_is_new_before_it_is_named() {
    // The boot manager comes before the new entry in the order of keys.
    let desk = desk();
    let ours = Hive::options().read_only(true).open(desk.store()).unwrap();
    let mut theirs = Hive::from_bytes(ours.to_bytes()).unwrap();
    edit(&mut theirs, |store| store.create(&NewObject::new(OTHER, ObjectType::OS_LOADER)));
    edit(&mut theirs, |store| store.set(WellKnown::BOOT_MANAGER, ElementCode::DEFAULT, &ElementValue::Object(OTHER)));
    edit(&mut theirs, |store| {
        store.set(WellKnown::BOOT_MANAGER, ElementCode::DISPLAY_ORDER, &ElementValue::ObjectList(vec![OTHER]))
    });
    let old = Store::new(ours.view()).unwrap().default_entry().unwrap();
    edit(&mut theirs, |store| store.delete(old, true));

    let changes = Store::new(ours.view()).unwrap().import(Store::new(theirs.view()).unwrap()).unwrap();
    assert_eq!(changes.len(), 4, "{changes:?}");
    let mut now = Hive::from_bytes(ours.to_bytes()).unwrap();
    for change in &changes {
        edit(&mut now, |_| Ok(vec![change.clone()]));
        let store = Store::new(now.view()).unwrap();
        let default = store.default_entry().unwrap();
        assert!(store.object(default).unwrap().is_some(), "{change:?}");
        for offered in store.list(WellKnown::BOOT_MANAGER, ElementCode::DISPLAY_ORDER).unwrap() {
            assert!(store.object(offered).unwrap().is_some(), "{change:?}");
        }
    }
    assert_eq!(
        crate::elements(Store::new(now.view()).unwrap()).unwrap(),
        crate::elements(Store::new(theirs.view()).unwrap()).unwrap()
    );
}

#[test]
fn an_import_that_leaves_nothing_to_start_from_says_so() {
    let desk = desk();
    NewStore::new().create().unwrap().write_to(desk.path("empty")).unwrap();
    desk.bcdedit("/import empty --dry-run").ends(0).says("nothing starts from a store without one");
}

/// A file that is there is found before anything of the script is done, and a sleeping Windows before a store is made.
#[test]
fn files_that_exist_and_volumes_that_sleep_are_refused_first() {
    let desk = desk();
    let before = fs::read(desk.store()).unwrap();
    fs::write(desk.path("there"), "x").unwrap();
    fs::write(desk.path("script.cmd"), "bcdedit /store BCD /timeout 7\r\nbcdedit /store BCD /export there\r\n")
        .unwrap();
    desk.hivesmith(["run", "script.cmd"]).ends(3).says("the file exists, and is not overwritten");
    assert!(fs::read(desk.store()).unwrap() == before);
    assert_eq!(fs::read(desk.path("there")).unwrap(), b"x");

    let asleep = Desk::new();
    fs::create_dir(asleep.path("win")).unwrap();
    fs::write(asleep.path("win/hiberfil.sys"), b"hibr").unwrap();
    let words = ["bcdedit", "/createstore", "F:\\BCD", "--drive", "F:=win"];
    asleep.hivesmith(words).ends(3).says("nothing was written");
    assert!(!asleep.path("win/BCD").exists());
    asleep.hivesmith(words.iter().chain(&["--accept-hibernated"])).ends(0);
    asleep.hivesmith(words.iter().chain(&["--accept-hibernated"])).ends(3).says("is not overwritten");
}
