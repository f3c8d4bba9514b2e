//! Writing a hive anew: compaction of an intact one, salvage of one that lost a fiftieth of its pages.

mod support;

use std::fs;

use criterion::{BatchSize, Criterion, Throughput};
use hivesmith::{Hive, rebuild::salvage};

fn main() {
    let mut c = Criterion::default().sample_size(10).configure_from_args();
    rebuild(&mut c);
    c.final_summary();
}

fn rebuild(c: &mut Criterion) {
    let mut group = c.benchmark_group("rebuild");
    let system = support::corpus(support::SYSTEM).map(|path| fs::read(path).expect("a readable hive"));
    for (name, bytes) in [("SYSTEM", system), ("300,000 keys", Some(support::made::large()))] {
        let Some(bytes) = bytes else { continue };
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        let hive = Hive::from_bytes(bytes.clone()).expect("a clean hive");
        group.bench_function(format!("compact/{name}"), |b| {
            b.iter_batched(|| (), |()| hive.compacted().expect("an intact hive"), BatchSize::PerIteration);
        });
        let mut damaged = bytes;
        for page in damaged.chunks_mut(0x1000).skip(25).step_by(50) {
            page.fill(0);
        }
        group.bench_function(format!("salvage/{name}"), |b| {
            b.iter_batched(|| (), |()| salvage(&damaged).expect("much of it"), BatchSize::PerIteration);
        });
    }
    group.finish();
}
