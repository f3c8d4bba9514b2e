//! A Windows installation on a mounted disk: finding files as Windows would, without ever leaving the mount.

mod boot_store;
mod disk;
mod drives;
mod hibernation;
mod made;
mod names;
mod place;
mod system;
mod trail;
mod walk;

use std::{
    fmt, io,
    path::{Component, Path, PathBuf},
};

use cap_std::{ambient_authority, fs::Dir, fs::OpenOptions};

pub use boot_store::BootStore;
pub use disk::{DiskStyle, DrivePartitions, PartitionEntry, PartitionTable};
pub use drives::Drives;
pub use hibernation::{Hibernated, hibernated};
pub use made::Made;
#[cfg(not(unix))]
pub(crate) use names::from_wtf8;
pub use names::{name_of, os_name, shown_name};
pub(crate) use place::same_descriptor;
pub use place::{Entries, Identity, Place, PlaceKind};
pub use system::system_of;
pub(crate) use trail::Trail;
pub use walk::{Found, Walk};

use crate::{
    commit::{FileStorage, HiveFile},
    name,
    security::{NewObject, SecurityDescriptor, well_known},
};

/// The folder that a Windows volume is mounted on.
///
/// Names are compared as NTFS does, whatever the mount does, and every path is resolved beneath the folder: `..` and
/// links that lead out of it are errors, also where a link is put in place while the path is being resolved.
pub struct Volume {
    folder: PathBuf,
    dir: Dir,
}

impl Volume {
    /// Opens a mounted volume.
    ///
    /// # Errors
    ///
    /// What the host says of the folder.
    pub fn open(folder: impl Into<PathBuf>) -> io::Result<Self> {
        let folder = folder.into();
        let dir = Dir::open_ambient_dir(&folder, ambient_authority())?;
        Ok(Self { folder, dir })
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The path of an existing file or folder, relative to the mount and in the spelling of the disk. `path` is
    /// relative to the volume's root; `\` and `/` both separate.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`] with the part that is missing; what the host says otherwise.
    pub fn resolve(&self, path: &str) -> io::Result<PathBuf> {
        let mut dir = self.dir.try_clone()?;
        let mut found = PathBuf::new();
        let mut parts = path.split(['\\', '/']).filter(|part| !part.is_empty() && *part != ".").peekable();
        while let Some(part) = parts.next() {
            let entry = entry_like(&dir, part)?.ok_or_else(|| {
                let place = self.folder.join(&found);
                io::Error::new(io::ErrorKind::NotFound, format!("there is no \"{part}\" in {}", place.display()))
            })?;
            found.push(&entry);
            if parts.peek().is_some() {
                dir = dir.open_dir(&entry).map_err(|error| self.explain(&found, error))?;
            }
        }
        Ok(found)
    }

    /// Opens a hive and its logs; `path` as for [`resolve`](Self::resolve).
    ///
    /// # Errors
    ///
    /// As [`resolve`](Self::resolve).
    pub fn open_hive(&self, path: &str, writable: bool) -> io::Result<(PathBuf, FileStorage)> {
        let found = self.resolve(path)?;
        let mut options = OpenOptions::new();
        options.read(true).write(writable);
        let open = |path: &Path| self.open_file(path, &mut options.clone());
        let primary = open(&found)?;
        let (Some(folder), Some(name)) = (found.parent(), found.file_name()) else {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the path names no file"));
        };
        let beside = self.folder_at(folder)?;
        let mut logs = [None, None, None];
        for (slot, log) in logs.iter_mut().zip(HiveFile::LOGS) {
            let wanted = format!("{}{}", name.to_string_lossy(), log.suffix());
            if let Some(entry) = entry_like(&beside, &wanted)? {
                if !beside.symlink_metadata(&entry)?.is_file() {
                    return Err(crate::commit::linked_log(&self.folder.join(folder).join(entry)));
                }
                *slot = Some(open(&folder.join(entry))?);
            }
        }
        Ok((self.folder.join(&found), FileStorage::from_files(primary, logs)))
    }
}

impl Volume {
    /// Reads a file; `path` as for [`resolve`](Self::resolve).
    ///
    /// # Errors
    ///
    /// As [`resolve`](Self::resolve).
    pub fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        let path = self.resolve(path)?;
        let mut file = self.open_file(&path, OpenOptions::new().read(true))?;
        let mut bytes = Vec::new();
        io::Read::read_to_end(&mut file, &mut bytes)?;
        Ok(bytes)
    }

    /// Opens a file for writing in an existing folder. One that was not there is added to `made`.
    ///
    /// # Errors
    ///
    /// As [`resolve`](Self::resolve) for the folder, and what the host says.
    pub fn create(&self, path: &str, existing: Existing, made: &mut Vec<Made>) -> io::Result<std::fs::File> {
        let path = path.trim_end_matches(['\\', '/']);
        let (folder, name) = path.rsplit_once(['\\', '/']).unwrap_or(("", path));
        let folder = self.resolve(folder)?;
        let dir = self.folder_at(&folder)?;
        let known = entry_like(&dir, name)?;
        let is_new = known.is_none();
        let name = known.unwrap_or_else(|| name.into());
        if !is_new {
            refuse_what_is_no_file(&dir, &name)?;
        }
        let mut options = OpenOptions::new();
        match existing {
            _ if is_new => options.write(true).create_new(true),
            Existing::Keep => options.write(true).create_new(true),
            Existing::Replace => options.write(true).truncate(true),
            Existing::Append => options.append(true),
        };
        let open = dir.open_with(&name, &options).map_err(|error| self.explain(&folder.join(&name), error));
        let file = open?.into_std();
        if is_new {
            made.push(self.made(folder.join(&name)));
            self.descriptor_for(&folder.join(&name));
        }
        Ok(file)
    }

    /// Makes a folder, and those above it that are missing; each is added to `made`. One that is there is fine.
    ///
    /// # Errors
    ///
    /// As [`resolve`](Self::resolve), and what the host says.
    pub fn make_folder(&self, path: &str, made: &mut Vec<Made>) -> io::Result<()> {
        let mut dir = self.dir.try_clone()?;
        let mut found = PathBuf::new();
        for part in path.split(['\\', '/']).filter(|part| !part.is_empty() && *part != ".") {
            let entry = match entry_like(&dir, part)? {
                Some(entry) => entry,
                None => {
                    dir.create_dir(part)?;
                    made.push(self.made(found.join(part)));
                    self.descriptor_for(&found.join(part));
                    part.into()
                }
            };
            found.push(&entry);
            dir = dir.open_dir(&entry).map_err(|error| self.explain(&found, error))?;
        }
        Ok(())
    }

    fn made(&self, path: PathBuf) -> Made {
        Made { volume: self.folder.clone(), path }
    }

    pub(crate) fn has_folder(&self, path: &str) -> bool {
        self.resolve(path).is_ok_and(|found| self.folder_at(&found).is_ok())
    }

    /// Gives what was just made the descriptor that Windows would give it: drivers give new files one that lets
    /// everybody do everything. Where there are no descriptors there is nothing to be done.
    fn descriptor_for(&self, path: &Path) {
        let made = || -> io::Result<()> {
            let root = Place::open(&self.folder)?;
            let (above, place) = (root.below(path.parent().unwrap_or(Path::new("")))?, root.below(path)?);
            let above = SecurityDescriptor::parse(&above.descriptor()?).map_err(io::Error::other)?;
            let object = NewObject::new(place.object_kind()).below(&above);
            let object = object.owned_by(well_known::ADMINISTRATORS).auto_inherit(true);
            let mut descriptor = object.descriptor().map_err(io::Error::other)?;
            if descriptor.group().is_none() {
                descriptor.set_group(Some(well_known::ADMINISTRATORS));
            }
            if descriptor.dacl().acl().is_none_or(|acl| acl.aces().is_empty()) {
                // Nothing to inherit: what the driver gave is better than a file that nobody can read.
                return Ok(());
            }
            place.set_descriptor(&descriptor.to_bytes())
        };
        let _ = made();
    }

    fn folder_at(&self, path: &Path) -> io::Result<Dir> {
        if path.as_os_str().is_empty() { self.dir.try_clone() } else { self.dir.open_dir(path) }
    }

    /// Opens a file, and nothing that only looks like one: opening a FIFO would wait for its other end for ever, and
    /// opening a device may do anything.
    fn open_file(&self, path: &Path, options: &mut OpenOptions) -> io::Result<std::fs::File> {
        refuse_what_is_no_file(&self.dir, path).map_err(|error| self.explain(path, error))?;
        #[cfg(unix)]
        {
            // Should it have become one in between.
            use cap_std::fs::OpenOptionsExt as _;
            options.custom_flags(crate::commit::DO_NOT_WAIT);
        }
        let file = self.dir.open_with(path, options).map_err(|error| self.explain(path, error))?.into_std();
        if file.metadata()?.is_file() { Ok(file) } else { Err(no_file(path)) }
    }

    /// A link out of the mount comes as an error that is not the host's; all others are passed on.
    fn explain(&self, path: &Path, error: io::Error) -> io::Error {
        if error.kind() != io::ErrorKind::PermissionDenied || error.raw_os_error().is_some() {
            return error;
        }
        let (path, folder) = (path.display(), self.folder.display());
        io::Error::new(error.kind(), format!("{path} is a link that leads out of the mounted folder {folder}"))
    }
}

/// What is done about a file that exists where one is to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Existing {
    /// It stays, and writing fails.
    Keep,
    /// It is replaced.
    Replace,
    /// The bytes go behind its own.
    Append,
}

impl fmt::Debug for Volume {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("Volume").field(&self.folder).finish()
    }
}

fn refuse_what_is_no_file(dir: &Dir, path: &Path) -> io::Result<()> {
    match dir.metadata(path) {
        Ok(found) if found.is_dir() => Err(crate::commit::folder_for_file()),
        Ok(found) if !found.is_file() => Err(no_file(path)),
        Ok(_) => Ok(()),
        Err(error) => Err(error),
    }
}

fn no_file(path: &Path) -> io::Error {
    let message = format!("{} is no file that could be opened", path.display());
    io::Error::new(io::ErrorKind::Unsupported, message)
}

/// The entry of a folder that has a name: exactly, or as NTFS compares names.
fn entry_like(dir: &Dir, name: &str) -> io::Result<Option<PathBuf>> {
    let wanted = Path::new(name);
    if !matches!(wanted.components().collect::<Vec<_>>()[..], [Component::Normal(_)]) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("\"{name}\" is no name of a file")));
    }
    // Where the host compares names as NTFS does, this would say nothing of the spelling on the disk.
    if !cfg!(windows) && dir.symlink_metadata(wanted).is_ok() {
        return Ok(Some(wanted.to_owned()));
    }
    for entry in dir.entries()? {
        let entry = entry?.file_name();
        if entry.to_str().is_some_and(|entry| name::same(entry, name)) {
            return Ok(Some(entry.into()));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn names_are_found_in_any_case() {
        let disk = tempfile::tempdir().unwrap();
        fs::create_dir_all(disk.path().join("Windows/System32/config")).unwrap();
        fs::write(disk.path().join("Windows/System32/config/SYSTEM"), b"").unwrap();
        let volume = Volume::open(disk.path()).unwrap();
        let found = volume.resolve(r"\windows\SYSTEM32\Config\system").unwrap();
        assert_eq!(found, Path::new("Windows").join("System32").join("config").join("SYSTEM"));
        let error = volume.resolve(r"windows\system32\config\SYSTEM.hiv").unwrap_err();
        assert!(error.to_string().starts_with("there is no \"SYSTEM.hiv\" in "), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn links_and_dots_do_not_lead_out() {
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("secret"), b"").unwrap();
        let disk = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(outside.path(), disk.path().join("link")).unwrap();
        let volume = Volume::open(disk.path()).unwrap();
        assert!(volume.resolve("link/secret").is_err());
        assert!(volume.resolve("../x").is_err());
        assert!(volume.open_hive("link/secret", false).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_log_that_is_a_link_is_not_taken_for_one() {
        let disk = tempfile::tempdir().unwrap();
        for file in ["SYSTEM", "SOFTWARE", "SYSTEM.LOG2"] {
            fs::write(disk.path().join(file), b"").unwrap();
        }
        let volume = Volume::open(disk.path()).unwrap();
        volume.open_hive("SYSTEM", true).unwrap();
        std::os::unix::fs::symlink("SOFTWARE", disk.path().join("SYSTEM.LOG1")).unwrap();
        let error = volume.open_hive("SYSTEM", true).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
        assert!(error.to_string().contains("SYSTEM.LOG1 is a link"), "{error}");
    }
}
