//! Finding one thing by its name.

mod support;

use std::{fs, hint::black_box};

use criterion::{Criterion, Throughput};
use hivesmith::{Data, HiveView};
use tempfile::TempDir;

use support::{made, peer::Hivex};

/// Levels of the deep path, siblings in the wide key, values of the key with many.
const DEEP: usize = 32;
const WIDE: u32 = 1_012;
const VALUES: u32 = 200;

fn main() {
    let mut c = Criterion::default().sample_size(20).configure_from_args();
    lookup(&mut c);
    c.final_summary();
}

fn lookup(c: &mut Criterion) {
    let peer = Hivex::or_say();
    let folder = support::folder();
    let deep = vec!["Level"; DEEP].join("\\");
    let bytes = make(&deep).expect("a hive");
    let path = support::file(&folder, "made", &bytes);
    let hive = HiveView::parse(&bytes).expect("a hive");
    let wide: Vec<String> = made::keys(WIDE, 1).into_iter().map(|(_, name)| format!("Wide\\{name}")).collect();
    let huge: Vec<String> = made::keys(100_000, 1).into_iter().step_by(97).map(|(_, n)| format!("Huge\\{n}")).collect();
    let one = |path: &str| vec![path.to_owned()];
    let missing = "Wide\\nothing of that name";

    let mut group = c.benchmark_group("lookup");
    for (name, paths) in [("32 levels deep", one(&deep)), ("each of 1,012 siblings", wide)] {
        group.throughput(Throughput::Elements(paths.len() as u64));
        group.bench_function(name, |b| b.iter(|| find_all(hive, black_box(&paths))));
        if let Some(peer) = &peer {
            let list = support::file(&folder, "paths", paths.join("\n").as_bytes());
            let work = ["lookup", path.to_str().unwrap(), list.to_str().unwrap()];
            group.bench_function(format!("{name}, hivex"), |b| b.iter_custom(|times| peer.time(times, &work)));
        }
    }
    if !support::smoke() {
        group.throughput(Throughput::Elements(huge.len() as u64));
        group.bench_function("among 100,000 siblings", |b| b.iter(|| find_all(hive, black_box(&huge))));
    }
    group.throughput(Throughput::Elements(1));
    group.bench_function("no such key", |b| b.iter(|| assert!(hive.key(black_box(missing)).unwrap().is_none())));

    let last = format!("Value {:03}", VALUES - 1);
    group.bench_function("the last of 200 values", |b| {
        let key = hive.key("Values").unwrap().unwrap();
        b.iter(|| key.value(black_box(last.as_str())).unwrap().unwrap().decode().unwrap());
    });
    if let Some(peer) = &peer {
        let work = ["value", path.to_str().unwrap(), "Values", &last];
        group.bench_function("the last of 200 values, hivex", |b| b.iter_custom(|times| peer.time(times, &work)));
    }
    group.finish();

    lookup_system(c, peer.as_ref(), &folder);
}

fn lookup_system(c: &mut Criterion, peer: Option<&Hivex>, folder: &TempDir) {
    let Some(path) = support::corpus(support::SYSTEM) else { return };
    let bytes = fs::read(&path).expect("a readable hive");
    let hive = HiveView::parse(&bytes).expect("a hive");
    let paths: Vec<String> = hive
        .walk()
        .map(|walked| walked.unwrap().key.path().unwrap().to_string())
        .filter(|path| path.is_ascii())
        .collect();
    let mut group = c.benchmark_group("lookup SYSTEM");
    group.throughput(Throughput::Elements(paths.len() as u64));
    group.bench_function("every key by its path", |b| b.iter(|| find_all(hive, &paths)));
    if let Some(peer) = peer {
        let list: Vec<&str> = paths.iter().map(String::as_str).filter(|path| !path.is_empty()).collect();
        let list = support::file(folder, "paths", list.join("\n").as_bytes());
        let work = ["lookup", path.to_str().unwrap(), list.to_str().unwrap()];
        group.bench_function("every key by its path, hivex", |b| b.iter_custom(|times| peer.time(times, &work)));
    }
    group.finish();
}

fn make(deep: &str) -> hivesmith::Result<Vec<u8>> {
    let mut hive = made::empty();
    let mut txn = hive.begin()?;
    let root = txn.root();
    txn.create_key(root, deep)?;
    for (parent, count) in [("Wide", WIDE), ("Huge", support::size(100_000, 0))] {
        let parent = txn.create_key(root, parent)?;
        for (_, name) in made::keys(count, 1) {
            txn.create_key(parent, name.as_str())?;
        }
    }
    let values = txn.create_key(root, "Values")?;
    for at in 0..VALUES {
        txn.set_value(values, format!("Value {at:03}"), &Data::Dword(at))?;
    }
    txn.commit()?;
    Ok(hive.to_bytes())
}

fn find_all(hive: HiveView<'_>, paths: &[String]) -> usize {
    paths.iter().map(|path| hive.key(path).unwrap().expect("it is there").subkey_count() as usize).sum()
}
