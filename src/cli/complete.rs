//! `hivesmith completions SHELL` and `hivesmith man`

use std::io;

use clap::{Args, Command};

use super::{Exit, Failure};

#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell.
    shell: clap_complete::Shell,
}

impl Completions {
    pub(crate) fn run(self, command: &mut Command) -> Result<Exit, Failure> {
        clap_complete::generate(self.shell, command, "hivesmith", &mut io::stdout().lock());
        Ok(Exit::Done)
    }
}

pub(crate) fn man(command: Command) -> Result<Exit, Failure> {
    clap_mangen::Man::new(command).render(&mut io::stdout().lock())?;
    Ok(Exit::Done)
}
