//! `.reg` text: what is printed reads back as what it was, whatever the names and bytes are.

use hivesmith::{
    ValueType,
    edit::Change,
    name::{KeyPath, NameBuf},
    reg_text::{self, RegPath, Writer},
};
use proptest::prelude::*;

fn hive() -> RegPath {
    r"HKLM\BROKENSYSTEM".parse().unwrap()
}

fn print(changes: &[Change]) -> (Vec<u8>, usize) {
    let mut file = Vec::new();
    let left_out = reg_text::print_changes(&mut file, &hive(), changes).unwrap();
    (file, left_out.len())
}

fn read(file: &[u8]) -> Vec<Change> {
    reg_text::parse(file).unwrap().changes_under(&hive()).collect()
}

fn text_of(file: &[u8]) -> String {
    let units: Vec<u16> = file.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    String::from_utf16(&units).unwrap()
}

fn set(key: &str, name: &str, kind: ValueType, data: &[u8]) -> Change {
    Change::SetValue { key: KeyPath::from(key), name: NameBuf::from(name), kind, data: data.to_vec() }
}

#[test]
fn the_output_is_what_regedit_writes() {
    let changes = [
        Change::DeleteTree { key: KeyPath::from(r"ControlSet002\Old") },
        set("Select", "Current", ValueType::DWORD, &1_u32.to_le_bytes()),
        set("Select", "", ValueType::SZ, b"a\0\\\0\"\0\0\0"),
        set("Select", "Blob", ValueType::BINARY, &[0; 45]),
        set("Select", "Big", ValueType::QWORD, &7_u64.to_le_bytes()),
        Change::DeleteValue { key: KeyPath::from("Select"), name: NameBuf::from("gone") },
    ];
    let (file, left_out) = print(&changes);
    assert_eq!(left_out, 0);
    let expected = "\u{feff}Windows Registry Editor Version 5.00\r\n\r\n\
        [-HKEY_LOCAL_MACHINE\\BROKENSYSTEM\\ControlSet002\\Old]\r\n\r\n\
        [HKEY_LOCAL_MACHINE\\BROKENSYSTEM\\Select]\r\n\
        \"Current\"=dword:00000001\r\n\
        @=\"a\\\\\\\"\"\r\n\
        \"Blob\"=hex:00,00,00,00,00,00,00,00,00,00,00,00,00,00,00,00,00,00,00,00,00,00,\\\r\n  \
        00,00,00,00,00,00,00,00,00,00,00,00,00,00,00,00,00,00,00,00,00,00,00\r\n\
        \"Big\"=hex(b):07,00,00,00,00,00,00,00\r\n\
        \"gone\"=-\r\n\r\n";
    assert_eq!(text_of(&file), expected);
    assert!(text_of(&file).lines().all(|line| line.chars().count() <= 80));
}

#[test]
fn text_that_quotes_cannot_hold_goes_out_as_bytes() {
    for data in [
        b"".as_slice(),        // no text at all
        b"a\0",                // no NUL at the end
        b"a\0\0\0\0\0",        // two
        b"a\0\0\0b\0\0\0",     // one inside
        b"a\0\0",              // half a unit
        b"a\0\r\0\n\0b\0\0\0", // a line break
        b"\x1b\0[\0m\0\0\0",   // a terminal escape
    ] {
        let (file, _) = print(&[set("k", "v", ValueType::SZ, data)]);
        assert!(text_of(&file).contains("\"v\"=hex(1):"), "{data:x?}");
        assert_eq!(read(&file)[1], set("k", "v", ValueType::SZ, data));
    }
}

#[test]
fn an_unpaired_surrogate_survives_in_names_and_text() {
    let name = NameBuf::from(vec![0xd800, u16::from(b'x')]);
    let changes = [
        Change::CreateKey { key: KeyPath::default().join(name.clone()) },
        Change::SetValue {
            key: KeyPath::default().join(name.clone()),
            name,
            kind: ValueType::SZ,
            data: vec![0x00, 0xdc, 0, 0],
        },
    ];
    assert_eq!(read(&print(&changes).0), changes);
}

#[test]
fn what_the_format_cannot_say_is_left_out_and_told() {
    let changes = [
        Change::CreateKey { key: KeyPath::from("a\nb") },
        set("a\nb", "v", ValueType::SZ, b"\0\0"),
        set("k", "nul\0inside", ValueType::SZ, b"\0\0"),
        set("k", "stays", ValueType::SZ, b"\0\0"),
        Change::RenameKey { key: KeyPath::from("k"), name: NameBuf::from("l") },
        Change::SetClassName { key: KeyPath::from("k"), class: None },
    ];
    let (file, left_out) = print(&changes);
    assert_eq!(left_out, 4, "the key (with its value), the name, the rename, the class");
    assert_eq!(read(&file), [Change::CreateKey { key: KeyPath::from("k") }, changes[3].clone()]);
    assert!(text_of(&file).contains("; left out: a name with a NUL or a line break: value nul\\u{0000}inside"));
}

#[test]
fn sections_of_other_hives_are_named() {
    let text = "REGEDIT4\n[HKEY_LOCAL_MACHINE\\brokensystem\\Select]\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\x]\n";
    let file = reg_text::parse(text.as_bytes()).unwrap();
    let hive = hive();
    assert_eq!(file.changes_under(&hive).collect::<Vec<_>>(), [Change::CreateKey { key: KeyPath::from("Select") }]);
    let outside: Vec<_> = file.sections_outside(&hive).map(|section| section.line).collect();
    assert_eq!(outside, [3]);
}

#[test]
fn a_whole_hive_can_be_written_key_by_key() {
    let mut file = Vec::new();
    let mut writer = Writer::new(&mut file).unwrap();
    writer.key(&r"HKU\x\empty".parse().unwrap()).unwrap();
    writer.key(&r"HKU\x".parse().unwrap()).unwrap();
    writer.value("v", ValueType(0xffff_0007), &[1]).unwrap();
    writer.finish().unwrap();
    let parsed = reg_text::parse(&file).unwrap();
    assert_eq!(parsed.sections.len(), 2);
    let changes: Vec<_> = parsed.sections[1].changes(KeyPath::from("elsewhere")).collect();
    assert_eq!(changes[1], set("elsewhere", "v", ValueType(0xffff_0007), &[1]));
}

#[test]
fn a_hostile_file_costs_no_more_than_its_size() {
    let header = "REGEDIT4\n";
    for body in [
        "[".repeat(1 << 20),
        "\\".repeat(1 << 20),
        format!("[HKLM{}]", "\\".repeat(1 << 20)),
        format!("[HKLM\\a]\n\"a\"=hex:{}", "\\\n".repeat(1 << 19)),
        format!("[HKLM\\a]\n\"a\"=\"{}", "\n\"=".repeat(1 << 19)),
        "[HKLM\\a]\n\"a\"=-\n".repeat(1 << 16),
    ] {
        let _ = reg_text::parse(format!("{header}{body}").as_bytes());
    }
}

/// Names as the kernel allows them, except the three units that no `.reg` file can hold.
fn name(longest: usize, backslash: bool) -> impl Strategy<Value = NameBuf> {
    let unit = prop_oneof![
        4 => proptest::sample::select(r#" "\]-=@;:,[(%a"#.encode_utf16().collect::<Vec<_>>()),
        1 => 1..0x20_u16,
        1 => 0xd800..0xe000_u16,
        1 => any::<u16>(),
    ];
    let unit = unit.prop_map(move |unit| match unit {
        0 | 10 | 13 => u16::from(b'_'),
        0x5c if !backslash => u16::from(b'/'),
        unit => unit,
    });
    proptest::collection::vec(unit, usize::from(!backslash)..longest).prop_map(NameBuf::from)
}

fn key() -> impl Strategy<Value = KeyPath> {
    proptest::collection::vec(name(6, false), 0..3).prop_map(KeyPath::from)
}

fn value() -> impl Strategy<Value = (ValueType, Vec<u8>)> {
    let text = name(12, true).prop_map(|name| name.as_units().iter().flat_map(|unit| unit.to_le_bytes()).collect());
    let text = text.prop_map(|mut bytes: Vec<u8>| {
        bytes.extend([0, 0]);
        bytes
    });
    let kind = prop_oneof![4 => 0..12_u32, 1 => any::<u32>()].prop_map(ValueType);
    prop_oneof![
        (Just(ValueType::SZ), text),
        (Just(ValueType::DWORD), any::<[u8; 4]>().prop_map(Vec::from)),
        (kind, proptest::collection::vec(any::<u8>(), 0..64)),
    ]
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        1 => key().prop_map(|key| Change::CreateKey { key }),
        1 => key().prop_map(|key| Change::DeleteTree { key }),
        1 => (key(), name(8, true)).prop_map(|(key, name)| Change::DeleteValue { key, name }),
        4 => (key(), name(8, true), value()).prop_map(|(key, name, (kind, data))| Change::SetValue { key, name, kind, data }),
    ]
}

/// A `[key]` line makes its key: what reading back adds.
fn with_keys_made(changes: &[Change]) -> Vec<Change> {
    let mut out = Vec::new();
    let mut open = None;
    for change in changes {
        match change {
            Change::CreateKey { key } => open = Some(key),
            Change::SetValue { key, .. } | Change::DeleteValue { key, .. } if open != Some(key) => {
                out.push(Change::CreateKey { key: key.clone() });
                open = Some(key);
            }
            Change::DeleteTree { .. } => open = None,
            _ => {}
        }
        out.push(change.clone());
    }
    out
}

proptest! {
    #[test]
    fn printed_changes_read_back(changes in proptest::collection::vec(change(), 0..12)) {
        let (file, left_out) = print(&changes);
        prop_assert_eq!(left_out, 0);
        prop_assert_eq!(read(&file), with_keys_made(&changes));
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..256), headed in any::<bool>()) {
        let mut file = if headed { b"REGEDIT4\n[HKLM\\a]\n\"a\"=".to_vec() } else { Vec::new() };
        file.extend(bytes);
        if let Ok(parsed) = reg_text::parse(&file) {
            let root = "HKLM".parse().unwrap();
            let changes: Vec<_> = parsed.changes_under(&root).collect();
            let mut printed = Vec::new();
            if reg_text::print_changes(&mut printed, &root, &changes).unwrap().is_empty() {
                let again: Vec<_> = reg_text::parse(&printed).unwrap().changes_under(&root).collect();
                prop_assert_eq!(again, changes);
            }
        }
    }
}
