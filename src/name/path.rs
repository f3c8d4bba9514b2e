//! Key paths: names joined by backslashes.

use std::fmt;

use super::NameBuf;

/// The way from a hive's root to a key, one name a step; empty for the root itself.
///
/// Built from text it splits at `\` and drops empty parts, as Windows' tools do with a leading or trailing one.
///
/// ```
/// use hivesmith::name::KeyPath;
/// let path = KeyPath::from(r"ControlSet001\Services\gpsvc");
/// assert_eq!(path.names().len(), 3);
/// assert_eq!(path.to_string(), r"ControlSet001\Services\gpsvc");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyPath(Vec<NameBuf>);

impl KeyPath {
    /// The names from the root's child down.
    #[must_use]
    pub fn names(&self) -> &[NameBuf] {
        &self.0
    }

    /// Whether this is the root.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// This path with one more name.
    #[must_use]
    pub fn join(&self, name: impl Into<NameBuf>) -> Self {
        let mut names = self.0.clone();
        names.push(name.into());
        Self(names)
    }

    /// The path of the parent; none for the root.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        let (_, above) = self.0.split_last()?;
        Some(Self(above.to_vec()))
    }

    /// The last name; none for the root.
    #[must_use]
    pub fn last(&self) -> Option<&NameBuf> {
        self.0.last()
    }
}

impl From<&str> for KeyPath {
    fn from(text: &str) -> Self {
        text.split('\\').filter(|part| !part.is_empty()).map(NameBuf::from).collect()
    }
}

impl From<&KeyPath> for KeyPath {
    fn from(path: &KeyPath) -> Self {
        path.clone()
    }
}

impl From<Vec<NameBuf>> for KeyPath {
    fn from(names: Vec<NameBuf>) -> Self {
        Self(names)
    }
}

impl FromIterator<NameBuf> for KeyPath {
    fn from_iter<I: IntoIterator<Item = NameBuf>>(names: I) -> Self {
        Self(names.into_iter().collect())
    }
}

impl fmt::Display for KeyPath {
    /// Joined by `\`, with control characters and unpaired surrogates escaped as in [`NameBuf`].
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (depth, name) in self.0.iter().enumerate() {
            if depth > 0 {
                out.write_str("\\")?;
            }
            write!(out, "{name}")?;
        }
        Ok(())
    }
}
