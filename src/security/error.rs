//! What can be wrong with a security descriptor, as bytes or as text.

use std::fmt;

/// Why bytes or text are not a security descriptor, or why a descriptor cannot be written.
///
/// Offsets count from the start of the bytes that were handed in; positions are byte offsets in the SDDL text.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SecurityError {
    /// A structure needs more bytes than there are.
    Truncated {
        /// The structure that does not fit.
        structure: SecurityStructure,
        /// Where it starts.
        offset: usize,
        /// Bytes it needs.
        needed: usize,
        /// Bytes there are, from its start to the end of what contains it.
        left: usize,
    },
    /// The revision byte of a structure is not one that Windows knows.
    Revision {
        /// The structure.
        structure: SecurityStructure,
        /// Where it starts.
        offset: usize,
        /// The revision found.
        found: u8,
    },
    /// `SE_SELF_RELATIVE` is clear: the four fields would be pointers, not offsets.
    NotSelfRelative {
        /// The control word found.
        control: u16,
    },
    /// A part of the descriptor starts inside its header or past its end.
    PartOffset {
        /// The part.
        structure: SecurityStructure,
        /// The offset found.
        found: usize,
        /// Length of the bytes handed in.
        length: usize,
    },
    /// A size field is smaller than the fixed part of its structure.
    SizeTooSmall {
        /// The structure.
        structure: SecurityStructure,
        /// Where it starts.
        offset: usize,
        /// The smallest possible size.
        minimum: usize,
        /// The size found.
        found: usize,
    },
    /// A SID claims more than 15 sub-authorities.
    SubAuthorityCount {
        /// Where the SID starts.
        offset: usize,
        /// The count found.
        found: usize,
    },
    /// The identifier authority of a SID exceeds 48 bits.
    Authority {
        /// The authority asked for.
        found: u64,
    },
    /// A structure would outgrow its 16-bit size field.
    TooLarge {
        /// The structure.
        structure: SecurityStructure,
        /// The size it would have in bytes.
        size: usize,
        /// The largest possible size.
        limit: usize,
    },
    /// The ACE type does not have the body asked for.
    AceShape {
        /// The ACE type.
        ace_type: u8,
        /// What the caller wanted the ACE to carry.
        wanted: &'static str,
    },
    /// SDDL text is malformed.
    Sddl {
        /// Byte offset in the text.
        position: usize,
        /// What would have been right there.
        expected: &'static str,
        /// What is there: a short excerpt, empty at the end of the text.
        found: String,
    },
    /// An SDDL alias is relative to a domain or machine SID that was not given.
    DomainSidRequired {
        /// Byte offset of the alias in the text.
        position: usize,
        /// The alias.
        alias: &'static str,
        /// Whose SID is needed.
        authority: &'static str,
    },
    /// SDDL has no words for something in the descriptor.
    NotRepresentable {
        /// The type of the ACE that cannot be written.
        ace_type: u8,
        /// What stands in the way.
        reason: &'static str,
    },
}

/// The structure a [`SecurityError`] is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SecurityStructure {
    /// The 20-byte header of a self-relative descriptor.
    Descriptor,
    /// The owner SID.
    Owner,
    /// The primary group SID.
    Group,
    /// The system ACL.
    Sacl,
    /// The discretionary ACL.
    Dacl,
    /// An ACL that is not (yet) part of a descriptor.
    Acl,
    /// An ACE.
    Ace,
    /// A SID.
    Sid,
}

impl fmt::Display for SecurityStructure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Descriptor => "security descriptor",
            Self::Owner => "owner",
            Self::Group => "group",
            Self::Sacl => "sacl",
            Self::Dacl => "dacl",
            Self::Acl => "acl",
            Self::Ace => "ace",
            Self::Sid => "sid",
        })
    }
}

impl fmt::Display for SecurityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated { structure, offset, needed, left } => {
                write!(f, "{structure} at {offset:#x}: needs {needed} bytes, {left} left")
            }
            Self::Revision { structure, offset, found } => {
                write!(f, "{structure} at {offset:#x}: unknown revision {found}")
            }
            Self::NotSelfRelative { control } => {
                write!(f, "security descriptor: control {control:#06x} lacks the self-relative bit 0x8000")
            }
            Self::PartOffset { structure, found, length } => {
                write!(f, "security descriptor: {structure} offset {found:#x} is not within 0x14 and {length:#x}")
            }
            Self::SizeTooSmall { structure, offset, minimum, found } => {
                write!(f, "{structure} at {offset:#x}: size {found} is below the minimum of {minimum}")
            }
            Self::SubAuthorityCount { offset, found } => {
                write!(f, "sid at {offset:#x}: {found} sub-authorities exceed the limit of 15")
            }
            Self::Authority { found } => write!(f, "sid: identifier authority {found:#x} exceeds 48 bits"),
            Self::TooLarge { structure, size, limit } => {
                write!(f, "{structure}: size {size} exceeds the limit of {limit}")
            }
            Self::AceShape { ace_type, wanted } => write!(f, "ace of type {ace_type:#04x} has no {wanted}"),
            Self::Sddl { position, expected, found } if found.is_empty() => {
                write!(f, "sddl at byte {position}: expected {expected}, found the end of the text")
            }
            Self::Sddl { position, expected, found } => {
                write!(f, "sddl at byte {position}: expected {expected}, found `{}`", found.escape_debug())
            }
            Self::DomainSidRequired { position, alias, authority } => {
                write!(f, "sddl at byte {position}: alias {alias} needs the sid of the {authority}")
            }
            Self::NotRepresentable { ace_type, reason } => {
                write!(f, "ace of type {ace_type:#04x} cannot be written as sddl: {reason}")
            }
        }
    }
}

impl std::error::Error for SecurityError {}
