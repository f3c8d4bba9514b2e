//! What cmd does to a line before any program sees it.

use super::{
    glyph::{Glyph, text},
    line::{Redirection, Target},
};
use crate::command::{Span, diagnostic::Fault};

/// One program's part of a line, with everything that cmd itself takes off.
#[derive(Debug)]
pub(super) struct Simple {
    /// The characters left for the program, quotes included.
    pub(super) glyphs: Vec<Glyph>,
    pub(super) redirections: Vec<Redirection>,
    /// Whether its output goes into the next one.
    pub(super) piped: bool,
    /// Where its part of the line ends.
    pub(super) end: Span,
}

/// Splits a line at `&`, `&&` and `|`, and takes carets and redirections off.
pub(super) fn split(glyphs: &[Glyph], line_end: Span) -> Result<Vec<Simple>, Fault> {
    let mut lexer = Lexer { rest: glyphs, simples: Vec::new(), glyphs: Vec::new(), redirections: Vec::new() };
    let mut quoted = false;
    while let Some(glyph) = lexer.next() {
        refuse(glyph, quoted)?;
        match glyph.c {
            '"' => {
                quoted = !quoted;
                lexer.glyphs.push(glyph);
            }
            _ if quoted => lexer.glyphs.push(glyph),
            '^' => {
                let escaped = lexer.next();
                lexer.glyphs.extend(escaped);
            }
            '<' => lexer.placeholder(glyph)?,
            '>' => lexer.redirection(glyph)?,
            '|' if lexer.eat('|') => {
                return Err(Fault::new(glyph.span(), "`||` needs the result of a command and is not supported"));
            }
            '|' => lexer.end_simple(true, glyph.span()),
            '&' => {
                lexer.eat('&');
                lexer.end_simple(false, glyph.span());
            }
            _ => lexer.glyphs.push(glyph),
        }
    }
    lexer.end_simple(false, line_end);
    Ok(lexer.simples)
}

struct Lexer<'a> {
    rest: &'a [Glyph],
    simples: Vec<Simple>,
    glyphs: Vec<Glyph>,
    redirections: Vec<Redirection>,
}

impl Lexer<'_> {
    fn next(&mut self) -> Option<Glyph> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn eat(&mut self, c: char) -> bool {
        let found = self.rest.first().is_some_and(|glyph| glyph.c == c);
        if found {
            self.rest = &self.rest[1..];
        }
        found
    }

    fn end_simple(&mut self, piped: bool, end: Span) {
        let glyphs = std::mem::take(&mut self.glyphs);
        let redirections = std::mem::take(&mut self.redirections);
        self.simples.push(Simple { glyphs, redirections, piped, end });
    }

    /// `<CERTIFICATE THUMBPRINT>` is no redirection but something the reader was to fill in. It stays a part of its word,
    /// so that the complaint can be about it.
    fn placeholder(&mut self, open: Glyph) -> Result<(), Fault> {
        let length = placeholder_length(self.rest)
            .ok_or_else(|| Fault::new(open.span(), "input redirection is not supported"))?;
        let (inside, rest) = self.rest.split_at(length);
        let word = [open].into_iter().chain(inside.iter().copied());
        self.glyphs.extend(word.map(|glyph| Glyph { placeholder: true, ..glyph }));
        self.rest = rest;
        Ok(())
    }

    fn redirection(&mut self, arrow: Glyph) -> Result<(), Fault> {
        let stream = self.stream();
        let append = self.eat('>');
        while self.rest.first().is_some_and(|glyph| glyph.is_blank()) {
            self.next();
        }
        let target = if self.eat('&') {
            match self.next().map(|glyph| glyph.c) {
                Some('1') => Target::Stream(1),
                Some('2') => Target::Stream(2),
                _ => return Err(Fault::new(arrow.span(), "`>&` needs the number of a stream")),
            }
        } else {
            self.file(arrow)?
        };
        self.redirections.push(Redirection { stream, append, target, span: arrow.span() });
        Ok(())
    }

    /// A digit that stands alone before the arrow is the number of a stream.
    fn stream(&mut self) -> u8 {
        let alone = match self.glyphs.as_slice() {
            [.., before, _] => before.is_blank(),
            digit => !digit.is_empty(),
        };
        let number = match self.glyphs.last().map(|glyph| glyph.c) {
            Some('1') => 1,
            Some('2') => 2,
            _ => return 1,
        };
        if alone {
            self.glyphs.pop();
        }
        if alone { number } else { 1 }
    }

    fn file(&mut self, arrow: Glyph) -> Result<Target, Fault> {
        let mut name = Vec::new();
        let mut open = None;
        while let Some(&glyph) = self.rest.first() {
            match glyph.c {
                '"' => open = if open.is_some() { None } else { Some(glyph) },
                _ if open.is_none() && (glyph.is_blank() || "&|<>".contains(glyph.c)) => break,
                _ => name.push(glyph),
            }
            refuse(glyph, open.is_some())?;
            self.next();
        }
        if let Some(open) = open {
            return Err(Fault::new(open.span(), "this quote is never closed"));
        }
        match text(&name).as_str() {
            "" => Err(Fault::new(arrow.span(), "no file behind the redirection")),
            name if name.eq_ignore_ascii_case("nul") => Ok(Target::Null),
            name => Ok(Target::File(name.to_owned())),
        }
    }
}

/// How many characters behind a `<` make a placeholder of it, the `>` included.
pub(super) fn placeholder_length(behind: &[Glyph]) -> Option<usize> {
    let length = behind.iter().take(LONGEST_PLACEHOLDER).position(|glyph| glyph.c == '>')?;
    let (first, last) = (behind[..length].first()?, behind[..length].last()?);
    let edges = [first, last].iter().all(|edge| edge.c.is_alphanumeric() || "()".contains(edge.c));
    let plain = !behind[..length].iter().any(|glyph| "\"<|&\\:".contains(glyph.c));
    (edges && plain).then_some(length + 1)
}

/// Characters that look like others, or that no command means.
pub(super) fn refuse(glyph: Glyph, quoted: bool) -> Result<(), Fault> {
    let what = match glyph.c {
        char::REPLACEMENT_CHARACTER => "this is neither UTF-8 nor UTF-16: save the script as UTF-8",
        '\t' => return Ok(()),
        c if c.is_control() => "a control character stands here",
        '\u{201c}' | '\u{201d}' | '\u{201e}' if !quoted => "this is a typographic quote: write \"",
        '\u{a0}' if !quoted => "this is a no-break space: write a space",
        _ => return Ok(()),
    };
    Err(Fault::new(glyph.span(), what))
}

const LONGEST_PLACEHOLDER: usize = 64;
