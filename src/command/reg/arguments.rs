//! Options and positionals, one way for all commands of `reg.exe`.

use super::{RegPath, RegPathError, View};
use crate::{
    command::{
        Span, Word,
        diagnostic::Fault,
        programs::{begins_command, second_command},
        word::shown,
    },
    name::NameBuf,
};

/// An option of a command, and whether an argument follows it.
pub(super) struct Spec(pub(super) &'static str, pub(super) Takes);

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    Nothing,
    /// Whatever stands behind it, even if it looks like an option: `/d -1`, `/v /f`.
    Argument,
    /// What stands behind it unless that is an option: `reg query /v [NAME]`.
    Optional,
}

/// `/reg:32` and `/reg:64`, for the commands that have them.
pub(super) const VIEWS: [Spec; 2] = [Spec("reg:32", Takes::Nothing), Spec("reg:64", Takes::Nothing)];

/// The words of one command, sorted.
pub(super) struct Arguments<'a> {
    verb: &'static str,
    positionals: std::vec::IntoIter<&'a Word>,
    options: Vec<(&'static str, &'a Word, Option<&'a Word>)>,
    end: Span,
}

impl<'a> Arguments<'a> {
    /// Sorts the words; `positionals` is how many there may be at most.
    pub(super) fn new(
        verb: &'static str,
        words: &'a [Word],
        end: Span,
        positionals: usize,
        specs: &'static [Spec],
    ) -> Result<Self, Fault> {
        let mut found = Vec::new();
        let mut options: Vec<(&'static str, &Word, Option<&Word>)> = Vec::new();
        let mut rest = words.iter().peekable();
        while let Some(word) = rest.next() {
            if word.placeholder {
                return Err(placeholder(word));
            }
            let Some(Spec(name, takes)) = spec_of(word, specs) else {
                if rest.peek().is_some_and(|next| begins_command(word, next)) {
                    return Err(second_command(word));
                }
                if found.len() == positionals {
                    return Err(unexpected(verb, word));
                }
                found.push(word);
                continue;
            };
            if options.iter().any(|(given, ..)| given == name) {
                return Err(Fault::new(word.span, format!("`/{name}` is given twice")));
            }
            let argument = match takes {
                Takes::Nothing => None,
                Takes::Optional => rest.next_if(|next| spec_of(next, specs).is_none()),
                Takes::Argument => match rest.next() {
                    None => return Err(Fault::new(end, format!("`/{name}` needs an argument; the line ends here"))),
                    argument => argument,
                },
            };
            if let Some(argument) = argument.filter(|argument| argument.placeholder) {
                return Err(placeholder(argument));
            }
            options.push((name, word, argument));
        }
        Ok(Self { verb, positionals: found.into_iter(), options, end })
    }

    /// The next positional.
    pub(super) fn positional(&mut self, what: &str) -> Result<&'a Word, Fault> {
        self.positionals.next().ok_or_else(|| Fault::new(self.end, format!("`reg {}` needs {what}", self.verb)))
    }

    /// The positionals that are left.
    pub(super) fn rest(&mut self) -> impl Iterator<Item = &'a Word> + '_ {
        self.positionals.by_ref()
    }

    /// The next positional as a key.
    pub(super) fn key(&mut self, what: &str) -> Result<RegPath, Fault> {
        key(self.positional(what)?)
    }

    /// Whether an option was given.
    pub(super) fn has(&self, name: &str) -> bool {
        self.option(name).is_some()
    }

    /// The option's own word, when it was given.
    pub(super) fn option(&self, name: &str) -> Option<&'a Word> {
        self.options.iter().find(|(given, ..)| *given == name).map(|(_, word, _)| *word)
    }

    /// The argument of an option.
    pub(super) fn argument(&self, name: &str) -> Option<&'a Word> {
        self.options.iter().find(|(given, ..)| *given == name).and_then(|(_, _, argument)| *argument)
    }

    /// Refuses options that exclude each other.
    pub(super) fn at_most_one(&self, names: &[&str]) -> Result<(), Fault> {
        let mut given = self.options.iter().filter(|(name, ..)| names.contains(name));
        match (given.next(), given.next()) {
            (Some((first, ..)), Some((second, word, _))) => {
                Err(Fault::new(word.span, format!("`/{second}` cannot be given together with `/{first}`")))
            }
            _ => Ok(()),
        }
    }

    /// Refuses options that mean nothing without another.
    pub(super) fn only_with(&self, names: &[&str], needed: &str) -> Result<(), Fault> {
        match self.options.iter().find(|(name, ..)| names.contains(name)) {
            Some((name, word, _)) if !self.has(needed) => {
                Err(Fault::new(word.span, format!("`/{name}` means something only together with `/{needed}`")))
            }
            _ => Ok(()),
        }
    }

    /// The value that `/v NAME` or `/ve` names; empty for the default value.
    pub(super) fn value_name(&self) -> Result<Option<NameBuf>, Fault> {
        if self.has("ve") {
            return Ok(Some(NameBuf::default()));
        }
        let Some(word) = self.argument("v") else { return Ok(None) };
        let name = NameBuf::from(word.text.as_str());
        let length = name.as_units().len();
        if length > LONGEST_VALUE_NAME {
            let message = format!("a value name of {length} UTF-16 units is longer than the 16383 of the format");
            return Err(Fault::new(word.span, message));
        }
        Ok(Some(name))
    }

    /// The view that was asked for.
    pub(super) fn view(&self) -> Result<View, Fault> {
        self.at_most_one(&["reg:32", "reg:64"])?;
        Ok(match (self.has("reg:32"), self.has("reg:64")) {
            (true, _) => View::Bits32,
            (_, true) => View::Bits64,
            _ => View::Native,
        })
    }
}

/// The option that a word is, if it is one of these.
fn spec_of(word: &Word, specs: &'static [Spec]) -> Option<&'static Spec> {
    let name = word.text.strip_prefix(['/', '-'])?;
    specs.iter().chain(&VIEWS).find(|Spec(spec, _)| name.eq_ignore_ascii_case(spec))
}

/// A word as a key.
pub(super) fn key(word: &Word) -> Result<RegPath, Fault> {
    word.text.parse().map_err(|error: RegPathError| {
        let fault = Fault::new(word.span, error.to_string());
        match word.text.as_str() {
            text if text.starts_with('\'') => fault.hint("cmd knows no single quotes; write \" around the path"),
            text if text.split('\\').next().is_some_and(|root| root.ends_with(':')) => {
                fault.hint("the colon belongs to PowerShell; reg takes `HKLM\\…`")
            }
            text if text.to_ascii_lowercase().starts_with("computer\\") => fault.hint("leave out `Computer\\`"),
            text if text.contains('/') && !text.contains('\\') => fault.hint("keys are parted by backslashes"),
            _ => fault,
        }
    })
}

/// The error for `<WORD>` where something else was to be filled in.
pub(in crate::command) fn placeholder(word: &Word) -> Fault {
    Fault::new(word.span, format!("`{}` is a placeholder of the documentation", shown(&word.text)))
        .hint("write in its place what it stands for")
}

fn unexpected(verb: &str, word: &Word) -> Fault {
    let text = shown(&word.text);
    if word.text.starts_with(['/', '-']) {
        return Fault::new(word.span, format!("`{text}` is no option of `reg {verb}`"));
    }
    let fault = Fault::new(word.span, format!("unexpected argument `{text}`"));
    if word.text.contains('\'') {
        fault.hint("cmd knows no single quotes; write \" around what holds blanks")
    } else {
        fault.hint("write quotes around what holds blanks")
    }
}

const LONGEST_VALUE_NAME: usize = 16_383;
