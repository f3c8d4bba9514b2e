//! Descriptors of keys in hives: what new keys inherit, edits, and how they travel down the tree, on new hives and on
//! real ones, through every commit protocol, judged by readers that share no code with the crate.

#[cfg(feature = "cli")]
mod cli;
mod judges;
mod new_keys;
mod power;
mod random;
mod real;
#[path = "../support/mod.rs"]
mod support;
mod vectors;

use hivesmith::{
    Hive, HiveFile, HiveView, Key, MemoryStorage, OpenOptions, Protocol, System,
    security::{AccessMask, AceFlags, Permission, SecurityDescriptor, well_known},
};

use support::{
    log::{log_for, old_log_for},
    say,
};

pub(crate) fn sd(text: &str) -> SecurityDescriptor {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

pub(crate) fn bytes(text: &str) -> Vec<u8> {
    sd(text).to_bytes()
}

/// A key's descriptor as text.
pub(crate) fn text(hive: HiveView<'_>, path: &str) -> String {
    let key = hive.key(path).unwrap().unwrap_or_else(|| panic!("no key {path}"));
    key.security().unwrap().descriptor().unwrap().to_string()
}

pub(crate) fn cell(key: Key<'_>) -> u32 {
    key.id().offset().0
}

/// Reading for NETWORK SERVICE, handed on to all keys below.
pub(crate) fn read_for_network_service() -> Permission {
    Permission::new(well_known::NETWORK_SERVICE, AccessMask::KEY_READ).handed_on(AceFlags::CONTAINER_INHERIT)
}

/// How a hive is committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Memory,
    Log,
    OldLog,
    Steps,
    /// In single steps as far as these go, else through a journal of our own.
    Journal,
}

impl Way {
    pub(crate) const ALL: [Self; 5] = [Self::Memory, Self::Log, Self::OldLog, Self::Steps, Self::Journal];

    /// Single steps cannot always unlink a record that nobody uses any more. It stays, counted once, which Windows
    /// tolerates (rule S6).
    pub(crate) fn may_leave_records(self) -> bool {
        matches!(self, Self::Steps | Self::Journal)
    }

    pub(crate) fn open(self, hive: &[u8]) -> Hive {
        let files = MemoryStorage::new(hive.to_vec());
        let (files, system, protocol) = match self {
            Self::Memory => return Hive::from_bytes(hive.to_vec()).unwrap(),
            Self::Log => {
                let files = files.with(HiveFile::Log1, log_for(hive)).with(HiveFile::Log2, Vec::new());
                (files, System::Windows81, Protocol::Logged)
            }
            Self::OldLog => {
                let files = files.with(HiveFile::Log1, old_log_for(hive));
                (files, System::BeforeWindows81, Protocol::OldLog)
            }
            Self::Steps => (files, System::Unknown, Protocol::Stepwise),
            Self::Journal => (files.with(HiveFile::Redo, Vec::new()), System::Unknown, Protocol::Stepwise),
        };
        let hive = OpenOptions::new().system(system).open_storage(files).unwrap();
        assert_eq!(hive.protocol(), protocol);
        hive
    }
}
