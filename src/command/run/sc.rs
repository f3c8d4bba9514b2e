//! `sc` on the key of a service.

use std::fmt::Write;

use super::{Effect, RunError, engine, locate};
use crate::{
    Result, ValueType,
    command::{
        reg::View,
        sc::{ScCommand, ServiceConfig, Start},
    },
    name::NameBuf,
    plan::{Located, Registry},
    tree::{Data, Key},
};

/// Carries out one `sc` command; `why` says where it comes from.
///
/// # Errors
///
/// As [`reg`](super::reg).
pub fn sc(registry: &mut Registry<'_>, command: &ScCommand, why: &str) -> Result<Effect, RunError> {
    let at = locate(registry, &command.key(), View::Native)?;
    let mut effect = match command {
        ScCommand::Config { change, .. } => config(registry, &at, change, why)?,
        ScCommand::QueryConfig { service } => {
            let shown = query_config(service, existing(registry, &at)?);
            Effect::text(shown.map_err(|error| engine(registry, &at, error))?)
        }
        ScCommand::Query { service: Some(service), .. } => {
            let shown = query(service, existing(registry, &at)?);
            Effect::text(shown.map_err(|error| engine(registry, &at, error))?)
        }
        ScCommand::Query { service: None, services, drivers } => {
            let shown = query_all(existing(registry, &at)?, *services, *drivers);
            Effect::text(shown.map_err(|error| engine(registry, &at, error))?)
        }
    };
    effect.warnings.extend(registry.take_warnings());
    Ok(effect)
}

fn existing<'r>(registry: &'r Registry<'_>, at: &Located) -> Result<Key<'r>, RunError> {
    match registry.key(at) {
        Ok(Some(key)) => Ok(key),
        // With the number that scripts look for.
        Ok(None) => Err(RunError::NotFound(format!(
            "[SC] OpenService FAILED 1060: the specified service does not exist as an installed service ({})",
            at.key
        ))),
        Err(error) => Err(engine(registry, at, error)),
    }
}

/// In the bits of `Type`: drivers of the kernel and of file systems, adapters and recognizers.
const DRIVER: u32 = 0x0f;

fn config(registry: &mut Registry<'_>, at: &Located, change: &ServiceConfig, why: &str) -> Result<Effect, RunError> {
    let kind = number(existing(registry, at)?, "Type").map_err(|error| engine(registry, at, error))?;
    let is_driver = change.kind.or(kind).unwrap_or(0) & DRIVER != 0;
    let delayed = number(existing(registry, at)?, DELAYED).map_err(|error| engine(registry, at, error))?;
    match change.start {
        Some(Start::Boot | Start::System) if !is_driver => {
            return Err(RunError::Refused("only drivers start with `boot` or `system`: use auto or demand".to_owned()));
        }
        Some(Start::DelayedAuto) if is_driver => {
            return Err(RunError::Refused("drivers cannot start delayed: use auto, system or boot".to_owned()));
        }
        _ => {}
    }
    let mut steps = Vec::new();
    let mut set = |name: &str, kind: ValueType, data: Vec<u8>| -> Result<(), RunError> {
        let step = registry.set_value(at, &name.into(), kind, &data, why);
        steps.extend(step.map_err(|error| engine(registry, at, error))?);
        Ok(())
    };
    let dword = |number: u32| number.to_le_bytes().to_vec();
    if let Some(kind) = change.kind {
        set("Type", ValueType::DWORD, dword(kind))?;
    }
    if let Some(start) = change.start {
        set("Start", ValueType::DWORD, dword(start.number()))?;
        let delay = u32::from(start == Start::DelayedAuto);
        // Where nobody ever asked for a delay there is no value.
        if delay != delayed.unwrap_or(0) {
            set(DELAYED, ValueType::DWORD, dword(delay))?;
        }
    }
    if let Some(error) = change.error_control {
        set("ErrorControl", ValueType::DWORD, dword(error))?;
    }
    if let Some(path) = &change.image_path {
        set("ImagePath", ValueType::EXPAND_SZ, Data::ExpandSz(path.clone()).to_bytes())?;
    }
    for (name, text) in
        [("Group", &change.group), ("ObjectName", &change.account), ("DisplayName", &change.display_name)]
    {
        if let Some(text) = text {
            set(name, ValueType::SZ, Data::Sz(text.clone()).to_bytes())?;
        }
    }
    let lists = [("DependOnService", &change.depend_on_services), ("DependOnGroup", &change.depend_on_groups)];
    for (name, list) in lists {
        if let Some(list) = list.as_ref().filter(|list| !list.is_empty()) {
            set(name, ValueType::MULTI_SZ, Data::MultiSz(list.clone()).to_bytes())?;
        }
    }
    for (name, _) in lists.iter().filter(|(_, list)| list.as_ref().is_some_and(Vec::is_empty)) {
        let step = registry.delete_value(at, &NameBuf::from(*name), why);
        steps.extend(step.map_err(|error| engine(registry, at, error))?);
    }
    Ok(Effect { output: "[SC] ChangeServiceConfig SUCCESS\n".to_owned(), steps, ..Effect::default() })
}

const DELAYED: &str = "DelayedAutostart";

fn query_config(service: &NameBuf, key: Key<'_>) -> Result<String> {
    let mut out = format!("[SC] QueryServiceConfig SUCCESS\n\nSERVICE_NAME: {service}\n");
    let kind = number(key, "Type")?.unwrap_or(0);
    let start = number(key, "Start")?.unwrap_or(0);
    let delayed = start == 2 && number(key, DELAYED)?.unwrap_or(0) != 0;
    let error = number(key, "ErrorControl")?.unwrap_or(0);
    let start_name = named(STARTS, start);
    let mut field = |name: &str, value: String| {
        let _ = writeln!(out, "        {name:<19}: {}", value.trim_end());
    };
    field("TYPE", format!("{kind:x}  {}", kind_name(kind)));
    field("START_TYPE", format!("{start}   {start_name}{}", if delayed { "  (DELAYED)" } else { "" }));
    field("ERROR_CONTROL", format!("{error}   {}", named(ERRORS, error)));
    field("BINARY_PATH_NAME", text(key, "ImagePath")?);
    field("LOAD_ORDER_GROUP", text(key, "Group")?);
    field("TAG", number(key, "Tag")?.unwrap_or(0).to_string());
    field("DISPLAY_NAME", text(key, "DisplayName")?);
    let mut first = "DEPENDENCIES";
    for (list, mark) in [("DependOnService", ""), ("DependOnGroup", "+")] {
        for name in texts(key, list)? {
            field(first, format!("{mark}{name}"));
            first = "";
        }
    }
    if !first.is_empty() {
        field(first, String::new());
    }
    field("SERVICE_START_NAME", text(key, "ObjectName")?);
    Ok(out)
}

fn query(service: &NameBuf, key: Key<'_>) -> Result<String> {
    let kind = number(key, "Type")?.unwrap_or(0);
    let mut out = format!("\nSERVICE_NAME: {service}\n");
    let display = text(key, "DisplayName")?;
    if !display.is_empty() {
        let _ = writeln!(out, "DISPLAY_NAME: {display}");
    }
    for (name, value) in [
        ("TYPE", format!("{kind:x}  {}", kind_name(kind))),
        ("STATE", "1  STOPPED".to_owned()),
        ("WIN32_EXIT_CODE", "0  (0x0)".to_owned()),
        ("SERVICE_EXIT_CODE", "0  (0x0)".to_owned()),
        ("CHECKPOINT", "0x0".to_owned()),
        ("WAIT_HINT", "0x0".to_owned()),
    ] {
        let _ = writeln!(out, "        {name:<19}: {}", value.trim_end());
    }
    Ok(out)
}

/// The keys below `Services` that describe services have a type; others belong to programs that keep data there.
fn query_all(services_key: Key<'_>, services: bool, drivers: bool) -> Result<String> {
    let mut out = String::new();
    for key in services_key.subkeys()? {
        let key = key?;
        let Some(kind) = number(key, "Type")? else { continue };
        let wanted = if kind & DRIVER != 0 { drivers } else { services };
        if wanted {
            out += &query(&key.name()?.to_name_buf(), key)?;
        }
    }
    Ok(out)
}

const STARTS: &[(u32, &str)] =
    &[(0, "BOOT_START"), (1, "SYSTEM_START"), (2, "AUTO_START"), (3, "DEMAND_START"), (4, "DISABLED")];
const ERRORS: &[(u32, &str)] = &[(0, "IGNORE"), (1, "NORMAL"), (2, "SEVERE"), (3, "CRITICAL")];

fn named(names: &'static [(u32, &str)], number: u32) -> &'static str {
    names.iter().find(|(known, _)| *known == number).map_or("", |(_, name)| *name)
}

/// The names of `SERVICE_…` in winnt.h, as `sc` shortens them.
fn kind_name(kind: u32) -> String {
    const INTERACTIVE: u32 = 0x100;
    let name = match kind & !INTERACTIVE {
        0x01 => "KERNEL_DRIVER",
        0x02 => "FILE_SYSTEM_DRIVER",
        0x04 => "ADAPTER",
        0x08 => "RECOGNIZER_DRIVER",
        0x10 => "WIN32_OWN_PROCESS",
        0x20 => "WIN32_SHARE_PROCESS",
        0x30 => "WIN32",
        0x50 => "USER_OWN_PROCESS TEMPLATE",
        0x60 => "USER_SHARE_PROCESS TEMPLATE",
        _ => "",
    };
    if kind & INTERACTIVE != 0 { format!("{name} (interactive)") } else { name.to_owned() }
}

fn number(key: Key<'_>, name: &str) -> Result<Option<u32>> {
    let Some(value) = key.value(name)? else { return Ok(None) };
    Ok(match value.decode()? {
        Data::Dword(number) => Some(number),
        _ => None,
    })
}

/// A text, empty where there is none; names such as `@gpapi.dll,-112` are shown as they are.
fn text(key: Key<'_>, name: &str) -> Result<String> {
    match key.value(name)? {
        Some(value) if matches!(value.kind(), ValueType::SZ | ValueType::EXPAND_SZ) => super::query::data(value, ""),
        _ => Ok(String::new()),
    }
}

fn texts(key: Key<'_>, name: &str) -> Result<Vec<String>> {
    let Some(value) = key.value(name)? else { return Ok(Vec::new()) };
    Ok(match value.decode()? {
        Data::MultiSz(texts) => texts.into_iter().map(|text| NameBuf::from(text).to_string()).collect(),
        _ => Vec::new(),
    })
}
