"""Runs the command that ssh asks for (as a ForceCommand), and moves its input and output in turns, as some servers do: what comes in is
written to the command first, and its output is not read before nothing has come for a while, however busy this machine is. A command that
writes as it reads comes to a halt so."""

import os
import select
import subprocess
import sys

CHUNK = 65536
QUIET_S = 0.1

command = subprocess.Popen(
    ["sh", "-c", os.environ["SSH_ORIGINAL_COMMAND"]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
)
sources = [0, command.stdout.fileno()]
while command.stdout.fileno() in sources:
    ready = select.select([0], [], [], QUIET_S)[0] if 0 in sources else []
    if not ready:
        ready, _, _ = select.select(sources, [], [])
    if 0 in ready:
        data = os.read(0, CHUNK)
        if data:
            command.stdin.write(data)
        else:
            sources.remove(0)
            command.stdin.close()
        continue
    data = os.read(command.stdout.fileno(), CHUNK)
    if not data:
        break
    os.write(1, data)
sys.exit(command.wait())
