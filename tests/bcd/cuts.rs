//! Power fails while a store is written.

use hivesmith::{
    Change, Hive, HiveFile, MemoryStorage, OpenOptions, Protocol, Recover, RequestError,
    bcd::{ElementCode, ElementValue, NewObject, ObjectType, Place, Store, StoreError, WellKnown},
};

use crate::{
    Elements, STORES, corpus, elements, say,
    support::tape::{Call, Tape, coin, cut},
};

const COPY: hivesmith::Guid = hivesmith::Guid::from_u128(0x1111_1111_2222_4333_8444_5555_5555_5555);
const OPTIONS: hivesmith::Guid = hivesmith::Guid::from_u128(0x1111_1111_2222_4333_8444_6666_6666_6666);

type Edit = fn(Store<'_>) -> Result<Vec<Change>, StoreError>;

/// Edits of every kind that a store knows. Each looks at the store as the ones before left it.
const EDITS: [Edit; 11] = [
    |store| store.set(WellKnown::BOOT_MANAGER, ElementCode(0x2600_0020), &ElementValue::Boolean(true)),
    |store| store.set(WellKnown::BOOT_MANAGER, ElementCode::TIMEOUT, &ElementValue::Integer(5)),
    |store| store.set(store.default_entry()?, ElementCode(0x2600_00b0), &ElementValue::Boolean(true)),
    |store| store.set(WellKnown::EMS_SETTINGS, ElementCode(0x1500_0022), &ElementValue::Integer(1)),
    |store| store.copy(store.default_entry()?, COPY, Some("A copy with a description that needs a cell of its own")),
    |store| store.add_to_list(WellKnown::BOOT_MANAGER, ElementCode::DISPLAY_ORDER, &[COPY], Place::First),
    |store| {
        let text = ElementValue::String(r"\boot\boot.sdi".to_owned());
        store.create(&NewObject::new(OPTIONS, ObjectType::DEVICE_OPTIONS).with(ElementCode(0x3200_0004), &text))
    },
    |store| store.set(COPY, ElementCode::DESCRIPTION, &ElementValue::String("x".repeat(300))),
    |store| store.delete_element(COPY, ElementCode(0x2500_0020)),
    |store| store.delete(COPY, true),
    |store| store.set(WellKnown::BOOT_MANAGER, ElementCode::TIMEOUT, &ElementValue::Integer(30)),
];

fn files(hive: &[u8]) -> MemoryStorage {
    // Windows leaves logs of either kind beside a store, and empty ones.
    MemoryStorage::new(hive.to_vec()).with(HiveFile::Log1, Vec::new()).with(HiveFile::Log2, Vec::new())
}

fn content(hive: &Hive) -> Elements {
    elements(Store::new(hive.view()).unwrap()).unwrap()
}

/// Commits all edits as one transaction and returns what was asked of the disk, and the states that the changes went
/// through.
fn committed(hive: &[u8]) -> (Vec<Call>, Vec<Elements>) {
    let tape = Tape::new(files(hive));
    let mut opened = OpenOptions::new().open_storage(tape.clone()).unwrap();
    assert_eq!(opened.protocol(), Protocol::Stepwise);
    let mut states = vec![content(&opened)];
    let mut txn = opened.begin().unwrap();
    for edit in EDITS {
        let changes = edit(Store::new(txn.view()).unwrap()).unwrap();
        for change in &changes {
            txn.apply([change]).unwrap();
            states.push(elements(Store::new(txn.view()).unwrap()).unwrap());
        }
    }
    let report = txn.commit().unwrap();
    assert_eq!(report.protocol, Protocol::Stepwise);
    assert!(opened.view().check().is_clean());
    (tape.take(), states)
}

/// After every call, and with what was not synced lost, there, or there in parts: the store is clean, whole, and holds
/// the first so many changes. No object is without its type, no element without its value: boot code stops at those.
#[test]
fn a_power_cut_leaves_a_clean_store_with_the_first_changes() {
    let Some(corpus) = corpus() else { return };
    let (mut cuts, mut changes) = (0, 0);
    for name in STORES {
        let hive = std::fs::read(corpus.join(name)).unwrap();
        if !can_start(&hive) {
            continue;
        }
        let (calls, states) = committed(&hive);
        changes += states.len() - 1;
        let mut reached = 0;
        let mut look = |made: usize, left: MemoryStorage| {
            let opened = OpenOptions::new().recover(Recover::Refuse).read_only(true).open_storage(left);
            let opened = opened.unwrap_or_else(|error| panic!("{name}, call {made}: {error}"));
            let report = opened.view().check();
            assert!(report.editable(), "{name}, call {made}: {:?}", report.findings);
            let store = Store::new(opened.view()).unwrap();
            assert!(store.unknown_keys().unwrap().is_empty());
            assert!(
                store.objects().unwrap().iter().all(|object| object.object_type().is_some()),
                "{name}, call {made}"
            );
            let found = content(&opened);
            let state = states.iter().rposition(|state| *state == found);
            reached = reached.max(state.unwrap_or_else(|| panic!("{name}, call {made}: no state of the edits")));
            cuts += 1;
        };
        let before = files(&hive);
        for made in 0..=calls.len() {
            let calls = &calls[..made];
            look(made, cut(&before, calls, || false));
            if !matches!(calls.last(), None | Some(Call::Sync(_))) {
                look(made, cut(&before, calls, || true));
                for seed in 0..4 {
                    look(made, cut(&before, calls, coin(seed)));
                }
            }
        }
        assert_eq!(reached, states.len() - 1, "{name}: not all changes arrived");
    }
    say(&format!("{cuts} power cuts during {changes} changes"));
    assert!(cuts > 1000, "{cuts}");
}

/// A store with a boot manager and an entry to start.
fn can_start(hive: &[u8]) -> bool {
    let view = hivesmith::HiveView::parse(hive).unwrap();
    let store = Store::new(view).unwrap();
    store.default_entry().is_ok() && store.object(WellKnown::EMS_SETTINGS).unwrap().is_some()
}

/// The protocol for stores cannot link a new descriptor everywhere. No edit of a store needs one: new keys share that
/// of the key they are made in, and the number of descriptors stays.
#[test]
fn no_edit_of_a_store_needs_a_new_descriptor() {
    let Some(corpus) = corpus() else { return };
    let mut edited = 0;
    for name in STORES {
        let hive = std::fs::read(corpus.join(name)).unwrap();
        if !can_start(&hive) {
            continue;
        }
        let mut opened = OpenOptions::new().open_storage(files(&hive)).unwrap();
        let before = descriptors(&opened);
        let mut txn = opened.begin().unwrap();
        for (at, edit) in EDITS.iter().enumerate().take(9) {
            let changes = edit(Store::new(txn.view()).unwrap()).unwrap();
            assert!(
                changes.iter().all(|change| !matches!(change, Change::SetSecurity { .. })),
                "{name}: edit {at} sets a descriptor"
            );
            match txn.apply(&changes) {
                Err(hivesmith::Error::Request(RequestError::Uncommittable(why))) => panic!("{name}: edit {at}: {why}"),
                applied => applied.unwrap(),
            }
            edited += 1;
        }
        txn.commit().unwrap();
        assert_eq!(descriptors(&opened), before, "{name}");
        // What is new has the descriptor of the key it is in.
        let store = Store::new(opened.view()).unwrap();
        let bytes = |key: hivesmith::Key<'_>| key.security().unwrap().bytes().to_vec();
        for walked in store.object(COPY).unwrap().unwrap().key().walk() {
            let key = walked.unwrap().key;
            assert_eq!(bytes(key), bytes(key.parent().unwrap().unwrap()), "{name}");
        }
    }
    assert!(edited >= 5 * 9, "{edited}");
}

/// The different descriptors of a hive, as bytes.
fn descriptors(hive: &Hive) -> std::collections::BTreeSet<Vec<u8>> {
    hive.view().walk().map(|walked| walked.unwrap().key.security().unwrap().bytes().to_vec()).collect()
}
