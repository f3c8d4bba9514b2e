//! `icacls`, `takeown` and `undo` on a real NTFS volume: an image made by mkntfs and served by ntfs-3g, and what
//! independent readers (getfattr, ntfssecaudit) find on it afterwards.
//!
//! Root, /dev/fuse, ntfs-3g and attr are needed; where they are missing that is said, and not accepted in CI.

#![cfg(all(feature = "cli", target_os = "linux"))]

mod hostile;
mod listing;
mod machine_keys;
#[path = "../support/mod.rs"]
mod support;
mod undo;
mod verbs;
mod volume;
