//! [`Drives`]: what drive letters of a script mean here.

use std::{
    fs::{File, OpenOptions},
    io,
    path::{Path, PathBuf},
};

use super::{Existing, Made, Volume};
use crate::commit::FileStorage;

/// Drive letters and the folders they stand for.
///
/// ```
/// # fn main() -> std::io::Result<()> {
/// use hivesmith::volume::Drives;
/// let mut drives = Drives::default();
/// drives.add("F:=/mnt/win").unwrap();
/// assert!(drives.add("win=/mnt/win").is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Drives(Vec<(char, PathBuf)>);

impl Drives {
    /// Adds one, written `F:=/mnt/win`; a letter that is there already gets the new folder.
    ///
    /// # Errors
    ///
    /// A sentence for the user where the text is nothing of that form.
    pub fn add(&mut self, text: &str) -> Result<(), String> {
        let wrong = || format!("\"{text}\" is no drive; write it like F:=/mnt/win");
        let (drive, folder) = text.split_once('=').ok_or_else(wrong)?;
        let letter = letter(drive).filter(|_| drive.trim_end_matches(':').len() == 1).ok_or_else(wrong)?;
        if folder.is_empty() {
            return Err(wrong());
        }
        self.0.retain(|(known, _)| *known != letter);
        self.0.push((letter, folder.into()));
        Ok(())
    }

    /// Opens a hive by a path as scripts write it: `F:\Windows\System32\config\SYSTEM` beneath the folder of `F:`, or a
    /// path of this machine. The path that comes back is that of the file here.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`]; [`io::ErrorKind::InvalidInput`] for a letter that stands for nothing; what the host
    /// says otherwise.
    pub fn open_hive(&self, path: &str, writable: bool) -> io::Result<(PathBuf, FileStorage)> {
        if let Some((volume, path)) = self.volume(path)? {
            return volume.open_hive(path, writable);
        }
        let path = PathBuf::from(path);
        let storage = FileStorage::open(&path, writable)?;
        Ok((path, storage))
    }

    /// Where a file or folder that exists is on this machine, by a path as for [`open_hive`](Self::open_hive).
    ///
    /// # Errors
    ///
    /// As [`open_hive`](Self::open_hive).
    pub fn find(&self, path: &str) -> io::Result<PathBuf> {
        match self.volume(path)? {
            Some((volume, path)) => Ok(volume.folder().join(volume.resolve(path)?)),
            None => std::fs::symlink_metadata(path).map(|_| PathBuf::from(path)),
        }
    }

    /// Reads a file, by a path as for [`open_hive`](Self::open_hive).
    ///
    /// # Errors
    ///
    /// As [`open_hive`](Self::open_hive).
    pub fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        match self.volume(path)? {
            Some((volume, path)) => volume.read(path),
            None => std::fs::read(path),
        }
    }

    /// Writes a file and makes it durable, by a path as for [`open_hive`](Self::open_hive). One that was not there is
    /// added to `made`.
    ///
    /// # Errors
    ///
    /// As [`open_hive`](Self::open_hive); [`io::ErrorKind::AlreadyExists`] with [`Existing::Keep`].
    pub fn write(&self, path: &str, bytes: &[u8], existing: Existing, made: &mut Vec<Made>) -> io::Result<()> {
        let mut file = match self.volume(path)? {
            Some((volume, path)) => volume.create(path, existing, made)?,
            None => create_here(Path::new(path), existing, made)?,
        };
        io::Write::write_all(&mut file, bytes)?;
        file.sync_all()
    }

    /// Whether something is there, by a path as for [`open_hive`](Self::open_hive).
    #[must_use]
    pub fn exists(&self, path: &str) -> bool {
        match self.volume(path) {
            Ok(Some((volume, path))) => volume.resolve(path).is_ok(),
            Ok(None) => Path::new(path).symlink_metadata().is_ok(),
            Err(_) => false,
        }
    }

    /// Makes a folder, and those above it that are missing, by a path as for [`open_hive`](Self::open_hive); each is
    /// added to `made`. One that is there is fine.
    ///
    /// # Errors
    ///
    /// As [`open_hive`](Self::open_hive).
    pub fn make_folder(&self, path: &str, made: &mut Vec<Made>) -> io::Result<()> {
        match self.volume(path)? {
            Some((volume, path)) => volume.make_folder(path, made),
            None => make_folder_here(Path::new(path), made),
        }
    }

    /// Whether there is such a folder.
    #[must_use]
    pub fn has_folder(&self, path: &str) -> bool {
        match self.volume(path) {
            Ok(Some((volume, path))) => volume.has_folder(path),
            Ok(None) => Path::new(path).is_dir(),
            Err(_) => false,
        }
    }

    /// The folder of the drive that a path begins with, and the rest of the path; none for a path of this machine.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::InvalidInput`] for a letter that stands for nothing.
    pub fn folder_of<'p>(&self, path: &'p str) -> io::Result<Option<(&Path, &'p str)>> {
        let Some(letter) = letter(path) else { return Ok(None) };
        let Some(folder) = self.folder(letter) else {
            // On Windows a letter that was not given a folder is a drive of this machine.
            if cfg!(windows) {
                return Ok(None);
            }
            let hint = format!("nothing is known of drive {letter}:, say where it is: --drive {letter}:=/mnt/win");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, hint));
        };
        Ok(Some((folder, path.get(2..).unwrap_or_default())))
    }

    /// The volume that a path with a drive letter means, and the rest of the path; none for a path of this machine.
    fn volume<'p>(&self, path: &'p str) -> io::Result<Option<(Volume, &'p str)>> {
        match self.folder_of(path)? {
            Some((folder, rest)) => {
                let volume = Volume::open(folder).map_err(|error| match error.kind() {
                    // Else it would read as if the file were missing.
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
                        io::Error::new(error.kind(), format!("the folder of its drive, {}: {error}", folder.display()))
                    }
                    _ => error,
                })?;
                Ok(Some((volume, rest)))
            }
            None => Ok(None),
        }
    }

    /// The drives in the order they were given: letter, and folder or `DISK#NUMBER`.
    pub fn iter(&self) -> impl Iterator<Item = (char, &Path)> {
        self.0.iter().map(|(letter, folder)| (*letter, folder.as_path()))
    }

    /// What was given for a letter, which is in upper case.
    #[must_use]
    pub fn folder(&self, letter: char) -> Option<&Path> {
        self.0.iter().find(|(known, _)| *known == letter).map(|(_, folder)| folder.as_path())
    }
}

/// Opens a file of this machine for writing.
fn create_here(path: &Path, existing: Existing, made: &mut Vec<Made>) -> io::Result<File> {
    match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(file) => {
            made.extend(made_here(path));
            Ok(file)
        }
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists || existing == Existing::Keep => Err(error),
        Err(_) if existing == Existing::Append => OpenOptions::new().append(true).create(true).open(path),
        Err(_) => OpenOptions::new().write(true).create(true).truncate(true).open(path),
    }
}

fn make_folder_here(path: &Path, made: &mut Vec<Made>) -> io::Result<()> {
    let missing: Vec<&Path> =
        path.ancestors().take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists()).collect();
    for folder in missing.into_iter().rev() {
        std::fs::create_dir(folder)?;
        made.extend(made_here(folder));
    }
    if path.is_dir() { Ok(()) } else { Err(io::Error::new(io::ErrorKind::NotADirectory, "it is no folder")) }
}

/// What was just made on this machine, by the folder it is in.
fn made_here(path: &Path) -> Option<Made> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let volume = std::fs::canonicalize(folder).ok()?;
    Some(Made { volume, path: path.file_name()?.into() })
}

/// The letter of `F:` and of `F:\…`, in upper case.
fn letter(path: &str) -> Option<char> {
    let mut chars = path.chars();
    match (chars.next()?, chars.next()?) {
        (letter, ':') if letter.is_ascii_alphabetic() => Some(letter.to_ascii_uppercase()),
        _ => None,
    }
}
