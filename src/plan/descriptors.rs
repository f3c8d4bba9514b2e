//! [`Descriptors`]: descriptors of files that are to change, kept together until all of them are known.

use std::{
    collections::{HashMap, HashSet},
    fmt, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde_json::{Value as Json, json};

use crate::{
    name::NameBuf,
    security::SecurityDescriptor,
    volume::{Identity, Place, Trail},
};

/// What commands have made of the descriptors of files and folders, while nothing is written yet.
///
/// A file is what its volume says it is: by whatever name it is reached, it has one descriptor, and a later command
/// builds upon what an earlier one has planned.
#[derive(Debug, Default)]
pub struct Descriptors {
    changes: Vec<DescriptorChange>,
    known: HashMap<Identity, usize>,
    /// Descriptors are shared: thousands of files have a few of them.
    stored: HashSet<Arc<[u8]>>,
}

/// The descriptor of one file, before and after.
#[derive(Clone, Debug)]
pub struct DescriptorChange {
    /// The folder that the volume is mounted on, or one below it.
    pub volume: PathBuf,
    /// The path of the file below that folder, in the volume's spelling.
    pub path: PathBuf,
    /// The file as the command named it.
    pub shown: String,
    /// The descriptor as it is stored now.
    pub before: Arc<[u8]>,
    /// The descriptor that it gets.
    pub after: Arc<[u8]>,
    /// Where the change comes from: file and line, or the command.
    pub why: Arc<str>,
    identity: Identity,
}

/// What [`Descriptors::write`] did.
#[derive(Debug, Default)]
pub struct DescriptorsWritten {
    /// How many descriptors were written.
    pub done: usize,
    /// Those that could not be, by their number among the changes.
    pub failed: Vec<(usize, io::Error)>,
}

impl Descriptors {
    /// The descriptor that a place has once everything planned is written.
    ///
    /// # Errors
    ///
    /// As [`Place::descriptor`].
    pub fn of(&self, place: &Place) -> io::Result<Arc<[u8]>> {
        match self.known.get(&place.identity()).and_then(|&number| self.changes.get(number)) {
            Some(change) => Ok(Arc::clone(&change.after)),
            None => place.descriptor().map(Arc::from),
        }
    }

    /// Plans a change. `before` is what [`of`](Self::of) gave.
    pub fn set(&mut self, place: &Place, at: DescriptorPath<'_>, before: &Arc<[u8]>, after: &[u8], why: &Arc<str>) {
        let after = self.shared(after);
        let identity = place.identity();
        if let Some(change) = self.known.get(&identity).and_then(|&number| self.changes.get_mut(number)) {
            change.after = after;
            change.why = Arc::clone(why);
            return;
        }
        let before = self.shared(before);
        self.known.insert(identity, self.changes.len());
        self.changes.push(DescriptorChange {
            volume: at.volume.to_owned(),
            path: at.path.to_owned(),
            shown: at.shown.to_owned(),
            before,
            after,
            why: Arc::clone(why),
            identity,
        });
    }

    /// The changes, in the order in which they were first planned. What came back to where it was is none.
    pub fn changes(&self) -> impl Iterator<Item = &DescriptorChange> {
        self.changes.iter().filter(|change| change.before != change.after)
    }

    /// Whether there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes().next().is_none()
    }

    /// Writes the changes; each is read back. A file whose descriptor is no longer the one that was planned upon, or
    /// that is no longer the same file, is left alone. With `go_on` the others are written all the same.
    pub fn write(&self, go_on: bool, progress: &mut dyn FnMut(usize)) -> DescriptorsWritten {
        let mut written = DescriptorsWritten::default();
        let mut trail = Trail::default();
        for (number, change) in self.changes().enumerate() {
            match replace(change, &mut trail) {
                Ok(()) => written.done += 1,
                Err(error) => {
                    written.failed.push((number, error));
                    if !go_on {
                        break;
                    }
                }
            }
            progress(number + 1);
        }
        written
    }

    fn shared(&mut self, bytes: &[u8]) -> Arc<[u8]> {
        if let Some(known) = self.stored.get(bytes) {
            return Arc::clone(known);
        }
        let new: Arc<[u8]> = Arc::from(bytes);
        self.stored.insert(Arc::clone(&new));
        new
    }
}

/// Where a place is, in the three ways that matter.
#[derive(Clone, Copy, Debug)]
pub struct DescriptorPath<'a> {
    /// The folder that the volume is mounted on.
    pub volume: &'a Path,
    /// The path below it.
    pub path: &'a Path,
    /// As the command names it.
    pub shown: &'a str,
}

fn replace(change: &DescriptorChange, trail: &mut Trail) -> io::Result<()> {
    let place = trail.place(&change.volume, &change.path)?;
    if place.identity() != change.identity || place.descriptor()? != *change.before {
        let message = "it was changed by somebody else in the meantime and is left alone";
        return Err(io::Error::new(io::ErrorKind::ResourceBusy, message));
    }
    place.set_descriptor(&change.after)
}

impl DescriptorChange {
    /// The file on this machine.
    #[must_use]
    pub fn target(&self) -> PathBuf {
        self.volume.join(&self.path)
    }

    /// The change as a step in JSON: `target`, `kind`, `path`, `before` and `after` (`sddl` and `bytes`), `why`.
    #[must_use]
    pub fn to_json(&self) -> Json {
        json!({
            "target": self.target().display().to_string(),
            "kind": "set-descriptor",
            "path": self.shown,
            "before": { "sddl": sddl(&self.before), "bytes": hex(&self.before) },
            "after": { "sddl": sddl(&self.after), "bytes": hex(&self.after) },
            "why": &*self.why,
        })
    }
}

impl fmt::Display for DescriptorChange {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = NameBuf::from(self.shown.as_str());
        write!(out, "~ {shown}: {}, was {}", sddl(&self.after), sddl(&self.before))
    }
}

fn sddl(bytes: &[u8]) -> String {
    match SecurityDescriptor::parse(bytes) {
        Ok(descriptor) => descriptor.to_string(),
        Err(error) => format!("({error})"),
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
