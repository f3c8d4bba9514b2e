"""Tests of crash_judge.py: that it finds the states it knows, and nothing else passes."""

import os
import struct
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import crash_judge
import regf
import tiny

SECTOR = 0x200


def hive(names):
    return bytes(tiny.Tiny(tiny.key("ROOT", keys=[tiny.key(name) for name in names])).image)


def disk(rule, files, known):
    blobs = [files.get(at, b"") for at in range(5)] + list(known)
    body = b"".join(struct.pack("<I", len(blob)) + blob for blob in blobs)
    return crash_judge.Disk(bytes([rule]) + body)


def diff(lengths=(), sectors=()):
    body = struct.pack("<I", len(lengths))
    body += b"".join(struct.pack("<II", *one) for one in lengths)
    body += struct.pack("<I", len(sectors))
    return body + b"".join(struct.pack("<III", file, at, len(data)) + data
                           for file, at, data in sectors)


def renumbered(image, first, second):
    image = bytearray(image)
    struct.pack_into("<II", image, 4, first, second)
    struct.pack_into("<I", image, 0x1FC, regf.base_checksum(image))
    return bytes(image)


class CrashJudge(unittest.TestCase):
    def setUp(self):
        self.old, self.new = hive(["a", "b"]), hive(["a", "c"])
        self.sectors = [(0, at, self.new[at:at + SECTOR])
                        for at in range(0, len(self.new), SECTOR)
                        if self.new[at:at + SECTOR] != self.old[at:at + SECTOR]]

    def ask(self, rule, body, files=None):
        return crash_judge.answer(disk(rule, files or {0: self.old}, (self.old, self.new)), body)

    def test_known_states_are_found(self):
        for rule in (crash_judge.REPLAY, crash_judge.CLEAN, crash_judge.REPLAYED_CLEAN):
            self.assertEqual(self.ask(rule, diff()), 0)
            self.assertEqual(self.ask(rule, diff(sectors=self.sectors)), 1)

    def test_a_byte_that_is_in_no_state_is_seen(self):
        page = bytearray(self.old[0x1000:0x1200])
        page[-1] ^= 1
        found = self.ask(crash_judge.REPLAY, diff(sectors=[(0, 0x1000, bytes(page))]))
        self.assertEqual(found, "it is in no known state")

    def test_a_dirty_hive_is_not_clean_and_needs_its_log(self):
        dirty = {0: renumbered(self.old, 3, 2)}
        self.assertIn("not clean", self.ask(crash_judge.CLEAN, diff(), dirty))
        self.assertIn("unreadable", self.ask(crash_judge.REPLAY, diff(), dirty))

    def test_a_torn_base_block_is_not_clean(self):
        torn = {0: bytes(8) + self.old[8:]}
        self.assertIn("not clean", self.ask(crash_judge.CLEAN, diff(), torn))

    def test_what_the_format_forbids_is_seen(self):
        # The root's cell gets a size that is no size.
        root = regf.BASE + regf.parse_base(self.old).root
        sector = bytearray(self.old[root // SECTOR * SECTOR:][:SECTOR])
        struct.pack_into("<i", sector, root % SECTOR, -12)
        found = self.ask(crash_judge.CLEAN, diff(sectors=[(0, root // SECTOR * SECTOR, bytes(sector))]))
        self.assertIsInstance(found, str)

    def test_a_file_that_lost_its_end_is_seen(self):
        found = self.ask(crash_judge.REPLAY, diff(lengths=[(0, 0x1800)]))
        self.assertIsInstance(found, str)


if __name__ == "__main__":
    unittest.main()
