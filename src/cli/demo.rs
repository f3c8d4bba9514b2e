//! `hivesmith demo`

use super::{Common, Exit, Failure};

#[derive(Debug, clap::Args)]
pub(crate) struct Demo {}

impl Demo {
    pub(crate) fn run(self, _: &Common) -> Result<Exit, Failure> {
        Err(Failure::usage("under construction"))
    }
}
