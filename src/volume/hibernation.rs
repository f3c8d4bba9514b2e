//! [`hibernated`]: whether a Windows sleeps on a volume.

use std::{
    fmt, fs,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use crate::name;

/// A Windows that was not shut down but put to sleep, Fast Startup included: its kernel, with registry hives and a cache
/// of the file system in memory, waits in `hiberfil.sys`. When it wakes it goes on with those and writes over what was
/// changed meanwhile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hibernated {
    /// The `hiberfil.sys`.
    pub file: PathBuf,
    /// The four bytes it begins with.
    pub signature: [u8; 4],
}

impl fmt::Display for Hibernated {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "Windows is hibernated or was shut down with Fast Startup ({} begins with \"{}\"): when it wakes it goes on \
             with the registry that it has in memory, and changes made here are lost or mixed with it",
            self.file.display(),
            self.signature.escape_ascii()
        )
    }
}

/// Looks for a sleeping Windows on the volume that a file is on: a `hiberfil.sys` in one of the folders above it that
/// holds a memory image.
///
/// Windows leaves the file in place when it wakes, with zeros or `wake` at its begin; `hibr` stands there while it
/// sleeps and `rstr` while it is being restored. Anything else is not known and taken for a memory image.
///
/// # Errors
///
/// What the host says of reading `hiberfil.sys`.
pub fn hibernated(file: &Path) -> io::Result<Option<Hibernated>> {
    let file = fs::canonicalize(file)?;
    for folder in file.ancestors().skip(usize::from(!file.is_dir())) {
        let Some(found) = find(folder) else { continue };
        let mut signature = [0; 4];
        match fs::File::open(&found)?.read_exact(&mut signature) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => continue,
            Err(error) => return Err(error),
        }
        let awake = signature == [0; 4] || signature.eq_ignore_ascii_case(b"wake");
        if !awake {
            return Ok(Some(Hibernated { file: found, signature }));
        }
    }
    Ok(None)
}

/// The file in this folder, in any case where the folder looks like the root of a Windows volume. Links are not
/// followed.
fn find(folder: &Path) -> Option<PathBuf> {
    const NAME: &str = "hiberfil.sys";
    let is_file = |path: &Path| fs::symlink_metadata(path).is_ok_and(|found| found.is_file());
    let exact = folder.join(NAME);
    if is_file(&exact) {
        return Some(exact);
    }
    if !["Windows", "WINDOWS", "windows"].iter().any(|name| folder.join(name).is_dir()) {
        return None;
    }
    let mut entries = fs::read_dir(folder).ok()?.flatten();
    let entry = entries.find(|entry| entry.file_name().to_str().is_some_and(|name| name::same(name, NAME)))?;
    is_file(&entry.path()).then(|| entry.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn volume(name: &str, begins: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let disk = tempfile::tempdir().unwrap();
        let config = disk.path().join("Windows/System32/config");
        fs::create_dir_all(&config).unwrap();
        fs::write(config.join("SYSTEM"), b"regf").unwrap();
        fs::write(disk.path().join(name), begins).unwrap();
        (disk, config.join("SYSTEM"))
    }

    #[test]
    fn a_memory_image_is_noticed_from_any_file_below() {
        for begins in [&b"hibr\0\0"[..], b"HIBR", b"rstr....", b"\x81\x81\x81\x81"] {
            for name in ["hiberfil.sys", "HiberFil.Sys"] {
                let (_disk, hive) = volume(name, begins);
                let found = hibernated(&hive).unwrap().unwrap();
                assert_eq!(found.signature, begins[..4]);
            }
        }
    }

    #[test]
    fn a_windows_that_is_awake_or_was_shut_down_is_none() {
        for begins in [&b""[..], b"hib", b"\0\0\0\0\0", b"wake", b"WAKE1234"] {
            let (_disk, hive) = volume("hiberfil.sys", begins);
            assert_eq!(hibernated(&hive).unwrap(), None);
        }
        let (_disk, hive) = volume("pagefile.sys", b"hibr");
        assert_eq!(hibernated(&hive).unwrap(), None);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_not_followed() {
        let (disk, hive) = volume("elsewhere", b"hibr");
        std::os::unix::fs::symlink(disk.path().join("elsewhere"), disk.path().join("hiberfil.sys")).unwrap();
        assert_eq!(hibernated(&hive).unwrap(), None);
    }
}
