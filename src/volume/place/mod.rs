//! [`Place`]: a file, folder or link of a volume, held without its content being opened.

#[cfg_attr(target_os = "linux", path = "linux.rs")]
#[cfg_attr(windows, path = "windows.rs")]
#[cfg_attr(not(any(target_os = "linux", windows)), path = "other.rs")]
mod host;
#[cfg(any(target_os = "linux", test))]
mod mount_table;

use std::{
    ffi::{OsStr, OsString},
    fmt, io,
    path::{Component, Path, PathBuf},
};

use crate::{
    name,
    security::{self, ObjectKind, SecurityDescriptor},
};

/// A file, folder or link of a mounted volume, and its security descriptor as the volume stores it.
///
/// A place is held, not opened: nothing of its content is read, a FIFO does not wait for its other end, a device does
/// nothing. It stays what it is, whatever happens to its name. What is below it is reached name by name, and a name is
/// never followed where it leads elsewhere: not through links, junctions and mount points, and not by `..`.
///
/// ```no_run
/// use hivesmith::{security::SecurityDescriptor, volume::Place};
///
/// let volume = Place::open("/mnt/win".as_ref())?;
/// let (hive, spelling) = volume.resolve(r"windows\system32\CONFIG\system")?;
/// println!("{}: {}", spelling.display(), SecurityDescriptor::parse(&hive.descriptor()?)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Place(host::Place);

/// What a [`Place`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PlaceKind {
    /// A folder that can be entered.
    Folder,
    /// A file of any kind: also a FIFO, and a file whose content the driver cannot reach.
    File,
    /// A symbolic link or a junction: it stands for something else and has a descriptor of its own.
    Link {
        /// Whether Windows takes it for a folder.
        to_folder: bool,
    },
}

/// Which file of which volume: two names of one file have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Identity {
    pub(crate) volume: u64,
    pub(crate) file: u64,
}

impl Place {
    /// The folder that a volume is mounted on, or one below it. Links on the way are followed: they are the caller's.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::Unsupported`] where the file system has no descriptors, with what to do; what the host says
    /// otherwise.
    pub fn open(folder: &Path) -> io::Result<Self> {
        host::Place::open(folder).map(Self)
    }

    /// The volume that a path of this machine is on, and the rest of the path: the first folder of it, seen from the
    /// root, on a file system with descriptors. Links are followed up to there and no further.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn volume_of(path: &Path) -> io::Result<(PathBuf, PathBuf)> {
        let path = std::path::absolute(path)?;
        let mut parts = path.components();
        let mut folder = PathBuf::new();
        let mut refused = None;
        while let Some(part) = parts.next() {
            folder.push(part);
            if matches!(part, Component::Prefix(_)) {
                continue;
            }
            match Self::open(&folder) {
                Ok(_) => return Ok((folder, parts.as_path().to_owned())),
                Err(error) if error.kind() == io::ErrorKind::Unsupported => refused = Some(error),
                // A file, which has a descriptor only if its folder has one.
                Err(error) if error.kind() == io::ErrorKind::NotADirectory => break,
                Err(error) => return Err(error),
            }
        }
        Err(refused.unwrap_or_else(|| io::ErrorKind::NotFound.into()))
    }

    /// What the folder holds under exactly this name.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::InvalidInput`] for what is no name; [`io::ErrorKind::CrossesDevices`] where another file system
    /// is mounted; what the host says otherwise.
    pub fn child(&self, name: &OsStr) -> io::Result<Self> {
        self.0.child(one_name(name)?).map(Self)
    }

    /// What is below the folder, and its path as the volume spells it. `\` and `/` both separate; names are compared as
    /// NTFS does.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`] with the part that is missing; [`io::ErrorKind::PermissionDenied`] for `..` and for
    /// links on the way; as [`child`](Self::child) otherwise.
    pub fn resolve(&self, path: &str) -> io::Result<(Self, PathBuf)> {
        let mut at = Self(self.0.duplicate()?);
        let mut found = PathBuf::new();
        for part in path.split(['\\', '/']).filter(|part| !part.is_empty() && *part != ".") {
            at.enterable(&found)?;
            let (next, name) = at.like(part)?.ok_or_else(|| {
                let (name, place) = (name::NameBuf::from(part), found.display());
                io::Error::new(io::ErrorKind::NotFound, format!("there is no \"{name}\" in {place}/"))
            })?;
            found.push(name);
            at = next;
        }
        Ok((at, found))
    }

    /// What is at exactly this path below the folder.
    ///
    /// # Errors
    ///
    /// As [`resolve`](Self::resolve).
    pub fn below(&self, path: &Path) -> io::Result<Self> {
        let mut at = Self(self.0.duplicate()?);
        let mut found = PathBuf::new();
        for part in path.components() {
            at.enterable(&found)?;
            at = at.child(part.as_os_str())?;
            found.push(part);
        }
        Ok(at)
    }

    /// The names in the folder, one after the other, without `.` and `..`.
    ///
    /// # Errors
    ///
    /// What the host says.
    pub fn entries(&self) -> io::Result<Entries> {
        self.0.entries().map(Entries)
    }

    /// What it is.
    #[must_use]
    pub fn kind(&self) -> PlaceKind {
        self.0.kind()
    }

    /// What it is to the rules of inheritance.
    #[must_use]
    pub fn object_kind(&self) -> ObjectKind {
        match self.kind() {
            PlaceKind::Folder | PlaceKind::Link { to_folder: true } => ObjectKind::DIRECTORY,
            PlaceKind::File | PlaceKind::Link { to_folder: false } => ObjectKind::FILE,
        }
    }

    /// Which file it is.
    #[must_use]
    pub fn identity(&self) -> Identity {
        self.0.identity()
    }

    /// The descriptor as it is stored.
    ///
    /// # Errors
    ///
    /// What the host says.
    pub fn descriptor(&self) -> io::Result<Vec<u8>> {
        self.0.descriptor()
    }

    /// Stores a descriptor and reads it back. Nothing else is changed: what is below takes no notice.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::InvalidData`] for what is no descriptor, and where another one was stored than was given, which
    /// should not be; what the host says otherwise.
    pub fn set_descriptor(&self, descriptor: &[u8]) -> io::Result<()> {
        // Windows reads as far as the offsets in there say.
        security::validate(descriptor).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        self.0.set_descriptor(descriptor)?;
        if !same_descriptor(&self.descriptor()?, descriptor) {
            let message = "the descriptor that was written reads back as another one";
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        Ok(())
    }

    /// Whether it is the folder that the whole volume hangs from, which no other one holds.
    #[must_use]
    pub fn is_volume_root(&self) -> bool {
        /// The number of its record on every NTFS volume; what stands above those 48 bits counts how often a record
        /// was used.
        const ROOT: u64 = 5;
        self.identity().file & 0xffff_ffff_ffff == ROOT
    }

    /// Whether the volume takes changes at all.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::ReadOnlyFilesystem`] where it is mounted read-only; what the host says.
    pub fn writable(&self) -> io::Result<()> {
        self.0.writable()
    }

    fn enterable(&self, path: &Path) -> io::Result<()> {
        match self.kind() {
            PlaceKind::Folder => Ok(()),
            PlaceKind::File => {
                Err(io::Error::new(io::ErrorKind::NotADirectory, format!("{} is a file", path.display())))
            }
            PlaceKind::Link { .. } => {
                let message = format!("{} is a link, and links on the disk are not followed", path.display());
                Err(io::Error::new(io::ErrorKind::PermissionDenied, message))
            }
        }
    }

    /// The entry of a folder that has a name: exactly, or as NTFS compares names.
    fn like(&self, wanted: &str) -> io::Result<Option<(Self, OsString)>> {
        let exact = OsStr::new(wanted);
        match self.child(exact) {
            Ok(found) if !cfg!(windows) => return Ok(Some((found, exact.to_owned()))),
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        for entry in self.entries()? {
            let entry = entry?;
            if entry.to_str().is_some_and(|entry| name::same(entry, wanted)) {
                return Ok(Some((self.child(&entry)?, entry)));
            }
        }
        Ok(None)
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Place")
            .field("kind", &self.kind())
            .field("identity", &self.identity())
            .finish_non_exhaustive()
    }
}

/// The names in a folder.
pub struct Entries(host::Entries);

impl Entries {
    /// What the folder holds under a name.
    ///
    /// # Errors
    ///
    /// As [`Place::child`].
    pub fn child(&self, name: &OsStr) -> io::Result<Place> {
        self.0.child(one_name(name)?).map(Place)
    }
}

impl Iterator for Entries {
    type Item = io::Result<OsString>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next()
    }
}

impl fmt::Debug for Entries {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Entries").finish_non_exhaustive()
    }
}

/// Whether what a volume holds is the descriptor that was given to it. Windows lays one out as it likes; the other
/// drivers store what they are given.
pub(crate) fn same_descriptor(held: &[u8], given: &[u8]) -> bool {
    let in_other_words = || SecurityDescriptor::parse(held).ok() == SecurityDescriptor::parse(given).ok();
    held == given || cfg!(windows) && in_other_words()
}

/// A name of one entry, which can lead nowhere but into its folder.
fn one_name(name: &OsStr) -> io::Result<&OsStr> {
    let mut parts = Path::new(name).components();
    match (parts.next(), parts.next()) {
        (Some(Component::Normal(part)), None) if part == name => Ok(name),
        (Some(Component::ParentDir), _) => {
            Err(io::Error::new(io::ErrorKind::PermissionDenied, "`..` leads out of the folder that was given"))
        }
        _ => {
            let message = format!("\"{}\" is no name of a file", name::NameBuf::from(name.to_string_lossy().as_ref()));
            Err(io::Error::new(io::ErrorKind::InvalidInput, message))
        }
    }
}

/// What cannot be done on a file system, and what would help.
fn unsupported(file_system: &str) -> io::Error {
    let message = match file_system {
        "ntfs" => {
            "this driver, `ntfs`, gives no access to security descriptors; mount the volume with ntfs-3g, or as type \
             ntfs3"
                .to_owned()
        }
        other => format!(
            "the file system here, {}, has no Windows security descriptors; mount the NTFS volume with ntfs-3g, or as \
             type ntfs3",
            name::NameBuf::from(other)
        ),
    };
    io::Error::new(io::ErrorKind::Unsupported, message)
}
