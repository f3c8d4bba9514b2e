//! `hivesmith compact`

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use hivesmith::{Hive, Recover};
use serde_json::json;

use super::{Common, Exit, Failure, output::Output};

/// Writes a hive anew, without free space and slack. Nothing in it is lost.
#[derive(Debug, clap::Args)]
#[command(after_long_help = DETAILS)]
pub(crate) struct Compact {
    /// The hive.
    hive: PathBuf,
    /// The file to make; it must not exist.
    #[arg(short, long, value_name = "NEW")]
    output: PathBuf,
}

const DETAILS: &str = "\
Keys, values and descriptors are the same byte for byte, time stamps, flags and class names included,
and so is the base block but for its lengths. The logs of a hive that was not closed cleanly are
replayed first, in memory; HIVE and its logs are not written. NEW is clean and needs none of them: do
not put old logs beside it.

Where the cells cannot be packed tighter, NEW is as long as HIVE, without what stands behind its bins.

Exit code 0: done; 3: NEW exists, or HIVE is damaged (hivesmith repair is for that), unclean without
usable logs, or a differencing hive.";

impl Compact {
    pub(crate) fn run(self, common: &Common) -> Result<Exit, Failure> {
        refuse_existing(&self.output)?;
        let failure = |error| Failure::of(&self.hive, &error);
        let hive = Hive::options().read_only(true).recover(Recover::InMemory).open(&self.hive).map_err(failure)?;
        let before = hive.to_bytes().len();
        let compacted = hive.compacted().map_err(failure)?;
        let after = compacted.to_bytes().len();
        compacted.write_to(&self.output).map_err(|error| Failure::of(&self.output, &error))?;

        let replayed = hive.recovery().is_some();
        let (path, new) = (self.hive.display(), self.output.display());
        let mut out = Output::open(None)?;
        let written = if common.json {
            let document = json!({
                "changed": true,
                "hive": path.to_string(),
                "output": new.to_string(),
                "replayed": replayed,
                "bytes_before": before,
                "bytes_after": after,
            });
            writeln!(out, "{document}")
        } else {
            let how = if replayed { " (its logs replayed)" } else { "" };
            writeln!(out, "{new}: made from {path}{how}: {before} bytes became {after}")
        };
        out.finish(written)?;
        Ok(Exit::Done)
    }
}

/// Refuses to write over a file.
pub(super) fn refuse_existing(path: &Path) -> Result<(), Failure> {
    if path.symlink_metadata().is_ok() {
        let message = format!("{}: the file exists, and is not overwritten", path.display());
        return Err(Failure::new(Exit::Refused, message));
    }
    Ok(())
}
