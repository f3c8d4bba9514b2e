//! Access masks.

use bitflags::bitflags;

bitflags! {
    /// The rights an ACE grants, denies or audits (MS-DTYP 2.4.3).
    ///
    /// The low 16 bits mean something else for each type of object, so they have no flags of their own here;
    /// the usual combinations for files and registry keys are constants. Every bit survives.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
    pub struct AccessMask: u32 {
        /// `DELETE`.
        const DELETE = 0x0001_0000;
        /// `READ_CONTROL`: read owner, group and DACL.
        const READ_CONTROL = 0x0002_0000;
        /// `WRITE_DAC`: change the DACL.
        const WRITE_DAC = 0x0004_0000;
        /// `WRITE_OWNER`: take ownership.
        const WRITE_OWNER = 0x0008_0000;
        /// `SYNCHRONIZE`.
        const SYNCHRONIZE = 0x0010_0000;
        /// `ACCESS_SYSTEM_SECURITY`: read and change the SACL.
        const ACCESS_SYSTEM_SECURITY = 0x0100_0000;
        /// `MAXIMUM_ALLOWED`.
        const MAXIMUM_ALLOWED = 0x0200_0000;
        /// `GENERIC_ALL`.
        const GENERIC_ALL = 0x1000_0000;
        /// `GENERIC_EXECUTE`.
        const GENERIC_EXECUTE = 0x2000_0000;
        /// `GENERIC_WRITE`.
        const GENERIC_WRITE = 0x4000_0000;
        /// `GENERIC_READ`.
        const GENERIC_READ = 0x8000_0000;
        const _ = !0;
    }
}

impl AccessMask {
    /// Full control of a file or directory, SDDL `FA`.
    pub const FILE_ALL: Self = Self::from_bits_retain(0x001F_01FF);
    /// Generic read of a file or directory, SDDL `FR`.
    pub const FILE_READ: Self = Self::from_bits_retain(0x0012_0089);
    /// Generic write of a file or directory, SDDL `FW`.
    pub const FILE_WRITE: Self = Self::from_bits_retain(0x0012_0116);
    /// Generic execute of a file or directory, SDDL `FX`.
    pub const FILE_EXECUTE: Self = Self::from_bits_retain(0x0012_00A0);
    /// Full control of a registry key, SDDL `KA`.
    pub const KEY_ALL: Self = Self::from_bits_retain(0x000F_003F);
    /// Generic read of a registry key, SDDL `KR`.
    pub const KEY_READ: Self = Self::from_bits_retain(0x0002_0019);
    /// Generic write of a registry key, SDDL `KW`.
    pub const KEY_WRITE: Self = Self::from_bits_retain(0x0002_0006);
    /// Generic execute of a registry key, SDDL `KX`: the same bits as [`AccessMask::KEY_READ`].
    ///
    /// The kernel adds create link (0x20039) when it computes the ACL of a new key; user-mode code does not.
    pub const KEY_EXECUTE: Self = Self::KEY_READ;
}
