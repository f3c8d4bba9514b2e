//! A private map of a file: the one unsafe call of the feature `mmap`.
//!
//! The map is copy-on-write, so nothing written to it reaches the file. What remains unsafe is that another process
//! may change or truncate the file underneath it. The engine reads mapped bytes as hostile ones, so a change can only
//! lead to an error; a truncation makes the kernel stop the process (`SIGBUS`) as it would for every program that maps
//! files. Nobody else has any business writing to a hive that is being repaired; nothing keeps them from it, but no commit
//! is made on top of another's.

#![allow(unsafe_code)]

use std::{fs::File, io, ops::Deref, ops::DerefMut};

/// The bytes of a file, copied page by page on the first write.
pub(crate) struct PrivateMap(memmap2::MmapMut);

impl PrivateMap {
    pub(crate) fn new(file: &File) -> io::Result<Self> {
        // SAFETY: see the module's comment; all reads go through checked slices and treat the bytes as hostile.
        let map = unsafe { memmap2::MmapOptions::new().map_copy(file)? };
        Ok(Self(map))
    }
}

impl Deref for PrivateMap {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl DerefMut for PrivateMap {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}
