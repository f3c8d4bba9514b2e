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

#[test]
fn two_keys_are_compared_as_windows_compares_them() {
    let disk = Disk::small();
    let (one, other) = (r"HKLM\SYSTEM\One", r"HKLM\SYSTEM\Other");
    for (key, words) in [
        (r"HKLM\SYSTEM\One", &["/v", "same", "/d", "text"][..]),
        (r"HKLM\SYSTEM\One", &["/v", "changed", "/t", "REG_DWORD", "/d", "1"]),
        (r"HKLM\SYSTEM\One\below", &["/ve", "/d", "default"]),
        (r"HKLM\SYSTEM\One\gone", &["/v", "not told of", "/d", "x"]),
        (r"HKLM\SYSTEM\Other", &["/v", "SAME", "/d", "text"]),
        (r"HKLM\SYSTEM\Other", &["/v", "changed", "/t", "REG_DWORD", "/d", "2"]),
        (r"HKLM\SYSTEM\Other\Below", &["/ve", "/d", "default"]),
        (r"HKLM\SYSTEM\Other\Below", &["/v", "new", "/t", "REG_MULTI_SZ", "/d", "a\\0b"]),
    ] {
        disk.reg(&[&["add", key], words, &["/f"]].concat()).ends(0);
    }
    let before = disk.files();
    let done = disk.reg(&["compare", one, other, "/s", "/oa"]).ends(1);
    assert_eq!(
        done.out,
        r"< Value:  HKEY_LOCAL_MACHINE\SYSTEM\One  changed  REG_DWORD  0x1
> Value:  HKEY_LOCAL_MACHINE\SYSTEM\Other  changed  REG_DWORD  0x2
= Value:  HKEY_LOCAL_MACHINE\SYSTEM\One  same  REG_SZ  text
< Key:  HKEY_LOCAL_MACHINE\SYSTEM\One\gone
= Value:  HKEY_LOCAL_MACHINE\SYSTEM\One\below  (Default)  REG_SZ  default
> Value:  HKEY_LOCAL_MACHINE\SYSTEM\Other\Below  new  REG_MULTI_SZ  a\0b

Results Compared: Different

The operation completed successfully.
"
    );
    let differences = disk.reg(&["compare", one, other, "/s"]).ends(1).out;
    assert_eq!(differences.lines().filter(|line| line.starts_with(['<', '>'])).count(), 4);
    assert!(!differences.contains("= Value"), "{differences}");
    let same = disk.reg(&["compare", one, other, "/s", "/os"]).ends(1).out;
    assert_eq!(same.lines().filter(|line| line.starts_with("= Value")).count(), 2);
    assert!(!same.contains(['<', '>']), "{same}");
    let done = disk.reg(&["compare", one, other, "/on", "/v", "same"]).ends(0);
    assert_eq!(done.out, "\nResults Compared: Identical\n\nThe operation completed successfully.\n");
    disk.reg(&["compare", one, other, "/v", "nothing"]).ends(1).says("value \"nothing\"");
    disk.reg(&["compare", one, r"HKLM\SYSTEM\Nowhere"]).ends(1).says("Nowhere");
    assert!(disk.files() == before);
}

#[test]
fn a_saved_key_is_restored_with_all_that_belongs_to_it() {
    let disk = Disk::small();
    let services = r"HKLM\SYSTEM\ControlSet001\Services";
    let (root, undo) = (disk.root().display().to_string(), disk.undo().display().to_string());
    let term = format!(r"{services}\TermService");
    let grant = ["security", "grant", "--root", &root, "--undo-dir", &undo, &term, "BUILTIN\\Guests:R"];
    disk.reg(&["add", &term, "/v", "Start", "/t", "REG_DWORD", "/d", "2", "/f"]).ends(0);
    disk.reg(&["flags", &term, "set", "DONT_VIRTUALIZE", "RECURSE_FLAG"]).ends(0);
    disk.hivesmith(grant).ends(0);
    let dump = || {
        let hive = disk.hive().display().to_string();
        disk.hivesmith(["dump", &hive]).ends(0).out
    };
    let of_services = |dump: &str| -> Vec<String> {
        let at = dump.find("K\tControlSet001\\Services\t").unwrap();
        let below = |line: &&str| !line.starts_with('K') || line.starts_with("K\tControlSet001\\Services");
        dump[at..].lines().take_while(below).map(str::to_owned).collect()
    };
    let whole = dump();
    disk.reg(&["save", services, "services.hiv"]).ends(0);

    disk.reg(&["delete", &term, "/f"]).ends(0);
    disk.reg(&["add", services, "/v", "stray", "/d", "x", "/f"]).ends(0);
    disk.reg(&["add", &format!(r"{services}\Stray"), "/v", "deep", "/d", "x", "/f"]).ends(0);
    let hurt = dump();
    assert_ne!(of_services(&hurt), of_services(&whole));
    let dry = disk.reg(&["restore", services, "services.hiv", "--dry-run"]).ends(0).out;
    for step in ["stray, was", r"- ControlSet001\Services\Stray", r"+ ControlSet001\Services\TermService"] {
        assert!(dry.contains(step), "{step}: {dry}");
    }
    assert_eq!(dump(), hurt);
    let done = disk.reg(&["restore", services, "services.hiv"]).ends(0);
    assert_eq!(done.out, "The operation completed successfully.\n");
    assert_eq!(of_services(&dump()), of_services(&whole), "values, descriptors and times as they were saved");
    let flags = disk.reg(&["flags", &term]).ends(0).out;
    assert_eq!(
        flags,
        "\nHKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001\\Services\\TermService\n\n\tREG_KEY_DONT_VIRTUALIZE: \
         SET\n\tREG_KEY_DONT_SILENT_FAIL: CLEAR\n\tREG_KEY_RECURSE_FLAG: SET\n\nThe operation completed successfully.\n"
    );
    disk.hivesmith(["check", &disk.hive().display().to_string()]).ends(0);

    let settled = disk.files();
    disk.reg(&["restore", r"HKLM\SYSTEM\Nowhere", "services.hiv"]).ends(1);
    disk.reg(&["restore", services, "nothing.hiv"]).ends(4).says("nothing.hiv");
    let mut damaged = fs::read(disk.work().join("services.hiv")).unwrap();
    damaged[0x1004] ^= 0xff;
    fs::write(disk.work().join("damaged.hiv"), &damaged).unwrap();
    disk.reg(&["restore", services, "damaged.hiv"]).ends(3);
    assert!(disk.files() == settled);
}

#[test]
fn virtualization_flags_are_set_and_cleared_and_taken_over_by_new_keys() {
    let disk = Disk::small();
    let key = r"HKLM\SYSTEM\Policies";
    let words = |state: [&str; 3]| {
        let [one, two, three] = state;
        format!(
            "\tREG_KEY_DONT_VIRTUALIZE: {one}\n\tREG_KEY_DONT_SILENT_FAIL: {two}\n\tREG_KEY_RECURSE_FLAG: {three}\n"
        )
    };
    disk.reg(&["add", key, "/f"]).ends(0);
    let state = || disk.reg(&["flags", key, "query"]).ends(0).out;
    assert!(state().contains(&words(["CLEAR"; 3])));
    let dry = disk.reg(&["flags", key, "set", "dont_silent_fail", "recurse_flag", "--dry-run"]).ends(0);
    assert!(dry.out.contains("~ Policies: virtualization flags 0xc, were 0x0"), "{}", dry.out);
    disk.reg(&["flags", key, "set", "dont_silent_fail", "recurse_flag"]).ends(0);
    assert!(state().contains(&words(["CLEAR", "SET", "SET"])));
    disk.reg(&["add", &format!(r"{key}\new"), "/f"]).ends(0);
    let new = disk.reg(&["flags", &format!(r"{key}\new")]).ends(0);
    assert!(new.out.contains(&words(["CLEAR", "SET", "SET"])));
    let settled = disk.files();
    disk.reg(&["flags", key, "set", "dont_silent_fail", "recurse_flag"]).ends(0);
    assert!(disk.files() == settled, "they are so already");
    disk.reg(&["flags", key, "set"]).ends(0);
    assert!(state().contains(&words(["CLEAR"; 3])));
    disk.reg(&["flags", key, "set", "VIRTUALIZE"]).ends(2).says("DONT_VIRTUALIZE");
}
