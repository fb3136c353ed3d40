//! Lengths of packets that are text: something prints into the connection where a packet must stand.

use std::sync::LazyLock;

use regex::bytes::{Regex, RegexBuilder};

/// The number that a program read as the length of a packet: OpenSSH, PuTTY, libssh, MINA, Trilead, sshj, Twisted, Erlang, ssh2.
const LENGTH: &str = r"(?i)(?:packet[ _-]?(?:len(?:gth)?|size)|len too high)[^0-9\n]{0,24}([0-9]{9,10})\b";
/// The first letters of texts, and the cause of each; sshd answers with the last two to a line that is no SSH version.
const TEXTS: [(&str, &str); 3] =
    [("HTTP", "handshake-not-ssh"), ("Inva", "handshake-proxy-header"), ("Prot", "handshake-proxy-header")];
/// The cause of any other text.
const OTHER: &str = "handshake-protocol-violation";

/// The four letters that a line tells as the length of a packet, and the code of the cause.
pub(super) fn text_as_length(line: &str) -> Option<(String, &'static str)> {
    static WORDS: LazyLock<Regex> =
        LazyLock::new(|| RegexBuilder::new(LENGTH).unicode(false).build().expect("the words of a length compile"));
    // That of SFTP is within a session.
    let captures = WORDS.captures(line.as_bytes()).filter(|_| !line.contains("exceeds max length"))?;
    let number = captures.get(1)?.as_bytes();
    let number: u32 = std::str::from_utf8(number).ok()?.parse().ok()?;
    let letters = String::from_utf8(number.to_be_bytes().to_vec()).ok()?;
    let is_text = |letter: char| letter.is_ascii_alphanumeric() || " -/.:_<[{*#!'\r\n".contains(letter);
    let is_words = letters.chars().all(is_text) && letters.chars().filter(char::is_ascii_alphabetic).count() >= 2;
    let known = TEXTS.iter().find(|(begins, _)| *begins == letters);
    is_words.then(|| (letters.clone(), known.map_or(OTHER, |(_, code)| *code)))
}

/// True if a line is about a packet of SFTP, which is within a session: its own words say so, and not the name of a host.
pub(super) fn is_in_sftp(line: &str) -> bool {
    static WORDS: LazyLock<Regex> = LazyLock::new(|| {
        let words = r"(?i)(?:^|[\s\[(<'])sftp(?:[\])>:_ -]{1,2}|(?:client|session|channel|protocol)\W{1,2})?(?:\w+ ){0,2}packet|received message too long";
        RegexBuilder::new(words).unicode(false).build().expect("the words of a packet of SFTP compile")
    });
    WORDS.is_match(line.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::text_as_length;

    #[test]
    fn letters_are_told_from_lengths_of_every_program() {
        for (line, letters, code) in [
            ("Bad packet length 1349676916.", "Prot", "handshake-proxy-header"),
            ("ssh_packet_socket_callback: Packet len too high(1213486160 48545450)", "HTTP", "handshake-not-ssh"),
            ("SshException: Invalid packet length: 1397966893", "SSH-", "handshake-protocol-violation"),
            ("java.io.IOException: Illegal packet size! (1349676916)", "Prot", "handshake-proxy-header"),
            ("Indicated packet length 1281455392 too large", "Lau ", "handshake-protocol-violation"),
        ] {
            assert_eq!(text_as_length(line), Some((letters.to_owned(), code)), "{line}");
        }
        for line in
            ["Bad packet length 4283942481.", "Bad packet length 262148", "Outgoing packet #1349676916, type 20"]
        {
            assert_eq!(text_as_length(line), None, "{line}");
        }
    }
}
