//! Opening a hive: until its root can be read.

mod support;

use std::{fs, hint::black_box, path::Path};

use criterion::{BatchSize, Criterion};
use hivesmith::{Hive, HiveView};

use support::peer::Hivex;

fn main() {
    let mut c = Criterion::default().sample_size(10).configure_from_args();
    open(&mut c);
    c.final_summary();
}

fn open(c: &mut Criterion) {
    let peer = Hivex::or_say();
    let folder = support::folder();
    let large = support::file(&folder, "large", &support::made::large());
    let system = support::corpus(support::SYSTEM);
    for (name, path) in [("SYSTEM", system), ("300,000 keys", Some(large))] {
        if let Some(path) = path {
            open_one(c, peer.as_ref(), name, &path);
        }
    }
}

fn open_one(c: &mut Criterion, peer: Option<&Hivex>, name: &str, path: &Path) {
    let mut group = c.benchmark_group(format!("open {name}"));
    let bytes = fs::read(path).expect("a readable hive");
    group.bench_function("a view of a slice", |b| {
        b.iter(|| HiveView::parse(black_box(&bytes)).and_then(HiveView::root).unwrap().subkey_count());
    });
    group.bench_function("from a vector", |b| {
        let open = |bytes| {
            let hive = Hive::from_bytes(bytes).unwrap();
            assert!(hive.view().root().is_ok());
            hive
        };
        b.iter_batched(|| bytes.clone(), open, BatchSize::PerIteration);
    });
    group.bench_function("a file, mapped", |b| {
        b.iter(|| {
            let hive = Hive::options().read_only(true).open(path).unwrap();
            hive.view().root().unwrap().subkey_count()
        });
    });
    group.bench_function("a file, for editing", |b| {
        b.iter(|| {
            let mut hive = Hive::open(path).unwrap();
            hive.begin().unwrap().root()
        });
    });
    if let Some(peer) = peer {
        group.bench_function("hivex", |b| b.iter_custom(|times| peer.time(times, &["open", path.to_str().unwrap()])));
    }
    group.finish();
}
