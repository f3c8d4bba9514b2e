//! Access control entries.

use super::{
    access_mask::AccessMask,
    ace_type::{AceFlags, AceType, Shape},
    bytes::{array_at, u16_at, u32_at},
    error::{SecurityError, SecurityStructure},
    guid::Guid,
    sid::{self, Sid},
};

/// An access control entry: what one SID may do, may not do, or is watched doing (MS-DTYP 2.4.4).
///
/// | offset | size | meaning |
/// |---|---|---|
/// | 0 | 1 | type, [`AceType`] |
/// | 1 | 1 | flags, [`AceFlags`] |
/// | 2 | 2 | size of the ACE with this header, in practice a multiple of 4 |
/// | 4 | 4 | access mask |
/// | 8 | 4 | object ACEs only: which of the two GUIDs follow, then those |
/// | | | SID |
/// | | | callback and claim ACEs: their data; others: nothing, or slack that is kept |
///
/// ACEs of a type whose body is not known keep that body as bytes.
///
/// ```
/// use hivesmith::security::{AccessMask, Ace, AceFlags, well_known};
///
/// let ace = Ace::allow(AceFlags::empty(), AccessMask::FILE_ALL, well_known::ADMINISTRATORS);
/// assert_eq!(ace.mask(), Some(AccessMask::FILE_ALL));
/// assert_eq!(ace.size(), 24);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Ace {
    kind: AceType,
    flags: AceFlags,
    body: Body,
}

/// What follows the header. Private, so that it always fits the type and the 16-bit size.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Body {
    Plain { mask: AccessMask, sid: Sid, data: Vec<u8> },
    Object { mask: AccessMask, types: ObjectTypes, sid: Sid, data: Vec<u8> },
    Opaque(Vec<u8>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct ObjectTypes {
    object: Option<Guid>,
    inherited: Option<Guid>,
    /// Bits that say nothing about the two GUIDs, kept as they were read.
    unknown_flags: u32,
}

impl Ace {
    /// The largest possible ACE: its size is a 16-bit field and a multiple of 4.
    pub const MAX_SIZE: usize = 65_532;

    /// An ACE that grants `mask` to `sid`.
    #[must_use]
    pub fn allow(flags: AceFlags, mask: AccessMask, sid: Sid) -> Self {
        Self { kind: AceType::ACCESS_ALLOWED, flags, body: Body::Plain { mask, sid, data: Vec::new() } }
    }

    /// An ACE that denies `mask` to `sid`.
    #[must_use]
    pub fn deny(flags: AceFlags, mask: AccessMask, sid: Sid) -> Self {
        Self { kind: AceType::ACCESS_DENIED, ..Self::allow(flags, mask, sid) }
    }

    /// An ACE of any type that consists of mask and SID, with the data that callback and claim types carry.
    ///
    /// The data is padded with zeros to a multiple of 4, as Windows pads it.
    ///
    /// # Errors
    ///
    /// [`SecurityError::AceShape`] if the type has another body, [`SecurityError::TooLarge`] above [`Ace::MAX_SIZE`].
    pub fn new(
        ace_type: AceType,
        flags: AceFlags,
        mask: AccessMask,
        sid: Sid,
        data: &[u8],
    ) -> Result<Self, SecurityError> {
        if ace_type.shape() != Shape::Plain {
            return Err(SecurityError::AceShape { ace_type: ace_type.0, wanted: "plain mask and sid" });
        }
        let ace = Self { kind: ace_type, flags, body: Body::Plain { mask, sid, data: padded(data) } };
        ace.within_limit()
    }

    /// An object ACE: one for a property, property set, extended right or kind of child of a directory object.
    ///
    /// # Errors
    ///
    /// As [`Ace::new`].
    pub fn object(
        ace_type: AceType,
        flags: AceFlags,
        mask: AccessMask,
        object_type: Option<Guid>,
        inherited_object_type: Option<Guid>,
        sid: Sid,
        data: &[u8],
    ) -> Result<Self, SecurityError> {
        if ace_type.shape() != Shape::Object {
            return Err(SecurityError::AceShape { ace_type: ace_type.0, wanted: "object type" });
        }
        let types = ObjectTypes { object: object_type, inherited: inherited_object_type, unknown_flags: 0 };
        let ace = Self { kind: ace_type, flags, body: Body::Object { mask, types, sid, data: padded(data) } };
        ace.within_limit()
    }

    /// The type.
    #[must_use]
    pub fn ace_type(&self) -> AceType {
        self.kind
    }

    /// The flags.
    #[must_use]
    pub fn flags(&self) -> AceFlags {
        self.flags
    }

    /// The same ACE with other flags.
    #[must_use]
    pub fn with_flags(mut self, flags: AceFlags) -> Self {
        self.flags = flags;
        self
    }

    /// The access mask, unless the type is unknown.
    #[must_use]
    pub fn mask(&self) -> Option<AccessMask> {
        match self.body {
            Body::Plain { mask, .. } | Body::Object { mask, .. } => Some(mask),
            Body::Opaque(_) => None,
        }
    }

    /// The same ACE with another mask.
    ///
    /// # Errors
    ///
    /// [`SecurityError::AceShape`] if the type is unknown.
    pub fn with_mask(mut self, new: AccessMask) -> Result<Self, SecurityError> {
        match &mut self.body {
            Body::Plain { mask, .. } | Body::Object { mask, .. } => *mask = new,
            Body::Opaque(_) => return Err(self.no("access mask")),
        }
        Ok(self)
    }

    /// The SID that the ACE is about, unless the type is unknown.
    #[must_use]
    pub fn sid(&self) -> Option<&Sid> {
        match &self.body {
            Body::Plain { sid, .. } | Body::Object { sid, .. } => Some(sid),
            Body::Opaque(_) => None,
        }
    }

    /// The same ACE for another SID.
    ///
    /// # Errors
    ///
    /// [`SecurityError::AceShape`] if the type is unknown, [`SecurityError::TooLarge`] above [`Ace::MAX_SIZE`].
    pub fn with_sid(mut self, new: Sid) -> Result<Self, SecurityError> {
        match &mut self.body {
            Body::Plain { sid, .. } | Body::Object { sid, .. } => *sid = new,
            Body::Opaque(_) => return Err(self.no("sid")),
        }
        self.within_limit()
    }

    /// The GUID of what an object ACE is about.
    #[must_use]
    pub fn object_type(&self) -> Option<Guid> {
        self.object_types().and_then(|types| types.object)
    }

    /// The GUID of the kind of child that inherits an object ACE.
    #[must_use]
    pub fn inherited_object_type(&self) -> Option<Guid> {
        self.object_types().and_then(|types| types.inherited)
    }

    /// What follows the SID: a condition, a claim, or slack. For an unknown type all that follows the header.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        match &self.body {
            Body::Plain { data, .. } | Body::Object { data, .. } | Body::Opaque(data) => data,
        }
    }

    /// Size of the stored form in bytes, header included.
    #[must_use]
    pub fn size(&self) -> usize {
        HEADER_SIZE
            + match &self.body {
                Body::Plain { sid, data, .. } => 4 + sid.size() + data.len(),
                Body::Object { types, sid, data, .. } => 8 + types.size() + sid.size() + data.len(),
                Body::Opaque(data) => data.len(),
            }
    }

    /// Appends the stored form.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        out.extend([self.kind.0, self.flags.bits()]);
        out.extend_from_slice(&(self.size() as u16).to_le_bytes());
        match &self.body {
            Body::Plain { mask, sid, data } => {
                out.extend_from_slice(&mask.bits().to_le_bytes());
                sid.write_to(out);
                out.extend_from_slice(data);
            }
            Body::Object { mask, types, sid, data } => {
                out.extend_from_slice(&mask.bits().to_le_bytes());
                types.write_to(out);
                sid.write_to(out);
                out.extend_from_slice(data);
            }
            Body::Opaque(data) => out.extend_from_slice(data),
        }
    }

    /// Whether two ACEs say the same, whatever their flags.
    pub(super) fn same_but_flags(&self, other: &Self) -> bool {
        self.kind == other.kind && self.body == other.body
    }

    /// Whether it was inherited.
    pub(super) fn is_inherited(&self) -> bool {
        self.flags.contains(AceFlags::INHERITED)
    }

    /// Whether it is asked when somebody opens the object.
    pub(super) fn is_in_force(&self) -> bool {
        !self.flags.contains(AceFlags::INHERIT_ONLY)
    }

    /// Whether the type is one of those for directory objects, which need ACL revision 4.
    pub(super) fn is_object(&self) -> bool {
        self.kind.shape() == Shape::Object
    }

    fn object_types(&self) -> Option<&ObjectTypes> {
        match &self.body {
            Body::Object { types, .. } => Some(types),
            Body::Plain { .. } | Body::Opaque(_) => None,
        }
    }

    fn no(&self, wanted: &'static str) -> SecurityError {
        SecurityError::AceShape { ace_type: self.kind.0, wanted }
    }

    fn within_limit(self) -> Result<Self, SecurityError> {
        match self.size() {
            size if size > Self::MAX_SIZE => {
                Err(SecurityError::TooLarge { structure: SecurityStructure::Ace, size, limit: Self::MAX_SIZE })
            }
            _ => Ok(self),
        }
    }
}

/// A stored ACE whose sizes have been checked: borrowed, so that checking allocates nothing.
#[derive(Clone, Copy)]
pub(super) struct RawAce<'a> {
    bytes: &'a [u8],
    /// Where the SID starts, and where it ends; the end of the header twice if the type is unknown.
    sid: (usize, usize),
}

impl<'a> RawAce<'a> {
    /// Checks the ACE at the start of `bytes`, which end where its ACL ends; `offset` is for the message.
    pub(super) fn parse(bytes: &'a [u8], offset: usize) -> Result<Self, SecurityError> {
        const STRUCTURE: SecurityStructure = SecurityStructure::Ace;
        let truncated = |needed| SecurityError::Truncated { structure: STRUCTURE, offset, needed, left: bytes.len() };
        let too_small = |minimum, found| SecurityError::SizeTooSmall { structure: STRUCTURE, offset, minimum, found };
        let size = u16_at(bytes, 2).map(usize::from).ok_or_else(|| truncated(HEADER_SIZE))?;
        let ace = bytes.get(..size).ok_or_else(|| truncated(size))?;
        let ace_type = ace.first().copied().map(AceType).ok_or_else(|| too_small(HEADER_SIZE, size))?;
        let sid_start = match ace_type.shape() {
            Shape::Opaque if size < HEADER_SIZE => return Err(too_small(HEADER_SIZE, size)),
            Shape::Opaque => return Ok(Self { bytes: ace, sid: (HEADER_SIZE, HEADER_SIZE) }),
            Shape::Plain => HEADER_SIZE + 4,
            Shape::Object => {
                let flags = u32_at(ace, OBJECT_FLAGS).ok_or_else(|| too_small(OBJECT_FLAGS + 4, size))?;
                OBJECT_FLAGS + 4 + 16 * (flags & ALL_TYPES_PRESENT).count_ones() as usize
            }
        };
        let sid_bytes = ace.get(sid_start..).ok_or_else(|| too_small(sid_start + MIN_SID_SIZE, size))?;
        let sid_size = sid::check(sid_bytes, offset.saturating_add(sid_start), SecurityStructure::Sid)?;
        Ok(Self { bytes: ace, sid: (sid_start, sid_start + sid_size) })
    }

    /// Bytes that the ACE takes.
    pub(super) fn size(self) -> usize {
        self.bytes.len()
    }

    /// The ACE on its own.
    pub(super) fn to_ace(self) -> Ace {
        let [ace_type, flags] = array_at(self.bytes, 0).unwrap_or_default();
        let (sid_start, sid_end) = self.sid;
        let ace_type = AceType(ace_type);
        let data = self.bytes.get(sid_end..).unwrap_or_default().to_vec();
        let mask = AccessMask::from_bits_retain(u32_at(self.bytes, HEADER_SIZE).unwrap_or_default());
        let sid = || sid::decode(self.bytes.get(sid_start..).unwrap_or_default());
        let body = match ace_type.shape() {
            Shape::Opaque => Body::Opaque(data),
            Shape::Plain => Body::Plain { mask, sid: sid(), data },
            Shape::Object => Body::Object { mask, types: ObjectTypes::decode(self.bytes), sid: sid(), data },
        };
        Ace { kind: ace_type, flags: AceFlags::from_bits_retain(flags), body }
    }
}

impl ObjectTypes {
    fn decode(ace: &[u8]) -> Self {
        let flags = u32_at(ace, OBJECT_FLAGS).unwrap_or_default();
        let object = (flags & OBJECT_TYPE_PRESENT != 0).then(|| array_at(ace, OBJECT_FLAGS + 4)).flatten();
        let inherited_at = OBJECT_FLAGS + 4 + if object.is_some() { 16 } else { 0 };
        let inherited = (flags & INHERITED_OBJECT_TYPE_PRESENT != 0).then(|| array_at(ace, inherited_at)).flatten();
        Self {
            object: object.map(Guid::from_bytes),
            inherited: inherited.map(Guid::from_bytes),
            unknown_flags: flags & !ALL_TYPES_PRESENT,
        }
    }

    fn size(&self) -> usize {
        16 * (usize::from(self.object.is_some()) + usize::from(self.inherited.is_some()))
    }

    fn write_to(&self, out: &mut Vec<u8>) {
        let object = if self.object.is_some() { OBJECT_TYPE_PRESENT } else { 0 };
        let inherited = if self.inherited.is_some() { INHERITED_OBJECT_TYPE_PRESENT } else { 0 };
        out.extend_from_slice(&(self.unknown_flags | object | inherited).to_le_bytes());
        for guid in [self.object, self.inherited].into_iter().flatten() {
            out.extend_from_slice(&guid.to_bytes());
        }
    }
}

fn padded(data: &[u8]) -> Vec<u8> {
    let mut data = data.to_vec();
    data.resize(data.len().next_multiple_of(4), 0);
    data
}

const HEADER_SIZE: usize = 4;
const OBJECT_FLAGS: usize = 8;
const MIN_SID_SIZE: usize = 8;
const OBJECT_TYPE_PRESENT: u32 = 1;
const INHERITED_OBJECT_TYPE_PRESENT: u32 = 2;
const ALL_TYPES_PRESENT: u32 = OBJECT_TYPE_PRESENT | INHERITED_OBJECT_TYPE_PRESENT;

#[cfg(test)]
mod tests {
    use super::{super::well_known, *};

    fn round_trip(bytes: &[u8]) -> Ace {
        let ace = RawAce::parse(bytes, 0).unwrap().to_ace();
        let mut written = Vec::new();
        ace.write_to(&mut written);
        assert_eq!(written, bytes);
        ace
    }

    #[test]
    fn an_unknown_type_keeps_its_body() {
        let ace = round_trip(&[0x77, 0x13, 9, 0, 1, 2, 3, 4, 5]);
        assert_eq!(ace.data(), [1, 2, 3, 4, 5]);
        assert_eq!((ace.mask(), ace.sid()), (None, None));
        assert!(ace.with_mask(AccessMask::DELETE).is_err());
    }

    #[test]
    fn slack_after_the_sid_is_kept() {
        let ace = round_trip(&[0, 0, 24, 0, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 9, 9, 9, 9]);
        assert_eq!(ace.sid(), Some(&well_known::EVERYONE));
        assert_eq!(ace.data(), [9; 4]);
    }

    #[test]
    fn object_flags_decide_which_guid_is_there() {
        let mut bytes = vec![5, 0, 36, 0, 1, 0, 0, 0, 0xF2, 0, 0, 0];
        bytes.extend([7; 16]);
        bytes.extend([1, 0, 0, 0, 0, 0, 0, 1]);
        let ace = round_trip(&bytes);
        assert_eq!(ace.object_type(), None);
        assert_eq!(ace.inherited_object_type(), Some(Guid::from_bytes([7; 16])));
    }

    #[test]
    fn a_size_that_does_not_hold_the_sid_is_refused() {
        let bytes = [0, 0, 16, 0, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0];
        let error = RawAce::parse(&bytes, 0x30).err().unwrap();
        assert_eq!(error.to_string(), "sid at 0x38: needs 12 bytes, 8 left");
        assert!(matches!(RawAce::parse(&[0, 0, 0, 0], 0), Err(SecurityError::SizeTooSmall { .. })));
        assert!(matches!(RawAce::parse(&[0, 0, 8, 0], 0), Err(SecurityError::Truncated { .. })));
    }

    #[test]
    fn data_is_padded_and_bounded() {
        let data = vec![1; 65_530];
        let new = |data: &[u8]| {
            let ace_type = AceType::ACCESS_ALLOWED_CALLBACK;
            Ace::new(ace_type, AceFlags::empty(), AccessMask::empty(), well_known::EVERYONE, data)
        };
        assert_eq!(new(&[1]).unwrap().data(), [1, 0, 0, 0]);
        assert!(matches!(new(&data), Err(SecurityError::TooLarge { .. })));
    }
}
