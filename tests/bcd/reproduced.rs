//! Stores made again from commands alone.

use hivesmith::{
    Guid, Hive, HiveView,
    bcd::{Device, DeviceKind, ElementValue, NewStore, Object, Store, WellKnown},
    command::{bcdedit::BcdEdit, run},
    plan::{Opened, Registry},
    volume::Drives,
};

use crate::{Desk, Elements, STORES, assert_sound, changes, corpus, elements, key, oracle, say};

/// The commands that make an object, without its elements.
fn create(object: Object<'_>) -> Vec<String> {
    let id = format!("{:?}", object.id());
    let number = object.object_type().unwrap();
    let mut words = vec!["/create".to_owned(), id];
    if WellKnown::of(object.id()).is_none() {
        words.extend(["/application".to_owned(), format!("0x{number}")]);
    }
    words
}

/// The command that sets an element, by its name where it has one.
fn set(object: Object<'_>, code: hivesmith::bcd::ElementCode, value: &ElementValue) -> Vec<String> {
    let known = object.definition(code);
    let name = known.and_then(|known| known.name).map_or_else(|| format!("custom:{code}"), str::to_owned);
    let id = |id: &Guid| format!("{id:?}");
    let values = match value {
        ElementValue::Device(device) => vec![device.to_string()],
        ElementValue::String(text) => vec![text.clone()],
        ElementValue::Object(object) => vec![id(object)],
        ElementValue::ObjectList(objects) => objects.iter().map(id).collect(),
        ElementValue::Integer(number) => {
            vec![known.and_then(|known| known.value_name(*number)).map_or_else(|| number.to_string(), str::to_owned)]
        }
        ElementValue::Boolean(truth) => vec![if *truth { "yes" } else { "no" }.to_owned()],
        ElementValue::IntegerList(numbers) => numbers.iter().map(|number| format!("{number:#x}")).collect(),
        other => panic!("{other:?}"),
    };
    ["/set".to_owned(), id(&object.id()), name].into_iter().chain(values).collect()
}

/// What bcdedit would have stored: the same values in its own widths, and RAM disks without the leftovers that install
/// media have in the place of their size.
fn as_written(store: Store<'_>) -> Elements {
    let mut expected = Elements::new();
    for object in store.objects().unwrap() {
        expected.insert(object.id().to_string(), (object.object_type().unwrap().0, Vec::new()));
        for element in object.elements().unwrap() {
            let mut value = element.value().unwrap();
            if let ElementValue::Device(Device { descriptor, .. }) = &mut value {
                if let DeviceKind::Ramdisk { size, .. } = &mut descriptor.kind {
                    *size = 0;
                }
            }
            let (kind, bytes) = value.encode();
            expected.insert(key(&object.id().to_string(), element.code), (kind.0, bytes));
        }
    }
    expected
}

/// Every real store is described by commands, and the commands make it again, element for element.
#[test]
fn every_real_store_is_made_again_from_commands() {
    let Some(corpus) = corpus() else { return };
    let (mut commands, mut all) = (0, 0);
    for name in STORES {
        let bytes = std::fs::read(corpus.join(name)).unwrap();
        let theirs = Store::new(HiveView::parse(&bytes).unwrap()).unwrap();
        let objects = theirs.objects().unwrap();
        let mut lines: Vec<Vec<String>> = objects.iter().map(|object| create(*object)).collect();
        for object in objects {
            for element in object.elements().unwrap() {
                lines.push(set(object, element.code, &element.value().unwrap()));
            }
        }
        let mut hives = vec![Opened { path: name.into(), hive: NewStore::new().create().unwrap() }];
        let mut registry = Registry::editing(&mut hives).map_err(|(_, error)| error).unwrap();
        for line in &lines {
            let command = BcdEdit::from_args(line.iter().map(String::as_str))
                .unwrap_or_else(|error| panic!("{}", error.render()));
            let done = run::bcdedit(&mut registry, &Drives::default(), 0, &command, "test");
            done.unwrap_or_else(|error| panic!("{name}: {line:?}: {error}"));
        }
        commands += lines.len();
        let ours = elements(Store::new(registry.view(0).unwrap()).unwrap()).unwrap();
        assert_eq!(changes(&as_written(theirs), &ours), Vec::<String>::new(), "{name}");
        all += ours.len();
    }
    say(&format!("{} stores made again by {commands} commands, {all} objects and elements", STORES.len()));
    assert_eq!((commands, all), (525, 525));
}

/// Three stores for a boot loader that starts Windows from an image, a virtual disk and a partition, made by a batch of
/// the form that such projects publish. Lengths of the long device elements are those that were met in stores which
/// bcdedit made of such lines.
#[test]
fn a_batch_that_makes_three_stores() {
    let desk = Desk::new();
    // Paths of 254 characters.
    let script = include_str!("three-stores.bat").replace("LONG", &"0".repeat(249));
    std::fs::write(desk.path("bcd.bat"), script).unwrap();
    std::fs::write(desk.path("disk.img"), mbr_disk(0x43da_9ab1, 2048)).unwrap();
    let run = desk.hivesmith(["run", "bcd.bat", "--drive", "C:=disk.img#1"]).ends(0);
    assert!(run.err.contains("the store has no {bootloadersettings}"), "{}", run.err);
    for (name, description, length) in [("bcdwim", "WIM", 650), ("bcdvhd", "VHD", 700), ("bcdwin", "OS", 88)] {
        let path = desk.path(name);
        assert_sound(&path);
        let found = crate::elements_of(&path);
        assert_eq!(oracle::elements(&path).unwrap_or_else(|| found.clone()), found);
        let mut made = Made { name, elements: found };
        made.has_what_all_have(description);
        let (device, system) = (made.take(LOADER, "11000001").unwrap(), made.take(LOADER, "21000001").unwrap());
        assert_eq!((device.len(), system.len()), (length, length), "{name}");
        let partition = Device::decode(&system).unwrap().partitions();
        assert_eq!(partition[0].to_string(), "mbr:43da9ab1@1048576", "{name}");
        match name {
            "bcdwim" => {
                assert_eq!(device, system);
                let options = "ae5534e0-a924-466c-b836-758539a3ee3a";
                assert_eq!(made.take(options, "31000003"), Some(Device::boot().encode()));
                assert_eq!(made.take(options, "32000004"), Some(wide("\\boot\\boot.sdi")));
            }
            "bcdvhd" => {
                // Each is looked for by its own path: those of the loader and of the system.
                let differing: Vec<usize> = (0..length).filter(|at| device[*at] != system[*at]).collect();
                assert_eq!((differing, device[0x27], system[0x27]), (vec![0x27], 0x12, 0x22));
                let settings = "7ea2e1ac-2e61-4728-aaa3-896d9d0a9f0e";
                assert_eq!(made.take(settings, "16000040"), Some(vec![1]));
                assert_eq!(made.take(settings, "16000041"), Some(vec![1]));
            }
            _ => assert_eq!(made.take(LOADER, "14000006"), Some(list(&["6efb52bf-1766-41db-a6b3-0ee5eff72bd7"]))),
        }
        let rest: Vec<&String> = made.elements.keys().filter(|key| key.contains(' ')).collect();
        assert!(rest.is_empty(), "{name}: {rest:?}");
    }
}

const MANAGER: &str = "9dea862c-5cdd-4e70-acc1-f32b344d4795";
const LOADER: &str = "19260817-6666-8888-abcd-000000000000";

/// The elements of a store that was made, without those that were looked at.
struct Made {
    name: &'static str,
    elements: Elements,
}

impl Made {
    fn take(&mut self, id: &str, code: &str) -> Option<Vec<u8>> {
        self.elements.remove(&format!("{id} {code}")).map(|(_, bytes)| bytes)
    }

    fn has_what_all_have(&mut self, description: &str) {
        for (id, code, expected) in [
            (MANAGER, "12000004", wide("LOADER")),
            (MANAGER, "12000005", wide("en-us")),
            (MANAGER, "24000001", list(&[LOADER])),
            (MANAGER, "25000004", vec![1, 0, 0, 0, 0, 0, 0, 0]),
            (MANAGER, "26000020", vec![1]),
            (LOADER, "12000002", wide("\\WINLOAD")),
            (LOADER, "12000004", wide(description)),
            (LOADER, "12000005", wide("en-us")),
            (LOADER, "12000030", wide("DDISABLE_INTEGRITY_CHECKS")),
            (LOADER, "16000048", vec![1]),
            (LOADER, "16000049", vec![1]),
            (LOADER, "16000054", vec![1]),
            (LOADER, "22000002", wide("\\WINDIR")),
            (LOADER, "25000020", vec![0; 8]),
            (LOADER, "25000021", vec![0; 8]),
            (LOADER, "26000010", vec![1]),
            (LOADER, "26000022", vec![1]),
        ] {
            assert_eq!(self.take(id, code), Some(expected), "{} {id} {code}", self.name);
        }
    }
}

fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect()
}

fn list(ids: &[&str]) -> Vec<u8> {
    [ids.iter().flat_map(|id| wide(&format!("{{{id}}}"))).collect(), vec![0, 0]].concat()
}

/// A disk with a master boot record and one partition, which begins at this sector.
pub(crate) fn mbr_disk(signature: u32, first: u32) -> Vec<u8> {
    let mut disk = vec![0; 4 << 20];
    disk[0x1b8..0x1bc].copy_from_slice(&signature.to_le_bytes());
    disk[0x1be] = 0x80;
    disk[0x1c2] = 7;
    disk[0x1c6..0x1ca].copy_from_slice(&first.to_le_bytes());
    disk[0x1ca..0x1ce].copy_from_slice(&2048_u32.to_le_bytes());
    disk[0x1fe..0x200].copy_from_slice(&[0x55, 0xaa]);
    disk
}

/// What the library makes of a store is what its own bytes say: nothing is held back in memory.
#[test]
fn a_new_store_is_read_back_from_its_bytes() {
    let hive = NewStore::system().create().unwrap();
    let again = Hive::from_bytes(hive.to_bytes()).unwrap();
    assert_eq!(elements(Store::new(again.view()).unwrap()).unwrap(), Elements::new());
}
