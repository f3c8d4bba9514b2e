//! Words of a command, and where they stand.

use std::fmt::Write;

/// Where something stands in a script, or in a command line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Span {
    /// Line, counted from 1.
    pub line: u32,
    /// Column, counted from 1 in characters.
    pub column: u32,
    /// Characters it takes on that line.
    pub length: u32,
    /// Bytes before it, in the script's text as UTF-8.
    pub offset: usize,
}

/// One argument of a command, as the program would get it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// Its text: quotes, escapes and variables are done with.
    pub text: String,
    /// Where it stands.
    pub span: Span,
    /// Whether any part of it was between quotes.
    pub quoted: bool,
    /// Whether it holds a `<PLACEHOLDER>` of the documentation, not between quotes.
    pub placeholder: bool,
}

impl Word {
    /// Arguments of a process as words, with the line they would have made. A shell has already undone its quotes, so
    /// the line is only for showing where something is wrong.
    pub(super) fn from_args<I>(program: &str, args: I) -> (String, Vec<Self>)
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        let mut line = program.to_owned();
        let mut column = line.chars().count() + 1;
        let mut words = Vec::new();
        for arg in args {
            let text: String = arg.into();
            let quoted = text.is_empty() || text.contains(char::is_whitespace);
            let (offset, begin) = (line.len() + 1, column + 1);
            let _ = if quoted { write!(line, " \"{text}\"") } else { write!(line, " {text}") };
            let length = text.chars().count() + if quoted { 2 } else { 0 };
            column = begin + length;
            let span = Span { line: 1, column: begin as u32, length: length as u32, offset };
            words.push(Self { text, span, quoted, placeholder: false });
        }
        (line, words)
    }

    /// Whether the word is this one in any case.
    pub(super) fn is(&self, text: &str) -> bool {
        self.text.eq_ignore_ascii_case(text)
    }

    /// The place right behind the word.
    pub(super) fn end(&self) -> Span {
        let Span { line, column, length, offset } = self.span;
        Span { line, column: column.saturating_add(length), length: 1, offset: offset + length as usize }
    }
}

/// Words as a message shows them: control characters escaped, cut where they get long.
pub(super) fn shown(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut out = String::new();
    for (at, c) in text.chars().enumerate() {
        if at == LONGEST {
            out.push('…');
            break;
        }
        out.push(c);
    }
    crate::name::NameBuf::from(out).to_string()
}
