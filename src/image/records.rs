//! [`Records`]: where descriptors stand.

use std::collections::HashMap;

use super::Image;
use crate::CellOffset;

/// Key security records by their descriptors. Looking through the ring for every key that is made would take time by
/// keys times records.
#[derive(Default)]
pub(crate) struct Records {
    by_descriptor: HashMap<Box<[u8]>, CellOffset>,
    /// Whether some descriptor stands in several records.
    repeated: bool,
}

impl Records {
    /// One more record. NT 4 left some with equal bytes: the first will do.
    pub(crate) fn add(&mut self, descriptor: &[u8], at: CellOffset) {
        if self.by_descriptor.contains_key(descriptor) {
            self.repeated = true;
        } else {
            self.by_descriptor.insert(descriptor.into(), at);
        }
    }

    pub(crate) fn of(&self, descriptor: &[u8]) -> Option<CellOffset> {
        self.by_descriptor.get(descriptor).copied()
    }

    /// One record less; none if the ring has to be asked again: which of several it was, and which is the first then,
    /// is not known here.
    fn without(mut self, descriptor: &[u8]) -> Option<Self> {
        self.by_descriptor.remove(descriptor);
        (!self.repeated).then_some(self)
    }
}

impl Image {
    /// Where descriptors stand, if somebody has looked since the transaction began or something was rolled back.
    pub(crate) fn records(&self) -> Option<&Records> {
        self.records.as_ref()
    }

    pub(crate) fn remember_records(&mut self, records: Records) {
        self.records = Some(records);
    }

    /// A record was made.
    pub(crate) fn remember_record(&mut self, descriptor: &[u8], at: CellOffset) {
        if let Some(records) = &mut self.records {
            records.add(descriptor, at);
        }
    }

    /// A record goes, and another may stand in its place soon.
    pub(crate) fn forget_record(&mut self, descriptor: &[u8]) {
        self.heirs.clear();
        self.records = self.records.take().and_then(|records| records.without(descriptor));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_equal_records_is_known_until_one_goes() {
        let mut records = Records::default();
        records.add(b"one", CellOffset(0x20));
        records.add(b"two", CellOffset(0x40));
        let mut records = records.without(b"two").unwrap();
        assert_eq!((records.of(b"one"), records.of(b"two")), (Some(CellOffset(0x20)), None));
        records.add(b"one", CellOffset(0x60));
        assert_eq!(records.of(b"one"), Some(CellOffset(0x20)));
        assert!(records.without(b"one").is_none(), "the second is in the ring still");
    }
}
