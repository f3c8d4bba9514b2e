//! One edit as a few small numbers: easy to generate, to shrink, to read, and to store in eight bytes.
//!
//! Numbers stand for places in tables of hostile names, sizes and descriptors, so that any eight bytes are an
//! operation: the fuzzer's inputs are lists of such records.

use std::fmt;

use hivesmith::name::NameBuf;

/// A key, by its place in a depth-first walk, modulo the number of keys.
pub(crate) type Pick = u16;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    /// `levels` more keys are made below the new one.
    Create {
        at: Pick,
        name: Name,
        levels: u8,
    },
    Rename {
        at: Pick,
        name: Name,
    },
    Delete {
        at: Pick,
    },
    DeleteTree {
        at: Pick,
    },
    SetValue {
        at: Pick,
        name: Name,
        kind: u8,
        size: Size,
    },
    DeleteValue {
        at: Pick,
        name: Name,
    },
    SetClass {
        at: Pick,
        size: Size,
    },
    SetFlags {
        at: Pick,
        flags: u16,
    },
    SetTime {
        at: Pick,
        time: u16,
    },
    SetSecurity {
        at: Pick,
        which: u8,
    },
    /// Many subkeys at once, in an order that is not theirs.
    Siblings {
        at: Pick,
        count: u16,
    },
    /// Deletes all but so many subkeys, beginning somewhere in the middle.
    DeleteSiblings {
        at: Pick,
        keep: u16,
    },
    ManyValues {
        at: Pick,
        count: u16,
    },
    /// Uses the id of a key that is gone.
    UseStale {
        which: u16,
    },
    Savepoint,
    /// To one of the savepoints, those that are used up included.
    Rollback {
        to: u8,
    },
    Commit,
    /// Commits, and goes on with what the storage holds.
    Reopen,
    Abort,
}

/// Bytes of a stored operation.
pub(crate) const RECORD: usize = 8;

impl Op {
    /// Any record is an operation.
    pub(crate) fn decode(record: [u8; RECORD]) -> Self {
        let [kind, at_low, at_high, name, low, high, small, _] = record;
        let (at, name) = (u16::from_le_bytes([at_low, at_high]), Name(name));
        let number = u16::from_le_bytes([low, high]);
        match kind % 19 {
            0 => Self::Create { at, name, levels: small },
            1 => Self::Rename { at, name },
            2 => Self::Delete { at },
            3 => Self::DeleteTree { at },
            4 => Self::SetValue { at, name, kind: small, size: Size(number) },
            5 => Self::DeleteValue { at, name },
            6 => Self::SetClass { at, size: Size(number) },
            7 => Self::SetFlags { at, flags: number },
            8 => Self::SetTime { at, time: number },
            9 => Self::SetSecurity { at, which: small },
            10 => Self::Siblings { at, count: number },
            11 => Self::DeleteSiblings { at, keep: number },
            12 => Self::ManyValues { at, count: number },
            13 => Self::UseStale { which: number },
            14 => Self::Savepoint,
            15 => Self::Rollback { to: small },
            16 => Self::Commit,
            17 => Self::Reopen,
            _ => Self::Abort,
        }
    }

    /// The record that decodes to this operation.
    pub(crate) fn encode(self) -> [u8; RECORD] {
        let (kind, at, name, number, small) = match self {
            Self::Create { at, name, levels } => (0, at, name, 0, levels),
            Self::Rename { at, name } => (1, at, name, 0, 0),
            Self::Delete { at } => (2, at, Name(0), 0, 0),
            Self::DeleteTree { at } => (3, at, Name(0), 0, 0),
            Self::SetValue { at, name, kind, size } => (4, at, name, size.0, kind),
            Self::DeleteValue { at, name } => (5, at, name, 0, 0),
            Self::SetClass { at, size } => (6, at, Name(0), size.0, 0),
            Self::SetFlags { at, flags } => (7, at, Name(0), flags, 0),
            Self::SetTime { at, time } => (8, at, Name(0), time, 0),
            Self::SetSecurity { at, which } => (9, at, Name(0), 0, which),
            Self::Siblings { at, count } => (10, at, Name(0), count, 0),
            Self::DeleteSiblings { at, keep } => (11, at, Name(0), keep, 0),
            Self::ManyValues { at, count } => (12, at, Name(0), count, 0),
            Self::UseStale { which } => (13, 0, Name(0), which, 0),
            Self::Savepoint => (14, 0, Name(0), 0, 0),
            Self::Rollback { to } => (15, 0, Name(0), 0, to),
            Self::Commit => (16, 0, Name(0), 0, 0),
            Self::Reopen => (17, 0, Name(0), 0, 0),
            Self::Abort => (18, 0, Name(0), 0, 0),
        };
        let (at, number) = (at.to_le_bytes(), number.to_le_bytes());
        [kind, at[0], at[1], name.0, number[0], number[1], small, 0]
    }
}

/// A name: of the hostile ones, or a plain one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Name(pub(crate) u8);

impl Name {
    pub(crate) fn units(self) -> Vec<u16> {
        let text = |text: &str| text.encode_utf16().collect();
        let long = |unit: char, count| vec![unit as u16; count];
        match self.0 {
            // Case variants, and what stands between upper and lower case letters.
            1 => text("a"),
            2 => text("A"),
            3 => text("_"),
            4 => text("b"),
            5 => text("Z"),
            6 => text("["),
            7 => text("a_b"),
            8 => text("aAb"),
            9 => text("aa"),
            10 => text("Software"),
            11 => text("SOFTWARE"),
            // Letters whose upper case is elsewhere, or nowhere: ÿ and Ÿ are one name, µ Μ μ are two, ı and I are two.
            12 => text("\u{ff}"),
            13 => text("\u{178}"),
            14 => text("\u{b5}"),
            15 => text("\u{39c}"),
            16 => text("\u{3bc}"),
            17 => text("\u{131}"),
            18 => text("i"),
            19 => text("\u{130}"),
            20 => text("\u{df}"),
            21 => text("\u{1e9e}"),
            22 => text("\u{1c6}"),
            23 => text("\u{1c5}"),
            24 => text("Привет"),
            25 => text("ПРИВЕТ"),
            26 => text("é"),
            27 => text("É"),
            // Half a surrogate pair, either half, and pairs, whose case Windows does not fold.
            28 => vec![0xd801],
            29 => vec![0xdc28],
            30 => text("\u{10428}"),
            31 => text("\u{10400}"),
            32 => text("\u{ff21}"),
            33 => text("a\u{ffff}"),
            34 => vec![0],
            35 => vec![0, u16::from(b'a')],
            36 => text("\u{1}\u{1b}[31m\u{7f}\r\n"),
            // At and beyond the limits.
            37 => long('n', 255),
            38 => long('N', 255),
            39 => long('Ж', 255),
            40 => long('n', 254),
            41 => long('n', 256),
            42 => text(r"a\b"),
            0 | 43 => Vec::new(),
            44 => long('v', 16_383),
            45 => long('v', 16_384),
            plain => text(&format!("k{plain}")),
        }
    }

    pub(crate) fn buf(self) -> NameBuf {
        NameBuf::from(self.units())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = self.units();
        if units.len() > 20 {
            write!(out, "{}*{}", NameBuf::from(units[..1].to_vec()), units.len())
        } else {
            write!(out, "\"{}\"", self.buf())
        }
    }
}

/// A number of bytes: one around which storage changes, or the number itself.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size(pub(crate) u16);

impl Size {
    /// Where inline data ends, a cell, a segment of big data, two segments; where version 1.3 gives up.
    pub(crate) const EDGES: [usize; 24] = [
        0, 1, 2, 3, 4, 5, 8, 12, 13, 500, 4000, 16_340, 16_343, 16_344, 16_345, 16_380, 16_381, 32_687, 32_688, 32_689,
        49_033, 100_000, 1_048_572, 1_048_573,
    ];

    pub(crate) fn bytes(self) -> usize {
        Self::EDGES.get(usize::from(self.0)).copied().unwrap_or(usize::from(self.0))
    }
}

impl fmt::Debug for Size {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bytes().fmt(out)
    }
}

/// Bytes that differ along the way, so that segments in the wrong order show.
pub(crate) fn data(size: usize, seed: u64) -> Vec<u8> {
    (0..size as u64).map(|at| (at.wrapping_mul(31) ^ (at >> 7) ^ seed) as u8).collect()
}

/// A handful of descriptors; the last is none.
pub(crate) fn descriptor(which: u8) -> Vec<u8> {
    let sddl = match which % 6 {
        0 => "O:BAG:SYD:(A;CI;KA;;;SY)(A;CI;KA;;;BA)(A;CI;KR;;;BU)",
        1 => "O:SYG:SYD:(A;CI;KA;;;SY)",
        2 => "O:BAG:BAD:PAI(A;CI;KA;;;BA)(A;CIIO;KA;;;CO)(A;CI;KR;;;WD)S:(AU;SAFA;KA;;;WD)",
        3 => "D:",
        4 => "O:BAG:BAD:(A;;KA;;;BA)(A;;KR;;;BU)(A;;KR;;;S-1-5-21-1-2-3-1001)(D;;KW;;;AN)",
        _ => return b"no descriptor at all".to_vec(),
    };
    sddl.parse::<hivesmith::security::SecurityDescriptor>().expect("a descriptor of the table").to_bytes()
}

/// The descriptor of a new key below one with this descriptor: what the engine of descriptors says the parent hands on,
/// and the parent's own where that is nothing.
pub(crate) fn inherited(parent: &[u8]) -> Vec<u8> {
    use hivesmith::security::{AclState, GenericMapping, NewObject, ObjectKind, SecurityDescriptor, well_known};
    let above = SecurityDescriptor::parse(parent).expect("the parent has a descriptor");
    let kernel = ObjectKind { mapping: GenericMapping::KEY_BY_KERNEL, ..ObjectKind::KEY };
    let owner = above.owner().copied().unwrap_or(well_known::ADMINISTRATORS);
    let group = above.group().copied().unwrap_or(well_known::LOCAL_SYSTEM);
    let new = NewObject::new(kernel).below(&above).owned_by(owner).in_group(group).descriptor().expect("it fits");
    if *new.dacl() == AclState::Absent { parent.to_vec() } else { new.to_bytes() }
}
