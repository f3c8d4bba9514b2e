//! `hivesmith security`, as a user runs it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use hivesmith::{Data, HiveView, NewHive, Version};
use serde_json::Value as Json;
use tempfile::TempDir;

use crate::{bytes, log_for, text};

const ROOT: &str = "O:BAG:SYD:PAI(A;CI;KA;;;SY)(A;CI;KA;;;BA)(A;CI;KR;;;BU)";
/// What keys below the root inherit.
const BELOW: &str = "O:BAG:SYD:AI(A;CIID;KA;;;SY)(A;CIID;KA;;;BA)(A;CIID;KR;;;BU)";

const SERVICES: &str = r"ControlSet001\Services";
const TERM: &str = r"ControlSet001\Services\TermService";
const GUARDED: &str = r"ControlSet001\Services\Guarded";
const NETWORK_SERVICE: &str = r"NT AUTHORITY\NETWORK SERVICE";

/// A volume with a SYSTEM hive and its log.
struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        let mut hive = NewHive::new(Version::V1_5).descriptor(bytes(ROOT)).create().unwrap();
        let mut txn = hive.begin().unwrap();
        let select = txn.create_key(txn.root(), "Select").unwrap();
        txn.set_value(select, "Current", &Data::Dword(1)).unwrap();
        txn.set_value(select, "Default", &Data::Dword(1)).unwrap();
        txn.create_key(txn.root(), format!(r"{TERM}\Parameters").as_str()).unwrap();
        txn.create_key_with_security(txn.root(), GUARDED, &bytes("O:SYG:SYD:P(A;CI;KA;;;SY)")).unwrap();
        txn.commit().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let place = Self { folder };
        fs::create_dir_all(place.hive().parent().unwrap()).unwrap();
        let stored = hive.to_bytes();
        fs::write(place.hive(), &stored).unwrap();
        fs::write(place.hive().with_extension("LOG1"), log_for(&stored)).unwrap();
        place
    }

    fn hive(&self) -> PathBuf {
        self.folder.path().join("Windows/System32/config/SYSTEM")
    }

    fn undo(&self) -> PathBuf {
        self.folder.path().join("undo")
    }

    fn stored(&self) -> Vec<u8> {
        fs::read(self.hive()).unwrap()
    }

    fn sddl(&self, path: &str) -> String {
        text(HiveView::parse(&self.stored()).unwrap(), path)
    }

    /// `security VERB HIVE WORDS`
    fn run(&self, verb: &str, words: &[&str]) -> Output {
        let mut command = hivesmith();
        command.args(["security", verb]);
        if verb != "show" {
            command.arg("--undo-dir").arg(self.undo());
        }
        command.arg(self.hive()).args(words).output().unwrap()
    }

    /// The same for an installation below `--root`.
    fn run_in_root(&self, words: &[&str]) -> Output {
        let (verbs, rest) = words.split_at(if words[0] == "security" { 2 } else { 1 });
        let mut command = hivesmith();
        command.args(verbs).arg("--root").arg(self.folder.path());
        if words[1] != "show" {
            command.arg("--undo-dir").arg(self.undo());
        }
        command.args(rest).output().unwrap()
    }

    fn json(&self, verb: &str, words: &[&str]) -> Json {
        let output = self.run(verb, &[words, &["--json"]].concat());
        assert_eq!(code(&output), 0, "{}", err(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

fn hivesmith() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hivesmith"));
    command.stdin(Stdio::null());
    command
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("an exit code")
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn steps(json: &Json) -> usize {
    json["steps"].as_array().unwrap().len()
}

#[test]
fn a_key_is_shown_for_people_and_for_machines() {
    let place = Place::new();
    let shown = out(&place.run("show", &[SERVICES]));
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(
        lines,
        [
            r"ControlSet001\Services",
            r"  owner  BUILTIN\Administrators",
            r"  group  NT AUTHORITY\SYSTEM",
            "  access",
            r"    allow  NT AUTHORITY\SYSTEM     full  this key and all below  inherited",
            r"    allow  BUILTIN\Administrators  full  this key and all below  inherited",
            r"    allow  BUILTIN\Users           read  this key and all below  inherited",
        ]
    );
    let json = place.json("show", &[SERVICES, "--recurse"]);
    let keys = json["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 4);
    assert_eq!(keys[0]["sddl"], BELOW);
    assert_eq!(keys[0]["owner"]["name"], r"BUILTIN\Administrators");
    assert_eq!(keys[0]["entries"][0]["inherited"], true);
    assert_eq!(keys[0]["shared_by"], 5);
    assert_eq!(keys[1]["path"], GUARDED);
    assert_eq!((&keys[1]["protected"], &keys[1]["dacl"]), (&true.into(), &"listed".into()));
    assert_eq!(out(&place.run("show", &["", "--sddl"])), format!("\\\t{ROOT}\n"));
}

#[test]
fn a_grant_is_planned_made_once_and_handed_on() {
    let place = Place::new();
    let before = place.stored();
    let grant = [SERVICES, r"NT AUTHORITY\NETWORK SERVICE:(CI)R"];
    let planned = place.json("grant", &[&grant[..], &["--dry-run"]].concat());
    assert_eq!((&planned["changed"], &planned["dry_run"]), (&true.into(), &true.into()));
    assert!(place.stored() == before && !place.undo().exists(), "a dry run writes nothing");

    let done = place.json("grant", &grant);
    assert_eq!(done["steps"], planned["steps"]);
    assert_eq!(steps(&done), 3, "the protected key is left alone");
    let first = &done["steps"][0];
    assert_eq!((&first["kind"], &first["path"]), (&"set-security".into(), &SERVICES.into()));
    assert_eq!(first["before"]["sddl"], BELOW);
    assert_eq!(first["after"]["sddl"], BELOW.replace("D:AI", "D:AI(A;CI;KR;;;NS)"));
    assert_eq!(done["steps"][2]["path"], format!(r"{TERM}\Parameters"));
    assert_eq!(done["commits"][0]["protocol"], "through its log");
    assert!(Path::new(done["journal"].as_str().unwrap()).join("journal.json").exists());
    assert_eq!(place.sddl(&format!(r"{TERM}\Parameters")), BELOW.replace("D:AI", "D:AI(A;CIID;KR;;;NS)"));
    assert_eq!(place.sddl(GUARDED), "O:SYG:SYD:P(A;CI;KA;;;SY)");

    let after = place.stored();
    let again = place.json("grant", &grant);
    assert_eq!((&again["changed"], &again["journal"]), (&false.into(), &Json::Null));
    assert!(place.stored() == after, "a second time writes nothing");

    let undone = hivesmith().arg("undo").arg("--undo-dir").arg(place.undo()).output().unwrap();
    assert_eq!(code(&undone), 0, "{}", err(&undone));
    assert!(place.stored() == before, "everything is as it was");
}

#[test]
fn subkeys_are_left_or_all_edited_as_asked() {
    let place = Place::new();
    assert_eq!(steps(&place.json("grant", &[SERVICES, "*S-1-5-20:(CI)R", "--this-key-only"])), 1);
    assert_eq!(steps(&place.json("owner", &[SERVICES, r"NT SERVICE\TrustedInstaller", "--recurse"])), 4);
    assert!(place.sddl(GUARDED).starts_with("O:S-1-5-80-956008885-"));
    assert_eq!(steps(&place.json("set", &[TERM, "D:P(A;CI;KA;;;SY)", "--recurse"])), 2);
    let term = place.sddl(TERM);
    assert!(term.starts_with("O:S-1-5-80-") && term.ends_with("G:SYD:P(A;CI;KA;;;SY)"), "{term}");
}

#[test]
fn denials_and_removals_say_what_is_left() {
    let place = Place::new();
    place.json("deny", &[TERM, "Everyone:set-value"]);
    assert_eq!(place.sddl(TERM), BELOW.replace("D:AI", "D:AI(D;;DC;;;WD)"));
    let shown = out(&place.run("show", &[TERM]));
    assert!(shown.contains("warning: ace 0 denies Everyone set-value"), "{shown}");
    let granted = place.json("grant", &[TERM, &format!("{NETWORK_SERVICE}:R,W")]);
    let warning = granted["warnings"][0].as_str().unwrap();
    assert!(warning.contains("still denied set-value") && warning.contains("Everyone"), "{warning}");
    place.json("remove", &[TERM, "Everyone:d", &format!("{NETWORK_SERVICE}:g")]);
    assert_eq!(place.sddl(TERM), BELOW);
    // Inherited entries are not removed: they would be back with the next change above.
    let left = place.json("remove", &[TERM, r"BUILTIN\Users"]);
    assert_eq!(left["changed"], false);
    assert!(left["warnings"][0].as_str().unwrap().contains("inherits stay"), "{left}");
    assert_eq!(place.json("grant", &["", r"BUILTIN\Users:(CI)F", "--replace"])["changed"], true);
    assert_eq!(place.sddl(""), "O:BAG:SYD:PAI(A;CI;KA;;;BU)(A;CI;KA;;;SY)(A;CI;KA;;;BA)");
    assert_eq!(place.sddl(TERM), "O:BAG:SYD:AI(A;CIID;KA;;;BU)(A;CIID;KA;;;SY)(A;CIID;KA;;;BA)");
}

/// Where no list says who may do what, one entry would lock everybody else out.
#[test]
fn a_key_that_is_open_to_all_stays_so() {
    let place = Place::new();
    place.json("set", &[GUARDED, "D:NO_ACCESS_CONTROL"]);
    let granted = place.run("grant", &[GUARDED, "Everyone:R"]);
    assert_eq!(code(&granted), 0);
    assert!(err(&granted).contains("everybody may do everything already"), "{}", err(&granted));
    let denied = place.run("deny", &[GUARDED, "Everyone:R"]);
    assert_eq!(code(&denied), 3, "{}", err(&denied));
    assert_eq!(place.sddl(GUARDED), "O:SYG:SYD:NO_ACCESS_CONTROL");
    assert!(out(&place.run("show", &[GUARDED])).contains("NULL list: everybody may do everything"));
}

#[test]
fn what_is_wrong_has_its_exit_code_and_changes_nothing() {
    let place = Place::new();
    let before = place.stored();
    for (verb, words, exit, says) in [
        ("show", &["No Such Key"][..], 1, "there is no such key"),
        ("grant", &["No Such Key", "Everyone:R"], 1, "No Such Key"),
        ("grant", &[SERVICES, "Everyone:RX"], 2, "`RX` is no right"),
        ("grant", &[SERVICES, "Evryone:R"], 2, "did you mean `Everyone`"),
        ("grant", &[SERVICES], 2, "nothing behind the key"),
        ("set", &[SERVICES, "D:(A;;KA;;;XX)"], 2, "XX"),
        ("set", &[SERVICES, ""], 2, "names no part"),
        ("remove", &[SERVICES, "Everyone:x"], 2, "neither `g`"),
        ("owner", &[SERVICES, "Everyone", "*S-1-5-18"], 2, "one owner"),
        ("show", &[r"HKLM\SYSTEM\Select"], 2, "inside"),
    ] {
        let output = place.run(verb, words);
        assert_eq!(code(&output), exit, "{verb} {words:?}: {}", err(&output));
        assert!(err(&output).contains(says), "{verb} {words:?}: {}", err(&output));
    }
    assert!(place.stored() == before && !place.undo().exists());
}

/// As `reg` finds its keys: by a volume, or by name.
#[test]
fn keys_are_found_in_an_installation() {
    let place = Place::new();
    let key = r"HKLM\SYSTEM\CurrentControlSet\Services\TermService";
    let shown = place.run_in_root(&["security", "show", key, "--json"]);
    let json: Json = serde_json::from_slice(&shown.stdout).unwrap();
    assert_eq!(json["keys"][0]["path"], TERM);
    let owned = hivesmith()
        .args(["security", "owner", "--hive", &format!("BROKEN={}", place.hive().display())])
        .arg("--undo-dir")
        .arg(place.undo())
        .args([r"HKLM\BROKEN\CurrentControlSet\Services\TermService", "*S-1-5-18"])
        .output()
        .unwrap();
    assert_eq!(code(&owned), 0, "{}", err(&owned));
    assert!(place.sddl(TERM).starts_with("O:SYG:"));
    let nowhere = hivesmith().args(["security", "show", r"HKLM\NOWHERE\Select"]).output().unwrap();
    assert_eq!(code(&nowhere), 2);
    assert!(err(&nowhere).contains("--root"), "{}", err(&nowhere));
}

#[test]
fn keys_that_reg_adds_inherit() {
    let place = Place::new();
    let key = r"HKLM\SYSTEM\CurrentControlSet\Control\Terminal Server\New";
    let added = place.run_in_root(&["reg", "add", key, "/v", "x", "/t", "REG_DWORD", "/d", "1", "/f"]);
    assert_eq!(code(&added), 0, "{}", err(&added));
    for path in [r"ControlSet001\Control", r"ControlSet001\Control\Terminal Server\New"] {
        assert_eq!(place.sddl(path), BELOW, "{path}");
    }
    let added = place.run_in_root(&["reg", "add", &format!(r"HKLM\SYSTEM\{GUARDED}\x"), "/f"]);
    assert_eq!(code(&added), 0, "{}", err(&added));
    assert_eq!(place.sddl(&format!(r"{GUARDED}\x")), "O:SYG:SYD:(A;CI;KA;;;SY)");
}
