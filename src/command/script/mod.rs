//! Fragments of `.cmd` files and PowerShell, as the documentation prints them.
//!
//! A script is read as a whole before anybody acts on it. What is understood becomes a [`Line`]; what is not becomes a
//! [`Diagnostic`] with line and column, and then there is no script at all.
//!
//! # How lines are read
//!
//! * Encoding: UTF-8 or UTF-16, with or without byte order mark; CR LF, LF or CR. Blank lines, `REM`, `::`, `#`, labels,
//!   `echo`, `pause` and what else only talks to a person is passed over. `exit` ends the script.
//! * Quotes, `^`, `>`, `>>`, `2>&1`, `| more`, `&` and `&&` are cmd's; words are split as Windows' programs split their
//!   command line, where `\"` is a quote character. A quote that is never closed is an error: something was cut off.
//! * `%NAME%` is replaced when the script itself has `set NAME=...`, and `%%` is one percent sign. **Every other
//!   `%NAME%` stays as it is.** cmd would put the rescue machine's own value there; the documentation means the repaired
//!   Windows', as in `/t REG_EXPAND_SZ /d "%SystemRoot%\MEMORY.DMP"`, and that Windows expands it when it reads the value.
//! * `if`, `for`, `goto`, `call`, blocks, `||` and input redirection are refused: a script with decisions in it has to
//!   be decided by a person.
//! * A first word of the form `Verb-Noun`, or a `$variable`, makes it a line of PowerShell: single quotes quote, `;`
//!   separates.

mod argv;
mod classify;
mod cmd;
mod glyph;
mod line;
mod online;
mod parser;
pub mod powershell;
mod source;
mod variables;

use std::{error, fmt};

pub use line::{Command, Line, Redirection, Target};

use super::Diagnostic;

/// A script that was understood from beginning to end.
#[derive(Clone, Debug)]
pub struct Script {
    /// Its commands in order. Two commands of one line of text, joined by `&`, are two of these.
    pub lines: Vec<Line>,
    /// What is odd without being wrong, up to two hundred places.
    pub warnings: Vec<Diagnostic>,
}

impl Script {
    /// Reads a script; `name` is how diagnostics call it.
    ///
    /// # Errors
    /// [`ScriptError`] with everything that was not understood, up to fifty places.
    pub fn parse(name: &str, bytes: &[u8]) -> Result<Self, ScriptError> {
        parser::parse(name, bytes)
    }
}

/// What was not understood in a script: at least one place.
#[derive(Clone, Debug)]
pub struct ScriptError {
    /// The places in their order.
    pub errors: Vec<Diagnostic>,
    /// What is odd besides.
    pub warnings: Vec<Diagnostic>,
}

impl fmt::Display for ScriptError {
    /// One line a place: `script.cmd:12:85: ...`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, error) in self.errors.iter().enumerate() {
            write!(out, "{}{error}", if at == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}

impl error::Error for ScriptError {}
