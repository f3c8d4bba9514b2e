//! Files that `icacls /save` writes and `/restore` reads.
//!
//! UTF-16LE without a byte-order mark, lines ended by CR and LF; two lines for each object: its path, relative to the
//! folder above the one that was saved, and the SDDL of its DACL.

use std::{error, fmt};

use crate::{
    name::{NameBuf, Units},
    security::{AclState, Control, SddlContext, SecurityDescriptor, SecurityError},
};

/// An object's path, and as much of its descriptor as is saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedDescriptor {
    /// The path, relative to the folder that `/restore` is given. Any UTF-16 units but line ends.
    pub path: NameBuf,
    /// The descriptor: what it says nothing about is not restored.
    pub descriptor: SecurityDescriptor,
}

impl SavedDescriptor {
    /// What `icacls /save` keeps: the DACL with its flags.
    #[must_use]
    pub fn dacl(path: impl Into<NameBuf>, descriptor: &SecurityDescriptor) -> Self {
        let mut kept = SecurityDescriptor::new();
        kept.set_dacl(descriptor.dacl().clone());
        kept.set_control(descriptor.control() & DACL_FLAGS);
        Self { path: path.into(), descriptor: kept }
    }

    /// All that SDDL can hold: owner, group and SACL too. `icacls` reads such files as well, but restores the DACL
    /// only.
    #[must_use]
    pub fn whole(path: impl Into<NameBuf>, descriptor: &SecurityDescriptor) -> Self {
        Self { path: path.into(), descriptor: descriptor.clone() }
    }

    /// The descriptor of an object after this was restored to it.
    ///
    /// ```
    /// use hivesmith::{command::icacls::SavedDescriptor, security::SecurityDescriptor};
    ///
    /// let before: SecurityDescriptor = "O:SYG:SYD:PAI(A;;FA;;;SY)S:(ML;;NW;;;HI)".parse()?;
    /// let now: SecurityDescriptor = "O:BAG:BAD:AI(A;;FR;;;WD)".parse()?;
    /// let restored = SavedDescriptor::dacl("x", &before).restored_to(&now);
    /// assert_eq!(restored.to_string(), "O:BAG:BAD:PAI(A;;FA;;;SY)");
    /// # Ok::<(), hivesmith::security::SecurityError>(())
    /// ```
    #[must_use]
    pub fn restored_to(&self, descriptor: &SecurityDescriptor) -> SecurityDescriptor {
        let saved = &self.descriptor;
        let mut restored = descriptor.clone();
        if saved.owner().is_some() {
            restored.set_owner(saved.owner().copied());
        }
        if saved.group().is_some() {
            restored.set_group(saved.group().copied());
        }
        let mut flags = Control::empty();
        if *saved.dacl() != AclState::Absent {
            restored.set_dacl(saved.dacl().clone());
            flags |= DACL_FLAGS;
        }
        if *saved.sacl() != AclState::Absent {
            restored.set_sacl(saved.sacl().clone());
            flags |= SACL_FLAGS;
        }
        restored.set_control(restored.control().difference(flags) | saved.control() & flags);
        restored
    }
}

/// The file for these objects.
///
/// # Errors
///
/// [`SaveError::Path`] for a path with a line end in it, [`SaveError::Descriptor`] for one that SDDL has no words for.
pub fn write_saved(saved: &[SavedDescriptor]) -> Result<Vec<u8>, SaveError> {
    let mut out = Vec::new();
    for (index, SavedDescriptor { path, descriptor }) in saved.iter().enumerate() {
        let line = 2 * index + 1;
        if path.as_units().iter().any(|&unit| unit == CR || unit == LF) {
            return Err(SaveError::Path { line });
        }
        let sddl = descriptor.to_sddl().map_err(|error| SaveError::Descriptor { line: line + 1, error })?;
        let units = path.units().chain([CR, LF]).chain(sddl.encode_utf16()).chain([CR, LF]);
        out.extend(units.flat_map(u16::to_le_bytes));
    }
    Ok(out)
}

/// Reads such a file, with or without a byte-order mark, lines ended by LF or CR and LF.
///
/// # Errors
///
/// [`SaveError`], which knows the line.
pub fn read_saved(bytes: &[u8], context: &SddlContext) -> Result<Vec<SavedDescriptor>, SaveError> {
    let pairs = bytes.chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return Err(SaveError::HalfUnit);
    }
    let units: Vec<u16> =
        pairs.map(|pair| pair.iter().rev().fold(0, |unit, &byte| unit << 8 | u16::from(byte))).collect();
    let units = units.strip_prefix(&[BYTE_ORDER_MARK]).unwrap_or(&units);
    let units = units.strip_suffix(&[LF]).unwrap_or(units);
    let mut lines = units.split(|&unit| unit == LF).map(|line| line.strip_suffix(&[CR]).unwrap_or(line)).enumerate();
    let mut saved = Vec::new();
    while let Some((index, path)) = lines.next().filter(|_| !units.is_empty()) {
        let Some((_, sddl)) = lines.next() else { return Err(SaveError::NoDescriptor { line: index + 1 }) };
        let line = index + 2;
        let sddl = String::from_utf16(sddl).map_err(|_| SaveError::NotText { line })?;
        let descriptor = SecurityDescriptor::from_sddl(&sddl, context);
        let descriptor = descriptor.map_err(|error| SaveError::Descriptor { line, error })?;
        saved.push(SavedDescriptor { path: NameBuf::from(path.to_vec()), descriptor });
    }
    Ok(saved)
}

/// Why a file of saved descriptors cannot be written or read. Lines are counted from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SaveError {
    /// The file's length is odd: it is not UTF-16.
    HalfUnit,
    /// The path that would stand on this line holds a line end.
    Path {
        /// The line.
        line: usize,
    },
    /// The path on this line is the last one, and nothing follows it.
    NoDescriptor {
        /// The line.
        line: usize,
    },
    /// An unpaired surrogate in SDDL.
    NotText {
        /// The line.
        line: usize,
    },
    /// The descriptor has no words in SDDL, or the words make no descriptor.
    Descriptor {
        /// The line.
        line: usize,
        /// What is wrong with it.
        error: SecurityError,
    },
}

impl fmt::Display for SaveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HalfUnit => f.write_str("saved descriptors: an odd number of bytes is not UTF-16"),
            Self::Path { line } => write!(f, "saved descriptors, line {line}: the path holds a line end"),
            Self::NoDescriptor { line } => write!(f, "saved descriptors, line {line}: no descriptor behind the path"),
            Self::NotText { line } => write!(f, "saved descriptors, line {line}: an unpaired surrogate"),
            Self::Descriptor { line, error } => write!(f, "saved descriptors, line {line}: {error}"),
        }
    }
}

impl error::Error for SaveError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Descriptor { error, .. } => Some(error),
            _ => None,
        }
    }
}

const DACL_FLAGS: Control =
    Control::DACL_PROTECTED.union(Control::DACL_AUTO_INHERITED).union(Control::DACL_AUTO_INHERIT_REQ);
const SACL_FLAGS: Control =
    Control::SACL_PROTECTED.union(Control::SACL_AUTO_INHERITED).union(Control::SACL_AUTO_INHERIT_REQ);
const BYTE_ORDER_MARK: u16 = 0xFEFF;
const CR: u16 = 0x0D;
const LF: u16 = 0x0A;

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    fn read(bytes: &[u8]) -> Result<Vec<SavedDescriptor>, SaveError> {
        read_saved(bytes, &SddlContext::default())
    }

    const FILE: &str = "MachineKeys\r\nD:PAI(A;;0x12019f;;;WD)(A;;FA;;;BA)\r\nMachineKeys\\ä\r\nD:AI(A;ID;FA;;;SY)\r\n";

    #[test]
    fn a_file_is_read_and_written_back() {
        let saved = read(&utf16(FILE)).unwrap();
        assert_eq!(saved.len(), 2);
        assert_eq!(saved[1].path, NameBuf::from("MachineKeys\\ä"));
        assert_eq!(write_saved(&saved).unwrap(), utf16(FILE));
    }

    #[test]
    fn byte_order_mark_and_line_ends_do_not_matter() {
        let saved = read(&utf16(FILE)).unwrap();
        for text in [format!("\u{feff}{FILE}"), FILE.replace('\r', ""), FILE.trim_end().to_owned()] {
            assert_eq!(read(&utf16(&text)), Ok(saved.clone()));
        }
        assert_eq!(read(&[]), Ok(Vec::new()));
        assert_eq!(read(&utf16("\u{feff}")), Ok(Vec::new()));
    }

    #[test]
    fn only_the_dacl_is_saved_unless_the_whole_is_wanted() {
        let text = "O:SYG:BAD:PAI(A;;FA;;;SY)S:AI(ML;;NW;;;HI)";
        let descriptor: SecurityDescriptor = text.parse().unwrap();
        let written = write_saved(&[SavedDescriptor::dacl("x", &descriptor)]).unwrap();
        assert_eq!(written, utf16("x\r\nD:PAI(A;;FA;;;SY)\r\n"));
        let whole = SavedDescriptor::whole("x", &descriptor);
        let written = write_saved(std::slice::from_ref(&whole)).unwrap();
        assert_eq!(written, utf16(&format!("x\r\n{text}\r\n")));
        assert_eq!(read(&written).unwrap()[0].restored_to(&SecurityDescriptor::new()), descriptor);
        assert_eq!(whole.restored_to(&"D:AI".parse().unwrap()), descriptor);
    }

    #[test]
    fn three_kinds_of_dacl_come_back_as_they_were() {
        let saved: Vec<_> =
            ["", "D:", "D:PNO_ACCESS_CONTROL"].map(|text| SavedDescriptor::dacl("x", &text.parse().unwrap())).to_vec();
        assert_eq!(read(&write_saved(&saved).unwrap()), Ok(saved));
    }

    #[test]
    fn paths_that_are_no_text_survive() {
        let path = NameBuf::from(vec![0x61, 0xD800, 0x62]);
        let saved = [SavedDescriptor::dacl(path, &"D:".parse().unwrap())];
        assert_eq!(read(&write_saved(&saved).unwrap()).unwrap(), saved);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let message = |bytes: &[u8]| read(bytes).unwrap_err().to_string();
        assert_eq!(message(&[0x41]), "saved descriptors: an odd number of bytes is not UTF-16");
        assert_eq!(message(&utf16("x\r\nD:\r\ny\r\n")), "saved descriptors, line 3: no descriptor behind the path");
        assert!(message(&utf16("x\r\nD:(Q;;FA;;;SY)\r\n")).starts_with("saved descriptors, line 2: sddl at byte 3: "));
        assert_eq!(message(&[0x78, 0, 10, 0, 0, 0xD8]), "saved descriptors, line 2: an unpaired surrogate");
        let error = write_saved(&[SavedDescriptor::dacl("a\nb", &SecurityDescriptor::new())]).unwrap_err();
        assert_eq!(error.to_string(), "saved descriptors, line 1: the path holds a line end");
    }
}
