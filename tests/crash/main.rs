//! The crash laboratory: power fails at every place of every protocol, disks refuse, recoveries are interrupted. What is
//! left is judged by our own reading and by an independent one. See `docs/testing.md`.

mod cuts;
mod diff;
mod failures;
mod files;
mod generated;
mod known;
mod lab;
mod logs;
mod nested;
mod numbers;
mod power;
mod python;
mod real;
mod real_disks;
mod record;
mod select;
mod tape;
mod torn;

use std::io::{Write, stderr};

/// Past the test harness, which swallows what a passing test prints.
pub(crate) fn say(line: &str) {
    stderr().write_all(format!("{line}\n").as_bytes()).unwrap();
}
