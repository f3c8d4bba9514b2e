//! Any bytes as the data of an element of a boot store. The first five say which element and which registry type.
//!
//! A device comes back byte for byte, or is none. What anything else means is what its canonical bytes mean. The text of
//! a device that can be written is read as the same device.

#![no_main]

use hivesmith::{
    ValueType,
    bcd::{Device, DeviceKind, ElementCode, ElementValue, NoPlaces},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((&[kind, a, b, c, d], bytes)) = input.split_first_chunk() else { return };
    let (code, kind) = (ElementCode(u32::from_be_bytes([a, b, c, d])), ValueType(kind.into()));
    let value = ElementValue::decode(code, kind, bytes);
    let (stored, written) = value.encode();
    match &value {
        ElementValue::Raw(..) => assert_eq!((stored, written.as_slice()), (kind, bytes)),
        _ => assert_eq!(ElementValue::decode(code, stored, &written), value),
    }
    // Whatever the code says, as a device.
    let Some(device) = Device::decode(bytes) else { return };
    assert_eq!(device.encode(), bytes);
    let text = device.to_string();
    if matches!(device.descriptor.kind, DeviceKind::Vhd { .. }) {
        // `vhd=` makes one that is looked for, as bcdedit does.
        return;
    }
    if let Ok(again) = Device::parse(&text, code, &NoPlaces) {
        // Flags, and what a RAM disk says of memory, have no text.
        assert_eq!(again.to_string(), text);
    }
});
