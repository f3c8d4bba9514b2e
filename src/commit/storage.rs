//! [`Storage`]: the files of a hive, as a commit sees them.

use std::{fmt, io};

use crate::format::{base_block::SECTOR, hbin::MAX_BINS};

/// One of the files that make up a hive on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HiveFile {
    /// The hive itself.
    Primary,
    /// First transaction log of the dual scheme (Vista and later), `.LOG1`.
    Log1,
    /// Second transaction log of the dual scheme, `.LOG2`.
    Log2,
    /// The only transaction log of the single scheme, `.LOG`; a left-over beside the other two.
    Log,
    /// A journal of our own, on other storage than the hive; see [`Protocol::Redo`](crate::Protocol::Redo).
    Redo,
}

impl HiveFile {
    /// The three logs.
    pub const LOGS: [Self; 3] = [Self::Log1, Self::Log2, Self::Log];

    /// What is appended to the hive's file name; a journal of our own has any name.
    #[must_use]
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Primary => "",
            Self::Log1 => ".LOG1",
            Self::Log2 => ".LOG2",
            Self::Log => ".LOG",
            Self::Redo => ".redo",
        }
    }
}

impl fmt::Display for HiveFile {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Primary => out.write_str("hive"),
            Self::Redo => out.write_str("journal"),
            log => out.write_str(log.suffix().trim_start_matches('.')),
        }
    }
}

/// The files of a hive. All input and output of the engine goes through this, so a test can stop the world after any
/// call.
///
/// Writes become durable with [`sync`](Self::sync) and not before; between two syncs they may reach the disk in any
/// order, whole sectors of 512 bytes at a time.
pub trait Storage: Send {
    /// Length in bytes; none if the file does not exist.
    ///
    /// # Errors
    ///
    /// What the file system says.
    fn len(&mut self, file: HiveFile) -> io::Result<Option<u64>>;

    /// Fills `buffer` from `offset` on.
    ///
    /// # Errors
    ///
    /// What the file system says; [`io::ErrorKind::UnexpectedEof`] where the file is shorter.
    fn read(&mut self, file: HiveFile, offset: u64, buffer: &mut [u8]) -> io::Result<()>;

    /// Writes all of `bytes` at `offset`; a file that is shorter grows.
    ///
    /// # Errors
    ///
    /// What the file system says.
    fn write(&mut self, file: HiveFile, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Cuts or extends (with zeros) a file.
    ///
    /// # Errors
    ///
    /// What the file system says.
    fn set_len(&mut self, file: HiveFile, length: u64) -> io::Result<()>;

    /// Makes everything written to the file durable, its length included.
    ///
    /// # Errors
    ///
    /// What the file system says; nothing is known of earlier writes then.
    fn sync(&mut self, file: HiveFile) -> io::Result<()>;

    /// Takes the hive for one writer; asked before anything is read of a hive that is to be edited. A storage that
    /// wraps another one hands this on.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::ResourceBusy`] where somebody else has it.
    fn lock(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// No file of a hive has more that means anything: all bins, and of each page what a log or journal says besides. A
/// sparse file of any length costs a hostile disk nothing.
const LONGEST: u64 = MAX_BINS as u64 + (64 << 20);

/// Reads a whole file; empty if it does not exist. What lies behind the longest that a hive can have is left out.
pub(crate) fn read_all(storage: &mut dyn Storage, file: HiveFile) -> io::Result<Vec<u8>> {
    let length = storage.len(file)?.unwrap_or(0).min(LONGEST);
    let length = usize::try_from(length).map_err(io::Error::other)?;
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(length).map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory))?;
    bytes.resize(length, 0);
    storage.read(file, 0, &mut bytes)?;
    Ok(bytes)
}

/// The sector that every commit changes.
pub(crate) fn first_sector(storage: &mut dyn Storage) -> io::Result<[u8; SECTOR]> {
    let mut sector = [0; SECTOR];
    storage.read(HiveFile::Primary, 0, &mut sector)?;
    Ok(sector)
}
