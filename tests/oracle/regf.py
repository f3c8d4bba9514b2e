#!/usr/bin/env python3
"""Independent reader, structural judge and log replayer for Windows registry hives.

The Rust engine is never consulted: the two share nothing but the format itself, so a
misunderstanding in one of them shows up as a disagreement instead of passing twice.

    regf.py dump   HIVE                          canonical text dump
    regf.py judge  HIVE...                       structural verdict, exit 0 sound / 1 findings
    regf.py replay HIVE [LOG1 LOG2 LOG] -o OUT   what a Windows 8.1+ load makes of a dirty hive

Plain CPython >= 3.9, standard library only. Offsets in messages are relative to the hive
bins area (file offset - 0x1000), except those of base block findings, which lie in the file.
"""

import argparse
import hashlib
import json
import os
import struct
import sys
from collections import namedtuple

NIL = 0xFFFFFFFF
BASE = 0x1000
PAGE = 0x1000
DB_SEGMENT = 16344
MAX_CELL = 0x100000
NK_MAX_PAYLOAD = 0x45C
DEPTH_LIMIT = 510

KEY_VOLATILE = 0x0001
KEY_HIVE_EXIT = 0x0002
KEY_HIVE_ENTRY = 0x0004
KEY_COMP_NAME = 0x0020
KEY_PREDEF_HANDLE = 0x0040

U16 = struct.Struct("<H")
U32 = struct.Struct("<I")
I32 = struct.Struct("<i")
U64 = struct.Struct("<Q")
TWO32 = struct.Struct("<II")
NK = struct.Struct("<HHQBBHIIIIIIIIIHBBIIIIHH")
VK = struct.Struct("<HHIIIHH")
SK = struct.Struct("<HHIIII")
BIN = struct.Struct("<4sIIQQI")

SIG_NK, SIG_VK, SIG_SK = 0x6B6E, 0x6B76, 0x6B73
SIG_LF, SIG_LH, SIG_LI, SIG_RI, SIG_DB = 0x666C, 0x686C, 0x696C, 0x6972, 0x6264
LIST_NAMES = {SIG_LF: "lf", SIG_LH: "lh", SIG_LI: "li", SIG_RI: "ri"}
LEAF_STRIDE = {SIG_LF: 8, SIG_LH: 8, SIG_LI: 4}
LEAF_LIMIT = {SIG_LF: 507, SIG_LH: 1012, SIG_LI: 1012}


# --------------------------------------------------------------------------- case folding

# Letters with a simple uppercase in Unicode that Windows nevertheless leaves alone.
_UNFOLDED = """
00B5 0131 017F 01C5 01C8 01CB 01F2 023F-0240 0252 025C 0261 0265-0266 026A 026C 0282 0287
029D-029E 0345 03C2 03D0-03D1 03D5-03D6 03F0-03F1 03F3 03F5 0525 0527 0529 052B 052D 052F
10D0-10FA 10FD-10FF 13F8-13FD 1C80-1C88 1D8E 1E9B 1FBE 2CEC 2CEE 2CF3 2D27 2D2D A661 A699
A69B A791 A793-A794 A797 A799 A79B A79D A79F A7A1 A7A3 A7A5 A7A7 A7A9 A7B5 A7B7 A7B9 A7BB
A7BD A7BF A7C3 A7C8 A7CA A7F6 AB53 AB70-ABBF
"""
# The same, from Unicode releases younger than that list (14, 16 and 17): which of them the
# running interpreter knows depends on its version, the resulting table must not.
_UNFOLDED_YOUNG = "2C5F A7C1 A7D1 A7D7 A7D9 019B 0264 1C8A A7CB-A7DD A7F1"


def _code_points(text):
    for item in text.split():
        first, _, last = item.partition("-")
        yield from range(int(first, 16), int(last or first, 16) + 1)


def _build_upcase():
    """The 973 UTF-16 units that change under upcasing, derived from Python's own case data.

    `str.upper` applies the full mapping, which expands some letters; where it does, the
    simple mapping survives in `str.title` if there is one (U+1F80 and its kin).
    """
    skip = set(_code_points(_UNFOLDED + _UNFOLDED_YOUNG))
    table = {}
    for unit in range(0x10000):
        if unit in skip or 0xD800 <= unit < 0xE000:
            continue
        upper = chr(unit).upper()
        if len(upper) != 1:
            upper = chr(unit).title()
        if len(upper) == 1 and ord(upper) != unit and ord(upper) < 0x10000:
            table[unit] = ord(upper)
    if len(table) != 973:
        raise AssertionError("case table has %d entries instead of 973" % len(table))
    return table


UPCASE = _build_upcase()


def fold(name):
    """Upcased name as big-endian units, so that comparing bytes compares units."""
    return name.translate(UPCASE).encode("utf-16-be", "surrogatepass")


def lh_hash(name):
    folded = fold(name)
    h = 0
    for unit in struct.unpack(">%dH" % (len(folded) // 2), folded):
        h = (h * 37 + unit) & 0xFFFFFFFF
    return h


def units_of(name):
    raw = name.encode("utf-16-le", "surrogatepass")
    return struct.unpack("<%dH" % (len(raw) // 2), raw)


def lf_hints(name):
    """Acceptable hint fields: with a wide unit among the first four there are two."""
    head = units_of(name[:4])[:4]
    if all(unit < 0x100 for unit in head):
        return (bytes(head).ljust(4, b"\0"),)
    filled = bytearray(4)
    for at in range(len(head) - 1, -1, -1):
        if head[at] > 0xFF:
            break
        filled[at] = head[at]
    return (bytes(4), bytes(filled))


# ------------------------------------------------------------------------------ base block

def base_checksum(sector):
    value = 0
    for dword in struct.unpack_from("<127I", sector, 0):
        value ^= dword
    if value == 0xFFFFFFFF:
        return 0xFFFFFFFE
    return value or 1


BaseBlock = namedtuple(
    "BaseBlock",
    "signature seq1 seq2 timestamp major minor type format root length cluster "
    "flags checksum computed",
)


def parse_base(data):
    """Header fields of a primary or log file, or None when there is no whole sector."""
    if len(data) < 0x200:
        return None
    signature, seq1, seq2, stamp, major, minor, kind, form, root, length, cluster = (
        struct.unpack_from("<4sIIQIIIIIII", data, 0)
    )
    flags = U32.unpack_from(data, 0x90)[0]
    checksum = U32.unpack_from(data, 0x1FC)[0]
    return BaseBlock(signature, seq1, seq2, stamp, major, minor, kind, form, root, length,
                     cluster, flags, checksum, base_checksum(data))


# ----------------------------------------------------------------------------------- reader

class RegfError(Exception):
    """A record that cannot be read; `rule` names what it breaks."""

    def __init__(self, rule, offset, message):
        Exception.__init__(self, "%s 0x%08x %s" % (rule, offset, message))
        self.rule, self.offset, self.message = rule, offset, message


Key = namedtuple(
    "Key",
    "offset payload flags timestamp access layer parent subkeys vol_subkeys list vol_list "
    "values value_list security klass max_name user debug max_class max_value_name "
    "max_value_data name class_length",
)
Value = namedtuple("Value", "offset payload name length data type flags name_length")


class Hive:
    """Lenient reader: takes the header at its word and checks only what it needs to stand on."""

    def __init__(self, data):
        self.data = data
        self.size = len(data)
        base = parse_base(data)
        if base is None or base.signature != b"regf":
            raise RegfError("H2", 0, "no regf signature")
        self.base = base
        self.minor = base.minor
        self.end = min(self.size - BASE, self._bins_end())

    def _bins_end(self):
        """Where the unbroken run of bins from offset 0 stops.

        The header's Length is not used: it may be damaged, or older than bins that a log
        replay has yet to account for.
        """
        at = 0
        data = self.data
        while BASE + at + 0x20 <= self.size:
            signature, offset, size = struct.unpack_from("<4sII", data, BASE + at)
            if signature != b"hbin" or offset != at or size < PAGE or size % PAGE:
                break
            at += size
        return at

    def cell(self, offset, rule="C2"):
        """(file offset of the payload, payload length) of an allocated cell."""
        if offset >= self.end - 4 or offset % 4:
            raise RegfError(rule, offset, "offset lies outside the bins")
        size = I32.unpack_from(self.data, BASE + offset)[0]
        if size >= 0:
            raise RegfError(rule, offset, "cell is not allocated")
        size = -size
        if size < 8 or offset + size > self.end:
            raise RegfError(rule, offset, "cell of 0x%x bytes does not fit" % size)
        return BASE + offset + 4, size - 4

    def name_at(self, at, length, compressed):
        raw = bytes(self.data[at:at + length])
        if compressed:
            return raw.decode("latin-1")
        return raw[:length & ~1].decode("utf-16-le", "surrogatepass")

    def key(self, offset):
        at, payload = self.cell(offset, "K1")
        if payload < 0x4C:
            raise RegfError("K4", offset, "key node is shorter than its fixed part")
        f = NK.unpack_from(self.data, at)
        if f[0] != SIG_NK:
            raise RegfError("K6", offset, "no nk signature")
        length = f[22]
        if 0x4C + length > payload:
            raise RegfError("K4", offset, "name length %d exceeds the cell" % length)
        return Key(offset, payload, f[1], f[2], f[3], f[4], f[6], f[7], f[8], f[9], f[10],
                   f[11], f[12], f[13], f[14], f[15], f[16], f[17], f[18], f[19], f[20],
                   self.name_at(at + 0x4C, length, f[1] & KEY_COMP_NAME), f[23])

    def root(self):
        return self.key(self.base.root)

    def class_name(self, key):
        if not key.class_length or key.klass in (NIL, 0):
            return ""
        at, payload = self.cell(key.klass, "K8")
        if key.class_length > payload:
            raise RegfError("K8", key.klass, "class name exceeds its cell")
        return self.name_at(at, key.class_length, False)

    def descriptor(self, key):
        if key.security == NIL:
            return None
        at, payload = self.cell(key.security, "S1")
        if payload < 0x14 or U16.unpack_from(self.data, at)[0] != SIG_SK:
            raise RegfError("S1", key.security, "not a security cell")
        length = U32.unpack_from(self.data, at + 0x10)[0]
        if length > payload - 0x14:
            raise RegfError("S4", key.security, "descriptor exceeds its cell")
        return bytes(self.data[at + 0x14:at + 0x14 + length])

    def list_elements(self, offset, nested=True):
        """Key offsets behind a subkey list, in on-disk order."""
        at, payload = self.cell(offset, "L1")
        signature, count = struct.unpack_from("<HH", self.data, at)
        stride = LEAF_STRIDE.get(signature)
        if stride:
            if 4 + stride * count > payload:
                raise RegfError("L7", offset, "%d elements exceed the cell" % count)
            return struct.unpack_from("<%dI" % (count * stride // 4), self.data,
                                      at + 4)[::stride // 4]
        if signature == SIG_RI and nested:
            if 4 + 4 * count > payload:
                raise RegfError("L7", offset, "%d elements exceed the cell" % count)
            out = []
            for leaf in struct.unpack_from("<%dI" % count, self.data, at + 4):
                out.extend(self.list_elements(leaf, False))
            return out
        raise RegfError("L2", offset, "not a subkey list (signature 0x%04x)" % signature)

    def subkeys(self, key):
        return self.list_elements(key.list) if key.subkeys else ()

    def values(self, key):
        if not key.values or key.flags & KEY_PREDEF_HANDLE:
            return ()
        at, payload = self.cell(key.value_list, "V1")
        if 4 * key.values > payload:
            raise RegfError("V2", key.value_list, "%d values exceed the list" % key.values)
        return struct.unpack_from("<%dI" % key.values, self.data, at)

    def value(self, offset):
        at, payload = self.cell(offset, "V4")
        if payload < 0x14:
            raise RegfError("V5", offset, "value is shorter than its fixed part")
        sig, name_length, length, data, kind, flags, _ = VK.unpack_from(self.data, at)
        if sig != SIG_VK:
            raise RegfError("V9", offset, "no vk signature")
        if 0x14 + name_length > payload:
            raise RegfError("V5", offset, "name length %d exceeds the cell" % name_length)
        name = self.name_at(at + 0x14, name_length, flags & 1)
        return Value(offset, payload, name, length, data, kind, flags, name_length)

    def value_data(self, value):
        length = value.length
        if length & 0x80000000:
            length &= 0x7FFFFFFF
            if length > 4:
                raise RegfError("V10", value.offset, "inline data of %d bytes" % length)
            return U32.pack(value.data)[:length]
        if not length:
            return b""
        at, payload = self.cell(value.data, "V7")
        if length > DB_SEGMENT and self.minor >= 4 and self.data[at:at + 2] == b"db":
            return b"".join(self.segments(value))
        if length > payload:
            raise RegfError("V11", value.data, "data of %d bytes exceeds its cell" % length)
        return self.data[at:at + length]

    def segments(self, value):
        at, payload = self.cell(value.data, "V8")
        if payload < 8:
            raise RegfError("V8", value.data, "db record does not fit its cell")
        count, table = struct.unpack_from("<HI", self.data, at + 2)
        if count * DB_SEGMENT < value.length:
            raise RegfError("V8", value.data, "%d segments are too few" % count)
        at, payload = self.cell(table, "V8")
        if 4 * count > payload:
            raise RegfError("V8", table, "%d segments exceed the list" % count)
        left = value.length
        for segment in struct.unpack_from("<%dI" % count, self.data, at):
            at, payload = self.cell(segment, "V8")
            take = min(left, DB_SEGMENT)
            if take > payload:
                raise RegfError("V8", segment, "segment is too small")
            yield self.data[at:at + take]
            left -= take

    def walk(self, errors=None):
        """Yields (path tuple, Key) depth first, subkeys in list order.

        A key that cannot be read is left out together with what lies below it; the error
        goes to `errors`, or is raised when there is no such list.
        """
        seen = set()
        stack = [((), self.base.root)]
        while stack:
            path, offset = stack.pop()
            try:
                key = self.key(offset)
                if offset in seen:
                    raise RegfError("L13", offset, "key is reached twice")
                seen.add(offset)
                children = self.subkeys(key)
            except RegfError as error:
                if errors is None:
                    raise
                errors.append(error)
                if error.rule[0] == "K" or error.rule == "L13":
                    continue
                children = ()
            if offset != self.base.root:
                path = path + (key.name,)
            yield path, key
            for child in reversed(children):
                stack.append((path, child))

    def stream(self, errors=None):
        """Yields (path tuple, Key, [(name, type, data), ...])."""
        for path, key in self.walk(errors):
            out = []
            try:
                offsets = self.values(key)
            except RegfError as error:
                if errors is None:
                    raise
                errors.append(error)
                offsets = ()
            for offset in offsets:
                try:
                    value = self.value(offset)
                    out.append((value.name, value.type, bytes(self.value_data(value))))
                except RegfError as error:
                    if errors is None:
                        raise
                    errors.append(error)
            yield path, key, out


def utf8(text):
    """UTF-8 with lone surrogates passed through."""
    return text.encode("utf-8", "surrogatepass")


def dump_lines(hive, errors):
    descriptors = {}
    for path, key, values in hive.stream(errors):
        tag = descriptors.get(key.security)
        if tag is None:
            try:
                blob = hive.descriptor(key)
                tag = "-" if blob is None else hashlib.sha256(blob).hexdigest()[:16]
            except RegfError as error:
                errors.append(error)
                tag = "?"
            descriptors[key.security] = tag
        try:
            klass = hive.class_name(key)
        except RegfError as error:
            errors.append(error)
            klass = ""
        yield utf8("K\t%s\t%d\t%s\t%s\n" % ("\\".join(path), key.timestamp, klass, tag))
        for name, kind, data in values:
            yield utf8("V\t%s\t%d\t%d\t%s\n"
                       % (name, kind, len(data), hashlib.sha256(data).hexdigest()))


def dump_digest(data):
    """(keys, values, sha256 of the canonical dump, errors) of a hive image."""
    hive = Hive(data)
    errors, digest, keys, values = [], hashlib.sha256(), 0, 0
    for line in dump_lines(hive, errors):
        digest.update(line)
        keys += line[:1] == b"K"
        values += line[:1] == b"V"
    return keys, values, digest.hexdigest(), errors


# ------------------------------------------------------------------------------------ judge

# What Windows makes of it: F refuses the hive, H repairs it at the cost of data, W loads it
# although something is wrong, I is odd but normal (listed on request, never fails a hive).
SEVERITY = {
    "H1": "F", "H2": "F", "H3": "F", "H4": "F", "H5": "F", "H6": "F", "H7": "F", "H8": "H",
    "H9": "H", "H10": "F", "H11": "F", "H12": "I", "H13": "W", "H14": "I",
    "B1": "H", "B2": "H", "B3": "H", "B4": "F",
    "C1": "F", "C2": "F", "C3": "W", "C4": "F", "C5": "W", "C6": "W", "C7": "F", "C8": "W",
    "S1": "H", "S2": "H", "S3": "H", "S4": "H", "S5": "H", "S6": "W", "S7": "W",
    "K1": "H", "K2": "H", "K3": "H", "K4": "H", "K5": "H", "K6": "H", "K8": "H", "K10": "W",
    "K11": "I", "K12": "H", "K13": "F", "K14": "F", "K16": "W", "K17": "W", "K18": "W",
    "K19": "W", "K20": "W",
    "V1": "H", "V2": "H", "V3": "H", "V4": "H", "V5": "H", "V6": "H", "V7": "H", "V8": "H",
    "V9": "H", "V10": "H", "V11": "H", "V12": "W", "V13": "W", "V14": "W", "V15": "I",
    "L1": "H", "L2": "H", "L3": "H", "L4": "H", "L5": "H", "L6": "H", "L7": "F", "L8": "F",
    "L9": "H", "L10": "H", "L11": "W", "L12": "W", "L13": "F",
}

Finding = namedtuple("Finding", "rule severity offset message")


def shown(name):
    """A name made safe for a terminal and for one line of output."""
    return "".join(c if 0x20 <= ord(c) < 0x7F else "\\u{%x}" % ord(c) for c in name)


def check_sid(blob, at, end):
    if at + 8 > end:
        return "SID outside the descriptor"
    if blob[at] != 1:
        return "SID revision %d" % blob[at]
    if blob[at + 1] > 15 or at + 8 + 4 * blob[at + 1] > end:
        return "SID with %d sub-authorities does not fit" % blob[at + 1]
    return None


# ACE types whose SID follows the access mask, and those with object GUIDs in between.
_PLAIN_ACES = {0, 1, 2, 3, 9, 10, 13, 14, 17, 18, 19, 20, 21}
_OBJECT_ACES = {5, 6, 7, 8, 11, 12, 15, 16}


def check_acl(blob, at):
    if at + 8 > len(blob):
        return "ACL header outside the descriptor"
    revision, _, size, count, _ = struct.unpack_from("<BBHHH", blob, at)
    if revision not in (2, 3, 4):
        return "ACL revision %d" % revision
    if size < 8 or at + size > len(blob):
        return "ACL of %d bytes does not fit" % size
    end, at = at + size, at + 8
    for _ in range(count):
        if at + 4 > end:
            return "ACE header outside the ACL"
        kind, _, ace_size = struct.unpack_from("<BBH", blob, at)
        if ace_size < 8 or ace_size % 4 or at + ace_size > end:
            return "ACE of %d bytes does not fit" % ace_size
        sid_at = None
        if kind in _PLAIN_ACES:
            sid_at = at + 8
        elif kind in _OBJECT_ACES and ace_size >= 12:
            present = U32.unpack_from(blob, at + 8)[0]
            sid_at = at + 12 + 16 * (present & 1) + 16 * (present >> 1 & 1)
        if sid_at is not None:
            problem = check_sid(blob, sid_at, at + ace_size)
            if problem:
                return problem
        at += ace_size
    return None


def check_descriptor(blob):
    """What is wrong with a self-relative security descriptor, or None."""
    if len(blob) < 0x14:
        return "descriptor of %d bytes" % len(blob)
    revision, _, control, owner, group, sacl, dacl = struct.unpack_from("<BBHIIII", blob, 0)
    if revision != 1:
        return "descriptor revision %d" % revision
    if not control & 0x8000:
        return "descriptor is not self-relative"
    for what, at in (("owner", owner), ("group", group)):
        if at:
            if at < 0x14:
                return "%s offset 0x%x" % (what, at)
            problem = check_sid(blob, at, len(blob))
            if problem:
                return "%s: %s" % (what, problem)
    for what, at, present in (("SACL", sacl, 0x10), ("DACL", dacl, 0x04)):
        if at and control & present:
            if at < 0x14:
                return "%s offset 0x%x" % (what, at)
            problem = check_acl(blob, at)
            if problem:
                return "%s: %s" % (what, problem)
    return None


class Judge:
    """One pass over everything a hive promises; collects findings, never raises on bytes."""

    def __init__(self, data, allow=()):
        self.data = data
        self.allow = set(allow)
        self.findings = []
        self.alloc = {}     # rel offset -> payload bytes, allocated cells
        self.free = {}      # rel offset -> cell bytes, free cells
        self.claims = {}    # rel offset -> what refers to it
        self.sk_uses = {}   # sk offset -> number of keys
        self.hashes = {}
        self.stats = dict.fromkeys(
            ("bins", "cells", "free_cells", "free_bytes", "keys", "values", "big_values",
             "descriptors", "leaked_cells", "leaked_bytes", "depth"), 0)

    def add(self, rule, offset, message, severity=None):
        if rule in self.allow:
            severity = "I"
        self.findings.append(Finding(rule, severity or SEVERITY[rule], offset, message))

    def failed(self):
        return any(finding.severity != "I" for finding in self.findings)

    def run(self):
        if self.base_block() and self.bins():
            self.tree()
            self.security_ring()
            self.leaks()
        return self

    # -- base block, bins, cells

    def base_block(self):
        data = self.data
        if len(data) < 2 * PAGE:
            self.add("H1", 0, "file has %d bytes" % len(data))
        base = parse_base(data)
        if base is None or len(data) < BASE + 0x20:
            return False
        self.base = base
        self.minor = base.minor
        self.length = base.length
        if base.signature != b"regf":
            self.add("H2", 0, "signature is %r" % base.signature)
        if base.major != 1:
            self.add("H3", 0x14, "major version %d" % base.major)
        if not 3 <= base.minor <= 6:
            self.add("H4", 0x18, "minor version %d" % base.minor)
        if base.type != 0:
            self.add("H5", 0x1C, "file type %d" % base.type)
        if base.format != 1:
            self.add("H6", 0x20, "format %d" % base.format)
        if base.cluster != 1:
            self.add("H7", 0x2C, "clustering factor %d" % base.cluster)
        if base.checksum != base.computed:
            self.add("H8", 0x1FC, "checksum 0x%08x, computed 0x%08x"
                     % (base.checksum, base.computed))
        if base.seq1 != base.seq2:
            self.add("H9", 4, "sequence numbers %d and %d differ" % (base.seq1, base.seq2))
        if data[0xA4:0xA8] != b"rmtm":
            if any(data[0x70:0xB0]):
                self.add("H12", 0x70, "resource manager area in use without its signature")
            flags = 0
        else:
            flags = base.flags
        self.layered = base.minor == 6 or bool(flags & 2)
        if base.minor == 6:
            self.add("H13", 0x18, "differencing hive (minor version 6)")
        if flags & 2:
            self.add("H13", 0x90, "base block flags 0x%x: layered keys" % flags,
                     "I" if base.minor < 6 else None)
        if U64.unpack_from(data, BASE + 0x14)[0] != base.timestamp:
            self.add("H14", 0x0C, "time stamp differs from its copy in the first bin")
        if base.length == 0 or base.length % PAGE or BASE + base.length > len(data):
            self.add("H10", 0x28, "hive bins length 0x%x in a file of 0x%x bytes"
                     % (base.length, len(data)))
            self.length = (len(data) - BASE) & ~(PAGE - 1)
            return base.signature == b"regf" and self.length > 0
        return base.signature == b"regf"

    def bins(self):
        data, at, length = self.data, 0, self.length
        while at < length:
            signature, offset, size, _, _, _ = BIN.unpack_from(data, BASE + at)
            if signature != b"hbin":
                self.add("B1", at, "bin signature is %r" % signature)
                at += PAGE
                continue
            if offset != at:
                self.add("B2", at, "bin claims offset 0x%x" % offset)
            if size < PAGE or size % PAGE:
                self.add("B3", at, "bin size 0x%x" % size)
                at += PAGE
                continue
            if at + size > length:
                self.add("B4", at, "bin of 0x%x bytes runs past the length 0x%x"
                         % (size, length))
                size = length - at
            self.stats["bins"] += 1
            self.cells(at, at + size)
            at += size
        return True

    def cells(self, bin_at, end):
        data, alloc, free = self.data, self.alloc, self.free
        at = bin_at + 0x20
        was_free = False
        read = I32.unpack_from
        while at < end:
            size = read(data, BASE + at)[0]
            if size == 0:
                self.add("C1", at, "cell size is zero")
                return
            used = size < 0
            if used:
                size = -size
            if at + size > end:
                self.add("C2", at, "cell of 0x%x bytes crosses the end of its bin" % size)
                return
            if size % 8 or size < 8:
                self.add("C3", at, "cell size 0x%x" % size)
                if size < 8:
                    return
            if size > MAX_CELL:
                self.add("C8", at, "cell of 0x%x bytes" % size, None if used else "I")
            if used:
                alloc[at] = size - 4
                was_free = False
            else:
                if was_free:
                    self.add("C5", at, "free cell follows a free cell")
                free[at] = size
                was_free = True
            at += size
            if end - at in (1, 2, 3):
                self.add("C4", at, "%d bytes left over at the end of the bin" % (end - at))
                return

    # -- references

    def claim(self, offset, owner, rule):
        """Payload size of the allocated cell at `offset`; None (and a finding) if unusable."""
        payload = self.alloc.get(offset)
        if payload is None:
            if offset == NIL:
                state = "is missing"
            elif offset in self.free:
                state = "at 0x%x is free" % offset
            else:
                state = "at 0x%x is not a cell" % offset
            self.add(rule, offset, "%s %s" % (owner, state))
            return None
        first = self.claims.get(offset)
        if first is not None:
            self.add("C7", offset, "cell is used twice: %s, and %s" % (first, owner))
            return None
        self.claims[offset] = owner
        return payload

    # -- keys

    def tree(self):
        base = self.base
        if self.alloc.get(base.root, 0) < 0x4C or (
            U16.unpack_from(self.data, BASE + base.root + 4)[0] != SIG_NK
        ):
            self.add("H11", 0x24, "root cell 0x%x is not a key node" % base.root)
            return
        self.claims[base.root] = "root key"
        stack = [(base.root, None, "", 0)]
        deepest = 0
        while stack:
            offset, parent, path, depth = stack.pop()
            if depth > deepest:
                deepest = depth
                if depth == DEPTH_LIMIT + 1:
                    self.add("K14", offset, "key lies %d levels deep" % depth)
            children = self.key(offset, parent, path, depth == 0)
            for child, name in reversed(children):
                stack.append((child, offset, path + "\\" + name, depth + 1))
        self.stats["depth"] = deepest

    def read_name(self, offset, path):
        """Name of the key node at an allocated cell, or None if it cannot be had."""
        payload = self.alloc[offset]
        at = BASE + offset + 4
        if payload < 0x4C:
            self.add("K4", offset, "key node of 0x%x bytes below %s" % (payload, shown(path)))
            return None
        if U16.unpack_from(self.data, at)[0] != SIG_NK:
            self.add("K6", offset, "no nk signature below %s" % shown(path))
            return None
        flags = U16.unpack_from(self.data, at + 2)[0]
        length = U16.unpack_from(self.data, at + 0x48)[0]
        if 0x4C + length > payload:
            self.add("K4", offset, "name length %d exceeds the cell, below %s"
                     % (length, shown(path)))
            return None
        if length == 0:
            self.add("K3", offset, "empty name below %s" % shown(path))
            return None
        raw = bytes(self.data[at + 0x4C:at + 0x4C + length])
        if flags & KEY_COMP_NAME:
            name = raw.decode("latin-1")
        else:
            if length % 2:
                self.add("K4", offset, "odd name length %d below %s" % (length, shown(path)))
                return None
            name = raw.decode("utf-16-le", "surrogatepass")
            if max(name) <= "\xff":
                self.add("K20", offset, "name could be compressed: %s" % shown(name))
            length //= 2
        if length > 255:
            self.add("K4", offset, "name of %d characters" % length)
        if "\\" in name:
            self.add("K17", offset, "backslash in name %s" % shown(name))
        return name

    def key(self, offset, parent, path, is_root):
        """Judges one key and its values; returns its children as (offset, name)."""
        payload = self.alloc[offset]
        f = NK.unpack_from(self.data, BASE + offset + 4)
        (_, flags, _, _, layer, _, up, subkeys, volatile, list_at, _, value_count,
         value_list, security, klass, max_name, _, _, max_class, max_value_name,
         max_value_data, _, name_length, class_length) = f
        self.stats["keys"] += 1
        where = shown(path) or "(root)"
        if payload > NK_MAX_PAYLOAD:
            self.add("K2", offset, "key node of 0x%x bytes at %s" % (payload, where))
        if is_root:
            if not name_length or 0x4C + name_length > payload:
                self.add("K13", offset, "name length %d of the root" % name_length)
            if not flags & KEY_HIVE_ENTRY:
                # The offreg library writes such roots and Windows loads them.
                self.add("K19", offset, "root lacks the hive entry flag", "I")
        else:
            if up != parent:
                self.add("K5", offset, "parent is 0x%x, not 0x%x, at %s" % (up, parent, where))
            if flags & KEY_HIVE_ENTRY:
                self.add("K19", offset, "hive entry flag at %s" % where)
        if flags & (KEY_VOLATILE | KEY_HIVE_EXIT):
            self.add("K16", offset, "flags 0x%04x at %s" % (flags, where))
        if layer & 3:
            # Systems older than layered keys leave stale bytes here.
            self.add("H13", offset, "layer semantics %d at %s" % (layer & 3, where),
                     None if self.layered else "I")
        if volatile:
            self.add("K11", offset, "%d volatile subkeys at %s" % (volatile, where))
        self.key_class(offset, klass, class_length, where)
        self.key_security(offset, security, where)
        if flags & KEY_PREDEF_HANDLE:
            self.add("V15", offset, "predefined handle at %s" % where)
        else:
            longest_name, longest_data = self.values(
                offset, value_count, value_list, where)
            if longest_name > max_value_name:
                self.add("K18", offset, "longest value name %d, real %d, at %s"
                         % (max_value_name, longest_name, where))
            if longest_data > max_value_data:
                self.add("K18", offset, "longest value data %d, real %d, at %s"
                         % (max_value_data, longest_data, where))
        children = self.subkeys(offset, subkeys, list_at, path, where)
        true_name = true_class = 0
        for child, name in children:
            length = 2 * len(name)
            if max(name) > "\uffff":
                length = len(name.encode("utf-16-le", "surrogatepass"))
            if length > true_name:
                true_name = length
            length = U16.unpack_from(self.data, BASE + child + 4 + 0x4A)[0]
            if length > true_class:
                true_class = length
        if true_name > max_name:
            self.add("K18", offset, "longest subkey name %d, real %d, at %s"
                     % (max_name, true_name, where))
        if true_class > max_class:
            self.add("K18", offset, "longest subkey class %d, real %d, at %s"
                     % (max_class, true_class, where))
        return children

    def key_class(self, offset, klass, length, where):
        if length:
            payload = self.claim(klass, "class of %s" % where, "K8")
            if payload is not None and length > payload:
                self.add("K8", klass, "class of %d bytes exceeds its cell at %s"
                         % (length, where))
        elif klass not in (NIL, 0):
            # No length, so nobody reads or frees it.
            self.add("K8", offset, "class cell 0x%x without a length at %s" % (klass, where),
                     "W" if klass in self.alloc else "I")

    def key_security(self, offset, security, where):
        payload = self.alloc.get(security)
        if payload is None:
            self.add("S1", offset, "security cell 0x%x of %s is not allocated"
                     % (security, where))
        elif payload < 0x14 or U16.unpack_from(self.data, BASE + security + 4)[0] != SIG_SK:
            self.add("S1", offset, "security cell 0x%x of %s is no sk" % (security, where))
        else:
            self.sk_uses[security] = self.sk_uses.get(security, 0) + 1

    # -- subkey lists

    def subkeys(self, offset, count, list_at, path, where):
        if count == 0:
            if list_at != NIL:
                self.add("K10", offset, "no subkeys but list 0x%x at %s" % (list_at, where))
            return []
        payload = self.claim(list_at, "subkey list of %s" % where, "L1")
        if payload is None:
            if self.claims.get(list_at, "").startswith(("subkey list", "leaf")):
                self.add("L13", list_at, "subkey list is shared, again at %s" % where)
            return []
        at = BASE + list_at + 4
        signature, number = struct.unpack_from("<HH", self.data, at)
        if signature == SIG_RI:
            if 4 + 4 * number > payload:
                self.add("L7", list_at, "%d leaves exceed the ri of %s" % (number, where))
                return []
            if number == 0:
                self.add("L8", list_at, "empty ri at %s" % where)
            leaves = []
            for leaf in struct.unpack_from("<%dI" % number, self.data, at + 4):
                size = self.claim(leaf, "leaf of %s" % where, "L4")
                if size is not None:
                    leaves.append((leaf, size))
            rule = "L6"
        else:
            leaves, rule = [(list_at, payload)], "L3"
        found, total, kinds, previous = [], 0, set(), None
        for leaf, size in leaves:
            at = BASE + leaf + 4
            signature, number = struct.unpack_from("<HH", self.data, at)
            stride = LEAF_STRIDE.get(signature)
            if stride is None:
                self.add("L5" if rule == "L6" else "L2", leaf,
                         "list signature 0x%04x at %s" % (signature, where))
                continue
            kinds.add(signature)
            if 4 + stride * number > size:
                self.add("L7", leaf, "%d elements exceed the leaf of %s" % (number, where))
                continue
            if number == 0:
                self.add("L8", leaf, "empty leaf at %s" % where)
            if number > LEAF_LIMIT[signature]:
                self.add("L12", leaf, "%s leaf of %d elements at %s"
                         % (LIST_NAMES[signature], number, where))
            total += number
            words = struct.unpack_from("<%dI" % (number * stride // 4), self.data, at + 4)
            step = stride // 4
            for index in range(number):
                child = words[index * step]
                if self.claim(child, "subkey of %s" % where, "K1") is None:
                    if self.claims.get(child, "").startswith(("subkey of", "root key")):
                        self.add("L13", child, "key is listed twice, again at %s" % where)
                    continue
                name = self.read_name(child, path)
                if name is None:
                    continue
                if signature == SIG_LH:
                    want = self.hashes.get(name)
                    if want is None:
                        want = self.hashes[name] = lh_hash(name)
                    if words[index * 2 + 1] != want:
                        self.add("L9", leaf, "hash 0x%08x of %s\\%s should be 0x%08x"
                                 % (words[index * 2 + 1], where, shown(name), want))
                elif signature == SIG_LF:
                    hint = U32.pack(words[index * 2 + 1])
                    if hint not in lf_hints(name):
                        self.add("L9", leaf, "hint %s of %s\\%s"
                                 % (hint.hex(), where, shown(name)))
                folded = fold(name)
                if previous is not None and folded <= previous:
                    self.add("L10", child, "%s\\%s %s its predecessor"
                             % (where, shown(name),
                                "repeats" if folded == previous else "sorts before"))
                previous = folded
                found.append((child, name))
        if total != count:
            self.add(rule, offset, "%d subkeys counted, %d listed, at %s"
                     % (count, total, where))
        if len(kinds) > 1:
            self.add("L11", list_at, "leaf types are mixed at %s" % where)
        if (SIG_LH in kinds) != (self.minor >= 5) and kinds:
            self.add("L11", list_at, "%s leaf in a minor version %d hive at %s"
                     % ("/".join(sorted(LIST_NAMES[k] for k in kinds)), self.minor, where))
        return found

    # -- values

    def values(self, offset, count, list_at, where):
        if count == 0:
            if list_at != NIL:
                self.add("V14", offset, "no values but list 0x%x at %s" % (list_at, where))
            return 0, 0
        payload = self.claim(list_at, "value list of %s" % where, "V1")
        if payload is None:
            return 0, 0
        if 4 * count > payload:
            self.add("V2", list_at, "%d values exceed the list of %s" % (count, where))
            return 0, 0
        data = self.data
        longest_name = longest_data = 0
        names = set()
        for value in struct.unpack_from("<%dI" % count, data, BASE + list_at + 4):
            if value == NIL:
                self.add("V3", list_at, "missing value at %s" % where)
                continue
            payload = self.claim(value, "value of %s" % where, "V4")
            if payload is None:
                continue
            at = BASE + value + 4
            if payload < 0x14:
                self.add("V5", value, "value of 0x%x bytes at %s" % (payload, where))
                continue
            signature, length, size, where_data, _, flags, _ = VK.unpack_from(data, at)
            if signature != SIG_VK:
                self.add("V9", value, "no vk signature at %s" % where)
                continue
            if 0x14 + length > payload:
                self.add("V5", value, "name length %d exceeds the cell at %s"
                         % (length, where))
                continue
            self.stats["values"] += 1
            raw = bytes(data[at + 0x14:at + 0x14 + length])
            if flags & 1:
                name, width = raw.decode("latin-1"), 2 * length
                if not length:
                    self.add("V13", value, "unnamed value marked compressed at %s" % where)
            else:
                if length % 2:
                    self.add("V5", value, "odd name length %d at %s" % (length, where))
                    continue
                name, width = raw.decode("utf-16-le", "surrogatepass"), length
                if name and max(name) <= "\xff":
                    self.add("V13", value, "name could be compressed: %s" % shown(name))
            if width > longest_name:
                longest_name = width
            if width > 2 * 16383:
                self.add("V5", value, "name of %d characters at %s" % (width // 2, where))
            folded = fold(name)
            if folded in names:
                self.add("V12", value, "second value %s at %s" % (shown(name), where))
            names.add(folded)
            if flags & 2 and self.minor < 6:
                self.add("H13", value, "value tombstone at %s" % where)
            size = self.value_data(value, size, where_data, "%s\\%s" % (where, shown(name)))
            if size > longest_data:
                longest_data = size
        return longest_name, longest_data

    def value_data(self, value, length, at, where):
        """Judges how the data are stored; returns their length."""
        if length & 0x80000000:
            length &= 0x7FFFFFFF
            if length > 4:
                self.add("V10", value, "%d bytes inline at %s" % (length, where))
                return 0
            return length
        if length == 0:
            if at != NIL:
                self.add("V6", value, "no data but cell 0x%x at %s" % (at, where))
            return 0
        if length <= 4:
            self.add("V13", value, "%d bytes stored outside the value at %s"
                     % (length, where))
        if length > DB_SEGMENT and self.minor >= 4:
            self.big_data(value, length, at, where)
            return length
        payload = self.claim(at, "data of %s" % where, "V7")
        if payload is not None and length > payload:
            self.add("V11", at, "%d bytes of data exceed the cell at %s" % (length, where))
        return length

    def big_data(self, value, length, at, where):
        self.stats["big_values"] += 1
        payload = self.claim(at, "big data of %s" % where, "V8")
        if payload is None:
            return
        if payload < 8 or self.data[BASE + at + 4:BASE + at + 6] != b"db":
            self.add("V8", at, "%d bytes without a db record at %s" % (length, where))
            return
        count, table = struct.unpack_from("<HI", self.data, BASE + at + 6)
        if count != -(-length // DB_SEGMENT):
            self.add("V8", at, "%d segments for %d bytes at %s" % (count, length, where))
        payload = self.claim(table, "segment list of %s" % where, "V8")
        if payload is None:
            return
        if 4 * count > payload:
            self.add("V8", table, "%d segments exceed the list at %s" % (count, where))
            return
        left = length
        for segment in struct.unpack_from("<%dI" % count, self.data, BASE + table + 4):
            payload = self.claim(segment, "segment of %s" % where, "V8")
            if payload is not None and payload < min(left, DB_SEGMENT):
                self.add("V8", segment, "segment of 0x%x bytes at %s" % (payload, where))
            left = max(0, left - DB_SEGMENT)

    # -- security

    def security_ring(self):
        data = self.data
        if self.alloc.get(self.base.root, 0) < 0x4C:
            return
        start = U32.unpack_from(data, BASE + self.base.root + 4 + 0x2C)[0]
        ring, blobs = [], {}
        at, previous = start, None
        while True:
            payload = self.alloc.get(at, 0)
            if payload < 0x14 or U16.unpack_from(data, BASE + at + 4)[0] != SIG_SK:
                self.add("S2", at if previous is None else previous,
                         "ring leads to 0x%x, which is no security cell" % at)
                break
            if at in self.claims:
                if at != start or self.claims[at] != "security ring":
                    self.add("S2", at, "ring runs into %s" % self.claims[at])
                break
            self.claims[at] = "security ring"
            ring.append(at)
            previous, at = at, SK.unpack_from(data, BASE + at + 4)[2]
        members = set(ring)
        self.stats["descriptors"] = len(ring)
        for offset in ring:
            _, _, flink, blink, count, length = SK.unpack_from(data, BASE + offset + 4)
            if flink in members:
                back = SK.unpack_from(data, BASE + flink + 4)[3]
                if back != offset:
                    self.add("S2", flink, "backward link is 0x%x, not 0x%x" % (back, offset))
            if blink not in members:
                self.add("S2", offset, "backward link leaves the ring (0x%x)" % blink)
            self.one_descriptor(offset, count, length, blobs)
        for offset in sorted(set(self.sk_uses) - members):
            self.add("S3", offset, "security cell of %d keys is not in the ring"
                     % self.sk_uses[offset])
            self.claims.setdefault(offset, "security of a key")
            count, length = TWO32.unpack_from(data, BASE + offset + 4 + 0x0C)
            self.one_descriptor(offset, count, length, blobs)

    def one_descriptor(self, offset, count, length, blobs):
        uses = self.sk_uses.get(offset, 0)
        if count < uses:
            self.add("S5", offset, "reference count %d, used by %d keys" % (count, uses))
        elif count > uses or not uses:
            self.add("S6", offset, "reference count %d, used by %d keys" % (count, uses))
        if length == 0 or length > self.alloc[offset] - 0x14:
            self.add("S4", offset, "descriptor length %d" % length)
            return
        blob = bytes(self.data[BASE + offset + 0x18:BASE + offset + 0x18 + length])
        problem = check_descriptor(blob)
        if problem:
            self.add("S4", offset, problem)
        twin = blobs.setdefault(blob, offset)
        if twin != offset:
            self.add("S7", offset, "same descriptor as 0x%x" % twin)

    # -- what is left over

    def leaks(self):
        stats = self.stats
        stats["cells"] = len(self.alloc) + len(self.free)
        stats["free_cells"] = len(self.free)
        stats["free_bytes"] = sum(self.free.values())
        for offset in sorted(self.alloc.keys() - self.claims.keys()):
            payload = self.alloc[offset]
            stats["leaked_cells"] += 1
            stats["leaked_bytes"] += payload + 4
            head = bytes(self.data[BASE + offset + 4:BASE + offset + 6])
            self.add("C6", offset, "allocated cell of 0x%x bytes (%r) is not referenced"
                     % (payload + 4, head))


def judge(data, allow=()):
    return Judge(data, allow).run()


# ----------------------------------------------------------------------------------- replay

MARVIN_SEED = (0x7A4E55C5, 0x82EF4D88)


def marvin32(data):
    """64-bit Marvin32 of a whole number of dwords."""
    lo, hi = MARVIN_SEED
    mask = 0xFFFFFFFF
    for word in struct.unpack("<%dI" % (len(data) // 4), data) + (0x80, 0):
        lo = (lo + word) & mask
        hi ^= lo
        lo = (((lo << 20) | (lo >> 12)) + hi) & mask
        hi = (((hi << 9) | (hi >> 23)) & mask) ^ lo
        lo = (((lo << 27) | (lo >> 5)) + hi) & mask
        hi = ((hi << 19) | (hi >> 13)) & mask
    return hi << 32 | lo


class ReplayError(Exception):
    """The hive is dirty and nothing at hand can make it whole."""


Log = namedtuple("Log", "name data base format")
Entry = namedtuple("Entry", "sequence length flags pages end")


def signed32(value):
    value &= 0xFFFFFFFF
    return value - 0x100000000 if value & 0x80000000 else value


def base_valid(base, types):
    return (base is not None and base.signature == b"regf" and base.major == 1
            and 3 <= base.minor <= 6 and base.type in types and base.format == 1
            and base.cluster == 1 and base.checksum == base.computed
            and base.length > 0 and base.length % PAGE == 0)


def parse_log(name, data):
    """The log if its base block is in order, else None (which is what absence looks like)."""
    base = parse_base(data)
    if not base_valid(base, (1, 2, 6)) or base.seq1 != base.seq2:
        return None
    return Log(name, data, base, "HvLE" if base.type == 6 else "DIRT")


def log_entries(log):
    """Entries of an HvLE log that continue from its base block without a break."""
    data, at, expected = log.data, 0x200, log.base.seq1
    while at + 0x28 <= len(data):
        (signature, size, flags, sequence, length, count, hash1, hash2) = (
            struct.unpack_from("<4sIIIIIQQ", data, at))
        if (signature != b"HvLE" or sequence != expected or size < 0x28 or size % 0x200
                or at + size > len(data) or not count or not length or length % PAGE
                or 0x28 + 8 * count > size):
            return
        if marvin32(data[at:at + 0x20]) != hash2:
            return
        if marvin32(data[at + 0x28:at + size]) != hash1:
            return
        pages, from_ = [], at + 0x28 + 8 * count
        for index in range(count):
            offset, page_size = TWO32.unpack_from(data, at + 0x28 + 8 * index)
            if from_ + page_size > at + size or offset + page_size > length:
                return
            pages.append((offset, data[from_:from_ + page_size]))
            from_ += page_size
        yield Entry(sequence, length, flags, pages, at + size)
        at += size
        expected = (expected + 1) & 0xFFFFFFFF


def replay(primary, logs, in_order=False):
    """(clean hive image, report) as a Windows 8.1+ load would have it.

    `logs` is a list of (name, bytes) in the order LOG1, LOG2, LOG. `in_order` lets a hive
    with a bad base block take both logs in sequence where Windows takes the larger alone.
    """
    base = parse_base(primary)
    if base is None:
        raise ReplayError("file is too short for a base block")
    valid = base_valid(base, (0,))
    report = {"status": "clean", "applied": [], "base_block": "valid" if valid else "bad"}
    if valid and base.seq1 == base.seq2:
        return bytes(primary), report
    present = [parse_log(name, data) for name, data in logs if data]
    report["logs"] = [
        {"name": log.name, "format": log.format, "sequence": log.base.seq1}
        for log in present if log]
    dual = [log for log in present[:2] if log]
    # A single-log hive has its log in third place; it counts when the dual pair offers nothing.
    single = [log for log in present[2:] if log]
    for group in (dual, single):
        for kind, method in (("HvLE", replay_new), ("DIRT", replay_old)):
            chosen = [log for log in group if log.format == kind]
            if chosen:
                image = method(primary, base, valid, chosen, report, in_order)
                if image is not None:
                    report["status"] = "recovered"
                    return image, report
    raise ReplayError("hive is dirty and no log is eligible")


def seal(image, sequence):
    """Writes clean sequence numbers, the primary's file type and the checksum."""
    struct.pack_into("<II", image, 4, sequence & 0xFFFFFFFF, sequence & 0xFFFFFFFF)
    U32.pack_into(image, 0x1C, 0)
    U32.pack_into(image, 0x1FC, base_checksum(image))
    return bytes(image)


def dummy_bins(image, length, touched, report):
    """Replaces bins that the log left invalid by an empty one-page bin each."""
    at = 0
    while at < length:
        signature, offset, size = struct.unpack_from("<4sII", image, BASE + at)
        if (signature == b"hbin" and offset == at and size >= PAGE and size % PAGE == 0
                and at + size <= length):
            at += size
            continue
        if at // PAGE in touched:
            page = bytearray(PAGE)
            BIN.pack_into(page, 0, b"hbin", at, PAGE, 0, 0, 0)
            I32.pack_into(page, 0x20, PAGE - 0x20)
            image[BASE + at:BASE + at + PAGE] = page
            report.setdefault("dummy_bins", []).append(at)
        at += PAGE


def replay_new(primary, base, valid, logs, report, in_order):
    image = bytearray(primary)
    logs = sorted(logs, key=lambda log: signed32(log.base.seq1 - logs[0].base.seq1))
    if valid:
        logs = [log for log in logs if signed32(log.base.seq1 - base.seq2) >= 0]
    else:
        if not in_order:
            logs = logs[-1:]
        if logs:
            if len(image) < BASE:
                image.extend(bytes(BASE - len(image)))
            image[:0x200] = logs[-1].data[:0x200]
    last, touched, length = None, set(), None
    for log in logs:
        if last is not None and log.base.seq1 != (last + 1) & 0xFFFFFFFF:
            break
        for entry in log_entries(log):
            length = entry.length
            if len(image) < BASE + length:
                image.extend(bytes(BASE + length - len(image)))
            for offset, page in entry.pages:
                image[BASE + offset:BASE + offset + len(page)] = page
                touched.update(range(offset // PAGE, (offset + len(page) + PAGE - 1) // PAGE))
            flags = U32.unpack_from(image, 0x90)[0]
            U32.pack_into(image, 0x90, flags & ~1 | entry.flags & 1)
            U32.pack_into(image, 0x28, length)
            last = entry.sequence
            report["applied"].append({"log": log.name, "sequence": last,
                                      "pages": sum(len(p) for _, p in entry.pages) // PAGE})
        if last is None:
            break
    if last is None:
        return None
    dummy_bins(image, length, touched, report)
    return seal(image, last + 1)


def replay_old(primary, base, valid, logs, report, in_order):
    if valid:
        stamp = base.timestamp
    elif len(primary) >= BASE + 0x20 and primary[BASE:BASE + 4] == b"hbin":
        stamp = U64.unpack_from(primary, BASE + 0x14)[0]
    else:
        return None
    logs = [log for log in logs
            if log.base.timestamp == stamp and bytes(log.data[0x200:0x204]) == b"DIRT"]
    if not logs:
        return None
    # The second log counts when it is the newer one or the first is unusable.
    log = max(logs, key=lambda one: signed32(one.base.seq1 - logs[0].base.seq1))
    length = log.base.length
    bitmap_size = length // PAGE
    at = (0x204 + bitmap_size + 0x1FF) & ~0x1FF
    bits = int.from_bytes(log.data[0x204:0x204 + bitmap_size], "little")
    dirty = {}
    for bit in range(length // 512):
        if bits >> bit & 1:
            if at + 512 > len(log.data):
                break
            dirty[bit] = log.data[at:at + 512]
            at += 512
    if not dirty:
        return None
    image = bytearray(primary)
    if not valid:
        if len(image) < BASE:
            image.extend(bytes(BASE - len(image)))
        image[:0x200] = log.data[:0x200]
    if len(image) < BASE + length:
        image.extend(bytes(BASE + length - len(image)))
    applied = stop = offset = 0
    while offset < length and not stop:
        # A bin's size comes from the log where the log has its header.
        head = dirty.get(offset // 512, image[BASE + offset:BASE + offset + 0x20])
        signature, at, size = struct.unpack_from("<4sII", head, 0)
        if signature != b"hbin" or at != offset or size < PAGE or size % PAGE:
            report["stopped_at"] = offset
            break
        for bit in range(offset // 512, min(length, offset + size) // 512):
            page = dirty.get(bit)
            if page is not None:
                image[BASE + 512 * bit:BASE + 512 * bit + 512] = page
                applied += 1
        offset += size
    U32.pack_into(image, 0x28, length)
    report["applied"].append({"log": log.name, "sequence": log.base.seq1,
                              "pages": -(-applied // 8)})
    # Windows 7 left a hive whose log had 5 at 7.
    return seal(image, log.base.seq1 + 2)


def find_logs(path):
    """Contents of the sibling LOG1, LOG2 and LOG, matched without regard to case."""
    folder, name = os.path.split(os.path.abspath(path))
    siblings = {entry.lower(): entry for entry in os.listdir(folder)}
    out = []
    for suffix in (".log1", ".log2", ".log"):
        entry = siblings.get(name.lower() + suffix)
        out.append((suffix[1:].upper(), read(os.path.join(folder, entry)) if entry else b""))
    return out


# ------------------------------------------------------------------------------ command line

def read(path):
    with open(path, "rb") as file:
        return file.read()


def command_dump(args):
    hive = Hive(read(args.hive))
    errors = []
    sys.stdout.buffer.writelines(dump_lines(hive, errors))
    sys.stdout.buffer.flush()
    for error in errors:
        print("regf.py: %s" % error, file=sys.stderr)
    return 1 if errors else 0


def command_judge(args):
    allow = set(args.allow)
    if args.allow_leaks:
        allow.add("C6")
    if args.allow_adjacent_free:
        allow.add("C5")
    worst, reports = 0, []
    for path in args.hive:
        result = judge(read(path), allow)
        if result.failed():
            worst = 1
        listed = [finding for finding in result.findings
                  if args.info or finding.severity != "I"]
        if args.json:
            reports.append({
                "file": path,
                "verdict": "damaged" if result.failed() else "sound",
                "findings": [finding._asdict() for finding in listed],
                "stats": result.stats,
            })
            continue
        prefix = path + ": " if len(args.hive) > 1 else ""
        for finding in listed:
            print("%s%s 0x%08x %s" % (prefix, finding.rule, finding.offset, finding.message))
    if args.json:
        json.dump(reports[0] if len(reports) == 1 else reports, sys.stdout, indent=1)
        print()
    return worst


def command_replay(args):
    if args.no_logs:
        logs = []
    elif args.logs:
        names = ("LOG1", "LOG2", "LOG")
        logs = [(name, b"" if path == "-" or not os.path.exists(path) else read(path))
                for name, path in zip(names, args.logs)]
    else:
        logs = find_logs(args.hive)
    try:
        image, report = replay(read(args.hive), logs, args.in_order)
    except ReplayError as error:
        print("regf.py: %s" % error, file=sys.stderr)
        return 1
    with open(args.output, "wb") as file:
        file.write(image)
    json.dump(report, sys.stdout)
    print()
    return 0


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("dump", help="canonical text dump; exit 1 if something is unreadable")
    one.add_argument("hive")
    one.set_defaults(run=command_dump)
    one = commands.add_parser("judge", help="structural verdict; exit 1 if anything is wrong")
    one.add_argument("hive", nargs="+")
    one.add_argument("--json", action="store_true")
    one.add_argument("--info", action="store_true", help="list harmless oddities too")
    one.add_argument("--allow-leaks", action="store_true", help="C6 does not fail the hive")
    one.add_argument("--allow-adjacent-free", action="store_true",
                     help="C5 does not fail the hive")
    one.add_argument("--allow", action="append", default=[], metavar="RULE",
                     help="RULE does not fail the hive")
    one.set_defaults(run=command_judge)
    one = commands.add_parser("replay", help="write the clean hive a load would produce")
    one.add_argument("hive")
    one.add_argument("logs", nargs="*", metavar="LOG",
                     help="LOG1 LOG2 LOG; - for one that is absent (default: the siblings)")
    one.add_argument("--no-logs", action="store_true")
    one.add_argument("--in-order", action="store_true",
                     help="bad base block: take both logs in sequence")
    one.add_argument("-o", "--output", required=True)
    one.set_defaults(run=command_replay)
    args = parser.parse_args(argv)
    try:
        return args.run(args)
    except RegfError as error:
        print("regf.py: %s" % error, file=sys.stderr)
        return 1
    except OSError as error:
        print("regf.py: %s" % error, file=sys.stderr)
        return 2
    except BrokenPipeError:
        return 0


if __name__ == "__main__":
    sys.exit(main())
