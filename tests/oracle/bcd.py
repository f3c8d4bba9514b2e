#!/usr/bin/env python3
"""Boot configuration stores, read without the crate.

    bcd.py enum STORE [--verbose]     what `bcdedit /enum all` prints, in English and without drive letters
    bcd.py elements STORE             one line an element: object, type, code, registry type, data in hexadecimal

Built on regf.py and on what is publicly known of the format; bcd_elements.tsv has the names of elements.
"""

import argparse
import os
import struct
import sys
import uuid

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import regf  # noqa: E402

ALIASES = {
    "9dea862c-5cdd-4e70-acc1-f32b344d4795": "bootmgr",
    "a5a30fa2-3d06-4e9f-b5f4-a01df9d1fcba": "fwbootmgr",
    "b2721d73-1db4-4c62-bf78-c548a880142d": "memdiag",
    "466f5a88-0af2-4f76-9038-095b170dc21c": "ntldr",
    "7ea2e1ac-2e61-4728-aaa3-896d9d0a9f0e": "globalsettings",
    "6efb52bf-1766-41db-a6b3-0ee5eff72bd7": "bootloadersettings",
    "1afa9c49-16ab-4a5c-901b-212802da9460": "resumeloadersettings",
    "0ce4991b-e6b3-4b16-b23c-5e0d9250e5d9": "emssettings",
    "4636856e-540f-4170-a130-a84776f4c654": "dbgsettings",
    "5189b25c-5558-4bf2-bca4-289b11bd29e2": "badmemory",
    "7ff607e0-4395-11db-b0de-0800200c9a66": "hypervisorsettings",
    "313e8eed-7098-4586-a9bf-309c61f8d449": "kerneldbgsettings",
    "ae5534e0-a924-466c-b836-758539a3ee3a": "ramdiskoptions",
}
IDS = {alias: identifier for identifier, alias in ALIASES.items()}

HEADINGS_BY_ALIAS = {
    "emssettings": "EMS Settings",
    "dbgsettings": "Debugger Settings",
    "badmemory": "RAM Defects",
    "globalsettings": "Global Settings",
    "hypervisorsettings": "Hypervisor Settings",
    "ramdiskoptions": "Setup Ramdisk Options",
}
HEADINGS = {
    0x10100001: "Firmware Boot Manager",
    0x10100002: "Windows Boot Manager",
    0x101FFFFF: "Firmware Application (101fffff)",
    0x10200003: "Windows Boot Loader",
    0x10200004: "Resume from Hibernate",
    0x10200005: "Windows Memory Tester",
    0x10300006: "Windows Legacy OS Loader",
    0x10400008: "Real-mode Boot Sector",
    0x20200003: "Boot Loader Settings",
    0x20200004: "Resume Loader Settings",
    0x30000000: "Device options",
}
SCOPES_BY_APPLICATION = {
    1: "bootmgr", 2: "bootmgr", 3: "osloader", 4: "resume", 5: "memdiag", 6: "legacy", 7: "legacy",
    9: "startup", 10: "bootapp",
}


def load_elements():
    table = {}
    with open(os.path.join(HERE, "bcd_elements.tsv"), encoding="ascii") as lines:
        for line in lines:
            if line.startswith("#"):
                continue
            scope, code, name, values = line.rstrip("\n").split("\t")
            pairs = [] if values == "-" else [pair.split("=", 1) for pair in values.split(";")]
            known = {int(number): text for number, text in pairs}
            table[scope, int(code, 16)] = (None if name == "-" else name, known)
    return table


class Store:
    """Objects by identifier: type, and elements by code as (registry type, data)."""

    def __init__(self, path):
        hive = regf.Hive(regf.read(path))
        self.objects = {}
        for names, key in hive.walk():
            if len(names) < 2 or names[0].lower() != "objects":
                continue
            thing = self.objects.setdefault(names[1].strip("{}").lower(), {"type": None, "elements": {}})
            where = [name.lower() for name in names[2:]]
            for offset in hive.values(key):
                value = hive.value(offset)
                data = bytes(hive.value_data(value))
                if where == ["description"] and value.name.lower() == "type":
                    thing["type"] = int.from_bytes(data, "little")
                elif len(where) == 2 and where[0] == "elements" and value.name.lower() == "element":
                    thing["elements"][int(where[1], 16)] = (value.type, data)

    def object_list(self, identifier, code):
        found = self.objects.get(identifier, {"elements": {}})["elements"].get(code)
        return strings(found[1]) if found else []

    def default(self):
        found = self.objects.get(IDS["bootmgr"], {"elements": {}})["elements"].get(0x23000003)
        return text(found[1]).strip("{}").lower() if found else None


def text(data):
    return data.decode("utf-16-le").rstrip("\0")


def strings(data):
    data = data[:len(data) & ~1]
    return [item.strip("{}").lower() for item in data.decode("utf-16-le").split("\0") if item]


# ---------------------------------------------------------------------------------- devices

def guid(data):
    return str(uuid.UUID(bytes_le=bytes(data)))


def partition(data):
    """The 56 bytes behind the header of a partition."""
    kind, style = struct.unpack_from("<II", data, 16)
    assert kind == 0, "not a hard disk"
    if style == 0:
        return "gpt:%s/%s" % (guid(data[24:40]), guid(data[:16]))
    assert style == 1, "neither GPT nor MBR"
    return "mbr:%08x@%d" % (struct.unpack_from("<I", data, 24)[0], struct.unpack_from("<Q", data)[0])


def file_on(data):
    """A path descriptor: the device in brackets, and the path."""
    version, length, source = struct.unpack_from("<III", data)
    assert (version, length, source) == (1, len(data), 5), (version, length, source)
    size = struct.unpack_from("<I", data, 20)[0]
    parent = descriptor(data[12:12 + size])
    return "[%s]%s" % (parent.replace("partition=", "", 1), text(data[12 + size:]))


def descriptor(data):
    kind, _flags, size, zero = struct.unpack_from("<IIII", data)
    assert size == len(data) and zero == 0, (size, len(data))
    payload = data[16:]
    if kind == 5:
        assert not any(payload)
        return "boot"
    if kind == 6:
        return "partition=" + partition(payload)
    if kind == 0:
        local = struct.unpack_from("<I", payload)[0]
        if local == 3:
            return "ramdisk=" + file_on(payload[24:])
        if local == 5:
            return "file=" + file_on(payload[4:])
        if local == 6:
            return descriptor(payload[24:]).replace("file=", "vhd=", 1)
    if kind == 8:
        mode, element, at = struct.unpack_from("<III", payload)
        assert mode == 0 and at == 0x1E
        return "%s,locate=custom:%08x" % (descriptor(data[at:]), element)
    raise AssertionError("device of type %d" % kind)


def device(data):
    options = guid(data[:16])
    shown = descriptor(data[16:])
    return shown if options == str(uuid.UUID(int=0)) else "%s,{%s}" % (shown, options)


# ------------------------------------------------------------------------------------- enum

def identifier_of(identifier, default, verbose):
    if not verbose:
        if identifier == default:
            return "{default}"
        if identifier in ALIASES:
            return "{%s}" % ALIASES[identifier]
    return "{%s}" % identifier


def values_of(code, kind, data, known, default, verbose):
    shape = code >> 24 & 15
    assert kind == {2: 1, 3: 1, 4: 7}.get(shape, 3), "registry type %d for %08x" % (kind, code)
    if shape == 1:
        return [device(data)]
    if shape == 2:
        return [text(data)]
    if shape == 3:
        return [identifier_of(text(data).strip("{}").lower(), default, verbose)]
    if shape == 4:
        return [identifier_of(item, default, verbose) for item in strings(data)]
    if shape == 5:
        number = int.from_bytes(data, "little")
        return [known.get(number, str(number))]
    if shape == 6:
        return ["Yes" if any(data) else "No"]
    if shape == 7:
        return ["%#x" % int.from_bytes(data[at:at + 8], "little") for at in range(0, len(data), 8)]
    raise AssertionError("format %d" % shape)


def definition(table, code, kind):
    application = kind & 0xFFFFF if kind >> 28 == 1 or kind >> 20 == 0x202 else None
    scopes = ["library", "template", SCOPES_BY_APPLICATION.get(application)]
    if kind >> 28 in (1, 2):
        scopes.append("any")
    if kind >> 28 == 3:
        scopes.append("device")
    for scope in scopes:
        if (scope, code) in table:
            return table[scope, code]
    return None, {}


def enum(store, verbose, out):
    table = load_elements()
    default = store.default()
    offered = store.object_list(IDS["bootmgr"], 0x24000001)
    offered += store.object_list(IDS["fwbootmgr"], 0x24000001)

    def place(item):
        identifier, thing = item
        at = offered.index(identifier) if identifier in offered else len(offered)
        return thing["type"], at, identifier

    for identifier, thing in sorted(store.objects.items(), key=place):
        kind = thing["type"]
        heading = HEADINGS_BY_ALIAS.get(ALIASES.get(identifier)) or HEADINGS[kind]
        out.write("\n%s\n%s\n" % (heading, "-" * len(heading)))
        lines = [("identifier", [identifier_of(identifier, default, verbose)])]
        for code, (registry_type, data) in sorted(thing["elements"].items()):
            if code >> 28 == 4 and not verbose:
                continue
            name, known = definition(table, code, kind)
            shown = values_of(code, registry_type, data, known, default, verbose)
            lines.append((name or "custom:%08x" % code, shown))
        for name, shown in lines:
            for at, value in enumerate(shown):
                out.write("%-23s %s\n" % ("" if at else name, value))


def elements(store, out):
    for identifier, thing in sorted(store.objects.items()):
        out.write("%s\t%08x\n" % (identifier, thing["type"]))
        for code, (kind, data) in sorted(thing["elements"].items()):
            out.write("%s\t%08x\t%08x\t%d\t%s\n" % (identifier, thing["type"], code, kind, data.hex()))


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("command", choices=("enum", "elements"))
    parser.add_argument("store")
    parser.add_argument("--verbose", action="store_true")
    args = parser.parse_args(argv)
    store = Store(args.store)
    out = open(sys.stdout.fileno(), "w", encoding="utf-8", newline="\n", closefd=False)
    if args.command == "enum":
        enum(store, args.verbose, out)
    else:
        elements(store, out)
    out.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
