//! `hivesmith completions SHELL` and `hivesmith man`

use std::io::{self, Write};

use clap::{Args, Command};

use super::{Exit, Failure};

/// Shell completions on stdout; what to do with them is the shell's affair.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell.
    shell: clap_complete::Shell,
}

impl Completions {
    pub(crate) fn run(self, command: &mut Command) -> Result<Exit, Failure> {
        // Into memory first: the generators panic where they cannot write.
        let mut script = Vec::new();
        clap_complete::generate(self.shell, command, "hivesmith", &mut script);
        io::stdout().lock().write_all(&script)?;
        Ok(Exit::Done)
    }
}

/// The pages of the program and of all its verbs, one behind the other.
pub(crate) fn man(mut command: Command) -> Result<Exit, Failure> {
    // Names of the verbs' pages begin with the program's.
    command.build();
    let mut pages = Vec::new();
    render(&command, &mut pages)?;
    io::stdout().lock().write_all(&pages)?;
    Ok(Exit::Done)
}

fn render(command: &Command, pages: &mut Vec<u8>) -> io::Result<()> {
    clap_mangen::Man::new(command.clone()).render(pages)?;
    command.get_subcommands().filter(|verb| verb.get_name() != "help").try_for_each(|verb| render(verb, pages))
}
