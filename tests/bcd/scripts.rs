//! `bcdedit` lines among others in scripts.

use std::{fs, path::PathBuf};

use hivesmith::{Data, Hive, NewHive, Version};

use crate::{Desk, Done, assert_sound, changes, corpus, elements_of};

/// A desk with a Windows disk of BIOS times (`\Boot\BCD` beside `\Windows`) and an EFI system partition.
struct Machine {
    desk: Desk,
}

impl Machine {
    fn new(corpus: &std::path::Path) -> Self {
        let machine = Self { desk: Desk::new() };
        for (store, place) in [("windeploy-BCD", "win/Boot"), ("esp-nuc8/Boot/BCD", "esp/EFI/Microsoft/Boot")] {
            fs::create_dir_all(machine.desk.path(place)).unwrap();
            fs::copy(corpus.join(store), machine.desk.path(place).join("BCD")).unwrap();
        }
        let config = machine.desk.path("win/Windows/System32/config");
        fs::create_dir_all(&config).unwrap();
        let mut hive = NewHive::new(Version::V1_5).create().unwrap();
        let mut txn = hive.begin().unwrap();
        let select = txn.create_key(txn.root(), "Select").unwrap();
        txn.set_value(select, "Current", &Data::Dword(1)).unwrap();
        txn.create_key(txn.root(), r"ControlSet001\Control\CrashControl").unwrap();
        txn.commit().unwrap();
        hive.write_to(config.join("SYSTEM")).unwrap();
        machine
    }

    fn bios_store(&self) -> PathBuf {
        self.desk.path("win/Boot/BCD")
    }

    fn run(&self, script: &str, more: &[&str]) -> Done {
        fs::write(self.desk.path("script.cmd"), script).unwrap();
        self.desk.hivesmith(["run", "script.cmd", "--drive", "F:=win"].iter().chain(more))
    }

    fn files(&self) -> Vec<Vec<u8>> {
        ["win/Boot/BCD", "esp/EFI/Microsoft/Boot/BCD", "win/Windows/System32/config/SYSTEM"]
            .iter()
            .map(|file| fs::read(self.desk.path(file)).unwrap())
            .collect()
    }
}

/// The guide's block: registry and boot store in one script.
const BLOCK: &str = "reg load HKLM\\BROKENSYSTEM F:\\windows\\system32\\config\\SYSTEM\r\n\
    REM Enable Serial Console\r\n\
    bcdedit /store F:\\boot\\bcd /set {bootmgr} displaybootmenu yes\r\n\
    bcdedit /store F:\\boot\\bcd /set {bootmgr} timeout 5\r\n\
    bcdedit /store F:\\boot\\bcd /set {bootmgr} bootems yes\r\n\
    bcdedit /store F:\\boot\\bcd /ems {default} ON\r\n\
    bcdedit /store F:\\boot\\bcd /emssettings EMSPORT:1 EMSBAUDRATE:115200\r\n\
    REG ADD \"HKLM\\BROKENSYSTEM\\ControlSet001\\Control\\CrashControl\" /v CrashDumpEnabled /t REG_DWORD /d 1 /f\r\n\
    reg unload HKLM\\BROKENSYSTEM\r\n";

#[test]
fn registry_and_boot_store_are_changed_together() {
    let Some(corpus) = corpus() else { return };
    let machine = Machine::new(&corpus);
    let before = elements_of(&machine.bios_store());
    let dry = machine.run(BLOCK, &["--dry-run"]).ends(0);
    assert!(dry.out.ends_with("dry run: 12 steps, nothing was written\n"), "{}", dry.out);
    assert_eq!(elements_of(&machine.bios_store()), before);

    let done = machine.run(BLOCK, &["--json", "--undo-dir", "undo"]).ends(0);
    let document: serde_json::Value = serde_json::from_str(&done.out).unwrap();
    assert_eq!(document["changed"], true);
    let steps = document["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 12, "{document:#}");
    let of_store = |step: &&serde_json::Value| step["target"].as_str().unwrap().ends_with("BCD");
    assert_eq!(steps.iter().filter(of_store).count(), 11);
    let menu = steps.iter().find(|step| step["kind"] == "set-value").unwrap();
    assert_eq!(menu["path"], "Objects\\{9dea862c-5cdd-4e70-acc1-f32b344d4795}\\Elements\\26000020");
    assert_eq!((&menu["value"], &menu["before"]), (&"Element".into(), &serde_json::Value::Null));
    assert_eq!(menu["after"]["data"], "01");
    assert!(menu["why"].as_str().unwrap().starts_with("line 3: bcdedit"), "{menu}");
    let commits: Vec<&str> =
        document["commits"].as_array().unwrap().iter().map(|commit| commit["protocol"].as_str().unwrap()).collect();
    assert_eq!(commits.len(), 2, "{document:#}");
    assert!(commits.contains(&"step by step, clean at every instant"), "{commits:?}");
    assert_eq!(changes(&before, &elements_of(&machine.bios_store())).len(), 6);
    assert_sound(&machine.bios_store());
    // Copies of both, as they were.
    let journal: serde_json::Value = serde_json::from_slice(
        &fs::read(PathBuf::from(document["journal"].as_str().unwrap()).join("journal.json")).unwrap(),
    )
    .unwrap();
    let copies = journal["files"].as_array().unwrap();
    let store = copies.iter().find(|file| file["hive"].as_str().unwrap().ends_with("BCD")).unwrap();
    let kept = PathBuf::from(document["journal"].as_str().unwrap()).join(store["copy"].as_str().unwrap());
    assert_eq!(elements_of(&kept), before);

    let again = machine.run(BLOCK, &[]).ends(0);
    assert!(again.out.starts_with("nothing to change"), "{}", again.out);
}

#[test]
fn a_line_that_fails_stops_everything_with_its_place() {
    let Some(corpus) = corpus() else { return };
    let machine = Machine::new(&corpus);
    let before = machine.files();
    let cases = [
        ("/ems {default}", "/ems {<BOOT LOADER IDENTIFIER>}", 2, "script.cmd:6:33: `{<BOOT LOADER IDENTIFIER>}`"),
        ("/ems {default}", "/ems {BOOT LOADER IDENTIFIER}", 2, "script.cmd:6:33: `{BOOT LOADER IDENTIFIER}`"),
        ("/ems {default}", "/ems {memdiag}", 2, "script.cmd:6:33: `ems` is not an element of a Windows Memory Tester"),
        ("timeout 5", "timeout five", 2, "script.cmd:4:51: `five` is not a value of timeout"),
        ("timeout 5", "timout 5", 2, "script.cmd:4:43: `timout` is no element that bcdedit knows"),
        (
            "bcdedit /store F:\\boot\\bcd /set {bootmgr} timeout 5",
            "bcdedit /timeout 5",
            2,
            "script.cmd:4:1: which boot store is meant?",
        ),
        ("F:\\boot\\bcd /ems", "F:\\boot\\bcd2 /ems", 4, "script.cmd:6:1: "),
        ("bcdedit /store F:\\boot\\bcd /ems", "bcddit /store F:\\boot\\bcd /ems", 2, "did you mean `bcdedit`?"),
    ];
    for (right, wrong, code, message) in cases {
        let done = machine.run(&BLOCK.replacen(right, wrong, 1), &[]).ends(code).says(message);
        done.says("nothing was written");
        assert!(machine.files() == before, "{wrong}: something was written");
    }
    let done = machine.run(BLOCK, &["--registry-only"]).ends(0);
    done.says("left out: script.cmd:3:1: `bcdedit` is no registry command");
    assert!(machine.files()[0] == before[0] && machine.files()[2] != before[2]);
}

/// A guide knows `F:\boot\bcd` only. On a machine with UEFI the store is on another partition, and another path.
#[test]
fn a_store_on_another_volume_is_named_or_mapped() {
    let Some(corpus) = corpus() else { return };
    let machine = Machine::new(&corpus);
    let store = machine.desk.path("esp/EFI/Microsoft/Boot/BCD");
    let before = elements_of(&store);
    // With the drive of the store in the place of F:, the path does not fit and the right one is said.
    let done = machine.run(BLOCK, &["--bcd-drive", "F:=esp"]).ends(4);
    done.says("the boot store of F: is F:\\EFI\\Microsoft\\Boot\\BCD");
    fs::remove_dir_all(machine.desk.path("win/Boot")).unwrap();
    machine.run(BLOCK, &[]).ends(4).says("F: has no boot store").says("--bcd-drive F:=DIR");

    let script = BLOCK.replace("F:\\boot\\bcd", "F:\\EFI\\Microsoft\\Boot\\BCD");
    machine.run(&script, &["--bcd-drive", "F:=esp"]).ends(0);
    assert_eq!(changes(&before, &elements_of(&store)).len(), 6);
    // Or without /store, as on the machine itself.
    let live = "bcdedit /timeout 9\r\nbcdedit /set {default} safeboot minimal\r\n";
    machine.run(live, &["--bcd", "esp/EFI/Microsoft/Boot/BCD"]).ends(0);
    let after = elements_of(&store);
    assert!(after.keys().any(|key| key.ends_with(" 25000080")));
    machine.run("bcdedit /timeout 10", &["--root", "esp"]).ends(0);
    assert_ne!(elements_of(&store), after);
}

/// What a line prints goes where the script sends it.
#[test]
fn the_output_of_enum_goes_into_its_file() {
    let Some(corpus) = corpus() else { return };
    let machine = Machine::new(&corpus);
    let script = "bcdedit /store F:\\boot\\bcd /enum bootmgr > F:\\enum.txt\r\n\
        bcdedit /store F:\\boot\\bcd /export F:\\bcd.bak\r\n";
    machine.run(script, &[]).ends(0);
    let text = fs::read_to_string(machine.desk.path("win/enum.txt")).unwrap();
    assert!(
        text.starts_with("\r\nWindows Boot Manager\r\n--------------------\r\nidentifier              {bootmgr}\r\n"),
        "{text}"
    );
    assert_eq!(elements_of(&machine.desk.path("win/bcd.bak")), elements_of(&machine.bios_store()));
    assert!(Hive::open(machine.desk.path("win/bcd.bak")).unwrap().view().check().is_clean());
}
