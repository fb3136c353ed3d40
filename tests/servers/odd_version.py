"""AsyncSSH's server with an identification line of this kind, which is part of the key exchange."""

import asyncio
import sys

import asyncssh

# The folder belongs to the sources.
sys.dont_write_bytecode = True
import asyncssh_server

LINES = {
    "1.99": (b"", b"SSH-1.99-Device-1.25"),
    "2.1": (b"", b"SSH-2.1-Device"),
    "greeting": (b"Welcome\r\nthis is line 2\r\n", b"SSH-2.0-Device_1.0"),
    "latin-1": (b"", "SSH-2.0-Device_1.0 für".encode("latin-1")),
    "long": (b"", b"SSH-2.0-" + b"x" * 300),
    "no-software": (b"", b"SSH-2.0-"),
    "nul": (b"", b"SSH-2.0-Device\0"),
    "3.0": (b"", b"SSH-3.0-Device"),
    "old-dropbear": (b"", b"SSH-2.0-dropbear_2016.74"),
}


class Forwards(asyncssh_server.Server):
    """Forwards to any port, and opens no port of its own choice, as dropbear before 2018.76."""

    def __init__(self):
        super().__init__(0, False)

    def connection_requested(self, *where):
        return True


def speak_as(kind):
    greeting, version = LINES[kind]

    def send_version(conn):
        conn._server_version = version
        conn._send(greeting + version + b"\r\n")

    asyncssh.connection.SSHConnection._send_version = send_version


if __name__ == "__main__":
    *where, kind = sys.argv[1:]
    speak_as(kind)
    forwards = {"server_factory": Forwards} if kind == "old-dropbear" else {}
    asyncio.run(asyncssh_server.main(*where, **forwards))
