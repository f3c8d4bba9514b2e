//! A hive and its logs as plain bytes, each file at its place.

use std::io;

use hivesmith::{HiveFile, Storage};

/// The files in the order in which they are told to the judge.
pub(crate) const FILES: [HiveFile; 5] =
    [HiveFile::Primary, HiveFile::Log1, HiveFile::Log2, HiveFile::Log, HiveFile::Redo];

/// A disk that does what it is told.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Files([Option<Vec<u8>>; 5]);

pub(crate) fn index(file: HiveFile) -> usize {
    FILES.iter().position(|one| *one == file).expect("one of five")
}

impl Files {
    pub(crate) fn new(primary: Vec<u8>) -> Self {
        Self::default().with(HiveFile::Primary, primary)
    }

    pub(crate) fn with(mut self, file: HiveFile, bytes: Vec<u8>) -> Self {
        self.0[index(file)] = Some(bytes);
        self
    }

    /// A file's bytes; none at all of one that is not there.
    pub(crate) fn bytes(&self, file: HiveFile) -> &[u8] {
        self.0[index(file)].as_deref().unwrap_or_default()
    }

    pub(crate) fn bytes_mut(&mut self, file: HiveFile) -> &mut Vec<u8> {
        self.0[index(file)].as_mut().expect("the file exists")
    }

    pub(crate) fn primary(&self) -> &[u8] {
        self.bytes(HiveFile::Primary)
    }

    fn existing(&mut self, file: HiveFile) -> io::Result<&mut Vec<u8>> {
        self.0[index(file)].as_mut().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl Storage for Files {
    fn len(&mut self, file: HiveFile) -> io::Result<Option<u64>> {
        Ok(self.0[index(file)].as_ref().map(|bytes| bytes.len() as u64))
    }

    fn read(&mut self, file: HiveFile, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let at = usize::try_from(offset).map_err(io::Error::other)?;
        let from = self.existing(file)?.get(at..at + buffer.len());
        buffer.copy_from_slice(from.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn write(&mut self, file: HiveFile, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let at = usize::try_from(offset).map_err(io::Error::other)?;
        let to = self.existing(file)?;
        to.resize(to.len().max(at + bytes.len()), 0);
        to[at..at + bytes.len()].copy_from_slice(bytes);
        Ok(())
    }

    fn set_len(&mut self, file: HiveFile, length: u64) -> io::Result<()> {
        self.existing(file)?.resize(usize::try_from(length).map_err(io::Error::other)?, 0);
        Ok(())
    }

    fn sync(&mut self, file: HiveFile) -> io::Result<()> {
        self.existing(file).map(drop)
    }
}
