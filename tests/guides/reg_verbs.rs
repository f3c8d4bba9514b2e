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
fn a_query_names_keys_and_parts_them_as_windows_does() {
    let disk = Disk::small();
    let top = r"HKLM\SYSTEM\Top";
    for (key, words) in [
        (r"HKLM\SYSTEM\Top\One", &["/v", "a", "/d", "text"][..]),
        (r"HKLM\SYSTEM\Top\One\Deep", &["/v", "a", "/t", "REG_DWORD", "/d", "1"]),
        (r"HKLM\SYSTEM\Top\Two", &[]),
    ] {
        disk.reg(&[&["add", key], words, &["/f"]].concat()).ends(0);
    }
    let path = r"HKEY_LOCAL_MACHINE\SYSTEM\Top";
    // Without values a key is not named itself: each line is a subkey, for scripts that go through them.
    assert_eq!(disk.reg(&["query", top]).ends(0).out, format!("\n{path}\\One\n{path}\\Two\n"));
    let one = format!("\n{path}\\One\n    a    REG_SZ    text\n\n");
    let deep = format!("{path}\\One\\Deep\n    a    REG_DWORD    0x1\n\n");
    assert_eq!(disk.reg(&["query", &format!("{top}\\One")]).ends(0).out, format!("{one}{path}\\One\\Deep\n"));
    assert_eq!(disk.reg(&["query", top, "/s"]).ends(0).out, format!("{one}{deep}{path}\\Two\n\n"));

    // What is looked for is counted.
    let found = |more: &str| format!("{more}End of search: ");
    for (words, code, out) in [
        (&["/s", "/v", "A"][..], 0, found(&format!("{one}{deep}")) + "2 match(es) found.\n"),
        (&["/s", "/t", "REG_DWORD"], 0, found(&format!("\n{deep}")) + "1 match(es) found.\n"),
        (&["/s", "/f", "two", "/k"], 0, found(&format!("\n{path}\\Two\n\n")) + "1 match(es) found.\n"),
        (&["/s", "/v", "b"], 1, found("") + "0 match(es) found.\n"),
    ] {
        assert_eq!(disk.reg(&[&["query", top], words].concat()).ends(code).out, out, "{words:?}");
    }

    let hive = format!("HKLM\\Extra={}", disk.hive().display());
    let roots = disk.reg(&["query", "HKLM", "--hive", &hive]).ends(0).out;
    assert_eq!(roots, "\nHKEY_LOCAL_MACHINE\\Extra\nHKEY_LOCAL_MACHINE\\SYSTEM\n");
    disk.reg(&["query", "HKU"]).ends(1).says("no hive is loaded in HKEY_USERS");
    disk.hivesmith(["reg", "--hive", &hive, "query", r"HKLM\Extra\Select"]).ends(0);
    disk.reg(&["query", "HKLM", "--hive", r"A\B=x"]).ends(2).says("HKLM\\NAME");

    // Each key has a default value, which may not be set.
    let unset = disk.reg(&["query", top, "/ve"]).ends(0);
    assert_eq!(unset.out, format!("\n{path}\n    (Default)    REG_SZ    (value not set)\n\n"));
}

#[test]
fn our_options_stand_anywhere_and_data_is_never_taken_for_them() {
    let disk = Disk::small();
    let (root, before) = (disk.root().display().to_string(), disk.files());
    let reg = |words: &str| disk.hivesmith(["reg"].into_iter().chain(words.split(' ').filter(|word| !word.is_empty())));
    let text = format!("--root={root} query HKLM\\SYSTEM\\Select /f Default /d /v --json");
    disk.hivesmith(["reg", "query", r"HKLM\SYSTEM\Select", "/f", "1", "/d", "--json", "--root", &root]).ends(0).json();
    reg(&format!("query HKLM\\SYSTEM\\Select --root {root} --quiet --color never --verbose -q")).ends(0);
    reg(&format!("query HKLM\\SYSTEM\\Select --root {root} --color sometimes")).ends(2).says("--color");
    reg(&format!("query HKLM\\SYSTEM\\Select --root {root} --dry-run")).ends(0);
    assert_eq!(reg(&text).ends(1).out, "End of search: 0 match(es) found.\n", "behind /v stands a name");
    for help in ["/?", "query /?", "add -H", "-h", "--help", "QUERY /h"] {
        assert!(reg(help).ends(0).out.contains("hivesmith reg query"), "{help}");
    }
    assert!(disk.files() == before);
    disk.reg(&["add", r"HKLM\SYSTEM\Select", "/v", "/?", "/d", "--help", "/f"]).ends(0);
    let stored = disk.reg(&["query", r"HKLM\SYSTEM\Select", "/v", "/?"]).ends(0).out;
    assert!(stored.ends_with("    /?    REG_SZ    --help\n\n"), "{stored}");
}

#[test]
fn a_file_in_the_way_stops_a_command_before_anything_is_written() {
    let disk = Disk::small();
    let before = disk.files();
    let select = r"HKLM\SYSTEM\Select";
    fs::write(disk.work().join("there.reg"), "mine").unwrap();
    disk.reg(&["export", select, "there.reg"]).ends(3).says("/y").says("nothing was written");
    disk.reg(&["save", select, "there.reg", "/y"]).ends(3).says("there.reg");
    let hive = disk.hive().display().to_string();
    disk.reg(&["export", select, &hive, "/y"]).ends(3).says("is the hive");
    let script = "reg load HKLM\\B F:\\Windows\\System32\\config\\SYSTEM\n\
                  reg add HKLM\\B\\Select /v Default /t REG_DWORD /d 2 /f\n";
    disk.run(&format!("{script}reg export HKLM\\B\\Select there.reg\n"), &[]).ends(3).says("there.reg");
    let over = format!("{script}reg query HKLM\\B\\Select > f:\\windows\\SYSTEM32\\config\\system\n");
    disk.run(&over, &[]).ends(3).says("is the hive");
    disk.run(&over, &["--dry-run"]).ends(3).says("is the hive");
    assert_eq!(fs::read(disk.work().join("there.reg")).unwrap(), b"mine");
    assert!(disk.files() == before && !disk.undo().exists());
    // Behind the hives it is told what was done.
    let done = disk.run(&format!("{script}reg export HKLM\\B\\Select nowhere/at/all.reg\n"), &[]).ends(4);
    done.says("all.reg").says("copies from before are in ");

    let done = disk.reg(&["export", select, "new.reg", "--dry-run", "--json"]).ends(0);
    assert_eq!((&done.json()["files"][0], done.json()["changed"].as_bool()), (&"new.reg".into(), Some(true)));
    let done = disk.reg(&["export", select, "new.reg", "--dry-run"]).ends(0);
    assert!(done.out.starts_with("+ file new.reg, "), "{}", done.out);
    disk.reg(&["load", r"HKLM\DRY", &hive, "--dry-run"]).ends(0);
    disk.hivesmith(["reg", "query", r"HKLM\DRY\Select"]).ends(2);
}

#[test]
fn a_reg_file_is_known_by_what_it_holds() {
    let disk = Disk::small();
    let text = "\u{feff}Windows Registry Editor Version 5.00\r\n\r\n[HKEY_LOCAL_MACHINE\\SYSTEM\\Select]\r\n\"Failed\"=dword:2";
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    fs::write(disk.work().join("a change"), utf16).unwrap();
    let root = disk.root().display().to_string();
    disk.hivesmith(["run", "a change", "--root", &root]).ends(0);
    let failed = disk.reg(&["query", r"HKLM\SYSTEM\Select", "/v", "Failed"]).ends(0).out;
    assert!(failed.contains("    Failed    REG_DWORD    0x2\n"), "{failed}");
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
        (&["copy", r"HKLM\SYSTEM\Select\", r"HKLM\system\SELECT", "/s", "/f"], 2, "onto itself"),
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
    reg(&["export", key, "rdp.reg"]).ends(3).says("rdp.reg");
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
    // Where there is no home, what needs none works.
    let homeless = |words: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_hivesmith"));
        for name in ["HIVESMITH_STATE", "XDG_STATE_HOME", "LOCALAPPDATA", "HOME"] {
            command.env_remove(name);
        }
        let output = command.current_dir(disk.work()).args(words).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let root = disk.root().display().to_string();
    assert_eq!(homeless(&["reg", "--root", &root, "query", r"HKLM\SYSTEM\Select"]), (Some(0), String::new()));
    let (code, said) = homeless(&["reg", "--drive", &drive, "load", r"HKLM\X", r"F:\windows\system32\config\SYSTEM"]);
    assert!(code == Some(4) && said.contains("HIVESMITH_STATE"), "{said}");
    disk.hivesmith(["reg", "query", start]).ends(2).says("no loaded hive holds");
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
