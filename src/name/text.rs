//! Names as text: for terminals, for files, and for debugging.

use std::fmt::{self, Display, Write};

use super::{Name, NameBuf, Units};

/// Writes units as text with what could harm a terminal or be lost escaped: control characters (C0, C1, line and
/// paragraph separators, bidirectional overrides) and unpaired surrogates as `\u{hhhh}`. Everything else as it is.
fn write_escaped(units: impl Iterator<Item = u16>, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    for unit in char::decode_utf16(units) {
        match unit {
            Ok(c) if c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}') => {
                write!(out, "\\u{{{:04x}}}", u32::from(c))?;
            }
            Ok(c) => out.write_char(c)?,
            Err(lone) => write!(out, "\\u{{{:04x}}}", lone.unpaired_surrogate())?,
        }
    }
    Ok(())
}

/// The units as WTF-8: UTF-8 in which an unpaired surrogate takes its three-byte form, so nothing is lost.
pub(super) fn to_wtf8(units: impl Iterator<Item = u16>) -> Vec<u8> {
    let mut out = Vec::new();
    for unit in char::decode_utf16(units) {
        match unit {
            Ok(c) => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            Err(lone) => {
                let unit = lone.unpaired_surrogate();
                out.extend([0xed, 0x80 | ((unit >> 6) & 0x3f) as u8, 0x80 | (unit & 0x3f) as u8]);
            }
        }
    }
    out
}

impl Name<'_> {
    /// The name as WTF-8: UTF-8 in which an unpaired surrogate takes its three-byte form.
    #[must_use]
    pub fn to_wtf8(&self) -> Vec<u8> {
        to_wtf8(self.units())
    }
}

impl NameBuf {
    /// The name as WTF-8: UTF-8 in which an unpaired surrogate takes its three-byte form.
    #[must_use]
    pub fn to_wtf8(&self) -> Vec<u8> {
        to_wtf8(self.units())
    }
}

impl Display for Name<'_> {
    /// Text that is safe for a terminal: control characters and unpaired surrogates appear as `\u{hhhh}`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_escaped(self.units(), out)
    }
}

impl Display for NameBuf {
    /// Text that is safe for a terminal: control characters and unpaired surrogates appear as `\u{hhhh}`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_escaped(self.units(), out)
    }
}

impl fmt::Debug for Name<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "\"{self}\"")
    }
}

impl fmt::Debug for NameBuf {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "\"{self}\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lone_surrogate_survives_as_wtf8_and_is_visible_as_text() {
        let name = NameBuf::from(vec![u16::from(b'a'), 0xd801]);
        assert_eq!(name.to_wtf8(), [b'a', 0xed, 0xa0, 0x81]);
        assert_eq!(name.to_string(), "a\\u{d801}");
    }

    #[test]
    fn terminal_escapes_do_not_reach_the_terminal() {
        assert_eq!(NameBuf::from("\x1b[2J\u{202e}x").to_string(), "\\u{001b}[2J\\u{202e}x");
    }
}
