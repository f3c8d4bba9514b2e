//! Salvage: everything that is left in a damaged hive, in a new one.

mod cells;
mod ground;
mod keys;
mod loss;
mod security;
mod values;

use std::fmt;

pub use self::loss::{Fate, Loss};
use self::{
    cells::Cells,
    ground::{Base, Ground},
    keys::Search,
};
use super::write::write;
use crate::{
    BINS_START, CellOffset, Defect, Error, FileOffset, FileTime, FormatError, Hive, RequestError, Result, Structure,
    format::base_block::{BaseBlock, FileType},
    name::{KeyPath, NameBuf},
};

/// What a salvage gave.
#[non_exhaustive]
pub struct Salvage {
    /// The new hive, in memory: clean, dense, and with nothing in it that Windows would refuse or repair.
    pub hive: Hive,
    /// What is not in it as it was, in the order of the damaged file; the first 10,000.
    pub losses: Vec<Loss>,
    /// How much there is of everything.
    pub totals: Salvaged,
}

/// How much a salvage found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Salvaged {
    /// Keys in the new hive, the root included.
    pub keys: u64,
    /// Values in the new hive.
    pub values: u64,
    /// Keys that no list held any more and that are there all the same.
    pub restored: u64,
    /// Keys of which nothing is left but that others were below them.
    pub made: u64,
    /// All losses, those that are not listed included.
    pub losses: u64,
}

impl fmt::Debug for Salvage {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { hive, losses, totals } = self;
        out.debug_struct("Salvage").field("hive", hive).field("losses", &losses.len()).field("totals", totals).finish()
    }
}

/// Gets out of a damaged hive what is left in it.
///
/// The bytes are those of a hive file, or of what is left of one; its logs are not looked at (where they can be
/// replayed, do that first). The result is a new hive; the bytes are not changed. It holds
///
/// * every key that the root leads to through the lists, in its right order;
/// * every key in an allocated cell that names one of these as its parent, where that parent's lists are broken, and so
///   on below it. Deleted keys, which are in free cells, stay deleted, and so do those that an intact list does not hold;
/// * in the place of a destroyed key that others name as their parent a key without values: under its own name if the
///   list that it was in holds a hash that is that of one other name in the hive, and otherwise under a name like
///   `lost at 0x0001f020`, that of the place in the file; below the root if its parent is not known either;
/// * values as far as their records and data can be read, data cut short included;
/// * the parent's descriptor where a key's own cannot be read.
///
/// Of two subkeys with the same name the first keeps it, and the other has its place in the file behind its name. Two
/// values with the same name stay as they are: Windows finds the first. What is not as it was is in
/// [`losses`](Salvage::losses). On an intact hive nothing is lost, and the base block keeps its ids, file name and
/// numbers; where it is destroyed, the version follows from the lists.
///
/// Every byte has at most one owner, so the memory needed is a small multiple of the length whatever the bytes say, and
/// so is the time.
///
/// # Errors
///
/// [`Error::Format`] where there is no key, and for a transaction log; [`RequestError::Layered`] for a differencing hive.
///
/// ```
/// # fn main() -> hivesmith::Result<()> {
/// use hivesmith::{Hive, Version, rebuild::salvage};
/// let mut hive = Hive::create(Version::V1_5)?;
/// let mut txn = hive.begin()?;
/// txn.create_key(txn.root(), r"ControlSet001\Services")?;
/// txn.commit()?;
/// let mut bytes = hive.to_bytes();
/// bytes[..0x1000].fill(0);
///
/// let salvage = salvage(&bytes)?;
/// assert!(salvage.hive.view().key(r"ControlSet001\Services")?.is_some());
/// assert_eq!(salvage.totals.keys, 3);
/// assert_eq!(salvage.losses[0].to_string(), "altered base block 0x00000000: the base block: made anew: it is not there");
/// # Ok(())
/// # }
/// ```
pub fn salvage(bytes: &[u8]) -> Result<Salvage> {
    let base = Base::read(bytes);
    refuse_others(bytes, &base)?;
    let ground = Ground::find(bytes, &base);
    let mut search = Search::new(Cells::scan(ground));
    report_base(&mut search, &base, ground);

    let noted = base.block().map(BaseBlock::root);
    search.run(noted, matches!(base, Base::Sound(_)));
    if search.found.iter().all(|found| found.made) {
        let defect = Defect::Truncated { part: "key node", needed: 1, available: 0 };
        return Err(FormatError::new(Structure::BaseBlock, FileOffset(0), defect).into());
    }
    search.find_descriptors()?;
    search.find_classes();
    search.find_values();
    search.settle_names();

    let new = new_base(&base, &search);
    let page = match base {
        Base::Sound(_) => bytes.get(..BINS_START as usize).unwrap_or_default().to_vec(),
        Base::Doubtful(_) | Base::Gone => Vec::new(),
    };
    let hive = Hive::from_bytes(write(&search.tree, &new, page)?)?;
    let report = hive.view().check();
    if !report.editable() {
        // Nothing that is handed out may be worse than this.
        return Err(Error::Corrupt(Box::new(report)));
    }
    let totals = Salvaged {
        keys: search.tree.keys.len() as u64,
        values: search.tree.values.len() as u64,
        restored: search.restored,
        made: search.found.iter().filter(|found| found.made).count() as u64,
        losses: search.losses.count,
    };
    let Search { tree, losses, .. } = search;
    let losses = losses.finish(|key| path(&tree, key));
    Ok(Salvage { hive, losses, totals })
}

/// Refuses what is no hive of ours, if its base block leaves no doubt.
fn refuse_others(bytes: &[u8], base: &Base) -> Result<()> {
    let block = match base {
        Base::Sound(block) if block.minor >= 6 => return Err(RequestError::Layered.into()),
        Base::Doubtful(block) if block.checksum_ok() => block,
        Base::Sound(_) | Base::Doubtful(_) | Base::Gone => return Ok(()),
    };
    // The versions before 1.3 have cells of another kind.
    if block.file_type() != FileType::Hive || (block.major == 1 && block.minor < 3) {
        crate::tree::parse_base_block(bytes)?;
    }
    Ok(())
}

fn report_base(search: &mut Search<'_>, base: &Base, ground: Ground<'_>) {
    let why = match base {
        Base::Sound(_) => None,
        Base::Doubtful(_) => Some("repaired: its checksum or one of its fields is wrong"),
        Base::Gone => Some("made anew: it is not there"),
    };
    if let Some(why) = why {
        search.losses.add(loss::Draft {
            fate: Fate::Altered,
            structure: Structure::BaseBlock,
            offset: FileOffset(0),
            key: None,
            what: "the base block".to_owned(),
            why: why.to_owned(),
        });
    }
    for (from, to) in search.cells.damaged().to_vec() {
        let why = format!("from here to {} cells are recognized by what they hold", ground.file_offset(to));
        search.lose(Fate::Altered, Structure::Hbin, CellOffset(from), None, "the order of the cells", why);
    }
    if ground.missing() > 0 {
        let why = format!("the file ends {} bytes too early", ground.missing());
        let end = CellOffset(ground.end());
        search.lose(Fate::Lost, Structure::Hbin, end, None, "the end of the hive bins", why);
    }
}

/// The base block of the new hive: what is left of the old one.
fn new_base(base: &Base, search: &Search<'_>) -> BaseBlock {
    let (old, new) = search.leaves;
    // Leaves with hashes came with version 1.5, and with them nothing else is written.
    let by_lists = if new >= old { 5 } else { 3 };
    match base {
        Base::Sound(block) if block.sequence1 == block.sequence2 => block.clone(),
        Base::Sound(block) => clean(block),
        Base::Doubtful(block) => {
            let agrees = (3..=5).contains(&block.minor) && (old == new || (block.minor == 5) == (new > old));
            let minor = if agrees { block.minor } else { by_lists };
            let fresh = BaseBlock::new(minor, CellOffset(0x20), 0, FileTime(block.last_written));
            let BaseBlock { sequence1, sequence2, file_name, rm_id, log_id, flags, tm_id, .. } = block.clone();
            let (guid_signature, last_reorganized, rest) = (block.guid_signature, block.last_reorganized, block.rest);
            clean(&BaseBlock {
                sequence1,
                sequence2,
                file_name,
                rm_id,
                log_id,
                flags,
                tm_id,
                guid_signature,
                last_reorganized,
                rest,
                ..fresh
            })
        }
        Base::Gone => BaseBlock::new(by_lists, CellOffset(0x20), 0, FileTime(0)),
    }
}

/// Clean, with a number behind both that there were.
fn clean(block: &BaseBlock) -> BaseBlock {
    let sequence = match (block.sequence1, block.sequence2) {
        (one, other) if one == other => one,
        (one, other) => one.max(other).wrapping_add(1),
    };
    BaseBlock { sequence1: sequence, sequence2: sequence, ..block.clone() }
}

/// The way to a key of the tree.
fn path(tree: &super::tree::Tree<'_>, key: u32) -> KeyPath {
    let mut names: Vec<NameBuf> = Vec::new();
    let mut at = key;
    // Parents have lower numbers than their subkeys.
    while let Some(node) = tree.keys.get(at as usize).filter(|_| at > 0) {
        names.push(node.name.name().to_name_buf());
        at = node.parent.min(at - 1);
    }
    names.reverse();
    KeyPath::from(names)
}
