//! The programs that write of SSH, and how each is recognised.

/// Texts that only one program writes, and its name; `<version>` is the version where the line has it. The more telling ones first:
/// what wraps ssh before ssh itself.
pub(super) const PROGRAMS: &[(&str, &str)] = &[
    // sshd quotes what its clients say.
    (" [preauth]", "sshd"),
    ("ansible [core <version>]", "Ansible"),
    ("ansible-playbook [core <version>]", "Ansible"),
    ("UNREACHABLE! =>", "Ansible"),
    ("ESTABLISH SSH CONNECTION FOR USER:", "Ansible"),
    ("Failed to connect to the host via ssh:", "Ansible"),
    ("Log Level: <text>Remote-SSH", "VS Code"),
    ("remote-ssh@<version>", "VS Code"),
    ("vscode-server", "VS Code"),
    ("Resolver error:", "VS Code"),
    ("Running script with connection command: ssh", "VS Code"),
    ("fatal: Could not read from remote repository.", "git"),
    ("rsync error:", "rsync"),
    ("rsync: connection unexpectedly closed", "rsync"),
    ("rsync: [", "rsync"),
    ("autossh[<n>]", "autossh"),
    ("ssh exited prematurely with status", "autossh"),
    ("starting ssh (count", "autossh"),
    ("mosh: ", "mosh"),
    ("mosh-server", "mosh"),
    ("sshfs#", "sshfs"),
    ("sshfs: ", "sshfs"),
    ("fuse: mount failed", "sshfs"),
    ("Failed to create file system for", "rclone"),
    ("fzSftp", "FileZilla"),
    ("remote host has disconnected", "sshfs"),
    ("sshuttle", "sshuttle"),
    ("fail2ban.", "fail2ban"),
    ("mod_sftp/<version>[", "ProFTPD"),
    ("sent server version 'SSH-2.0-mod_sftp", "ProFTPD"),
    ("handling connection from SSH2 client '", "ProFTPD"),
    ("sending acceptable userauth methods: ", "ProFTPD"),
    ("\"sender\":\"sftpd\"", "SFTPGo"),
    ("\"sender\":\"connection_failed\"", "SFTPGo"),
    ("\"sender\":\"login\"", "SFTPGo"),
    ("sender=sftpd", "SFTPGo"),
    ("system,info,account user ", "RouterOS"),
    ("system,error,critical login failure", "RouterOS"),
    ("%SEC_LOGIN-", "Cisco IOS"),
    ("%SSH-", "Cisco IOS"),
    ("SSHD_LOGIN_", "Junos"),
    ("tsh <version> ", "Teleport"),
    ("[NODE]", "Teleport"),
    ("teleport", "Teleport"),
    ("WinSCP Version <version>", "WinSCP"),
    (". WinSCP", "WinSCP"),
    ("FileZilla", "FileZilla"),
    ("PuTTY log", "PuTTY"),
    ("Event Log: ", "PuTTY"),
    ("We claim version: SSH-2.0-PuTTY_Release_<version>", "PuTTY"),
    ("We claim version: SSH-2.0-WinSCP_release_<version>", "WinSCP"),
    ("Using username \"", "PuTTY"),
    ("FATAL ERROR: ", "PuTTY"),
    ("paramiko.", "paramiko"),
    ("Secsh channel <n> open", "paramiko"),
    ("netmiko.", "paramiko"),
    ("/paramiko/", "paramiko"),
    ("\\paramiko\\", "paramiko"),
    ("SSH-2.0-paramiko_<version>", "paramiko"),
    ("asyncssh", "AsyncSSH"),
    ("Sending version SSH-2.0-AsyncSSH_<version>", "AsyncSSH"),
    ("SSH-2.0-JSCH-<version>", "JSch"),
    ("SSH-2.0-JSCH_<version>", "JSch"),
    ("com.jcraft.jsch", "JSch"),
    ("com.github.mwiede.jsch", "JSch"),
    ("org.apache.sshd", "Apache MINA SSHD"),
    ("o.a.s.", "Apache MINA SSHD"),
    ("SSH-2.0-APACHE-SSHD-<version>", "Apache MINA SSHD"),
    ("com.trilead.ssh2", "Trilead SSH2"),
    ("net.schmizz.sshj", "sshj"),
    ("Renci.SshNet", "SSH.NET"),
    ("SshNet.Logging", "SSH.NET"),
    ("phpseclib", "phpseclib"),
    ("NET_SSH2_MSG_", "phpseclib"),
    ("net.ssh.", "Net::SSH"),
    ("/net/ssh/", "Net::SSH"),
    ("Net::SSH", "Net::SSH"),
    ("Ruby/Net::SSH_<version>", "Net::SSH"),
    ("Local ident: 'SSH-2.0-ssh2js<version>'", "node ssh2"),
    ("node_modules/ssh2/", "node ssh2"),
    ("level: 'client-", "node ssh2"),
    ("Remote ident: '", "node ssh2"),
    ("[SSHService ", "Twisted server"),
    ("SSHFactory] New connection: ", "Twisted server"),
    ("twisted.conch", "Twisted"),
    ("twisted.internet", "Twisted"),
    ("Erlang SSH client version: <version>", "Erlang"),
    ("ssh_connection_handler", "Erlang"),
    ("{error,\"", "Erlang"),
    ("libssh <version> (c)", "libssh"),
    ("ssh_client_connection_callback:", "libssh"),
    ("ssh_packet_channel_success: ", "libssh"),
    ("ssh_packet_process: ", "libssh"),
    ("packet_send2: packet: wrote", "libssh"),
    ("* SSH authentication methods available:", "curl"),
    ("* SSH host check:", "curl"),
    ("curl: (", "curl"),
    ("guacd[", "guacd"),
    ("libssh2", "libssh2"),
    ("class=Ssh (23)", "libssh2"),
    ("LIBSSH2_ERROR", "libssh2"),
    ("ssh: handshake failed:", "Go"),
    ("golang.org/x/crypto/ssh", "Go"),
    ("ssh: unable to authenticate, attempted methods", "Go"),
    ("dial tcp", "Go"),
    ("russh", "russh"),
    ("dbclient: ", "dbclient"),
    ("ssh: Connection to <text> exited:", "dbclient"),
    ("dropbear[", "dropbear"),
    ("Exit before auth", "dropbear"),
    ("Child connection from ", "dropbear"),
    ("Password auth succeeded for '", "dropbear"),
    ("Pubkey auth succeeded for '", "dropbear"),
    ("Early exit:", "dropbear"),
    ("sshd version OpenSSH_<version>,", "sshd"),
    ("debug1: Bind to port <port> on", "sshd"),
    ("debug1: private host key", "sshd"),
    ("debug1: userauth-request for user", "sshd"),
    ("inetd sockets after dupping", "sshd"),
    ("list_hostkey_types: ", "sshd"),
    ("mm_request_send", "sshd"),
    ("mm_request_receive", "sshd"),
    ("mm_answer_", "sshd"),
    ("monitor_read: checking request", "sshd"),
    ("server_input_channel_open: ", "sshd"),
    ("server_init_dispatch", "sshd"),
    ("Entering interactive session for SSH2", "sshd"),
    ("User child is on pid <n>", "sshd"),
    ("debug1: PAM: ", "sshd"),
    ("debug2: PAM: ", "sshd"),
    ("debug3: PAM: ", "sshd"),
    ("monitor_child_preauth: ", "sshd"),
    ("monitor_read_log: ", "sshd"),
    ("debug1: do_pam_account: ", "sshd"),
    ("debug1: temporarily_use_uid: ", "sshd"),
    ("debug1: trying public key file ", "sshd"),
    ("debug1: session_input_channel_req: ", "sshd"),
    ("debug1: session_by_channel: ", "sshd"),
    ("debug1: session_new: ", "sshd"),
    ("debug1: session_open: ", "sshd"),
    ("notify_hostkeys: ", "sshd"),
    ("OpenSSH_<version>, OpenSSL", "OpenSSH"),
    ("OpenSSH_<version>, LibreSSL", "OpenSSH"),
    ("OpenSSH_<version>, OSSLShim", "OpenSSH"),
    ("OpenSSH_<version> <text>, OpenSSL", "OpenSSH"),
    ("OpenSSH_for_Windows_<version>, LibreSSL", "OpenSSH"),
    ("debug2: load_server_config:", "sshd"),
    ("debug2: parse_server_config", "sshd"),
    ("Server listening on <address> port <port>", "sshd"),
    ("Bad protocol version identification '", "sshd"),
    ("sshd: Authentication refused.", "sshd"),
    ("Did not receive identification string from <address>", "sshd"),
    ("banner exchange: Connection from <address> port <port>: ", "sshd"),
    ("sshd: no hostkeys available", "sshd"),
    ("sshd-session[", "sshd"),
    ("sshd[", "sshd"),
    ("exe=\"/usr/sbin/sshd", "sshd"),
    ("exe=\"/usr/libexec/openssh/sshd", "sshd"),
    ("Invalid user <user> from <address> port <port>", "sshd"),
    ("Failed password for <user> from <address> port <port>", "sshd"),
    ("Failed publickey for <user> from <address> port <port>", "sshd"),
    ("Connection closed by invalid user ", "sshd"),
    ("Connection closed by authenticating user ", "sshd"),
    ("(sshd:auth)", "sshd"),
    ("(sshd:account)", "sshd"),
    ("(sshd:session)", "sshd"),
    ("comm=\"sshd\"", "sshd"),
    ("comm=\"sshd-session\"", "sshd"),
    ("Accepted publickey for ", "sshd"),
    ("Starting session: <what> for <user> from", "sshd"),
    ("Starting session: subsystem", "sshd"),
    ("Accepted password for ", "sshd"),
    ("Accepted keyboard-interactive/pam for ", "sshd"),
    ("Disconnected from user ", "sshd"),
    ("Close session: user ", "sshd"),
    ("debug1: ", "OpenSSH"),
    ("kex_exchange_identification: ", "OpenSSH"),
    ("ssh_exchange_identification: ", "OpenSSH"),
    ("ssh: connect to host ", "OpenSSH"),
    ("ssh: Could not resolve hostname ", "OpenSSH"),
    ("client_loop: ", "OpenSSH"),
    ("packet_write_wait: ", "OpenSSH"),
    ("ssh_dispatch_run_fatal: Connection from", "sshd"),
    ("ssh_dispatch_run_fatal: Connection to", "OpenSSH"),
    ("Host key verification failed.", "OpenSSH"),
];

/// Senders of syslog whose every message counts, compared without what follows a dash.
const OWN: [&str; 24] = [
    "sshd",
    "sshd-session",
    "sshd-auth",
    "in.sshd",
    "dropbear",
    "ssh",
    "autossh",
    "sftp-server",
    "internal-sftp",
    "teleport",
    "tcpd",
    "sshguard",
    "denyhosts",
    "ssh-agent",
    "yubikey-agent",
    "tinysshd",
    "guacd",
    "sftpgo",
    "gitea",
    "forgejo",
    "gogs",
    "tailscaled",
    "cloudflared",
    "nologin",
];
/// Senders whose names may stand before a colon.
const OTHERS: [&str; 9] = [
    "systemd",
    "fail2ban",
    "fail2ban.actions",
    "fail2ban.filter",
    "kernel",
    "systemd-logind",
    "xinetd",
    "inetd",
    "launchd",
];

/// Beginnings of sentences that sshd alone logs, without a word of SSH: in a container, or under a supervisor, the sender is the shell that started it.
const OF_SSHD: [&[u8]; 3] = [
    b"Bad protocol version identification '",
    b"Did not receive identification string from ",
    b"banner exchange: Connection from ",
];

/// True if a name before a colon is that of a daemon and not the beginning of a message.
pub(super) fn is_daemon(name: &[u8]) -> bool {
    let name = String::from_utf8_lossy(name);
    // `ssh: connect to host` is a message of ssh itself, `sftp-server: not found` one of a shell.
    !["ssh", "sftp-server"].contains(&name.as_ref())
        && (OWN.contains(&name.as_ref()) || OTHERS.contains(&name.as_ref()))
}

/// True if a message of a sender of syslog is about SSH: backups, deployments and web services quote what ssh printed.
pub(super) fn concerns_ssh(ident: &str, message: &[u8]) -> bool {
    let own = |name: &str| ident == name || ident.rsplit('/').next() == Some(name);
    // rsync's own daemon needs no ssh.
    let is_of_rsync = !ident.starts_with("rsyncd") && message.windows(12).any(|word| word == b"rsync error:");
    let sentence = message.strip_prefix(b"error: ").unwrap_or(message);
    let is_of_sshd = OF_SSHD.iter().any(|begin| sentence.starts_with(begin));
    OWN.iter().any(|name| own(name)) || names_ssh(ident.as_bytes()) || is_of_rsync || names_ssh(message) || is_of_sshd
}

/// True if a text names SSH or one of its servers.
pub(super) fn names_ssh(message: &[u8]) -> bool {
    message.windows(3).any(|word| word.eq_ignore_ascii_case(b"ssh"))
        || message.windows(4).any(|word| word.eq_ignore_ascii_case(b"sftp"))
        || message.windows(8).any(|word| matches!(word, b"dropbear" | b" DPT=22 " | b"Host key" | b"(publick"))
        || message.windows(19).any(|word| word == b"list of known hosts")
        || names_its_port(message)
}

/// True if a text names port 22 beside a host: `host:22`.
fn names_its_port(message: &[u8]) -> bool {
    let is_its = |at: usize| message[at..].starts_with(b":22") && !message.get(at + 3).is_some_and(u8::is_ascii_alphanumeric);
    let follows_a_host = |at: usize| message[..at].last().is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b']');
    memchr::memchr_iter(b':', message).any(|at| is_its(at) && follows_a_host(at) && message.get(at + 3) != Some(&b':'))
}

/// True if a sender is an SSH server, each of whose processes serves one connection.
pub(super) fn is_server(ident: &str) -> bool {
    ident.starts_with("sshd") || ident == "in.sshd" || ident == "dropbear" || is_mod_sftp(ident)
}

/// True for ProFTPD's mod_sftp, whose name has its version: `mod_sftp/1.1.1`.
pub(super) fn is_mod_sftp(ident: &str) -> bool {
    ident.starts_with("mod_sftp/")
}
