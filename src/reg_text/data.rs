//! The right side of a value line.

use super::{Edit, RegTextError, Version, cursor::Cursor, parse::quoted};
use crate::ValueType;

/// `"text"`, `dword:`, `hex:`, `hex(N):`
pub(super) fn value_data(cursor: &mut Cursor<'_>, version: Version) -> Result<Edit, RegTextError> {
    if cursor.peek() == Some('"') {
        let text = quoted(cursor, true)?;
        let data = text.into_iter().chain([0]).flat_map(u16::to_le_bytes).collect();
        return Ok(Edit::Set { kind: ValueType::SZ, data });
    }
    match value_kind(cursor)? {
        Form::Dword => {
            let number = hex_number(cursor, "dword: takes 1 to 8 hexadecimal digits")?;
            Ok(Edit::Set { kind: ValueType::DWORD, data: number.to_le_bytes().to_vec() })
        }
        Form::Hex(kind) => {
            let bytes = hex_bytes(cursor)?;
            let ansi =
                version == Version::V4 && matches!(kind, ValueType::SZ | ValueType::EXPAND_SZ | ValueType::MULTI_SZ);
            let data = if ansi { bytes.into_iter().flat_map(|byte| [byte, 0]).collect() } else { bytes };
            Ok(Edit::Set { kind, data })
        }
    }
}

enum Form {
    Dword,
    Hex(ValueType),
}

/// Reads up to the colon.
fn value_kind(cursor: &mut Cursor<'_>) -> Result<Form, RegTextError> {
    let start = cursor.place();
    let mut word = String::new();
    while let Some(c) = cursor.peek().filter(char::is_ascii_alphabetic) {
        word.push(c.to_ascii_lowercase());
        cursor.next();
        if word.len() > LONGEST_WORD {
            break;
        }
    }
    let form = match word.as_str() {
        "dword" => Form::Dword,
        "hex" if cursor.eat('(') => {
            let number = hex_number(cursor, "hex(N) takes a type of 1 to 8 hexadecimal digits")?;
            if !cursor.eat(')') {
                return Err(cursor.error("expected `)` after the value's type"));
            }
            Form::Hex(ValueType(number))
        }
        "hex" => Form::Hex(ValueType::BINARY),
        "" => return Err(start.error("expected the value's data: \"text\", dword:, hex:, hex(N): or -")),
        word => return Err(start.error(format!("value type `{word}` is none of dword, hex, hex(N)"))),
    };
    if !cursor.eat(':') {
        return Err(cursor.error("expected `:` after the value's type"));
    }
    Ok(form)
}

/// One to eight hexadecimal digits.
fn hex_number(cursor: &mut Cursor<'_>, expected: &'static str) -> Result<u32, RegTextError> {
    cursor.skip_blanks();
    let start = cursor.place();
    let (mut number, mut digits) = (0_u32, 0);
    while let Some(digit) = cursor.peek().and_then(|c| c.to_digit(16)) {
        number = number << 4 | digit;
        digits += 1;
        cursor.next();
        if digits > 8 {
            break;
        }
    }
    if (1..=8).contains(&digits) { Ok(number) } else { Err(start.error(expected)) }
}

/// Bytes of one or two digits between commas; `\` at the end of a line goes on with the next.
fn hex_bytes(cursor: &mut Cursor<'_>) -> Result<Vec<u8>, RegTextError> {
    let mut bytes = Vec::new();
    let mut separated = true;
    loop {
        cursor.skip_blanks();
        match cursor.peek() {
            Some('\\') => continued(cursor)?,
            Some(',') if !separated => {
                cursor.next();
                separated = true;
            }
            Some(c) if separated && c.is_ascii_hexdigit() => {
                bytes.push(hex_byte(cursor));
                separated = false;
            }
            _ if cursor.at_line_end() => return Ok(bytes),
            _ if separated => return Err(cursor.error("expected a byte of one or two hexadecimal digits")),
            _ => return Err(cursor.error("expected a comma between two bytes")),
        }
    }
}

fn hex_byte(cursor: &mut Cursor<'_>) -> u8 {
    let mut byte = 0;
    for _ in 0..2 {
        let Some(digit) = cursor.peek().and_then(|c| c.to_digit(16)) else { break };
        byte = byte << 4 | digit as u8;
        cursor.next();
    }
    byte
}

fn continued(cursor: &mut Cursor<'_>) -> Result<(), RegTextError> {
    cursor.skip(1);
    cursor.skip_blanks();
    if !cursor.at_line_end() {
        return Err(cursor.error("only the end of the line may follow `\\`"));
    }
    cursor.skip_line();
    cursor.eat('\r');
    cursor.eat('\n');
    Ok(())
}

const LONGEST_WORD: usize = 16;
