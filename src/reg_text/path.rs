//! Key paths that begin at a root key, as users and `.reg` files write them.

use std::{error, fmt, str::FromStr};

use crate::name::{self, KeyPath, NameBuf, Units};

/// A key by its full path: a root key and the names below it.
///
/// ```
/// use hivesmith::reg_text::{RegPath, RootKey};
/// let path: RegPath = r"HKLM\BROKENSYSTEM\Select".parse()?;
/// assert_eq!(path.root, RootKey::LocalMachine);
/// assert_eq!(path.to_string(), r"HKEY_LOCAL_MACHINE\BROKENSYSTEM\Select");
/// assert!(r"\\server\HKLM\SOFTWARE".parse::<RegPath>().is_err());
/// # Ok::<(), hivesmith::reg_text::RegPathError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegPath {
    /// The root key.
    pub root: RootKey,
    /// The way from there.
    pub path: KeyPath,
}

impl RegPath {
    /// Reads a path from UTF-16 units, which may be unpaired surrogates.
    pub fn from_units(units: &[u16]) -> Result<Self, RegPathError> {
        if units.starts_with(&[BACKSLASH; 2]) {
            return Err(RegPathError::RemoteMachine);
        }
        let mut parts = units.split(|&unit| unit == BACKSLASH);
        let first = parts.next().unwrap_or_default();
        let root = RootKey::ALL.into_iter().find(|root| root.is_named(first)).ok_or_else(|| {
            let shown = &first[..first.len().min(64)];
            RegPathError::UnknownRoot(NameBuf::from(shown.to_vec()))
        })?;
        if units.len() > LONGEST_PATH {
            return Err(RegPathError::PathTooLong(units.len()));
        }
        let names: Vec<NameBuf> =
            parts.filter(|name| !name.is_empty()).map(|name| NameBuf::from(name.to_vec())).collect();
        match names.iter().find(|name| name.as_units().len() > LONGEST_NAME) {
            Some(name) => Err(RegPathError::NameTooLong(name.as_units().len())),
            None => Ok(Self { root, path: KeyPath::from(names) }),
        }
    }

    /// The rest of this path below `prefix`, compared as the registry compares; none when it lies elsewhere.
    ///
    /// ```
    /// use hivesmith::{name::KeyPath, reg_text::RegPath};
    /// let path: RegPath = r"HKLM\BrokenSystem\Select".parse()?;
    /// assert_eq!(path.relative_to(&r"HKLM\BROKENSYSTEM".parse()?), Some(KeyPath::from("Select")));
    /// assert_eq!(path.relative_to(&r"HKLM\BROKEN".parse()?), None);
    /// # Ok::<(), hivesmith::reg_text::RegPathError>(())
    /// ```
    #[must_use]
    pub fn relative_to(&self, prefix: &Self) -> Option<KeyPath> {
        let (above, below) = self.path.names().split_at_checked(prefix.path.names().len())?;
        let inside = self.root == prefix.root && above.iter().zip(prefix.path.names()).all(|(a, b)| name::same(a, b));
        inside.then(|| below.iter().cloned().collect())
    }

    /// This path followed by another.
    #[must_use]
    pub fn below(&self, rest: &KeyPath) -> Self {
        let path = self.path.names().iter().chain(rest.names()).cloned().collect();
        Self { root: self.root, path }
    }
}

impl FromStr for RegPath {
    type Err = RegPathError;

    /// Short and long root names in any case; empty parts between backslashes are dropped.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::from_units(&text.encode_utf16().collect::<Vec<_>>())
    }
}

impl fmt::Display for RegPath {
    /// With the long root name, and what could harm a terminal escaped.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.root.name())?;
        if self.path.is_root() { Ok(()) } else { write!(out, "\\{}", self.path) }
    }
}

/// The root keys that tools show; none of them is a hive of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RootKey {
    /// `HKEY_LOCAL_MACHINE`, `HKLM`
    LocalMachine,
    /// `HKEY_CURRENT_USER`, `HKCU`
    CurrentUser,
    /// `HKEY_CLASSES_ROOT`, `HKCR`
    ClassesRoot,
    /// `HKEY_USERS`, `HKU`
    Users,
    /// `HKEY_CURRENT_CONFIG`, `HKCC`
    CurrentConfig,
}

impl RootKey {
    const ALL: [Self; 5] = [Self::LocalMachine, Self::CurrentUser, Self::ClassesRoot, Self::Users, Self::CurrentConfig];

    /// The long name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::LocalMachine => "HKEY_LOCAL_MACHINE",
            Self::CurrentUser => "HKEY_CURRENT_USER",
            Self::ClassesRoot => "HKEY_CLASSES_ROOT",
            Self::Users => "HKEY_USERS",
            Self::CurrentConfig => "HKEY_CURRENT_CONFIG",
        }
    }

    /// The short name.
    #[must_use]
    pub fn short_name(self) -> &'static str {
        match self {
            Self::LocalMachine => "HKLM",
            Self::CurrentUser => "HKCU",
            Self::ClassesRoot => "HKCR",
            Self::Users => "HKU",
            Self::CurrentConfig => "HKCC",
        }
    }

    fn is_named(self, text: &[u16]) -> bool {
        [self.name(), self.short_name()].into_iter().any(|name| name::same(name, text))
    }
}

impl fmt::Display for RootKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.name())
    }
}

/// The text is no path of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RegPathError {
    /// It begins with the name of another machine.
    RemoteMachine,
    /// It begins with something that is no root key; what that is, cut to 64 units.
    UnknownRoot(NameBuf),
    /// A name in it has that many UTF-16 units; a key's name has at most 255.
    NameTooLong(usize),
    /// It has that many UTF-16 units; Windows can name no object with more than 32,767.
    PathTooLong(usize),
}

impl fmt::Display for RegPathError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RemoteMachine => out.write_str("the registry of another machine cannot be reached offline"),
            Self::UnknownRoot(first) if first.is_empty() => {
                out.write_str("a key path begins with a root key (HKLM\\…)")
            }
            Self::UnknownRoot(first) => {
                write!(out, "`{first}` is no root key (HKLM, HKCU, HKCR, HKU, HKCC or their long names)")
            }
            Self::NameTooLong(length) => {
                write!(out, "a key name of {length} UTF-16 units is longer than the 255 of the format")
            }
            Self::PathTooLong(length) => {
                write!(out, "a key path of {length} UTF-16 units is longer than the 32767 that Windows can name")
            }
        }
    }
}

impl error::Error for RegPathError {}

const BACKSLASH: u16 = b'\\' as u16;
pub(super) const LONGEST_NAME: usize = 255;
pub(super) const LONGEST_PATH: usize = 32_767;

impl Units for RegPath {
    /// The whole path, root first, joined by backslashes: how a `.reg` file spells it.
    fn units(&self) -> impl Iterator<Item = u16> + Clone + '_ {
        let below = self.path.names().iter().flat_map(|name| std::iter::once(BACKSLASH).chain(name.units()));
        self.root.name().units().chain(below)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_are_known_by_both_names_in_any_case() {
        for root in RootKey::ALL {
            for name in [root.name().to_lowercase(), root.short_name().to_lowercase()] {
                assert_eq!(name.parse(), Ok(RegPath { root, path: KeyPath::default() }));
            }
        }
    }

    #[test]
    fn stray_backslashes_do_not_make_nameless_keys() {
        let path: RegPath = r"HKLM\\SYSTEM\Select\".parse().unwrap();
        assert_eq!(path.path, KeyPath::from(r"SYSTEM\Select"));
    }

    #[test]
    fn a_root_must_be_whole() {
        assert!(matches!("HKLMX\\a".parse::<RegPath>(), Err(RegPathError::UnknownRoot(_))));
        assert!(matches!("".parse::<RegPath>(), Err(RegPathError::UnknownRoot(_))));
        assert!(matches!("HKLM:\\a".parse::<RegPath>(), Err(RegPathError::UnknownRoot(_))));
    }

    #[test]
    fn names_longer_than_the_format_holds_are_refused() {
        assert!(format!("HKLM\\{}", "x".repeat(255)).parse::<RegPath>().is_ok());
        assert_eq!(format!("HKLM\\{}", "x".repeat(256)).parse::<RegPath>(), Err(RegPathError::NameTooLong(256)));
        assert!(matches!(
            format!("HKLM{}", "\\x".repeat(20_000)).parse::<RegPath>(),
            Err(RegPathError::PathTooLong(_))
        ));
    }
}
