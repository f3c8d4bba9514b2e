//! Checking a hive, as every transaction does before it begins and before it commits.

mod support;

use std::fs;

use criterion::{Criterion, Throughput};
use hivesmith::HiveView;

fn main() {
    let mut c = Criterion::default().sample_size(10).configure_from_args();
    check(&mut c);
    c.final_summary();
}

fn check(c: &mut Criterion) {
    let mut group = c.benchmark_group("check");
    let system = support::corpus("dirty/regipy-SYSTEM_B/SYSTEM_B").map(|path| fs::read(path).expect("a readable hive"));
    for (name, bytes) in [("SYSTEM_B", system), ("300,000 keys", Some(support::made::large()))] {
        let Some(bytes) = bytes else { continue };
        let hive = HiveView::parse(&bytes).expect("a hive");
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function(name, |b| b.iter(|| hive.check().totals));
    }
    group.finish();
}
