//! What a commit writes, in which order, and how it is chosen. What power cuts leave is the matter of `tests/crash`.

mod after_replay;
mod compact;
mod journal;
#[path = "../support/mod.rs"]
mod support;

use hivesmith::{
    Data, Error, FileTime, Hive, HiveFile, KeyFlags, KeyId, MemoryStorage, NewHive, OpenOptions, Protocol,
    RequestError, Result, System, Transaction, ValueType, Version, name::NameBuf,
};

use support::{
    base_block::{number, sum_up},
    log::{log_for, old_log_for},
    small_hive::{OTHER, descriptor, small_hive},
    tape::{Call, Tape, coin, cut},
};

/// The same hive, clean at another number.
fn with_number(hive: &[u8], sequence: u32) -> Vec<u8> {
    let mut hive = hive.to_vec();
    number(&mut hive, sequence, sequence);
    hive
}

type Edit = fn(&mut Transaction<'_>) -> Result<()>;

fn key(txn: &Transaction<'_>, path: &str) -> KeyId {
    txn.find(&path.into()).unwrap().expect(path)
}

/// Edits of every kind; later ones undo what earlier ones did, use what they freed, and grow the hive.
const EDITS: [Edit; 14] = [
    |txn| txn.set_value(key(txn, r"Services\svc7"), "Start", &Data::Dword(4)),
    |txn| txn.delete_key(key(txn, r"Services\svc8")),
    |txn| txn.delete_tree(key(txn, r"Services\svc9")).map(drop),
    |txn| txn.create_key(key(txn, "Services"), r"new\below").map(drop),
    |txn| txn.set_value(key(txn, r"Services\new\below"), "", &Data::Sz("text".to_owned())),
    |txn| txn.rename_key(key(txn, r"Services\svc10"), "a name that needs another cell").map(drop),
    |txn| txn.set_value_bytes(key(txn, r"Services\svc11"), "Start", ValueType::QWORD, &[1; 8]),
    |txn| txn.set_security(key(txn, r"Services\svc12"), &descriptor(OTHER)),
    |txn| txn.set_security(key(txn, r"Services\guarded"), &descriptor(OTHER)),
    |txn| txn.set_class_name(key(txn, r"Services\guarded"), Some(NameBuf::from("another"))),
    |txn| txn.delete_value(key(txn, r"Services\guarded"), "Big").map(drop),
    |txn| txn.set_flags(key(txn, r"Services\svc13"), KeyFlags::SYMBOLIC_LINK),
    |txn| txn.set_value(key(txn, r"Services\svc14"), "Blob", &Data::Binary(vec![9; 50_000])),
    |txn| txn.rename_key(key(txn, "Services"), "SERVICES").map(drop),
];

fn files(hive: &[u8], logged: bool) -> MemoryStorage {
    let files = MemoryStorage::new(hive.to_vec());
    if logged { files.with(HiveFile::Log1, log_for(hive)).with(HiveFile::Log2, Vec::new()) } else { files }
}

/// Commits edits and returns what was asked of the disk, and the hive then.
fn committed(files: &MemoryStorage, edits: &[Edit]) -> (Vec<Call>, Hive) {
    let tape = Tape::new(files.clone());
    let mut hive = OpenOptions::new().open_storage(tape.clone()).unwrap();
    let mut txn = hive.begin().unwrap();
    for edit in edits {
        edit(&mut txn).unwrap();
    }
    txn.commit().unwrap();
    (tape.take(), hive)
}

/// Every way in which power can fail during the calls: after each of them, with what was not synced lost, there, or
/// there in parts.
fn each_cut(before: &MemoryStorage, calls: &[Call], mut look: impl FnMut(usize, MemoryStorage)) {
    for made in 0..=calls.len() {
        let calls = &calls[..made];
        look(made, cut(before, calls, || false));
        if !matches!(calls.last(), None | Some(Call::Sync(_))) {
            look(made, cut(before, calls, || true));
            for seed in 0..6 {
                look(made, cut(before, calls, coin(seed)));
            }
        }
    }
}

fn bins(hive: &Hive) -> Vec<u8> {
    hive.to_bytes().split_off(0x1000)
}

/// The first sector says "dirty" from this call on.
fn arming(calls: &[Call]) -> usize {
    let is_armed =
        |call: &Call| matches!(call, Call::Write(HiveFile::Primary, 0, block) if block[4..8] != block[8..12]);
    calls.iter().position(is_armed).expect("a dirty base block")
}

/// A hive whose logs are used becomes a boot store by the edits of one transaction, which is still one commit.
#[test]
fn a_hive_may_become_a_boot_store() {
    let hive = small_hive(Version::V1_3);
    let mut opened = OpenOptions::new().open_storage(files(&hive, true)).unwrap();
    let mut txn = opened.begin().unwrap();
    txn.create_key(txn.root(), "Objects").unwrap();
    txn.create_key(txn.root(), "Description").unwrap();
    assert_eq!(txn.commit().unwrap().protocol, Protocol::Logged);
    let mut txn = opened.begin().unwrap();
    txn.create_key(txn.root(), "next").unwrap();
    assert_eq!(txn.commit().unwrap().protocol, Protocol::Stepwise);
}

#[test]
fn a_commit_through_an_old_log_has_a_new_time_stamp_and_the_numbers_of_windows() {
    let hive = small_hive(Version::V1_3);
    let before = MemoryStorage::new(hive.clone()).with(HiveFile::Log1, old_log_for(&hive));
    let tape = Tape::new(before.with(HiveFile::Log2, Vec::new()));
    let mut opened = OpenOptions::new().open_storage(tape.clone()).unwrap();
    assert_eq!(opened.protocol(), Protocol::OldLog);
    let mut txn = opened.begin().unwrap();
    EDITS[0](&mut txn).unwrap();
    let report = txn.commit().unwrap();
    let number = u32::from_le_bytes(hive[4..8].try_into().unwrap());
    assert_eq!((report.protocol, report.sequence), (Protocol::OldLog, number + 2));
    let (written, log) = tape.both(HiveFile::Log1);
    assert_eq!(written[12..20], written[0x1014..0x101c], "base block and first bin");
    assert_eq!(written[12..20], log[12..20], "hive and log");
    assert_ne!(written[12..20], hive[12..20]);
    assert_eq!(u32::from_le_bytes(log[4..8].try_into().unwrap()), number + 1);
    // The next one goes on from there.
    let mut txn = opened.begin().unwrap();
    EDITS[1](&mut txn).unwrap();
    assert_eq!(txn.commit().unwrap().sequence, number + 4);
}

/// What tells the format of empty logs is the system that the hive belongs to.
#[test]
fn the_system_decides_where_the_logs_do_not() {
    let hive = small_hive(Version::V1_5);
    let open = |log: Vec<u8>, system: System| {
        let files = MemoryStorage::new(hive.clone()).with(HiveFile::Log1, log).with(HiveFile::Log2, Vec::new());
        OpenOptions::new().system(system).open_storage(files).unwrap().protocol()
    };
    assert_eq!(open(Vec::new(), System::Unknown), Protocol::Stepwise);
    assert_eq!(open(Vec::new(), System::Windows81), Protocol::Logged);
    assert_eq!(open(Vec::new(), System::BeforeWindows81), Protocol::OldLog);
    assert_eq!(open(old_log_for(&hive), System::Unknown), Protocol::OldLog);
    assert_eq!(open(old_log_for(&hive), System::Windows81), Protocol::Logged);
    assert_eq!(open(log_for(&hive), System::BeforeWindows81), Protocol::OldLog);
    let none = OpenOptions::new().system(System::Windows81).open_storage(MemoryStorage::new(hive.clone())).unwrap();
    assert_eq!(none.protocol(), Protocol::Stepwise, "a log is not made");
}

/// Without a log, a new descriptor needs two neighbours in the ring that share a sector. Here none do.
fn hive_without_room_for_a_descriptor() -> Vec<u8> {
    let mut hive = NewHive::new(Version::V1_5).time(FileTime(1)).create().unwrap();
    let mut txn = hive.begin().unwrap();
    for at in 0..100 {
        txn.set_value(txn.root(), format!("between {at}").as_str(), &Data::Binary(vec![1; 40])).unwrap();
    }
    let key = txn.create_key(txn.root(), "key").unwrap();
    txn.set_security(key, &descriptor(OTHER)).unwrap();
    txn.create_key(txn.root(), "Services").unwrap();
    txn.commit().unwrap();
    hive.to_bytes()
}

const THIRD: &str = "O:SYG:SYD:(A;;KR;;;AU)";

#[test]
fn what_single_steps_cannot_carry_a_journal_can() {
    let hive = hive_without_room_for_a_descriptor();
    let edits: [Edit; 3] = [
        |txn| txn.create_key(key(txn, "Services"), "first").map(drop),
        |txn| txn.set_security(key(txn, "key"), &descriptor(THIRD)),
        |txn| txn.set_value(key(txn, "Services"), "last", &Data::Binary(vec![7; 20_000])),
    ];
    let alone = OpenOptions::new().open_storage(MemoryStorage::new(hive.clone()));
    let refused = edits[1](&mut alone.unwrap().begin().unwrap());
    assert!(matches!(refused, Err(Error::Request(RequestError::Uncommittable(_)))), "{refused:?}");

    let before = MemoryStorage::new(hive.clone()).with(HiveFile::Redo, Vec::new());
    let tape = Tape::new(before.clone());
    let mut opened = OpenOptions::new().open_storage(tape.clone()).unwrap();
    let mut txn = opened.begin().unwrap();
    for edit in edits {
        edit(&mut txn).unwrap();
    }
    assert_eq!(txn.commit().unwrap().protocol, Protocol::Redo);
    let (calls, old, new) = (tape.take(), hive[0x1000..].to_vec(), bins(&opened));
    let mut finished = 0;
    let mut look = |made: usize, left: MemoryStorage| {
        let reopened = OpenOptions::new().open_storage(left.clone()).unwrap();
        let found = bins(&reopened);
        assert!(found == old || found == new, "call {made}");
        if let Some(report) = reopened.recovery() {
            assert!(found == new);
            assert_eq!(report.applied[0].log, HiveFile::Redo);
            finished += 1;
        }
        // Without the journal it is seen that something is missing.
        let lost = left.with(HiveFile::Redo, Vec::new());
        match OpenOptions::new().open_storage(lost) {
            Ok(hive) => assert!(bins(&hive) == old || bins(&hive) == new),
            Err(error) => assert!(matches!(error, Error::NeedsRecovery(_) | Error::Format(_)), "{error}"),
        }
    };
    each_cut(&before, &calls, &mut look);
    let writes_base = |call: &Call| matches!(call, Call::Write(HiveFile::Primary, 0, _));
    for at in (0..calls.len()).filter(|at| writes_base(&calls[*at])) {
        let mut torn = cut(&before, &calls[..=at], || true);
        hivesmith::Storage::write(&mut torn, HiveFile::Primary, 0, &[0xee; 512]).unwrap();
        look(at, torn);
    }
    assert!(finished > 10, "{finished}");
}

/// A journal is finished by writing the hive back, and of no use for another hive.
#[test]
fn a_journal_belongs_to_one_hive_and_is_cleared_when_it_is_done() {
    let hive = hive_without_room_for_a_descriptor();
    let edits: [Edit; 1] = [|txn| txn.set_security(key(txn, "key"), &descriptor(THIRD))];
    let before = MemoryStorage::new(hive.clone()).with(HiveFile::Redo, Vec::new());
    let (calls, after) = committed(&before, &edits);
    let armed = arming(&calls);
    let interrupted = cut(&before, &calls[..armed + 2], || true);

    let tape = Tape::new(interrupted.clone());
    let mut opened = OpenOptions::new().open_storage(tape.clone()).unwrap();
    opened.recover().unwrap();
    let (primary, journal) = tape.both(HiveFile::Redo);
    assert!(primary[0x1000..] == bins(&after) && journal.is_empty());
    assert!(Hive::from_bytes(primary).is_ok());

    let mut other = interrupted.bytes(HiveFile::Primary).unwrap().to_vec();
    other[0x1000 + 0x40] ^= 1;
    let journal = interrupted.bytes(HiveFile::Redo).unwrap().to_vec();
    let refused = OpenOptions::new().open_storage(MemoryStorage::new(other).with(HiveFile::Redo, journal));
    assert!(matches!(refused, Err(Error::NeedsRecovery(_))), "{refused:?}");
}

/// In which no change of a descriptor can be made in single steps.
fn boot_store_with_place_for_a_journal() -> Hive {
    let mut hive = Hive::from_bytes(hive_without_room_for_a_descriptor()).unwrap();
    let mut txn = hive.begin().unwrap();
    txn.create_key(txn.root(), "Objects").unwrap();
    txn.create_key(txn.root(), "Description").unwrap();
    txn.commit().unwrap();
    let files = MemoryStorage::new(hive.to_bytes()).with(HiveFile::Redo, Vec::new());
    OpenOptions::new().open_storage(files).unwrap()
}

/// Boot code would meet the hive while it waits for its journal.
#[test]
fn a_boot_store_is_never_left_to_a_journal() {
    let mut opened = boot_store_with_place_for_a_journal();
    let mut txn = opened.begin().unwrap();
    let refused = txn.set_security(key(&txn, "key"), &descriptor(THIRD));
    assert!(matches!(refused, Err(Error::Request(RequestError::Uncommittable(_)))), "{refused:?}");
}

/// 80 MiB of data around one setting.
fn large_hive() -> Vec<u8> {
    let mut hive = NewHive::new(Version::V1_5).time(FileTime(1)).create().unwrap();
    let mut txn = hive.begin().unwrap();
    txn.set_time(FileTime(2));
    let settings = txn.create_key(txn.root(), "Settings").unwrap();
    txn.set_value(settings, "Setting", &Data::Dword(1)).unwrap();
    let blob = Data::Binary(vec![0x5a; 16_344]);
    for at in 0..52 {
        let key = txn.create_key(txn.root(), format!("key {at}").as_str()).unwrap();
        for at in 0..100 {
            txn.set_value(key, format!("value {at}").as_str(), &blob).unwrap();
        }
    }
    txn.commit().unwrap();
    let bytes = hive.to_bytes();
    assert!(bytes.len() > 80 << 20);
    bytes
}

/// Calls in short: file, place, length.
fn brief(calls: &[Call]) -> Vec<String> {
    let brief = |call: &Call| match call {
        Call::Write(file, at, bytes) => format!("write {file} {at:#x} {}", bytes.len()),
        Call::SetLen(file, length) => format!("length {file} {length:#x}"),
        Call::Sync(file) => format!("sync {file}"),
    };
    calls.iter().map(brief).collect()
}

#[test]
fn one_setting_in_a_large_hive_costs_one_page() {
    let hive = large_hive();
    let set: Edit = |txn| {
        txn.set_time(FileTime(3));
        txn.set_value(key(txn, "Settings"), "Setting", &Data::Dword(2))
    };
    // Both records of the setting stand in the first page of the bins, behind the base block.
    let (calls, _) = committed(&files(&hive, true), &[set]);
    assert_eq!(
        brief(&calls),
        [
            "write LOG1 0x0 512",
            "sync LOG1",
            "write LOG1 0x200 8192",
            "sync LOG1",
            "write LOG1 0x0 512",
            "sync LOG1",
            "write hive 0x0 512",
            "sync hive",
            "write hive 0x1000 4096",
            "sync hive",
            "write hive 0x0 512",
            "sync hive",
        ]
    );
    // Without a log: new numbers, the data of the value, its key's time.
    let (calls, _) = committed(&files(&hive, false), &[set]);
    let calls = brief(&calls);
    assert_eq!(calls[..3], ["sync hive", "write hive 0x0 512", "sync hive"]);
    let written: Vec<_> = calls[3..].iter().map(|call| call.rsplit_once(' ').unwrap().1).collect();
    assert_eq!(written, ["8", "hive", "4", "hive"], "{calls:?}");
}
