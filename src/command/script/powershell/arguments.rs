//! `-Name value` and positionals, as PowerShell binds them.

use super::lexer::{Kind, Token};
use crate::command::{Span, diagnostic::Fault, word::shown};

/// What a command takes.
pub(super) struct Spec {
    /// Parameters with a value, in lower case.
    pub(super) values: &'static [&'static str],
    /// Parameters without.
    pub(super) switches: &'static [&'static str],
    /// Which of the first positionals are.
    pub(super) positional: &'static [&'static str],
}

/// The arguments of one command.
pub(super) struct Bound<'a> {
    values: Vec<(&'static str, &'a Token)>,
    switches: Vec<&'static str>,
    end: Span,
}

impl<'a> Bound<'a> {
    pub(super) fn new(tokens: &'a [Token], end: Span, spec: &Spec) -> Result<Self, Fault> {
        let mut bound = Self { values: Vec::new(), switches: Vec::new(), end };
        let mut positional = spec.positional.iter();
        let mut rest = tokens.iter();
        while let Some(token) = rest.next() {
            let Some(name) = parameter(token) else {
                let free = positional.by_ref().find(|name| bound.value(name).is_none());
                let name = free
                    .ok_or_else(|| Fault::new(token.span, format!("unexpected argument `{}`", shown(&token.text))))?;
                bound.values.push((name, token));
                continue;
            };
            if IGNORED.iter().any(|ignored| name.eq_ignore_ascii_case(ignored)) {
                if !name.contains(':') {
                    rest.next();
                }
            } else if let Some(switch) = spec.switches.iter().find(|known| known.eq_ignore_ascii_case(name)) {
                bound.switches.push(switch);
            } else if let Some(known) = canonical(name, spec.values) {
                let value = rest.next().ok_or_else(|| Fault::new(end, format!("`-{name}` needs a value")))?;
                if bound.value(known).is_some() {
                    return Err(Fault::new(token.span, format!("`-{known}` is given twice")));
                }
                bound.values.push((known, value));
            } else if !name.to_ascii_lowercase().starts_with("confirm:") {
                return Err(Fault::new(token.span, format!("`-{}` is not understood here", shown(name))));
            }
        }
        Ok(bound)
    }

    pub(super) fn value(&self, name: &str) -> Option<&'a Token> {
        self.values.iter().find(|(given, _)| *given == name).map(|(_, token)| *token)
    }

    pub(super) fn needed(&self, name: &str) -> Result<&'a Token, Fault> {
        self.value(name).ok_or_else(|| Fault::new(self.end, format!("`-{name}` is missing")))
    }

    pub(super) fn has(&self, switch: &str) -> bool {
        self.switches.contains(&switch)
    }
}

/// The name of a parameter: a bare word of `-` and letters.
fn parameter(token: &Token) -> Option<&str> {
    let name = token.text.strip_prefix('-').filter(|_| matches!(token.kind, Kind::Bare | Kind::Expression))?;
    name.starts_with(|c: char| c.is_ascii_alphabetic()).then_some(name)
}

/// The parameter that a name or one of its aliases means.
fn canonical(name: &str, known: &'static [&'static str]) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    let name = match name.as_str() {
        "literalpath" | "lp" | "pspath" => "path",
        "propertytype" => "type",
        "psproperty" => "name",
        name => name,
    };
    known.iter().copied().find(|known| *known == name)
}

/// Parameters that change nothing about what is stored.
const IGNORED: &[&str] = &["erroraction", "ea"];
