//! Cuts power at every place of a recorded run, in many ways, and has each disk judged.

use std::collections::{BTreeMap, HashSet};

use hivesmith::{HiveFile, Protocol};

use crate::{
    diff::{Diff, Print},
    files::Files,
    known::Known,
    power::{Power, SECTOR},
    python::{Python, Rule},
    select::{capacity, selections, share},
    tape::Call,
    torn::{base_on_its_way, remains},
};

/// A run of the engine: what it began with, what it asked of the disk, and what may be found.
pub(crate) struct Run {
    pub(crate) name: String,
    pub(crate) protocol: Protocol,
    pub(crate) before: Files,
    pub(crate) calls: Vec<Call>,
    pub(crate) known: Known,
    /// The same states as whole hives, for the other judge.
    pub(crate) hives: Vec<Vec<u8>>,
}

/// What was met, by protocol.
#[derive(Default)]
pub(crate) struct Tally {
    /// How many disks, all different, were found in which state.
    pub(crate) found: BTreeMap<Found, usize>,
    /// Disks with a torn base block, taken from the log.
    pub(crate) torn: usize,
    pub(crate) judged_twice: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Found {
    Old,
    /// Some of the changes, if they are made step by step; with a log of before Windows 8.1, the new time stamp of the
    /// first bin and nothing else.
    Between,
    New,
}

pub(crate) struct Lab {
    python: Option<Python>,
    seen: HashSet<u128>,
    waiting: Vec<Waiting>,
    /// How often each state of each run was met.
    met: BTreeMap<String, Vec<usize>>,
    pub(crate) tally: BTreeMap<String, Tally>,
}

/// A disk that waits for the other judge's word.
struct Waiting {
    call: usize,
    by_us: usize,
}

impl Lab {
    pub(crate) fn new() -> Self {
        Self {
            python: Python::start(),
            seen: HashSet::new(),
            waiting: Vec::new(),
            met: BTreeMap::new(),
            tally: BTreeMap::new(),
        }
    }

    pub(crate) fn distinct(&self) -> usize {
        self.seen.len()
    }

    /// Judges about `budget` disks that power cuts during the run leave.
    pub(crate) fn judge(&mut self, run: &Run, budget: usize, seed: u64) {
        let rule = match run.known {
            Known::Whole(_) => Rule::Replay,
            Known::Steps { dirty_before: false, .. } => Rule::Clean,
            Known::Steps { dirty_before: true, .. } => Rule::ReplayedClean,
        };
        if let Some(python) = &mut self.python {
            python.begin(rule, &run.before, &run.hives);
        }
        let mut print = Print::new(&run.name, &run.before);
        let mut power = Power::new(&run.before);
        let mut met = vec![0_usize; run.known.len()];
        // Once it is certain that a state was reached, no earlier one may be found.
        let mut least = 0;
        for (call, share) in share(budget, &capacities(run)).into_iter().enumerate() {
            if let Some(diff) = call.checked_sub(1).and_then(|last| power.make(&run.calls[last])) {
                if let Some(python) = &mut self.python {
                    python.change(&diff);
                }
                print.change(power.durable(), &diff);
            }
            let mut judged = 0;
            // Nothing can be there before it is on its way.
            let all = power.cut(&vec![true; power.pending().len()], false);
            let most = run.known.identify(&all).unwrap_or_else(|why| panic!("{}: call {call}: {why}", run.name));
            let seed = seed ^ (call as u64) << 32;
            for (survives, garbage) in selections(power.pending().len(), share, seed) {
                // The budget ends where the disk with everything and the one with nothing were seen.
                if judged > share {
                    break;
                }
                let disk = power.cut(&survives, garbage);
                let diff = Diff::between(power.durable(), &disk, power.pending());
                if !self.seen.insert(print.with(&disk, &diff)) {
                    continue;
                }
                judged += 1;
                let found = run.known.identify(&disk);
                let found = found.unwrap_or_else(|why| panic!("{}: power cut after call {call}: {why}", run.name));
                assert!(found >= least, "{}: call {call}: state {found} after state {least}", run.name);
                assert!(found <= most, "{}: call {call}: state {found} before state {most}", run.name);
                met[found] += 1;
                if let Some(python) = &mut self.python {
                    python.judge(&diff);
                    self.waiting.push(Waiting { call, by_us: found });
                }
            }
            self.tear(run, call, &power, &print);
            if power.pending().is_empty() {
                least = run.known.identify(power.durable()).unwrap();
            }
        }
        assert_eq!(least, run.known.len() - 1, "{}: the last state was not reached", run.name);
        self.count(run, &met);
    }

    /// Tears the hive's base block where a log stands in for it: then it is as if it had been written whole.
    fn tear(&mut self, run: &Run, call: usize, power: &Power, print: &Print) {
        let Some(base) = base_on_its_way(power.durable(), power.pending()) else { return };
        let whole = power.cut(&vec![true; power.pending().len()], false);
        let expected = run.known.identify(&whole).unwrap_or_else(|why| panic!("{}: call {call}: {why}", run.name));
        for (at, remains) in remains(&power.durable().primary()[..SECTOR], &base, call as u64).iter().enumerate() {
            let mut disk = whole.clone();
            disk.bytes_mut(HiveFile::Primary)[..SECTOR].copy_from_slice(remains);
            let diff = Diff::between(power.durable(), &disk, power.pending());
            if !self.seen.insert(print.with(&disk, &diff)) {
                continue;
            }
            let found = run.known.identify(&disk);
            let found = found.unwrap_or_else(|why| panic!("{}: call {call}, torn as {at}: {why}", run.name));
            assert_eq!(found, expected, "{}: call {call}, torn as {at}", run.name);
            self.tally.entry(format!("{:?}", run.protocol)).or_default().torn += 1;
            if let Some(python) = &mut self.python {
                python.judge(&diff);
                self.waiting.push(Waiting { call, by_us: found });
            }
        }
    }

    /// States of runs in which no disk was found.
    pub(crate) fn unmet(&self) -> Vec<String> {
        let unmet = |(run, met): (&String, &Vec<usize>)| {
            let states = met.iter().enumerate().filter(|(_, times)| **times == 0);
            states.map(|(state, _)| format!("{run}: state {state} of {}", met.len() - 1)).collect::<Vec<_>>()
        };
        self.met.iter().flat_map(unmet).collect()
    }

    fn count(&mut self, run: &Run, met: &[usize]) {
        let tally = self.tally.entry(format!("{:?}", run.protocol)).or_default();
        for (state, times) in met.iter().enumerate() {
            let found = match state {
                0 => Found::Old,
                last if last + 1 == met.len() => Found::New,
                _ => Found::Between,
            };
            *tally.found.entry(found).or_default() += times;
        }
        let ever = self.met.entry(run.name.clone()).or_insert_with(|| vec![0; met.len()]);
        ever.iter_mut().zip(met).for_each(|(ever, now)| *ever += now);
        let Some(python) = &mut self.python else { return };
        for disk in self.waiting.drain(..) {
            let call = disk.call;
            match python.answer() {
                Ok(theirs) => assert_eq!(theirs, disk.by_us, "{}: call {call}: the judges differ", run.name),
                Err(why) => panic!("{}: call {call}: the other judge: {why}", run.name),
            }
            tally.judged_twice += 1;
        }
    }
}

/// How many disks there are, about, to be met after each call.
fn capacities(run: &Run) -> Vec<usize> {
    let mut power = Power::new(&run.before);
    let mut capacities = vec![1];
    for call in &run.calls {
        power.make(call);
        capacities.push(capacity(power.pending().len()));
    }
    capacities
}
