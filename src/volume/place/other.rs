//! Places where no driver for NTFS is known that gives access to descriptors.

use std::{
    ffi::{OsStr, OsString},
    io,
    path::Path,
};

use super::{Identity, PlaceKind, unsupported};

/// There is none.
pub(super) enum Place {}

impl Place {
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        std::fs::metadata(folder)?;
        Err(unsupported("of this operating system"))
    }

    pub(super) fn child(&self, _: &OsStr) -> io::Result<Self> {
        match *self {}
    }

    pub(super) fn entries(&self) -> io::Result<Entries> {
        match *self {}
    }

    pub(super) fn duplicate(&self) -> io::Result<Self> {
        match *self {}
    }

    pub(super) fn kind(&self) -> PlaceKind {
        match *self {}
    }

    pub(super) fn identity(&self) -> Identity {
        match *self {}
    }

    pub(super) fn writable(&self) -> io::Result<()> {
        match *self {}
    }

    pub(super) fn descriptor(&self) -> io::Result<Vec<u8>> {
        match *self {}
    }

    pub(super) fn set_descriptor(&self, _: &[u8]) -> io::Result<()> {
        match *self {}
    }
}

/// There are none.
pub(super) enum Entries {}

impl Entries {
    pub(super) fn child(&self, _: &OsStr) -> io::Result<Place> {
        match *self {}
    }

    pub(super) fn next(&mut self) -> Option<io::Result<OsString>> {
        match *self {}
    }
}
