"""paramiko with its log at DEBUG; the arguments of every client here: HOST PORT USER KEY KNOWN_HOSTS COMMAND."""

import os
import sys

import paramiko

host, port, user, key, known_hosts, command = sys.argv[1:7]
paramiko.util.log_to_file(f"/proc/{os.getpid()}/fd/2", "DEBUG")
client = paramiko.SSHClient()
if os.path.exists(known_hosts):
    client.load_host_keys(known_hosts)
options = {"key_filename": key} if key != "-" else {}
if "PASSWORD" in os.environ:
    options["password"] = os.environ["PASSWORD"]
client.connect(
    host, int(port), user, timeout=5, banner_timeout=5, auth_timeout=5, look_for_keys=False, allow_agent=False, **options
)
if interval := os.environ.get("KEEPALIVE"):
    client.get_transport().set_keepalive(int(interval))
if command == "sftp":
    print(client.open_sftp().listdir("/"))
elif command.startswith("forward "):
    where, there = command.split()[1].rsplit(":", 1)
    channel = client.get_transport().open_channel("direct-tcpip", (where, int(there)), ("127.0.0.1", 1))
    print(channel.recv(64))
else:
    stdin, stdout, stderr = client.exec_command(command, timeout=float(os.environ.get("WAIT", "10")))
    print(stdout.read(), stderr.read(), stdout.channel.recv_exit_status())
