"""Network devices and appliances as their SSH servers behave, on AsyncSSH: a command line of their own instead of a shell.

usage: device.py ADDRESS PORT HOST_KEY_FILE AUTHORIZED_KEYS_FILE KIND [SECONDS]

The kinds are the classes below that have a docstring. SECONDS is the exec-timeout: a session ends after so long without typed input,
which keepalives are not.
"""

import asyncio
import logging
import sys

import asyncssh

# The folder belongs to the sources.
sys.dont_write_bytecode = True
import asyncssh_server


class Session(asyncssh.SSHServerSession):
    """A session of the command line: `answer` is what a command prints, and its exit status."""

    banner, prompt, takes_exec, takes_shell, takes_pty = "", "device>", True, True, True
    last_words = ""

    def __init__(self, device):
        self.device, self.line, self.timer, self.on_terminal = device, "", None, False

    def connection_made(self, chan):
        self.chan = chan
        chan.set_encoding("utf-8", "replace")

    def connection_lost(self, exc):
        self.device.sessions -= 1
        if self.timer:
            self.timer.cancel()

    def pty_requested(self, *terminal):
        self.on_terminal = True
        return self.takes_pty

    def exec_requested(self, command):
        self.command = command
        return self.takes_exec

    def shell_requested(self):
        self.command = None
        return self.takes_shell

    def session_started(self):
        self.wind()
        if self.command is None:
            self.chan.write(self.banner + self.prompt)
        else:
            self.execute(self.command)

    def execute(self, command):
        text, status = self.answer(command)
        self.chan.write(text)
        self.leave(status)

    def leave(self, status):
        self.chan.exit(status)

    def data_received(self, data, datatype):
        self.wind()
        for letter in data:
            if letter in "\r\n":
                self.typed(self.line.strip())
                self.line = ""
            else:
                self.line += letter
                if self.on_terminal:
                    self.chan.write(letter)

    def typed(self, line):
        if line in ("exit", "quit", "logout"):
            self.leave(0)
        else:
            self.chan.write("\r\n" + (self.answer(line)[0] if line else "") + self.prompt)

    def eof_received(self):
        self.leave(0)
        return False

    def wind(self):
        if self.timer:
            self.timer.cancel()
        if self.device.exec_timeout:
            self.timer = asyncio.get_running_loop().call_later(self.device.exec_timeout, self.time_out)

    def time_out(self):
        self.chan.write(self.last_words)
        self.leave(0)

    def answer(self, command):
        return "", 0


class Ios(Session):
    """A Cisco router: one session for each connection, which ends with it."""

    prompt = "\r\nrouter1>"

    def answer(self, command):
        if command == "show clock":
            return "\r\n*09:11:02.511 UTC Thu Nov 26 2026\r\n", 0
        if self.command is not None:
            return f'\r\nLine has invalid autocommand "{command}"', 0
        return "              ^\r\n% Invalid input detected at '^' marker.\r\n", 0

    def leave(self, status):
        self.chan.exit(status)
        self.device.conn.close()


class InvalidInput(Session):
    """A switch that says what is wrong with a command and ends with an error."""

    prompt = "switch1>"

    def answer(self, command):
        if command.startswith("show"):
            return "\r\n", 0
        return f"% Invalid input (at token 0: '{command.split()[0]}')\r\n", 1


class Nxos(Session):
    """A switch with a command line that has `echo`, and no POSIX shell."""

    prompt = "nexus# "

    def answer(self, command):
        if command.startswith("echo "):
            return command[5:] + "\n", 0
        return f"Syntax error while parsing '{command}'\r\n\r\n\r\nCmd exec error.\r\n", 16


class Junos(Session):
    """A router whose command line ends with status 0 whatever it is asked."""

    banner, prompt = "--- JUNOS 21.4R3 built\r\n", "me@router> "

    def answer(self, command):
        return f"\r\nerror: unknown command: {command.split()[0]}\r\n", 0


class RouterOs(Session):
    """A router whose error has no line end, and which ends without a status."""

    prompt = "[me@router] > "

    def answer(self, command):
        return f"bad command name {command.split()[0]} (line 1 column 1)", 0

    def leave(self, status):
        self.chan.close()


class Unlisted(Session):
    """A device that nobody has written down: it knows no such command and says so in words of its own."""

    prompt = "ACME> "

    def answer(self, command):
        return f"ACME-17: no such verb '{command.split()[0]}'\r\n", 4


class ShellOnly(Session):
    """A device that refuses exec, and has a prompt."""

    banner, takes_exec, prompt = "Welcome to the console\r\n", False, "console# "


class OneConsole(ShellOnly):
    """A console with one session for each connection: another one is refused."""

    def __init__(self, device):
        super().__init__(device)
        device.is_taken = True


class FirstSessionOnly(Session):
    """A device built on a library, as those on Paramiko are: its command line serves the first session of a connection, and nobody those after."""

    takes_exec = False

    def __init__(self, device):
        super().__init__(device)
        self.is_first, device.is_taken = not device.is_taken, True

    def session_started(self):
        if self.is_first:
            super().session_started()


class FirstSftpOnly(Session):
    """A file store whose sftp server serves the first session of a connection, and refuses all requests in those after, as libssh's example does."""

    takes_exec = takes_shell = takes_pty = False
    refuses_more = True

    def __init__(self, device):
        super().__init__(device)
        self.is_first, device.is_taken, self.unread = not device.is_taken, True, b""

    def connection_made(self, chan):
        self.chan = chan
        chan.set_encoding(None)

    def subsystem_requested(self, subsystem):
        return subsystem == "sftp" and (self.is_first or not self.refuses_more)

    def session_started(self):
        pass

    def data_received(self, data, datatype):
        self.unread += data
        while self.is_first and len(self.unread) >= 4:
            end = 4 + int.from_bytes(self.unread[:4], "big")
            if len(self.unread) < end:
                return
            packet, self.unread = self.unread[4:end], self.unread[end:]
            self.chan.write(sftp_answer(packet))


def sftp_answer(packet):
    """The version for INIT, and for any request that there is no such file (draft-ietf-secsh-filexfer-02, sections 4 and 7)."""
    init, version, status, no_such_file, empty = 1, 2, 101, (2).to_bytes(4, "big"), bytes(4)
    answer = [bytes([version]), (3).to_bytes(4, "big")]
    if packet[0] != init:
        answer = [bytes([status]), packet[1:5], no_such_file, empty, empty]
    answer = b"".join(answer)
    return len(answer).to_bytes(4, "big") + answer


class FirstSftpAnswersOnly(FirstSftpOnly):
    """A file store that accepts sftp in any session and speaks in the first one of a connection only."""

    refuses_more = False


class Unanswered(Session):
    """A program that leaves requests unanswered, as servers on russh do that handle data alone, and answers data in words of its own."""

    def exec_requested(self, command):
        self.chan.resume_reading()

    pty_requested = shell_requested = exec_requested

    def data_received(self, data, datatype):
        self.chan.write(f"Got data: {data}\r\n")


class UnansweredButSftp(FirstSftpOnly):
    """A file store that leaves all requests but that for sftp unanswered, as the example of russh-sftp does."""

    refuses_more = False

    def __init__(self, device):
        super().__init__(device)
        self.is_first = True

    def exec_requested(self, command):
        return None

    def pty_requested(self, *terminal):
        return None

    def shell_requested(self):
        return None


class EndsBeforeItAnswers(Session):
    """A program that runs, prints and ends before the request for it is answered, as with Paramiko."""

    def exec_requested(self, command):
        self.chan.write("status: 3 users\r\n")
        self.chan.exit(0)
        return True

    def session_started(self):
        """It has ended."""


class CrashesAfterIt(EndsBeforeItAnswers):
    """The same program on a server whose handler of the connection crashes once it has ended."""

    def session_started(self):
        raise RuntimeError("the session has ended")


class WithoutStatus(Session):
    """A program that prints its message and closes the session, and sends no status."""

    takes_shell = takes_pty = False

    def execute(self, command):
        self.chan.write("status: 3 users\r\n")
        self.chan.close()


class EarlyPrompt(Session):
    """A device that starts its command line before it answers the requests for a terminal and a shell."""

    takes_exec = False

    def pty_requested(self, *terminal):
        self.chan.write(self.prompt)
        return super().pty_requested(*terminal)

    def session_started(self):
        self.wind()


class SilentShell(ShellOnly):
    """A device that refuses exec, and waits for input without a prompt."""

    banner, prompt = "", ""


class ClosesCommands(Session):
    """A device that closes the session where a command is asked for, without an answer, and has a prompt."""

    def exec_requested(self, command):
        self.chan.close()
        return False


class Denies(Session):
    """A device that says to any command, in words that nobody has written down, that it may not be run."""

    def answer(self, command):
        return "RBAC permission denied.\r\n", 1


class SlowShell(ShellOnly):
    """A device that refuses exec, and has its prompt after so long that many would give up."""

    def session_started(self):
        asyncio.get_running_loop().call_later(12, super().session_started)


class ShellWithoutTerminal(Session):
    """A device that refuses exec and terminals, and has a prompt."""

    takes_exec, takes_pty, prompt = False, False, "> "


class IgnoresCommand(Session):
    """A device that takes exec for a shell: it prints its prompt and waits."""

    banner, prompt = "Last login: Thu Nov 26 08:00:12 2026\r\n\r\n", "admin@fw> "

    def execute(self, command):
        self.chan.write(self.banner + self.prompt)


class Menu(Session):
    """An appliance with a menu, also for a command."""

    banner, prompt = "1) Show status\r\n2) Reboot\r\n0) Log out\r\n", "Choice: "

    def execute(self, command):
        self.chan.write(self.banner + self.prompt)


class Full(Session):
    """A device whose sessions are used up: it lets in, says so, and ends the session."""

    def session_started(self):
        self.chan.write("\r\nCLI session limit reached. Try again later.\r\n")
        self.leave(1)


class AllLines(Session):
    """A device whose lines are used up, and which closes the session without a status."""

    def session_started(self):
        self.chan.write("% All vty lines in use\r\n")
        self.chan.close()


class Device(asyncssh.SSHServer):
    def __init__(self, session, exec_timeout):
        self.kind, self.exec_timeout, self.sessions, self.is_taken = session, exec_timeout, 0, False

    def connection_made(self, conn):
        self.conn = conn

    def begin_auth(self, username):
        return True

    def session_requested(self):
        if self.kind is Ios and self.sessions:
            self.conn.abort()
            return False
        if self.kind is OneConsole and self.is_taken:
            raise asyncssh.ChannelOpenError(asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED, "")
        self.sessions += 1
        return self.kind(self)


class OnePosixSession(asyncssh_server.Server):
    """A server with a POSIX shell that has one session for each connection and refuses another one."""

    def __init__(self):
        super().__init__(0, False)
        self.taken = False

    def connection_made(self, conn):
        self.conn = conn

    def session_requested(self):
        if self.taken:
            return self.refuse()
        self.taken = True
        process = asyncssh.process.SSHServerProcess(asyncssh_server.handle, None, 3, False)
        return self.conn.create_server_channel(None), process

    def refuse(self):
        raise asyncssh.ChannelOpenError(asyncssh.OPEN_RESOURCE_SHORTAGE, "one session only")


class DropsSecond(OnePosixSession):
    """The same, but another session ends the connection."""

    def refuse(self):
        self.conn.abort()
        raise asyncssh.ChannelOpenError(asyncssh.OPEN_RESOURCE_SHORTAGE, "")


class ForwardsOnly(asyncssh_server.Server):
    """A server that refuses every session, and forwards connections."""

    def __init__(self):
        super().__init__(0, False)

    def session_requested(self):
        return False

    def connection_requested(self, *where):
        return True


class IgnoresGlobalRequests(asyncssh_server.Server):
    """A server with a POSIX shell that answers no global request."""

    def __init__(self):
        super().__init__(0, False)

    def connection_made(self, conn):
        conn._global_request_queue = Sink()


class Sink(list):
    def append(self, request):
        pass


async def main(address, port, host_key, authorized_keys, kind, exec_timeout=0):
    kind = globals()[kind]
    if issubclass(kind, Session):
        server = {"server_factory": lambda: Device(kind, float(exec_timeout)), "line_editor": False}
    else:
        server = {"server_factory": kind, "encoding": None}
        if not issubclass(kind, (OnePosixSession, ForwardsOnly)):
            server["process_factory"] = asyncssh_server.handle
    listener = await asyncssh.listen(
        address, int(port), server_host_keys=[host_key], authorized_client_keys=authorized_keys, **server
    )
    await listener.wait_closed()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    asyncio.run(main(*sys.argv[1:]))
