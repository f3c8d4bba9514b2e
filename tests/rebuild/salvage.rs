//! Small hives, broken in one place, and what comes of them.

use std::time::{Duration, Instant};

use hivesmith::{
    Data, Error, Hive, Key, KeyId, Structure, Version,
    check::check_file,
    name::lh_hash,
    rebuild::{Fate, Salvage, salvage},
};

/// A hive with a service and two more keys beside it, and its bytes.
fn sample() -> Hive {
    let mut hive = Hive::create(Version::V1_5).unwrap();
    let mut txn = hive.begin().unwrap();
    for path in [r"Services\gpsvc\Parameters", r"Services\rpcss\Parameters", r"Services\winmgmt", "Select"] {
        let key = txn.create_key(txn.root(), path).unwrap();
        txn.set_value(key, "Start", &Data::Dword(2)).unwrap();
        txn.set_value(key, "ImagePath", &Data::Sz(r"system32\svchost.exe -k netsvcs".into())).unwrap();
    }
    txn.commit().unwrap();
    hive
}

fn id(hive: &Hive, path: &str) -> KeyId {
    hive.view().key(path).unwrap().unwrap().id()
}

/// Where the payload of a key's node begins.
fn node(hive: &Hive, path: &str) -> usize {
    payload(id(hive, path).offset().0)
}

fn payload(cell: u32) -> usize {
    0x1000 + cell as usize + 4
}

fn number(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

fn put(bytes: &mut [u8], at: usize, number: u32) {
    bytes[at..at + 4].copy_from_slice(&number.to_le_bytes());
}

/// Salvages, and judges what came of it.
fn saved(bytes: &[u8]) -> Salvage {
    let salvage = salvage(bytes).unwrap();
    let report = check_file(&salvage.hive.to_bytes());
    assert!(report.is_clean(), "{:?}", report.findings);
    salvage
}

fn key<'a>(salvage: &'a Salvage, path: &str) -> Option<Key<'a>> {
    salvage.hive.view().key(path).unwrap()
}

fn says(salvage: &Salvage, fate: Fate, structure: Structure, path: &str) -> bool {
    salvage.losses.iter().any(|loss| {
        loss.fate == fate && loss.structure == structure && loss.path.as_ref().is_some_and(|at| at.to_string() == path)
    })
}

#[test]
fn a_lost_list_does_not_lose_the_keys_that_it_held() {
    let hive = sample();
    let mut bytes = hive.to_bytes();
    let at = node(&hive, "Services") + 0x1c;
    let list = payload(number(&bytes, at));
    bytes[list..list + 2].fill(0);
    let salvage = saved(&bytes);
    for path in [r"Services\gpsvc\Parameters", r"Services\rpcss\Parameters", r"Services\winmgmt"] {
        assert_eq!(key(&salvage, path).unwrap().value_count(), 2, "{path}");
    }
    assert_eq!((salvage.totals.keys, salvage.totals.restored, salvage.totals.made), (8, 3, 0));
    assert!(says(&salvage, Fate::Altered, Structure::SubkeysList, "Services"));
    assert!(says(&salvage, Fate::Restored, Structure::KeyNode, r"Services\gpsvc"));
}

#[test]
fn deleted_and_renamed_keys_stay_away() {
    let mut hive = sample();
    let mut txn = hive.begin().unwrap();
    let rpcss = txn.view().key(r"Services\rpcss").unwrap().unwrap().id();
    txn.delete_tree(rpcss).unwrap();
    txn.commit().unwrap();
    let mut bytes = hive.to_bytes();
    let at = node(&hive, "Services") + 0x1c;
    let list = payload(number(&bytes, at));
    bytes[list..list + 2].fill(0);
    let salvage = saved(&bytes);
    assert!(key(&salvage, r"Services\gpsvc").is_some() && key(&salvage, r"Services\rpcss").is_none());

    // A key node that its parent's intact list does not hold is what a rename left behind.
    let hive = sample();
    let mut bytes = hive.to_bytes();
    let services = node(&hive, "Services");
    let list = payload(number(&bytes, services + 0x1c));
    assert_eq!(bytes[list..list + 4], *b"lh\x03\0");
    bytes[list + 2] = 2;
    put(&mut bytes, services + 0x14, 2);
    let salvage = saved(&bytes);
    assert!(key(&salvage, r"Services\rpcss").is_some() && key(&salvage, r"Services\winmgmt").is_none());
    assert_eq!(salvage.losses, []);
}

#[test]
fn a_destroyed_key_gets_its_name_back_from_the_hash() {
    let hive = sample();
    let mut bytes = hive.to_bytes();
    // `Parameters` is the name of another key; `gpsvc` is nobody's.
    let mut make = Hive::from_bytes(bytes.clone()).unwrap();
    let mut txn = make.begin().unwrap();
    txn.create_key(txn.root(), r"Services\gpsvc\Parameters\below").unwrap();
    txn.commit().unwrap();
    for path in [r"Services\gpsvc\Parameters", r"Services\gpsvc"] {
        bytes = make.to_bytes();
        let at = node(&make, path);
        bytes[at..at + 0x4c].fill(0);
        let salvage = saved(&bytes);
        assert_eq!(salvage.totals.made, 1);
        let expected = if path.ends_with("gpsvc") {
            format!("Services\\lost at {:#010x}\\Parameters\\below", at - 4)
        } else {
            r"Services\gpsvc\Parameters\below".to_owned()
        };
        assert!(key(&salvage, &expected).is_some(), "{expected}: {:?}", salvage.losses);
        assert!(salvage.losses.iter().any(|loss| loss.fate == Fate::Lost && loss.structure == Structure::KeyNode));
    }
}

#[test]
fn a_name_whose_length_is_wrong_is_found_by_its_hash() {
    let hive = sample();
    let mut bytes = hive.to_bytes();
    let at = node(&hive, r"Services\winmgmt");
    bytes[at + 0x48] = 200;
    let salvage = saved(&bytes);
    assert_eq!(key(&salvage, r"Services\winmgmt").unwrap().value_count(), 2);
}

#[test]
fn subkeys_in_the_wrong_order_are_sorted_and_their_hashes_made_right() {
    let hive = sample();
    let mut bytes = hive.to_bytes();
    let at = node(&hive, "Services") + 0x1c;
    let list = payload(number(&bytes, at)) + 4;
    let (one, other) = (bytes[list..list + 8].to_vec(), bytes[list + 8..list + 16].to_vec());
    bytes[list..list + 8].copy_from_slice(&other);
    bytes[list + 8..list + 16].copy_from_slice(&one);
    bytes[list + 16 + 4] ^= 1;
    let salvage = saved(&bytes);
    assert_eq!(salvage.totals.keys, 8);
    assert!(key(&salvage, r"Services\GPSVC").is_some() && key(&salvage, r"services\winmgmt").is_some());
}

#[test]
fn of_two_keys_with_one_name_both_stay() {
    let hive = sample();
    let mut bytes = hive.to_bytes();
    let at = node(&hive, r"Services\rpcss");
    bytes[at + 0x4c..at + 0x51].copy_from_slice(b"gpsvc");
    let salvage = saved(&bytes);
    assert!(key(&salvage, r"Services\gpsvc\Parameters").is_some());
    let other = format!("Services\\gpsvc (at {:#010x})\\Parameters", at - 4);
    assert!(key(&salvage, &other).is_some(), "{:?}", salvage.losses);
    assert_eq!(lh_hash("gpsvc"), lh_hash("GPSVC"));
}

#[test]
fn circles_and_shared_leaves_end() {
    let hive = sample();
    let (root, services) = (hive.view().root().unwrap().id(), id(&hive, "Services"));
    let mut bytes = hive.to_bytes();
    // Below `gpsvc` the list of the root.
    let top = number(&bytes, payload(root.offset().0) + 0x1c);
    let gpsvc = node(&hive, r"Services\gpsvc");
    put(&mut bytes, gpsvc + 0x1c, top);
    put(&mut bytes, gpsvc + 0x14, 2);
    let salvage = saved(&bytes);
    assert_eq!(salvage.totals.keys, 8, "{:?}", salvage.losses);
    assert!(key(&salvage, r"Services\gpsvc\Parameters").is_some());

    // `Select` has the list of `Services`: the keys say whose they are.
    let mut bytes = hive.to_bytes();
    let list = number(&bytes, payload(services.offset().0) + 0x1c);
    let select = node(&hive, "Select");
    put(&mut bytes, select + 0x1c, list);
    put(&mut bytes, select + 0x14, 3);
    let salvage = saved(&bytes);
    assert_eq!(salvage.totals.keys, 8, "{:?}", salvage.losses);
    assert!(key(&salvage, r"Services\winmgmt").is_some() && key(&salvage, r"Select\winmgmt").is_none());
}

#[test]
fn values_are_kept_as_far_as_they_can_be_read() {
    let hive = sample();
    let whole = hive.to_bytes();
    let list = payload(number(&whole, node(&hive, "Select") + 0x28));
    let (start, path) = (payload(number(&whole, list)), payload(number(&whole, list + 4)));

    // A wrong signature where everything else is right.
    let mut bytes = whole.clone();
    bytes[start..start + 2].fill(0);
    assert_eq!(saved(&bytes).totals.values, 8);

    // More data than there are.
    let mut bytes = whole.clone();
    let room = number(&whole, payload(number(&whole, path + 8)) - 4).wrapping_neg() - 4;
    put(&mut bytes, path + 4, room + 20);
    let salvage = saved(&bytes);
    let value = key(&salvage, "Select").unwrap().value("ImagePath").unwrap().unwrap();
    assert_eq!(value.len(), room);
    assert!(says(&salvage, Fate::Altered, Structure::ValueData, "Select"));

    // Data of another value: who has them keeps them.
    let mut bytes = whole.clone();
    let other = payload(number(&whole, payload(number(&whole, node(&hive, r"Services\winmgmt") + 0x28)) + 4));
    put(&mut bytes, path + 8, number(&whole, other + 8));
    let salvage = saved(&bytes);
    assert_eq!(salvage.totals.values, 7);
    assert_eq!(salvage.losses.len(), 1);
    assert!(salvage.losses[0].to_string().contains("value \"ImagePath\" of "), "{}", salvage.losses[0]);

    // A count that the list does not hold.
    let mut bytes = whole;
    let at = node(&hive, "Select") + 0x24;
    put(&mut bytes, at, 1 << 30);
    let salvage = saved(&bytes);
    assert_eq!(key(&salvage, "Select").unwrap().value_count(), 2);
}

#[test]
fn a_key_without_descriptor_gets_that_of_its_parent() {
    let hive = sample();
    let mut bytes = hive.to_bytes();
    let at = node(&hive, r"Services\gpsvc") + 0x2c;
    put(&mut bytes, at, 0x28);
    let salvage = saved(&bytes);
    let descriptor = |path| key(&salvage, path).unwrap().security().unwrap().offset();
    assert_eq!(descriptor(r"Services\gpsvc"), descriptor("Services"));
    assert!(says(&salvage, Fate::Altered, Structure::KeySecurity, r"Services\gpsvc"));
}

#[test]
fn what_is_no_hive_is_refused() {
    for bytes in [Vec::new(), b"regf".to_vec(), vec![0; 0x5000], vec![0xff; 0x5000]] {
        assert!(matches!(salvage(&bytes), Err(Error::Format(_))), "{} bytes", bytes.len());
    }
    let mut log = sample().to_bytes();
    log[0x1c] = 6;
    crate::support::base_block::sum_up(&mut log);
    assert!(salvage(&log).is_err());
}

/// Bytes that look like as many records as possible, all over each other.
fn hostile(pattern: &[u8], length: usize) -> Vec<u8> {
    let mut bytes = sample().to_bytes();
    let bins = bytes.len() - 0x1000;
    bytes.resize(0x1000 + length, 0);
    bytes[0x1000 + bins..].iter_mut().zip(pattern.iter().cycle()).for_each(|(to, from)| *to = *from);
    for at in (0x1000 + bins..bytes.len()).step_by(0x1000) {
        bytes[at..at + 4].copy_from_slice(b"hbin");
        put(&mut bytes, at + 4, (at - 0x1000) as u32);
        put(&mut bytes, at + 8, (0x1000 + length - at) as u32 & !0xfff);
    }
    put(&mut bytes, 0x28, length as u32);
    bytes
}

#[test]
fn hostile_bytes_cost_no_more_than_others() {
    let size = |size: i32| (-size).to_le_bytes();
    let key_node = [size(0x50).to_vec(), b"nk\x20\0".to_vec()].concat();
    let long_list = [size(0x8_0000).to_vec(), b"lh\xff\xff".to_vec()].concat();
    let list_of_lists = [size(0x8_0000).to_vec(), b"ri\xff\xff".to_vec()].concat();
    let small = [size(8).to_vec(), vec![0; 4]].concat();
    let value = [size(0x18).to_vec(), b"vk\0\0".to_vec()].concat();
    let nothing = vec![0; 8];
    for pattern in [key_node, long_list, list_of_lists, small, value, nothing] {
        let mut bytes = hostile(&pattern, 8 << 20);
        // The root's list and values begin in the midst of it.
        for field in [0x1c, 0x28] {
            put(&mut bytes, payload(0x20) + field, 0x3028);
        }
        put(&mut bytes, payload(0x20) + 0x14, u32::MAX);
        put(&mut bytes, payload(0x20) + 0x24, u32::MAX / 4);
        let start = Instant::now();
        let salvage = salvage(&bytes).unwrap();
        let took = start.elapsed();
        assert!(took < Duration::from_secs(30), "{pattern:02x?}: {took:?}");
        assert!(salvage.hive.to_bytes().len() <= 2 * bytes.len());
        assert!(salvage.losses.len() <= 10_000);
    }
}
