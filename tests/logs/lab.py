"""A machine of its own: namespaces, accounts, a syslog and servers that leave nothing on the real one."""

import os
import re
import socket
import subprocess
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
HOME = Path("/home/ops")
PASSWORD = "correct horse"
HOST = "192.0.2.10"
NAME = "db.example"
# Accounts of the server: name, lock or password, the rest of shadow(5), shell.
ACCOUNTS = [
    ("alice", "hash", "19000:0:99999:7:::", "/bin/bash"),
    ("bob", "!hash", "19000:0:99999:7:::", "/bin/bash"),
    ("carol", "hash", "19000:0:99999:7::18000:", "/bin/bash"),
    ("dave", "hash", "0:0:99999:7:::", "/bin/bash"),
    ("nia", "hash", "19000:0:99999:7:::", "/usr/sbin/nologin"),
    ("max", "hash", "19000:0:99999:7:::", "/bin/missing"),
    ("demo", "hash", "19000:0:99999:7:::", "/bin/bash"),
]


def run(*command, **options):
    return subprocess.run([str(part) for part in command], check=True, **options)


def become():
    """Goes on in namespaces for mounts, the network and the host name."""
    if "SSH_DOCTOR_LOGS" not in os.environ:
        os.environ["SSH_DOCTOR_LOGS"] = "1"
        os.execvp("unshare", ["unshare", "--mount", "--net", "--uts", "--kill-child", "--fork", *sys_argv()])
    run("hostname", "web1")
    run("ip", "link", "set", "lo", "up")
    for address in (HOST, "192.0.2.20", "2001:db8::10"):
        run("ip", "address", "add", address, "dev", "lo", *(["nodad"] if ":" in address else []))
    run("ip", "route", "add", "unreachable", "192.0.2.66")
    run("ip", "route", "add", "unreachable", "default")
    drops = "table inet sick {\n chain in {\n type filter hook input priority 0\n tcp dport 2201 drop\n }\n}\n"
    run("nft", "-f", "-", input=drops.encode())
    accounts()
    run("mount", "-t", "tmpfs", "tmpfs", "/run")
    for folder in ("/run/sshd", "/run/lock"):
        os.makedirs(folder, mode=0o755)
    devices()


def sys_argv():
    import sys

    return [sys.executable, *sys.argv]


def put(path, text, mode=0o644):
    """A file that only this mount namespace has in place of the machine's."""
    copy = Path("/home/.etc") / path.strip("/").replace("/", "_")
    copy.parent.mkdir(exist_ok=True)
    copy.write_text(text)
    copy.chmod(mode)
    run("mount", "--bind", copy, path)


def accounts():
    run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/home")
    made = subprocess.run(["openssl", "passwd", "-6", PASSWORD], capture_output=True, text=True, check=True)
    passwd = Path("/etc/passwd").read_text().replace(":/root:", f":{HOME}:")
    shadow, group = Path("/etc/shadow").read_text(), Path("/etc/group").read_text()
    for number, (name, secret, rest, shell) in enumerate(ACCOUNTS, 4001):
        passwd += f"{name}:x:{number}:{number}::/home/{name}:{shell}\n"
        shadow += f"{name}:{secret.replace('hash', made.stdout.strip())}:{rest}\n"
        group += f"{name}:x:{number}:\n"
        os.makedirs(f"/home/{name}/.ssh", mode=0o700)
        run("chown", "-R", f"{number}:{number}", f"/home/{name}")
        os.chmod(f"/home/{name}", 0o755)
    put("/etc/passwd", passwd)
    put("/etc/shadow", shadow, 0o640)
    put("/etc/group", group)
    put("/etc/hosts", f"127.0.0.1 localhost\n{HOST} {NAME} db web1\n192.0.2.20 old.example\n")
    put("/etc/resolv.conf", "nameserver 127.0.0.1\n")
    (HOME / ".ssh").mkdir(parents=True, mode=0o700)
    for kind in ("ed25519", "rsa"):
        options = ["-m", "PEM", "-b", "2048"] if kind == "rsa" else []
        keygen(HOME / ".ssh" / f"id_{kind}", "-t", kind, *options)
    keygen(HOME / ".ssh/other", "-t", "ed25519")
    keygen(HOME / ".ssh/other_rsa", "-t", "rsa", "-m", "PEM", "-b", "2048")
    for name, *_ in ACCOUNTS:
        authorize(name, (HOME / ".ssh/id_ed25519.pub").read_text() + (HOME / ".ssh/id_rsa.pub").read_text())


def share(tree):
    """Has a tree of another release see the same accounts, homes and devices."""
    for path in ("/home", "/dev", "/proc", "/run", "/etc/passwd", "/etc/shadow", "/etc/group", "/etc/hosts"):
        if not Path(f"{tree}{path}").exists():
            Path(f"{tree}{path}").touch()
        run("mount", "--rbind", path, f"{tree}{path}")


def keygen(path, *options):
    path.parent.mkdir(parents=True, exist_ok=True)
    run("ssh-keygen", "-q", "-N", "", "-C", "", "-f", path, *options)


def authorize(name, lines):
    path = Path(f"/home/{name}/.ssh/authorized_keys")
    path.write_text(lines)
    os.chmod(path, 0o600)
    run("chown", f"{name}:", path)


def devices():
    """A /dev of our own, so that /dev/log can be ours."""
    new = Path("/home/.dev")
    new.mkdir()
    run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", new)
    for name in ("null", "zero", "full", "random", "urandom", "tty", "fuse"):
        if Path("/dev", name).exists():
            run("cp", "-a", f"/dev/{name}", new / name)
    for name in ("pts", "shm"):
        (new / name).mkdir()
    run("mount", "-t", "devpts", "-o", "newinstance,ptmxmode=0666,mode=620", "devpts", new / "pts")
    (new / "ptmx").symlink_to("pts/ptmx")
    (new / "fd").symlink_to("/proc/self/fd")
    run("mount", "--move", new, "/dev")


class Syslog:
    """Collects what is sent to /dev/log, as rsyslog would write it."""

    def __init__(self):
        self.lines = []
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("/dev/log")
        os.chmod("/dev/log", 0o666)
        threading.Thread(target=self.collect, daemon=True).start()

    def collect(self):
        while True:
            text = self.socket.recv(65536).decode(errors="replace").rstrip("\0\n")
            # <38>Nov 20 10:00:00 sshd[123]: message
            stamped = re.match(r"<\d+>(\w{3} [ \d]\d \d\d:\d\d:\d\d) (.*)", text, re.S)
            if stamped:
                self.lines.append((time.time(), stamped[1], stamped[2]))

    def taken(self, style):
        """The lines so far, in the style of a log file, and none the next time."""
        time.sleep(0.3)
        lines, self.lines = self.lines, []
        write = {
            "syslog": lambda at, stamp, text: f"{stamp} web1 {text}",
            "iso": lambda at, stamp, text: iso(at) + f" web1 {text}",
            "journal": lambda at, stamp, text: journal(at, text),
        }[style]
        return "".join(write(*line) + "\n" for line in lines)


def iso(at):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)) + f".{int(at % 1 * 1e6):06}+00:00"


def journal(at, text):
    import json

    ident, pid, message = re.match(r"([^\[:]+)(?:\[(\d+)\])?: (.*)", text, re.S).groups()
    fields = {"__REALTIME_TIMESTAMP": str(int(at * 1e6)), "_HOSTNAME": "web1", "SYSLOG_IDENTIFIER": ident}
    return json.dumps({**fields, "_PID": pid or "1", "_SYSTEMD_UNIT": "ssh.service", "MESSAGE": message})


class Sshd:
    """A real sshd with these lines of sshd_config."""

    def __init__(self, settings=(), tree=None, port=2222, keys=("ed25519",), pam=None, options=(), quiet=True):
        folder = Path("/home/.sshd")
        folder.mkdir(exist_ok=True)
        lines = [f"Port {port}", f"ListenAddress {HOST}", "PidFile none", "StrictModes yes", "PrintMotd no"]
        if pam is None:
            lines.append("UsePAM no")
        else:
            lines.append("UsePAM yes")
            unix = "".join(f"{kind} required pam_unix.so\n" for kind in ("auth", "account", "password", "session"))
            put("/etc/pam.d/sshd", pam + unix)
        for kind in keys:
            key = folder / f"ssh_host_{kind}_key"
            if not key.exists():
                keygen(key, "-t", kind)
            lines.append(f"HostKey {key}")
        own = "\n".join(settings)
        # The first value of a keyword counts, and a Match block ends with the file.
        config = own + "\n" + "\n".join(lines) + "\n" if "Match" not in own else "\n".join(lines) + "\n" + own + "\n"
        (folder / "sshd_config").write_text(config)
        self.port, self.keys = port, [folder / f"ssh_host_{kind}_key.pub" for kind in keys]
        command = ["/usr/sbin/sshd", "-D", *options, "-f", str(folder / "sshd_config")]
        command = ["chroot", tree, *command] if tree else command
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if quiet:
            wait_for(port)

    def known(self):
        names = (NAME, HOST) if self.port == 22 else (f"[{NAME}]:{self.port}", f"[{HOST}]:{self.port}")
        return "".join(f"{','.join(names)} {' '.join(key.read_text().split()[:2])}\n" for key in self.keys)

    def end(self):
        """Ends it; what it printed itself."""
        self.process.terminate()
        return self.process.communicate(timeout=10)[0].decode(errors="replace")


def wait_for(port, host=HOST):
    for _ in range(100):
        try:
            socket.create_connection((host, port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise TimeoutError(f"nothing listens on {port}")


class Case:
    """A case of the fixtures, served to other clients."""

    def __init__(self, name):
        self.folder = HOME / ".ssh/case"
        self.folder.mkdir(exist_ok=True)
        for old in self.folder.iterdir():
            old.unlink()
        # A key that was there for another case would be taken for one of this.
        program = ROOT / "target/debug/examples/serve"
        self.process = subprocess.Popen([program, name, self.folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        address, self.user, keys, password = self.process.stdout.readline().decode().split(maxsplit=3)
        self.host, _, port = address.rpartition(":")
        self.port, self.password = int(port), password.strip()
        self.key = str(self.folder / "key-1") if int(keys) else "-"
        if int(keys):
            public = subprocess.run(["ssh-keygen", "-y", "-P", "", "-f", self.key], capture_output=True, text=True)
            Path(self.key + ".pub").write_text(public.stdout)

    def known(self):
        return (self.folder / "known_hosts").read_text()

    def end(self):
        self.process.stdin.close()
        self.process.wait(timeout=10)
        return ""
