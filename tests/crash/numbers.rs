//! Sequence numbers are all that keeps an old log from being laid over a new hive.

use hivesmith::{Data, HiveFile, Version};

use crate::{
    diff::Diff,
    files::Files,
    generated::{self, Edit},
    known::{Known, bins_of},
    lab::{Lab, Run},
    logs::{self, assert_below, word},
    power::{Change, Piece, Power},
    python::{Python, Rule},
    real, record, say,
};

fn one_edit() -> Vec<Edit> {
    vec![Box::new(|txn| {
        let key = txn.create_key(txn.root(), r"~hivesmith\later")?;
        txn.set_value(key, "value", &Data::Dword(1))
    })]
}

/// Numbers wrap around. Whatever they are, and whatever another tool left in the logs, a commit goes through all its
/// states and ends above every number in sight.
#[test]
fn a_hive_may_have_any_number() {
    let mut lab = Lab::new();
    let hive = generated::small_hive(Version::V1_5);
    for number in [0, 1, 2, 5, 0x7fff_fffe, 0x8000_0001, 0xffff_fefe, 0xffff_ff01, u32::MAX - 1, u32::MAX] {
        for ahead in [None, Some(0_u32), Some(1), Some(40)] {
            let mut hive = hive.clone();
            logs::number(&mut hive, number, number);
            let mut log = logs::new_log(&hive);
            if let Some(ahead) = ahead {
                log.extend(logs::entry(number.wrapping_add(ahead), word(&hive, 0x28), &[(0, &[0xee; 0x1000])]));
            }
            for log in [log, logs::old_log(&hive)] {
                let before = Files::new(hive.clone()).with(HiveFile::Log1, log).with(HiveFile::Log2, Vec::new());
                let name = format!("{number:#x}, log ahead by {ahead:?}");
                let (run, after) = record::commit_run(&name, &before, &one_edit());
                lab.judge(&run, 12, 0);
                // And the one after that, on what the first left.
                let (tape, mut hive) = record::open(&after);
                record::commit(&mut hive, &generated::edits()[..1]).unwrap();
                assert_below(&tape.files(), &name);
            }
        }
    }
    assert!(lab.tally.len() == 2 && lab.distinct() > 800, "{} disks", lab.distinct());
}

/// A change in the middle of whatever a page holds.
fn touch(page: &mut [u8]) {
    page[0x800..0x808].iter_mut().for_each(|byte| *byte = byte.wrapping_add(0x11));
}

/// What Windows may leave when it crashes on a hive that was committed to: its first flush, each part of it there or not.
struct Flush {
    files: Files,
    log: HiveFile,
    base: Vec<u8>,
    entry: Vec<u8>,
    dirty: Vec<u8>,
}

impl Flush {
    /// The flush of one page.
    fn new(files: &Files, log: HiveFile, page: u32) -> (Self, Vec<u8>) {
        let hive = files.primary();
        let (number, length) = (word(hive, 4), word(hive, 0x28));
        let mut after = hive.to_vec();
        let at = 0x1000 + page as usize;
        touch(&mut after[at..]);
        let mut dirty = hive[..512].to_vec();
        logs::number(&mut dirty, number.wrapping_add(1), number);
        let flush = Self {
            files: files.clone(),
            log,
            base: logs::base(hive, 6, number),
            entry: logs::entry(number, length, &[(page, &after[at..at + 0x1000])]),
            dirty,
        };
        (flush, after)
    }

    /// The disks it may leave, and whether both the hive's base block and the log's are damaged or old, which takes two
    /// faults at once: Windows writes the log first. What is not overwritten in the log stays.
    fn disks(&self) -> Vec<(Files, bool)> {
        let mut disks = Vec::new();
        for (primary, base, entry) in (0..36).map(|at| (at % 4, at / 4 % 3, at / 12)) {
            let mut disk = self.files.clone();
            let put = |to: &mut Vec<u8>, at: usize, bytes: &[u8]| {
                to.resize(to.len().max(at + bytes.len()), 0);
                to[at..at + bytes.len()].copy_from_slice(bytes);
            };
            let log = disk.bytes_mut(self.log);
            put(log, 0, &self.base[..[0, 256, 512][base]]);
            let whole = self.entry.len();
            put(log, 512, &self.entry[..[0, whole / 2, whole][entry]]);
            put(disk.bytes_mut(HiveFile::Primary), 0, &self.dirty[..[0, 512, 256, 12][primary]]);
            disks.push((disk, primary > 1 && base < 2));
        }
        disks
    }
}

/// The states that both judges find, none where neither can read the hive. They must agree.
fn judged(disks: &[Files], known: &[Vec<u8>]) -> Vec<Option<usize>> {
    let ours = Known::Whole(known.iter().map(|hive| bins_of(hive)).collect());
    let mut python = Python::start();
    if let Some(python) = &mut python {
        python.begin(Rule::Replay, &disks[0], known);
        for disk in disks {
            python.judge(&Diff::whole(&disks[0], disk));
        }
    }
    let mut found = Vec::new();
    for disk in disks {
        let mine = ours.identify(disk);
        if let Some(theirs) = python.as_mut().map(Python::answer) {
            assert_eq!(mine.is_ok(), theirs.is_ok(), "{mine:?}, {theirs:?}");
            assert!(mine.is_err() || mine == theirs);
        }
        if let Err(why) = &mine {
            let refused = why.contains("opened");
            assert!(refused, "pages of before came back: {why}");
        }
        found.push(mine.ok());
    }
    found
}

/// The hive after Windows ran for a while: one page is different, and the hive clean at another number.
fn changed_by_windows(files: &Files, page: u32, number: u32) -> Files {
    let mut files = files.clone();
    let primary = files.bytes_mut(HiveFile::Primary);
    touch(&mut primary[0x1000 + page as usize..]);
    logs::number(primary, number, number);
    files
}

/// A hive at 1622, beside logs full of entries from 2107 to 2130, most of them left-overs: after a commit none of them
/// may come back, whatever Windows does next and wherever it crashes.
#[test]
fn stale_logs_are_never_laid_over_a_committed_hive() {
    for path in ["dirty/museum-Win10-APTSimulatorVM/Amcache.hve", "dirty/regipy-SYSTEM_B/SYSTEM_B"] {
        let Some(before) = real::read(path) else { return };
        let (tape, mut hive) = record::open(&before);
        record::commit(&mut hive, &one_edit()).unwrap();
        let after = tape.files();
        assert_below(&after, path);
        let stale = logs::all_numbers(before.bytes(HiveFile::Log1)).len();
        assert!(stale > 2, "{stale} numbers in the old log");
        // A page that the old entries have, too.
        let first_reference = word(before.bytes(HiveFile::Log2), 0x228);
        let settled = changed_by_windows(&after, first_reference, word(after.primary(), 4).wrapping_add(1));
        let mut met = [0; 4];
        for log in [HiveFile::Log1, HiveFile::Log2] {
            let (flush, windows) = Flush::new(&settled, log, first_reference);
            // Our own log is valid, and all there is if both base blocks go at once: then the hive is as we left it.
            let known = [settled.primary().to_vec(), windows, after.primary().to_vec()];
            let (disks, two_faults): (Vec<Files>, Vec<bool>) = flush.disks().into_iter().unzip();
            for (found, two_faults) in judged(&disks, &known).into_iter().zip(two_faults) {
                assert!(found != Some(2) || two_faults, "{path}: the hive goes back to our commit");
                met[found.unwrap_or(3)] += 1;
            }
        }
        let what = "before its flush, behind it, as we left the hive, refused";
        say(&format!("{path}: crashes of Windows behind a commit: {met:?} ({what})"));
        assert!(met.iter().all(|times| *times > 0));

        // As a tool leaves it that writes the hive and its next number and nothing else, the old pages do come back.
        let naive = before.clone().with(HiveFile::Primary, after.primary().to_vec());
        let naive = changed_by_windows(&naive, first_reference, word(before.primary(), 4).wrapping_add(1));
        let (flush, windows) = Flush::new(&naive, HiveFile::Log1, first_reference);
        let known = Known::Whole([naive.primary(), &windows].map(bins_of).into());
        let comes_back = |disk: &Files| known.identify(disk).is_err_and(|why| why.contains("no state"));
        assert!(
            flush.disks().iter().any(|(disk, _)| comes_back(disk)),
            "the danger that this test is about does not exist"
        );
    }
}

/// A commit that crashed before the hive was marked as dirty leaves a complete log of changes that were never made.
/// Nothing of it may ever come to the hive, whatever Windows does next and wherever it crashes.
#[test]
fn the_log_of_a_commit_that_never_was_stays_dead() {
    let hive = generated::small_hive(Version::V1_5);
    let log = logs::new_log(&hive);
    // Where another tool left a log that is ahead of the hive, the commit's own number is far above the hive's.
    let ahead = logs::entry(word(&hive, 4).wrapping_add(40), word(&hive, 0x28), &[(0, &[0xee; 0x1000])]);
    for log in [log.clone(), [log, ahead].concat()] {
        let before = Files::new(hive.clone()).with(HiveFile::Log1, log).with(HiveFile::Log2, Vec::new());
        let (run, after) = record::commit_run("never", &before, &one_edit());
        let power = before_arming(&run);
        assert!(logs::is_base(power.durable().bytes(HiveFile::Log1)), "the log is complete");
        let mut met = [0; 4];
        for log in [HiveFile::Log1, HiveFile::Log2] {
            let (flush, windows) = Flush::new(power.durable(), log, 0);
            let known = [power.durable().primary().to_vec(), windows, after.primary().to_vec()];
            let (disks, two_faults): (Vec<Files>, Vec<bool>) = flush.disks().into_iter().unzip();
            for (found, two_faults) in judged(&disks, &known).into_iter().zip(two_faults) {
                assert!(found != Some(2) || two_faults, "changes that were never made");
                met[found.unwrap_or(3)] += 1;
            }
        }
        assert!(met.iter().all(|times| *times > 0), "{met:?}");
    }
}

/// The disk at the moment when the hive's dirty base block is on its way and not there yet.
fn before_arming(run: &Run) -> Power {
    let is_dirty = |piece: &Piece| match &piece.change {
        Change::Sector { at: 0, bytes, .. } if piece.file == HiveFile::Primary => word(bytes, 4) != word(bytes, 8),
        _ => false,
    };
    let mut power = Power::new(&run.before);
    for call in &run.calls {
        power.make(call);
        if power.pending().iter().any(is_dirty) {
            return power;
        }
    }
    panic!("{}: never dirty", run.name);
}
