//! `reg add KEY [/v NAME | /ve] [/t TYPE] [/s SEPARATOR] [/d DATA] [/f]`

use super::{
    RegPath, View,
    arguments::{Arguments, Spec, Takes},
    data::value_data,
};
use crate::{
    ValueType,
    command::{Span, Word, diagnostic::Fault, nearest::nearest, word::shown},
    edit::Change,
    name::{KeyPath, NameBuf},
};

/// `reg add`: make a key and, when a value is named, set it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Add {
    /// The key.
    pub key: RegPath,
    /// The value; empty for the default value, none when only the key is made.
    pub value: Option<NameBuf>,
    /// The value's type; `REG_SZ` when none was given.
    pub kind: ValueType,
    /// The bytes as stored.
    pub data: Vec<u8>,
    /// `/f`: do not ask before an existing value is overwritten.
    pub force: bool,
    /// The view of the registry.
    pub view: View,
}

impl Add {
    /// The changes this makes when its key is `key` of some hive.
    #[must_use]
    pub fn changes(&self, key: &KeyPath) -> Vec<Change> {
        let mut changes = vec![Change::CreateKey { key: key.clone() }];
        changes.extend(self.value.as_ref().map(|name| Change::SetValue {
            key: key.clone(),
            name: name.clone(),
            kind: self.kind,
            data: self.data.clone(),
        }));
        changes
    }

    pub(super) fn from_words(words: &[Word], end: Span) -> Result<Self, Fault> {
        let mut arguments = Arguments::new("add", words, end, 1, OPTIONS)?;
        arguments.at_most_one(&["v", "ve"])?;
        let key = arguments.key("a key")?;
        let kind_word = arguments.argument("t");
        let kind = kind_word.map_or(Ok(ValueType::SZ), |word| value_type(word, words))?;
        let separator = separator(&arguments, "s")?;
        let data_word = arguments.argument("d");
        let mut value = arguments.value_name()?;
        if value.is_none() && (data_word.is_some() || kind_word.is_some()) {
            // As `reg.exe`: data without a name is that of the default value.
            value = Some(NameBuf::default());
        }
        let data = value_data(kind, data_word.map(|word| word.text.as_str()), separator.as_deref());
        let data = data.map_err(|bad| Fault {
            span: data_word.map_or(end, |word| word.span),
            message: bad.message,
            hint: bad.hint,
        })?;
        Ok(Self { key, value, kind, data, force: arguments.has("f"), view: arguments.view()? })
    }
}

/// A type by its name.
pub(super) fn value_type(word: &Word, words: &[Word]) -> Result<ValueType, Fault> {
    word.text.parse().map_err(|_| {
        let unknown = format!("unknown value type `{}`", shown(&word.text));
        let known = (0..=11).map(|number| ValueType(number).to_string()).collect::<Vec<_>>();
        let near = nearest(&word.text, known.iter().map(String::as_str));
        let message = near.map_or(unknown.clone(), |near| format!("{unknown}, did you mean `{near}`?"));
        let fault = Fault::new(word.span, message);
        match near {
            Some(_) if words.last() == Some(word) => fault.hint("the line ends behind it: `/d DATA` is missing too"),
            Some(_) => fault,
            None => {
                fault.hint("one of REG_SZ, REG_EXPAND_SZ, REG_MULTI_SZ, REG_DWORD, REG_QWORD, REG_BINARY, REG_NONE")
            }
        }
    })
}

/// One character that separates the texts of `REG_MULTI_SZ`; `\0` stands for itself.
pub(super) fn separator(arguments: &Arguments<'_>, option: &str) -> Result<Option<String>, Fault> {
    let Some(word) = arguments.argument(option) else { return Ok(None) };
    if word.text != "\\0" && word.text.chars().count() != 1 {
        return Err(Fault::new(word.span, "a separator is one character"));
    }
    Ok(Some(word.text.clone()))
}

const OPTIONS: &[Spec] = &[
    Spec("v", Takes::Argument),
    Spec("ve", Takes::Nothing),
    Spec("t", Takes::Argument),
    Spec("s", Takes::Argument),
    Spec("d", Takes::Argument),
    Spec("f", Takes::Nothing),
];
