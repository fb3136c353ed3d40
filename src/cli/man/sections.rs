//! The sections of the man pages that `--help` does not have: environment, files, JSON.

use crate::cli::{COMPARE_STATUS, EXIT_STATUS};

/// A term and its description.
pub(super) type Entry = (&'static str, &'static str);

/// The sections of one page; an empty one is left out.
#[derive(Debug)]
pub(super) struct Sections {
    /// Paragraphs after the first sentence of DESCRIPTION.
    pub(super) description: &'static [&'static str],
    pub(super) exit_status: &'static [Entry],
    pub(super) environment: &'static [Entry],
    pub(super) files: &'static [Entry],
    pub(super) json: &'static [Entry],
    /// Examples beside those of `--help`.
    pub(super) examples: &'static [Entry],
    /// The commands that SEE ALSO names.
    pub(super) see_also: &'static [&'static str],
}

const PASSWORD: Entry = ("SSH_DOCTOR_PASSWORD", "A password to log in with.");
const AGENT: Entry =
    ("SSH_AUTH_SOCK", "The agent's socket, unless IdentityAgent in ssh_config(5) names another one or none.");
const SHELL: Entry = ("SHELL", "The shell that runs a ProxyCommand, as in ssh(1).");
const COLOR: Entry = ("NO_COLOR", "Disables colours, unless --color asks for them.");
const LOCALE: Entry = ("LC_ALL, LC_CTYPE, LANG", "A locale other than UTF-8 makes the report plain ASCII.");
const STATE: Entry = ("XDG_STATE_HOME", "The parent folder of the journals, instead of ~/.local/state.");

/// The files that a login reads; none is changed.
const LOGIN_FILES: &[Entry] = &[
    ("~/.ssh/config, /etc/ssh/ssh_config", "The settings of ssh, as ssh -G prints them."),
    (
        "~/.ssh/known_hosts, /etc/ssh/ssh_known_hosts",
        "Trusted host keys, or the files that UserKnownHostsFile and GlobalKnownHostsFile name.",
    ),
    ("~/.ssh/id_*", "Private keys, or those that IdentityFile names; an agent's keys are offered first."),
    ("/etc/resolv.conf, /etc/hosts, /etc/nsswitch.conf", "The sources of host names."),
];

const WATCH_FILES: &[Entry] = &[
    (
        "~/.local/state/ssh-doctor/watch/HOST-PORT.jsonl",
        "The journal, unless --journal names another file: appended to, readable by its owner only.",
    ),
    LOGIN_FILES[0],
    LOGIN_FILES[1],
    LOGIN_FILES[2],
];

const TAP_FILES: &[Entry] = &[(
    "~/.local/state/ssh-doctor/tap/*.jsonl",
    "One journal per session, readable by its owner only, without content; the newest 2000 are kept.",
)];

/// The keys of a report.
const REPORT_JSON: &[Entry] = &[
    ("verdict, exit_status, died_at", "The result, and the check at which sessions fail."),
    ("target, via", "The host, port, user and address, and the jump hosts before it."),
    ("idle", "The longest idle time survived and the shortest that failed, in seconds, and the proven keepalive."),
    ("checks[]", "name, status (pass, warn, fail, skip, error), duration_ms, summary, evidence."),
    ("diagnoses[]", "code, stage, severity, certainty, title, explanation, because, fixes; the root cause first."),
    ("schema_version", "ssh-doctor schema prints the JSON Schema. Later versions add keys and never rename one."),
];

const SESSIONS_JSON: &[Entry] = &[
    ("verdict", "broken where a session is frozen or dead, degraded where one is half-closed, stuck or blocked."),
    ("sessions[]", "role, pid, program, peer, idle times in seconds, retransmissions, state."),
    ("not_known[]", "Facts that this user's rights, or a run without --probe, do not show."),
    ("schema_version", "ssh-doctor schema sessions prints the JSON Schema."),
];

const COMPARE_JSON: &[Entry] = &[
    ("a, b", "The outcome of each report."),
    ("differences[]", "check, what, a, b, may_explain; those that may explain the outcome first."),
    ("names_left_out", "true where a recording replaces names and addresses, so that they were not compared."),
];

const SESSIONS_STATUS: &[Entry] = &[
    ("0", "no session is in trouble"),
    ("1", "a session is half-closed, or one side has stopped reading"),
    ("2", "a session is frozen or dead"),
    ("3", "usage error, or the kernel's socket table cannot be read; with --past the status is that of check"),
];

const TAP_STATUS: &[Entry] = &[
    ("0", "the session ended in order"),
    ("2", "the session was lost, or no connection was possible"),
    ("3", "usage error, or the connection cannot be used"),
];

const SERVE_STATUS: &[Entry] = &[
    ("0", "stopped by SIGTERM or SIGINT; with --check-config: the configuration can be used"),
    ("3", "usage error, or the configuration cannot be used"),
];

const PRINTED_STATUS: &[Entry] = &[("0", "printed"), ("3", "usage error, or the output cannot be written")];

const NONE: Sections = Sections {
    description: &[],
    exit_status: &[],
    environment: &[],
    files: &[],
    json: &[],
    examples: &[],
    see_also: &[],
};

const PROGRAM: Sections = Sections {
    exit_status: &EXIT_STATUS,
    environment: &[PASSWORD, AGENT, SHELL, STATE, COLOR, LOCALE],
    files: LOGIN_FILES,
    ..NONE
};

const CHECK: Sections = Sections {
    description: &[
        "Durations are written 90s, 6m or 1h30m. Flags of ssh(1) that are not listed here are accepted too.",
        "SIGINT and SIGTERM end the examination early; the report then says what is known. A second one ends it without a report.",
    ],
    exit_status: &EXIT_STATUS,
    environment: &[PASSWORD, AGENT, SHELL, COLOR, LOCALE],
    files: LOGIN_FILES,
    json: REPORT_JSON,
    see_also: &["diagnose", "explain", "watch"],
    ..NONE
};

const DEMO: Sections = Sections {
    description: &["The fault runs on a loopback address, in this process, and ends with it."],
    exit_status: &EXIT_STATUS,
    environment: &[COLOR, LOCALE],
    json: REPORT_JSON,
    examples: &[("ssh-doctor demo --list", "List the cases"), ("ssh-doctor demo no-common-kex", "Start one of them")],
    see_also: &["check"],
    ..NONE
};

const EXPLAIN: Sections = Sections {
    exit_status: &EXIT_STATUS,
    environment: &[COLOR, LOCALE],
    json: REPORT_JSON,
    examples: &[("ssh-doctor explain idle-silent-drop", "A cause, and every fix for it")],
    see_also: &["causes", "check"],
    ..NONE
};

const CAUSES: Sections = Sections {
    exit_status: PRINTED_STATUS,
    environment: &[COLOR, LOCALE],
    examples: &[("ssh-doctor causes | grep mtu", "Find a cause by a word")],
    see_also: &["explain"],
    ..NONE
};

const DIAGNOSE: Sections = Sections {
    exit_status: &EXIT_STATUS,
    environment: &[COLOR, LOCALE],
    json: REPORT_JSON,
    examples: &[(
        "ssh-doctor diagnose --format nagios --max-age 26h db.json",
        "As a plugin: the result of a check that a timer runs",
    )],
    see_also: &["check", "report"],
    ..NONE
};

const REPORT: Sections = Sections {
    exit_status: &EXIT_STATUS,
    environment: &[COLOR, LOCALE],
    json: REPORT_JSON,
    examples: &[("ssh-doctor report db.json --html --output db.html", "A page for a ticket")],
    see_also: &["check", "diagnose"],
    ..NONE
};

const COMPARE: Sections = Sections {
    description: &["Times and rates are compared beyond what varies from run to run."],
    exit_status: COMPARE_STATUS,
    environment: &[COLOR, LOCALE],
    json: COMPARE_JSON,
    see_also: &["check"],
    ..NONE
};

const SESSIONS: Sections = Sections {
    exit_status: SESSIONS_STATUS,
    environment: &[STATE, COLOR, LOCALE],
    files: TAP_FILES,
    json: SESSIONS_JSON,
    examples: &[
        ("ssh-doctor sessions --keep-alive 30s 4711", "Keep one open session alive"),
        ("ssh-doctor sessions --past", "What the sessions that tap recorded have in common"),
    ],
    see_also: &["tap"],
    ..NONE
};

const SERVE: Sections = Sections {
    description: &["SIGHUP reads the configuration again. Sockets passed by systemd are used instead of --listen."],
    exit_status: SERVE_STATUS,
    environment: &[
        (
            "STATE_DIRECTORY",
            "The directory of the idle results, where neither an option nor the configuration sets one.",
        ),
        ("CREDENTIALS_DIRECTORY", "The directory of keys and passwords that a module names without a path (systemd)."),
    ],
    files: LOGIN_FILES,
    json: REPORT_JSON,
    see_also: &["check"],
    ..NONE
};

const TAP: Sections = Sections {
    exit_status: TAP_STATUS,
    environment: &[STATE],
    files: TAP_FILES,
    examples: &[("ssh -o ProxyCommand='ssh-doctor tap %h %p' db", "Record one session")],
    see_also: &["sessions", "watch"],
    ..NONE
};

const WATCH: Sections = Sections {
    description: &["SIGINT, SIGTERM or --for ends the watch; then it reports what the losses have in common."],
    exit_status: &EXIT_STATUS,
    environment: &[PASSWORD, AGENT, SHELL, STATE, COLOR, LOCALE],
    files: WATCH_FILES,
    json: REPORT_JSON,
    examples: &[("ssh-doctor watch --summary FILE --since 7d", "The losses of the last week in a journal")],
    see_also: &["check", "tap"],
};

const SCHEMA: Sections = Sections {
    exit_status: PRINTED_STATUS,
    examples: &[("ssh-doctor schema > report.schema.json", "The schema of a report")],
    see_also: &["check", "sessions"],
    ..NONE
};

const COMPLETIONS: Sections = Sections {
    exit_status: PRINTED_STATUS,
    files: &[
        ("~/.ssh/config, /etc/ssh/ssh_config", "The aliases that the completions offer, read at each completion."),
        ("~/.ssh/known_hosts, /etc/ssh/ssh_known_hosts", "The host names that they offer."),
    ],
    examples: &[(
        "ssh-doctor completions bash > ~/.local/share/bash-completion/completions/ssh-doctor",
        "Install them for bash",
    )],
    see_also: &["man"],
    ..NONE
};

const MAN: Sections = Sections {
    exit_status: PRINTED_STATUS,
    examples: &[
        ("ssh-doctor man check | man -l -", "Read the page of a command"),
        ("ssh-doctor man --all ~/.local/share/man/man1", "Install all pages"),
    ],
    see_also: &["completions"],
    ..NONE
};

impl Sections {
    /// The sections of the page of a command; of the program's own page for any other name.
    pub(super) fn of(command: &str) -> &'static Self {
        match command {
            "check" => &CHECK,
            "demo" => &DEMO,
            "explain" => &EXPLAIN,
            "causes" => &CAUSES,
            "diagnose" => &DIAGNOSE,
            "report" => &REPORT,
            "compare" => &COMPARE,
            "sessions" => &SESSIONS,
            "serve" => &SERVE,
            "tap" => &TAP,
            "watch" => &WATCH,
            "schema" => &SCHEMA,
            "completions" => &COMPLETIONS,
            "man" => &MAN,
            _ => &PROGRAM,
        }
    }
}
