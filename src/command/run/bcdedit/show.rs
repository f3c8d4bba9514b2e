//! `/enum`: objects as bcdedit prints them.

use std::{
    collections::{HashMap, HashSet},
    fmt::Write as _,
};

use super::Names;
use crate::{
    Guid,
    bcd::{
        Definition, Element, ElementCode, ElementValue, Object, ObjectKind, ObjectType, Store, StoreError, WellKnown,
    },
    command::bcdedit::{EnumScope, is_address},
    name::NameBuf,
};

/// The objects of a scope. An empty line goes before each.
pub(super) fn show(
    names: &Names<'_>,
    scope: &EnumScope,
    one: Option<Guid>,
    verbose: bool,
) -> Result<String, StoreError> {
    let store = names.store;
    let shown = Shown { names, verbose, default: store.default_entry().ok() };
    let mut out = String::new();
    for object in chosen(store, scope, one)? {
        shown.object(&mut out, object)?;
    }
    Ok(out)
}

/// What an object is called above its elements.
pub(super) fn heading(id: Guid, object_type: Option<ObjectType>) -> String {
    let by_id = match id {
        WellKnown::EMS_SETTINGS => Some("EMS Settings"),
        WellKnown::DEBUGGER_SETTINGS => Some("Debugger Settings"),
        WellKnown::BAD_MEMORY => Some("RAM Defects"),
        WellKnown::GLOBAL_SETTINGS => Some("Global Settings"),
        WellKnown::HYPERVISOR_SETTINGS => Some("Hypervisor Settings"),
        WellKnown::RAMDISK_OPTIONS => Some("Setup Ramdisk Options"),
        _ => None,
    };
    let Some(object_type) = object_type else { return "Unknown".to_owned() };
    let name = match (by_id, object_type) {
        (Some(name), _) => name,
        (_, ObjectType::FIRMWARE_BOOT_MANAGER) => "Firmware Boot Manager",
        (_, ObjectType::BOOT_MANAGER) => "Windows Boot Manager",
        (_, ObjectType::OS_LOADER) => "Windows Boot Loader",
        (_, ObjectType::RESUME) => "Resume from Hibernate",
        (_, ObjectType::MEMORY_TESTER) => "Windows Memory Tester",
        (_, ObjectType::LEGACY_LOADER) => "Windows Legacy OS Loader",
        (_, ObjectType::BOOT_SECTOR) => "Real-mode Boot Sector",
        (_, ObjectType::OS_LOADER_SETTINGS) => "Boot Loader Settings",
        (_, ObjectType::RESUME_SETTINGS) => "Resume Loader Settings",
        (_, ObjectType::DEVICE_OPTIONS) => "Device options",
        (_, ObjectType::FIRMWARE_APPLICATION) => "Firmware Application (101fffff)",
        (_, other) => {
            return match other.kind() {
                ObjectKind::Application => format!("Boot Application ({other})"),
                ObjectKind::Inherit => format!("Inheritable Settings ({other})"),
                ObjectKind::Device => format!("Device options ({other})"),
                ObjectKind::Unknown => format!("Unknown ({other})"),
            };
        }
    };
    name.to_owned()
}

/// The objects of a scope in the order they are shown: by type, those that the boot manager offers in its order first.
fn chosen<'s>(store: Store<'s>, scope: &EnumScope, one: Option<Guid>) -> Result<Vec<Object<'s>>, StoreError> {
    let order = |id: Guid| -> Result<Vec<Guid>, StoreError> {
        let value = store.object(id)?.map(|object| object.value(ElementCode::DISPLAY_ORDER)).transpose()?.flatten();
        Ok(match value {
            Some(ElementValue::ObjectList(ids)) => ids,
            // One that is no list is shown where it stands.
            _ => Vec::new(),
        })
    };
    let offered = order(WellKnown::BOOT_MANAGER)?;
    if let EnumScope::Active = scope {
        // Each once: a list that names its own boot manager over and over would be shown as often.
        let mut seen = HashSet::new();
        let ids = std::iter::once(WellKnown::BOOT_MANAGER).chain(offered).filter(|id| seen.insert(*id));
        return Ok(ids.map(|id| store.object(id)).collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect());
    }
    let firmware = order(WellKnown::FIRMWARE_BOOT_MANAGER)?;
    let wanted = |object: &Object<'_>| {
        let object_type = object.object_type().unwrap_or(ObjectType(0));
        match scope {
            EnumScope::Active | EnumScope::All => true,
            EnumScope::One(_) => Some(object.id()) == one,
            EnumScope::BootMgr => object_type == ObjectType::BOOT_MANAGER,
            EnumScope::OsLoader => object_type == ObjectType::OS_LOADER,
            EnumScope::Resume => object_type == ObjectType::RESUME,
            EnumScope::Inherit => object_type.kind() == ObjectKind::Inherit,
            // What the firmware starts itself, and what the boot manager starts.
            EnumScope::Firmware => object_type.0 >> 20 == 0x101,
            EnumScope::BootApp => object_type.0 >> 20 == 0x102 || object_type == ObjectType::BOOT_MANAGER,
        }
    };
    let mut objects: Vec<Object<'s>> = store.objects()?.into_iter().filter(wanted).collect();
    let mut places = HashMap::new();
    for (place, id) in offered.into_iter().chain(firmware).enumerate() {
        places.entry(id).or_insert(place);
    }
    objects.sort_by_key(|object| (object.object_type(), places.get(&object.id()).copied().unwrap_or(usize::MAX)));
    Ok(objects)
}

struct Shown<'n> {
    names: &'n Names<'n>,
    verbose: bool,
    default: Option<Guid>,
}

impl Shown<'_> {
    fn object(&self, out: &mut String, object: Object<'_>) -> Result<(), StoreError> {
        let heading = heading(object.id(), object.object_type());
        let _ = writeln!(out, "\n{heading}\n{}", "-".repeat(heading.chars().count()));
        line(out, "identifier", &[self.id(object.id())]);
        for element in object.elements()? {
            // Templates are for setup.
            if element.code.class() == 4 && !self.verbose {
                continue;
            }
            let definition = object.definition(element.code);
            let name = match definition.and_then(|known| known.name) {
                Some(name) => name.to_owned(),
                None => format!("custom:{}", element.code),
            };
            line(out, &name, &self.value(&element, definition));
        }
        Ok(())
    }

    fn id(&self, id: Guid) -> String {
        let alias = if self.default == Some(id) { Some("default") } else { WellKnown::of(id).map(|known| known.alias) };
        match alias {
            Some(alias) if !self.verbose => format!("{{{alias}}}"),
            _ => format!("{id:?}"),
        }
    }

    /// The lines that a value takes.
    fn value(&self, element: &Element, definition: Option<&Definition>) -> Vec<String> {
        let Some(value) = element.value() else { return vec!["(no value)".to_owned()] };
        match value {
            ElementValue::Device(device) => vec![NameBuf::from(device.shown(self.names).to_string()).to_string()],
            ElementValue::String(text) => vec![NameBuf::from(text).to_string()],
            ElementValue::Object(id) => vec![self.id(id)],
            ElementValue::ObjectList(ids) => ids.into_iter().map(|id| self.id(id)).collect(),
            ElementValue::Boolean(truth) => vec![if truth { "Yes" } else { "No" }.to_owned()],
            ElementValue::Integer(number) => vec![match definition.and_then(|known| known.value_name(number)) {
                Some(name) => name.to_owned(),
                None => match u32::try_from(number) {
                    Ok(address) if is_address(element.code) => std::net::Ipv4Addr::from(address).to_string(),
                    _ => number.to_string(),
                },
            }],
            ElementValue::IntegerList(numbers) => numbers.iter().map(|number| format!("{number:#x}")).collect(),
            ElementValue::Binary(bytes) => vec![hex(&bytes)],
            ElementValue::Raw(kind, bytes) => vec![format!("({kind}) {}", hex(&bytes))],
        }
    }
}

/// A name in 24 columns, and its value; further lines of it below the first.
fn line(out: &mut String, name: &str, values: &[String]) {
    let first = values.first().map_or("", String::as_str);
    // Longer names are followed by one blank.
    let _ = writeln!(out, "{}", format!("{name:<23} {first}").trim_end());
    for value in values.iter().skip(1) {
        let _ = writeln!(out, "{:24}{value}", "");
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
