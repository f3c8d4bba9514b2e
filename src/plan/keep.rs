//! [`Kept`]: copies of the files of a hive, made durable before the first write.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use serde_json::{Value as Json, json};

use crate::commit::{HiveFile, Storage, sync_folder_of};

/// A folder with copies of hives and their logs, and a `journal.json` that says where each came from.
#[derive(Debug)]
pub struct Kept {
    folder: PathBuf,
    files: Vec<Json>,
}

impl Kept {
    /// Makes a new folder in `undo_dir`, which is made too.
    ///
    /// # Errors
    ///
    /// What the host says.
    pub fn create(undo_dir: &Path) -> io::Result<Self> {
        fs::create_dir_all(undo_dir)?;
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        for attempt in 0..10_000 {
            let folder = undo_dir.join(format!("{seconds}-{attempt:04}"));
            match fs::create_dir(&folder) {
                Ok(()) => return Ok(Self { folder: fs::canonicalize(folder)?, files: Vec::new() }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Copies the files of a hive as they are now, and makes the copies durable.
    ///
    /// # Errors
    ///
    /// What the host says of reading or of writing.
    pub fn keep(&mut self, path: &Path, storage: &mut dyn Storage) -> io::Result<()> {
        let number = self.files.len();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        for file in [HiveFile::Primary, HiveFile::Log1, HiveFile::Log2, HiveFile::Log] {
            let Some(length) = storage.len(file)? else { continue };
            let copy = format!("{number}-{name}{}", file.suffix());
            self.copy(storage, file, length, &copy)?;
            self.files.push(json!({
                "hive": fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()).display().to_string(),
                "file": file.to_string(),
                "copy": copy,
                "length": length,
            }));
        }
        let text = serde_json::to_string_pretty(&json!({ "version": 1, "files": self.files }))?;
        let journal = fs::File::create(self.folder.join("journal.json"))?;
        io::Write::write_all(&mut &journal, text.as_bytes())?;
        journal.sync_all()?;
        sync_folder_of(&self.folder.join("journal.json"))
    }

    fn copy(&self, storage: &mut dyn Storage, file: HiveFile, length: u64, name: &str) -> io::Result<()> {
        let mut copy = fs::OpenOptions::new().write(true).create_new(true).open(self.folder.join(name))?;
        let mut buffer = vec![0; 1 << 20];
        let mut at = 0;
        while at < length {
            let part = usize::try_from(length - at).unwrap_or(usize::MAX).min(buffer.len());
            let Some(part) = buffer.get_mut(..part) else { break };
            storage.read(file, at, part)?;
            io::Write::write_all(&mut copy, part)?;
            at += part.len() as u64;
        }
        copy.sync_all()
    }
}
