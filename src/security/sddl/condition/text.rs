//! Names, strings and octets: what conditions and resource attributes write alike.

use super::super::{super::error::SecurityError, cursor::Cursor};

/// Reads characters that `wanted` takes, `%XXXX` for a UTF-16 unit, as UTF-16.
pub(super) fn name_units(cursor: &mut Cursor<'_>, wanted: impl Fn(char) -> bool) -> Result<Vec<u16>, SecurityError> {
    let mut units = Vec::new();
    while let Some(c) = cursor.peek() {
        if c == '%' {
            let escape = cursor.rest().get(1..5).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
            let unit = escape.and_then(|digits| u16::from_str_radix(digits, 16).ok());
            units.push(unit.ok_or_else(|| cursor.error("`%` and four hexadecimal digits"))?);
            cursor.eat(cursor.rest().get(..5).unwrap_or_default());
        } else if wanted(c) {
            units.extend_from_slice(c.encode_utf16(&mut [0; 2]));
            cursor.bump();
        } else {
            break;
        }
    }
    Ok(units)
}

/// Reads a string in quotation marks, as UTF-16. With `escapes`, `%XXXX` is a UTF-16 unit.
pub(in super::super) fn string_units(cursor: &mut Cursor<'_>, escapes: bool) -> Result<Vec<u16>, SecurityError> {
    cursor.expect("\"", "`\"` and a string")?;
    let units = if escapes {
        name_units(cursor, |c| c != '"')?
    } else {
        cursor.take_while(|c| c != '"').encode_utf16().collect()
    };
    cursor.expect("\"", "`\"` at the end of the string")?;
    Ok(units)
}

/// Reads hexadecimal digits. A `#` among them counts as 0, and an odd number of them gets a leading 0.
pub(in super::super) fn octets(cursor: &mut Cursor<'_>) -> Vec<u8> {
    let digits = cursor.take_while(|c| c.is_ascii_hexdigit() || c == '#');
    let mut digits: Vec<_> = digits.chars().map(|c| c.to_digit(16).unwrap_or(0) as u8).collect();
    if digits.len() % 2 == 1 {
        digits.insert(0, 0);
    }
    digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |octet, digit| octet << 4 | digit)).collect()
}

/// Appends one UTF-16 unit of a name: itself if `plain` takes it, else `%XXXX`.
pub(in super::super) fn push_name_unit(out: &mut String, unit: u16, plain: impl Fn(char) -> bool) {
    match char::from_u32(u32::from(unit)).filter(|&c| plain(c)) {
        Some(c) => out.push(c),
        None => super::super::print::push(out, format_args!("%{unit:04x}")),
    }
}
