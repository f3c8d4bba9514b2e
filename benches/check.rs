//! Checking a hive, as every transaction does before it begins and before it commits.

mod support;

use std::fs;

use criterion::{Criterion, Throughput};
use hivesmith::{Hive, HiveView};

fn main() {
    let mut c = Criterion::default().sample_size(10).configure_from_args();
    check(&mut c);
    c.final_summary();
}

fn check(c: &mut Criterion) {
    let mut group = c.benchmark_group("check");
    let system = support::corpus("dirty/regipy-SYSTEM_B/SYSTEM_B").map(|path| fs::read(path).expect("a readable hive"));
    let scattered = support::made::large();
    // The keys lie beside their values, as in hives that Windows made.
    let dense = Hive::from_bytes(scattered.clone()).and_then(|hive| hive.compacted()).expect("a hive").to_bytes();
    let made = [("300,000 keys", Some(scattered)), ("300,000 keys, compacted", Some(dense))];
    for (name, bytes) in [("SYSTEM_B", system)].into_iter().chain(made) {
        let Some(bytes) = bytes else { continue };
        let hive = HiveView::parse(&bytes).expect("a hive");
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function(name, |b| b.iter(|| hive.check().totals));
    }
    group.finish();
}
