//! Lists of operations against the model of the property tests: the first byte says which hive, the rest are records
//! of eight bytes.

#![no_main]
#![allow(dead_code, reason = "the property tests use more of these modules")]

#[path = "../../tests/support/base_block.rs"]
mod base_block;
#[path = "../../tests/support/log.rs"]
mod log;
#[path = "../../tests/model/ops.rs"]
mod ops;
#[path = "../../tests/model/tree.rs"]
mod tree;
#[path = "../../tests/model/world.rs"]
mod world;

use hivesmith::Version;
use libfuzzer_sys::fuzz_target;

use ops::{Op, RECORD};
use world::{Bounds, Mode, World};

fuzz_target!(|input: &[u8]| {
    let Some((&first, records)) = input.split_first() else { return };
    let version = if first & 1 == 0 { Version::V1_3 } else { Version::V1_5 };
    let mode = [Mode::Memory, Mode::Stepwise, Mode::Logged][usize::from(first >> 1) % 3];
    let ops: Vec<Op> =
        records.chunks_exact(RECORD).take(100).map(|record| Op::decode(record.try_into().expect("a record"))).collect();
    // Small, so that an input takes milliseconds; long lists are what the property tests are for.
    let mut world = World::new(version, mode, Bounds { siblings: 40, values: 40, hive: 1 << 18 });
    if let Err(what) = world.run(&ops) {
        panic!("{version:?} {mode:?} {ops:#?}: {what}");
    }
});
