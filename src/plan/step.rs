//! [`Step`]: one thing that changes, for people and for machines.

use std::{fmt, path::PathBuf};

use serde_json::{Value as Json, json};

use crate::{
    SecurityChange, ValueType,
    name::{KeyPath, NameBuf},
    reg_text::RegPath,
    security::SecurityDescriptor,
    tree::Data,
};

/// One change to one file, with what was there before.
#[derive(Clone, Debug)]
pub struct Step {
    /// The hive's file on this machine.
    pub target: PathBuf,
    /// What is done.
    pub kind: StepKind,
    /// The key as the command named it.
    pub key: RegPath,
    /// The key in the hive.
    pub hive_path: KeyPath,
    /// The value, for steps about one.
    pub value: Option<NameBuf>,
    /// Type and data before; none where nothing was there.
    pub before: Option<(ValueType, Vec<u8>)>,
    /// Type and data afterwards; none where nothing is left.
    pub after: Option<(ValueType, Vec<u8>)>,
    /// The descriptor of the key before and afterwards, for steps about it.
    pub security: Option<SecurityChange>,
    /// Where the step comes from: file and line, or the command.
    pub why: String,
}

/// What a [`Step`] does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StepKind {
    /// A key is made.
    CreateKey,
    /// A key is deleted with all below it.
    DeleteKey,
    /// A value is set.
    SetValue,
    /// A value is deleted.
    DeleteValue,
    /// A key gets another security descriptor.
    SetSecurity,
    /// A key gets other virtualization control flags.
    SetVirtualization,
}

impl StepKind {
    /// The name in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::CreateKey => "create-key",
            Self::DeleteKey => "delete-key",
            Self::SetValue => "set-value",
            Self::DeleteValue => "delete-value",
            Self::SetSecurity => "set-security",
            Self::SetVirtualization => "set-virtualization",
        }
    }
}

impl Step {
    /// The step as JSON: `target`, `kind`, `path` (in the hive), `value`, `before`, `after`, `why`. Before and after are
    /// type and data of a value, or the SDDL of a descriptor.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let data = |data: &Option<(ValueType, Vec<u8>)>| match data {
            None => Json::Null,
            Some((kind, bytes)) => json!({
                "type": kind.to_string(),
                "data": bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>(),
                "text": shown(*kind, bytes),
            }),
        };
        let (before, after) = match &self.security {
            Some(change) => (json!({ "sddl": sddl(&change.before) }), json!({ "sddl": sddl(&change.after) })),
            None => (data(&self.before), data(&self.after)),
        };
        json!({
            "target": self.target.display().to_string(),
            "kind": self.kind.name(),
            "path": self.hive_path.to_string(),
            "key": self.key.to_string(),
            "value": self.value.as_ref().map(ToString::to_string),
            "before": before,
            "after": after,
            "why": self.why,
        })
    }
}

impl fmt::Display for Step {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |data: &Option<(ValueType, Vec<u8>)>| match data {
            None => "(not set)".to_owned(),
            Some((kind, bytes)) => format!("{kind} {}", shown(*kind, bytes)),
        };
        let name = match &self.value {
            Some(name) if name.is_empty() => "(Default)".to_owned(),
            Some(name) => name.to_string(),
            None => String::new(),
        };
        match self.kind {
            StepKind::CreateKey => write!(out, "+ {}", self.hive_path),
            StepKind::DeleteKey => write!(out, "- {} (with all below it)", self.hive_path),
            StepKind::SetValue => {
                write!(out, "~ {}: {name} = {}, was {}", self.hive_path, text(&self.after), text(&self.before))
            }
            StepKind::SetSecurity => {
                let (before, after) = self
                    .security
                    .as_ref()
                    .map_or_else(Default::default, |change| (sddl(&change.before), sddl(&change.after)));
                write!(out, "~ {}: {after}, was {before}", self.hive_path)
            }
            StepKind::SetVirtualization => {
                let number = |data: &Option<(ValueType, Vec<u8>)>| {
                    data.as_ref().and_then(|(_, bytes)| bytes.first()).map_or(0, |byte| *byte)
                };
                let (before, after) = (number(&self.before), number(&self.after));
                write!(out, "~ {}: virtualization flags {after:#x}, were {before:#x}", self.hive_path)
            }
            StepKind::DeleteValue => write!(out, "- {}: {name}, was {}", self.hive_path, text(&self.before)),
        }
    }
}

/// A stored descriptor as SDDL.
fn sddl(descriptor: &[u8]) -> String {
    SecurityDescriptor::parse(descriptor).map_or_else(|error| format!("({error})"), |descriptor| descriptor.to_string())
}

/// Data as people read it, safe for a terminal: numbers both ways, text quoted, bytes in hexadecimal up to 32 of them.
#[must_use]
pub fn shown(kind: ValueType, bytes: &[u8]) -> String {
    match Data::decode(kind, bytes) {
        Data::Sz(text) | Data::ExpandSz(text) => format!("\"{}\"", NameBuf::from(text)),
        Data::Dword(number) | Data::DwordBigEndian(number) => format!("{number:#x} ({number})"),
        Data::Qword(number) => format!("{number:#x} ({number})"),
        Data::MultiSz(texts) => {
            let texts: Vec<String> = texts.into_iter().map(|text| format!("\"{}\"", NameBuf::from(text))).collect();
            format!("[{}]", texts.join(", "))
        }
        Data::Binary(bytes) | Data::Raw(_, bytes) => {
            let hex: String = bytes.iter().take(32).map(|byte| format!("{byte:02x}")).collect();
            if bytes.len() > 32 { format!("{hex}… ({} bytes)", bytes.len()) } else { hex }
        }
    }
}
