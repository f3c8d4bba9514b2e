//! The command blocks of Microsoft's guides for lost Remote Desktop, run by the real program on copies of real hives
//! laid out as a mounted disk, and what independent readers make of the result.
//!
//! Real hives come from `HIVESMITH_CORPUS`; the readers are those of `tests/oracle`.

#![cfg(feature = "cli")]

mod blocks;
mod cells;
mod disk;
mod judges;
mod mistakes;
#[cfg(unix)]
mod mounts;
mod real_hives;
mod reg_verbs;
mod services;
#[path = "../support/mod.rs"]
mod support;
