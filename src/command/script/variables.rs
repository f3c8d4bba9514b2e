//! `set NAME=VALUE` and `%NAME%`.

use std::collections::HashMap;

use super::glyph::Glyph;
use crate::command::diagnostic::Fault;

/// The variables a script sets itself. It sees none of the machine it is read on.
#[derive(Default)]
pub(super) struct Variables {
    values: HashMap<String, String>,
    /// Characters that all replacements and values together have taken.
    spent: usize,
}

impl Variables {
    /// The words behind `set`, as one text: `NAME=VALUE`, also with quotes around both.
    pub(super) fn set(&mut self, words: &[Glyph], at: Fault) -> Result<(), Fault> {
        let text = super::glyph::text(words);
        let text = text.trim_start();
        let text = match text.strip_prefix('"') {
            Some(quoted) => quoted.rsplit_once('"').map_or(quoted, |(inside, _)| inside),
            None => text,
        };
        let (name, value) = match text.split_once('=') {
            Some((name, value)) if !name.trim().is_empty() && !name.starts_with('/') => (name, value),
            _ => return Err(at),
        };
        self.spend(name.len() + value.len(), &at)?;
        let name = name.to_lowercase();
        if value.is_empty() {
            self.values.remove(&name)
        } else {
            self.values.insert(name, value.to_owned())
        };
        Ok(())
    }

    /// Replaces what is set, and `%%` by one percent sign.
    pub(super) fn expand(&mut self, glyphs: &[Glyph]) -> Result<Vec<Glyph>, Fault> {
        let mut out = Vec::with_capacity(glyphs.len());
        let mut rest = glyphs;
        while let Some((&first, behind)) = rest.split_first() {
            rest = behind;
            if first.c != '%' {
                out.push(first);
                continue;
            }
            let Some(length) = behind.iter().position(|glyph| glyph.c == '%') else {
                out.push(first);
                continue;
            };
            let name = super::glyph::text(&behind[..length]).to_lowercase();
            if name.split_once(':').is_some_and(|(name, _)| self.values.contains_key(name)) {
                return Err(Fault::new(first.span(), "only whole variables are replaced, as %NAME%"));
            }
            rest = &behind[length + 1..];
            match self.values.get(&name).cloned() {
                Some(value) => {
                    let place = Fault::new(first.span(), "variables of this script take more than a mebibyte");
                    self.spend(value.len(), &place)?;
                    out.extend(value.chars().map(|c| Glyph { c, ..first }));
                }
                None if length == 0 => out.push(first),
                None => out.extend(&glyphs[glyphs.len() - behind.len() - 1..glyphs.len() - rest.len()]),
            }
        }
        Ok(out)
    }

    /// Small scripts must not become large commands.
    fn spend(&mut self, characters: usize, fault: &Fault) -> Result<(), Fault> {
        self.spent += characters;
        if self.spent > MOST {
            return Err(Fault {
                message: "variables of this script take more than a mebibyte".to_owned(),
                ..fault.clone()
            });
        }
        Ok(())
    }
}

const MOST: usize = 1 << 20;
