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
#[path = "../support/mod.rs"]
mod support;
mod tape;
mod torn;

use support::say;
