//! The second judge, which shares no code with the crate: `tests/oracle/crash_judge.py`, one process for many states.

use std::{
    io::{BufRead, BufReader, BufWriter, Write},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
};

use crate::{
    diff::Diff,
    files::{FILES, Files},
    support::{missing_program, python},
};

/// How a state is judged.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// Replayed if it is dirty; the bins must be those of a known state.
    Replay,
    /// Clean as it lies there, sound, and its content that of a known state.
    Clean,
    /// The same of the hive that a replay makes, if it is dirty.
    ReplayedClean,
}

/// The process. What is asked is answered in order, later.
pub(crate) struct Python {
    child: Child,
    questions: Option<BufWriter<ChildStdin>>,
    answers: Receiver<String>,
}

impl Python {
    /// None, which is said, where there is no Python.
    pub(crate) fn start() -> Option<Self> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracle/crash_judge.py");
        let started = Command::new(python()).arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let Ok(mut child) = started else {
            missing_program("python3, so power cuts are judged by our own reading only");
            return None;
        };
        let output = BufReader::new(child.stdout.take().expect("piped"));
        let (tell, answers) = channel();
        // Read all the time, or both sides wait for the other to read.
        thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| tell.send(line)));
        Some(Self { questions: child.stdin.take().map(BufWriter::new), child, answers })
    }

    fn ask(&mut self, verb: u8, body: &[u8]) {
        let questions = self.questions.as_mut().expect("open until it is dropped");
        let mut send = |bytes: &[u8]| questions.write_all(bytes).expect("the judge lives");
        send(&[verb]);
        send(&u32::try_from(body.len()).expect("below 4 GiB").to_le_bytes());
        send(body);
    }

    /// A new disk, and the hives whose states it may be found in.
    pub(crate) fn begin(&mut self, rule: Rule, files: &Files, known: &[Vec<u8>]) {
        let mut body = vec![rule as u8];
        let mut put = |bytes: &[u8]| {
            body.extend(u32::try_from(bytes.len()).expect("below 4 GiB").to_le_bytes());
            body.extend(bytes);
        };
        for file in FILES {
            put(files.bytes(file));
        }
        for hive in known {
            put(hive);
        }
        self.ask(b'N', &body);
    }

    /// The disk changes for good.
    pub(crate) fn change(&mut self, diff: &Diff) {
        self.ask(b'C', &diff.encode());
    }

    /// Asks for the state that the disk and a difference make.
    pub(crate) fn judge(&mut self, diff: &Diff) {
        self.ask(b'S', &diff.encode());
    }

    /// The answer to the oldest question: which state, or what is wrong.
    pub(crate) fn answer(&mut self) -> Result<usize, String> {
        self.questions.as_mut().expect("open").flush().expect("the judge lives");
        let line = self.answers.recv().expect("the judge lives");
        line.parse().map_err(|_| line)
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        drop(self.questions.take());
        let _ = self.child.wait();
    }
}
