//! The types of values, by number and by name.

use std::{fmt, str::FromStr};

/// The type of a value: any 32-bit number, a few of which have names.
///
/// ```
/// use hivesmith::ValueType;
/// assert_eq!(ValueType::DWORD.to_string(), "REG_DWORD");
/// assert_eq!("reg_expand_sz".parse(), Ok(ValueType::EXPAND_SZ));
/// assert_eq!(ValueType(0x1234).to_string(), "0x1234");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ValueType(pub u32);

impl ValueType {
    /// No defined type.
    pub const NONE: Self = Self(0);
    /// UTF-16LE text.
    pub const SZ: Self = Self(1);
    /// UTF-16LE text with `%variables%`.
    pub const EXPAND_SZ: Self = Self(2);
    /// Bytes.
    pub const BINARY: Self = Self(3);
    /// 32-bit number, little-endian.
    pub const DWORD: Self = Self(4);
    /// 32-bit number, big-endian.
    pub const DWORD_BIG_ENDIAN: Self = Self(5);
    /// Target of a symbolic link key.
    pub const LINK: Self = Self(6);
    /// NUL-terminated UTF-16LE texts, an empty one last.
    pub const MULTI_SZ: Self = Self(7);
    /// Hardware resources of a driver.
    pub const RESOURCE_LIST: Self = Self(8);
    /// Hardware resources of a device.
    pub const FULL_RESOURCE_DESCRIPTOR: Self = Self(9);
    /// Hardware resources that a driver could use.
    pub const RESOURCE_REQUIREMENTS_LIST: Self = Self(10);
    /// 64-bit number, little-endian.
    pub const QWORD: Self = Self(11);
}

const NAMES: [&str; 12] = [
    "REG_NONE",
    "REG_SZ",
    "REG_EXPAND_SZ",
    "REG_BINARY",
    "REG_DWORD",
    "REG_DWORD_BIG_ENDIAN",
    "REG_LINK",
    "REG_MULTI_SZ",
    "REG_RESOURCE_LIST",
    "REG_FULL_RESOURCE_DESCRIPTOR",
    "REG_RESOURCE_REQUIREMENTS_LIST",
    "REG_QWORD",
];

impl fmt::Display for ValueType {
    /// The name Windows' tools use, or the number in hexadecimal.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match NAMES.get(self.0 as usize) {
            Some(name) => out.pad(name),
            None => write!(out, "{:#x}", self.0),
        }
    }
}

impl fmt::Debug for ValueType {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{self}")
    }
}

impl FromStr for ValueType {
    type Err = UnknownValueType;

    /// A name in any case (`REG_DWORD_LITTLE_ENDIAN` too); numbers are not accepted.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.eq_ignore_ascii_case("REG_DWORD_LITTLE_ENDIAN") {
            return Ok(Self::DWORD);
        }
        NAMES.iter().position(|name| name.eq_ignore_ascii_case(text)).map(|at| Self(at as u32)).ok_or(UnknownValueType)
    }
}

/// The text names no value type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownValueType;

impl fmt::Display for UnknownValueType {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("no such value type")
    }
}

impl std::error::Error for UnknownValueType {}
