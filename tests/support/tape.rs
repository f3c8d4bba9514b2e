//! A storage that records every call, and what a power cut after any of them leaves.

use std::{
    io,
    sync::{Arc, Mutex},
};

use hivesmith::{HiveFile, MemoryStorage, Storage};

/// What a commit asked of the disk.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Call {
    Write(HiveFile, u64, Vec<u8>),
    SetLen(HiveFile, u64),
    Sync(HiveFile),
}

/// Files in memory, and the calls that changed them.
#[derive(Clone)]
pub(crate) struct Tape {
    files: Arc<Mutex<MemoryStorage>>,
    calls: Arc<Mutex<Vec<Call>>>,
}

impl Tape {
    pub(crate) fn new(files: MemoryStorage) -> Self {
        Self { files: Arc::new(Mutex::new(files)), calls: Arc::default() }
    }

    /// The calls since the last time this was asked.
    pub(crate) fn take(&self) -> Vec<Call> {
        std::mem::take(&mut self.calls.lock().unwrap())
    }

    /// The hive and another file as they are now.
    pub(crate) fn both(&self, other: HiveFile) -> (Vec<u8>, Vec<u8>) {
        let files = self.files.lock().unwrap();
        let bytes = |file| files.bytes(file).unwrap().to_vec();
        (bytes(HiveFile::Primary), bytes(other))
    }

    fn record(&self, call: Call) -> io::Result<()> {
        apply(&mut self.files.lock().unwrap(), &call)?;
        self.calls.lock().unwrap().push(call);
        Ok(())
    }
}

fn apply(files: &mut MemoryStorage, call: &Call) -> io::Result<()> {
    match call {
        Call::Write(file, at, bytes) => files.write(*file, *at, bytes),
        Call::SetLen(file, length) => files.set_len(*file, *length),
        Call::Sync(_) => Ok(()),
    }
}

impl Storage for Tape {
    fn len(&mut self, file: HiveFile) -> io::Result<Option<u64>> {
        self.files.lock().unwrap().len(file)
    }

    fn read(&mut self, file: HiveFile, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.files.lock().unwrap().read(file, offset, buffer)
    }

    fn write(&mut self, file: HiveFile, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.record(Call::Write(file, offset, bytes.to_vec()))
    }

    fn set_len(&mut self, file: HiveFile, length: u64) -> io::Result<()> {
        self.record(Call::SetLen(file, length))
    }

    fn sync(&mut self, file: HiveFile) -> io::Result<()> {
        self.record(Call::Sync(file))
    }
}

/// What is on disk if power fails when `calls` were made: what was synced, and of the rest those sectors and lengths
/// that `reached` picks.
pub(crate) fn cut(before: &MemoryStorage, calls: &[Call], mut reached: impl FnMut() -> bool) -> MemoryStorage {
    let mut files = before.clone();
    for (at, call) in calls.iter().enumerate() {
        let durable = |file: &HiveFile| calls[at..].contains(&Call::Sync(*file));
        match call {
            Call::Write(file, ..) | Call::SetLen(file, _) if durable(file) => apply(&mut files, call).unwrap(),
            Call::Write(file, at, bytes) => {
                for (sector_at, sector) in sectors(*at, bytes) {
                    if reached() {
                        files.write(*file, sector_at, sector).unwrap();
                    }
                }
            }
            Call::SetLen(file, length) => {
                if reached() {
                    files.set_len(*file, *length).unwrap();
                }
            }
            Call::Sync(_) => {}
        }
    }
    files
}

/// A write as the disk sees it: pieces that each lie within 512 bytes.
fn sectors(at: u64, bytes: &[u8]) -> Vec<(u64, &[u8])> {
    let mut pieces = Vec::new();
    let (mut at, mut rest) = (at, bytes);
    while !rest.is_empty() {
        let (piece, behind) = rest.split_at(rest.len().min(512 - (at % 512) as usize));
        pieces.push((at, piece));
        at += piece.len() as u64;
        rest = behind;
    }
    pieces
}

/// Numbers that look random and are the same every time.
pub(crate) fn coin(seed: u64) -> impl FnMut() -> bool {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state & 1 == 1
    }
}
