//! The records themselves: counted, hung into one ring, found by their bytes.

use std::collections::HashMap;

use super::super::view;
use crate::{
    CellOffset, Defect, FormatError, RequestError, Result, Structure,
    format::{
        base_block::SECTOR,
        cell::CELL_HEADER,
        key_security::{KEY_SECURITY_FIXED, KeySecurity, encode, field},
    },
    image::{Image, Records},
};

pub(super) fn record(image: &Image, at: CellOffset) -> Result<KeySecurity<'_>> {
    Ok(KeySecurity::parse(view(image).cell(at)?)?)
}

/// So many more keys point at the record.
pub(super) fn add_references(image: &mut Image, at: CellOffset, more: u32) -> Result<()> {
    let references = record(image, at)?.references.saturating_add(more);
    Ok(image.raise(at, field::REFERENCES, references)?)
}

/// One key fewer points at the record; nobody's record goes.
pub(in super::super) fn release(image: &mut Image, at: CellOffset) -> Result<()> {
    let KeySecurity { references, next, previous, .. } = record(image, at)?;
    if references > 1 {
        return Ok(image.write_after(at, field::REFERENCES, &(references - 1).to_le_bytes())?);
    }
    if next == at {
        // The ring of a hive with a root is never empty; a lone record with one user left belongs to the root.
        return Err(FormatError::new(
            Structure::KeySecurity,
            at.file_offset(),
            Defect::Field { field: "references", expected: "one for each key of the hive", found: references.into() },
        )
        .into());
    }
    if image.is_stepwise() {
        // Both neighbours must let go of it at once. Where they stand too far apart it stays, unused, which Windows
        // tolerates (its own repairs leave such records).
        if sector(previous, field::NEXT) != sector(next, field::PREVIOUS) {
            return Ok(());
        }
        image.end_step()?;
    }
    image.write(previous, field::NEXT, &next.0.to_le_bytes())?;
    image.write(next, field::PREVIOUS, &previous.0.to_le_bytes())?;
    image.end_step()?;
    let descriptor = record(image, at)?.descriptor.to_vec();
    image.forget_record(&descriptor);
    Ok(image.free(at)?)
}

fn sector(record: CellOffset, field: u32) -> u32 {
    (record.0 + CELL_HEADER + field) / SECTOR as u32
}

/// The records of the ring, beginning with the root's.
fn ring(image: &Image) -> Result<Vec<CellOffset>> {
    let first = view(image).root()?.security()?.offset();
    let most = image.len() as usize / KEY_SECURITY_FIXED;
    let mut ring = vec![first];
    let mut at = record(image, first)?.next;
    while at != first {
        if ring.len() > most {
            return Err(FormatError::new(Structure::KeySecurity, at.file_offset(), Defect::Cycle).into());
        }
        ring.push(at);
        at = record(image, at)?.next;
    }
    Ok(ring)
}

/// Where descriptors stand that keys are about to get; those that stand nowhere can be made.
pub(super) struct Places {
    found: Vec<Option<CellOffset>>,
    /// Between which records the new ones go.
    between: (CellOffset, CellOffset),
}

impl Places {
    /// Looks for records with exactly these bytes. Nothing is written: where a new record is needed and cannot be hung
    /// into the ring, this is the error.
    pub(super) fn find(image: &mut Image, descriptors: &[&[u8]]) -> Result<Self> {
        if image.records().is_none() {
            let mut records = Records::default();
            for at in ring(image)? {
                records.add(record(image, at)?.descriptor, at);
            }
            image.remember_records(records);
        }
        let found: Vec<_> =
            descriptors.iter().map(|bytes| image.records().and_then(|records| records.of(bytes))).collect();
        let between = if found.contains(&None) { neighbours(image)? } else { (CellOffset::NIL, CellOffset::NIL) };
        Ok(Self { found, between })
    }

    /// Counts so many more users of each descriptor, and makes the records that are missing: as one chain, so that where
    /// no log protects the change, one sector hangs all of them in.
    pub(super) fn take(self, image: &mut Image, descriptors: &[&[u8]], users: &[u32]) -> Result<Vec<CellOffset>> {
        let (previous, next) = self.between;
        let mut made: HashMap<&[u8], CellOffset> = HashMap::new();
        let mut places = Vec::with_capacity(descriptors.len());
        let (mut first, mut last) = (None, previous);
        for ((found, &bytes), &users) in self.found.into_iter().zip(descriptors).zip(users) {
            if let Some(at) = found.or_else(|| made.get(bytes).copied()) {
                add_references(image, at, users)?;
                places.push(at);
                continue;
            }
            let new = image.allocate(&encode(next, last, users, bytes), 0)?;
            if first.is_some() {
                image.write(last, field::NEXT, &new.0.to_le_bytes())?;
            }
            first = first.or(Some(new));
            last = new;
            made.insert(bytes, new);
            image.remember_record(bytes, new);
            places.push(new);
        }
        if let Some(first) = first {
            image.write(previous, field::NEXT, &first.0.to_le_bytes())?;
            image.write(next, field::PREVIOUS, &last.0.to_le_bytes())?;
            image.end_step()?;
        }
        Ok(places)
    }
}

/// Between which records new ones go: at the end of the ring, before the root's; where no log protects the change,
/// between two that can be linked to them in one sector.
fn neighbours(image: &Image) -> Result<(CellOffset, CellOffset)> {
    let first = view(image).root()?.security()?.offset();
    if !image.is_stepwise() {
        return Ok((record(image, first)?.previous, first));
    }
    let mut at = first;
    // As many as `ring` would follow.
    for _ in 0..=image.len() as usize / KEY_SECURITY_FIXED {
        let next = record(image, at)?.next;
        if sector(at, field::NEXT) == sector(next, field::PREVIOUS) {
            return Ok((at, next));
        }
        if next == first {
            break;
        }
        at = next;
    }
    Err(RequestError::Uncommittable(
        "a new security descriptor must be linked to two records at once, which only a transaction log makes safe, and \
         this hive has none"
            .to_owned(),
    )
    .into())
}
