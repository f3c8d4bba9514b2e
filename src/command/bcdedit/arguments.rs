//! Words of a `bcdedit` command, taken one after the other.

use super::{
    ListEdit, ObjectRef, VERBS,
    words::{check_identifier, is_identifier, join_placeholder},
};
use crate::command::{Span, Word, diagnostic::Fault, nearest::nearest, word::shown};

pub(super) struct Arguments<'a> {
    words: Vec<&'a Word>,
    pub(super) end: Span,
}

impl<'a> Arguments<'a> {
    pub(super) fn new(words: &'a [Word], end: Span) -> Result<Self, Fault> {
        join_placeholder(words)?;
        Ok(Self { words: words.iter().collect(), end })
    }

    /// `/store FILE`, wherever it stands.
    pub(super) fn store(&mut self) -> Result<Option<Word>, Fault> {
        let store = self.argument("store")?.cloned();
        match self.option("store") {
            Some(again) => Err(Fault::new(again.span, "`/store` is given twice")),
            None => Ok(store),
        }
    }

    /// The first word, if it is a verb; `/v` alone is none.
    pub(super) fn verb(&mut self) -> Result<Option<(&'static str, &'a Word)>, Fault> {
        let Some(&word) = self.words.iter().find(|word| !is_option(word, "v")) else { return Ok(None) };
        let name = word.text.strip_prefix(['/', '-']).filter(|name| !name.is_empty());
        let Some(verb) = name.and_then(|name| VERBS.iter().find(|verb| name.eq_ignore_ascii_case(verb))) else {
            let fault = Fault::new(word.span, format!("`{}` is no command of bcdedit", shown(&word.text)));
            return Err(match nearest(name.unwrap_or(&word.text), VERBS) {
                Some(near) => fault.hint(format!("did you mean `/{near}`?")),
                None => fault.hint(format!("one of /{}", VERBS[..21].join(", /"))),
            });
        };
        self.words.retain(|other| !std::ptr::eq(*other, word));
        Ok(Some((*verb, word)))
    }

    /// Takes an option; whether it was given.
    pub(super) fn flag(&mut self, name: &str) -> bool {
        self.option(name).is_some()
    }

    /// Takes an option: its word.
    pub(super) fn option(&mut self, name: &str) -> Option<&'a Word> {
        let at = self.words.iter().position(|word| is_option(word, name))?;
        Some(self.words.remove(at))
    }

    /// Takes an option with its argument.
    pub(super) fn argument(&mut self, name: &str) -> Result<Option<&'a Word>, Fault> {
        let Some(at) = self.words.iter().position(|word| is_option(word, name)) else { return Ok(None) };
        self.words.remove(at);
        if at < self.words.len() {
            return Ok(Some(self.words.remove(at)));
        }
        Err(Fault::new(self.end, format!("`/{name}` needs an argument; the line ends here")))
    }

    /// Takes an option and, where one follows, its argument; whether the option was given.
    pub(super) fn optional_argument(&mut self, name: &str) -> (bool, Option<&'a Word>) {
        let Some(at) = self.words.iter().position(|word| is_option(word, name)) else { return (false, None) };
        self.words.remove(at);
        let follows = self.words.get(at).is_some_and(|word| !word.text.starts_with(['/', '-', '{']));
        (true, follows.then(|| self.words.remove(at)))
    }

    /// The next word.
    pub(super) fn next(&mut self) -> Option<&'a Word> {
        if self.words.is_empty() { None } else { Some(self.words.remove(0)) }
    }

    pub(super) fn required(&mut self, what: &str) -> Result<&'a Word, Fault> {
        let end = self.end;
        self.next().ok_or_else(|| Fault::new(end, format!("{what} is missing; the line ends here")))
    }

    /// The next word as an identifier.
    pub(super) fn identifier(&mut self) -> Result<&'a Word, Fault> {
        let word = self.required("an identifier such as {default}")?;
        check_identifier(word)?;
        Ok(word)
    }

    /// The next word as an identifier, if there is one.
    pub(super) fn next_identifier(&mut self) -> Result<Option<&'a Word>, Fault> {
        if self.words.is_empty() { Ok(None) } else { self.identifier().map(Some) }
    }

    /// The object that a verb is about, which Windows would take for `{current}` if it is not named.
    pub(super) fn object(&mut self, verb: &str) -> Result<ObjectRef, Fault> {
        let Some(&word) = self.words.first() else {
            return Err(Fault::new(self.end, format!("`/{verb}` needs an identifier such as {{default}}")));
        };
        if !is_identifier(word) {
            let message = format!("an identifier is missing before `{}`", shown(&word.text));
            let hint = "without one bcdedit means {current}, the Windows that runs; offline write {default} for the entry \
                        that starts by itself, or an identifier that /enum shows";
            return Err(Fault::new(word.span, message).hint(hint));
        }
        Ok(ObjectRef::Named(self.identifier()?.clone()))
    }

    /// `/addfirst`, `/addlast`, `/remove`
    pub(super) fn list_edit(&mut self) -> Result<Option<ListEdit>, Fault> {
        let edits = [("addfirst", ListEdit::AddFirst), ("addlast", ListEdit::AddLast), ("remove", ListEdit::Remove)];
        let mut found = None;
        for (name, edit) in edits {
            match (self.option(name), found) {
                (Some(word), Some(_)) => {
                    return Err(Fault::new(word.span, "only one of /addfirst, /addlast and /remove can be given"));
                }
                (Some(_), None) => found = Some(edit),
                (None, _) => {}
            }
        }
        Ok(found)
    }

    /// All words that are left; for a list they are identifiers.
    pub(super) fn rest(&mut self, identifiers: bool) -> Result<Vec<&'a Word>, Fault> {
        let rest = std::mem::take(&mut self.words);
        if identifiers {
            rest.iter().try_for_each(|word| check_identifier(word))?;
        }
        Ok(rest)
    }

    /// Nothing may be left.
    pub(super) fn finish(&self, command: &str) -> Result<(), Fault> {
        let Some(word) = self.words.first() else { return Ok(()) };
        let text = shown(&word.text);
        if word.text.starts_with(['/', '-']) {
            return Err(Fault::new(word.span, format!("`{text}` is no option of `{command}`")));
        }
        Err(Fault::new(word.span, format!("unexpected argument `{text}`"))
            .hint("write quotes around what holds blanks"))
    }
}

fn is_option(word: &Word, name: &str) -> bool {
    word.text.strip_prefix(['/', '-']).is_some_and(|option| option.eq_ignore_ascii_case(name))
}
