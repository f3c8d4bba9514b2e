//! The commands about files: `load`, `unload`, `save`, `restore`, `export`, `import`.
//!
//! Files are named as the user named them: `F:\windows\system32\config\SYSTEM`, or a path of this machine. Which file
//! that is, the caller knows.

use super::{
    RegPath, RootKey, View,
    arguments::{Arguments, Spec, Takes, key},
};
use crate::command::{Span, Word, diagnostic::Fault};

/// `reg load KEY FILE`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Load {
    /// The key, directly below `HKLM` or `HKU`, to load it at.
    pub key: RegPath,
    /// The hive file.
    pub file: String,
    /// The view of the registry.
    pub view: View,
}

impl Load {
    pub(super) fn from_words(words: &[Word], end: Span) -> Result<Self, Fault> {
        let mut arguments = Arguments::new("load", words, end, 2, &[])?;
        let key = mounted(&mut arguments)?;
        let file = file(&mut arguments)?;
        Ok(Self { key, file, view: arguments.view()? })
    }
}

/// `reg save KEY FILE [/y]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Save {
    /// The key to save with everything below it.
    pub key: RegPath,
    /// The hive file to write.
    pub file: String,
    /// `/y`: overwrite without asking.
    pub overwrite: bool,
    /// The view of the registry.
    pub view: View,
}

impl Save {
    pub(super) fn from_words(words: &[Word], end: Span) -> Result<Self, Fault> {
        let mut arguments = Arguments::new("save", words, end, 2, OVERWRITE)?;
        let key = arguments.key("a key")?;
        let file = file(&mut arguments)?;
        Ok(Self { key, file, overwrite: arguments.has("y"), view: arguments.view()? })
    }
}

/// `reg restore KEY FILE`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restore {
    /// The key whose contents are replaced.
    pub key: RegPath,
    /// The hive file they come from.
    pub file: String,
    /// The view of the registry.
    pub view: View,
}

impl Restore {
    pub(super) fn from_words(words: &[Word], end: Span) -> Result<Self, Fault> {
        let mut arguments = Arguments::new("restore", words, end, 2, &[])?;
        let key = arguments.key("a key")?;
        let file = file(&mut arguments)?;
        Ok(Self { key, file, view: arguments.view()? })
    }
}

/// `reg export KEY FILE [/y]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// The key to export with everything below it.
    pub key: RegPath,
    /// The `.reg` file to write.
    pub file: String,
    /// `/y`: overwrite without asking.
    pub overwrite: bool,
    /// The view of the registry.
    pub view: View,
}

impl Export {
    pub(super) fn from_words(words: &[Word], end: Span) -> Result<Self, Fault> {
        let mut arguments = Arguments::new("export", words, end, 2, OVERWRITE)?;
        let key = arguments.key("a key")?;
        let file = file(&mut arguments)?;
        Ok(Self { key, file, overwrite: arguments.has("y"), view: arguments.view()? })
    }
}

/// `reg unload KEY`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unload {
    /// The key it was loaded at.
    pub key: RegPath,
}

impl Unload {
    pub(super) fn from_words(words: &[Word], end: Span) -> Result<Self, Fault> {
        let mut arguments = Arguments::new("unload", words, end, 1, &[])?;
        Ok(Self { key: mounted(&mut arguments)? })
    }
}

/// `reg import FILE`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// The `.reg` file.
    pub file: String,
    /// The view of the registry.
    pub view: View,
}

impl Import {
    pub(super) fn from_words(words: &[Word], end: Span) -> Result<Self, Fault> {
        let mut arguments = Arguments::new("import", words, end, 1, &[])?;
        Ok(Self { file: file(&mut arguments)?, view: arguments.view()? })
    }
}

/// A key at which a hive can be loaded: directly below `HKLM` or `HKU`.
fn mounted(arguments: &mut Arguments<'_>) -> Result<RegPath, Fault> {
    let word = arguments.positional("a key such as HKLM\\BROKENSYSTEM")?;
    let key = key(word)?;
    if key.path.names().len() != 1 || !matches!(key.root, RootKey::LocalMachine | RootKey::Users) {
        return Err(Fault::new(word.span, "a hive is loaded directly below HKLM or HKU, as HKLM\\BROKENSYSTEM"));
    }
    Ok(key)
}

fn file(arguments: &mut Arguments<'_>) -> Result<String, Fault> {
    let word = arguments.positional("a file")?;
    if word.text.is_empty() {
        return Err(Fault::new(word.span, "the name of the file is empty"));
    }
    Ok(word.text.clone())
}

const OVERWRITE: &[Spec] = &[Spec("y", Takes::Nothing)];
