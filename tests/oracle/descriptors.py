#!/usr/bin/env python3
"""Descriptors of all keys as independent readers see them: path (UTF-16LE) and descriptor in hexadecimal,
a line a key; names may hold anything, line ends included.

    descriptors.py regf HIVE              our own second reader, regf.py
    descriptors.py python-registry HIVE   exit 3 where it is not installed
"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))


def regf(path):
    import regf
    with open(path, "rb") as file:
        hive = regf.Hive(file.read())
    todo = [(hive.root(), "")]
    while todo:
        key, at = todo.pop()
        yield at, hive.descriptor(key)
        for child in hive.subkeys(key):
            child = hive.key(child)
            todo.append((child, at + "\\" + child.name))


def python_registry(path):
    try:
        from Registry import Registry
    except ImportError:
        sys.exit(3)
    todo = [(Registry.Registry(path).root(), "")]
    while todo:
        key, at = todo.pop()
        record = key._nkrecord.sk_record()
        length = record.unpack_dword(0x10)
        yield at, bytes(record.unpack_binary(0x14, length))
        todo.extend((child, at + "\\" + child.name()) for child in key.subkeys())


def main(arguments):
    reader, path = arguments
    for at, descriptor in {"regf": regf, "python-registry": python_registry}[reader](path):
        name = at.encode("utf-16-le", "surrogatepass").hex()
        print(name or "-", descriptor.hex() if descriptor is not None else "-")


if __name__ == "__main__":
    main(sys.argv[1:])
