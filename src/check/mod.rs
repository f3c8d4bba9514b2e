//! What Windows' loader would say about a hive, rule by rule.
//!
//! * [`HiveView::check`] judges bins, cells, keys, values, lists and security; [`check`] is the same with options
//! * [`check_file`] judges a hive file: its base block first, then everything else
//! * [`Report`] says what was found; each [`Finding`] breaks a [`Rule`] with a [`Severity`]
//!
//! The work is one pass over the bins in their order and one walk over the tree. Every cell is visited once, whatever
//! the bytes say, so the time is proportional to the hive's length; the memory is about a twentieth of it, plus what
//! the findings take.
//!
//! Where part of the tree cannot be entered, what follows from that (cells not met, references not counted) is not
//! reported as well. Severities say what Windows does as far as that is known, and otherwise keep an editor away.
//! `tests/check.rs` pins them to what stands in hives that Windows wrote.

mod ahead;
mod base_block;
mod bins;
mod keys;
mod lists;
mod map;
mod names;
mod report;
mod rule;
mod security;
mod values;

use std::fmt;

pub use self::{
    base_block::check_file,
    report::{Finding, Report, Severity, Totals},
    rule::Rule,
};
use self::{lists::Way, map::CellMap, security::Records, values::Hashed};
use crate::{CellOffset, HiveView, Structure};

/// What to check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckOptions {
    descriptors: bool,
}

impl Default for CheckOptions {
    /// Everything.
    fn default() -> Self {
        Self { descriptors: true }
    }
}

impl CheckOptions {
    /// Whether to look into security descriptors, not only at their records and references.
    #[must_use]
    pub fn descriptors(mut self, yes: bool) -> Self {
        self.descriptors = yes;
        self
    }
}

impl HiveView<'_> {
    /// Judges everything behind the base block as Windows' loader would; see [`check`](crate::check).
    #[must_use]
    pub fn check(self) -> Report {
        check(self, CheckOptions::default())
    }
}

/// Judges everything behind the base block: [`HiveView::check`] with options.
///
/// ```
/// # fn main() -> hivesmith::Result<()> {
/// use hivesmith::{Hive, HiveView, Version, check::{CheckOptions, check}};
/// let bytes = Hive::create(Version::V1_5)?.to_bytes();
/// assert!(check(HiveView::parse(&bytes)?, CheckOptions::default().descriptors(false)).is_clean());
/// # Ok(())
/// # }
/// ```
#[must_use]
pub fn check(hive: HiveView<'_>, options: CheckOptions) -> Report {
    check_into(Report::default(), hive, options)
}

fn check_into(report: Report, hive: HiveView<'_>, options: CheckOptions) -> Report {
    let mut checker = Checker {
        hive,
        options,
        report,
        map: CellMap::new(hive.bins()),
        records: Records::default(),
        hashed: Vec::new(),
        cut: false,
    };
    checker.check_bins();
    checker.check_tree();
    checker.check_references();
    checker.check_leaks();
    checker.report
}

/// A check under way; each file of this module adds its rules.
struct Checker<'a> {
    hive: HiveView<'a>,
    options: CheckOptions,
    report: Report,
    map: CellMap,
    /// The key security records met so far.
    records: Records<'a>,
    /// Scratch space of [`check_values`](Self::check_values).
    hashed: Vec<Hashed>,
    /// Part of the tree could not be entered.
    cut: bool,
}

impl Checker<'_> {
    /// Notes a finding of the rule's usual severity.
    #[cold]
    fn say(
        &mut self,
        rule: Rule,
        structure: Structure,
        at: CellOffset,
        way: Option<&Way<'_, '_>>,
        message: impl fmt::Display,
    ) {
        self.say_as((rule, rule.severity()), structure, at, way, message);
    }

    #[cold]
    fn say_as(
        &mut self,
        verdict: (Rule, Severity),
        structure: Structure,
        at: CellOffset,
        way: Option<&Way<'_, '_>>,
        message: impl fmt::Display,
    ) {
        self.report.add(verdict, (structure, at.file_offset()), || way.map(Way::path), message);
    }
}
