//! `reg delete KEY [/v NAME | /ve | /va] [/f]`

use super::{
    RegPath, View,
    arguments::{Arguments, Spec, Takes},
};
use crate::{
    command::{Span, Word, diagnostic::Fault},
    name::NameBuf,
};

/// `reg delete`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delete {
    /// The key.
    pub key: RegPath,
    /// What goes.
    pub target: DeleteTarget,
    /// `/f`: do not ask.
    pub force: bool,
    /// The view of the registry.
    pub view: View,
}

/// What `reg delete` deletes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeleteTarget {
    /// The key with everything below it.
    Key,
    /// One value; empty for the default value.
    Value(NameBuf),
    /// `/va`: every value of the key, none of its subkeys.
    AllValues,
}

impl Delete {
    pub(super) fn from_words(words: &[Word], end: Span) -> Result<Self, Fault> {
        let mut arguments = Arguments::new("delete", words, end, 1, OPTIONS)?;
        arguments.at_most_one(&["v", "ve", "va"])?;
        let key = arguments.key("a key")?;
        let target = match arguments.value_name()? {
            Some(name) => DeleteTarget::Value(name),
            None if arguments.has("va") => DeleteTarget::AllValues,
            None => DeleteTarget::Key,
        };
        Ok(Self { key, target, force: arguments.has("f"), view: arguments.view()? })
    }
}

const OPTIONS: &[Spec] =
    &[Spec("v", Takes::Argument), Spec("ve", Takes::Nothing), Spec("va", Takes::Nothing), Spec("f", Takes::Nothing)];
