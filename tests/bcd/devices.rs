//! Device elements of real stores.

use std::{collections::BTreeMap, fs};

use hivesmith::{
    HiveView,
    bcd::{Device, DeviceKind, ElementValue, NoPlaces, Store},
};

use crate::{STORES, corpus, say};

/// All of them are of known kinds, and their text makes the same bytes again, install media's leftovers apart.
#[test]
fn every_device_is_known_and_its_text_is_read_again() {
    let Some(corpus) = corpus() else { return };
    let (mut kinds, mut lengths): (BTreeMap<&str, usize>, BTreeMap<usize, usize>) = Default::default();
    let mut leftovers = 0;
    for name in STORES {
        let bytes = fs::read(corpus.join(name)).unwrap();
        for object in Store::new(HiveView::parse(&bytes).unwrap()).unwrap().objects().unwrap() {
            for element in object.elements().unwrap() {
                let (Some(ElementValue::Device(device)), Some((_, bytes))) = (element.value(), &element.stored) else {
                    continue;
                };
                let kind = match &device.descriptor.kind {
                    DeviceKind::Boot => "boot",
                    DeviceKind::Partition(hivesmith::bcd::PartitionId::Gpt { .. }) => "GPT partition",
                    DeviceKind::Partition(_) => "MBR partition",
                    DeviceKind::Ramdisk { .. } => "RAM disk",
                    other => panic!("{name}: {other:?}"),
                };
                *kinds.entry(kind).or_default() += 1;
                *lengths.entry(bytes.len()).or_default() += 1;
                let again = Device::parse(&device.to_string(), element.code, &NoPlaces).unwrap().encode();
                if again != *bytes {
                    // A size of the image, where every other store has zero.
                    let differing: Vec<usize> = (0..bytes.len()).filter(|at| again[*at] != bytes[*at]).collect();
                    assert_eq!((name.starts_with("winpe-"), differing), (true, vec![0x2c]), "{name}");
                    leftovers += 1;
                }
            }
        }
    }
    say(&format!("{kinds:?}, lengths {lengths:?}, {leftovers} with leftovers"));
    let expected = [("GPT partition", 35), ("MBR partition", 2), ("RAM disk", 14), ("boot", 7)];
    assert_eq!(kinds, BTreeMap::from(expected));
    assert_eq!(lengths, BTreeMap::from([(88, 44), (176, 4), (200, 10)]));
}

/// Whatever one bit of a device does, the element is read, shown, and comes back as it was.
#[test]
fn damaged_devices_come_back_as_they_were() {
    let Some(corpus) = corpus() else { return };
    let mut read = 0;
    for name in ["winpe-boot-bcd", "esp-nuc8/Boot/BCD"] {
        let bytes = fs::read(corpus.join(name)).unwrap();
        for object in Store::new(HiveView::parse(&bytes).unwrap()).unwrap().objects().unwrap() {
            for element in object.elements().unwrap() {
                let Some((kind, good)) = element.stored.clone().filter(|_| element.code.0 >> 24 & 0xf == 1) else {
                    continue;
                };
                for bit in 0..good.len() * 8 {
                    let mut bytes = good.clone();
                    bytes[bit / 8] ^= 1 << (bit % 8);
                    let value = ElementValue::decode(element.code, kind, &bytes);
                    assert_eq!(value.encode(), (kind, bytes), "{name}, bit {bit}");
                    if let ElementValue::Device(device) = &value {
                        assert!(!device.to_string().is_empty());
                        read += 1;
                    }
                }
            }
        }
    }
    assert!(read > 5000, "{read}");
}
