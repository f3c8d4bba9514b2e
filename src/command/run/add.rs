//! `reg add`

use super::{Effect, RunError, engine, locate};
use crate::{command::reg::Add, plan::Registry};

pub(super) fn run(registry: &mut Registry<'_>, add: &Add, why: &str) -> Result<Effect, RunError> {
    let at = locate(registry, &add.key, add.view)?;
    let mut steps = match registry.create_key(&at, why) {
        Ok(steps) => steps,
        Err(error) => return Err(engine(registry, &at, error)),
    };
    if let Some(name) = &add.value {
        match registry.set_value(&at, name, add.kind, &add.data, why) {
            Ok(step) => steps.extend(step),
            Err(error) => return Err(engine(registry, &at, error)),
        }
    }
    Ok(Effect::steps(steps))
}
