//! Any bytes as a disk: an answer or an error, within bounds.

#![no_main]

use std::io::Cursor;

use hivesmith::volume::PartitionTable;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|disk: &[u8]| {
    let Ok(table) = PartitionTable::read(&mut Cursor::new(disk)) else { return };
    assert!(table.partitions.len() <= 4 * 128 * 4 + 4, "{} partitions", table.partitions.len());
    for partition in &table.partitions {
        assert_eq!(table.number(partition.number).map(|found| found.number), Some(partition.number));
    }
});
