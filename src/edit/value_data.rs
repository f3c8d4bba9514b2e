//! Where a value's data goes: into its record, into a cell, into segments.

use super::view;
use crate::{
    CellOffset, RequestError, Result,
    format::{
        big_data::{self, BigData, MAX_BIG_DATA, SEGMENT},
        cell::{CELL_HEADER, MAX_CELL, size_for},
        key_value::{DataPlace, MAX_INLINE},
    },
    image::Image,
    tree::{Value, segments},
};

/// The cell of a segment of big data, the last one included.
const SEGMENT_CELL: u32 = 0x3fe0;

/// Refuses data that this hive version cannot hold.
pub(super) fn validate(minor: u32, data: &[u8]) -> Result<(), RequestError> {
    let limit = if minor >= 4 { MAX_BIG_DATA } else { u64::from(MAX_CELL - CELL_HEADER) };
    let size = data.len() as u64;
    if size > limit { Err(RequestError::DataTooLarge { size, limit }) } else { Ok(()) }
}

/// Puts data where Windows would: nothing and up to four bytes into the record, else into a cell or segments.
pub(super) fn store(image: &mut Image, data: &[u8]) -> Result<DataPlace> {
    let length = data.len() as u32;
    if length <= MAX_INLINE {
        let mut bytes = [0; 4];
        for (to, from) in bytes.iter_mut().zip(data) {
            *to = *from;
        }
        return Ok(DataPlace::Inline(bytes, length));
    }
    if !big_data::applies(image.base().minor, length) {
        return Ok(DataPlace::Cell(image.allocate(data, 0)?, length));
    }
    let mut list = Vec::new();
    for part in data.chunks(SEGMENT as usize) {
        list.extend_from_slice(&image.allocate_alone(SEGMENT_CELL, part)?.0.to_le_bytes());
    }
    let count = (list.len() / 4) as u16;
    let list = image.allocate(&list, 0)?;
    Ok(DataPlace::Cell(image.allocate(&BigData { count, list }.encode(), 0)?, length))
}

/// Whether `data` can overwrite the data of a value in its cell; that cell.
pub(super) fn reusable_cell(value: Value<'_>, data: &[u8]) -> Result<Option<CellOffset>> {
    let minor = value.hive().minor_version();
    let new = data.len() as u32;
    let DataPlace::Cell(at, old) = value.record().data_place()? else { return Ok(None) };
    if new <= MAX_INLINE || old == 0 || big_data::applies(minor, new) || big_data::applies(minor, old) {
        return Ok(None);
    }
    let room = value.hive().cell(at)?.payload.len() as u32 + CELL_HEADER;
    Ok((size_for(new) == Some(room)).then_some(at))
}

/// The cells that hold a value's data.
pub(super) fn cells(value: Value<'_>, out: &mut Vec<CellOffset>) -> Result<()> {
    let (at, length) = match value.record().data_place()? {
        DataPlace::Inline(..) | DataPlace::Cell(_, 0) => return Ok(()),
        DataPlace::Cell(at, length) => (at, length),
    };
    out.push(at);
    let hive = value.hive();
    if big_data::applies(hive.minor_version(), length) {
        let record = BigData::parse(hive.cell(at)?, length)?;
        out.push(record.list);
        out.extend(segments(hive, record)?);
    }
    Ok(())
}

/// Overwrites a cell's payload, what is left of it with zeros.
pub(super) fn overwrite(image: &mut Image, at: CellOffset, data: &[u8]) -> Result<()> {
    let room = view(image).cell(at)?.payload.len();
    let mut payload = data.to_vec();
    payload.resize(room, 0);
    Ok(image.write(at, 0, &payload)?)
}
