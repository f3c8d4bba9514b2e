//! How Windows' programs split their command line into words.

use super::glyph::{Glyph, span};
use crate::command::{Word, diagnostic::Fault};

/// Splits at blanks outside quotes. Before a quote, two backslashes are one and an odd one makes the quote a character;
/// inside quotes, two quotes are one. Elsewhere a backslash is a backslash.
///
/// A quote that is never closed would take the rest of the line into its word; here that is an error, because it is what
/// a line looks like that was cut off, or a path in quotes that ends in `\`.
pub(super) fn words(glyphs: &[Glyph]) -> Result<Vec<Word>, Fault> {
    let mut words = Vec::new();
    let mut rest = glyphs;
    loop {
        let blanks = rest.iter().take_while(|glyph| glyph.is_blank()).count();
        rest = &rest[blanks..];
        if rest.is_empty() {
            return Ok(words);
        }
        let (word, length) = word(rest)?;
        words.push(word);
        rest = &rest[length..];
    }
}

/// The word these characters begin with, and how many of them it takes.
fn word(glyphs: &[Glyph]) -> Result<(Word, usize), Fault> {
    let mut text = String::new();
    let mut open: Option<Glyph> = None;
    let (mut quoted, mut placeholder, mut escaped_quote) = (false, false, false);
    let mut at = 0;
    while let Some(&glyph) = glyphs.get(at) {
        if glyph.is_blank() && open.is_none() {
            break;
        }
        placeholder |= glyph.placeholder;
        let backslashes = glyphs[at..].iter().take_while(|glyph| glyph.c == '\\').count();
        let before_quote = glyphs.get(at + backslashes).is_some_and(|glyph| glyph.c == '"');
        if backslashes > 0 && before_quote {
            text.extend(std::iter::repeat_n('\\', backslashes / 2));
            at += backslashes;
            if backslashes % 2 == 1 {
                text.push('"');
                escaped_quote = true;
                at += 1;
            }
        } else if backslashes > 0 {
            text.extend(std::iter::repeat_n('\\', backslashes));
            at += backslashes;
        } else if glyph.c == '"' {
            quoted = true;
            at += 1;
            if open.is_some() && glyphs.get(at).is_some_and(|next| next.c == '"') {
                text.push('"');
                at += 1;
            } else {
                open = if open.is_some() { None } else { Some(glyph) };
            }
        } else {
            text.push(glyph.c);
            at += 1;
        }
    }
    if let Some(open) = open {
        let fault = Fault::new(open.span(), "this quote is never closed");
        return Err(if escaped_quote {
            fault.hint("`\\\"` is a quote character to Windows' programs and closes nothing; leave out the backslash")
        } else {
            fault
        });
    }
    Ok((Word { text, span: span(&glyphs[..at]), quoted, placeholder }, at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Result<Vec<String>, u32> {
        let glyphs: Vec<Glyph> = text
            .char_indices()
            .map(|(at, c)| Glyph { c, line: 1, column: at as u32 + 1, offset: at, placeholder: false })
            .collect();
        words(&glyphs).map(|words| words.into_iter().map(|word| word.text).collect()).map_err(|fault| fault.span.column)
    }

    #[test]
    fn quotes_and_backslashes_as_programs_see_them() {
        assert_eq!(split(r#"a  "b c"d "" "#).unwrap(), ["a", "b cd", ""]);
        assert_eq!(split(r#""\"C:\x y\z.exe\" /a""#).unwrap(), [r#""C:\x y\z.exe" /a"#]);
        assert_eq!(split(r#""C:\dir\\" b"#).unwrap(), [r"C:\dir\", "b"]);
        assert_eq!(split(r#""a""b""#).unwrap(), [r#"a"b"#]);
        assert_eq!(split(r"C:\a\ b").unwrap(), [r"C:\a\", "b"]);
    }

    #[test]
    fn an_open_quote_is_an_error_where_it_opens() {
        assert_eq!(split(r#"a "b c"#), Err(3));
        assert_eq!(split(r#"a "b\" c"#), Err(3));
    }
}
