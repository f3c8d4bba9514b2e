//! Command blocks of the documentation, as printed: what runs, and what is wrong with the rest, with line and column.

#![cfg(feature = "volume")]

use hivesmith::{
    ValueType,
    bcd::ElementCode,
    command::{
        Diagnostic,
        bcdedit::{BcdEdit, ObjectRef, Verb},
        icacls::{Action, Edit},
        reg::{Add, DeleteTarget, RegCommand, ValueFilter},
        script::{
            Command, Line, Script, ScriptError, Target,
            powershell::{ItemValue, ProviderCommand},
        },
    },
    security::{AccessMask, Permission, well_known},
};
use proptest::prelude::*;

fn understood(text: &str) -> Vec<Line> {
    let script = Script::parse("script.cmd", text.as_bytes()).unwrap();
    assert!(script.warnings.is_empty(), "{:?}", script.warnings);
    script.lines
}

fn refused(text: &str) -> ScriptError {
    Script::parse("script.cmd", text.as_bytes()).unwrap_err()
}

/// The only thing wrong with a script.
fn mistake(text: &str) -> Diagnostic {
    let mut errors = refused(text).errors;
    assert_eq!(errors.len(), 1, "{errors:?}");
    errors.remove(0)
}

fn adds(lines: &[Line]) -> Vec<&Add> {
    lines
        .iter()
        .filter_map(|line| match &line.command {
            Command::Reg(RegCommand::Add(add)) => Some(add),
            _ => None,
        })
        .collect()
}

fn place(error: &Diagnostic) -> (u32, u32) {
    (error.span.line, error.span.column)
}

/// The line and column where the last occurrence of some text stands.
fn place_of(text: &str, part: &str) -> (u32, u32) {
    let before = &text[..text.rfind(part).unwrap()];
    let line = before.matches('\n').count() as u32 + 1;
    (line, (before.len() - before.rfind('\n').map_or(0, |at| at + 1)) as u32 + 1)
}

mod as_printed {
    use super::*;

    #[test]
    fn tls_is_enabled_in_both_control_sets() {
        let lines = understood(include_str!("tls.cmd"));
        let adds = adds(&lines);
        assert_eq!((lines.len(), adds.len()), (6, 6));
        let mut keys = Vec::new();
        for add in &adds {
            assert_eq!(add.value.as_ref().unwrap().to_string(), "Enabled");
            assert_eq!((add.kind, add.data.as_slice(), add.force), (ValueType::DWORD, [1, 0, 0, 0].as_slice(), true));
            keys.push(add.key.to_string());
        }
        assert_eq!(
            keys[5],
            "HKEY_LOCAL_MACHINE\\BROKENSYSTEM\\ControlSet002\\Control\\SecurityProviders\\SCHANNEL\\Protocols\\TLS 1.2\\Server"
        );
        keys.dedup();
        assert_eq!(keys.len(), 6);
    }

    #[test]
    fn the_live_commands_are_the_same_commands() {
        let lines = understood(include_str!("tls-online.cmd"));
        assert_eq!(adds(&lines).len(), 3);
        let lines = understood(include_str!("group-policy-off.cmd"));
        assert_eq!(adds(&lines)[0].data, [4, 0, 0, 0]);
    }

    #[test]
    fn the_dump_settings_keep_their_variable() {
        let text = include_str!("dump-and-serial-console.cmd");
        assert_eq!(place(&mistake(text)), place_of(text, "{<BOOT LOADER IDENTIFIER>}"));

        let lines = understood(&text.replace("{<BOOT LOADER IDENTIFIER>}", "{default}"));
        let adds = adds(&lines);
        assert_eq!(adds.len(), 6);
        let expected: Vec<u8> = "%SystemRoot%\\MEMORY.DMP\0".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!((adds[1].kind, &adds[1].data), (ValueType::EXPAND_SZ, &expected));
        let Command::Reg(RegCommand::Load(load)) = &lines[0].command else { panic!() };
        assert_eq!(load.file, r"F:\windows\system32\config\SYSTEM.hiv");
        assert!(matches!(&lines[12].command, Command::Reg(RegCommand::Unload(unload)) if unload.key == load.key));
        let stores: Vec<&BcdEdit> = lines[1..6]
            .iter()
            .map(|line| match &line.command {
                Command::BcdEdit(command) => command,
                other => panic!("{other:?}"),
            })
            .collect();
        assert!(stores.iter().all(|command| command.store.as_ref().unwrap().text == r"F:\boot\bcd"));
        let Verb::Set { object: ObjectRef::Named(object), values, .. } = &stores[0].verb else { panic!() };
        assert_eq!((object.text.as_str(), values[0].text.as_str()), ("{bootmgr}", "yes"));
        assert!(matches!(stores[3].verb, Verb::Put { code: ElementCode(0x2600_00b0), .. }));
        assert!(matches!(&stores[4].verb, Verb::Settings { set, delete, .. } if set.len() == 2 && delete.is_empty()));
    }

    #[test]
    fn a_truncated_type_is_met_at_its_word() {
        let text = include_str!("tls-cut-off.cmd");
        let error = mistake(text);
        assert_eq!(place(&error), place_of(text, "REG_DWO"));
        assert_eq!(error.to_string(), "script.cmd:13:117: unknown value type `REG_DWO`, did you mean `REG_DWORD`?");
        assert_eq!(error.hint.as_deref(), Some("the line ends behind it: `/d DATA` is missing too"));
        let rendered = error.render().to_string();
        let lines: Vec<&str> = rendered.lines().collect();
        let (shown, caret) = (lines[1], lines[2]);
        let at = caret.chars().position(|c| c == '^').unwrap();
        assert_eq!(shown.chars().skip(at).take(7).collect::<String>(), "REG_DWO");
    }

    #[test]
    fn two_commands_in_one_line_are_told_apart() {
        let text = include_str!("nla-run-together.cmd");
        let error = mistake(text);
        assert_eq!(place(&error), place_of(text, "reg unload"));
        assert!(error.message.contains("a second command, `reg`"), "{error}");

        let text = include_str!("group-policy-on.cmd");
        assert_eq!(place(&mistake(text)), place_of(text, "sc start"));
    }

    #[test]
    fn permissions_are_words_for_their_programs() {
        let lines = understood(include_str!("machine-keys.cmd"));
        assert_eq!(lines.len(), 7);
        assert!(matches!(&lines[0].command, Command::MakeDirectory { paths } if paths == &["F:\\temp"]));
        let Command::Icacls(icacls) = &lines[3].command else { panic!() };
        let granted = Permission::new(well_known::LOCAL_SYSTEM, AccessMask::FILE_ALL);
        assert_eq!(
            (&icacls.action, icacls.recurse, icacls.go_on),
            (&Action::Edit(vec![Edit::Grant(granted)]), true, true)
        );
        let Command::Takeown(takeown) = &lines[2].command else { panic!() };
        assert!(takeown.administrators && takeown.recurse);
        let target = Target::File(r"c:\temp\BeforeScript_permissions.txt".to_owned());
        assert_eq!((&lines[1].redirections[0].target, lines[1].redirections[0].append), (&target, false));
    }

    #[test]
    fn what_needs_a_running_windows_is_named_with_its_way_out() {
        let lines = understood(include_str!("machine-keys-online.ps1"));
        let online: Vec<_> = lines
            .iter()
            .filter_map(|line| match &line.command {
                Command::Online { what, instead } => Some((line.span.line, what.as_str(), *instead)),
                _ => None,
            })
            .collect();
        assert_eq!(online.len(), 2);
        assert_eq!(online[0].1, "remove-module psreadline");
        assert_eq!(online[1].1, "Restart-Service TermService -Force");
        assert!(online[1].2.starts_with("Services start with Windows"));
        let Command::Online { what, .. } = &understood("Netstat -anob |more\n")[0].command else { panic!() };
        assert_eq!(what, "Netstat -anob");
        understood("net stop SessionEnv\nnet start SessionEnv\nStop-Service -Name <ServiceName> -Force\n");
        understood("Set-NetFirewallRule -Name \"RemoteDesktop-UserMode-In-TCP\" -LocalPort <NEW PORT (decimal)>\n");
    }

    #[test]
    fn the_certificate_is_removed_through_its_variable() {
        let lines = understood(include_str!("rdp-certificate.ps1"));
        let removed: Vec<_> = lines.iter().filter(|line| matches!(line.command, Command::Provider(_))).collect();
        let expected = ProviderCommand::RemoveCertificates { store: "Remote Desktop".to_owned(), thumbprint: None };
        assert!(matches!(&removed[..], [line] if line.command == Command::Provider(expected)));
    }

    #[test]
    fn the_port_is_set_on_a_path_without_its_colon() {
        let text = include_str!("rdp-port.ps1");
        assert_eq!(place(&mistake(text)), place_of(text, "<Hexportnumber>"));
        let script = Script::parse("port.ps1", text.replace("<Hexportnumber>", "0xd3d").as_bytes()).unwrap();
        assert_eq!(script.warnings.len(), 1);
        assert!(script.warnings[0].message.contains("colon"));
        let Command::Provider(ProviderCommand::SetItemProperty { key, name, kind, value }) = &script.lines[0].command
        else {
            panic!()
        };
        assert!(key.to_string().ends_with(r"\Terminal Server\WinStations\RDP-Tcp"));
        assert_eq!((name.to_string().as_str(), kind, value), ("PortNumber", &None, &ItemValue::Number(3389)));
        assert_eq!(script.lines.len(), 3);
    }

    #[test]
    fn thumbprints_are_asked_for_set_and_removed() {
        let text = include_str!("thumbprint.cmd");
        let error = mistake(text);
        assert_eq!(place(&error), place_of(text, "<CERTIFICATE THUMBPRINT>"));
        assert_eq!(error.span.length, 24);
        let lines = understood(&text.replace("<CERTIFICATE THUMBPRINT>", "00ff"));
        let Command::Reg(RegCommand::Query(query)) = &lines[0].command else { panic!() };
        assert_eq!(query.values, ValueFilter::Named("SSLCertificateSHA1Hash".into()));
        assert_eq!(adds(&lines)[0].data, [0, 0xff]);
        let Command::Reg(RegCommand::Delete(delete)) = &lines[2].command else { panic!() };
        assert_eq!(delete.target, DeleteTarget::Value("SSLCertificateSHA1Hash".into()));
    }

    #[test]
    fn event_queries_come_through_whole() {
        let lines = understood(include_str!("events.cmd"));
        assert_eq!(lines.len(), 7);
        assert!(lines.iter().all(|line| line.paged && line.redirections.is_empty()));
        let Command::Other { program: "wevtutil", words } = &lines[0].command else { panic!() };
        assert_eq!(words.len(), 5);
        assert!(words[4].text.starts_with("/q:Event[System[Provider[@Name='Microsoft-Windows-"));
        assert!(words[4].text.ends_with("[timediff(@SystemTime) <= 86400000]]]"));
    }

    #[test]
    fn names_in_single_quotes_and_with_blanks_are_warned_of() {
        let script = Script::parse("m.cmd", include_bytes!("published-mistakes.cmd")).unwrap();
        let warnings: Vec<_> = script.warnings.iter().map(place).collect();
        assert_eq!(warnings, [(1, 90), (2, 90)]);
        assert_eq!(adds(&script.lines)[0].value.as_ref().unwrap().to_string(), "'KeepAliveTimeout'");
    }
}

#[test]
fn comments_blank_lines_and_talk_are_passed_over() {
    let text = "\u{feff}@echo off\r\n\r\nREM \"not closed\r\n:: also > not\r\n:label\r\n@REM x\r\necho it's \"open\r\n\
                pause\r\n# a comment\r\nsetlocal\r\n  @reg unload HKLM\\B\r\nexit /b 0\r\nnonsense\r\n";
    let lines = understood(text);
    assert_eq!(lines.len(), 1);
    assert_eq!((lines[0].span.line, lines[0].span.column), (11, 4));
    assert_eq!(lines[0].source(), "  @reg unload HKLM\\B");
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(Script::parse("wide.cmd", &wide).unwrap().lines.len(), 1);
}

#[test]
fn a_continued_command_is_one_and_its_mistakes_are_on_their_own_line() {
    let lines = understood("reg add HKLM\\B\\x ^\r\n  /v a ^\r\n  /t REG_DWORD /d 1\r\nreg unload HKLM\\B");
    assert_eq!((lines.len(), lines[1].span.line), (2, 4));
    let error = mistake("reg add HKLM\\B\\x ^\n  /v a ^\n  /t REG_DWROD /d 1\n");
    assert_eq!(place(&error), (3, 6));
    assert!(error.render().to_string().contains("3 |   /t REG_DWROD /d 1"));
}

#[test]
fn carets_quotes_and_ampersands_are_cmds() {
    let lines = understood("reg add HKLM\\B\\x /d a^&b & reg add HKLM\\B\\x /d \"a&b\" 2>nul >>log.txt && md c 2>&1\n");
    let texts: Vec<_> = adds(&lines).into_iter().map(|add| add.data.clone()).collect();
    assert_eq!(texts, [b"a\0&\0b\0\0\0".to_vec(), b"a\0&\0b\0\0\0".to_vec()]);
    assert_eq!(lines[1].redirections[0].target, Target::Null);
    assert_eq!((lines[1].redirections[0].stream, lines[1].redirections[1].append), (2, true));
    assert_eq!(lines[2].redirections[0].target, Target::Stream(1));
}

#[test]
fn only_variables_of_the_script_itself_are_replaced() {
    let text = "set D=F:\nset \"KEY=HKLM\\BROKEN SYSTEM\"\nreg load \"%key%\" %D%\\Windows\\System32\\config\\SYSTEM\n\
                reg add \"%KEY%\\x\" /v a /t REG_EXPAND_SZ /d %%Temp%%;%Other%\\y\n";
    let lines = understood(text);
    let Command::Reg(RegCommand::Load(load)) = &lines[0].command else { panic!() };
    assert_eq!(
        (load.file.as_str(), load.key.to_string().as_str()),
        (r"F:\Windows\System32\config\SYSTEM", r"HKEY_LOCAL_MACHINE\BROKEN SYSTEM")
    );
    let expected: Vec<u8> = "%Temp%;%Other%\\y\0".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(adds(&lines)[0].data, expected);
}

#[test]
fn small_mistakes_say_what_they_are() {
    for (text, column, message) in [
        ("bcddit /enum", 1, "`bcddit` is no command that is known here"),
        ("reg add \"HKLM\\B /v a", 9, "this quote is never closed"),
        ("reg add HKLM\\B\\x /t REG_DWORD /d ffffffff", 34, "REG_DWORD needs a number, decimal or hexadecimal with 0x"),
        ("reg add \u{201c}HKLM\\B\u{201d}", 9, "this is a typographic quote: write \""),
        ("reg query HKLM\\B\u{a0}/s", 17, "this is a no-break space: write a space"),
        ("reg query HKLM | find \"x\"", 18, "output into `find` is not supported, only into `more`"),
        ("reg query HKLM >", 16, "no file behind the redirection"),
        ("reg import < a.reg", 12, "input redirection is not supported"),
        ("if exist F:\\x md y", 1, "`if` decides while it runs, which is not supported"),
        ("set /p X=", 1, "only `set NAME=VALUE` is understood"),
        ("Remove-Item $Nothing", 13, "`$Nothing` is not set in this script"),
        (
            "Remove-Item C:\\temp",
            13,
            "`C:\\temp` is no registry or certificate path: `C` is no root key (HKLM, HKCU, HKCR, HKU, HKCC or their long names)",
        ),
        ("$x = Get-Date", 5, "this expression is not understood"),
        ("Set-ItemProperty HKLM:\\B -Name a -Value 1 -Type Dwrod", 49, "`Dwrod` is no type that is known here"),
    ] {
        let error = mistake(text);
        assert_eq!((error.message.as_str(), error.span.column), (message, column), "{text}");
    }
    let lone = Script::parse("latin.cmd", b"reg unload HKLM\\B\xf6\r\nREM \xf6\r\n").unwrap_err();
    assert_eq!(lone.to_string(), "latin.cmd:1:18: this is neither UTF-8 nor UTF-16: save the script as UTF-8");
}

#[test]
fn every_mistake_is_reported_at_once_up_to_fifty() {
    assert_eq!(refused("reg\nnonsense\nreg add\n").errors.len(), 3);
    assert_eq!(refused(&"nonsense\n".repeat(1000)).errors.len(), 50);
}

#[test]
fn powershell_on_registry_paths_is_the_same_kind_of_edit() {
    let text = "New-Item -Path 'HKLM:\\B\\It''s' -Force | Out-Null\n\
                Set-ItemProperty -LiteralPath \"HKLM:\\B\\x\" -Name '(Default)' -Value \"5\" -Type ExpandString -ErrorAction Stop\n\
                Remove-ItemProperty `\n  Registry::HKEY_LOCAL_MACHINE\\B -Name a; Remove-Item HKLM:\\B\\y -Recurse -Confirm:$false # gone\n";
    let lines = understood(text);
    let commands: Vec<_> = lines
        .iter()
        .map(|line| match &line.command {
            Command::Provider(command) => command.clone(),
            other => panic!("{other:?}"),
        })
        .collect();
    let key = |text: &str| text.parse().unwrap();
    assert_eq!(
        commands,
        [
            ProviderCommand::NewItem { key: key("HKLM\\B\\It's") },
            ProviderCommand::SetItemProperty {
                key: key("HKLM\\B\\x"),
                name: "".into(),
                kind: Some(ValueType::EXPAND_SZ),
                value: ItemValue::Text("5".to_owned()),
            },
            ProviderCommand::RemoveItemProperty { key: key("HKLM\\B"), name: "a".into() },
            ProviderCommand::RemoveItem { key: key("HKLM\\B\\y"), recurse: true },
        ]
    );
}

#[test]
fn a_hostile_script_costs_no_more_than_its_size() {
    let doubling = format!("set A=x\n{}reg unload HKLM\\%A%\n", "set A=%A%%A%\n".repeat(64));
    assert!(Script::parse("bomb.cmd", doubling.as_bytes()).is_err());
    let many = format!("set A={}\n{}", "x".repeat(30_000), "md %A%\n".repeat(100_000));
    assert!(Script::parse("many.cmd", many.as_bytes()).is_err());
    for text in
        ["^\n", "\"", "<a", "%", "%%", "a&", "a|more&", "\\", "\\\"", "$a=(", "A-B (", "A-B '", "`", "'", "md x ^^"]
    {
        let _ = Script::parse("x", text.repeat(30_000 / text.len()).as_bytes());
        let _ = Script::parse("x", text.repeat(1 << 18).as_bytes());
    }
    let _ = Script::parse("x", "a^\n".repeat(1 << 18).as_bytes());
    let _ = Script::parse("x", format!("{}{}", "^\n".repeat(1 << 18), "reg unload HKLM\\a&".repeat(1500)).as_bytes());
}

/// Found by the property below.
#[test]
fn an_assignment_of_nothing_is_shown_at_its_sign() {
    assert_eq!(place(&mistake("$a =")), (1, 4));
    assert_eq!(place(&mistake("$a =  ")), (1, 5));
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Script::parse("x", &bytes);
    }

    #[test]
    fn any_words_are_read_or_refused(words in proptest::collection::vec(proptest::sample::select(WORDS), 0..24)) {
        if let Err(error) = Script::parse("x", words.concat().as_bytes()) {
            for error in &error.errors {
                prop_assert!(error.span.line > 0 && error.span.column > 0, "{error}");
                let _ = error.render().to_string();
            }
        }
    }
}

const WORDS: &[&str] = &[
    "reg",
    "add",
    "query",
    "delete",
    "HKLM\\B\\x",
    "/v",
    "/t",
    "/d",
    "/f",
    "REG_DWORD",
    "REG_MULTI_SZ",
    "1",
    "\"",
    "'",
    "^",
    "\n",
    " ",
    " ",
    " ",
    " ",
    "%",
    "%A%",
    "set A=",
    "<",
    ">",
    "|",
    "more",
    "&",
    "$a",
    "=",
    "(",
    ")",
    "Set-ItemProperty",
    "-Name",
    "-Value",
    "HKLM:\\x",
    ";",
    "`",
    "\\",
    "\\\"",
    "é",
    "\u{10428}",
    "md",
    "sc",
    "2>",
    "#",
    "<x>",
    "\t",
    "/s",
    "/se",
    "\\0",
];
