//! Which boot store a command is about, and opening it.

use std::path::{Path, PathBuf};

use clap::Args;
use hivesmith::{
    Hive,
    bcd::NewStore,
    command::bcdedit::{BcdEdit, Verb},
    plan::Opened,
    volume::{BootStore, Drives, Volume},
};

use super::{
    Exit, Failure,
    mounts::{Mounts, Purpose},
};

/// Where the boot store is, for commands that do not say it with `/store`.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct StoreSources {
    /// The boot store, for bcdedit without /store.
    #[arg(long, value_name = "FILE")]
    pub(crate) bcd: Option<PathBuf>,
    /// A folder that a drive letter stands for in bcdedit commands alone: where the boot store is on another volume
    /// than the script's drive, such as F:=/mnt/efi.
    #[arg(long = "bcd-drive", value_name = "LETTER:=DIR")]
    pub(crate) bcd_drives: Vec<String>,
}

impl StoreSources {
    /// The drives as bcdedit commands see them.
    pub(crate) fn drives(&self, drives: &Drives) -> Result<Drives, Failure> {
        let mut drives = drives.clone();
        for drive in &self.bcd_drives {
            drives.add(drive).map_err(Failure::usage)?;
        }
        Ok(drives)
    }
}

/// Stores that were opened, or are to be made, for several commands.
#[derive(Default)]
pub(crate) struct Stores {
    /// By what `/createstore` called them, with their numbers.
    made: Vec<(String, usize)>,
    /// What should be said besides.
    pub(crate) notes: Vec<String>,
}

impl Stores {
    /// The number of the hive that a command means; it is opened or made if it is not there yet.
    pub(crate) fn of(
        &mut self,
        command: &BcdEdit,
        mounts: &mut Mounts,
        drives: &Drives,
        sources: (&StoreSources, Option<&Path>),
        purpose: Purpose<'_>,
    ) -> Result<usize, Failure> {
        if let Verb::CreateStore { file } = &command.verb {
            return self.make(&file.text, mounts, drives);
        }
        let Some(store) = &command.store else { return self.of_system(mounts, sources, purpose) };
        let known = self.made.iter().find(|(name, _)| name.eq_ignore_ascii_case(&store.text));
        match known {
            Some((_, number)) => Ok(*number),
            None => self.named(&store.text, mounts, drives, purpose),
        }
    }

    fn make(&mut self, file: &str, mounts: &mut Mounts, drives: &Drives) -> Result<usize, Failure> {
        if self.made.iter().any(|(name, _)| name.eq_ignore_ascii_case(file)) || drives.exists(file) {
            return Err(Failure::new(Exit::Refused, format!("{file}: the file exists, and is not overwritten")));
        }
        let hive = NewStore::new().create().map_err(|error| Failure::of(Path::new(file), &error))?;
        mounts.hives.push(Opened { path: file.into(), hive });
        let number = mounts.hives.len() - 1;
        self.made.push((file.to_owned(), number));
        Ok(number)
    }

    fn named(
        &mut self,
        file: &str,
        mounts: &mut Mounts,
        drives: &Drives,
        purpose: Purpose<'_>,
    ) -> Result<usize, Failure> {
        let opened = mounts.open_named(drives, file, purpose);
        let drive = file.get(..2).filter(|drive| drive.ends_with(':'));
        let folder = drive.and_then(|drive| drives.folder(drive.chars().next()?.to_ascii_uppercase()));
        let stores = folder.and_then(|folder| Volume::open(folder).ok()).map(|volume| BootStore::all_of(&volume));
        let drive = drive.unwrap_or_default();
        match (opened, stores.as_deref().unwrap_or_default()) {
            (Ok(number), [_, _]) => {
                self.notes.push(format!(
                    "{drive} has two boot stores: machines with UEFI start from {drive}{}, those with a BIOS from \
                     {drive}{}",
                    BootStore::Efi.path(),
                    BootStore::Bios.path()
                ));
                Ok(number)
            }
            // The guides know \boot\bcd only.
            (Err(failure), [only]) if failure.message.contains("there is no \"") => {
                let message =
                    format!("{}\n  the boot store of {drive} is {drive}{}: write that", failure.message, only.path());
                Err(Failure { message, ..failure })
            }
            (Err(failure), []) if folder.is_some() && failure.message.contains("there is no \"") => {
                let message = format!(
                    "{}\n  {drive} has no boot store: with UEFI it is {} of the EFI system partition; mount that one and \
                     name it with --bcd-drive {drive}=DIR",
                    failure.message,
                    BootStore::Efi.path()
                );
                Err(Failure { message, ..failure })
            }
            (opened, _) => opened,
        }
    }

    /// The store that bcdedit takes without `/store`.
    fn of_system(
        &mut self,
        mounts: &mut Mounts,
        (sources, root): (&StoreSources, Option<&Path>),
        purpose: Purpose<'_>,
    ) -> Result<usize, Failure> {
        if let Some(file) = &sources.bcd {
            return mounts.open_file(file, purpose);
        }
        let Some(root) = root else {
            return Err(Failure::usage(
                "which boot store is meant? /store FILE or --bcd FILE names it, --root DIR finds it on a mounted volume",
            ));
        };
        let volume = Volume::open(root).map_err(|error| Failure::io(root, &error))?;
        let (found, other) = BootStore::find(&volume).map_err(|error| {
            Failure::new(
                if error.kind() == std::io::ErrorKind::NotFound { Exit::Io } else { Exit::Usage },
                error.to_string(),
            )
        })?;
        if let Some(other) = other {
            self.notes.push(format!(
                "{} is the store this machine starts from, by the partition table of its disk; {} is there, too",
                found.path(),
                other.path()
            ));
        }
        // Before it is opened: Windows does not open a file twice for writing.
        let there = volume.resolve(found.path()).map(|path| volume.folder().join(path));
        if let Some(number) = there.ok().and_then(|path| mounts.known(&path).ok()).flatten() {
            return Ok(number);
        }
        let opened = volume.open_hive(found.path(), purpose.writes());
        let (path, storage) = opened.map_err(|error| Failure::opening(found.path(), &error))?;
        mounts.add(None, path, storage, purpose)
    }

    /// Writes the stores that were made. The others are committed before.
    pub(crate) fn write(&self, hives: &[Opened], drives: &Drives) -> Result<(), Failure> {
        for (file, number) in &self.made {
            let Some(opened) = hives.get(*number) else { continue };
            write_new(file, &opened.hive, drives)?;
        }
        Ok(())
    }

    /// Whether any store is to be made.
    pub(crate) fn makes_any(&self) -> bool {
        !self.made.is_empty()
    }
}

fn write_new(file: &str, hive: &Hive, drives: &Drives) -> Result<(), Failure> {
    let written = drives.write(file, &hive.to_bytes(), hivesmith::volume::Existing::Keep, &mut Vec::new());
    written.map_err(|error| Failure::opening(file, &error))
}
