//! From bytes to lines of characters.

use std::sync::Arc;

use super::glyph::Glyph;
use crate::command::{Span, diagnostic::Fault};

/// The text of a script. What cannot be decoded becomes U+FFFD: harmless in a comment, an error in a command.
pub(super) fn decode(bytes: &[u8]) -> String {
    match bytes {
        [0xff, 0xfe, text @ ..] => utf16(text, u16::from_le_bytes),
        [0xfe, 0xff, text @ ..] => utf16(text, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, text @ ..] => String::from_utf8_lossy(text).into_owned(),
        [first, 0, ..] if *first != 0 => utf16(bytes, u16::from_le_bytes),
        [0, second, ..] if *second != 0 => utf16(bytes, u16::from_be_bytes),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let pairs = bytes.chunks(2).map(|pair| <[u8; 2]>::try_from(pair).map_or(0xfffd, unit));
    char::decode_utf16(pairs).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

/// The lines of a text, with their numbers and offsets.
pub(super) struct Source<'a> {
    text: &'a str,
    at: usize,
    number: u32,
}

/// One line, without its end.
#[derive(Clone, Copy)]
pub(super) struct Physical<'a> {
    pub(super) number: u32,
    pub(super) offset: usize,
    pub(super) text: &'a str,
}

impl<'a> Source<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0, number: 0 }
    }
}

impl<'a> Iterator for Source<'a> {
    type Item = Physical<'a>;

    fn next(&mut self) -> Option<Physical<'a>> {
        let rest = self.text.get(self.at..).filter(|rest| !rest.is_empty())?;
        let offset = self.at;
        let (text, line_end) = match rest.find(['\r', '\n']) {
            Some(end) if rest[end..].starts_with("\r\n") => (&rest[..end], end + 2),
            Some(end) => (&rest[..end], end + 1),
            None => (rest, rest.len()),
        };
        self.at += line_end;
        self.number = self.number.saturating_add(1);
        Some(Physical { number: self.number, offset, text })
    }
}

/// A line with those that continue it.
pub(super) struct Logical {
    pub(super) glyphs: Vec<Glyph>,
    lines: Vec<(u32, Arc<str>)>,
    /// Whether a quote is open at the end of what is joined so far.
    quoted: bool,
    /// Why it could not be read to its end.
    pub(super) fault: Option<Fault>,
}

impl Logical {
    /// Joins a line with the next ones as long as it ends in `continuation`.
    pub(super) fn new<'a>(
        first: Physical<'a>,
        more: &mut impl Iterator<Item = Physical<'a>>,
        continuation: char,
    ) -> Self {
        let mut logical = Self { glyphs: Vec::new(), lines: Vec::new(), quoted: false, fault: None };
        let mut next = Some(first);
        while let Some(line) = next.take() {
            if logical.glyphs.len() + line.text.len() > LONGEST_LINE {
                let span = Span { line: line.number, column: 1, length: 1, offset: line.offset };
                let shortened: String = line.text.chars().take(80).collect();
                logical.lines.push((line.number, shortened.into()));
                let message = "the line is longer than the 32767 characters Windows takes";
                logical.fault = Some(Fault::new(span, message));
                break;
            }
            logical.lines.push((line.number, line.text.into()));
            let indented = line.text.char_indices().zip(1..);
            logical.glyphs.extend(indented.map(|((at, c), column)| Glyph {
                c,
                line: line.number,
                column,
                offset: line.offset + at,
                placeholder: false,
            }));
            logical.quoted ^= line.text.matches('"').count() % 2 == 1;
            if logical.continues(continuation) {
                logical.glyphs.pop();
                next = more.next();
            }
        }
        logical
    }

    /// An odd number of continuation characters at the end: each pair of them is one escaped character.
    fn continues(&self, continuation: char) -> bool {
        let run = self.glyphs.iter().rev().take_while(|glyph| glyph.c == continuation).count();
        // Between quotes cmd's caret is an ordinary character.
        let open = continuation == '^' && self.quoted;
        run % 2 == 1 && !open
    }

    /// The text of the line a place is on.
    pub(super) fn source(&self, span: Span) -> Arc<str> {
        let at = self.lines.binary_search_by_key(&span.line, |(number, _)| *number).unwrap_or(0);
        self.lines.get(at).map_or_else(|| "".into(), |(_, text)| Arc::clone(text))
    }

    /// The place behind the last character.
    pub(super) fn end(&self) -> Span {
        self.glyphs.last().map_or(Span::default(), |last| {
            let Span { line, column, offset, .. } = last.span();
            Span { line, column: column.saturating_add(1), length: 1, offset: offset + last.c.len_utf8() }
        })
    }
}

/// What `CreateProcess` takes; cmd itself takes a quarter of it.
const LONGEST_LINE: usize = 32_767;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_text_in_six_encodings() {
        for bytes in [
            b"\xff\xfem\0d\0 \0\xf6\0".as_slice(),
            b"\xfe\xff\0m\0d\0 \0\xf6",
            b"\xef\xbb\xbfmd \xc3\xb6",
            b"md \xc3\xb6",
            b"m\0d\0 \0\xf6\0",
            b"\0m\0d\0 \0\xf6",
        ] {
            assert_eq!(decode(bytes), "md ö");
        }
    }

    #[test]
    fn lines_end_in_three_ways() {
        let lines: Vec<_> = Source::new("a\r\nb\n\nc\rd").map(|line| (line.number, line.offset, line.text)).collect();
        assert_eq!(lines, [(1, 0, "a"), (2, 3, "b"), (3, 5, ""), (4, 6, "c"), (5, 8, "d")]);
    }

    #[test]
    fn a_caret_at_the_end_goes_on_with_the_next_line() {
        let mut lines = Source::new("a ^\n b^^\nc");
        let first = lines.next().unwrap();
        let logical = Logical::new(first, &mut lines, '^');
        assert_eq!(super::super::glyph::text(&logical.glyphs), "a  b^^");
        assert_eq!(logical.glyphs[3].line, 2);
        assert_eq!(lines.next().unwrap().text, "c");
    }
}
