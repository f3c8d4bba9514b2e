//! Giving keys descriptors, many at once: records first, then the keys, then what is no longer used.

use super::{
    super::{editable, touch},
    record::{Places, release},
};
use crate::{CellOffset, FileTime, Result, format::key_node, image::Image, security};

/// Gives each key the descriptor of that number. Keys with equal descriptors share a record; keys that have theirs
/// already are left alone.
pub(crate) fn assign<D: AsRef<[u8]>>(
    image: &mut Image,
    descriptors: &[D],
    keys: &[(CellOffset, usize)],
    now: FileTime,
) -> Result<()> {
    let mut users = vec![0_u32; descriptors.len()];
    let mut changes = Vec::with_capacity(keys.len());
    for &(key, number) in keys {
        let old = editable(image, key)?.security()?;
        let (Some(new), Some(users)) = (descriptors.get(number), users.get_mut(number)) else { continue };
        if old.bytes() != new.as_ref() {
            *users += 1;
            changes.push((key, number, old.offset()));
        }
    }
    // Those that nobody will use are not looked for, nor made.
    let mut numbers = vec![usize::MAX; descriptors.len()];
    let (mut wanted, mut counts) = (Vec::new(), Vec::new());
    for ((bytes, &users), number) in descriptors.iter().map(AsRef::as_ref).zip(&users).zip(&mut numbers) {
        security::validate(bytes)?;
        if users > 0 {
            *number = wanted.len();
            wanted.push(bytes);
            counts.push(users);
        }
    }
    let records = Places::find(image, &wanted)?.take(image, &wanted, &counts)?;
    for &(key, number, _) in &changes {
        let Some(new) = numbers.get(number).and_then(|at| records.get(*at)) else { continue };
        image.write(key, key_node::field::SECURITY, &new.0.to_le_bytes())?;
        touch(image, key, now)?;
        image.end_step()?;
    }
    changes.into_iter().try_for_each(|(.., old)| release(image, old))
}
