//! What is made here has the shape of what Windows makes.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use hivesmith::{Hive, security::SecurityDescriptor};

use crate::{Desk, assert_sound, corpus, say};

/// A key of a store, with what varies taken out: GUIDs, codes, values.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Shape {
    path: String,
    flags: u16,
    sddl: String,
    values: Vec<(String, u32)>,
}

/// Keys whose paths are the same but for GUIDs and codes have one shape.
fn shapes(path: &Path) -> BTreeSet<Shape> {
    let hive = Hive::options().read_only(true).open(path).unwrap();
    let mut shapes = BTreeSet::new();
    for walked in hive.view().walk() {
        let key = walked.unwrap().key;
        let general = |name: String| match name.len() {
            38 if name.starts_with('{') => "{guid}".to_owned(),
            // The format of an element decides on the type of its value.
            8 if name.bytes().all(|byte| byte.is_ascii_hexdigit()) => format!("?{}??????", &name[1..2]),
            _ => name,
        };
        let names = key.path().unwrap().names().iter().map(|name| general(name.to_string())).collect::<Vec<_>>();
        let descriptor = SecurityDescriptor::parse(key.security().unwrap().bytes()).unwrap();
        // The group is the primary group of whoever ran bcdedit.
        let sddl = descriptor.to_string();
        let dacl = sddl.find("D:").map_or(0, |at| at);
        let owner = sddl.split("G:").next().unwrap_or_default();
        let values = key.values().unwrap().map(|value| {
            let value = value.unwrap();
            (value.name().unwrap().to_string(), value.kind().0)
        });
        shapes.insert(Shape {
            path: names.join("\\"),
            flags: key.flags().bits(),
            sddl: format!("{owner}{}", &sddl[dacl..]),
            values: values.collect(),
        });
    }
    shapes
}

#[test]
fn an_empty_store_is_the_one_that_bcdedit_makes() {
    let Some(corpus) = corpus() else { return };
    let desk = Desk::new();
    desk.hivesmith(["bcdedit", "/createstore", "BCD"]).ends(0);
    assert_sound(&desk.store());
    assert_eq!(shapes(&desk.store()), shapes(&corpus.join("gobcdedit-BCD-template")));
    let root = |path: &Path| Hive::open(path).unwrap().view().root().unwrap().name().unwrap().to_string();
    assert_eq!(root(&desk.store()), root(&corpus.join("gobcdedit-BCD-template")));
    // A store that exists is not overwritten.
    let bytes = std::fs::read(desk.store()).unwrap();
    desk.hivesmith(["bcdedit", "/createstore", "BCD"]).ends(3).says("the file exists");
    assert!(std::fs::read(desk.store()).unwrap() == bytes);
}

#[test]
fn a_store_that_is_built_up_has_the_shape_of_one_that_bcdboot_made() {
    let Some(corpus) = corpus() else { return };
    let desk = Desk::new();
    desk.hivesmith(["bcdedit", "/createstore", "BCD"]).ends(0);
    for line in [
        "/create {bootmgr} /d \"Windows Boot Manager\"",
        "/create {globalsettings}",
        "/create {bootloadersettings}",
        "/create {emssettings}",
        "/create {1b67bffd-e290-11eb-8ffa-f459a0d9b879} /d \"Windows 10\" /application osloader",
        "/set {bootmgr} device boot",
        "/set {bootmgr} inherit {globalsettings}",
        "/set {bootloadersettings} inherit {globalsettings}",
        "/set {1b67bffd-e290-11eb-8ffa-f459a0d9b879} device partition=mbr:ddba6bbb@1048576",
        "/set {1b67bffd-e290-11eb-8ffa-f459a0d9b879} path \\windows\\system32\\winload.exe",
        "/set {1b67bffd-e290-11eb-8ffa-f459a0d9b879} allowedinmemorysettings 0x15000075",
        "/set {1b67bffd-e290-11eb-8ffa-f459a0d9b879} nx optin",
        "/displayorder {1b67bffd-e290-11eb-8ffa-f459a0d9b879} /addlast",
        "/default {1b67bffd-e290-11eb-8ffa-f459a0d9b879}",
        "/timeout 30",
        "/bootems {emssettings} off",
    ] {
        desk.bcdedit(line).ends(0);
    }
    assert_sound(&desk.store());
    let (ours, theirs) = (shapes(&desk.store()), shapes(&corpus.join("windeploy-BCD")));
    let unknown: Vec<&Shape> =
        ours.iter().filter(|shape| !theirs.contains(*shape) && shape.path != "Description").collect();
    assert!(unknown.is_empty(), "{unknown:#?}");
    // All of theirs are here but for what says that theirs is the store of a system.
    let missing: Vec<&str> =
        theirs.iter().filter(|shape| !ours.contains(*shape)).map(|shape| shape.path.as_str()).collect();
    assert_eq!(missing, ["Description"]);
    say(&format!("{} shapes of keys, the same as bcdboot's", ours.len()));

    // Two descriptors: one that all objects share, and one for the root and the description.
    let mut shared: BTreeMap<String, usize> = BTreeMap::new();
    let hive = Hive::open(desk.store()).unwrap();
    for walked in hive.view().walk() {
        let bytes = walked.unwrap().key.security().unwrap().bytes().to_vec();
        *shared.entry(format!("{bytes:02x?}")).or_default() += 1;
    }
    let mut counts: Vec<usize> = shared.into_values().collect();
    counts.sort_unstable();
    assert_eq!((counts.len(), counts[0]), (2, 2), "{counts:?}");
}
