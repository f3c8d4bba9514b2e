//! Which hives a command is about, and opening them.

use std::path::{Path, PathBuf};

use clap::Args;
use hivesmith::{
    FileStorage, Hive,
    command::reg::RegCommand,
    name,
    plan::{Mount, Opened},
    reg_text::{self, RegPath, RootKey},
    volume::{Drives, Volume, system_of},
};

use super::{Failure, Writing};

/// Where hives come from besides `reg load`.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Sources {
    /// A folder that a drive letter of the commands stands for, such as F:=/mnt/win.
    #[arg(long = "drive", value_name = "LETTER:=DIR")]
    pub(crate) drives: Vec<String>,
    /// A mounted Windows volume: its hives are HKLM\SYSTEM, HKLM\SOFTWARE and so on.
    #[arg(long, value_name = "DIR")]
    pub(crate) root: Option<PathBuf>,
    /// A hive file to be found as HKLM\NAME, or where NAME says: HKU\NAME.
    #[arg(long = "hive", value_name = "NAME=FILE")]
    pub(crate) hives: Vec<String>,
}

/// The hives that Windows itself mounts, by where they are mounted and their names in `Windows\System32\config`.
const OWN_HIVES: [(RootKey, &str, &str); 7] = [
    (RootKey::LocalMachine, "SYSTEM", "SYSTEM"),
    (RootKey::LocalMachine, "SOFTWARE", "SOFTWARE"),
    (RootKey::LocalMachine, "SAM", "SAM"),
    (RootKey::LocalMachine, "SECURITY", "SECURITY"),
    (RootKey::LocalMachine, "COMPONENTS", "COMPONENTS"),
    (RootKey::LocalMachine, "DRIVERS", "DRIVERS"),
    (RootKey::Users, ".DEFAULT", "DEFAULT"),
];

const CONFIG: &str = "Windows/System32/config";

/// What hives are opened for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose<'w> {
    /// To look at them: what else the options say of writing decides how an unclean hive is taken.
    Read(&'w Writing),
    /// To edit them; for a dry run in memory alone, which files and mounts that cannot be written allow as well.
    Edit(&'w Writing),
}

impl Purpose<'_> {
    pub(crate) fn writes(self) -> bool {
        matches!(self, Self::Edit(writing) if !writing.dry_run)
    }
}

/// Hives that were opened, and where they are mounted from the start.
#[derive(Default)]
pub(crate) struct Mounts {
    pub(crate) hives: Vec<Opened>,
    pub(crate) mounts: Vec<Mount>,
}

impl Sources {
    pub(crate) fn drives(&self) -> Result<Drives, Failure> {
        let mut drives = Drives::default();
        for drive in &self.drives {
            drives.add(drive).map_err(Failure::usage)?;
        }
        Ok(drives)
    }

    /// Where hives would be mounted; none is opened.
    pub(crate) fn places(&self) -> Result<Vec<RegPath>, Failure> {
        let given = self.hives.iter().map(|hive| Ok(place_and_file(hive)?.0));
        let mut places = given.collect::<Result<Vec<_>, Failure>>()?;
        if let Some(root) = &self.root {
            let volume = Volume::open(root).map_err(|error| Failure::io(root, &error))?;
            let there = |file: &str| volume.resolve(&format!("{CONFIG}/{file}")).is_ok();
            let own = OWN_HIVES.into_iter().filter(|(.., file)| there(file));
            places.extend(own.map(|(root_key, name, _)| mount_point(root_key, name)));
        }
        Ok(places)
    }

    /// Opens those of the hives that one of `keys` is in: others may be damaged without being in the way.
    pub(crate) fn open(&self, keys: &[RegPath], purpose: Purpose<'_>) -> Result<Mounts, Failure> {
        let mut mounts = Mounts::default();
        for hive in &self.hives {
            let (key, file) = place_and_file(hive)?;
            if is_wanted(&key, keys) {
                mounts.open_path(key, file, purpose)?;
            }
        }
        if let Some(root) = &self.root {
            let volume = Volume::open(root).map_err(|error| Failure::io(root, &error))?;
            for (root_key, name, file) in OWN_HIVES {
                let key = mount_point(root_key, name);
                if is_wanted(&key, keys) && !mounts.has(&key) {
                    let path = format!("{CONFIG}/{file}");
                    let opened = volume.open_hive(&path, purpose.writes());
                    let (path, storage) =
                        opened.map_err(|error| Failure::opening(&root.display().to_string(), &error))?;
                    mounts.add(Some(key), path, storage, purpose)?;
                }
            }
        }
        Ok(mounts)
    }
}

/// What `--hive` says: a name below `HKLM`, or where else, and the file.
fn place_and_file(hive: &str) -> Result<(RegPath, &Path), Failure> {
    let (name, file) = hive
        .split_once('=')
        .filter(|(name, file)| !name.is_empty() && !file.is_empty())
        .ok_or_else(|| Failure::usage(format!("\"{hive}\" is no hive; write it like BROKEN=/mnt/x/SYSTEM")))?;
    let key = match name.parse::<RegPath>() {
        Ok(key) if key.path.names().len() == 1 => key,
        _ if name.contains('\\') => {
            let message = format!("\"{name}\" is no place for a hive; HKLM\\NAME or HKU\\NAME is, or NAME alone");
            return Err(Failure::usage(message));
        }
        _ => mount_point(RootKey::LocalMachine, name),
    };
    Ok((key, Path::new(file)))
}

impl Mounts {
    /// Opens a hive of this machine and mounts it.
    pub(crate) fn open_path(&mut self, key: RegPath, path: &Path, purpose: Purpose<'_>) -> Result<(), Failure> {
        if let Some(hive) = self.known(path)? {
            self.mounts.push(Mount { key, hive });
            return Ok(());
        }
        let storage = FileStorage::open(path, purpose.writes()).map_err(|error| Failure::io(path, &error))?;
        self.add(Some(key), path.to_owned(), storage, purpose).map(drop)
    }

    /// Opens a hive of this machine, once; its number.
    pub(crate) fn open_file(&mut self, path: &Path, purpose: Purpose<'_>) -> Result<usize, Failure> {
        if let Some(known) = self.known(path)? {
            return Ok(known);
        }
        let storage = FileStorage::open(path, purpose.writes()).map_err(|error| Failure::io(path, &error))?;
        self.add(None, path.to_owned(), storage, purpose)
    }

    /// Opens a hive as a command of a script names it, once; its number.
    pub(crate) fn open_named(&mut self, drives: &Drives, file: &str, purpose: Purpose<'_>) -> Result<usize, Failure> {
        // Before it is opened: Windows does not open a file twice for writing.
        if let Some(number) = drives.find(file).ok().and_then(|path| self.known(&path).ok()).flatten() {
            return Ok(number);
        }
        let (path, storage) = drives.open_hive(file, purpose.writes()).map_err(|error| {
            let hint = match file.rsplit(['\\', '/']).next() {
                Some(name) if name.to_ascii_lowercase().ends_with(".hiv") => {
                    "\n  the hives of an installation have names without an ending: SYSTEM, SOFTWARE, SAM, SECURITY"
                }
                _ => "",
            };
            {
                let failure = Failure::opening(file, &error);
                Failure { message: failure.message + hint, ..failure }
            }
        })?;
        self.add(None, path, storage, purpose)
    }

    /// A file is one hive, however often it is named: two would be committed each without the changes of the other.
    pub(crate) fn add(
        &mut self,
        key: Option<RegPath>,
        path: PathBuf,
        storage: FileStorage,
        purpose: Purpose<'_>,
    ) -> Result<usize, Failure> {
        let number = match self.known(&path)? {
            Some(known) => known,
            None => {
                let (options, storage) = match purpose {
                    Purpose::Read(writing) => {
                        let options = Hive::options().accept_dirty(writing.accept_dirty).read_only(true);
                        let redo = writing.redo_for(&path);
                        let storage = if redo.exists() { storage.with_redo(&redo) } else { Ok(storage) };
                        (options, storage.map_err(|error| Failure::io(&redo, &error))?)
                    }
                    Purpose::Edit(writing) => {
                        writing.guard(&path)?;
                        let options = Hive::options().accept_dirty(writing.accept_dirty).system(system_of(&path));
                        let redo = writing.redo_for(&path);
                        (options, storage.with_redo(&redo).map_err(|error| Failure::io(&redo, &error))?)
                    }
                };
                let hive = options.open_files(storage).map_err(|error| Failure::of(&path, &error))?;
                self.hives.push(Opened { path, hive });
                self.hives.len() - 1
            }
        };
        self.mounts.extend(key.map(|key| Mount { key, hive: number }));
        Ok(number)
    }

    /// The number of a hive that is open already.
    pub(crate) fn known(&self, path: &Path) -> Result<Option<usize>, Failure> {
        let canonical = path.canonicalize().map_err(|error| Failure::io(path, &error))?;
        let same = |opened: &Opened| opened.path.canonicalize().is_ok_and(|opened| opened == canonical);
        Ok(self.hives.iter().position(same))
    }

    pub(crate) fn has(&self, key: &RegPath) -> bool {
        self.mounts.iter().any(|mount| key.relative_to(&mount.key).is_some())
    }
}

pub(crate) fn mount_point(root: RootKey, name: &str) -> RegPath {
    RegPath { root, path: name.into() }
}

fn is_wanted(mount: &RegPath, keys: &[RegPath]) -> bool {
    keys.iter().any(|key| key.relative_to(mount).is_some())
}

/// The keys that a command is about; those of the file for an import.
pub(crate) fn keys_of(command: &RegCommand, drives: &Drives) -> Vec<RegPath> {
    let one = |key: &RegPath| vec![key.clone()];
    match command {
        RegCommand::Query(it) => one(&it.key),
        RegCommand::Add(it) => one(&it.key),
        RegCommand::Delete(it) => one(&it.key),
        RegCommand::Copy(it) => vec![it.from.clone(), it.to.clone()],
        RegCommand::Compare(it) => vec![it.left.clone(), it.right.clone()],
        RegCommand::Export(it) => one(&it.key),
        RegCommand::Save(it) => one(&it.key),
        RegCommand::Restore(it) => one(&it.key),
        RegCommand::Flags(it) => one(&it.key),
        RegCommand::Load(_) | RegCommand::Unload(_) => Vec::new(),
        RegCommand::Import(it) => drives
            .read(&it.file)
            .ok()
            .and_then(|bytes| reg_text::parse(&bytes).ok())
            .map(|file| file.sections.into_iter().map(|section| section.key).collect())
            .unwrap_or_default(),
    }
}

/// Whether two mount points are the same key.
pub(crate) fn same_key(a: &RegPath, b: &RegPath) -> bool {
    a.root == b.root
        && a.path.names().len() == b.path.names().len()
        && a.path.names().iter().zip(b.path.names()).all(|(a, b)| name::same(a, b))
}
