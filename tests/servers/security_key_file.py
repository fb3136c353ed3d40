"""Writes the key file of a FIDO security key that nobody has, as ssh-keygen -t ed25519-sk does (PROTOCOL.key, PROTOCOL.u2f of OpenSSH).

Argument: the file; its public half goes beside it.
"""

import base64
import os
import struct
import sys

KIND, APPLICATION, USER_PRESENT, COMMENT = b"sk-ssh-ed25519@openssh.com", b"ssh:", b"\x01", b"lab"


def string(data):
    return struct.pack(">I", len(data)) + data


path = sys.argv[1]
halves = string(KIND) + string(os.urandom(32)) + string(APPLICATION)
private = bytes(8) + halves + USER_PRESENT + string(os.urandom(64)) + string(b"") + string(COMMENT)
private += bytes(range(1, 1 + -len(private) % 8))
container = b"openssh-key-v1\0" + string(b"none") + string(b"none") + string(b"") + struct.pack(">I", 1)
text = base64.encodebytes(container + string(halves) + string(private)).decode()
with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
    file.write(f"-----BEGIN OPENSSH PRIVATE KEY-----\n{text}-----END OPENSSH PRIVATE KEY-----\n")
with open(f"{path}.pub", "w") as file:
    file.write(f"{KIND.decode()} {base64.b64encode(halves).decode()} {COMMENT.decode()}\n")
