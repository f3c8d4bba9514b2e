//! `reg copy` and `reg compare`: the commands with two keys.

use super::{
    RegPath, View,
    arguments::{Arguments, Spec, Takes},
};
use crate::{
    command::{Span, Word, diagnostic::Fault},
    name::NameBuf,
};

/// `reg copy FROM TO [/s] [/f]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copy {
    /// The key to copy.
    pub from: RegPath,
    /// Where to.
    pub to: RegPath,
    /// `/s`: with all keys below it.
    pub recurse: bool,
    /// `/f`: do not ask.
    pub force: bool,
    /// The view of the registry.
    pub view: View,
}

impl Copy {
    pub(super) fn from_words(words: &[Word], end: Span) -> Result<Self, Fault> {
        const OPTIONS: &[Spec] = &[Spec("s", Takes::Nothing), Spec("f", Takes::Nothing)];
        let mut arguments = Arguments::new("copy", words, end, 2, OPTIONS)?;
        Ok(Self {
            from: arguments.key("a key to copy")?,
            to: arguments.key("a key to copy to")?,
            recurse: arguments.has("s"),
            force: arguments.has("f"),
            view: arguments.view()?,
        })
    }
}

/// `reg compare KEY1 KEY2 [/v NAME | /ve] [/s] [/oa | /od | /os | /on]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compare {
    /// The one key.
    pub left: RegPath,
    /// The other.
    pub right: RegPath,
    /// Only this value; empty for the default value.
    pub value: Option<NameBuf>,
    /// `/s`: the keys below them too.
    pub recurse: bool,
    /// What to print.
    pub output: CompareOutput,
    /// The view of the registry.
    pub view: View,
}

/// What `reg compare` prints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum CompareOutput {
    /// `/oa`: differences and matches.
    All,
    /// `/od`, and what it does when nothing is said: differences.
    #[default]
    Differences,
    /// `/os`: matches.
    Matches,
    /// `/on`: nothing but the result.
    Nothing,
}

impl Compare {
    pub(super) fn from_words(words: &[Word], end: Span) -> Result<Self, Fault> {
        let mut arguments = Arguments::new("compare", words, end, 2, COMPARE)?;
        arguments.at_most_one(&["v", "ve"])?;
        arguments.at_most_one(&["oa", "od", "os", "on"])?;
        let output = match () {
            () if arguments.has("oa") => CompareOutput::All,
            () if arguments.has("os") => CompareOutput::Matches,
            () if arguments.has("on") => CompareOutput::Nothing,
            () => CompareOutput::Differences,
        };
        Ok(Self {
            left: arguments.key("two keys")?,
            right: arguments.key("a second key")?,
            value: arguments.value_name()?,
            recurse: arguments.has("s"),
            output,
            view: arguments.view()?,
        })
    }
}

const COMPARE: &[Spec] = &[
    Spec("v", Takes::Argument),
    Spec("ve", Takes::Nothing),
    Spec("s", Takes::Nothing),
    Spec("oa", Takes::Nothing),
    Spec("od", Takes::Nothing),
    Spec("os", Takes::Nothing),
    Spec("on", Takes::Nothing),
];
