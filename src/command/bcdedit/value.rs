//! From words to the value of an element, once the object's type is known.

use super::{
    ElementRef,
    words::{custom, number_of, truth},
};
use crate::{
    bcd::{Definition, Device, ElementCode, ElementValue, Format, ObjectType, Places},
    command::{Word, diagnostic::Fault, nearest::nearest, word::shown},
};

/// The element that is meant in an object of this type; `heading` is what the object is called.
pub(in crate::command) fn element_of(
    element: &ElementRef,
    object: ObjectType,
    heading: &str,
) -> Result<ElementCode, Fault> {
    let word = match element {
        ElementRef::Known(code) => return Ok(*code),
        ElementRef::Named(word) => word,
    };
    if let Ok(Some(code)) = custom(&word.text) {
        return Ok(code);
    }
    if let Some(found) = Definition::named(&word.text, object) {
        return Ok(found.code);
    }
    let message = format!("`{}` is not an element of a {heading} ({object})", shown(&word.text));
    let fitting = Definition::all().iter().filter(|known| known.scope.fits(object)).filter_map(|known| known.name);
    let fault = Fault::new(word.span, message);
    Err(match (nearest(&word.text, fitting), Definition::all_named(&word.text).next()) {
        (Some(near), None) => fault.hint(format!("did you mean `{near}`?")),
        (_, Some(other)) => fault.hint(format!("it is an element of {}", other.scope)),
        (None, None) => fault,
    })
}

/// The value that words spell for an element, lists apart.
pub(in crate::command) fn value_of(
    code: ElementCode,
    object: ObjectType,
    words: &[Word],
    places: &dyn Places,
) -> Result<ElementValue, Fault> {
    let Some(word) = words.first() else { return Ok(ElementValue::IntegerList(Vec::new())) };
    let definition = Definition::of(code, object);
    let name = definition.and_then(|known| known.name).map_or_else(|| format!("custom:{code}"), str::to_owned);
    if code.format() != Format::IntegerList {
        if let Some(second) = words.get(1) {
            let fault =
                Fault::new(second.span, format!("`{name}` takes one value, and `{}` is a second", shown(&second.text)));
            return Err(fault.hint("write quotes around what holds blanks"));
        }
    }
    let text = word.text.as_str();
    let wrong =
        |expected: &str| Fault::new(word.span, format!("`{}` is not a value of {name}; {expected}", shown(text)));
    Ok(match code.format() {
        Format::Device => {
            ElementValue::Device(Device::parse(text, code, places).map_err(|why| Fault::new(word.span, why))?)
        }
        Format::String => ElementValue::String(text.to_owned()),
        Format::Object => ElementValue::Object(places.object(text).map_err(|why| Fault::new(word.span, why))?),
        Format::ObjectList => {
            ElementValue::ObjectList(vec![places.object(text).map_err(|why| Fault::new(word.span, why))?])
        }
        Format::Boolean => {
            let expected = "expected 1, ON, YES or TRUE, or 0, OFF, NO or FALSE";
            ElementValue::Boolean(truth(text).ok_or_else(|| wrong(expected))?)
        }
        Format::Integer => ElementValue::Integer(integer(code, definition, text).map_err(|expected| wrong(&expected))?),
        Format::IntegerList => {
            let number = |word: &Word| {
                let message = || format!("`{}` is not a value of {name}; expected numbers", shown(&word.text));
                number_of(&word.text).ok_or_else(|| Fault::new(word.span, message()))
            };
            ElementValue::IntegerList(words.iter().map(number).collect::<Result<_, _>>()?)
        }
        Format::Binary | Format::Unknown(_) => {
            ElementValue::Binary(bytes(text).ok_or_else(|| wrong("expected bytes as pairs of hexadecimal digits"))?)
        }
    })
}

/// A number, or the name of one where the element has names; then no other number.
fn integer(code: ElementCode, definition: Option<&Definition>, text: &str) -> Result<u64, String> {
    let values = definition.map_or(&[][..], |known| known.values);
    if let Some((number, _)) = values.iter().find(|(_, name)| name.eq_ignore_ascii_case(text)) {
        return Ok(*number);
    }
    // Addresses of debug hosts are shown as such, and so they are read.
    if let (true, Ok(address)) = (is_address(code), text.parse::<std::net::Ipv4Addr>()) {
        return Ok(u32::from(address).into());
    }
    match number_of(text) {
        Some(number) if values.is_empty() || values.iter().any(|(known, _)| *known == number) => Ok(number),
        _ if values.is_empty() => Err("expected a number, decimal or 0x…".to_owned()),
        _ => {
            let known: Vec<String> = values.iter().map(|(number, name)| format!("{name} ({number})")).collect();
            Err(format!("expected one of {}", known.join(", ")))
        }
    }
}

/// Elements that are IPv4 addresses: `hostip`, `hypervisorhostip`, `kernelhostip`.
pub(in crate::command) fn is_address(code: ElementCode) -> bool {
    matches!(code.0, 0x1500_001a | 0x2500_00fd | 0x2500_0133)
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.chars().map(|c| c.to_digit(16).map(|digit| digit as u8)).collect::<Option<_>>()?;
    let pairs = digits.chunks_exact(2);
    let whole = pairs.remainder().is_empty();
    whole.then(|| pairs.map(|pair| pair[0] << 4 | pair[1]).collect())
}
