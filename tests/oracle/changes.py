#!/usr/bin/env python3
"""What changed between two hives, as one reader sees them, as JSON.

    changes.py BEFORE AFTER [--reader regf|hivex|reglookup|python-registry]

    {"reader": ...,
     "keys_added": [path...], "keys_removed": [path...],
     "values_added": [{key, name, type, sha256}...], "values_removed": [...],
     "values_changed": [{key, name, before: {type, sha256}, after: {type, sha256}}...]}

Everything that is not listed is the same in both hives, so an assertion on the whole object
says that an edit did what it should and nothing else. Paths and names are written as in
readers.py, in the order of the hive they are taken from. With reader regf there are also

     "keys_touched": [path...]                     last-written time differs
     "keys_changed": [{key, before: {...}, after: {...}}...]
                                                   class, flags or security descriptor differ

Below an added or removed key all its keys and values are listed too.
Exit status: 0 compared, 1 a hive was rejected, 3 the reader is not installed.
"""

import argparse
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import readers
import regf


def joined(path):
    return "\\".join(readers.escape(name) for name in path)


def index(records):
    """Keys as an ordered set, values by (path, name, how many of that name came before)."""
    keys, values = {}, {}
    for record in records:
        if record[0] == "K":
            keys[record[1]] = None
            continue
        _, path, name, kind, digest = record
        nth = 0
        while (path, name, nth) in values:
            nth += 1
        values[path, name, nth] = {"type": kind, "sha256": digest}
    return keys, values


def attributes(path):
    """Per key what only our own reader tells: {path: (time, {class, flags, security})}."""
    hive = regf.Hive(regf.read(path))
    out = {}
    for names, key in hive.walk():
        descriptor = hive.descriptor(key)
        out[names] = key.timestamp, {
            "class": readers.escape(hive.class_name(key)),
            "flags": key.flags,
            "user_flags": key.user,
            "security": None if descriptor is None else readers.digest(descriptor),
        }
    return out


def compare(before, after, reader="regf"):
    old_keys, old_values = index(readers.records(reader, before))
    new_keys, new_values = index(readers.records(reader, after))

    def listed(values, others):
        return [dict(key=joined(path), name=readers.escape(name), **what)
                for (path, name, nth), what in values.items()
                if (path, name, nth) not in others]

    result = {
        "reader": reader,
        "keys_added": [joined(path) for path in new_keys if path not in old_keys],
        "keys_removed": [joined(path) for path in old_keys if path not in new_keys],
        "values_added": listed(new_values, old_values),
        "values_removed": listed(old_values, new_values),
        "values_changed": [
            {"key": joined(where[0]), "name": readers.escape(where[1]),
             "before": what, "after": new_values[where]}
            for where, what in old_values.items()
            if where in new_values and new_values[where] != what],
    }
    if reader == "regf":
        old, new = attributes(before), attributes(after)
        both = [path for path in old if path in new]
        result["keys_touched"] = [joined(path) for path in both if old[path][0] != new[path][0]]
        result["keys_changed"] = [
            {"key": joined(path), "before": old[path][1], "after": new[path][1]}
            for path in both if old[path][1] != new[path][1]]
    return result


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("before")
    parser.add_argument("after")
    parser.add_argument("--reader", choices=readers.READERS, default="regf")
    args = parser.parse_args(argv)
    try:
        json.dump(compare(args.before, args.after, args.reader), sys.stdout, indent=1)
        print()
    except (readers.Rejected, regf.RegfError) as error:
        print("changes.py: %s" % error, file=sys.stderr)
        return 1
    except readers.Unavailable as error:
        print("changes.py: %s" % error, file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
