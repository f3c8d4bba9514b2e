//! A storage that records what is asked of it and fails when it is told to.

use std::{
    io,
    sync::{Arc, Mutex},
};

use hivesmith::{HiveFile, Storage};

use crate::files::Files;

/// What reached the operating system.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Call {
    Write(HiveFile, u64, Vec<u8>),
    SetLen(HiveFile, u64),
    Sync(HiveFile),
}

/// A call that fails. Reads count too: a commit compares and reads back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    /// Which call, counted from the moment the fault is laid.
    pub(crate) at: usize,
    /// What the operating system says.
    pub(crate) errno: i32,
    /// How many 32nds of a write land although it fails.
    pub(crate) landed: usize,
    /// Whether the disk stays broken.
    pub(crate) lasting: bool,
}

/// Files, and the calls that changed them; clones share both.
#[derive(Clone)]
pub(crate) struct Tape(Arc<Mutex<Inner>>);

struct Inner {
    files: Files,
    calls: Vec<Call>,
    fault: Option<Fault>,
    made: usize,
}

impl Tape {
    pub(crate) fn new(files: Files) -> Self {
        Self(Arc::new(Mutex::new(Inner { files, calls: Vec::new(), fault: None, made: 0 })))
    }

    /// The calls since the last time this was asked.
    pub(crate) fn take(&self) -> Vec<Call> {
        std::mem::take(&mut self.0.lock().unwrap().calls)
    }

    /// The files as a program on the same machine sees them.
    pub(crate) fn files(&self) -> Files {
        self.0.lock().unwrap().files.clone()
    }

    pub(crate) fn lay(&self, fault: Fault) {
        let mut inner = self.0.lock().unwrap();
        (inner.fault, inner.made) = (Some(fault), 0);
    }

    /// Whether the fault was met.
    pub(crate) fn tripped(&self) -> bool {
        let inner = self.0.lock().unwrap();
        inner.fault.is_some_and(|fault| inner.made > fault.at)
    }
}

impl Inner {
    /// Counts a call; the fault, if this call is the one that fails.
    fn met(&mut self) -> Option<Fault> {
        let made = self.made;
        self.made += 1;
        self.fault.filter(|fault| made == fault.at || (fault.lasting && made > fault.at))
    }

    fn done(&mut self, call: Call) -> io::Result<()> {
        match &call {
            Call::Write(file, at, bytes) => self.files.write(*file, *at, bytes)?,
            Call::SetLen(file, length) => self.files.set_len(*file, *length)?,
            Call::Sync(file) => self.files.sync(*file)?,
        }
        self.calls.push(call);
        Ok(())
    }
}

/// How many of the first `len` bytes of a write at `offset` are whole sectors: less is not written of one.
fn whole_sectors(offset: u64, len: usize) -> usize {
    let end = (offset as usize + len) / 512 * 512;
    end.saturating_sub(offset as usize)
}

impl Storage for Tape {
    fn len(&mut self, file: HiveFile) -> io::Result<Option<u64>> {
        self.0.lock().unwrap().files.len(file)
    }

    fn read(&mut self, file: HiveFile, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let mut inner = self.0.lock().unwrap();
        match inner.met() {
            Some(fault) => Err(io::Error::from_raw_os_error(fault.errno)),
            None => inner.files.read(file, offset, buffer),
        }
    }

    fn write(&mut self, file: HiveFile, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut inner = self.0.lock().unwrap();
        let Some(fault) = inner.met() else { return inner.done(Call::Write(file, offset, bytes.to_vec())) };
        // Only the call that fails first lands in part: a disk that is gone takes nothing.
        let landed =
            if fault.landed == 32 { bytes.len() } else { whole_sectors(offset, bytes.len() * fault.landed / 32) };
        if inner.made == fault.at + 1 && landed > 0 {
            inner.done(Call::Write(file, offset, bytes[..landed].to_vec()))?;
        }
        Err(io::Error::from_raw_os_error(fault.errno))
    }

    fn set_len(&mut self, file: HiveFile, length: u64) -> io::Result<()> {
        let mut inner = self.0.lock().unwrap();
        let Some(fault) = inner.met() else { return inner.done(Call::SetLen(file, length)) };
        if inner.made == fault.at + 1 && fault.landed == 32 {
            inner.done(Call::SetLen(file, length))?;
        }
        Err(io::Error::from_raw_os_error(fault.errno))
    }

    fn sync(&mut self, file: HiveFile) -> io::Result<()> {
        let mut inner = self.0.lock().unwrap();
        // A sync that fails leaves everything as uncertain as it was.
        match inner.met() {
            Some(fault) => Err(io::Error::from_raw_os_error(fault.errno)),
            None => inner.done(Call::Sync(file)),
        }
    }
}
