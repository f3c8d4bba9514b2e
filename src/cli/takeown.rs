//! `hivesmith takeown …`: Windows' own syntax, so clap only hands the words over.

use std::io::{self, Write as _};

use clap::Args;
use hivesmith::{
    command::{
        Accounts,
        takeown::{self, TakeownCommand},
    },
    security::well_known,
};

use super::{
    Common, Exit, Failure,
    descriptors::{OUR_OPTIONS, Ours, Verb, carry_out},
};

/// Windows' `takeown` on files of a mounted NTFS volume.
///
/// The syntax is that of Windows. Besides it there are --owner SID, --drive F:=DIR, --dry-run, --undo-dir DIR and
/// --json.
#[derive(Debug, Args)]
#[command(disable_help_flag = true, override_usage = "hivesmith takeown [--drive F:=DIR] /f PATH [/a] [/r]")]
pub(crate) struct Takeown {
    /// Windows' options.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENT")]
    words: Vec<String>,
}

impl Takeown {
    pub(crate) fn run(self, common: &Common) -> Result<Exit, Failure> {
        let accounts = Accounts::new();
        let common = &mut common.clone();
        let (words, ours) = Ours::take(self.words, &accounts, common)?;
        if words.is_empty() || words.iter().any(|word| matches!(word.as_str(), "/?" | "--help" | "-?" | "-h")) {
            io::stdout().lock().write_all(format!("{HELP}{OUR_OPTIONS}").as_bytes())?;
            return Ok(if words.is_empty() { Exit::Usage } else { Exit::Done });
        }
        let command = TakeownCommand::from_args(words)
            .map_err(|error| Failure::usage(error.render().to_string().trim_end().to_owned()))?;
        let owner = ours.owner.unwrap_or(well_known::ADMINISTRATORS);
        let name = accounts.name(&owner);
        let verb = Verb {
            ours: &ours,
            accounts: &accounts,
            why: "takeown".to_owned(),
            only_looks: false,
            go_on: true,
            summary: false,
            printed: &|shown| takeown::taken(shown, &owner, &name),
        };
        carry_out(&verb, common, &mut |commands, out| commands.takeown(&command, ours.owner, out))
    }
}

const HELP: &str = "\
Windows' takeown, on files of a mounted NTFS volume:

  takeown /f PATH /a [/r]              the administrators own it, /r with all below
  takeown /f PATH --owner WHO [/r]     somebody else does: a name that each Windows knows, or S-1-5-…
  /d Y is taken and means nothing: no folder is closed to us

";
