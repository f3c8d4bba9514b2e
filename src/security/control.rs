//! The control word of a descriptor.

use bitflags::bitflags;

bitflags! {
    /// The control word of a descriptor (MS-DTYP 2.4.6).
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
    pub struct Control: u16 {
        /// `SE_OWNER_DEFAULTED`: the owner came from a default.
        const OWNER_DEFAULTED = 0x0001;
        /// `SE_GROUP_DEFAULTED`: the group came from a default.
        const GROUP_DEFAULTED = 0x0002;
        /// `SE_DACL_PRESENT`: there is a DACL, perhaps a NULL one.
        const DACL_PRESENT = 0x0004;
        /// `SE_DACL_DEFAULTED`: the DACL came from a default.
        const DACL_DEFAULTED = 0x0008;
        /// `SE_SACL_PRESENT`: there is a SACL, perhaps a NULL one.
        const SACL_PRESENT = 0x0010;
        /// `SE_SACL_DEFAULTED`: the SACL came from a default.
        const SACL_DEFAULTED = 0x0020;
        /// `SE_DACL_TRUSTED`.
        const DACL_TRUSTED = 0x0040;
        /// `SE_SERVER_SECURITY`.
        const SERVER_SECURITY = 0x0080;
        /// `SE_DACL_AUTO_INHERIT_REQ`, SDDL `AR`: a request, seldom stored.
        const DACL_AUTO_INHERIT_REQ = 0x0100;
        /// `SE_SACL_AUTO_INHERIT_REQ`, SDDL `AR`: a request, seldom stored.
        const SACL_AUTO_INHERIT_REQ = 0x0200;
        /// `SE_DACL_AUTO_INHERITED`, SDDL `AI`: inherited ACEs are marked as such.
        const DACL_AUTO_INHERITED = 0x0400;
        /// `SE_SACL_AUTO_INHERITED`, SDDL `AI`: often set where there is no SACL.
        const SACL_AUTO_INHERITED = 0x0800;
        /// `SE_DACL_PROTECTED`, SDDL `P`: takes nothing from the parent.
        const DACL_PROTECTED = 0x1000;
        /// `SE_SACL_PROTECTED`, SDDL `P`: takes nothing from the parent.
        const SACL_PROTECTED = 0x2000;
        /// `SE_RM_CONTROL_VALID`: the second byte of the descriptor means something.
        const RM_CONTROL_VALID = 0x4000;
        /// `SE_SELF_RELATIVE`: offsets, not pointers. Always set in stored form.
        const SELF_RELATIVE = 0x8000;
    }
}
