//! Every element of the table: by name, by code, and with values that it does not take.

use std::{collections::BTreeMap, fs, path::Path};

use hivesmith::{
    Hive,
    bcd::{Definition, ElementCode, ElementValue, Format, NewObject, NewStore, ObjectType, Scope, Store, WellKnown},
    command::{bcdedit::BcdEdit, run},
    plan::{Opened, Registry},
    volume::Drives,
};

use crate::say;

/// An object of a type that has the elements of a scope, and its type.
fn object_for(scope: Scope) -> (&'static str, ObjectType) {
    match scope {
        Scope::Library | Scope::AnyApplication | Scope::Template | Scope::OsLoader => {
            ("{00000000-0000-4000-8000-000000000003}", ObjectType::OS_LOADER)
        }
        Scope::BootManager => ("{bootmgr}", ObjectType::BOOT_MANAGER),
        Scope::Resume => ("{00000000-0000-4000-8000-000000000004}", ObjectType::RESUME),
        Scope::MemoryTester => ("{memdiag}", ObjectType::MEMORY_TESTER),
        Scope::LegacyLoader => ("{ntldr}", ObjectType::LEGACY_LOADER),
        Scope::Startup => ("{00000000-0000-4000-8000-000000000009}", ObjectType::STARTUP),
        Scope::BootApplication => ("{00000000-0000-4000-8000-00000000000a}", ObjectType(0x1020_000a)),
        Scope::DeviceOptions => ("{ramdiskoptions}", ObjectType::DEVICE_OPTIONS),
        other => panic!("{other:?}"),
    }
}

const SCOPES: [Scope; 11] = [
    Scope::Library,
    Scope::AnyApplication,
    Scope::Template,
    Scope::BootManager,
    Scope::OsLoader,
    Scope::Resume,
    Scope::MemoryTester,
    Scope::LegacyLoader,
    Scope::Startup,
    Scope::BootApplication,
    Scope::DeviceOptions,
];

/// A store with an object of every type.
fn store() -> Hive {
    let mut hive = NewStore::new().create().unwrap();
    let mut txn = hive.begin().unwrap();
    for scope in SCOPES {
        let (id, object_type) = object_for(scope);
        let store = Store::new(txn.view()).unwrap();
        let id = store.resolve(id).unwrap();
        if store.object(id).unwrap().is_none() {
            let changes = store.create(&NewObject::new(id, object_type)).unwrap();
            txn.apply(&changes).unwrap();
        }
    }
    txn.commit().unwrap();
    hive
}

/// Texts that an element takes, with the value each becomes; and texts that it does not take.
fn texts(known: &Definition) -> (Vec<(String, ElementValue)>, Vec<&'static str>) {
    let partition = "partition=mbr:00000001@1048576";
    match known.code.format() {
        Format::Device => {
            let device = |text: &str| {
                let parsed = hivesmith::bcd::Device::parse(text, known.code, &hivesmith::bcd::NoPlaces).unwrap();
                (text.to_owned(), ElementValue::Device(parsed))
            };
            (vec![device("boot"), device(partition)], vec!["C", "partition", "file=x", "partition=F:"])
        }
        Format::String => (vec![(r"\a b".to_owned(), ElementValue::String(r"\a b".to_owned()))], vec![]),
        Format::Object => {
            (vec![("{bootmgr}".to_owned(), ElementValue::Object(WellKnown::BOOT_MANAGER))], vec!["bootmgr", "{x}", ""])
        }
        Format::ObjectList => (
            vec![("{bootmgr}".to_owned(), ElementValue::ObjectList(vec![WellKnown::BOOT_MANAGER]))],
            vec!["bootmgr", "{x}"],
        ),
        Format::Integer if known.values.is_empty() => (
            vec![("7".to_owned(), ElementValue::Integer(7)), ("0xFF".to_owned(), ElementValue::Integer(255))],
            vec!["seven", "-1", "+1", "", "0x", "18446744073709551616"],
        ),
        Format::Integer => {
            let named = known.values.iter().flat_map(|(number, name)| {
                let value = ElementValue::Integer(*number);
                [(name.to_uppercase(), value.clone()), (name.to_lowercase(), value)]
            });
            (named.collect(), vec!["Sometimes", "4294967296", "-1", ""])
        }
        Format::Boolean => (
            ["1", "on", "YES", "True"]
                .map(|text| (text.to_owned(), ElementValue::Boolean(true)))
                .into_iter()
                .chain(["0", "OFF", "no", "FALSE"].map(|text| (text.to_owned(), ElementValue::Boolean(false))))
                .collect(),
            vec!["2", "enable", "", "yess"],
        ),
        Format::IntegerList => {
            (vec![("0x15000075".to_owned(), ElementValue::IntegerList(vec![0x1500_0075]))], vec!["x", "-1"])
        }
        other => panic!("{other:?}"),
    }
}

fn line(id: &str, name: &str, text: &str) -> Result<BcdEdit, String> {
    BcdEdit::from_args(["/set", id, name, text]).map_err(|error| error.to_string())
}

#[test]
fn every_element_is_set_by_name_and_by_code_read_back_and_wrong_values_are_refused() {
    let mut hives = vec![Opened { path: "store".into(), hive: store() }];
    let mut registry = Registry::editing(&mut hives).map_err(|(_, error)| error).unwrap();
    let drives = Drives::default();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for known in Definition::all() {
        let (id, object_type) = object_for(known.scope);
        let custom = format!("custom:{}", known.code);
        // A name that moved is the newer code's; the older one is left to `custom:`.
        let by_name = known.name.filter(|name| Definition::named(name, object_type) == Some(known));
        let (good, bad) = texts(known);
        for name in by_name.into_iter().chain([custom.as_str()]) {
            for (text, value) in &good {
                let command = line(id, name, text).unwrap_or_else(|error| panic!("{name} {text}: {error}"));
                let effect = run::bcdedit(&mut registry, &drives, 0, &command, "test");
                effect.unwrap_or_else(|error| panic!("{name} {text}: {error}"));
                let store = Store::new(registry.view(0).unwrap()).unwrap();
                let object = store.object(store.resolve(id).unwrap()).unwrap().unwrap();
                let element = object.element(known.code).unwrap().unwrap();
                assert_eq!(element.value().as_ref(), Some(value), "{name} {text}");
                assert_eq!(element.stored, Some(value.encode()), "{name} {text}");
                *counts.entry("set and read back").or_default() += 1;
            }
            for text in &bad {
                let refused = line(id, name, text).and_then(|command| {
                    run::bcdedit(&mut registry, &drives, 0, &command, "test").map_err(|error| error.to_string())
                });
                let error = refused.err().unwrap_or_else(|| panic!("{name} took {text:?}"));
                for (number, value) in known.values {
                    assert!(error.contains(&format!("{value} ({number})")), "{name} {text}: {error}");
                }
                *counts.entry("refused").or_default() += 1;
            }
        }
        if let Some(name) = known.name {
            // In capitals, and in an object that has no such element.
            assert!(line(id, &name.to_uppercase(), &good[0].0).is_ok());
            for scope in SCOPES.into_iter().filter(|scope| !matches!(scope, Scope::Library | Scope::Template)) {
                let (other, other_type) = object_for(scope);
                if Definition::named(name, other_type).is_none() {
                    let command = line(other, name, &good[0].0).unwrap();
                    let refused = run::bcdedit(&mut registry, &drives, 0, &command, "test").unwrap_err();
                    assert!(refused.to_string().contains("is not an element of a"), "{refused}");
                    *counts.entry("refused in another object").or_default() += 1;
                }
            }
            *counts.entry("with a name").or_default() += 1;
        }
    }
    say(&format!("{} elements: {counts:?}", Definition::all().len()));
    assert_eq!(counts["with a name"], 271);
    assert!(counts["set and read back"] > 1500 && counts["refused"] > 1000, "{counts:?}");
}

/// The other readers' table was transcribed apart from the crate's.
#[test]
fn the_table_of_the_other_readers_is_the_same() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/bcd_elements.tsv");
    let text = fs::read_to_string(path).unwrap();
    let scope = |scope: Scope| match scope {
        Scope::Library => "library",
        Scope::AnyApplication => "any",
        Scope::Template => "template",
        Scope::BootManager => "bootmgr",
        Scope::OsLoader => "osloader",
        Scope::Resume => "resume",
        Scope::MemoryTester => "memdiag",
        Scope::LegacyLoader => "legacy",
        Scope::Startup => "startup",
        Scope::BootApplication => "bootapp",
        Scope::DeviceOptions => "device",
        other => panic!("{other:?}"),
    };
    let ours = Definition::all().iter().map(|known| {
        let values: Vec<String> = known.values.iter().map(|(number, name)| format!("{number}={name}")).collect();
        let values = if values.is_empty() { "-".to_owned() } else { values.join(";") };
        format!("{}\t{}\t{}\t{values}", scope(known.scope), known.code, known.name.unwrap_or("-"))
    });
    assert_eq!(ours.collect::<Vec<_>>(), text.lines().skip(1).collect::<Vec<_>>());
}

/// Without an offline `{current}` an entry has to be named, and what is no value is met at its word.
#[test]
fn what_is_wrong_is_met_at_its_word() {
    let mut hives = vec![Opened { path: "store".into(), hive: store() }];
    let mut registry = Registry::editing(&mut hives).map_err(|(_, error)| error).unwrap();
    for (words, column, message) in [
        (vec!["/set", "{bootmgr}", "default", "{ntldr}", "{memdiag}"], 40, "takes one value"),
        (vec!["/set", "{bootmgr}", "default", "{00000000-0000-4000-8000-00000000dead}"], 32, "the store has no"),
        (vec!["/displayorder", "{ntldr}", "{ntldr}"], 31, "named twice"),
        (vec!["/set", "{bootmgr}", "timeout", "5", "6"], 34, "takes one value"),
        (vec!["/set", "{fwbootmgr}", "timeout", "5"], 14, "the store has no {fwbootmgr}"),
        (vec!["/create", "{memdiag}"], 17, "has {b2721d73-1db4-4c62-bf78-c548a880142d} already"),
        (vec!["/create", "{default}", "/device"], 17, "stands for another entry"),
        (vec!["/create", "{emssettings}", "/device"], 17, "is always of type 20100000"),
        (vec!["/delete", "{memdiag}"], 17, "one of Windows' own objects"),
        (vec!["/ems", "{memdiag}", "on"], 14, "`ems` is not an element of a Windows Memory Tester"),
    ] {
        let command = BcdEdit::from_args(words.iter().copied()).unwrap();
        let error = run::bcdedit(&mut registry, &Drives::default(), 0, &command, "test").unwrap_err();
        let run::RunError::Word { span, message: found, .. } = error else { panic!("{words:?}: {error}") };
        assert!(found.contains(message), "{words:?}: {found}");
        assert_eq!(span.column, column, "{words:?}: {found}");
    }
    assert!(!registry.is_changed());
    // A code whose format bcdedit does not have cannot be given a value.
    assert_eq!(ElementCode(0x1900_0001).format(), Format::Unknown(9));
}
