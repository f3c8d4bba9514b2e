//! `reg delete`

use super::{Effect, RunError, engine, locate, not_found};
use crate::{
    Result,
    command::reg::{Delete, DeleteTarget},
    name::NameBuf,
    plan::{Located, Registry, Step},
};

pub(super) fn run(registry: &mut Registry<'_>, delete: &Delete, why: &str) -> Result<Effect, RunError> {
    let at = locate(registry, &delete.key, delete.view)?;
    let exists = registry.key(&at).map(|key| key.is_some()).map_err(|error| engine(registry, &at, error))?;
    if !exists {
        return Err(not_found(&at));
    }
    let steps = delete_from(registry, &at, &delete.target, why).map_err(|error| engine(registry, &at, error))?;
    if let (DeleteTarget::Value(name), true) = (&delete.target, steps.is_empty()) {
        return Err(RunError::NotFound(format!("{}, value \"{name}\"", at.key)));
    }
    Ok(Effect::steps(steps))
}

fn delete_from(registry: &mut Registry<'_>, at: &Located, target: &DeleteTarget, why: &str) -> Result<Vec<Step>> {
    Ok(match target {
        DeleteTarget::Key => registry.delete_key(at, why)?.into_iter().collect(),
        DeleteTarget::Value(name) => registry.delete_value(at, name, why)?.into_iter().collect(),
        DeleteTarget::AllValues => {
            let names: Vec<NameBuf> = match registry.key(at)? {
                Some(key) => key.values()?.map(|value| Ok(value?.name()?.to_name_buf())).collect::<Result<_>>()?,
                None => Vec::new(),
            };
            let mut steps = Vec::new();
            for name in names {
                steps.extend(registry.delete_value(at, &name, why)?);
            }
            steps
        }
    })
}
