//! Crashes during the repair of a crash.

use hivesmith::{HiveFile, Protocol, Version};

use crate::{
    files::Files,
    generated,
    lab::{Lab, Run},
    logs::{new_log, numbers, old_log},
    power::Power,
    real, record, say,
    select::Dice,
};

/// Some of the disks that a run may leave, dirty ones: after every call, nothing or all or parts of what is on its way.
fn dirty_disks(run: &Run, seed: u64) -> Vec<Files> {
    let mut power = Power::new(&run.before);
    let mut dice = Dice::new(seed);
    let mut disks: Vec<Files> = Vec::new();
    for call in &run.calls {
        power.make(call);
        for odds in [0, 4, 8] {
            let survives: Vec<bool> = power.pending().iter().map(|_| dice.below(8) < odds).collect();
            let disk = power.cut(&survives, odds == 4);
            let (first, second) = numbers(disk.primary());
            if first != second && !disks.contains(&disk) {
                disks.push(disk);
            }
        }
    }
    disks
}

/// What a crashed commit leaves is recovered, which crashes, which is recovered, which crashes; and at every depth
/// another commit is made on top, which crashes, too.
struct Depths {
    lab: Lab,
    recoveries: usize,
    commits: usize,
    seed: u64,
}

impl Depths {
    fn descend(&mut self, name: &str, disks: &[Files], depth: u32, most: usize) {
        let mut dice = Dice::new(self.seed);
        let chosen: Vec<&Files> = match disks.len() {
            few if few <= most => disks.iter().collect(),
            many => (0..most).map(|_| &disks[dice.below(many)]).collect(),
        };
        for disk in chosen {
            self.seed += 1;
            let name = format!("{name} > {}", self.seed);
            let (run, recovered) = record::recovery_run(&name, disk);
            self.lab.judge(&run, 16, self.seed);
            self.recoveries += 1;
            if depth > 0 {
                self.descend(&name, &dirty_disks(&run, self.seed), depth - 1, 2);
            }
            for (what, files) in [("dirty", disk), ("recovered", &recovered)] {
                let edits = generated::later_edits();
                let (run, _) = record::commit_run(&format!("{name}, commit on {what}"), files, &edits);
                self.lab.judge(&run, 16, self.seed);
                self.commits += 1;
            }
        }
    }
}

#[test]
fn recoveries_may_crash_and_their_recoveries_as_well() {
    let mut depths = Depths { lab: Lab::new(), recoveries: 0, commits: 0, seed: 1 };
    let hive = generated::small_hive(Version::V1_5);
    let far_apart = generated::far_apart(Version::V1_3);
    let two = |log: Vec<u8>| Files::new(hive.clone()).with(HiveFile::Log1, log).with(HiveFile::Log2, Vec::new());
    let starts = [
        (Protocol::Logged, two(new_log(&hive)), generated::edits()),
        (Protocol::OldLog, two(old_log(&hive)), generated::edits()),
        (Protocol::Redo, Files::new(far_apart).with(HiveFile::Redo, Vec::new()), generated::far_apart_edits()),
    ];
    for (protocol, files, edits) in starts {
        let (run, _) = record::commit_run(&format!("{protocol:?}"), &files, &edits);
        assert_eq!(run.protocol, protocol);
        let disks = dirty_disks(&run, 7);
        assert!(!disks.is_empty());
        depths.descend(&run.name, &disks, 2, 5);
    }
    // Two logs of Windows' own that continue each other; one of before 8.1.
    for path in ["dirty/yarp-NewDirtyHive1/NewDirtyHive", "dirty/yarp-OldDirtyHive/OldDirtyHive"] {
        let Some(files) = real::read(path) else { break };
        depths.descend(path, &[files], 2, 1);
    }
    let disks = depths.lab.distinct();
    say(&format!("{} recoveries and {} commits crashed: {disks} disks", depths.recoveries, depths.commits));
    assert!(depths.recoveries > 60 && depths.commits > 120 && disks > 1000);
}
