//! What test crates share: where real data is, readers that share no code with the crate, the program as a user runs
//! it, a small hive, base blocks and logs made by hand, and a disk that loses power.
#![allow(dead_code, unused_imports, reason = "no test crate uses all of it")]

pub(crate) mod base_block;
mod data;
mod done;
pub(crate) mod log;
mod missing;
mod oracle;
pub(crate) mod small_hive;
pub(crate) mod tape;

pub(crate) use data::{corpus, vectors};
pub(crate) use done::Done;
pub(crate) use missing::{missing, missing_program, say};
pub(crate) use oracle::{oracle, python, with_file};
