//! Complaints that show the line they are about.

use std::{error, fmt, sync::Arc};

use super::{Span, word::shown};

/// Something wrong, or worth a warning, at one place of a script or of a command line.
///
/// `Display` is one line for logs, `script.cmd:12:85: unknown value type ...`; [`render`](Self::render) adds the line
/// itself with the place underlined, and the hint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The script; none for a command line.
    pub file: Option<Arc<str>>,
    /// Where.
    pub span: Span,
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// The line as it stands in the script.
    source: Arc<str>,
}

impl Diagnostic {
    /// The complaint with its line and a caret below the place.
    ///
    /// ```
    /// let error = hivesmith::command::reg::RegCommand::from_args(["add", "HKLM\\X", "/t", "REG_DWO"]).unwrap_err();
    /// assert_eq!(error.render().to_string(), "\
    /// unknown value type `REG_DWO`, did you mean `REG_DWORD`?
    ///   | reg add HKLM\\X /t REG_DWO
    ///   |                   ^^^^^^^
    ///   = the line ends behind it: `/d DATA` is missing too
    /// ");
    /// ```
    #[must_use]
    pub fn render(&self) -> impl fmt::Display + '_ {
        Rendered(self)
    }

    pub(super) fn new(file: Option<&Arc<str>>, source: &Arc<str>, fault: Fault) -> Self {
        let Fault { span, message, hint } = fault;
        Self { file: file.cloned(), span, message, hint, source: Arc::clone(source) }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(out, "{file}:{}:{}: ", self.span.line, self.span.column)?;
        }
        out.write_str(&self.message)
    }
}

impl error::Error for Diagnostic {}

/// A diagnostic that does not know its script yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) span: Span,
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

impl Fault {
    pub(super) fn new(span: Span, message: impl Into<String>) -> Self {
        Self { span, message: message.into(), hint: None }
    }

    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

struct Rendered<'a>(&'a Diagnostic);

impl fmt::Display for Rendered<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Diagnostic { file, span, hint, source, .. } = self.0;
        let number = if file.is_some() { span.line.to_string() } else { " ".to_owned() };
        let margin = " ".repeat(number.len());
        // A window around the place: lines may be very long, and a terminal is not.
        let at = (span.column as usize).saturating_sub(1);
        let first = at.saturating_sub(WINDOW);
        let cut = if first > 0 { "…" } else { "" };
        let line: String = source.chars().skip(first).take(2 * WINDOW).map(printable).collect();
        let carets = (span.length as usize).clamp(1, 2 * WINDOW - (at - first));

        writeln!(out, "{}", self.0)?;
        writeln!(out, "{number} | {cut}{}", line.trim_end())?;
        writeln!(out, "{margin} | {:indent$}{}", "", "^".repeat(carets), indent = at - first + cut.chars().count())?;
        match hint {
            Some(hint) => writeln!(out, "{margin} = {hint}"),
            None => Ok(()),
        }
    }
}

/// One column for one character, whatever it would do to a terminal.
fn printable(c: char) -> char {
    match c {
        '\t' => ' ',
        c if shown(c.encode_utf8(&mut [0; 4])).starts_with("\\u") => '\u{fffd}',
        c => c,
    }
}

const WINDOW: usize = 100;
