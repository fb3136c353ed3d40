"""How each client is run against a target: a command, its environment, and the name that a log gets."""

import os
import shutil
import subprocess
from pathlib import Path

from lab import HERE, HOME, run

TOOLS = Path(os.environ.get("SSH_DOCTOR_LOG_TOOLS", "/tmp/ssh-doctor-log-tools"))
PYTHON = TOOLS / "python/bin/python"
TREE = TOOLS / "trixie"


class Target:
    """Whom a client is to reach, and with what."""

    def __init__(self, host, port, user="alice", key=str(HOME / ".ssh/id_ed25519"), known="", password=None, command="true"):
        self.host, self.port, self.user, self.key, self.known = host, port, user, key, known
        self.password, self.command, self.wait, self.keepalive = password, command, 12, None
        self.options = []

    def with_(self, **changes):
        other = Target.__new__(Target)
        other.__dict__ = {**self.__dict__, **changes}
        return other


def config(target):
    """The user's ssh_config for the target, named db."""
    (HOME / ".ssh/known_hosts").write_text(target.known)
    lines = ["Host db", f"    HostName {target.host}", f"    Port {target.port}", f"    User {target.user}"]
    lines += ["    ConnectTimeout 4", "    BatchMode yes", "    IdentitiesOnly yes"]
    lines += [f"    IdentityFile {target.key}"] if target.key != "-" else ["    IdentityFile none"]
    lines += [f"    ServerAliveInterval {target.keepalive}", "    ServerAliveCountMax 1"] if target.keepalive else []
    lines += [f"    {option}" for option in target.options]
    (HOME / ".ssh/config").write_text("\n".join(lines) + "\n")
    (HOME / ".ssh/config").chmod(0o600)


def spoken(command, target, **environment):
    """Runs a client to its end, or until it has waited long enough; all that it says."""
    env = {"PATH": os.environ["PATH"], "HOME": str(HOME), "LANG": "C.UTF-8", "WAIT": str(target.wait - 2)}
    env |= {"PASSWORD": target.password} if target.password else {}
    env |= {"KEEPALIVE": str(target.keepalive)} if target.keepalive else {}
    env |= {"DISPLAY": os.environ["DISPLAY"]} if "DISPLAY" in os.environ else {}
    env |= environment
    command = [str(part) for part in command]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env,
                               start_new_session=True, cwd=HOME)
    try:
        said, _ = process.communicate(timeout=target.wait)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 15)
        try:
            said, _ = process.communicate(timeout=3)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            said, _ = process.communicate()
    return said.decode(errors="replace")


def ssh(*flags, tree=None):
    def client(target):
        config(target)
        command = ["ssh", *flags, "db", target.command]
        if target.password:
            (HOME / "askpass").write_text(f"#!/bin/sh\necho '{target.password}'\n")
            (HOME / "askpass").chmod(0o755)
            command[1:1] = ["-o", "BatchMode=no", "-o", "NumberOfPasswordPrompts=1"]
        if target.command == "-N":
            command[-2:] = ["-N", "db"]
        env = {"SSH_ASKPASS": str(HOME / "askpass"), "SSH_ASKPASS_REQUIRE": "force"} if target.password else {}
        return spoken(["chroot", tree, *command] if tree else command, target, **env)

    return client


def own(*start, needs=None):
    """A client of the folder clients/."""

    def client(target):
        if needs and not Path(needs).exists():
            return None
        (HOME / ".ssh/known_hosts").write_text(target.known)
        return spoken([*start, target.host, target.port, target.user, target.key, HOME / ".ssh/known_hosts", target.command], target)

    return client


def plink(*flags):
    def client(target):
        command = ["plink", "-batch", "-ssh", "-no-antispoof", "-P", target.port, *flags]
        if target.key != "-":
            key = HOME / "key.ppk"
            run("puttygen", target.key, "-o", key, "-O", "private") if convertible(target.key) else shutil.copy(target.key, key)
            command += ["-i", key]
        command += ["-pw", target.password] if target.password else []
        for line in target.known.splitlines():
            command += ["-hostkey", fingerprint(line)] if not line.startswith("@") else []
        return spoken([*command, f"{target.user}@{target.host}", target.command], target)

    return client


def convertible(key):
    return subprocess.run(["ssh-keygen", "-y", "-P", "", "-f", key], capture_output=True, stdin=subprocess.DEVNULL).returncode == 0


def fingerprint(line):
    made = subprocess.run(["ssh-keygen", "-l", "-f", "-"], input=" ".join(line.split()[1:3]).encode(), capture_output=True, check=True)
    return made.stdout.decode().split()[1]


def plink_packets(target):
    """plink's packet log, as PuTTY writes it too."""
    log = HOME / "putty.log"
    log.unlink(missing_ok=True)
    plink("-sshlog", str(log))(target)
    return "".join(line for line in log.read_text(errors="replace").splitlines(True) if not line.startswith("  0")) if log.exists() else None


def dbclient(target):
    key = HOME / "key.dropbear"
    options = []
    if target.key != "-" and convertible(target.key):
        made = subprocess.run(["dropbearconvert", "openssh", "dropbear", target.key, key], capture_output=True)
        options = ["-i", key] if made.returncode == 0 else []
    # dbclient looks for the name without the port.
    known = "".join(f"{target.host} {' '.join(line.split()[1:3])}\n" for line in target.known.splitlines() if not line.startswith("@"))
    (HOME / ".ssh/known_hosts").write_text(known)
    options += ["-K", target.keepalive] if target.keepalive else []
    env = {"DROPBEAR_PASSWORD": target.password} if target.password else {}
    return spoken(["dbclient", "-p", target.port, *options, f"{target.user}@{target.host}", target.command], target, **env)


def curl(target):
    (HOME / ".ssh/known_hosts").write_text(target.known)
    command = ["curl", "-v", "--connect-timeout", "6", "--max-time", "10"]
    command += ["--key", target.key, "--pubkey", target.key + ".pub"] if target.key != "-" else []
    return spoken([*command, "-u", f"{target.user}:{target.password or ''}", f"sftp://{target.host}:{target.port}/etc/hostname"], target)


def jsch(target):
    classes = TOOLS / "jsch"
    if not classes.exists():
        return None
    key = target.key if target.key != str(HOME / ".ssh/id_ed25519") else str(HOME / ".ssh/id_rsa")
    return own("java", "-cp", f"{classes}:/usr/share/java/jsch.jar", "JschClient")(target.with_(key=key))


def erlang(target):
    folder = HOME / "erlang"
    folder.mkdir(exist_ok=True)
    for name in ("id_ed25519", "id_rsa", "id_ecdsa"):
        (folder / name).unlink(missing_ok=True)
    if target.key != "-":
        shutil.copy(target.key, folder / "id_ed25519")
    (folder / "known_hosts").write_text(target.known)
    return spoken(["escript", HERE / "clients/erlang_client.escript", target.host, target.port, target.user, folder, "", target.command], target)


def over_ssh(*command):
    """A program that has ssh make its connection."""

    def client(target):
        config(target)
        return spoken(command, target, GIT_SSH_COMMAND="ssh", GIT_TERMINAL_PROMPT="0")

    return client


def ansible(*flags):
    def client(target):
        config(target)
        inventory = HOME / "inventory.ini"
        inventory.write_text(f"db ansible_user={target.user}\n")
        env = {"ANSIBLE_HOST_KEY_CHECKING": "True", "ANSIBLE_NOCOLOR": "1", "ANSIBLE_TIMEOUT": "4", "ANSIBLE_PYTHON_INTERPRETER": "/usr/bin/python3"}
        return spoken([TOOLS / "python/bin/ansible", *flags, "-i", inventory, "db", "-m", "ping"], target, **env)

    return client


def sshfs(target):
    config(target)
    (HOME / "mnt").mkdir(exist_ok=True)
    return spoken(["sshfs", "-f", "db:/", HOME / "mnt"], target.with_(wait=8))


def ssh_with_a_broken_library(target):
    folder = HOME / "lib"
    folder.mkdir(exist_ok=True)
    (folder / "libcrypto.so.3").write_text("x")
    return spoken(["/usr/bin/ssh", "-v", "db"], target, LD_LIBRARY_PATH=folder)


def without_ssh(program, *arguments):
    """A program that starts ssh, on a machine that has none."""

    def client(target):
        folder = HOME / "bin"
        folder.mkdir(exist_ok=True)
        link = folder / program
        link.unlink(missing_ok=True)
        link.symlink_to(shutil.which(program))
        return spoken([link, *arguments], target, PATH=folder)

    return client


def ssh_with(**environment):
    """ssh with a terminal, in another environment."""

    def client(target):
        config(target)
        return spoken(["ssh", "-tt", "db", target.command], target, **environment)

    return client


def mosh_with(locale):
    def client(target):
        config(target)
        return spoken(["script", "-qec", "stty rows 24 cols 80; mosh db -- true", "/dev/null"], target, TERM="xterm", LANG="", LC_ALL=locale)

    return client


def mosh(target):
    config(target)
    # It draws on a terminal.
    return spoken(["script", "-qec", "stty rows 24 cols 80; mosh db -- true", "/dev/null"], target.with_(wait=75), TERM="xterm")


CLIENTS = {
    "mosh": mosh,
    "ssh-broken-library": ssh_with_a_broken_library,
    "git-no-ssh": without_ssh("git", "clone", "db:project.git", "/home/ops/project"),
    "rsync-no-ssh": without_ssh("rsync", "-v", "db:/etc/hostname", "/home/ops/copy"),
    "ssh": ssh(),
    "ssh-v": ssh("-v"),
    "ssh-vvv": ssh("-vvv"),
    "ssh-tty": ssh("-tt"),
    "ssh-kitty": ssh_with(TERM="xterm-kitty"),
    "ssh-no-term": ssh_with(TERM=""),
    "ssh-locale": ssh_with(TERM="xterm", LC_ALL="tlh_XX.UTF-8"),
    "mosh-c": mosh_with("C"),
    "ssh10-v": ssh("-v", tree=TREE),
    "plink-v": plink("-v"),
    "plink": plink(),
    "plink-packets": plink_packets,
    "paramiko": own(PYTHON, HERE / "clients/paramiko_client.py"),
    "asyncssh": own(PYTHON, HERE / "clients/asyncssh_client.py"),
    "twisted": own(PYTHON, HERE / "clients/twisted_client.py"),
    "net-ssh": own("ruby", HERE / "clients/netssh_client.rb"),
    "node-ssh2": own("node", TOOLS / "node/ssh2_client.js", needs=TOOLS / "node/ssh2_client.js"),
    "go": own(TOOLS / "go-client", needs=TOOLS / "go-client"),
    "libssh": own(TOOLS / "libssh-client", needs=TOOLS / "libssh-client"),
    "jsch": jsch,
    "dbclient": dbclient,
    "curl": curl,
    "erlang": erlang,
    "sftp": over_ssh("sftp", "-b", "/dev/null", "db"),
    "scp": over_ssh("scp", "db:/etc/hostname", "/dev/null"),
    "rsync": over_ssh("rsync", "-v", "db:/etc/hostname", "/home/ops/copy"),
    "git": over_ssh("git", "clone", "db:project.git", "/home/ops/project"),
    "rsync-nowhere": over_ssh("rsync", "-v", "--rsync-path=/opt/missing/rsync", "db:/etc/hostname", "/home/ops/copy"),
    "git-nowhere": over_ssh("git", "clone", "-u", "/opt/missing/git-upload-pack", "db:project.git", "/home/ops/project"),
    "sshfs": sshfs,
    "ansible": ansible(),
    "ansible-vvv": ansible("-vvv"),
}
