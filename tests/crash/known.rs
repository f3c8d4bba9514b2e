//! The states that a hive may be found in, and which of them a disk holds by our own reading.

use std::hash::{DefaultHasher, Hash, Hasher};

use hivesmith::{Hive, HiveView, OpenOptions, Recover, name::Units};

use crate::{files::Files, logs::word};

/// The states, oldest first.
pub(crate) enum Known {
    /// All changes or none: the bins, byte for byte, after a replay if one is due.
    Whole(Vec<Vec<u8>>),
    /// One change after the other on a hive that is clean at every instant, or was dirty before: what it says, time
    /// stamps aside.
    Steps { states: Vec<String>, dirty_before: bool },
}

/// The bins in the bytes of a file, which may have something behind them.
pub(crate) fn bins_of(hive: &[u8]) -> Vec<u8> {
    hive[0x1000..][..word(hive, 0x28) as usize].to_vec()
}

/// The bins of a hive in memory.
pub(crate) fn bins(hive: &Hive) -> Vec<u8> {
    hive.to_bytes().split_off(0x1000)
}

/// What a hive says, apart from time stamps.
pub(crate) fn content(hive: HiveView<'_>) -> String {
    let mut text = String::new();
    for walked in hive.walk() {
        let key = walked.unwrap().key;
        let class: Option<Vec<u16>> = key.class_name().unwrap().map(|class| class.units().collect());
        let security = key.security().unwrap().bytes();
        text += &format!("{} {:?} {class:?} {security:?}\n", key.path().unwrap(), key.flags());
        for value in key.values().unwrap() {
            let value = value.unwrap();
            let mut data = DefaultHasher::new();
            value.data().unwrap().hash(&mut data);
            text += &format!("  {} {:?} {:x}\n", value.name().unwrap(), value.kind(), data.finish());
        }
    }
    text
}

impl Known {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Whole(states) => states.len(),
            Self::Steps { states, .. } => states.len(),
        }
    }

    /// Which state a disk holds: what whoever opens it next sees.
    pub(crate) fn identify(&self, files: &Files) -> Result<usize, String> {
        match self {
            Self::Whole(states) => {
                let hive = open(files, Recover::InMemory)?;
                let found = bins(&hive);
                let at = states.iter().position(|state| *state == found);
                at.ok_or_else(|| format!("{} bytes of bins that are no state", found.len()))
            }
            Self::Steps { states, dirty_before } => {
                let hive = open(files, if *dirty_before { Recover::InMemory } else { Recover::Refuse })?;
                let report = hive.view().check();
                if !report.editable() {
                    return Err(format!("{:?}", report.findings));
                }
                let found = content(hive.view());
                states.iter().position(|state| *state == found).ok_or_else(|| "no state of the changes".to_owned())
            }
        }
    }
}

fn open(files: &Files, recover: Recover) -> Result<Hive, String> {
    let opened = OpenOptions::new().read_only(true).recover(recover).open_storage(files.clone());
    opened.map_err(|error| format!("it cannot be opened: {error}"))
}
