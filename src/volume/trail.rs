//! [`Trail`]: places one after the other, most of them near the last one.

use std::{
    ffi::OsString,
    io,
    path::{Path, PathBuf},
};

use super::Place;

/// Finds places by exact paths, and holds the folders on the way to the last one for the next.
#[derive(Debug, Default)]
pub(crate) struct Trail {
    volume: Option<(PathBuf, Place)>,
    levels: Vec<(OsString, Place)>,
}

impl Trail {
    /// Goes to the folder of a volume: what fails here says nothing of what is on it.
    pub(crate) fn enter(&mut self, volume: &Path) -> io::Result<()> {
        if self.volume.as_ref().is_none_or(|(known, _)| known != volume) {
            self.levels.clear();
            self.volume = None;
            self.volume = Some((volume.to_owned(), Place::open(volume)?));
        }
        Ok(())
    }

    /// What is at this path below the folder of a volume.
    pub(crate) fn place(&mut self, volume: &Path, path: &Path) -> io::Result<Place> {
        self.enter(volume)?;
        let Some((_, root)) = &self.volume else { return Err(io::ErrorKind::NotFound.into()) };
        let (Some(above), Some(name)) = (path.parent(), path.file_name()) else { return root.below(path) };
        let same = above.iter().zip(&self.levels).take_while(|(part, (known, _))| part == known).count();
        self.levels.truncate(same);
        for part in above.iter().skip(same) {
            let at = self.levels.last().map_or(root, |(_, place)| place);
            let next = at.below(Path::new(part))?;
            self.levels.push((part.to_owned(), next));
        }
        let at = self.levels.last().map_or(root, |(_, place)| place);
        at.below(Path::new(name))
    }
}
