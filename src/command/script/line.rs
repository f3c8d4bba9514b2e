//! What a line of a script asks for.

use std::sync::Arc;

use super::powershell::ProviderCommand;
use crate::command::{
    Diagnostic, Span, Word, bcdedit::BcdEdit, diagnostic::Fault, icacls::IcaclsCommand, reg::RegCommand, sc::ScCommand,
    takeown::TakeownCommand,
};

/// One command of a script.
#[derive(Clone, Debug)]
pub struct Line {
    /// Where the command stands, from its first word.
    pub span: Span,
    /// What it asks for.
    pub command: Command,
    /// Where its output goes.
    pub redirections: Vec<Redirection>,
    /// `| more`: its output was to be read page by page.
    pub paged: bool,
    pub(super) file: Arc<str>,
    pub(super) source: Arc<str>,
}

impl Line {
    /// The line of text the command begins on.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// A complaint about the whole command, for those who carry it out.
    #[must_use]
    pub fn diagnostic(&self, message: impl Into<String>) -> Diagnostic {
        self.diagnostic_at(self.span, message)
    }

    /// A complaint about a part of it, such as [`Word::span`].
    #[must_use]
    pub fn diagnostic_at(&self, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Some(&self.file), &self.source, Fault::new(span, message))
    }
}

/// A command by its program.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Command {
    /// `reg`
    Reg(RegCommand),
    /// `bcdedit`
    BcdEdit(BcdEdit),
    /// A PowerShell command on registry or certificate paths.
    Provider(ProviderCommand),
    /// `icacls`
    Icacls(IcaclsCommand),
    /// `takeown`
    Takeown(TakeownCommand),
    /// `sc`
    Sc(ScCommand),
    /// `md`, `mkdir`
    MakeDirectory {
        /// The directories, as written.
        paths: Vec<String>,
    },
    /// `wevtutil`: known by name, its words as the program would get them.
    Other {
        /// Its name in lower case, without path and `.exe`.
        program: &'static str,
        /// Its arguments.
        words: Vec<Word>,
    },
    /// Something that only a running Windows can do.
    Online {
        /// The command as written.
        what: String,
        /// What to do in its place, as a sentence.
        instead: &'static str,
    },
}

/// `> file`, `>> file`, `2>&1`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirection {
    /// 1 for the output, 2 for the errors.
    pub stream: u8,
    /// `>>`: behind what the file holds already.
    pub append: bool,
    /// Where to.
    pub target: Target,
    /// Where it stands.
    pub span: Span,
}

/// Where output goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A file, as written.
    File(String),
    /// `nul`: nowhere.
    Null,
    /// `&1`, `&2`: where that stream goes.
    Stream(u8),
}
