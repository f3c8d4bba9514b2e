//! Which files a command on descriptors is about.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::{RunError, query::glob};
use crate::{
    name::{self, Units as _},
    volume::{Drives, Place, PlaceKind, name_of, shown_name},
};

/// The files and folders that a command names by one path.
pub(super) struct Targets {
    /// The folder that their volume is mounted on.
    pub(super) volume: PathBuf,
    pub(super) root: Place,
    pub(super) found: Vec<Target>,
}

/// A file or folder that a command names, or one that its pattern matches.
pub(super) struct Target {
    /// The path below the volume's folder, in the volume's spelling.
    pub(super) path: PathBuf,
    /// As the command names it.
    pub(super) shown: String,
}

/// What holds a target.
pub(super) enum Holder {
    Folder(Place),
    /// Nothing: it is the root of its volume.
    Nobody,
    /// A folder that cannot be reached: a part of the volume is mounted by itself.
    Unknown,
}

impl Targets {
    /// The place of a target, and what holds it. They are held one after the other: a pattern may match more than there
    /// are handles.
    pub(super) fn hold(&self, target: &Target) -> io::Result<(Place, Holder)> {
        let (Some(above), Some(name)) = (target.path.parent(), target.path.file_name()) else {
            let place = self.root.below(Path::new(""))?;
            let holder = if place.is_volume_root() { Holder::Nobody } else { self.holder_of_root(&place) };
            return Ok((place, holder));
        };
        let above = self.root.below(above)?;
        Ok((above.child(name)?, Holder::Folder(above)))
    }

    /// What holds the folder that a drive letter, or a link of this machine, stands for.
    fn holder_of_root(&self, place: &Place) -> Holder {
        let found = || -> io::Result<Option<Place>> {
            let (volume, rest) = Place::volume_of(&self.volume.canonicalize()?)?;
            let (Some(above), Some(name)) = (rest.parent(), rest.file_name()) else { return Ok(None) };
            let above = Place::open(&volume)?.below(above)?;
            Ok((above.child(name)?.identity() == place.identity()).then_some(above))
        };
        found().ok().flatten().map_or(Holder::Unknown, Holder::Folder)
    }
}

/// Finds what a path means: `F:\…` beneath the drive's folder, or a path of this machine; `*` and `?` in its last part
/// stand for any names of the folder.
pub(super) fn find(drives: &Drives, path: &str, links: bool) -> Result<Targets, RunError> {
    let wrong = |error| RunError::File(path.to_owned(), error);
    let (volume, rest) = volume_of(drives, path).map_err(wrong)?;
    let root = Place::open(&volume).map_err(wrong)?;
    let rest = rest.trim_end_matches(SEPARATORS);
    let (folder, last) = rest.rsplit_once(SEPARATORS).unwrap_or(("", rest));
    if !last.contains(['*', '?']) {
        let (place, found) = root.resolve(rest).map_err(wrong)?;
        if matches!(place.kind(), PlaceKind::Link { .. }) && !links {
            let message = "it is a link, and links on the disk are not followed; /l acts on the link itself";
            return Err(wrong(io::Error::new(io::ErrorKind::PermissionDenied, message)));
        }
        let target = Target { path: found, shown: path.to_owned() };
        return Ok(Targets { volume, root, found: vec![target] });
    }

    let (above, found) = root.resolve(folder).map_err(wrong)?;
    let pattern: Vec<u16> =
        if last == "*.*" { vec![u16::from(b'*')] } else { last.units().map(name::upcase).collect() };
    let shown = path.trim_end_matches(SEPARATORS).strip_suffix(last).unwrap_or_default();
    let mut targets = Vec::new();
    for entry in above.entries().map_err(wrong)? {
        let entry = entry.map_err(wrong)?;
        let Some(units) = name_of(&entry) else { continue };
        let folded: Vec<u16> = units.units().map(name::upcase).collect();
        if glob(&pattern, &folded) {
            let shown = format!("{shown}{}", shown_name(&entry));
            targets.push(Target { path: found.join(&entry), shown });
        }
    }
    if targets.is_empty() {
        return Err(wrong(io::Error::new(io::ErrorKind::NotFound, "no name in this folder matches")));
    }
    Ok(Targets { volume, root, found: targets })
}

/// The folder of the volume, and the path below it.
fn volume_of(drives: &Drives, path: &str) -> io::Result<(PathBuf, String)> {
    if let Some((folder, rest)) = drives.folder_of(path)? {
        return Ok((folder.to_owned(), rest.to_owned()));
    }
    let (folder, rest) = Place::volume_of(Path::new(path))?;
    let rest = rest.to_str().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the path is no text"))?;
    Ok((folder, rest.to_owned()))
}

/// The path of an entry, as Windows' or as this machine's: whichever the folder's is.
pub(super) fn below(folder: &str, name: &str) -> String {
    if folder.ends_with(SEPARATORS) {
        return format!("{folder}{name}");
    }
    let windows = folder.contains('\\') || folder.as_bytes().get(1) == Some(&b':');
    format!("{folder}{}{name}", if windows { '\\' } else { '/' })
}

pub(super) const SEPARATORS: [char; 2] = ['\\', '/'];
