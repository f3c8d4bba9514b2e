//! The words behind `icacls`.

use std::sync::Arc;

use super::{PermissionError, parse_integrity_level, parse_permission};
use crate::{
    command::{
        Accounts, Diagnostic, Span, Word,
        accounts::UnknownAccount,
        diagnostic::Fault,
        nearest::nearest,
        programs::{begins_command, run_together, second_command},
        reg::placeholder,
        word::shown,
    },
    security::{AceFlags, Entries, IntegrityLevel, Permission, Sid},
};

/// `icacls PATH …`
///
/// ```
/// use hivesmith::command::{Accounts, icacls::{Action, Edit, IcaclsCommand}};
///
/// let words = ["F:\\MachineKeys", "/t", "/C", "/grant", "NT AUTHORITY\\System:(F)", "/inheritance:d"];
/// let command = IcaclsCommand::from_args(words, &Accounts::new())?;
/// assert!(command.recurse && command.go_on && !command.quiet);
/// let Action::Edit(edits) = &command.action else { panic!() };
/// assert!(matches!(edits[..], [Edit::Grant(_), Edit::ProtectKeeping]));
/// # Ok::<(), hivesmith::command::Diagnostic>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools)] // The switches of the original.
pub struct IcaclsCommand {
    /// The file or folder, as written; its last part may hold `*` and `?`.
    pub path: String,
    /// What is done.
    pub action: Action,
    /// `/t`: with all below it.
    pub recurse: bool,
    /// `/c`: go on behind what fails.
    pub go_on: bool,
    /// `/l`: a link itself, where the path names one.
    pub link: bool,
    /// `/q`: no line for what went well.
    pub quiet: bool,
}

/// What `icacls` does.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// Nothing: who may do what is listed.
    List,
    /// These edits, in this order.
    Edit(Vec<Edit>),
    /// `/save FILE`
    Save {
        /// The file, as written.
        file: String,
    },
    /// `/restore FILE [/substitute OLD NEW]…`
    Restore {
        /// The file, as written.
        file: String,
        /// SIDs to be put in the place of others.
        substitutes: Vec<(Sid, Sid)>,
    },
    /// `/findsid SID`
    FindSid(Sid),
    /// `/verify`
    Verify,
}

/// One change of a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Edit {
    /// `/grant`
    Grant(Permission),
    /// `/grant:r`
    GrantOnly(Permission),
    /// `/deny`
    Deny(Permission),
    /// `/remove`, `/remove:g`, `/remove:d`
    Remove(Sid, Entries),
    /// `/setowner`
    SetOwner(Sid),
    /// `/inheritance:e`
    Unprotect,
    /// `/inheritance:d`
    ProtectKeeping,
    /// `/inheritance:r`
    ProtectDropping,
    /// `/reset`
    Reset,
    /// `/setintegritylevel`
    SetIntegrityLevel(IntegrityLevel, AceFlags),
}

impl IcaclsCommand {
    /// Reads the words behind `icacls`.
    ///
    /// # Errors
    ///
    /// A [`Diagnostic`] that shows the line with the wrong word underlined.
    pub fn from_args<I>(args: I, accounts: &Accounts) -> Result<Self, Diagnostic>
    where
        I: IntoIterator<Item: Into<String>>,
    {
        let (line, words) = Word::from_args("icacls", args);
        let line: Arc<str> = line.into();
        let end = words.last().map_or(Span { line: 1, column: 7, length: 1, offset: 6 }, Word::end);
        Self::from_words(&words, end, accounts).map_err(|fault| Diagnostic::new(None, &line, fault))
    }

    pub(in crate::command) fn from_words(words: &[Word], end: Span, accounts: &Accounts) -> Result<Self, Fault> {
        if let Some(fault) = run_together(words) {
            return Err(fault);
        }
        if let Some(word) = words.iter().find(|word| word.placeholder) {
            return Err(placeholder(word));
        }
        let mut parser = Parser { rest: words.iter().peekable(), end, accounts, path: None, given: Given::default() };
        while let Some(word) = parser.rest.next() {
            match option(word) {
                Some(name) => parser.option(word, &name)?,
                None => parser.positional(word)?,
            }
        }
        parser.finish()
    }
}

/// `/grant`, in lower case and without its mark, if the word is an option of `icacls`.
fn option(word: &Word) -> Option<String> {
    let name = word.text.strip_prefix('/')?.to_ascii_lowercase();
    OPTIONS.contains(&name.as_str()).then_some(name)
}

const OPTIONS: [&str; 21] = [
    "t",
    "c",
    "l",
    "q",
    "grant",
    "grant:r",
    "deny",
    "remove",
    "remove:g",
    "remove:d",
    "setowner",
    "inheritance:e",
    "inheritance:d",
    "inheritance:r",
    "reset",
    "save",
    "restore",
    "substitute",
    "findsid",
    "verify",
    "setintegritylevel",
];

#[derive(Default)]
#[allow(clippy::struct_excessive_bools)] // As above.
struct Given {
    recurse: bool,
    go_on: bool,
    link: bool,
    quiet: bool,
    edits: Vec<Edit>,
    other: Option<Action>,
    substitutes: Vec<(Sid, Sid)>,
}

struct Parser<'a, I: Iterator<Item = &'a Word>> {
    rest: std::iter::Peekable<I>,
    end: Span,
    accounts: &'a Accounts,
    path: Option<String>,
    given: Given,
}

impl<'a, I: Iterator<Item = &'a Word>> Parser<'a, I> {
    fn positional(&mut self, word: &'a Word) -> Result<(), Fault> {
        if let Some(next) = self.rest.peek() {
            if begins_command(word, next) {
                return Err(second_command(word));
            }
        }
        if self.path.is_some() {
            let fault = Fault::new(word.span, format!("`icacls` does not know what `{}` is", shown(&word.text)));
            let near = word.text.strip_prefix('/').and_then(|name| nearest(name, OPTIONS));
            return Err(match near {
                Some(near) => fault.hint(format!("did you mean `/{near}`?")),
                None if looks_like_path(&word.text) => {
                    fault.hint("it takes one path; a pattern in quotes is left to it by the shell")
                }
                None => fault,
            });
        }
        self.path = Some(word.text.clone());
        Ok(())
    }

    fn option(&mut self, word: &'a Word, name: &str) -> Result<(), Fault> {
        let given = &mut self.given;
        let switch = match name {
            "t" => Some(&mut given.recurse),
            "c" => Some(&mut given.go_on),
            "l" => Some(&mut given.link),
            "q" => Some(&mut given.quiet),
            _ => None,
        };
        if let Some(switch) = switch {
            *switch = true;
            return Ok(());
        }
        let edit = match name {
            "grant" => return self.permissions(name, Edit::Grant),
            "grant:r" => return self.permissions(name, Edit::GrantOnly),
            "deny" => return self.permissions(name, Edit::Deny),
            "remove" => return self.removals(name, Entries::All),
            "remove:g" => return self.removals(name, Entries::Grants),
            "remove:d" => return self.removals(name, Entries::Denials),
            "setintegritylevel" => {
                let argument = self.argument(name, "a level")?;
                let (level, flags) = parse_integrity_level(&argument.text).map_err(|error| at(argument, error))?;
                Edit::SetIntegrityLevel(level, flags)
            }
            "setowner" => Edit::SetOwner(self.sid(name)?),
            "inheritance:e" => Edit::Unprotect,
            "inheritance:d" => Edit::ProtectKeeping,
            "inheritance:r" => Edit::ProtectDropping,
            "reset" => Edit::Reset,
            "substitute" => {
                let pair = (self.sid(name)?, self.sid(name)?);
                self.given.substitutes.push(pair);
                return Ok(());
            }
            _ => return self.other(word, name),
        };
        self.given.edits.push(edit);
        Ok(())
    }

    /// What is not an edit: one of them, alone.
    fn other(&mut self, word: &'a Word, name: &str) -> Result<(), Fault> {
        let action = match name {
            "save" => Action::Save { file: self.argument(name, "a file")?.text.clone() },
            "restore" => Action::Restore { file: self.argument(name, "a file")?.text.clone(), substitutes: Vec::new() },
            "findsid" => Action::FindSid(self.sid(name)?),
            _ => Action::Verify,
        };
        if self.given.other.replace(action).is_some() {
            return Err(Fault::new(
                word.span,
                format!("`/{name}` cannot be given together with what stands before it"),
            ));
        }
        Ok(())
    }

    fn permissions(&mut self, name: &str, edit: fn(Permission) -> Edit) -> Result<(), Fault> {
        let mut first = true;
        while first || self.rest.peek().is_some_and(|word| option(word).is_none() && word.text.contains(':')) {
            // `icacls /grant X:F PATH`: what begins with a drive is the path.
            if !first && self.path.is_none() && self.rest.peek().is_some_and(|word| looks_like_path(&word.text)) {
                break;
            }
            let word = self.argument(name, "an account and its rights")?;
            let permission = parse_permission(&word.text, self.accounts).map_err(|error| at(word, error))?;
            self.given.edits.push(edit(permission));
            first = false;
        }
        Ok(())
    }

    fn removals(&mut self, name: &str, entries: Entries) -> Result<(), Fault> {
        let mut first = true;
        while first || self.path.is_some() && self.rest.peek().is_some_and(|word| option(word).is_none()) {
            let sid = self.sid(name)?;
            self.given.edits.push(Edit::Remove(sid, entries));
            first = false;
        }
        Ok(())
    }

    fn sid(&mut self, name: &str) -> Result<Sid, Fault> {
        let word = self.argument(name, "an account")?;
        self.accounts.sid(&word.text).map_err(|error| {
            let fault = Fault::new(word.span, error.to_string());
            if error.near.is_some() { fault.hint(UnknownAccount::HINT) } else { fault }
        })
    }

    fn argument(&mut self, name: &str, what: &str) -> Result<&'a Word, Fault> {
        let next = self.rest.next_if(|word| option(word).is_none());
        next.ok_or_else(|| {
            let span = self.rest.peek().map_or(self.end, |word| word.span);
            Fault::new(span, format!("`/{name}` needs {what} behind it"))
        })
    }

    fn finish(self) -> Result<IcaclsCommand, Fault> {
        let Given { recurse, go_on, link, quiet, edits, other, substitutes } = self.given;
        let Some(path) = self.path else {
            return Err(Fault::new(self.end, "`icacls` needs a file or folder"));
        };
        let alone = |what| Err(Fault::new(self.end, format!("`/{what}` cannot be given together with changes")));
        let action = match other {
            None if edits.is_empty() => Action::List,
            None => Action::Edit(edits),
            Some(Action::Restore { file, .. }) if edits.is_empty() => {
                return Ok(IcaclsCommand {
                    path,
                    action: Action::Restore { file, substitutes },
                    recurse,
                    go_on,
                    link,
                    quiet,
                });
            }
            Some(action) if edits.is_empty() => action,
            Some(Action::Save { .. }) => return alone("save"),
            Some(Action::Restore { .. }) => return alone("restore"),
            Some(Action::FindSid(_)) => return alone("findsid"),
            Some(_) => return alone("verify"),
        };
        if !substitutes.is_empty() {
            return Err(Fault::new(self.end, "`/substitute` belongs to `/restore`"));
        }
        Ok(IcaclsCommand { path, action, recurse, go_on, link, quiet })
    }
}

/// `F:\…`, `\\…`, `/mnt/…`
fn looks_like_path(text: &str) -> bool {
    text.starts_with(['/', '\\']) || matches!(text.as_bytes(), [_, b':', b'\\' | b'/', ..])
}

/// A complaint about a part of a word; one that had quotes begins one later.
fn at(word: &Word, error: PermissionError) -> Fault {
    let quote = u32::from(word.quoted);
    let before = word.text.get(..error.offset).map_or(0, |text| text.chars().count()) as u32;
    let length = word.text.get(error.offset..error.offset + error.length).map_or(1, |text| text.chars().count().max(1));
    let span = Span {
        column: word.span.column.saturating_add(before + quote),
        length: length as u32,
        offset: word.span.offset + error.offset + quote as usize,
        ..word.span
    };
    let fault = Fault::new(span, error.message);
    match error.hint {
        Some(hint) => fault.hint(hint),
        None => fault,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::security::well_known;

    fn parsed(words: &[&str]) -> IcaclsCommand {
        IcaclsCommand::from_args(words.iter().copied(), &Accounts::new()).unwrap_or_else(|error| panic!("{error}"))
    }

    fn refused(words: &[&str]) -> String {
        IcaclsCommand::from_args(words.iter().copied(), &Accounts::new()).unwrap_err().render().to_string()
    }

    #[test]
    fn without_a_verb_it_lists() {
        let command = parsed(&["/mnt/win/x", "/T", "/c", "/q", "/L"]);
        let expected = IcaclsCommand {
            path: "/mnt/win/x".to_owned(),
            action: Action::List,
            recurse: true,
            go_on: true,
            link: true,
            quiet: true,
        };
        assert_eq!(command, expected);
    }

    #[test]
    fn verbs_take_what_belongs_to_them() {
        let edits = |words: &[&str]| match parsed(words).action {
            Action::Edit(edits) => edits,
            other => panic!("{other:?}"),
        };
        let (system, everyone) = (well_known::LOCAL_SYSTEM, well_known::EVERYONE);
        assert_eq!(edits(&["x", "/grant", "SYSTEM:F", "Everyone:(OI)(R)", "/deny", "Everyone:W"]).len(), 3);
        assert_eq!(edits(&["/grant:r", "SYSTEM:F", "F:\\x"]).len(), 1);
        assert_eq!(
            edits(&["x", "/remove", "SYSTEM", "*S-1-1-0", "/remove:g", "SYSTEM", "/remove:d", "SYSTEM"]),
            [
                Edit::Remove(system, Entries::All),
                Edit::Remove(everyone, Entries::All),
                Edit::Remove(system, Entries::Grants),
                Edit::Remove(system, Entries::Denials),
            ]
        );
        assert_eq!(
            edits(&["x", "/inheritance:E", "/inheritance:d", "/inheritance:r", "/reset", "/setowner", "SYSTEM"]),
            [Edit::Unprotect, Edit::ProtectKeeping, Edit::ProtectDropping, Edit::Reset, Edit::SetOwner(system)]
        );
        assert_eq!(
            edits(&["x", "/setintegritylevel", "(OI)H"]),
            [Edit::SetIntegrityLevel(IntegrityLevel::High, AceFlags::OBJECT_INHERIT)]
        );
        assert_eq!(
            parsed(&["x", "/restore", "acl", "/substitute", "SYSTEM", "Everyone"]).action,
            Action::Restore { file: "acl".to_owned(), substitutes: vec![(system, everyone)] }
        );
        assert_eq!(parsed(&["x", "/save", "acl", "/t"]).action, Action::Save { file: "acl".to_owned() });
        assert_eq!(parsed(&["x", "/findsid", "SYSTEM"]).action, Action::FindSid(system));
        assert_eq!(parsed(&["x", "/verify"]).action, Action::Verify);
    }

    #[test]
    fn complaints_underline_what_they_are_about() {
        assert_eq!(
            refused(&["F:\\x y", "/grant", "NT AUTHORITY\\SYSTEM:(Q)"]),
            "`Q` is no right\n  | icacls \"F:\\x y\" /grant \"NT AUTHORITY\\SYSTEM:(Q)\"\n  |                                              ^\n"
                .to_owned()
                + "  = F, M, RX, R, W, D, N; between parentheses also DE, RC, WDAC, WO, S, AS, MA, GR, GW, GE, GA, RD, "
                + "WD, AD, REA, WEA, X, DC, RA, WA\n"
        );
        assert!(refused(&["x", "/grnat", "SYSTEM:F"]).contains("did you mean `/grant`?"));
        assert!(refused(&[]).starts_with("`icacls` needs a file or folder"));
        assert!(refused(&["x", "/grant"]).starts_with("`/grant` needs an account and its rights behind it"));
        assert!(refused(&["x", "/grant", "/t"]).starts_with("`/grant` needs"));
        assert!(refused(&["x", "/grant", "Bob:F"]).starts_with("unknown account `Bob`"));
        assert!(refused(&["x", "/setowner", "Evryone"]).contains("did you mean `Everyone`?"));
        assert!(refused(&["x", "/verify", "/reset"]).starts_with("`/verify` cannot be given together with changes"));
        assert!(refused(&["x", "/verify", "/save", "f"]).starts_with("`/save` cannot be given together"));
        assert!(refused(&["x", "/substitute", "SYSTEM", "Everyone"]).contains("belongs to `/restore`"));
        assert!(refused(&["x", "reg", "add"]).contains("a second command"));
    }
}
