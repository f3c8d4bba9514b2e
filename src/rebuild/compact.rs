//! Compaction: the same hive in as few bytes as Windows' cells allow.

use std::{borrow::Cow, collections::HashMap};

use super::{
    tree::{Content, Entry, Node, Text, Tree},
    write::write,
};
use crate::{
    BINS_START, CellOffset, Defect, DirtyState, Error, FormatError, Hive, HiveView, LogState, RequestError, Result,
    Structure, Value,
    bytes::u16_at,
    format::{
        KeyFlags,
        big_data::{self, BigData, SEGMENT},
        key_node::KEY_NODE_FIXED,
        key_value::DataPlace,
    },
    tree::{parse_base_block, segments},
};

impl Hive {
    /// This hive written anew, in memory: no free space, no slack, lists and descriptors as compact as Windows makes
    /// them.
    ///
    /// Nothing is lost: keys, values and descriptors are the same byte for byte, with their time stamps, class names,
    /// flags and the fields that only Windows understands; the base block keeps its file name, ids, flags, version and
    /// sequence numbers. What cannot be reached, deleted keys in free cells for instance, is not copied. The result is
    /// never longer than what it is made from: where the cells could not be packed tighter, they stay as they are.
    /// Compacting twice gives the same bytes.
    ///
    /// # Errors
    ///
    /// [`Error::NeedsRecovery`] for a hive that was not closed cleanly and was opened as it is;
    /// [`RequestError::Layered`] for differencing hives; [`Error::Corrupt`] where the check finds what Windows would
    /// refuse or repair: [`salvage`](crate::rebuild::salvage()) is for those.
    ///
    /// ```
    /// # fn main() -> hivesmith::Result<()> {
    /// use hivesmith::{Data, Hive, Version};
    /// let mut hive = Hive::create(Version::V1_5)?;
    /// let mut txn = hive.begin()?;
    /// let key = txn.create_key(txn.root(), "large")?;
    /// txn.set_value(key, "", &Data::Binary(vec![0; 1 << 20]))?;
    /// txn.commit()?;
    /// let mut txn = hive.begin()?;
    /// txn.delete_key(key)?;
    /// txn.commit()?;
    /// assert!(hive.to_bytes().len() > 1 << 20);
    /// assert_eq!(hive.compacted()?.to_bytes().len(), 0x2000);
    /// # Ok(())
    /// # }
    /// ```
    pub fn compacted(&self) -> Result<Self> {
        let bytes = self.to_bytes();
        let base = parse_base_block(&bytes)?;
        if !base.is_clean() {
            return Err(Error::NeedsRecovery(DirtyState::new(&base, LogState::Unusable)));
        }
        let view = HiveView::parse(&bytes)?;
        if view.is_layered() {
            return Err(RequestError::Layered.into());
        }
        let report = view.check();
        if !report.editable() {
            return Err(Error::Corrupt(Box::new(report)));
        }
        let page = bytes.get(..BINS_START as usize).unwrap_or_default().to_vec();
        let rebuilt = write(&read(view)?, &base, page)?;
        if rebuilt.len() > bytes.len() {
            return Self::from_bytes(bytes);
        }
        let rebuilt = Self::from_bytes(rebuilt)?;
        let report = rebuilt.view().check();
        // Whatever may have gone wrong: nobody is handed a hive that is worse than his own.
        if report.editable() { Ok(rebuilt) } else { Err(Error::Corrupt(Box::new(report))) }
    }
}

/// Everything that an intact hive holds once more, in bins to be put behind others, the first of them at `start`; and
/// where the root is. What a hive holds decides alone what these bins are.
///
/// # Errors
///
/// [`Error::Format`] where a record is broken; [`RequestError::HiveFull`].
#[cfg(feature = "volume")]
pub(crate) fn copy_behind(hive: HiveView<'_>, start: u32) -> Result<(Vec<u8>, CellOffset)> {
    Ok(super::write::write_behind(&read(hive)?, hive.minor_version(), start)?)
}

/// Reads an intact hive.
fn read(hive: HiveView<'_>) -> Result<Tree<'_>> {
    let mut tree = Tree::default();
    let mut records: HashMap<CellOffset, u32> = HashMap::new();
    let mut known: HashMap<&[u8], u32> = HashMap::new();
    // The keys above the one at hand.
    let mut above: Vec<u32> = Vec::new();
    for walked in hive.walk() {
        let walked = walked?;
        let (depth, key, number) = (walked.depth, walked.key, tree.keys.len() as u32);
        above.truncate(depth);
        let parent = above.last().copied().unwrap_or(0);
        above.push(number);

        let node = key.node();
        let record = node.security();
        let descriptor = match records.get(&record) {
            Some(descriptor) => *descriptor,
            None => {
                let bytes = key.security()?.bytes();
                let descriptor = *known.entry(bytes).or_insert_with(|| {
                    tree.descriptors.push(Cow::Borrowed(bytes));
                    tree.descriptors.len() as u32 - 1
                });
                records.insert(record, descriptor);
                descriptor
            }
        };
        let class = match node.class_length() {
            0 => &[],
            length => hive.cell(node.class())?.head(Structure::ClassName, "class name", length.into())?,
        };
        let fixed = node.cell.payload.first_chunk::<KEY_NODE_FIXED>();
        let fixed =
            fixed.ok_or_else(|| node.cell.too_short(Structure::KeyNode, "fixed part", KEY_NODE_FIXED as u64))?;
        tree.keys.push(Node { fixed: *fixed, name: Text::of(node.name()?), class, parent, descriptor });
        if key.flags().contains(KeyFlags::PREDEFINED_HANDLE) {
            continue;
        }
        for value in key.values()? {
            let value = value?;
            let record = value.record();
            tree.values.push(Entry {
                key: number,
                name: Text::of(record.name()?),
                kind: record.kind(),
                flags: record.flags(),
                spare: u16_at(record.cell.payload, 0x12).unwrap_or_default(),
                content: content(value)?,
            });
        }
    }
    Ok(tree)
}

fn content(value: Value<'_>) -> Result<Content<'_>, FormatError> {
    let hive = value.hive();
    let (at, length) = match value.record().data_place()? {
        DataPlace::Inline(bytes, length) => return Ok(Content::Inline(bytes, length)),
        DataPlace::Cell(_, 0) => return Ok(Content::nothing(value.record().flags())),
        DataPlace::Cell(at, length) => (at, length),
    };
    let cell = hive.cell(at)?;
    if !big_data::applies(hive.minor_version(), length) {
        return Ok(Content::of(cell.head(Structure::ValueData, "data", length as usize)?));
    }
    let mut left = length;
    let mut pieces = Vec::new();
    for segment in segments(hive, BigData::parse(cell, length)?)? {
        let wanted = left.min(SEGMENT);
        pieces.push(hive.cell(segment)?.head(Structure::BigData, "segment", wanted as usize)?);
        left -= wanted;
    }
    if left > 0 {
        let defect = Defect::Truncated { part: "data", needed: length.into(), available: (length - left).into() };
        return Err(cell.error(Structure::BigData, defect));
    }
    Ok(Content::Pieces(pieces))
}
