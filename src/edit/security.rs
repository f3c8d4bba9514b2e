//! Descriptors of keys: records that keys share, count, and hang in one ring.

use super::{editable, touch, view};
use crate::{
    CellOffset, Defect, FileTime, FormatError, RequestError, Result, Structure,
    format::{
        base_block::SECTOR,
        cell::CELL_HEADER,
        key_node,
        key_security::{KEY_SECURITY_FIXED, KeySecurity, encode, field},
    },
    image::Image,
    security,
};

fn record(image: &Image, at: CellOffset) -> Result<KeySecurity<'_>> {
    Ok(KeySecurity::parse(view(image).cell(at)?)?)
}

/// One more key points at the record.
pub(super) fn add_reference(image: &mut Image, at: CellOffset) -> Result<()> {
    let references = record(image, at)?.references.saturating_add(1);
    Ok(image.raise(at, field::REFERENCES, references)?)
}

/// One key fewer points at the record; nobody's record goes.
pub(super) fn release(image: &mut Image, at: CellOffset) -> Result<()> {
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
    Ok(image.free(at)?)
}

fn sector(record: CellOffset, field: u32) -> u32 {
    (record.0 + CELL_HEADER + field) / SECTOR as u32
}

/// Gives a key a descriptor: that of another key if one has the same bytes, a new record otherwise.
pub(crate) fn set(image: &mut Image, at: CellOffset, descriptor: &[u8], now: FileTime) -> Result<()> {
    security::validate(descriptor)?;
    let old = editable(image, at)?.security()?;
    if old.bytes() == descriptor {
        return Ok(());
    }
    let old = old.offset();
    let new = match find(image, descriptor)? {
        Some(found) => {
            add_reference(image, found)?;
            found
        }
        None => add(image, descriptor)?,
    };
    image.write(at, key_node::field::SECURITY, &new.0.to_le_bytes())?;
    touch(image, at, now)?;
    image.end_step()?;
    release(image, old)
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

/// A record with exactly these bytes.
fn find(image: &Image, descriptor: &[u8]) -> Result<Option<CellOffset>> {
    for at in ring(image)? {
        if record(image, at)?.descriptor == descriptor {
            return Ok(Some(at));
        }
    }
    Ok(None)
}

/// Makes a record with one reference and hangs it into the ring.
fn add(image: &mut Image, descriptor: &[u8]) -> Result<CellOffset> {
    let (previous, next) = neighbours(image)?;
    let new = image.allocate(&encode(next, previous, 1, descriptor), 0)?;
    image.write(previous, field::NEXT, &new.0.to_le_bytes())?;
    image.write(next, field::PREVIOUS, &new.0.to_le_bytes())?;
    image.end_step()?;
    Ok(new)
}

/// Between which records a new one goes: at the end of the ring, before the root's; where no log protects the change,
/// between two that can be linked to it in one sector.
fn neighbours(image: &Image) -> Result<(CellOffset, CellOffset)> {
    let ring = ring(image)?;
    let first = ring.first().copied().unwrap_or(CellOffset::NIL);
    let pairs = ring.iter().copied().zip(ring.iter().copied().skip(1).chain([first]));
    if !image.is_stepwise() {
        return Ok(pairs.last().unwrap_or((first, first)));
    }
    pairs
        .into_iter()
        .find(|(previous, next)| sector(*previous, field::NEXT) == sector(*next, field::PREVIOUS))
        .ok_or_else(|| {
            RequestError::Uncommittable(
                "a new security descriptor must be linked to two records at once, which only a transaction log makes \
                 safe, and this hive has none"
                    .to_owned(),
            )
            .into()
        })
}
