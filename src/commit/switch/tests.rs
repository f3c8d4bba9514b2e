//! Power cuts, one after each call, in stores made here.

use std::io;

use super::*;
use crate::{
    Guid, Hive, MemoryStorage,
    bcd::{ElementCode, ElementValue, NewObject, NewStore, ObjectType, Store, WellKnown},
};

const LOADER: Guid = Guid::from_u128(0x1111_1111_2222_4333_8444_5555_5555_5555);

/// A store as it is before and after some edits: the second is longer, or shorter where they are turned round.
fn stores() -> (Vec<u8>, Vec<u8>) {
    let mut hive = NewStore::system().create().unwrap();
    apply(&mut hive, |store| store.create(&NewObject::new(WellKnown::BOOT_MANAGER, ObjectType::BOOT_MANAGER)));
    apply(&mut hive, |store| {
        let text = ElementValue::String("Windows".to_owned());
        store.create(&NewObject::new(LOADER, ObjectType::OS_LOADER).with(ElementCode::DESCRIPTION, &text))
    });
    let before = hive.to_bytes();
    apply(&mut hive, |store| store.set(WellKnown::BOOT_MANAGER, ElementCode::TIMEOUT, &ElementValue::Integer(5)));
    apply(&mut hive, |store| store.delete_element(LOADER, ElementCode::DESCRIPTION));
    for number in 1..40 {
        let text = ElementValue::String("x".repeat(200));
        let new = NewObject::new(Guid::from_u128(number), ObjectType::OS_LOADER).with(ElementCode::DESCRIPTION, &text);
        apply(&mut hive, |store| store.create(&new));
    }
    let after = hive.to_bytes();
    assert!(after.len() > before.len() + 0x2000);
    (before, after)
}

fn apply(hive: &mut Hive, edit: impl Fn(Store<'_>) -> Result<Vec<crate::Change>, crate::bcd::StoreError>) {
    let mut txn = hive.begin().unwrap();
    let changes = edit(Store::new(txn.view()).unwrap()).unwrap();
    txn.apply(&changes).unwrap();
    txn.commit().unwrap();
}

/// A disk that notes what is asked of it.
#[derive(Clone)]
struct Disk {
    files: MemoryStorage,
    calls: Vec<Call>,
}

#[derive(Clone)]
enum Call {
    Write(HiveFile, u64, Vec<u8>),
    SetLen(HiveFile, u64),
    Sync(HiveFile),
}

impl Disk {
    fn with(store: &[u8]) -> Self {
        let files = MemoryStorage::new(store.to_vec()).with(HiveFile::Log1, vec![7; 1024]);
        Self { files, calls: Vec::new() }
    }

    /// What is there if power fails when so many calls were made. Of what was not synced those sectors reach the disk
    /// that `reached` picks.
    fn cut(before: &MemoryStorage, calls: &[Call], mut reached: impl FnMut() -> bool) -> MemoryStorage {
        let mut files = before.clone();
        for (at, call) in calls.iter().enumerate() {
            let synced = |file| calls[at..].iter().any(|call| matches!(call, Call::Sync(synced) if *synced == file));
            match call {
                Call::Write(file, start, bytes) => {
                    let (mut at, mut rest) = (*start, bytes.as_slice());
                    while !rest.is_empty() {
                        let (sector, behind) = rest.split_at(rest.len().min(512 - (at % 512) as usize));
                        if synced(*file) || reached() {
                            files.write(*file, at, sector).unwrap();
                        }
                        at += sector.len() as u64;
                        rest = behind;
                    }
                }
                Call::SetLen(file, length) if synced(*file) || reached() => files.set_len(*file, *length).unwrap(),
                _ => {}
            }
        }
        files
    }
}

impl Storage for Disk {
    fn len(&mut self, file: HiveFile) -> io::Result<Option<u64>> {
        self.files.len(file)
    }

    fn read(&mut self, file: HiveFile, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.files.read(file, offset, buffer)
    }

    fn write(&mut self, file: HiveFile, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.calls.push(Call::Write(file, offset, bytes.to_vec()));
        self.files.write(file, offset, bytes)
    }

    fn set_len(&mut self, file: HiveFile, length: u64) -> io::Result<()> {
        self.calls.push(Call::SetLen(file, length));
        self.files.set_len(file, length)
    }

    fn sync(&mut self, file: HiveFile) -> io::Result<()> {
        self.calls.push(Call::Sync(file));
        Ok(())
    }
}

#[test]
fn a_power_cut_leaves_a_clean_store_the_one_or_the_other() {
    let (small, large) = stores();
    for (old, new) in [(&small, &large), (&large, &small)] {
        let before = Disk::with(old);
        let mut disk = before.clone();
        assert!(switch(&mut disk, new).unwrap());
        assert_eq!(disk.files.bytes(HiveFile::Primary), Some(new.as_slice()));
        let mut state = 1_u64;
        let mut was_new = false;
        let mut cuts = 0;
        for made in 0..=disk.calls.len() {
            let calls = &disk.calls[..made];
            let durable = matches!(calls.last(), None | Some(Call::Sync(_)));
            for try_ in 0..if durable { 1 } else { 6 } {
                let left = Disk::cut(&before.files, calls, || {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    match try_ {
                        0 => false,
                        1 => true,
                        _ => state >> 60 & 1 == 1,
                    }
                });
                let bytes = left.bytes(HiveFile::Primary).unwrap();
                let (base, view) = sound(bytes).unwrap_or_else(|| panic!("call {made}: no sound store"));
                assert_eq!(base.sequence1, base.sequence2);
                assert!(view.check().editable(), "call {made}: {:?}", view.check().findings);
                let (is_old, is_new) = (holds_the_same(bytes, old), holds_the_same(bytes, new));
                assert!(is_new || is_old && !was_new, "call {made}: neither, or the old one again");
                was_new |= durable && is_new;
                cuts += 1;
                // From there it ends, too.
                let mut disk = Disk { files: left, calls: Vec::new() };
                assert!(switch(&mut disk, new).unwrap(), "call {made}");
                assert_eq!(disk.files.bytes(HiveFile::Primary), Some(new.as_slice()));
            }
        }
        assert!(was_new && cuts > 60, "{cuts}");
    }
}

#[test]
fn what_is_no_clean_store_is_left_to_others() {
    let (store, other) = stores();
    let plain = Hive::create(crate::Version::V1_3).unwrap().to_bytes();
    let mut dirty = store.clone();
    dirty[4] ^= 1;
    let mut broken = store.clone();
    broken[0x1020..0x1024].fill(0);
    for (now, wanted) in [(&plain, &store), (&store, &plain), (&dirty, &other), (&other, &dirty), (&store, &broken)] {
        let mut disk = Disk::with(now);
        assert!(!switch(&mut disk, wanted).unwrap());
        assert!(disk.calls.is_empty());
    }
}
