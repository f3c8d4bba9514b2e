//! `reg flags KEY [query | set [DONT_VIRTUALIZE] [DONT_SILENT_FAIL] [RECURSE_FLAG]]`

use super::{RegPath, View, arguments::Arguments};
use crate::command::{Span, Word, diagnostic::Fault, word::shown};

/// `reg flags`: how programs without rights to a key are deceived about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flags {
    /// The key, below `HKLM\SOFTWARE`.
    pub key: RegPath,
    /// What about them.
    pub request: FlagsRequest,
    /// The view of the registry.
    pub view: View,
}

/// Show the flags, or set these and clear the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the fields are the flags' own names")]
pub enum FlagsRequest {
    /// `query`
    Query,
    /// `set`
    Set { dont_virtualize: bool, dont_silent_fail: bool, recurse_flag: bool },
}

impl Flags {
    pub(super) fn from_words(words: &[Word], end: Span) -> Result<Self, Fault> {
        let mut arguments = Arguments::new("flags", words, end, 5, &[])?;
        let key = arguments.key("a key")?;
        let view = arguments.view()?;
        let mut rest = arguments.rest();
        let request = match rest.next() {
            None => FlagsRequest::Query,
            Some(word) if word.is("query") => match rest.next() {
                None => FlagsRequest::Query,
                Some(extra) => {
                    return Err(Fault::new(extra.span, format!("unexpected argument `{}`", shown(&extra.text))));
                }
            },
            Some(word) if word.is("set") => set(rest)?,
            Some(word) => {
                return Err(Fault::new(word.span, format!("`{}` is neither query nor set", shown(&word.text))));
            }
        };
        Ok(Self { key, request, view })
    }
}

fn set<'a>(words: impl Iterator<Item = &'a Word>) -> Result<FlagsRequest, Fault> {
    let (mut dont_virtualize, mut dont_silent_fail, mut recurse_flag) = (false, false, false);
    for word in words {
        match word.text.to_ascii_uppercase().as_str() {
            "DONT_VIRTUALIZE" => dont_virtualize = true,
            "DONT_SILENT_FAIL" => dont_silent_fail = true,
            "RECURSE_FLAG" => recurse_flag = true,
            _ => {
                let message = format!("`{}` is no flag", shown(&word.text));
                return Err(Fault::new(word.span, message).hint("DONT_VIRTUALIZE, DONT_SILENT_FAIL or RECURSE_FLAG"));
            }
        }
    }
    Ok(FlagsRequest::Set { dont_virtualize, dont_silent_fail, recurse_flag })
}
