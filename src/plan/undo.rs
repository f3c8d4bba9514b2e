//! [`Journal`]: what a folder of copies holds, and putting it back.

use std::{
    collections::{BTreeSet, HashSet},
    fmt, fs,
    io::{self, Read as _, Seek as _},
    path::{Path, PathBuf},
};

use serde_json::{Value as Json, json};

use super::{
    keep::{HIVE_FILES, digest, replace},
    made::KeptMade,
};
use crate::{
    commit::{FileStorage, HiveFile, Storage, holds_the_same, switch},
    security,
    volume::{Place, Trail, same_descriptor},
};

/// A folder that [`Kept`](super::Kept) made: hives and descriptors as they were before.
#[derive(Debug)]
pub struct Journal {
    folder: PathBuf,
    hives: Vec<KeptHive>,
    descriptors: Vec<KeptDescriptor>,
    made: Vec<KeptMade>,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nobody has put it back.
    Kept,
    /// Somebody began to, and was interrupted: hives may be half of one state and half of the other.
    Begun,
    /// Somebody began to, and all hives were put back: what they are not any more, somebody has changed since.
    HivesBack,
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
    /// Length and hash after the commit; journals of before this version have the hash alone.
    after: Option<(Option<u64>, String)>,
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
    /// `restore-hive`, `restore-descriptor`, `remove-file` or `remove-folder`.
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
    /// Made by the change, and not as it left it: it is not taken away.
    Stays(String),
    /// It is gone, and so is what could be put back. The volume that it was on is there.
    Missing,
    /// It cannot be found or read.
    Unreadable(String),
}

impl Standing {
    /// Whether there is nothing to do about it.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        matches!(self, Self::Restored | Self::Stays(_) | Self::Missing)
    }
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
        let text = plain_file(&folder.join(JOURNAL)).and_then(fs::read).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound if path.exists() => wrong("there is no journal.json"),
            _ => error,
        })?;
        let document: Json = serde_json::from_slice(&text)?;
        if document["version"] != 1 {
            return Err(wrong("its version is not 1"));
        }
        let mut journal = Self {
            folder: folder.to_owned(),
            hives: Vec::new(),
            descriptors: Vec::new(),
            made: Vec::new(),
            state: State::Kept,
        };
        for entry in document["files"].as_array().into_iter().flatten() {
            let (hive, file) = kept_file(folder, entry).ok_or_else(|| wrong("one of its files"))?;
            match journal.hives.iter_mut().find(|known| known.path == hive) {
                Some(known) => known.files.push(file),
                None => journal.hives.push(KeptHive { path: hive, files: vec![file] }),
            }
        }
        if !journal.hives.iter().all(KeptHive::is_whole) {
            return Err(wrong("a hive without a copy of it, or with two"));
        }
        for entry in document["descriptors"].as_array().into_iter().flatten() {
            journal.descriptors.push(kept_descriptor(entry).ok_or_else(|| wrong("one of its descriptors"))?);
        }
        for entry in document["made"].as_array().into_iter().flatten() {
            journal.made.push(KeptMade::of(entry).ok_or_else(|| wrong("one of the files it made"))?);
        }
        journal.state = State::read(&folder.join(STATE));
        Ok(journal)
    }

    /// The journals in a folder, the newest first, with those that cannot be read. What has no `journal.json` is none:
    /// nothing was changed before that was there. A folder that nobody has made yet has none.
    ///
    /// # Errors
    ///
    /// What the host says of the folder.
    pub fn all(undo_dir: &Path) -> io::Result<Vec<Result<Self, (PathBuf, io::Error)>>> {
        let entries = match fs::read_dir(undo_dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut folders = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
        // The names are seconds, of ten digits until the year 2286, and a number.
        folders.sort();
        folders.retain(|folder| fs::symlink_metadata(folder.join(JOURNAL)).is_ok());
        Ok(folders.into_iter().rev().map(|folder| Self::open(&folder).map_err(|error| (folder, error))).collect())
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

    /// How many files and folders the change made.
    #[must_use]
    pub fn made(&self) -> usize {
        self.made.len()
    }

    /// The folders of the volumes that these are on.
    #[must_use]
    pub fn volumes(&self) -> BTreeSet<&Path> {
        let descriptors = self.descriptors.iter().map(|kept| kept.volume.as_path());
        descriptors.chain(self.made.iter().map(KeptMade::volume)).collect()
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
        let mut leaving = HashSet::new();
        // The last first: what is in a folder was made after it.
        let made = self.made.iter().rev().map(|made| UndoStep {
            target: made.target(),
            kind: made.kind(),
            standing: made.standing(&mut leaving),
        });
        hives.chain(descriptors).chain(made).collect()
    }

    /// Puts everything back, byte for byte: hives in place, then descriptors; then the files and folders that the change
    /// made are taken away, where they are as it left them. Whoever calls this has looked at [`steps`](Self::steps);
    /// what was changed since is written over, and files that are gone are passed over. Nothing is written where one of
    /// the copies is not what was kept.
    ///
    /// A boot store is a clean store at every instant, the one or the other. Any other hive that is being written has no
    /// base block, so that nothing takes it for a hive before it is one again; the journal knows that it was begun, so
    /// that the next attempt goes on.
    ///
    /// # Errors
    ///
    /// The files that could not be put back, and what the host says: the first hive, before any descriptor is written,
    /// or all descriptors and all that was made. Everything else is put back; calling again goes on.
    pub fn undo(&mut self) -> Result<(), Vec<(PathBuf, io::Error)>> {
        let differs = |hive: &&KeptHive| !matches!(hive.standing(self.state), Ok(Standing::Restored));
        for hive in self.hives.iter().filter(differs) {
            hive.check_copies().map_err(|error| vec![(hive.path.clone(), error)])?;
        }
        let begins = !self.steps().iter().all(|step| step.standing.is_settled());
        if begins {
            self.note(State::Begun)?;
        }
        for hive in &self.hives {
            let standing = hive.standing(self.state);
            if !matches!(standing, Ok(Standing::Restored)) {
                hive.restore().map_err(|error| vec![(hive.path.clone(), error)])?;
            }
        }
        if begins {
            self.note(State::HivesBack)?;
        }
        let mut trail = Trail::default();
        let mut failed = Vec::new();
        for kept in &self.descriptors {
            if let Err(error) = kept.restore(&mut trail) {
                failed.push((kept.volume.join(&kept.path), error));
            }
        }
        for made in self.made.iter().rev() {
            if let Err(error) = made.remove() {
                failed.push((made.target(), error));
            }
        }
        if !failed.is_empty() {
            return Err(failed);
        }
        self.note(State::Undone)
    }

    /// Makes durable how far it has come.
    fn note(&mut self, state: State) -> Result<(), Vec<(PathBuf, io::Error)>> {
        let text = json!({ "undone": state == State::Undone, "hives": state != State::Begun }).to_string();
        let path = self.folder.join(STATE);
        replace(&path, text.as_bytes()).map_err(|error| vec![(path, error)])?;
        self.state = state;
        Ok(())
    }
}

impl State {
    fn read(path: &Path) -> Self {
        let Ok(text) = fs::read(path) else { return Self::Kept };
        // What is no text of ours was begun, too: only that was ever noted.
        let noted: Json = serde_json::from_slice(&text).unwrap_or_default();
        match (noted["undone"] == true, noted["hives"] == true) {
            (true, _) => Self::Undone,
            (false, true) => Self::HivesBack,
            (false, false) => Self::Begun,
        }
    }
}

impl KeptHive {
    /// One copy of the hive itself, and none twice.
    fn is_whole(&self) -> bool {
        let count = |file: HiveFile| self.files.iter().filter(|kept| kept.file == file).count();
        count(HiveFile::Primary) == 1 && HIVE_FILES.into_iter().all(|file| count(file) <= 1)
    }

    fn primary(&self) -> Option<&KeptFile> {
        self.files.iter().find(|kept| kept.file == HiveFile::Primary)
    }

    /// The path was free of links when it was kept; one that is there now leads to another file.
    fn open(&self, writable: bool) -> io::Result<FileStorage> {
        if fs::canonicalize(&self.path)? != self.path {
            let message = "a link stands in its path now, and that may lead anywhere";
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, message));
        }
        FileStorage::open(&self.path, writable)
    }

    fn standing(&self, state: State) -> io::Result<Standing> {
        let mut storage = self.open(false)?;
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
            unchanged &= kept.after.as_ref().is_some_and(|(_, after)| *after == now);
        }
        Ok(match (restored, unchanged) {
            (true, _) => Standing::Restored,
            (_, true) => Standing::Unchanged,
            _ if state == State::Begun && self.is_interrupted(&mut storage)? => Standing::Unchanged,
            _ => Standing::ChangedSince,
        })
    }

    /// Whether the hive is as an undo of ours leaves it in the middle, and no one has come in between.
    fn is_interrupted(&self, storage: &mut FileStorage) -> io::Result<bool> {
        let (Some(kept), Some(length)) = (self.primary(), storage.len(HiveFile::Primary)?) else { return Ok(false) };
        let mut first = [0; SECTOR as usize];
        if length < SECTOR {
            return Ok(false);
        }
        storage.read(HiveFile::Primary, 0, &mut first)?;
        if first == [0; SECTOR as usize] {
            return Ok(true);
        }
        // Only its logs differ, or there is only more behind its end.
        if let Some((after_length, after)) = &kept.after {
            let length = after_length.filter(|after| *after < length).unwrap_or(length);
            if digest(storage, HiveFile::Primary, length, &mut io::sink())? == *after {
                return Ok(true);
            }
        }
        if kept.before == Some(digest(storage, HiveFile::Primary, length, &mut io::sink())?) {
            return Ok(true);
        }
        if length.max(kept.length) > LONGEST_STORE {
            return Ok(false);
        }
        Ok(holds_the_same(&crate::commit::read_all(storage, HiveFile::Primary)?, &fs::read(&kept.copy)?))
    }

    fn check_copies(&self) -> io::Result<()> {
        for kept in &self.files {
            if kept.digest_is_wrong()? {
                let message = format!("the copy {} is not what was kept", kept.copy.display());
                return Err(io::Error::new(io::ErrorKind::InvalidData, message));
            }
        }
        Ok(())
    }

    fn restore(&self) -> io::Result<()> {
        let mut storage = self.open(true)?;
        storage.lock()?;
        self.check_copies()?;
        let there = self.files_there(&mut storage)?;
        if self.switch(&mut storage)? {
            // Nobody looks at the logs of a clean store.
            for kept in there.iter().filter(|kept| kept.file != HiveFile::Primary) {
                kept.write_from(&mut storage, 0)?;
            }
            return Ok(());
        }
        restore_in_place(&mut storage, &there)
    }

    /// The files to write. A log that was there and is gone is not made again, since it would have another descriptor;
    /// a hive that was clean does not need it.
    fn files_there(&self, storage: &mut FileStorage) -> io::Result<Vec<&KeptFile>> {
        let mut there = Vec::new();
        for kept in &self.files {
            if storage.len(kept.file)?.is_some() {
                there.push(kept);
            } else if !self.was_clean()? {
                let message = format!("its {} is gone, and the hive as it was is nothing without it", kept.file);
                return Err(io::Error::new(io::ErrorKind::NotFound, message));
            }
        }
        Ok(there)
    }

    fn was_clean(&self) -> io::Result<bool> {
        let Some(kept) = self.primary() else { return Ok(false) };
        let mut page = [0; SECTOR as usize];
        kept.copy()?.read_exact(&mut page)?;
        Ok(crate::commit::is_clean_base(&page))
    }

    /// A boot store, which boot code may read at any moment; false where it is none, or none that this can be done with.
    fn switch(&self, storage: &mut FileStorage) -> io::Result<bool> {
        let Some(kept) = self.primary().filter(|kept| kept.length <= LONGEST_STORE) else { return Ok(false) };
        let mut wanted = Vec::new();
        kept.copy()?.read_to_end(&mut wanted)?;
        switch(storage, &wanted).map_err(io::Error::other)
    }
}

/// | | write, then sync | after a power cut |
/// |---|---|---|
/// | 1 | room, as zeros: a full disk shows here | as it is |
/// | 2 | first sectors of the logs, then of the hive zeroed | no hive, and no log that fits one: nothing is loaded |
/// | 3 | everything of logs and hive but the hive's first sector | the same |
/// | 4 | the hive's first sector | the old state |
fn restore_in_place(storage: &mut FileStorage, files: &[&KeptFile]) -> io::Result<()> {
    for kept in files {
        kept.make_room(storage)?;
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
    let mut first = [0; SECTOR as usize];
    for kept in files.iter().rev() {
        let mut at = 0;
        if kept.file == HiveFile::Primary {
            kept.copy()?.read_exact(&mut first)?;
            at = SECTOR;
        }
        kept.write_from(storage, at)?;
    }
    storage.write(HiveFile::Primary, 0, &first)?;
    storage.sync(HiveFile::Primary)
}

impl KeptFile {
    fn copy(&self) -> io::Result<fs::File> {
        fs::File::open(plain_file(&self.copy)?)
    }

    /// Writes the copy back from this byte on, and gives the file its length.
    fn write_from(&self, storage: &mut FileStorage, start: u64) -> io::Result<()> {
        let mut copy = self.copy()?;
        copy.seek(io::SeekFrom::Start(start))?;
        let mut at = start;
        let mut buffer = vec![0; 1 << 20];
        loop {
            let length = copy.read(&mut buffer)?;
            let Some(part) = buffer.get(..length).filter(|part| !part.is_empty()) else { break };
            storage.write(self.file, at, part)?;
            at += length as u64;
        }
        storage.set_len(self.file, self.length)?;
        storage.sync(self.file)
    }

    /// Extends a file that has become shorter, with zeros and not just to a length.
    fn make_room(&self, storage: &mut FileStorage) -> io::Result<()> {
        let mut at = storage.len(self.file)?.unwrap_or(self.length);
        if at >= self.length {
            return Ok(());
        }
        let zeros = vec![0; 1 << 20];
        while at < self.length {
            let part = usize::try_from(self.length - at).unwrap_or(usize::MAX).min(zeros.len());
            storage.write(self.file, at, zeros.get(..part).unwrap_or_default())?;
            at += part as u64;
        }
        storage.sync(self.file)
    }

    fn digest(&self) -> io::Result<String> {
        let mut copy = FileStorage::from_files(self.copy()?, [None, None, None]);
        digest(&mut copy, HiveFile::Primary, self.length, &mut io::sink())
    }

    fn digest_is_wrong(&self) -> io::Result<bool> {
        let too_short = self.file == HiveFile::Primary && self.length < SECTOR;
        let other_length = self.copy()?.metadata()?.len() != self.length;
        Ok(too_short
            || other_length
            || self.before.as_ref().is_some_and(|before| self.digest().ok().as_ref() != Some(before)))
    }
}

impl KeptDescriptor {
    fn standing(&self, trail: &mut Trail) -> io::Result<Standing> {
        let Some(place) = self.place(trail)? else { return Ok(Standing::Missing) };
        let now = place.descriptor()?;
        Ok(if same_descriptor(&now, &self.before) {
            Standing::Restored
        } else if same_descriptor(&now, &self.after) {
            Standing::Unchanged
        } else {
            Standing::ChangedSince
        })
    }

    fn restore(&self, trail: &mut Trail) -> io::Result<()> {
        let Some(place) = self.place(trail)? else { return Ok(()) };
        if !same_descriptor(&place.descriptor()?, &self.before) {
            place.set_descriptor(&self.before)?;
        }
        Ok(())
    }

    /// The file; none where it is gone. A volume that is not there is an error: nothing on it is gone.
    fn place(&self, trail: &mut Trail) -> io::Result<Option<Place>> {
        trail.enter(&self.volume)?;
        match trail.place(&self.volume, &self.path) {
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
            found => found.map(Some),
        }
    }
}

impl fmt::Display for UndoStep {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            "restore-hive" => "hive",
            "restore-descriptor" => "descriptor",
            "remove-file" => "file",
            _ => "folder",
        };
        let shown = crate::name::NameBuf::from(self.target.to_string_lossy().as_ref());
        match &self.standing {
            Standing::Unchanged if self.kind.starts_with("remove") => write!(out, "{shown}: {what} is taken away"),
            Standing::Restored if self.kind.starts_with("remove") => write!(out, "{shown}: {what} is gone"),
            standing => write!(out, "{shown}: {what} {standing}"),
        }
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Restored => out.write_str("is as it was before"),
            Self::Unchanged => out.write_str("is put back"),
            Self::ChangedSince => out.write_str("is neither as it was before nor as the change left it"),
            Self::Stays(why) => write!(out, "stays: {why}"),
            Self::Missing => out.write_str("is gone"),
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
        after: text("after_sha1").map(|after| (entry["after_length"].as_u64(), after)),
    };
    Some((kept_path(entry, "hive")?, kept))
}

fn kept_descriptor(entry: &Json) -> Option<KeptDescriptor> {
    let before = unhex(entry["before"].as_str()?)?;
    // It is going to be written: a journal that was damaged must not reach a driver.
    security::validate(&before).ok()?;
    Some(KeptDescriptor {
        volume: kept_path(entry, "volume")?,
        path: kept_path(entry, "path")?,
        before,
        after: unhex(entry["after"].as_str()?)?,
    })
}

/// A path of any bytes.
pub(super) fn kept_path(entry: &Json, field: &str) -> Option<PathBuf> {
    match entry[format!("{field}_bytes")].as_str() {
        Some(bytes) => path_of(unhex(bytes)?),
        None => Some(PathBuf::from(entry[field].as_str()?)),
    }
}

#[cfg(unix)]
#[allow(clippy::unnecessary_wraps)] // Elsewhere not all bytes are a path.
fn path_of(bytes: Vec<u8>) -> Option<PathBuf> {
    Some(std::os::unix::ffi::OsStringExt::from_vec(bytes)).map(|path: std::ffi::OsString| path.into())
}

/// The bytes of a path of Windows are WTF-8.
#[cfg(not(unix))]
#[allow(clippy::needless_pass_by_value)] // Elsewhere they are the path.
fn path_of(bytes: Vec<u8>) -> Option<PathBuf> {
    let units = crate::volume::from_wtf8(&bytes)?;
    Some(crate::volume::os_name(&crate::name::NameBuf::from(units)).into())
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes().chunks(2);
    digits
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2)?, 16).ok())
        .collect()
}

/// A file, and nothing that only looks like one: what is in the folder of a journal need not be from us.
fn plain_file(path: &Path) -> io::Result<&Path> {
    if fs::symlink_metadata(path)?.is_file() {
        return Ok(path);
    }
    Err(io::Error::new(io::ErrorKind::InvalidData, format!("{} is a link or no file", path.display())))
}

const JOURNAL: &str = "journal.json";
const STATE: &str = "undo.json";
/// Boot stores have some ten kilobytes.
const LONGEST_STORE: u64 = 16 << 20;
const SECTOR: u64 = 512;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{name::NameBuf, plan::descriptors::hex, security::SecurityDescriptor, volume::os_name};

    #[test]
    fn a_path_that_is_no_text_is_found_again() {
        let path = PathBuf::from(os_name(&NameBuf::from(vec![0x61, 0xd801, 0xe4])));
        assert_eq!(path.to_str(), None);
        for path in [path, PathBuf::from("a b")] {
            let mut entry = json!({});
            super::super::keep::note_path(&mut entry, "hive", &path);
            assert_eq!(kept_path(&entry, "hive"), Some(path));
        }
    }

    #[test]
    fn what_was_noted_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("journal.json"), "{\"version\":1}").unwrap();
        let mut journal = Journal::open(folder.path()).unwrap();
        assert_eq!(journal.state, State::Kept);
        for state in [State::Begun, State::HivesBack, State::Undone] {
            journal.note(state).unwrap();
            assert_eq!(Journal::open(folder.path()).unwrap().state, state);
        }
        fs::write(folder.path().join(STATE), "torn").unwrap();
        assert_eq!(Journal::open(folder.path()).unwrap().state, State::Begun);
    }

    #[test]
    fn a_journal_with_a_damaged_descriptor_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let whole = hex(&"O:SYD:NO_ACCESS_CONTROL".parse::<SecurityDescriptor>().unwrap().to_bytes());
        let cut = |digits: usize| &whole[..whole.len() - digits];
        for (before, reads) in [(cut(0), true), (cut(1), false), (cut(2), false)] {
            let entry = json!({ "volume": "/", "path": "x", "before": before, "after": "" });
            let document = json!({ "version": 1, "files": [], "descriptors": [entry] });
            fs::write(folder.path().join("journal.json"), document.to_string()).unwrap();
            assert_eq!(Journal::open(folder.path()).is_ok(), reads, "{before}");
        }
    }
}
