//! The command line: thin, one verb a file.

mod apply;
mod check;
mod complete;
mod demo;
mod diff;
mod dump;
mod escape;
mod exit;
mod loaded;
mod mounts;
mod new;
mod output;
mod recover;
mod reg;
mod run;

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

/// Options of verbs that write.
#[derive(Clone, Debug, Args)]
pub(crate) struct Writing {
    /// Show what would change and write nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Where copies of what is changed are kept.
    #[arg(long, value_name = "DIR", default_value = "hivesmith-undo")]
    pub(crate) undo_dir: std::path::PathBuf,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// The whole hive as text.
    Dump(dump::Dump),
    /// What Windows' loader would say about hives.
    Check(check::Check),
    /// Replay the logs of a hive that was not closed cleanly and write it back.
    Recover(recover::Recover),
    /// Keys, values, class names and descriptors that differ between two hives.
    Diff(diff::Diff),
    /// A new hive.
    New(new::New),
    /// Windows' `reg`, offline: query, add, delete, export, import and more.
    Reg(reg::Reg),
    /// A script of the documentation: .cmd, .reg or PowerShell fragments.
    Run(run::Run),
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
    match cli.common.color {
        clap::ColorChoice::Always => anstream::ColorChoice::Always.write_global(),
        clap::ColorChoice::Never => anstream::ColorChoice::Never.write_global(),
        clap::ColorChoice::Auto => {}
    }
    let common = &cli.common;
    let done = match cli.verb {
        Verb::Dump(verb) => verb.run(common),
        Verb::Check(verb) => verb.run(common),
        Verb::Recover(verb) => verb.run(common),
        Verb::Diff(verb) => verb.run(common),
        Verb::New(verb) => verb.run(common),
        Verb::Reg(verb) => verb.run(common),
        Verb::Run(verb) => verb.run(common),
        Verb::Demo(verb) => verb.run(common),
        Verb::Completions(verb) => verb.run(&mut Cli::command()),
        Verb::Man => complete::man(Cli::command()),
    };
    match done {
        Ok(exit) => exit.into(),
        Err(failure) => failure.report(),
    }
}
