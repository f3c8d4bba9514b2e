//! What is wrong in the guides as they were published, and what cannot be done offline: said before anything is
//! written, with line and column.

use crate::{
    blocks,
    disk::{Disk, Done},
};

/// Runs a script that must not do anything, and asserts that it did not.
fn refused(disk: &Disk, script: &str, more: &[&str], code: i32) -> Done {
    let before = disk.files();
    let done = disk.run(script, more).ends(code);
    assert!(disk.files() == before, "something was written");
    assert!(!disk.undo().exists(), "copies were kept of nothing");
    done
}

fn tls() -> String {
    blocks::script("Enable TLS 1.0, TLS 1.1 and TLS 1.2", &[blocks::TLS], &["ControlSet001"])
}

#[test]
fn a_line_that_was_cut_off_is_shown_with_its_place() {
    let cut_off = tls().replacen("/t REG_DWORD /d 1 /f\r\n\r\nreg unload", "/t REG_DWO\r\n\r\nreg unload", 1);
    let done = refused(&Disk::small(), &cut_off, &[], 2);
    let done = done.says("script.cmd:8:117: unknown value type `REG_DWO`, did you mean `REG_DWORD`?");
    assert_eq!(done.says("nothing was written").out, "");
}

#[test]
fn two_commands_run_together_are_told_apart() {
    let glued = blocks::script("Enable NLA", &[blocks::NLA], &["ControlSet001"])
        .replace("/f\r\n\r\nreg unload", "/f reg unload");
    let done = refused(&Disk::small(), &glued, &[], 2);
    done.says("script.cmd:8:140: a second command, `reg`, begins here").says("nothing was written");
}

#[test]
fn with_json_a_script_that_is_not_understood_is_one_document_too() {
    let done = refused(&Disk::small(), &tls().replace("REG_DWORD", "REG_DWO"), &["--json"], 2);
    let document = done.json();
    assert_eq!((&document["changed"], &document["journal"]), (&false.into(), &serde_json::Value::Null));
    assert_eq!(document["steps"].as_array().unwrap().len(), 0);
    let refused = document["refused"].as_array().unwrap();
    assert_eq!(refused.len(), 3, "{document:#}");
    assert!(refused.iter().all(|refusal| refusal["stops"] == true));
    assert!(refused[0]["where"].as_str().unwrap().starts_with("script.cmd:4:"), "{document:#}");
}

#[test]
fn a_control_set_that_does_not_exist_is_made_with_a_warning() {
    let disk = Disk::small();
    let script = blocks::script("both", &[blocks::TLS, blocks::DUMP], &["ControlSet001", "ControlSet002"]);
    let done = disk.run(&script, &[]).ends(0);
    let done =
        done.says("script.cmd:10:1: ControlSet002 does not exist in ").says("CurrentControlSet means ControlSet001");
    assert_eq!(done.err.matches("warning: ").count(), 1, "once is enough: {}", done.err);
    assert!(done.out.contains("+ ControlSet002\\Control\\CrashControl\n"), "{}", done.out);
    // With -q nothing is said on stderr, and the warning is in the document.
    let quiet = Disk::small().run(&script, &["-q", "--json"]).ends(0);
    assert_eq!(quiet.err, "");
    assert!(quiet.json()["warnings"][0].as_str().unwrap().contains("ControlSet002 does not exist"));
}

#[test]
fn the_older_guide_s_file_name_gets_a_hint() {
    let done = refused(&Disk::small(), &tls().replace(r"config\SYSTEM", r"config\SYSTEM.hiv"), &[], 4);
    let done = done.says("script.cmd:2:1: ").says("there is no \"SYSTEM.hiv\" in ");
    done.says("have names without an ending: SYSTEM, SOFTWARE").says("nothing was written");
}

// On Windows such a letter is a drive of this machine.
#[cfg(not(windows))]
#[test]
fn a_drive_that_was_not_given_is_a_mistake_of_the_command_line() {
    let disk = Disk::small();
    let done = refused(&disk, &tls().replace("F:\\", "G:\\"), &[], 2);
    done.says("nothing is known of drive G:").says("--drive G:=/mnt/win");
}

#[test]
fn a_hive_that_was_never_loaded_is_a_mistake_of_the_script() {
    let unloaded = tls().lines().filter(|line| !line.starts_with("reg load")).collect::<Vec<_>>().join("\r\n");
    let done = refused(&Disk::small(), &unloaded, &[], 2);
    done.says("script.cmd:3:1: no loaded hive holds HKEY_LOCAL_MACHINE\\BROKENSYSTEM\\ControlSet001").says("reg load");
}

#[test]
fn lines_for_a_running_windows_stop_the_run_unless_they_are_skipped() {
    let disk = Disk::small();
    let script = tls() + "gpupdate /force\r\nnet stop SessionEnv\r\n";
    let done = refused(&disk, &script, &[], 3);
    let done = done.says("script.cmd:11:1: `gpupdate /force` needs the running Windows");
    let done = done.says("script.cmd:12:1: `net stop SessionEnv` needs the running Windows").says("--skip-online");
    assert_eq!(done.out, "", "nothing that looks as if it had been done");
    let document = refused(&disk, &script, &["--json"], 3).json();
    assert_eq!((&document["changed"], document["refused"].as_array().unwrap().len()), (&false.into(), 2));

    let done = disk.run(&script, &["--skip-online"]).ends(0).says("left out: script.cmd:11:1: `gpupdate /force`");
    assert!(done.out.contains("changed "), "{}", done.out);
}

#[test]
fn commands_that_are_not_built_yet_are_refused_by_name_and_line() {
    let disk = Disk::small();
    let script = tls()
        + "wevtutil cl System\r\n\
           icacls F:\\ProgramData\\Microsoft\\Crypto\\RSA\\MachineKeys /t /c /grant \"BUILTIN\\Administrators:(F)\"\r\n";
    let done =
        refused(&disk, &script, &[], 3).says("script.cmd:11:1: `wevtutil` cannot be carried out by this version");
    done.says("--registry-only carries out the registry commands alone");
    let done = disk.run(&script, &["--registry-only"]).ends(0).says("left out: script.cmd:11:1: `wevtutil`");
    done.says("left out: script.cmd:12:1: `icacls`");
}

#[test]
fn a_command_that_finds_nothing_stops_the_run_unless_it_goes_on_as_cmd_would() {
    let disk = Disk::small();
    let delete = "reg delete \"HKLM\\BROKENSYSTEM\\ControlSet001\\Control\\Nowhere\" /f\r\nreg unload";
    let script = tls().replace("reg unload", delete);
    let done = refused(&disk, &script, &[], 1).says("script.cmd:10:1: the system was unable to find");
    assert_eq!(done.says("--keep-going").out, "", "nothing that looks as if it had been done");
    disk.run(&script, &["--keep-going"]).ends(0).says("script.cmd:10:1: the system was unable to find");
}

#[test]
fn blocks_that_each_load_the_hive_are_one_change_of_it() {
    let disk = Disk::small();
    let every = blocks::ALL.map(|(title, block)| blocks::script(title, &[block], &["ControlSet001"])).concat();
    let document = disk.run(&every, &["--json"]).ends(0).json();
    assert_eq!(document["commits"].as_array().unwrap().len(), 1, "{document:#}");
    let wanted: usize = blocks::ALL.iter().map(|(_, block)| block.len()).sum();
    let steps = document["steps"].as_array().unwrap().iter();
    assert_eq!(steps.filter(|step| step["kind"] == "set-value").count(), wanted);
    assert_eq!(disk.undo_folders().len(), 1);
    let again = disk.run(&every, &[]).ends(0);
    assert!(again.out.starts_with("nothing to change"), "{}", again.out);
}
