//! Places under Windows: handles opened for backup, and the native calls on their descriptors.
//!
//! The only unsafe code of the feature `volume`. Each call gets a handle that is open, and buffers whose length is told
//! with them; what comes back is read as bytes.

#![allow(unsafe_code)]

use std::{
    collections::VecDeque,
    ffi::{OsStr, OsString, c_void},
    fs::{self, File, OpenOptions},
    io,
    os::windows::{
        ffi::{OsStrExt as _, OsStringExt as _},
        fs::OpenOptionsExt as _,
        io::AsRawHandle as _,
    },
    path::{Path, PathBuf},
    ptr,
    sync::OnceLock,
};

use windows_sys::Win32::{
    Foundation::{CloseHandle, ERROR_INSUFFICIENT_BUFFER, ERROR_NO_MORE_FILES, HANDLE, LUID},
    Security::{
        AdjustTokenPrivileges, DACL_SECURITY_INFORMATION, GROUP_SECURITY_INFORMATION, GetKernelObjectSecurity,
        LABEL_SECURITY_INFORMATION, LUID_AND_ATTRIBUTES, LookupPrivilegeValueW, OWNER_SECURITY_INFORMATION,
        PROTECTED_DACL_SECURITY_INFORMATION, PROTECTED_SACL_SECURITY_INFORMATION, SACL_SECURITY_INFORMATION,
        SE_PRIVILEGE_ENABLED, SetKernelObjectSecurity, TOKEN_ADJUST_PRIVILEGES, TOKEN_PRIVILEGES, TOKEN_QUERY,
        UNPROTECTED_DACL_SECURITY_INFORMATION, UNPROTECTED_SACL_SECURITY_INFORMATION,
    },
    Storage::FileSystem::{
        BY_HANDLE_FILE_INFORMATION, FILE_ATTRIBUTE_DIRECTORY, FILE_ATTRIBUTE_REPARSE_POINT, FILE_ATTRIBUTE_TAG_INFO,
        FILE_FLAG_BACKUP_SEMANTICS, FILE_FLAG_OPEN_REPARSE_POINT, FILE_LIST_DIRECTORY, FILE_READ_ATTRIBUTES,
        FILE_SHARE_READ, FILE_SHARE_WRITE, FileAttributeTagInfo, FileIdBothDirectoryInfo, GetFileInformationByHandle,
        GetFileInformationByHandleEx, GetVolumeInformationByHandleW, READ_CONTROL, WRITE_DAC, WRITE_OWNER,
    },
    System::{
        SystemServices::{ACCESS_SYSTEM_SECURITY, FILE_PERSISTENT_ACLS, FILE_READ_ONLY_VOLUME},
        Threading::{GetCurrentProcess, OpenProcessToken},
    },
};

use super::{Identity, PlaceKind, unsupported};
use crate::security::Control;

pub(super) struct Place {
    file: File,
    /// Stays true while the handle is open: it does not share deleting, so neither the file nor a folder above it can be
    /// renamed or replaced.
    path: PathBuf,
    /// Whether the handle was opened for the whole SACL, and for writing.
    access: Access,
    kind: PlaceKind,
    identity: Identity,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    All,
    WithoutAudit,
    Read,
}

impl Access {
    /// What is asked for, in this order: without the privileges, or on a volume that is write-protected, less will do.
    const ORDER: [Self; 3] = [Self::All, Self::WithoutAudit, Self::Read];

    fn mask(self) -> u32 {
        let read = READ_CONTROL | FILE_READ_ATTRIBUTES | FILE_LIST_DIRECTORY;
        match self {
            Self::All => read | WRITE_DAC | WRITE_OWNER | ACCESS_SYSTEM_SECURITY,
            Self::WithoutAudit => read | WRITE_DAC | WRITE_OWNER,
            Self::Read => read,
        }
    }
}

impl Place {
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        enable_privileges();
        if !fs::metadata(folder)?.is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        let place = Self::held(fs::canonicalize(folder)?)?;
        let (flags, name) = volume(&place.file)?;
        if flags & FILE_PERSISTENT_ACLS == 0 {
            return Err(unsupported(&name));
        }
        Ok(place)
    }

    pub(super) fn child(&self, name: &OsStr) -> io::Result<Self> {
        child(&self.path, name, self.identity)
    }

    pub(super) fn entries(&self) -> io::Result<Entries> {
        let folder = Self::held(self.path.clone())?;
        Ok(Entries { folder, names: VecDeque::new() })
    }

    pub(super) fn duplicate(&self) -> io::Result<Self> {
        Ok(Self { file: self.file.try_clone()?, path: self.path.clone(), ..*self })
    }

    pub(super) fn kind(&self) -> PlaceKind {
        self.kind
    }

    pub(super) fn identity(&self) -> Identity {
        self.identity
    }

    pub(super) fn writable(&self) -> io::Result<()> {
        if volume(&self.file)?.0 & FILE_READ_ONLY_VOLUME != 0 {
            return Err(io::ErrorKind::ReadOnlyFilesystem.into());
        }
        Ok(())
    }

    pub(super) fn descriptor(&self) -> io::Result<Vec<u8>> {
        let sacl = if self.access == Access::All { SACL_SECURITY_INFORMATION } else { LABEL_SECURITY_INFORMATION };
        let parts = OWNER_SECURITY_INFORMATION | GROUP_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION | sacl;
        let mut buffer: Vec<u64> = Vec::new();
        for _ in 0..8 {
            let size = u32::try_from(buffer.len() * 8).unwrap_or(u32::MAX);
            let mut needed = 0;
            // SAFETY: the buffer has this size and is aligned for a descriptor.
            let done = unsafe {
                GetKernelObjectSecurity(handle(&self.file), parts, buffer.as_mut_ptr().cast(), size, &raw mut needed)
            };
            if done != 0 {
                let mut bytes: Vec<u8> = buffer.iter().flat_map(|word| word.to_ne_bytes()).collect();
                bytes.truncate(needed as usize);
                return Ok(bytes);
            }
            let error = io::Error::last_os_error();
            if !is(&error, ERROR_INSUFFICIENT_BUFFER) {
                return Err(error);
            }
            buffer = vec![0; (needed as usize).div_ceil(8)];
        }
        Err(io::Error::new(io::ErrorKind::ResourceBusy, "its descriptor changes while it is read"))
    }

    /// Stored as it is: nothing is handed on to what is below.
    pub(super) fn set_descriptor(&self, descriptor: &[u8]) -> io::Result<()> {
        let mut bytes = descriptor.to_vec();
        let Some(field) = bytes.get_mut(2..4) else { return Err(io::ErrorKind::InvalidData.into()) };
        let mut control = Control::from_bits_retain(u16::from_le_bytes([field[0], field[1]]));
        // The mark of an inherited list is dropped unless it is asked for.
        for (mark, request) in [
            (Control::DACL_AUTO_INHERITED, Control::DACL_AUTO_INHERIT_REQ),
            (Control::SACL_AUTO_INHERITED, Control::SACL_AUTO_INHERIT_REQ),
        ] {
            control.set(request, control.contains(mark));
        }
        field.copy_from_slice(&control.bits().to_le_bytes());

        let mut parts = OWNER_SECURITY_INFORMATION | GROUP_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION;
        let choose = |flag: Control, yes: u32, no: u32| if control.contains(flag) { yes } else { no };
        parts |=
            choose(Control::DACL_PROTECTED, PROTECTED_DACL_SECURITY_INFORMATION, UNPROTECTED_DACL_SECURITY_INFORMATION);
        if self.access == Access::All {
            parts |= SACL_SECURITY_INFORMATION
                | choose(
                    Control::SACL_PROTECTED,
                    PROTECTED_SACL_SECURITY_INFORMATION,
                    UNPROTECTED_SACL_SECURITY_INFORMATION,
                );
        } else if control.contains(Control::SACL_PRESENT) {
            parts |= LABEL_SECURITY_INFORMATION;
        }
        let words = bytes.chunks(8).map(|chunk| {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            u64::from_ne_bytes(word)
        });
        let mut words: Vec<u64> = words.collect();
        // SAFETY: a whole descriptor, aligned, that was made by `SecurityDescriptor` or read from a volume and checked.
        let done = unsafe { SetKernelObjectSecurity(handle(&self.file), parts, words.as_mut_ptr().cast()) };
        if done == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    fn held(path: PathBuf) -> io::Result<Self> {
        let open = |access: Access| {
            OpenOptions::new()
                .access_mode(access.mask())
                .share_mode(FILE_SHARE_READ | FILE_SHARE_WRITE)
                .custom_flags(FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT)
                .open(&path)
        };
        let mut failed = io::ErrorKind::NotFound.into();
        for access in Access::ORDER {
            match open(access) {
                Ok(file) => {
                    let (kind, identity) = what(&file)?;
                    return Ok(Self { file, path, access, kind, identity });
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(error),
                Err(error) => failed = error,
            }
        }
        Err(failed)
    }
}

pub(super) struct Entries {
    folder: Place,
    names: VecDeque<OsString>,
}

impl Entries {
    pub(super) fn child(&self, name: &OsStr) -> io::Result<Place> {
        child(&self.folder.path, name, self.folder.identity)
    }

    pub(super) fn next(&mut self) -> Option<io::Result<OsString>> {
        while self.names.is_empty() {
            match more_names(&self.folder.file) {
                Ok(names) if names.is_empty() => return None,
                Ok(names) => self.names.extend(names.into_iter().filter(|name| name != "." && name != "..")),
                Err(error) => return Some(Err(error)),
            }
        }
        self.names.pop_front().map(Ok)
    }
}

fn child(folder: &Path, name: &OsStr, above: Identity) -> io::Result<Place> {
    // A colon would name a stream of the file.
    if name.encode_wide().any(|unit| [b':', b'/', b'\\'].map(u16::from).contains(&unit)) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no name of a file"));
    }
    let place = Place::held(folder.join(name))?;
    if place.identity.volume != above.volume {
        return Err(io::Error::new(io::ErrorKind::CrossesDevices, "another file system is mounted there"));
    }
    Ok(place)
}

fn handle(file: &File) -> HANDLE {
    file.as_raw_handle().cast()
}

fn what(file: &File) -> io::Result<(PlaceKind, Identity)> {
    // SAFETY: plain numbers, for which zeros are values.
    let mut found: BY_HANDLE_FILE_INFORMATION = unsafe { std::mem::zeroed() };
    // SAFETY: the handle is open, the structure is of the size that is meant.
    if unsafe { GetFileInformationByHandle(handle(file), &raw mut found) } == 0 {
        return Err(io::Error::last_os_error());
    }
    let file_number = u64::from(found.nFileIndexHigh) << 32 | u64::from(found.nFileIndexLow);
    let identity = Identity { volume: found.dwVolumeSerialNumber.into(), file: file_number };
    let is_folder = found.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY != 0;
    let plain = if is_folder { PlaceKind::Folder } else { PlaceKind::File };
    if found.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT == 0 {
        return Ok((plain, identity));
    }
    let mut tag = FILE_ATTRIBUTE_TAG_INFO { FileAttributes: 0, ReparseTag: 0 };
    let size = size_of::<FILE_ATTRIBUTE_TAG_INFO>() as u32;
    // SAFETY: as above.
    let done = unsafe {
        GetFileInformationByHandleEx(handle(file), FileAttributeTagInfo, (&raw mut tag).cast::<c_void>(), size)
    };
    if done == 0 {
        return Err(io::Error::last_os_error());
    }
    // Only tags that stand for another name make a link of a file.
    const NAME_SURROGATE: u32 = 0x2000_0000;
    let is_link = tag.ReparseTag & NAME_SURROGATE != 0;
    Ok((if is_link { PlaceKind::Link { to_folder: is_folder } } else { plain }, identity))
}

/// What a volume can do, and the name of its file system.
fn volume(file: &File) -> io::Result<(u32, String)> {
    let (mut flags, mut name) = (0, [0_u16; 64]);
    // SAFETY: what is not wanted is null, and the name's length is told.
    let done = unsafe {
        GetVolumeInformationByHandleW(
            handle(file),
            ptr::null_mut(),
            0,
            ptr::null_mut(),
            ptr::null_mut(),
            &raw mut flags,
            name.as_mut_ptr(),
            name.len() as u32,
        )
    };
    if done == 0 {
        return Err(io::Error::last_os_error());
    }
    let name: Vec<u16> = name.into_iter().take_while(|unit| *unit != 0).collect();
    Ok((flags, String::from_utf16_lossy(&name)))
}

/// The next names of a folder; none at its end. Asked of the handle, which was opened for backup: the usual way would be
/// refused by the very lists that are to be repaired.
fn more_names(folder: &File) -> io::Result<Vec<OsString>> {
    let mut buffer = vec![0_u64; 8192];
    let size = (buffer.len() * 8) as u32;
    // SAFETY: the buffer has this size and is aligned for the records.
    let done = unsafe {
        GetFileInformationByHandleEx(
            handle(folder),
            FileIdBothDirectoryInfo,
            buffer.as_mut_ptr().cast::<c_void>(),
            size,
        )
    };
    if done == 0 {
        let error = io::Error::last_os_error();
        return if is(&error, ERROR_NO_MORE_FILES) { Ok(Vec::new()) } else { Err(error) };
    }
    let bytes: Vec<u8> = buffer.iter().flat_map(|word| word.to_ne_bytes()).collect();
    names_in(&bytes).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "the folder's list is cut off"))
}

/// The names in `FILE_ID_BOTH_DIR_INFO` records.
fn names_in(bytes: &[u8]) -> Option<Vec<OsString>> {
    const NAME_LENGTH: usize = 60;
    const NAME: usize = 104;
    let number = |at: usize| bytes.get(at..)?.first_chunk().copied().map(u32::from_le_bytes);
    let (mut names, mut at) = (Vec::new(), 0_usize);
    loop {
        let length = number(at.checked_add(NAME_LENGTH)?)? as usize;
        let name = bytes.get(at.checked_add(NAME)?..)?.get(..length)?;
        let units: Vec<u16> = name.chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]])).collect();
        names.push(OsString::from_wide(&units));
        match number(at)? {
            0 => return Some(names),
            next => at = at.checked_add(next as usize)?,
        }
    }
}

/// Backup and restore pass every list, taking ownership every owner, security the SACL. Whoever may not have them goes on
/// with what he has.
fn enable_privileges() {
    static DONE: OnceLock<()> = OnceLock::new();
    DONE.get_or_init(|| {
        let mut token: HANDLE = ptr::null_mut();
        // SAFETY: the pseudo handle of this process is always open.
        if unsafe { OpenProcessToken(GetCurrentProcess(), TOKEN_ADJUST_PRIVILEGES | TOKEN_QUERY, &raw mut token) } == 0
        {
            return;
        }
        for name in ["SeBackupPrivilege", "SeRestorePrivilege", "SeTakeOwnershipPrivilege", "SeSecurityPrivilege"] {
            let name: Vec<u16> = name.encode_utf16().chain([0]).collect();
            let mut luid = LUID { LowPart: 0, HighPart: 0 };
            // SAFETY: the name ends with a zero.
            if unsafe { LookupPrivilegeValueW(ptr::null(), name.as_ptr(), &raw mut luid) } != 0 {
                let entry = LUID_AND_ATTRIBUTES { Luid: luid, Attributes: SE_PRIVILEGE_ENABLED };
                let privileges = TOKEN_PRIVILEGES { PrivilegeCount: 1, Privileges: [entry] };
                // SAFETY: one privilege, as it says; the state before is not asked for.
                unsafe {
                    AdjustTokenPrivileges(token, 0, &raw const privileges, 0, ptr::null_mut(), ptr::null_mut());
                }
            }
        }
        // SAFETY: opened above, and closed once.
        unsafe { CloseHandle(token) };
    });
}

/// Whether an error is the one with this number, which Rust's library has signed and Windows' headers have not.
fn is(error: &io::Error, number: u32) -> bool {
    error.raw_os_error().is_some_and(|raw| raw.to_ne_bytes() == number.to_ne_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_and_cut_ones_refused() {
        let record = |name: &str, next: u32| {
            let units: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
            let mut bytes = vec![0; 104];
            bytes[..4].copy_from_slice(&next.to_le_bytes());
            bytes[60..64].copy_from_slice(&(units.len() as u32).to_le_bytes());
            bytes.extend(units);
            bytes
        };
        let mut bytes = record("ab", 112);
        bytes.resize(112, 0);
        bytes.extend(record("c", 0));
        assert_eq!(names_in(&bytes), Some(vec!["ab".into(), "c".into()]));
        for length in 0..bytes.len() {
            assert_eq!(names_in(&bytes[..length]), None, "{length}");
        }
    }
}
