//! The commands of `reg.exe`.
//!
//! Options in any case, with `/` or `-`; an argument that is no option of its command is a positional, so paths such as
//! `/mnt/win/Windows/System32/config/SYSTEM` work. Data is converted as `reg.exe` does it, so a parsed `add` holds the
//! bytes that will stand in the hive.
//!
//! Where `reg.exe` would do something surprising without a word, [`RegCommand::from_args`] warns (quotes inside names,
//! blanks around them); where what it would do depends on the machine it runs on, or on what was cut off the line, it is
//! an error.

mod add;
mod arguments;
mod data;
mod delete;
mod file;
mod flags;
mod lint;
mod query;
mod transfer;

use std::sync::Arc;

pub use add::Add;
pub(super) use arguments::placeholder;
pub use delete::{Delete, DeleteTarget};
pub use file::{Export, Import, Load, Restore, Save, Unload};
pub use flags::{Flags, FlagsRequest};
pub use query::{Query, Search, ValueFilter};
pub use transfer::{Compare, CompareOutput, Copy};

use super::{Diagnostic, Span, Word, diagnostic::Fault, nearest::nearest, word::shown};
pub use crate::reg_text::{RegPath, RegPathError, RootKey};

/// One `reg` command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegCommand {
    /// `reg query`
    Query(Query),
    /// `reg add`
    Add(Add),
    /// `reg delete`
    Delete(Delete),
    /// `reg copy`
    Copy(Copy),
    /// `reg compare`
    Compare(Compare),
    /// `reg export`
    Export(Export),
    /// `reg import`
    Import(Import),
    /// `reg load`
    Load(Load),
    /// `reg unload`
    Unload(Unload),
    /// `reg save`
    Save(Save),
    /// `reg restore`
    Restore(Restore),
    /// `reg flags`
    Flags(Flags),
}

impl RegCommand {
    /// Reads the arguments behind `reg`, and what is odd about them.
    ///
    /// ```
    /// use hivesmith::{ValueType, command::reg::RegCommand};
    /// let args = ["add", r"HKLM\BROKENSYSTEM\ControlSet001\Services\gpsvc", "/v", "Start", "/t", "REG_DWORD", "/d", "4"];
    /// let (command, warnings) = RegCommand::from_args(args)?;
    /// let RegCommand::Add(add) = command else { unreachable!() };
    /// assert_eq!((add.kind, add.data.as_slice()), (ValueType::DWORD, [4, 0, 0, 0].as_slice()));
    /// assert!(warnings.is_empty());
    /// # Ok::<(), hivesmith::command::Diagnostic>(())
    /// ```
    ///
    /// # Errors
    /// A [`Diagnostic`] that points at the argument.
    pub fn from_args<I>(args: I) -> Result<(Self, Vec<Diagnostic>), Diagnostic>
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        let (line, words) = Word::from_args("reg", args);
        let end = Span { line: 1, column: line.chars().count() as u32 + 1, length: 1, offset: line.len() };
        let source: Arc<str> = line.into();
        let diagnostic = |fault| Diagnostic::new(None, &source, fault);
        let (command, warnings) = Self::from_words(&words, end).map_err(diagnostic)?;
        Ok((command, warnings.into_iter().map(diagnostic).collect()))
    }

    /// Whether it changes hives.
    #[must_use]
    pub fn edits(&self) -> bool {
        match self {
            Self::Add(_) | Self::Delete(_) | Self::Copy(_) | Self::Import(_) | Self::Restore(_) => true,
            Self::Flags(flags) => flags.request != FlagsRequest::Query,
            Self::Query(_) | Self::Compare(_) | Self::Export(_) | Self::Load(_) | Self::Unload(_) | Self::Save(_) => {
                false
            }
        }
    }

    /// Reads the words behind `reg`; `end` is the end of the line, where something may be missing.
    pub(super) fn from_words(words: &[Word], end: Span) -> Result<(Self, Vec<Fault>), Fault> {
        let Some((verb, words)) = words.split_first() else {
            return Err(Fault::new(end, "`reg` needs a command").hint(format!("one of {}", VERBS.join(", "))));
        };
        let verb_name = verb.text.to_ascii_lowercase();
        let command = match verb_name.as_str() {
            "query" => Self::Query(Query::from_words(words, end)?),
            "add" => Self::Add(Add::from_words(words, end)?),
            "delete" => Self::Delete(Delete::from_words(words, end)?),
            "copy" => Self::Copy(Copy::from_words(words, end)?),
            "compare" => Self::Compare(Compare::from_words(words, end)?),
            "export" => Self::Export(Export::from_words(words, end)?),
            "import" => Self::Import(Import::from_words(words, end)?),
            "load" => Self::Load(Load::from_words(words, end)?),
            "unload" => Self::Unload(Unload::from_words(words, end)?),
            "save" => Self::Save(Save::from_words(words, end)?),
            "restore" => Self::Restore(Restore::from_words(words, end)?),
            "flags" => Self::Flags(Flags::from_words(words, end)?),
            _ => {
                let fault = Fault::new(verb.span, format!("`{}` is no command of reg", shown(&verb.text)));
                return Err(match nearest(&verb.text, VERBS.iter().copied()) {
                    Some(near) => fault.hint(format!("did you mean `{near}`?")),
                    None => fault.hint(format!("one of {}", VERBS.join(", "))),
                });
            }
        };
        let warnings = lint::lint(&command, words);
        Ok((command, warnings))
    }
}

/// `/reg:32`, `/reg:64`: the view of the registry that is meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum View {
    /// Neither was given: the view of a 64-bit program, as `reg.exe` is one.
    #[default]
    Native,
    /// `/reg:32`: what 32-bit programs see, the keys below `WOW6432Node`.
    Bits32,
    /// `/reg:64`
    Bits64,
}

const VERBS: [&str; 12] =
    ["query", "add", "delete", "copy", "save", "restore", "load", "unload", "compare", "export", "import", "flags"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ValueType, edit::Change, name::KeyPath};

    const RDP: &str = r"HKLM\SYSTEM\CurrentControlSet\Control\Terminal Server\WinStations\RDP-Tcp";

    fn parse(args: &[&str]) -> RegCommand {
        let (command, warnings) = RegCommand::from_args(args.iter().copied()).unwrap();
        assert_eq!(warnings, []);
        command
    }

    fn error(args: &[&str]) -> Diagnostic {
        RegCommand::from_args(args.iter().copied()).unwrap_err()
    }

    fn warning(args: &[&str]) -> String {
        let (_, mut warnings) = RegCommand::from_args(args.iter().copied()).unwrap();
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        warnings.remove(0).message
    }

    fn key(text: &str) -> RegPath {
        text.parse().unwrap()
    }

    #[test]
    fn options_come_in_any_case_with_slash_or_dash_in_any_order() {
        let expected = parse(&["add", "HKLM\\x", "/v", "Start", "/t", "REG_DWORD", "/d", "4", "/f"]);
        assert_eq!(parse(&["ADD", "-f", "/D", "0x4", "-T", "reg_dword", "hklm\\x", "/V", "Start"]), expected);
    }

    #[test]
    fn what_stands_behind_an_option_is_its_argument_whatever_it_looks_like() {
        let RegCommand::Add(add) = parse(&["add", "HKLM\\x", "/v", "/f", "/t", "REG_SZ", "/d", "-1"]) else { panic!() };
        assert_eq!(add.value.unwrap().to_string(), "/f");
        assert_eq!(add.data, b"-\x001\0\0\0");
        assert!(!add.force);
    }

    #[test]
    fn an_add_becomes_changes() {
        let RegCommand::Add(add) = parse(&["add", "HKLM\\B\\x", "/ve", "/d", "t"]) else { panic!() };
        let key = KeyPath::from("x");
        let set =
            Change::SetValue { key: key.clone(), name: "".into(), kind: ValueType::SZ, data: b"t\0\0\0".to_vec() };
        assert_eq!(add.changes(&key), [Change::CreateKey { key: key.clone() }, set]);
        let RegCommand::Add(add) = parse(&["add", "HKLM\\B\\x", "/f"]) else { panic!() };
        assert_eq!(add.changes(&key), [Change::CreateKey { key }]);
    }

    #[test]
    fn a_path_of_this_machine_is_no_option() {
        let RegCommand::Load(load) = parse(&["load", r"HKLM\B", "/mnt/win/Windows/System32/config/SYSTEM"]) else {
            panic!()
        };
        assert_eq!(load.file, "/mnt/win/Windows/System32/config/SYSTEM");
        assert_eq!(parse(&["unload", "HKLM\\B"]), RegCommand::Unload(Unload { key: key("HKLM\\B") }));
        assert_eq!(error(&["load", r"HKLM\a\b", "f"]).span.column, 10);
        assert_eq!(error(&["load", r"HKCU\a", "f"]).span.column, 10);
    }

    #[test]
    fn queries_say_where_to_look() {
        let RegCommand::Query(query) = parse(&["query", RDP, "/v", "SSLCertificateSHA1Hash"]) else { panic!() };
        assert_eq!(query.values, ValueFilter::Named("SSLCertificateSHA1Hash".into()));
        let RegCommand::Query(query) = parse(&["query", RDP, "/v", "/s", "/f", "x", "/t", "REG_SZ"]) else { panic!() };
        let search = query.search.unwrap();
        assert!(search.names && !search.keys && !search.data && query.recurse);
        assert_eq!((query.values, query.kind), (ValueFilter::All, Some(ValueType::SZ)));
        let RegCommand::Query(query) = parse(&["query", "HKLM", "/f", "x", "/se", ",", "/z", "/reg:64"]) else {
            panic!()
        };
        let search = query.search.unwrap();
        assert!(search.names && search.keys && search.data);
        assert_eq!((query.separator.as_deref(), query.verbose, query.view), (Some(","), true, View::Bits64));
        assert_eq!(error(&["query", "HKLM", "/v"]).span.column, 16);
        assert_eq!(error(&["query", "HKLM", "/k"]).message, "`/k` means something only together with `/f`");
    }

    #[test]
    fn the_other_commands() {
        let RegCommand::Delete(delete) = parse(&["delete", RDP, "/v", "a", "/f"]) else { panic!() };
        assert_eq!((delete.target, delete.force), (DeleteTarget::Value("a".into()), true));
        let RegCommand::Delete(delete) = parse(&["delete", RDP]) else { panic!() };
        assert_eq!(delete.target, DeleteTarget::Key);
        let RegCommand::Delete(delete) = parse(&["delete", RDP, "/va"]) else { panic!() };
        assert_eq!(delete.target, DeleteTarget::AllValues);
        let RegCommand::Copy(copy) = parse(&["copy", "HKLM\\a", "HKLM\\b", "/s", "/f"]) else { panic!() };
        assert!(copy.recurse && copy.force && copy.from == key("HKLM\\a") && copy.to == key("HKLM\\b"));
        let RegCommand::Compare(compare) = parse(&["compare", "HKLM\\a", "HKLM\\b", "/ve", "/os"]) else { panic!() };
        assert_eq!((compare.output, compare.value), (CompareOutput::Matches, Some("".into())));
        let RegCommand::Export(export) = parse(&["export", "HKLM\\a", "a.reg", "/y"]) else { panic!() };
        assert!(export.overwrite && export.file == "a.reg");
        assert!(matches!(parse(&["import", "a.reg"]), RegCommand::Import(Import { file, .. }) if file == "a.reg"));
        assert!(matches!(parse(&["save", "HKLM\\a", "f"]), RegCommand::Save(Save { overwrite: false, .. })));
        assert!(matches!(parse(&["restore", "HKLM\\a", "f"]), RegCommand::Restore(_)));
        let RegCommand::Flags(flags) = parse(&["flags", "HKLM\\a", "SET", "recurse_flag"]) else { panic!() };
        let expected = FlagsRequest::Set { dont_virtualize: false, dont_silent_fail: false, recurse_flag: true };
        assert_eq!(flags.request, expected);
    }

    #[test]
    fn mistakes_are_met_at_their_word() {
        let error =
            error(&["add", "HKLM\\x", "/v", "fAllow", "/t", "REG_DWORD", "/d", "1", "/f", "reg", "unload", "HKLM\\B"]);
        assert_eq!(error.span.column, 47);
        assert!(error.message.contains("a second command"), "{error}");

        let errors = [
            (vec!["add", "HKLM\\x", "/v"], "`/v` needs an argument; the line ends here"),
            (vec!["add", "HKLM\\x", "/v", "a", "/ve"], "`/ve` cannot be given together with `/v`"),
            (vec!["add", "HKLM\\x", "/v", "a", "/v", "b"], "`/v` is given twice"),
            (vec!["add"], "`reg add` needs a key"),
            (vec!["add", "HKLM\\x", "y"], "unexpected argument `y`"),
            (vec!["add", "HKLM\\x", "/y"], "`/y` is no option of `reg add`"),
            (vec!["add", "\\\\pc\\HKLM\\x"], "the registry of another machine cannot be reached offline"),
            (vec!["import"], "`reg import` needs a file"),
            (vec!["qeury", "HKLM"], "`qeury` is no command of reg"),
            (vec![], "`reg` needs a command"),
        ];
        for (args, message) in errors {
            assert_eq!(RegCommand::from_args(args).unwrap_err().message, message);
        }
    }

    #[test]
    fn what_is_legal_but_hardly_meant_is_warned_of() {
        assert_eq!(
            warning(&["add", RDP, "/v", "'MaxIdleTime'", "/t", "REG_DWORD", "/d", "0"]),
            "the single quotes are part of `'MaxIdleTime'`"
        );
        assert_eq!(
            warning(&["add", RDP, "/v", " MaxIdleTime", "/t", "REG_DWORD", "/d", "0"]),
            "the blanks around `MaxIdleTime` are part of it"
        );
        assert_eq!(
            warning(&["add", RDP, "/v", "Dir", "/t", "REG_SZ", "/d", "%SystemRoot%\\x"]),
            "`%SystemRoot%` is stored as it stands in a REG_SZ"
        );
        assert!(warning(&["add", RDP, "/v", "Enabled"]).contains("empty REG_SZ"));
    }
}
