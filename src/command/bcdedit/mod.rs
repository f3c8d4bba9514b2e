//! The commands of `bcdedit.exe`.
//!
//! Options in any case, with `/` or `-`. What a name of an element means depends on the object, so names are only looked
//! up here; whether one fits its object, and its value the element, shows when the command is carried out. For that all
//! words keep their places.
//!
//! Offline nothing is "current": where `bcdedit.exe` would take the running system's entry when none is named, here one
//! has to be.

mod arguments;
mod settings;
mod value;
mod words;

use std::sync::Arc;

use self::{
    arguments::Arguments,
    words::{check_element, check_identifier, is_identifier, on_or_off},
};
use super::{Diagnostic, Span, Word, diagnostic::Fault, nearest::nearest, programs::run_together, word::shown};
use crate::{
    Guid,
    bcd::{ElementCode, ElementValue, ObjectType, WellKnown},
};

pub(super) use value::{element_of, is_address, value_of};

/// One `bcdedit` command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BcdEdit {
    /// `/store FILE`; none for the store of the system, which the caller has to know.
    pub store: Option<Word>,
    /// What to do.
    pub verb: Verb,
}

/// What a `bcdedit` command does.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verb {
    /// `/enum [SCOPE | {ID}] [/v]`, and `bcdedit` alone
    Enum {
        /// Which objects.
        scope: EnumScope,
        /// `/v`: GUIDs instead of names, and hidden elements.
        verbose: bool,
    },
    /// `/set {ID} ELEMENT VALUE… [/addfirst | /addlast | /remove]`, and what is short for it
    Set {
        /// The object.
        object: ObjectRef,
        /// The element.
        element: ElementRef,
        /// Its value, or objects for a list.
        values: Vec<Word>,
        /// How a list changes; none to replace it.
        list: Option<ListEdit>,
    },
    /// `/timeout`, `/ems`, `/bootems`, `/debug`, `/bootdebug`: an element with a value that needs no looking up.
    Put {
        /// The object.
        object: ObjectRef,
        /// The element.
        code: ElementCode,
        /// Its value.
        value: ElementValue,
    },
    /// `/deletevalue {ID} ELEMENT`
    DeleteValue {
        /// The object.
        object: ObjectRef,
        /// The element.
        element: ElementRef,
    },
    /// `/emssettings`, `/dbgsettings`, `/hypervisorsettings`
    Settings {
        /// The settings object.
        object: Guid,
        /// Elements to set.
        set: Vec<(ElementCode, ElementValue)>,
        /// Elements to delete.
        delete: Vec<ElementCode>,
    },
    /// `/create [{ID}] [/d TEXT] [/application TYPE | /inherit [TYPE] | /device]`
    Create {
        /// Its identifier; none for a new one.
        id: Option<Word>,
        /// Its description.
        description: Option<String>,
        /// Its type; none where the identifier implies it.
        object_type: Option<ObjectType>,
    },
    /// `/copy {ID} [/d TEXT]`
    Copy {
        /// The object.
        id: Word,
        /// The description of the copy.
        description: Option<String>,
    },
    /// `/delete {ID} [/f] [/cleanup | /nocleanup]`
    Delete {
        /// The object.
        id: Word,
        /// `/f`: even an object with a name of its own.
        force: bool,
        /// Whether references to it go, too.
        cleanup: bool,
    },
    /// `/export FILE`
    Export {
        /// The file.
        file: Word,
    },
    /// `/import FILE`
    Import {
        /// The file.
        file: Word,
    },
    /// `/createstore FILE`
    CreateStore {
        /// The file.
        file: Word,
    },
}

/// The objects that `/enum` shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EnumScope {
    /// The boot manager and what it offers.
    Active,
    /// The firmware's boot manager and its entries.
    Firmware,
    /// All boot applications.
    BootApp,
    /// The boot manager.
    BootMgr,
    /// All OS loaders.
    OsLoader,
    /// All resume loaders.
    Resume,
    /// All settings.
    Inherit,
    /// Everything.
    All,
    /// One object.
    One(Word),
}

/// An object that a command names, or that its verb implies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObjectRef {
    /// By the verb.
    Known(Guid),
    /// By an identifier.
    Named(Word),
}

/// An element that a command names, or that its verb implies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ElementRef {
    /// By the verb.
    Known(ElementCode),
    /// By its name, or as `custom:CODE`.
    Named(Word),
}

/// How a list changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ListEdit {
    /// `/addfirst`
    AddFirst,
    /// `/addlast`
    AddLast,
    /// `/remove`
    Remove,
}

impl BcdEdit {
    /// Reads the arguments behind `bcdedit`.
    ///
    /// ```
    /// use hivesmith::command::bcdedit::{BcdEdit, Verb};
    /// let args = ["/store", r"F:\boot\bcd", "/set", "{bootmgr}", "displaybootmenu", "yes"];
    /// let command = BcdEdit::from_args(args)?;
    /// assert!(matches!(command.verb, Verb::Set { .. }));
    ///
    /// let error = BcdEdit::from_args(["/set", "{default}", "safebot", "minimal"]).unwrap_err();
    /// assert_eq!(error.message, "`safebot` is no element that bcdedit knows, did you mean `safeboot`?");
    /// # Ok::<(), hivesmith::command::Diagnostic>(())
    /// ```
    ///
    /// # Errors
    /// A [`Diagnostic`] that points at the argument.
    pub fn from_args<I>(args: I) -> Result<Self, Diagnostic>
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        let (line, words) = Word::from_args("bcdedit", args);
        let end = Span { line: 1, column: line.chars().count() as u32 + 1, length: 1, offset: line.len() };
        Self::from_words(&words, end).map_err(|fault| Diagnostic::new(None, &Arc::from(line), fault))
    }

    /// Reads the words behind `bcdedit`; `end` is the end of the line, where something may be missing.
    pub(super) fn from_words(words: &[Word], end: Span) -> Result<Self, Fault> {
        if let Some(fault) = run_together(words) {
            return Err(fault);
        }
        let mut arguments = Arguments::new(words, end)?;
        let store = arguments.store()?;
        let Some((verb, word)) = arguments.verb()? else {
            let verbose = arguments.flag("v");
            arguments.finish("bcdedit")?;
            return Ok(Self { store, verb: Verb::Enum { scope: EnumScope::Active, verbose } });
        };
        let parsed = parse(&mut arguments, verb, word)?;
        arguments.finish(&format!("bcdedit /{verb}"))?;
        if let (Verb::CreateStore { .. }, Some(store)) = (&parsed, &store) {
            return Err(Fault::new(store.span, "`/createstore` names its file itself: leave out `/store`"));
        }
        Ok(Self { store, verb: parsed })
    }

    /// A complaint about a command line that was read by [`from_args`](Self::from_args), at the place of one of its
    /// words.
    pub fn complaint<I>(args: I, span: Span, message: impl Into<String>, hint: Option<String>) -> Diagnostic
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        let (line, _) = Word::from_args("bcdedit", args);
        Diagnostic::new(None, &Arc::from(line), Fault { span, message: message.into(), hint })
    }

    /// Whether the command changes the store.
    #[must_use]
    pub fn edits(&self) -> bool {
        !matches!(self.verb, Verb::Enum { .. } | Verb::Export { .. } | Verb::CreateStore { .. })
    }
}

fn parse(arguments: &mut Arguments<'_>, verb: &'static str, word: &Word) -> Result<Verb, Fault> {
    Ok(match verb {
        "enum" => {
            let verbose = arguments.flag("v");
            Verb::Enum { scope: arguments.next().map_or(Ok(EnumScope::Active), scope)?, verbose }
        }
        "set" => set(arguments)?,
        "deletevalue" => {
            let object = arguments.object(verb)?;
            let element = arguments.required("the name of an element")?;
            check_element(element)?;
            Verb::DeleteValue { object, element: ElementRef::Named(element.clone()) }
        }
        "ems" => switch(arguments, verb, 0x2600_00b0)?,
        "bootems" => switch(arguments, verb, 0x1600_0020)?,
        "debug" => switch(arguments, verb, 0x2600_00a0)?,
        "bootdebug" => switch(arguments, verb, 0x1600_0010)?,
        "default" => Verb::Set {
            object: ObjectRef::Known(WellKnown::BOOT_MANAGER),
            element: ElementRef::Known(ElementCode::DEFAULT),
            values: vec![arguments.identifier()?.clone()],
            list: None,
        },
        "timeout" => {
            let seconds = arguments.required("a number of seconds")?;
            let value = ElementValue::Integer(words::number(seconds)?);
            Verb::Put { object: ObjectRef::Known(WellKnown::BOOT_MANAGER), code: ElementCode::TIMEOUT, value }
        }
        "displayorder" => list(arguments, ElementCode::DISPLAY_ORDER)?,
        "toolsdisplayorder" => list(arguments, ElementCode::TOOLS_DISPLAY_ORDER)?,
        "bootsequence" => list(arguments, ElementCode::BOOT_SEQUENCE)?,
        "emssettings" => settings::ems(arguments)?,
        "dbgsettings" => settings::debugger(arguments)?,
        "hypervisorsettings" => settings::hypervisor(arguments)?,
        "create" => create(arguments, word)?,
        "copy" => Verb::Copy {
            description: arguments.argument("d")?.map(|word| word.text.clone()),
            id: arguments.identifier()?.clone(),
        },
        "delete" => {
            let (force, cleanup) = (arguments.flag("f"), arguments.flag("cleanup"));
            let keep = arguments.option("nocleanup");
            if let (true, Some(word)) = (cleanup, keep) {
                return Err(Fault::new(word.span, "`/nocleanup` cannot be given together with `/cleanup`"));
            }
            Verb::Delete { force, cleanup: keep.is_none(), id: arguments.identifier()?.clone() }
        }
        "export" => Verb::Export { file: arguments.required("a file")?.clone() },
        "import" => {
            // Windows removes the firmware's entries then; NVRAM is not touched from outside.
            arguments.flag("clean");
            Verb::Import { file: arguments.required("a file")?.clone() }
        }
        "createstore" => Verb::CreateStore { file: arguments.required("a file")?.clone() },
        _ => {
            let fault = Fault::new(word.span, format!("`/{verb}` is not carried out offline"));
            return Err(fault.hint(match verb {
                "sysstore" => "say which store is meant: /store FILE",
                "mirror" => {
                    "/copy makes a copy; entries of the firmware are in its NVRAM and cannot be made from outside"
                }
                _ => "event logging of the boot manager is set with /set {bootmgr} and /dbgsettings",
            }));
        }
    })
}

fn scope(word: &Word) -> Result<EnumScope, Fault> {
    let scopes = [
        ("active", EnumScope::Active),
        ("firmware", EnumScope::Firmware),
        ("bootapp", EnumScope::BootApp),
        ("bootmgr", EnumScope::BootMgr),
        ("osloader", EnumScope::OsLoader),
        ("resume", EnumScope::Resume),
        ("inherit", EnumScope::Inherit),
        ("all", EnumScope::All),
    ];
    if is_identifier(word) {
        check_identifier(word)?;
        return Ok(EnumScope::One(word.clone()));
    }
    let names = scopes.iter().map(|(name, _)| *name).collect::<Vec<_>>();
    scopes.iter().find(|(name, _)| word.is(name)).map(|(_, scope)| scope.clone()).ok_or_else(|| {
        let fault = Fault::new(word.span, format!("`{}` is nothing that /enum shows", shown(&word.text)));
        match nearest(&word.text, names.iter().copied()) {
            Some(near) => fault.hint(format!("did you mean `{near}`?")),
            None => fault.hint(format!("one of {}, or an identifier in braces", names.join(", "))),
        }
    })
}

fn set(arguments: &mut Arguments<'_>) -> Result<Verb, Fault> {
    let object = arguments.object("set")?;
    let element = arguments.required("the name of an element")?;
    let is_list = check_element(element)?;
    let list = if is_list { arguments.list_edit()? } else { None };
    let values: Vec<Word> = arguments.rest(is_list)?.into_iter().cloned().collect();
    if values.is_empty() {
        return Err(Fault::new(arguments.end, "`/set` needs a value; the line ends here"));
    }
    Ok(Verb::Set { object, element: ElementRef::Named(element.clone()), values, list })
}

fn list(arguments: &mut Arguments<'_>, code: ElementCode) -> Result<Verb, Fault> {
    let list = arguments.list_edit()?;
    let values: Vec<Word> = arguments.rest(true)?.into_iter().cloned().collect();
    if values.is_empty() {
        return Err(Fault::new(arguments.end, "at least one identifier is needed; the line ends here"));
    }
    let object = ObjectRef::Known(WellKnown::BOOT_MANAGER);
    Ok(Verb::Set { object, element: ElementRef::Known(code), values, list })
}

fn switch(arguments: &mut Arguments<'_>, verb: &'static str, code: u32) -> Result<Verb, Fault> {
    let object = arguments.object(verb)?;
    let value = ElementValue::Boolean(on_or_off(arguments.required("ON or OFF")?)?);
    Ok(Verb::Put { object, code: ElementCode(code), value })
}

fn create(arguments: &mut Arguments<'_>, verb: &Word) -> Result<Verb, Fault> {
    let description = arguments.argument("d")?.map(|word| word.text.clone());
    let application = arguments.argument("application")?;
    let (inherits, heir) = arguments.optional_argument("inherit");
    let device = arguments.option("device");
    let given = [application.is_some(), inherits, device.is_some()];
    if given.iter().filter(|given| **given).count() > 1 {
        return Err(Fault::new(verb.span, "only one of /application, /inherit and /device can be given"));
    }
    let object_type = match (application, heir) {
        (Some(word), _) => Some(words::object_type(word, &APPLICATIONS)?),
        (_, Some(word)) => Some(words::object_type(word, &HEIRS)?),
        _ if inherits => Some(ObjectType::SETTINGS),
        _ => device.map(|_| ObjectType::DEVICE_OPTIONS),
    };
    let id = arguments.next_identifier()?;
    let known = |id: &Word| WellKnown::named(&id.text).or_else(|| WellKnown::of(id.text.parse().ok()?));
    let implied = id.and_then(known).and_then(|known| known.object_type);
    if object_type.is_none() && implied.is_none() {
        let hint = "write /application osloader for a Windows to start, /inherit for settings, /device for options";
        return Err(
            Fault::new(id.map_or(arguments.end, |id| id.span), "the type of the new object is missing").hint(hint)
        );
    }
    Ok(Verb::Create { id: id.cloned(), description, object_type })
}

/// What `/application` takes.
const APPLICATIONS: [(&str, ObjectType); 4] = [
    ("BOOTSECTOR", ObjectType::BOOT_SECTOR),
    ("OSLOADER", ObjectType::OS_LOADER),
    ("RESUME", ObjectType::RESUME),
    ("STARTUP", ObjectType::STARTUP),
];

/// What `/inherit` takes.
const HEIRS: [(&str, ObjectType); 9] = [
    ("BOOTMGR", ObjectType(0x2020_0002)),
    ("BOOTSECTOR", ObjectType(0x2020_0008)),
    ("FWBOOTMGR", ObjectType(0x2020_0001)),
    ("MEMDIAG", ObjectType(0x2020_0005)),
    ("NTLDR", ObjectType(0x2020_0006)),
    ("OSLOADER", ObjectType::OS_LOADER_SETTINGS),
    ("RESUME", ObjectType::RESUME_SETTINGS),
    ("STARTUP", ObjectType(0x2020_0009)),
    ("DEVICE", ObjectType(0x2030_0000)),
];

/// All verbs; the last ones are known and refused.
const VERBS: [&str; 24] = [
    "enum",
    "set",
    "deletevalue",
    "create",
    "copy",
    "delete",
    "default",
    "displayorder",
    "bootsequence",
    "toolsdisplayorder",
    "timeout",
    "ems",
    "emssettings",
    "bootems",
    "debug",
    "bootdebug",
    "dbgsettings",
    "hypervisorsettings",
    "export",
    "import",
    "createstore",
    "sysstore",
    "mirror",
    "event",
];

#[cfg(test)]
mod tests;
