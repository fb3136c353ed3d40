"""A Paramiko SSH server that leaves requests unanswered, as embedded servers and examples of libraries do; commands run on it all the same.

usage: quiet_server.py ADDRESS PORT HOST_KEY_FILE AUTHORIZED_KEYS_FILE KIND...

The kinds are what it leaves out:

replies      every reply: to global requests, and to requests of channels, commands among them
global       replies to global requests
later-opens  the answer to every channel but the first of a connection
subsystems   the reply to a subsystem
turns        all further connections, until the one before has ended: the kernel accepts them
hollow       it does not forward: a channel to a port is confirmed and closed, or, with `held`, confirmed and left open
tunnels      it refuses every session as prohibited: it is there for forwarding
late         the reply to a command comes after the output of the command, as it does at times where each runs in a thread of its own
echo         its only program sends back what it reads, whatever is asked for
"""

import contextlib
import sys
import threading
import time

import paramiko

# The folder belongs to the sources.
sys.dont_write_bytecode = True
import paramiko_server

# Numbers of messages (RFC 4250 section 4.1.2).
OPENS = {91, 92}
GLOBAL = {81, 82}
OF_CHANNELS = {99, 100}
# By then a command has printed its first output.
LATE_S = 1


class QuietTransport(paramiko.Transport):
    """Withholds packets of these kinds."""

    kinds, opens, skips_next = (), 0, False

    def is_withheld(self, message):
        number = message.asbytes()[0]
        if number in OPENS:
            self.opens += 1
            return "later-opens" in self.kinds and self.opens > 1
        if number in GLOBAL:
            return "replies" in self.kinds or "global" in self.kinds
        if number in OF_CHANNELS:
            skips, self.skips_next = self.skips_next, False
            return "replies" in self.kinds or skips
        return False

    def _send_message(self, message):
        if not self.is_withheld(message):
            super()._send_message(message)

    def _send_user_message(self, message):
        if not self.is_withheld(message):
            super()._send_user_message(message)


class Server(paramiko_server.Server):
    kinds, forwarded = (), ()

    def check_channel_request(self, kind, chanid):
        if "tunnels" in self.kinds:
            return paramiko.OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED
        return super().check_channel_request(kind, chanid)

    def check_channel_direct_tcpip_request(self, chanid, origin, destination):
        if "hollow" not in self.kinds:
            return paramiko.OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED
        self.forwarded = {*self.forwarded, chanid}
        return paramiko.OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel, command):
        if "echo" not in self.kinds:
            accepted = super().check_channel_exec_request(channel, command)
            if "late" in self.kinds:
                # The reply has to come after the command's first output: that order is what the test needs.
                time.sleep(LATE_S)
            return accepted
        threading.Thread(target=echo, args=(channel,), daemon=True).start()
        return True

    def check_channel_shell_request(self, channel):
        return self.check_channel_exec_request(channel, "/bin/sh")

    def check_channel_subsystem_request(self, channel, name):
        channel.transport.skips_next = "subsystems" in self.kinds
        return False


def echo(channel):
    channel.sendall(b"An echo server\r\n")
    with contextlib.suppress(OSError):
        while data := channel.recv(32768):
            channel.sendall(data)
        # It goes on at the end of its input.


def serve(connection, host_key, server):
    transport = QuietTransport(connection)
    transport.kinds = server.kinds = sys.argv[5:]
    transport.add_server_key(host_key)
    with contextlib.suppress(paramiko.SSHException, EOFError, OSError):
        transport.start_server(server=server)
    channels = []
    while transport.is_active():
        # A channel that nobody holds is closed by the garbage collector.
        channels.append(transport.accept(1))
        if channels[-1] and channels[-1].chanid in server.forwarded and "held" not in server.kinds:
            channels[-1].close()


TURNS = threading.Lock()


def serve_in_turns(*of_connection):
    with TURNS:
        serve(*of_connection)


if __name__ == "__main__":
    paramiko_server.main(*sys.argv[1:5], Server, serve_in_turns if "turns" in sys.argv[5:] else serve)
