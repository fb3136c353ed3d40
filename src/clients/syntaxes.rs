//! The keepalive syntax of each client, from its own documentation.

use super::syntax::{Client, Notices, Syntax};

/// The fields that most of them share.
const PLAIN: Syntax = Syntax {
    client: Client::Ssh,
    summary: "",
    file: None,
    snippet: "",
    caution: None,
    answered: true,
    notices: Notices::ByCount,
};

/// The clients other than ssh itself, whose snippet stands in the causes.
pub(super) static SYNTAXES: &[Syntax] = &[
    Syntax {
        client: Client::Ansible,
        summary: "Ansible: give its ssh the interval; setting ssh_args replaces the default, so its three options stay",
        file: Some("ansible.cfg"),
        snippet: "[ssh_connection]\nssh_args = -C -o ControlMaster=auto -o ControlPersist=60s -o ServerAliveInterval={interval} -o ServerAliveCountMax={count_max}",
        notices: Notices::Openssh,
        ..PLAIN
    },
    Syntax {
        client: Client::Asyncssh,
        summary: "AsyncSSH: pass the interval, in seconds, to connect()",
        file: Some("Python"),
        snippet: "asyncssh.connect(HOST, keepalive_interval={interval}, keepalive_count_max={count_max})",
        ..PLAIN
    },
    Syntax {
        client: Client::Autossh,
        summary: "autossh: let ssh watch the connection, and autossh start it again when it ends",
        snippet: "autossh -M 0 -N -o ServerAliveInterval={interval} -o ServerAliveCountMax={count_max} -o ExitOnForwardFailure=yes {alias}",
        notices: Notices::Openssh,
        ..PLAIN
    },
    Syntax {
        client: Client::Dbclient,
        summary: "Dropbear's client: its interval is in seconds, and its limit of 3 is compiled in",
        snippet: "dbclient -K {interval} -p {port} {user}@{host}",
        ..PLAIN
    },
    Syntax {
        client: Client::Filezilla,
        summary: "FileZilla: its keepalive is for FTP only; let it use a forwarding that ssh keeps alive (sftp://localhost:2222)",
        snippet: "ssh -N -L 2222:localhost:22 -o ServerAliveInterval={interval} -o ServerAliveCountMax={count_max} {alias}",
        notices: Notices::Openssh,
        ..PLAIN
    },
    Syntax {
        client: Client::Git,
        summary: "git: give its ssh the interval, in this repository",
        snippet: "git config core.sshCommand \"ssh -o ServerAliveInterval={interval} -o ServerAliveCountMax={count_max}\"",
        notices: Notices::Openssh,
        ..PLAIN
    },
    Syntax {
        client: Client::Go,
        summary: "Go: the library sends no keepalives; send requests from a goroutine of your own",
        file: Some("Go"),
        snippet: "go func() {\n\tfor range time.Tick({interval} * time.Second) {\n\t\tif _, _, err := client.SendRequest(\"keepalive@openssh.com\", true, nil); err != nil {\n\t\t\treturn\n\t\t}\n\t}\n}()",
        caution: Some("SendRequest waits without a limit: close the client when an answer takes too long"),
        notices: Notices::Never,
        ..PLAIN
    },
    Syntax {
        client: Client::Jsch,
        summary: "JSch: set the interval in milliseconds; it gives up after a single unanswered one unless told otherwise",
        file: Some("Java"),
        snippet: "session.setServerAliveInterval({interval_ms});\nsession.setServerAliveCountMax({count_max});",
        caution: Some("a ServerAliveInterval that JSch reads from ssh_config is in seconds"),
        ..PLAIN
    },
    Syntax {
        client: Client::Libssh,
        summary: "libssh: it sends no keepalives; send a message that the server ignores from your own loop",
        file: Some("C"),
        snippet: "/* every {interval} s in the loop: */ ssh_send_ignore(session, \"\");",
        answered: false,
        notices: Notices::Never,
        ..PLAIN
    },
    Syntax {
        client: Client::Libssh2,
        summary: "libssh2: configure the interval, in seconds (2 at least), and send from your own loop",
        file: Some("C"),
        snippet: "libssh2_keepalive_config(session, 1, {interval});\n/* in the loop: */ libssh2_keepalive_send(session, &seconds_to_next);",
        caution: Some("nothing is sent unless the program calls libssh2_keepalive_send"),
        notices: Notices::Never,
        ..PLAIN
    },
    Syntax {
        client: Client::Mina,
        summary: "Apache MINA SSHD: set the heartbeat, which takes a Duration, and let it wait for replies",
        file: Some("Java"),
        snippet: "CoreModuleProperties.HEARTBEAT_INTERVAL.set(client, Duration.ofMillis({interval_ms}));\nCoreModuleProperties.HEARTBEAT_REPLY_WAIT.set(client, Duration.ofMillis({interval_ms}));",
        notices: Notices::Unsaid,
        ..PLAIN
    },
    Syntax {
        client: Client::Mobaxterm,
        summary: "MobaXterm: turn keepalives on",
        file: Some("MobaXterm"),
        snippet: "Settings > Configuration > SSH > SSH keepalive",
        caution: Some("its interval is fixed; the one proven here is {interval} seconds"),
        answered: false,
        notices: Notices::Unsaid,
    },
    Syntax {
        client: Client::NetSsh,
        summary: "Net::SSH: turn keepalives on and set the interval, in seconds; without one it is 300",
        file: Some("Ruby"),
        snippet: "Net::SSH.start(HOST, USER, keepalive: true, keepalive_interval: {interval}, keepalive_maxcount: {count_max})",
        ..PLAIN
    },
    Syntax {
        client: Client::NodeSsh2,
        summary: "ssh2 for Node.js: set the interval in milliseconds",
        file: Some("JavaScript"),
        snippet: "client.connect({ host: HOST, keepaliveInterval: {interval_ms}, keepaliveCountMax: {count_max} });",
        ..PLAIN
    },
    Syntax {
        client: Client::Paramiko,
        summary: "paramiko: set the interval, in seconds, on the transport",
        file: Some("Python"),
        snippet: "client.get_transport().set_keepalive({interval})",
        answered: false,
        notices: Notices::Never,
        ..PLAIN
    },
    Syntax {
        client: Client::Putty,
        summary: "PuTTY and plink: set the seconds between keepalives in the saved session (in the window: Connection)",
        snippet: "reg add HKCU\\Software\\SimonTatham\\PuTTY\\Sessions\\SESSION /v PingInterval /t REG_DWORD /d 0 /f\nreg add HKCU\\Software\\SimonTatham\\PuTTY\\Sessions\\SESSION /v PingIntervalSecs /t REG_DWORD /d {interval} /f",
        caution: Some("PingInterval is in minutes; plink takes it with -load SESSION"),
        answered: false,
        notices: Notices::Never,
        ..PLAIN
    },
    Syntax {
        client: Client::Rclone,
        summary: "rclone: let its SFTP remote use ssh, and give that the interval",
        file: Some("rclone.conf"),
        snippet: "[REMOTE]\ntype = sftp\nssh = ssh -o ServerAliveInterval={interval} -o ServerAliveCountMax={count_max} -p {port} {user}@{host}",
        caution: Some("replace REMOTE; needs rclone 1.63 or later"),
        notices: Notices::Openssh,
        ..PLAIN
    },
    Syntax {
        client: Client::Rsync,
        summary: "rsync: give its ssh the interval; its own --timeout is another thing",
        snippet: "rsync -e \"ssh -o ServerAliveInterval={interval} -o ServerAliveCountMax={count_max}\" SOURCE DESTINATION",
        notices: Notices::Openssh,
        ..PLAIN
    },
    Syntax {
        client: Client::Russh,
        summary: "russh: set the interval, and no inactivity timeout, in the client's Config",
        file: Some("Rust"),
        snippet: "keepalive_interval: Some(Duration::from_secs({interval})),\nkeepalive_max: {count_max},\ninactivity_timeout: None,",
        ..PLAIN
    },
    Syntax {
        client: Client::SecureCrt,
        summary: "SecureCRT: send a no-operation message every so many seconds (Session Options)",
        file: Some("SecureCRT"),
        snippet: "Terminal > Anti-idle > Send protocol NO-OP: every {interval} seconds",
        answered: false,
        notices: Notices::Unsaid,
        ..PLAIN
    },
    Syntax {
        client: Client::Sshfs,
        summary: "sshfs: give its ssh the interval, and let it connect again",
        snippet: "sshfs -o reconnect,ServerAliveInterval={interval},ServerAliveCountMax={count_max} {alias}: MOUNTPOINT",
        notices: Notices::Openssh,
        ..PLAIN
    },
    Syntax {
        client: Client::Systemd,
        summary: "systemd: without the interval a tunnel's unit never learns that it is dead",
        file: Some("/etc/systemd/system/tunnel.service"),
        snippet: "[Service]\nExecStart=/usr/bin/ssh -N -o ServerAliveInterval={interval} -o ServerAliveCountMax={count_max} -o ExitOnForwardFailure=yes {alias}\nRestart=always\nRestartSec=10",
        notices: Notices::Openssh,
        ..PLAIN
    },
    Syntax {
        client: Client::Tcp,
        summary: "The kernel: let TCP keepalives start in time; it serves every program that asks for them",
        snippet: "sysctl -w net.ipv4.tcp_keepalive_time={interval} net.ipv4.tcp_keepalive_intvl={interval} net.ipv4.tcp_keepalive_probes=3",
        caution: Some("only for sockets with SO_KEEPALIVE (TCPKeepAlive, on by default in ssh); they cross no proxy"),
        answered: false,
        notices: Notices::Unsaid,
        ..PLAIN
    },
    Syntax {
        client: Client::Vscode,
        summary: "VS Code Remote-SSH: it runs ssh, which reads this file (or the one in remote.SSH.configFile)",
        file: Some("~/.ssh/config"),
        snippet: "Host {alias}\n    ServerAliveInterval {interval}\n    ServerAliveCountMax {count_max}",
        notices: Notices::Openssh,
        ..PLAIN
    },
    Syntax {
        client: Client::Winscp,
        summary: "WinSCP: send keepalives, every so many seconds (in the window: Connection)",
        file: Some("WinSCP script"),
        snippet: "open sftp://{user}@{host}:{port}/ -rawsettings PingType=1 PingIntervalSecs={interval}",
        caution: Some("its maker says that they do little in scripts and in the .NET assembly"),
        answered: false,
        notices: Notices::Unsaid,
    },
    Syntax {
        client: Client::Xshell,
        summary: "Xshell: set the seconds between keepalives in the session's properties",
        file: Some("Xshell"),
        snippet: "Connection > Keep Alive: {interval} seconds",
        answered: false,
        notices: Notices::Unsaid,
        ..PLAIN
    },
];
