//! What a hive holds, to the last field: more than any dump says.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
};

use hivesmith::{HiveView, Key};

/// A line for each key and each value, in the order of the hive.
pub(crate) fn lines(bytes: &[u8]) -> Vec<String> {
    let hive = HiveView::parse(bytes).unwrap();
    let mut lines = Vec::new();
    for walked in hive.walk() {
        let key = walked.unwrap().key;
        let path = key.path().unwrap();
        lines.push(format!("{path}: {}", key_line(bytes, key)));
        let node = payload(bytes, key.id().offset().0);
        for (at, value) in key.values().unwrap().enumerate() {
            let value = value.unwrap();
            let list = payload(bytes, number(&node[0x28..]));
            let record = payload(bytes, number(&list[at * 4..]));
            // Whether a name is stored as Latin-1 may change; the other flags and the unused field may not.
            let flags = record[0x10] & !1;
            let data = value.data().unwrap();
            let name = value.name().unwrap();
            lines.push(format!(
                "{path} \"{name}\" {:?} {flags} {:?} {} {:x}",
                value.kind(),
                &record[0x11..0x14],
                data.len(),
                hash(&data)
            ));
        }
    }
    lines
}

/// Everything of a key but what points somewhere, counts, or is a maximum.
fn key_line(bytes: &[u8], key: Key<'_>) -> String {
    let node = payload(bytes, key.id().offset().0);
    let flags = key.flags().bits() & !0x20;
    let name = key.name().unwrap();
    let class = key.class_name().unwrap().map(|class| class.to_string());
    let descriptor = key.security().unwrap();
    let descriptor = descriptor.bytes();
    // Access bits, layer byte, spare; virtualization and user flags, debug; the work variable; of predefined handles
    // what stands for the number of values.
    let fields = (&node[0x0c..0x10], &node[0x36..0x38], &node[0x44..0x48]);
    let handle = (flags & 0x40 != 0).then(|| &node[0x24..0x28]);
    format!("{name} {} {flags:#x} {class:?} {fields:?} {handle:?} {:x}", key.last_written().0, hash(descriptor))
}

/// Bytes that are too many for a line.
fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

fn payload(bytes: &[u8], cell: u32) -> &[u8] {
    &bytes[0x1000 + cell as usize + 4..]
}

fn number(bytes: &[u8]) -> u32 {
    u32::from_le_bytes(bytes[..4].try_into().unwrap())
}

/// The keys of a hive and the number of their values; broken parts are left out, as a tolerant reader does.
pub(crate) fn keys(hive: HiveView<'_>) -> BTreeMap<String, u32> {
    let mut keys = BTreeMap::new();
    let mut names: Vec<String> = Vec::new();
    for walked in hive.walk().flatten() {
        // By the way of the walk: what a key says of its parent may be wrong.
        names.truncate(walked.depth.saturating_sub(1));
        if walked.depth > 0 {
            names.push(walked.key.name().map_or("?".to_owned(), |name| name.to_string()));
        }
        let path = names.join("\\");
        let values = walked
            .key
            .values()
            .map_or(0, |values| values.flatten().filter(|value| value.name().is_ok() && value.data().is_ok()).count());
        keys.insert(path, values as u32);
    }
    keys
}

/// The base block without what compaction has to change: root, length, checksum.
pub(crate) fn base_block(bytes: &[u8]) -> Vec<u8> {
    let mut base = bytes[..0x1000].to_vec();
    base[0x24..0x2c].fill(0);
    base[0x1fc..0x200].fill(0);
    base
}
