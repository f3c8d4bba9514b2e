//! `hivesmith reg` by itself, as people and scripts of other tools call it.

use std::fs;

use crate::disk::Disk;

const CRASH: &str = r"HKLM\SYSTEM\CurrentControlSet\Control\CrashControl";

#[test]
fn query_prints_what_windows_prints() {
    let disk = Disk::small();
    let done = disk.reg(&["query", CRASH]).ends(0);
    let expected = "\nHKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Control\\CrashControl\n    CrashDumpEnabled    REG_DWORD    0x7\n\n";
    assert_eq!((done.out.as_str(), done.err.as_str()), (expected, ""));
    let done = disk.reg(&["QUERY", r"hklm\system\Select", "/V", "default"]).ends(0);
    assert_eq!(done.out, "\nHKEY_LOCAL_MACHINE\\system\\Select\n    Default    REG_DWORD    0x1\n\n");
    let done = disk.reg(&["query", r"HKLM\SYSTEM\ControlSet001"]).ends(0);
    let subkeys =
        "HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001\\Control\nHKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001\\Services\n";
    assert!(done.out.ends_with(subkeys), "{}", done.out);
    let found = disk.reg(&["query", r"HKLM\SYSTEM", "/s", "/f", "PortNumber"]).ends(0);
    assert!(
        found.out.ends_with("    PortNumber    REG_DWORD    0xd3d\n\nEnd of search: 1 match(es) found.\n"),
        "{}",
        found.out
    );
}

#[test]
fn what_is_not_there_is_1_and_what_is_not_understood_is_2() {
    let disk = Disk::small();
    let before = disk.files();
    for (words, code, said) in [
        (&["query", CRASH, "/v", "DumpFile"][..], 1, "unable to find the specified registry key or value"),
        (&["query", r"HKLM\SYSTEM\Nowhere"], 1, r"HKEY_LOCAL_MACHINE\SYSTEM\Nowhere"),
        (&["query", r"HKLM\SYSTEM", "/s", "/f", "nothing like it"], 1, ""),
        (&["delete", CRASH, "/v", "DumpFile", "/f"], 1, "DumpFile"),
        (&["delete", r"HKLM\SYSTEM\Nowhere", "/f"], 1, "Nowhere"),
        (&["add", CRASH, "/v", "X", "/t", "REG_DWO", "/d", "1", "/f"], 2, "did you mean `REG_DWORD`?"),
        (&["add", CRASH, "/v", "X", "/t", "REG_DWORD", "/d", "one", "/f"], 2, "one"),
        (&["add", CRASH, "/v", "CrashDumpEnabled", "/t", "REG_DWORD", "/d", "1"], 2, "/f"),
        (&["delete", CRASH, "/v", "CrashDumpEnabled"], 2, "/f"),
        (&["add", r"HKLM\BROKENSYSTEM\X", "/f"], 2, "no loaded hive holds"),
        (&["unload", r"HKLM\BROKENSYSTEM"], 1, "is not loaded"),
        (&["frobnicate"], 2, "frobnicate"),
        (&[], 2, ""),
    ] {
        disk.reg(words).ends(code).says(said);
    }
    assert!(disk.files() == before && !disk.undo().exists());
}

#[test]
fn the_current_control_set_is_the_one_that_select_names() {
    let disk = Disk::small();
    let service = r"HKLM\SYSTEM\CurrentControlSet\Services\gpsvc";
    let off = ["add", service, "/v", "Start", "/t", "REG_DWORD", "/d", "4", "/f"];
    let done = disk.reg(&[&off[..], &["--json"]].concat()).ends(0);
    let document = done.json();
    assert_eq!(document["steps"].as_array().unwrap().len(), 1);
    assert_eq!(document["steps"][0]["path"], r"ControlSet001\Services\gpsvc");
    assert_eq!(document["steps"][0]["before"]["data"], "02000000");
    assert_eq!(disk.undo_folders().len(), 1);
    disk.reg(&off).ends(0);
    assert_eq!(disk.undo_folders().len(), 1, "nothing was to be changed");

    // Windows starts from Default next time: where it is another one, what was changed would not be used.
    disk.reg(&["copy", r"HKLM\SYSTEM\ControlSet001", r"HKLM\SYSTEM\ControlSet002", "/s", "/f"]).ends(0);
    disk.reg(&["add", r"HKLM\SYSTEM\Select", "/v", "Default", "/t", "REG_DWORD", "/d", "2", "/f"]).ends(0);
    let done = disk.reg(&["add", service, "/v", "Start", "/t", "REG_DWORD", "/d", "3", "/f"]).ends(0);
    let done = done.says("CurrentControlSet is taken for ControlSet001 (Select\\Current)");
    done.says("starts from ControlSet002 (Select\\Default)");
}

#[test]
fn what_was_exported_and_deleted_is_brought_back_by_the_import() {
    let disk = Disk::small();
    let hive = format!("BROKEN={}", disk.hive().display());
    let reg = |words: &[&str]| disk.hivesmith(["reg", "--hive", &hive].into_iter().chain(words.iter().copied()));
    let key = r"HKLM\BROKEN\ControlSet001\Control\Terminal Server\WinStations\RDP-Tcp";
    for words in [
        &["/v", "Security", "/t", "REG_BINARY", "/d", "0102ff"][..],
        &["/v", "Path", "/t", "REG_EXPAND_SZ", "/d", "%SystemRoot%\\a \"b\""],
        &["/v", "List", "/t", "REG_MULTI_SZ", "/d", "one\\0two"],
        &["/ve", "/d", "--json"],
    ] {
        let done = reg(&[&["add", key], words, &["/f"]].concat()).ends(0);
        assert_eq!(done.out, "The operation completed successfully.\n");
    }
    let before = reg(&["query", key, "/s"]).ends(0).out;
    assert!(before.contains("    List    REG_MULTI_SZ    one\\0two\n"), "{before}");
    assert!(before.contains("    (Default)    REG_SZ    --json\n"), "{before}");
    reg(&["export", key, "rdp.reg"]).ends(0);
    assert!(fs::read(disk.work().join("rdp.reg")).unwrap().starts_with(b"\xff\xfe"), "as Windows writes them");
    reg(&["export", key, "rdp.reg"]).ends(4).says("rdp.reg");
    reg(&["export", key, "rdp.reg", "/y"]).ends(0);
    reg(&["delete", key, "/f"]).ends(0);
    reg(&["query", key]).ends(1);
    reg(&["import", "rdp.reg"]).ends(0);
    assert_eq!(reg(&["query", key, "/s"]).ends(0).out, before);
    let settled = disk.files();
    reg(&["import", "rdp.reg"]).ends(0);
    let done = disk.hivesmith(["run", "rdp.reg", "--hive", &hive]).ends(0);
    assert_eq!(done.out, "nothing to change: everything is as the script wants it\n");
    assert!(disk.files() == settled);
}

#[test]
fn a_loaded_hive_stays_loaded_until_it_is_unloaded() {
    let disk = Disk::small();
    let drive = format!("F:={}", disk.root().display());
    let load = ["reg", "--drive", &drive, "load", r"HKLM\BROKENSYSTEM", r"F:\windows\system32\config\SYSTEM"];
    assert_eq!(disk.hivesmith(load).ends(0).out, "The operation completed successfully.\n");
    disk.hivesmith(load).ends(2).says("is loaded already");
    let start = r"hklm\brokensystem\ControlSet001\Services\gpsvc";
    let add = ["reg", "add", start, "/v", "Start", "/t", "REG_DWORD", "/d", "4", "/f", "--undo-dir", "../undo"];
    let before = disk.files();
    let dry = disk.hivesmith(add.into_iter().chain(["--dry-run"])).ends(0);
    assert!(dry.out.contains("Start = REG_DWORD 0x4 (4), was REG_DWORD 0x2 (2)"), "{}", dry.out);
    assert!(disk.files() == before);
    let done = disk.hivesmith(add).ends(0).says("copies from before are in ");
    assert_eq!(done.out, "The operation completed successfully.\n");
    assert!(disk.files() != before);
    assert_eq!(disk.undo_folders().len(), 1);
    let done = disk.hivesmith(["reg", "query", start, "/v", "Start"]).ends(0);
    assert!(done.out.contains("    Start    REG_DWORD    0x4\n"), "{}", done.out);
    disk.hivesmith(["reg", "unload", r"HKLM\BROKENSYSTEM"]).ends(0);
    disk.hivesmith(["reg", "query", start]).ends(2).says("no hive is loaded");
}
