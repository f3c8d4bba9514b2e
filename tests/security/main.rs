//! Descriptors against recorded vectors and against Samba.
//!
//! The vectors are not part of the package. `HIVESMITH_VECTORS` names the directory that holds them; without it the
//! tests that need them say so and pass, unless `CI` is set.

#[cfg(feature = "volume")]
mod icacls;
mod samba;
#[path = "../support/mod.rs"]
mod support;
mod vectors;

use std::fs;

use serde_json::Value;

use support::say;

/// The vectors of one file, or `None` where there are none to run.
pub(crate) fn load(file: &str) -> Option<Value> {
    let path = support::vectors()?.join(file);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Some(serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}

/// The vectors under a name: so many, so that none is left out unnoticed.
pub(crate) fn list<'v>(vectors: &'v Value, name: &str, count: usize) -> &'v [Value] {
    let items = vectors[name].as_array().expect(name);
    assert_eq!(items.len(), count, "the number of vectors has changed: see what the new ones say");
    items
}

pub(crate) fn items(vectors: &Value, count: usize) -> &[Value] {
    list(vectors, "items", count)
}

pub(crate) fn text<'v>(item: &'v Value, field: &str) -> &'v str {
    item[field].as_str().unwrap_or_else(|| panic!("no {field} in {item}"))
}

pub(crate) fn bytes(item: &Value, field: &str) -> Vec<u8> {
    let digits = text(item, field).as_bytes();
    let octet = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(octet).collect()
}

pub(crate) const REAL: usize = 420;
pub(crate) const SDDL: usize = 340;
pub(crate) const INVALID: usize = 34;
pub(crate) const INHERITED: usize = 274;
