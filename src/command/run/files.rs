//! `reg export`, `reg import`, `reg save`

use super::{Effect, NewFile, RunError, copy_tree::copy_tree, engine, locate, not_found};
use crate::{
    Error, NewHive, Result, Version,
    command::reg::{Export, Import, Save, View},
    name::KeyPath,
    plan::{Located, Registry},
    reg_text::{self, RegPath, SectionEdit, Writer},
    tree::Key,
    volume::{Drives, Existing},
};

pub(super) fn export(registry: &mut Registry<'_>, export: &Export) -> Result<Effect, RunError> {
    let at = locate(registry, &export.key, export.view)?;
    let key = match registry.key(&at) {
        Ok(Some(key)) => key,
        Ok(None) => return Err(not_found(&at)),
        Err(error) => return Err(engine(registry, &at, error)),
    };
    let mut bytes = Vec::new();
    let left_out = write_reg(&mut bytes, key, &at.key).map_err(|error| engine(registry, &at, error))?;
    let existing = if export.overwrite { Existing::Replace } else { Existing::Keep };
    let file = NewFile { path: export.file.clone(), bytes, existing };
    Ok(Effect { files: vec![file], warnings: left_out, ..Effect::text(super::SUCCESS) })
}

/// A key with everything below it as `.reg` text; what the format has no words for comes back as sentences.
fn write_reg(out: &mut Vec<u8>, top: Key<'_>, path: &RegPath) -> Result<Vec<String>> {
    let mut writer = Writer::new(out)?;
    let mut way = vec![path.clone()];
    for walked in top.walk() {
        let walked = walked?;
        way.truncate(walked.depth.max(1));
        if walked.depth > 0 {
            let name = walked.key.name()?.to_name_buf();
            let above = way.last().unwrap_or(path);
            way.push(RegPath { root: above.root, path: above.path.join(name) });
        }
        writer.key(way.last().unwrap_or(path))?;
        for value in walked.key.values()? {
            let value = value?;
            writer.value(&value.name()?, value.kind(), &value.data()?)?;
        }
    }
    Ok(writer.finish()?.iter().map(|left| format!("left out of the file: {left}")).collect())
}

pub(super) fn import(
    registry: &mut Registry<'_>,
    drives: &Drives,
    import: &Import,
    why: &str,
) -> Result<Effect, RunError> {
    let bytes = drives.read(&import.file).map_err(|error| RunError::File(import.file.clone(), error))?;
    let file = reg_text::parse(&bytes).map_err(|error| {
        RunError::Refused(format!("{}:{}:{}: {}", import.file, error.line, error.column, error.message))
    })?;
    let mut steps = Vec::new();
    for section in &file.sections {
        let why = format!("{why} ({}:{})", import.file, section.line);
        let at = locate(registry, &section.key, View::Native)?;
        let done = import_section(registry, &at, &section.edit, &why, &mut steps);
        done.map_err(|error| engine(registry, &at, error))?;
    }
    Ok(Effect::steps(steps))
}

fn import_section(
    registry: &mut Registry<'_>,
    at: &Located,
    edit: &SectionEdit,
    why: &str,
    steps: &mut Vec<crate::plan::Step>,
) -> Result<()> {
    let entries = match edit {
        SectionEdit::Delete => {
            steps.extend(registry.delete_key(at, why)?);
            return Ok(());
        }
        SectionEdit::Create(entries) => entries,
    };
    steps.extend(registry.create_key(at, why)?);
    for entry in entries {
        let step = match &entry.edit {
            reg_text::Edit::Set { kind, data } => registry.set_value(at, &entry.name, *kind, data, why)?,
            reg_text::Edit::Delete => registry.delete_value(at, &entry.name, why)?,
        };
        steps.extend(step);
    }
    Ok(())
}

pub(super) fn save(registry: &mut Registry<'_>, save: &Save) -> Result<Effect, RunError> {
    let at = locate(registry, &save.key, save.view)?;
    let key = match registry.key(&at) {
        Ok(Some(key)) => key,
        Ok(None) => return Err(not_found(&at)),
        Err(error) => return Err(engine(registry, &at, error)),
    };
    let bytes = copy_to_hive(key).map_err(|error| engine(registry, &at, error))?;
    // With `/y` too: logs that lie beside an existing hive would belong to another one then.
    let file = NewFile { path: save.file.clone(), bytes, existing: Existing::Keep };
    Ok(Effect { files: vec![file], ..Effect::text(super::SUCCESS) })
}

/// A new hive whose root has what the key has: values, subkeys, class names, descriptors, time stamps.
pub(super) fn copy_to_hive(top: Key<'_>) -> Result<Vec<u8>, Error> {
    let version = if top.hive().minor_version() >= 5 { Version::V1_5 } else { Version::V1_3 };
    let descriptor = top.security()?.bytes().to_vec();
    let mut hive = NewHive::new(version).root_name(top.name()?).descriptor(descriptor).create()?;
    let mut txn = hive.begin()?;
    copy_tree(top, &mut txn, &KeyPath::default())?;
    txn.commit()?;
    Ok(hive.to_bytes())
}
