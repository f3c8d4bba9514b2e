//! The same questions to Samba, whose answers are right except where this file says why not.

use std::{
    io::Write,
    process::{Command, Stdio},
    thread,
};

use hivesmith::security::{
    AccessMask, AceType, Acl, AclState, Control, ObjectKind, SddlContext, SecurityDescriptor, Sid, Subject, well_known,
};
use serde_json::{Value, json};

use crate::{REAL, SDDL, bytes, items, load, say, support::missing_program, text};

/// Samba's answers, one for each question; `None`, which is said, where there is no Samba to ask.
fn ask(questions: &[Value]) -> Option<Vec<Value>> {
    let there = Command::new(PYTHON).args(["-c", "import samba.ndr"]).stderr(Stdio::null()).status();
    if !there.is_ok_and(|status| status.success()) {
        missing_program("python3-samba");
        return None;
    }
    let mut samba = Command::new(PYTHON)
        .args(["-c", include_str!("ask_samba.py")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = samba.stdin.take().unwrap();
    let lines: String = questions.iter().map(|question| format!("{question}\n")).collect();
    let writer = thread::spawn(move || input.write_all(lines.as_bytes()));
    let output = samba.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "Samba ended with {}", output.status);
    let answers = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<Value> = answers.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), questions.len());
    Some(answers)
}

#[test]
fn sddl_gives_the_descriptor_that_samba_gives() {
    let Some(vectors) = load("sddl.json") else { return };
    let (domain, machine) = (text(&vectors, "domain_sid"), text(&vectors, "machine_sid"));
    let items = items(&vectors, SDDL);
    let questions: Vec<_> = items
        .iter()
        .map(|item| json!({"ask": "encode", "domain": domain, "sddl": with_numbers(text(item, "sddl"))}))
        .collect();
    let Some(answers) = ask(&questions) else { return };
    let context = SddlContext::default().with_domain(domain.parse().unwrap()).with_machine(machine.parse().unwrap());

    let (mut agrees, mut excused, mut failures) = (0, Vec::new(), Vec::new());
    for (item, answer) in items.iter().zip(&answers) {
        let (id, sddl) = (text(item, "id"), text(item, "sddl"));
        let ours = SecurityDescriptor::from_sddl(sddl, &context).unwrap();
        let same = answer["answer"].is_string()
            && SecurityDescriptor::parse(&bytes(answer, "answer")).is_ok_and(|theirs| same_meaning(&theirs, &ours));
        match (same, excuse(id, &ours)) {
            (true, None) => agrees += 1,
            // An excuse that is no longer needed has to go.
            (true, Some(reason)) => failures.push(format!("{id}: agrees, though \"{reason}\"")),
            (false, Some(reason)) => excused.push(reason),
            (false, None) => failures.push(format!("{id}: {sddl}: {answer}")),
        }
    }
    assert!(failures.is_empty(), "{} differ:\n{}", failures.len(), failures.join("\n"));
    assert_eq!((agrees, excused.len()), (SDDL_AGREED, SDDL - SDDL_AGREED));
    say(&format!("samba: agrees on {agrees} of {SDDL} texts; for the others there is a reason:"));
    report(&excused);
}

/// The text with the letters for all rights of a file or key as numbers: Samba 4.17 takes those of files for fewer
/// rights than Windows does (`FA` for 0x1ff), and refuses those of keys.
fn with_numbers(sddl: &str) -> String {
    const LETTERS: [(&str, &str); 8] = [
        ("FA", "0x1f01ff"),
        ("FR", "0x120089"),
        ("FW", "0x120116"),
        ("FX", "0x1200a0"),
        ("KA", "0xf003f"),
        ("KR", "0x20019"),
        ("KW", "0x20006"),
        ("KX", "0x20019"),
    ];
    let mut fields: Vec<String> = sddl.split(';').map(str::to_owned).collect();
    // The rights are the third field of an entry; the first one holds its parenthesis.
    let starts: Vec<usize> = (0..fields.len()).filter(|&at| fields[at].contains('(')).collect();
    for at in starts {
        let rights = fields.get_mut(at + 2);
        let number = rights.as_ref().and_then(|rights| LETTERS.iter().find(|(letters, _)| letters == rights));
        if let (Some((_, number)), Some(rights)) = (number, rights) {
            (*number).clone_into(rights);
        }
    }
    fields.join(";")
}

/// Why Samba 4.17 gives something else for a vector.
fn excuse(id: &str, ours: &SecurityDescriptor) -> Option<&'static str> {
    if !has_only_words_of_samba(ours) {
        return Some("it does not know labels, conditions, claims, policies and trust labels");
    }
    EXCUSES.iter().find(|(ids, _)| ids.contains(&id)).map(|(_, reason)| *reason)
}

const EXCUSES: &[(&[&str], &str)] = &[
    (&["mask-030", "mask-031", "mask-032", "mask-033"], "it takes numbers that are not hexadecimal for 0"),
    (
        &["mask-039", "mask-043"],
        "it takes `FA` and `FR` for fewer rights, and refuses those of keys, also among others",
    ),
    (&["null-001", "null-002", "null-003", "null-004"], "it does not know NO_ACCESS_CONTROL"),
    (&["noncanonical-001", "noncanonical-011"], "it refuses small letters"),
    (
        &["noncanonical-002", "noncanonical-003", "noncanonical-004", "noncanonical-007"],
        "it refuses blanks, or stops at them",
    ),
    (&["noncanonical-009"], "it does not see where the flag ends in `S:AID:`"),
];

#[test]
fn real_descriptors_read_as_samba_prints_them() {
    let Some(vectors) = load("sd-real.json") else { return };
    let items = items(&vectors, REAL);
    let asked: Vec<_> = items.iter().filter(|item| has_only_words_of_samba(&parsed(item))).collect();
    let questions: Vec<_> = asked.iter().map(|item| json!({"ask": "show", "hex": text(item, "hex")})).collect();
    let Some(answers) = ask(&questions) else { return };
    let mut null_sacls = 0;
    for (item, answer) in asked.iter().zip(&answers) {
        let mut ours: SecurityDescriptor = text(item, "sddl").parse().unwrap();
        if *ours.sacl() == AclState::Null {
            // It prints no more of a NULL SACL than of none, nor the flags.
            ours.set_sacl(AclState::Absent);
            ours.set_control(ours.control().difference(Control::SACL_AUTO_INHERITED));
            null_sacls += 1;
        }
        let theirs: SecurityDescriptor = text(answer, "answer").parse().unwrap();
        assert!(same_meaning(&theirs, &ours), "{ours}\n{theirs}\n{:?} {:?}", ours.control(), theirs.control());
    }
    assert_eq!((asked.len(), null_sacls), (REAL_ASKED, REAL_NULL_SACLS));
    say(&format!(
        "samba: prints {REAL_ASKED} of {REAL} real descriptors, all of them alike but for {null_sacls} NULL SACLs that \
         it leaves out; it crashes on the labels of the others"
    ));
}

/// What Samba 4.17 crashes on is not asked: it has no letters for labels and trust labels, and prints the absence.
fn has_only_words_of_samba(descriptor: &SecurityDescriptor) -> bool {
    let lists = [descriptor.dacl(), descriptor.sacl()];
    let mut aces = lists.into_iter().filter_map(AclState::acl).flat_map(Acl::aces);
    aces.all(|ace| ace.ace_type() <= AceType::SYSTEM_ALARM_OBJECT)
}

#[test]
fn access_to_real_keys_is_what_samba_grants() {
    let Some(vectors) = load("sd-real.json") else { return };
    let items = items(&vectors, REAL);
    let service = Sid::from_sddl_alias("SU").unwrap();
    let subjects: [&[Sid]; 4] = [
        &[well_known::LOCAL_SYSTEM, well_known::EVERYONE, well_known::AUTHENTICATED_USERS, well_known::ADMINISTRATORS],
        &[well_known::ADMINISTRATORS, well_known::EVERYONE, well_known::AUTHENTICATED_USERS],
        &[well_known::USERS, well_known::EVERYONE, well_known::AUTHENTICATED_USERS],
        &[
            well_known::TRUSTED_INSTALLER,
            well_known::EVERYONE,
            well_known::AUTHENTICATED_USERS,
            service,
            well_known::USERS,
        ],
    ];
    let pairs: Vec<_> = items.iter().flat_map(|item| subjects.map(|sids| (item, sids))).collect();
    let questions: Vec<_> = pairs
        .iter()
        .map(|(item, sids)| {
            let sids: Vec<_> = sids.iter().map(ToString::to_string).collect();
            json!({"ask": "access", "hex": text(item, "hex"), "sids": sids})
        })
        .collect();
    let Some(answers) = ask(&questions) else { return };
    for ((item, sids), answer) in pairs.iter().zip(&answers) {
        let descriptor = parsed(item);
        let first = sids.first().copied().unwrap();
        let who = sids.iter().fold(Subject::new(first), |who, sid| who.member_of(*sid));
        let ours = descriptor.access(&who, ObjectKind::KEY).granted;
        let theirs = answer["answer"].as_u64().unwrap_or_else(|| panic!("{first}: {answer}"));
        let theirs = AccessMask::from_bits_retain(u32::try_from(theirs).unwrap());
        assert_eq!(ours, theirs, "{first} on {}", text(item, "sddl"));
    }
    say(&format!("samba: grants the same in {} of {} cases", pairs.len(), 4 * REAL));
}

fn parsed(item: &Value) -> SecurityDescriptor {
    SecurityDescriptor::parse(&bytes(item, "hex")).unwrap()
}

/// Parts, rights and inheritance; not the layout, and not the bits of the control word that SDDL has no letters for.
fn same_meaning(theirs: &SecurityDescriptor, ours: &SecurityDescriptor) -> bool {
    let aces = |list: &AclState| list.acl().map(|acl| acl.aces().to_vec());
    let lettered = Control::from_bits_retain(0x3F14);
    theirs.owner() == ours.owner()
        && theirs.group() == ours.group()
        && aces(theirs.dacl()) == aces(ours.dacl())
        && aces(theirs.sacl()) == aces(ours.sacl())
        && theirs.control() & lettered == ours.control() & lettered
}

fn report(reasons: &[&str]) {
    let mut distinct = reasons.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    for reason in distinct {
        say(&format!("  {:>3} x {reason}", reasons.iter().filter(|other| **other == reason).count()));
    }
}

/// Debian's, which knows Debian's python3-samba; not that of a virtual environment.
const PYTHON: &str = "/usr/bin/python3";
const SDDL_AGREED: usize = 246;
const REAL_ASKED: usize = 398;
const REAL_NULL_SACLS: usize = 99;
