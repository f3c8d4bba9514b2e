//! [`Kept`]: copies of what will change, made durable before the first write.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use serde_json::{Value as Json, json};
use sha1::{Digest as _, Sha1};

use super::{DescriptorChange, descriptors::hex, made::KeptMade};
use crate::{
    commit::{HiveFile, Storage, sync_folder_of},
    volume::Made,
};

/// A folder with copies of hives and their logs, and a `journal.json` that says where each came from and which
/// descriptors files had.
///
/// ```json
/// {
///   "version": 1,
///   "files": [ { "hive": "/mnt/win/…/SYSTEM", "file": "primary", "copy": "0-SYSTEM", "length": 8192,
///                "before_sha1": "…", "after_sha1": "…", "after_length": 8192 } ],
///   "descriptors": [ { "volume": "/mnt/win", "path": "ProgramData/…", "before": "0100…", "after": "0100…" } ],
///   "made": [ { "volume": "/mnt/win", "path": "temp" },
///             { "volume": "/mnt/win", "path": "temp/list.txt", "length": 7, "sha1": "…" } ]
/// }
/// ```
///
/// `after_…` is there once the hive was committed. A path that is no text has its bytes besides, in hexadecimal, as
/// `hive_bytes`, `volume_bytes` or `path_bytes`.
#[derive(Debug)]
pub struct Kept {
    folder: PathBuf,
    files: Vec<Json>,
    descriptors: Vec<Json>,
    made: Vec<Json>,
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
                Ok(()) => {
                    let folder = fs::canonicalize(folder)?;
                    return Ok(Self { folder, files: Vec::new(), descriptors: Vec::new(), made: Vec::new() });
                }
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
        for file in HIVE_FILES {
            let Some(length) = storage.len(file)? else { continue };
            let copy = format!("{number}-{name}{}", file.suffix());
            let hash = self.copy(storage, file, length, &copy)?;
            let mut entry = json!({ "file": file.to_string(), "copy": copy, "length": length, "before_sha1": hash });
            note_path(&mut entry, "hive", &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()));
            self.files.push(entry);
        }
        self.write()
    }

    /// Notes what the files of a hive are after its commit, so that an undo can tell whether somebody else has changed
    /// them since.
    ///
    /// # Errors
    ///
    /// What the host says of reading or of writing.
    pub fn committed(&mut self, path: &Path, storage: &mut dyn Storage) -> io::Result<()> {
        let mut noted = json!({});
        note_path(&mut noted, "hive", &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()));
        let same = |entry: &Json| ["hive", "hive_bytes"].iter().all(|field| entry.get(field) == noted.get(field));
        for entry in self.files.iter_mut().filter(|entry| same(entry)) {
            let file = HIVE_FILES.into_iter().find(|file| entry["file"] == file.to_string().as_str());
            let Some(file) = file else { continue };
            if let Some(length) = storage.len(file)? {
                entry["after_sha1"] = digest(storage, file, length, &mut io::sink())?.into();
                entry["after_length"] = length.into();
            }
        }
        self.write()
    }

    /// Notes the descriptors that will change, byte for byte, and makes that durable.
    ///
    /// # Errors
    ///
    /// What the host says.
    pub fn keep_descriptors<'c>(&mut self, changes: impl IntoIterator<Item = &'c DescriptorChange>) -> io::Result<()> {
        for change in changes {
            let mut entry = json!({ "before": hex(&change.before), "after": hex(&change.after) });
            note_path(&mut entry, "volume", &fs::canonicalize(&change.volume)?);
            note_path(&mut entry, "path", &change.path);
            self.descriptors.push(entry);
        }
        self.write()
    }

    /// Notes files and folders that were made, as they are now; what is gone already is passed over.
    ///
    /// # Errors
    ///
    /// What the host says.
    pub fn made<'m>(&mut self, made: impl IntoIterator<Item = &'m Made>) -> io::Result<()> {
        for made in made {
            self.made.extend(KeptMade::note(made)?);
        }
        self.write()
    }

    /// Under another name first: a journal is there whole or not at all.
    fn write(&self) -> io::Result<()> {
        let path = self.folder.join("journal.json");
        let mut document = json!({ "version": 1, "files": self.files });
        if !self.descriptors.is_empty() {
            document["descriptors"] = self.descriptors.as_slice().into();
        }
        if !self.made.is_empty() {
            document["made"] = self.made.as_slice().into();
        }
        replace(&path, &serde_json::to_vec_pretty(&document)?)
    }

    fn copy(&self, storage: &mut dyn Storage, file: HiveFile, length: u64, name: &str) -> io::Result<String> {
        let mut copy = fs::OpenOptions::new().write(true).create_new(true).open(self.folder.join(name))?;
        let hash = digest(storage, file, length, &mut copy)?;
        copy.sync_all()?;
        Ok(hash)
    }
}

/// A path as text for people and, where it is none, as bytes for the way back.
pub(super) fn note_path(entry: &mut Json, field: &str, path: &Path) {
    entry[field] = path.display().to_string().into();
    if path.to_str().is_none() {
        entry[format!("{field}_bytes")] = hex(path.as_os_str().as_encoded_bytes()).into();
    }
}

pub(super) const HIVE_FILES: [HiveFile; 4] = [HiveFile::Primary, HiveFile::Log1, HiveFile::Log2, HiveFile::Log];

/// A file that is there whole or not at all, durably.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension("new");
    let mut file = fs::File::create(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    sync_folder_of(path)
}

/// The SHA-1 of a file of a hive, which is passed on to `out`. It tells a change from none; nobody is to be convinced
/// by it.
pub(super) fn digest(
    storage: &mut dyn Storage,
    file: HiveFile,
    length: u64,
    out: &mut dyn io::Write,
) -> io::Result<String> {
    let mut hash = Sha1::new();
    let mut buffer = vec![0; 1 << 20];
    let mut at = 0;
    while at < length {
        let part = usize::try_from(length - at).unwrap_or(usize::MAX).min(buffer.len());
        let Some(part) = buffer.get_mut(..part) else { break };
        storage.read(file, at, part)?;
        hash.update(&*part);
        out.write_all(part)?;
        at += part.len() as u64;
    }
    Ok(hex(&hash.finalize()))
}
