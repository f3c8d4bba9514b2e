//! Changing descriptors of files, and of what inherits from them.

use std::{fmt, io, path::Path, rc::Rc};

use super::{
    FileCommands, FileEffect, RunError,
    descriptors::{parsed, shown_below, take},
    targets::{self, Holder, Target, Targets},
};
use crate::{
    command::icacls::{Edit, rights},
    plan::DescriptorPath,
    security::{
        Ace, AceFlags, Acl, AclState, Edited, Inherited, ListKind, ObjectKind, Permission, SecurityDescriptor, Subject,
    },
    volume::{Place, Walk, shown_name},
};

/// What is to be done to files.
pub(super) struct Change<'a> {
    pub(super) edits: &'a [Edit],
    /// To all below them too.
    pub(super) recurse: bool,
    pub(super) go_on: bool,
    /// What is printed of a file that was dealt with.
    pub(super) printed: &'a dyn Fn(&str) -> Option<String>,
}

/// One command that changes descriptors, on its way through the files.
pub(super) struct Job<'a, 'c> {
    commands: &'a mut FileCommands<'c>,
    targets: &'a Targets,
    change: Change<'a>,
    out: &'a mut dyn fmt::Write,
    effect: FileEffect,
    seen: usize,
}

/// A folder on the way, as its entries need to know it.
#[derive(Clone)]
struct Above {
    /// Its descriptor from now on.
    descriptor: Rc<SecurityDescriptor>,
    /// Whether its DACL and its SACL hand on something else than before: what is below inherits anew then.
    changed: [bool; 2],
    shown: String,
}

const LISTS: [ListKind; 2] = [ListKind::Dacl, ListKind::Sacl];

impl<'a, 'c> Job<'a, 'c> {
    pub(super) fn new(
        commands: &'a mut FileCommands<'c>,
        targets: &'a Targets,
        change: Change<'a>,
        out: &'a mut dyn fmt::Write,
    ) -> Self {
        Self { commands, targets, change, out, effect: FileEffect::default(), seen: 0 }
    }

    pub(super) fn run(mut self) -> Result<FileEffect, RunError> {
        let targets = self.targets;
        for target in &targets.found {
            self.target(target)?;
        }
        Ok(self.effect)
    }

    fn target(&mut self, target: &Target) -> Result<(), RunError> {
        let mut walk = Walk::default();
        let first = self.first(target, &mut walk);
        let printed = first.map(|()| (self.change.printed)(&target.shown));
        take(printed, &target.shown, self.change.go_on, &mut self.effect, self.out)?;
        while let Some(found) = walk.next() {
            self.seen += 1;
            (self.commands.progress)(self.seen);
            let found = match found {
                Ok(found) => found,
                Err((path, error)) => {
                    let shown = shown_below(target, &path);
                    take(Err(error), &shown, self.change.go_on, &mut self.effect, self.out)?;
                    continue;
                }
            };
            let (above, path, place) = (found.above.clone(), found.path, found.place);
            let shown = targets::below(&above.shown, &shown_name(&found.name));
            let done =
                place.and_then(|place| self.one(&place, &path, &shown, Some(&above), self.change.recurse, &mut walk));
            if self.change.recurse {
                let printed = done.map(|()| (self.change.printed)(&shown));
                take(printed, &shown, self.change.go_on, &mut self.effect, self.out)?;
            } else if let Err(error) = done {
                // Windows counts what was named; what only inherits is nobody's failure but worth a word.
                self.effect.warn(format!("{shown}: it does not inherit the change: {error}"));
            }
        }
        Ok(())
    }

    /// What the command names: its own parent is no part of the change, but what it inherits from.
    fn first(&mut self, target: &Target, walk: &mut Walk<Above>) -> io::Result<()> {
        let (place, holder) = self.targets.hold(target)?;
        let above = match holder {
            // What one hands on that cannot be read nobody knows: what was inherited stays, and only edits that need it
            // have to fail.
            Holder::Folder(above) => self.commands.plan.of(&above).and_then(|bytes| parsed(&bytes)).ok(),
            Holder::Unknown => None,
            Holder::Nobody => Some(SecurityDescriptor::new()),
        };
        let above = above.map(|descriptor| Above {
            descriptor: Rc::new(descriptor),
            changed: [false; 2],
            shown: String::new(),
        });
        self.one(&place, &target.path, &target.shown, above.as_ref(), true, walk)
    }

    fn one(
        &mut self,
        place: &Place,
        path: &Path,
        shown: &str,
        above: Option<&Above>,
        edited: bool,
        walk: &mut Walk<Above>,
    ) -> io::Result<()> {
        let object = place.object_kind();
        let before = self.commands.plan.of(place)?;
        let was = parsed(&before)?;
        let mut now = was.clone();
        if let Some(above) = above {
            for (list, _) in LISTS.into_iter().zip(above.changed).filter(|(_, changed)| *changed) {
                let inherited = now.inherit(&above.descriptor, object, list).map_err(too_large)?;
                self.warn_of_inheritance(shown, inherited);
            }
        }
        if edited {
            for edit in self.change.edits {
                self.edit(&mut now, *edit, object, above, shown)?;
            }
            // Whoever writes a list through Windows has its inherited entries computed anew.
            for (list, changed) in LISTS.into_iter().zip(differ(&was, &now)) {
                if let (true, Some(above)) = (changed, above) {
                    let inherited = now.inherit(&above.descriptor, object, list).map_err(too_large)?;
                    self.warn_of_inheritance(shown, inherited);
                }
            }
            self.warn_of_what_defeats_grants(&now, object, shown);
        }
        let after = now.to_bytes();
        if after != *before {
            let at = DescriptorPath { volume: &self.targets.volume, path, shown };
            self.commands.plan.set(place, at, &before, &after, &self.commands.why);
        }
        let changed = hand_on_differently(&was, &now);
        if object.container && (self.change.recurse || changed != [false; 2]) {
            walk.enter(place, path, Above { descriptor: Rc::new(now), changed, shown: shown.to_owned() })?;
        }
        Ok(())
    }

    fn edit(
        &mut self,
        now: &mut SecurityDescriptor,
        edit: Edit,
        object: ObjectKind,
        above: Option<&Above>,
        shown: &str,
    ) -> io::Result<()> {
        let parent = || {
            let unknown = || io::Error::other("the descriptor of the folder that holds it cannot be read");
            above.map(|above| Rc::clone(&above.descriptor)).ok_or_else(unknown)
        };
        let edited = match edit {
            Edit::Grant(permission) => now.grant(&permission, object).map_err(too_large)?,
            Edit::GrantOnly(permission) => now.grant_only(&permission, object).map_err(too_large)?,
            Edit::Deny(permission) => now.deny(&permission, object).map_err(too_large)?,
            Edit::Remove(sid, entries) => now.remove(&sid, entries).map_err(too_large)?,
            Edit::SetIntegrityLevel(level, flags) => {
                now.set_integrity_level(level, flags, object).map_err(too_large)?
            }
            Edit::SetOwner(owner) => {
                now.change_owner(owner);
                return Ok(());
            }
            Edit::Unprotect => {
                let inherited = now.unprotect(&*parent()?, object).map_err(too_large)?;
                self.warn_of_inheritance(shown, inherited);
                return Ok(());
            }
            Edit::Reset => {
                let inherited = now.reset(&*parent()?, object).map_err(too_large)?;
                self.warn_of_inheritance(shown, inherited);
                return Ok(());
            }
            Edit::ProtectKeeping | Edit::ProtectDropping => {
                let keeping = matches!(edit, Edit::ProtectKeeping);
                let inherited = if keeping { now.protect_keeping() } else { now.protect_dropping() };
                self.warn_of_inheritance(shown, inherited.map_err(too_large)?);
                return Ok(());
            }
        };
        match edited {
            Edited::NoList => {
                let kind = if *now.dacl() == AclState::Null { "a NULL DACL" } else { "no DACL" };
                self.effect.warn(format!(
                    "{shown}: it has {kind}, so everybody may do everything already; left as it is, because a list of \
                     this entry alone would take access away from all others"
                ));
            }
            Edited::Emptied => self.effect.warn(emptied(shown)),
            _ => {}
        }
        Ok(())
    }

    fn warn_of_inheritance(&mut self, shown: &str, inherited: Inherited) {
        match inherited {
            Inherited::Restricted => self.effect.warn(format!(
                "{shown}: everybody could do everything, for want of a DACL; now it has one of what it inherits"
            )),
            Inherited::Emptied => self.effect.warn(emptied(shown)),
            Inherited::ProtectedNow => self.effect.warn(format!(
                "{shown}: its entries date from before inherited ones were marked, and taking them for inherited would \
                 move a grant past a denial: it does not inherit from now on"
            )),
            _ => {}
        }
    }

    /// A grant is written, and does nothing: that has to be said, or the next start fails as the last one did.
    fn warn_of_what_defeats_grants(&mut self, now: &SecurityDescriptor, object: ObjectKind, shown: &str) {
        let grants = self.change.edits.iter().filter_map(|edit| match edit {
            Edit::Grant(permission) | Edit::GrantOnly(permission) => Some(permission),
            _ => None,
        });
        let mut granted = false;
        for Permission { trustee, mask, inheritance } in grants {
            granted = true;
            if object.container && inheritance.contains(AceFlags::INHERIT_ONLY) {
                continue;
            }
            let access = now.access(&Subject::new(*trustee), object);
            let withheld = access.withheld(object.mapping.map(*mask));
            let Some(denial) = access.denials.iter().find(|denial| denial.mask.intersects(withheld)) else { continue };
            let accounts = self.commands.accounts;
            self.effect.warn(format!(
                "{shown}: {} is granted ({}), but {} denial for {} stands in front of it and withholds ({}); {}",
                accounts.name(trustee),
                rights::print(*mask, true),
                if denial.inherited { "an inherited" } else { "an explicit" },
                accounts.name(&denial.trustee),
                rights::print(denial.mask.intersection(withheld), true),
                if denial.inherited {
                    "it is inherited, so it goes where it was made: in a folder above".to_owned()
                } else {
                    format!("/remove:d \"{}\" takes it away", accounts.name(&denial.trustee))
                },
            ));
        }
        let disorder = now.dacl().acl().map(Acl::disorder).unwrap_or_default();
        if let (true, Some(first)) = (granted, disorder.first()) {
            self.effect.warn(format!("{shown}: its entries are not in canonical order, and keep theirs: {first}"));
        }
    }
}

/// Whether the DACLs and the SACLs of two descriptors differ.
fn differ(one: &SecurityDescriptor, other: &SecurityDescriptor) -> [bool; 2] {
    [one.dacl() != other.dacl(), one.sacl() != other.sacl()]
}

/// Whether what the DACLs and the SACLs of two descriptors hand on differs.
fn hand_on_differently(one: &SecurityDescriptor, other: &SecurityDescriptor) -> [bool; 2] {
    fn handed_on(list: &AclState) -> impl Iterator<Item = &Ace> {
        let handed_on = AceFlags::OBJECT_INHERIT | AceFlags::CONTAINER_INHERIT;
        list.acl().into_iter().flat_map(Acl::aces).filter(move |ace| ace.flags().intersects(handed_on))
    }
    [!handed_on(one.dacl()).eq(handed_on(other.dacl())), !handed_on(one.sacl()).eq(handed_on(other.sacl()))]
}

fn emptied(shown: &str) -> String {
    format!("{shown}: no entry is left in its DACL, so nobody may do anything with it but its owner change it")
}

fn too_large(error: crate::security::SecurityError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}
