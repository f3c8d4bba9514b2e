//! [`Journal`]: what a folder of copies holds, and putting it back.

use std::{
    collections::BTreeSet,
    fmt, fs,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use serde_json::{Value as Json, json};

use super::keep::{HIVE_FILES, digest, replace};
use crate::{
    commit::{FileStorage, HiveFile, Storage},
    volume::Trail,
};

/// A folder that [`Kept`](super::Kept) made: hives and descriptors as they were before.
#[derive(Debug)]
pub struct Journal {
    folder: PathBuf,
    hives: Vec<KeptHive>,
    descriptors: Vec<KeptDescriptor>,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nobody has put it back.
    Kept,
    /// Somebody began to, and was interrupted: files may be half of one state and half of the other.
    Begun,
    Undone,
}

#[derive(Debug)]
struct KeptHive {
    path: PathBuf,
    files: Vec<KeptFile>,
}

#[derive(Debug)]
struct KeptFile {
    file: HiveFile,
    copy: PathBuf,
    length: u64,
    before: Option<String>,
    after: Option<String>,
}

#[derive(Debug)]
struct KeptDescriptor {
    volume: PathBuf,
    path: PathBuf,
    before: Vec<u8>,
    after: Vec<u8>,
}

/// What is to be put back: a hive with its logs, or the descriptor of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UndoStep {
    /// The file.
    pub target: PathBuf,
    /// `restore-hive` or `restore-descriptor`.
    pub kind: &'static str,
    /// How it stands.
    pub standing: Standing,
}

/// How what is there compares with what a journal holds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Standing {
    /// It is as it was: nothing to do.
    Restored,
    /// It is as the change left it.
    Unchanged,
    /// It is neither, so somebody has changed it since: what they did would be lost.
    ChangedSince,
    /// It cannot be found or read.
    Unreadable(String),
}

impl Journal {
    /// Reads a journal: its folder, or the `journal.json` in it.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::InvalidData`] for what is no journal; what the host says otherwise.
    pub fn open(path: &Path) -> io::Result<Self> {
        let folder = if path.is_dir() { path } else { path.parent().unwrap_or(Path::new(".")) };
        let wrong = |what: &str| io::Error::new(io::ErrorKind::InvalidData, format!("not a journal of ours: {what}"));
        let document: Json = serde_json::from_slice(&fs::read(folder.join("journal.json"))?)?;
        if document["version"] != 1 {
            return Err(wrong("its version is not 1"));
        }
        let mut journal =
            Self { folder: folder.to_owned(), hives: Vec::new(), descriptors: Vec::new(), state: State::Kept };
        for entry in document["files"].as_array().into_iter().flatten() {
            let (hive, file) = kept_file(folder, entry).ok_or_else(|| wrong("one of its files"))?;
            match journal.hives.iter_mut().find(|known| known.path == hive) {
                Some(known) => known.files.push(file),
                None => journal.hives.push(KeptHive { path: hive, files: vec![file] }),
            }
        }
        for entry in document["descriptors"].as_array().into_iter().flatten() {
            journal.descriptors.push(kept_descriptor(entry).ok_or_else(|| wrong("one of its descriptors"))?);
        }
        journal.state = match fs::read(folder.join(STATE)) {
            Ok(text) if text.starts_with(b"{\"undone\":true") => State::Undone,
            Ok(_) => State::Begun,
            Err(_) => State::Kept,
        };
        Ok(journal)
    }

    /// The journals in a folder, the newest first. What is none is passed over.
    ///
    /// # Errors
    ///
    /// What the host says of the folder.
    pub fn all(undo_dir: &Path) -> io::Result<Vec<Self>> {
        let mut folders = fs::read_dir(undo_dir)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
        // The names are seconds, of ten digits until the year 2286, and a number.
        folders.sort();
        Ok(folders.iter().rev().filter_map(|folder| Self::open(folder).ok()).collect())
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether it has been put back.
    #[must_use]
    pub fn is_undone(&self) -> bool {
        self.state == State::Undone
    }

    /// The hives that it holds.
    pub fn hives(&self) -> impl Iterator<Item = &Path> {
        self.hives.iter().map(|hive| hive.path.as_path())
    }

    /// How many descriptors it holds.
    #[must_use]
    pub fn descriptors(&self) -> usize {
        self.descriptors.len()
    }

    /// The folders of the volumes that these are on.
    #[must_use]
    pub fn volumes(&self) -> BTreeSet<&Path> {
        self.descriptors.iter().map(|kept| kept.volume.as_path()).collect()
    }

    /// What there is to do. Nothing is written.
    #[must_use]
    pub fn steps(&self) -> Vec<UndoStep> {
        let hives = self.hives.iter().map(|hive| UndoStep {
            target: hive.path.clone(),
            kind: "restore-hive",
            standing: hive.standing(self.state).unwrap_or_else(|error| Standing::Unreadable(error.to_string())),
        });
        let mut trail = Trail::default();
        let descriptors = self.descriptors.iter().map(|kept| UndoStep {
            target: kept.volume.join(&kept.path),
            kind: "restore-descriptor",
            standing: kept.standing(&mut trail).unwrap_or_else(|error| Standing::Unreadable(error.to_string())),
        });
        hives.chain(descriptors).collect()
    }

    /// Puts everything back, byte for byte: hives in place, then descriptors. Whoever calls this has looked at
    /// [`steps`](Self::steps); what was changed since is written over.
    ///
    /// A hive that is being written has no base block, so that nothing takes it for a hive before it is one again; the
    /// journal knows that it was begun, so that the next attempt goes on.
    ///
    /// # Errors
    ///
    /// The file, and what the host says. What was put back before it stays so; calling again goes on.
    pub fn undo(&mut self) -> Result<(), (PathBuf, io::Error)> {
        let state = self.folder.join(STATE);
        let note = |undone: bool| {
            let text = json!({ "undone": undone }).to_string();
            replace(&state, text.as_bytes()).map_err(|error| (state.clone(), error))
        };
        let begins = self.steps().iter().any(|step| step.standing != Standing::Restored);
        if begins {
            note(false)?;
            self.state = State::Begun;
        }
        for hive in &self.hives {
            let standing = hive.standing(self.state);
            if !matches!(standing, Ok(Standing::Restored)) {
                hive.restore().map_err(|error| (hive.path.clone(), error))?;
            }
        }
        let mut trail = Trail::default();
        for kept in &self.descriptors {
            kept.restore(&mut trail).map_err(|error| (kept.volume.join(&kept.path), error))?;
        }
        note(true)?;
        self.state = State::Undone;
        Ok(())
    }
}

impl KeptHive {
    fn standing(&self, state: State) -> io::Result<Standing> {
        let mut storage = FileStorage::open(&self.path, false)?;
        let (mut restored, mut unchanged) = (true, true);
        for kept in &self.files {
            let Some(length) = storage.len(kept.file)? else {
                (restored, unchanged) = (false, false);
                continue;
            };
            let now = digest(&mut storage, kept.file, length, &mut io::sink())?;
            let before = match &kept.before {
                Some(before) => before.clone(),
                None => kept.digest()?,
            };
            restored &= now == before;
            unchanged &= kept.after.as_ref() == Some(&now);
        }
        Ok(match (restored, unchanged || state == State::Begun) {
            (true, _) => Standing::Restored,
            (_, true) => Standing::Unchanged,
            _ => Standing::ChangedSince,
        })
    }

    /// | | write, then sync | after a power cut |
    /// |---|---|---|
    /// | 1 | first sector of the hive zeroed | no hive, and no log that fits one: nothing is loaded |
    /// | 2 | everything of logs and hive but the hive's first sector | the same |
    /// | 3 | the hive's first sector | the old state |
    fn restore(&self) -> io::Result<()> {
        let mut storage = FileStorage::open(&self.path, true)?;
        storage.lock()?;
        for kept in &self.files {
            if kept.digest_is_wrong()? {
                let message = format!("the copy {} is not what was kept", kept.copy.display());
                return Err(io::Error::new(io::ErrorKind::InvalidData, message));
            }
        }
        for file in HIVE_FILES.into_iter().skip(1) {
            // With its log whole, a hive without a base block could be made one of another state.
            if storage.len(file)?.is_some_and(|length| length >= SECTOR) {
                storage.write(file, 0, &[0; SECTOR as usize])?;
                storage.sync(file)?;
            }
        }
        storage.write(HiveFile::Primary, 0, &[0; SECTOR as usize])?;
        storage.sync(HiveFile::Primary)?;
        let mut first = vec![0; SECTOR as usize];
        for kept in self.files.iter().rev() {
            let mut copy = fs::File::open(&kept.copy)?;
            let mut at = 0;
            if kept.file == HiveFile::Primary {
                copy.read_exact(&mut first)?;
                at = SECTOR;
            }
            let mut buffer = vec![0; 1 << 20];
            loop {
                let length = copy.read(&mut buffer)?;
                let Some(part) = buffer.get(..length).filter(|part| !part.is_empty()) else { break };
                storage.write(kept.file, at, part)?;
                at += length as u64;
            }
            storage.set_len(kept.file, kept.length)?;
            storage.sync(kept.file)?;
        }
        storage.write(HiveFile::Primary, 0, &first)?;
        storage.sync(HiveFile::Primary)
    }
}

impl KeptFile {
    fn digest(&self) -> io::Result<String> {
        let mut copy = FileStorage::from_files(fs::File::open(&self.copy)?, [None, None, None]);
        digest(&mut copy, HiveFile::Primary, self.length, &mut io::sink())
    }

    fn digest_is_wrong(&self) -> io::Result<bool> {
        let too_short = self.file == HiveFile::Primary && self.length < SECTOR;
        let other_length = fs::metadata(&self.copy)?.len() != self.length;
        Ok(too_short
            || other_length
            || self.before.as_ref().is_some_and(|before| self.digest().ok().as_ref() != Some(before)))
    }
}

impl KeptDescriptor {
    fn standing(&self, trail: &mut Trail) -> io::Result<Standing> {
        let now = trail.place(&self.volume, &self.path)?.descriptor()?;
        Ok(if now == self.before {
            Standing::Restored
        } else if now == self.after {
            Standing::Unchanged
        } else {
            Standing::ChangedSince
        })
    }

    fn restore(&self, trail: &mut Trail) -> io::Result<()> {
        let place = trail.place(&self.volume, &self.path)?;
        if place.descriptor()? != self.before {
            place.set_descriptor(&self.before)?;
        }
        Ok(())
    }
}

impl fmt::Display for UndoStep {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.kind == "restore-hive" { "hive" } else { "descriptor" };
        let shown = crate::name::NameBuf::from(self.target.to_string_lossy().as_ref());
        write!(out, "{shown}: {what} {}", self.standing)
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Restored => out.write_str("is as it was before"),
            Self::Unchanged => out.write_str("is put back"),
            Self::ChangedSince => out.write_str("is neither as it was before nor as the change left it"),
            Self::Unreadable(why) => write!(out, "cannot be read: {why}"),
        }
    }
}

fn kept_file(folder: &Path, entry: &Json) -> Option<(PathBuf, KeptFile)> {
    let copy = Path::new(entry["copy"].as_str()?);
    let name = entry["file"].as_str()?;
    let text = |field: &str| entry[field].as_str().map(str::to_owned);
    let kept = KeptFile {
        file: HIVE_FILES.into_iter().find(|file| file.to_string() == name)?,
        // A name alone, whatever the journal says.
        copy: folder.join(copy.file_name()?),
        length: entry["length"].as_u64()?,
        before: text("before_sha1"),
        after: text("after_sha1"),
    };
    Some((PathBuf::from(entry["hive"].as_str()?), kept))
}

fn kept_descriptor(entry: &Json) -> Option<KeptDescriptor> {
    let path = match entry["path_bytes"].as_str() {
        Some(bytes) => path_of(unhex(bytes)?)?,
        None => PathBuf::from(entry["path"].as_str()?),
    };
    Some(KeptDescriptor {
        volume: PathBuf::from(entry["volume"].as_str()?),
        path,
        before: unhex(entry["before"].as_str()?)?,
        after: unhex(entry["after"].as_str()?)?,
    })
}

#[cfg(unix)]
#[allow(clippy::unnecessary_wraps)] // Elsewhere not all bytes are a path.
fn path_of(bytes: Vec<u8>) -> Option<PathBuf> {
    Some(std::os::unix::ffi::OsStringExt::from_vec(bytes)).map(|path: std::ffi::OsString| path.into())
}

#[cfg(not(unix))]
fn path_of(bytes: Vec<u8>) -> Option<PathBuf> {
    String::from_utf8(bytes).ok().map(PathBuf::from)
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes().chunks(2);
    digits
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2)?, 16).ok())
        .collect()
}

const STATE: &str = "undo.json";
const SECTOR: u64 = 512;
