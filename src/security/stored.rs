//! The stored form of a descriptor, checked in place.

use super::{
    acl::{AclState, RawAcl},
    bytes::{array_at, u16_at, u32_at},
    control::Control,
    error::{SecurityError, SecurityStructure},
    sid,
};

/// Checks a stored descriptor without building it: no allocation, one pass over its ACEs.
///
/// Revision 1, `SE_SELF_RELATIVE` set, each part within the bytes, ACL and ACE sizes and SID counts fit together.
/// Parts may overlap, repeat bytes, or leave gaps: Windows accepts all of that.
///
/// ```
/// use hivesmith::security::{SecurityDescriptor, validate};
///
/// let stored = "O:BAG:SYD:(A;;KA;;;BA)".parse::<SecurityDescriptor>()?.to_bytes();
/// assert!(validate(&stored).is_ok());
/// assert!(validate(&stored[..stored.len() - 1]).is_err());
/// # Ok::<(), hivesmith::security::SecurityError>(())
/// ```
///
/// # Errors
///
/// [`SecurityError::Truncated`], [`SecurityError::Revision`], [`SecurityError::NotSelfRelative`],
/// [`SecurityError::PartOffset`], [`SecurityError::SizeTooSmall`] or [`SecurityError::SubAuthorityCount`], with the
/// structure and its offset.
pub fn validate(bytes: &[u8]) -> Result<(), SecurityError> {
    RawDescriptor::parse(bytes).map(drop)
}

/// A stored descriptor whose parts have been checked.
pub(super) struct RawDescriptor<'a> {
    pub(super) resource_manager_control: u8,
    pub(super) control: Control,
    pub(super) owner: Option<usize>,
    pub(super) group: Option<usize>,
    pub(super) sacl: RawState<'a>,
    pub(super) dacl: RawState<'a>,
    pub(super) length: usize,
}

#[derive(Clone, Copy)]
pub(super) enum RawState<'a> {
    Absent,
    Null,
    Present { acl: RawAcl<'a>, offset: usize },
}

impl<'a> RawDescriptor<'a> {
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, SecurityError> {
        let header: [u8; HEADER_SIZE] = array_at(bytes, 0).ok_or(SecurityError::Truncated {
            structure: SecurityStructure::Descriptor,
            offset: 0,
            needed: HEADER_SIZE,
            left: bytes.len(),
        })?;
        let [revision, resource_manager_control, ..] = header;
        if revision != REVISION {
            let structure = SecurityStructure::Descriptor;
            return Err(SecurityError::Revision { structure, offset: 0, found: revision });
        }
        let control = Control::from_bits_retain(u16_at(&header, 2).unwrap_or_default());
        if !control.contains(Control::SELF_RELATIVE) {
            return Err(SecurityError::NotSelfRelative { control: control.bits() });
        }

        let mut length = HEADER_SIZE;
        let mut sid = |part: Part| {
            let Some((offset, rest)) = part.find(bytes)? else { return Ok(None) };
            length = length.max(offset.saturating_add(sid::check(rest, offset, part.structure())?));
            Ok(Some(offset))
        };
        let (owner, group) = (sid(Part::Owner)?, sid(Part::Group)?);
        let mut acl = |part: Part, present: Control| {
            // Without the present bit the offset is stale and not looked at.
            if !control.contains(present) {
                return Ok(RawState::Absent);
            }
            let Some((offset, rest)) = part.find(bytes)? else { return Ok(RawState::Null) };
            let acl = RawAcl::parse(rest, offset, part.structure())?;
            length = length.max(offset.saturating_add(acl.size()));
            Ok(RawState::Present { acl, offset })
        };
        let sacl = acl(Part::Sacl, Control::SACL_PRESENT)?;
        let dacl = acl(Part::Dacl, Control::DACL_PRESENT)?;
        Ok(Self { resource_manager_control, control, owner, group, sacl, dacl, length })
    }

    /// The order in which to lay out the parts: those that are there as they stand, the others where they usually are.
    pub(super) fn order(&self) -> [Part; 4] {
        let offset = |part: Part| match part {
            Part::Owner => self.owner,
            Part::Group => self.group,
            Part::Sacl => self.sacl.offset(),
            Part::Dacl => self.dacl.offset(),
        };
        let mut present = DEFAULT_ORDER;
        present.sort_by_key(|&part| (offset(part).is_none(), offset(part)));
        let mut present = present.into_iter();
        DEFAULT_ORDER.map(|part| offset(part).and_then(|_| present.next()).unwrap_or(part))
    }
}

impl RawState<'_> {
    fn offset(self) -> Option<usize> {
        match self {
            Self::Present { offset, .. } => Some(offset),
            Self::Absent | Self::Null => None,
        }
    }

    pub(super) fn to_state(self) -> AclState {
        match self {
            Self::Absent => AclState::Absent,
            Self::Null => AclState::Null,
            Self::Present { acl, .. } => AclState::Present(acl.to_acl()),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Owner,
    Group,
    Sacl,
    Dacl,
}

impl Part {
    /// Where the header holds the offset of this part.
    pub(super) fn offset_field(self) -> usize {
        match self {
            Self::Owner => 4,
            Self::Group => 8,
            Self::Sacl => 12,
            Self::Dacl => 16,
        }
    }

    fn structure(self) -> SecurityStructure {
        match self {
            Self::Owner => SecurityStructure::Owner,
            Self::Group => SecurityStructure::Group,
            Self::Sacl => SecurityStructure::Sacl,
            Self::Dacl => SecurityStructure::Dacl,
        }
    }

    /// The offset of this part and the bytes from there on; `None` if the offset is 0.
    fn find(self, bytes: &[u8]) -> Result<Option<(usize, &[u8])>, SecurityError> {
        let found = u32_at(bytes, self.offset_field()).unwrap_or_default() as usize;
        match bytes.get(found..) {
            _ if found == 0 => Ok(None),
            Some(rest) if found >= HEADER_SIZE && !rest.is_empty() => Ok(Some((found, rest))),
            _ => Err(SecurityError::PartOffset { structure: self.structure(), found, length: bytes.len() }),
        }
    }
}

pub(super) const HEADER_SIZE: usize = 20;
pub(super) const REVISION: u8 = 1;
/// As the registry and the string conversion of Windows lay out a descriptor.
pub(super) const DEFAULT_ORDER: [Part; 4] = [Part::Sacl, Part::Dacl, Part::Owner, Part::Group];
