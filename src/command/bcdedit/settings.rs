//! `/emssettings`, `/dbgsettings`, `/hypervisorsettings`: several elements of one settings object at once.

use super::{
    EnumScope, Verb,
    arguments::Arguments,
    words::{number, number_of},
};
use crate::{
    Guid,
    bcd::{ElementCode, ElementValue, WellKnown},
    command::{Word, diagnostic::Fault, nearest::nearest, word::shown},
};

type Set = Vec<(ElementCode, ElementValue)>;

/// `/emssettings [BIOS] [EMSPORT:n] [EMSBAUDRATE:n]`
pub(super) fn ems(arguments: &mut Arguments<'_>) -> Result<Verb, Fault> {
    const PORT: ElementCode = ElementCode(0x1500_0022);
    const BAUD_RATE: ElementCode = ElementCode(0x1500_0023);
    let object = WellKnown::EMS_SETTINGS;
    let (mut set, mut bios, mut baud): (Set, _, _) = (Vec::new(), None, None);
    while let Some(word) = arguments.next() {
        match parameter(word, &["BIOS", "EMSPORT", "EMSBAUDRATE"])? {
            ("BIOS", None) => bios = Some(word),
            ("EMSPORT", Some(value)) => put(&mut set, word, PORT, ElementValue::Integer(number(&value)?))?,
            ("EMSBAUDRATE", Some(value)) => {
                baud = Some(word);
                put(&mut set, word, BAUD_RATE, ElementValue::Integer(number(&value)?))?;
            }
            (name, _) => return Err(shape(word, name, name != "BIOS")),
        }
    }
    let has_port = set.iter().any(|(code, _)| *code == PORT);
    match (bios, baud) {
        (Some(_), _) if set.is_empty() => {
            // The firmware's own table says which port.
            return Ok(Verb::Settings { object, set, delete: vec![PORT, BAUD_RATE] });
        }
        (Some(word), _) => {
            return Err(Fault::new(word.span, "`BIOS` means the firmware's own port: it takes neither port nor speed"));
        }
        (None, Some(word)) if !has_port => {
            return Err(Fault::new(word.span, "`EMSBAUDRATE` needs a port").hint("write EMSPORT:1 before it"));
        }
        _ => {}
    }
    if set.is_empty() {
        return Ok(show("{emssettings}"));
    }
    Ok(Verb::Settings { object, set, delete: Vec::new() })
}

/// `/dbgsettings [TYPE] [DEBUGPORT:n] [BAUDRATE:n] [CHANNEL:n] [TARGETNAME:t] [HOSTIP:ip] [PORT:n] [KEY:k] [BUSPARAMS:b]
/// [nodhcp] [/start POLICY] [/noumex]`
pub(super) fn debugger(arguments: &mut Arguments<'_>) -> Result<Verb, Fault> {
    const NAMES: Names = Names {
        debug_type: 0x1500_0011,
        types: &[("SERIAL", 0), ("1394", 1), ("USB", 2), ("NET", 3), ("LOCAL", 4)],
        parameters: &[
            ("DEBUGPORT", 0x1500_0013, Kind::Number),
            ("BAUDRATE", 0x1500_0014, Kind::Number),
            ("CHANNEL", 0x1500_0015, Kind::Number),
            ("TARGETNAME", 0x1200_0016, Kind::Text),
            ("BUSPARAMS", 0x1200_0019, Kind::Text),
            ("HOSTIP", 0x1500_001a, Kind::Address),
            ("PORT", 0x1500_001b, Kind::Number),
            ("KEY", 0x1200_001d, Kind::Text),
        ],
        no_dhcp: 0x1600_001c,
    };
    const START: ElementCode = ElementCode(0x1500_0018);
    const NO_USER_EXCEPTIONS: ElementCode = ElementCode(0x1600_0017);
    let mut set = Set::new();
    if let Some(policy) = arguments.argument("start")? {
        let policies = [("active", 0), ("autoenable", 1), ("disable", 2)];
        let found = policies.iter().find(|(name, _)| policy.is(name)).map(|(_, number)| *number);
        let number = found.ok_or_else(|| {
            Fault::new(policy.span, format!("`{}` is no start policy", shown(&policy.text)))
                .hint("one of active, autoenable, disable")
        })?;
        set.push((START, ElementValue::Integer(number)));
    }
    if arguments.flag("noumex") {
        set.push((NO_USER_EXCEPTIONS, ElementValue::Boolean(true)));
    }
    NAMES.read(arguments, &mut set)?;
    Ok(settings(WellKnown::DEBUGGER_SETTINGS, "{dbgsettings}", set))
}

/// `/hypervisorsettings [TYPE] [DEBUGPORT:n] [BAUDRATE:n] [CHANNEL:n] [HOSTIP:ip] [PORT:n] [KEY:k] [BUSPARAMS:b] [nodhcp]`
pub(super) fn hypervisor(arguments: &mut Arguments<'_>) -> Result<Verb, Fault> {
    const NAMES: Names = Names {
        debug_type: 0x2500_00f3,
        types: &[("SERIAL", 0), ("1394", 1), ("NONE", 2), ("NET", 3)],
        parameters: &[
            ("DEBUGPORT", 0x2500_00f4, Kind::Number),
            ("BAUDRATE", 0x2500_00f5, Kind::Number),
            ("CHANNEL", 0x2500_00f6, Kind::Number),
            ("BUSPARAMS", 0x2200_00f9, Kind::Text),
            ("HOSTIP", 0x2500_00fd, Kind::Address),
            ("PORT", 0x2500_00fe, Kind::Number),
            ("KEY", 0x2200_0110, Kind::Text),
        ],
        no_dhcp: 0x2600_0114,
    };
    let mut set = Set::new();
    NAMES.read(arguments, &mut set)?;
    Ok(settings(WellKnown::HYPERVISOR_SETTINGS, "{hypervisorsettings}", set))
}

fn settings(object: Guid, alias: &str, set: Set) -> Verb {
    if set.is_empty() { show(alias) } else { Verb::Settings { object, set, delete: Vec::new() } }
}

/// Without parameters the settings are shown.
fn show(alias: &str) -> Verb {
    let word =
        Word { text: alias.to_owned(), span: crate::command::Span::default(), quoted: false, placeholder: false };
    Verb::Enum { scope: EnumScope::One(word), verbose: false }
}

/// The words of one of the two verbs for debuggers, and what they set.
struct Names {
    debug_type: u32,
    types: &'static [(&'static str, u64)],
    parameters: &'static [(&'static str, u32, Kind)],
    no_dhcp: u32,
}

#[derive(Clone, Copy)]
enum Kind {
    Number,
    Text,
    /// An IPv4 address; stored as a number whose highest byte is its first.
    Address,
}

impl Names {
    fn read(&self, arguments: &mut Arguments<'_>, set: &mut Set) -> Result<(), Fault> {
        let names: Vec<&str> = self
            .types
            .iter()
            .map(|(name, _)| *name)
            .chain(self.parameters.iter().map(|(name, ..)| *name))
            .chain(["NODHCP"])
            .collect();
        while let Some(word) = arguments.next() {
            let (name, value) = parameter(word, &names)?;
            let debug_type = self.types.iter().find(|(known, _)| *known == name);
            let known = self.parameters.iter().find(|(known, ..)| *known == name);
            match (debug_type, known, value) {
                (Some((_, number)), _, None) => {
                    put(set, word, ElementCode(self.debug_type), ElementValue::Integer(*number))?;
                }
                (_, Some((_, code, kind)), Some(value)) => put(set, word, ElementCode(*code), kind.value(&value)?)?,
                (None, None, None) => put(set, word, ElementCode(self.no_dhcp), ElementValue::Boolean(false))?,
                _ => return Err(shape(word, name, known.is_some())),
            }
        }
        Ok(())
    }
}

impl Kind {
    fn value(self, word: &Word) -> Result<ElementValue, Fault> {
        Ok(match self {
            Self::Number => ElementValue::Integer(number(word)?),
            Self::Text => ElementValue::String(word.text.clone()),
            Self::Address => match (word.text.parse::<std::net::Ipv4Addr>(), number_of(&word.text)) {
                (Ok(address), _) => ElementValue::Integer(u32::from(address).into()),
                (_, Some(number)) => ElementValue::Integer(number),
                _ => {
                    let message = format!("`{}` is no IPv4 address", shown(&word.text));
                    return Err(Fault::new(word.span, message));
                }
            },
        })
    }
}

/// `NAME` or `NAME:VALUE`; the value with its own place.
fn parameter(word: &Word, names: &[&'static str]) -> Result<(&'static str, Option<Word>), Fault> {
    let (name, value) = match word.text.split_once(':') {
        Some((name, value)) => (name, Some(value)),
        None => (word.text.as_str(), None),
    };
    let Some(known) = names.iter().find(|known| name.eq_ignore_ascii_case(known)) else {
        let fault = Fault::new(word.span, format!("`{}` is no parameter of this command", shown(&word.text)));
        return Err(match nearest(name, names.iter().copied()) {
            Some(near) => fault.hint(format!("did you mean `{near}`?")),
            None => fault.hint(format!("one of {}", names.join(", "))),
        });
    };
    let value = value.map(|value| {
        let before = name.chars().count() as u32 + 1;
        let mut span = word.span;
        if !word.quoted {
            span.column += before;
            span.offset += name.len() + 1;
            span.length = span.length.saturating_sub(before).max(1);
        }
        Word { text: value.to_owned(), span, ..word.clone() }
    });
    Ok((known, value))
}

fn put(set: &mut Set, word: &Word, code: ElementCode, value: ElementValue) -> Result<(), Fault> {
    if set.iter().any(|(known, _)| *known == code) {
        return Err(Fault::new(word.span, format!("`{}` sets again what was set before it", shown(&word.text))));
    }
    set.push((code, value));
    Ok(())
}

fn shape(word: &Word, name: &str, takes_value: bool) -> Fault {
    if takes_value {
        return Fault::new(word.span, format!("`{name}` needs a value"))
            .hint(format!("write {name}:VALUE, without blanks"));
    }
    Fault::new(word.span, format!("`{name}` takes no value"))
}
