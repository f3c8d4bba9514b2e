//! [`Guid`]: the 128-bit identifiers of objects, disks and partitions.

use std::{
    collections::hash_map::RandomState,
    error, fmt,
    hash::{BuildHasher, Hasher},
    str::FromStr,
};

/// A GUID, printed in lower case without braces.
///
/// On disk its first three parts are little-endian and the rest is a row of bytes; so it is in boot stores, in GPT
/// headers and in the registry.
///
/// ```
/// use hivesmith::Guid;
/// let guid: Guid = "{9DEA862C-5CDD-4E70-ACC1-F32B344D4795}".parse()?;
/// assert_eq!(guid.to_string(), "9dea862c-5cdd-4e70-acc1-f32b344d4795");
/// assert_eq!(guid.to_bytes()[..6], [0x2c, 0x86, 0xea, 0x9d, 0xdd, 0x5c]);
/// # Ok::<(), hivesmith::GuidError>(())
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Guid(u128);

impl Guid {
    /// All zero.
    pub const NIL: Self = Self(0);

    /// From its digits as they are printed, read as one number.
    #[must_use]
    pub const fn from_u128(digits: u128) -> Self {
        Self(digits)
    }

    /// From the bytes as stored.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(swapped(bytes)))
    }

    /// The bytes as stored.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 16] {
        swapped(self.0.to_be_bytes())
    }

    /// Whether all of it is zero.
    #[must_use]
    pub fn is_nil(self) -> bool {
        self.0 == 0
    }

    /// A new one of the random kind (version 4, RFC 9562).
    ///
    /// The randomness is what the standard library seeds its hash maps with: good enough never to meet the same one
    /// twice, not good enough for a secret.
    #[must_use]
    pub fn random() -> Self {
        let half = || u128::from(RandomState::new().build_hasher().finish());
        let digits = half() << 64 | half();
        let version = (digits & !(0xf << 76)) | 4 << 76;
        Self((version & !(0b11 << 62)) | 0b10 << 62)
    }
}

/// The first three parts turned round, which is its own inverse.
const fn swapped(b: [u8; 16]) -> [u8; 16] {
    [b[3], b[2], b[1], b[0], b[5], b[4], b[7], b[6], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]]
}

impl FromStr for Guid {
    type Err = GuidError;

    /// Any case, with braces or without.
    fn from_str(text: &str) -> Result<Self, GuidError> {
        let digits = match (text.strip_prefix('{'), text.strip_suffix('}')) {
            (Some(_), Some(_)) => text.get(1..text.len() - 1).unwrap_or_default(),
            (None, None) => text,
            _ => return Err(GuidError),
        };
        let mut number: u128 = 0;
        let mut count = 0;
        for (at, c) in digits.chars().enumerate() {
            if matches!(at, 8 | 13 | 18 | 23) {
                if c != '-' {
                    return Err(GuidError);
                }
                continue;
            }
            let digit = c.to_digit(16).ok_or(GuidError)?;
            count += 1;
            if count > 32 {
                return Err(GuidError);
            }
            number = number << 4 | u128::from(digit);
        }
        if count == 32 { Ok(Self(number)) } else { Err(GuidError) }
    }
}

/// A text that is no GUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GuidError;

impl fmt::Display for GuidError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("not a GUID: 32 hexadecimal digits in groups of 8-4-4-4-12")
    }
}

impl error::Error for GuidError {}

impl fmt::Display for Guid {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0;
        write!(
            out,
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            digits >> 96,
            digits >> 80 & 0xffff,
            digits >> 64 & 0xffff,
            digits >> 48 & 0xffff,
            digits & 0xffff_ffff_ffff
        )
    }
}

impl fmt::Debug for Guid {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{{{self}}}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_bytes_come_back() {
        let guid: Guid = "1c6ab89c-bcbf-4abe-8593-618e4d2f5811".parse().unwrap();
        let bytes = [0x9c, 0xb8, 0x6a, 0x1c, 0xbf, 0xbc, 0xbe, 0x4a, 0x85, 0x93, 0x61, 0x8e, 0x4d, 0x2f, 0x58, 0x11];
        assert_eq!(guid.to_bytes(), bytes);
        assert_eq!(Guid::from_bytes(bytes), guid);
        assert_eq!(format!("{guid:?}").parse(), Ok(guid));
    }

    #[test]
    fn what_is_no_guid_is_refused() {
        for text in [
            "",
            "{}",
            "{9dea862c-5cdd-4e70-acc1-f32b344d4795",
            "9dea862c-5cdd-4e70-acc1-f32b344d4795}",
            "9dea862c5cdd4e70acc1f32b344d4795",
            "9dea862c-5cdd-4e70-acc1-f32b344d47955",
            "9dea862c-5cdd-4e70-acc1-f32b344d479",
            "9dea862c-5cdd-4e70-acc1-f32b344d479g",
            "9dea862c-5cdd-4e70-acc1-f32b344d4é95",
        ] {
            assert_eq!(text.parse::<Guid>(), Err(GuidError), "{text}");
        }
    }

    #[test]
    fn random_ones_say_that_they_are() {
        let guids: std::collections::HashSet<String> = (0..200).map(|_| Guid::random().to_string()).collect();
        assert_eq!(guids.len(), 200);
        assert!(guids.iter().all(|guid| guid.as_bytes()[14] == b'4' && b"89ab".contains(&guid.as_bytes()[19])));
    }
}
