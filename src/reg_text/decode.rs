//! The bytes of a text file as UTF-16 units.

/// The text of a `.reg` file in whatever encoding it comes.
///
/// `regedit` writes UTF-16LE with a byte order mark; editors turn that into UTF-8; Windows 95, NT 4 and scripts wrote the
/// ANSI code page, which is read as Latin-1 here because the file does not say which one it was.
pub(super) fn decode(bytes: &[u8]) -> Result<Vec<u16>, TruncatedUnit> {
    match bytes {
        [0xff, 0xfe, text @ ..] => utf16(text, u16::from_le_bytes),
        [0xfe, 0xff, text @ ..] => utf16(text, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, text @ ..] => Ok(narrow(text)),
        // Without a mark, but the header's first letter takes two bytes.
        [b'W' | b'R' | b'w' | b'r', 0, ..] => utf16(bytes, u16::from_le_bytes),
        _ => Ok(narrow(bytes)),
    }
}

/// A UTF-16 file with an odd number of bytes: its last character is cut in half.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TruncatedUnit;

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<Vec<u16>, TruncatedUnit> {
    let units = bytes.chunks_exact(2);
    if !units.remainder().is_empty() {
        return Err(TruncatedUnit);
    }
    Ok(units.filter_map(|pair| pair.try_into().ok()).map(unit).collect())
}

fn narrow(bytes: &[u8]) -> Vec<u16> {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.encode_utf16().collect(),
        Err(_) => bytes.iter().copied().map(u16::from).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_text_in_five_encodings() {
        let expected: Vec<u16> = "Wö".encode_utf16().collect();
        for bytes in [
            b"\xff\xfeW\0\xf6\0".as_slice(),
            b"\xfe\xff\0W\0\xf6",
            b"\xef\xbb\xbfW\xc3\xb6",
            b"W\xc3\xb6",
            b"W\xf6",
            b"W\0\xf6\0",
        ] {
            assert_eq!(decode(bytes).as_ref(), Ok(&expected), "{bytes:x?}");
        }
    }

    #[test]
    fn half_a_character_is_noticed() {
        assert_eq!(decode(b"\xff\xfeW\0\xf6"), Err(TruncatedUnit));
    }
}
