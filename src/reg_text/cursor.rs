//! A place in a text of UTF-16 units that knows its line and column.

use std::borrow::Cow;

use super::RegTextError;

pub(super) struct Cursor<'a> {
    units: &'a [u16],
    at: usize,
    line: u32,
    line_start: usize,
}

/// Where an error is: a cursor's position, remembered.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) line: u32,
    pub(super) column: u32,
}

impl Place {
    pub(super) fn error(self, message: impl Into<Cow<'static, str>>) -> RegTextError {
        RegTextError { line: self.line, column: self.column, message: message.into() }
    }
}

impl<'a> Cursor<'a> {
    pub(super) fn new(units: &'a [u16]) -> Self {
        Self { units, at: 0, line: 1, line_start: 0 }
    }

    pub(super) fn place(&self) -> Place {
        Place { line: self.line, column: u32::try_from(self.at - self.line_start + 1).unwrap_or(u32::MAX) }
    }

    pub(super) fn error(&self, message: impl Into<Cow<'static, str>>) -> RegTextError {
        self.place().error(message)
    }

    /// The next unit when it is ASCII; `\u{fffd}` for any other and none at the end.
    pub(super) fn peek(&self) -> Option<char> {
        let unit = *self.units.get(self.at)?;
        Some(u8::try_from(unit).map_or('\u{fffd}', char::from))
    }

    /// Steps over the next unit and returns it.
    pub(super) fn next(&mut self) -> Option<u16> {
        let unit = *self.units.get(self.at)?;
        self.at += 1;
        // CR LF is one line break, counted at its LF.
        if unit == LF || unit == CR && self.units.get(self.at) != Some(&LF) {
            self.line = self.line.saturating_add(1);
            self.line_start = self.at;
        }
        Some(unit)
    }

    /// Steps over the next unit when it is this one.
    pub(super) fn eat(&mut self, expected: char) -> bool {
        let found = self.peek() == Some(expected);
        if found {
            self.next();
        }
        found
    }

    /// Steps over spaces and tabs.
    pub(super) fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t')) {
            self.next();
        }
    }

    /// The rest of the line, without its end; the cursor stays.
    pub(super) fn rest_of_line(&self) -> &'a [u16] {
        let rest = self.units.get(self.at..).unwrap_or_default();
        let length = rest.iter().position(|&unit| unit == LF || unit == CR).unwrap_or(rest.len());
        &rest[..length]
    }

    /// Steps over this many units, none of which ends a line.
    pub(super) fn skip(&mut self, count: usize) {
        self.at = self.units.len().min(self.at + count);
    }

    /// Steps to the end of the line.
    pub(super) fn skip_line(&mut self) {
        self.skip(self.rest_of_line().len());
    }

    /// Whether the line ends here or only a comment follows.
    pub(super) fn at_line_end(&self) -> bool {
        matches!(self.peek(), None | Some('\r' | '\n' | ';'))
    }

    /// Steps over blank lines, comment lines and leading blanks, to the next thing that says something.
    pub(super) fn skip_to_content(&mut self) {
        while let Some(c) = self.peek() {
            match c {
                ' ' | '\t' | '\r' | '\n' => {
                    self.next();
                }
                ';' => self.skip_line(),
                _ => break,
            }
        }
    }
}

const CR: u16 = b'\r' as u16;
const LF: u16 = b'\n' as u16;
