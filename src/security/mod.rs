//! Placeholder, replaced within the hour.

/// Placeholder until error.rs arrives.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SecurityError {}
impl std::fmt::Display for SecurityError { fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { Ok(()) } }
impl std::error::Error for SecurityError {}
