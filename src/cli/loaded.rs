//! What `hivesmith reg load` loaded: remembered between calls, as Windows remembers it.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use hivesmith::reg_text::RegPath;
use serde_json::{Value as Json, json};

use super::{Exit, Failure, mounts::same_key};

/// The loaded hives: key and file.
pub(crate) struct Loaded {
    /// None where this system says no place for such things, as in a rescue environment without a home.
    path: Option<PathBuf>,
    pub(crate) hives: Vec<(RegPath, PathBuf)>,
}

impl Loaded {
    /// Reads the list; empty if there is none.
    pub(crate) fn read() -> Result<Self, Failure> {
        let Some(path) = path() else { return Ok(Self { path: None, hives: Vec::new() }) };
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self { path: Some(path), hives: Vec::new() });
            }
            Err(error) => return Err(Failure::io(&path, &error)),
        };
        let broken = || Failure::new(Exit::Io, format!("{}: not a list of loaded hives; remove it", path.display()));
        let list: Json = serde_json::from_str(&text).map_err(|_| broken())?;
        let hive = |entry: &Json| {
            let key = entry.get("key")?.as_str()?.parse().ok()?;
            Some((key, PathBuf::from(entry.get("file")?.as_str()?)))
        };
        let hives = list.as_array().ok_or_else(broken)?.iter().map(hive).collect::<Option<_>>().ok_or_else(broken)?;
        Ok(Self { path: Some(path), hives })
    }

    /// Until [`write`](Self::write) nobody else knows of it.
    pub(crate) fn add(&mut self, key: RegPath, file: &Path) -> Result<(), Failure> {
        if self.hives.iter().any(|(known, _)| same_key(known, &key)) {
            return Err(Failure::usage(format!("{key} is loaded already")));
        }
        self.hives.push((key, file.to_owned()));
        Ok(())
    }

    pub(crate) fn remove(&mut self, key: &RegPath) -> Result<(), Failure> {
        let before = self.hives.len();
        self.hives.retain(|(known, _)| !same_key(known, key));
        if self.hives.len() == before {
            return Err(Failure::new(Exit::No, format!("{key} is not loaded")));
        }
        Ok(())
    }

    /// Through another name, so that a reader never sees half a list.
    pub(crate) fn write(&self) -> Result<(), Failure> {
        let list: Vec<Json> = self
            .hives
            .iter()
            .map(|(key, file)| json!({ "key": key.to_string(), "file": file.display().to_string() }))
            .collect();
        let path = self.path.as_ref().ok_or_else(|| {
            Failure::new(Exit::Io, "no place to remember loaded hives in; set HIVESMITH_STATE to a folder")
        })?;
        let written = || {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            let temporary = path.with_extension(format!("{}.new", std::process::id()));
            fs::write(&temporary, serde_json::to_vec_pretty(&list)?)?;
            fs::rename(&temporary, path)
        };
        written().map_err(|error: std::io::Error| Failure::io(path, &error))
    }
}

/// `HIVESMITH_STATE`, or the place where this system keeps such things.
fn path() -> Option<PathBuf> {
    let in_folder = |name: &str, below: &str| {
        env::var_os(name).filter(|value| !value.is_empty()).map(|folder| PathBuf::from(folder).join(below))
    };
    in_folder("HIVESMITH_STATE", "")
        .or_else(|| in_folder("XDG_STATE_HOME", "hivesmith"))
        .or_else(|| in_folder("LOCALAPPDATA", "hivesmith"))
        .or_else(|| in_folder("HOME", ".local/state/hivesmith"))
        .map(|folder| folder.join("loaded.json"))
}
