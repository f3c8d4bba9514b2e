#!/usr/bin/env python3
"""Judges what a power cut left of a hive, many thousand times in one process.

    crash_judge.py < questions > answers

A question is a letter, the length of its body as u32, and the body:

  N  a new disk: u8 rule, then blobs (u32 length, bytes): the hive, LOG1, LOG2, LOG, hivesmith's own
     journal, and after them the hives whose states the disk may be found in, oldest first
  C  changes the disk for good: u32 count of lengths, each (u32 file, u32 length); u32 count of
     sectors, each (u32 file, u32 offset, u32 length, bytes)
  S  the same difference, for this question only; answered with one line: the number of the known
     state, or what is wrong

Rule 0: the hive is replayed by regf.py as Windows does it, and its bins must be those of a known
state, byte for byte. Rule 1: the hive must be clean as it lies there, its judge must find nothing
that was not there in the first known state (leaks and free neighbours aside), and its keys and
values must be those of a known state, time stamps aside. Rule 2: the same, of the hive that a
replay makes of it.
"""

import functools
import hashlib
import os
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import regf  # noqa: E402

REPLAY, CLEAN, REPLAYED_CLEAN = 0, 1, 2
# What a commit without a log may leave behind and Windows does not mind: cells that nobody uses,
# free cells side by side, descriptors counted too often.
TOLERATED = {"C5", "C6", "S6"}

# The same entry is met in thousands of states; its hashes are what takes the time.
real_marvin32 = regf.marvin32
cached_marvin32 = functools.lru_cache(maxsize=64)(real_marvin32)
regf.marvin32 = lambda data: cached_marvin32(bytes(data))


def content(data):
    """Digest of what a hive says, time stamps aside."""
    hive = regf.Hive(data)
    digest, descriptors = hashlib.sha256(), {}
    for path, key, values in hive.stream():
        blob = descriptors.get(key.security)
        if blob is None:
            blob = descriptors[key.security] = hive.descriptor(key) or b"-"
        said = (path, key.flags, hive.class_name(key), blob, values)
        digest.update(repr(said).encode("utf-8", "surrogatepass"))
    return digest.digest()


def bins(image):
    length = struct.unpack_from("<I", image, 0x28)[0]
    return bytes(image[regf.BASE:regf.BASE + length])


def redo(primary, journal):
    """The hive that a journal of hivesmith completes; None where it is not in the middle of that.

    "hsREDO01", u64 Marvin32 of the rest, the base block meanwhile, the base block afterwards, u32
    count of runs, (u32 offset, u32 length) of each, the runs, hashes of what was there before.
    """
    if journal[:8] != b"hsREDO01":
        return None
    if regf.marvin32(journal[16:]) != regf.U64.unpack_from(journal, 8)[0]:
        return None
    armed, clean = journal[0x10:0x210], journal[0x210:0x410]
    base = regf.parse_base(primary)
    if primary[:0x200] != armed and base.checksum == base.computed:
        return None
    image, table = bytearray(primary), 0x414
    image[:0x200] = clean
    count = regf.U32.unpack_from(journal, 0x410)[0]
    at = table + 8 * count
    for run in range(count):
        offset, length = struct.unpack_from("<II", journal, table + 8 * run)
        image[regf.BASE + offset:regf.BASE + offset + length] = journal[at:at + length]
        at += length
    return image


class Disk:
    """The files, and the states that the hive may be in."""

    def __init__(self, body):
        self.rule = body[0]
        blobs, at = [], 1
        while at < len(body):
            size = struct.unpack_from("<I", body, at)[0]
            blobs.append(body[at + 4:at + 4 + size])
            at += 4 + size
        self.files = blobs[:5]
        known = blobs[5:]
        if self.rule != REPLAY:
            self.known = [content(hive) for hive in known]
            self.allowed = TOLERATED | {
                finding.rule for finding in regf.judge(known[0]).findings}
        else:
            self.known = [bins(hive) for hive in known]

    def with_diff(self, body):
        """The files after a difference."""
        files, at = list(self.files), 4
        touched = {}

        def open_file(index):
            if index not in touched:
                touched[index] = bytearray(files[index])
            return touched[index]

        for _ in range(struct.unpack_from("<I", body, 0)[0]):
            index, length = struct.unpack_from("<II", body, at)
            at += 8
            file = open_file(index)
            if length < len(file):
                del file[length:]
            else:
                file.extend(bytes(length - len(file)))
        count = struct.unpack_from("<I", body, at)[0]
        at += 4
        for _ in range(count):
            index, offset, size = struct.unpack_from("<III", body, at)
            at += 12
            open_file(index)[offset:offset + size] = body[at:at + size]
            at += size
        for index, file in touched.items():
            files[index] = bytes(file)
        return files

    def judge(self, files):
        primary, logs = files[0], list(zip(("LOG1", "LOG2", "LOG"), files[1:4]))
        if self.rule != CLEAN:
            image = redo(primary, files[4])
            if image is None:
                image, report = regf.replay(primary, logs)
                if report.get("dummy_bins"):
                    return "bins were lost: %r" % report
            if self.rule == REPLAY:
                return self.known.index(bins(image))
            primary = bytes(image)
        base = regf.parse_base(primary)
        if not regf.base_valid(base, (0,)) or base.seq1 != base.seq2:
            return "it is not clean: %r" % (base,)
        wrong = [finding for finding in regf.judge(primary, self.allowed).findings
                 if finding.severity != "I"]
        if wrong:
            return "; ".join("%s 0x%x %s" % (one.rule, one.offset, one.message) for one in wrong)
        return self.known.index(content(primary))


def answer(disk, body):
    try:
        return disk.judge(disk.with_diff(body))
    except ValueError:
        return "it is in no known state"
    except (regf.RegfError, regf.ReplayError) as error:
        return "unreadable: %s" % error


def main():
    questions, disk = sys.stdin.buffer, None
    while True:
        head = questions.read(5)
        if len(head) < 5:
            return 0
        body = questions.read(struct.unpack_from("<I", head, 1)[0])
        verb = head[:1]
        if verb == b"N":
            disk = Disk(body)
        elif verb == b"C":
            disk.files = disk.with_diff(body)
        else:
            print(str(answer(disk, body)).replace("\n", " "), flush=True)


if __name__ == "__main__":
    sys.exit(main())
