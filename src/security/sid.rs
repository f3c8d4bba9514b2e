//! Security identifiers.

use std::{fmt, str::FromStr};

use super::{
    bytes::{array_at, u32_at},
    error::{SecurityError, SecurityStructure},
    sddl::Cursor,
};

/// A security identifier: who owns, who may, who may not.
///
/// MS-DTYP 2.4.2.2. At most 68 bytes, kept in place, so a `Sid` is `Copy`.
///
/// | offset | size | meaning |
/// |---|---|---|
/// | 0 | 1 | revision, 1 |
/// | 1 | 1 | number of sub-authorities, 0 to 15 |
/// | 2 | 6 | identifier authority, big-endian |
/// | 8 | 4 each | sub-authorities, little-endian |
///
/// ```
/// use hivesmith::security::Sid;
///
/// let administrators: Sid = "S-1-5-32-544".parse()?;
/// assert_eq!(administrators.sub_authorities(), [32, 544]);
/// assert_eq!(administrators.sddl_alias(), Some("BA"));
/// assert_eq!(administrators.well_known_name(), Some("BUILTIN\\Administrators"));
/// # Ok::<(), hivesmith::security::SecurityError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sid {
    authority: u64,
    count: u8,
    // Zero beyond `count`, so that the derived comparisons hold.
    sub_authorities: [u32; Sid::MAX_SUB_AUTHORITIES],
}

impl Sid {
    /// The most sub-authorities a SID can have (MS-DTYP 2.4.2).
    pub const MAX_SUB_AUTHORITIES: usize = 15;

    /// The SID of an identifier authority (48 bits) and its sub-authorities.
    ///
    /// # Errors
    ///
    /// [`SecurityError::Authority`] over 48 bits, [`SecurityError::SubAuthorityCount`] over 15 sub-authorities.
    pub fn new(authority: u64, sub_authorities: &[u32]) -> Result<Self, SecurityError> {
        if authority > MAX_AUTHORITY {
            return Err(SecurityError::Authority { found: authority });
        }
        let mut sid =
            Self { authority, count: sub_authorities.len() as u8, sub_authorities: [0; Self::MAX_SUB_AUTHORITIES] };
        match sid.sub_authorities.get_mut(..sub_authorities.len()) {
            Some(room) => room.copy_from_slice(sub_authorities),
            None => return Err(SecurityError::SubAuthorityCount { offset: 0, found: sub_authorities.len() }),
        }
        Ok(sid)
    }

    /// A SID known at compile time.
    pub(super) const fn known<const N: usize>(authority: u64, known: [u32; N]) -> Self {
        let mut sub_authorities = [0; Self::MAX_SUB_AUTHORITIES];
        let mut index = 0;
        while index < N {
            sub_authorities[index] = known[index];
            index += 1;
        }
        Self { authority, count: N as u8, sub_authorities }
    }

    /// Reads the SID at the start of `bytes`; what follows it is ignored, [`Sid::size`] tells how long it is.
    ///
    /// # Errors
    ///
    /// [`SecurityError::Truncated`], [`SecurityError::Revision`] or [`SecurityError::SubAuthorityCount`].
    pub fn parse(bytes: &[u8]) -> Result<Self, SecurityError> {
        check(bytes, 0, SecurityStructure::Sid)?;
        Ok(decode(bytes))
    }

    /// Appends the stored form.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        out.extend([REVISION, self.count]);
        out.extend_from_slice(&self.authority.to_be_bytes()[2..]);
        for sub_authority in self.sub_authorities() {
            out.extend_from_slice(&sub_authority.to_le_bytes());
        }
    }

    /// The stored form.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.size());
        self.write_to(&mut out);
        out
    }

    /// Size of the stored form in bytes: 8 to 68.
    #[must_use]
    pub fn size(&self) -> usize {
        size(usize::from(self.count))
    }

    /// The identifier authority: 5 for Windows accounts (`SECURITY_NT_AUTHORITY`), 48 bits.
    #[must_use]
    pub fn authority(&self) -> u64 {
        self.authority
    }

    /// The sub-authorities, the relative identifier last.
    #[must_use]
    pub fn sub_authorities(&self) -> &[u32] {
        self.sub_authorities.get(..usize::from(self.count)).unwrap_or_default()
    }

    /// The SID with one more sub-authority: an account of this domain or machine.
    ///
    /// # Errors
    ///
    /// [`SecurityError::SubAuthorityCount`] if there are 15 already.
    pub fn with_rid(&self, rid: u32) -> Result<Self, SecurityError> {
        let mut sid = *self;
        match sid.sub_authorities.get_mut(usize::from(self.count)) {
            Some(last) => *last = rid,
            None => {
                return Err(SecurityError::SubAuthorityCount { offset: 0, found: Self::MAX_SUB_AUTHORITIES + 1 });
            }
        }
        sid.count += 1;
        Ok(sid)
    }
}

impl fmt::Display for Sid {
    /// `S-1-...` with decimal numbers; an authority of 2^32 or more in hexadecimal (MS-DTYP 2.4.2.1).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.authority > u64::from(u32::MAX) {
            write!(f, "S-1-{:#014x}", self.authority)?;
        } else {
            write!(f, "S-1-{}", self.authority)?;
        }
        self.sub_authorities().iter().try_for_each(|sub_authority| write!(f, "-{sub_authority}"))
    }
}

impl fmt::Debug for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sid({self})")
    }
}

impl FromStr for Sid {
    type Err = SecurityError;

    /// Reads the numeric form; numbers may be decimal or hexadecimal after `0x`, the `S` of either case.
    fn from_str(text: &str) -> Result<Self, SecurityError> {
        let mut cursor = Cursor::new(text);
        let sid = cursor.numeric_sid()?;
        if cursor.at_end() { Ok(sid) } else { Err(cursor.error("the end of the sid")) }
    }
}

/// Checks the SID at the start of `bytes` and gives its size; `offset` and `structure` are for the message.
pub(super) fn check(bytes: &[u8], offset: usize, structure: SecurityStructure) -> Result<usize, SecurityError> {
    let truncated = |needed| SecurityError::Truncated { structure, offset, needed, left: bytes.len() };
    let [revision, count] = array_at(bytes, 0).ok_or_else(|| truncated(size(0)))?;
    if revision != REVISION {
        return Err(SecurityError::Revision { structure, offset, found: revision });
    }
    let count = usize::from(count);
    if count > Sid::MAX_SUB_AUTHORITIES {
        return Err(SecurityError::SubAuthorityCount { offset, found: count });
    }
    if bytes.len() < size(count) {
        return Err(truncated(size(count)));
    }
    Ok(size(count))
}

/// Reads a SID that [`check`] has passed.
pub(super) fn decode(bytes: &[u8]) -> Sid {
    let [_, count] = array_at(bytes, 0).unwrap_or_default();
    let authority: [u8; 6] = array_at(bytes, 2).unwrap_or_default();
    let authority = authority.iter().fold(0, |authority, &byte| authority << 8 | u64::from(byte));
    let mut sid = Sid { authority, count, sub_authorities: [0; Sid::MAX_SUB_AUTHORITIES] };
    for (index, sub_authority) in sid.sub_authorities.iter_mut().take(usize::from(count)).enumerate() {
        *sub_authority = u32_at(bytes, size(index)).unwrap_or_default();
    }
    sid
}

const fn size(sub_authorities: usize) -> usize {
    8 + 4 * sub_authorities
}

const REVISION: u8 = 1;
pub(super) const MAX_AUTHORITY: u64 = (1 << 48) - 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authority_is_big_endian_and_sub_authorities_are_little_endian() {
        let sid = Sid::parse(&[1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0, 0xFF]).unwrap();
        assert_eq!(sid.to_string(), "S-1-5-32-544");
        assert_eq!(sid.size(), 16);
        assert_eq!(Sid::parse(&sid.to_bytes()).unwrap(), sid);
    }

    #[test]
    fn large_authority_is_printed_in_hexadecimal() {
        let sid = Sid::new(0x1_0000_0000, &[7]).unwrap();
        assert_eq!(sid.to_string(), "S-1-0x000100000000-7");
        assert_eq!(sid.to_string().parse::<Sid>().unwrap(), sid);
        assert!(Sid::new(1 << 48, &[]).is_err());
    }

    #[test]
    fn the_sixteenth_sub_authority_is_refused() {
        let full = Sid::new(5, &[9; 15]).unwrap();
        assert!(full.with_rid(500).is_err());
        assert!(Sid::new(5, &[9; 16]).is_err());
        assert_eq!(
            Sid::parse(&[1, 16, 0, 0, 0, 0, 0, 5]),
            Err(SecurityError::SubAuthorityCount { offset: 0, found: 16 })
        );
    }

    #[test]
    fn a_sid_cut_short_says_how_many_bytes_it_needs() {
        let error = Sid::parse(&[1, 2, 0, 0, 0, 0, 0, 5, 32]).unwrap_err();
        assert_eq!(error.to_string(), "sid at 0x0: needs 16 bytes, 9 left");
    }
}
