//! Words of a PowerShell line.

use super::super::{
    cmd::{placeholder_length, refuse},
    glyph::{Glyph, span},
};
use crate::command::{Span, diagnostic::Fault};

/// One argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    /// Its text, quotes undone; for a variable its name.
    pub(super) text: String,
    pub(super) span: Span,
    pub(super) kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Without quotes.
    Bare,
    /// With quotes.
    Quoted,
    /// `$name`
    Variable,
    /// Something that PowerShell would have to work out.
    Expression,
    /// `<PLACEHOLDER>`
    Placeholder,
}

/// A statement: its tokens and the text they are in.
pub(super) struct Raw<'a> {
    pub(super) tokens: Vec<Token>,
    pub(super) glyphs: &'a [Glyph],
    /// What its output goes into, where it does.
    pub(super) pipe: Option<Vec<Token>>,
}

/// Splits a line into statements.
pub(super) fn statements(glyphs: &[Glyph]) -> Result<Vec<Raw<'_>>, Fault> {
    let mut statements: Vec<Raw<'_>> = Vec::new();
    let mut rest = glyphs;
    while !rest.is_empty() {
        let begin = rest;
        let (tokens, ended_by) = tokens(&mut rest)?;
        let used = begin.len() - rest.len() - usize::from(ended_by.is_some());
        let mut statement = Raw { tokens, glyphs: trimmed(&begin[..used]), pipe: None };
        let mut next = ended_by;
        while next == Some('|') {
            let (pipe, ended_by) = self::tokens(&mut rest)?;
            statement.pipe.get_or_insert_default().extend(pipe);
            next = ended_by;
        }
        if !statement.tokens.is_empty() {
            statements.push(statement);
        }
    }
    Ok(statements)
}

fn tokens(rest: &mut &[Glyph]) -> Result<(Vec<Token>, Option<char>), Fault> {
    let mut tokens = Vec::new();
    loop {
        let blanks = rest.iter().take_while(|glyph| glyph.is_blank()).count();
        *rest = &rest[blanks..];
        match rest.first().map(|glyph| glyph.c) {
            None => return Ok((tokens, None)),
            Some('#') => {
                *rest = &[];
                return Ok((tokens, None));
            }
            Some(end @ (';' | '|')) => {
                *rest = &rest[1..];
                return Ok((tokens, Some(end)));
            }
            Some(_) => {
                let (token, length) = token(rest)?;
                *rest = &rest[length..];
                tokens.push(token);
            }
        }
    }
}

/// The token these characters begin with, and how many of them it takes.
fn token(glyphs: &[Glyph]) -> Result<(Token, usize), Fault> {
    let mut text = String::new();
    let (mut quoted, mut variable, mut expression, mut placeholder) = (false, false, false, false);
    let mut open: Vec<Glyph> = Vec::new();
    let mut at = 0;
    while let Some(&glyph) = glyphs.get(at) {
        refuse(glyph, false)?;
        if open.is_empty() && (glyph.is_blank() || matches!(glyph.c, ';' | '|')) {
            break;
        }
        at += 1;
        match glyph.c {
            quote @ ('\'' | '"') => {
                let (inside, length) = quoted_text(&glyphs[at..], glyph)?;
                expression |= quote == '"' && inside.interpolated;
                text.push_str(&inside.text);
                at += length;
                quoted = true;
            }
            '`' => {
                text.extend(glyphs.get(at).map(|escaped| escaped.c));
                at += 1;
            }
            '(' | '{' => {
                open.push(glyph);
                expression = true;
            }
            ')' | '}' => {
                if open.pop().is_none() {
                    return Err(Fault::new(glyph.span(), "this closes nothing"));
                }
            }
            '$' if text.is_empty() && !quoted => variable = true,
            '$' | '@' => expression = true,
            '+' | ',' if quoted => expression = true,
            '<' if placeholder_length(&glyphs[at..]).is_some() => {
                let length = placeholder_length(&glyphs[at..]).unwrap_or_default();
                text.push('<');
                text.extend(glyphs[at..at + length].iter().map(|glyph| glyph.c));
                at += length;
                placeholder = true;
            }
            c => text.push(c),
        }
    }
    if let Some(open) = open.last() {
        return Err(Fault::new(open.span(), "this is never closed"));
    }
    let at = at.min(glyphs.len());
    let plain_name = !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '_');
    let kind = match () {
        () if placeholder => Kind::Placeholder,
        () if expression || variable && (quoted || !plain_name) => Kind::Expression,
        () if variable => Kind::Variable,
        () if quoted => Kind::Quoted,
        () => Kind::Bare,
    };
    Ok((Token { text, span: span(&glyphs[..at]), kind }, at))
}

struct Inside {
    text: String,
    /// A `$` in it would be replaced.
    interpolated: bool,
}

/// The text up to the closing quote, and the characters it takes with that. Doubled quotes are one; between double
/// quotes a backtick escapes.
fn quoted_text(glyphs: &[Glyph], open: Glyph) -> Result<(Inside, usize), Fault> {
    let mut inside = Inside { text: String::new(), interpolated: false };
    let mut at = 0;
    while let Some(&glyph) = glyphs.get(at) {
        at += 1;
        match glyph.c {
            c if c == open.c && glyphs.get(at).is_some_and(|next| next.c == c) => {
                inside.text.push(c);
                at += 1;
            }
            c if c == open.c => return Ok((inside, at)),
            '`' if open.c == '"' => {
                if let Some(escaped) = glyphs.get(at) {
                    inside.text.push(escape(escaped.c));
                    at += 1;
                }
            }
            c => {
                inside.interpolated |= c == '$';
                inside.text.push(c);
            }
        }
    }
    Err(Fault::new(open.span(), "this quote is never closed"))
}

fn escape(c: char) -> char {
    match c {
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        '0' => '\0',
        c => c,
    }
}

fn trimmed(glyphs: &[Glyph]) -> &[Glyph] {
    let begin = glyphs.iter().position(|glyph| !glyph.is_blank()).unwrap_or(glyphs.len());
    let end = glyphs.iter().rposition(|glyph| !glyph.is_blank()).map_or(begin, |last| last + 1);
    &glyphs[begin..end]
}
