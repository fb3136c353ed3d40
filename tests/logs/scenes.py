"""What is made sick, whom it is shown to, and the code that each log must be given first."""

import subprocess
import time

from clients import CLIENTS, TREE, Target
from lab import HOME, HOST, NAME, Case

# A case of the fixtures, the code of its logs, and the clients that it is shown to.
CASES = [
    ("http", "handshake-closed-before-banner", ["paramiko", "dbclient", "erlang", "net-ssh"]),
    ("smtp", "handshake-not-ssh", ["ssh-vvv", "ssh10-v"]),
    ("smtp", "handshake-no-banner", ["ssh", "plink-v", "paramiko", "node-ssh2", "jsch", "git"]),
    ("no-banner", "handshake-no-banner", ["ssh", "ssh-vvv", "paramiko", "asyncssh", "net-ssh", "node-ssh2", "curl", "scp", "jsch"]),
    ("closed-at-once", "handshake-closed-before-banner", ["ssh", "ssh-vvv", "ssh10-v", "plink", "paramiko", "asyncssh", "twisted", "net-ssh", "node-ssh2", "go", "libssh", "dbclient", "curl", "sftp", "git", "rsync", "ansible", "jsch"]),
    ("reset", "handshake-reset", ["ssh", "ssh-vvv", "plink-v", "paramiko", "asyncssh", "net-ssh", "node-ssh2", "go", "curl", "scp", "rsync", "jsch"]),
    ("max-startups", "handshake-max-startups", ["ssh-vvv"]),
    ("tarpit", "handshake-tarpit", ["ssh-vvv"]),
    ("ssh1", "handshake-protocol-version", ["ssh", "plink", "paramiko", "asyncssh", "net-ssh", "libssh"]),
    ("kex-stalled", "path-mtu-blackhole", ["ssh-vvv"]),
    ("kex-closed", "handshake-kex-failed", ["ssh-v", "ssh-vvv", "asyncssh", "plink-v", "node-ssh2"]),
    ("no-common-kex", "handshake-no-common-kex", ["ssh", "ssh-vvv", "ssh10-v", "asyncssh", "net-ssh", "node-ssh2", "go", "libssh", "dbclient", "erlang", "git", "ansible"]),
    ("no-common-hostkey", "handshake-no-common-hostkey", ["ssh", "ssh-vvv", "node-ssh2", "go", "libssh", "dbclient"]),
    ("no-common-kex", "handshake-weak-algorithms", ["plink"]),
    ("no-common-cipher", "handshake-no-common-cipher", ["ssh", "ssh-vvv", "paramiko", "asyncssh", "net-ssh", "node-ssh2", "go", "dbclient"]),
    ("no-common-mac", "handshake-no-common-mac", ["ssh", "ssh-vvv", "asyncssh", "go", "libssh"]),
    ("mac-mismatch", "handshake-mac-mismatch", ["ssh", "ssh-vvv", "plink", "asyncssh"]),
    ("garbage", "handshake-mac-mismatch", ["ssh", "plink"]),
    ("garbage", "handshake-protocol-violation", ["paramiko", "go"]),
    ("hostkey-unknown", "hostkey-unknown", ["ssh", "ssh-vvv", "ssh10-v", "plink", "paramiko", "asyncssh", "net-ssh", "go", "libssh", "dbclient", "sftp", "git", "rsync", "ansible"]),
    ("hostkey-changed", "hostkey-changed", ["ssh", "ssh-vvv", "ssh10-v", "paramiko", "net-ssh", "go", "libssh", "dbclient", "scp", "git", "ansible", "curl"]),
    ("hostkey-revoked", "hostkey-revoked", ["ssh"]),
    ("key-rejected", "auth-key-rejected", ["ssh", "ssh-v", "ssh-vvv", "ssh10-v", "plink", "plink-v", "plink-packets", "paramiko", "asyncssh", "twisted", "net-ssh", "node-ssh2", "go", "libssh", "dbclient", "curl", "erlang", "sftp", "scp", "git", "rsync", "ansible", "ansible-vvv", "sshfs"]),
    ("no-credentials", "auth-no-credentials", ["ssh-v", "paramiko", "go", "ssh-vvv"]),
    ("password-only", "auth-method-unavailable", ["ssh-v", "ssh-vvv", "paramiko", "plink-v"]),
    ("password-rejected", "auth-password-rejected", ["ssh-v", "plink-v", "asyncssh", "node-ssh2", "go", "libssh", "net-ssh"]),
    ("second-factor", "auth-partial-success", ["ssh-v", "ssh-vvv", "paramiko"]),
    ("key-encrypted", "auth-key-encrypted", ["ssh-vvv", "paramiko", "asyncssh", "node-ssh2", "go"]),
    ("key-unreadable", "auth-key-unreadable", ["ssh", "ssh-v", "paramiko", "asyncssh", "node-ssh2", "go", "plink", "libssh"]),
    ("login-dropped", "auth-disconnected", ["ssh-vvv", "paramiko", "asyncssh", "plink-v", "node-ssh2", "net-ssh"]),
    ("channel-refused", "channel-open-refused", ["ssh", "ssh-v", "paramiko", "asyncssh", "plink", "node-ssh2", "go", "libssh"]),
    ("exec-refused", "session-exec-failed", ["ssh", "ssh-v", "paramiko", "asyncssh", "plink-v", "node-ssh2", "go", "libssh"]),
    ("no-exit-status", "exit-without-status", ["go"]),
    ("no-strict-kex", "", ["ssh-vvv"]),
    ("healthy", "", ["ssh-vvv", "paramiko", "plink-v", "node-ssh2"]),
]

# Addresses where nothing comes of TCP.
NETWORK = [
    ("refused", "tcp-refused", (NAME, 2299), ["ssh", "ssh-vvv", "ssh10-v", "plink", "paramiko", "asyncssh", "twisted", "net-ssh", "node-ssh2", "go", "libssh", "dbclient", "curl", "erlang", "sftp", "scp", "git", "rsync", "ansible", "sshfs", "jsch"]),
    ("dropped", "tcp-filtered", (NAME, 2201), ["ssh", "ssh-vvv", "paramiko", "asyncssh", "net-ssh", "node-ssh2", "go", "libssh", "curl", "git", "rsync", "ansible", "jsch"]),
    ("no-route", "tcp-unreachable", ("192.0.2.66", 22), ["ssh", "ssh-vvv", "plink", "asyncssh", "node-ssh2", "go", "dbclient", "git", "rsync", "ansible"]),
]


WANTED = []


def select(words):
    """Leaves out every scene whose name has none of the words."""
    WANTED.extend(words)


def is_wanted(name):
    return not WANTED or any(word in name for word in WANTED)


def say(target, names, take):
    for name in names:
        text = CLIENTS[name](target)
        if text is not None:
            take(name, text)


def from_cases(take):
    for case_name, code, names in CASES:
        for name in names if is_wanted(case_name) else []:
            case = Case(case_name)
            host = case.host.strip("[]")
            password = None if case.password == "-" else case.password
            target = Target(host, case.port, case.user, case.key, case.known(), password)
            try:
                text = CLIENTS[name](target)
            finally:
                case.end()
            if text is not None:
                take(code, f"{name}-{case_name}", text)


def from_network(take):
    for what, code, (host, port), names in NETWORK:
        if not is_wanted(what):
            continue
        say(Target(host, port), names, lambda name, text: take(code, f"{name}-{what}", text))
    if not is_wanted("name"):
        return
    # The resolver's words depend on what a name server answers.
    server = subprocess.Popen(["dnsmasq", "--no-daemon", "--no-resolv", "--no-hosts", "--local=/example/", "--listen-address=127.0.0.1", "--bind-interfaces",
                               "--user=root", "--pid-file="], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(0.5)
    names = ["ssh", "ssh-vvv", "plink", "paramiko", "asyncssh", "net-ssh", "node-ssh2", "go", "libssh", "dbclient", "curl", "git", "ansible", "jsch"]
    say(Target("nosuch.example", 22), names, lambda name, text: take("dns-nxdomain", f"{name}-no-such-name", text))
    server.terminate()
    server.wait()
    say(Target("nosuch.example", 22), ["ssh", "paramiko", "asyncssh", "go", "git"], lambda name, text: take("dns-timeout", f"{name}-no-name-server", text))


# What JSch 0.1.55 needs of a server.
OLD = ["HostKeyAlgorithms +ssh-rsa", "PubkeyAcceptedAlgorithms +ssh-rsa", "KexAlgorithms +diffie-hellman-group14-sha1"]

# What sshd is told, who comes, and what both sides write. Each: a name, the code of sshd's log, the code of the client's, settings, changes of the target.
SERVERS = [
    ("allow-users", "auth-account-refused", None, ["AllowUsers root"], {}),
    ("deny-users", "auth-account-refused", None, ["DenyUsers alice"], {}),
    ("allow-groups", "auth-account-refused", None, ["AllowGroups wheel"], {}),
    ("locked", "auth-account-refused", None, [], {"user": "bob"}),
    ("expired-account", "auth-account-refused", None, [], {"user": "carol", "pam": ""}),
    ("no-such-shell", "auth-account-refused", None, [], {"user": "max"}),
    ("no-such-user", "auth-user-unknown", None, [], {"user": "nobodyknows"}),
    ("home-writable", "auth-key-file-modes", None, [], {"before": "chmod 777 /home/alice", "after": "chmod 755 /home/alice"}),
    ("keys-writable", "auth-key-file-modes", None, [], {"before": "chmod 666 /home/alice/.ssh/authorized_keys", "after": "chmod 600 /home/alice/.ssh/authorized_keys"}),
    ("wrong-key", "auth-key-rejected", "auth-key-rejected", ["LogLevel VERBOSE"], {"key": str(HOME / ".ssh/other")}),
    ("max-tries", "auth-too-many-failures", "auth-too-many-failures", ["MaxAuthTries 1"], {"key": str(HOME / ".ssh/other"), "clients": ["ssh", "ssh-v", "plink", "paramiko", "node-ssh2", "ssh10-v"]}),
    ("no-common-kex", "handshake-no-common-kex", None, ["KexAlgorithms diffie-hellman-group1-sha1"], {}),
    ("no-common-cipher", "handshake-no-common-cipher", None, ["Ciphers 3des-cbc"], {}),
    ("forwarding", "channel-forwarding-prohibited", "channel-forwarding-prohibited", ["AllowTcpForwarding no", "LogLevel VERBOSE"], {"command": f"forward {HOST}:22", "clients": ["paramiko", "asyncssh", "node-ssh2", "go", "net-ssh"]}),
    ("no-terminal", None, "session-pty-refused", ["PermitTTY no"], {"clients": ["ssh-tty"]}),
    ("no-subsystem", "session-subsystem-missing", "session-subsystem-missing", [], {"command": "sftp", "clients": ["paramiko", "asyncssh", "node-ssh2", "go", "sftp", "scp", "sshfs", "curl"]}),
    ("no-sftp-server", None, "session-subsystem-missing", ["Subsystem sftp /usr/lib/missing/sftp-server"], {"command": "sftp", "clients": ["sftp", "scp"]}),
    ("chroot", "session-chroot-failed", None, ["ChrootDirectory /home/alice"], {"clients": ["ssh-v"]}),
    ("chroot-empty", None, "session-chroot-failed", ["ChrootDirectory /home"], {"clients": ["ssh", "paramiko"]}),
    ("nologin-shell", None, "session-nologin", [], {"user": "nia", "clients": ["ssh", "ssh-v", "plink-v"], "command": "true"}),
    ("nologin-file", "server-nologin", None, [], {"before": "echo 'Back at noon.' >/etc/nologin", "after": "rm /etc/nologin"}),
    ("nologin-file-pam", "auth-account-refused", "server-nologin", [], {"pam": "account required pam_nologin.so\n", "before": "echo 'System is going down. Unprivileged users are not permitted to log in anymore. For technical details, see pam_nologin(8).' >/etc/nologin", "after": "rm /etc/nologin", "clients": ["ssh", "ssh-v"]}),
    ("forced", None, "session-forced-command", ["ForceCommand /bin/echo This account only serves backups."], {"clients": []}),
    ("wrong-password", "auth-password-rejected", "auth-password-rejected", ["PubkeyAuthentication no"], {"key": "-", "password": "wrong", "clients": ["ssh", "ssh-v", "plink"]}),
    ("wrong-password-pam", "auth-password-rejected", "auth-password-rejected", ["PubkeyAuthentication no", "KbdInteractiveAuthentication yes", "PasswordAuthentication no"], {"pam": "", "key": "-", "password": "wrong", "clients": ["ssh-v"]}),
    ("password-expired", "auth-password-expired", "auth-password-expired", [], {"user": "dave", "pam": "", "clients": ["ssh", "ssh-v", "paramiko", "rsync"]}),
    ("sha1-signature", "auth-signature-algorithm", None, ["LogLevel VERBOSE"], {"key": str(HOME / ".ssh/id_rsa"), "options": ["PubkeyAcceptedAlgorithms ssh-rsa"], "clients": ["ssh"]}),
    ("grace-time", "auth-disconnected", None, ["LoginGraceTime 2"], {"tree": TREE, "idle_tcp": 9, "clients": []}),
    ("client-gone", "network-outage", None, ["ClientAliveInterval 1", "ClientAliveCountMax 1"], {"stopped": 4, "clients": []}),
    ("unused", "idle-unused-connection-timeout", None, ["UnusedConnectionTimeout 2"], {"command": "-N", "clients": ["ssh"]}),
    ("channel-timeout", "idle-channel-timeout", None, ["ChannelTimeout session:*=2", "LogLevel VERBOSE"], {"command": "sleep 30"}),
    ("max-sessions", None, "channel-open-refused", ["MaxSessions 0"], {"clients": ["ssh", "ssh-v", "paramiko", "asyncssh", "go", "plink", "sftp", "rsync"]}),
    ("missing-command", None, "session-command-missing", [], {"command": "nosuchcommand --now", "clients": ["ssh", "ssh-v"]}),
    ("command-fails", None, "exit-command-failed", [], {"command": "tar -tf backup.tar", "clients": ["ssh-v"]}),
    ("exit-signal", None, "exit-by-signal", [], {"command": "kill -9 $$", "clients": ["ssh-v", "go"]}),
    ("from-option", "auth-key-rejected", None, [], {"authorized": 'from="198.51.100.7" '}),
    ("expired-key", "auth-key-rejected", None, [], {"authorized": 'expiry-time="20200101" '}),
    ("too-many-logins", "session-pam-refused", "session-pam-refused", [], {"pam": "session required pam_limits.so conf=/home/.etc/limits\n", "limits": "alice hard maxlogins 0\n", "clients": ["ssh", "ssh-v"]}),
    ("rc-output", None, "session-rc-output", ["Subsystem sftp /usr/lib/openssh/sftp-server"], {"before": "echo 'echo Welcome to db' >/home/alice/.bashrc", "after": "rm /home/alice/.bashrc", "clients": ["sftp", "scp", "rsync", "git"]}),
    ("rc-exit", None, "session-shell-exits", [], {"before": "echo 'exit 1' >/home/alice/.bashrc", "after": "rm /home/alice/.bashrc", "clients": []}),
    ("probed", "handshake-probed", None, [], {"hold": 1, "clients": []}),
    ("penalty", "handshake-source-penalty", "handshake-source-penalty", [], {"tree": TREE, "failures": 8, "clients": ["ssh-vvv"]}),
    ("max-startups", "handshake-max-startups", "handshake-max-startups", ["MaxStartups 2"], {"hold": 2, "clients": ["ssh-vvv"]}),
    ("healthy", "", "", [], {"clients": ["ssh-v", "asyncssh", "go"]}),
    ("jsch-password", None, "auth-password-rejected", [*OLD, "PubkeyAuthentication no"], {"key": "-", "password": "wrong", "clients": ["jsch"]}),
    ("jsch-today", None, "handshake-no-common-hostkey", [], {"clients": ["jsch"]}),
    ("jsch-kex", None, "handshake-no-common-kex", ["KexAlgorithms curve25519-sha256", *OLD[:2]], {"clients": ["jsch"]}),
    ("jsch-cipher", None, "handshake-no-common-cipher", [*OLD, "Ciphers chacha20-poly1305@openssh.com"], {"clients": ["jsch"]}),
    ("jsch-unknown", None, "hostkey-unknown", OLD, {"unknown": True, "clients": ["jsch"]}),
    ("jsch-sftp", None, "session-subsystem-missing", OLD, {"command": "sftp", "clients": ["jsch"]}),
    ("jsch-sessions", None, "channel-open-refused", [*OLD, "MaxSessions 0"], {"clients": ["jsch"]}),
    ("jsch-healthy", None, "", OLD, {"clients": ["jsch"]}),
    ("jsch-signature", None, "auth-signature-algorithm", [*OLD[:1], "KexAlgorithms +diffie-hellman-group14-sha1"], {"clients": ["jsch"]}),
    ("forward-refused", None, "channel-forward-unreachable", [], {"options": ["LocalForward 127.0.0.1:2298 127.0.0.1:9"], "command": "bash -c 'exec 3<>/dev/tcp/127.0.0.1/2298; sleep 1'", "clients": ["ssh", "ssh-v"]}),
    ("local-port-taken", None, "channel-local-forward-failed", [], {"options": ["LocalForward 127.0.0.1:2298 127.0.0.1:22", "LocalForward 127.0.0.1:2298 127.0.0.1:23"], "clients": ["ssh", "ssh-v"]}),
    ("tput-unknown-terminal", None, "session-terminal-unknown", [], {"command": "tput cols; reset; less -E /etc/hostname", "clients": ["ssh-kitty"]}),
    ("tmux-unknown-terminal", None, "session-terminal-unknown", [], {"command": "tmux new true; screen true; watch -n 1 true", "clients": ["ssh-kitty"]}),
    ("no-such-locale", None, "session-locale-missing", ["AcceptEnv LANG LC_*"], {"options": ["SendEnv LC_*"], "command": "perl -e 1; man -k nothing; locale", "clients": ["ssh-locale"]}),
    ("bash-locale", None, "session-locale-missing", ["AcceptEnv LANG LC_*"], {"options": ["SendEnv LC_*"], "command": "bash -ic true", "clients": ["ssh-locale"]}),
    ("python-locale", None, "session-locale-missing", ["AcceptEnv LANG LC_*"], {"options": ["SendEnv LC_*"], "command": "python3 -c 'import locale; locale.setlocale(locale.LC_ALL, \"\")'", "clients": ["ssh-locale"]}),
    ("mosh-locale", None, "session-locale-missing", [], {"clients": ["mosh-c"]}),
    ("jump-refused", None, "jump-target-unreachable", [], {"options": [f"ProxyJump alice@{HOST}:2222"], "port": 9, "clients": ["ssh", "ssh-v"]}),
    ("jump-forbids", None, "jump-forwarding-prohibited", ["AllowTcpForwarding no"], {"options": [f"ProxyJump alice@{HOST}:2222"], "port": 22, "clients": ["ssh", "ssh-v"]}),
    ("jump-login", None, "auth-key-rejected", [], {"options": [f"ProxyCommand ssh -v -o BatchMode=yes -W %h:%p -p 2222 nobodyknows@{HOST}"], "port": 22, "clients": ["ssh"]}),
    ("stdin-no-terminal", None, "session-no-terminal", [], {"options": ["RequestTTY yes"], "clients": ["ssh"]}),
    ("broken-library", None, "config-ssh-cannot-start", [], {"clients": ["ssh-broken-library"]}),
    ("no-client", None, "config-client-missing", [], {"clients": ["git-no-ssh", "rsync-no-ssh"]}),
    ("udp-dropped", None, "path-udp-blocked", [], {"before": "nft add rule inet sick in udp dport 60000-61000 drop", "clients": ["mosh"]}),
    ("x11", None, "channel-x11-refused", ["X11Forwarding no"], {"options": ["ForwardX11 yes"], "display": ":9", "clients": ["ssh", "ssh-v"]}),
    ("no-home", None, "session-home-missing", ["AuthorizedKeysFile /run/keys", "StrictModes no"], {"before": "cp /home/alice/.ssh/authorized_keys /run/keys; chmod 644 /run/keys; mv /home/alice /home/.alice", "after": "mv /home/.alice /home/alice", "clients": ["ssh", "ssh-v"]}),
    ("rsync-missing", None, "session-command-missing", [], {"clients": ["rsync-nowhere", "git-nowhere"]}),
]
