//! Key security records (rules S): one ring, exact counts, well-formed descriptors.

use std::collections::BTreeMap;

use super::{Checker, Rule, lists::Way, map::Claim};
use crate::{
    CellOffset, Structure,
    bytes::Fixed,
    format::{key_node::KeyNode, key_security::KEY_SECURITY_FIXED},
    security::validate,
};

/// The records met so far, and the run of keys that share the one met last.
#[derive(Default)]
pub(super) struct Records<'a> {
    met: BTreeMap<CellOffset, Met<'a>>,
    /// Neighbouring keys mostly share a record: counting a run spares the look-up.
    run: Option<(CellOffset, u32)>,
}

struct Met<'a> {
    references: u32,
    uses: u32,
    /// Empty where it is malformed.
    descriptor: &'a [u8],
}

impl Records<'_> {
    fn end_run(&mut self) {
        if let Some((at, uses)) = self.run.take() {
            if let Some(met) = self.met.get_mut(&at) {
                met.uses += uses;
            }
        }
    }
}

/// A record without judgement on its descriptor.
struct Record<'a> {
    next: CellOffset,
    previous: CellOffset,
    references: u32,
    length: u32,
    room: &'a [u8],
}

impl<'a> Checker<'a> {
    fn record(&self, at: CellOffset) -> Option<Record<'a>> {
        if !self.map.is_allocated(at) {
            return None;
        }
        let (fixed, room) = Fixed::<KEY_SECURITY_FIXED>::split(self.hive.cell(at).ok()?.payload)?;
        (fixed.u16::<0>() == u16::from_le_bytes(*b"sk")).then(|| Record {
            next: CellOffset(fixed.u32::<0x04>()),
            previous: CellOffset(fixed.u32::<0x08>()),
            references: fixed.u32::<0x0c>(),
            length: fixed.u32::<0x10>(),
            room,
        })
    }

    /// Follows the ring from the root's record, which is where the loader enters it, until it closes.
    pub(super) fn check_ring(&mut self, start: CellOffset) {
        let mut last = None;
        let mut at = start;
        let first_previous = self.record(start).map(|record| record.previous);
        while let Some(record) = self.record(at) {
            if self.map.claim(at) != Claim::First {
                if at != start {
                    self.ring(last, format_args!("next record is {at:?}, where the ring does not begin"));
                } else if first_previous != last {
                    let (found, expected) = (first_previous.unwrap_or(at), last.unwrap_or(at));
                    self.ring(Some(start), format_args!("previous record is {found:?}, expected {expected:?}"));
                }
                return;
            }
            if let Some(last) = last.filter(|last| *last != record.previous) {
                let found = record.previous;
                self.ring(Some(at), format_args!("previous record is {found:?}, expected {last:?}"));
            }
            self.report.totals.descriptors += 1;
            self.meet(at, &record);
            (last, at) = (Some(at), record.next);
        }
        // Whether the root has a record at all is the root's business.
        if last.is_some() {
            self.ring(last, format_args!("next record is {at:?}, which is no key security record"));
        }
    }

    fn ring(&mut self, at: Option<CellOffset>, message: impl std::fmt::Display) {
        self.say(Rule::S2, Structure::KeySecurity, at.unwrap_or(CellOffset::NIL), None, message);
    }

    fn meet(&mut self, at: CellOffset, record: &Record<'a>) {
        let descriptor = self.check_descriptor(at, record).unwrap_or_default();
        self.records.met.insert(at, Met { references: record.references, uses: 0, descriptor });
    }

    fn check_descriptor(&mut self, at: CellOffset, record: &Record<'a>) -> Option<&'a [u8]> {
        let (length, room) = (record.length, record.room.len());
        if length == 0 {
            self.say(Rule::S4, Structure::KeySecurity, at, None, format_args!("descriptor length is 0"));
            return None;
        }
        let Some(descriptor) = record.room.get(..length as usize) else {
            let message = format!("descriptor needs {length} bytes, {room} are left");
            self.say(Rule::S4, Structure::KeySecurity, at, None, message);
            return None;
        };
        if self.options.descriptors {
            if let Err(error) = validate(descriptor) {
                self.say(Rule::S4, Structure::KeySecurity, at, None, format_args!("{error}"));
                return None;
            }
        }
        Some(descriptor)
    }

    /// Counts a key's reference to its record.
    #[inline]
    pub(super) fn check_security(&mut self, node: KeyNode<'_>, way: &Way<'_, 'a>) {
        let at = node.security();
        match &mut self.records.run {
            Some((run, uses)) if *run == at => *uses += 1,
            _ => self.begin_run(node, at, way),
        }
    }

    fn begin_run(&mut self, node: KeyNode<'_>, at: CellOffset, way: &Way<'_, 'a>) {
        self.records.end_run();
        if !self.records.met.contains_key(&at) {
            let Some(record) = self.record(at) else {
                let message = format!("security is {at:?}, which is no key security record");
                self.say(Rule::S1, Structure::KeyNode, node.offset(), Some(way), message);
                return;
            };
            if self.map.claim(at) == Claim::Again {
                self.say_twice(at, way);
                return;
            }
            let message = "the ring from the root's record does not reach this one";
            self.say(Rule::S3, Structure::KeySecurity, at, Some(way), message);
            self.meet(at, &record);
        }
        self.records.run = Some((at, 1));
    }

    /// What can be said once all keys are known.
    pub(super) fn check_references(&mut self) {
        self.records.end_run();
        let met = std::mem::take(&mut self.records.met);
        for (&at, &Met { references, uses, .. }) in &met {
            let message = format!("reference count is {references}, {uses} keys use the record");
            if references < uses {
                self.say(Rule::S5, Structure::KeySecurity, at, None, message);
            } else if (references > uses || uses == 0) && !self.cut {
                self.say(Rule::S6, Structure::KeySecurity, at, None, message);
            }
        }
        // Sorting brings equals together without a table that hostile bytes could fill with collisions.
        let mut all: Vec<_> = met.iter().map(|(at, met)| (met.descriptor, *at)).collect();
        all.sort_unstable();
        for pair in all.windows(2) {
            let [(one, first), (other, second)] = pair else { continue };
            if one == other && !one.is_empty() {
                let message = format!("holds the same descriptor as the record at {}", first.file_offset());
                self.say(Rule::S7, Structure::KeySecurity, *second, None, message);
            }
        }
    }
}
