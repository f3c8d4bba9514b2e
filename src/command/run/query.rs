//! `reg query`, printing as Windows' own does.

use std::fmt::Write;

use super::{Effect, RunError, engine, locate, not_found};
use crate::{
    Result, ValueType,
    command::reg::{Query, Search, ValueFilter},
    name::{self, NameBuf, Units},
    plan::{Located, Registry},
    reg_text::RegPath,
    tree::{Data, Key, Value},
};

pub(super) fn run(registry: &mut Registry<'_>, query: &Query) -> Result<Effect, RunError> {
    let at = locate(registry, &query.key, query.view)?;
    let key = match registry.key(&at) {
        Ok(Some(key)) => key,
        Ok(None) => return Err(not_found(&at)),
        Err(error) => return Err(engine(registry, &at, error)),
    };
    let mut answer = Answer { query, output: String::new(), matches: 0 };
    answer.key(key, &at).map_err(|error| engine(registry, &at, error))?;
    let Answer { mut output, matches, .. } = answer;
    if is_search(query) {
        let _ = writeln!(output, "End of search: {matches} match(es) found.");
        return Ok(Effect { output, negative: matches == 0, ..Effect::default() });
    }
    match &query.values {
        // A key has a default value, in Windows' words, even where it was never set.
        ValueFilter::Named(name) if matches == 0 && name.is_empty() => {
            Ok(Effect::text(format!("\n{}\n    (Default)    REG_SZ    (value not set)\n\n", at.key)))
        }
        ValueFilter::Named(name) if matches == 0 => Err(RunError::NotFound(format!("{}, value \"{name}\"", at.key))),
        _ => Ok(Effect::text(output)),
    }
}

/// Whether it is counted what was found: for `/f`, for `/t`, and where one value is looked for in many keys.
fn is_search(query: &Query) -> bool {
    let one_value = matches!(query.values, ValueFilter::Named(_));
    query.search.is_some() || query.kind.is_some() || query.recurse && one_value
}

struct Answer<'q> {
    query: &'q Query,
    output: String,
    matches: usize,
}

impl Answer<'_> {
    /// The key, its values, and the names of its subkeys or, with `/s`, all below it.
    fn key(&mut self, top: Key<'_>, at: &Located) -> Result<()> {
        let mut way: Vec<RegPath> = vec![at.key.clone()];
        for walked in top.walk() {
            let walked = walked?;
            if walked.depth > 1 && !self.query.recurse {
                continue;
            }
            way.truncate(walked.depth.max(1));
            if walked.depth > 0 {
                let above = way.last().unwrap_or(&at.key);
                let name = walked.key.name()?.to_name_buf();
                way.push(RegPath { root: above.root, path: above.path.join(name) });
            }
            let path = way.last().unwrap_or(&at.key);
            // Without /s the subkeys are named, not entered.
            let entered = walked.depth == 0 || self.query.recurse;
            self.one(walked.key, path, walked.depth, entered)?;
        }
        Ok(())
    }

    fn one(&mut self, key: Key<'_>, path: &RegPath, depth: usize, entered: bool) -> Result<()> {
        let mut values = String::new();
        let mut found = 0;
        if entered {
            for value in key.values()? {
                let value = value?;
                if self.wants(value)? {
                    found += 1;
                    self.value(&mut values, value)?;
                }
            }
        }
        let searching = self.query.search.as_ref();
        let own_name = searching.is_some_and(|search| search.keys && depth > 0 && matches_name(key, search));
        let only_matches = is_search(self.query) || matches!(self.query.values, ValueFilter::Named(_));
        // A key without values of which the subkeys are named is not named itself: scripts take each line for a subkey.
        let stands_for_itself = depth > 0 || key.subkey_count() == 0;
        let shown = found > 0 || own_name || !only_matches && stands_for_itself;
        self.matches += found + usize::from(own_name);
        if !shown {
            return Ok(());
        }
        if self.output.is_empty() {
            self.output.push('\n');
        }
        let _ = writeln!(self.output, "{path}");
        self.output.push_str(&values);
        // Subkeys that are only named stand without a blank line.
        if found > 0 || own_name || self.query.recurse {
            self.output.push('\n');
        }
        Ok(())
    }

    fn wants(&self, value: Value<'_>) -> Result<bool> {
        if self.query.kind.is_some_and(|kind| kind != value.kind()) {
            return Ok(false);
        }
        let name = value.name()?;
        if let ValueFilter::Named(wanted) = &self.query.values {
            if !name::same(&name, wanted) {
                return Ok(false);
            }
        }
        let Some(search) = &self.query.search else { return Ok(true) };
        let in_name = search.names && matches(search, &name.to_string());
        let in_data = search.data && matches(search, &data(value, self.separator())?);
        Ok(in_name || in_data)
    }

    fn value(&self, out: &mut String, value: Value<'_>) -> Result<()> {
        let name = value.name()?.to_name_buf();
        let name = if name.is_empty() { "(Default)".to_owned() } else { name.to_string() };
        let kind = if self.query.verbose {
            format!("{} ({})", value.kind(), value.kind().0)
        } else {
            value.kind().to_string()
        };
        let _ = writeln!(out, "    {name}    {kind}    {}", data(value, self.separator())?);
        Ok(())
    }

    /// Between the texts of a `REG_MULTI_SZ`.
    fn separator(&self) -> &str {
        self.query.separator.as_deref().unwrap_or(SEPARATOR)
    }
}

/// What stands between the texts of a `REG_MULTI_SZ` if nothing else is asked for.
pub(super) const SEPARATOR: &str = "\\0";

/// Numbers in hexadecimal, texts as they are, bytes as digits without blanks.
pub(super) fn data(value: Value<'_>, separator: &str) -> Result<String> {
    let bytes = value.data()?;
    Ok(match Data::decode(value.kind(), &bytes) {
        Data::Sz(text) | Data::ExpandSz(text) => NameBuf::from(text).to_string(),
        Data::Dword(number) | Data::DwordBigEndian(number) => format!("{number:#x}"),
        Data::Qword(number) => format!("{number:#x}"),
        Data::MultiSz(texts) => {
            let texts: Vec<String> = texts.into_iter().map(|text| NameBuf::from(text).to_string()).collect();
            texts.join(separator)
        }
        Data::Raw(ValueType::SZ | ValueType::EXPAND_SZ, bytes) => loose_text(&bytes),
        Data::Binary(bytes) | Data::Raw(_, bytes) => hex(&bytes),
    })
}

fn matches_name(key: Key<'_>, search: &Search) -> bool {
    key.name().is_ok_and(|name| matches(search, &name.to_string()))
}

/// Text without its terminator, or with more behind it: what comes before the first NUL.
fn loose_text(bytes: &[u8]) -> String {
    let units: Vec<u16> = bytes.chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]])).collect();
    let text: Vec<u16> = units.into_iter().take_while(|unit| *unit != 0).collect();
    NameBuf::from(text).to_string()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02X}");
        text
    })
}

/// Whether a text matches what is searched for: anywhere in it, or as a whole with `/e`; `*` and `?` stand for any
/// characters.
fn matches(search: &Search, text: &str) -> bool {
    let fold = |text: &str| -> Vec<u16> {
        let units = text.units();
        if search.case_sensitive { units.collect() } else { units.map(name::upcase).collect() }
    };
    let (text, pattern) = (fold(text), fold(&search.pattern));
    if search.exact {
        return glob(&pattern, &text);
    }
    let any = u16::from(b'*');
    let anywhere: Vec<u16> = std::iter::once(any).chain(pattern).chain([any]).collect();
    glob(&anywhere, &text)
}

/// Matching with one point to come back to, so the time is at most pattern times text.
pub(super) fn glob(pattern: &[u16], text: &[u16]) -> bool {
    let (any, one) = (u16::from(b'*'), u16::from(b'?'));
    let (mut p, mut t) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(&unit) if unit == any => {
                back = Some((p + 1, t));
                p += 1;
            }
            Some(&unit) if unit == one || text.get(t) == Some(&unit) => {
                p += 1;
                t += 1;
            }
            _ => match back {
                Some((after, from)) => {
                    back = Some((after, from + 1));
                    (p, t) = (after, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern.get(p..).unwrap_or_default().iter().all(|unit| *unit == any)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_stand_for_any_characters() {
        let units = |text: &str| text.encode_utf16().collect::<Vec<_>>();
        for (pattern, text, expected) in
            [("a*c", "abbbc", true), ("a?c", "abc", true), ("a?c", "abbc", false), ("*", "", true), ("", "a", false)]
        {
            assert_eq!(glob(&units(pattern), &units(text)), expected, "{pattern} {text}");
        }
    }
}
