//! `hivesmith repair`

use std::{
    io::{self, Write},
    path::PathBuf,
};

use hivesmith::{
    Error, Hive, Recover, RequestError,
    rebuild::{Loss, Salvage, salvage},
};
use serde_json::{Value as Json, json};

use super::{Common, Exit, Failure, compact::refuse_existing, input::read_file, output::Output};

/// Gets out of a damaged hive what is left in it, into a new hive, and lists what is lost.
#[derive(Debug, clap::Args)]
#[command(after_long_help = DETAILS)]
pub(crate) struct Repair {
    /// The damaged hive.
    hive: PathBuf,
    /// The file to make; it must not exist.
    #[arg(short, long, value_name = "NEW")]
    output: PathBuf,
    /// List what would be lost, and make no file.
    #[arg(long)]
    dry_run: bool,
}

const DETAILS: &str = "\
A line for each thing that is not as it was:

  fate structure offset: what it is, of which key: what is wrong

  restored  it is in NEW, although nothing led to it any more
  altered   it is in NEW, but not as it was: cut short, under another name, with its parent's descriptor
  lost      it is not in NEW

Keys are found along the lists from the root, and where lists or key nodes are destroyed by what the
keys below say of their parents. A key of which nothing else is left is called `lost at OFFSET`.
Deleted keys stay deleted.

The logs of a hive that was not closed cleanly are replayed first, in memory, if they can be; otherwise
HIVE is used as it is, and stderr says so. HIVE and its logs are not written. NEW is clean, and
`hivesmith check` has nothing to say against it: do not put old logs beside it.

Exit code 0: NEW was made; 3: NEW exists, or there is nothing that could be saved.";

/// What is salvaged.
struct Source {
    bytes: Vec<u8>,
    replayed: bool,
}

impl Repair {
    pub(crate) fn run(self, common: &Common) -> Result<Exit, Failure> {
        refuse_existing(&self.output)?;
        let source = self.source(common)?;
        let salvage = salvage(&source.bytes).map_err(|error| self.cannot(&error))?;
        if !self.dry_run {
            salvage.hive.write_to(&self.output).map_err(|error| Failure::of(&self.output, &error))?;
        }
        let mut out = Output::open(None)?;
        let written = if common.json {
            writeln!(out, "{}", self.to_json(&salvage, source.replayed))
        } else {
            self.print(&mut out, &salvage)
        };
        out.finish(written)?;
        Ok(Exit::Done)
    }

    /// The bytes of the hive, its logs replayed if they can be.
    fn source(&self, common: &Common) -> Result<Source, Failure> {
        let bytes = read_file(&self.hive).map_err(|error| Failure::io(&self.hive, &error))?;
        let say = |what: String| {
            if !common.quiet {
                anstream::eprintln!("hivesmith: {}: {what}", self.hive.display());
            }
        };
        match Hive::options().read_only(true).recover(Recover::InMemory).open(&self.hive) {
            Ok(hive) => {
                if let Some(recovery) = hive.recovery() {
                    say(format!(
                        "the hive was not closed cleanly; {} entries of its logs were replayed",
                        recovery.applied.len()
                    ));
                    return Ok(Source { bytes: hive.to_bytes(), replayed: true });
                }
            }
            Err(Error::NeedsRecovery(state)) => say(format!("{state}; it is used as it is")),
            // Too damaged to be opened: of that the losses speak.
            Err(_) => {}
        }
        Ok(Source { bytes, replayed: false })
    }

    fn cannot(&self, error: &Error) -> Failure {
        let path = self.hive.display();
        let message = match error {
            Error::Request(RequestError::Layered) => format!("{path}: {error}"),
            Error::Format(_) => format!("{path}: nothing in it could be saved: there is no key in it"),
            _ => format!("{path}: nothing in it could be saved: {error}"),
        };
        Failure::new(Exit::Refused, message)
    }

    fn print(&self, out: &mut Output, salvage: &Salvage) -> io::Result<()> {
        for loss in &salvage.losses {
            writeln!(out, "{loss}")?;
        }
        let totals = salvage.totals;
        let more = totals.losses - salvage.losses.len() as u64;
        if more > 0 {
            writeln!(out, "... and {more} more")?;
        }
        let (new, path) = (self.output.display(), self.hive.display());
        let made = if self.dry_run { "would be made" } else { "made" };
        write!(out, "{new}: {made} from {path}: {} keys, {} values", totals.keys, totals.values)?;
        if totals.restored > 0 {
            write!(out, "; {} of the keys were in no list", totals.restored)?;
        }
        match totals.losses {
            0 => writeln!(out, "; nothing was lost"),
            1 => writeln!(out, "; the line above says what is not as it was"),
            losses => writeln!(out, "; {losses} things are not as they were"),
        }
    }

    fn to_json(&self, salvage: &Salvage, replayed: bool) -> Json {
        let totals = salvage.totals;
        json!({
            "changed": !self.dry_run,
            "dry_run": self.dry_run,
            "hive": self.hive.display().to_string(),
            "output": self.output.display().to_string(),
            "replayed": replayed,
            "keys": totals.keys,
            "values": totals.values,
            "restored": totals.restored,
            "made": totals.made,
            "losses": salvage.losses.iter().map(loss_to_json).collect::<Vec<_>>(),
            "not_listed": totals.losses - salvage.losses.len() as u64,
        })
    }
}

fn loss_to_json(loss: &Loss) -> Json {
    json!({
        "fate": loss.fate.to_string(),
        "structure": loss.structure.to_string(),
        "offset": loss.offset.0,
        "path": loss.path.as_ref().map(ToString::to_string),
        "what": loss.what,
        "why": loss.why,
    })
}
