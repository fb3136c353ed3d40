//! The causes that show when data is moved.

use super::retest::shared;
use super::shared::CLAMP_MSS;
use super::{Cause, Fix, Match, Severity, Side, testimony};
use crate::base::text::{self, bytes, seconds};
use crate::facts::Check;
use crate::facts::certainty::Certainty;
use crate::facts::connection::GaveUp;
use crate::facts::transfer::{Difference, Facts, Rekey};

/// The causes that show when data is moved.
pub static CAUSES: &[Cause] = &[STALLED, IN_TURNS, CORRUPTED, TRUNCATED, REKEY_FAILED];

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
    symptoms: &[
        "- stalled -",
        "rsync error: timeout in data send/receive",
        "io timeout after <n> seconds",
        "Operation too slow",
    ],
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
        every packet, so an alteration in the network ends the connection with a MAC error. Data that differs without \
        one was altered at an end, before encryption or after decryption. Faulty memory, checksum offloading of a \
        network card and broken middleboxes are known causes.\n\n\
        Text that a process on the server prints into the output is no alteration: the sent data continues after it. \
        Where it does not, and not at its own offset either, the two can look alike; another program than ours, or \
        lost data, is possible too.",
    fixes: &[
        Fix {
            side: Side::Client,
            summary: "Disable checksum offloading on this machine's network interface",
            snippet: Some("sudo ethtool -K INTERFACE tx off rx off tso off gso off gro off"),
            caution: Some("replace INTERFACE; it costs speed, so enable it again if nothing changes"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Server,
            summary: "Look for MAC errors in the log and for faulty memory",
            snippet: Some(
                "journalctl -u ssh -u sshd --since -1h | grep -iE 'corrupt|mac|bad packet'; journalctl -k | grep -iE 'mce|edac|ecc'",
            ),
            ..Fix::LOOK
        },
    ],
    symptoms: &["failed verification -- update", "zlib inflate error", "Zlib decompression encountered invalid data"],
    hides: &["transfer-stalled", "transfer-truncated", "exit-hangs", "exit-output-lost"],
    judge: |evidence| {
        let facts = evidence.transfer.failed()?;
        if let Some(at) = facts.first_difference {
            let Difference { in_place, sent, returned } = facts.difference.clone().unwrap_or_default();
            let sums = format!("SHA-256 sent {}, returned {}", facts.sent_sha256, facts.returned_sha256);
            let mut because = vec![format!("byte {at} of what came back differs from what was sent"), sums];
            let hexadecimal = format!("sent {sent}, came back {returned}, hexadecimal");
            if in_place {
                because.push(format!("what was sent goes on behind it at its own place: {hexadecimal}"));
                return Some(Match::new(Certainty::Certain, because));
            }
            because.push(format!("where what was sent goes on is not to be found: {hexadecimal}"));
            return Some(Match::new(Certainty::Likely, because));
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

const REKEY_FAILED: Cause = Cause {
    code: "rekey-failed",
    stage: Check::Transfer,
    title: "The connection does not survive rekeying",
    severity: Severity::Critical,
    explanation: "Both sides negotiate new keys after an amount of data or time (RFC 4253 section 9 recommends a gigabyte or an \
        hour; RekeyLimit in ssh). A rekey on the working connection did not finish in time or ended it. No other \
        message may pass meanwhile, so sessions freeze or die at the first rekey: during a large copy, or after the time \
        that RekeyLimit or the server sets. Servers and bastions other than OpenSSH, and their libraries, are known for it.\n\n\
        Some servers fail only while much data moves both ways. A bastion that terminates SSH itself cannot be distinguished from the server behind it.",
    fixes: &[
        Fix { side: Side::Server, summary: "Upgrade the SSH server or bastion", ..Fix::CHANGE },
        Fix {
            side: Side::Server,
            summary: "Read its log of the key exchange",
            snippet: Some("journalctl -u ssh -u sshd --since -10min | grep -iE 'kex|rekey'"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Client,
            summary: "Until then, let ssh rekey as late as possible",
            file: Some("~/.ssh/config"),
            snippet: Some("Host {alias}\n    RekeyLimit 4G none"),
            caution: Some("the server may start a rekey itself, and a limit above the cipher's is lowered"),
            ..Fix::CHANGE
        },
    ],
    symptoms: &[
        "rekeying not supported by peer",
        "Timeout waiting for key exchange",
        "ssh_dispatch_run_fatal: rekeying",
        "Host key was different in repeat key exchange",
        "timeout in waiting for rekeying process",
        "does not support re-keying",
    ],
    hides: &["transfer-stalled", "transfer-truncated", "exit-hangs", "exit-output-lost"],
    judge: |evidence| {
        let facts = evidence.transfer.facts()?;
        let (rekey, certainty) = failed_rekey(facts)?;
        let is_early = evidence.config.facts().and_then(|config| config.setting("rekeylimit"));
        let when = if rekey.under_load { "in the middle of a transfer" } else { "on the quiet connection" };
        let what = match (&rekey.ending, rekey.ms) {
            (Some(manner), _) => format!("ended the connection with {}", manner.words()),
            (None, None) => format!("was not done after {}", seconds(rekey.deadline_ms / 1000.0)),
            (None, Some(_)) => "was done, and then nothing more came".to_owned(),
        };
        let mut because = vec![format!("the exchange of new keys that we asked for {when} {what}")];
        if facts.without_rekey == Some(true) {
            because.push(format!(
                "{} passed both ways on another connection without it, and new keys on a quiet connection",
                bytes(facts.sent_bytes as f64)
            ));
        }
        if facts.with_rekey == Some(false) {
            because.push("on a third connection, with new keys in its middle, it did not pass either".to_owned());
        }
        because.push(match is_early {
            Some(limit) => format!(
                "RekeyLimit {} makes ssh ask for them sooner than it would by itself",
                limit.value.as_deref().unwrap_or_default()
            ),
            None => {
                "ssh asks for them after 1 GB or more, for no RekeyLimit is set; the server may ask before".to_owned()
            }
        });
        let found = Match::new(certainty, because);
        Some(match is_early {
            // Every long session meets it.
            Some(_) => found,
            None if !rekey.under_load => found,
            // Only both ways at once, at the moment of new keys.
            None if facts.without_rekey == Some(true) => found.at(Severity::Info),
            None => found.at(Severity::Warning),
        })
    },
    ..Cause::NEW
};

/// The exchange of new keys that failed, or after which data stopped, and how sure it is that nothing else is to blame.
fn failed_rekey(facts: &Facts) -> Option<(&Rekey, Certainty)> {
    if facts.with_rekey == Some(true) {
        return None;
    }
    let rekey = match facts.without_rekey {
        Some(_) => facts.rekeys.iter().find(|rekey| rekey.under_load)?,
        None => facts.rekeys.iter().find(|rekey| rekey.ms.is_none())?,
    };
    let certainty = if rekey.under_load { Certainty::Likely } else { Certainty::Certain };
    facts.fails_by_rekey().then_some((rekey, certainty))
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
mod tests {
    use super::*;
    use crate::base::own_ssh::Setting;
    use crate::facts::config;
    use crate::facts::connection::Ran;
    use crate::facts::tcp::TcpInfo;
    use crate::facts::transfer::{OneWay, Rekey};
    use crate::facts::{Evidence, Step, Timed};

    fn evidence(facts: Facts) -> Evidence {
        Evidence { transfer: Timed { step: Step::Failed(facts), duration_ms: 1.0 }, ..Evidence::unexamined() }
    }

    fn fired(facts: Facts) -> Vec<&'static str> {
        let evidence = evidence(facts);
        CAUSES.iter().filter(|cause| (cause.judge)(&evidence).is_some()).map(|cause| cause.code).collect()
    }

    fn half(ran: Ran) -> Facts {
        Facts { sent_bytes: 1 << 20, returned_bytes: 1 << 19, ran, ..Facts::default() }
    }

    #[test]
    fn what_stalls_both_ways_at_once_and_passes_each_way_is_no_stall_of_the_path() {
        let tried = |from_server, to_server, tcp: TcpInfo| {
            let one_way = Some(OneWay { bytes: 1 << 20, from_server, to_server });
            let facts = half(Ran { gave_up: Some(GaveUp::Silence), ..Ran::default() });
            Facts { one_way, tcp: Some(tcp), ..facts }
        };
        let lost = TcpInfo { unacked: 3, backoff: 2, retransmits: 2, ..TcpInfo::default() };
        assert!(tried(true, true, TcpInfo::default()).passes_each_way());
        for facts in [
            tried(false, true, TcpInfo::default()),
            tried(true, false, TcpInfo::default()),
            tried(true, true, lost),
            Facts { rekeys: vec![Rekey::default()], ..tried(true, true, TcpInfo::default()) },
            Facts { one_way: None, ..tried(true, true, TcpInfo::default()) },
        ] {
            assert!(!facts.passes_each_way(), "{facts:?}");
        }
        let found = |rekeys| {
            let facts = Facts { rekeys, ..tried(true, true, TcpInfo::default()) };
            let step = Step::Passed(facts);
            let evidence = Evidence { transfer: Timed { step, duration_ms: 1.0 }, ..Evidence::unexamined() };
            assert!((STALLED.judge)(&evidence).is_none());
            (IN_TURNS.judge)(&evidence).and_then(|found| found.severity)
        };
        assert_eq!(found(vec![]), None, "its own severity for the amount that everyone moves");
        assert_eq!(found(vec![Rekey { ms: Some(1.0), ..Rekey::default() }]), Some(Severity::Info));
    }

    #[test]
    fn each_way_of_losing_data_has_its_own_name() {
        assert_eq!(fired(half(Ran { gave_up: Some(GaveUp::Silence), ..Ran::default() })), ["transfer-stalled"]);
        assert_eq!(fired(half(Ran { closed: true, ..Ran::default() })), ["transfer-truncated"]);
        let altered = |in_place| Facts {
            first_difference: Some(7),
            difference: Some(Difference { in_place, ..Difference::default() }),
            returned_bytes: 1 << 20,
            ..half(Ran { closed: true, ..Ran::default() })
        };
        assert_eq!(fired(altered(true)), ["transfer-corrupted"]);
        let sure = |in_place| (CORRUPTED.judge)(&evidence(altered(in_place))).unwrap().certainty;
        assert_eq!((sure(true), sure(false)), (Certainty::Certain, Certainty::Likely));
    }

    #[test]
    fn a_rekey_that_is_not_done_is_the_cause_of_what_follows() {
        let rekey = |ms| crate::facts::transfer::Rekey {
            ms,
            deadline_ms: 10_000.0,
            ..crate::facts::transfer::Rekey::default()
        };
        let facts = |ms| Facts { rekeys: vec![rekey(ms)], sent_bytes: 1, returned_bytes: 1, ..Facts::default() };
        assert_eq!(fired(facts(None)), ["rekey-failed"]);
        assert!(fired(facts(Some(9.0))).is_empty());
        let severity = |evidence: &Evidence| {
            (REKEY_FAILED.judge)(evidence).map(|found| found.severity.unwrap_or(REKEY_FAILED.severity))
        };
        assert_eq!(severity(&evidence(facts(None))), Some(Severity::Critical), "no data was on its way");
        let loaded = Facts { rekeys: vec![Rekey { under_load: true, ..rekey(None) }], ..facts(None) };
        assert_eq!(severity(&evidence(loaded.clone())), Some(Severity::Warning), "ssh asks for new keys after 1 GB");
        let mut early = evidence(loaded);
        let limit = Setting { keyword: "RekeyLimit".into(), value: Some("64M 600".into()), from: String::new() };
        let config = config::Facts { settings: vec![limit], ..config::Facts::default() };
        *early.config = Timed { step: Step::Passed(config), duration_ms: 1.0 };
        assert_eq!(severity(&early), Some(Severity::Critical));
    }

    #[test]
    fn data_that_stalls_with_new_keys_and_without_them_does_not_stall_for_them() {
        let stalled = |ms, without_rekey| {
            let loaded = Rekey { under_load: true, ms, deadline_ms: 20_000.0, ..Rekey::default() };
            let rekeys = vec![Rekey { ms: Some(3.0), ..Rekey::default() }, loaded];
            let ran = Ran { gave_up: Some(GaveUp::Silence), ..Ran::default() };
            Facts { rekeys, without_rekey, tcp: Some(TcpInfo::default()), ..half(ran) }
        };
        for ms in [None, Some(40.0)] {
            let for_them = stalled(ms, Some(true));
            assert!(for_them.is_silent_after_rekey() && for_them.fails_by_rekey() && !for_them.is_held_back());
            let evidence = |facts| Evidence {
                transfer: Timed { step: Step::Passed(facts), duration_ms: 1.0 },
                ..Evidence::unexamined()
            };
            let found = (REKEY_FAILED.judge)(&evidence(for_them)).expect("it failed");
            assert_eq!((found.certainty, found.severity), (Certainty::Likely, Some(Severity::Info)));
            let once = evidence(Facts { with_rekey: Some(true), ..stalled(ms, Some(true)) });
            assert!(
                (REKEY_FAILED.judge)(&once).is_none() && (STALLED.judge)(&once).is_none(),
                "it passed with them too"
            );
            let twice = evidence(Facts { with_rekey: Some(false), ..stalled(ms, Some(true)) });
            assert_eq!((REKEY_FAILED.judge)(&twice).map(|found| found.because.len()), Some(4));
            let anyway = stalled(ms, Some(false));
            assert!(!anyway.fails_by_rekey() && anyway.is_held_back());
            assert_eq!(fired(anyway), ["transfer-stalled"]);
        }
    }

    #[test]
    fn a_slow_link_that_still_moves_is_none_of_these() {
        assert!(fired(half(Ran { gave_up: Some(GaveUp::Total), ..Ran::default() })).is_empty());
    }
}
