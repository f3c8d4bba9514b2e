//! Each verb of `icacls` and `takeown`, and what is inherited below.

use std::fs;

use crate::volume::Volume;

/// `hivesmith icacls F:\a …`, which goes well.
fn icacls(volume: &Volume, arguments: &[&str]) {
    volume.hivesmith(&[&["icacls", r"F:\a"], arguments].concat()).ends(0);
}

#[test]
fn edits_are_those_of_windows() {
    let Some(volume) = Volume::mounted() else { return };
    volume.folder("p", "O:SYG:SYD:PAI(A;OICI;FA;;;SY)");
    for (before, arguments, after) in [
        ("D:PAI(A;;FR;;;BU)", "/grant Users:W", "D:PAI(A;;0x12019f;;;BU)"),
        ("D:PAI(A;;FR;;;BU)", "/grant:r Users:W", "D:PAI(A;;0x100116;;;BU)"),
        ("D:PAI(A;;FR;;;BU)", "/grant Users:(OI)(CI)W", "D:PAI(A;;0x12019f;;;BU)"),
        ("D:PAI(A;;FA;;;BU)", "/deny Users:W", "D:PAI(D;;0x100116;;;BU)(A;;CCSWWPDTLOSDRCWDWO;;;BU)"),
        ("D:PAI(D;;FW;;;BU)(A;;FR;;;BU)(A;;FA;;;SY)", "/remove Users", "D:PAI(A;;FA;;;SY)"),
        ("D:PAI(D;;FW;;;BU)(A;;FR;;;BU)", "/remove:g Users", "D:PAI(D;;FW;;;BU)"),
        ("D:PAI(D;;FW;;;BU)(A;;FR;;;BU)", "/remove:d *S-1-5-32-545", "D:PAI(A;;FR;;;BU)"),
        ("D:PAI(A;;FR;;;BU)", "/inheritance:e", "D:AI(A;;FR;;;BU)(A;ID;FA;;;SY)"),
        ("D:AI(A;;FR;;;BU)(A;ID;FA;;;SY)", "/inheritance:d", "D:PAI(A;;FR;;;BU)(A;;FA;;;SY)"),
        ("D:AI(A;;FR;;;BU)(A;ID;FA;;;SY)", "/inheritance:r", "D:PAI(A;;FR;;;BU)"),
        ("D:PAI(A;;FR;;;BU)", "/reset", "D:AI(A;ID;FA;;;SY)"),
        ("D:PAI(A;;FR;;;BU)", "/setintegritylevel H", "D:PAI(A;;FR;;;BU)S:(ML;;NW;;;HI)"),
        // Whoever writes a list has what is inherited computed anew.
        ("D:AI(A;ID;FA;;;BA)", "/grant Users:R", "D:AI(A;;FR;;;BU)(A;ID;FA;;;SY)"),
        ("D:PAI(A;;FR;;;BU)", "/inheritance:e /grant:r Users:F /remove Everyone", "D:AI(A;;FA;;;BU)(A;ID;FA;;;SY)"),
    ] {
        volume.file("p/f", &format!("O:BAG:BU{before}"));
        let words: Vec<&str> = ["icacls", r"F:\p\f"].into_iter().chain(arguments.split(' ')).collect();
        let done = volume.hivesmith(&words).ends(0);
        assert_eq!(done.out, "processed file: F:\\p\\f\nSuccessfully processed 1 files; Failed processing 0 files\n");
        assert_eq!(volume.sddl("p/f"), format!("O:BAG:BU{after}"), "{arguments}");
        fs::remove_file(volume.path("p/f")).unwrap();
    }
}

#[test]
fn an_inheritable_entry_reaches_all_that_inherits_and_nothing_else() {
    let Some(volume) = Volume::mounted() else { return };
    volume.folder("a", "O:BAG:BUD:PAI(A;OICI;FA;;;BA)");
    volume.folder("a/folder", "O:BAG:BUD:AI(A;OICIID;FA;;;BA)");
    volume.file("a/folder/file", "O:BAG:BUD:AI(A;;FR;;;WD)(A;ID;FA;;;BA)");
    volume.folder("a/closed", "O:BAG:BUD:PAI(A;OICI;FA;;;BA)");
    volume.file("a/closed/file", "O:BAG:BUD:AI(A;ID;FA;;;BA)");
    let closed = (volume.hex("a/closed"), volume.hex("a/closed/file"));

    volume
        .hivesmith(&["icacls", r"F:\a", "/grant", "SYSTEM:(OI)(CI)R"])
        .ends(0)
        .prints("Successfully processed 1 files");
    assert_eq!(volume.sddl("a"), "O:BAG:BUD:PAI(A;OICI;FR;;;SY)(A;OICI;FA;;;BA)");
    assert_eq!(volume.sddl("a/folder"), "O:BAG:BUD:AI(A;OICIID;FR;;;SY)(A;OICIID;FA;;;BA)");
    assert_eq!(volume.sddl("a/folder/file"), "O:BAG:BUD:AI(A;;FR;;;WD)(A;ID;FR;;;SY)(A;ID;FA;;;BA)");
    assert_eq!((volume.hex("a/closed"), volume.hex("a/closed/file")), closed);
    let journal = fs::read_to_string(volume.journals()[0].join("journal.json")).unwrap();
    assert_eq!(journal.matches("\"before\"").count(), 3, "what inherits is kept too");

    // An entry for the folder alone is nobody else's.
    let below = volume.hex("a/folder");
    icacls(&volume, &["/grant", "Users:R"]);
    assert_eq!(volume.hex("a/folder"), below);

    // With /t the edit is made below too, upon what is inherited by then.
    icacls(&volume, &["/t", "/q", "/remove:g", "SYSTEM", "/grant", "Guests:(CI)R"]);
    assert_eq!(volume.sddl("a/folder"), "O:BAG:BUD:AI(A;CI;FR;;;BG)(A;CIID;FR;;;BG)(A;OICIID;FA;;;BA)");
    assert_eq!(volume.sddl("a/folder/file"), "O:BAG:BUD:AI(A;;FR;;;BG)(A;;FR;;;WD)(A;ID;FA;;;BA)");
    assert_eq!(volume.sddl("a/closed/file"), "O:BAG:BUD:AI(A;;FR;;;BG)(A;ID;FA;;;BA)");
}

#[test]
fn owners_change_alone() {
    let Some(volume) = Volume::mounted() else { return };
    volume.folder("a", "O:SYG:SYD:PAI(D;;FA;;;WD)");
    volume.file("a/b", "O:SYG:SYD:AI");
    let done = volume.hivesmith(&["takeown", "/f", r"f:\a", "/a", "/r", "/d", "Y"]).ends(0);
    let line =
        |path: &str| format!("\nSUCCESS: The file (or folder): \"{path}\" now owned by the administrators group.\n");
    assert_eq!(done.out, line(r"f:\a") + &line(r"f:\a\b"));
    assert_eq!((volume.sddl("a"), volume.sddl("a/b")), ("O:BAG:SYD:PAI(D;;FA;;;WD)".into(), "O:BAG:SYD:AI".into()));
    let done = volume.hivesmith(&["takeown", "--owner", "S-1-5-21-1-2-3-1001", "/f", r"F:\a\b"]).ends(0);
    assert!(done.out.ends_with("now owned by user \"S-1-5-21-1-2-3-1001\".\n"), "{}", done.out);
    assert_eq!(volume.sddl("a/b"), "O:S-1-5-21-1-2-3-1001G:SYD:AI");
    volume.hivesmith(&["takeown", "/f", r"F:\a"]).ends(2).says("offline nobody is logged on");
    icacls(&volume, &["/setowner", "NT SERVICE\\TrustedInstaller", "/t"]);
    assert!(volume.sddl("a").starts_with("O:S-1-5-80-956008885-"));
}

#[test]
fn what_was_saved_is_restored() {
    let Some(volume) = Volume::mounted() else { return };
    volume.folder("a", "O:BAG:BUD:PAI(A;OICI;FA;;;BA)");
    volume.file("a/ü b", "O:BAG:BUD:PAI(D;;FW;;;BG)(A;;FR;;;BU)");
    let before = volume.all();
    volume.hivesmith(&["icacls", r"F:\a", "/save", r"C:\acl", "/t"]).ends(0).prints("Successfully processed 2 files");
    let saved = fs::read(volume.work().join("acl")).unwrap();
    let units: Vec<u16> = saved.chunks(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    let text = "a\r\nD:PAI(A;OICI;FA;;;BA)\r\na\\ü b\r\nD:PAI(D;;FW;;;BG)(A;;FR;;;BU)\r\n";
    assert_eq!(String::from_utf16(&units).unwrap(), text);

    icacls(&volume, &["/t", "/reset"]);
    assert_ne!(volume.all(), before);
    volume.hivesmith(&["icacls", r"F:\", "/restore", r"C:\acl"]).ends(0).prints(r"processed file: F:\a\ü b");
    assert_eq!(volume.all(), before);
    let swap = ["icacls", r"F:\", "/restore", r"C:\acl", "/substitute", "Users", "Everyone"];
    volume.hivesmith(&swap).ends(0);
    assert_eq!(volume.sddl("a/ü b"), "O:BAG:BUD:PAI(D;;FW;;;BG)(A;;FR;;;WD)");
    let outside = "..\\x\r\nD:\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    fs::write(volume.work().join("acl"), outside).unwrap();
    volume.hivesmith(&["icacls", r"F:\a", "/restore", r"C:\acl"]).ends(3).says("leads out of the folder");
}

#[test]
fn questions_have_answers() {
    let Some(volume) = Volume::mounted() else { return };
    volume.folder("a", "O:BAG:BUD:PAI(A;OICI;FA;;;BA)");
    volume.file("a/one", "O:BAG:BUD:PAI(A;;FR;;;BU)(D;;FW;;;BG)");
    let found = volume.hivesmith(&["icacls", r"F:\a", "/findsid", "*S-1-5-32-545", "/t"]).ends(0);
    assert_eq!(found.out, "SID Found: F:\\a\\one.\nSuccessfully processed 2 files; Failed processing 0 files\n");
    volume.hivesmith(&["icacls", r"F:\a", "/findsid", "Everyone", "/t"]).ends(1);
    volume.hivesmith(&["icacls", r"F:\a", "/verify", "/t"]).ends(1).prints("F:\\a\\one: ");
    volume.hivesmith(&["icacls", r"F:\a", "/verify"]).ends(0);
    // Its order is kept, and said where it matters.
    volume.hivesmith(&["icacls", r"F:\a\one", "/grant", "SYSTEM:F"]).ends(0).says("not in canonical order");
}

#[test]
fn patterns_stand_for_names_of_the_folder() {
    let Some(volume) = Volume::mounted() else { return };
    volume.folder("Keys", "O:BAG:BUD:PAI(A;OICI;FA;;;BA)");
    for name in ["f686_a", "f686_b", "other"] {
        volume.file(&format!("Keys/{name}"), "O:SYG:SYD:PAI(A;;FA;;;SY)");
    }
    let untouched = (volume.hex("Keys"), volume.hex("Keys/other"));
    let done = volume.hivesmith(&["icacls", r"F:\KEYS\F686*", "/grant", "NETWORK SERVICE:R"]).ends(0);
    assert!(
        done.out.starts_with("processed file: F:\\KEYS\\f686_a\nprocessed file: F:\\KEYS\\f686_b\n"),
        "{}",
        done.out
    );
    assert_eq!(volume.sddl("Keys/f686_b"), "O:SYG:SYD:PAI(A;;FR;;;NS)(A;;FA;;;SY)");
    assert_eq!((volume.hex("Keys"), volume.hex("Keys/other")), untouched);
    volume.hivesmith(&["takeown", "/f", r"F:\Keys\*.*", "/a"]).ends(0);
    assert!(volume.sddl("Keys/other").starts_with("O:BAG:SY"));
    volume.hivesmith(&["icacls", r"F:\Keys\g*"]).ends(4).says("no name in this folder matches");
}

#[test]
fn machines_read_what_changed() {
    let Some(volume) = Volume::mounted() else { return };
    volume.file("a", "O:SYG:SYD:PAI(A;;FA;;;SY)");
    let grant = ["icacls", r"F:\a", "/grant", "Users:R", "--json"];
    let document = volume.hivesmith(&[&grant[..], &["--dry-run"]].concat()).ends(0).json();
    assert_eq!(
        (&document["changed"], &document["dry_run"], &document["journal"]),
        (&true.into(), &true.into(), &().into())
    );
    let step = &document["steps"][0];
    assert_eq!(
        (&step["kind"], &step["before"]["sddl"]),
        (&"set-descriptor".into(), &"O:SYG:SYD:PAI(A;;FA;;;SY)".into())
    );
    assert_eq!(volume.sddl("a"), "O:SYG:SYD:PAI(A;;FA;;;SY)");
    let document = volume.hivesmith(&grant).ends(0).json();
    assert_eq!(document["steps"][0]["after"]["bytes"].as_str().unwrap(), volume.hex("a"));
    assert!(document["journal"].is_string());
    let document = volume.hivesmith(&grant).ends(0).json();
    assert_eq!((&document["changed"], &document["processed"]), (&false.into(), &1.into()));
}

/// A folder's own entries are edited, and it keeps what it inherited, also where the folder above it is out of sight.
#[test]
fn a_folder_that_stands_for_a_drive_is_not_taken_for_the_root_of_a_volume() {
    let Some(volume) = Volume::mounted() else { return };
    volume.folder("a", "O:BAG:BUD:PAI(A;OICI;FA;;;SY)");
    volume.folder("a/b", "O:BAG:BUD:AI(A;OICIID;FA;;;BA)");
    let above = format!("G:={}", volume.path("a/b").display());
    let on = |drive: &str, path: &str, words: &[&str]| {
        volume.hivesmith(&[&["icacls", "--drive", drive, path], words].concat())
    };
    // The folder above is found: what it hands on is inherited anew.
    on(&above, r"G:\", &["/grant", "Users:R"]).ends(0);
    assert_eq!(volume.sddl("a/b"), "O:BAG:BUD:AI(A;;FR;;;BU)(A;OICIID;FA;;;SY)");
    let link = volume.work().join("link");
    std::os::unix::fs::symlink(volume.path("a/b"), &link).unwrap();
    volume.set("a/b", "O:BAG:BUD:AI(A;OICIID;FA;;;BA)");
    volume.hivesmith(&["icacls", link.to_str().unwrap(), "/reset"]).ends(0);
    assert_eq!(volume.sddl("a/b"), "O:BAG:BUD:AI(A;OICIID;FA;;;SY)");

    // Mounted by itself, below a name that is no text. Nobody can say what the folder above hands on.
    let name = std::os::unix::ffi::OsStringExt::from_vec(b"caf\xe9".to_vec());
    let part = volume.work().join::<std::ffi::OsString>(name);
    fs::create_dir(&part).unwrap();
    crate::volume::tool_at("mount", &["--bind".as_ref(), volume.path("a/b").as_ref(), part.as_ref()]);
    let named = volume.work().join("part");
    std::os::unix::fs::symlink(&part, &named).unwrap();
    let drive = format!("H:={}", named.display());
    let before = volume.hex("a/b");
    let granted = on(&drive, r"H:\", &["/grant", "Users:R"]);
    let after = volume.sddl("a/b");
    let refused = on(&drive, r"H:\", &["/inheritance:e"]);
    let undone = volume.hivesmith(&["undo"]);
    let back = volume.hex("a/b");
    crate::volume::tool_at("umount", &[part.as_ref()]);
    granted.ends(0);
    assert_eq!(after, "O:BAG:BUD:AI(A;;FR;;;BU)(A;OICIID;FA;;;SY)");
    assert!(refused.code != 0 && refused.err.contains("folder that holds it cannot be read"), "{refused:?}");
    undone.ends(0);
    assert_eq!(back, before);

    // The root of the volume has nothing to inherit from.
    volume.set("", "O:BAG:BUD:AI(A;;FA;;;SY)(A;OICIID;FA;;;BA)");
    volume.hivesmith(&["icacls", r"F:\", "/grant", "Users:R"]).ends(0);
    assert_eq!(volume.sddl(""), "O:BAG:BUD:AI(A;;FR;;;BU)(A;;FA;;;SY)");
}

#[test]
fn a_label_that_is_inherited_opens_and_closes_nothing() {
    let Some(volume) = Volume::mounted() else { return };
    volume.folder("a", "O:BAG:BUD:PAI(A;OICI;FA;;;BA)");
    volume.file("a/b", "O:BAG:BUD:AI(A;ID;FA;;;BA)");
    let done = volume.hivesmith(&["icacls", r"F:\a", "/setintegritylevel", "(OI)(CI)H"]).ends(0);
    assert_eq!(volume.sddl("a/b"), "O:BAG:BUD:AI(A;ID;FA;;;BA)S:AI(ML;ID;NW;;;HI)");
    assert!(!done.err.contains("warning"), "{}", done.err);
}
