//! The base block (rules H), and a hive file as a whole.

use super::{CheckOptions, Report, Rule, Severity, check_into};
use crate::{
    BINS_START, FileOffset, HiveView, Structure,
    format::{
        base_block::{BaseBlock, SECTOR},
        hbin::MAX_BINS,
    },
    image::Bins,
};

/// Set in the base block's flags since Windows 10 1607: layered keys are supported.
const LAYERED: u32 = 2;

/// Judges a hive file as it is: the base block, and everything behind it that can be made sense of.
///
/// Logs beside the file are not looked at; a hive that needs them breaks [`Rule::H8`] or [`Rule::H9`].
///
/// ```
/// use hivesmith::check::{Rule, check_file};
/// let report = check_file(b"regf");
/// assert_eq!(report.findings[0].rule, Rule::H1);
/// ```
#[must_use]
pub fn check_file(bytes: &[u8]) -> Report {
    let mut judge = Judge { report: Report::default() };
    match judge.base_block(bytes) {
        Some((base, bins)) => {
            let hive = HiveView::new(&base, Bins::new(bins, &[]));
            check_into(judge.report, hive, CheckOptions::default())
        }
        None => judge.report,
    }
}

struct Judge {
    report: Report,
}

impl Judge {
    fn say(&mut self, rule: Rule, message: impl std::fmt::Display) {
        self.say_as((rule, rule.severity()), message);
    }

    fn say_as(&mut self, verdict: (Rule, Severity), message: impl std::fmt::Display) {
        self.report.add(verdict, (Structure::BaseBlock, FileOffset(0)), || None, message);
    }

    /// A field that has only one right value.
    fn field(&mut self, rule: Rule, field: &str, expected: u32, found: u32) -> bool {
        if found != expected {
            self.say(rule, format_args!("{field} is {found}, expected {expected}"));
        }
        found == expected
    }

    /// Judges the base block; returns it with the bins that it promises, as far as they are there, if the rest of the
    /// file can be read by it.
    fn base_block<'a>(&mut self, bytes: &'a [u8]) -> Option<(BaseBlock, &'a [u8])> {
        if bytes.len() < 2 * BINS_START as usize {
            self.say(Rule::H1, format_args!("the file has {} bytes, expected at least 8192", bytes.len()));
        }
        let base = BaseBlock::decode(bytes.first_chunk::<SECTOR>()?);
        let bins = bytes.get(BINS_START as usize..).unwrap_or_default();
        if base.signature != *b"regf" {
            // With a good first bin Windows looks for a base block in the logs, or makes one.
            let severity = if bins.starts_with(b"hbin\0\0\0\0") { Severity::Healed } else { Severity::Fatal };
            let message = format!("signature is \"{}\", expected \"regf\"", base.signature.escape_ascii());
            self.say_as((Rule::H2, severity), message);
            return None;
        }
        let mut readable = self.field(Rule::H3, "major version", 1, base.major);
        if !(3..=6).contains(&base.minor) {
            self.say(Rule::H4, format_args!("minor version is {}, expected 3 to 6", base.minor));
            readable = false;
        }
        self.field(Rule::H5, "file type", 0, base.file_type);
        readable &= self.field(Rule::H6, "file format", 1, base.file_format);
        self.field(Rule::H7, "clustering factor", 1, base.cluster);
        if !base.checksum_ok() {
            let (found, expected) = (base.checksum, base.true_checksum());
            self.say(Rule::H8, format_args!("checksum is {found:#010x}, expected {expected:#010x}"));
        }
        if base.sequence1 != base.sequence2 {
            let (one, two) = (base.sequence1, base.sequence2);
            self.say(
                Rule::H9,
                format_args!("sequence numbers {one} and {two} differ: the last write was not completed"),
            );
        }
        self.marks(&base, bins);
        let length = base.length;
        let fits = length as usize <= bins.len() && length <= MAX_BINS;
        if length == 0 || length % BINS_START != 0 || !fits {
            let there = bins.len();
            let message = format!(
                "hive bins length is {length:#x}, expected a multiple of 0x1000 above 0 and at most {there:#x}"
            );
            self.say(Rule::H10, message);
        }
        // What is there of the bins is judged all the same, page by page.
        let there = bins.len().min(length.min(MAX_BINS) as usize) & !(BINS_START as usize - 1);
        readable.then_some((base, bins.get(..there)?))
    }

    /// What a base block holds beside the essential.
    fn marks(&mut self, base: &BaseBlock, bins: &[u8]) {
        let signed = base.guid_signature == *b"rmtm";
        if base.minor == 6 {
            self.say(Rule::H13, format_args!("minor version is 6: a differencing hive"));
        } else if signed && base.flags & LAYERED != 0 {
            let message = format!("flags are {:#x}: layered keys are supported", base.flags);
            self.say_as((Rule::H13, Severity::Odd), message);
        }
        // Stores on installation media have leftovers of a path there.
        let ids = [base.rm_id, base.log_id, base.tm_id];
        if !signed && (ids != [[0; 16]; 3] || base.flags != 0) {
            self.say(Rule::H12, format_args!("transaction manager ids stand there without the signature \"rmtm\""));
        }
        if let Some(stamp) = bins.get(0x14..).and_then(|bin| bin.first_chunk().copied()).map(u64::from_le_bytes) {
            if stamp != base.last_written {
                self.say(Rule::H14, format_args!("time stamp is {:#x}, first bin has {stamp:#x}", base.last_written));
            }
        }
    }
}
