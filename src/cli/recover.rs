//! `hivesmith recover`

use super::{Common, Exit, Failure};

#[derive(Debug, clap::Args)]
pub(crate) struct Recover {}

impl Recover {
    pub(crate) fn run(self, _: &Common) -> Result<Exit, Failure> {
        Err(Failure::usage("under construction"))
    }
}
