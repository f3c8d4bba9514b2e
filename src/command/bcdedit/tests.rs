use super::*;

fn parse(line: &str) -> Verb {
    BcdEdit::from_args(line.split(' ')).unwrap_or_else(|error| panic!("{line}: {}", error.render())).verb
}

fn error(line: &str) -> Diagnostic {
    BcdEdit::from_args(line.split(' ')).unwrap_err()
}

fn put(object: ObjectRef, code: u32, value: ElementValue) -> Verb {
    Verb::Put { object, code: ElementCode(code), value }
}

#[test]
fn the_guides_lines() {
    let set = parse("/set {bootmgr} displaybootmenu yes");
    assert!(matches!(&set, Verb::Set { values, list: None, .. } if values[0].text == "yes"));
    let ems = parse("/ems {default} ON");
    let Verb::Put { object: ObjectRef::Named(word), code, value } = &ems else { panic!("{ems:?}") };
    assert_eq!((word.text.as_str(), code.0, value), ("{default}", 0x2600_00b0, &ElementValue::Boolean(true)));
    let settings = parse("/emssettings EMSPORT:1 EMSBAUDRATE:115200");
    let expected = vec![
        (ElementCode(0x1500_0022), ElementValue::Integer(1)),
        (ElementCode(0x1500_0023), ElementValue::Integer(115_200)),
    ];
    assert_eq!(settings, Verb::Settings { object: WellKnown::EMS_SETTINGS, set: expected, delete: Vec::new() });
}

#[test]
fn the_store_and_options_in_any_case_and_place() {
    for line in ["/store F:\\boot\\bcd /ENUM ALL /V", "-enum all -v /STORE F:\\boot\\bcd"] {
        let command = BcdEdit::from_args(line.split(' ')).unwrap();
        assert_eq!(command.store.as_ref().unwrap().text, "F:\\boot\\bcd");
        assert_eq!(command.verb, Verb::Enum { scope: EnumScope::All, verbose: true });
        assert!(!command.edits());
    }
    assert_eq!(parse("/v"), Verb::Enum { scope: EnumScope::Active, verbose: true });
    let none: [&str; 0] = [];
    let alone = BcdEdit::from_args(none).unwrap();
    assert_eq!(alone.verb, Verb::Enum { scope: EnumScope::Active, verbose: false });
    assert!(matches!(parse("/enum {bootmgr}"), Verb::Enum { scope: EnumScope::One(_), .. }));
    let store = BcdEdit::from_args(["/store", "/mnt/efi/EFI/Microsoft/Boot/BCD"]).unwrap().store.unwrap();
    assert_eq!(store.text, "/mnt/efi/EFI/Microsoft/Boot/BCD");
}

#[test]
fn verbs_that_are_short_for_others() {
    let manager = || ObjectRef::Known(WellKnown::BOOT_MANAGER);
    assert_eq!(parse("/timeout 0x1e"), put(manager(), 0x2500_0004, ElementValue::Integer(30)));
    let Verb::Set { object, element, list, .. } = parse("/displayorder {ntldr} {default} /addlast") else { panic!() };
    assert_eq!((object, element), (manager(), ElementRef::Known(ElementCode::DISPLAY_ORDER)));
    assert_eq!(list, Some(ListEdit::AddLast));
    let Verb::Set { list, values, .. } = parse("/set {fwbootmgr} displayorder {bootmgr} /addfirst") else { panic!() };
    assert_eq!((list, values.len()), (Some(ListEdit::AddFirst), 1));
    // What looks like an option is a value where the element is no list.
    let Verb::Set { values, .. } = parse("/set {default} loadoptions /remove") else { panic!() };
    assert_eq!(values[0].text, "/remove");
    assert!(matches!(parse("/bootems {emssettings} off"), Verb::Put { value: ElementValue::Boolean(false), .. }));
    assert!(matches!(parse("/default {default}"), Verb::Set { list: None, .. }));
    assert!(matches!(parse("/delete {ntldr} /f /nocleanup"), Verb::Delete { force: true, cleanup: false, .. }));
    assert!(matches!(parse("/emssettings BIOS"), Verb::Settings { delete, .. } if delete.len() == 2));
    assert!(matches!(parse("/emssettings"), Verb::Enum { .. }));
}

#[test]
fn types_of_new_objects() {
    let types = [
        ("/create /d x /application osloader", Some(0x1020_0003)),
        ("/create /application 0x1020000a", Some(0x1020_000a)),
        ("/create /inherit", Some(0x2010_0000)),
        ("/create /inherit osloader /d x", Some(0x2020_0003)),
        ("/create {cbd971bf-b7b8-4885-951a-fa03044f5d71} /device", Some(0x3000_0000)),
        ("/create {emssettings}", None),
    ];
    for (line, expected) in types {
        let Verb::Create { object_type, .. } = parse(line) else { panic!("{line}") };
        assert_eq!(object_type.map(|known| known.0), expected, "{line}");
    }
}

#[test]
fn debuggers() {
    let Verb::Settings { object, set, .. } = parse("/dbgsettings net hostip:192.168.1.2 port:50000 key:1.2.3.4 nodhcp")
    else {
        panic!()
    };
    assert_eq!(object, WellKnown::DEBUGGER_SETTINGS);
    let expected = [
        (0x1500_0011, ElementValue::Integer(3)),
        (0x1500_001a, ElementValue::Integer(0xc0a8_0102)),
        (0x1500_001b, ElementValue::Integer(50_000)),
        (0x1200_001d, ElementValue::String("1.2.3.4".to_owned())),
        (0x1600_001c, ElementValue::Boolean(false)),
    ];
    assert_eq!(set, expected.map(|(code, value)| (ElementCode(code), value)));
    let Verb::Settings { set, .. } = parse("/dbgsettings SERIAL DEBUGPORT:1 /start autoenable /noumex") else {
        panic!()
    };
    assert_eq!(set.len(), 4);
    let Verb::Settings { object, set, .. } = parse("/hypervisorsettings serial debugport:1 baudrate:115200") else {
        panic!()
    };
    assert_eq!((object, set.len()), (WellKnown::HYPERVISOR_SETTINGS, 3));
}

#[test]
fn mistakes_are_met_at_their_word_with_what_would_have_been_right() {
    let cases = [
        ("/enmu", 9, "`/enmu` is no command of bcdedit", "did you mean `/enum`?"),
        ("enum", 9, "`enum` is no command of bcdedit", "did you mean `/enum`?"),
        ("/enum everything", 15, "`everything` is nothing that /enum shows", "one of active"),
        ("/store", 15, "`/store` needs an argument; the line ends here", ""),
        ("/set {bootmgr} timout 5", 24, "`timout` is no element that bcdedit knows, did you mean `timeout`?", ""),
        (
            "/set {bootmgr} custom:12 5",
            24,
            "`custom:12` is no element: behind `custom:` stand eight hexadecimal digits",
            "",
        ),
        ("/set {bootmgr} timeout", 31, "`/set` needs a value; the line ends here", ""),
        ("/set {bootmanger} timeout 5", 14, "`{bootmanger}` is no identifier", "a GUID in braces"),
        ("/set {bootmg} timeout 5", 14, "`{bootmg}` is no identifier", "did you mean `{bootmgr}`?"),
        ("/set bootmgr timeout 5", 14, "an identifier is missing before `bootmgr`", "{default}"),
        ("/set '{bootmgr}' timeout 5", 14, "`'{bootmgr}'` is no identifier", "cmd knows no single quotes"),
        ("/set displaybootmenu yes", 14, "an identifier is missing before `displaybootmenu`", "{default}"),
        ("/ems {default} maybe", 24, "`maybe` is neither ON nor OFF", "YES"),
        ("/ems {default} on off", 27, "unexpected argument `off`", "quotes"),
        (
            "/ems {<BOOT LOADER IDENTIFIER>} ON",
            14,
            "`{<BOOT LOADER IDENTIFIER>}` is a placeholder of the documentation",
            "{default}",
        ),
        (
            "/ems {BOOT LOADER IDENTIFIER} ON",
            14,
            "`{BOOT LOADER IDENTIFIER}` is a placeholder of the documentation",
            "{default}",
        ),
        ("/ems {IDENTIFIER} ON", 14, "`{IDENTIFIER}` is a placeholder of the documentation", "{default}"),
        ("/emssettings EMSBAUDRATE:9600", 22, "`EMSBAUDRATE` needs a port", "EMSPORT:1"),
        ("/emssettings EMSPORT:x", 30, "`x` is no number", "0x"),
        ("/emssettings EMSPORT", 22, "`EMSPORT` needs a value", "EMSPORT:VALUE"),
        (
            "/emssettings BIOS EMSPORT:1",
            22,
            "`BIOS` means the firmware's own port: it takes neither port nor speed",
            "",
        ),
        ("/emssettings EMSPROT:1", 22, "`EMSPROT:1` is no parameter of this command", "did you mean `EMSPORT`?"),
        ("/dbgsettings serial serial", 29, "`serial` sets again what was set before it", ""),
        ("/dbgsettings serial /start never", 36, "`never` is no start policy", "autoenable"),
        ("/dbgsettings net hostip:1.2.3", 33, "`1.2.3` is no IPv4 address", ""),
        ("/create /d x", 21, "the type of the new object is missing", "/application osloader"),
        ("/create /application osloadr", 30, "`osloadr` is no type of an object", "did you mean `OSLOADER`?"),
        ("/create /device /inherit", 9, "only one of /application, /inherit and /device can be given", ""),
        ("/displayorder", 22, "at least one identifier is needed; the line ends here", ""),
        (
            "/displayorder {default} /addfirst /remove",
            43,
            "only one of /addfirst, /addlast and /remove can be given",
            "",
        ),
        ("/timeout soon", 18, "`soon` is no number", "decimal"),
        ("/store x /createstore y", 16, "`/createstore` names its file itself: leave out `/store`", ""),
        ("/mirror {default}", 9, "`/mirror` is not carried out offline", "/copy"),
        ("/delete {default} /cleanup /nocleanup", 36, "`/nocleanup` cannot be given together with `/cleanup`", ""),
        (
            "/timeout 5 bcdedit /timeout 6",
            20,
            "a second command, `bcdedit`, begins here without a line break before it",
            "",
        ),
    ];
    let mut wrong = Vec::new();
    for (line, column, message, hint) in cases {
        let error = error(line);
        let hinted = error.hint.as_deref().unwrap_or_default().contains(hint);
        if (error.message.as_str(), error.span.column) != (message, column) || !hinted {
            wrong.push(format!("{line}: column {}\n{}", error.span.column, error.render()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
