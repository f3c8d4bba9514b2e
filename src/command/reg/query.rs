//! `reg query KEY [/v [NAME] | /ve] [/s] [/f DATA [/k] [/d] [/c] [/e]] [/t TYPE] [/z] [/se SEPARATOR]`

use super::{
    RegPath, View,
    add::{separator, value_type},
    arguments::{Arguments, Spec, Takes},
};
use crate::{
    ValueType,
    command::{Span, Word, diagnostic::Fault},
    name::NameBuf,
};

/// `reg query`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// The key.
    pub key: RegPath,
    /// Which of its values.
    pub values: ValueFilter,
    /// `/s`: the keys below it too.
    pub recurse: bool,
    /// `/f`: only what matches.
    pub search: Option<Search>,
    /// `/t`: only values of this type.
    pub kind: Option<ValueType>,
    /// `/z`: the number of the type behind its name.
    pub verbose: bool,
    /// `/se`: what to print between the texts of `REG_MULTI_SZ`; none for `\0`.
    pub separator: Option<String>,
    /// The view of the registry.
    pub view: View,
}

/// Which values a query is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValueFilter {
    /// All of them, and the subkeys.
    All,
    /// One; empty for the default value.
    Named(NameBuf),
}

/// What `/f` looks for, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "five switches of a command, each on its own")]
pub struct Search {
    /// The text; `*` and `?` stand for any characters.
    pub pattern: String,
    /// Look at names of keys.
    pub keys: bool,
    /// Look at names of values.
    pub names: bool,
    /// Look at data.
    pub data: bool,
    /// `/c`: letter case counts.
    pub case_sensitive: bool,
    /// `/e`: the whole name or data must match.
    pub exact: bool,
}

impl Query {
    pub(super) fn from_words(words: &[Word], end: Span) -> Result<Self, Fault> {
        let mut arguments = Arguments::new("query", words, end, 1, OPTIONS)?;
        arguments.at_most_one(&["v", "ve"])?;
        arguments.only_with(&["k", "d", "c", "e"], "f")?;
        let key = arguments.key("a key")?;
        let name = arguments.value_name()?;
        let names_only = arguments.has("v") && name.is_none();
        if names_only && !arguments.has("f") {
            let span = arguments.option("v").map_or(end, |word| word.span);
            return Err(Fault::new(span, "`/v` needs the name of a value; only with `/f` it may stand alone"));
        }
        let (keys, data) = (arguments.has("k"), arguments.has("d"));
        let everywhere = !(keys || data || names_only);
        let search = arguments.argument("f").map(|word| Search {
            pattern: word.text.clone(),
            keys: keys || everywhere,
            names: names_only || everywhere,
            data: data || everywhere,
            case_sensitive: arguments.has("c"),
            exact: arguments.has("e"),
        });
        Ok(Self {
            key,
            values: name.map_or(ValueFilter::All, ValueFilter::Named),
            recurse: arguments.has("s"),
            search,
            kind: arguments.argument("t").map(|word| value_type(word, &[])).transpose()?,
            verbose: arguments.has("z"),
            separator: separator(&arguments, "se")?,
            view: arguments.view()?,
        })
    }
}

const OPTIONS: &[Spec] = &[
    Spec("v", Takes::Optional),
    Spec("ve", Takes::Nothing),
    Spec("s", Takes::Nothing),
    Spec("f", Takes::Argument),
    Spec("k", Takes::Nothing),
    Spec("d", Takes::Nothing),
    Spec("c", Takes::Nothing),
    Spec("e", Takes::Nothing),
    Spec("t", Takes::Argument),
    Spec("z", Takes::Nothing),
    Spec("se", Takes::Argument),
];
