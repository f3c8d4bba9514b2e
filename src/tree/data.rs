//! [`Data`]: value data with its meaning.

use std::fmt;

use super::Value;
use crate::{Result, ValueType};

/// A value's type and data together, decoded where the data is exactly what the type promises.
///
/// Decoding and encoding again gives the same bytes, always: whatever is odd (a `REG_DWORD` of eight bytes, text
/// without its terminator, an unpaired surrogate) comes as [`Data::Raw`].
///
/// ```
/// use hivesmith::{Data, ValueType};
/// let path = Data::ExpandSz(r"%SystemRoot%\MEMORY.DMP".to_owned());
/// assert_eq!(Data::decode(ValueType::EXPAND_SZ, &path.to_bytes()), path);
/// assert_eq!(Data::decode(ValueType::DWORD, &[1, 0]), Data::Raw(ValueType::DWORD, vec![1, 0]));
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Data {
    /// `REG_SZ`: text; on disk UTF-16LE with one terminator.
    Sz(String),
    /// `REG_EXPAND_SZ`: text with `%variables%`.
    ExpandSz(String),
    /// `REG_BINARY`
    Binary(Vec<u8>),
    /// `REG_DWORD`
    Dword(u32),
    /// `REG_DWORD_BIG_ENDIAN`
    DwordBigEndian(u32),
    /// `REG_MULTI_SZ`: texts, none of them empty.
    MultiSz(Vec<String>),
    /// `REG_QWORD`
    Qword(u64),
    /// Any other type, and data that is not what its type promises.
    Raw(ValueType, Vec<u8>),
}

impl Data {
    /// Understands stored data.
    #[must_use]
    pub fn decode(kind: ValueType, bytes: &[u8]) -> Self {
        let decoded = match kind {
            ValueType::SZ => text(bytes).map(Self::Sz),
            ValueType::EXPAND_SZ => text(bytes).map(Self::ExpandSz),
            ValueType::BINARY => Some(Self::Binary(bytes.to_vec())),
            ValueType::DWORD => bytes.try_into().ok().map(|bytes| Self::Dword(u32::from_le_bytes(bytes))),
            ValueType::DWORD_BIG_ENDIAN => {
                bytes.try_into().ok().map(|bytes| Self::DwordBigEndian(u32::from_be_bytes(bytes)))
            }
            ValueType::MULTI_SZ => texts(bytes).map(Self::MultiSz),
            ValueType::QWORD => bytes.try_into().ok().map(|bytes| Self::Qword(u64::from_le_bytes(bytes))),
            _ => None,
        };
        decoded.unwrap_or_else(|| Self::Raw(kind, bytes.to_vec()))
    }

    /// The type.
    #[must_use]
    pub fn kind(&self) -> ValueType {
        match self {
            Self::Sz(_) => ValueType::SZ,
            Self::ExpandSz(_) => ValueType::EXPAND_SZ,
            Self::Binary(_) => ValueType::BINARY,
            Self::Dword(_) => ValueType::DWORD,
            Self::DwordBigEndian(_) => ValueType::DWORD_BIG_ENDIAN,
            Self::MultiSz(_) => ValueType::MULTI_SZ,
            Self::Qword(_) => ValueType::QWORD,
            Self::Raw(kind, _) => *kind,
        }
    }

    /// The bytes to store.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Sz(text) | Self::ExpandSz(text) => {
                let mut bytes = Vec::with_capacity(text.len() * 2 + 2);
                bytes.extend(terminated(text));
                bytes
            }
            Self::Binary(bytes) | Self::Raw(_, bytes) => bytes.clone(),
            Self::Dword(number) => number.to_le_bytes().to_vec(),
            Self::DwordBigEndian(number) => number.to_be_bytes().to_vec(),
            Self::MultiSz(texts) => texts.iter().flat_map(|text| terminated(text)).chain([0, 0]).collect(),
            Self::Qword(number) => number.to_le_bytes().to_vec(),
        }
    }
}

/// UTF-16LE with a terminator.
fn terminated(text: &str) -> impl Iterator<Item = u8> + '_ {
    text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes)
}

/// Text that ends with its one terminator and has no other.
fn text(bytes: &[u8]) -> Option<String> {
    let units = units(bytes)?;
    let (last, text) = units.split_last()?;
    if *last != 0 || text.contains(&0) { None } else { String::from_utf16(text).ok() }
}

/// Texts, each with a terminator, and one terminator more.
fn texts(bytes: &[u8]) -> Option<Vec<String>> {
    let units = units(bytes)?;
    let (last, rest) = units.split_last()?;
    if *last != 0 {
        return None;
    }
    if rest.is_empty() {
        return Some(Vec::new());
    }
    let (last, rest) = rest.split_last()?;
    if *last != 0 {
        return None;
    }
    rest.split(|unit| *unit == 0)
        .map(|text| if text.is_empty() { None } else { String::from_utf16(text).ok() })
        .collect()
}

fn units(bytes: &[u8]) -> Option<Vec<u16>> {
    let whole = bytes.len() % 2 == 0;
    whole.then(|| bytes.chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]])).collect())
}

impl fmt::Debug for Data {
    /// Numbers and text as they are; of bytes the first 32.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sz(text) => write!(out, "Sz({text:?})"),
            Self::ExpandSz(text) => write!(out, "ExpandSz({text:?})"),
            Self::Dword(number) => write!(out, "Dword({number:#x})"),
            Self::DwordBigEndian(number) => write!(out, "DwordBigEndian({number:#x})"),
            Self::MultiSz(texts) => write!(out, "MultiSz({texts:?})"),
            Self::Qword(number) => write!(out, "Qword({number:#x})"),
            Self::Binary(bytes) | Self::Raw(_, bytes) => {
                let shown = bytes.get(..32).unwrap_or(bytes);
                write!(out, "{}({} bytes: {shown:02x?})", self.kind(), bytes.len())
            }
        }
    }
}

impl Value<'_> {
    /// Type and data, decoded where the data is exactly what the type promises.
    ///
    /// # Errors
    ///
    /// [`Error::Format`](crate::Error::Format) where fewer bytes are there than the record promises.
    pub fn decode(self) -> Result<Data> {
        Ok(Data::decode(self.kind(), &self.data()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_odd_keeps_its_bytes() {
        let odd: [(ValueType, &[u8]); 8] = [
            (ValueType::SZ, b"a"),
            (ValueType::SZ, b"a\0"),
            (ValueType::SZ, b"a\0\0\0b\0\0\0"),
            (ValueType::SZ, &[0, 0xd8, 0, 0]),
            (ValueType::MULTI_SZ, b"a\0\0\0"),
            (ValueType::MULTI_SZ, b"\0\0\0\0"),
            (ValueType::DWORD, b"12345678"),
            (ValueType(77), b"x"),
        ];
        for (kind, bytes) in odd {
            let data = Data::decode(kind, bytes);
            assert_eq!((data.kind(), data.to_bytes()), (kind, bytes.to_vec()), "{data:?}");
            assert!(matches!(data, Data::Raw(..)), "{data:?}");
        }
    }

    #[test]
    fn several_texts_and_none() {
        let texts = Data::MultiSz(vec!["a".to_owned(), "bc".to_owned()]);
        assert_eq!(texts.to_bytes(), b"a\0\0\0b\0c\0\0\0\0\0");
        assert_eq!(Data::decode(ValueType::MULTI_SZ, &texts.to_bytes()), texts);
        assert_eq!(Data::decode(ValueType::MULTI_SZ, &[0, 0]), Data::MultiSz(Vec::new()));
    }
}
