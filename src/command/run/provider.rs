//! PowerShell's commands on registry paths.

use super::{Effect, RunError, engine, locate, not_found};
use crate::{
    Error,
    command::{reg::View, script::powershell::ProviderCommand},
    name::{self, NameBuf},
    plan::{Located, Registry},
    tree::Key,
};

pub(super) fn run(registry: &mut Registry<'_>, command: &ProviderCommand, why: &str) -> Result<Effect, RunError> {
    match command {
        ProviderCommand::SetItemProperty { key, name, kind, value } => {
            let at = locate(registry, key, View::Native)?;
            let existing = match registry.key(&at) {
                Ok(Some(key)) => key.value(name).map(|value| value.map(crate::tree::Value::kind)),
                Ok(None) => return Err(not_found(&at)),
                Err(error) => Err(error),
            };
            let existing = existing.map_err(|error| engine(registry, &at, error))?;
            let Some((kind, data)) = value.stored(*kind, existing) else {
                return Err(RunError::Refused(format!("the value does not fit the type of {}, {name}", at.key)));
            };
            let step = registry.set_value(&at, name, kind, &data, why);
            Ok(Effect { steps: step.map_err(|error| engine(registry, &at, error))?.into_iter().collect(), ..quiet() })
        }
        ProviderCommand::RemoveItemProperty { key, name } => {
            let at = locate(registry, key, View::Native)?;
            match registry.delete_value(&at, name, why) {
                Ok(Some(step)) => Ok(Effect { steps: vec![step], ..quiet() }),
                Ok(None) => Err(RunError::NotFound(format!("{}, value \"{name}\"", at.key))),
                Err(error) => Err(engine(registry, &at, error)),
            }
        }
        ProviderCommand::NewItem { key } => {
            let at = locate(registry, key, View::Native)?;
            let steps = registry.create_key(&at, why).map_err(|error| engine(registry, &at, error))?;
            Ok(Effect { steps, ..quiet() })
        }
        ProviderCommand::RemoveItem { key, recurse } => {
            let at = locate(registry, key, View::Native)?;
            let subkeys = match registry.key(&at) {
                Ok(Some(key)) => key.subkey_count(),
                Ok(None) => return Err(not_found(&at)),
                Err(error) => return Err(engine(registry, &at, error)),
            };
            if subkeys > 0 && !recurse {
                return Err(RunError::Refused(format!("{} has subkeys and -Recurse was not given", at.key)));
            }
            let step = registry.delete_key(&at, why).map_err(|error| engine(registry, &at, error))?;
            Ok(Effect { steps: step.into_iter().collect(), ..quiet() })
        }
        ProviderCommand::RemoveCertificates { store, thumbprint } => {
            let at = locate(registry, &command.key(), View::Native)?;
            remove_certificates(registry, &at, store, thumbprint.as_deref(), why)
        }
    }
}

fn remove_certificates(
    registry: &mut Registry<'_>,
    store: &Located,
    name: &str,
    thumbprint: Option<&str>,
    why: &str,
) -> Result<Effect, RunError> {
    let known = match registry.key(store) {
        Ok(Some(key)) => subkeys(key),
        Ok(None) => Ok(Vec::new()),
        Err(error) => Err(error),
    };
    let mut certificates = known.map_err(|error| engine(registry, store, error))?;
    if let Some(thumbprint) = thumbprint {
        certificates.retain(|certificate| name::same(certificate, thumbprint));
        if certificates.is_empty() {
            return Err(RunError::NotFound(format!("certificate {thumbprint} in {}", store.key)));
        }
    }
    let mut effect = quiet();
    if certificates.is_empty() {
        effect.warnings.push(format!("there is no certificate in the store {name}: nothing to remove"));
    }
    for certificate in certificates {
        let at = store.below(&certificate);
        let step = registry.delete_key(&at, why).map_err(|error| engine(registry, &at, error))?;
        effect.steps.extend(step);
    }
    Ok(effect)
}

fn subkeys(key: Key<'_>) -> Result<Vec<NameBuf>, Error> {
    key.subkeys()?.map(|subkey| Ok(subkey?.name()?.to_name_buf())).collect()
}

/// PowerShell says nothing when all went well.
fn quiet() -> Effect {
    Effect::default()
}
