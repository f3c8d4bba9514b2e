//! Ways to damage a hive.

/// Numbers that look random and are the same every time.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end.max(1)
    }
}

/// Each damages the bytes of a hive; the dice say where.
pub(crate) type Hurt = fn(&mut Vec<u8>, &mut Dice);

/// The ways, by what one sees on real disks: lost sectors, half a copy, bits that tip over, headers that were overwritten.
pub(crate) const WAYS: &[(&str, Hurt)] = &[
    ("base block zeroed", |bytes, _| bytes[..0x1000].fill(0)),
    ("base block flipped", |bytes, dice| {
        let at = dice.below(0x1fc);
        bytes[at] ^= 0x10;
    }),
    ("first page of bins zeroed", |bytes, _| bytes[0x1000..0x2000].fill(0)),
    ("root's signature gone", |bytes, _| bytes[0x1024..0x1026].fill(0)),
    ("2 % of pages zeroed", |bytes, dice| pages(bytes, dice, 50, |page, _| page.fill(0))),
    ("10 % of pages zeroed", |bytes, dice| pages(bytes, dice, 10, |page, _| page.fill(0))),
    ("2 % of sectors noise", |bytes, dice| {
        let sectors = bytes.len() / 512;
        for _ in 0..sectors / 50 {
            let at = dice.below(sectors - 8) * 512 + 0x1000;
            bytes[at..at + 512].iter_mut().for_each(|byte| *byte = dice.below(256) as u8);
        }
    }),
    ("1 byte in 2000 flipped", |bytes, dice| {
        for _ in 0..bytes.len() / 2000 {
            let at = 0x1000 + dice.below(bytes.len() - 0x1000);
            bytes[at] ^= 1 << dice.below(8);
        }
    }),
    ("last third cut off", |bytes, _| bytes.truncate(bytes.len() * 2 / 3)),
    ("bin headers zeroed", |bytes, _| {
        for at in (0x1000..bytes.len()).step_by(0x1000) {
            if bytes[at..].starts_with(b"hbin") {
                bytes[at..at + 0x20].fill(0);
            }
        }
    }),
    ("all subkeys lists zeroed", |bytes, _| {
        records(bytes, &[b"lf", b"lh", b"li", b"ri"], |record| record[..4].fill(0));
    }),
    ("1 key node in 20 zeroed", |bytes, dice| {
        records(bytes, &[b"nk"], |record| {
            if dice.below(20) == 0 {
                record[..0x4c].fill(0);
            }
        });
    }),
    ("all parents wrong", |bytes, _| records(bytes, &[b"nk"], |record| record[0x10..0x14].fill(0x11))),
    ("all descriptors zeroed", |bytes, _| records(bytes, &[b"sk"], |record| record.fill(0))),
    ("512 bytes missing in the middle", |bytes, _| {
        let at = (bytes.len() / 2) & !0xfff;
        bytes.drain(at + 0x200..at + 0x400);
    }),
];

fn pages(bytes: &mut [u8], dice: &mut Dice, one_in: usize, hurt: fn(&mut [u8], &mut Dice)) {
    for page in bytes[0x1000..].chunks_mut(0x1000) {
        if dice.below(one_in) == 0 {
            hurt(page, dice);
        }
    }
}

/// Calls `hurt` with the payload of each allocated cell with one of these signatures. The hive must be whole.
fn records(bytes: &mut [u8], signatures: &[&[u8; 2]], mut hurt: impl FnMut(&mut [u8])) {
    let number = |bytes: &[u8], at: usize| i32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    let end = 0x1000 + number(bytes, 0x28).unsigned_abs() as usize;
    let mut bin = 0x1000;
    while bin < end {
        let next = bin + number(bytes, bin + 8).unsigned_abs() as usize;
        let mut cell = bin + 0x20;
        while cell < next {
            let size = number(bytes, cell);
            let behind = cell + size.unsigned_abs() as usize;
            if size < 0 && signatures.iter().any(|signature| bytes[cell + 4..].starts_with(*signature)) {
                hurt(&mut bytes[cell + 4..behind]);
            }
            cell = behind;
        }
        bin = next;
    }
}
