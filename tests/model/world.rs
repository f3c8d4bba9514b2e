//! A hive and its model, side by side: every operation is done to both, and every answer compared.

use std::{collections::BTreeMap, path::PathBuf};

use hivesmith::{
    Error, FileTime, Hive, HiveFile, HiveView, KeyFlags, KeyId, MemoryStorage, NewHive, OpenOptions, Protocol,
    RequestError, Savepoint, Transaction, ValueType, Version,
    check::{Report, Rule, Severity},
    name::{KeyPath, NameBuf, Units},
};

use super::{
    log::log_for,
    ops::{self, Name, Op},
    tree::{Entry, Folded, Node, fold},
};

/// How the hive is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// In memory, without files.
    Memory,
    /// A file without logs: one flip after the other.
    Stepwise,
    /// A file with a log of Windows 8.1 and later.
    Logged,
}

/// Bounds on what one operation may do.
#[derive(Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) siblings: u16,
    pub(crate) values: u16,
    /// Bytes of the hive above which nothing large is added any more.
    pub(crate) hive: usize,
}

pub(crate) struct World {
    hive: Hive,
    mode: Mode,
    /// The hive's file, if it is one.
    path: Option<PathBuf>,
    model: Node,
    bounds: Bounds,
    clock: u64,
    /// Pages that the last commit says it changed.
    pages: u32,
    /// How often the hive as it was found broke which rule.
    before: BTreeMap<String, u64>,
}

/// What went wrong, in words.
pub(crate) type Outcome<T = ()> = Result<T, String>;

macro_rules! ensure {
    ($condition:expr, $($message:tt)*) => {
        if !$condition {
            return Err(format!($($message)*));
        }
    };
}

#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
fn say(error: impl ToString) -> String {
    error.to_string()
}

/// How a transaction ends.
enum End {
    Commit,
    Reopen,
    Abort,
    /// The operations are used up.
    Last,
}

impl World {
    /// A new hive; it is small and dull.
    pub(crate) fn new(version: Version, mode: Mode, bounds: Bounds) -> Self {
        let hive = NewHive::new(version).time(FileTime(1)).create().expect("a new hive");
        Self::with(&hive.to_bytes(), mode, bounds).expect("a new hive opens")
    }

    /// A hive as it was found.
    pub(crate) fn with(bytes: &[u8], mode: Mode, bounds: Bounds) -> Outcome<Self> {
        let hive = match mode {
            Mode::Memory => Hive::from_bytes(bytes.to_vec()),
            Mode::Stepwise => OpenOptions::new().open_storage(MemoryStorage::new(bytes.to_vec())),
            Mode::Logged => {
                let files = MemoryStorage::new(bytes.to_vec()).with(HiveFile::Log1, log_for(bytes));
                OpenOptions::new().open_storage(files.with(HiveFile::Log2, Vec::new()))
            }
        };
        Self::of(hive.map_err(say)?, None, bounds)
    }

    /// A hive in a file, with the logs beside it. Only its pages that are used are read.
    pub(crate) fn open(path: PathBuf, bounds: Bounds) -> Outcome<Self> {
        Self::of(Hive::open(&path).map_err(say)?, Some(path), bounds)
    }

    fn of(hive: Hive, path: Option<PathBuf>, bounds: Bounds) -> Outcome<Self> {
        let mode = match hive.protocol() {
            Protocol::Memory => Mode::Memory,
            Protocol::Logged => Mode::Logged,
            _ => Mode::Stepwise,
        };
        let model = Node::read(hive.view().root().map_err(say)?).map_err(say)?;
        let before = counts(&hive.view().check());
        Ok(Self { hive, mode, path, model, bounds, clock: 1000, pages: 0, before })
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.hive.to_bytes()
    }

    /// Does the operations, transaction by transaction; the last one is committed.
    pub(crate) fn run(&mut self, ops: &[Op]) -> Outcome {
        let mut ops = ops.iter();
        loop {
            let bytes_before = self.hive.to_bytes();
            let model_before = self.model.clone();
            let end = self.transaction(&mut ops)?;
            if let End::Abort = end {
                self.model = model_before;
                ensure!(self.hive.to_bytes() == bytes_before, "an aborted transaction left traces");
                continue;
            }
            self.judge(&bytes_before)?;
            if let End::Reopen = end {
                self.reopen()?;
            }
            let root = self.hive.view().root().map_err(say)?;
            self.model.refresh_ids(root).map_err(say)?;
            if let End::Last = end {
                return Ok(());
            }
        }
    }

    fn transaction<'o>(&mut self, ops: &mut impl Iterator<Item = &'o Op>) -> Outcome<End> {
        let bounds = self.bounds;
        let stepwise = self.mode == Mode::Stepwise;
        let txn = self.hive.begin().map_err(say)?;
        let is_there = |name: &str| self.model.subkeys.contains_key(&fold(&name.encode_utf16().collect::<Vec<_>>()));
        let boot_store = ["Objects", "Description"].into_iter().all(is_there);
        let mut open = Open {
            txn,
            boot_store,
            model: &mut self.model,
            stepwise,
            bounds,
            clock: &mut self.clock,
            stale: Vec::new(),
            saved: Vec::new(),
            used_up: Vec::new(),
        };
        let end = loop {
            match ops.next() {
                None => break End::Last,
                Some(Op::Commit) => break End::Commit,
                Some(Op::Reopen) => break End::Reopen,
                Some(Op::Abort) => break End::Abort,
                Some(op) => open.apply(*op).map_err(|what| format!("{op:?}: {what}"))?,
            }
        };
        let txn = open.txn;
        if let End::Abort = end {
            txn.abort();
        } else {
            let report = txn.commit().map_err(say)?;
            let expected = match self.mode {
                Mode::Memory => Protocol::Memory,
                Mode::Stepwise => Protocol::Stepwise,
                Mode::Logged => Protocol::Logged,
            };
            ensure!(report.protocol == expected, "committed as {:?}", report.protocol);
            self.pages = report.pages;
        }
        Ok(end)
    }

    /// After a commit: the tree is the model's, the structure is sound, the storage holds what memory holds.
    fn judge(&mut self, bytes_before: &[u8]) -> Outcome {
        self.model.differs_from(self.hive.view())?;
        self.structure(&self.hive.view().check())?;
        let bytes = self.hive.to_bytes();
        ensure!(bytes.len() >= bytes_before.len(), "a hive never shrinks");
        let bins = [bytes_before, &bytes].map(|bytes| &bytes[0x1000..]);
        let kept = bins[0].chunks(0x1000).zip(bins[1].chunks(0x1000)).filter(|(old, new)| old == new).count();
        let changed = bins[1].len() / 0x1000 - kept;
        ensure!(changed <= self.pages as usize, "{changed} pages differ, the commit speaks of {}", self.pages);
        ensure!(bytes_before[0x200..0x1000] == bytes[0x200..0x1000], "what follows the base block changed");
        if self.mode != Mode::Memory {
            let stored = self.file(HiveFile::Primary)?.unwrap_or_default();
            ensure!(stored.get(..bytes.len()) == Some(&bytes[..]), "storage and memory differ");
        }
        Ok(())
    }

    /// No rule is broken more often than before. Without a log an unused descriptor cannot always be unlinked.
    fn structure(&self, report: &Report) -> Outcome {
        for (rule, count) in counts(report) {
            let tolerated = self.mode == Mode::Stepwise && rule == Rule::S6.to_string();
            let before = self.before.get(&rule).copied().unwrap_or(0);
            if count > before && !tolerated {
                let found = report.findings.iter().find(|finding| finding.rule.to_string() == rule);
                return Err(found.map_or(rule, ToString::to_string));
            }
        }
        Ok(())
    }

    fn file(&mut self, file: HiveFile) -> Outcome<Option<Vec<u8>>> {
        let Some(storage) = self.hive.storage_mut() else { return Ok(None) };
        let Some(length) = storage.len(file).map_err(say)? else { return Ok(None) };
        let mut bytes = vec![0; length as usize];
        storage.read(file, 0, &mut bytes).map_err(say)?;
        Ok(Some(bytes))
    }

    /// Opens what is stored: it must be clean, and what is in memory.
    fn reopen(&mut self) -> Outcome {
        let now = self.hive.to_bytes();
        let reopened = if let Some(path) = &self.path {
            // The file has one editor at a time.
            self.hive = Hive::from_bytes(now.clone()).map_err(say)?;
            Hive::open(path)
        } else if self.mode == Mode::Memory {
            Hive::from_bytes(now.clone())
        } else {
            let mut files = MemoryStorage::default();
            for file in [HiveFile::Primary, HiveFile::Log1, HiveFile::Log2, HiveFile::Log] {
                if let Some(bytes) = self.file(file)? {
                    files = files.with(file, bytes);
                }
            }
            OpenOptions::new().open_storage(files)
        };
        self.hive = reopened.map_err(say)?;
        ensure!(self.hive.recovery().is_none(), "a committed hive is dirty");
        ensure!(self.hive.to_bytes() == now, "the hive is another one after opening it again");
        Ok(())
    }
}

fn counts(report: &Report) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for finding in report.findings.iter().filter(|finding| finding.severity > Severity::Odd) {
        *counts.entry(finding.rule.to_string()).or_default() += 1;
    }
    counts
}

/// A transaction under way.
struct Open<'h, 'm> {
    txn: Transaction<'h>,
    model: &'m mut Node,
    stepwise: bool,
    /// New keys share their parent's descriptor there.
    boot_store: bool,
    bounds: Bounds,
    clock: &'m mut u64,
    stale: Vec<KeyId>,
    saved: Vec<(Savepoint, Node, Vec<KeyId>, HiveBytes)>,
    used_up: Vec<Savepoint>,
}

/// Enough of a hive's bytes to see whether a rollback left any: all key nodes and values, by place.
type HiveBytes = u64;

/// What a request is answered with.
fn verdict<T>(result: &Result<T, Error>) -> &'static str {
    match result {
        Ok(_) => "ok",
        Err(Error::Request(request)) => match request {
            RequestError::BadKeyName(_) => "bad key name",
            RequestError::BadValueName(_) => "bad value name",
            RequestError::AlreadyExists(_) => "already exists",
            RequestError::Undeletable(_) => "undeletable",
            RequestError::HasSubkeys(_) => "has subkeys",
            RequestError::SymbolicLink(_) => "symbolic link",
            RequestError::DataTooLarge { .. } => "data too large",
            RequestError::StaleId => "stale id",
            RequestError::HalfDone => "half done",
            RequestError::Uncommittable(_) => "uncommittable",
            RequestError::TooDeep => "too deep",
            _ => "another request error",
        },
        Err(Error::Security(_)) => "security",
        Err(_) => "another error",
    }
}

fn agree<T>(result: &Result<T, Error>, expected: &'static str) -> Outcome {
    let found = verdict(result);
    if found == expected {
        return Ok(());
    }
    let why = result.as_ref().err().map(ToString::to_string).unwrap_or_default();
    Err(format!("answered \"{found}\" ({why}), expected \"{expected}\""))
}

fn is_key_name(name: &[u16]) -> bool {
    (1..=255).contains(&name.len()) && !name.contains(&u16::from(b'\\'))
}

impl Open<'_, '_> {
    fn pick(&self, at: u16) -> Vec<Folded> {
        self.model.nth(usize::from(at) % self.model.count())
    }

    fn tick(&mut self) -> u64 {
        *self.clock += 1;
        self.txn.set_time(FileTime(*self.clock));
        *self.clock
    }

    fn apply(&mut self, op: Op) -> Outcome {
        match op {
            Op::Create { at, name, levels } => self.create(&self.pick(at), name.units(), levels),
            Op::Rename { at, name } => self.rename(&self.pick(at), &name.units()),
            Op::Delete { at } => self.delete(&self.pick(at), false),
            Op::DeleteTree { at } => self.delete(&self.pick(at), true),
            Op::SetValue { at, name, kind, size } => self.set_value(&self.pick(at), name, kind, size.bytes()),
            Op::DeleteValue { at, name } => self.delete_value(&self.pick(at), name),
            Op::SetClass { at, size } => self.set_class(&self.pick(at), size.bytes()),
            Op::SetFlags { at, flags } => self.set_flags(&self.pick(at), flags),
            Op::SetTime { at, time } => {
                let path = self.pick(at);
                let node = self.model.at_mut(&path);
                node.time = time.into();
                agree(&self.txn.set_last_written(node.id, FileTime(time.into())), "ok")
            }
            Op::SetSecurity { at, which } => self.set_security(&self.pick(at), which),
            Op::Siblings { at, count } => self.siblings(&self.pick(at), count),
            Op::DeleteSiblings { at, keep } => self.delete_siblings(&self.pick(at), keep),
            Op::ManyValues { at, count } => self.many_values(&self.pick(at), count),
            Op::UseStale { which } => self.use_stale(which),
            Op::Savepoint => {
                let savepoint = self.txn.savepoint();
                let print = fingerprint(self.txn.view())?;
                self.saved.push((savepoint, self.model.clone(), self.stale.clone(), print));
                Ok(())
            }
            Op::Rollback { to } => self.rollback(to.into()),
            Op::Commit | Op::Reopen | Op::Abort => unreachable!("ends of transactions are not applied"),
        }
    }

    fn create(&mut self, parent: &[Folded], name: Vec<u16>, levels: u8) -> Outcome {
        let mut names = vec![name];
        names.extend((0..levels % 3).map(|level| format!("below {level}").encode_utf16().collect::<Vec<_>>()));
        let path: KeyPath = names.iter().cloned().map(NameBuf::from).collect();
        let now = self.tick();
        let node = self.model.at(parent);
        let (mut deepest, mut missing) = (node, &names[..]);
        while let Some(child) = missing.first().and_then(|name| deepest.subkeys.get(&fold(name))) {
            (deepest, missing) = (child, &missing[1..]);
        }
        let expected = match missing {
            [] => "ok",
            _ if missing.iter().any(|name| !is_key_name(name)) => "bad key name",
            _ if deepest.flags & KeyFlags::SYMBOLIC_LINK.bits() != 0 => "symbolic link",
            _ => "ok",
        };
        let created = self.txn.create_key(node.id, path);
        // What it inherits may need a record that only a log can link in.
        if self.stepwise && expected == "ok" && verdict(&created) == "uncommittable" {
            return Ok(());
        }
        agree(&created, expected)?;
        let Ok(id) = created else { return Ok(()) };
        let mut at = parent.to_vec();
        for (level, name) in names.iter().enumerate() {
            let last = level + 1 == names.len();
            let id = if last { id } else { self.id_of(&at, name)? };
            let node = self.model.at_mut(&at);
            let shares = self.boot_store;
            let descriptor = if shares { node.descriptor.clone() } else { ops::inherited(&node.descriptor) };
            let folded = fold(name);
            if !node.subkeys.contains_key(&folded) {
                node.time = now;
                let new = Node {
                    id,
                    name: name.clone(),
                    time: now,
                    flags: 0,
                    class: None,
                    descriptor,
                    values: Vec::new(),
                    subkeys: BTreeMap::new(),
                };
                node.subkeys.insert(folded.clone(), new);
            }
            at.push(folded);
        }
        Ok(())
    }

    /// The id that a subkey has in the hive.
    fn id_of(&self, parent: &[Folded], name: &[u16]) -> Outcome<KeyId> {
        let path: KeyPath = parent.iter().cloned().chain([name.to_vec()]).map(NameBuf::from).collect();
        self.txn.find(&path).map_err(say)?.ok_or_else(|| format!("{path} was not made"))
    }

    fn rename(&mut self, path: &[Folded], name: &[u16]) -> Outcome {
        let now = self.tick();
        let node = self.model.at(path);
        let folded = fold(name);
        let expected = match path.split_last() {
            _ if !is_key_name(name) => "bad key name",
            None => "undeletable",
            Some(_) if node.name == name => "ok",
            Some((last, parent)) if *last != folded && self.model.at(parent).subkeys.contains_key(&folded) => {
                "already exists"
            }
            Some(_) => "ok",
        };
        let old = node.id;
        let renamed = self.txn.rename_key(old, NameBuf::from(name.to_vec()));
        agree(&renamed, expected)?;
        let (Ok(id), Some((last, parent))) = (renamed, path.split_last()) else { return Ok(()) };
        if node.name == name {
            return Ok(());
        }
        let parent = self.model.at_mut(parent);
        parent.time = now;
        let mut node = parent.subkeys.remove(last).expect("a key of the model");
        node.name = name.to_vec();
        node.time = now;
        node.id = id;
        parent.subkeys.insert(folded, node);
        if id != old && !self.stepwise {
            self.stale.push(old);
        }
        Ok(())
    }

    fn delete(&mut self, path: &[Folded], whole_tree: bool) -> Outcome {
        let now = self.tick();
        let node = self.model.at(path);
        let keys = node.count();
        let expected = match path.split_last() {
            None => "undeletable",
            Some(_) if !whole_tree && !node.subkeys.is_empty() => "has subkeys",
            Some(_) if node.has_undeletable() => "undeletable",
            Some(_) => "ok",
        };
        let deleted = if whole_tree { self.txn.delete_tree(node.id) } else { self.txn.delete_key(node.id).map(|()| 1) };
        agree(&deleted, expected)?;
        let (Ok(deleted), Some((last, parent))) = (deleted, path.split_last()) else { return Ok(()) };
        ensure!(deleted as usize == keys, "{deleted} keys deleted, not {keys}");
        let parent = self.model.at_mut(parent);
        parent.time = now;
        let gone = parent.subkeys.remove(last).expect("a key of the model");
        self.stale.extend(gone.ids());
        Ok(())
    }

    fn set_value(&mut self, path: &[Folded], name: Name, kind: u8, size: usize) -> Outcome {
        // Types of Windows, and one of nobody.
        let kind = if kind % 16 == 15 { 0xffff_1234 } else { u32::from(kind % 16) };
        self.set_value_bytes(path, name.units(), kind, size)
    }

    fn set_value_bytes(&mut self, path: &[Folded], name: Vec<u16>, kind: u32, size: usize) -> Outcome {
        let now = self.tick();
        let hive = self.txn.view();
        let limit = if hive.minor_version() < 4 { 0xf_fffc } else { usize::MAX };
        let size = if size > 5000 && size <= limit && fullness(hive) > self.bounds.hive { size % 5000 } else { size };
        let data = ops::data(size, now);
        let expected = match () {
            () if size > limit => "data too large",
            () if name.len() > 16_383 => "bad value name",
            () => "ok",
        };
        let node = self.model.at_mut(path);
        let set = self.txn.set_value_bytes(node.id, NameBuf::from(name.clone()), ValueType(kind), &data);
        agree(&set, expected)?;
        if set.is_ok() {
            node.time = now;
            match node.value(&name) {
                Some(at) => (node.values[at].kind, node.values[at].data) = (kind, data),
                None => node.values.push(Entry { name, kind, data }),
            }
        }
        Ok(())
    }

    fn delete_value(&mut self, path: &[Folded], name: Name) -> Outcome {
        let now = self.tick();
        let node = self.model.at_mut(path);
        let at = node.value(&name.units());
        let deleted = self.txn.delete_value(node.id, name.buf());
        agree(&deleted, "ok")?;
        ensure!(deleted.is_ok_and(|deleted| deleted == at.is_some()), "the value was there or it was not");
        if let Some(at) = at {
            node.time = now;
            node.values.remove(at);
        }
        Ok(())
    }

    fn set_class(&mut self, path: &[Folded], bytes: usize) -> Outcome {
        let now = self.tick();
        let units: Vec<u16> = (0..bytes / 2).map(|at| (at % 0xffff) as u16).collect();
        let class = (!units.is_empty()).then_some(units);
        let node = self.model.at_mut(path);
        let set = self.txn.set_class_name(node.id, class.clone().map(NameBuf::from));
        let too_long = class.as_ref().is_some_and(|class| class.len() > 0x7fff);
        agree(&set, if too_long { "another request error" } else { "ok" })?;
        if set.is_ok() {
            if class.is_some() || node.class.is_some() {
                node.time = now;
            }
            node.class = class;
        }
        Ok(())
    }

    fn set_flags(&mut self, path: &[Folded], flags: u16) -> Outcome {
        const SETTABLE: u16 = 0xf000 | 0x8 | 0x10 | 0x80 | 0x100 | 0x200;
        let now = self.tick();
        let node = self.model.at_mut(path);
        let new = (node.flags & !SETTABLE) | (flags & SETTABLE);
        let link = KeyFlags::SYMBOLIC_LINK.bits();
        let refused = new != node.flags && new & link != 0 && !node.subkeys.is_empty();
        let set = self.txn.set_flags(node.id, KeyFlags::from_bits_retain(flags));
        agree(&set, if refused { "has subkeys" } else { "ok" })?;
        if set.is_ok() && new != node.flags {
            node.flags = new;
            node.time = now;
        }
        Ok(())
    }

    fn set_security(&mut self, path: &[Folded], which: u8) -> Outcome {
        let now = self.tick();
        let descriptor = ops::descriptor(which);
        let node = self.model.at_mut(path);
        let set = self.txn.set_security(node.id, &descriptor);
        if self.stepwise && verdict(&set) == "uncommittable" {
            return Ok(());
        }
        agree(&set, if which % 6 == 5 { "security" } else { "ok" })?;
        if set.is_ok() && node.descriptor != descriptor {
            node.descriptor = descriptor;
            node.time = now;
        }
        Ok(())
    }

    /// Names that come neither in order nor against it, of very different lengths.
    fn siblings(&mut self, path: &[Folded], count: u16) -> Outcome {
        let count = u32::from(count % (self.bounds.siblings + 1));
        for at in 0..count {
            let place = at * 7919 % count;
            let name = format!("sibling {place:05}{}", "+".repeat(place as usize % 40 / 13 * 20));
            if self.model.at(path).flags & KeyFlags::SYMBOLIC_LINK.bits() != 0 {
                break;
            }
            self.create(path, name.encode_utf16().collect(), 0)?;
        }
        Ok(())
    }

    fn delete_siblings(&mut self, path: &[Folded], keep: u16) -> Outcome {
        let names: Vec<Folded> = self.model.at(path).subkeys.keys().cloned().collect();
        let go = names.len().saturating_sub(keep.into());
        let start = names.len() / 3;
        for name in names.iter().cycle().skip(start).take(go) {
            let mut child = path.to_vec();
            child.push(name.clone());
            if !self.model.at(&child).has_undeletable() {
                self.delete(&child, true)?;
            }
        }
        Ok(())
    }

    fn many_values(&mut self, path: &[Folded], count: u16) -> Outcome {
        for at in 0..count % (self.bounds.values + 1) {
            let name = format!("value {}", at / 2 * 2);
            self.set_value_bytes(path, name.encode_utf16().collect(), u32::from(at % 2) + 3, usize::from(at % 7))?;
        }
        Ok(())
    }

    fn use_stale(&mut self, which: u16) -> Outcome {
        if self.stale.is_empty() {
            return Ok(());
        }
        let id = self.stale[usize::from(which) % self.stale.len()];
        agree(&self.txn.delete_value(id, "x"), "stale id")?;
        agree(&self.txn.create_key(id, "x"), "stale id")
    }

    fn rollback(&mut self, to: usize) -> Outcome {
        let all = self.saved.len() + self.used_up.len();
        if all == 0 {
            return Ok(());
        }
        let to = to % all;
        if to >= self.saved.len() {
            let used_up = self.used_up.swap_remove(to - self.saved.len());
            return agree(&self.txn.rollback_to(used_up), "stale id");
        }
        let mut later = self.saved.split_off(to).into_iter();
        let (savepoint, model, stale, print) = later.next().expect("a savepoint");
        self.used_up.extend(later.map(|(savepoint, ..)| savepoint));
        agree(&self.txn.rollback_to(savepoint), "ok")?;
        *self.model = model;
        self.stale = stale;
        ensure!(fingerprint(self.txn.view())? == print, "a rollback left traces");
        self.model.differs_from(self.txn.view())
    }
}

fn fullness(hive: HiveView<'_>) -> usize {
    // The last key of a walk stands as far behind as any.
    hive.walk().flatten().map(|walked| walked.key.id().offset().0 as usize).max().unwrap_or(0)
}

/// Names, places and data of everything, in one number.
fn fingerprint(hive: HiveView<'_>) -> Outcome<u64> {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    for walked in hive.walk() {
        let key = walked.map_err(say)?.key;
        key.id().hash(&mut hasher);
        key.last_written().0.hash(&mut hasher);
        key.security().map_err(say)?.offset().hash(&mut hasher);
        key.security().map_err(say)?.references().hash(&mut hasher);
        for value in key.values().map_err(say)? {
            let value = value.map_err(say)?;
            value.name().map_err(say)?.units().collect::<Vec<_>>().hash(&mut hasher);
            value.kind().0.hash(&mut hasher);
            value.data().map_err(say)?.hash(&mut hasher);
        }
    }
    Ok(hasher.finish())
}
