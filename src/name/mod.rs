//! Names of keys and values: decoding, NT order, hashes.
//!
//! A registry name is a sequence of UTF-16 units, stored as Latin-1 bytes when every unit fits ("compressed") and as
//! UTF-16LE otherwise. It may hold any unit: NUL, control characters, unpaired surrogates. So nothing here goes through
//! `str`, and [`NameBuf`] is the owned form that loses nothing.

mod hash;
mod path;
mod text;
mod upcase;

use std::cmp::Ordering;

use crate::bytes::u16_at;

pub use hash::{lf_hint, lh_hash};
pub use path::KeyPath;
pub use upcase::upcase;

/// Anything that spells a name: its UTF-16 units, in order.
///
/// Lookups take `&impl Units`, so a `&str`, a [`Name`] read from a hive and a [`NameBuf`] all serve without conversion.
pub trait Units {
    /// The UTF-16 units of the name.
    fn units(&self) -> impl Iterator<Item = u16> + Clone + '_;
}

impl Units for str {
    fn units(&self) -> impl Iterator<Item = u16> + Clone + '_ {
        self.encode_utf16()
    }
}

impl Units for String {
    fn units(&self) -> impl Iterator<Item = u16> + Clone + '_ {
        self.encode_utf16()
    }
}

impl Units for [u16] {
    fn units(&self) -> impl Iterator<Item = u16> + Clone + '_ {
        self.iter().copied()
    }
}

impl<T: Units + ?Sized> Units for &T {
    fn units(&self) -> impl Iterator<Item = u16> + Clone + '_ {
        T::units(self)
    }
}

/// A name as it stands in a hive; borrows the record's bytes.
#[derive(Clone, Copy)]
pub enum Name<'a> {
    /// "Compressed": one Latin-1 byte a unit.
    Latin1(&'a [u8]),
    /// Little-endian UTF-16, two bytes a unit.
    Utf16(&'a [u8]),
}

impl<'a> Name<'a> {
    /// Wraps the bytes of a record; `compressed` is the record's flag. An odd last byte of a wide name is not a unit.
    #[must_use]
    pub fn new(bytes: &'a [u8], compressed: bool) -> Self {
        if compressed { Self::Latin1(bytes) } else { Self::Utf16(bytes) }
    }

    /// Number of UTF-16 units.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Latin1(bytes) => bytes.len(),
            Self::Utf16(bytes) => bytes.len() / 2,
        }
    }

    /// Whether the name has no unit, as that of a key's default value.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// An owned copy.
    #[must_use]
    pub fn to_name_buf(&self) -> NameBuf {
        NameBuf(self.units().collect())
    }
}

impl Units for Name<'_> {
    fn units(&self) -> impl Iterator<Item = u16> + Clone + '_ {
        (0..self.len()).map(move |at| match self {
            Self::Latin1(bytes) => bytes.get(at).map_or(0, |byte| u16::from(*byte)),
            Self::Utf16(bytes) => u16_at(bytes, at * 2).unwrap_or(0),
        })
    }
}

/// An owned name: UTF-16 units, any of them.
///
/// ```
/// use hivesmith::name::NameBuf;
/// let name = NameBuf::from("Ж");
/// assert_eq!(name.as_units(), [0x0416]);
/// assert_eq!(name.to_string(), "Ж");
/// ```
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NameBuf(Vec<u16>);

impl NameBuf {
    /// The units.
    #[must_use]
    pub fn as_units(&self) -> &[u16] {
        &self.0
    }

    /// Whether the name has no unit.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Units for NameBuf {
    fn units(&self) -> impl Iterator<Item = u16> + Clone + '_ {
        self.0.iter().copied()
    }
}

impl From<&str> for NameBuf {
    fn from(text: &str) -> Self {
        // UTF-16 never has more units than UTF-8 has bytes; the iterator itself guesses a third.
        let mut units = Vec::with_capacity(text.len());
        units.extend(text.encode_utf16());
        Self(units)
    }
}

impl From<String> for NameBuf {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<Vec<u16>> for NameBuf {
    fn from(units: Vec<u16>) -> Self {
        Self(units)
    }
}

impl From<Name<'_>> for NameBuf {
    fn from(name: Name<'_>) -> Self {
        name.to_name_buf()
    }
}

impl From<&NameBuf> for NameBuf {
    fn from(name: &NameBuf) -> Self {
        name.clone()
    }
}

/// The order of subkeys lists: by upper-cased units as numbers, a proper prefix first. Equal means "the same key".
///
/// ```
/// use std::cmp::Ordering;
/// use hivesmith::name::compare;
/// assert_eq!(compare("select", "SELECT"), Ordering::Equal);
/// assert_eq!(compare("a_", "aB"), Ordering::Greater); // `_` is 0x5F, after every upper-case letter
/// ```
#[must_use]
pub fn compare<A: Units + ?Sized, B: Units + ?Sized>(a: &A, b: &B) -> Ordering {
    a.units().map(upcase).cmp(b.units().map(upcase))
}

/// Whether two names are the same to the registry.
#[must_use]
pub fn same<A: Units + ?Sized, B: Units + ?Sized>(a: &A, b: &B) -> bool {
    a.units().map(upcase).eq(b.units().map(upcase))
}

/// Whether Windows stores this name as Latin-1 bytes: every unit is at most 0xFF.
#[must_use]
pub fn is_compressible<N: Units + ?Sized>(name: &N) -> bool {
    name.units().all(|unit| unit <= 0xff)
}

/// The stored form of a name: its bytes, and whether they are Latin-1 ("compressed").
#[must_use]
pub fn encode<N: Units + ?Sized>(name: &N) -> (Vec<u8>, bool) {
    if is_compressible(name) {
        (name.units().map(|unit| unit as u8).collect(), true)
    } else {
        (name.units().flat_map(u16::to_le_bytes).collect(), false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wide_and_a_compressed_spelling_are_the_same_name() {
        let wide: Vec<u8> = "Straße".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let narrow = [b's', b't', b'R', b'A', 0xdf, b'E'];
        assert!(same(&Name::Utf16(&wide), &Name::Latin1(&narrow)));
    }

    #[test]
    fn y_with_diaeresis_sorts_behind_all_of_latin_1() {
        assert_eq!(compare("\u{ff}", "\u{fe}"), Ordering::Greater);
        assert_eq!(compare("\u{ff}", "\u{178}"), Ordering::Equal);
    }

    #[test]
    fn surrogates_sort_by_unit_not_by_character() {
        assert_eq!(compare("\u{10428}", "\u{ff21}"), Ordering::Less);
    }

    #[test]
    fn encoding_prefers_latin_1() {
        assert_eq!(encode("é"), (vec![0xe9], true));
        assert_eq!(encode("Ж"), (vec![0x16, 0x04], false));
    }
}
