//! `reg flags`: the virtualization control flags of a key.

use std::fmt::Write;

use super::{Effect, RunError, engine, locate, not_found};
use crate::{
    Virtualization,
    command::reg::{Flags, FlagsRequest},
    plan::Registry,
};

pub(super) fn run(registry: &mut Registry<'_>, flags: &Flags, why: &str) -> Result<Effect, RunError> {
    let at = locate(registry, &flags.key, flags.view)?;
    let before = match registry.key(&at) {
        Ok(Some(key)) => key.virtualization(),
        Ok(None) => return Err(not_found(&at)),
        Err(error) => return Err(engine(registry, &at, error)),
    };
    let FlagsRequest::Set { dont_virtualize, dont_silent_fail, recurse_flag } = flags.request else {
        let mut output = format!("\n{}\n\n", at.key);
        for (name, flag) in NAMES {
            let state = if before.contains(flag) { "SET" } else { "CLEAR" };
            let _ = writeln!(output, "\tREG_KEY_{name}: {state}");
        }
        return Ok(Effect::text(output + "\n" + super::SUCCESS));
    };
    let asked = [dont_virtualize, dont_silent_fail, recurse_flag];
    let after = NAMES.into_iter().zip(asked).filter(|(_, asked)| *asked).map(|((_, flag), _)| flag).collect();
    let step = registry.set_virtualization(&at, after, why).map_err(|error| engine(registry, &at, error))?;
    Ok(Effect::steps(step))
}

const NAMES: [(&str, Virtualization); 3] = [
    ("DONT_VIRTUALIZE", Virtualization::DONT_VIRTUALIZE),
    ("DONT_SILENT_FAIL", Virtualization::DONT_SILENT_FAIL),
    ("RECURSE_FLAG", Virtualization::RECURSE),
];
