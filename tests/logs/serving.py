"""Real servers: what each side writes when they do not agree."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import lab
from clients import CLIENTS, Target, config
from lab import HOME, HOST, NAME, Case, Sshd, Syslog
from scenes import SERVERS, is_wanted

# How the server's log is written, in turn.
STYLES = ["syslog", "iso", "journal"]


def from_servers(take):
    syslog = Syslog()
    for number, (what, servers, clients, settings, changes) in enumerate(SERVERS):
        if is_wanted(what):
            one(take, syslog, STYLES[number % len(STYLES)], what, servers, clients, settings, changes)


def one(take, syslog, style, what, servers, clients, settings, changes):
    user = changes.get("user", "alice")
    if "limits" in changes:
        Path("/home/.etc/limits").write_text(changes["limits"])
    server = Sshd(settings, tree=changes.get("tree"), pam=changes.get("pam"), keys=("ed25519", "rsa"))
    target = Target(NAME, server.port, user, known="" if changes.get("unknown") else server.known())
    for name in ("key", "password", "command", "options", "port"):
        if name in changes:
            target = target.with_(**{name: changes[name]})
    own = Path(f"/home/{user}/.ssh/authorized_keys")
    before = own.read_text() if own.exists() else None
    if "authorized" in changes:
        lab.authorize(user, "".join(changes["authorized"] + line for line in before.splitlines(True)))
    subprocess.run(["sh", "-c", changes.get("before", "true")], check=True)
    held = [opened(server.port) for _ in range(changes.get("hold", 0))]
    syslog.taken(style)
    for _ in range(changes.get("failures", 0)):
        CLIENTS["ssh"](target.with_(key=str(HOME / ".ssh/other")))
    if "idle_tcp" in changes:
        held.append(opened(server.port))
        time.sleep(changes["idle_tcp"])
    if "stopped" in changes:
        stopped(target, changes["stopped"])
    if "display" in changes:
        os.environ["DISPLAY"] = changes["display"]
    ran = [(name, CLIENTS[name](target.with_(wait=10))) for name in changes.get("clients", ["ssh"])]
    for name, text in ran:
        if clients is not None and text:
            take(clients, f"{name}-sshd-{what}", text)
    os.environ.pop("DISPLAY", None)
    subprocess.run(["sh", "-c", changes.get("after", "true")], check=True)
    for connection in held:
        connection.close()
    if "authorized" in changes:
        lab.authorize(user, before)
    written = syslog.taken(style)
    server.end()
    if servers is not None:
        take(servers, f"server-{style}-{what}", written)


def opened(port):
    connection = socket.create_connection((HOST, port))
    connection.recv(64)
    return connection


def stopped(target, seconds):
    """A client that is stopped, as on a suspended laptop."""
    config(target)
    process = subprocess.Popen(["ssh", "db", "sleep 60"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(1)
    process.send_signal(signal.SIGSTOP)
    time.sleep(seconds)
    process.kill()
    process.wait()


def from_starts(take):
    """Servers that do not start."""
    folder = Path("/home/.sshd")
    folder.mkdir(exist_ok=True)
    taken = socket.create_server((HOST, 2222))
    starts = [
        ("port-taken", ["HostKey /home/.sshd/ssh_host_ed25519_key"], []),
        ("no-host-keys", ["HostKey /home/.sshd/missing"], []),
        ("bad-option", ["PermitRootLogins yes"], []),
        ("bad-value", ["PermitRootLogin maybe"], []),
        ("key-readable", ["HostKey /home/.sshd/readable"], []),
        ("no-privsep-folder", ["HostKey /home/.sshd/ssh_host_ed25519_key"], ["mv", "/run/sshd", "/run/gone"]),
    ]
    if not (folder / "readable").exists():
        lab.keygen(folder / "readable", "-t", "ed25519")
        os.chmod(folder / "readable", 0o644)
    for what, settings, before in starts:
        if not is_wanted(what):
            continue
        if before:
            lab.run(*before)
        (folder / "sshd_config").write_text("\n".join([f"Port 2222\nListenAddress {HOST}\nPidFile none", *settings]) + "\n")
        ended = subprocess.run(["/usr/sbin/sshd", "-D", "-e", "-f", folder / "sshd_config"], capture_output=True, timeout=5)
        take("server-start-failed", f"sshd-{what}", ended.stderr.decode())
        if before:
            lab.run("mv", before[2], before[1])
    taken.close()


# Networks and servers that end what is idle: the case, the code, how long a session idles, its keepalive, the clients.
IDLE = [
    ("silent-drop", "network-outage", 30, 9, ["ssh-v", "net-ssh", "node-ssh2"]),
    ("reset-at-expiry", "idle-silent-drop", 8, None, ["ssh", "ssh-v", "ssh10-v"]),
    ("reset-at-expiry", "idle-reset", 8, None, ["paramiko", "asyncssh", "node-ssh2", "libssh"]),
    ("reset-at-expiry", "exit-without-status", 8, None, ["go"]),
    ("closed-by-proxy", "idle-closed", 8, None, ["ssh", "ssh-v", "asyncssh"]),
    ("server-disconnects", "idle-server-disconnect", 8, None, ["ssh", "ssh-v", "paramiko", "asyncssh", "plink"]),
]


def from_time(take):
    for name, code, seconds, keepalive, clients in IDLE:
        for client in clients if is_wanted(name) else []:
            case = Case(name)
            host = case.host.strip("[]")
            target = Target(host, case.port, case.user, case.key, case.known(), None, f"sleep {seconds}")
            text = CLIENTS[client](target.with_(keepalive=keepalive, wait=seconds + 8))
            case.end()
            if text:
                take(code, f"{client}-{name}", text)
