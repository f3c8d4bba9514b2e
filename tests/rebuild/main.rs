//! Whole hives written anew: compaction and salvage, on hives of real systems, whole and damaged in many ways.

mod compact;
mod contents;
mod corpus;
mod damage;
mod hurt;
mod judges;
mod salvage;
mod verbs;

/// Something is not there: said aloud, and not accepted where everything has to be. Programs of the host cannot be
/// started from a Windows build under Wine; there the judges are those of the Linux run.
pub(crate) fn missing(what: &str) {
    assert!(cfg!(windows) || std::env::var_os("CI").is_none(), "{what} missing");
    eprintln!("SKIPPED: {what} missing");
}
