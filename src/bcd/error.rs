//! What can go wrong with a store.

use std::{error, fmt};

use super::{ElementCode, ObjectType};
use crate::{Error, FormatError, Guid, RequestError};

/// Why a store cannot be read or changed as it was asked for.
#[derive(Debug)]
#[non_exhaustive]
pub enum StoreError {
    /// The engine's own error about the hive.
    Engine(Error),
    /// The hive has no `Objects` or no `Description`.
    NotAStore,
    /// There is no such object.
    NoSuchObject(Guid),
    /// There is one already.
    Exists(Guid),
    /// A text that is neither a GUID nor a known name.
    NoIdentifier(String),
    /// `{current}`, which offline means nothing; with what `{default}` is.
    Current(Option<Guid>),
    /// `{default}` is not set and cannot be guessed; with the OS loaders that it may be.
    NoDefault(Vec<Guid>),
    /// The value has another format than the element.
    WrongFormat(ElementCode),
    /// The element of an object is to be edited as a list of objects, and what is stored is none.
    UnreadableList(Guid, ElementCode),
    /// An identifier that stands for another one, and is no object's own.
    Virtual(Guid),
    /// The object has a type that is not the one it must have.
    WrongType {
        /// The object.
        id: Guid,
        /// What it must be.
        expected: ObjectType,
        /// What it was to be.
        found: ObjectType,
    },
}

impl fmt::Display for StoreError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Engine(error) => error.fmt(out),
            Self::NotAStore => out.write_str("no boot configuration store: it has no keys Objects and Description"),
            Self::NoSuchObject(id) => match super::WellKnown::of(*id) {
                Some(known) => write!(out, "the store has no {{{}}} ({id:?})", known.alias),
                None => write!(out, "the store has no {id:?}"),
            },
            Self::Exists(id) => write!(out, "the store has {id:?} already"),
            Self::NoIdentifier(text) => {
                let names: Vec<String> =
                    super::WellKnown::all().iter().map(|known| format!("{{{}}}", known.alias)).collect();
                write!(out, "`{text}` is no identifier: a GUID in braces, or one of {}", names.join(", "))
            }
            Self::Current(default) => {
                out.write_str("{current} names the Windows that runs and has no meaning offline")?;
                match default {
                    Some(id) => write!(out, "; {{default}} is {id:?}"),
                    None => Ok(()),
                }
            }
            Self::NoDefault(candidates) if candidates.is_empty() => {
                out.write_str("{default} is not set, and the store has no entry that starts a Windows")
            }
            Self::NoDefault(candidates) => {
                let ids: Vec<String> = candidates.iter().map(|id| format!("{id:?}")).collect();
                write!(out, "{{default}} is not set, and it may be any of {}", ids.join(", "))
            }
            Self::WrongFormat(code) => write!(out, "element {code} holds a value of the format {}", code.format()),
            Self::UnreadableList(id, code) => write!(
                out,
                "element {code} of {id:?} holds something that is no list of objects, and editing it would lose that; \
                 set the whole list, or delete it first"
            ),
            Self::Virtual(id) => write!(out, "{id:?} stands for another object and is none itself"),
            Self::WrongType { id, expected, found } => {
                write!(out, "{id:?} is always of type {expected}, not {found}")
            }
        }
    }
}

impl error::Error for StoreError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Engine(error) => Some(error),
            _ => None,
        }
    }
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        Self::Engine(error)
    }
}

impl From<FormatError> for StoreError {
    fn from(error: FormatError) -> Self {
        Self::Engine(error.into())
    }
}

impl From<RequestError> for StoreError {
    fn from(error: RequestError) -> Self {
        Self::Engine(error.into())
    }
}
