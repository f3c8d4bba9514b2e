//! Making one changed DWORD of a large hive durable.

mod support;

use std::{
    fs, io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use criterion::Criterion;
use hivesmith::{Data, FileStorage, Hive, HiveFile, KeyId, Storage};

use support::made;

fn main() {
    let mut c = Criterion::default().sample_size(10).configure_from_args();
    commit(&mut c);
    c.final_summary();
}

fn commit(c: &mut Criterion) {
    let mut group = c.benchmark_group("commit one DWORD");
    let (bytes, key) = (made::large(), made::large_key());
    let folder = support::folder();
    let files = |name: &str, log: bool| {
        let path = support::file(&folder, name, &bytes);
        if log {
            fs::write(path.with_extension("LOG1"), made::log(&bytes)).unwrap();
            fs::write(path.with_extension("LOG2"), []).unwrap();
        }
        FileStorage::open(&path, true).unwrap()
    };
    let mut written = Vec::new();
    let storages: [(&str, Box<dyn Storage>); 3] = [
        ("in memory, logged", Box::new(made::with_log(bytes.clone()))),
        ("in files, logged", Box::new(files("logged", true))),
        ("in files, without logs", Box::new(files("stepwise", false))),
    ];
    for (name, storage) in storages {
        let counted = Counted { storage, bytes: Arc::default(), syncs: Arc::default() };
        let (total, syncs) = (Arc::clone(&counted.bytes), Arc::clone(&counted.syncs));
        let mut hive = Hive::options().open_storage(counted).unwrap();
        let id = hive.view().key(&key).unwrap().expect("it is there").id();
        let mut number = 0;
        group.bench_function(name, |b| b.iter(|| change(&mut hive, id, &mut number)));
        let before = [&total, &syncs].map(|count| count.load(Ordering::Relaxed));
        change(&mut hive, id, &mut number);
        let after = [&total, &syncs].map(|count| count.load(Ordering::Relaxed));
        written.push((name, hive.protocol(), after[0] - before[0], after[1] - before[1]));
    }
    group.finish();
    for (name, protocol, bytes, syncs) in written {
        println!("commit one DWORD/{name}: {protocol:?}, {bytes} bytes written, {syncs} syncs");
    }
    report_length(folder.path());
}

fn change(hive: &mut Hive, key: KeyId, number: &mut u32) {
    *number += 1;
    let mut txn = hive.begin().unwrap();
    txn.set_value(key, made::NUMBER, &Data::Dword(*number)).unwrap();
    txn.commit().unwrap();
}

fn report_length(folder: &Path) {
    println!("commit one DWORD: the hive has {} KiB", support::peer::kib(&folder.join("logged")));
}

/// Counts what is written, and how often it is made durable.
struct Counted {
    storage: Box<dyn Storage>,
    bytes: Arc<AtomicU64>,
    syncs: Arc<AtomicU64>,
}

impl Storage for Counted {
    fn len(&mut self, file: HiveFile) -> io::Result<Option<u64>> {
        self.storage.len(file)
    }

    fn read(&mut self, file: HiveFile, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.storage.read(file, offset, buffer)
    }

    fn write(&mut self, file: HiveFile, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        self.storage.write(file, offset, bytes)
    }

    fn set_len(&mut self, file: HiveFile, length: u64) -> io::Result<()> {
        self.storage.set_len(file, length)
    }

    fn sync(&mut self, file: HiveFile) -> io::Result<()> {
        self.syncs.fetch_add(1, Ordering::Relaxed);
        self.storage.sync(file)
    }
}
