//! `reg copy`

use super::{Effect, RunError, engine, locate, not_found};
use crate::{
    Result, ValueType,
    command::reg::Copy,
    name::{self, KeyPath, NameBuf},
    plan::{Located, Registry},
    tree::Key,
};

/// A key to copy: its way from the top, and its values.
struct Source {
    below: KeyPath,
    values: Vec<(NameBuf, ValueType, Vec<u8>)>,
}

pub(super) fn run(registry: &mut Registry<'_>, copy: &Copy, why: &str) -> Result<Effect, RunError> {
    let from = locate(registry, &copy.from, copy.view)?;
    let to = locate(registry, &copy.to, copy.view)?;
    let (names, others) = (from.path.names(), to.path.names());
    let alike = names.len() == others.len() && names.iter().zip(others).all(|(a, b)| name::same(a, b));
    if from.hive == to.hive && alike {
        return Err(RunError::Refused(format!("{} cannot be copied onto itself", from.key)));
    }
    let sources = match registry.key(&from) {
        Ok(Some(key)) => read(key, copy.recurse).map_err(|error| engine(registry, &from, error))?,
        Ok(None) => return Err(not_found(&from)),
        Err(error) => return Err(engine(registry, &from, error)),
    };
    let mut steps = Vec::new();
    for source in sources {
        let at = Located {
            path: to.path.names().iter().chain(source.below.names()).cloned().collect(),
            key: to.key.below(&source.below),
            ..to.clone()
        };
        steps.extend(registry.create_key(&at, why).map_err(|error| engine(registry, &to, error))?);
        for (name, kind, data) in source.values {
            let step = registry.set_value(&at, &name, kind, &data, why);
            steps.extend(step.map_err(|error| engine(registry, &to, error))?);
        }
    }
    Ok(Effect::steps(steps))
}

/// Reads everything before the first change, so that a key can be copied into itself.
fn read(top: Key<'_>, recurse: bool) -> Result<Vec<Source>> {
    let mut sources = Vec::new();
    let mut way: Vec<NameBuf> = Vec::new();
    for walked in top.walk() {
        let walked = walked?;
        way.truncate(walked.depth.saturating_sub(1));
        if walked.depth > 0 {
            if !recurse {
                break;
            }
            way.push(walked.key.name()?.to_name_buf());
        }
        let values = walked.key.values()?.map(|value| {
            let value = value?;
            Ok((value.name()?.to_name_buf(), value.kind(), value.data()?.into_owned()))
        });
        sources.push(Source { below: way.iter().cloned().collect(), values: values.collect::<Result<_>>()? });
    }
    Ok(sources)
}
