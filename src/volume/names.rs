//! Names as the volume has them, UTF-16 units of any kind, and as the host hands them out.

use std::ffi::{OsStr, OsString};

use crate::name::NameBuf;

/// The units of a name of the host; none where it is no name of an NTFS volume.
///
/// Drivers show unpaired surrogates as WTF-8, which is neither UTF-8 nor lost.
#[must_use]
pub fn name_of(name: &OsStr) -> Option<NameBuf> {
    #[cfg(windows)]
    let units = Some(std::os::windows::ffi::OsStrExt::encode_wide(name).collect());
    #[cfg(not(windows))]
    let units = from_wtf8(name.as_encoded_bytes());
    units.map(|units: Vec<u16>| NameBuf::from(units))
}

/// The name of the host for such units.
#[must_use]
pub fn os_name(name: &NameBuf) -> OsString {
    #[cfg(windows)]
    return std::os::windows::ffi::OsStringExt::from_wide(name.as_units());
    #[cfg(unix)]
    return std::os::unix::ffi::OsStringExt::from_vec(name.to_wtf8());
    #[cfg(not(any(windows, unix)))]
    return name.to_string().into();
}

/// The name for a terminal: control characters and what is no text are escaped.
#[must_use]
pub fn shown_name(name: &OsStr) -> String {
    name_of(name).unwrap_or_else(|| NameBuf::from(name.to_string_lossy().as_ref())).to_string()
}

/// UTF-8 in which an unpaired surrogate has its three-byte form, and a pair never has.
pub(crate) fn from_wtf8(mut bytes: &[u8]) -> Option<Vec<u16>> {
    let mut units = Vec::with_capacity(bytes.len());
    while !bytes.is_empty() {
        let valid = match std::str::from_utf8(bytes) {
            Ok(_) => bytes.len(),
            Err(error) => error.valid_up_to(),
        };
        let (text, rest) = bytes.split_at(valid);
        units.extend(std::str::from_utf8(text).ok()?.encode_utf16());
        bytes = match rest {
            [] => rest,
            [0xed, high @ 0xa0..=0xbf, low @ 0x80..=0xbf, behind @ ..] => {
                units.push(0xd000 | u16::from(high & 0x3f) << 6 | u16::from(low & 0x3f));
                behind
            }
            _ => return None,
        };
    }
    Some(units)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::ffi::OsStringExt as _;

    use super::*;

    #[test]
    fn every_name_of_ntfs_comes_through() {
        for units in [vec![0x61, 0xd801, 0x62], vec![0xdc00], vec![0xd83d, 0xde00], vec![0x2028, 0x1b]] {
            let name = NameBuf::from(units);
            assert_eq!(name_of(&os_name(&name)), Some(name));
        }
        assert_eq!(name_of(&OsString::from_vec(vec![b'x', 0xff])), None);
        assert_eq!(shown_name(&OsString::from_vec(vec![b'x', 0x1b])), "x\\u{001b}");
    }
}
