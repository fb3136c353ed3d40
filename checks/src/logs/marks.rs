//! Marks of the program or the process that wrote a line.

use std::sync::LazyLock;

use memchr::memmem;
use regex::bytes::{Regex, RegexBuilder};

use super::programs::names_ssh;

/// Words in a command that runs ssh by another name.
const RUN_SSH: [&[u8]; 8] = [b"mosh", b"scp ", b"sftp ", b"rsync ", b"git ", b"ansible", b"vagrant", b"slogin"];

/// Words for something that hangs, of people who write about a log.
static HANGS: LazyLock<Regex> = LazyLock::new(|| {
    let words = [
        r"\b(hang(s|ing|ed)?|hung|stuck|fr(ee|o)z(e|en|es|ing)|stall(s|ed|ing)?|unresponsive|forever|indefinitely|blocks?|blocked)\b",
        r"(\b(no|never|not)|n't) (\w+ ){0,2}(prompt|shell|response|output|answer|returns?|respond(s|ing)?|answers?|proceed|continue|completes?|further|past)",
        r"\b(nothing (more|else|further|happens|comes|after)|and then nothing|that's it|far as)\b",
        r"\b(sits|waits|waiting|pauses?|stops?|drops?) (there|here|right|for|at|after|idle)\b|keeps waiting",
        r"\btime[sd]? ?out\b|\bslow(ly|er)?\b|\bdelay|\bages\b|takes? (about |over |up to |so |very |a )*(long|\d+ ?(s|sec|seconds|min|minutes)\b)",
        r"^\s*\^C|\bctrl.?c\b|\bkill(ed)? (it|the)\b|\binterrupt",
        "\u{5361}\u{4f4f}|\u{5361}\u{5728}|\u{5361}\u{6b7b}|\u{6ca1}\u{6709}(\u{4efb}\u{4f55})?(\u{53cd}\u{5e94}|\u{8f93}\u{51fa})|\u{65e0}\u{54cd}\u{5e94}|\u{437}\u{430}\u{432}\u{438}\u{441}|h\u{e4}ngt|se (cuelga|queda)|bloqu\u{e9}|si blocca|\u{56fa}\u{307e}\u{308b}",
    ];
    let words = RegexBuilder::new(&words.join("|")).unicode(false).case_insensitive(true).build();
    words.expect("the words are a pattern")
});

/// True if a line without a time stamp has words for something that hangs.
pub(super) fn says_that_it_hangs(text: &[u8]) -> bool {
    HANGS.is_match(text)
}

/// True for a line that ssh alone prints, as in a text with both ends' logs.
pub(super) fn is_a_clients(message: &[u8]) -> bool {
    const OWN: [&[u8]; 6] = [
        b"ssh: connect to host ",
        b"ssh: Could not resolve hostname ",
        b"debug1: Reading configuration data ",
        b"debug1: Connecting to ",
        b"Host key verification failed.",
        b": Permission denied (",
    ];
    OWN.iter().any(|text| memmem::find(message, text).is_some())
}

/// True for the first line of another run: a prompt of a shell and a command that runs an SSH client, or PuTTY's question for a name.
pub(super) fn begins_a_run(message: &[u8]) -> bool {
    is_a_typed_command(message) || message.starts_with(b"login as: ")
}

/// The host in a prompt of a shell at which nothing was typed: `dev@web:~$`, `[root@db ~]#`.
pub(super) fn prompt_host(text: &[u8]) -> Option<&[u8]> {
    let text = text.trim_ascii();
    let text = text.strip_prefix(b"[").unwrap_or(text);
    let (last, rest) = text.split_last()?;
    let at = rest.iter().position(|byte| *byte == b'@')?;
    let is_of_a_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let host = &rest[at + 1..];
    let end = host.iter().position(|byte| !is_of_a_name(byte)).unwrap_or(host.len());
    let is_one = matches!(last, b'$' | b'#' | b'%' | b'>') && rest[..at].iter().all(is_of_a_name);
    (is_one && end > 0).then_some(&host[..end])
}

fn is_a_typed_command(message: &[u8]) -> bool {
    const PROMPT: usize = 80;
    const COMMANDS: [&[u8]; 4] = [b" ssh ", b" sftp ", b" scp ", b" ansible "];
    let prompt = message.iter().take(PROMPT).position(|byte| matches!(byte, b'$' | b'#' | b'%' | b'>'));
    prompt.is_some_and(|at| COMMANDS.iter().any(|command| message[at + 1..].starts_with(command)))
}

/// True for what the process of a session says as it gives up, without naming its client.
pub(super) fn is_a_sessions_last_word(message: &[u8]) -> bool {
    let has = |text: &[u8]| memmem::find(message, text).is_some();
    message.starts_with(b"fatal: ") && !has(b"[preauth]") && !has(b"authentication")
}

/// True if a line is one of a stack trace of Java, JavaScript, .NET or Python that names a library or a file of the program: one of
/// Node.js itself or of a bundle names neither.
pub(super) fn is_a_stack_frame(text: &[u8]) -> bool {
    const NAMELESS: [&[u8]; 5] = [b"(internal/", b"(node:", b"/dist/", b"webpack:", b"(<anonymous>)"];
    let text = text.trim_ascii_start();
    text.starts_with(b"at ") && text.ends_with(b")") && !NAMELESS.iter().any(|name| memmem::find(text, name).is_some())
        || text.starts_with(b"File \"") && memmem::find(text, b"\", line ").is_some()
}

/// True if a line can be what a session printed, or what was typed in one: it runs no ssh, and announces nothing.
pub(super) fn is_output(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    let runs_ssh = || RUN_SSH.iter().any(|name| memmem::find(text, name).is_some());
    let announces = text.ends_with(b":") && !text.starts_with(b"[sudo]");
    text.iter().any(u8::is_ascii_alphanumeric) && !announces && !names_ssh(text) && !runs_ssh()
}

/// True if a line tells that a program connects to a port of FTP, Telnet, mail, the web or a database.
pub(super) fn connects_elsewhere(text: &[u8]) -> bool {
    const PORTS: [&[u8]; 11] = [b"21", b"23", b"25", b"80", b"110", b"143", b"389", b"587", b"990", b"3306", b"5432"];
    if speaks_ftp(text) || runs_git_without_ssh(text) {
        return true;
    }
    let Some(at) = memmem::find(text, b"onnecting to ") else { return false };
    let mut words = text[at..].split(u8::is_ascii_whitespace).skip(2);
    let word = words.next().unwrap_or_default();
    let word = word.strip_suffix(b"...").unwrap_or(word);
    let port = word.iter().rposition(|byte| *byte == b':').map(|colon| &word[colon + 1..]);
    // `HOST port 21`, and `HOST (ADDRESS) port 21` of lftp.
    let named = words.skip_while(|word| *word != b"port").nth(1);
    [port, named].into_iter().flatten().any(|port| PORTS.contains(&port))
}

/// True if a line tells that a program connects to SSH's own port.
fn connects_to_ssh(text: &[u8]) -> bool {
    let Some(at) = memmem::find(text, b"onnecting to ") else { return false };
    let ends = |word: &[u8]| word.strip_suffix(b"...").unwrap_or(word).ends_with(b":22");
    text[at..].split(u8::is_ascii_whitespace).any(ends)
}

/// True for what FileZilla says of FTP alone, where TCP is connected.
pub(super) fn speaks_ftp(text: &[u8]) -> bool {
    const WORDS: [&[u8]; 3] =
        [b"waiting for welcome message", b"established, initializing TLS", b"Initializing TLS..."];
    WORDS.iter().any(|words| memmem::find(text, words).is_some())
}

/// True for a typed command that runs git over its own protocol.
fn runs_git_without_ssh(text: &[u8]) -> bool {
    let at = memmem::find(text, b"git ");
    at.is_some_and(|at| memmem::find(&text[at..], b" git://").is_some())
}

/// True for the words of the program that stands in place of the shell of an account without one.
pub(super) fn is_a_refused_account(text: &[u8]) -> bool {
    memmem::find(text, b"account is currently not available").is_some()
}

/// True if a line names SSH, a URL of it, or a program that works over SSH alone.
pub(super) fn is_about_ssh(text: &[u8]) -> bool {
    const NAMES: [&[u8]; 7] = [b"ssh", b"SSH", b"sftp", b"SFTP", b"scp://", b"drone-scp", b"======CMD======"];
    NAMES.iter().any(|name| memmem::find(text, name).is_some()) || connects_to_ssh(text)
}

/// True for a typed command that opens a session of another account of this machine.
pub(super) fn changes_the_account(text: &[u8]) -> bool {
    const PROMPT: usize = 80;
    const COMMANDS: [&[u8]; 5] = [b" su ", b" sudo su ", b" sudo -i -u ", b" runuser ", b" sudo login "];
    let prompt = text.iter().take(PROMPT).position(|byte| matches!(byte, b'$' | b'#' | b'%'));
    prompt.is_some_and(|at| COMMANDS.iter().any(|command| text[at + 1..].starts_with(command)))
}
