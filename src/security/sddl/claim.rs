//! Resource attributes, the data of claim ACEs (MS-DTYP 2.4.10.1).
//!
//! | offset | size | meaning |
//! |---|---|---|
//! | 0 | 4 | offset of the name |
//! | 4 | 2 | type of the values |
//! | 6 | 2 | reserved |
//! | 8 | 4 | flags |
//! | 12 | 4 | number of values |
//! | 16 | 4 each | offsets of the values |
//! | | | name and values, packed without alignment |
//!
//! Offsets count from the start of the data. Windows was seen to write signed and unsigned numbers, strings and octets
//! this way; booleans and SIDs follow the specification.

use super::{
    super::{
        bytes::{array_at, counted_at, u16_at, u32_at, u64_at},
        error::SecurityError,
        sid::Sid,
    },
    SddlContext,
    condition::{octets, push_name_unit, string_units},
    cursor::{Cursor, LeadingZero},
    print::{push, push_sid},
};

/// Reads `("name",type,flags,value,...)`; gives it in stored form, without the padding.
pub(super) fn parse(cursor: &mut Cursor<'_>, context: &SddlContext) -> Result<Vec<u8>, SecurityError> {
    cursor.expect("(", "`(` and a resource attribute")?;
    cursor.skip_blanks();
    let name = string_units(cursor, true)?;
    separator(cursor)?;
    let kind = cursor.eat_pair(ValueType::find).ok_or_else(|| cursor.error("a value type TI TU TS TD TB TX"))?;
    separator(cursor)?;
    let flags = cursor.number_u32(LeadingZero::Octal)?;
    let mut values = Vec::new();
    cursor.skip_blanks();
    while cursor.eat(",") {
        cursor.skip_blanks();
        values.push(value(cursor, context, kind)?);
        cursor.skip_blanks();
    }
    cursor.expect(")", "`,` or `)`")?;

    let mut name_and_values = utf16_with_terminator(&name);
    let mut out = Vec::new();
    let start = HEADER_SIZE + 4 * values.len();
    // 32 bits suffice: what does not fit into an ACE of 64 KiB is refused when the ACE is made.
    out.extend_from_slice(&(start as u32).to_le_bytes());
    out.extend_from_slice(&kind.code().to_le_bytes());
    out.extend([0, 0]);
    out.extend_from_slice(&flags.to_le_bytes());
    out.extend_from_slice(&(values.len() as u32).to_le_bytes());
    for value in &values {
        out.extend_from_slice(&((start + name_and_values.len()) as u32).to_le_bytes());
        name_and_values.extend_from_slice(value);
    }
    out.append(&mut name_and_values);
    Ok(out)
}

/// The text of the data of a claim ACE, or why there is none.
pub(super) fn print(data: &[u8]) -> Result<String, &'static str> {
    let name = offset_at(data, 0).and_then(|at| terminated_units(data, at)).ok_or(MALFORMED)?;
    let kind = u16_at(data, 4).and_then(ValueType::from_code).ok_or("the value type is unknown")?;
    let flags = u32_at(data, 8).ok_or(MALFORMED)?;
    let count = offset_at(data, 12).ok_or(MALFORMED)?;
    let offsets = data.get(HEADER_SIZE..).ok_or(MALFORMED)?;
    if count > offsets.len() / 4 {
        return Err(MALFORMED);
    }
    let mut out = String::from("(\"");
    name.for_each(|unit| push_name_unit(&mut out, unit, is_plain));
    push(&mut out, format_args!("\",{},{flags:#x}", kind.letters()));
    for index in 0..count {
        // Values may share bytes; without a bound a few kilobytes could stand for gigabytes of text.
        if out.len() > MAX_TEXT_PER_BYTE * data.len() {
            return Err("the values overlap");
        }
        out.push(',');
        push_value(&mut out, data, offset_at(offsets, 4 * index).ok_or(MALFORMED)?, kind)?;
    }
    out.push(')');
    Ok(out)
}

#[derive(Clone, Copy)]
enum ValueType {
    Signed,
    Unsigned,
    String,
    Sid,
    Boolean,
    Octets,
}

impl ValueType {
    const ALL: [Self; 6] = [Self::Signed, Self::Unsigned, Self::String, Self::Sid, Self::Boolean, Self::Octets];

    fn find(letters: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.letters().eq_ignore_ascii_case(letters))
    }

    fn from_code(code: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    fn letters(self) -> &'static str {
        match self {
            Self::Signed => "TI",
            Self::Unsigned => "TU",
            Self::String => "TS",
            Self::Sid => "TD",
            Self::Boolean => "TB",
            Self::Octets => "TX",
        }
    }

    fn code(self) -> u16 {
        match self {
            Self::Signed => 0x01,
            Self::Unsigned => 0x02,
            Self::String => 0x03,
            Self::Sid => 0x05,
            Self::Boolean => 0x06,
            Self::Octets => 0x10,
        }
    }
}

fn separator(cursor: &mut Cursor<'_>) -> Result<(), SecurityError> {
    cursor.skip_blanks();
    cursor.expect(",", "`,`")?;
    cursor.skip_blanks();
    Ok(())
}

fn value(cursor: &mut Cursor<'_>, context: &SddlContext, kind: ValueType) -> Result<Vec<u8>, SecurityError> {
    let start = cursor.position();
    Ok(match kind {
        ValueType::Signed => {
            let minus = cursor.eat("-");
            let magnitude = cursor.number(LeadingZero::Octal)?.value;
            let limit = i64::MAX.unsigned_abs() + u64::from(minus);
            if magnitude > limit {
                return Err(cursor.error_at(start, "a signed number of at most 64 bits"));
            }
            let bits = if minus { magnitude.wrapping_neg() } else { magnitude };
            bits.to_le_bytes().to_vec()
        }
        ValueType::Unsigned => cursor.number(LeadingZero::Octal)?.value.to_le_bytes().to_vec(),
        ValueType::Boolean => match cursor.number(LeadingZero::Octal)?.value {
            bit @ 0..=1 => bit.to_le_bytes().to_vec(),
            _ => return Err(cursor.error_at(start, "0 or 1")),
        },
        ValueType::String => utf16_with_terminator(&string_units(cursor, false)?),
        ValueType::Sid => counted(&cursor.sid(context)?.to_bytes()),
        ValueType::Octets => match cursor.peek() {
            Some(c) if c.is_ascii_hexdigit() => counted(&octets(cursor)),
            Some(',' | ')') => counted(&[]),
            _ => return Err(cursor.error("hexadecimal digits")),
        },
    })
}

fn push_value(out: &mut String, data: &[u8], at: usize, kind: ValueType) -> Result<(), &'static str> {
    match kind {
        ValueType::Signed => {
            let number = array_at(data, at).map(i64::from_le_bytes).ok_or(MALFORMED)?;
            push(out, format_args!("{number}"));
        }
        ValueType::Unsigned => push(out, format_args!("{}", u64_at(data, at).ok_or(MALFORMED)?)),
        ValueType::Boolean => match u64_at(data, at) {
            Some(bit @ 0..=1) => push(out, format_args!("{bit}")),
            _ => return Err(MALFORMED),
        },
        ValueType::String => {
            let units = terminated_units(data, at).ok_or(MALFORMED)?;
            let text: Result<String, _> = char::decode_utf16(units).collect();
            let text = text.map_err(|_| "a string is not valid UTF-16")?;
            if text.contains('"') {
                return Err("a string contains a quotation mark");
            }
            push(out, format_args!("\"{text}\""));
        }
        ValueType::Sid => {
            let bytes = counted_at(data, at).ok_or(MALFORMED)?;
            let sid = Sid::parse(bytes).map_err(|_| MALFORMED)?;
            if sid.size() != bytes.len() {
                return Err(MALFORMED);
            }
            push_sid(out, &sid);
        }
        ValueType::Octets => {
            let octets = counted_at(data, at).ok_or(MALFORMED)?;
            for octet in octets {
                push(out, format_args!("{octet:02x}"));
            }
        }
    }
    Ok(())
}

/// The UTF-16 units from `at` to before the terminator, which must be there.
fn terminated_units(data: &[u8], at: usize) -> Option<impl Iterator<Item = u16>> {
    let units = data.get(at..)?.chunks_exact(2).map(|unit| u16_at(unit, 0).unwrap_or_default());
    let length = units.clone().position(|unit| unit == 0)?;
    Some(units.take(length))
}

fn offset_at(data: &[u8], at: usize) -> Option<usize> {
    usize::try_from(u32_at(data, at)?).ok()
}

fn utf16_with_terminator(units: &[u16]) -> Vec<u8> {
    units.iter().chain(&[0]).flat_map(|unit| unit.to_le_bytes()).collect()
}

fn counted(bytes: &[u8]) -> Vec<u8> {
    let mut out = (bytes.len() as u32).to_le_bytes().to_vec();
    out.extend_from_slice(bytes);
    out
}

/// A character that stands for itself in a name.
fn is_plain(c: char) -> bool {
    c.is_ascii_graphic() && !"!\"%&()<=>|".contains(c)
}

const HEADER_SIZE: usize = 16;
/// Escaped names take most: five characters for two bytes.
const MAX_TEXT_PER_BYTE: usize = 4;
const MALFORMED: &str = "the resource attribute is malformed";

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(text: &str) -> Result<Vec<u8>, SecurityError> {
        parse(&mut Cursor::new(text), &SddlContext::default())
    }

    #[test]
    fn the_smallest_signed_number_comes_back() {
        let text = r#"("n",TI,0x0,-9223372036854775808,9223372036854775807)"#;
        assert_eq!(print(&stored(text).unwrap()).unwrap(), text);
        assert!(stored(r#"("n",TI,0,9223372036854775808)"#).is_err());
    }

    #[test]
    fn values_that_share_bytes_do_not_multiply() {
        let count = 1_000_u32;
        let name = 16 + 4 * count;
        let mut data: Vec<u8> = [name, 0x10, 0, count].into_iter().flat_map(u32::to_le_bytes).collect();
        (0..count).for_each(|_| data.extend((name + 4).to_le_bytes()));
        data.extend(*b"n\0\0\0");
        data.extend(40_000_u32.to_le_bytes());
        data.resize(data.len() + 40_000, 0);
        assert!(print(&data).is_err());
    }

    #[test]
    fn offsets_and_counts_beyond_the_data_are_refused() {
        let good = stored(r#"("n",TS,0,"v")"#).unwrap();
        for (at, byte) in [(0, 0xFF), (3, 0xFF), (12, 0xFF), (15, 0xFF), (16, 0xFF), (4, 9)] {
            let mut data = good.clone();
            data[at] = byte;
            assert!(print(&data).is_err(), "{at}");
        }
        assert!(print(&good[..good.len() - 2]).is_err());
        assert!(print(&[]).is_err());
    }
}
