#!/usr/bin/env python3
"""Other people's hive readers, made to speak one language.

    readers.py {regf|hivex|reglookup|python-registry} HIVE [--as READER]

prints, for every key and value in the reader's own order,

    K <TAB> path
    V <TAB> path <TAB> value name <TAB> type, decimal <TAB> sha256(data)

A path is the key names below the root joined by backslashes; a character that would upset the
format is written as % and its four-digit UTF-16 unit. Where a reader cannot show a thing as it
is stored, `PROJECTIONS` says what it shows instead, and `regf --as READER` shows the same of
our own reading, so that the two streams remain comparable record by record.

Exit status: 0, 1 the reader rejects the hive, 3 the reader is not installed.
"""

import argparse
import hashlib
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

READERS = ("regf", "hivex", "reglookup", "python-registry")
MODULES = {"hivex": "hivex", "python-registry": "Registry"}


class Unavailable(Exception):
    """The reader is not installed."""


class Rejected(Exception):
    """The reader could not make sense of the hive."""


# ------------------------------------------------------------------------------ line format

_UNSAFE = re.compile("[\0-\x1f\x7f%\\\\\x80-\x9f\ud800-\udfff\u2028\u2029]")
_ESCAPED = re.compile("%([0-9A-F]{4})")


def escape(name):
    return _UNSAFE.sub(lambda match: "%%%04X" % ord(match.group()), name)


def unescape(text):
    return _ESCAPED.sub(lambda match: chr(int(match.group(1), 16)), text)


def line(record):
    path = "\\".join(escape(name) for name in record[1])
    if record[0] == "K":
        return "K\t%s\n" % path
    return "V\t%s\t%s\t%d\t%s\n" % (path, escape(record[2]), record[3], record[4])


def parse(text):
    fields = text.rstrip("\n").split("\t")
    path = tuple(map(unescape, fields[1].split("\\"))) if fields[1] else ()
    if fields[0] == "K":
        return ("K", path)
    return ("V", path, unescape(fields[2]), int(fields[3]), fields[4])


def digest(data):
    return hashlib.sha256(data).hexdigest()


# ------------------------------------------------------------------------------ our own reader

def own(path, reader="regf"):
    """The stream of regf.py, seen through the limitations of `reader`."""
    import regf

    show_name, show_data = PROJECTIONS[reader]
    try:
        hive = regf.Hive(regf.read(path))
        for names, key in hive.walk():
            shown = tuple(map(show_name, names))
            yield ("K", shown)
            for offset in hive.values(key):
                value = hive.value(offset)
                data = bytes(hive.value_data(value))
                if reader == "reglookup" and len(data) > 16344:
                    data = reglookup_big(hive, value, data)
                kind, data = show_data(value.type, data)
                yield ("V", shown, show_name(value.name), kind, digest(data))
    except regf.RegfError as error:
        raise Rejected(str(error))


def exact_name(name):
    return name


def exact_data(kind, data):
    return kind, data


def hivex_name(name):
    """hivex converts names with iconv, which gives up on an unpaired surrogate."""
    return "\ufffd" if re.search("[\ud800-\udfff]", name) else name


def reglookup_name(name):
    """reglookup prints ASCII; a name it cannot convert appears as its stored bytes.

    A name that it can print ends at its first NUL.
    """
    if name and max(name) > "\xff":
        return name.encode("utf-16-le", "surrogatepass").decode("latin-1")
    return name.split("\0")[0]


def reglookup_data(kind, data):
    """reglookup prints values for people: the printed field is what can be compared.

    Strings are ASCII text up to their first NUL, lists lose their empty elements; whatever does
    not convert as a whole, what follows the NUL included, is printed as its bytes. Numbers show
    as many bytes as their type calls for, and no data at all are "(null)".
    """
    if not data:
        return kind, b"(null)"
    try:
        if kind in (1, 2, 6):
            return kind, data.decode("utf-16-le").encode("ascii").split(b"\0")[0]
        if kind == 7:
            text = data.decode("utf-16-le").encode("ascii")
            return kind, b"|".join(item for item in text.split(b"\0") if item)
    except UnicodeError:
        return kind, data
    if kind in (4, 5) and len(data) >= 4:
        return kind, b"0x%08X" % int.from_bytes(data[:4], "little" if kind == 4 else "big")
    if kind == 11 and len(data) >= 8:
        return kind, b"0x%016X" % int.from_bytes(data[:8], "little")
    return kind, data


def reglookup_big(hive, value, data):
    """reglookup joins the segments of big data by file offset instead of in list order.

    It takes 16344 bytes of each, so that the slack of a short last segment may end up inside.
    """
    import struct

    at, _ = hive.cell(value.data)
    if value.length & 0x80000000 or hive.data[at:at + 2] != b"db":
        return data
    count, table = struct.unpack_from("<HI", hive.data, at + 2)
    segments = struct.unpack_from("<%dI" % count, hive.data, hive.cell(table)[0])
    if list(segments) == sorted(segments):
        return data
    starts = [hive.cell(segment)[0] for segment in sorted(segments)]
    return b"".join(hive.data[start:start + 16344] for start in starts)[:value.length]


PROJECTIONS = {
    "regf": (exact_name, exact_data),
    "hivex": (hivex_name, exact_data),
    "reglookup": (reglookup_name, reglookup_data),
    "python-registry": (exact_name, exact_data),
}


# ------------------------------------------------------------------------------------- hivex

def walk_hivex(path):
    import hivex

    def name_of(function, handle):
        try:
            return function(handle)
        except RuntimeError as error:
            if "Invalid argument" not in str(error) and "Invalid or incomplete" not in str(error):
                raise
            return "\ufffd"

    def data_of(hive, value):
        try:
            return hive.value_value(value)
        except RuntimeError:
            # The form of a value tombstone: no data, not marked inline, no cell. It is read as
            # a cell at NIL.
            kind, length = hive.value_type(value)
            if length:
                raise
            return kind, b""

    try:
        hive = hivex.Hivex(path)
        stack = [(hive.root(), ())]
        while stack:
            node, names = stack.pop()
            yield ("K", names)
            for value in hive.node_values(node):
                kind, data = data_of(hive, value)
                yield ("V", names, name_of(hive.value_key, value), kind & 0xFFFFFFFF,
                       digest(bytes(data)))
            for child in reversed(hive.node_children(node)):
                stack.append((child, names + (name_of(hive.node_name, child),)))
    except RuntimeError as error:
        raise Rejected("hivex: %s" % error)


# --------------------------------------------------------------------------- python-registry

def walk_python_registry(path):
    from Registry import Registry, RegistryParse

    def name_of(record, length_at, name_at):
        # Its own name() takes compressed names for Windows-1252 and stumbles over an unpaired
        # surrogate, so the bytes are taken from the record and decoded here.
        raw = record.unpack_string(name_at, record.unpack_word(length_at))
        if record.has_ascii_name():
            return raw.decode("latin-1")
        return raw.decode("utf-16-le", "surrogatepass")

    def data_of(record):
        # Its raw_data() pads inline data to four bytes, drops some and misplaces others, and
        # for a number stored in a cell returns the bytes of the cell's offset.
        length = record.unpack_dword(0x4)
        if length & 0x80000000:
            return record.unpack_binary(0x8, 4)[:length & 0x7FFFFFFF]
        if length and record.unpack_dword(0xC) in (4, 5, 11):
            cell = RegistryParse.HBINCell(record._buf, record.data_offset(), record)
            return cell.raw_data()[:length]
        return record.raw_data()

    try:
        stack = [(Registry.Registry(path).root(), ())]
        while stack:
            key, names = stack.pop()
            yield ("K", names)
            for value in key.values():
                record = value._vkrecord
                # value_type() cuts types to 16 bits, name() calls the unnamed value "(default)".
                yield ("V", names, name_of(record, 0x2, 0x14), record.unpack_dword(0xC),
                       digest(bytes(data_of(record))))
            for child in reversed(key.subkeys()):
                stack.append((child, names + (name_of(child._nkrecord, 0x48, 0x4C),)))
    except Exception as error:  # its own, struct.error and whatever else damage sets off
        raise Rejected("python-registry: %s: %s" % (type(error).__name__, error))


# --------------------------------------------------------------------------------- reglookup

RL_TYPES = {
    "NONE": 0, "SZ": 1, "EXPAND_SZ": 2, "BINARY": 3, "DWORD": 4, "DWORD_BE": 5, "LINK": 6,
    "MULTI_SZ": 7, "RSRC_LIST": 8, "RSRC_DESC": 9, "RSRC_REQ_LIST": 10, "QWORD": 11,
}
_QUOTED = re.compile(rb"%([0-9A-Fa-f]{2})")


def unquote(field):
    return _QUOTED.sub(lambda match: bytes((int(match.group(1), 16),)), field)


def walk_reglookup(path):
    try:
        done = subprocess.run(["reglookup", "-H", path], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE)
    except FileNotFoundError:
        raise Unavailable("reglookup is not installed")
    if done.returncode or b"ERROR:" in done.stderr:
        raise Rejected("reglookup: exit %d: %s" % (
            done.returncode, done.stderr.decode("latin-1").strip().split("\n")[-1]))
    for warning in done.stderr.decode("latin-1").split("\n"):
        # It leaves out what it cannot read and still succeeds, so that any warning is fatal
        # here but those about how something is printed and about a root without its flag.
        if warning and not re.search("converting (key|value) name|quoting raw buffer"
                                     "|no root key found|Unknown key flags", warning):
            raise Rejected("reglookup: " + warning)
    for row in done.stdout.split(b"\n"):
        if not row:
            continue
        fields = row.split(b",")
        if len(fields) != 4:
            raise Rejected("reglookup: cannot parse %r" % row[:200])
        place, kind, field, _ = fields
        parts = [unquote(part).decode("latin-1") for part in place.split(b"/")[1:]]
        if kind == b"KEY":
            yield ("K", tuple(parts) if parts != [""] else ())
            continue
        kind = kind.decode("ascii")
        number = RL_TYPES[kind] if kind in RL_TYPES else int(kind, 16)
        # The root is printed as "/", so its values begin with two slashes.
        names = tuple(parts[:-1])
        names = () if names == ("",) else names
        yield ("V", names, parts[-1], number, digest(unquote(field)))


# ----------------------------------------------------------------------------------- dispatch

WALKERS = {"hivex": walk_hivex, "python-registry": walk_python_registry,
           "reglookup": walk_reglookup}
_interpreters = {}


def interpreter_for(reader):
    """A Python that can import the reader's module: this one, the system's or the CI's."""
    if reader not in _interpreters:
        _interpreters[reader] = None
        cache = os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache"))
        for candidate in (sys.executable, "/usr/bin/python3",
                          os.environ.get("HIVESMITH_PYTHON", ""),
                          os.path.join(cache, "hivesmith-ci", "venv", "bin", "python")):
            if candidate and os.path.exists(candidate):
                probe = subprocess.run([candidate, "-c", "import " + MODULES[reader]],
                                       cwd=HERE, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
                if probe.returncode == 0:
                    _interpreters[reader] = candidate
                    break
    if _interpreters[reader] is None:
        raise Unavailable("no Python with the module " + MODULES[reader])
    return _interpreters[reader]


def records(reader, path):
    """All records of a hive as the reader sees them, as a list."""
    if reader == "regf":
        return list(own(path))
    if reader == "reglookup":
        return list(walk_reglookup(path))
    # In a process of its own: a C library may crash on a damaged hive.
    done = subprocess.run([interpreter_for(reader), os.path.abspath(__file__), "--worker",
                           reader, path], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode:
        message = done.stderr.decode("utf-8", "replace").strip().split("\n")
        raise Rejected(next((text for text in message if text.startswith(reader)),
                            "%s: exit %d" % (reader, done.returncode)))
    return [parse(text) for text in done.stdout.decode("utf-8").split("\n") if text]


def available(reader):
    try:
        if reader == "reglookup":
            subprocess.run(["reglookup"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        elif reader != "regf":
            interpreter_for(reader)
    except (Unavailable, FileNotFoundError):
        return False
    return True


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("reader", choices=READERS)
    parser.add_argument("hive")
    parser.add_argument("--as", dest="seen_as", choices=READERS, default="regf",
                        help="with reader regf: apply the limitations of another reader")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    out = sys.stdout.buffer
    try:
        if args.reader == "regf":
            stream = own(args.hive, args.seen_as)
        elif args.worker:
            stream = WALKERS[args.reader](args.hive)
        else:
            stream = records(args.reader, args.hive)
        for record in stream:
            out.write(line(record).encode("utf-8"))
        out.flush()
    except Rejected as error:
        print(error, file=sys.stderr)
        return 1
    except Unavailable as error:
        print("readers.py: %s" % error, file=sys.stderr)
        return 3
    except BrokenPipeError:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
