//! Kinds of objects: what generic rights mean to them, and whether they hold others.

use super::access_mask::AccessMask;

/// The kind of object that a descriptor belongs to, as far as inheritance and editing care.
///
/// ```
/// use hivesmith::security::{AccessMask, ObjectKind};
///
/// let rights = AccessMask::GENERIC_READ | AccessMask::DELETE;
/// assert_eq!(ObjectKind::KEY.mapping.map(rights), AccessMask::KEY_READ | AccessMask::DELETE);
/// assert!(ObjectKind::KEY.container && !ObjectKind::FILE.container);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ObjectKind {
    /// Whether it holds other objects: directories and keys do, files do not.
    pub container: bool,
    /// What the generic rights mean to it.
    pub mapping: GenericMapping,
}

impl ObjectKind {
    /// A registry key. All keys hold keys, so an ACE that only objects inherit is handed down and never in force.
    pub const KEY: Self = Self { container: true, mapping: GenericMapping::KEY };
    /// A directory.
    pub const DIRECTORY: Self = Self { container: true, mapping: GenericMapping::FILE };
    /// A file.
    pub const FILE: Self = Self { container: false, mapping: GenericMapping::FILE };
}

/// What the four generic rights mean to one kind of object (MS-DTYP 2.4.3, `GENERIC_MAPPING`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct GenericMapping {
    /// Meaning of [`AccessMask::GENERIC_READ`].
    pub read: AccessMask,
    /// Meaning of [`AccessMask::GENERIC_WRITE`].
    pub write: AccessMask,
    /// Meaning of [`AccessMask::GENERIC_EXECUTE`].
    pub execute: AccessMask,
    /// Meaning of [`AccessMask::GENERIC_ALL`], and all the rights there are.
    pub all: AccessMask,
}

impl GenericMapping {
    /// Files and directories.
    pub const FILE: Self = Self {
        read: AccessMask::FILE_READ,
        write: AccessMask::FILE_WRITE,
        execute: AccessMask::FILE_EXECUTE,
        all: AccessMask::FILE_ALL,
    };
    /// Registry keys, as programs map the rights when they set a descriptor.
    pub const KEY: Self = Self {
        read: AccessMask::KEY_READ,
        write: AccessMask::KEY_WRITE,
        execute: AccessMask::KEY_EXECUTE,
        all: AccessMask::KEY_ALL,
    };
    /// Registry keys, as the kernel maps the rights when it creates a key: execute includes creating links.
    pub const KEY_BY_KERNEL: Self = Self { execute: AccessMask::from_bits_retain(0x0002_0039), ..Self::KEY };

    /// The mask with its generic rights replaced by what they mean (`MapGenericMask`).
    #[must_use]
    pub fn map(&self, mask: AccessMask) -> AccessMask {
        let generic = [
            (AccessMask::GENERIC_READ, self.read),
            (AccessMask::GENERIC_WRITE, self.write),
            (AccessMask::GENERIC_EXECUTE, self.execute),
            (AccessMask::GENERIC_ALL, self.all),
        ];
        let held = generic.into_iter().filter(|&(generic, _)| mask.contains(generic));
        held.fold(mask, |mask, (generic, meaning)| mask.difference(generic) | meaning)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_generic_right_becomes_its_row() {
        let map = |mapping: GenericMapping, bits| mapping.map(AccessMask::from_bits_retain(bits)).bits();
        assert_eq!(map(GenericMapping::FILE, 0x1000_0000), 0x1F_01FF);
        assert_eq!(map(GenericMapping::FILE, 0xA000_0000), 0x12_00A9);
        assert_eq!(map(GenericMapping::FILE, 0x4001_0000), 0x13_0116);
        assert_eq!(map(GenericMapping::KEY, 0x2000_0000), 0x2_0019);
        assert_eq!(map(GenericMapping::KEY_BY_KERNEL, 0x2000_0000), 0x2_0039);
        assert_eq!(map(GenericMapping::KEY, 0x0120_0008), 0x0120_0008);
    }
}
