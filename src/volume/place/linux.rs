//! Places under Linux: handles that are paths alone, and the extended attribute of the driver in charge.

use std::{
    ffi::{OsStr, OsString},
    fs, io,
    os::{
        fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd},
        unix::ffi::OsStringExt as _,
    },
    path::Path,
};

use rustix::fs::{self as unix, FileType, OFlags, XattrFlags};

use super::{Identity, PlaceKind, mount_table, unsupported};

/// `O_PATH`: neither FIFO nor device nor file is opened, and a link is held itself.
const HELD: OFlags = OFlags::PATH.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// The largest value of an extended attribute (`XATTR_SIZE_MAX`).
const LARGEST: usize = 65_536;

pub(super) struct Place {
    held: OwnedFd,
    driver: Driver,
    kind: PlaceKind,
    identity: Identity,
}

/// Who serves the volume.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Driver {
    /// ntfs-3g, in user space.
    Ntfs3g,
    /// The kernel's own, since 5.15.
    Ntfs3,
}

impl Driver {
    /// The driver of the mount that an open file is on, never guessed from its path.
    fn of(file: BorrowedFd<'_>) -> io::Result<Self> {
        let info = fs::read_to_string(format!("/proc/self/fdinfo/{}", file.as_raw_fd()))?;
        // Any other mount may have a name that is no text; what is looked for is.
        let table = fs::read("/proc/self/mountinfo")?;
        let table = String::from_utf8_lossy(&table);
        let found = mount_table::mount_number(&info).and_then(|number| mount_table::file_system(&table, number));
        match found.as_deref() {
            Some("ntfs3") => Ok(Self::Ntfs3),
            // A block device or an image file served by a program. Which one is not in the table; ntfs-3g is the one
            // that answers to its attribute, and asking changes nothing.
            Some(kind @ ("fuseblk" | "fuse" | "fuseblk.ntfs-3g" | "fuse.ntfs-3g")) => {
                match unix::getxattr_query(handle(file), Self::Ntfs3g.attribute()) {
                    Ok(_) => Ok(Self::Ntfs3g),
                    Err(_) => Err(unsupported(kind)),
                }
            }
            Some(other) => Err(unsupported(other)),
            None => Err(unsupported("one that the mount table does not name")),
        }
    }

    fn attribute(self) -> &'static str {
        match self {
            Self::Ntfs3g => "system.ntfs_acl",
            Self::Ntfs3 => "system.ntfs_security",
        }
    }
}

impl Place {
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let held = unix::open(folder, flags, unix::Mode::empty())?;
        let driver = Driver::of(held.as_fd())?;
        Self::new(held, driver, None)
    }

    pub(super) fn child(&self, name: &OsStr) -> io::Result<Self> {
        child(self.held.as_fd(), name, self.driver, self.identity)
    }

    pub(super) fn entries(&self) -> io::Result<Entries> {
        // The same folder once more, this time to be read: the name is its own.
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let folder = unix::openat(&self.held, ".", flags, unix::Mode::empty())?;
        Ok(Entries { names: unix::Dir::new(folder)?, driver: self.driver, above: self.identity })
    }

    pub(super) fn duplicate(&self) -> io::Result<Self> {
        Ok(Self { held: self.held.try_clone()?, ..*self })
    }

    pub(super) fn kind(&self) -> PlaceKind {
        self.kind
    }

    pub(super) fn identity(&self) -> Identity {
        self.identity
    }

    pub(super) fn descriptor(&self) -> io::Result<Vec<u8>> {
        self.attribute(self.driver.attribute())
    }

    pub(super) fn set_descriptor(&self, descriptor: &[u8]) -> io::Result<()> {
        if descriptor.len() > LARGEST {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "the descriptor exceeds 65536 bytes"));
        }
        // Under a name that the driver does not know it would make a stream or an attribute of that name: replacing is
        // all that is asked, and the driver was seen to know the name.
        unix::setxattr(handle(self.held.as_fd()), self.driver.attribute(), descriptor, XattrFlags::REPLACE)?;
        Ok(())
    }

    pub(super) fn writable(&self) -> io::Result<()> {
        if unix::fstatvfs(&self.held)?.f_flag.contains(unix::StatVfsMountFlags::RDONLY) {
            return Err(rustix::io::Errno::ROFS.into());
        }
        Ok(())
    }

    /// A value of known size: a buffer that is too small is EIO to ntfs-3g and ENODATA to ntfs3, not ERANGE.
    fn attribute(&self, name: &str) -> io::Result<Vec<u8>> {
        let handle = handle(self.held.as_fd());
        for _ in 0..8 {
            let size = unix::getxattr_query(&handle, name)?;
            let mut value = vec![0; size.min(LARGEST)];
            match unix::getxattr(&handle, name, &mut value[..]) {
                Ok(length) if length == size => return Ok(value),
                // It grew or shrank in between.
                _ if unix::getxattr_query(&handle, name)? != size => {}
                Ok(_) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Err(error) => return Err(error.into()),
            }
        }
        Err(io::Error::new(io::ErrorKind::ResourceBusy, "its descriptor changes while it is read"))
    }

    fn new(held: OwnedFd, driver: Driver, above: Option<Identity>) -> io::Result<Self> {
        let stat = unix::fstat(&held)?;
        // Widths differ between platforms.
        #[allow(clippy::useless_conversion, clippy::unnecessary_cast)]
        let identity = Identity { volume: stat.st_dev as u64, file: stat.st_ino as u64 };
        if above.is_some_and(|above| above.volume != identity.volume) {
            return Err(io::Error::new(io::ErrorKind::CrossesDevices, "another file system is mounted there"));
        }
        let mut place = Self { held, driver, kind: PlaceKind::File, identity };
        place.kind = match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => PlaceKind::Folder,
            FileType::Symlink => place.link(),
            _ => PlaceKind::File,
        };
        Ok(place)
    }

    /// Drivers show files with a reparse tag that they do not know as links to nowhere. Only tags that stand for another
    /// name make a link of a file; compressed system files, for one, are files.
    fn link(&self) -> PlaceKind {
        let number =
            |name| self.attribute(name).ok().and_then(|value| value.first_chunk().copied().map(u32::from_le_bytes));
        let is_folder = number("system.ntfs_attrib").is_some_and(|attributes| attributes & ATTRIBUTE_DIRECTORY != 0);
        match number("system.ntfs_reparse_data") {
            Some(tag) if tag & NAME_SURROGATE == 0 && !is_folder => PlaceKind::File,
            _ => PlaceKind::Link { to_folder: is_folder },
        }
    }
}

const ATTRIBUTE_DIRECTORY: u32 = 0x10;
const NAME_SURROGATE: u32 = 0x2000_0000;

pub(super) struct Entries {
    names: unix::Dir,
    driver: Driver,
    above: Identity,
}

impl Entries {
    pub(super) fn child(&self, name: &OsStr) -> io::Result<Place> {
        child(self.names.fd()?, name, self.driver, self.above)
    }

    pub(super) fn next(&mut self) -> Option<io::Result<OsString>> {
        loop {
            match self.names.read()? {
                Ok(entry) => {
                    let name = entry.file_name().to_bytes();
                    if name != b"." && name != b".." {
                        return Some(Ok(OsString::from_vec(name.to_vec())));
                    }
                }
                Err(error) => return Some(Err(error.into())),
            }
        }
    }
}

/// One name, which the caller has made sure is one: so this does not leave the folder, and what is mounted over the
/// entry shows in its device.
fn child(folder: BorrowedFd<'_>, name: &OsStr, driver: Driver, above: Identity) -> io::Result<Place> {
    let held = unix::openat(folder, name, HELD, unix::Mode::empty())?;
    Place::new(held, driver, Some(above))
}

/// The path by which the kernel takes a handle itself for calls that know no handles of this kind. It does not follow
/// the link that the handle may hold.
fn handle(held: BorrowedFd<'_>) -> String {
    format!("/proc/self/fd/{}", held.as_raw_fd())
}
