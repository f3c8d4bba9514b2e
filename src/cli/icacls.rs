//! `hivesmith icacls …`: Windows' own syntax, so clap only hands the words over.

use std::io::{self, Write as _};

use clap::Args;
use hivesmith::command::{
    Accounts,
    icacls::{self, Action, IcaclsCommand},
};

use super::{
    Common, Exit, Failure,
    descriptors::{OUR_OPTIONS, Ours, Verb, carry_out},
};

/// Windows' `icacls` on files of a mounted NTFS volume.
///
/// The syntax is that of Windows. Besides it there are --drive F:=DIR, --dry-run, --undo-dir DIR and --json.
#[derive(Debug, Args)]
#[command(disable_help_flag = true, override_usage = "hivesmith icacls [--drive F:=DIR] PATH [/grant …]")]
pub(crate) struct Icacls {
    /// The path and Windows' options.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENT")]
    words: Vec<String>,
}

impl Icacls {
    pub(crate) fn run(self, common: &Common) -> Result<Exit, Failure> {
        let accounts = Accounts::new();
        let common = &mut common.clone();
        let (words, ours) = Ours::take(self.words, &accounts, common)?;
        if words.is_empty() || words.iter().any(|word| matches!(word.as_str(), "/?" | "--help" | "-?" | "-h")) {
            io::stdout().lock().write_all(format!("{HELP}{OUR_OPTIONS}").as_bytes())?;
            return Ok(if words.is_empty() { Exit::Usage } else { Exit::Done });
        }
        if ours.owner.is_some() {
            return Err(Failure::usage("--owner belongs to takeown; icacls has /setowner"));
        }
        let command = IcaclsCommand::from_args(words, &accounts)
            .map_err(|error| Failure::usage(error.render().to_string().trim_end().to_owned()))?;
        let verb = Verb {
            ours: &ours,
            accounts: &accounts,
            why: "icacls".to_owned(),
            only_looks: !matches!(command.action, Action::Edit(_) | Action::Restore { .. }),
            go_on: command.go_on,
            summary: true,
            printed: &icacls::processed,
        };
        carry_out(&verb, common, &mut |commands, out| commands.icacls(&command, out))
    }
}

const HELP: &str = "\
Windows' icacls, on files of a mounted NTFS volume:

  icacls PATH                              who may do what
  icacls PATH /grant[:r] WHO:RIGHTS …      /deny WHO:RIGHTS …    /remove[:g|:d] WHO …
  icacls PATH /setowner WHO                /inheritance:e|d|r    /reset
  icacls PATH /setintegritylevel L|M|H     /findsid WHO          /verify
  icacls PATH /save FILE                   icacls FOLDER /restore FILE [/substitute OLD NEW]
  /t with all below   /c go on behind failures   /l a link itself   /q no line for what went well
  WHO is a name that each Windows knows, or *S-1-5-…; RIGHTS are as in (OI)(CI)(RX,WD)

";
