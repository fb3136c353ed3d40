//! The causes that show when data is moved.

mod rekey;

use super::retest::shared;
use super::shared::CLAMP_MSS;
use super::{Cause, Fix, Match, Severity, Side, testimony};
use crate::base::text::{self, bytes, seconds};
use crate::facts::certainty::Certainty;
use crate::facts::connection::GaveUp;
use crate::facts::transfer::{Difference, Facts};
use crate::facts::{Check, Evidence};

/// The causes that show when data is moved.
pub static CAUSES: &[Cause] = &[STALLED, IN_TURNS, CORRUPTED, TRUNCATED, rekey::FAILED];

const STALLED: Cause = Cause {
    code: "transfer-stalled",
    stage: Check::Transfer,
    title: "Small messages pass, but larger transfers stall",
    severity: Severity::Critical,
    explanation: "The login and a short command worked. Then data was sent to the server and back, and it stalled while the \
        connection stayed open. A path that silently drops full-size packets (an MTU black hole, common with tunnels \
        and VPNs) does this, and so does a server or proxy that stops reading. Whether the kernel waits for ACKs \
        distinguishes them: packets lost on the path to the server are retransmitted.",
    fixes: &[
        CLAMP_MSS,
        Fix {
            side: Side::Server,
            summary: "On the server, check whether its data waits for ACKs (Send-Q and retrans)",
            snippet: Some("ss -tnoi '( sport = :{port} )'"),
            ..Fix::LOOK
        },
    ],
    symptoms: &["- stalled -", "io timeout after <n> seconds", "Operation too slow"],
    hides: &["exit-hangs", "exit-output-lost"],
    judge: |evidence| {
        let facts = evidence.transfer.failed()?;
        if facts.ran.gave_up != Some(GaveUp::Silence) || facts.first_difference.is_some() {
            return None;
        }
        let mut because = vec![format!(
            "{}, then nothing until we stopped after {}",
            moved(facts),
            seconds(facts.ran.duration_ms / 1000.0)
        )];
        because.extend(acknowledgements(facts));
        let sizes = shared::without_a_black_hole(evidence, &facts.arms);
        because.extend(sizes.words);
        let found = Match::new(sizes.certainty, because);
        Some(if sizes.tried { found } else { found.with("clamp", "rt mtu") })
    },
    ..Cause::NEW
};

const IN_TURNS: Cause = Cause {
    code: "transfer-both-ways-stalled",
    stage: Check::Transfer,
    title: "Data both ways at once stalls; one way at a time it passes",
    severity: Severity::Warning,
    explanation: "Data was sent to a command that returns it at once, and nothing more came back, although TCP delivered all that \
        we sent. The same amount passed one way at a time, on connections of their own. Servers built into other programs, and \
        some proxies, move input and output in turns: where the command cannot go on writing it does not read either, and \
        each waits for the other. Apache MINA's `ProcessShellFactory` does this.\n\n\
        Shells, downloads and uploads are not affected. Commands that read and write a lot at once are, such as \
        `ssh host gzip` in a pipe.",
    fixes: &[
        Fix {
            side: Side::Client,
            summary: "See whether ssh stalls too: the number printed is the bytes that came back, of 16 MiB",
            snippet: Some("head -c 16777216 /dev/zero | timeout 60 ssh {alias} cat | wc -c"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Server,
            summary: "Run commands by a server that reads and writes at the same time, such as OpenSSH",
            caution: Some("whoever logs in can then run any command of the account"),
            ..Fix::CHANGE
        },
    ],
    hides: &["exit-hangs"],
    judge: |evidence| {
        let facts = evidence.transfer.passed().filter(|facts| facts.passes_each_way())?;
        let one_way = facts.one_way?;
        let because = [
            format!("{}, then nothing for {}", moved(facts), seconds(facts.ran.duration_ms / 1000.0)),
            format!("{} passed each way alone, on further connections", bytes(one_way.bytes as f64)),
        ];
        let found = Match::new(Certainty::Likely, because);
        // So much at once is seldom asked for.
        Some(if facts.rekeys.is_empty() { found } else { found.at(Severity::Info) })
    },
    ..Cause::NEW
};

const CORRUPTED: Cause = Cause {
    code: "transfer-corrupted",
    stage: Check::Transfer,
    title: "Data is altered in transit",
    severity: Severity::Critical,
    explanation: "The data that came back differs from what was sent, or a packet failed its integrity check. SSH authenticates \
        every packet, so an alteration in the network ends the connection with a MAC error. Faulty \
        memory, checksum offloading of a network card and broken middleboxes do that. Data that differs without such \
        an error was altered at one end, before encryption or after decryption: by a recorder, a filter or a terminal \
        in front of commands, or by faulty memory.\n\n\
        Text that a process on the server prints into the output is no alteration: the sent data continues after it. \
        Where it does not, and not at its own offset either, the two can look alike; another program than ours, or \
        lost data, is possible too.",
    fixes: &[
        Fix {
            side: Side::Client,
            summary: "Disable checksum offloading on this machine's network interface",
            when: |evidence| !is_altered(evidence),
            snippet: Some("sudo ethtool -K INTERFACE tx off rx off tso off gso off gro off"),
            caution: Some("replace INTERFACE; it costs speed, so enable it again if nothing changes"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Server,
            summary: "Look for MAC errors in the log and for faulty memory",
            when: |evidence| !is_altered(evidence),
            snippet: Some(
                "journalctl -u ssh -u sshd --since -1h | grep -iE 'corrupt|mac|bad packet'; journalctl -k | grep -iE 'mce|edac|ecc'",
            ),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Client,
            summary: "See whether every byte comes back: od prints a, \\n, b, \\r, \\n, 377 where nothing alters them",
            when: is_altered,
            snippet: Some(r"printf 'a\nb\r\n\377' | ssh {alias} cat | od -c"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Server,
            summary: "Look for what stands in front of commands: a recorder, a filter or a terminal alters what passes through",
            when: is_altered,
            snippet: Some(
                "sshd -T -C user={user},host=localhost,addr=127.0.0.1 | grep -i forcecommand; grep -n command= ~{user}/.ssh/authorized_keys; getent passwd {user}",
            ),
            ..Fix::LOOK
        },
    ],
    symptoms: &["failed verification -- update", "zlib inflate error", "Zlib decompression encountered invalid data"],
    hides: &["transfer-stalled", "transfer-truncated", "exit-hangs", "exit-output-lost"],
    judge: |evidence| {
        let facts = evidence.transfer.failed()?;
        if let Some(at) = facts.first_difference {
            let Difference { in_place, line_ends, sent, returned } = facts.difference.clone().unwrap_or_default();
            let sums = format!("SHA-256 sent {}, returned {}", facts.sent_sha256, facts.returned_sha256);
            let mut because = vec![format!("byte {at} of what came back differs from what was sent"), sums];
            because.push(
                "no packet failed its integrity check: the data was altered at one end, not on the way".to_owned(),
            );
            if line_ends {
                because.insert(1, "each LF that was sent came back as CR LF, and nothing else was altered".to_owned());
                return Some(Match::new(Certainty::Certain, because).titled(LINE_ENDS.to_owned()));
            }
            let hexadecimal = format!("sent {sent}, came back {returned}, hexadecimal");
            if in_place {
                because.push(format!("what was sent goes on behind it at its own place: {hexadecimal}"));
                return Some(Match::new(Certainty::Certain, because).titled(ALTERED.to_owned()));
            }
            because.push(format!("where what was sent goes on is not to be found: {hexadecimal}"));
            return Some(Match::new(Certainty::Likely, because).titled(ALTERED.to_owned()));
        }
        match facts.ending.as_ref()? {
            manner if manner.is_of_integrity() => {
                Some(Match::new(Certainty::Likely, [format!("the connection ended with {}", manner.words())]))
            }
            _ => None,
        }
    },
    ..Cause::NEW
};

/// The title where all that differs are line ends.
const LINE_ENDS: &str = "Line ends come back altered: the server or a terminal rewrites them";

/// The title where every packet passed its integrity check.
const ALTERED: &str = "Data comes back altered: something at one end changes it";

/// True if what came back differs, and every packet passed its integrity check.
fn is_altered(evidence: &Evidence) -> bool {
    evidence.transfer.failed().is_some_and(|facts| facts.first_difference.is_some())
}

const TRUNCATED: Cause = Cause {
    code: "transfer-truncated",
    stage: Check::Transfer,
    title: "The connection or channel ends during a transfer",
    severity: Severity::Critical,
    explanation: "Less data came back than was sent, and then the other side closed the channel or the connection. A server \
        process that is killed (memory, limits), a proxy with a limit on data, or a firewall that resets the \
        connection does this. How it ended narrows it down.",
    fixes: &[Fix {
        side: Side::Server,
        summary: "Read the server's log of that moment: sshd, and the kernel's out-of-memory killer",
        snippet: Some("journalctl -u ssh -u sshd --since -10min; journalctl -k --since -10min | grep -iE 'oom|killed'"),
        ..Fix::LOOK
    }],
    symptoms: &["unexpected disconnect while reading sideband packet", "early EOF", "index-pack failed"],
    hides: &["exit-hangs", "exit-output-lost"],
    corroborated_by: &[testimony::out_of_memory],
    judge: |evidence| {
        let facts = evidence.transfer.failed()?;
        let short = match facts.requests {
            Some(requests) => requests.answered < requests.sent,
            None => facts.returned_bytes < facts.sent_bytes && facts.first_difference.is_none(),
        };
        if !short || facts.ran.gave_up.is_some() || !(facts.ran.closed || facts.ran.connection_lost) {
            return None;
        }
        // A command that fails on the server says why there.
        let said = facts.stderr.as_ref().map(|text| format!("standard error said \"{text}\""));
        let mut because: Vec<_> = said.into_iter().chain([moved(facts)]).collect();
        because.push(match (&facts.ending, facts.ran.status, &facts.ran.signal) {
            (Some(manner), ..) => format!("then the connection ended with {}", manner.words()),
            (None, _, Some(signal)) => format!("then the command was ended by signal {signal}"),
            (None, Some(status), None) => format!("then the command ended with {}", text::status(status)),
            (None, None, None) => "then the server closed the channel without a status".to_owned(),
        });
        Some(Match::new(Certainty::Certain, because))
    },
    ..Cause::NEW
};

/// Describes how much of the data sent came back.
fn moved(facts: &Facts) -> String {
    match facts.requests {
        Some(requests) => format!("{} of {} sftp requests were answered", requests.answered, requests.sent),
        None => format!("{} of {} came back", bytes(facts.returned_bytes as f64), bytes(facts.sent_bytes as f64)),
    }
}

/// Describes the packet loss on the way to the server as the kernel counts it.
fn acknowledgements(facts: &Facts) -> Option<String> {
    let tcp = facts.tcp?;
    Some(if tcp.unacked > 0 && tcp.backoff > 0 {
        format!(
            "our packets are not acknowledged ({} sent again): they are lost on the way to the server",
            tcp.retransmits
        )
    } else {
        "all our packets were acknowledged: what is missing is lost, or held back, on the way from the server"
            .to_owned()
    })
}

#[cfg(test)]
mod tests;
