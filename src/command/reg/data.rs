//! `/d DATA` as the bytes of a value.

use std::ops::ControlFlow;

use crate::ValueType;

/// Why the data does not fit its type, and what would.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BadData {
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

/// Converts data as `reg.exe` does: numbers decimal or with `0x`, bytes as pairs of hexadecimal digits, text as UTF-16LE
/// with its NUL. Without data, texts and bytes are empty and a `REG_QWORD` is 0; other numbers need theirs.
///
/// Stricter than `reg.exe` in one thing: an odd number of digits, more than one, is refused where it would put a zero in
/// front of them. Something was cut off then.
pub(super) fn value_data(kind: ValueType, text: Option<&str>, separator: Option<&str>) -> Result<Vec<u8>, BadData> {
    match (kind, text) {
        (ValueType::DWORD | ValueType::DWORD_BIG_ENDIAN, None) => {
            bad(format!("{kind} needs a number"), Some("add /d NUMBER"))
        }
        (ValueType::DWORD, Some(text)) => Ok((number(text, kind, u32::MAX.into())? as u32).to_le_bytes().to_vec()),
        (ValueType::DWORD_BIG_ENDIAN, Some(text)) => {
            Ok((number(text, kind, u32::MAX.into())? as u32).to_be_bytes().to_vec())
        }
        (ValueType::QWORD, text) => Ok(qword(text.unwrap_or("0"))?.to_le_bytes().to_vec()),
        // REG_NONE too: `reg.exe` stores its data as text.
        (ValueType::SZ | ValueType::EXPAND_SZ | ValueType::NONE, text) => Ok(terminated(text.unwrap_or_default())),
        (ValueType::LINK, text) => Ok(text.unwrap_or_default().encode_utf16().flat_map(u16::to_le_bytes).collect()),
        (ValueType::MULTI_SZ, text) => multi(text.unwrap_or_default(), separator.unwrap_or("\\0")),
        (_, text) => bytes(text.unwrap_or_default()),
    }
}

/// Of the numbers only this one may be negative, and only in decimal.
fn qword(text: &str) -> Result<u64, BadData> {
    match text.trim().parse::<i64>() {
        Ok(negative) if negative < 0 => Ok(u64::from_le_bytes(negative.to_le_bytes())),
        _ => number(text, ValueType::QWORD, u64::MAX),
    }
}

fn number(text: &str, kind: ValueType, largest: u64) -> Result<u64, BadData> {
    let text = text.trim();
    let hexadecimal = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let (digits, radix) = hexadecimal.map_or((text, 10), |digits| (digits, 16));
    if !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix)) {
        return match u64::from_str_radix(digits, radix) {
            Ok(number) if number <= largest => Ok(number),
            _ => bad(format!("the number is larger than a {kind} holds ({largest:#x})"), None),
        };
    }
    let message = format!("{kind} needs a number, decimal or hexadecimal with 0x");
    if !text.is_empty() && text.len() <= 16 && text.chars().all(|c| c.is_ascii_hexdigit()) {
        return bad(message, Some(&format!("if it is hexadecimal, write 0x{text}")));
    }
    match text.parse::<i64>() {
        Ok(-1) if kind == ValueType::DWORD => bad(message, Some("-1 is 0xffffffff")),
        Ok(_) => bad(message, Some("negative numbers are written as the number they wrap to, in hexadecimal")),
        Err(_) => bad(message, None),
    }
}

fn bytes(text: &str) -> Result<Vec<u8>, BadData> {
    let digits: Vec<u8> =
        text.chars().map(|c| c.to_digit(16).map(|digit| digit as u8).ok_or(c)).collect::<Result<_, _>>().or_else(
            |c| bad("binary data is pairs of hexadecimal digits, nothing between them".to_owned(), hint_for(c)),
        )?;
    if let [digit] = digits[..] {
        return Ok(vec![digit]);
    }
    let pairs = digits.chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return bad(format!("binary data has an odd number of hexadecimal digits ({})", digits.len()), None);
    }
    Ok(pairs.map(|pair| pair[0] << 4 | pair[1]).collect())
}

/// What copying a thumbprint out of a certificate's window brings along.
fn hint_for(c: char) -> Option<&'static str> {
    match c {
        ' ' => Some("take the blanks out"),
        'x' | 'X' => Some("take the 0x out"),
        ',' | ':' | '-' => Some("take the separators out"),
        '\u{200e}' | '\u{200f}' | '\u{feff}' => {
            Some("an invisible mark stands in it, as copying from a certificate's window brings: type the digits anew")
        }
        _ => None,
    }
}

fn terminated(text: &str) -> Vec<u8> {
    text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect()
}

/// Texts between separators; separators at the end add nothing.
fn multi(text: &str, separator: &str) -> Result<Vec<u8>, BadData> {
    let mut trimmed = text;
    while let Some(shorter) = trimmed.strip_suffix(separator) {
        trimmed = shorter;
    }
    let mut out = Vec::new();
    if !trimmed.is_empty() {
        let walked = trimmed.split(separator).try_for_each(|part| {
            out.extend(terminated(part));
            if part.is_empty() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        if walked.is_break() {
            let message = "an empty text inside REG_MULTI_SZ would end it".to_owned();
            return bad(message, Some("take out the doubled or leading separator"));
        }
    }
    out.extend([0, 0]);
    Ok(out)
}

fn bad<T>(message: String, hint: Option<&str>) -> Result<T, BadData> {
    Err(BadData { message, hint: hint.map(str::to_owned) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ok(kind: ValueType, text: &str) -> Vec<u8> {
        value_data(kind, Some(text), None).unwrap()
    }

    fn hint(kind: ValueType, text: &str) -> Option<String> {
        value_data(kind, Some(text), None).unwrap_err().hint
    }

    #[test]
    fn numbers_are_decimal_or_hexadecimal() {
        assert_eq!(ok(ValueType::DWORD, "3389"), 3389_u32.to_le_bytes());
        assert_eq!(ok(ValueType::DWORD, "0xFFFFFFFF"), [0xff; 4]);
        assert_eq!(ok(ValueType::DWORD, "010"), [10, 0, 0, 0]);
        assert_eq!(ok(ValueType::DWORD_BIG_ENDIAN, "1"), [0, 0, 0, 1]);
        assert_eq!(ok(ValueType::QWORD, "18446744073709551615"), [0xff; 8]);
        assert_eq!(ok(ValueType::QWORD, "-2"), (-2_i64).to_le_bytes());
        assert_eq!(value_data(ValueType::QWORD, None, None), Ok(vec![0; 8]));
        for text in ["-0x1", "-9223372036854775809", "-", "--1"] {
            assert!(value_data(ValueType::QWORD, Some(text), None).is_err(), "{text}");
        }
    }

    #[test]
    fn numbers_that_are_none_say_what_was_meant() {
        assert_eq!(hint(ValueType::DWORD, "ffffffff").unwrap(), "if it is hexadecimal, write 0xffffffff");
        assert_eq!(hint(ValueType::DWORD, "-1").unwrap(), "-1 is 0xffffffff");
        for text in ["", "0x", "4294967296", "0x100000000", "+1", "1 2", "0x-1", "99999999999999999999"] {
            assert!(value_data(ValueType::DWORD, Some(text), None).is_err(), "{text}");
        }
        assert!(value_data(ValueType::DWORD, None, None).is_err());
    }

    #[test]
    fn text_ends_with_its_nul() {
        assert_eq!(ok(ValueType::EXPAND_SZ, "%a"), b"%\0a\0\0\0");
        assert_eq!(ok(ValueType::NONE, "a"), b"a\0\0\0");
        assert_eq!(value_data(ValueType::SZ, None, None).unwrap(), b"\0\0");
    }

    #[test]
    fn several_texts_are_separated_by_backslash_zero_or_as_asked() {
        assert_eq!(ok(ValueType::MULTI_SZ, "a\\0b"), b"a\0\0\0b\0\0\0\0\0");
        assert_eq!(ok(ValueType::MULTI_SZ, "a\\0b\\0\\0"), b"a\0\0\0b\0\0\0\0\0");
        assert_eq!(ok(ValueType::MULTI_SZ, ""), b"\0\0");
        assert_eq!(value_data(ValueType::MULTI_SZ, Some("a,b"), Some(",")), Ok(b"a\0\0\0b\0\0\0\0\0".to_vec()));
        assert!(value_data(ValueType::MULTI_SZ, Some("a\\0\\0b"), None).is_err());
    }

    #[test]
    fn bytes_are_pairs_of_digits() {
        assert_eq!(ok(ValueType::BINARY, "00fF"), [0, 0xff]);
        assert_eq!(ok(ValueType::BINARY, "1"), [1]);
        assert!(ok(ValueType(8), "").is_empty());
        assert_eq!(value_data(ValueType::BINARY, None, None), Ok(vec![]));
        assert_eq!(hint(ValueType::BINARY, "aa bb").unwrap(), "take the blanks out");
        assert!(hint(ValueType::BINARY, "\u{200e}aabb").unwrap().contains("invisible"));
        assert!(value_data(ValueType::BINARY, Some("abc"), None).is_err());
    }
}
