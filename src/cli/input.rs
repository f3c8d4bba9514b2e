//! Reading whole files that may lie on somebody's disk.

use std::{
    fs::{self, OpenOptions},
    io::{self, Read as _},
    path::Path,
};

/// The bytes of a file. What is none is refused and not opened: a FIFO would wait for its other end for ever. Of a folder
/// the host says what it is.
pub(crate) fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    let no_file = || io::Error::new(io::ErrorKind::Unsupported, "it is no file that could be read");
    let known = fs::metadata(path)?;
    if !known.is_file() && !known.is_dir() {
        return Err(no_file());
    }
    let mut file = OpenOptions::new().read(true).open(path)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}
