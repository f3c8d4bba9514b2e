//! From keys, values and changes to version 5 text.

use std::{
    fmt,
    io::{self, Write},
    sync::Arc,
};

use super::{
    RegPath,
    parse::LONGEST_VALUE_NAME,
    path::{LONGEST_NAME, LONGEST_PATH},
};
use crate::{
    ValueType,
    edit::{Change, NewKey},
    name::{self, NameBuf, Units},
};

/// Writes changes to the hive loaded at `prefix` as `.reg` text, in their order.
///
/// Reading the text back gives the same changes, with a [`Change::CreateKey`] before the first value of each run of
/// values of one key: that is what a `[key]` line says. What the format has no words for is left out and returned.
pub fn print_changes<'a>(
    out: impl Write,
    prefix: &RegPath,
    changes: impl IntoIterator<Item = &'a Change>,
) -> io::Result<Vec<LeftOut>> {
    let mut writer = Writer::new(out)?;
    for change in changes {
        match change {
            Change::CreateKey { key } => writer.key(&prefix.below(key))?,
            Change::CreateTree { key, tree } => writer.tree(&prefix.below(key), tree)?,
            Change::DeleteTree { key } => writer.delete_key(&prefix.below(key))?,
            Change::SetValue { key, name, kind, data } => {
                writer.key_once(&prefix.below(key))?;
                writer.value(name, *kind, data)?;
            }
            Change::DeleteValue { key, name } => {
                writer.key_once(&prefix.below(key))?;
                writer.delete_value(name)?;
            }
            Change::RenameKey { key, .. } => writer.leave_out_key(prefix.below(key), "the new name of a key")?,
            Change::SetClassName { key, .. } => writer.leave_out_key(prefix.below(key), "the class name of a key")?,
            Change::SetLastWritten { key, .. } => writer.leave_out_key(prefix.below(key), "the time stamp of a key")?,
            Change::SetSecurity { key, .. } => {
                writer.leave_out_key(prefix.below(key), "the security descriptor of a key")?;
            }
        }
    }
    writer.finish()
}

/// Writes a `.reg` file of version 5: UTF-16LE with a byte order mark and CR LF, so that any name survives.
///
/// Values as `regedit` writes them: clean text quoted, `REG_DWORD` of four bytes as a number, everything else as bytes
/// with its type, wrapped before column 80. Text that is not exactly UTF-16 with one NUL at its end, or that holds
/// control characters, goes out as `hex(1)`: no byte is lost.
///
/// ```
/// use hivesmith::{ValueType, reg_text::Writer};
/// let mut file = Vec::new();
/// let mut writer = Writer::new(&mut file)?;
/// writer.key(&r"HKLM\SYSTEM\Select".parse()?)?;
/// writer.value("Current", ValueType::DWORD, &[1, 0, 0, 0])?;
/// assert!(writer.finish()?.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Writer<W> {
    out: W,
    line: Vec<u8>,
    open: Open,
    left_out: Vec<LeftOut>,
}

/// The section that values would go to.
enum Open {
    None,
    Key(Arc<RegPath>),
    LeftOut(Arc<RegPath>),
}

impl<W: Write> Writer<W> {
    /// Begins a file: the byte order mark and the header.
    pub fn new(out: W) -> io::Result<Self> {
        let mut writer = Self { out, line: vec![0xff, 0xfe], open: Open::None, left_out: Vec::new() };
        writer.text("Windows Registry Editor Version 5.00");
        writer.end_line()?;
        Ok(writer)
    }

    /// Begins a key: `[key]`. The values that follow are its values.
    pub fn key(&mut self, key: &RegPath) -> io::Result<()> {
        if let Some(why) = inexpressible_path(key) {
            self.leave_out_key(key.clone(), why)?;
            if let Some(last) = self.left_out.last() {
                self.open = Open::LeftOut(Arc::clone(&last.key));
            }
            return Ok(());
        }
        self.section("[", key)?;
        self.open = Open::Key(Arc::new(key.clone()));
        Ok(())
    }

    /// A section a key, with its values.
    fn tree(&mut self, path: &RegPath, tree: &NewKey) -> io::Result<()> {
        let mut rest = vec![(path.clone(), tree)];
        while let Some((path, tree)) = rest.pop() {
            self.key(&path)?;
            for (name, kind, data) in &tree.values {
                self.value(name, *kind, data)?;
            }
            let below = |name: &NameBuf| RegPath { root: path.root, path: path.path.join(name) };
            rest.extend(tree.subkeys.iter().rev().map(|(name, tree)| (below(name), tree)));
        }
        Ok(())
    }

    /// Deletes a key with everything below it: `[-key]`.
    pub fn delete_key(&mut self, key: &RegPath) -> io::Result<()> {
        self.open = Open::None;
        match inexpressible_path(key) {
            Some(why) => self.leave_out_key(key.clone(), why),
            None => self.section("[-", key),
        }
    }

    /// Sets a value of the key that was begun last; an empty name is the default value.
    ///
    /// Without a key, or beneath one that was left out, nothing is written.
    pub fn value<N: Units + ?Sized>(&mut self, name: &N, kind: ValueType, data: &[u8]) -> io::Result<()> {
        if !self.begin_value(name)? {
            return Ok(());
        }
        match (kind, clean_text(data), <[u8; 4]>::try_from(data)) {
            (ValueType::SZ, Some(text), _) => self.quoted(text),
            (ValueType::DWORD, _, Ok(number)) => self.text(&format!("dword:{:08x}", u32::from_le_bytes(number))),
            _ => self.hex(kind, data)?,
        }
        self.end_line()
    }

    /// Deletes a value of the key that was begun last.
    pub fn delete_value<N: Units + ?Sized>(&mut self, name: &N) -> io::Result<()> {
        if !self.begin_value(name)? {
            return Ok(());
        }
        self.text("-");
        self.end_line()
    }

    /// Ends the file and returns what could not be said in it.
    pub fn finish(mut self) -> io::Result<Vec<LeftOut>> {
        self.end_line()?;
        self.out.flush()?;
        Ok(self.left_out)
    }

    /// Begins a key unless it is the one that is open.
    fn key_once(&mut self, key: &RegPath) -> io::Result<()> {
        match &self.open {
            Open::Key(open) | Open::LeftOut(open) if **open == *key => Ok(()),
            _ => self.key(key),
        }
    }

    fn section(&mut self, open: &str, key: &RegPath) -> io::Result<()> {
        self.end_line()?;
        self.text(open);
        self.units(key.units());
        self.text("]");
        self.end_line()
    }

    /// Writes name and `=`; false when this value cannot be said.
    fn begin_value<N: Units + ?Sized>(&mut self, name: &N) -> io::Result<bool> {
        let key = match &self.open {
            // What was said of a key that was left out covers its values.
            Open::None | Open::LeftOut(_) => return Ok(false),
            Open::Key(key) => Arc::clone(key),
        };
        let too_long = name.units().count() > LONGEST_VALUE_NAME;
        let why = if too_long {
            Some("a value name that is longer than the format holds")
        } else {
            inexpressible(name.units())
        };
        if let Some(why) = why {
            let left = LeftOut { key, value: Some(NameBuf::from(name.units().collect::<Vec<_>>())), what: why };
            // The section says which key it is; the whole path in every comment could make the file grow without bound.
            let comment = left.value.as_ref().map(|name| format!("; left out: {why}: value {name}"));
            self.left_out.push(left);
            self.text(&comment.unwrap_or_default());
            self.end_line()?;
            return Ok(false);
        }
        if name.units().next().is_none() {
            self.text("@");
        } else {
            self.quoted(name.units());
        }
        self.text("=");
        Ok(true)
    }

    fn leave_out_key(&mut self, key: RegPath, what: &'static str) -> io::Result<()> {
        let left = LeftOut { key: Arc::new(key), value: None, what };
        self.end_line()?;
        self.text(&format!("; left out: {left}"));
        self.end_line()?;
        self.left_out.push(left);
        // A comment does not close a section for a reader, but its reader is a person: begin the next key afresh.
        self.open = Open::None;
        Ok(())
    }

    fn quoted(&mut self, units: impl Iterator<Item = u16>) {
        self.text("\"");
        for unit in units {
            if unit == u16::from(b'"') || unit == u16::from(b'\\') {
                self.text("\\");
            }
            self.units([unit].into_iter());
        }
        self.text("\"");
    }

    fn hex(&mut self, kind: ValueType, data: &[u8]) -> io::Result<()> {
        match kind {
            ValueType::BINARY => self.text("hex:"),
            ValueType(number) => self.text(&format!("hex({number:x}):")),
        }
        for (at, byte) in data.iter().enumerate() {
            let last = at + 1 == data.len();
            self.text(&format!("{byte:02x}{}", if last { "" } else { "," }));
            if !last && self.line.len() / 2 > LAST_COLUMN {
                self.text("\\");
                self.end_line()?;
                self.text("  ");
            }
        }
        Ok(())
    }

    fn text(&mut self, text: &str) {
        self.units(text.encode_utf16());
    }

    fn units(&mut self, units: impl Iterator<Item = u16>) {
        self.line.extend(units.flat_map(u16::to_le_bytes));
    }

    fn end_line(&mut self) -> io::Result<()> {
        self.text("\r\n");
        self.out.write_all(&self.line)?;
        self.line.clear();
        Ok(())
    }
}

impl<W> fmt::Debug for Writer<W> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Writer").field("left_out", &self.left_out.len()).finish_non_exhaustive()
    }
}

/// Something that `.reg` text cannot say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// The key.
    pub key: Arc<RegPath>,
    /// The value, when it is about one.
    pub value: Option<NameBuf>,
    /// What was left out.
    pub what: &'static str,
}

impl fmt::Display for LeftOut {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.what, self.key)?;
        match &self.value {
            Some(name) => write!(out, ", value {name}"),
            None => Ok(()),
        }
    }
}

fn inexpressible_path(key: &RegPath) -> Option<&'static str> {
    if key.units().count() > LONGEST_PATH {
        return Some("a key path that is longer than Windows can name");
    }
    key.path.names().iter().find_map(|name| {
        if name.as_units().len() > LONGEST_NAME {
            return Some("a key name that is longer than the format holds");
        }
        if name.is_empty() || name.units().any(|unit| unit == u16::from(b'\\')) {
            return Some("a key whose name is empty or holds a backslash");
        }
        inexpressible(name.units())
    })
}

/// `regedit` ends a name at a NUL and a line at a line break.
fn inexpressible(mut units: impl Iterator<Item = u16>) -> Option<&'static str> {
    units.any(|unit| matches!(unit, 0 | 0x0a | 0x0d)).then_some("a name with a NUL or a line break")
}

/// The text of a value without its NUL, when quotes can hold exactly it.
fn clean_text(data: &[u8]) -> Option<impl Iterator<Item = u16> + '_> {
    let units = name::Name::Utf16(data.strip_suffix(&[0, 0])?);
    let clean = data.len() % 2 == 0 && units.units().all(|unit| unit >= 0x20 || unit == u16::from(b'\t'));
    clean.then(|| data[..data.len() - 2].chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]])))
}

/// A byte and its comma that end behind this column are the last of their line.
const LAST_COLUMN: usize = 76;
