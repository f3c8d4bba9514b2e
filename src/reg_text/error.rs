//! What is wrong with a `.reg` file, and where.

use std::{borrow::Cow, error, fmt};

/// The first place where a text is no `.reg` file.
///
/// `line 7, column 12: expected a comma between two bytes`
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RegTextError {
    /// Line, counted from 1.
    pub line: u32,
    /// Column, counted from 1 in UTF-16 units.
    pub column: u32,
    /// What is wrong there.
    pub message: Cow<'static, str>,
}

impl fmt::Display for RegTextError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "line {}, column {}: {}", self.line, self.column, self.message)
    }
}

impl error::Error for RegTextError {}
