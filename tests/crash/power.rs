//! What a disk holds when power fails: everything that was synced, and of the rest any selection.
//!
//! A file is a length and sectors of 512 bytes. A call leaves *pieces*: each sector it touched, whole, as the page cache
//! has it after the call, and each step by which the file grew. Pieces of a file become durable with its sync. Until
//! then every subset of them is possible, of several pieces for one sector the latest in the subset counts.

use hivesmith::{HiveFile, Storage};

use crate::{
    diff::Diff,
    files::{FILES, Files},
    tape::Call,
};

pub(crate) const SECTOR: usize = 512;

/// One thing that may have reached the disk or not.
#[derive(Clone)]
pub(crate) struct Piece {
    pub(crate) file: HiveFile,
    pub(crate) change: Change,
}

#[derive(Clone)]
pub(crate) enum Change {
    /// A sector's bytes. `fresh`: the first time anything is written there, behind the durable end of the file.
    Sector {
        at: usize,
        bytes: Vec<u8>,
        fresh: bool,
    },
    Length(usize),
}

/// A disk in the middle of things.
pub(crate) struct Power {
    durable: Files,
    live: Files,
    pending: Vec<Piece>,
}

impl Power {
    pub(crate) fn new(files: &Files) -> Self {
        Self { durable: files.clone(), live: files.clone(), pending: Vec::new() }
    }

    /// What certainly survives.
    pub(crate) fn durable(&self) -> &Files {
        &self.durable
    }

    pub(crate) fn pending(&self) -> &[Piece] {
        &self.pending
    }

    /// Makes a call. A sync returns what became durable by it.
    pub(crate) fn make(&mut self, call: &Call) -> Option<Diff> {
        match call {
            Call::Write(file, at, bytes) => {
                let at = usize::try_from(*at).expect("fits");
                let before = self.live.bytes(*file).len();
                self.live.write(*file, at as u64, bytes).unwrap();
                self.pieces(*file, before, at.min(before), at + bytes.len());
                None
            }
            Call::SetLen(file, length) => {
                let length = usize::try_from(*length).expect("fits");
                let before = self.live.bytes(*file).len();
                self.live.set_len(*file, length as u64).unwrap();
                if length < before {
                    self.pending.push(Piece { file: *file, change: Change::Length(length) });
                } else {
                    self.pieces(*file, before, before, length);
                }
                None
            }
            Call::Sync(file) => {
                let (own, others) = self.pending.drain(..).partition(|piece| piece.file == *file);
                self.pending = others;
                let synced: Vec<Piece> = own;
                let mut durable = self.durable.clone();
                land(&mut durable, &synced.iter().collect::<Vec<_>>());
                assert!(durable.bytes(*file) == self.live.bytes(*file), "the model lost a piece");
                let diff = Diff::between(&self.durable, &durable, &synced);
                self.durable = durable;
                Some(diff)
            }
        }
    }

    /// The pieces of a change from `from` to `to` of a file that had `before` bytes.
    fn pieces(&mut self, file: HiveFile, before: usize, from: usize, to: usize) {
        let live = self.live.bytes(file);
        let durable = self.durable.bytes(file).len();
        let seen = |at| {
            self.pending.iter().any(|piece| {
                piece.file == file && matches!(&piece.change, Change::Sector { at: other, .. } if *other == at)
            })
        };
        let mut pieces = Vec::new();
        let mut length = before;
        for at in (from / SECTOR * SECTOR..to).step_by(SECTOR) {
            let end = (at + SECTOR).min(live.len());
            if end > length {
                // A file grows by the blocks of its file system.
                length = (at / 4096 * 4096 + 4096).min(live.len());
                pieces.push(Piece { file, change: Change::Length(length) });
            }
            let fresh = at >= durable && !seen(at);
            pieces.push(Piece { file, change: Change::Sector { at, bytes: live[at..end].to_vec(), fresh } });
        }
        self.pending.extend(pieces);
    }

    /// The disk with a selection of what is pending. With `garbage`, blocks that the file grew by and that were not
    /// written show what the disk had there before: bytes of somebody else.
    pub(crate) fn cut(&self, survives: &[bool], garbage: bool) -> Files {
        let mut state = self.durable.clone();
        let mut landed: Vec<Piece> = Vec::new();
        for (piece, survives) in self.pending.iter().zip(survives) {
            match &piece.change {
                _ if *survives => landed.push(piece.clone()),
                Change::Sector { at, bytes, fresh: true } if garbage => {
                    let bytes = foreign(*at, bytes.len());
                    landed.push(Piece { file: piece.file, change: Change::Sector { at: *at, bytes, fresh: true } });
                }
                _ => {}
            }
        }
        land(&mut state, &landed.iter().collect::<Vec<_>>());
        state
    }
}

/// Bytes that were in a block before it became part of the file; some look like parts of a hive.
fn foreign(at: usize, len: usize) -> Vec<u8> {
    let mut bytes = vec![0xa5; len];
    let sign: &[u8] = if at % 1024 == 0 { b"HvLE" } else { b"hbin" };
    let len = len.min(4);
    bytes[..len].copy_from_slice(&sign[..len]);
    bytes
}

/// Puts pieces on a disk, in order. A sector beyond the length that survived is lost with the rest of the file.
fn land(files: &mut Files, pieces: &[&Piece]) {
    for file in FILES {
        let mut length = files.bytes(file).len();
        let own = || pieces.iter().filter(|piece| piece.file == file);
        for piece in own() {
            match &piece.change {
                Change::Length(new) => {
                    if *new < files.bytes(file).len() {
                        files.set_len(file, *new as u64).unwrap();
                    }
                    length = *new;
                }
                Change::Sector { at, bytes, .. } => files.write(file, *at as u64, bytes).unwrap(),
            }
        }
        if own().next().is_some() {
            files.set_len(file, length as u64).unwrap();
        }
    }
}
