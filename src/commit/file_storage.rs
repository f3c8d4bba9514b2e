//! [`FileStorage`]: a hive in a folder.

use std::{
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf},
};

use super::{HiveFile, Storage};

/// A hive and the logs beside it as files of the host.
///
/// Files are opened once, changed in place and never renamed: on a mounted NTFS volume a new file would lose the
/// descriptor of the old one.
#[derive(Debug)]
pub struct FileStorage {
    primary: File,
    logs: [Option<File>; 3],
    redo: Option<RedoFile>,
    locked: bool,
}

impl FileStorage {
    /// Opens a hive and those of its logs (`.LOG1`, `.LOG2`, `.LOG`, in any case) that exist.
    ///
    /// # Errors
    ///
    /// What the file system says of any of them; [`io::ErrorKind::PermissionDenied`] where a log is a link.
    pub fn open(path: &Path, writable: bool) -> io::Result<Self> {
        let open = |path: &Path| {
            let mut options = OpenOptions::new();
            options.read(true).write(writable);
            if writable {
                for_one_writer(&mut options);
            }
            open_file(path, &mut options)
        };
        // The logs lie beside the file itself, not beside a link to it.
        let path = &fs::canonicalize(path)?;
        let primary = open(path)?;
        let mut logs = [None, None, None];
        for (slot, log) in logs.iter_mut().zip(HiveFile::LOGS) {
            if let Some(path) = sibling(path, log)? {
                regular(&path)?;
                *slot = Some(open(&path)?);
            }
        }
        Ok(Self { primary, logs, redo: None, locked: false })
    }

    /// Takes files that are open already; the logs in the order of [`HiveFile::LOGS`].
    #[must_use]
    pub fn from_files(primary: File, logs: [Option<File>; 3]) -> Self {
        Self { primary, logs, redo: None, locked: false }
    }

    /// Gives the hive a place for a journal of our own, on other storage than the hive: a file that is made when it is
    /// needed and removed when it is not. If it is there, it holds what an interrupted commit left.
    ///
    /// # Errors
    ///
    /// What the host says of opening a file that is there.
    pub fn with_redo(mut self, path: impl Into<PathBuf>) -> io::Result<Self> {
        let path = path.into();
        let file = match OpenOptions::new().read(true).write(true).open(&path) {
            Ok(file) => Some(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        self.redo = Some(RedoFile { path, file });
        Ok(self)
    }

    /// The hive's own file.
    #[must_use]
    pub fn primary(&self) -> &File {
        &self.primary
    }

    fn file(&self, file: HiveFile) -> Option<&File> {
        let [log1, log2, log] = &self.logs;
        match file {
            HiveFile::Primary => Some(&self.primary),
            HiveFile::Log1 => log1.as_ref(),
            HiveFile::Log2 => log2.as_ref(),
            HiveFile::Log => log.as_ref(),
            HiveFile::Redo => self.redo.as_ref()?.file.as_ref(),
        }
    }

    fn existing(&self, file: HiveFile) -> io::Result<&File> {
        self.file(file).ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("the hive has no {file} file")))
    }
}

/// Opens a file, and nothing that only looks like one: opening a FIFO waits for its other end for ever, and opening a
/// device may do anything. A disk that was not made by Windows may have them under any name.
fn open_file(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    let no_file = || io::Error::new(io::ErrorKind::Unsupported, "it is no file that could be opened");
    let known = fs::metadata(path)?;
    if known.is_dir() {
        return Err(folder_for_file());
    }
    if !known.is_file() {
        return Err(no_file());
    }
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(options, DO_NOT_WAIT);
    let file = options.open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(no_file()) }
}

/// `O_NONBLOCK`: should it have become a FIFO since it was looked at. To files it means nothing.
#[cfg(unix)]
#[allow(clippy::cast_possible_wrap)] // As the host's own headers have it.
pub(crate) const DO_NOT_WAIT: i32 = rustix::fs::OFlags::NONBLOCK.bits() as i32;

/// What is said of a folder where a file should be: nothing is refused, there is nothing to be read.
pub(crate) fn folder_for_file() -> io::Error {
    io::Error::new(io::ErrorKind::IsADirectory, "it is a folder, not a file")
}

/// Refuses a log that is a link: a commit cuts logs to nothing, and a disk may name any file of this machine as one.
fn regular(log: &Path) -> io::Result<()> {
    if fs::symlink_metadata(log)?.is_file() {
        return Ok(());
    }
    Err(linked_log(log))
}

/// What is said of a log that is no file of its own.
pub(crate) fn linked_log(log: &Path) -> io::Error {
    let what = format!("{} is a link or no file, and logs are not looked for elsewhere", log.display());
    io::Error::new(io::ErrorKind::PermissionDenied, what)
}

/// The log's path, if there is such a file; Windows does not care for the case of its name.
fn sibling(hive: &Path, log: HiveFile) -> io::Result<Option<PathBuf>> {
    let mut exact = hive.file_name().unwrap_or_default().to_owned();
    exact.push(log.suffix());
    if fs::symlink_metadata(hive.with_file_name(&exact)).is_ok() {
        return Ok(Some(hive.with_file_name(exact)));
    }
    let Some(wanted) = exact.to_str() else { return Ok(None) };
    let folder = match hive.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_str().is_some_and(|name| name.eq_ignore_ascii_case(wanted)) {
            return Ok(Some(entry.path()));
        }
    }
    Ok(None)
}

impl Storage for FileStorage {
    fn len(&mut self, file: HiveFile) -> io::Result<Option<u64>> {
        match self.file(file) {
            Some(file) => Ok(Some(file.metadata()?.len())),
            // There is a place for it.
            None => Ok(self.redo.as_ref().filter(|_| file == HiveFile::Redo).map(|_| 0)),
        }
    }

    fn read(&mut self, file: HiveFile, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        if buffer.is_empty() {
            return Ok(());
        }
        read_exact_at(self.existing(file)?, offset, buffer)
    }

    fn write(&mut self, file: HiveFile, offset: u64, bytes: &[u8]) -> io::Result<()> {
        if let (HiveFile::Redo, Some(redo)) = (file, &mut self.redo) {
            redo.make()?;
        }
        write_all_at(self.existing(file)?, offset, bytes)
    }

    fn set_len(&mut self, file: HiveFile, length: u64) -> io::Result<()> {
        match (file, &mut self.redo) {
            (HiveFile::Redo, Some(redo)) if length == 0 => redo.remove(),
            _ => self.existing(file)?.set_len(length),
        }
    }

    fn sync(&mut self, file: HiveFile) -> io::Result<()> {
        match (file, &self.redo) {
            (HiveFile::Redo, Some(redo)) => redo.sync(),
            _ => self.existing(file)?.sync_all(),
        }
    }

    /// As long as these files are open, another one that asks for it is refused. Programs that do not ask are not kept
    /// out, and a file system without locks is taken as it is.
    fn lock(&mut self) -> io::Result<()> {
        lock(&self.primary)?;
        self.locked = true;
        Ok(())
    }
}

/// The lock goes with the files. flock(2) ties it to what was opened and not to the handle: a child process that was
/// started meanwhile has copies of all handles until it becomes another program, and would keep the lock that long.
impl Drop for FileStorage {
    fn drop(&mut self) {
        if self.locked {
            unlock(&self.primary);
        }
    }
}

/// A journal of our own, which is there only as long as it is needed.
#[derive(Debug)]
struct RedoFile {
    path: PathBuf,
    file: Option<File>,
}

impl RedoFile {
    fn make(&mut self) -> io::Result<()> {
        if self.file.is_none() {
            if let Some(folder) = self.path.parent() {
                fs::create_dir_all(folder)?;
            }
            let new = OpenOptions::new().read(true).write(true).create_new(true).open(&self.path)?;
            self.file = Some(new);
        }
        Ok(())
    }

    fn remove(&mut self) -> io::Result<()> {
        match self.file.take() {
            Some(_) => fs::remove_file(&self.path),
            None => Ok(()),
        }
    }

    /// Its bytes and its name.
    fn sync(&self) -> io::Result<()> {
        if let Some(file) = &self.file {
            file.sync_all()?;
        }
        super::sync_folder_of(&self.path)
    }
}

#[cfg(unix)]
fn lock(file: &File) -> io::Result<()> {
    use rustix::{fs::FlockOperation, io::Errno};
    match rustix::fs::flock(file, FlockOperation::NonBlockingLockExclusive) {
        Err(Errno::WOULDBLOCK) => Err(io::Error::new(
            io::ErrorKind::ResourceBusy,
            "the hive is open in another program that edits it, hivesmith perhaps",
        )),
        _ => Ok(()),
    }
}

#[cfg(unix)]
fn unlock(file: &File) {
    // Closing the file, which comes next, is the other way to it.
    let _ = rustix::fs::flock(file, rustix::fs::FlockOperation::Unlock);
}

/// Windows does it when the file is opened, see `for_one_writer`.
#[cfg(not(unix))]
fn lock(_: &File) -> io::Result<()> {
    Ok(())
}

#[cfg(not(unix))]
fn unlock(_: &File) {}

#[cfg(not(windows))]
fn for_one_writer(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

/// Others may read meanwhile.
#[cfg(windows)]
fn for_one_writer(options: &mut OpenOptions) -> &mut OpenOptions {
    const FILE_SHARE_READ: u32 = 1;
    std::os::windows::fs::OpenOptionsExt::share_mode(options, FILE_SHARE_READ)
}

#[cfg(unix)]
fn read_exact_at(file: &File, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, offset)
}

#[cfg(unix)]
fn write_all_at(file: &File, offset: u64, bytes: &[u8]) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, offset)
}

#[cfg(windows)]
fn read_exact_at(file: &File, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
    let mut done = 0;
    while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match std::os::windows::fs::FileExt::seek_read(file, rest, offset + done as u64) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => done += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(windows)]
fn write_all_at(file: &File, offset: u64, bytes: &[u8]) -> io::Result<()> {
    let mut done = 0;
    while let Some(rest) = bytes.get(done..).filter(|rest| !rest.is_empty()) {
        match std::os::windows::fs::FileExt::seek_write(file, rest, offset + done as u64) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => done += written,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
