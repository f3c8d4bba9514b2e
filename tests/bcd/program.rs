//! The program's own promises: what it prints, how it ends, what it leaves alone.

use std::fs;

use crate::{Desk, assert_sound, changes, corpus, elements_of};

/// A store that the program itself made; the text is what bcdedit's layout gives for it.
#[test]
fn what_enum_prints_of_a_store_made_here() {
    let desk = Desk::new();
    desk.hivesmith(["bcdedit", "/createstore", "BCD"]).ends(0);
    let id = "{11111111-2222-4333-8444-555555555555}";
    for line in [
        "/create {bootmgr} /d \"Windows Boot Manager\"",
        &format!("/create {id} /d \"Windows Server 2022\" /application osloader"),
        "/create {ntldr} /d Legacy",
        "/create {dbgsettings}",
        "/create {ramdiskoptions}",
        &format!(
            "/set {id} device partition=gpt:5541e87d-91a5-4f2b-ad43-a0345c199e9b/1c6ab89c-bcbf-4abe-8593-618e4d2f5811"
        ),
        &format!("/set {id} osdevice \"vhd=[mbr:43da9ab1@525336576]\\a b.vhd\""),
        &format!("/set {id} nx optout"),
        &format!("/set {id} hypervisorenforcedcodeintegrity strict"),
        &format!("/set {id} custom:46000010 yes"),
        &format!("/set {id} custom:250000c0 7"),
        &format!("/displayorder {id} {{ntldr}}"),
        &format!("/default {id}"),
        "/timeout 30",
        "/dbgsettings net hostip:192.168.1.2 port:50000 key:1.2.3.4",
        "/set {ramdiskoptions} ramdisksdidevice boot",
    ] {
        desk.bcdedit(line).ends(0);
    }
    let expected = "
Windows Boot Manager
--------------------
identifier              {bootmgr}
description             Windows Boot Manager
default                 {default}
displayorder            {default}
                        {ntldr}
timeout                 30

Windows Boot Loader
-------------------
identifier              {default}
device                  partition=gpt:5541e87d-91a5-4f2b-ad43-a0345c199e9b/1c6ab89c-bcbf-4abe-8593-618e4d2f5811
description             Windows Server 2022
osdevice                vhd=[mbr:43da9ab1@525336576]\\a b.vhd,locate=custom:22000002
nx                      OptOut
custom:250000c0         7
hypervisorenforcedcodeintegrity Strict

Windows Legacy OS Loader
------------------------
identifier              {ntldr}
description             Legacy
";
    assert_eq!(desk.bcdedit("").out, expected);
    assert_eq!(desk.bcdedit("/enum").out, expected);
    assert_eq!(desk.bcdedit("/enum active").out, expected);
    let all = desk.bcdedit("/enum all /v").ends(0).out;
    for part in [
        "identifier              {11111111-2222-4333-8444-555555555555}\n",
        "custom:46000010         Yes\n",
        "\nDebugger Settings\n-----------------\nidentifier              {4636856e-540f-4170-a130-a84776f4c654}\nkey                     1.2.3.4\n",
        "debugtype               NET\nhostip                  192.168.1.2\nport                    50000\n",
        "\nSetup Ramdisk Options\n---------------------\n",
    ] {
        let sorted = all.contains(part) || part.contains("key ");
        assert!(sorted, "no {part:?} in\n{all}");
    }
    for (line, headings) in [
        ("/enum bootmgr", vec!["Windows Boot Manager"]),
        ("/enum osloader", vec!["Windows Boot Loader"]),
        ("/enum inherit", vec!["Debugger Settings"]),
        ("/enum bootapp", vec!["Windows Boot Manager", "Windows Boot Loader"]),
        ("/enum firmware", vec!["Windows Boot Manager"]),
        ("/enum {ntldr}", vec!["Windows Legacy OS Loader"]),
        ("/enum {default}", vec!["Windows Boot Loader"]),
    ] {
        let out = desk.bcdedit(line).ends(0).out;
        let found: Vec<&str> = out.split("\n\n").map(|part| part.trim_start().lines().next().unwrap()).collect();
        assert_eq!(found, headings, "{line}");
    }
    desk.bcdedit("/enum resume").ends(1);
    assert_sound(&desk.store());
}

#[test]
fn lists_are_edited_in_every_way() {
    let desk = Desk::new();
    desk.hivesmith(["bcdedit", "/createstore", "BCD"]).ends(0);
    let id = |number: u32| format!("{{0000000{number}-0000-4000-8000-000000000000}}");
    desk.bcdedit("/create {bootmgr}").ends(0);
    for number in 1..=3 {
        desk.bcdedit(&format!("/create {} /application osloader", id(number))).ends(0);
    }
    let order = || -> Vec<String> {
        let out = desk.bcdedit("/enum bootmgr /v").out;
        let behind = out.split("displayorder").nth(1).unwrap_or_default();
        behind.lines().map(|line| line.trim().to_owned()).take_while(|line| line.starts_with('{')).collect()
    };
    let cases = [
        (format!("/displayorder {} {}", id(1), id(2)), vec![id(1), id(2)]),
        (format!("/displayorder {} /addlast", id(3)), vec![id(1), id(2), id(3)]),
        // Moved, not doubled.
        (format!("/displayorder {} /addfirst", id(3)), vec![id(3), id(1), id(2)]),
        (format!("/displayorder {} {} /remove", id(1), id(3)), vec![id(2)]),
        (format!("/set {{bootmgr}} displayorder {} /addfirst", id(1)), vec![id(1), id(2)]),
        (format!("/delete {}", id(2)), vec![id(1)]),
    ];
    for (line, expected) in cases {
        desk.bcdedit(&line).ends(0);
        assert_eq!(order(), expected, "{line}");
    }
    // The last member takes the element with it: no store has an empty list.
    desk.bcdedit(&format!("/displayorder {} /remove", id(1))).ends(0);
    assert!(desk.elements().keys().all(|key| !key.ends_with(" 24000001")));
    desk.bcdedit(&format!("/displayorder {} /remove", id(1))).ends(0).says("was not in the list");
    desk.bcdedit(&format!("/displayorder {}", id(2))).ends(2).says("the store has no");
    assert_sound(&desk.store());
}

#[test]
fn objects_are_copied_and_deleted_with_what_refers_to_them() {
    let Some(corpus) = corpus() else { return };
    let desk = Desk::with(&corpus.join("esp-nuc8/Boot/BCD"));
    let before = desk.elements();
    let done = desk.bcdedit("/copy {default} /d \"A second one\"").ends(0);
    let copy =
        done.out.trim_end().trim_end_matches('.').rsplit(' ').next().unwrap().trim_matches(['{', '}']).to_owned();
    let of = |elements: &crate::Elements, id: &str| -> Vec<(String, Vec<u8>)> {
        let prefix = format!("{id} ");
        let own = elements.iter().filter(|(key, _)| key.starts_with(&prefix));
        own.map(|(key, (_, bytes))| (key[prefix.len()..].to_owned(), bytes.clone())).collect()
    };
    let original = of(&before, "f22ea33f-7a75-11ec-8c50-afef9983f4f2");
    let copied = of(&desk.elements(), &copy);
    let different: Vec<&str> =
        original.iter().zip(&copied).filter(|(a, b)| a != b).map(|(a, _)| a.0.as_str()).collect();
    assert_eq!((original.len(), different), (copied.len(), vec!["12000004"]));
    // Not offered until it is asked for.
    assert!(!desk.bcdedit("/enum active /v").out.contains(&copy));
    for line in ["/displayorder {COPY} /addlast", "/bootsequence {COPY}", "/default {COPY}"] {
        desk.bcdedit(&line.replace("COPY", &copy)).ends(0);
    }
    assert!(desk.bcdedit("/enum active").out.contains("A second one"));
    desk.bcdedit(&format!("/delete {{{copy}}}")).ends(0).says("this was the default entry");
    let default = "9dea862c-5cdd-4e70-acc1-f32b344d4795 23000003";
    assert_eq!(changes(&before, &desk.elements()), [format!("- {default}")], "all else is as it was");
    // The first entry that is offered is the one that starts then.
    assert!(desk.bcdedit("/enum {default} /v").out.contains("f22ea33f-7a75-11ec-8c50-afef9983f4f2"));
    desk.bcdedit("/delete {memdiag}").ends(2).says("/f deletes it all the same");
    desk.bcdedit("/delete {memdiag} /f").ends(0);
    assert!(!desk.bcdedit("/enum all /v").out.contains("b2721d73"));
    assert_sound(&desk.store());
}

#[test]
fn exports_and_imports_are_the_whole_store() {
    let Some(corpus) = corpus() else { return };
    let desk = Desk::with(&corpus.join("esp-b360m/Boot/BCD"));
    desk.bcdedit("/export copy").ends(0);
    assert_eq!(elements_of(&desk.path("copy")), desk.elements());
    assert_sound(&desk.path("copy"));
    desk.bcdedit("/export copy").ends(3).says("exists");
    let before = desk.elements();
    for line in ["/timeout 3", "/delete {memdiag} /f", "/set {default} safeboot minimal", "/copy {default} /d x"] {
        desk.bcdedit(line).ends(0);
    }
    assert_ne!(desk.elements(), before);
    desk.bcdedit("/import copy").ends(0);
    assert_eq!(desk.elements(), before);
    assert_sound(&desk.store());
    let bytes = fs::read(desk.store()).unwrap();
    desk.bcdedit("/import copy").ends(0);
    assert!(fs::read(desk.store()).unwrap() == bytes, "nothing to import, nothing written");
    desk.bcdedit("/import nothing").ends(4);
}

#[test]
fn dry_runs_undo_copies_and_json() {
    let Some(corpus) = corpus() else { return };
    let desk = Desk::with(&corpus.join("windeploy-BCD"));
    let bytes = fs::read(desk.store()).unwrap();
    let dry = desk.bcdedit("/timeout 5 --dry-run").ends(0);
    assert!(
        dry.out.contains("25000004: Element = REG_BINARY 0500000000000000, was REG_BINARY 1e00000000000000"),
        "{}",
        dry.out
    );
    assert!(dry.out.ends_with("dry run: 1 steps, nothing was written\n"));
    assert!(fs::read(desk.store()).unwrap() == bytes && !desk.path("hivesmith-undo").exists());

    let done = desk.bcdedit("/timeout 5 --json --undo-dir undo").ends(0);
    let document: serde_json::Value = serde_json::from_str(&done.out).unwrap();
    assert_eq!(
        (&document["changed"], &document["steps"][0]["before"]["data"]),
        (&true.into(), &"1e00000000000000".into())
    );
    let journal = document["journal"].as_str().unwrap();
    assert!(fs::read(std::path::Path::new(journal).join("0-BCD")).unwrap() == bytes);
    let document: serde_json::Value = serde_json::from_str(&desk.bcdedit("/timeout 5 --json").ends(0).out).unwrap();
    assert_eq!((&document["changed"], &document["journal"]), (&false.into(), &serde_json::Value::Null));

    let document: serde_json::Value = serde_json::from_str(&desk.bcdedit("/enum all --json").ends(0).out).unwrap();
    assert_eq!(document["default"], "{1b67bffd-e290-11eb-8ffa-f459a0d9b879}");
    let objects = document["objects"].as_array().unwrap();
    assert_eq!(objects.len(), 11);
    let loader = objects.iter().find(|object| object["id"] == document["default"]).unwrap();
    let nx = loader["elements"].as_array().unwrap().iter().find(|element| element["name"] == "nx").unwrap();
    let expected = serde_json::json!({
        "code": "25000020", "name": "nx", "format": "integer", "value": 0, "meaning": "OptIn",
        "raw": { "type": "REG_BINARY", "data": "0000000000000000" },
    });
    assert_eq!(*nx, expected);
}

/// A boot manager that says nothing of what it starts: the only entry that starts an installed Windows is meant, and
/// recovery environments, which look the same from afar, are not. Of two neither is.
#[test]
fn the_default_entry_is_found_where_there_is_one_to_find() {
    let Some(corpus) = corpus() else { return };
    let desk = Desk::with(&corpus.join("esp-nuc8/Boot/BCD"));
    let shown = || desk.bcdedit("/enum {default} /v").ends(0).out;
    for line in ["/deletevalue {bootmgr} default", "/deletevalue {bootmgr} displayorder"] {
        desk.bcdedit(line).ends(0);
        assert!(shown().contains("identifier              {f22ea33f-7a75-11ec-8c50-afef9983f4f2}\n"), "{line}");
    }
    let copy = desk.bcdedit("/copy {default} /d another").ends(0).out;
    let copy = copy.trim_end().trim_end_matches('.').rsplit(' ').next().unwrap().to_owned();
    let done = desk.bcdedit("/ems {default} on").ends(2).says("{default} is not set, and it may be any of");
    assert!(done.err.contains(&copy) && done.err.contains("{f22ea33f-7a75-11ec-8c50-afef9983f4f2}"), "{}", done.err);
    assert!(!done.err.contains("f22ea340"), "not the recovery environment: {}", done.err);
    desk.bcdedit(&format!("/default {copy}")).ends(0);
    assert!(shown().contains(&copy));
}

/// Names on the disk are the disk's: a terminal gets none of their control characters.
#[test]
fn what_a_store_says_is_escaped() {
    let desk = Desk::new();
    desk.hivesmith(["bcdedit", "/createstore", "BCD"]).ends(0);
    desk.bcdedit("/create {bootmgr} /d \u{1b}[31mred").ends(0);
    desk.bcdedit("/set {bootmgr} device file=[boot]\\\u{1b}[31mred").ends(0);
    let out = desk.bcdedit("/enum all").ends(0).out;
    assert!(!out.contains('\u{1b}') && out.matches("[31mred").count() == 2, "{out:?}");
}

/// Store and logs come back byte for byte, whatever was done to the store.
#[test]
fn a_store_is_put_back_as_it_was() {
    let Some(corpus) = corpus() else { return };
    let desk = Desk::with(&corpus.join("esp-nuc8/Boot/BCD"));
    let files = || ["BCD", "BCD.LOG", "BCD.LOG1", "BCD.LOG2"].map(|name| fs::read(desk.path(name)).unwrap());
    let before = files();
    desk.bcdedit("/copy {default} /d \"a copy that makes the store grow\"").ends(0);
    assert!(files() != before);
    desk.hivesmith(["undo"]).ends(0);
    assert!(files() == before);
    assert_sound(&desk.store());
}

#[test]
fn what_is_no_store_and_what_is_missing_are_told_apart() {
    let desk = Desk::new();
    desk.bcdedit("/enum").ends(4);
    desk.hivesmith(["new", "hive", "--version", "1.3"]).ends(0);
    desk.hivesmith(["bcdedit", "/store", "hive", "/enum"]).ends(2).says("no boot configuration store");
    desk.hivesmith(["bcdedit", "/store", "hive", "/timeout", "5"]).ends(2).says("no boot configuration store");
    desk.hivesmith(["bcdedit", "/enum"]).ends(2).says("which boot store is meant?");
    fs::create_dir(desk.path("disk")).unwrap();
    desk.hivesmith(["bcdedit", "--root", "disk", "/enum"]).ends(4).says("mount that one");
    assert!(desk.hivesmith(["bcdedit", "/?"]).ends(0).out.starts_with("Windows' bcdedit, offline."));
}

/// Secure Boot and NVRAM are out of reach; whoever edits what they decide is told.
#[test]
fn what_an_edit_from_outside_does_not_reach_is_said() {
    let Some(corpus) = corpus() else { return };
    let desk = Desk::with(&corpus.join("esp-nuc8/Boot/BCD"));
    for line in ["/set {default} testsigning on", "/debug {default} on", "/set {default} nointegritychecks on"] {
        desk.bcdedit(line).ends(0).says("where Secure Boot is on, Windows ignores this element or refuses it");
    }
    desk.bcdedit("/set {bootmgr} path \\EFI\\x.efi").ends(0).says("NVRAM");
    desk.bcdedit("/set {fwbootmgr} displayorder {bootmgr} /addfirst").ends(0).says("NVRAM");
    assert_eq!(desk.bcdedit("/set {bootmgr} timeout 3").ends(0).err.matches("warning").count(), 0);
}
