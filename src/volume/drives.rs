//! [`Drives`]: what drive letters of a script mean here.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::Volume;
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
    /// [`io::ErrorKind::NotFound`], also for a letter that stands for nothing; what the host says otherwise.
    pub fn open_hive(&self, path: &str, writable: bool) -> io::Result<(PathBuf, FileStorage)> {
        match letter(path) {
            // On Windows a letter that was not given a folder is a drive of this machine.
            Some(letter) if !cfg!(windows) || self.folder(letter).is_some() => {
                let folder = self.folder(letter).ok_or_else(|| {
                    let hint =
                        format!("nothing is known of drive {letter}:, say where it is: --drive {letter}:=/mnt/win");
                    io::Error::new(io::ErrorKind::NotFound, hint)
                })?;
                Volume::open(folder)?.open_hive(path.get(2..).unwrap_or_default(), writable)
            }
            _ => {
                let path = PathBuf::from(path);
                let storage = FileStorage::open(&path, writable)?;
                Ok((path, storage))
            }
        }
    }

    fn folder(&self, letter: char) -> Option<&Path> {
        self.0.iter().find(|(known, _)| *known == letter).map(|(_, folder)| folder.as_path())
    }
}

/// The letter of `F:` and of `F:\…`, in upper case.
fn letter(path: &str) -> Option<char> {
    let mut chars = path.chars();
    match (chars.next()?, chars.next()?) {
        (letter, ':') if letter.is_ascii_alphabetic() => Some(letter.to_ascii_uppercase()),
        _ => None,
    }
}
