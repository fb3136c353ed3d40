//! Texts of shells and programs, escaped, and their meaning.

/// The statuses of a shell that does not find a command, or may not execute it (POSIX, Shell Command Language, 2.8.2).
pub(super) const NOT_RUN: [u32; 2] = [126, 127];
/// The characters at the end of a line at which a shell or the command line of a device waits.
const PROMPTS: [char; 5] = ['$', '#', '>', '%', ']'];

/// True if these are the words of a kernel that starts no more processes, or of a shell that met one (EAGAIN and ENOMEM of fork(2)).
#[must_use]
pub fn is_process_limit(text: &str) -> bool {
    const WORDS: [&str; 6] = [
        "resource temporarily unavailable",
        "cannot fork",
        "can't fork",
        "unable to fork",
        "fork failed",
        "cannot allocate memory",
    ];
    let text = text.to_lowercase();
    WORDS.iter().any(|words| text.contains(words))
}

/// True if a shell says in a text, escaped, that it does not find `sh`, whatever folder it looked in.
#[must_use]
pub fn finds_no_sh(text: &str) -> bool {
    const WORDS: [&str; 3] = ["not found", "command not found", "no such file or directory"];
    let text = text.to_lowercase();
    text.split("\\n").any(|line| {
        let Some((before, says)) = line.trim_end_matches("\\r").trim_end_matches('.').rsplit_once(": ") else {
            return false;
        };
        // zsh names the command last.
        before.rsplit([' ', '/']).next() == Some("sh") && WORDS.contains(&says)
            || says == "sh" && before.ends_with("command not found")
    })
}

/// True if a shell says in a text, escaped, that it finds no command `exec`. Each real one has it (POSIX, Shell Command Language, 2.14): an
/// imitation of one says so.
#[must_use]
pub fn finds_no_exec(text: &str) -> bool {
    let is_such = |line: &str| {
        let line = line.trim_end_matches("\\r").trim_end_matches('.').to_lowercase();
        let Some((before, says)) = line.rsplit_once(": ") else { return false };
        let (shell, rest) = before.split_once(": ").unwrap_or(("sh", before));
        let rest = rest.strip_prefix("line ").unwrap_or(rest);
        let name = rest.trim_start_matches(|letter: char| letter.is_ascii_digit()).trim_start_matches(": ");
        let shell = shell.trim_start_matches('-').rsplit('/').next().unwrap_or_default();
        shell.ends_with("sh") && name == "exec" && ["command not found", "not found"].contains(&says)
    };
    text.split("\\n").any(is_such)
}

/// True if a text, escaped, says on each of its lines that a connection did not come about, in the words of clients, and nothing of what is done without it.
#[must_use]
pub(super) fn says_no_connection(text: &str) -> bool {
    const COMPLAINTS: [&str; 3] = ["could not connect to ", "failed to connect to ", "couldn't connect to server"];
    const GOES_ON: [&str; 8] = ["using", "retry", "fall", "warning", "note", "kept", "local", "skip"];
    let text = text.to_lowercase();
    let mut lines = text.split("\\n").map(str::trim).filter(|line| !line.is_empty()).peekable();
    lines.peek().is_some()
        && lines.all(|line| COMPLAINTS.iter().any(|words| line.contains(words)))
        && !GOES_ON.iter().any(|words| text.contains(words))
}

/// The program of our own command that the `sh` which runs it says in a text, escaped, that it does not find or may not run: "sh: 1: cat: not found".
/// Lines of other programs and of start-up files are about something else; an imitation of a shell has another name.
#[must_use]
pub fn lacks_program(text: &str, is_imitation: bool) -> Option<&'static str> {
    const OURS: [&str; 6] = ["head", "tail", "cat", "dd", "tr", "printf"];
    const WORDS: [&str; 7] = [
        "not found",
        "command not found",
        "inaccessible or not found",
        "no such file or directory",
        "permission denied",
        "not executable",
        "cannot execute",
    ];
    let lacked = |line: &str| {
        let line = line.trim_end_matches("\\r").to_lowercase();
        let of_sh = line.strip_prefix("sh").filter(|said| said.starts_with([':', '[']));
        let said = of_sh.or_else(|| is_imitation.then(|| line.split_once(": ")).flatten().map(|(_, said)| said))?;
        let (before, last) = said.rsplit_once(": ")?;
        // zsh names the command last.
        let name = if before.ends_with("command not found") {
            last
        } else {
            let name = before.rsplit_once(": ").map_or(before, |(_, name)| name).trim_start_matches([':', ' ']);
            WORDS.contains(&last).then_some(name)?
        };
        let name = name.rsplit('/').next().filter(|_| !name.contains(' '))?;
        OURS.into_iter().find(|ours| *ours == name)
    };
    text.split("\\n").find_map(lacked)
}

/// True if ssh says in a text, escaped, that it did not get to the host that it was to log in to (ssh(1) ends with status 255 then).
pub(super) fn says_no_login(text: &str) -> bool {
    const BEGIN: [&str; 7] = [
        "ssh: connect to host ",
        "ssh: could not resolve hostname ",
        "host key verification failed.",
        "kex_exchange_identification: ",
        "ssh_exchange_identification: ",
        "banner exchange: connection ",
        "connection timed out during banner exchange",
    ];
    /// With the address and " port N" behind it, as other programs do not say.
    const BEFORE_PORT: [&str; 4] =
        ["connection closed by ", "connection reset by ", "unable to negotiate with ", "received disconnect from "];
    const METHODS: [&str; 5] = ["publickey", "password", "keyboard-interactive", "hostbased", "gssapi-"];
    text.to_lowercase().split("\\n").any(|line| {
        let refused = line.split_once(": permission denied (").map(|(_, methods)| methods);
        BEGIN.iter().any(|words| line.starts_with(words))
            || BEFORE_PORT.iter().any(|words| line.starts_with(words)) && line.contains(" port ")
            || refused.is_some_and(|methods| METHODS.iter().any(|method| methods.starts_with(method)))
    })
}

/// True if a shell says so of a command that it does not find, or may not execute.
pub(super) fn says_not_run(text: &str) -> bool {
    const WORDS: [&str; 5] = ["not found", "no such file", "permission denied", "cannot execute", "exec format error"];
    let text = text.to_lowercase();
    WORDS.iter().any(|words| text.contains(words))
}

/// True if these are the words of a shell about a program that is not there.
#[must_use]
pub fn says_not_found(text: &str) -> bool {
    let words = text.to_lowercase();
    ["not found", "no such file or directory", "unknown command"].iter().any(|said| words.contains(said))
}

/// True if a text, escaped, may be a complaint: of a program that could not do its work.
pub(super) fn complains(text: &str) -> bool {
    const WORDS: [&str; 18] = [
        "error",
        "cannot",
        "can't",
        "can not",
        "could not",
        "couldn't",
        "unable",
        "fail",
        "denied",
        "fatal",
        "panic",
        "no such",
        "not found",
        "no space",
        "exception",
        "traceback",
        "abort",
        "invalid",
    ];
    let text = text.to_lowercase();
    says_not_run(&text) || WORDS.iter().any(|word| text.contains(word))
}

/// True if the last line of a text, escaped, is one at which a shell waits.
#[must_use]
pub fn ends_with_prompt(text: &str) -> bool {
    text.trim_end().ends_with(PROMPTS) && !is_menu(text)
}

/// True if a text, escaped, asks for something: it is a menu, or its last line ends as a question or a prompt does.
#[must_use]
pub fn is_asking(text: &str) -> bool {
    let last = text.trim_end_matches(['\\', 'n', 'r', ' ']);
    is_menu(text) || last.ends_with([':', '?']) || last.ends_with(PROMPTS)
}

/// True if a text, escaped, may want an answer: it asks for something, offers choices by letters, draws on a terminal, or has a word of such texts.
#[must_use]
pub fn invites_input(text: &str) -> bool {
    const WORDS: [&str; 22] = [
        "choose",
        "choice",
        "select",
        "pick",
        "enter",
        "press",
        "type",
        "input",
        "hit",
        "menu",
        "option",
        "accept",
        "agree",
        "confirm",
        "continue",
        "password",
        "passcode",
        "passphrase",
        "code",
        "token",
        "login",
        "answer",
    ];
    let text = text.to_lowercase();
    let is_choice = |line: &str| {
        let line = line.trim_start_matches(['\\', 'r', ' ', '\t', '(', '[', '<']);
        let rest = line.strip_prefix(|letter: char| letter.is_ascii_alphanumeric());
        let is_mark =
            |rest: &str| rest.starts_with([')', ']', '>', '.', ':', '=']) || rest.trim_start().starts_with(['=', '-']);
        rest.is_some_and(is_mark)
    };
    let mut words = text.split(|letter: char| !letter.is_ascii_alphabetic());
    is_asking(&text)
        || text.contains("\\u{1b}")
        || text.contains(['?'])
        || text.split("\\n").any(is_choice)
        || words.any(|word| WORDS.contains(&word.strip_prefix('n').filter(|word| WORDS.contains(word)).unwrap_or(word)))
}

/// True if choices with numbers or letters stand in a text, escaped: Enter may choose one.
pub(super) fn is_menu(text: &str) -> bool {
    let words = text.split(['\\', ' ', '\t', '\n']).map(|word| word.trim_start_matches(['n', 'r']));
    let is_choice = |word: &&str| {
        let choice = word.trim_start_matches(['(', '[']).strip_suffix([')', ']', '.', ':']);
        choice
            .is_some_and(|choice| choice.len() <= 2 && !choice.is_empty() && choice.chars().all(|c| c.is_ascii_digit()))
    };
    words.filter(is_choice).count() >= 2
}

/// True if a shell says in a text that it does not know the option `-c`. A usage without a complaint is that of a forced program, which is given no option.
pub(super) fn refuses_c(text: &str) -> bool {
    const UNKNOWN: [&str; 5] =
        ["invalid option", "unknown option", "unrecognized", "illegal option", "unexpected argument"];
    const COMPLAINTS: [&str; 5] =
        ["invalid option", "unknown option", "unrecognized option", "illegal option", "unsupported option"];
    let text = text.to_lowercase();
    let names_c = text.split([' ', '"', '\'', '`', '\\', ',', '.', ':']).any(|word| word == "-c")
        || text.contains("'c'")
        || text.contains("-- c");
    let is_unknown = names_c && UNKNOWN.iter().any(|words| text.contains(words));
    // A parser of options that names another one of them, or none, and shows its own.
    let complains = COMPLAINTS.iter().any(|words| text.contains(words));
    let shows_options = complains && ["usage:", "--help"].iter().any(|words| text.contains(words));
    // util-linux: the program has an option of this name, which needs another one.
    is_unknown || shows_options || text.contains("may only be used with option")
}

#[cfg(test)]
mod tests {
    use super::{finds_no_exec, finds_no_sh, invites_input, lacks_program, refuses_c, says_no_login, says_not_run};

    #[test]
    fn a_greeting_is_told_from_what_wants_an_answer() {
        for greeting in [
            "Welcome to db\\n",
            "You are user me\\n",
            "Debian GNU/Linux 12 db\\n\\n up 3 days, load 0.1, 2 users\\n",
            "Loading modules\\n",
            "220 mail ESMTP\\n",
        ] {
            assert!(!invites_input(greeting), "{greeting}");
        }
        for inviting in [
            "Main menu\\na) status\\nq) quit\\n",
            "s = status\\n",
            "s - status\\n",
            "  [r] restart\\n  [q] leave\\n",
            "Leave your name in the guest book and press Enter.\\n",
            "Welcome\\nEnter a ticket number\\n",
            "Are you sure?\\n",
            "1) restart 2) leave\\n",
            "\\u{1b}[2JWelcome\\n",
            "Ticket:\\n",
        ] {
            assert!(invites_input(inviting), "{inviting}");
        }
    }

    #[test]
    fn a_shell_that_does_not_find_sh_says_so_in_many_ways() {
        for said in [
            "bash: line 1: exec: sh: not found\\n",
            "bash: line 1: /home/me/sh: No such file or directory\\n",
            "zsh:1: command not found: sh\\n",
            "sh: Command not found.\\n",
            "mesg: not found\\r\\nksh: sh: not found\\r\\n",
        ] {
            assert!(finds_no_sh(said), "{said}");
        }
        for other in [
            "sh: 1: rsync: not found\\n",
            "/bin/nosh: No such file or directory\\n",
            "-sh: rsync: not found\\n",
            "sh\\n",
        ] {
            assert!(!finds_no_sh(other), "{other}");
        }
    }

    #[test]
    fn an_imitation_of_a_shell_knows_no_exec() {
        for said in [
            "bash: exec: command not found\\n",
            "-bash: exec: command not found\\r\\n",
            "sh: 1: exec: not found\\n",
            "bash: line 1: exec: command not found\\n",
            "exec: command not found\\n",
        ] {
            assert!(finds_no_exec(said), "{said}");
        }
        for other in [
            "bash: line 1: exec: sh: not found\\n",
            "sh: 1: exec: foo: not found\\n",
            "sudo: exec: command not found\\n",
            "env: exec: No such file or directory\\n",
            "/srv/run.sh: 2: exec: /srv/verbs/exec: not found\\n",
        ] {
            assert!(!finds_no_exec(other), "{other}");
        }
    }

    #[test]
    fn a_shell_for_people_does_not_know_the_option_c() {
        for said in [
            "sqlite3: Error: unknown option: -c\\nUse -help for a list of options.\\n",
            "passwd: invalid option -- 'c'\\nUsage: passwd [options] [LOGIN]\\n",
            "init.rb:318:in `parse_opts': Unrecognized switch: -c (IRB::UnrecognizedSwitch)\\n",
        ] {
            assert!(refuses_c(said), "{said}");
        }
        assert!(!refuses_c("backup: unknown option --compress\\n") && !refuses_c("usage: run -c FILE\\n"));
        assert!(!refuses_c("Usage: deploy [options] ENV\\n"));
        assert!(refuses_c(
            "lscpu: options --all, --online and --offline may only be used with options --extended or --parse.\\n"
        ));
        assert!(refuses_c("error: unsupported option (BSD syntax)\\n\\nUsage:\\n ps [options]\\n"));
    }

    #[test]
    fn a_program_of_ours_is_missing_in_the_words_of_any_shell() {
        for (said, name) in [
            ("sh: 1: cat: not found\\n", "cat"),
            ("sh: line 1: head: command not found\\n", "head"),
            ("sh: tail: inaccessible or not found\\n", "tail"),
            ("sh: 1: tr: Permission denied\\n", "tr"),
            ("mesg: ttyname failed\\nsh: /bin/dd: No such file or directory\\r\\n", "dd"),
        ] {
            assert_eq!(lacks_program(said, false), Some(name), "{said}");
        }
        assert_eq!(lacks_program("sh:1: command not found: cat\\n", false), Some("cat"));
        assert_eq!(lacks_program("sh[1]: dd: not found\\n", false), Some("dd"));
        for other in [
            "cat: write error: Broken pipe\\n",
            "sh: 1: category: not found\\n",
            "cat: /home/me/.greeting: No such file or directory\\n",
            "dd: failed to open '/dev/zero': Permission denied\\n",
            "/home/me/.bashrc: line 3: cat: command not found\\n",
            "bash: line 1: cat: command not found\\n",
            "sh: 1: cannot open /srv/head: No such file or directory\\n",
        ] {
            assert_eq!(lacks_program(other, false), None, "{other}");
        }
        assert_eq!(
            lacks_program("bash: head: command not found\\nbash: cat: command not found\\n", true),
            Some("head")
        );
        assert_eq!(lacks_program("bash: category: command not found\\n", true), None);
    }

    #[test]
    fn a_login_to_the_next_host_that_fails_is_told() {
        assert!(says_no_login("me@inner: Permission denied (publickey).\\r\\n"));
        assert!(says_no_login("ssh: connect to host inner port 22: Connection refused\\r\\n"));
        assert!(says_no_login("Connection closed by 192.0.2.1 port 22\\r\\n"));
        for other in [
            "PHP Fatal error:  Uncaught PDOException: SQLSTATE[HY000] [2002] Connection refused in /srv/job.php:3\\n",
            "curl: (7) Failed to connect to 127.0.0.1 port 9: Connection refused\\n",
            "open /srv/data: Permission denied (13)\\n",
            "psql: error: connection to server failed: No route to host\\n",
        ] {
            assert!(!says_no_login(other), "{other}");
        }
        assert!(!says_no_login("Pseudo-terminal will not be allocated because stdin is not a terminal.\\r\\n"));
    }

    #[test]
    fn words_of_a_wrapper_are_no_words_of_a_shell() {
        assert!(says_not_run("sh: 1: borg: not found\\n") && !says_not_run("usage: uptime | df\\n"));
    }
}
