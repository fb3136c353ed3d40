"""An agent with one FIDO security key made of software: it signs as the hardware does (PROTOCOL.u2f of OpenSSH).

Arguments: its socket, the file that its public key is written to (and each touch to one beside it), and `touched` or `untouched`: without a touch a security key
does not sign, and the agent says no more than that it failed.
"""

import base64
import hashlib
import socket
import struct
import sys
import threading

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

FAILURE, REQUEST_IDENTITIES, IDENTITIES_ANSWER, SIGN_REQUEST, SIGN_RESPONSE = 5, 11, 12, 13, 14
KIND, APPLICATION, USER_PRESENT = b"sk-ssh-ed25519@openssh.com", b"ssh:", 1

key = Ed25519PrivateKey.generate()
counter = 0


def string(data):
    return struct.pack(">I", len(data)) + data


def strings(data):
    while len(data) >= 4:
        length = struct.unpack_from(">I", data)[0]
        yield data[4 : 4 + length]
        data = data[4 + length :]


public = string(KIND) + string(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)) + string(APPLICATION)


def sign(data):
    global counter
    counter += 1
    presence = struct.pack(">BI", USER_PRESENT, counter)
    signed = hashlib.sha256(APPLICATION).digest() + presence + hashlib.sha256(data).digest()
    return string(KIND) + string(key.sign(signed)) + presence


def answer(request, touched):
    if request[0] == REQUEST_IDENTITIES:
        return struct.pack(">BI", IDENTITIES_ANSWER, 1) + string(public) + string(b"a security key")
    if request[0] == SIGN_REQUEST and touched:
        asked, data = list(strings(request[1:]))[:2]
        if asked == public:
            with open(sys.argv[2] + ".touches", "a") as file:
                file.write("touched\n")
            return bytes([SIGN_RESPONSE]) + string(sign(data))
    return bytes([FAILURE])


def serve(connection, touched):
    with connection, connection.makefile("rwb") as stream:
        while len(head := stream.read(4)) == 4:
            stream.write(string(answer(stream.read(struct.unpack(">I", head)[0]), touched)))
            stream.flush()


def main(path, public_file, mood):
    with open(public_file, "w") as file:
        file.write(f"{KIND.decode()} {base64.b64encode(public).decode()} a security key\n")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    print("ready", flush=True)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(connection, mood == "touched"), daemon=True).start()


main(*sys.argv[1:])
