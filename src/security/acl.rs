//! Access control lists.

use super::{
    ace::{Ace, RawAce},
    bytes::{array_at, u16_at},
    error::{SecurityError, SecurityStructure},
};

/// A list of ACEs, in the order in which Windows asks them (MS-DTYP 2.4.5).
///
/// | offset | size | meaning |
/// |---|---|---|
/// | 0 | 1 | revision: 2, or 4 as soon as one object ACE is in the list |
/// | 1 | 1 | reserved |
/// | 2 | 2 | size with this header, ACEs and slack |
/// | 4 | 2 | number of ACEs |
/// | 6 | 2 | reserved |
/// | 8 | | ACEs, then slack |
///
/// Revision, reserved fields and slack are kept until the list is changed; a change drops the slack, and raises the
/// revision where it must.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Acl {
    revision: u8,
    reserved: (u8, u16),
    aces: Vec<Ace>,
    slack: Vec<u8>,
}

impl Acl {
    /// The largest possible list: its size is a 16-bit field and a multiple of 4.
    pub const MAX_SIZE: usize = 65_532;

    /// A list of these ACEs. Without any it grants nothing to anybody, which is not the same as having no list.
    ///
    /// # Errors
    ///
    /// [`SecurityError::TooLarge`] above [`Acl::MAX_SIZE`].
    pub fn new(aces: Vec<Ace>) -> Result<Self, SecurityError> {
        let mut acl = Self { revision: REVISION, reserved: (0, 0), aces: Vec::new(), slack: Vec::new() };
        acl.set_aces(aces)?;
        Ok(acl)
    }

    /// Reads the ACL at the start of `bytes`; what follows it is ignored.
    ///
    /// # Errors
    ///
    /// [`SecurityError::Truncated`], [`SecurityError::Revision`], [`SecurityError::SizeTooSmall`], or what is wrong
    /// with an ACE or its SID.
    pub fn parse(bytes: &[u8]) -> Result<Self, SecurityError> {
        RawAcl::parse(bytes, 0, SecurityStructure::Acl).map(RawAcl::to_acl)
    }

    /// The ACEs.
    #[must_use]
    pub fn aces(&self) -> &[Ace] {
        &self.aces
    }

    /// Replaces the ACEs. The list is unchanged on error.
    ///
    /// # Errors
    ///
    /// [`SecurityError::TooLarge`] above [`Acl::MAX_SIZE`].
    pub fn set_aces(&mut self, aces: Vec<Ace>) -> Result<(), SecurityError> {
        within_limit(aces.iter().fold(HEADER_SIZE, |size, ace| size.saturating_add(ace.size())))?;
        if aces.iter().any(Ace::is_object) {
            self.revision = REVISION_DS;
        }
        self.slack.clear();
        self.aces = aces;
        Ok(())
    }

    /// Appends an ACE.
    ///
    /// # Errors
    ///
    /// As [`Acl::set_aces`].
    pub fn push(&mut self, ace: Ace) -> Result<(), SecurityError> {
        within_limit(self.size() - self.slack.len() + ace.size())?;
        if ace.is_object() {
            self.revision = REVISION_DS;
        }
        self.slack.clear();
        self.aces.push(ace);
        Ok(())
    }

    /// Size of the stored form in bytes, header and slack included.
    #[must_use]
    pub fn size(&self) -> usize {
        HEADER_SIZE + self.aces.iter().map(Ace::size).sum::<usize>() + self.slack.len()
    }

    /// The revision: 2, historic 3, or 4 (`ACL_REVISION_DS`).
    #[must_use]
    pub fn revision(&self) -> u8 {
        self.revision
    }

    /// The bytes between the last ACE and the end of the list.
    #[must_use]
    pub fn slack(&self) -> &[u8] {
        &self.slack
    }

    /// Appends the stored form.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        let (reserved1, reserved2) = self.reserved;
        out.extend([self.revision, reserved1]);
        // Both fit: no list is longer than 65,535 bytes, and no ACE shorter than 4.
        out.extend_from_slice(&(self.size() as u16).to_le_bytes());
        out.extend_from_slice(&(self.aces.len() as u16).to_le_bytes());
        out.extend_from_slice(&reserved2.to_le_bytes());
        for ace in &self.aces {
            ace.write_to(out);
        }
        out.extend_from_slice(&self.slack);
    }

    /// The stored form.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.size());
        self.write_to(&mut out);
        out
    }
}

/// What a descriptor says about one of its two ACLs. The three states mean three different things.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub enum AclState {
    /// The present bit is clear: the descriptor says nothing.
    #[default]
    Absent,
    /// The present bit is set, the offset is 0. A NULL DACL lets everybody do everything.
    Null,
    /// There is a list. An empty DACL lets nobody do anything.
    Present(Acl),
}

impl AclState {
    /// The list, if there is one.
    #[must_use]
    pub fn acl(&self) -> Option<&Acl> {
        match self {
            Self::Present(acl) => Some(acl),
            Self::Absent | Self::Null => None,
        }
    }
}

/// A stored ACL whose sizes have been checked, with all its ACEs; allocates nothing.
#[derive(Clone, Copy)]
pub(super) struct RawAcl<'a> {
    bytes: &'a [u8],
    ace_count: usize,
}

impl<'a> RawAcl<'a> {
    /// Checks the ACL at the start of `bytes`; `offset` and `structure` are for the message.
    pub(super) fn parse(bytes: &'a [u8], offset: usize, structure: SecurityStructure) -> Result<Self, SecurityError> {
        let left = bytes.len();
        let truncated = |needed| SecurityError::Truncated { structure, offset, needed, left };
        let header: [u8; HEADER_SIZE] = array_at(bytes, 0).ok_or_else(|| truncated(HEADER_SIZE))?;
        let [revision, _, size @ ..] = header;
        if !(REVISION..=REVISION_DS).contains(&revision) {
            return Err(SecurityError::Revision { structure, offset, found: revision });
        }
        let size = u16_at(&size, 0).map(usize::from).unwrap_or_default();
        if size < HEADER_SIZE {
            return Err(SecurityError::SizeTooSmall { structure, offset, minimum: HEADER_SIZE, found: size });
        }
        let bytes = bytes.get(..size).ok_or_else(|| truncated(size))?;
        let ace_count = u16_at(bytes, 4).map(usize::from).unwrap_or_default();
        // Before the count is believed: the smallest ACE is a bare header.
        if HEADER_SIZE + ace_count * MIN_ACE_SIZE > size {
            let needed = HEADER_SIZE + ace_count * MIN_ACE_SIZE;
            return Err(SecurityError::Truncated { structure, offset, needed, left: size });
        }
        let mut at = HEADER_SIZE;
        for _ in 0..ace_count {
            at += RawAce::parse(bytes.get(at..).unwrap_or_default(), offset.saturating_add(at))?.size();
        }
        Ok(Self { bytes, ace_count })
    }

    /// Bytes that the ACL takes.
    pub(super) fn size(self) -> usize {
        self.bytes.len()
    }

    /// The ACL on its own.
    pub(super) fn to_acl(self) -> Acl {
        let [revision, reserved1] = array_at(self.bytes, 0).unwrap_or_default();
        let reserved2 = u16_at(self.bytes, 6).unwrap_or_default();
        let mut aces = Vec::with_capacity(self.ace_count);
        let mut rest = self.bytes.get(HEADER_SIZE..).unwrap_or_default();
        for _ in 0..self.ace_count {
            let Ok(ace) = RawAce::parse(rest, 0) else { break };
            aces.push(ace.to_ace());
            rest = rest.get(ace.size()..).unwrap_or_default();
        }
        Acl { revision, reserved: (reserved1, reserved2), aces, slack: rest.to_vec() }
    }
}

fn within_limit(size: usize) -> Result<(), SecurityError> {
    if size > Acl::MAX_SIZE {
        let structure = SecurityStructure::Acl;
        return Err(SecurityError::TooLarge { structure, size, limit: Acl::MAX_SIZE });
    }
    Ok(())
}

const HEADER_SIZE: usize = 8;
const MIN_ACE_SIZE: usize = 4;
const REVISION: u8 = 2;
const REVISION_DS: u8 = 4;

#[cfg(test)]
mod tests {
    use super::{
        super::{AccessMask, AceFlags, AceType, well_known},
        *,
    };

    fn allow_everyone() -> Ace {
        Ace::allow(AceFlags::empty(), AccessMask::FILE_READ, well_known::EVERYONE)
    }

    #[test]
    fn slack_and_reserved_fields_survive_until_the_list_changes() {
        let bytes = [2, 9, 16, 0, 0, 0, 8, 7, 1, 2, 3, 4, 5, 6, 7, 8];
        let mut acl = Acl::parse(&bytes).unwrap();
        assert_eq!(acl.slack(), [1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(acl.to_bytes(), bytes);
        acl.push(allow_everyone()).unwrap();
        assert_eq!(acl.to_bytes()[..8], [2, 9, 28, 0, 1, 0, 8, 7]);
        assert!(acl.slack().is_empty());
    }

    #[test]
    fn an_object_ace_raises_the_revision() {
        let mut acl = Acl::new(vec![allow_everyone()]).unwrap();
        assert_eq!(acl.revision(), 2);
        let object = AceType::ACCESS_ALLOWED_OBJECT;
        let sid = well_known::EVERYONE;
        acl.push(Ace::object(object, AceFlags::empty(), AccessMask::DELETE, None, None, sid, &[]).unwrap()).unwrap();
        assert_eq!(acl.revision(), 4);
    }

    #[test]
    fn a_list_that_outgrows_its_size_field_is_refused_and_stays() {
        let mut acl = Acl::new(vec![allow_everyone(); 3276]).unwrap();
        assert_eq!(acl.size(), 65_528);
        let before = acl.clone();
        let error = acl.push(allow_everyone()).unwrap_err();
        assert_eq!(error.to_string(), "acl: size 65548 exceeds the limit of 65532");
        assert_eq!(acl, before);
    }

    #[test]
    fn a_count_beyond_the_bytes_is_refused_before_the_walk() {
        let error = Acl::parse(&[2, 0, 8, 0, 0xFF, 0xFF, 0, 0]).unwrap_err();
        assert_eq!(error.to_string(), "acl at 0x0: needs 262148 bytes, 8 left");
        assert!(matches!(Acl::parse(&[1, 0, 8, 0, 0, 0, 0, 0]), Err(SecurityError::Revision { found: 1, .. })));
        assert!(matches!(Acl::parse(&[2, 0, 4, 0, 0, 0, 0, 0]), Err(SecurityError::SizeTooSmall { found: 4, .. })));
    }
}
