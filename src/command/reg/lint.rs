//! What `reg.exe` would take without a word although hardly anybody means it.

use super::RegCommand;
use crate::{
    ValueType,
    command::{Word, diagnostic::Fault, word::shown},
};

/// Warnings about a command that was understood.
pub(super) fn lint(command: &RegCommand, words: &[Word]) -> Vec<Fault> {
    let mut warnings: Vec<Fault> = words.iter().filter_map(odd_text).collect();
    let data = argument_of("d", words);
    let places = words.iter().filter(|word| data.is_none_or(|data| data.span != word.span));
    warnings.extend(places.filter_map(|word| {
        let message = format!("`%{}%` stays as it stands here", variable(&word.text)?);
        Some(Fault::new(word.span, message).hint("only variables that the script sets itself are replaced"))
    }));
    if let RegCommand::Add(add) = command {
        warnings.extend(empty_value(add.value.is_some(), words));
        // Data of REG_EXPAND_SZ is what variables are for: the repaired Windows expands them when it reads the value.
        if add.kind != ValueType::EXPAND_SZ {
            warnings.extend(data.and_then(|word| {
                let name = variable(&word.text)?;
                let message = format!("`%{name}%` is stored as it stands in a {}", add.kind);
                Some(Fault::new(word.span, message).hint("Windows expands variables only in REG_EXPAND_SZ"))
            }));
        }
    }
    warnings
}

/// Quotes that are part of the text, blanks around it.
fn odd_text(word: &Word) -> Option<Fault> {
    let text = word.text.as_str();
    if text.len() > 1 && text.starts_with('\'') && text.ends_with('\'') {
        let message = format!("the single quotes are part of `{}`", shown(text));
        return Some(Fault::new(word.span, message).hint("cmd knows no single quotes; leave them out or write \""));
    }
    if text.trim() != text && !text.trim().is_empty() {
        let message = format!("the blanks around `{}` are part of it", shown(text.trim()));
        return Some(Fault::new(word.span, message).hint("leave them out if they are not meant"));
    }
    None
}

/// A value without type and data is set to an empty text: more often something was cut off.
fn empty_value(named: bool, words: &[Word]) -> Option<Fault> {
    let bare = named && argument_of("t", words).is_none() && argument_of("d", words).is_none();
    let last = words.last().filter(|_| bare)?;
    Some(Fault::new(last.end(), "neither `/t` nor `/d` is given: the value becomes an empty REG_SZ"))
}

fn argument_of<'a>(option: &str, words: &'a [Word]) -> Option<&'a Word> {
    let is_option =
        |word: &Word| word.text.strip_prefix(['/', '-']).is_some_and(|name| name.eq_ignore_ascii_case(option));
    words.windows(2).find(|pair| is_option(&pair[0])).map(|pair| &pair[1])
}

/// The name between the first two percent signs, if it can be that of a variable.
fn variable(text: &str) -> Option<&str> {
    let (name, _) = text.split_once('%')?.1.split_once('%')?;
    let plain = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '(' | ')'));
    plain.then_some(name)
}
