//! The keepalive of each client, read by the program that has to read it.

use std::fs;
use std::process::{Command, Stdio};

use ssh_doctor::guide;

use crate::lab::has;

/// A client, a program, and how that program reads the client's snippet from a file of this name; `{file}` is the file.
const READERS: &[(&str, &str, &str, &[&str])] = &[
    (
        "ansible",
        "python3",
        "snippet.ini",
        &[
            "-c",
            "import configparser as c; p = c.ConfigParser(); p.read('{file}'); assert 'ServerAliveInterval=30' in p['ssh_connection']['ssh_args']",
        ],
    ),
    ("asyncssh", "python3", "snippet.py", &["-c", "import ast; ast.parse(open('{file}').read())"]),
    ("paramiko", "python3", "snippet.py", &["-c", "import ast; ast.parse(open('{file}').read())"]),
    (
        "rclone",
        "python3",
        "snippet.ini",
        &[
            "-c",
            "import configparser as c; p = c.ConfigParser(); p.read('{file}'); assert p['REMOTE']['ssh'].startswith('ssh -o ServerAliveInterval=30')",
        ],
    ),
    (
        "systemd",
        "python3",
        "snippet.ini",
        &[
            "-c",
            "import configparser as c; p = c.ConfigParser(); p.optionxform = str; p.read('{file}'); assert p['Service']['ExecStart'].startswith('/usr/bin/ssh -N')",
        ],
    ),
    ("net-ssh", "ruby", "snippet.rb", &["-c", "{file}"]),
    ("node-ssh2", "node", "snippet.js", &["--check", "{file}"]),
    ("vscode", "ssh", "config", &["-G", "-F", "{file}", "db"]),
    ("autossh", "sh", "snippet.sh", &["-n", "{file}"]),
    ("dbclient", "sh", "snippet.sh", &["-n", "{file}"]),
    ("filezilla", "sh", "snippet.sh", &["-n", "{file}"]),
    ("git", "sh", "snippet.sh", &["-n", "{file}"]),
    ("rsync", "sh", "snippet.sh", &["-n", "{file}"]),
    ("sshfs", "sh", "snippet.sh", &["-n", "{file}"]),
];

/// The snippet of a client in the guide, its placeholders filled in.
fn snippet(client: &str) -> String {
    let guide = guide::page();
    let (_, section) = guide.split_once(&format!("\n### {client}\n")).unwrap_or_else(|| panic!("{client}"));
    let snippet = section.split("```").nth(1).and_then(|block| block.strip_prefix("text\n")).unwrap();
    [
        ("{interval_ms}", "30000"),
        ("{interval}", "30"),
        ("{count_max}", "3"),
        ("{alias}", "db"),
        ("{port}", "22"),
        ("{user}", "me"),
        ("{host}", "db"),
    ]
    .into_iter()
    .fold(snippet.to_owned(), |text, (hole, value)| text.replace(hole, value))
}

#[test]
fn the_program_itself_reads_the_snippet() {
    let folder = tempfile::tempdir().unwrap();
    for (client, program, name, args) in READERS {
        // Not every machine has every language.
        if !has(program) {
            continue;
        }
        let file = folder.path().join(format!("{client}-{name}"));
        fs::write(&file, snippet(client) + "\n").unwrap();
        let args = args.iter().map(|arg| arg.replace("{file}", &file.display().to_string()));
        let output = Command::new(program).args(args).stdin(Stdio::null()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{client}: {}: {output:?}", snippet(client));
        assert!(*client != "vscode" || said.contains("serveraliveinterval 30"), "{said}");
    }
}

#[test]
fn git_runs_ssh_with_the_interval() {
    let folder = tempfile::tempdir().unwrap();
    let git = |args: &[&str]| Command::new("git").arg("-C").arg(folder.path()).args(args).output();
    assert!(git(&["init", "-q"]).unwrap().status.success());
    let set = Command::new("sh").arg("-c").arg(snippet("git")).current_dir(folder.path()).status().unwrap();
    assert!(set.success());
    let own = git(&["config", "core.sshCommand"]).unwrap();
    assert_eq!(String::from_utf8_lossy(&own.stdout).trim(), "ssh -o ServerAliveInterval=30 -o ServerAliveCountMax=3");
}

#[test]
fn gofmt_and_a_compiler_read_the_snippets_of_libraries() {
    let folder = tempfile::tempdir().unwrap();
    let written = |name: &str, text: String| {
        let file = folder.path().join(name);
        fs::write(&file, text).unwrap();
        file
    };
    if has("gofmt") {
        let file = written("keepalive.go", format!("package main\n\nfunc main() {{\n{}\n}}\n", snippet("go")));
        let output = Command::new("gofmt").arg("-e").arg(file).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
    if has("cc") {
        for (client, declared) in [
            (
                "libssh",
                "typedef struct s *ssh_session; int ssh_send_ignore(ssh_session, const char *); ssh_session session;",
            ),
            (
                "libssh2",
                "typedef struct s S; void libssh2_keepalive_config(S *, int, unsigned); int libssh2_keepalive_send(S *, int *); \
                 S *session; int seconds_to_next;",
            ),
        ] {
            let file = written("keepalive.c", format!("{declared}\nvoid loop(void) {{ {} }}\n", snippet(client)));
            let output = Command::new("cc").args(["-fsyntax-only", "-Werror"]).arg(file).output().unwrap();
            assert!(output.status.success(), "{client}: {output:?}");
        }
    }
}
