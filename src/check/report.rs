//! [`Report`]: what a check found, kept within bounds, and counted in full.

use std::fmt;

use super::Rule;
use crate::{FileOffset, Structure, name::KeyPath};

/// How many findings of each severity a report keeps. More are counted, not kept: a hostile hive would otherwise make
/// the report larger than itself, and a flood of leaked cells would hide the one fatal finding.
const KEPT: u64 = 10_000;

/// How many names all paths of a report may hold together; findings behind that come without path.
const KEPT_NAMES: usize = 1 << 18;

/// What Windows makes of a defect, worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Normal, though worth knowing.
    Odd,
    /// Windows loads the hive without a word; something may break later.
    Tolerated,
    /// Windows loads the hive by discarding or rewriting something.
    Healed,
    /// Windows refuses the hive, or would be led astray by it.
    Fatal,
}

impl Severity {
    /// All severities, mildest first.
    pub const ALL: [Self; 4] = [Self::Odd, Self::Tolerated, Self::Healed, Self::Fatal];
}

impl fmt::Display for Severity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(match self {
            Self::Odd => "odd",
            Self::Tolerated => "tolerated",
            Self::Healed => "healed",
            Self::Fatal => "fatal",
        })
    }
}

/// One place where a hive breaks a rule.
///
/// Displays as one line, `healed L9 subkeys list 0x0001f3a8: hash of "Select" is 0x1, expected 0x5f0024a0`; names in
/// it are escaped, so it is safe for a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The rule that is broken.
    pub rule: Rule,
    /// What Windows makes of it here; usually [`Rule::severity`].
    pub severity: Severity,
    /// What breaks the rule.
    pub structure: Structure,
    /// Where that stands in the file.
    pub offset: FileOffset,
    /// The key that it belongs to, as far as the way to it could be read.
    pub path: Option<KeyPath>,
    /// What was found, and what should have been.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, severity, structure, offset, message, .. } = self;
        write!(out, "{severity} {rule} {structure} {offset}: {message}")
    }
}

/// What was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Totals {
    /// Hive bins.
    pub bins: u64,
    /// Cells, allocated and free.
    pub cells: u64,
    /// Bytes in free cells.
    pub free_bytes: u64,
    /// Keys that the walk reached.
    pub keys: u64,
    /// Values of those keys.
    pub values: u64,
    /// Key security records in the ring.
    pub descriptors: u64,
    /// Allocated cells that nothing refers to.
    pub leaked_cells: u64,
    /// Bytes in those.
    pub leaked_bytes: u64,
}

/// The outcome of a check.
///
/// ```
/// # fn main() -> hivesmith::Result<()> {
/// use hivesmith::{Hive, HiveView, Version};
/// let bytes = Hive::create(Version::V1_5)?.to_bytes();
/// let report = HiveView::parse(&bytes)?.check();
/// assert!(report.is_clean() && report.editable());
/// assert_eq!(report.totals.keys, 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// The findings in the order of the check: base block, bins, keys depth first, security, leaks. At most 10,000 of
    /// each severity are kept.
    pub findings: Vec<Finding>,
    /// What was looked at.
    pub totals: Totals,
    counts: [u64; Severity::ALL.len()],
    names: usize,
}

impl Report {
    /// How many findings of this severity there are, those that were not kept included.
    #[must_use]
    pub fn count(&self, severity: Severity) -> u64 {
        self.counts[severity as usize]
    }

    /// How many findings were counted but not kept.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.counts.iter().sum::<u64>() - self.findings.len() as u64
    }

    /// The worst severity found; none if nothing was.
    #[must_use]
    pub fn worst(&self) -> Option<Severity> {
        Severity::ALL.into_iter().rev().find(|severity| self.count(*severity) > 0)
    }

    /// Whether nothing worse than [`Severity::Odd`] was found: Windows itself would not object to a byte.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.worst() <= Some(Severity::Odd)
    }

    /// Whether nothing worse than [`Severity::Tolerated`] was found. Anything worse is to be repaired or recovered
    /// before an edit builds on it.
    #[must_use]
    pub fn editable(&self) -> bool {
        self.worst() <= Some(Severity::Tolerated)
    }

    /// Notes a finding. `path` is called only if the finding is kept.
    #[cold]
    pub(super) fn add(
        &mut self,
        (rule, severity): (Rule, Severity),
        (structure, offset): (Structure, FileOffset),
        path: impl FnOnce() -> Option<KeyPath>,
        message: impl fmt::Display,
    ) {
        let count = &mut self.counts[severity as usize];
        *count += 1;
        if *count > KEPT {
            return;
        }
        let path = if self.names < KEPT_NAMES { path() } else { None };
        self.names += path.as_ref().map_or(0, |path| path.names().len());
        self.findings.push(Finding { rule, severity, structure, offset, path, message: message.to_string() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(report: &mut Report, rule: Rule) {
        let place = (Structure::Cell, FileOffset(0x1020));
        report.add((rule, rule.severity()), place, || Some("a".into()), format_args!("size is 0"));
    }

    #[test]
    fn a_flood_of_leaks_hides_nothing_worse() {
        let mut report = Report::default();
        for _ in 0..KEPT + 5 {
            note(&mut report, Rule::C6);
        }
        assert!(report.editable() && !report.is_clean());
        note(&mut report, Rule::C1);
        assert_eq!((report.dropped(), report.worst()), (5, Some(Severity::Fatal)));
        assert_eq!(report.findings.last().unwrap().to_string(), "fatal C1 cell 0x00001020: size is 0");
        assert!(!report.editable());
    }

    #[test]
    fn what_is_odd_is_clean() {
        let mut report = Report::default();
        assert!(report.is_clean() && report.editable() && report.worst().is_none());
        note(&mut report, Rule::K11);
        assert!(report.is_clean());
    }
}
