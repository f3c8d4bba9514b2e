//! A script line by line.

use std::sync::Arc;

use super::{
    Script, ScriptError, argv,
    classify::{Meaning, classify},
    cmd::{self, Simple},
    glyph::{Glyph, span, text},
    line::Line,
    powershell::{self, Statement},
    source::{Logical, Physical, Source, decode},
    variables::Variables,
};
use crate::command::{Diagnostic, Span, Word, diagnostic::Fault, word::shown};

pub(super) fn parse(name: &str, bytes: &[u8]) -> Result<Script, ScriptError> {
    let text = decode(bytes);
    let mut parser = Parser {
        file: name.into(),
        lines: Vec::new(),
        errors: Vec::new(),
        warnings: Vec::new(),
        variables: Variables::default(),
        shell: powershell::Session::default(),
        ended: false,
    };
    let mut source = Source::new(&text);
    while let Some(line) = source.next() {
        parser.line(line, &mut source);
        if parser.ended || parser.errors.len() >= MOST_ERRORS {
            break;
        }
    }
    let Parser { lines, errors, warnings, .. } = parser;
    if errors.is_empty() { Ok(Script { lines, warnings }) } else { Err(ScriptError { errors, warnings }) }
}

struct Parser {
    file: Arc<str>,
    lines: Vec<Line>,
    errors: Vec<Diagnostic>,
    warnings: Vec<Diagnostic>,
    variables: Variables,
    shell: powershell::Session,
    /// `exit` was read.
    ended: bool,
}

impl Parser {
    fn line<'a>(&mut self, line: Physical<'a>, more: &mut impl Iterator<Item = Physical<'a>>) {
        let head = line.text.trim_start_matches(|c: char| c.is_whitespace() || "@,;=".contains(c));
        if is_silent(head) {
            return;
        }
        let shell = powershell::is_statement(head);
        let mut logical = Logical::new(line, more, if shell { '`' } else { '^' });
        let result = match logical.fault.take() {
            Some(fault) => Err(fault),
            None if shell => self.shell_line(&logical),
            None => self.cmd_line(&logical),
        };
        if let Err(fault) = result {
            self.error(&logical, fault);
        }
    }

    fn cmd_line(&mut self, logical: &Logical) -> Result<(), Fault> {
        let glyphs = self.variables.expand(&logical.glyphs)?;
        let mut simples = cmd::split(&glyphs, logical.end())?.into_iter().peekable();
        while let Some(mut simple) = simples.next() {
            let mut paged = false;
            if simple.piped {
                pager(simples.next().as_ref(), simple.end)?;
                paged = true;
            }
            let skipped = simple.glyphs.iter().take_while(|glyph| glyph.is_blank() || "@,;=".contains(glyph.c)).count();
            simple.glyphs.drain(..skipped);
            if simple.glyphs.is_empty() {
                if let Some(redirection) = simple.redirections.first() {
                    return Err(Fault::new(redirection.span, "no command before the redirection"));
                }
                continue;
            }
            self.simple(logical, simple, paged)?;
            if self.ended {
                break;
            }
        }
        Ok(())
    }

    fn simple(&mut self, logical: &Logical, simple: Simple, paged: bool) -> Result<(), Fault> {
        let Simple { glyphs, redirections, end, .. } = simple;
        let (first, behind) = first_word(&glyphs);
        if text(first).eq_ignore_ascii_case("set") {
            let hint = "only `set NAME=VALUE` is understood";
            return self.variables.set(trimmed(behind), Fault::new(span(trimmed(&glyphs)), hint));
        }
        // What only talks needs no words: `echo it's "open` is fine.
        if is_talk(&text(first)) && redirections.is_empty() {
            return Ok(());
        }
        let words = argv::words(&glyphs)?;
        let Some((program, words)) = words.split_first() else { return Ok(()) };
        match classify(program, words, end, trimmed(&glyphs))? {
            Meaning::End => self.ended = true,
            Meaning::Command(command, warnings) => {
                self.warn(logical, warnings);
                let span = span(trimmed(&glyphs));
                let source = logical.source(span);
                let command = *command;
                self.lines.push(Line { span, command, redirections, paged, file: Arc::clone(&self.file), source });
            }
        }
        Ok(())
    }

    fn shell_line(&mut self, logical: &Logical) -> Result<(), Fault> {
        for Statement { span, command, warnings, paged } in self.shell.statements(&logical.glyphs)? {
            self.warn(logical, warnings);
            let (file, source) = (Arc::clone(&self.file), logical.source(span));
            self.lines.push(Line { span, command, redirections: Vec::new(), paged, file, source });
        }
        Ok(())
    }

    fn warn(&mut self, logical: &Logical, warnings: Vec<Fault>) {
        let left = MOST_WARNINGS.saturating_sub(self.warnings.len());
        let diagnostic = |fault: Fault| Diagnostic::new(Some(&self.file), &logical.source(fault.span), fault);
        self.warnings.extend(warnings.into_iter().take(left).map(diagnostic));
    }

    fn error(&mut self, logical: &Logical, fault: Fault) {
        self.errors.push(Diagnostic::new(Some(&self.file), &logical.source(fault.span), fault));
    }
}

/// Lines without a command: blank ones, comments, labels.
fn is_silent(head: &str) -> bool {
    let word = head.split([' ', '\t']).next().unwrap_or_default();
    word.is_empty() || word.eq_ignore_ascii_case("rem") || head.starts_with([':', '#', '\u{1a}'])
}

/// Commands that only talk to a person, or change how cmd itself behaves.
fn is_talk(program: &str) -> bool {
    let program = program.to_ascii_lowercase();
    let name = program.strip_suffix('.').unwrap_or(&program);
    matches!(name, "echo" | "rem" | "pause" | "cls" | "title" | "color" | "setlocal" | "endlocal" | "chcp" | "timeout")
        || name.starts_with("echo.")
}

/// `| more` is a way of reading; anything else would need the output of one command in another.
fn pager(next: Option<&Simple>, bar: Span) -> Result<(), Fault> {
    let words: Vec<Word> = next.map_or(Ok(Vec::new()), |simple| argv::words(&simple.glyphs))?;
    match words.as_slice() {
        [word, ..] if word.is("more") || word.is("more.com") => Ok(()),
        [word, ..] => Err(Fault::new(
            word.span,
            format!("output into `{}` is not supported, only into `more`", shown(&word.text)),
        )),
        [] => Err(Fault::new(bar, "no command behind `|`")),
    }
}

fn first_word(glyphs: &[Glyph]) -> (&[Glyph], &[Glyph]) {
    glyphs.split_at(glyphs.iter().position(|glyph| glyph.is_blank()).unwrap_or(glyphs.len()))
}

fn trimmed(glyphs: &[Glyph]) -> &[Glyph] {
    let length = glyphs.iter().rposition(|glyph| !glyph.is_blank()).map_or(0, |last| last + 1);
    &glyphs[..length]
}

const MOST_ERRORS: usize = 50;
const MOST_WARNINGS: usize = 200;
