//! Types and flags of ACEs.

use bitflags::bitflags;

/// The type of an ACE (MS-DTYP 2.4.4.1). Unknown values survive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AceType(pub u8);

impl AceType {
    /// `ACCESS_ALLOWED_ACE_TYPE`, SDDL `A`.
    pub const ACCESS_ALLOWED: Self = Self(0x00);
    /// `ACCESS_DENIED_ACE_TYPE`, SDDL `D`.
    pub const ACCESS_DENIED: Self = Self(0x01);
    /// `SYSTEM_AUDIT_ACE_TYPE`, SDDL `AU`.
    pub const SYSTEM_AUDIT: Self = Self(0x02);
    /// `SYSTEM_ALARM_ACE_TYPE`, reserved, SDDL `AL`.
    pub const SYSTEM_ALARM: Self = Self(0x03);
    /// `ACCESS_ALLOWED_COMPOUND_ACE_TYPE`, reserved; its body is kept as bytes.
    pub const ACCESS_ALLOWED_COMPOUND: Self = Self(0x04);
    /// `ACCESS_ALLOWED_OBJECT_ACE_TYPE`, SDDL `OA`.
    pub const ACCESS_ALLOWED_OBJECT: Self = Self(0x05);
    /// `ACCESS_DENIED_OBJECT_ACE_TYPE`, SDDL `OD`.
    pub const ACCESS_DENIED_OBJECT: Self = Self(0x06);
    /// `SYSTEM_AUDIT_OBJECT_ACE_TYPE`, SDDL `OU`.
    pub const SYSTEM_AUDIT_OBJECT: Self = Self(0x07);
    /// `SYSTEM_ALARM_OBJECT_ACE_TYPE`, reserved, SDDL `OL`.
    pub const SYSTEM_ALARM_OBJECT: Self = Self(0x08);
    /// `ACCESS_ALLOWED_CALLBACK_ACE_TYPE`, SDDL `XA`.
    pub const ACCESS_ALLOWED_CALLBACK: Self = Self(0x09);
    /// `ACCESS_DENIED_CALLBACK_ACE_TYPE`, SDDL `XD`.
    pub const ACCESS_DENIED_CALLBACK: Self = Self(0x0A);
    /// `ACCESS_ALLOWED_CALLBACK_OBJECT_ACE_TYPE`, SDDL `ZA`.
    pub const ACCESS_ALLOWED_CALLBACK_OBJECT: Self = Self(0x0B);
    /// `ACCESS_DENIED_CALLBACK_OBJECT_ACE_TYPE`.
    pub const ACCESS_DENIED_CALLBACK_OBJECT: Self = Self(0x0C);
    /// `SYSTEM_AUDIT_CALLBACK_ACE_TYPE`, SDDL `XU`.
    pub const SYSTEM_AUDIT_CALLBACK: Self = Self(0x0D);
    /// `SYSTEM_ALARM_CALLBACK_ACE_TYPE`, reserved.
    pub const SYSTEM_ALARM_CALLBACK: Self = Self(0x0E);
    /// `SYSTEM_AUDIT_CALLBACK_OBJECT_ACE_TYPE`.
    pub const SYSTEM_AUDIT_CALLBACK_OBJECT: Self = Self(0x0F);
    /// `SYSTEM_ALARM_CALLBACK_OBJECT_ACE_TYPE`, reserved.
    pub const SYSTEM_ALARM_CALLBACK_OBJECT: Self = Self(0x10);
    /// `SYSTEM_MANDATORY_LABEL_ACE_TYPE`, SDDL `ML`.
    pub const SYSTEM_MANDATORY_LABEL: Self = Self(0x11);
    /// `SYSTEM_RESOURCE_ATTRIBUTE_ACE_TYPE`, SDDL `RA`.
    pub const SYSTEM_RESOURCE_ATTRIBUTE: Self = Self(0x12);
    /// `SYSTEM_SCOPED_POLICY_ID_ACE_TYPE`, SDDL `SP`.
    pub const SYSTEM_SCOPED_POLICY_ID: Self = Self(0x13);
    /// `SYSTEM_PROCESS_TRUST_LABEL_ACE_TYPE`, SDDL `TL`.
    pub const SYSTEM_PROCESS_TRUST_LABEL: Self = Self(0x14);
    /// `SYSTEM_ACCESS_FILTER_ACE_TYPE`, SDDL `FL`.
    pub const SYSTEM_ACCESS_FILTER: Self = Self(0x15);

    /// Whether an ACE of this type grants rights, perhaps under a condition.
    #[must_use]
    pub fn is_allow(self) -> bool {
        matches!(
            self,
            Self::ACCESS_ALLOWED
                | Self::ACCESS_ALLOWED_COMPOUND
                | Self::ACCESS_ALLOWED_OBJECT
                | Self::ACCESS_ALLOWED_CALLBACK
                | Self::ACCESS_ALLOWED_CALLBACK_OBJECT
        )
    }

    /// Whether an ACE of this type denies rights, perhaps under a condition.
    #[must_use]
    pub fn is_deny(self) -> bool {
        matches!(
            self,
            Self::ACCESS_DENIED
                | Self::ACCESS_DENIED_OBJECT
                | Self::ACCESS_DENIED_CALLBACK
                | Self::ACCESS_DENIED_CALLBACK_OBJECT
        )
    }

    /// Whether the mask holds rights of the object, not the policy of a label or nothing at all.
    pub(super) fn holds_rights(self) -> bool {
        self.0 <= Self::SYSTEM_ALARM_CALLBACK_OBJECT.0
    }

    /// How the body of this type is laid out.
    pub(super) fn shape(self) -> Shape {
        match self.0 {
            0x00..=0x03 | 0x09 | 0x0A | 0x0D | 0x0E | 0x11..=0x15 => Shape::Plain,
            0x05..=0x08 | 0x0B | 0x0C | 0x0F | 0x10 => Shape::Object,
            _ => Shape::Opaque,
        }
    }
}

bitflags! {
    /// How an ACE is inherited, and what an audit ACE records (MS-DTYP 2.4.4.1).
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
    pub struct AceFlags: u8 {
        /// `OBJECT_INHERIT_ACE`, SDDL `OI`: files take it.
        const OBJECT_INHERIT = 0x01;
        /// `CONTAINER_INHERIT_ACE`, SDDL `CI`: directories and keys take it.
        const CONTAINER_INHERIT = 0x02;
        /// `NO_PROPAGATE_INHERIT_ACE`, SDDL `NP`: one level only.
        const NO_PROPAGATE_INHERIT = 0x04;
        /// `INHERIT_ONLY_ACE`, SDDL `IO`: not in force on this object.
        const INHERIT_ONLY = 0x08;
        /// `INHERITED_ACE`, SDDL `ID`: came from the parent.
        const INHERITED = 0x10;
        /// `CRITICAL_ACE_FLAG`, SDDL `CR`.
        const CRITICAL = 0x20;
        /// `SUCCESSFUL_ACCESS_ACE_FLAG`, SDDL `SA`; on an access filter ACE the trust-protected flag, SDDL `TP`.
        const SUCCESSFUL_ACCESS = 0x40;
        /// `FAILED_ACCESS_ACE_FLAG`, SDDL `FA`.
        const FAILED_ACCESS = 0x80;
    }
}

/// The layouts of ACE bodies.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Mask, SID, data.
    Plain,
    /// Mask, object flags, up to two GUIDs, SID, data.
    Object,
    /// Reserved or unknown.
    Opaque,
}
