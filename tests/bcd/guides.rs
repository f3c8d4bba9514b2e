//! The lines of Microsoft's guides, as they are printed.

use std::collections::BTreeSet;

use crate::{Desk, assert_sound, changes, corpus, oracle, say};

/// "Enable the serial console": menu, time to choose, and the console on the first serial port.
const SERIAL_CONSOLE: [&str; 5] = [
    "/set {bootmgr} displaybootmenu yes",
    "/set {bootmgr} timeout 5",
    "/set {bootmgr} bootems yes",
    "/ems {default} ON",
    "/emssettings EMSPORT:1 EMSBAUDRATE:115200",
];

const BOOT_MANAGER: &str = "9dea862c-5cdd-4e70-acc1-f32b344d4795";
const EMS_SETTINGS: &str = "0ce4991b-e6b3-4b16-b23c-5e0d9250e5d9";

/// What the lines come to, in element codes and bytes, for a loader.
fn expected(loader: &str) -> BTreeSet<String> {
    [
        format!("{BOOT_MANAGER} 16000020 3 01"),
        format!("{BOOT_MANAGER} 25000004 3 0500000000000000"),
        format!("{BOOT_MANAGER} 26000020 3 01"),
        format!("{loader} 260000b0 3 01"),
        format!("{EMS_SETTINGS} 15000022 3 0100000000000000"),
        format!("{EMS_SETTINGS} 15000023 3 00c2010000000000"),
    ]
    .into()
}

/// Stores of machines with UEFI, of one with a BIOS, and of install media, each with its default loader.
const STORES: [(&str, &str); 5] = [
    ("esp-nuc8/Boot/BCD", "f22ea33f-7a75-11ec-8c50-afef9983f4f2"),
    ("esp-b360m/Boot/BCD", "41e3e251-ef1b-11ed-9460-95a1dbb03aa9"),
    ("regipy-BCD", "733b62e5-f608-11eb-825c-c112f60133ab"),
    ("windeploy-BCD", "1b67bffd-e290-11eb-8ffa-f459a0d9b879"),
    ("winpe-boot-bcd", "7619dcc9-fafe-11d9-b411-000476eba25f"),
];

#[test]
fn the_serial_console_lines_set_these_elements_and_nothing_else() {
    let Some(corpus) = corpus() else { return };
    for (name, loader) in STORES {
        let desk = Desk::with(&corpus.join(name));
        let (before, seen_before) = (desk.elements(), oracle::hivex(&desk.store()));
        for line in SERIAL_CONSOLE {
            assert_eq!(desk.bcdedit(line).ends(0).out, "The operation completed successfully.\n", "{name}: {line}");
        }
        assert_sound(&desk.store());
        let found: BTreeSet<String> = changes(&before, &desk.elements()).into_iter().collect();
        assert_eq!(found, expected(loader), "{name}");

        // The same in the eyes of a reader that knows no stores, only keys and values.
        if let (Some(before), Some(after)) = (seen_before, oracle::hivex(&desk.store())) {
            let before: BTreeSet<String> = before.into_iter().collect();
            let after: BTreeSet<String> = after.into_iter().collect();
            let touched = |line: &String| line.split('\t').nth(1).unwrap().to_lowercase();
            let touched: BTreeSet<String> = before.symmetric_difference(&after).map(touched).collect();
            let wanted: BTreeSet<String> = expected(loader)
                .iter()
                .map(|line| line.split(' ').collect::<Vec<_>>())
                .map(|words| format!("objects\\{{{}}}\\elements\\{}", words[0], words[1]))
                .collect();
            assert_eq!(touched, wanted, "{name}");
        }

        // Once more changes nothing, not a byte.
        let bytes = std::fs::read(desk.store()).unwrap();
        for line in SERIAL_CONSOLE {
            desk.bcdedit(line).ends(0);
        }
        assert!(std::fs::read(desk.store()).unwrap() == bytes, "{name}: written although all was so already");
    }
    say(&format!("{} stores: six elements each, nothing else", STORES.len()));
}

/// The entry as it is printed in the guides is a placeholder; it is not guessed, but explained.
#[test]
fn the_placeholder_is_explained_and_nothing_is_written() {
    let Some(corpus) = corpus() else { return };
    let desk = Desk::with(&corpus.join("windeploy-BCD"));
    let bytes = std::fs::read(desk.store()).unwrap();
    for line in ["/ems {BOOT LOADER IDENTIFIER} ON", "/ems {<BOOT LOADER IDENTIFIER>} ON", "/ems \"{IDENTIFIER}\" on"] {
        desk.bcdedit(line).ends(2).says("is a placeholder of the documentation").says("write {default}");
    }
    assert!(std::fs::read(desk.store()).unwrap() == bytes);
}

/// Other documented repairs of the boot: elements and bytes.
#[test]
fn repairs_of_the_boot() {
    let Some(corpus) = corpus() else { return };
    let (name, loader) = STORES[0];
    let cases: [(&str, &[&str]); 9] = [
        ("/set {default} safeboot dsrepair", &["L 25000080 3 0200000000000000"]),
        ("/deletevalue {default} safeboot", &["- L 25000080"]),
        ("/set {default} bootstatuspolicy ignoreallfailures", &["L 250000e0 3 0100000000000000"]),
        ("/set {default} recoveryenabled no", &["L 16000009 3 00"]),
        ("/set {default} bootmenupolicy legacy", &["L 250000c2 3 0000000000000000"]),
        ("/set {default} onetimeadvancedoptions on", &["L 260000c3 3 01"]),
        ("/set {bootmgr} integrityservices enable", &["M 1500004b 3 0100000000000000"]),
        ("/set {default} integrityservices disable", &["L 1500004b 3 0200000000000000"]),
        ("/timeout 0", &["M 25000004 3 0000000000000000"]),
    ];
    let desk = Desk::with(&corpus.join(name));
    for (line, expected) in cases {
        let before = desk.elements();
        desk.bcdedit(line).ends(0);
        let found = changes(&before, &desk.elements());
        let expected: Vec<String> = expected
            .iter()
            .map(|line| line.replace("L ", &format!("{loader} ")).replace("M ", &format!("{BOOT_MANAGER} ")))
            .collect();
        assert_eq!(found, expected, "{line}");
    }
    assert_sound(&desk.store());
    desk.bcdedit("/deletevalue {default} safeboot").ends(1).says("has no element safeboot");
}
