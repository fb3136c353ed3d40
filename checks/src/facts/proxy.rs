//! The end of a proxy command, and its output.

use serde::{Deserialize, Serialize};

use crate::base::masking::short_hash;
use crate::base::text;

/// The way a proxy command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum ProxyExit {
    /// By itself.
    Status {
        /// Its exit status.
        status: i32,
    },
    /// By a signal.
    Signal {
        /// Its number (signal(7)).
        signal: i32,
    },
}

impl ProxyExit {
    /// In a few words.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::Status { status } => text::status(u32::try_from(status).unwrap_or_default()),
            Self::Signal { signal } => format!("signal {signal}"),
        }
    }
}

/// The output of a proxy command on standard error. It is the user's own command, and may print a secret: only words
/// that many programs print are kept, unless the user wants them plain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Stored")]
pub struct ProxyOutput {
    /// The length, bytes.
    pub bytes: usize,
    /// The first digits of its SHA-256, hexadecimal.
    pub hash: String,
    /// The known error messages in it, in order.
    pub phrases: Vec<String>,
    /// All of it, escaped, where the user wants it kept (`--record-plain`).
    pub text: Option<String>,
}

/// The forms in which recordings have it: the first version kept the whole text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Stored {
    Text(String),
    Parts { bytes: usize, hash: String, phrases: Vec<String>, text: Option<String> },
}

impl From<Stored> for ProxyOutput {
    fn from(stored: Stored) -> Self {
        match stored {
            Stored::Text(text) => Self::of(&text, true),
            Stored::Parts { bytes, hash, phrases, text } => Self { bytes, hash, phrases, text },
        }
    }
}

/// The lines that a diagnosis quotes: the last ones tell how the command ended.
const QUOTED: usize = 4;

/// Error messages of ssh, nc, socat, shells, resolvers, the C library and the clients of gateways: words that hold no secret.
const PHRASES: [&str; 46] = [
    "Connection refused",
    "Connection timed out",
    "Operation timed out",
    "Connection reset by peer",
    "Connection closed by",
    "Connection to UNKNOWN port 65535",
    "No route to host",
    "Network is unreachable",
    "Host is unreachable",
    "Name or service not known",
    "Temporary failure in name resolution",
    "No address associated with hostname",
    "nodename nor servname provided",
    "Could not resolve hostname",
    "Could not resolve proxy",
    "Permission denied",
    "Host key verification failed",
    "REMOTE HOST IDENTIFICATION HAS CHANGED",
    "Too many authentication failures",
    "Load key",
    "administratively prohibited",
    "stdio forwarding failed",
    "open failed",
    "kex_exchange_identification",
    "Unable to negotiate",
    "Bad configuration option",
    "command not found",
    "not found",
    "No such file or directory",
    "Exec format error",
    "Syntax error",
    "Broken pipe",
    "invalid option",
    "unrecognized option",
    "unknown option",
    "Illegal option",
    "Proxy Authentication Required",
    "Bad Gateway",
    "Service Unavailable",
    "Gateway Timeout",
    "Forbidden",
    "Unauthorized",
    "certificate verify failed",
    "certificate has expired",
    "TargetNotConnected",
    "Unable to locate credentials",
];

impl ProxyOutput {
    /// Returns the part of an escaped text that is kept: all of it where it may be plain.
    #[must_use]
    pub fn of(text: &str, plain: bool) -> Self {
        let phrases = lines(text).filter_map(|line| {
            let line = line.to_ascii_lowercase();
            PHRASES.iter().find(|phrase| line.contains(&phrase.to_ascii_lowercase()))
        });
        let mut phrases: Vec<String> = phrases.map(ToString::to_string).collect();
        phrases.dedup();
        phrases.drain(..phrases.len().saturating_sub(QUOTED));
        Self { bytes: text.len(), hash: short_hash(text), phrases, text: plain.then(|| text.to_owned()) }
    }

    /// Returns the last lines that it printed, as far as they may be shown, one sentence each.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let Some(text) = &self.text else {
            let known = self.phrases.iter().map(|phrase| format!("it printed \"{phrase}\""));
            let masked = format!("it printed {} bytes, masked here (--record-plain shows them)", self.bytes);
            return known.chain([masked]).collect();
        };
        let lines: Vec<_> = lines(text).collect();
        let last = lines.get(lines.len().saturating_sub(QUOTED)..).unwrap_or_default();
        last.iter().map(|line| format!("it printed \"{}\"", text::sanitize(line))).collect()
    }
}

/// The lines of an escaped text that have words in them.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split("\\n").map(|line| line.trim_end_matches("\\r").trim()).filter(|line| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use super::ProxyOutput;

    #[test]
    fn of_what_a_command_prints_only_known_errors_are_kept() {
        let text = "token=hunter2\\nnc: hunter2: connection refused\\r\\nsh: 1: exec: gate: not found";
        let kept = ProxyOutput::of(text, false);
        let json = serde_json::to_string(&kept).unwrap();
        assert!(!json.contains("hunter2") && !kept.words().concat().contains("hunter2"), "{json}");
        assert_eq!(kept.phrases, ["Connection refused", "not found"]);
        assert_eq!(kept.words().len(), 3);
        assert_eq!(serde_json::from_str::<ProxyOutput>(&json).unwrap(), kept);
    }

    #[test]
    fn an_old_recording_and_one_that_is_to_be_plain_have_every_word() {
        let old: ProxyOutput = serde_json::from_str(r#""a\\nb\\r\\nc\\nd\\n\\ne""#).unwrap();
        assert_eq!(old.words(), ["b", "c", "d", "e"].map(|line| format!("it printed \"{line}\"")));
        assert_eq!(old, ProxyOutput::of("a\\nb\\r\\nc\\nd\\n\\ne", true));
    }
}
