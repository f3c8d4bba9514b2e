//! Security descriptors and SDDL against recorded vectors.
//!
//! The vectors are not part of the package. `HIVESMITH_VECTORS` names the directory that holds them; without it these
//! tests say so and pass, unless `CI` is set.

use std::{
    env, fs,
    io::{Write, stderr},
    path::PathBuf,
};

use hivesmith::security::{SddlContext, SecurityDescriptor, SecurityError, Sid, validate};
use serde_json::Value;

/// The vectors of one file, or `None` where there are none to run.
fn vectors(file: &str) -> Option<Value> {
    let Some(directory) = env::var_os("HIVESMITH_VECTORS").map(PathBuf::from) else {
        assert!(env::var_os("CI").is_none(), "HIVESMITH_VECTORS must be set in CI");
        say(&format!("*** SKIPPED: HIVESMITH_VECTORS is not set, {file} was not run ***"));
        return None;
    };
    let path = directory.join(file);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Some(serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}

/// Past the test harness, which swallows what a passing test prints.
fn say(line: &str) {
    stderr().write_all(format!("{line}\n").as_bytes()).unwrap();
}

fn items(vectors: &Value) -> &[Value] {
    let items = vectors["items"].as_array().expect("items");
    assert!(!items.is_empty(), "no vectors in the file");
    items
}

fn text<'v>(item: &'v Value, field: &str) -> &'v str {
    item[field].as_str().unwrap_or_else(|| panic!("no {field} in {item}"))
}

fn bytes(item: &Value, field: &str) -> Vec<u8> {
    let digits = text(item, field).as_bytes();
    let octet = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(octet).collect()
}

#[test]
fn descriptors_of_real_hives_survive_and_print() {
    let Some(vectors) = vectors("sd-real.json") else { return };
    let mut failures = Vec::new();
    for (index, item) in items(&vectors).iter().enumerate() {
        let stored = bytes(item, "hex");
        if let Err(error) = validate(&stored) {
            failures.push(format!("{index}: refused: {error}"));
            continue;
        }
        let descriptor = SecurityDescriptor::parse(&stored).unwrap();
        if descriptor.to_bytes() != stored {
            failures.push(format!("{index}: bytes differ"));
        }
        let printed = descriptor.to_sddl().unwrap();
        assert_eq!(printed, descriptor.to_string());
        if printed != text(item, "sddl") {
            failures.push(format!("{index}: printed {printed}, not {}", text(item, "sddl")));
        }
        let canonical = printed.parse::<SecurityDescriptor>().unwrap();
        if canonical.to_bytes() != bytes(item, "canonical_hex") {
            failures.push(format!("{index}: the text gives other bytes"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    say(&format!("sd-real.json: {} descriptors kept, printed and read back", items(&vectors).len()));
}

/// A change of one part rebuilds the descriptor; undone, the lists are still stored as they were.
#[test]
fn an_edit_leaves_the_lists_of_real_descriptors_as_they_are() {
    let Some(vectors) = vectors("sd-real.json") else { return };
    for (index, item) in items(&vectors).iter().enumerate() {
        let stored = bytes(item, "hex");
        let mut descriptor = SecurityDescriptor::parse(&stored).unwrap();
        let owner = descriptor.owner().copied();
        descriptor.set_owner(None);
        descriptor.set_owner(owner);
        assert_eq!(descriptor.to_bytes(), stored, "{index}");
    }
    say(&format!("sd-real.json: {} descriptors rebuilt from their parts", items(&vectors).len()));
}

#[test]
fn sddl_gives_the_bytes_and_the_bytes_give_the_canonical_text() {
    let Some(vectors) = vectors("sddl.json") else { return };
    let domain: Sid = text(&vectors, "domain_sid").parse().unwrap();
    let machine: Sid = text(&vectors, "machine_sid").parse().unwrap();
    let context = SddlContext::default().with_domain(domain).with_machine(machine);
    let mut failures = Vec::new();
    for item in items(&vectors) {
        let (id, sddl, canonical, stored) =
            (text(item, "id"), text(item, "sddl"), text(item, "canonical"), bytes(item, "hex"));
        match SecurityDescriptor::from_sddl(sddl, &context) {
            Ok(descriptor) if descriptor.to_bytes() == stored => (),
            Ok(descriptor) => failures.push(format!("{id}: {sddl}: gave {:02x?}", descriptor.to_bytes())),
            Err(error) => failures.push(format!("{id}: {sddl}: {error}")),
        }
        validate(&stored).unwrap();
        let descriptor = SecurityDescriptor::parse(&stored).unwrap();
        assert_eq!(descriptor.to_bytes(), stored, "{id}");
        match descriptor.to_sddl() {
            Ok(printed) if printed == canonical => (),
            Ok(printed) => failures.push(format!("{id}: printed {printed}, not {canonical}")),
            Err(error) => failures.push(format!("{id}: {error}")),
        }
        match SecurityDescriptor::from_sddl(canonical, &context) {
            Ok(again) if again == descriptor => (),
            other => failures.push(format!("{id}: canonical {canonical}: {other:?}")),
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    say(&format!("sddl.json: {} texts read, printed and read again", items(&vectors).len()));
}

#[test]
fn malformed_sddl_is_refused_at_its_position() {
    let Some(vectors) = vectors("sddl-invalid.json") else { return };
    for item in items(&vectors) {
        let (sddl, why) = (text(item, "sddl"), text(item, "why"));
        match sddl.parse::<SecurityDescriptor>() {
            Err(error @ SecurityError::Sddl { position, .. }) => {
                assert!(position <= sddl.len(), "{sddl}: position {position}");
                println!("{why:<40} {sddl}\n{:>41}{}^ {error}", "", " ".repeat(position));
            }
            other => panic!("{sddl} ({why}): {other:?}"),
        }
    }
    say(&format!("sddl-invalid.json: {} texts refused", items(&vectors).len()));
}
