//! The check against hives that Windows wrote, and against one small hive broken in one place at a time.

mod support;

use std::{fs, path::Path};

use hivesmith::{
    HiveView,
    check::{CheckOptions, Report, Rule, Severity, check, check_file},
    name::lh_hash,
};

use Rule::*;

// ---------------------------------------------------------------------------------------------- hives of real systems

/// What is worse than tolerated in the corpus; every other hive must be free of it.
///
/// H9 are hives that were copied while in use: nothing else may be wrong with them.
#[rustfmt::skip]
const DAMAGED: &[(&str, &[Rule])] = &[
    ("adversarial/ez-SAMBadHBinHeader", &[B1, K1, V1, V7, L1]),
    ("adversarial/plaso-corrupt_sub_key_list.hiv", &[K1]),
    ("adversarial/samba-regfio_corrupt_hbin1.dat", &[H1, H10, H11]),
    ("adversarial/yarp-BadListHive", &[K5, L13]),
    // A key renamed by hand: its hint is that of another character.
    ("adversarial/yarp-CompHive", &[L9]),
    ("adversarial/yarp-EffectiveSizeHive", &[H8, L4]),
    ("adversarial/yarp-TruncatedHive", &[H10, L4]),
    ("dirty/museum-Win10-APTSimulatorVM/Amcache.hve", &[H9]),
    ("dirty/museum-Win11-RathbunVM/Amcache.hve", &[H9]),
    ("dirty/nthive2-NewDirtyHive1-clean/NewDirtyHive.clean1", &[H8]),
    ("dirty/regipy-SYSTEM_B/SYSTEM_B", &[H9]),
    ("dirty/yarp-BadBaseBlockHive/BadBaseBlockHive", &[H4, H8, H9]),
    ("dirty/yarp-BadLogHive1/BadLogHive", &[H9]),
    ("dirty/yarp-BadLogHive2/BadLogHive", &[H9]),
    ("dirty/yarp-BadLogHive3/BadLogHive", &[H9]),
    ("dirty/yarp-NewDirtyHive1/NewDirtyHive", &[H9]),
    ("dirty/yarp-NewDirtyHive2/NewDirtyHive", &[H9]),
    ("dirty/yarp-OldDirtyHive/OldDirtyHive", &[H9]),
    ("dirty/yarp-TruncatedDirtyHive/TruncatedDirtyHive", &[H9, H10, L4]),
    ("hives/artemis-win81-Amcache.hve", &[H9]),
    ("hives/ez-SECURITY", &[H9]),
    ("hives/frnsc-SECURITY", &[H9]),
    ("hives/regipy-NTUSER_with_winscp.DAT", &[H9]),
    ("hives/regipy-SECURITY", &[H9]),
    ("hives/regipy-SYSTEM_2", &[H9]),
    ("hives/regipy-amcache.hve", &[H9]),
    ("hives/velo-Amcache.hve", &[H9]),
    ("hives/velo-UsrClass.dat", &[H9]),
];

/// What is tolerated in the corpus. Leaks are what a kernel leaves that healed a hive or lost power; duplicate
/// descriptors are NT 4's; too small lengths stand in one Windows XP hive.
#[rustfmt::skip]
const TOLERATED: &[(&str, &[Rule])] = &[
    ("adversarial/yarp-HealedHive", &[C6, S6]),
    ("adversarial/yarp-System_Delta", &[H13]),
    ("dirty/nthive2-NewDirtyHive1-clean/NewDirtyHive.clean1", &[C6]),
    ("dirty/yarp-BadLogHive3/BadLogHive", &[C6]),
    ("dirty/yarp-NewDirtyHive1/NewDirtyHive", &[C6]),
    ("dirty/yarp-NewDirtyHive1/RecoveredHive_Windows10", &[C6]),
    ("dirty/yarp-NewDirtyHive2/NewDirtyHive", &[C6]),
    ("hives/aiowinreg-nt-SAM", &[S7]),
    ("hives/aiowinreg-nt-SYSTEM", &[S7]),
    ("hives/bitcurator-SYSTEM", &[K18]),
    ("hives/regipy-NTUSER_modified.DAT", &[C6]),
];

fn rules(report: &Report, wanted: impl Fn(Severity) -> bool) -> Vec<Rule> {
    let mut rules: Vec<_> = report.findings.iter().filter(|f| wanted(f.severity)).map(|f| f.rule).collect();
    rules.sort_unstable();
    rules.dedup();
    rules
}

/// Calls `judge` with each file below `folder` that says to be a hive.
fn each_hive(folder: &Path, judge: &mut dyn FnMut(&Path, &[u8])) {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            each_hive(&path, judge);
        } else {
            let bytes = fs::read(&path).unwrap();
            if bytes.starts_with(b"regf") && bytes.get(0x1c..0x20) == Some(&[0; 4]) {
                judge(&path, &bytes);
            }
        }
    }
}

#[test]
fn hives_of_real_systems_are_judged_as_windows_would() {
    let Some(corpus) = support::corpus() else { return };
    let corpus = corpus.as_path();
    let expected = |table: &'static [(&str, &[Rule])], name: &str| {
        table.iter().find(|(known, _)| *known == name).map_or(&[][..], |(_, rules)| *rules)
    };
    let (mut hives, mut wrong) = (0, Vec::new());
    each_hive(corpus, &mut |path, bytes| {
        hives += 1;
        let name = path.strip_prefix(corpus).unwrap().to_str().unwrap().replace('\\', "/");
        let report = check_file(bytes);
        let damage = rules(&report, |severity| severity > Severity::Tolerated);
        let rest = rules(&report, |severity| severity == Severity::Tolerated);
        if damage != expected(DAMAGED, &name) || rest != expected(TOLERATED, &name) {
            wrong.push(format!("{name}: damage {damage:?}, tolerated {rest:?}"));
        }
        assert_eq!(report.editable(), damage.is_empty());
        assert_eq!(report.is_clean(), damage.is_empty() && rest.is_empty());
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(hives >= 90, "only {hives} hives in {}", corpus.display());
}

// ------------------------------------------------------------------------------------------------------- a small hive

/// Where bins begin in the file, where the first cell stands in a bin, and where a payload begins in its cell.
const BINS: usize = 0x1000;
const FIRST: u32 = 0x20;
const NIL: u32 = u32::MAX;

/// `O:BAG:BAD:(A;;KA;;;BA)` and the same with `WD`.
const ADMINS: &[u8] = &descriptor(*b"\x01\x02\0\0\0\0\0\x05\x20\0\0\0\x20\x02\0\0");
const USERS: &[u8] = &descriptor(*b"\x01\x02\0\0\0\0\0\x05\x20\0\0\0\x21\x02\0\0");

/// A descriptor whose owner, group and only trustee is this SID.
const fn descriptor(sid: [u8; 16]) -> [u8; 84] {
    let mut out = [0; 84];
    let head = *b"\x01\0\x04\x80\x14\0\0\0\x24\0\0\0\0\0\0\0\x34\0\0\0";
    let dacl = *b"\x02\0\x20\0\x01\0\0\0\0\0\x18\0\x3f\0\x0f\0";
    let mut at = 0;
    while at < 84 {
        out[at] = match at {
            0..20 => head[at],
            20..36 => sid[at - 20],
            36..52 => sid[at - 36],
            52..68 => dacl[at - 52],
            _ => sid[at - 68],
        };
        at += 1;
    }
    out
}

/// A hive with a root and three subkeys, `alpha`, `beta` and `gamma`; `beta` has a class name and four values, of which
/// `big` is big data from version 1.4 on. Three bins: one with all records, an empty one, one with what is big.
#[derive(Clone)]
struct Hive {
    bytes: Vec<u8>,
    /// End of the last cell in the bin being filled.
    next: u32,
    root: u32,
    keys: [u32; 3],
    list: u32,
    values: u32,
    /// `""`, `dword`, `text`, `big`
    value: [u32; 4],
    text: u32,
    db: u32,
    segments: u32,
    segment: [u32; 2],
    class: u32,
    admins: u32,
    users: u32,
    /// The free cells at the ends of the first two bins.
    free: [u32; 2],
}

impl Hive {
    fn new(minor: u32) -> Self {
        let mut hive = Self {
            bytes: vec![0; BINS],
            next: 0,
            root: 0,
            keys: [0; 3],
            list: 0,
            values: 0,
            value: [0; 4],
            text: 0,
            db: 0,
            segments: 0,
            segment: [0; 2],
            class: 0,
            admins: 0,
            users: 0,
            free: [0; 2],
        };
        hive.bin(0x1000);
        hive.root = hive.key(b"root", 0x2c);
        hive.keys = [b"alpha".as_slice(), b"beta", b"gamma"].map(|name| hive.key(name, 0x20));
        let mut list = [if minor >= 5 { b"lh" } else { b"lf" }, [3, 0].as_slice()].concat();
        for (key, name) in hive.keys.into_iter().zip(["alpha", "beta", "gamma"]) {
            list.extend(key.to_le_bytes());
            let hint: [u8; 4] = name.as_bytes()[..4].try_into().unwrap();
            list.extend(if minor >= 5 { lh_hash(name).to_le_bytes() } else { hint });
        }
        hive.list = hive.cell(&list);
        hive.admins = hive.security(ADMINS, 2);
        hive.users = hive.security(USERS, 2);
        hive.class = hive.cell(b"c\0l\0a\0s\0s\0");
        hive.text = hive.cell(b"t\0e\0x\0t\0\0\0");
        hive.values = hive.cell(&[0; 16]);
        hive.value = [b"".as_slice(), b"dword", b"text", b"big"].map(|name| hive.value(name));
        if minor >= 4 {
            hive.segments = hive.cell(&[0; 8]);
            hive.db = hive.cell(b"db\x02\0\0\0\0\0");
        }
        hive.free[0] = hive.rest(0x1000);
        hive.bin(0x1000);
        hive.free[1] = hive.rest(0x2000);
        hive.bin(0x9000);
        if minor >= 4 {
            hive.segment = [(); 2].map(|()| hive.cell(&[7; 0x3fdc]));
        } else {
            hive.db = hive.cell(&vec![7; 20_000]);
        }
        hive.rest(0xb000);

        for key in hive.keys {
            hive.put(key, 0x10, hive.root);
        }
        let [alpha, beta, gamma] = hive.keys;
        for (key, security) in [(hive.root, hive.admins), (alpha, hive.admins), (beta, hive.users), (gamma, hive.users)]
        {
            hive.put(key, 0x2c, security);
        }
        for (security, other) in [(hive.admins, hive.users), (hive.users, hive.admins)] {
            hive.put(security, 0x04, other);
            hive.put(security, 0x08, other);
        }
        hive.put(hive.root, 0x14, 3);
        hive.put(hive.root, 0x1c, hive.list);
        hive.put(hive.root, 0x34, 10);
        hive.put(hive.root, 0x38, 10);
        for (field, value) in [(0x24, 4), (0x28, hive.values), (0x30, hive.class), (0x3c, 10), (0x40, 20_000)] {
            hive.put(beta, field, value);
        }
        hive.put16(beta, 0x4a, 10);
        for (at, value) in hive.value.into_iter().enumerate() {
            hive.put(hive.values, 4 * at as u32, value);
        }
        let data = [(0x8000_0000, 0), (0x8000_0004, 1234), (10, hive.text), (20_000, hive.db)];
        for (value, (length, data)) in hive.value.into_iter().zip(data) {
            hive.put(value, 0x04, length);
            hive.put(value, 0x08, data);
        }
        if minor >= 4 {
            hive.put(hive.db, 4, hive.segments);
            hive.put(hive.segments, 0, hive.segment[0]);
            hive.put(hive.segments, 4, hive.segment[1]);
        }
        for (field, value) in [(0x04, 9), (0x08, 9), (0x14, 1), (0x18, minor), (0x20, 1), (0x24, hive.root), (0x2c, 1)]
        {
            hive.base(field, value);
        }
        hive.base(0x28, hive.bytes.len() as u32 - BINS as u32);
        hive.bytes[..4].copy_from_slice(b"regf");
        hive.seal();
        hive
    }

    fn bin(&mut self, size: u32) {
        let at = self.bytes.len() - BINS;
        self.bytes.resize(BINS + at + size as usize, 0);
        self.bytes[BINS + at..][..4].copy_from_slice(b"hbin");
        self.next = at as u32 + FIRST;
        self.raw(at as u32 + 4, at as u32);
        self.raw(at as u32 + 8, size);
    }

    fn cell(&mut self, payload: &[u8]) -> u32 {
        let at = self.next;
        let size = (payload.len() as u32 + 4).next_multiple_of(8);
        self.raw(at, size.wrapping_neg());
        self.bytes[BINS + at as usize + 4..][..payload.len()].copy_from_slice(payload);
        self.next += size;
        at
    }

    /// The rest of a bin as one free cell.
    fn rest(&mut self, end: u32) -> u32 {
        self.raw(self.next, end - self.next);
        self.next
    }

    fn key(&mut self, name: &[u8], flags: u8) -> u32 {
        let mut payload = [0; 0x4c];
        payload[..3].copy_from_slice(&[b'n', b'k', flags]);
        for nil in [0x10, 0x1c, 0x20, 0x28, 0x2c, 0x30] {
            payload[nil..nil + 4].fill(0xff);
        }
        payload[0x48] = name.len() as u8;
        self.cell(&[&payload, name].concat())
    }

    fn value(&mut self, name: &[u8]) -> u32 {
        let mut payload = [0; 0x14];
        payload[..3].copy_from_slice(&[b'v', b'k', name.len() as u8]);
        payload[0x10] = u8::from(!name.is_empty());
        self.cell(&[&payload, name].concat())
    }

    fn security(&mut self, descriptor: &[u8], references: u8) -> u32 {
        let mut payload = [0; 0x14];
        payload[..2].copy_from_slice(b"sk");
        payload[0x0c] = references;
        payload[0x10] = descriptor.len() as u8;
        self.cell(&[&payload, descriptor].concat())
    }

    /// A number in the bins.
    fn raw(&mut self, at: u32, value: u32) {
        self.bytes[BINS + at as usize..][..4].copy_from_slice(&value.to_le_bytes());
    }

    fn get(&self, at: u32) -> u32 {
        u32::from_le_bytes(self.bytes[BINS + at as usize..][..4].try_into().unwrap())
    }

    /// A field of the record in a cell.
    fn put(&mut self, cell: u32, field: u32, value: u32) {
        self.raw(cell + 4 + field, value);
    }

    fn put16(&mut self, cell: u32, field: u32, value: u16) {
        self.bytes[BINS + (cell + 4 + field) as usize..][..2].copy_from_slice(&value.to_le_bytes());
    }

    fn put8(&mut self, cell: u32, field: u32, value: u8) {
        self.bytes[BINS + (cell + 4 + field) as usize] = value;
    }

    fn resize(&mut self, cell: u32, size: impl FnOnce(i32) -> i32) {
        let field = &mut self.bytes[BINS + cell as usize..][..4];
        let old = i32::from_le_bytes(field.try_into().unwrap());
        field.copy_from_slice(&size(old).to_le_bytes());
    }

    /// A field of the base block.
    fn base(&mut self, field: usize, value: u32) {
        self.bytes[field..field + 4].copy_from_slice(&value.to_le_bytes());
    }

    fn seal(&mut self) {
        support::base_block::sum_up(&mut self.bytes);
    }

    fn found(&self) -> Vec<Rule> {
        check_file(&self.bytes).findings.iter().map(|finding| finding.rule).collect()
    }
}

/// Breaks one thing, and compares what is found with the rules that should be, in the order of the check.
#[track_caller]
fn broken(what: &str, change: impl FnOnce(&mut Hive), expected: &[Rule]) {
    broken_in(5, what, change, expected);
}

#[track_caller]
fn broken_in(minor: u32, what: &str, change: impl FnOnce(&mut Hive), expected: &[Rule]) {
    let mut hive = Hive::new(minor);
    change(&mut hive);
    hive.seal();
    assert_eq!(hive.found(), expected, "{what}");
}

#[test]
fn the_small_hive_is_sound() {
    for minor in [3, 4, 5] {
        broken_in(minor, "nothing", |_| (), &[]);
    }
    let report = HiveView::parse(&Hive::new(5).bytes).unwrap().check();
    let totals = report.totals;
    assert_eq!((totals.bins, totals.keys, totals.values, totals.descriptors, totals.leaked_cells), (3, 4, 4, 2, 0));
}

#[test]
fn base_block() {
    broken("file too short", |h| h.bytes.truncate(0x1800), &[H1, H10, H11]);
    broken("signature", |h| h.bytes[0] = b'R', &[H2]);
    broken("major version", |h| h.base(0x14, 2), &[H3]);
    broken("minor version", |h| h.base(0x18, 2), &[H4]);
    broken("file type", |h| h.base(0x1c, 6), &[H5]);
    broken("file format", |h| h.base(0x20, 0), &[H6]);
    broken("clustering factor", |h| h.base(0x2c, 8), &[H7]);
    broken("sequence numbers", |h| h.base(0x08, 8), &[H9]);
    broken("bins length of 0", |h| h.base(0x28, 0), &[H10, H11]);
    broken("bins length beyond the file", |h| h.base(0x28, 0xc000), &[H10]);
    broken("root is a list", |h| h.base(0x24, h.list), &[H11]);
    broken("root is nothing", |h| h.base(0x24, NIL), &[H11]);
    broken("ids without signature", |h| h.base(0x70, 1), &[H12]);
    broken("differencing hive", |h| h.base(0x18, 6), &[H13]);
    broken("time stamps", |h| h.base(0x0c, 1), &[H14]);

    let mut hive = Hive::new(5);
    hive.base(508, 1);
    assert_eq!(hive.found(), [H8]);
}

#[test]
fn bins_and_cells() {
    broken("bin signature", |h| h.bytes[BINS + 0x1000] = b'H', &[B1]);
    broken("bin offset", |h| h.raw(0x1004, 0x2000), &[B2]);
    broken("bin size", |h| h.raw(0x1008, 0x1008), &[B3]);
    broken("bin beyond the end", |h| h.raw(0x2008, 0xa000), &[B4, V8, V8]);
    broken("cell of size 0", |h| h.raw(h.free[1], 0), &[C1]);
    broken("cell beyond its bin", |h| h.resize(h.free[1], |size| size + 8), &[C2]);
    broken("crooked cell", |h| h.resize(h.free[1], |size| size - 4), &[C3]);
    broken(
        "free beside free",
        |h| {
            h.resize(h.free[1], |size| size - 16);
            h.raw(0x2000 - 16, 16);
        },
        &[C5],
    );
    broken("leak", |h| h.resize(h.free[1], |size| -size), &[C6]);
    broken("value twice", |h| h.put(h.values, 0, h.value[1]), &[C7, C6]);
    broken(
        "data twice",
        |h| {
            h.put(h.value[1], 4, 8);
            h.put(h.value[1], 8, h.text);
        },
        &[C7],
    );
    broken("class name is data", |h| h.put(h.keys[1], 0x30, h.text), &[C7, C6]);
    broken(
        "huge cell",
        |h| {
            h.bin(0x10_2000);
            let huge = h.rest(0x10_d000);
            h.resize(huge, |size| -size);
            h.base(0x28, 0x10_d000);
        },
        &[C8, C6],
    );
}

#[test]
fn security() {
    broken("no security", |h| h.put(h.keys[0], 0x2c, NIL), &[S1, S6]);
    broken("security is a key", |h| h.put(h.keys[0], 0x2c, h.root), &[S1, S6]);
    broken("ring leads away", |h| h.put(h.admins, 4, h.root), &[S2, S3]);
    broken("ring leads nowhere", |h| h.put(h.users, 4, NIL), &[S2]);
    broken("ring bites itself", |h| h.put(h.users, 4, h.users), &[S2]);
    broken("link back from the middle", |h| h.put(h.users, 8, h.users), &[S2]);
    broken("link back from the root's", |h| h.put(h.admins, 8, h.admins), &[S2]);
    broken(
        "outside the ring",
        |h| {
            h.put(h.admins, 4, h.admins);
            h.put(h.admins, 8, h.admins);
        },
        &[S3],
    );
    broken("descriptor of length 0", |h| h.put(h.users, 0x10, 0), &[S4]);
    broken("descriptor beyond its cell", |h| h.put(h.users, 0x10, 0x100), &[S4]);
    broken("descriptor revision", |h| h.put8(h.users, 0x14, 9), &[S4]);
    broken("count too low", |h| h.put(h.users, 0x0c, 1), &[S5]);
    broken("count too high", |h| h.put(h.users, 0x0c, 3), &[S6]);
    broken(
        "same descriptor",
        |h| {
            h.put8(h.users, 0x14 + 32, 0x20);
            h.put8(h.users, 0x14 + 48, 0x20);
            h.put8(h.users, 0x14 + 80, 0x20);
        },
        &[S7],
    );
}

#[test]
fn descriptors_can_be_left_alone() {
    let mut hive = Hive::new(5);
    hive.put8(hive.users, 0x14, 9);
    let view = HiveView::parse(&hive.bytes).unwrap();
    assert!(!view.check().editable());
    assert!(check(view, CheckOptions::default().descriptors(false)).is_clean());
}

#[test]
fn keys() {
    let gamma = Hive::new(5).keys[2];
    // What belongs to a subtree that cannot be entered is not reported as well.
    broken("free subkey", |h| h.resize(gamma, |size| -size), &[K1]);
    broken("crooked subkey", |h| h.put(h.list, 4, h.keys[0] + 4), &[K1]);
    broken("subkey beyond the bins", |h| h.put(h.list, 4, 0x7fff_fff8), &[K1]);
    broken(
        "huge key node",
        |h| {
            let record = BINS + gamma as usize + 4;
            h.bytes.copy_within(record..record + 0x54, BINS + h.free[1] as usize + 4);
            h.resize(h.free[1], |size| -size);
            h.put(h.list, 20, h.free[1]);
        },
        &[K2, C6],
    );
    broken("no name", |h| h.put16(gamma, 0x48, 0), &[K3]);
    broken("name beyond its cell", |h| h.put16(gamma, 0x48, 0x80), &[K4]);
    broken("other parent", |h| h.put(gamma, 0x10, h.keys[0]), &[K5]);
    broken("no nk", |h| h.put8(gamma, 0, b'N'), &[K6]);
    broken(
        "class name is nothing",
        |h| {
            h.put(gamma, 0x30, NIL);
            h.put16(gamma, 0x4a, 2);
        },
        &[K8],
    );
    broken(
        "class name beyond its cell",
        |h| {
            h.put16(h.keys[1], 0x4a, 40);
            h.put(h.root, 0x38, 40);
        },
        &[K8],
    );
    broken("class name without length", |h| h.put16(h.keys[1], 0x4a, 0), &[K8, C6]);
    broken("list without count", |h| h.put(gamma, 0x1c, h.list), &[K10]);
    broken("volatile subkeys", |h| h.put(gamma, 0x18, 1), &[K11]);
    broken("nameless root", |h| h.put16(h.root, 0x48, 0), &[K13]);
    broken("volatile key", |h| h.put16(gamma, 2, 0x21), &[K16]);
    broken(
        "backslash",
        |h| {
            h.put8(gamma, 0x4d, b'\\');
            h.put(h.list, 0x18, lh_hash("g\\mma"));
        },
        &[K17],
    );
    broken("largest name too small", |h| h.put16(h.root, 0x34, 8), &[K18]);
    broken("largest class too small", |h| h.put(h.root, 0x38, 8), &[K18]);
    broken("largest value name too small", |h| h.put(h.keys[1], 0x3c, 8), &[K18]);
    broken("largest data too small", |h| h.put(h.keys[1], 0x40, 19_999), &[K18]);
    broken("plain root", |h| h.put16(h.root, 2, 0x20), &[K19]);
    broken("second root", |h| h.put16(gamma, 2, 0x24), &[K19]);
    broken("layered key", |h| h.put8(gamma, 0x0d, 1), &[H13]);
    broken(
        "wide name",
        |h| {
            let name: Vec<u8> = "ga".encode_utf16().flat_map(u16::to_le_bytes).collect();
            h.bytes[BINS + gamma as usize + 0x50..][..4].copy_from_slice(&name);
            h.put16(gamma, 0x48, 4);
            h.put16(gamma, 2, 0);
            h.put(h.list, 0x18, lh_hash("ga"));
        },
        &[K20],
    );
}

#[test]
fn values() {
    let Hive { keys: [_, beta, _], value: [unnamed, dword, text, big], .. } = Hive::new(5);
    broken("free list", |h| h.resize(h.values, |size| -size), &[V1]);
    broken("more values than entries", |h| h.put(beta, 0x24, u32::MAX), &[V2]);
    broken("empty entry", |h| h.put(h.values, 4, NIL), &[V3, C6]);
    broken("free value", |h| h.resize(dword, |size| -size), &[V4]);
    broken("name beyond its cell", |h| h.put16(dword, 2, 0x40), &[V5]);
    broken("data without length", |h| h.put(text, 4, 0), &[V6, C6]);
    broken("free data", |h| h.resize(h.text, |size| -size), &[V7]);
    broken("no db", |h| h.put8(h.db, 0, b'D'), &[V8]);
    broken("segment count", |h| h.put16(h.db, 2, 1), &[V8, C6]);
    broken("free segment", |h| h.resize(h.segment[0], |size| -size), &[V8]);
    broken(
        "more data than segments",
        |h| {
            h.put(big, 4, 32_689);
            h.put(beta, 0x40, 32_689);
        },
        &[V8],
    );
    broken("no vk", |h| h.put8(dword, 0, b'V'), &[V9]);
    broken("five bytes inline", |h| h.put(dword, 4, 0x8000_0005), &[V10]);
    broken("data beyond its cell", |h| h.put(text, 4, 100), &[V11]);
    broken(
        "two unnamed",
        |h| {
            h.put16(dword, 2, 0);
            h.put16(dword, 0x10, 0);
        },
        &[V12],
    );
    broken(
        "two names alike",
        |h| {
            h.bytes[BINS + text as usize + 0x18..][..3].copy_from_slice(b"BIG");
            h.put16(text, 2, 3);
        },
        &[V12],
    );
    broken(
        "wide name",
        |h| {
            h.bytes[BINS + dword as usize + 0x18..][..4].copy_from_slice(b"d\0w\0");
            h.put16(dword, 2, 4);
            h.put16(dword, 0x10, 0);
        },
        &[V13],
    );
    broken("marked as compressed", |h| h.put16(unnamed, 0x10, 1), &[V13]);
    broken("short data outside", |h| h.put(text, 4, 4), &[V13]);
    broken("list without count", |h| h.put(h.root, 0x28, h.values), &[V14]);
    broken(
        "predefined handle",
        |h| {
            h.put16(h.root, 2, 0x6c);
            h.put(h.root, 0x24, 0x8000_0002);
        },
        &[V15],
    );
    broken("tombstone", |h| h.put16(dword, 0x10, 3), &[H13]);
    broken_in(3, "data beyond its cell, version 1.3", |h| h.put(h.value[3], 4, 20_100), &[V11, K18]);
}

#[test]
fn lists() {
    let Hive { root, list, keys, .. } = Hive::new(5);
    broken("free list", |h| h.resize(list, |size| -size), &[L1]);
    broken("list signature", |h| h.put8(list, 1, b'x'), &[L2]);
    broken("count of the key", |h| h.put(root, 0x14, 4), &[L3]);
    broken("elements beyond the cell", |h| h.put16(list, 2, 4), &[L7]);
    broken("empty list", |h| h.put16(list, 2, 0), &[L8]);
    broken("hash", |h| h.put(list, 8, 1), &[L9]);
    broken_in(3, "hint", |h| h.put8(h.list, 8, b'A'), &[L9]);
    broken(
        "order",
        |h| {
            h.put(list, 4, keys[1]);
            h.put(list, 8, lh_hash("beta"));
            h.put(list, 12, keys[0]);
            h.put(list, 16, lh_hash("alpha"));
        },
        &[L10],
    );
    broken(
        "equals",
        |h| {
            h.bytes[BINS + keys[0] as usize + 0x50..][..4].copy_from_slice(b"BETA");
            h.put16(keys[0], 0x48, 4);
            h.put(list, 8, lh_hash("beta"));
        },
        &[L10],
    );
    broken_in(4, "leaf of another version", |h| h.base(0x18, 5), &[L11]);
    broken(
        "key twice",
        |h| {
            h.put(list, 0x0c, keys[0]);
        },
        &[L13],
    );
    broken("own ancestor", |h| h.put(list, 4, root), &[L13]);
    broken(
        "list of an ancestor",
        |h| {
            h.put(keys[0], 0x14, 3);
            h.put(keys[0], 0x1c, list);
        },
        &[L13],
    );
}

/// The small hive with its list split in two leaves under an `ri`: offsets of the `ri` and of the leaves.
fn split(hive: &mut Hive) -> (u32, [u32; 2]) {
    let elements = hive.bytes[BINS + hive.list as usize + 8..][..24].to_vec();
    // A leaf takes 24 bytes and the `ri` 16: they all go to the empty second bin.
    hive.next = hive.free[1];
    let leaves =
        [&elements[..16], &elements[16..]].map(|part| hive.cell(&[b"lh", &[part.len() as u8 / 8, 0], part].concat()));
    let [first, second] = leaves.map(u32::to_le_bytes);
    let index = hive.cell(&[b"ri\x02\0", first.as_slice(), &second].concat());
    hive.rest(0x2000);
    hive.put(hive.root, 0x1c, index);
    // What was the list becomes free, its neighbours are not.
    hive.resize(hive.list, |size| -size);
    (index, leaves)
}

#[test]
fn lists_of_lists() {
    broken("nothing", |h| _ = split(h), &[]);
    broken(
        "free leaf",
        |h| {
            let (index, _) = split(h);
            h.put(index, 4, NIL);
        },
        &[L4],
    );
    broken(
        "leaf signature",
        |h| {
            let (_, leaves) = split(h);
            h.put8(leaves[0], 0, b'x');
        },
        &[L5],
    );
    broken(
        "nested",
        |h| {
            let (_, leaves) = split(h);
            h.put8(leaves[0], 0, b'r');
            h.put8(leaves[0], 1, b'i');
        },
        &[L5],
    );
    broken(
        "count of the key",
        |h| {
            split(h);
            h.put(h.root, 0x14, 2);
        },
        &[L6],
    );
    broken(
        "leaves beyond the cell",
        |h| {
            let (index, _) = split(h);
            h.put16(index, 2, 9);
        },
        &[L7],
    );
    broken(
        "empty index",
        |h| {
            let (index, _) = split(h);
            h.put16(index, 2, 0);
        },
        &[L8],
    );
    broken(
        "empty leaf",
        |h| {
            let (_, leaves) = split(h);
            h.put16(leaves[1], 2, 0);
        },
        &[L8],
    );
    broken(
        "order across leaves",
        |h| {
            let (index, leaves) = split(h);
            h.put(index, 4, leaves[1]);
            h.put(index, 8, leaves[0]);
        },
        &[L10],
    );
    broken(
        "mixed leaves",
        |h| {
            let (_, leaves) = split(h);
            h.put8(leaves[1], 1, b'i');
        },
        &[L11],
    );
    broken(
        "leaf twice",
        |h| {
            let (index, leaves) = split(h);
            h.put(index, 8, leaves[0]);
        },
        &[L13],
    );
}

#[test]
fn a_leaf_has_at_most_1012_elements() {
    for (count, expected) in [(1012, &[][..]), (1013, &[L12])] {
        let mut hive = Hive::new(5);
        hive.bin(0x30000);
        let mut list = [b"lh".as_slice(), &(count as u16).to_le_bytes()].concat();
        for number in 0..count {
            let name = format!("k{number:04}");
            let key = hive.key(name.as_bytes(), 0x20);
            hive.put(key, 0x10, hive.keys[0]);
            hive.put(key, 0x2c, hive.users);
            list.extend(key.to_le_bytes());
            list.extend(lh_hash(&name).to_le_bytes());
        }
        let list = hive.cell(&list);
        hive.put(hive.keys[0], 0x14, count);
        hive.put(hive.keys[0], 0x1c, list);
        hive.put16(hive.keys[0], 0x34, 10);
        hive.put(hive.users, 0x0c, 2 + count);
        let length = hive.bytes.len() as u32 - BINS as u32;
        hive.rest(length);
        hive.base(0x28, length);
        hive.seal();
        assert_eq!(hive.found(), expected);
    }
}

/// A chain of keys below `alpha`, the deepest of which lies this many levels below the root.
fn chain(depth: u32) -> Hive {
    let mut hive = Hive::new(5);
    let keys = depth - 1;
    hive.bin((keys * 0x70).next_multiple_of(0x1000) + 0x1000);
    let mut parent = hive.keys[0];
    for _ in 0..keys {
        let key = hive.key(b"sub", 0x20);
        let list = hive.cell(&[b"lh\x01\0", key.to_le_bytes().as_slice(), &lh_hash("sub").to_le_bytes()].concat());
        hive.put(key, 0x10, parent);
        hive.put(key, 0x2c, hive.users);
        hive.put(parent, 0x14, 1);
        hive.put(parent, 0x1c, list);
        hive.put16(parent, 0x34, 6);
        parent = key;
    }
    let length = hive.bytes.len() as u32 - BINS as u32;
    hive.rest(length);
    hive.base(0x28, length);
    hive.put(hive.users, 0x0c, 2 + keys);
    hive.seal();
    hive
}

#[test]
fn keys_nest_at_most_510_deep() {
    assert_eq!(chain(510).found(), []);
    assert_eq!(chain(511).found(), [K14]);
    assert_eq!(chain(2000).found(), [K14], "what lies below is neither walked nor blamed");
}

#[test]
fn a_key_that_leads_to_its_ancestor_ends_the_walk() {
    let mut hive = chain(100);
    // The deepest key lists the first of the chain again.
    let first = hive.get(hive.get(hive.keys[0] + 4 + 0x1c) + 8);
    hive.put(hive.next - 16, 4, first);
    assert_eq!(hive.found(), [L13]);
}

#[test]
fn the_path_of_a_finding_names_its_key() {
    let mut hive = chain(3);
    let first = hive.get(hive.get(hive.keys[0] + 4 + 0x1c) + 8);
    let list = hive.get(first + 4 + 0x1c);
    hive.put(list, 8, 1);
    hive.put(hive.values, 4, NIL);
    hive.put16(hive.root, 2, 0x20);
    let report = check_file(&hive.bytes);
    let lines: Vec<_> = report
        .findings
        .iter()
        .map(|finding| format!("{finding} [{}]", finding.path.as_ref().map(ToString::to_string).unwrap_or_default()))
        .collect();
    let expected = [
        "odd K19 key node 0x00001020: the root is not marked as hive entry []".to_owned(),
        format!(
            "healed L9 subkeys list {:#010x}: hash of \"sub\" is 0x1, expected {:#x} (the key cannot be found by name) \
             [alpha\\sub\\sub]",
            list + 0x1000,
            lh_hash("sub")
        ),
        format!("healed V3 values list {:#010x}: an entry is empty [beta]", hive.values + 0x1000),
        format!("tolerated C6 cell {:#010x}: nothing refers to these 32 allocated bytes []", hive.value[1] + 0x1000),
    ];
    assert_eq!(lines, expected);
}

/// Every cell is visited once: a thousand keys that share one list of a thousand keys cost no more than a thousand.
#[test]
fn shared_lists_do_not_multiply() {
    let mut hive = Hive::new(5);
    hive.bin(0x40000);
    let keys: Vec<_> = (0..1000).map(|_| hive.key(b"same", 0x20)).collect();
    let elements = keys.iter().flat_map(|key| [key.to_le_bytes(), lh_hash("same").to_le_bytes()].concat());
    let list = hive.cell(&b"lh\xe8\x03".iter().copied().chain(elements).collect::<Vec<_>>());
    for key in keys.iter().chain([&hive.root.clone()]) {
        hive.put(*key, 0x14, 1000);
        hive.put(*key, 0x1c, list);
    }
    let length = hive.bytes.len() as u32 - BINS as u32;
    hive.rest(length);
    hive.base(0x28, length);
    hive.seal();
    let report = check_file(&hive.bytes);
    assert_eq!((report.totals.keys, report.count(Severity::Fatal)), (1001, 1000));
}

/// No bytes make the check panic or run for long.
#[test]
fn random_damage_is_survived() {
    let sound = Hive::new(5);
    let mut state = 1_u32;
    let mut random = move |below: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) % below
    };
    for _ in 0..20_000 {
        let mut hive = sound.clone();
        for _ in 0..=random(4) {
            // The records all stand in the first bin.
            let at = (0x20 + random(0x600)) & !3;
            let value = match random(4) {
                0 => random(0x1000) & !7,
                1 => NIL - random(0x40),
                2 => random(u32::MAX),
                _ => hive.get(at) ^ 1 << random(32),
            };
            hive.raw(at, value);
        }
        let report = check_file(&hive.bytes);
        assert!(report.totals.keys <= 4 && report.totals.values <= 8);
    }
}
