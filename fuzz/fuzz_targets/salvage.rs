//! Any bytes as a damaged hive: what is salvaged passes the check, is not longer than twice its source, and has nothing
//! left to be salvaged. What passes the check itself is compacted, with the same in it.

#![no_main]

use hivesmith::{Hive, HiveView, check::check_file, rebuild::salvage};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    if let Ok(salvaged) = salvage(input) {
        let result = salvaged.hive.to_bytes();
        let report = check_file(&result);
        assert!(report.editable(), "{:?}", report.findings);
        assert!(result.len() <= 2 * input.len() + 0x10000);
        assert_eq!(report.totals.keys, salvaged.totals.keys);
        assert_eq!(report.totals.values, salvaged.totals.values);
        let again = salvage(&result).expect("a sound hive");
        assert_eq!(again.losses, []);
        assert_eq!(again.totals.values, salvaged.totals.values);
    }
    let Ok(hive) = Hive::from_bytes(input.to_vec()) else { return };
    if let Ok(compacted) = hive.compacted() {
        assert!(compacted.to_bytes().len() <= input.len());
        assert_eq!(count(hive.view()), count(compacted.view()));
        assert_eq!(compacted.compacted().expect("a sound hive").to_bytes(), compacted.to_bytes());
    }
});

fn count(hive: HiveView<'_>) -> (u64, u64) {
    let totals = hive.check().totals;
    (totals.keys, totals.values)
}
