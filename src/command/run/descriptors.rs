//! `icacls` and `takeown`: looking at descriptors of files, and planning their changes.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    NewFile, RunError,
    targets::{self, Target, Targets},
    tree::{Change, Job},
};
use crate::{
    command::{
        Accounts,
        icacls::{self, Action, Edit, IcaclsCommand, SaveError, SavedDescriptor},
        takeown::{self, TakeownCommand},
    },
    name::{NameBuf, Units as _},
    plan::{DescriptorPath, Descriptors},
    security::{SddlContext, SecurityDescriptor, Sid, well_known},
    volume::{Drives, Existing, Place, Walk, name_of, os_name, shown_name},
};

/// Carries out commands on descriptors of files: changes are planned, nothing is written.
pub struct FileCommands<'a> {
    /// What drive letters mean.
    pub drives: &'a Drives,
    /// Who is who.
    pub accounts: &'a Accounts,
    /// What is planned so far: commands see it and add to it.
    pub plan: &'a mut Descriptors,
    /// Where the command comes from.
    pub why: Arc<str>,
    /// Called with the number of files that were looked at, now and then.
    pub progress: &'a mut dyn FnMut(usize),
}

/// What a command on descriptors came to.
#[derive(Debug, Default)]
pub struct FileEffect {
    /// The files that were dealt with.
    pub done: usize,
    /// Those that could not be, as the command shows them, and why.
    pub failed: Vec<(String, io::Error)>,
    /// Worth saying besides.
    pub warnings: Vec<String>,
    /// The command's own answer was "no": nothing found, or something that is not in order.
    pub negative: bool,
    /// Files that it writes.
    pub files: Vec<NewFile>,
}

impl FileEffect {
    /// One warning more; of thousands the first hundred are said.
    pub(super) fn warn(&mut self, warning: String) {
        const MOST: usize = 100;
        match self.warnings.len() {
            0..MOST => self.warnings.push(warning),
            MOST => self.warnings.push("and more of that kind".to_owned()),
            _ => {}
        }
    }
}

impl FileCommands<'_> {
    /// Carries out one `icacls` command. What it prints goes to `out`, line by line, without the last line: that one is
    /// true only once the plan was carried out.
    ///
    /// # Errors
    ///
    /// [`RunError`]; without `/c` also for the first file that cannot be dealt with. The plan should be dropped then.
    pub fn icacls(&mut self, command: &IcaclsCommand, out: &mut dyn fmt::Write) -> Result<FileEffect, RunError> {
        let mut targets = targets::find(self.drives, &command.path, command.link)?;
        match &command.action {
            Action::Edit(edits) => {
                let printed = |shown: &str| (!command.quiet).then(|| icacls::processed(shown));
                let change = Change { edits, recurse: command.recurse, go_on: command.go_on, printed: &printed };
                Job::new(self, &targets, change, out).run()
            }
            Action::Restore { file, substitutes } => self.restore(&mut targets, file, substitutes, command, out),
            Action::Save { file } => {
                let mut bytes = Vec::new();
                let mut effect = self.look(&targets, command, out, &mut |seen, _| {
                    // One after the other: what has no words in SDDL is that file's failure, which `/c` passes over.
                    let saved = SavedDescriptor::dacl(seen.saved_as()?, seen.descriptor);
                    let lines = icacls::write_saved(&[saved]).map_err(|error| {
                        let why = match &error {
                            SaveError::Path { .. } => "its name holds a line end".to_owned(),
                            SaveError::Descriptor { error, .. } => error.to_string(),
                            other => other.to_string(),
                        };
                        io::Error::new(io::ErrorKind::InvalidData, format!("it cannot be saved: {why}"))
                    })?;
                    bytes.extend(lines);
                    Ok(None)
                })?;
                effect.files.push(NewFile { path: file.clone(), bytes, existing: Existing::Replace });
                Ok(effect)
            }
            Action::List => self.look(&targets, command, out, &mut |seen, accounts| {
                let lines = icacls::listing(seen.shown, seen.descriptor, accounts);
                Ok(Some(lines.join("\n") + "\n\n"))
            }),
            Action::FindSid(sid) => {
                let mut found = 0;
                let mut effect = self.look(&targets, command, out, &mut |seen, _| {
                    let mentions = seen.descriptor.mentions(sid);
                    found += usize::from(mentions);
                    Ok(mentions.then(|| format!("SID Found: {}.\n", seen.shown)))
                })?;
                effect.negative = found == 0;
                Ok(effect)
            }
            Action::Verify => {
                let mut wrong = 0;
                let mut effect = self.look(&targets, command, out, &mut |seen, _| {
                    let disorder = seen.descriptor.dacl().acl().map(crate::security::Acl::disorder).unwrap_or_default();
                    wrong += usize::from(!disorder.is_empty());
                    Ok(Some(disorder.iter().map(|what| format!("{}: {what}\n", seen.shown)).collect()))
                })?;
                effect.negative = wrong > 0;
                Ok(effect)
            }
        }
    }

    /// Carries out one `takeown` command. `owner` is who the caller is taken for; with `/a` the administrators are.
    ///
    /// # Errors
    ///
    /// As [`icacls`](Self::icacls).
    pub fn takeown(
        &mut self,
        command: &TakeownCommand,
        owner: Option<Sid>,
        out: &mut dyn fmt::Write,
    ) -> Result<FileEffect, RunError> {
        let owner = match (owner, command.administrators) {
            (Some(owner), _) => owner,
            (None, true) => well_known::ADMINISTRATORS,
            (None, false) => {
                let message = "offline nobody is logged on who could become the owner: /a makes it the administrators, \
                    `hivesmith takeown --owner SID` anybody else";
                return Err(RunError::Refused(message.to_owned()));
            }
        };
        let targets = targets::find(self.drives, &command.path, false)?;
        let name = self.accounts.name(&owner);
        let printed = |shown: &str| Some(takeown::taken(shown, &owner, &name));
        let edits = [Edit::SetOwner(owner)];
        let change = Change { edits: &edits, recurse: command.recurse, go_on: true, printed: &printed };
        Job::new(self, &targets, change, out).run()
    }

    /// Shows every file to `look`, which says what is printed of it.
    fn look(
        &mut self,
        targets: &Targets,
        command: &IcaclsCommand,
        out: &mut dyn fmt::Write,
        look: &mut dyn FnMut(&Seen<'_>, &Accounts) -> io::Result<Option<String>>,
    ) -> Result<FileEffect, RunError> {
        let mut effect = FileEffect::default();
        for target in &targets.found {
            let mut walk = Walk::default();
            // What paths of saved files are relative to: the folder that holds the one that was named.
            let from = target.path.parent().unwrap_or(Path::new(""));
            let mut one = |path: &Path, shown: &str, place: &Place| -> io::Result<Option<String>> {
                let bytes = self.plan.of(place)?;
                let descriptor = parsed(&bytes)?;
                look(
                    &Seen { path: path.strip_prefix(from).unwrap_or(path), shown, descriptor: &descriptor },
                    self.accounts,
                )
            };
            let first = targets.hold(target).and_then(|(place, _)| {
                let printed = one(&target.path, &target.shown, &place);
                if command.recurse {
                    walk.enter(&place, &target.path, target.shown.clone())?;
                }
                printed
            });
            take(first, &target.shown, command.go_on, &mut effect, out)?;
            while let Some(found) = walk.next() {
                (self.progress)(effect.done + effect.failed.len());
                let (printed, shown) = match found {
                    Err((path, error)) => (Err(error), shown_below(target, &path)),
                    Ok(found) => {
                        let shown = targets::below(found.above, &shown_name(&found.name));
                        let path = found.path;
                        let printed = found.place.and_then(|place| {
                            let printed = one(&path, &shown, &place);
                            walk.enter(&place, &path, shown.clone()).and(printed)
                        });
                        (printed, shown)
                    }
                };
                take(printed, &shown, command.go_on, &mut effect, out)?;
            }
        }
        Ok(effect)
    }

    /// `/restore`: paths of the file are those below the folder that was named.
    fn restore(
        &mut self,
        targets: &mut Targets,
        file: &str,
        substitutes: &[(Sid, Sid)],
        command: &IcaclsCommand,
        out: &mut dyn fmt::Write,
    ) -> Result<FileEffect, RunError> {
        let bytes = self.drives.read(file).map_err(|error| RunError::File(file.to_owned(), error))?;
        let refused = |error: &dyn fmt::Display| RunError::Refused(format!("{file}: {error}"));
        let saved = icacls::read_saved(&bytes, &SddlContext::default()).map_err(|error| refused(&error))?;
        let [target] = targets.found.as_slice() else {
            return Err(refused(&"it is restored below one folder; no pattern can stand for that"));
        };
        let mut effect = FileEffect::default();
        for mut entry in saved {
            for (old, new) in substitutes {
                entry.descriptor.substitute(old, new).map_err(|error| refused(&error))?;
            }
            let shown = targets::below(&target.shown, &entry.path.to_string());
            let done = self.restore_one(targets, target, &entry, &shown);
            let printed = done.map(|()| (!command.quiet).then(|| icacls::processed(&shown)));
            take(printed, &shown, command.go_on, &mut effect, out)?;
            (self.progress)(effect.done + effect.failed.len());
        }
        Ok(effect)
    }

    fn restore_one(
        &mut self,
        targets: &Targets,
        target: &Target,
        entry: &SavedDescriptor,
        shown: &str,
    ) -> io::Result<()> {
        let start = targets.root.below(&target.path)?;
        let (place, below) = match String::from_utf16(entry.path.as_units()) {
            Ok(path) => start.resolve(&path)?,
            Err(_) => {
                let parts = entry.path.as_units().split(|&unit| unit == u16::from(b'\\'));
                let path: PathBuf = parts.map(|part| os_name(&NameBuf::from(part.to_vec()))).collect();
                (start.below(&path)?, path)
            }
        };
        let before = self.plan.of(&place)?;
        let after = entry.restored_to(&parsed(&before)?).to_bytes();
        if after != *before {
            let path = target.path.join(below);
            let at = DescriptorPath { volume: &targets.volume, path: &path, shown };
            self.plan.set(&place, at, &before, &after, &self.why);
        }
        Ok(())
    }
}

/// A file that a command looks at.
struct Seen<'a> {
    /// Its path from the folder that holds what the command named.
    path: &'a Path,
    shown: &'a str,
    descriptor: &'a SecurityDescriptor,
}

impl Seen<'_> {
    fn saved_as(&self) -> io::Result<NameBuf> {
        let mut units = Vec::new();
        for part in self.path {
            let name = name_of(part).ok_or_else(|| {
                io::Error::new(io::ErrorKind::InvalidData, "its name is none that Windows could read back")
            })?;
            if !units.is_empty() {
                units.push(u16::from(b'\\'));
            }
            units.extend(name.units());
        }
        Ok(NameBuf::from(units))
    }
}

/// A descriptor as it was read.
pub(super) fn parsed(bytes: &[u8]) -> io::Result<SecurityDescriptor> {
    SecurityDescriptor::parse(bytes)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, format!("its descriptor is damaged: {error}")))
}

/// Books one file: what is printed of it, or why it failed, which ends the command without `/c`.
pub(super) fn take(
    printed: io::Result<Option<String>>,
    shown: &str,
    go_on: bool,
    effect: &mut FileEffect,
    out: &mut dyn fmt::Write,
) -> Result<(), RunError> {
    match printed {
        Ok(text) => {
            effect.done += 1;
            // Only a reader that went away makes this fail.
            let gone = |_| RunError::File("the output".to_owned(), io::ErrorKind::BrokenPipe.into());
            text.map_or(Ok(()), |text| out.write_str(&text)).map_err(gone)
        }
        Err(error) if go_on => {
            effect.failed.push((shown.to_owned(), error));
            Ok(())
        }
        Err(error) => Err(RunError::File(shown.to_owned(), error)),
    }
}

/// How a path below a target is shown.
pub(super) fn shown_below(target: &Target, path: &Path) -> String {
    let below = path.strip_prefix(&target.path).unwrap_or(path);
    below.iter().fold(target.shown.clone(), |shown, part| targets::below(&shown, &shown_name(part)))
}
