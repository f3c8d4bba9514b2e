//! Changing a hive: one value, and very many keys.

mod support;

use std::fs;

use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput};
use hivesmith::{Data, Hive};

use support::{made, peer::Hivex};

/// Siblings of a key in the bulk insert.
const SIBLINGS: u32 = 1_000;

fn main() {
    let mut c = Criterion::default().sample_size(10).configure_from_args();
    set(&mut c);
    bulk(&mut c);
    c.final_summary();
}

/// Opened, set, committed: what a user of the command line waits for, and what a program does again and again.
fn set(c: &mut Criterion) {
    let mut group = c.benchmark_group("set one DWORD among 300,000 keys");
    let (bytes, key) = (made::large(), made::large_key());
    let set = |hive: &mut Hive| {
        let mut txn = hive.begin().unwrap();
        let id = txn.find(&key.as_str().into()).unwrap().expect("it is there");
        let was =
            txn.view().key_by_id(id).unwrap().value(made::NUMBER).unwrap().expect("it is there").decode().unwrap();
        let now = if was == Data::Dword(4) { 3 } else { 4 };
        txn.set_value(id, made::NUMBER, &Data::Dword(now)).unwrap();
        txn.commit().unwrap().pages
    };
    group.bench_function("opened for it", |b| {
        b.iter_batched(
            || made::with_log(bytes.clone()),
            |files| set(&mut Hive::options().open_storage(files).unwrap()),
            criterion::BatchSize::PerIteration,
        );
    });
    let mut hive = Hive::options().open_storage(made::with_log(bytes.clone())).unwrap();
    group.bench_function("open already", |b| b.iter(|| set(&mut hive)));
    group.finish();
}

/// New keys with two values each, in random order, into a new hive, which is written to a file. Linear is the point.
fn bulk(c: &mut Criterion) {
    let peer = Hivex::or_say();
    let folder = support::folder();
    let empty = support::file(&folder, "empty", &made::empty().to_bytes());
    let counts: &[u32] = if support::smoke() { &[2_000] } else { &[25_000, 50_000, 100_000, 200_000] };
    let mut group = c.benchmark_group("bulk insert");
    group.sampling_mode(SamplingMode::Flat);
    let (mut sizes, mut peers) = (Vec::new(), Vec::new());
    for &count in counts {
        group.throughput(Throughput::Elements(count.into()));
        let made = |siblings: u32| {
            let groups = count / siblings;
            (made::keys(count, groups), groups)
        };
        for (name, siblings) in [("1,000 siblings", SIBLINGS), ("all siblings", count)] {
            let (keys, groups) = made(siblings);
            let out = folder.path().join(format!("hivesmith-{siblings}-{count}"));
            group.bench_with_input(BenchmarkId::new(name, count), &keys, |b, keys| {
                b.iter(|| {
                    let hive = made::bulk(keys, groups, made::TEXT_DATA).unwrap();
                    fs::write(&out, hive.to_bytes()).unwrap();
                });
            });
            sizes.push((name, count, out));
        }
        if let Some(peer) = peer.as_ref().filter(|_| count <= 100_000) {
            let (keys, groups) = made(SIBLINGS);
            let list = support::file(&folder, "keys", list(&keys, groups).as_bytes());
            let out = folder.path().join(format!("hivex-{count}"));
            // Once, as it takes that long.
            let work = ["insert", empty.to_str().unwrap(), list.to_str().unwrap(), out.to_str().unwrap()];
            peers.push((count, peer.time(1, &work)));
            sizes.push(("1,000 siblings, hivex", count, out));
        }
    }
    group.finish();
    for (count, time) in peers {
        println!("bulk insert/1,000 siblings, hivex/{count}: once, in {time:.2?}");
    }
    for (name, count, path) in sizes.iter().filter(|(_, _, path)| path.exists()) {
        println!("bulk insert/{name}/{count}: {} KiB", support::peer::kib(path));
    }
}

fn list(keys: &[(u32, String)], groups: u32) -> String {
    let groups = (0..groups).map(made::group_name);
    let keys = keys.iter().map(|(group, name)| format!("{group}\\{name}"));
    groups.chain(keys).collect::<Vec<_>>().join("\n")
}
