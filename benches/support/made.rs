//! Hives that the engine makes.

use hivesmith::{Data, FileTime, Hive, HiveFile, KeyId, MemoryStorage, NewHive, Transaction, Version};

/// Keys to insert: beneath which of `groups` keys, and under what name. No name occurs twice, and neither groups nor
/// names come in any order.
pub(crate) fn keys(count: u32, groups: u32) -> Vec<(u32, String)> {
    let scatter = |at: u32| at.wrapping_mul(0x9e37_79b1).rotate_left(15).wrapping_mul(0x85eb_ca6b);
    (0..count).map(scatter).map(|number| (number % groups, format!("{number:08x}"))).collect()
}

/// What every inserted key holds: a DWORD and a text.
pub(crate) const NUMBER: &str = "Start";
pub(crate) const TEXT: &str = "ImagePath";
pub(crate) const TEXT_DATA: &str = "drv.sys";

pub(crate) fn empty() -> Hive {
    NewHive::new(Version::V1_5).time(FileTime(1)).create().expect("a new hive")
}

pub(crate) fn group_name(group: u32) -> String {
    format!("group {group:04}")
}

/// A new hive with these keys, committed.
pub(crate) fn bulk(keys: &[(u32, String)], groups: u32, text: &str) -> hivesmith::Result<Hive> {
    let mut hive = empty();
    let mut txn = hive.begin()?;
    let root = txn.root();
    let groups: Vec<KeyId> =
        (0..groups).map(|group| txn.create_key(root, group_name(group).as_str())).collect::<hivesmith::Result<_>>()?;
    let text = Data::Sz(text.into());
    for (group, name) in keys {
        insert(&mut txn, groups[*group as usize], name, &text)?;
    }
    txn.commit()?;
    Ok(hive)
}

fn insert(txn: &mut Transaction<'_>, parent: KeyId, name: &str, text: &Data) -> hivesmith::Result<()> {
    let key = txn.create_key(parent, name)?;
    txn.set_value(key, NUMBER, &Data::Dword(3))?;
    txn.set_value(key, TEXT, text)
}

/// Where [`large`] has a value [`NUMBER`] for sure.
pub(crate) fn large_key() -> String {
    let (group, name) = &keys(1, LARGE_GROUPS)[0];
    format!("{}\\{name}", group_name(*group))
}

const LARGE_GROUPS: u32 = 300;

/// The bytes of a hive of 84 MiB with 300,000 keys; a small one where nothing is measured.
pub(crate) fn large() -> Vec<u8> {
    let keys = keys(super::size(300_000, 3_000), LARGE_GROUPS);
    let text = r"system32\DriverStore\FileRepository\machine.inf_amd64";
    bulk(&keys, LARGE_GROUPS, text).expect("a large hive").to_bytes()
}

/// A hive with a transaction log as Windows 8.1 and later leave it beside a clean one.
pub(crate) fn with_log(hive: Vec<u8>) -> MemoryStorage {
    let log = log(&hive);
    MemoryStorage::new(hive).with(HiveFile::Log1, log).with(HiveFile::Log2, Vec::new())
}

/// An empty log of the new format: the hive's base block with another file type and checksum.
pub(crate) fn log(hive: &[u8]) -> Vec<u8> {
    let mut log = hive[..512].to_vec();
    log[0x1c] = 6;
    let sum = log[..0x1fc]
        .chunks_exact(4)
        .fold(0, |sum, word| sum ^ u32::from_le_bytes(word.try_into().expect("four bytes")));
    log[0x1fc..].copy_from_slice(&sum.to_le_bytes());
    log
}
