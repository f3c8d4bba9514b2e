//! Whole hives written anew: compaction and salvage, on hives of real systems, whole and damaged in many ways.

mod compact;
mod contents;
mod corpus;
mod damage;
mod hurt;
mod judges;
mod salvage;
#[path = "../support/mod.rs"]
mod support;
mod verbs;
