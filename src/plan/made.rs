//! Files and folders that a run made: noted for an undo, which takes away those that are still as they were made.

use std::{
    collections::HashSet,
    ffi::OsString,
    fs, io,
    path::{Component, Path, PathBuf},
};

use cap_std::{ambient_authority, fs::Dir};
use serde_json::{Value as Json, json};

use super::{
    keep::{digest, note_path},
    undo::{Standing, kept_path},
};
use crate::{
    commit::{FileStorage, HiveFile, Storage as _},
    volume::Made,
};

/// A file or folder that a run made.
#[derive(Debug)]
pub(super) struct KeptMade {
    volume: PathBuf,
    path: PathBuf,
    /// Length and SHA-1 of a file; none for a folder.
    content: Option<(u64, String)>,
}

impl KeptMade {
    /// As it is now, for the journal; none where it is neither file nor folder any more.
    pub(super) fn note(made: &Made) -> io::Result<Option<Json>> {
        let volume = fs::canonicalize(&made.volume)?;
        let new = Self { volume, path: made.path.clone(), content: None };
        let Some((dir, name)) = new.find()? else { return Ok(None) };
        let found = dir.symlink_metadata(&name)?;
        let mut entry = json!({});
        note_path(&mut entry, "volume", &new.volume);
        note_path(&mut entry, "path", &new.path);
        if found.is_file() {
            let (length, hash) = content(&dir, &name)?;
            entry["length"] = length.into();
            entry["sha1"] = hash.into();
        } else if !found.is_dir() {
            return Ok(None);
        }
        Ok(Some(entry))
    }

    /// None for what is no entry of ours.
    pub(super) fn of(entry: &Json) -> Option<Self> {
        let (volume, path) = (kept_path(entry, "volume")?, kept_path(entry, "path")?);
        let stays_below = path.components().all(|part| matches!(part, Component::Normal(_)));
        let content = match (entry["length"].as_u64(), entry["sha1"].as_str()) {
            (Some(length), Some(hash)) => Some((length, hash.to_owned())),
            (None, None) => None,
            _ => return None,
        };
        (stays_below && path.file_name().is_some()).then_some(Self { volume, path, content })
    }

    pub(super) fn target(&self) -> PathBuf {
        self.volume.join(&self.path)
    }

    pub(super) fn volume(&self) -> &Path {
        &self.volume
    }

    pub(super) fn kind(&self) -> &'static str {
        if self.content.is_some() { "remove-file" } else { "remove-folder" }
    }

    /// Whether it is there as it was made. A folder is if nothing is in it but what is `leaving`, to which it is added
    /// then.
    pub(super) fn standing(&self, leaving: &mut HashSet<PathBuf>) -> Standing {
        let standing = self.look(leaving).unwrap_or_else(|error| Standing::Stays(error.to_string()));
        if standing == Standing::Unchanged {
            leaving.insert(self.target());
        }
        standing
    }

    fn look(&self, leaving: &HashSet<PathBuf>) -> io::Result<Standing> {
        let stays = |why: &str| Ok(Standing::Stays(why.to_owned()));
        let Some((dir, name)) = self.find()? else { return Ok(Standing::Restored) };
        let found = dir.symlink_metadata(&name)?;
        match &self.content {
            None if found.is_dir() => {
                for entry in dir.read_dir(&name)? {
                    if !leaving.contains(&self.target().join(entry?.file_name())) {
                        return stays("something is in it that was not made then, or was changed since");
                    }
                }
                Ok(Standing::Unchanged)
            }
            Some((length, _)) if found.is_file() && found.len() != *length => stays("it was changed since"),
            Some(known) if found.is_file() => {
                if content(&dir, &name)? == *known {
                    return Ok(Standing::Unchanged);
                }
                stays("it was changed since")
            }
            _ => stays("it is something else now"),
        }
    }

    /// Takes it away if it is still as it was made; a folder only if nothing is in it.
    pub(super) fn remove(&self) -> io::Result<()> {
        if self.look(&HashSet::new()).ok() != Some(Standing::Unchanged) {
            return Ok(());
        }
        match (self.find()?, &self.content) {
            (Some((dir, name)), Some(_)) => dir.remove_file(name),
            (Some((dir, name)), None) => dir.remove_dir(name),
            (None, _) => Ok(()),
        }
    }

    /// The folder it is in, and its name there; none where it is gone. No link is followed on the way.
    fn find(&self) -> io::Result<Option<(Dir, OsString)>> {
        let link = || io::Error::new(io::ErrorKind::PermissionDenied, "a link stands in its path now");
        match fs::canonicalize(&self.volume) {
            Ok(volume) if volume == self.volume => {}
            Ok(_) => return Err(link()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        }
        let mut dir = Dir::open_ambient_dir(&self.volume, ambient_authority())?;
        let (Some(above), Some(name)) = (self.path.parent(), self.path.file_name()) else { return Ok(None) };
        for part in above {
            match dir.symlink_metadata(part) {
                Ok(found) if found.is_dir() => dir = dir.open_dir(part)?,
                Ok(_) => return Err(link()),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        match dir.symlink_metadata(name) {
            Ok(_) => Ok(Some((dir, name.to_owned()))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Length and SHA-1 of a file.
fn content(dir: &Dir, name: &OsString) -> io::Result<(u64, String)> {
    let mut file = FileStorage::from_files(dir.open(name)?.into_std(), [None, None, None]);
    let length = file.len(HiveFile::Primary)?.unwrap_or(0);
    Ok((length, digest(&mut file, HiveFile::Primary, length, &mut io::sink())?))
}
