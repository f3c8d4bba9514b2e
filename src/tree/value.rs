//! Values: enumerating, and reading data wherever it is kept.

use std::{borrow::Cow, fmt};

use super::{HiveView, Key};
use crate::{
    CellOffset, Defect, FormatError, Result, Structure, ValueType,
    bytes::u32_at,
    format::{
        big_data::{self, BigData, SEGMENT},
        key_value::{DataPlace, KeyValue},
    },
    name::Name,
};

/// Iterator over the values of a key.
#[derive(Clone)]
pub struct Values<'a> {
    hive: HiveView<'a>,
    list: &'a [u8],
    next: usize,
}

impl<'a> Values<'a> {
    pub(super) fn of(key: Key<'a>) -> Result<Self, FormatError> {
        Ok(Self { hive: key.hive(), list: key.values_list()?, next: 0 })
    }
}

impl<'a> Iterator for Values<'a> {
    type Item = Result<Value<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        let at = u32_at(self.list, self.next * 4)?;
        self.next += 1;
        Some(Value::parse(self.hive, CellOffset(at)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.list.len() / 4 - self.next;
        (left, Some(left))
    }
}

/// A value: borrows the hive's bytes, is `Copy`, and reads its data when asked.
#[derive(Clone, Copy)]
pub struct Value<'a> {
    hive: HiveView<'a>,
    record: KeyValue<'a>,
}

impl<'a> Value<'a> {
    pub(crate) fn parse(hive: HiveView<'a>, at: CellOffset) -> Result<Self> {
        Ok(Self { hive, record: KeyValue::parse(hive.cell(at)?)? })
    }

    /// The name; empty for the default value.
    ///
    /// # Errors
    ///
    /// [`Error::Format`](crate::Error::Format) where it does not fit its cell.
    pub fn name(self) -> Result<Name<'a>> {
        Ok(self.record.name()?)
    }

    /// The type, known or not; it says nothing certain about the data.
    #[must_use]
    pub fn kind(self) -> ValueType {
        self.record.kind()
    }

    /// Data length in bytes.
    #[must_use]
    pub fn len(self) -> u32 {
        self.record.data_length()
    }

    /// Whether there is no data.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The data as stored: borrowed if it stands in one piece, copied from the record or from segments otherwise.
    ///
    /// # Errors
    ///
    /// [`Error::Format`](crate::Error::Format) where fewer bytes are there than the record promises.
    pub fn data(self) -> Result<Cow<'a, [u8]>> {
        let (at, length) = match self.record.data_place()? {
            DataPlace::Inline(bytes, length) => {
                return Ok(bytes.get(..length as usize).unwrap_or_default().to_vec().into());
            }
            DataPlace::Cell(_, 0) => return Ok(Cow::Borrowed(&[])),
            DataPlace::Cell(at, length) => (at, length),
        };
        let cell = self.hive.cell(at)?;
        if !big_data::applies(self.hive.minor_version(), length) {
            return Ok(Cow::Borrowed(cell.head(Structure::ValueData, "data", length as usize)?));
        }
        let mut data = Vec::new();
        let record = BigData::parse(cell, length)?;
        // One segment named again and again would make a gigabyte of a few kilobytes.
        let most = self.hive.bins().len();
        if length > most {
            let defect = Defect::Truncated { part: "data", needed: length.into(), available: most.into() };
            return Err(cell.error(Structure::BigData, defect).into());
        }
        for segment in segments(self.hive, record)? {
            let wanted = (length as usize - data.len()).min(SEGMENT as usize);
            let cell = self.hive.cell(segment)?;
            data.extend_from_slice(cell.head(Structure::ValueData, "segment", wanted)?);
        }
        Ok(data.into())
    }

    pub(crate) fn hive(self) -> HiveView<'a> {
        self.hive
    }

    pub(crate) fn record(self) -> KeyValue<'a> {
        self.record
    }

    pub(crate) fn offset(self) -> CellOffset {
        self.record.offset()
    }
}

/// The segments of a big data record.
pub(crate) fn segments(
    hive: HiveView<'_>,
    record: BigData,
) -> Result<impl Iterator<Item = CellOffset> + '_, FormatError> {
    let list = hive.cell(record.list)?.head(Structure::BigData, "segment list", usize::from(record.count) * 4)?;
    Ok(list.chunks_exact(4).map_while(|entry| u32_at(entry, 0).map(CellOffset)))
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Value")
            .field("name", &self.name())
            .field("kind", &self.kind())
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use crate::{BINS_START, Data, Hive, HiveView, Version, bytes::u32_at};

    #[test]
    fn data_longer_than_the_hive_is_refused() {
        let mut hive = Hive::create(Version::V1_5).unwrap();
        let mut txn = hive.begin().unwrap();
        let root = txn.root();
        txn.set_value(root, "big", &Data::Binary(vec![1; 16_345])).unwrap();
        txn.set_value(root, "list", &Data::Binary(vec![0; 4000])).unwrap();
        txn.commit().unwrap();
        let place = |name| hive.view().root().unwrap().value(name).unwrap().unwrap().offset().0;
        let mut bytes = hive.to_bytes();
        // Where the payload of a cell begins, and the cell that a record names.
        let payload = |cell: u32| (BINS_START + cell) as usize + 4;
        let named = |bytes: &[u8], at: usize| u32_at(bytes, at).unwrap();

        let big = payload(place("big"));
        let record = payload(named(&bytes, big + 8));
        let segment = named(&bytes, payload(named(&bytes, record + 4)));
        let list = named(&bytes, payload(place("list")) + 8);
        bytes[payload(list)..][..4000].copy_from_slice(&segment.to_le_bytes().repeat(1000));
        bytes[record + 2..][..2].copy_from_slice(&1000_u16.to_le_bytes());
        bytes[record + 4..][..4].copy_from_slice(&list.to_le_bytes());
        bytes[big + 4..][..4].copy_from_slice(&(1000 * 16_344_u32).to_le_bytes());
        let value = HiveView::parse(&bytes).unwrap().root().unwrap().value("big").unwrap().unwrap();
        assert_eq!(value.len(), 1000 * 16_344);
        assert!(value.data().is_err());
    }
}
