//! The destination as the user typed it: `[user@]host`, `[user@]host:port`, `[user@][v6]:port`, a bare IPv6 address, `ssh://user@host:port`.

use std::fmt;
use std::net::Ipv6Addr;

use anyhow::{Result, bail, ensure};
use ssh_doctor_checks::base::masking::{holds_password, is_of_url, is_url_with_password};
use ssh_doctor_checks::base::text::sanitize;

/// The longest host, in bytes: an alias, a name of DNS, or an address with its zone.
const LONGEST_HOST: usize = 300;
/// The longest login name, in bytes; one of Linux has at most 32, one of a directory may have its domain behind it.
const LONGEST_USER: usize = 200;
/// The longest target, in bytes: the longest login name and host in a URI that escapes every byte of them.
const LONGEST: usize = "ssh://".len() + 3 * (LONGEST_USER + LONGEST_HOST) + "@:65535/".len();

/// A target as it was typed, taken apart. Nothing is looked up yet: the host may be an alias of ssh_config.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Destination {
    /// The user before the `@`.
    pub(super) user: Option<String>,
    /// Host name, address or alias.
    pub(super) host: String,
    /// The port after the colon.
    pub(super) port: Option<u16>,
}

impl Destination {
    /// Takes a target apart; an error says what is wrong with it.
    pub(super) fn parse(input: &str) -> Result<Self> {
        ensure!(!input.is_empty(), "the target is empty; give a host, user@host, host:port or ssh://user@host:port");
        without_password(input)?;
        ensure!(input.len() <= LONGEST, "the target is {} bytes long; a host name has at most 253", input.len());
        if let Some(rest) = input.strip_prefix("ssh://") {
            return uri(input, rest);
        }
        if let Some(target) = input.strip_prefix("ssh ") {
            bail!("a target does not begin with the word ssh: ssh-doctor check {}", sanitize(target.trim()));
        }
        if input.bytes().all(|byte| byte.is_ascii_digit()) && input.parse::<u16>().is_ok() {
            bail!("'{input}' is a number, not a host: give a port as host:{input} or -p {input}");
        }
        if input.contains("://") {
            bail!("'{}' is not an SSH target: its scheme is not ssh", sanitize(input));
        }
        let (user, place) = match input.rsplit_once('@') {
            Some((user, _)) if is_of_url(user) => {
                bail!("the target is no URL of SSH; write ssh://user@host:port, without a password")
            }
            Some((user, place)) => (Some(valid_user(input, user)?), place),
            None => (None, input),
        };
        let (host, port) = host_and_port(input, place)?;
        Ok(Self { user, host: valid_host(input, host)?, port })
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = self.user.as_deref();
        let is_number = self.host.bytes().all(|byte| byte.is_ascii_digit());
        let address = is_v6(&self.host) && is_plain(self.host.split_once('%').map_or("", |(_, zone)| zone));
        if user.is_some_and(|user| !is_plain(user)) || is_number || !(address || is_plain(&self.host)) {
            // What reads as something else but in a URI.
            formatter.write_str("ssh://")?;
            user.map_or(Ok(()), |user| write!(formatter, "{}@", percent_escaped(user)))?;
            formatter.write_str(&percent_escaped(&self.host))?;
        } else {
            user.map_or(Ok(()), |user| write!(formatter, "{user}@"))?;
            if address { write!(formatter, "[{}]", self.host) } else { formatter.write_str(&self.host) }?;
        }
        self.port.map_or(Ok(()), |port| write!(formatter, ":{port}"))
    }
}

fn without_password(text: &str) -> Result<()> {
    ensure!(
        !holds_password(text) && !is_url_with_password(text),
        "the target holds a password; leave it out and use --password-file or SSH_DOCTOR_PASSWORD"
    );
    Ok(())
}

/// True if a name means itself outside a URI.
fn is_plain(name: &str) -> bool {
    !name.contains([' ', ':', '/', '%', ';', '[', ']'])
}

/// A name as a URI has it (RFC 3986, 2.1).
fn percent_escaped(name: &str) -> String {
    let escape = |byte: u8| match byte {
        b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    name.bytes().map(escape).collect()
}

/// `[user[;params]@]host[:port][/]` (draft-ietf-secsh-scp-sftp-ssh-uri-04, as ssh reads it).
fn uri(input: &str, rest: &str) -> Result<Destination> {
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    ensure!(!rest.contains('/'), "'{}' has a path after the host; an SSH target has none", sanitize(input));
    let (user, place) = match rest.rsplit_once('@') {
        Some((user, place)) => {
            let user = user.split_once(';').map_or(user, |(user, _)| user);
            (Some(valid_user(input, &unescaped(input, user)?)?), place)
        }
        None => (None, rest),
    };
    let (host, port) = host_and_port(input, place)?;
    Ok(Destination { user, host: valid_host(input, &unescaped(input, host)?)?, port })
}

fn host_and_port<'a>(input: &str, place: &'a str) -> Result<(&'a str, Option<u16>)> {
    if let Some(rest) = place.strip_prefix('[') {
        let Some((address, after)) = rest.split_once(']') else {
            bail!("'{}' has an opening bracket and no closing one; write [address]:port", sanitize(input));
        };
        // ssh -G prints every address of a jump host in brackets.
        let is_address = is_v6(address) || address.parse::<std::net::Ipv4Addr>().is_ok();
        ensure!(is_address, "'{}' has no IP address between the brackets", sanitize(input));
        return match after.strip_prefix(':') {
            Some(port) => Ok((address, Some(valid_port(input, port)?))),
            None if after.is_empty() => Ok((address, None)),
            None => bail!("'{}' has text after the bracket; write [address]:port", sanitize(input)),
        };
    }
    if is_v6(place) {
        return Ok((place, None));
    }
    match place.split_once(':') {
        Some((_, rest)) if rest.contains(':') => {
            bail!(
                "'{}' is no IPv6 address and has more than one colon; write host:port or [address]:port",
                sanitize(input)
            )
        }
        Some((host, port)) => Ok((host, Some(valid_port(input, port)?))),
        None => Ok((place, None)),
    }
}

/// An IPv6 address, with or without a zone.
fn is_v6(text: &str) -> bool {
    text.split_once('%').map_or(text, |(address, _)| address).parse::<Ipv6Addr>().is_ok()
}

fn valid_port(input: &str, port: &str) -> Result<u16> {
    match port.parse() {
        Ok(number @ 1..) if !port.starts_with('+') => Ok(number),
        _ => bail!("'{}' has no valid port after the colon; a port is a number from 1 to 65535", sanitize(input)),
    }
}

/// A name that ssh itself would take (`valid_hostname` of OpenSSH 9.6): it may end up in a proxy command.
fn valid_host(input: &str, host: &str) -> Result<String> {
    ensure!(!host.is_empty(), "'{}' has no host in it; give a host, user@host or host:port", sanitize(input));
    ensure!(host.len() <= LONGEST_HOST, "the host is {} bytes long; a host name has at most 253", host.len());
    ensure!(!host.starts_with('-'), "'{}' begins with a dash, which no host name does", sanitize(host));
    let bad = host.chars().find(|&c| r#"'`"$\;&<>|(){},@"#.contains(c) || c.is_whitespace() || c.is_control());
    if let Some(bad) = bad {
        bail!("'{}' holds {}, which no host name does; check the spelling", sanitize(host), named(bad));
    }
    Ok(host.to_owned())
}

/// A login name that ssh itself would take (`valid_ruser` of OpenSSH 9.6).
pub(super) fn valid_user(input: &str, user: &str) -> Result<String> {
    ensure!(!user.is_empty(), "the login name in '{}' is empty; give one or leave it out", sanitize(input));
    ensure!(
        user.len() <= LONGEST_USER,
        "the login name is {} bytes long; at most {LONGEST_USER} are taken",
        user.len()
    );
    ensure!(!user.starts_with('-'), "the login name '{}' begins with a dash; ssh refuses it", sanitize(user));
    let bad = user.chars().find(|&c| "'`\";&<>|(){}".contains(c) || c.is_control());
    if let Some(bad) = bad {
        bail!("the login name '{}' holds {}; ssh refuses it", sanitize(user), named(bad));
    }
    ensure!(!user.contains(" -") && !user.ends_with('\\'), "ssh refuses the login name '{}'", sanitize(user));
    Ok(user.to_owned())
}

fn named(c: char) -> String {
    match c {
        ' ' => "a space".to_owned(),
        c if c.is_control() || c.is_whitespace() => "a control character".to_owned(),
        c => format!("\"{}\"", sanitize(&c.to_string())),
    }
}

/// Percent escapes of a URI (RFC 3986, 2.1) undone; a URL with a password may come to light.
fn unescaped(input: &str, text: &str) -> Result<String> {
    let mut pieces = text.split('%');
    let mut bytes = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        let escape = piece.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(|&byte| byte != 0);
        let Some(byte) = escape else { bail!("'{}' has a broken % escape", sanitize(input)) };
        bytes.push(byte);
        bytes.extend_from_slice(piece.get(2..).unwrap_or_default().as_bytes());
    }
    let Ok(text) = String::from_utf8(bytes) else {
        bail!("'{}' is not UTF-8 once its % escapes are undone", sanitize(input))
    };
    without_password(&text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::Destination;

    fn parsed(input: &str) -> (Option<String>, String, Option<u16>) {
        let Destination { user, host, port } = Destination::parse(input).unwrap();
        (user, host, port)
    }

    #[test]
    fn every_form_of_the_contract_is_read() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(parsed("db"), (None, "db".into(), None));
        assert_eq!(parsed("me@db"), (some("me"), "db".into(), None));
        assert_eq!(parsed("db:2222"), (None, "db".into(), Some(2222)));
        assert_eq!(parsed("me@db.example:2222"), (some("me"), "db.example".into(), Some(2222)));
        assert_eq!(parsed("2001:db8::1"), (None, "2001:db8::1".into(), None));
        assert_eq!(parsed("fe80::1%eth0"), (None, "fe80::1%eth0".into(), None));
        assert_eq!(parsed("me@[2001:db8::1]:22"), (some("me"), "2001:db8::1".into(), Some(22)));
        assert_eq!(parsed("me@[10.0.0.1]:2222"), (some("me"), "10.0.0.1".into(), Some(2222)));
        assert_eq!(parsed("[::1]"), (None, "::1".into(), None));
        assert_eq!(parsed("ssh://me@db:2222/"), (some("me"), "db".into(), Some(2222)));
        assert_eq!(parsed("ssh://m%65@[::1]:22"), (some("me"), "::1".into(), Some(22)));
        assert_eq!(parsed("ssh://me;fingerprint=x@db"), (some("me"), "db".into(), None));
        assert_eq!(parsed("me@corp.example@db"), (some("me@corp.example"), "db".into(), None));
    }

    #[test]
    fn the_longest_that_is_taken_reads_as_itself() {
        let user = "[".repeat(super::LONGEST_USER);
        for host in ["h", "*", "\u{28a}"] {
            let host = host.repeat(super::LONGEST_HOST / host.len());
            let destination = Destination::parse(&format!("{user}@{host}:65535")).unwrap();
            assert_eq!(Destination::parse(&destination.to_string()).unwrap(), destination);
        }
    }

    #[test]
    fn what_is_wrong_is_said_in_a_sentence_of_bounded_length() {
        let long = "\0".repeat(super::LONGEST - 6);
        let user = "[".repeat(super::LONGEST_USER + 1);
        for input in [format!("ssh {long}"), format!("{long}://"), format!("{long}@db"), format!("{user}@db")] {
            let words = Destination::parse(&input).unwrap_err().to_string();
            assert!(words.len() < 2000 && !words.contains(char::is_control), "{} bytes: {words}", words.len());
        }
    }

    #[test]
    fn a_target_is_written_so_that_it_reads_as_itself() {
        for (input, written) in [
            ("me@db:22", "me@db:22"),
            ("fe80::1%eth0", "[fe80::1%eth0]"),
            ("ssh://8", "ssh://8"),
            ("ssh://ssh%20x@db", "ssh://ssh%20x@db"),
            ("ssh://a%25b@h", "ssh://a%25b@h"),
            ("ssh://x%3A1", "ssh://x%3A1"),
            ("ssh://%3A%3A1%25%5D:22", "ssh://%3A%3A1%25%5D:22"),
        ] {
            let destination = Destination::parse(input).unwrap();
            assert_eq!(destination.to_string(), written);
            assert_eq!(Destination::parse(written).unwrap(), destination, "{input}");
        }
    }

    #[test]
    fn what_is_no_target_is_refused() {
        let long = "x".repeat(5000);
        for input in [
            "",
            "@",
            "@db",
            "me@",
            "-oProxyCommand=x",
            "me@-x",
            "-x@db",
            "db:",
            "db:0",
            "db:65536",
            "db:ssh",
            "db:+22",
            "a b",
            "db\n",
            "db\u{7}",
            "a:b:c",
            "[::1",
            "[db]:22",
            "[::1]x",
            "ssh://",
            "ssh://me:secret@db",
            "ssh://me:a secret@db",
            "x://me:\tsecret@db",
            "ssh://me:secret@db/path",
            "http://me:secret@db",
            "ssh://x%3A%2F%2Fme%3Asecret%40db",
            "ssh://x%3A%2F%2Fme%3Asecret%40db@db",
            "ssh://db/path",
            "http://db",
            "ssh://%zz@db",
            "db;id",
            "$(id)",
            "`id`@db",
            "d,b",
            &long,
        ] {
            let error = Destination::parse(input).expect_err(input).to_string();
            assert!(!error.contains("secret"), "{error}");
            assert!(!error.contains('\n') && !error.contains('\u{7}') && error.len() < 500, "{error}");
        }
    }
}
