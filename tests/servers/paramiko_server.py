"""A Paramiko SSH server, as a program that embeds Paramiko has it: publickey logins, commands, shells, terminals, and sftp.

usage: paramiko_server.py ADDRESS PORT HOST_KEY_FILE AUTHORIZED_KEYS_FILE

It runs commands with /bin/sh as the user it runs as, forwards nothing, and kills a session's processes when its channel
is gone. A thread a connection, and one for each direction of a session: that is how Paramiko is used.
"""

import base64
import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading

import paramiko


class Server(paramiko.ServerInterface):
    def __init__(self, keys):
        self.keys = keys

    def get_allowed_auths(self, username):
        return "publickey"

    def check_auth_publickey(self, username, key):
        known = key.asbytes() in self.keys
        return paramiko.AUTH_SUCCESSFUL if known else paramiko.AUTH_FAILED

    def check_channel_request(self, kind, chanid):
        session = kind == "session"
        return paramiko.OPEN_SUCCEEDED if session else paramiko.OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED

    def check_channel_pty_request(self, *terminal):
        return True

    def check_channel_shell_request(self, channel):
        start(channel, ["/bin/sh"])
        return True

    def check_channel_exec_request(self, channel, command):
        start(channel, ["/bin/sh", "-c", command])
        return True


def start(channel, command):
    threading.Thread(target=run, args=(channel, command), daemon=True).start()


def run(channel, command):
    pipe = subprocess.PIPE
    child = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True, bufsize=0)
    threading.Thread(target=feed, args=(channel, child), daemon=True).start()
    errors = threading.Thread(target=pump, args=(child.stderr, channel.sendall_stderr), daemon=True)
    errors.start()
    pump(child.stdout, channel.sendall)
    errors.join()
    status = child.wait()
    with contextlib.suppress(OSError, EOFError):
        channel.send_exit_status(status if status >= 0 else 128 - status)
    channel.close()


def pump(output, send):
    with contextlib.suppress(OSError):
        while data := output.read(32768):
            send(data)


def feed(channel, child):
    """Passes the client's data on until its end, and ends what runs once nobody can be there any more."""
    with contextlib.suppress(OSError):
        while data := channel.recv(32768):
            child.stdin.write(data)
    child.stdin.close()
    if channel.closed or not channel.get_transport().is_active():
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)


def serve(connection, host_key, server):
    transport = paramiko.Transport(connection)
    transport.add_server_key(host_key)
    transport.set_subsystem_handler("sftp", paramiko.SFTPServer)
    channels = []
    with contextlib.suppress(paramiko.SSHException, EOFError, OSError):
        transport.start_server(server=server)
    while transport.is_active():
        # A channel that nobody holds is closed by the garbage collector.
        channels.append(transport.accept(1))


def main(address, port, host_key, authorized_keys, server=Server, serve=serve):
    with open(authorized_keys) as lines:
        keys = {base64.b64decode(line.split()[1]) for line in lines if line.strip()}
    host_key = paramiko.Ed25519Key(filename=host_key)
    listener = socket.create_server((address, int(port)))
    while True:
        connection, peer = listener.accept()
        print("connection from", peer[0], "port", peer[1], flush=True)
        threading.Thread(target=serve, args=(connection, host_key, server(keys)), daemon=True).start()


if __name__ == "__main__":
    main(*sys.argv[1:])
