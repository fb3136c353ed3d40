"""Runs a command at a terminal of its own, and types an answer whenever it waits behind a question; its standard output is ours.

Arguments: the answers, in order; `--`; the command. What the terminal showed goes to standard error. Each question ends in a colon.
"""

import os
import pty
import re
import select
import sys

QUESTION = re.compile(rb"[:)?] *$")


def main(arguments):
    at = arguments.index("--")
    answers, command = arguments[:at], arguments[at + 1 :]
    output = os.dup(1)
    child, terminal = pty.fork()
    if child == 0:
        os.dup2(output, 1)
        os.execvp(command[0], command)
    shown, answered = b"", 0
    while True:
        readable, _, _ = select.select([terminal], [], [], 0.3)
        if readable:
            try:
                shown += os.read(terminal, 65536)
            except OSError:
                break  # the terminal of a child that has ended
        elif answers and QUESTION.search(shown[answered:]):
            answered = len(shown)
            os.write(terminal, answers.pop(0).encode() + b"\n")
    sys.stderr.write(shown.decode(errors="replace") + "".join(f"\nnot asked for: {answer}" for answer in answers))
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


main(sys.argv[1:])
