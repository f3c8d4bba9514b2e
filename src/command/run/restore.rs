//! `reg restore`: what a key holds becomes what the root of a saved hive holds.

use super::{Effect, RunError, copy_tree::copy_tree, engine, locate, not_found};
use crate::{
    Hive, Result, SecurityScope,
    command::reg::Restore,
    name::NameBuf,
    plan::{Located, Registry, Step, StepKind},
    security::SecurityDescriptor,
    tree::Key,
    volume::Drives,
};

pub(super) fn run(
    registry: &mut Registry<'_>,
    drives: &Drives,
    restore: &Restore,
    why: &str,
) -> Result<Effect, RunError> {
    let at = locate(registry, &restore.key, restore.view)?;
    if registry.key(&at).map_err(|error| engine(registry, &at, error))?.is_none() {
        return Err(not_found(&at));
    }
    let (path, storage) =
        drives.open_hive(&restore.file, false).map_err(|error| RunError::File(restore.file.clone(), error))?;
    let saved = Hive::options().read_only(true).open_files(storage);
    let saved = saved.map_err(|error| RunError::Engine(path.clone(), error))?;
    let report = saved.view().check();
    if !report.editable() {
        return Err(RunError::Engine(path, crate::Error::Corrupt(Box::new(report))));
    }
    let root = saved.view().root().map_err(|error| RunError::Engine(path.clone(), error))?;
    let steps = contents(registry, &at, root, why).map_err(|error| engine(registry, &at, error))?;
    Ok(Effect::steps(steps))
}

fn contents(registry: &mut Registry<'_>, at: &Located, saved: Key<'_>, why: &str) -> Result<Vec<Step>> {
    let (values, subkeys) = names(registry.key(at)?)?;
    let mut steps = Vec::new();
    for name in values {
        // Those that stay are set again, and a step says so if they change.
        let stays = saved.value(&name)?.is_some();
        steps.extend(if stays { None } else { registry.delete_value(at, &name, why)? });
    }
    for name in subkeys {
        steps.extend(registry.delete_key(&at.below(&name), why)?);
    }
    let descriptor = SecurityDescriptor::parse(saved.security()?.bytes())?;
    let become_it = |now: &mut SecurityDescriptor| {
        *now = descriptor.clone();
        Ok(())
    };
    steps.extend(registry.edit_security(at, SecurityScope::Key, become_it, why)?);
    for value in saved.values()? {
        let value = value?;
        steps.extend(registry.set_value(at, &value.name()?.to_name_buf(), value.kind(), &value.data()?, why)?);
    }
    for subkey in saved.subkeys()? {
        let subkey = subkey?;
        let key = at.below(&subkey.name()?.to_name_buf());
        steps.push(registry.step(&key, StepKind::CreateKey, why));
    }
    copy_tree(saved, registry.transaction(at.hive)?, &at.path)?;
    Ok(steps)
}

fn names(key: Option<Key<'_>>) -> Result<(Vec<NameBuf>, Vec<NameBuf>)> {
    let Some(key) = key else { return Ok(Default::default()) };
    let values = key.values()?.map(|value| Ok(value?.name()?.to_name_buf()));
    let subkeys = key.subkeys()?.map(|subkey| Ok(subkey?.name()?.to_name_buf()));
    Ok((values.collect::<Result<_>>()?, subkeys.collect::<Result<_>>()?))
}
