//! Reading everything there is.

mod support;

use std::{fs, path::Path};

use criterion::{Criterion, Throughput};
use hivesmith::HiveView;

use support::peer::Hivex;

fn main() {
    let mut c = Criterion::default().sample_size(10).configure_from_args();
    walk(&mut c);
    c.final_summary();
}

fn walk(c: &mut Criterion) {
    let peer = Hivex::or_say();
    let folder = support::folder();
    let large = support::file(&folder, "large", &support::made::large());
    let system = support::corpus(support::SYSTEM);
    for (name, path) in [("SYSTEM", system), ("300,000 keys", Some(large))] {
        if let Some(path) = path {
            walk_one(c, peer.as_ref(), name, &path);
        }
    }
}

fn walk_one(c: &mut Criterion, peer: Option<&Hivex>, name: &str, path: &Path) {
    let bytes = fs::read(path).expect("a readable hive");
    let hive = HiveView::parse(&bytes).expect("a hive");
    let mut group = c.benchmark_group(format!("walk {name}"));
    group.throughput(Throughput::Elements(hive.walk().count() as u64));
    group.bench_function("keys", |b| b.iter(|| keys(hive)));
    group.bench_function("keys, values and data", |b| b.iter(|| values(hive)));
    if let Some(peer) = peer {
        let path = path.to_str().unwrap();
        group.bench_function("keys, hivex", |b| b.iter_custom(|times| peer.time(times, &["keys", path])));
        group.bench_function("keys, values and data, hivex", |b| {
            b.iter_custom(|times| peer.time(times, &["values", path]));
        });
    }
    group.finish();
}

fn keys(hive: HiveView<'_>) -> usize {
    hive.walk().map(|walked| walked.unwrap().key.name().unwrap().len()).sum()
}

fn values(hive: HiveView<'_>) -> usize {
    let mut seen = 0;
    for walked in hive.walk() {
        let key = walked.unwrap().key;
        seen += key.name().unwrap().len();
        for value in key.values().unwrap() {
            let value = value.unwrap();
            seen += value.name().unwrap().len();
            // Real hives hold a few values whose data are damaged; reading those ends with an error.
            seen += value.data().map_or(0, |data| data.len());
        }
    }
    seen
}
