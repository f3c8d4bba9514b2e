//! Reading ahead: what the next siblings need is asked of memory at once, not one after the other.
//!
//! In a hive that grew in random order each key, list and value lies in another page, and a walk waits for memory at
//! every step. The loads below do not depend on each other, so the processor has many of them under way; when the walk
//! comes by, they are in its cache. That is worth a third of the time there, and costs a quarter where siblings lie side
//! by side, so it is done for scattered ones only. Nothing is judged here.

use std::hint::black_box;

use crate::{
    CellOffset, HiveView,
    bytes::u32_at,
    format::{cell::CELL_HEADER, subkeys_list::SubkeysList},
};

/// Siblings at a time: their records fit the first levels of a cache.
const AHEAD: usize = 32;

/// Values of each sibling; more are rare.
const VALUES: usize = 4;

/// Siblings that are farther apart than this have not much in common.
const NEAR: u32 = 16 << 10;

/// Positions in the payload of a key node.
const SUBKEYS_LIST: usize = 0x1c;
const VALUE_COUNT: usize = 0x24;
const VALUES_LIST: usize = 0x28;

/// Touches the records of the elements from `next` on, if they are scattered.
#[inline]
pub(super) fn read(hive: HiveView<'_>, leaf: SubkeysList<'_>, next: usize) {
    if next % AHEAD == 0 && is_scattered(leaf, next) {
        touch(hive, leaf, next);
    }
}

fn is_scattered(leaf: SubkeysList<'_>, next: usize) -> bool {
    let targets = || (next..next + AHEAD).map_while(|element| leaf.target(element));
    let far = targets().zip(targets().skip(1)).filter(|(a, b)| a.0.abs_diff(b.0) > NEAR).count();
    far > AHEAD / 2
}

fn touch(hive: HiveView<'_>, leaf: SubkeysList<'_>, next: usize) {
    let word = |at: CellOffset, field: usize| {
        let at = at.0.wrapping_add(CELL_HEADER).wrapping_add(field as u32);
        hive.bins().get(at, 4).and_then(|bytes| u32_at(bytes, 0))
    };
    let mut seen = 0_u32;
    let mut lists = [(CellOffset::NIL, CellOffset::NIL, 0); AHEAD];
    for (list, target) in lists.iter_mut().zip((next..).map_while(|element| leaf.target(element))) {
        let values = word(target, VALUES_LIST).map_or(CellOffset::NIL, CellOffset);
        let subkeys = word(target, SUBKEYS_LIST).map_or(CellOffset::NIL, CellOffset);
        *list = (values, subkeys, word(target, VALUE_COUNT).unwrap_or(0) as usize);
    }
    let mut values = [CellOffset::NIL; AHEAD * VALUES];
    for ((list, subkeys, count), values) in lists.iter().zip(values.chunks_mut(VALUES)) {
        seen ^= word(*subkeys, 0).unwrap_or(0);
        for (at, value) in values.iter_mut().take(*count).enumerate() {
            *value = word(*list, at * 4).map_or(CellOffset::NIL, CellOffset);
        }
    }
    for value in values {
        seen ^= word(value, 0).unwrap_or(0);
    }
    // The loads are the purpose.
    black_box(seen);
}
