//! `hivesmith dump`

use std::{
    collections::HashMap,
    io::{self, Write},
    path::{Path, PathBuf},
};

use clap::ValueEnum;
use hivesmith::{
    CellOffset, Defect, Error, FormatError, Hive, HiveView, Key, SecurityView, Value, Walked,
    name::{Name, NameBuf},
    reg_text::{RegPath, RootKey, Writer},
};
use sha2::{Digest, Sha256};

use super::{
    Common, Exit, Failure,
    escape::{hex, json_name},
    output::{Complaints, Output},
};

/// The whole hive as text, depth first, in the order in which things stand on disk.
#[derive(Debug, clap::Args)]
#[command(after_long_help = DETAILS)]
pub(crate) struct Dump {
    /// The hive.
    hive: PathBuf,
    /// How to write it; canonical unless --json is given.
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// What to do with a hive that was not closed cleanly.
    #[arg(long, value_enum, default_value_t)]
    recover: Recover,
    /// Write to this file instead of stdout.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

const DETAILS: &str = "\
Keys come depth first, in the order in which they stand on disk.

canonical: a line a key, a line for each of its values; fields parted by tabs, lines ended by LF
  K  path  last written (FILETIME)  class name  first 16 hex digits of sha256(descriptor)
  V  name  type  length of the data  sha256(data)
  Names are raw UTF-8, unpaired surrogates in their three-byte form. `-` stands for no descriptor,
  `?` for one, or for data, that cannot be read.

json: an object a line, one for each key
  An unpaired surrogate in a name is escaped (\\ud801): no name is lost. `sddl` is null where SDDL
  cannot say the descriptor; `descriptor` has its bytes where SDDL does not give them back.

reg: a .reg file of the hive as if loaded under HKEY_LOCAL_MACHINE by the file's name
  What .reg files cannot say is listed on stderr.

Exit code 1: something could not be read or said; stderr says what and where, the rest is there.";

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Canonical,
    Json,
    Reg,
}

/// What a verb that reads does with a hive that was not closed cleanly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Recover {
    /// Replay the logs beside the file, in memory only.
    #[default]
    InMemory,
    /// Refuse it.
    Refuse,
    /// Read the file as it is.
    Ignore,
}

impl Recover {
    /// Opens a hive for reading; nothing is written whatever it is like.
    pub(crate) fn open(self, path: &Path) -> Result<Hive, Failure> {
        let recover = match self {
            Self::InMemory => hivesmith::Recover::InMemory,
            Self::Refuse => hivesmith::Recover::Refuse,
            Self::Ignore => hivesmith::Recover::Ignore,
        };
        let options = Hive::options().read_only(true).recover(recover);
        options.open(path).map_err(|error| Failure::of(path, &error))
    }
}

impl Dump {
    pub(crate) fn run(self, common: &Common) -> Result<Exit, Failure> {
        let format = match (self.format, common.json) {
            (None | Some(Format::Json), true) => Format::Json,
            (Some(_), true) => return Err(Failure::usage("--json and another --format contradict each other")),
            (format, false) => format.unwrap_or(Format::Canonical),
        };
        let hive = self.recover.open(&self.hive)?;
        let view = hive.view();
        // Before a file is begun: without a root there is nothing to write.
        view.root().map_err(|error| Failure::of(&self.hive, &error))?;

        let mut out = Output::open_beside(self.output.as_deref(), &[&self.hive])?;
        let mut reading = Reading::new(&self.hive, common.quiet);
        let written = match format {
            Format::Canonical => canonical(view, &mut reading, &mut out),
            Format::Json => json(view, &mut reading, &mut out),
            Format::Reg => reg(view, &mut reading, &mut out),
        };
        out.finish(written)?;
        Ok(reading.complaints.finish("dump"))
    }
}

/// What could not be read, or not said, on the way through a hive, and where the way has got to.
struct Reading<'p> {
    file: &'p Path,
    /// The names from the root's child down to the key of the last step.
    names: Vec<NameBuf>,
    complaints: Complaints,
    quiet: bool,
}

impl<'p> Reading<'p> {
    fn new(file: &'p Path, quiet: bool) -> Self {
        Self { file, names: Vec::new(), complaints: Complaints::about(file), quiet }
    }

    /// Goes to the key of a step; whether there is one.
    fn step<'a>(&mut self, walked: Result<Walked<'a>, Error>) -> Option<Key<'a>> {
        let Walked { depth, key } = match walked {
            Ok(walked) => walked,
            Err(error) => {
                // Which key it belongs to is not known any more, but it comes behind the last one.
                let place = self.place();
                self.complaints.add(format_args!("{error} (behind {place})"));
                return None;
            }
        };
        if let Some(above) = depth.checked_sub(1) {
            self.names.truncate(above);
            let name = key.name().map(|name| name.to_name_buf());
            self.names.push(name.as_ref().map_or_else(|_| NameBuf::from("?"), Clone::clone));
            if let Err(error) = name {
                self.unreadable(&error);
            }
        }
        Some(key)
    }

    /// The values of the key of the last step, those that are there.
    fn values<'a>(&mut self, key: Key<'a>) -> Vec<(Name<'a>, Value<'a>)> {
        let values = match key.values() {
            Ok(values) => values,
            Err(error) => {
                self.unreadable(&error);
                return Vec::new();
            }
        };
        let mut found = Vec::with_capacity(values.size_hint().0);
        for value in values {
            match value.and_then(|value| Ok((value.name()?, value))) {
                Ok(named) => found.push(named),
                Err(error) => self.unreadable(&error),
            }
        }
        found
    }

    fn class_name<'a>(&mut self, key: Key<'a>) -> Option<Name<'a>> {
        self.or_complain(key.class_name()).flatten()
    }

    fn security<'a>(&mut self, key: Key<'a>) -> Descriptor<'a> {
        match key.security() {
            Ok(security) => Descriptor::Stored(security),
            Err(error) if is_missing(&error) => Descriptor::None,
            Err(error) => {
                self.unreadable(&error);
                Descriptor::Unreadable
            }
        }
    }

    fn or_complain<T>(&mut self, read: Result<T, Error>) -> Option<T> {
        read.inspect_err(|error| self.unreadable(error)).ok()
    }

    fn unreadable(&mut self, error: &Error) {
        let place = self.place();
        self.complaints.add(format_args!("{error} (of {place})"));
    }

    /// Says what is no fault of the dump.
    fn note(&self, what: std::fmt::Arguments<'_>) {
        if !self.quiet {
            anstream::eprintln!("hivesmith: {}: {what}", self.file.display());
        }
    }

    fn place(&self) -> String {
        match self.names.iter().map(ToString::to_string).collect::<Vec<_>>().join("\\") {
            root if root.is_empty() => "the root".to_owned(),
            path => path,
        }
    }
}

enum Descriptor<'a> {
    None,
    Unreadable,
    Stored(SecurityView<'a>),
}

/// Whether the key says itself that it has no descriptor.
pub(crate) fn is_missing(error: &Error) -> bool {
    let nil = CellOffset::NIL.0;
    matches!(error, Error::Format(FormatError { defect: Defect::OutOfBins { offset, .. }, .. }) if *offset == nil)
}

fn canonical(hive: HiveView<'_>, reading: &mut Reading<'_>, out: &mut impl Write) -> io::Result<()> {
    let mut descriptors: HashMap<CellOffset, Vec<u8>> = HashMap::new();
    let mut line = Vec::new();
    for walked in hive.walk() {
        let Some(key) = reading.step(walked) else { continue };
        line.clear();
        line.extend_from_slice(b"K\t");
        for (depth, name) in reading.names.iter().enumerate() {
            if depth > 0 {
                line.push(b'\\');
            }
            line.extend_from_slice(&name.to_wtf8());
        }
        write!(line, "\t{}\t", key.last_written().0)?;
        line.extend_from_slice(&reading.class_name(key).map(|class| class.to_wtf8()).unwrap_or_default());
        line.push(b'\t');
        match reading.security(key) {
            Descriptor::None => line.push(b'-'),
            Descriptor::Unreadable => line.push(b'?'),
            Descriptor::Stored(security) => {
                line.extend_from_slice(descriptors.entry(security.offset()).or_insert_with(|| {
                    let mut digits = Vec::new();
                    hex(&Sha256::digest(security.bytes()), &mut digits);
                    digits.truncate(16);
                    digits
                }));
            }
        }
        line.push(b'\n');
        for (name, value) in reading.values(key) {
            line.extend_from_slice(b"V\t");
            line.extend_from_slice(&name.to_wtf8());
            write!(line, "\t{}\t{}\t", value.kind().0, value.len())?;
            match reading.or_complain(value.data()) {
                Some(data) => hex(&Sha256::digest(&data), &mut line),
                None => line.push(b'?'),
            }
            line.push(b'\n');
        }
        out.write_all(&line)?;
    }
    Ok(())
}

fn json(hive: HiveView<'_>, reading: &mut Reading<'_>, out: &mut impl Write) -> io::Result<()> {
    let mut descriptors: HashMap<CellOffset, Vec<u8>> = HashMap::new();
    let mut line = Vec::new();
    for walked in hive.walk() {
        let Some(key) = reading.step(walked) else { continue };
        line.clear();
        line.extend_from_slice(b"{\"path\":[");
        for (depth, name) in reading.names.iter().enumerate() {
            if depth > 0 {
                line.push(b',');
            }
            json_name(name, &mut line);
        }
        write!(line, "],\"last_written\":{},\"flags\":{},\"class\":", key.last_written().0, key.flags().bits())?;
        match reading.class_name(key) {
            Some(class) => json_name(&class, &mut line),
            None => line.extend_from_slice(b"null"),
        }
        match reading.security(key) {
            Descriptor::None | Descriptor::Unreadable => line.extend_from_slice(b",\"sddl\":null"),
            Descriptor::Stored(security) => {
                let text = descriptors.entry(security.offset()).or_insert_with(|| json_descriptor(security));
                line.extend_from_slice(text);
            }
        }
        line.extend_from_slice(b",\"values\":[");
        for (at, (name, value)) in reading.values(key).into_iter().enumerate() {
            line.extend_from_slice(if at > 0 { b",{\"name\":" } else { b"{\"name\":" });
            json_name(&name, &mut line);
            write!(line, ",\"type\":\"{}\",\"data\":", value.kind())?;
            match reading.or_complain(value.data()) {
                Some(data) => {
                    line.push(b'"');
                    hex(&data, &mut line);
                    line.push(b'"');
                }
                None => line.extend_from_slice(b"null"),
            }
            line.push(b'}');
        }
        line.extend_from_slice(b"]}\n");
        out.write_all(&line)?;
    }
    Ok(())
}

/// The descriptor's members of a key's object: its text, and its bytes if the text does not give them back.
fn json_descriptor(security: SecurityView<'_>) -> Vec<u8> {
    let mut out = b",\"sddl\":".to_vec();
    let sddl = security.descriptor().ok().and_then(|descriptor| descriptor.to_sddl().ok());
    match &sddl {
        Some(sddl) => json_name(sddl, &mut out),
        None => out.extend_from_slice(b"null"),
    }
    let read_back = sddl.and_then(|sddl| sddl.parse::<hivesmith::security::SecurityDescriptor>().ok());
    if read_back.is_none_or(|descriptor| descriptor.to_bytes() != security.bytes()) {
        out.extend_from_slice(b",\"descriptor\":\"");
        hex(security.bytes(), &mut out);
        out.push(b'"');
    }
    out
}

/// The key under which the hive is dumped and, if asked so, imported.
pub(crate) fn mount_point(file: &Path) -> RegPath {
    let name = file.file_stem().unwrap_or_default().to_string_lossy();
    // Two keys of a path where the host's name has a backslash: each is legible as it is.
    RegPath { root: RootKey::LocalMachine, path: name.as_ref().into() }
}

fn reg(hive: HiveView<'_>, reading: &mut Reading<'_>, out: &mut impl Write) -> io::Result<()> {
    let mount = mount_point(reading.file);
    let mut writer = Writer::new(out)?;
    let mut classes = 0_u64;
    for walked in hive.walk() {
        let Some(key) = reading.step(walked) else { continue };
        classes += u64::from(reading.class_name(key).is_some());
        writer.key(&mount.below(&reading.names.clone().into()))?;
        for (name, value) in reading.values(key) {
            if let Some(data) = reading.or_complain(value.data()) {
                writer.value(&name, value.kind(), &data)?;
            }
        }
    }
    for left in writer.finish()? {
        reading.complaints.add(format_args!("left out: {left}"));
    }
    if classes > 0 {
        let keys = if classes == 1 { "1 key".to_owned() } else { format!("{classes} keys") };
        reading.note(format_args!("the class name of {keys} has no place in a .reg file"));
    }
    Ok(())
}
