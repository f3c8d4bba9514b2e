//! The command line: thin, one verb a file.

mod apply;
mod bcdedit;
mod check;
mod compact;
mod complete;
mod demo;
mod descriptors;
mod diff;
mod dump;
mod escape;
mod exit;
mod icacls;
mod input;
mod loaded;
mod mounts;
mod new;
mod output;
mod recover;
mod reg;
mod repair;
mod run;
mod sc;
mod security;
mod stores;
mod takeown;
mod undo;

use std::process::ExitCode;

use clap::{Args, CommandFactory, Parser, Subcommand};

pub(crate) use exit::{Exit, Failure};

/// Repair Windows installations from outside: registry hives, edited crash-safely without Windows.
#[derive(Debug, Parser)]
#[command(name = "hivesmith", version, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    verb: Verb,
}

/// Options of every verb.
#[derive(Clone, Debug, Args)]
pub(crate) struct Common {
    /// One JSON document on stdout instead of text.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Only errors on stderr.
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// More on stderr.
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
    /// When to colour.
    #[arg(long, global = true, value_enum, default_value_t = clap::ColorChoice::Auto)]
    pub(crate) color: clap::ColorChoice,
}

impl Common {
    /// Takes one of these options from among the words of a Windows command, which are not clap's to read; whether it
    /// was one. `-v` is not: to `reg` and `bcdedit` it means something else.
    pub(crate) fn take(
        &mut self,
        name: &str,
        argument: impl FnOnce() -> Result<String, Failure>,
    ) -> Result<bool, Failure> {
        match name {
            "--json" => self.json = true,
            "-q" | "--quiet" => self.quiet = true,
            "--verbose" => self.verbose = true,
            "--color" => {
                let choice = argument()?;
                self.color = <clap::ColorChoice as clap::ValueEnum>::from_str(&choice, true).map_err(|_| {
                    Failure::usage(format!("\"{choice}\" is no answer to --color: auto, always or never"))
                })?;
                self.set_color();
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn set_color(&self) {
        match self.color {
            clap::ColorChoice::Always => anstream::ColorChoice::Always.write_global(),
            clap::ColorChoice::Never => anstream::ColorChoice::Never.write_global(),
            clap::ColorChoice::Auto => {}
        }
    }
}

/// Options of verbs that write.
#[derive(Clone, Debug, Args)]
pub(crate) struct Writing {
    /// Show what would change and write nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Where copies of what is changed are kept.
    #[arg(long, value_name = "DIR", default_value = "hivesmith-undo")]
    pub(crate) undo_dir: std::path::PathBuf,
    /// Take a hive that was not closed cleanly as it is if no log belongs to it and its check finds nothing wrong: what
    /// Windows had in its logs is lost.
    #[arg(long)]
    pub(crate) accept_dirty: bool,
    /// Write although Windows is hibernated on the volume (Fast Startup included): only if it will never wake from that,
    /// because hiberfil.sys is deleted before the next boot.
    #[arg(long)]
    pub(crate) accept_hibernated: bool,
}

impl Default for Writing {
    fn default() -> Self {
        let undo_dir = "hivesmith-undo".into();
        Self { dry_run: false, undo_dir, accept_dirty: false, accept_hibernated: false }
    }
}

impl Writing {
    /// Where the commit of a hive keeps what it writes if neither a log nor single steps can carry it. The same hive has
    /// the same place, so that whatever was interrupted is finished by the next run.
    pub(crate) fn redo_for(&self, hive: &std::path::Path) -> std::path::PathBuf {
        use sha2::Digest as _;
        let hive = hive.canonicalize().unwrap_or_else(|_| hive.to_owned());
        let hash = sha2::Sha256::digest(hive.as_os_str().as_encoded_bytes());
        let name: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        self.undo_dir.join(format!("{name}.redo"))
    }

    /// Refuses to write to a volume that a sleeping Windows will go on with.
    pub(crate) fn guard(&self, file: &std::path::Path) -> Result<(), Failure> {
        if self.dry_run || self.accept_hibernated {
            return Ok(());
        }
        match hivesmith::volume::hibernated(file) {
            Ok(None) => Ok(()),
            Ok(Some(sleeps)) => Err(Failure::new(
                Exit::Refused,
                format!(
                    "{}: {sleeps}; nothing was written\n  boot it and shut it down with shutdown /s /t 0, or give its \
                     session up: delete hiberfil.sys (ntfs-3g -o remove_hiberfile)\n  --accept-hibernated writes all \
                     the same",
                    file.display()
                ),
            )),
            Err(error) => Err(Failure::io(file, &error)),
        }
    }
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// The whole hive as text.
    Dump(dump::Dump),
    /// What Windows' loader would say about hives.
    Check(check::Check),
    /// Replay the logs of a hive that was not closed cleanly and write it back.
    Recover(recover::Recover),
    /// Get out of a damaged hive what is left in it, into a new one.
    Repair(repair::Repair),
    /// A hive without free space and slack.
    Compact(compact::Compact),
    /// Keys, values, class names and descriptors that differ between two hives.
    Diff(diff::Diff),
    /// A new hive.
    New(new::New),
    /// Windows' `reg`, offline: query, add, delete, export, import and more.
    Reg(reg::Reg),
    /// Windows' `sc`, offline: how services start.
    Sc(sc::Sc),
    /// Who may do what with registry keys: show, set, grant, deny, remove, owner.
    Security(security::Security),
    /// Windows' `bcdedit`, offline: /enum, /set, /create, /copy, /delete and more.
    Bcdedit(bcdedit::Bcdedit),
    /// Windows' `icacls`, on files of a mounted volume: who may do what, and changing that.
    Icacls(icacls::Icacls),
    /// Windows' `takeown`, on files of a mounted volume.
    Takeown(takeown::Takeown),
    /// A script of the documentation: .cmd, .reg or PowerShell fragments.
    Run(run::Run),
    /// Put everything back: hives and descriptors of files as they were before a change.
    Undo(undo::Undo),
    /// Builds a broken sample installation, repairs it and shows the difference. Needs no Windows disk.
    Demo(demo::Demo),
    /// Shell completions.
    Completions(complete::Completions),
    /// The manual page.
    Man,
}

/// Runs the program.
pub(crate) fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version go to stdout and are no error.
            let code = if error.use_stderr() { Exit::Usage } else { Exit::Done };
            let _ = error.print();
            return code.into();
        }
    };
    let common = &cli.common;
    common.set_color();
    let done = match cli.verb {
        Verb::Dump(verb) => verb.run(common),
        Verb::Check(verb) => verb.run(common),
        Verb::Recover(verb) => verb.run(common),
        Verb::Repair(verb) => verb.run(common),
        Verb::Compact(verb) => verb.run(common),
        Verb::Diff(verb) => verb.run(common),
        Verb::New(verb) => verb.run(common),
        Verb::Reg(verb) => verb.run(common),
        Verb::Sc(verb) => verb.run(common),
        Verb::Security(verb) => verb.run(common),
        Verb::Bcdedit(verb) => verb.run(common),
        Verb::Icacls(verb) => verb.run(common),
        Verb::Takeown(verb) => verb.run(common),
        Verb::Run(verb) => verb.run(common),
        Verb::Undo(verb) => verb.run(common),
        Verb::Demo(verb) => verb.run(common),
        Verb::Completions(verb) => verb.run(&mut Cli::command()),
        Verb::Man => complete::man(Cli::command()),
    };
    match done {
        Ok(exit) => exit.into(),
        Err(failure) => failure.report(),
    }
}
