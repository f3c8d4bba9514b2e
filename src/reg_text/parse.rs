//! From text to sections.

use super::{
    Edit, Entry, RegFile, RegPath, RegTextError, Section, SectionEdit, Version,
    cursor::Cursor,
    data::value_data,
    decode::{TruncatedUnit, decode},
};
use crate::name::NameBuf;

/// Reads a `.reg` file.
///
/// Stricter than `regedit`, which passes over what it does not understand: the first such place is an error, so a file
/// is carried out as a whole or not at all. As lenient as `regedit` in what is only form: letter case, blanks, comments
/// behind data, one-digit bytes, line breaks inside a string.
///
/// # Errors
/// [`RegTextError`] with the first line and column that cannot be read.
pub fn parse(bytes: &[u8]) -> Result<RegFile, RegTextError> {
    let units = decode(bytes).map_err(|TruncatedUnit| {
        Cursor::new(&[]).error("the file is UTF-16 with an odd number of bytes; its end is missing")
    })?;
    let mut cursor = Cursor::new(&units);
    let version = header(&mut cursor)?;
    let mut sections: Vec<Section> = Vec::new();
    loop {
        cursor.skip_to_content();
        match cursor.peek() {
            None => return Ok(RegFile { version, sections }),
            Some('[') => sections.push(section(&mut cursor)?),
            Some('"' | '@') => match sections.last_mut().map(|section| &mut section.edit) {
                Some(SectionEdit::Create(entries)) => entries.push(entry(&mut cursor, version)?),
                Some(SectionEdit::Delete) => return Err(cursor.error("a deleted key has no values")),
                None => return Err(cursor.error("a value stands before the first [key]")),
            },
            Some(_) => return Err(cursor.error("expected [key], \"name\"=data, @=data or a comment")),
        }
    }
}

/// Whether bytes begin as a `.reg` file does, whatever the file is called.
#[must_use]
pub fn is_reg(bytes: &[u8]) -> bool {
    // An even number, so that no character of UTF-16 is cut.
    let begin = &bytes[..bytes.len().min(512) & !1];
    decode(begin).is_ok_and(|units| header(&mut Cursor::new(&units)).is_ok())
}

fn header(cursor: &mut Cursor<'_>) -> Result<Version, RegTextError> {
    cursor.skip_to_content();
    let line = String::from_utf16_lossy(cursor.rest_of_line());
    let version = match line.trim() {
        text if text.eq_ignore_ascii_case("REGEDIT4") => Version::V4,
        text if text.eq_ignore_ascii_case("Windows Registry Editor Version 5.00") => Version::V5,
        _ => {
            let message = "the first line must be `Windows Registry Editor Version 5.00` or `REGEDIT4`";
            return Err(cursor.error(message));
        }
    };
    cursor.skip_line();
    Ok(version)
}

/// `[key]` or `[-key]`. The last `]` of the line closes it, because key names may hold one.
fn section(cursor: &mut Cursor<'_>) -> Result<Section, RegTextError> {
    let start = cursor.place();
    cursor.skip(1);
    let line = cursor.rest_of_line();
    let length = line
        .iter()
        .rposition(|&unit| unit == u16::from(b']'))
        .ok_or_else(|| start.error("the `]` that closes the key's name is missing on this line"))?;
    let delete = cursor.eat('-');
    let place = cursor.place();
    let key =
        RegPath::from_units(&line[usize::from(delete)..length]).map_err(|error| place.error(error.to_string()))?;
    cursor.skip(length + 1 - usize::from(delete));
    end_of_line(cursor)?;
    let edit = if delete { SectionEdit::Delete } else { SectionEdit::Create(Vec::new()) };
    Ok(Section { line: start.line, key, edit })
}

/// `"name"=data`, `@=data`, `"name"=-`
fn entry(cursor: &mut Cursor<'_>, version: Version) -> Result<Entry, RegTextError> {
    let line = cursor.place().line;
    let name = if cursor.eat('@') { NameBuf::default() } else { value_name(cursor)? };
    cursor.skip_blanks();
    if !cursor.eat('=') {
        return Err(cursor.error("expected `=` after the value's name"));
    }
    cursor.skip_blanks();
    let data_line = cursor.place().line;
    let edit = if cursor.eat('-') { Edit::Delete } else { value_data(cursor, version)? };
    let several_lines = data_line != cursor.place().line && !matches!(edit, Edit::Delete);
    end_of_line(cursor).map_err(|mut error| {
        if several_lines {
            error.message = format!("{}; a closing quote may be missing on line {data_line}", error.message).into();
        }
        error
    })?;
    Ok(Entry { line, name, edit })
}

fn value_name(cursor: &mut Cursor<'_>) -> Result<NameBuf, RegTextError> {
    let start = cursor.place();
    let name = quoted(cursor, false)?;
    if name.len() > LONGEST_VALUE_NAME {
        let message = format!("a value name of {} UTF-16 units is longer than the 16383 of the format", name.len());
        return Err(start.error(message));
    }
    Ok(NameBuf::from(name))
}

/// Text between quotes, its escapes undone. Only data may go over several lines: `regedit` writes a text with line breaks
/// as it is.
pub(super) fn quoted(cursor: &mut Cursor<'_>, several_lines: bool) -> Result<Vec<u16>, RegTextError> {
    let start = cursor.place();
    cursor.skip(1);
    let mut text = Vec::new();
    loop {
        let here = cursor.place();
        match (cursor.peek(), cursor.next()) {
            (Some('"'), _) => return Ok(text),
            (Some('\\'), _) => match (cursor.peek(), cursor.next()) {
                (Some('\\' | '"'), Some(unit)) => text.push(unit),
                _ => return Err(here.error(r#"a backslash inside quotes is written `\\`, a quote `\"`"#)),
            },
            (Some('\r' | '\n'), _) if !several_lines => {
                return Err(start.error("the quote that closes the value's name is missing on this line"));
            }
            (_, Some(unit)) => text.push(unit),
            (_, None) => return Err(start.error("the closing quote is missing")),
        }
    }
}

fn end_of_line(cursor: &mut Cursor<'_>) -> Result<(), RegTextError> {
    cursor.skip_blanks();
    if !cursor.at_line_end() {
        return Err(cursor.error("unexpected text; expected the end of the line"));
    }
    Ok(())
}

pub(super) const LONGEST_VALUE_NAME: usize = 16_383;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ValueType;

    fn v5(body: &str) -> Result<RegFile, RegTextError> {
        parse(format!("Windows Registry Editor Version 5.00\r\n\r\n{body}").as_bytes())
    }

    fn entries(body: &str) -> Vec<(String, Edit)> {
        let file = v5(&format!("[HKEY_LOCAL_MACHINE\\x]\r\n{body}")).unwrap();
        match file.sections.into_iter().next().unwrap().edit {
            SectionEdit::Create(entries) => entries.into_iter().map(|e| (e.name.to_string(), e.edit)).collect(),
            SectionEdit::Delete => Vec::new(),
        }
    }

    fn only(body: &str) -> (ValueType, Vec<u8>) {
        match entries(body).pop().unwrap().1 {
            Edit::Set { kind, data } => (kind, data),
            Edit::Delete => panic!("deleted"),
        }
    }

    fn place(result: Result<RegFile, RegTextError>) -> (u32, u32) {
        let error = result.unwrap_err();
        (error.line, error.column)
    }

    #[test]
    fn the_kinds_of_value_lines() {
        let found = entries(
            "; a comment\r\n@=\"default\"\r\n\"text\" = \"C:\\\\dir \\\"x\\\"\" ; why\r\n\"n\"=dword:1F\r\n\
             \"b\"=hex:01,2,ff\r\n\"e\"=hex:\r\n\"q\"=hex(b):01,00,00,00,00,00,00,00\r\n\"gone\"=-\r\n",
        );
        let text = |t: &str| t.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        let set = |name: &str, kind, data: Vec<u8>| (name.to_owned(), Edit::Set { kind, data });
        assert_eq!(
            found,
            [
                set("", ValueType::SZ, text("default")),
                set("text", ValueType::SZ, text("C:\\dir \"x\"")),
                set("n", ValueType::DWORD, vec![0x1f, 0, 0, 0]),
                set("b", ValueType::BINARY, vec![1, 2, 0xff]),
                set("e", ValueType::BINARY, vec![]),
                set("q", ValueType::QWORD, vec![1, 0, 0, 0, 0, 0, 0, 0]),
                ("gone".to_owned(), Edit::Delete),
            ]
        );
    }

    #[test]
    fn hex_goes_on_behind_a_backslash() {
        assert_eq!(only("\"b\"=hex(7):01,\\\r\n  02,\\ ; half\r\n\t03\r\n"), (ValueType::MULTI_SZ, vec![1, 2, 3]));
        assert_eq!(only("\"b\"=hex(80000001):01,\\").0, ValueType(0x8000_0001));
    }

    #[test]
    fn a_text_with_line_breaks_is_one_value() {
        let (_, data) = only("\"t\"=\"a\r\nb\"\r\n");
        assert_eq!(data, b"a\0\r\0\n\0b\0\0\0");
    }

    #[test]
    fn keys_may_hold_brackets_and_sections_may_delete() {
        let file = v5("[HKEY_USERS\\a]b]\r\n[-HKLM\\c] ; gone\r\n").unwrap();
        assert_eq!(file.sections[0].key, "HKU\\a]b".parse().unwrap());
        assert_eq!(file.sections[1].edit, SectionEdit::Delete);
        assert_eq!(file.sections[1].line, 4);
    }

    #[test]
    fn version_4_text_is_ansi_even_in_hex() {
        let file = parse(b"REGEDIT4\n\n[HKEY_LOCAL_MACHINE\\x]\n\"p\"=hex(2):25,e9,00\n\"k\"=\"\xe9\"\n").unwrap();
        let SectionEdit::Create(entries) = &file.sections[0].edit else { panic!("a deletion") };
        assert_eq!(entries[0].edit, Edit::Set { kind: ValueType::EXPAND_SZ, data: vec![0x25, 0, 0xe9, 0, 0, 0] });
        assert_eq!(entries[1].edit, Edit::Set { kind: ValueType::SZ, data: vec![0xe9, 0, 0, 0] });
    }

    #[test]
    fn errors_name_line_and_column() {
        assert_eq!(place(parse(b"REGEDIT\r\n")), (1, 1));
        assert_eq!(place(parse(b"")), (1, 1));
        assert_eq!(place(v5("\"a\"=dword:1")), (3, 1));
        assert_eq!(place(v5("[HKLM\\a")), (3, 1));
        assert_eq!(place(v5("[HKEY_NOWHERE\\a]")), (3, 2));
        assert_eq!(place(v5("[-\\\\pc\\HKLM]")), (3, 3));
        assert_eq!(place(v5("[HKLM\\a]\n\"a\"=dword:123456789")), (4, 11));
        assert_eq!(place(v5("[HKLM\\a]\n\"a\"=dword:xyz")), (4, 11));
        assert_eq!(place(v5("[HKLM\\a]\n\"a\"=hex:01,xx")), (4, 12));
        assert_eq!(place(v5("[HKLM\\a]\n\"a\"=hex:01 02")), (4, 12));
        assert_eq!(place(v5("[HKLM\\a]\n\"a\"=\"C:\\new\"")), (4, 8));
        assert_eq!(place(v5("[HKLM\\a]\n\"a=dword:1\n")), (4, 1));
        assert_eq!(place(v5("[HKLM\\a]\n\"a\"=\"open")), (4, 5));
        assert_eq!(place(v5("[HKLM\\a]\n\"a\"=dwrod:1")), (4, 5));
        assert_eq!(place(v5("[-HKLM\\a]\n\"a\"=dword:1")), (4, 1));
        assert_eq!(place(v5("[HKLM\\a] b")), (3, 10));
        assert_eq!(place(v5("[HKLM\\a]\nhello")), (4, 1));
    }

    #[test]
    fn a_forgotten_closing_quote_is_suspected_where_it_was_forgotten() {
        let error = v5("[HKLM\\a]\n\"a\"=\"open\n\"b\"=\"c\"\n").unwrap_err();
        assert_eq!((error.line, error.column), (5, 2));
        assert!(error.message.contains("line 4"), "{error}");
    }
}
