//! GUIDs of object ACEs.

use std::fmt;

/// A GUID as object ACEs store it: MS-DTYP 2.3.4.2, the first three fields little-endian.
///
/// ```
/// use hivesmith::security::Guid;
///
/// let guid: Guid = Guid::from_bytes(*b"\x70\x95\x29\x00\x6d\x24\xd0\x11\xa7\x68\x00\xaa\x00\x6e\x05\x29");
/// assert_eq!(guid.to_string(), "00299570-246d-11d0-a768-00aa006e0529");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Guid([u8; 16]);

impl Guid {
    /// The GUID stored in these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The stored form.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0
    }

    /// The GUID written as 8-4-4-4-12 hexadecimal digits without braces.
    pub(super) fn from_text(text: &str) -> Option<Self> {
        const DASHES: [usize; 4] = [8, 13, 18, 23];
        let text = text.as_bytes();
        if text.len() != 36 {
            return None;
        }
        let mut digits = [0; 32];
        let mut filled = 0;
        for (position, &byte) in text.iter().enumerate() {
            if DASHES.contains(&position) {
                if byte != b'-' {
                    return None;
                }
            } else {
                *digits.get_mut(filled)? = char::from(byte).to_digit(16)? as u8;
                filled += 1;
            }
        }
        let mut bytes = [0; 16];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = pair.iter().fold(0, |value, digit| value << 4 | digit);
        }
        Some(Self(swapped(bytes)))
    }
}

impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in swapped(self.0).iter().enumerate() {
            write!(f, "{}{byte:02x}", if [4, 6, 8, 10].contains(&index) { "-" } else { "" })?;
        }
        Ok(())
    }
}

/// Between the stored order and that of the text: each of the first three fields turned round.
fn swapped(mut bytes: [u8; 16]) -> [u8; 16] {
    bytes[..4].reverse();
    bytes[4..6].reverse();
    bytes[6..8].reverse();
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_gives_the_stored_order_and_comes_back() {
        let text = "bf967aba-0de6-11d0-a285-00aa003049e2";
        let guid = Guid::from_text(text).unwrap();
        assert_eq!(guid.to_bytes()[..8], [0xba, 0x7a, 0x96, 0xbf, 0xe6, 0x0d, 0xd0, 0x11]);
        assert_eq!(guid.to_string(), text);
        assert_eq!(Guid::from_text(&text.replace('-', "0")), None);
    }
}
