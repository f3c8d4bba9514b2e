//! What is not there is said aloud, and not accepted where `CI` is set: everything has to be there then.

use std::{
    collections::BTreeSet,
    env,
    io::{Write as _, stderr},
    sync::Mutex,
    thread,
};

/// Something that a test needs is not there, so (a part of) the test does nothing.
#[track_caller]
pub(crate) fn missing(what: &str) {
    assert!(env::var_os("CI").is_none(), "missing: {what}");
    skipped(what);
}

/// As [`missing`], for a program of Linux: from a Windows build, under Wine, none can be started, and what it would say
/// is found out by the Linux run.
#[track_caller]
pub(crate) fn missing_program(name: &str) {
    if cfg!(windows) { skipped(name) } else { missing(name) }
}

/// Says it once for each test; the harness runs each in a thread of its name.
fn skipped(what: &str) {
    static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let line = format!("*** SKIPPED in {}: missing {what} ***", thread::current().name().unwrap_or("a test"));
    if SAID.lock().unwrap().insert(line.clone()) {
        say(&line);
    }
}

/// Past the test harness, which swallows what a passing test prints.
pub(crate) fn say(line: &str) {
    stderr().write_all(format!("{line}\n").as_bytes()).unwrap();
}
