//! [`ElementValue`]: the value of an element, and how it is stored.

use super::{Device, ElementCode, Format};
use crate::{Guid, ValueType};

/// The value of an element by the format that its code declares.
///
/// What is stored is read generously, since install media and other people's tools are: integers of 1 to 8 bytes, any
/// non-zero truth, texts without or with several terminators, GUIDs in any case. [`encode`](Self::encode) writes what
/// bcdedit writes. What fits nothing of this is [`Raw`](Self::Raw) and goes back as it came.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ElementValue {
    /// Where something is.
    Device(Device),
    /// A text.
    String(String),
    /// An object.
    Object(Guid),
    /// Objects, in order.
    ObjectList(Vec<Guid>),
    /// A number.
    Integer(u64),
    /// Yes or no.
    Boolean(bool),
    /// Numbers, in order.
    IntegerList(Vec<u64>),
    /// Bytes, of an element that is declared so.
    Binary(Vec<u8>),
    /// Type and bytes that are not what the code declares.
    Raw(ValueType, Vec<u8>),
}

impl ElementValue {
    /// Reads what is stored.
    #[must_use]
    pub fn decode(code: ElementCode, kind: ValueType, bytes: &[u8]) -> Self {
        let decoded = match (code.format(), kind) {
            (Format::Device, ValueType::BINARY) => Device::decode(bytes).map(Self::Device),
            (Format::String, ValueType::SZ) => text(bytes).map(Self::String),
            (Format::Object, ValueType::SZ) => text(bytes).and_then(|id| id.parse().ok()).map(Self::Object),
            (Format::ObjectList, ValueType::MULTI_SZ) => objects(bytes).map(Self::ObjectList),
            (Format::Integer, ValueType::BINARY) => integer(bytes).map(Self::Integer),
            (Format::Boolean, ValueType::BINARY) => match bytes {
                [truth] => Some(Self::Boolean(*truth != 0)),
                _ => None,
            },
            (Format::IntegerList, ValueType::BINARY) => integers(bytes).map(Self::IntegerList),
            (Format::Binary, ValueType::BINARY) => Some(Self::Binary(bytes.to_vec())),
            _ => None,
        };
        decoded.unwrap_or_else(|| Self::Raw(kind, bytes.to_vec()))
    }

    /// Type and bytes to store, as bcdedit writes them.
    #[must_use]
    pub fn encode(&self) -> (ValueType, Vec<u8>) {
        match self {
            Self::Device(device) => (ValueType::BINARY, device.encode()),
            Self::String(text) => (ValueType::SZ, terminated(text).collect()),
            Self::Object(id) => (ValueType::SZ, terminated(&format!("{id:?}")).collect()),
            Self::ObjectList(ids) => {
                let all: Vec<u8> =
                    ids.iter().flat_map(|id| terminated(&format!("{id:?}")).collect::<Vec<_>>()).collect();
                (ValueType::MULTI_SZ, all.into_iter().chain([0, 0]).collect())
            }
            Self::Integer(number) => (ValueType::BINARY, number.to_le_bytes().to_vec()),
            Self::Boolean(truth) => (ValueType::BINARY, vec![u8::from(*truth)]),
            Self::IntegerList(numbers) => {
                (ValueType::BINARY, numbers.iter().flat_map(|number| number.to_le_bytes()).collect())
            }
            Self::Binary(bytes) => (ValueType::BINARY, bytes.clone()),
            Self::Raw(kind, bytes) => (*kind, bytes.clone()),
        }
    }

    /// The format that this is a value of; none for what fits none.
    #[must_use]
    pub fn format(&self) -> Option<Format> {
        Some(match self {
            Self::Device(_) => Format::Device,
            Self::String(_) => Format::String,
            Self::Object(_) => Format::Object,
            Self::ObjectList(_) => Format::ObjectList,
            Self::Integer(_) => Format::Integer,
            Self::Boolean(_) => Format::Boolean,
            Self::IntegerList(_) => Format::IntegerList,
            Self::Binary(_) => Format::Binary,
            Self::Raw(..) => return None,
        })
    }

    /// The objects that this names: the members of a list, an object, the options of a device.
    #[must_use]
    pub fn objects(&self) -> Vec<Guid> {
        match self {
            Self::Object(id) => vec![*id],
            Self::ObjectList(ids) => ids.clone(),
            Self::Device(device) if !device.options.is_nil() => vec![device.options],
            _ => Vec::new(),
        }
    }
}

fn terminated(text: &str) -> impl Iterator<Item = u8> + '_ {
    text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes)
}

/// UTF-16 units; an odd last byte is not one.
fn units(bytes: &[u8]) -> Vec<u16> {
    bytes.chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]])).collect()
}

/// A text with any number of terminators, and nothing behind them.
fn text(bytes: &[u8]) -> Option<String> {
    if bytes.len() % 2 != 0 {
        return None;
    }
    let units = units(bytes);
    let length = units.iter().rposition(|unit| *unit != 0).map_or(0, |last| last + 1);
    let text = units.get(..length)?;
    if text.contains(&0) { None } else { String::from_utf16(text).ok() }
}

/// GUIDs with terminators between them; the last ones may be missing, and an odd byte may follow.
fn objects(bytes: &[u8]) -> Option<Vec<Guid>> {
    let units = units(bytes);
    let ids = units.split(|unit| *unit == 0).filter(|id| !id.is_empty());
    ids.map(|id| String::from_utf16(id).ok()?.parse().ok()).collect()
}

/// 1 to 8 bytes, little-endian.
fn integer(bytes: &[u8]) -> Option<u64> {
    let mut wide = [0; 8];
    wide.get_mut(..bytes.len()).filter(|part| !part.is_empty())?.copy_from_slice(bytes);
    Some(u64::from_le_bytes(wide))
}

fn integers(bytes: &[u8]) -> Option<Vec<u64>> {
    let numbers = bytes.chunks_exact(8);
    let whole = numbers.remainder().is_empty();
    whole.then(|| numbers.filter_map(|number| number.try_into().ok()).map(u64::from_le_bytes).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: Guid = Guid::from_u128(0x9dea862c_5cdd_4e70_acc1_f32b344d4795);

    fn wide(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    fn read(code: u32, kind: ValueType, bytes: &[u8]) -> ElementValue {
        ElementValue::decode(ElementCode(code), kind, bytes)
    }

    #[test]
    fn what_windows_writes_comes_back() {
        let values = [
            (0x1100_0001, ElementValue::Device(Device::boot())),
            (0x1200_0004, ElementValue::String("Windows 內存".to_owned())),
            (0x2300_0003, ElementValue::Object(ID)),
            (0x2400_0001, ElementValue::ObjectList(vec![ID, Guid::NIL])),
            (0x2500_0004, ElementValue::Integer(30)),
            (0x2600_0020, ElementValue::Boolean(true)),
            (0x1700_0077, ElementValue::IntegerList(vec![0x1500_0075, u64::MAX])),
            (0x1800_0001, ElementValue::Binary(vec![1, 2, 3])),
        ];
        for (code, value) in values {
            let (kind, bytes) = value.encode();
            assert_eq!(read(code, kind, &bytes), value);
            assert_eq!(value.format(), Some(ElementCode(code).format()));
        }
        assert_eq!(ElementValue::Boolean(true).encode(), (ValueType::BINARY, vec![1]));
        let list = ElementValue::ObjectList(vec![ID]).encode();
        assert_eq!(list, (ValueType::MULTI_SZ, wide("{9dea862c-5cdd-4e70-acc1-f32b344d4795}\0\0")));
    }

    /// Install media and third-party stores.
    #[test]
    fn odd_widths_and_terminators_are_read() {
        assert_eq!(read(0x1500_0013, ValueType::BINARY, &[1]), ElementValue::Integer(1));
        assert_eq!(read(0x1500_0014, ValueType::BINARY, &[0, 0xc2, 1]), ElementValue::Integer(115_200));
        assert_eq!(read(0x2600_0020, ValueType::BINARY, &[7]), ElementValue::Boolean(true));
        for text in ["\\EFI\\x\0\0", "\\EFI\\x\0", "\\EFI\\x"] {
            assert_eq!(read(0x1200_0002, ValueType::SZ, &wide(text)), ElementValue::String("\\EFI\\x".to_owned()));
        }
        let mut list = wide("{9DEA862C-5CDD-4E70-ACC1-F32B344D4795}\0");
        list.push(0);
        assert_eq!(read(0x2400_0001, ValueType::MULTI_SZ, &list), ElementValue::ObjectList(vec![ID]));
        assert_eq!(read(0x2400_0001, ValueType::MULTI_SZ, &[0, 0]), ElementValue::ObjectList(Vec::new()));
    }

    #[test]
    fn what_is_not_what_its_code_declares_stays_as_it_is() {
        let odd: [(u32, ValueType, &[u8]); 10] = [
            (0x2500_0004, ValueType::BINARY, &[]),
            (0x2500_0004, ValueType::BINARY, &[0; 9]),
            (0x2500_0004, ValueType::DWORD, &[5, 0, 0, 0]),
            (0x2600_0020, ValueType::BINARY, &[]),
            (0x2600_0020, ValueType::BINARY, &[1, 0]),
            (0x1200_0004, ValueType::SZ, b"a"),
            (0x1200_0004, ValueType::SZ, &[b'a', 0, 0, 0, b'b', 0]),
            (0x1200_0004, ValueType::SZ, &[0, 0xd8, 0, 0]),
            (0x1700_0077, ValueType::BINARY, &[0; 7]),
            (0x1100_0001, ValueType::BINARY, &[0; 20]),
        ];
        for (code, kind, bytes) in odd {
            let value = read(code, kind, bytes);
            assert_eq!((value.encode(), value.format()), ((kind, bytes.to_vec()), None));
        }
    }

    /// Declared a device by its code, documented and stored as a text.
    #[test]
    fn the_one_code_that_lies_about_its_format() {
        assert_eq!(read(0x2100_0155, ValueType::SZ, &wide("\\x\0")), ElementValue::String("\\x".to_owned()));
    }
}
