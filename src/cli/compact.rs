//! `hivesmith compact`

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use hivesmith::{
    FileStorage, Hive, Protocol, Recover,
    plan::Kept,
    volume::{hibernated, system_of},
};
use serde_json::json;

use super::{Common, Exit, Failure, Writing, apply, output::Output};

/// Writes a hive anew, without free space and slack. Nothing in it is lost.
#[derive(Debug, clap::Args)]
#[command(after_long_help = DETAILS)]
pub(crate) struct Compact {
    /// The hive.
    hive: PathBuf,
    /// The file to make, which must not exist. Without it HIVE itself is written anew.
    #[arg(short, long, value_name = "NEW")]
    output: Option<PathBuf>,
    #[command(flatten)]
    writing: Writing,
}

const DETAILS: &str = "\
Keys, values and descriptors are the same byte for byte, time stamps, flags and class names included,
and so is the base block but for its lengths. The logs of a hive that was not closed cleanly are
replayed first.

With -o, HIVE and its logs are not written. NEW is clean and needs none of them: do not put old logs
beside it. Where the cells cannot be packed tighter, NEW is as long as HIVE, without what stands behind
its bins.

Without -o, HIVE is changed in place, as one commit through its log, or through a journal in the undo
folder where it has none; copies of all files are kept there first. A boot store is not: it must be
whole at every instant, and this changes every page.

Exit code 0: done; 3: NEW exists, or HIVE is damaged (hivesmith repair is for that), unclean without
usable logs, or a differencing hive.";

impl Compact {
    pub(crate) fn run(self, common: &Common) -> Result<Exit, Failure> {
        match &self.output {
            Some(output) => self.to_file(output, common),
            None => self.in_place(common),
        }
    }

    fn in_place(&self, common: &Common) -> Result<Exit, Failure> {
        let failure = |error| Failure::of(&self.hive, &error);
        self.writing.guard(&self.hive)?;
        let redo = self.writing.redo_for(&self.hive);
        let storage = FileStorage::open(&self.hive, !self.writing.dry_run)
            .and_then(|storage| storage.with_redo(&redo))
            .map_err(|error| Failure::io(&self.hive, &error))?;
        let options = Hive::options().accept_dirty(self.writing.accept_dirty).system(system_of(&self.hive));
        // All of it is read anyway, and Windows does not let a mapped file get shorter.
        let opened = if cfg!(windows) { options.open_storage(storage) } else { options.open_files(storage) };
        let mut hive = opened.map_err(failure)?;
        let unclean = hive.recovery().is_some();
        let replayed = hive.recovery().is_some_and(|recovery| !recovery.applied.is_empty());
        let before = hive.to_bytes().len();
        let after = hive.compacted().map_err(failure)?.to_bytes().len();
        let mut journal = None;
        if !self.writing.dry_run && after < before {
            let place = &self.writing.undo_dir;
            let mut kept = Kept::create(place).map_err(|error| Failure::io(place, &error))?;
            if let Some(storage) = hive.storage_mut() {
                kept.keep(&self.hive, storage).map_err(|error| Failure::io(place, &error))?;
            }
            journal = Some(kept.folder().to_owned());
            if hive.compaction() == Some(Protocol::Redo) {
                apply::say_journal(&self.hive, &self.writing);
            }
            hive.compact().map_err(|error| {
                let mut failure = Failure::of(&self.hive, &error);
                failure.message += &format!("\n  copies from before are in {}", kept.folder().display());
                failure.message += &apply::unfinished(&self.hive, &self.writing);
                failure
            })?;
            if let Some(storage) = hive.storage_mut() {
                // Without it an undo only asks to be sure.
                let _ = kept.committed(&self.hive, storage);
            }
        }
        let path = self.hive.display();
        let mut out = Output::open(None)?;
        let written = if common.json {
            let document = json!({
                "changed": journal.is_some(),
                "dry_run": self.writing.dry_run,
                "hive": path.to_string(),
                "journal": journal.as_deref().map(|journal| journal.display().to_string()),
                "replayed": replayed,
                "bytes_before": before,
                "bytes_after": after,
            });
            writeln!(out, "{document}")
        } else if let Some(journal) = &journal {
            let how = if replayed { " (its logs replayed)" } else { "" };
            writeln!(out, "{path}: {before} bytes became {after}{how}")
                .and_then(|()| writeln!(out, "copies from before are in {}", journal.display()))
        } else if after < before {
            writeln!(out, "{path}: {before} bytes would become {after}; nothing was written")
        } else if unclean {
            let way_on = "it was not closed cleanly and was left so; hivesmith recover writes it back";
            writeln!(out, "{path}: {before} bytes are as few as its cells allow; {way_on}")
        } else {
            writeln!(out, "{path}: nothing to do, {before} bytes are as few as its cells allow")
        };
        out.finish(written)?;
        Ok(Exit::Done)
    }

    fn to_file(&self, output: &Path, common: &Common) -> Result<Exit, Failure> {
        refuse_existing(output)?;
        let failure = |error| Failure::of(&self.hive, &error);
        let options = Hive::options().read_only(true).recover(Recover::InMemory);
        let hive = options.accept_dirty(self.writing.accept_dirty).open(&self.hive).map_err(failure)?;
        let before = hive.to_bytes().len();
        let compacted = hive.compacted().map_err(failure)?;
        let after = compacted.to_bytes().len();
        if !self.writing.dry_run {
            compacted.write_to(output).map_err(|error| Failure::of(output, &error))?;
        }

        let replayed = hive.recovery().is_some_and(|recovery| !recovery.applied.is_empty());
        let (path, new) = (self.hive.display(), output.display());
        let mut out = Output::open(None)?;
        let written = if common.json {
            let document = json!({
                "changed": !self.writing.dry_run,
                "dry_run": self.writing.dry_run,
                "hive": path.to_string(),
                "output": new.to_string(),
                "replayed": replayed,
                "bytes_before": before,
                "bytes_after": after,
            });
            writeln!(out, "{document}")
        } else {
            let how = if replayed { " (its logs replayed)" } else { "" };
            let (made, became) =
                if self.writing.dry_run { ("would be made", "would become") } else { ("made", "became") };
            writeln!(out, "{new}: {made} from {path}{how}: {before} bytes {became} {after}")
        };
        out.finish(written)?;
        Ok(Exit::Done)
    }
}

/// Refuses to write over a file, or to make one on a volume that a sleeping Windows will go on with.
pub(super) fn refuse_existing(path: &Path) -> Result<(), Failure> {
    if path.symlink_metadata().is_ok() {
        let message = format!("{}: the file exists, and is not overwritten", path.display());
        return Err(Failure::new(Exit::Refused, message));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // A folder that is not there is told of when the file is made.
    match hibernated(folder) {
        Ok(Some(sleeps)) => Err(Failure::new(
            Exit::Refused,
            format!("{}: {sleeps}; nothing was written\n  write it to another disk", path.display()),
        )),
        _ => Ok(()),
    }
}
