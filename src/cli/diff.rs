//! `hivesmith diff`

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashSet},
    fmt,
    io::{self, Write},
    path::PathBuf,
    rc::Rc,
};

use clap::ValueEnum;
use hivesmith::{
    Error, Key, KeyFlags, KeyId, SecurityView, ValueType,
    edit::Change,
    name::{KeyPath, NameBuf, Units, upcase},
    plan::shown,
    reg_text::print_changes,
    security::{SecurityDescriptor, descriptor_of_new_key},
};

use super::{
    Common, Exit, Failure,
    dump::{Recover, is_missing, mount_point},
    escape::{hex, json_name},
    output::{Complaints, Output},
};

/// Keys, values, class names, descriptors and flags that differ between two hives.
#[derive(Debug, clap::Args)]
#[command(after_long_help = DETAILS)]
pub(crate) struct Diff {
    /// The hive as it was.
    a: PathBuf,
    /// The hive as it is.
    b: PathBuf,
    /// How to write it; text unless --json is given.
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Compare the time stamps of keys as well.
    #[arg(long)]
    times: bool,
    /// What to do with a hive that was not closed cleanly.
    #[arg(long, value_enum, default_value_t)]
    recover: Recover,
    /// Write to this file instead of stdout.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

const DETAILS: &str = "\
Keys and values are matched by name, in any case, wherever they stand in their lists.

text: `+` only in B, `-` only in A, `~` in both but not alike

reg: a .reg file that turns A into B when imported into A, loaded under HKEY_LOCAL_MACHINE by its
  file's name; class names, descriptors and flags have no place in it and are listed on stderr

json: one document; an unpaired surrogate in a name is escaped (\\ud801)

Exit code 0: the hives are equal; 1: they differ, or could not be compared as a whole.";

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Reg,
    Json,
}

impl Diff {
    pub(crate) fn run(self, common: &Common) -> Result<Exit, Failure> {
        let format = match (self.format, common.json) {
            (None | Some(Format::Json), true) => Format::Json,
            (Some(_), true) => return Err(Failure::usage("--json and another --format contradict each other")),
            (format, false) => format.unwrap_or(Format::Text),
        };
        let (a, b) = (self.recover.open(&self.a)?, self.recover.open(&self.b)?);
        let root_a = a.view().root().map_err(|error| Failure::of(&self.a, &error))?;
        let root_b = b.view().root().map_err(|error| Failure::of(&self.b, &error))?;

        let mut out = Output::open_beside(self.output.as_deref(), &[&self.a, &self.b])?;
        let mut comparison = Comparison {
            a: Side::of(&self.a),
            b: Side::of(&self.b),
            times: self.times,
            path: Vec::new(),
            differences: 0,
        };
        let mut changes = Patch::default();
        let written = match format {
            Format::Text => comparison.run(root_a, root_b, &mut |key| text(&key, &mut out)),
            Format::Json => json(&mut comparison, root_a, root_b, &mut out),
            Format::Reg => comparison.run(root_a, root_b, &mut |key| {
                changes.add(key);
                Ok(())
            }),
        };
        let written = written.and_then(|()| match format {
            Format::Reg => self.print_patch(&changes, &mut out),
            Format::Text | Format::Json => Ok(()),
        });
        out.finish(written)?;
        let whole = [comparison.a, comparison.b].map(|side| side.complaints.finish("comparison"));
        Ok(if comparison.differences == 0 && whole == [Exit::Done; 2] { Exit::Done } else { Exit::No })
    }

    fn print_patch(&self, patch: &Patch, out: &mut Output) -> io::Result<()> {
        let mut complaints = Complaints::about(&self.a);
        let mount = mount_point(&self.a);
        for left in print_changes(out, &mount, &patch.changes)? {
            complaints.add(format_args!("left out: {left}"));
        }
        for key in &patch.flags {
            complaints.add(format_args!("left out: the flags of a key: {}", mount.below(key)));
        }
        complaints.finish("patch");
        Ok(())
    }
}

/// One of the two hives.
struct Side {
    complaints: Complaints,
    /// Each key is visited once, so a hive whose lists form a circle or share their keys is no trap.
    seen: HashSet<KeyId>,
}

impl Side {
    fn of(file: &std::path::Path) -> Self {
        Self { complaints: Complaints::about(file), seen: HashSet::new() }
    }

    fn read<T>(&mut self, path: &[NameBuf], read: Result<T, Error>) -> Option<T> {
        let complain = |error: &Error| self.complaints.add(format_args!("{error} (of {})", place(path)));
        read.inspect_err(complain).ok()
    }

    /// The subkeys by their upper-cased names.
    fn subkeys<'h>(&mut self, path: &[NameBuf], key: Option<Key<'h>>) -> BTreeMap<Vec<u16>, (NameBuf, Key<'h>)> {
        let mut found = BTreeMap::new();
        let Some(subkeys) = key.and_then(|key| self.read(path, key.subkeys())) else { return found };
        for subkey in subkeys {
            let named = subkey.and_then(|subkey| Ok((subkey.name()?.to_name_buf(), subkey)));
            let Some((name, subkey)) = self.read(path, named) else { continue };
            if self.seen.insert(subkey.id()) {
                found.entry(upcased(&name)).or_insert((name, subkey));
            } else {
                let at = subkey.id().offset().file_offset();
                self.complaints.add(format_args!("key node at {at}: met a second time (of {})", place(path)));
            }
        }
        found
    }

    /// The values by their upper-cased names; of several with one name the first, which Windows finds as well.
    fn values<'h>(&mut self, path: &[NameBuf], key: Option<Key<'h>>) -> BTreeMap<Vec<u16>, (NameBuf, Stored<'h>)> {
        let mut found = BTreeMap::new();
        let Some(values) = key.and_then(|key| self.read(path, key.values())) else { return found };
        for value in values {
            let named = value.and_then(|value| {
                let stored = Stored { kind: value.kind(), data: value.data()? };
                Ok((value.name()?.to_name_buf(), stored))
            });
            if let Some((name, stored)) = self.read(path, named) {
                found.entry(upcased(&name)).or_insert((name, stored));
            }
        }
        found
    }

    fn properties<'h>(&mut self, path: &[NameBuf], key: Option<Key<'h>>, times: bool) -> Properties<'h> {
        let Some(key) = key else { return Properties::default() };
        Properties {
            class: self.read(path, key.class_name()).flatten().map(|class| class.to_name_buf()),
            descriptor: match key.security() {
                Err(error) if is_missing(&error) => None,
                security => self.read(path, security).map(SecurityView::bytes),
            },
            // How the name is stored is not what the key is.
            flags: Some(key.flags().difference(KeyFlags::COMPRESSED_NAME).bits()),
            last_written: times.then(|| key.last_written().0),
        }
    }
}

fn upcased(name: &NameBuf) -> Vec<u16> {
    name.units().map(upcase).collect()
}

fn place(path: &[NameBuf]) -> String {
    if path.is_empty() { "the root".to_owned() } else { KeyPath::from(path.to_vec()).to_string() }
}

/// Type and data of a value.
#[derive(PartialEq)]
struct Stored<'h> {
    kind: ValueType,
    data: Cow<'h, [u8]>,
}

/// What a key is, beside its values.
#[derive(Default, PartialEq)]
struct Properties<'h> {
    class: Option<NameBuf>,
    descriptor: Option<&'h [u8]>,
    flags: Option<u16>,
    last_written: Option<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Presence {
    OnlyA,
    OnlyB,
    Both,
}

/// A key that differs, with what differs of it.
struct Difference<'d, 'h> {
    path: &'d [NameBuf],
    presence: Presence,
    /// Whether the key above is in the same case, so that its difference says the same of this one.
    below_such: bool,
    values: Vec<(NameBuf, Option<Stored<'h>>, Option<Stored<'h>>)>,
    before: Properties<'h>,
    after: Properties<'h>,
    /// The descriptor that it has once everything but descriptors was made as in B.
    patched: Option<Rc<[u8]>>,
}

/// A walk through both trees.
struct Comparison {
    a: Side,
    b: Side,
    times: bool,
    path: Vec<NameBuf>,
    differences: u64,
}

/// A key that is still to be compared; at least one of the two is there.
struct Pair<'h> {
    depth: usize,
    name: NameBuf,
    a: Option<Key<'h>>,
    b: Option<Key<'h>>,
    above: Presence,
    /// What the key above has once everything but descriptors was made as in B.
    inherited: Option<Rc<[u8]>>,
}

/// What a new key has below one with this descriptor.
fn heir(above: &Rc<[u8]>) -> Rc<[u8]> {
    let handed_on = SecurityDescriptor::parse(above).and_then(|above| descriptor_of_new_key(&above));
    match handed_on {
        Ok(Some(handed_on)) => handed_on.to_bytes().into(),
        _ => Rc::clone(above),
    }
}

impl Comparison {
    /// Compares two trees, key by key, depth first in the order of names.
    fn run<'h>(
        &mut self,
        a: Key<'h>,
        b: Key<'h>,
        emit: &mut dyn FnMut(Difference<'_, 'h>) -> io::Result<()>,
    ) -> io::Result<()> {
        self.a.seen.insert(a.id());
        self.b.seen.insert(b.id());
        let name = NameBuf::default();
        let mut left = vec![Pair { depth: 0, name, a: Some(a), b: Some(b), above: Presence::Both, inherited: None }];
        while let Some(pair) = left.pop() {
            if let Some(above) = pair.depth.checked_sub(1) {
                self.path.truncate(above);
                self.path.push(pair.name.clone());
            }
            let presence = match (pair.a, pair.b) {
                (Some(_), None) => Presence::OnlyA,
                (None, _) => Presence::OnlyB,
                (Some(_), Some(_)) => Presence::Both,
            };
            let before = self.a.properties(&self.path, pair.a, self.times);
            let after = self.b.properties(&self.path, pair.b, self.times);
            // A patch says nothing of descriptors: old keys keep theirs, new ones take what the key above hands on.
            let patched = match (presence, &pair.inherited) {
                (Presence::OnlyB, Some(above)) => Some(heir(above)),
                _ => before.descriptor.map(Rc::from),
            };
            let values = self.values(pair.a, pair.b);
            if presence != Presence::Both || !values.is_empty() || before != after {
                self.differences += 1;
                let below_such = presence != Presence::Both && pair.above == presence;
                let path = &self.path;
                let patched = patched.clone();
                emit(Difference { path, presence, below_such, values, before, after, patched })?;
            }
            self.push_subkeys(&pair, presence, patched.as_ref(), &mut left);
        }
        Ok(())
    }

    fn values<'h>(
        &mut self,
        a: Option<Key<'h>>,
        b: Option<Key<'h>>,
    ) -> Vec<(NameBuf, Option<Stored<'h>>, Option<Stored<'h>>)> {
        let mut before = self.a.values(&self.path, a);
        let mut values = Vec::new();
        for (upcased, (name, after)) in self.b.values(&self.path, b) {
            match before.remove(&upcased) {
                Some((_, before)) if before == after => {}
                known => values.push((upcased, (name, known.map(|(_, before)| before), Some(after)))),
            }
        }
        values.extend(before.into_iter().map(|(upcased, (name, before))| (upcased, (name, Some(before), None))));
        values.sort_by(|(a, _), (b, _)| a.cmp(b));
        values.into_iter().map(|(_, value)| value).collect()
    }

    /// Puts the subkeys of both keys on the stack, the first name on top.
    fn push_subkeys<'h>(
        &mut self,
        pair: &Pair<'h>,
        above: Presence,
        inherited: Option<&Rc<[u8]>>,
        left: &mut Vec<Pair<'h>>,
    ) {
        let mut a = self.a.subkeys(&self.path, pair.a);
        let depth = pair.depth + 1;
        let mut pairs: Vec<(Vec<u16>, Pair<'h>)> = Vec::new();
        for (upcased, (name, b)) in self.b.subkeys(&self.path, pair.b) {
            let a = a.remove(&upcased).map(|(_, a)| a);
            let inherited = inherited.cloned();
            pairs.push((upcased, Pair { depth, name, a, b: Some(b), above, inherited }));
        }
        for (upcased, (name, a)) in a {
            let inherited = inherited.cloned();
            pairs.push((upcased, Pair { depth, name, a: Some(a), b: None, above, inherited }));
        }
        pairs.sort_by(|(a, _), (b, _)| b.cmp(a));
        left.extend(pairs.into_iter().map(|(_, pair)| pair));
    }
}

fn text(key: &Difference<'_, '_>, out: &mut impl Write) -> io::Result<()> {
    let path = if key.path.is_empty() { "(root)".to_owned() } else { place(key.path) };
    match key.presence {
        Presence::OnlyA => writeln!(out, "- {path}")?,
        Presence::OnlyB => writeln!(out, "+ {path}")?,
        Presence::Both => {}
    }
    for (name, before, after) in &key.values {
        let name = if name.is_empty() { "(Default)".to_owned() } else { name.to_string() };
        match (before, after) {
            (Some(before), Some(after)) => {
                let (was, is) = (before.to_string(), after.to_string());
                write!(out, "~ {path}: {name} = {is}, was {was}")?;
                if was == is {
                    // Long data is shown in part.
                    let alike = before.data.iter().zip(&*after.data).take_while(|(a, b)| a == b).count();
                    write!(out, " (alike up to byte {alike})")?;
                }
                writeln!(out)?;
            }
            (None, Some(after)) => writeln!(out, "+ {path}: {name} = {after}")?,
            (Some(before), None) => writeln!(out, "- {path}: {name} = {before}")?,
            (None, None) => {}
        }
    }
    let Difference { before, after, .. } = key;
    let mut property = |what: &str, was: Option<String>, is: Option<String>| {
        let shown = |text: Option<String>| text.unwrap_or_else(|| "none".to_owned());
        match key.presence {
            _ if was == is => Ok(()),
            Presence::Both => writeln!(out, "~ {path}: {what} {}, was {}", shown(is), shown(was)),
            // Of a key that is in one hive only, what there is beyond the ordinary.
            Presence::OnlyA if what == "class name" => writeln!(out, "- {path}: {what} {}", shown(was)),
            Presence::OnlyB if what == "class name" => writeln!(out, "+ {path}: {what} {}", shown(is)),
            Presence::OnlyA | Presence::OnlyB => Ok(()),
        }
    };
    let quoted = |class: &Option<NameBuf>| class.as_ref().map(|class| format!("\"{class}\""));
    property("class name", quoted(&before.class), quoted(&after.class))?;
    property("descriptor", before.descriptor.map(sddl), after.descriptor.map(sddl))?;
    let flags = |flags: u16| format!("{flags:#06x}");
    property("flags", before.flags.map(flags), after.flags.map(flags))?;
    let time = |time: u64| time.to_string();
    property("last written", before.last_written.map(time), after.last_written.map(time))
}

impl fmt::Display for Stored<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.kind, shown(self.kind, &self.data))
    }
}

/// A descriptor as text, with its bytes where the text does not give them back: two that differ never look alike.
fn sddl(bytes: &[u8]) -> String {
    let text = SecurityDescriptor::parse(bytes).ok().and_then(|descriptor| descriptor.to_sddl().ok());
    let hexadecimal = || {
        let mut out = Vec::new();
        hex(bytes, &mut out);
        String::from_utf8(out).unwrap_or_default()
    };
    let Some(text) = text else { return hexadecimal() };
    match text.parse::<SecurityDescriptor>() {
        Ok(read_back) if read_back.to_bytes() == bytes => text,
        _ => format!("{text} (bytes {})", hexadecimal()),
    }
}

fn json<'h>(comparison: &mut Comparison, a: Key<'h>, b: Key<'h>, out: &mut impl Write) -> io::Result<()> {
    let mut separator: &[u8] = b"";
    let mut line = Vec::new();
    out.write_all(b"{\"differences\":[")?;
    comparison.run(a, b, &mut |key| {
        line.clear();
        line.extend_from_slice(separator);
        line.push(b'\n');
        json_difference(&key, &mut line)?;
        separator = b",";
        out.write_all(&line)
    })?;
    writeln!(out, "\n],\"equal\":{}}}", comparison.differences == 0)
}

fn json_difference(key: &Difference<'_, '_>, line: &mut Vec<u8>) -> io::Result<()> {
    let change = match key.presence {
        Presence::OnlyA => "removed",
        Presence::OnlyB => "added",
        Presence::Both => "changed",
    };
    write!(line, "{{\"change\":\"{change}\",\"path\":[")?;
    for (depth, name) in key.path.iter().enumerate() {
        if depth > 0 {
            line.push(b',');
        }
        json_name(name, line);
    }
    line.extend_from_slice(b"],\"values\":[");
    for (at, (name, before, after)) in key.values.iter().enumerate() {
        line.extend_from_slice(if at > 0 { b",{\"name\":" } else { b"{\"name\":" });
        json_name(name, line);
        for (side, stored) in [("before", before), ("after", after)] {
            write!(line, ",\"{side}\":")?;
            match stored {
                Some(Stored { kind, data }) => {
                    write!(line, "{{\"type\":\"{kind}\",\"data\":\"")?;
                    hex(data, line);
                    line.extend_from_slice(b"\"}");
                }
                None => line.extend_from_slice(b"null"),
            }
        }
        line.push(b'}');
    }
    line.push(b']');
    let Difference { before, after, .. } = key;
    let mut member = |name: &str, before: Option<Vec<u8>>, after: Option<Vec<u8>>| -> io::Result<()> {
        if before == after {
            return Ok(());
        }
        let null = || b"null".to_vec();
        write!(line, ",\"{name}\":{{\"before\":")?;
        line.extend_from_slice(&before.unwrap_or_else(null));
        line.extend_from_slice(b",\"after\":");
        line.extend_from_slice(&after.unwrap_or_else(null));
        line.push(b'}');
        Ok(())
    };
    let class = |class: &Option<NameBuf>| class.as_ref().map(json_text);
    member("class", class(&before.class), class(&after.class))?;
    let descriptor = |bytes: Option<&[u8]>| bytes.map(|bytes| json_text(sddl(bytes).as_str()));
    member("sddl", descriptor(before.descriptor), descriptor(after.descriptor))?;
    let flags = |flags: u16| flags.to_string().into_bytes();
    member("flags", before.flags.map(flags), after.flags.map(flags))?;
    let time = |time: u64| time.to_string().into_bytes();
    member("last_written", before.last_written.map(time), after.last_written.map(time))?;
    line.push(b'}');
    Ok(())
}

fn json_text<N: Units + ?Sized>(name: &N) -> Vec<u8> {
    let mut out = Vec::new();
    json_name(name, &mut out);
    out
}

/// What turns A into B.
#[derive(Default)]
struct Patch {
    changes: Vec<Change>,
    /// Keys whose flags differ from what the changes give them; no change says flags.
    flags: Vec<KeyPath>,
}

impl Patch {
    fn add(&mut self, difference: Difference<'_, '_>) {
        let key = KeyPath::from(difference.path.to_vec());
        let Difference { presence, below_such, values, before, after, patched, .. } = difference;
        if presence == Presence::OnlyA {
            if !below_such {
                self.changes.push(Change::DeleteTree { key });
            }
            return;
        }
        let is_new = presence == Presence::OnlyB;
        if is_new {
            self.changes.push(Change::CreateKey { key: key.clone() });
        }
        for (name, _, after) in values {
            let key = key.clone();
            self.changes.push(match after {
                Some(Stored { kind, data }) => Change::SetValue { key, name, kind, data: data.into_owned() },
                None => Change::DeleteValue { key, name },
            });
        }
        // A new key has no class name and no flags.
        let flags = if is_new { Some(0) } else { before.flags };
        if before.class != after.class {
            self.changes.push(Change::SetClassName { key: key.clone(), class: after.class });
        }
        if let Some(after) = after.descriptor.filter(|after| patched.as_deref() != Some(*after)) {
            self.changes.push(Change::SetSecurity { key: key.clone(), descriptor: after.to_vec() });
        }
        if flags != after.flags {
            self.flags.push(key);
        }
    }
}
