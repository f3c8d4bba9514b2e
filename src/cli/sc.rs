//! `hivesmith sc …`: Windows' own syntax, so clap only hands the words over.

use std::io::{self, Write as _};

use clap::Args;
use hivesmith::{
    command::{run, sc::ScCommand},
    plan::Registry,
};

use super::{
    Common, Exit, Failure,
    reg::{carry_out, take_ours},
};

/// Windows' `sc`, offline: how services start.
///
/// The syntax is that of Windows. Besides it there are --root DIR or --hive SYSTEM=FILE to say which installation is
/// meant, --dry-run, --undo-dir DIR and --json.
#[derive(Debug, Args)]
#[command(disable_help_flag = true, override_usage = "hivesmith sc --root DIR config|qc|query NAME …")]
pub(crate) struct Sc {
    /// config, qc or query, with their arguments.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENT")]
    words: Vec<String>,
}

impl Sc {
    pub(crate) fn run(self, common: &Common) -> Result<Exit, Failure> {
        let common = &mut common.clone();
        let (words, ours) = take_ours(self.words, common)?;
        if words.is_empty() || ours.help {
            io::stdout().lock().write_all(HELP.as_bytes())?;
            return Ok(if ours.help { Exit::Done } else { Exit::Usage });
        }
        let command = ScCommand::from_args(words)
            .map_err(|error| Failure::usage(error.render().to_string().trim_end().to_owned()))?;
        let drives = ours.sources.drives()?;
        let work = |registry: &mut Registry<'_>| run::sc(registry, &command, "sc");
        carry_out(&[command.key()], command.edits(), (&ours, &drives, common), work, |_| Ok(true))
    }
}

const HELP: &str = "\
Windows' sc, offline. The syntax is that of Windows; these stand besides it, anywhere:

  --root DIR         DIR is a mounted Windows volume, whose services are meant
  --hive SYSTEM=FILE the SYSTEM hive alone
  --dry-run          show what would change and write nothing
  --undo-dir DIR     where copies of changed hives are kept (default: hivesmith-undo)
  --accept-dirty     take an unclean hive without usable logs as it is, if it is sound
  --accept-hibernated  write although Windows is hibernated on the volume
  --json             one JSON document
  -q, --quiet        only errors on stderr

  hivesmith sc config NAME [start= boot|system|auto|delayed-auto|demand|disabled] [type= own|share|kernel|filesys|…]
                           [error= normal|severe|critical|ignore] [binPath= PATH] [depend= NAME/NAME/+GROUP]
                           [obj= ACCOUNT] [DisplayName= NAME] [group= GROUP]
  hivesmith sc qc     NAME
  hivesmith sc query  [NAME] [type= service|driver|all]

The control set is the one that the hive's Select key says will be the current one.
";
