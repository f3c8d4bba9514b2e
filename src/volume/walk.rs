//! [`Walk`]: what is below folders, as deep as the visitor wants.

use std::{
    collections::HashSet,
    ffi::OsString,
    io,
    path::{Path, PathBuf},
};

use super::{Entries, Identity, Place, PlaceKind};

/// A walk below folders of one volume, folders before what they hold.
///
/// It enters what it is told to [`enter`](Self::enter) and nothing else. Each folder is entered once, however many names
/// it has, so a volume whose folders hold one another does not keep it for ever; it holds one handle for each level and
/// a few bytes for each folder.
#[derive(Debug)]
pub struct Walk<T> {
    levels: Vec<Level<T>>,
    entered: HashSet<Identity>,
}

#[derive(Debug)]
struct Level<T> {
    path: PathBuf,
    entries: Entries,
    above: T,
}

/// What a [`Walk`] comes to.
#[derive(Debug)]
pub struct Found<'w, T> {
    /// The path of the folder, as it was given to [`Walk::enter`], and the name in it.
    pub path: PathBuf,
    /// The name.
    pub name: OsString,
    /// The place itself, or why it cannot be held.
    pub place: io::Result<Place>,
    /// What the folder was entered with.
    pub above: &'w T,
}

/// More levels than any path of 32,767 characters with names of sixty has, and fewer than there are handles.
const DEEPEST: usize = 500;

impl<T> Default for Walk<T> {
    fn default() -> Self {
        Self { levels: Vec::new(), entered: HashSet::new() }
    }
}

impl<T> Walk<T> {
    /// Enters a folder: what it holds comes next. `above` is handed out with each entry. Anything else than a folder
    /// holds nothing, and a folder that was entered before is not entered again.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::Other`] below 500 levels; what the host says.
    pub fn enter(&mut self, place: &Place, path: &Path, above: T) -> io::Result<()> {
        if place.kind() != PlaceKind::Folder || !self.entered.insert(place.identity()) {
            return Ok(());
        }
        if self.levels.len() >= DEEPEST {
            let message = format!("it lies deeper than {DEEPEST} folders and is not entered");
            return Err(io::Error::other(message));
        }
        self.levels.push(Level { path: path.to_owned(), entries: place.entries()?, above });
        Ok(())
    }

    /// The next entry, or what kept the rest of a folder from being read, with that folder.
    #[allow(clippy::should_implement_trait)] // It lends what it hands out.
    pub fn next(&mut self) -> Option<Result<Found<'_, T>, (PathBuf, io::Error)>> {
        loop {
            let level = self.levels.last_mut()?;
            match level.entries.next() {
                Some(Ok(name)) => {
                    // Borrowed anew: the loop ends here.
                    let level = self.levels.last()?;
                    let place = level.entries.child(&name);
                    return Some(Ok(Found { path: level.path.join(&name), name, place, above: &level.above }));
                }
                Some(Err(error)) => {
                    let path = self.levels.pop().map(|level| level.path).unwrap_or_default();
                    return Some(Err((path, error)));
                }
                None => drop(self.levels.pop()),
            }
        }
    }
}
