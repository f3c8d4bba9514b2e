"""Builds small, sound hives in memory, so that a test can show its whole world and break it."""

import struct

import regf

NIL = regf.NIL
TIME = 132000000000000000
SYSTEM_SID = bytes.fromhex("010100000000000512000000")
EVERYONE_SID = bytes.fromhex("010100000000000100000000")


def descriptor(sid=SYSTEM_SID):
    """Owner and group SYSTEM, one entry that gives `sid` full access."""
    entry = struct.pack("<BBHI", 0, 2, 8 + len(sid), 0xF003F) + sid
    acl = struct.pack("<BBHHH", 2, 0, 8 + len(entry), 1, 0) + entry
    dacl = 0x14 + 2 * len(SYSTEM_SID)
    return struct.pack("<BBHIIII", 1, 0, 0x8004, 0x14, 0x20, 0, dacl) + SYSTEM_SID * 2 + acl


def key(name, keys=(), values=(), klass="", sd=None):
    return {"name": name, "keys": keys, "values": values, "class": klass, "sd": sd}


class Tiny:
    """A hive in one bin. `keys`, `values` and so on remember where things are, by path."""

    def __init__(self, root, minor=5, leaf=None, wide_names=False, cell_sizes=()):
        self.minor = minor
        self.leaf = leaf or 507
        self.wide_names = wide_names
        self.cell_sizes = dict(cell_sizes)
        self.area = bytearray(0x20)
        self.keys, self.values, self.lists, self.leaves = {}, {}, {}, {}
        self.value_lists, self.sks, self.data = {}, [], {}
        self.root = self.build(root, NIL, "")
        self.link_security()
        self.image = self.finish()

    # -- building

    def alloc(self, payload, size=None):
        size = max(size or 0, (len(payload) + 4 + 7) & ~7)
        at = len(self.area)
        self.area += struct.pack("<i", -size) + payload
        self.area += bytes(at + size - len(self.area))
        return at

    def put(self, at, record_offset, form, *fields):
        struct.pack_into(form, self.area, at + 4 + record_offset, *fields)

    def stored(self, name):
        if not self.wide_names and all(char <= "\xff" for char in name):
            return name.encode("latin-1"), 1
        return name.encode("utf-16-le", "surrogatepass"), 0

    def security(self, blob):
        for sk in self.sks:
            if sk["blob"] == blob and not sk.get("twin"):
                sk["uses"] += 1
                return sk["at"]
        at = self.alloc(struct.pack("<2sHIIII", b"sk", 0, 0, 0, 0, len(blob)) + blob)
        self.sks.append({"at": at, "blob": blob, "uses": 1})
        return at

    def link_security(self):
        count = len(self.sks)
        for index, sk in enumerate(self.sks):
            self.put(sk["at"], 4, "<III", self.sks[(index + 1) % count]["at"],
                     self.sks[index - 1]["at"], sk["uses"])

    def build(self, spec, parent, path):
        raw, compressed = self.stored(spec["name"])
        is_root = parent == NIL
        flags = (0x2C if is_root else 0) & ~0x20 | (0x20 if compressed else 0)
        at = self.alloc(bytes(0x4C) + raw, self.cell_sizes.get("nk:" + path))
        self.keys[path] = at
        klass = spec["class"].encode("utf-16-le")
        klass_at = self.alloc(klass) if klass else NIL
        security = self.security(spec["sd"] or descriptor())
        value_list, longest_name, longest_data = self.build_values(spec["values"], path)
        children = sorted(spec["keys"], key=lambda child: regf.fold(child["name"]))
        offsets = [(self.build(child, at, path + "\\" + child["name"]), child["name"])
                   for child in children]
        subkey_list = self.build_list(offsets, path)
        max_name = max((2 * len(regf.units_of(name)) for _, name in offsets), default=0)
        max_class = max((2 * len(child["class"]) for child in children), default=0)
        self.put(at, 0, "<2sHQBBHIIIIIIIIIHBBIIIIHH", b"nk", flags, TIME, 0, 0, 0, parent,
                 len(children), 0, subkey_list, NIL, len(spec["values"]), value_list, security,
                 klass_at, max_name, 0, 0, max_class, longest_name, longest_data, 0, len(raw),
                 len(klass))
        return at

    def build_values(self, values, path):
        if not values:
            return NIL, 0, 0
        offsets, longest_name, longest_data = [], 0, 0
        for name, kind, data in values:
            where = path + "\\" + name
            raw, compressed = self.stored(name)
            length, data_at = len(data), 0
            if len(data) <= 4:
                length |= 0x80000000
                data_at = struct.unpack("<I", data.ljust(4, b"\0"))[0]
            elif len(data) > 16344 and self.minor >= 4:
                segments = [self.alloc(data[i:i + 16344], 0x3FE0)
                            for i in range(0, len(data), 16344)]
                table = self.alloc(struct.pack("<%dI" % len(segments), *segments))
                data_at = self.alloc(struct.pack("<2sHI", b"db", len(segments), table), 16)
            else:
                data_at = self.alloc(data)
            self.data[where] = data_at
            offsets.append(self.alloc(
                struct.pack("<2sHIIIHH", b"vk", len(raw), length, data_at, kind,
                            compressed if raw else 0, 0) + raw))
            self.values[where] = offsets[-1]
            longest_name = max(longest_name, 2 * len(regf.units_of(name)))
            longest_data = max(longest_data, len(data))
        at = self.alloc(struct.pack("<%dI" % len(offsets), *offsets))
        self.value_lists[path] = at
        return at, longest_name, longest_data

    def build_list(self, offsets, path):
        if not offsets:
            return NIL
        leaves = []
        for start in range(0, len(offsets), self.leaf):
            chunk = offsets[start:start + self.leaf]
            if self.minor >= 5:
                body = b"".join(struct.pack("<II", at, regf.lh_hash(name)) for at, name in chunk)
                head = b"lh"
            else:
                body = b"".join(struct.pack("<I", at) + regf.lf_hints(name)[-1]
                                for at, name in chunk)
                head = b"lf"
            leaves.append(self.alloc(head + struct.pack("<H", len(chunk)) + body))
        self.leaves[path] = leaves
        at = leaves[0]
        if len(leaves) > 1:
            at = self.alloc(b"ri" + struct.pack("<H%dI" % len(leaves), len(leaves), *leaves))
        self.lists[path] = at
        return at

    def finish(self):
        used = len(self.area)
        size = (used + 8 + 0xFFF) & ~0xFFF
        self.area += struct.pack("<i", size - used) + bytes(size - used - 4)
        struct.pack_into("<4sIIQQI", self.area, 0, b"hbin", 0, size, 0, TIME, 0)
        self.free = used
        base = bytearray(0x1000)
        struct.pack_into("<4sIIQIIIIIII", base, 0, b"regf", 7, 7, TIME, 1, self.minor, 0, 1,
                         self.root, size, 1)
        image = base + self.area
        seal(image)
        return image

    # -- breaking

    def get(self, at, record_offset, form="<I"):
        """Field of the record in the cell at `at`; offset -4 is the cell's size."""
        return struct.unpack_from(form, self.image, 0x1004 + at + record_offset)[0]

    def set(self, at, record_offset, value, form="<I"):
        struct.pack_into(form, self.image, 0x1004 + at + record_offset, value)

    def set_base(self, offset, value, form="<I"):
        struct.pack_into(form, self.image, offset, value)
        seal(self.image)


def seal(image):
    struct.pack_into("<I", image, 0x1FC, regf.base_checksum(image))
