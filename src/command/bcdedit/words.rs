//! Single words: identifiers, names of elements, numbers, yes and no.

use crate::{
    Guid,
    bcd::{Definition, ElementCode, Format, NoElementCode, ObjectType, WellKnown},
    command::{Span, Word, diagnostic::Fault, nearest::nearest, word::shown},
};

/// Whether a word is meant as an identifier.
pub(super) fn is_identifier(word: &Word) -> bool {
    word.text.starts_with('{') || word.text.starts_with("'{") || word.text.parse::<Guid>().is_ok()
}

/// A GUID with or without braces, or one of the names that stand for one.
pub(super) fn check_identifier(word: &Word) -> Result<(), Fault> {
    let text = word.text.as_str();
    if text.parse::<Guid>().is_ok() || text.starts_with('{') && WellKnown::named(text).is_some() {
        return Ok(());
    }
    let fault = Fault::new(word.span, format!("`{}` is no identifier", shown(text)));
    if text.starts_with('\'') {
        return Err(fault.hint("cmd knows no single quotes; leave them out"));
    }
    if WellKnown::named(text).is_some() {
        return Err(fault.hint(format!("write it in braces: {{{text}}}")));
    }
    if word.placeholder || is_placeholder(text) {
        return Err(placeholder(word.span, text));
    }
    let names = WellKnown::all().iter().map(|known| known.alias);
    let inside = text.trim_matches(['{', '}']);
    Err(match nearest(inside, names) {
        Some(near) => fault.hint(format!("did you mean `{{{near}}}`?")),
        None => fault.hint("a GUID in braces, or a name such as {default} or {bootmgr}; /enum all shows what there is"),
    })
}

/// Guides write `{<BOOT LOADER IDENTIFIER>}` or `{BOOT LOADER IDENTIFIER}`: capital words in braces.
fn is_placeholder(text: &str) -> bool {
    let inside = text.trim_start_matches('{').trim_end_matches('}');
    let is_word = |c: char| c.is_ascii_uppercase() || " <>_-".contains(c);
    text.starts_with(['{', '<']) && inside.chars().all(is_word) && inside.chars().any(|c| c.is_ascii_uppercase())
}

/// cmd splits `{BOOT LOADER IDENTIFIER}` at its blanks.
pub(super) fn join_placeholder(words: &[Word]) -> Result<(), Fault> {
    for (at, word) in words.iter().enumerate() {
        let opens = word.text.starts_with('{') && !word.text.contains('}') && !word.quoted;
        if !opens {
            continue;
        }
        let behind = words.get(at + 1..).unwrap_or_default();
        let Some(length) = behind.iter().position(|word| word.text.ends_with('}')) else { continue };
        let all = words.get(at..=at + 1 + length).unwrap_or_default();
        let text = all.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ");
        let last = all.last().map_or(word.span, |last| last.span);
        if is_placeholder(&text) && last.line == word.span.line {
            let length = (last.column + last.length).saturating_sub(word.span.column);
            return Err(placeholder(Span { length, ..word.span }, &text));
        }
    }
    Ok(())
}

fn placeholder(span: Span, text: &str) -> Fault {
    Fault::new(span, format!("`{}` is a placeholder of the documentation", shown(text))).hint(
        "it stands for the identifier of the entry that starts the Windows to be repaired: write {default} for the one \
         that starts by itself; `bcdedit /enum osloader` lists all of them",
    )
}

/// Whether the element is a list of objects; an error where nothing is called so.
pub(super) fn check_element(word: &Word) -> Result<bool, Fault> {
    match custom(&word.text) {
        Ok(Some(code)) => return Ok(code.format() == Format::ObjectList),
        Ok(None) => {}
        Err(NoElementCode) => {
            let text = shown(&word.text);
            let message = format!("`{text}` is no element: behind `custom:` stand eight hexadecimal digits");
            return Err(Fault::new(word.span, message));
        }
    }
    let mut named = Definition::all_named(&word.text);
    if let Some(found) = named.next() {
        return Ok(found.code.format() == Format::ObjectList);
    }
    if word.placeholder || is_placeholder(&word.text) {
        return Err(Fault::new(word.span, format!("`{}` is a placeholder of the documentation", shown(&word.text)))
            .hint("write in its place what it stands for"));
    }
    let unknown = format!("`{}` is no element that bcdedit knows", shown(&word.text));
    let names = Definition::all().iter().filter_map(|known| known.name);
    Err(match nearest(&word.text, names) {
        Some(near) => Fault::new(word.span, format!("{unknown}, did you mean `{near}`?")),
        None => Fault::new(word.span, unknown).hint("elements without a name are written custom:CODE"),
    })
}

/// `custom:25000004`; an error where what follows `custom:` is no code.
pub(super) fn custom(text: &str) -> Result<Option<ElementCode>, NoElementCode> {
    match text.split_at_checked("custom:".len()) {
        Some((prefix, code)) if prefix.eq_ignore_ascii_case("custom:") => code.parse().map(Some),
        _ => Ok(None),
    }
}

/// Decimal, or hexadecimal with `0x`.
pub(super) fn number(word: &Word) -> Result<u64, Fault> {
    number_of(&word.text)
        .ok_or_else(|| Fault::new(word.span, format!("`{}` is no number", shown(&word.text))).hint("decimal, or 0x…"))
}

pub(super) fn number_of(text: &str) -> Option<u64> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u64::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+')),
        None => text.parse().ok().filter(|_| !text.starts_with('+')),
    }
}

pub(super) fn on_or_off(word: &Word) -> Result<bool, Fault> {
    truth(&word.text).ok_or_else(|| {
        let fault = Fault::new(word.span, format!("`{}` is neither ON nor OFF", shown(&word.text)));
        fault.hint("1, ON, YES or TRUE; 0, OFF, NO or FALSE")
    })
}

pub(super) fn truth(text: &str) -> Option<bool> {
    let is = |words: [&str; 4]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    match (is(["1", "on", "yes", "true"]), is(["0", "off", "no", "false"])) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    }
}

/// A type by its name, or by its digits for those without.
pub(super) fn object_type(word: &Word, names: &[(&str, ObjectType)]) -> Result<ObjectType, Fault> {
    if let Some((_, found)) = names.iter().find(|(name, _)| word.is(name)) {
        return Ok(*found);
    }
    if let Ok(code) = word.text.parse::<ElementCode>() {
        return Ok(ObjectType(code.0));
    }
    let known: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
    let fault = Fault::new(word.span, format!("`{}` is no type of an object", shown(&word.text)));
    Err(match nearest(&word.text, known.iter().copied()) {
        Some(near) => fault.hint(format!("did you mean `{near}`?")),
        None => fault.hint(format!("one of {}", known.join(", "))),
    })
}
