"""Samba's answers to questions about descriptors: one JSON object a line in, one out."""

import json
import sys

from samba import security as checks
from samba.dcerpc import security
from samba.ndr import ndr_pack, ndr_unpack

MAXIMUM_ALLOWED = 0x02000000


def encode(question):
    """SDDL to bytes."""
    domain = security.dom_sid(question["domain"])
    return ndr_pack(security.descriptor.from_sddl(question["sddl"], domain)).hex()


def show(question):
    """Bytes to SDDL."""
    return ndr_unpack(security.descriptor, bytes.fromhex(question["hex"])).as_sddl()


def access(question):
    """All that a token with these SIDs is granted."""
    descriptor = ndr_unpack(security.descriptor, bytes.fromhex(question["hex"]))
    token = security.token()
    token.sids = [security.dom_sid(sid) for sid in question["sids"]]
    token.num_sids = len(question["sids"])
    return checks.access_check(descriptor, token, MAXIMUM_ALLOWED)


for line in sys.stdin:
    question = json.loads(line)
    try:
        answer = {"answer": globals()[question["ask"]](question)}
    except Exception as error:  # Samba raises whatever its libraries raise: that is the answer.
        answer = {"refused": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer))
