//! Characters that remember where they came from.

use crate::command::Span;

/// One character of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Glyph {
    pub(super) c: char,
    pub(super) line: u32,
    pub(super) column: u32,
    pub(super) offset: usize,
    /// Part of a `<PLACEHOLDER>`: its blanks separate no words.
    pub(super) placeholder: bool,
}

impl Glyph {
    pub(super) fn span(self) -> Span {
        Span { line: self.line, column: self.column, length: 1, offset: self.offset }
    }

    pub(super) fn is_blank(self) -> bool {
        matches!(self.c, ' ' | '\t') && !self.placeholder
    }
}

/// The place from the first of these characters to the last, as far as it lies on one line.
pub(super) fn span(glyphs: &[Glyph]) -> Span {
    let (Some(first), Some(last)) = (glyphs.first(), glyphs.last()) else { return Span::default() };
    let length = if first.line == last.line { last.column.saturating_sub(first.column) + 1 } else { 1 };
    Span { length, ..first.span() }
}

pub(super) fn text(glyphs: &[Glyph]) -> String {
    glyphs.iter().map(|glyph| glyph.c).collect()
}
