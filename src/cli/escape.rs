//! What a hive holds, as JSON.

use std::io::Write;

use hivesmith::name::Units;

/// Appends a name as a JSON string. A name is any UTF-16 units, and so is a JSON string: an unpaired surrogate becomes
/// its escape (`\ud801`), so nothing is lost. What could harm a terminal is escaped as well.
pub(crate) fn json_name<N: Units + ?Sized>(name: &N, out: &mut Vec<u8>) {
    out.push(b'"');
    for unit in char::decode_utf16(name.units()) {
        match unit {
            Ok(c @ ('"' | '\\')) => out.extend([b'\\', c as u8]),
            Ok(c) if c.is_control() || is_invisible(c) => json_escape(u32::from(c), out),
            Ok(c) => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            Err(lone) => json_escape(lone.unpaired_surrogate().into(), out),
        }
    }
    out.push(b'"');
}

/// Of the basic plane, as all that are escaped are.
fn json_escape(unit: u32, out: &mut Vec<u8>) {
    // Writing to a vector does not fail.
    let _ = write!(out, "\\u{unit:04x}");
}

/// Line and paragraph separators, and what turns the direction of text around.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Appends bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| DIGITS[usize::from(nibble & 15)];
    out.extend(bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]));
}

#[cfg(test)]
mod tests {
    use hivesmith::name::NameBuf;

    use super::*;

    #[test]
    fn every_name_is_a_json_string() {
        let units: Vec<u16> = "a\"\\\n\u{202e}\u{9b}\u{10428}".encode_utf16().chain([0xd801]).collect();
        let mut out = Vec::new();
        json_name(&NameBuf::from(units), &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), r#""a\"\\\u000a\u202e\u009b𐐨\ud801""#);
    }

    #[test]
    fn hexadecimal_is_lower_case() {
        let mut out = Vec::new();
        hex(&[0, 0x9f, 0xff], &mut out);
        assert_eq!(out, b"009fff");
    }
}
