//! [`NewStore`]: a store from nothing.

use super::store::{DESCRIPTION, OBJECTS};
use crate::{Data, FileTime, Hive, NewHive, Result, Version, security::SecurityDescriptor};

/// What a new store begins with.
///
/// It gets what `bcdedit /createstore` makes: format 1.3, a root called `NewStoreRoot`, and two descriptors, of which
/// the one for the objects lets administrators read only.
#[derive(Clone, Debug)]
pub struct NewStore {
    key_name: &'static str,
    system: bool,
    time: FileTime,
}

impl NewStore {
    /// A store that is not the one a machine starts from, as `bcdedit /createstore` makes it.
    #[must_use]
    pub fn new() -> Self {
        Self { key_name: "BCD00000001", system: false, time: FileTime::now() }
    }

    /// A store that a machine starts from, as `bcdboot` makes it.
    #[must_use]
    pub fn system() -> Self {
        Self { key_name: "BCD00000000", system: true, ..Self::new() }
    }

    /// The time stamps of the hive and its keys.
    #[must_use]
    pub fn time(mut self, time: FileTime) -> Self {
        self.time = time;
        self
    }

    /// Makes the store, in memory.
    ///
    /// # Errors
    ///
    /// None that these settings can meet.
    pub fn create(self) -> Result<Hive> {
        let descriptor = |sddl: &str| sddl.parse::<SecurityDescriptor>().map(|parsed| parsed.to_bytes());
        let new = NewHive::new(Version::V1_3).root_name("NewStoreRoot").time(self.time);
        let mut hive = new.descriptor(descriptor(FULL)?).create()?;
        let mut txn = hive.begin()?;
        txn.set_time(self.time);
        let description = txn.create_key(txn.root(), DESCRIPTION)?;
        txn.set_value(description, "KeyName", &Data::Sz(self.key_name.to_owned()))?;
        if self.system {
            // bcdboot writes both; what reads the second one is not known.
            for name in ["System", "TreatAsSystem"] {
                txn.set_value(description, name, &Data::Dword(1))?;
            }
        }
        let objects = txn.create_key(txn.root(), OBJECTS)?;
        txn.set_security(objects, &descriptor(GUARDED)?)?;
        txn.commit()?;
        Ok(hive)
    }
}

impl Default for NewStore {
    fn default() -> Self {
        Self::new()
    }
}

/// Everything for administrators and SYSTEM: the root and `Description`.
const FULL: &str = "O:BAG:SYD:(A;;KA;;;BA)(A;;KA;;;SY)";
/// Reading, and changing who may do more, for administrators: all objects.
const GUARDED: &str = "O:BAG:SYD:(A;;CCSWRPRCWD;;;BA)(A;;KA;;;SY)";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bcd::Store;

    #[test]
    fn new_stores_are_clean_and_empty() {
        for new in [NewStore::new(), NewStore::system()] {
            let hive = new.create().unwrap();
            assert!(hive.view().check().is_clean(), "{:?}", hive.view().check().findings);
            assert!(Store::new(hive.view()).unwrap().objects().unwrap().is_empty());
            assert_eq!(hive.view().minor_version(), 3);
        }
    }
}
