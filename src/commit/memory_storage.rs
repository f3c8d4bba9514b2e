//! [`MemoryStorage`]: a hive and its logs in memory.

use std::{collections::BTreeMap, io};

use super::{HiveFile, Storage};

/// Files of a hive that live in memory: for programs that get them from elsewhere (an archive, a disk image), and for
/// tests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemoryStorage(BTreeMap<HiveFile, Vec<u8>>);

impl MemoryStorage {
    /// A hive without logs.
    #[must_use]
    pub fn new(primary: Vec<u8>) -> Self {
        Self(BTreeMap::from([(HiveFile::Primary, primary)]))
    }

    /// Adds or replaces a file.
    #[must_use]
    pub fn with(mut self, file: HiveFile, bytes: Vec<u8>) -> Self {
        self.0.insert(file, bytes);
        self
    }

    /// A file's bytes, if it exists.
    #[must_use]
    pub fn bytes(&self, file: HiveFile) -> Option<&[u8]> {
        self.0.get(&file).map(Vec::as_slice)
    }

    fn existing(&mut self, file: HiveFile) -> io::Result<&mut Vec<u8>> {
        self.0.get_mut(&file).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl Storage for MemoryStorage {
    fn len(&mut self, file: HiveFile) -> io::Result<Option<u64>> {
        Ok(self.0.get(&file).map(|bytes| bytes.len() as u64))
    }

    fn read(&mut self, file: HiveFile, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        if buffer.is_empty() {
            return Ok(());
        }
        let bytes = self.existing(file)?;
        let at = usize::try_from(offset).unwrap_or(usize::MAX);
        let from = at.checked_add(buffer.len()).and_then(|end| bytes.get(at..end));
        buffer.copy_from_slice(from.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn write(&mut self, file: HiveFile, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let to = self.existing(file)?;
        let at = usize::try_from(offset).map_err(io::Error::other)?;
        let end = at.checked_add(bytes.len()).ok_or(io::ErrorKind::InvalidInput)?;
        if to.len() < end {
            to.resize(end, 0);
        }
        if let Some(to) = to.get_mut(at..end) {
            to.copy_from_slice(bytes);
        }
        Ok(())
    }

    fn set_len(&mut self, file: HiveFile, length: u64) -> io::Result<()> {
        let length = usize::try_from(length).map_err(io::Error::other)?;
        self.existing(file)?.resize(length, 0);
        Ok(())
    }

    fn sync(&mut self, _: HiveFile) -> io::Result<()> {
        Ok(())
    }
}
