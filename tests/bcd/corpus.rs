//! Every store of the corpus, whole.

use std::{collections::BTreeMap, fs};

use hivesmith::{
    HiveView,
    bcd::{ElementValue, Format, Store},
};

use crate::{Desk, STORES, corpus, elements, elements_of, oracle, say};

/// Whatever Windows and others put into a store is understood, and what bcdedit itself writes comes back byte for byte.
/// What does not is read all the same, and each of its kinds is known.
#[test]
fn every_element_of_every_store_decodes_and_encodes_to_the_same_bytes() {
    let Some(corpus) = corpus() else { return };
    let mut formats: BTreeMap<String, usize> = BTreeMap::new();
    let mut odd: BTreeMap<String, usize> = BTreeMap::new();
    let (mut objects, mut total) = (0, 0);
    for name in STORES {
        let bytes = fs::read(corpus.join(name)).unwrap();
        let store = Store::new(HiveView::parse(&bytes).unwrap()).unwrap();
        assert!(store.unknown_keys().unwrap().is_empty(), "{name}");
        for object in store.objects().unwrap() {
            objects += 1;
            assert!(object.object_type().is_some(), "{name}: {:?}", object.id());
            for element in object.elements().unwrap() {
                let (kind, bytes) = element.stored.clone().expect("every element has a value");
                let value = element.value().unwrap();
                assert_eq!(value.format(), Some(element.code.format()), "{name}: {:?} {}", object.id(), element.code);
                *formats.entry(element.code.format().to_string()).or_default() += 1;
                total += 1;
                let written = value.encode();
                if written != (kind, bytes.clone()) {
                    // The same meaning all the same.
                    assert_eq!(ElementValue::decode(element.code, written.0, &written.1), value);
                    let why = match element.code.format() {
                        Format::Integer => format!("integer of {} bytes", bytes.len()),
                        Format::String if bytes.ends_with(&[0; 4]) => "string with two terminators".to_owned(),
                        other => format!("{other}: {bytes:02x?}"),
                    };
                    *odd.entry(why).or_default() += 1;
                }
            }
        }
    }
    let odd: Vec<String> = odd.into_iter().map(|(why, count)| format!("{count} × {why}")).collect();
    say(&format!("{objects} objects, {total} elements ({formats:?}), written otherwise by bcdedit: {odd:?}"));
    assert_eq!((objects, total), (103, 422));
    assert_eq!(odd, ["4 × integer of 1 bytes", "2 × integer of 3 bytes", "28 × string with two terminators"]);
}

#[test]
fn what_enum_prints_is_what_another_program_makes_of_the_same_bytes() {
    let Some(corpus) = corpus() else { return };
    let mut lines = 0;
    for name in STORES {
        let desk = Desk::with(&corpus.join(name));
        for (verbose, line) in [(false, "/enum all"), (true, "/enum all /v")] {
            let Some(expected) = oracle::enumeration(&desk.store(), verbose) else { return };
            // A store without objects has nothing to show, which is an answer of its own.
            let printed = desk.bcdedit(line).ends(i32::from(expected.is_empty())).out;
            assert_eq!(printed, expected, "{name}, {line}");
            assert_eq!(desk.bcdedit(line).out, printed, "{name}: twice the same");
            lines += printed.lines().count();
        }
        assert_eq!(oracle::elements(&desk.store()).unwrap(), desk.elements(), "{name}");
    }
    say(&format!("{} stores, {lines} lines of /enum all and /enum all /v", STORES.len()));
    assert!(lines > 1500, "{lines}");
}

/// The logs beside the stores of running systems are older than the stores: they are left alone and change nothing.
#[test]
fn stale_logs_beside_a_store_are_not_replayed() {
    let Some(corpus) = corpus() else { return };
    for name in STORES.iter().filter(|name| name.starts_with("esp-")) {
        let alone = fs::read(corpus.join(name)).unwrap();
        let alone = elements(Store::new(HiveView::parse(&alone).unwrap()).unwrap()).unwrap();
        assert_eq!(elements_of(&Desk::with(&corpus.join(name)).store()), alone, "{name}");
    }
}
