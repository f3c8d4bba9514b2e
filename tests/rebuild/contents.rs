//! What a hive holds, to the last field: more than any dump says.

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
                "{path} \"{name}\" {:?} {flags} {:?} {} {data:02x?}",
                value.kind(),
                &record[0x11..0x14],
                data.len()
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
    let descriptor = key.security().unwrap().bytes().to_vec();
    // Access bits, layer byte, spare; virtualization and user flags, debug; the work variable; of predefined handles
    // what stands for the number of values.
    let fields = (&node[0x0c..0x10], &node[0x36..0x38], &node[0x44..0x48]);
    let handle = (flags & 0x40 != 0).then(|| &node[0x24..0x28]);
    format!("{name} {} {flags:#x} {class:?} {fields:?} {handle:?} {descriptor:?}", key.last_written().0)
}

fn payload(bytes: &[u8], cell: u32) -> &[u8] {
    &bytes[0x1000 + cell as usize + 4..]
}

fn number(bytes: &[u8]) -> u32 {
    u32::from_le_bytes(bytes[..4].try_into().unwrap())
}

/// The base block without what compaction has to change: root, length, checksum.
pub(crate) fn base_block(bytes: &[u8]) -> Vec<u8> {
    let mut base = bytes[..0x1000].to_vec();
    base[0x24..0x2c].fill(0);
    base[0x1fc..0x200].fill(0);
    base
}
