//! The guides' blocks on real hives, one after the other as an engineer would run them, and what independent readers
//! say of the result.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use hivesmith::{Hive, Recover};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use crate::{
    blocks::{self, Wanted},
    cells::{self, PAGE, number},
    disk::{Disk, corpus, files},
    judges::{self, READERS},
    support::base_block,
};

/// A hive of the corpus, and what the guides' blocks meet in it.
struct Sample {
    hive: &'static str,
    logs: &'static [&'static str],
    /// Keys that the blocks want and that are not there, below a control set that is.
    new_keys: &'static [&'static str],
    /// Values that are as the blocks want them.
    as_wanted: &'static [&'static str],
    /// Values that are there and are otherwise.
    otherwise: &'static [&'static str],
    /// Control sets that are there.
    sets: &'static [&'static str],
}

#[test]
fn windows_xp_takes_every_block_step_by_step() {
    let xp = Sample {
        hive: "hives/bitcurator-SYSTEM",
        logs: &[],
        new_keys: &[
            r"Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.1",
            r"Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.1\Server",
            r"Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.2",
            r"Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.2\Server",
            r"Services\gpsvc",
        ],
        as_wanted: &["DumpFile"],
        otherwise: &["CrashDumpEnabled"],
        sets: &["ControlSet001", "ControlSet002"],
    };
    let Some(disk) = xp.disk() else { return };
    let before = disk.copy_of_hive("before");
    // Here the first control set is judged by itself; on the larger hives below together with the second.
    xp.run_blocks(&disk, &before, &["ControlSet001"]);
    xp.judge(&before, &disk.hive(), &["ControlSet001"], &READERS);
    let between = disk.copy_of_hive("between");
    xp.run_both_sets(&disk);
    xp.judge(&between, &disk.hive(), &["ControlSet002"], &READERS[..2]);
}

#[test]
fn windows_7_takes_every_block_step_by_step() {
    let seven = Sample {
        hive: "hives/regipy-SYSTEM",
        logs: &[],
        new_keys: &[
            r"Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.0",
            r"Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.0\Server",
            r"Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.1",
            r"Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.1\Server",
            r"Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.2",
            r"Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.2\Server",
        ],
        as_wanted: &["DumpFile", "SecurityLayer", "fAllowSecProtocolNegotiation"],
        otherwise: &["CrashDumpEnabled", "UserAuthentication", "Start"],
        sets: &["ControlSet001", "ControlSet002"],
    };
    let Some(disk) = seven.disk() else { return };
    let before = disk.copy_of_hive("before");
    seven.run_blocks(&disk, &before, &["ControlSet001"]);
    seven.run_both_sets(&disk);
    seven.judge(&before, &disk.hive(), &["ControlSet001", "ControlSet002"], &READERS[..3]);
}

#[test]
fn windows_10_is_replayed_first_and_takes_every_block_through_its_log() {
    let ten = Sample {
        hive: "dirty/regipy-SYSTEM_B/SYSTEM_B",
        logs: &["LOG1", "LOG2"],
        new_keys: &[
            r"Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.0",
            r"Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.0\Server",
            r"Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.1",
            r"Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.1\Server",
            r"Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.2",
            r"Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.2\Server",
        ],
        as_wanted: &["DumpFile", "UserAuthentication", "fAllowSecProtocolNegotiation"],
        otherwise: &["CrashDumpEnabled", "SecurityLayer", "Start"],
        sets: &["ControlSet001"],
    };
    let Some(disk) = ten.disk() else { return };
    // What Windows itself would start from, made without the crate.
    let replayed = disk.work().join("replayed");
    let (log1, log2) = (disk.beside("SYSTEM.LOG1"), disk.beside("SYSTEM.LOG2"));
    if !judges::replay(&disk.hive(), &[&log1, &log2], &replayed) {
        return;
    }
    let keys = |hive: &Path| {
        let hive = Hive::options().read_only(true).recover(Recover::Ignore).open(hive).unwrap();
        hive.view().root().unwrap().walk().count()
    };
    assert_eq!((keys(&disk.hive()), keys(&replayed)), (33_123, 35_595));
    let script = blocks::script("look", &[blocks::TLS], &["ControlSet001"]);
    disk.run(&script, &["--dry-run"])
        .ends(0)
        .says("was not closed cleanly: 24 log entries (2107 to 2130) are replayed first");
    ten.run_blocks(&disk, &replayed, &["ControlSet001"]);
    ten.run_both_sets(&disk);
    ten.judge(&replayed, &disk.hive(), &["ControlSet001", "ControlSet002"], &READERS);
}

#[test]
fn windows_8_1_without_its_logs_is_refused_and_left_alone() {
    let disk = Disk::new();
    let Some(hive) = corpus("hives/regipy-SYSTEM_2") else { return };
    fs::copy(hive, disk.hive()).unwrap();
    let before = disk.files();
    for more in [&[][..], &["--dry-run"], &["--json"], &["--keep-going", "--skip-online", "--registry-only"]] {
        let done = disk.run(&blocks::script("TLS", &[blocks::TLS], &["ControlSet001"]), more).ends(3);
        let done = done.says("was not closed cleanly").says("205/204").says("SYSTEM.LOG1").says("nothing was written");
        assert!(if more == ["--json"] { done.json()["changed"] == false } else { done.out.is_empty() }, "{}", done.out);
    }
    disk.reg(&[
        "add",
        r"HKLM\SYSTEM\CurrentControlSet\Services\gpsvc",
        "/v",
        "Start",
        "/t",
        "REG_DWORD",
        "/d",
        "4",
        "/f",
    ])
    .ends(3)
    .says("205/204");
    assert!(disk.files() == before);
    assert!(!disk.undo().exists());
}

impl Disk {
    /// A copy of the hive as it is now.
    fn copy_of_hive(&self, name: &str) -> PathBuf {
        let copy = self.work().join(name);
        fs::copy(self.hive(), &copy).unwrap();
        copy
    }
}

impl Sample {
    /// The hive as a disk has it; none without the corpus.
    fn disk(&self) -> Option<Disk> {
        let disk = Disk::new();
        fs::copy(corpus(self.hive)?, disk.hive()).unwrap();
        for log in self.logs {
            fs::copy(corpus(&format!("{}.{log}", self.hive))?, disk.beside(&format!("SYSTEM.{log}"))).unwrap();
        }
        Some(disk)
    }

    /// Runs the blocks one by one; `clean` is the hive as the first of them should find it.
    fn run_blocks(&self, disk: &Disk, clean: &Path, sets: &[&str]) {
        let untouched = disk.files();
        let mut before = fs::read(clean).unwrap();
        for (number, (title, block)) in blocks::ALL.into_iter().enumerate() {
            let script = blocks::script(title, &[block], sets);
            let files_before = disk.files();
            let dry = disk.run(&script, &["--json", "--dry-run"]).ends(0).json();
            assert!(disk.files() == files_before, "a dry run wrote");
            assert_eq!(disk.undo_folders().len(), number, "a dry run kept copies");
            let done = disk.run(&script, &["--json"]).ends(0);
            let document = done.json();
            assert_eq!(done.err, "");
            self.has_the_fields(&document, &dry);
            self.does_what_the_block_says(&document, block, sets);
            assert_eq!(
                document["warnings"].as_array().unwrap().len(),
                usize::from(number == 0 && !self.logs.is_empty())
            );

            let folder = disk.undo_folders().pop().unwrap();
            assert_eq!(document["journal"], fs::canonicalize(&folder).unwrap().display().to_string());
            assert_kept(&folder, &files_before);

            let after = fs::read(disk.hive()).unwrap();
            self.changed_only_records(&before, &after, &document, block, sets);
            // Once is enough: an independent replay of a large hive takes its time.
            if !self.logs.is_empty() && number == 0 {
                went_through_the_log(disk, &before, &after, &document);
            }
            before = after;
        }
        assert!(untouched.keys().eq(disk.files().keys()), "files were made or removed");

        let settled = disk.files();
        let all: Vec<&[Wanted]> = blocks::ALL.map(|(_, block)| block).to_vec();
        let again = disk.run(&blocks::script("again", &all, sets), &[]).ends(0);
        assert_eq!(again.out, "nothing to change: everything is as the script wants it\n");
        assert!(disk.files() == settled, "a second run wrote");
        assert_eq!(disk.undo_folders().len(), 4, "a second run kept copies");
    }

    /// The guides' full text: every line for `ControlSet001` and for `ControlSet002`.
    fn run_both_sets(&self, disk: &Disk) {
        let all: Vec<&[Wanted]> = blocks::ALL.map(|(_, block)| block).to_vec();
        let script = blocks::script("all of it", &all, &["ControlSet001", "ControlSet002"]);
        let done = disk.run(&script, &[]).ends(0);
        assert!(done.out.contains("~ ControlSet002\\") && !done.out.contains("~ ControlSet001\\"), "{}", done.out);
        if self.sets.contains(&"ControlSet002") {
            assert_eq!(done.err, "");
        } else {
            let done = done.says("ControlSet002 does not exist").says("CurrentControlSet means ControlSet001");
            assert_eq!(done.err.matches("warning:").count(), 1, "once is enough: {}", done.err);
        }
    }

    /// `changed`, `dry_run`, `journal`, `steps` and `refused`, in a dry run and in a real one.
    fn has_the_fields(&self, document: &Json, dry: &Json) {
        assert_eq!(dry["dry_run"], true);
        assert_eq!(dry["journal"], Json::Null);
        assert_eq!(dry["commits"], Json::Array(Vec::new()));
        assert_eq!(document["dry_run"], false);
        for document in [document, dry] {
            assert_eq!(document["changed"], true);
            assert_eq!(document["refused"], Json::Array(Vec::new()));
            for step in document["steps"].as_array().unwrap() {
                for field in ["target", "kind", "path", "why"] {
                    assert!(step[field].is_string(), "{field}: {step:#}");
                }
                assert!(step.get("before").is_some() && step.get("after").is_some(), "{step:#}");
            }
        }
        assert_eq!(document["steps"], dry["steps"]);
        let protocol = if self.logs.is_empty() { "step by step, clean at every instant" } else { "through its log" };
        assert_eq!(document["commits"][0]["protocol"], protocol);
    }

    fn does_what_the_block_says(&self, document: &Json, block: &[Wanted], sets: &[&str]) {
        let steps = document["steps"].as_array().unwrap();
        let set: Vec<(String, String, String)> = steps
            .iter()
            .filter(|step| step["kind"] == "set-value")
            .map(|step| {
                let text = |field: &Json| field.as_str().unwrap().to_owned();
                (text(&step["path"]), text(&step["value"]), text(&step["after"]["data"]))
            })
            .collect();
        let mut expected = Vec::new();
        for control_set in sets {
            for Wanted { key, name, data } in block.iter().filter(|wanted| !self.as_wanted.contains(&wanted.name)) {
                let hex: String = data.bytes().iter().map(|byte| format!("{byte:02x}")).collect();
                expected.push((format!("{control_set}\\{key}"), (*name).to_owned(), hex));
            }
        }
        assert_eq!(set, expected);
        for step in steps {
            let before = self.otherwise.iter().any(|name| step["value"] == *name);
            assert_eq!(step["before"].is_object(), before, "{step:#}");
        }
    }

    /// Byte for byte: nothing differs but the records that the block is about, and the pages they are in.
    fn changed_only_records(&self, before: &[u8], after: &[u8], document: &Json, block: &[Wanted], sets: &[&str]) {
        assert_eq!(before[512..PAGE], after[512..PAGE], "the first page is more than the base block");
        let found = cells::differences(before, after);
        assert_eq!(found.unexplained, Vec::<String>::new());
        // Step by step, a list that grows by two values has three forms, and the one between is left as a free cell.
        assert!(found.used_between.len() <= if self.logs.is_empty() { block.len() * sets.len() } else { 0 });
        let reported = document["commits"][0]["pages"].as_u64().unwrap() as usize;
        let pages = found.pages.iter().filter(|page| **page > 0).count();
        assert!(found.pages.contains(&0) && pages <= reported, "{pages} pages differ, {reported} were reported");

        let makes_keys = document["steps"].as_array().unwrap().iter().any(|step| step["kind"] == "create-key");
        let last = |path: &str| path.rsplit('\\').next().unwrap_or_default().to_owned();
        let mut touched: BTreeSet<String> = block.iter().map(|wanted| last(wanted.key)).collect();
        // A new key touches its parent.
        let parents = self.new_keys.iter().filter_map(|key| key.rsplit_once('\\'));
        touched.extend(parents.map(|(parent, _)| last(parent)));
        let mut others = 0;
        for (at, (signature, name)) in &found.changed {
            match signature.as_str() {
                "nk" => assert!(touched.contains(name), "{at:#x}: key {name} changed"),
                "vk" => assert!(block.iter().any(|wanted| wanted.name == name), "{at:#x}: value {name} changed"),
                "sk" | "lf" | "lh" | "li" | "ri" => assert!(makes_keys, "{at:#x}: {signature} changed"),
                _ => others += 1,
            }
        }
        // What has no signature: lists of values, and their data.
        assert!(others <= 2 * block.len() * sets.len(), "{:x?}", found.changed);
    }

    /// Every reader finds what the blocks say, for these control sets, and nothing else; the judge finds nothing new.
    fn judge(&self, before: &Path, after: &Path, sets: &[&str], readers: &[(&str, bool)]) {
        let all = || {
            sets.iter().flat_map(|set| blocks::ALL.into_iter().flat_map(|(_, block)| block).map(move |it| (*set, it)))
        };
        let is_new_set = |set: &str| !self.sets.contains(&set);
        let mut keys = BTreeSet::new();
        for (set, wanted) in all() {
            if is_new_set(set) {
                let path = format!("{set}\\{}", wanted.key);
                let ends = path.match_indices('\\').map(|(end, _)| end).chain([path.len()]);
                keys.extend(ends.map(|end| path[..end].to_owned()));
            }
        }
        for set in sets.iter().filter(|set| !is_new_set(set)) {
            keys.extend(self.new_keys.iter().map(|key| format!("{set}\\{key}")));
        }
        for &(reader, tells_data) in readers {
            let values = |of: &dyn Fn(&str, &Wanted) -> bool| -> BTreeSet<Value> {
                all().filter(|(set, it)| of(set, it)).map(|(set, wanted)| Value::of(set, wanted, tells_data)).collect()
            };
            let Some(changes) = judges::changes(before, after, reader) else { continue };
            assert_eq!(listed(&changes["keys_added"]), keys, "{reader}: keys added");
            assert_eq!(listed(&changes["keys_removed"]), BTreeSet::new(), "{reader}: keys removed");
            assert_eq!(changes["values_removed"], Json::Array(Vec::new()), "{reader}: values removed");
            let added = values(&|set, it| {
                is_new_set(set) || !self.otherwise.contains(&it.name) && !self.as_wanted.contains(&it.name)
            });
            assert_eq!(told(&changes["values_added"], tells_data, |it| it), added, "{reader}: values added");
            let changed = values(&|set, it| !is_new_set(set) && self.otherwise.contains(&it.name));
            let told = told(&changes["values_changed"], tells_data, |it| &it["after"]);
            assert_eq!(told, changed, "{reader}: values changed");
            if reader == "regf" {
                assert_eq!(changes["keys_changed"], Json::Array(Vec::new()), "classes, flags, descriptors");
            }
        }
        if let (Some(before), Some(after)) = (judges::findings(before), judges::findings(after)) {
            assert_eq!(after.difference(&before).collect::<Vec<_>>(), Vec::<&String>::new(), "the judge found");
        }
    }
}

/// A value as a reader tells it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Value {
    /// In lower case: Windows 7 writes `services`.
    key: String,
    name: String,
    kind: u64,
    /// SHA-256 of the data, from readers that have them.
    data: Option<String>,
}

impl Value {
    fn of(set: &str, wanted: &Wanted, tells_data: bool) -> Self {
        let hash = || Sha256::digest(wanted.data.bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        Self {
            key: format!("{set}\\{}", wanted.key).to_lowercase(),
            name: wanted.name.to_owned(),
            kind: wanted.data.kind(),
            data: tells_data.then(hash),
        }
    }
}

fn listed(paths: &Json) -> BTreeSet<String> {
    paths.as_array().unwrap().iter().map(|path| path.as_str().unwrap().to_owned()).collect()
}

fn told(values: &Json, tells_data: bool, state: impl Fn(&Json) -> &Json) -> BTreeSet<Value> {
    let text = |value: &Json| value.as_str().unwrap().to_owned();
    let values = values.as_array().unwrap().iter();
    values
        .map(|value| Value {
            key: text(&value["key"]).to_lowercase(),
            name: text(&value["name"]),
            kind: state(value)["type"].as_u64().unwrap(),
            data: tells_data.then(|| text(&state(value)["sha256"])),
        })
        .collect()
}

/// The folder holds the hive and its logs as they were, and says where they belong.
fn assert_kept(folder: &Path, before: &crate::disk::Files) {
    let kept = files(folder);
    for (path, bytes) in before {
        let name = format!("0-{}", path.file_name().unwrap().to_str().unwrap());
        assert!(kept[Path::new(&name)] == *bytes, "{name} is no copy");
    }
    let journal: Json = serde_json::from_slice(&kept[Path::new("journal.json")]).unwrap();
    for file in journal["files"].as_array().unwrap() {
        assert!(Path::new(file["hive"].as_str().unwrap()).exists(), "{file:#}");
    }
    assert_eq!((kept.len(), journal["files"].as_array().unwrap().len()), (before.len() + 1, before.len()));
}

/// The log holds what the commit protocol says, and with it alone the change would have survived a power failure: from
/// the hive before, marked as dirty, an independent replay makes the hive afterwards.
fn went_through_the_log(disk: &Disk, before: &[u8], after: &[u8], document: &Json) {
    let numbers = |bytes: &[u8]| (number(bytes, 4), number(bytes, 8));
    let final_number = document["commits"][0]["sequence"].as_u64().unwrap() as u32;
    assert_eq!(numbers(after), (final_number, final_number));
    let clean = final_number - 1;
    assert_eq!(numbers(before), (clean, clean), "the replayed hive, or the last commit");

    let [log1, log2] =
        ["SYSTEM.LOG1", "SYSTEM.LOG2"].map(|name| (disk.beside(name), fs::read(disk.beside(name)).unwrap()));
    let ((log, bytes), (_, other)) = if log1.1.is_empty() { (log2, log1) } else { (log1, log2) };
    assert!(other.is_empty(), "the log that is not used has no length");
    assert_eq!(numbers(&bytes), (clean - 1, clean - 1), "a number that no later dirty state asks for");
    assert_eq!((number(&bytes, 0x1c), number(&bytes, 0x28)), (6, number(after, 0x28)), "file type and length");
    let entry = &bytes[512..];
    assert_eq!((&entry[..4], number(entry, 12)), (&b"HvLE"[..], clean - 1));
    let behind = number(entry, 4) as usize;
    assert!(entry[behind..].iter().take(512).all(|byte| *byte == 0), "nothing follows that a loader could take along");
    let mut pages = BTreeSet::new();
    let mut data = 40 + 8 * number(entry, 20) as usize;
    for reference in entry[40..data].to_vec().chunks(8) {
        let (at, length) = (PAGE + number(reference, 0) as usize, number(reference, 4) as usize);
        assert!(entry[data..data + length] == after[at..at + length], "a page in the log is not that of the hive");
        pages.extend((at / PAGE)..(at + length) / PAGE);
        data += length;
    }
    assert_eq!(pages.len() as u64, document["commits"][0]["pages"].as_u64().unwrap());
    let differing = cells::differences(before, after).pages;
    assert!(differing.iter().all(|page| *page == 0 || pages.contains(page)));

    let mut armed = before.to_vec();
    base_block::number(&mut armed, clean, clean - 1);
    let (dirty, replayed) = (disk.work().join("armed"), disk.work().join("from the log"));
    fs::write(&dirty, armed).unwrap();
    if judges::replay(&dirty, &[&log], &replayed) {
        assert!(fs::read(replayed).unwrap()[PAGE..] == after[PAGE..], "the log alone does not restore the hive");
    }
}
