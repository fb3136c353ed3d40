"""Gives each connection to an sshd of its own (`sshd -i`), one after the other: the others wait in the kernel's queue, which is short."""

import socket
import subprocess
import sys

QUEUE = 3

address, port, sshd, config = sys.argv[1:]
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind((address, int(port)))
listener.listen(QUEUE)
while True:
    connection, _ = listener.accept()
    with connection:
        subprocess.run([sshd, "-i", "-e", "-f", config], stdin=connection, stdout=connection)
