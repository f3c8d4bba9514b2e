//! The few PowerShell commands that documents use on registry and certificate paths.
//!
//! Only plain arguments are understood: texts, numbers, variables that were set to a text. The one expression known is
//! the documents' way to name the listener's certificates,
//! `'Cert:\LocalMachine\STORE\'+((Get-ChildItem -Path 'Cert:\LocalMachine\STORE\').thumbprint)`.

mod arguments;
mod lexer;
mod paths;
mod session;

pub use self::session::ItemValue;
pub(super) use self::session::{Session, Statement};

use crate::{
    ValueType,
    command::reg::{RegPath, RootKey},
    name::NameBuf,
};

/// A PowerShell command on a registry or certificate path.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProviderCommand {
    /// `Set-ItemProperty`, `New-ItemProperty`
    SetItemProperty {
        /// The key. Unlike `reg add`, these commands do not make it.
        key: RegPath,
        /// The value's name; empty for `(Default)`.
        name: NameBuf,
        /// `-Type`, `-PropertyType`; without one an existing value keeps its type.
        kind: Option<ValueType>,
        /// What to store.
        value: ItemValue,
    },
    /// `Remove-ItemProperty`
    RemoveItemProperty {
        /// The key.
        key: RegPath,
        /// The value's name; empty for `(Default)`.
        name: NameBuf,
    },
    /// `New-Item`
    NewItem {
        /// The key to make.
        key: RegPath,
    },
    /// `Remove-Item` on a registry path
    RemoveItem {
        /// The key to delete.
        key: RegPath,
        /// `-Recurse`: with the keys below it.
        recurse: bool,
    },
    /// `Remove-Item` on a certificate path
    RemoveCertificates {
        /// The store of the local machine, such as `Remote Desktop`.
        store: String,
        /// One certificate; none for all of them.
        thumbprint: Option<String>,
    },
}

impl ProviderCommand {
    /// The registry key that it is about.
    #[must_use]
    pub fn key(&self) -> RegPath {
        match self {
            Self::SetItemProperty { key, .. }
            | Self::RemoveItemProperty { key, .. }
            | Self::NewItem { key }
            | Self::RemoveItem { key, .. } => key.clone(),
            // Where CryptoAPI keeps the stores of the machine: a key for each certificate, named by its thumbprint.
            Self::RemoveCertificates { store, .. } => RegPath {
                root: RootKey::LocalMachine,
                path: ["SOFTWARE", "Microsoft", "SystemCertificates", store, "Certificates"]
                    .into_iter()
                    .map(NameBuf::from)
                    .collect(),
            },
        }
    }
}

/// Whether a line is PowerShell: it begins with `$` or a word of the form `Verb-Noun`.
pub(super) fn is_statement(head: &str) -> bool {
    let word = head.split([' ', '\t', ';', '|']).next().unwrap_or_default();
    let letters = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphabetic());
    head.starts_with('$') || word.split_once('-').is_some_and(|(verb, noun)| letters(verb) && letters(noun))
}
