//! The aspects compared: their place in a report, and the differences that are noise.

use serde_json::Value;
use ssh_doctor_checks::facts::Check;

use super::input::Report;

/// An aspect of an examination.
pub(super) struct Aspect {
    /// The check that it belongs to.
    pub(super) check: Check,
    /// In words.
    pub(super) what: &'static str,
    /// Its place in a report.
    pub(super) place: Place,
    /// The differences that are noise.
    pub(super) noise: Noise,
    /// True if the check comes to it, and did not find it: then it is no reason for how that check came out.
    pub(super) is_result: bool,
}

/// The place of a value.
pub(super) enum Place {
    /// In the report itself, by a JSON pointer.
    Top(&'static str),
    /// In the evidence of the aspect's check.
    Seen(&'static str),
    /// Made of several values.
    Made(fn(&Report) -> Value),
}

/// The differences that are noise of a run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Noise {
    /// None.
    None,
    /// It is a host, an account or an address, which a recording replaces.
    Name,
    /// The order of a list.
    Order,
    /// A time in milliseconds: what is less than three times as long, or less than 200 ms longer.
    Ms,
    /// A round trip in milliseconds: what is less than twice as long, or less than 10 ms longer.
    RoundTrip,
    /// A rate: what is less than three times as much, or less than six times where both are fast.
    Rate,
    /// Seconds of silence: what is less than a quarter more.
    Seconds,
}

const fn top(check: Check, what: &'static str, pointer: &'static str, noise: Noise) -> Aspect {
    Aspect { check, what, place: Place::Top(pointer), noise, is_result: false }
}

const fn seen(check: Check, what: &'static str, pointer: &'static str, noise: Noise) -> Aspect {
    Aspect { check, what, place: Place::Seen(pointer), noise, is_result: false }
}

const fn made(check: Check, what: &'static str, make: fn(&Report) -> Value, noise: Noise) -> Aspect {
    Aspect { check, what, place: Place::Made(make), noise, is_result: false }
}

const fn result(of: Aspect) -> Aspect {
    Aspect { is_result: true, ..of }
}

/// Every aspect, in the order of the checks.
pub(super) const ASPECTS: &[Aspect] = &[
    top(Check::Config, "ssh", "/settings/source", Noise::None),
    top(Check::Config, "ssh-doctor", "/tool/version", Noise::None),
    made(Check::Config, "settings of ssh", settings, Noise::Order),
    top(Check::Config, "settings not honoured", "/settings/not_honoured", Noise::Order),
    top(Check::Config, "ConnectTimeout, s", "/settings/connect_timeout_s", Noise::None),
    top(Check::Config, "host", "/target/host", Noise::Name),
    top(Check::Config, "port", "/target/port", Noise::None),
    top(Check::Config, "user", "/target/user", Noise::Name),
    top(Check::Config, "jump hosts", "/target/via", Noise::Name),
    seen(Check::Config, "what ssh refuses", "/refusal/words", Noise::None),
    seen(Check::Config, "control master", "/control/socket", Noise::None),
    seen(Check::Dns, "addresses", "/system/addresses", Noise::Name),
    result(seen(Check::Dns, "answer", "/system/answer", Noise::None)),
    result(seen(Check::Dns, "time, ms", "/system/ms", Noise::Ms)),
    top(Check::Tcp, "address", "/address", Noise::Name),
    result(made(Check::Tcp, "attempts", tcp_attempts, Noise::None)),
    seen(Check::Tcp, "path MTU", "/path/mtu", Noise::None),
    seen(Check::Tcp, "segment size (MSS)", "/path/mss", Noise::None),
    seen(Check::Tcp, "round trip, ms", "/path/rtt_ms", Noise::RoundTrip),
    seen(Check::Handshake, "server", "/version", Noise::None),
    result(seen(Check::Handshake, "time to the server's version, ms", "/version_ms", Noise::Ms)),
    result(seen(Check::Handshake, "key exchange", "/negotiated/kex", Noise::None)),
    result(seen(Check::Handshake, "host key algorithm", "/negotiated/host_key", Noise::None)),
    result(seen(Check::Handshake, "cipher", "/negotiated/cipher", Noise::None)),
    result(seen(Check::Handshake, "MAC", "/negotiated/mac", Noise::None)),
    result(seen(Check::Handshake, "compression", "/negotiated/compression", Noise::None)),
    result(seen(Check::Handshake, "strict key exchange", "/negotiated/strict_kex", Noise::None)),
    seen(Check::Handshake, "key exchanges of ssh", "/client_offer/kex", Noise::None),
    seen(Check::Handshake, "host key algorithms of ssh", "/client_offer/host_key", Noise::None),
    seen(Check::Handshake, "ciphers of ssh", "/client_offer/cipher", Noise::None),
    seen(Check::Handshake, "MACs of ssh", "/client_offer/mac", Noise::None),
    seen(Check::Handshake, "key exchanges of the server", "/server_offer/kex", Noise::None),
    seen(Check::Handshake, "host key algorithms of the server", "/server_offer/host_key", Noise::None),
    seen(Check::Handshake, "ciphers of the server", "/server_offer/cipher_to_client", Noise::None),
    seen(Check::Handshake, "MACs of the server", "/server_offer/mac_to_client", Noise::None),
    seen(Check::Hostkey, "host key", "/fingerprint", Noise::None),
    seen(Check::Hostkey, "host key in known_hosts", "/standing", Noise::None),
    seen(Check::Hostkey, "StrictHostKeyChecking", "/strictness", Noise::None),
    result(made(Check::Auth, "attempts", login_attempts, Noise::None)),
    seen(Check::Auth, "methods of the server", "/offered", Noise::Order),
    seen(Check::Auth, "keys in the agent", "/agent/keys", Noise::None),
    result(made(Check::Auth, "time, ms", |report| report.check(Check::Auth)["duration_ms"].clone(), Noise::Ms)),
    result(top(Check::Channel, "serves", "/serves", Noise::Order)),
    result(made(Check::Channel, "capabilities", capabilities, Noise::Order)),
    result(seen(Check::Channel, "time to the command's first output, ms", "/ran/first_output_ms", Noise::Ms)),
    result(seen(Check::Channel, "exit status of the command", "/ran/status", Noise::None)),
    result(seen(Check::Transfer, "rate, bytes a second", "/rate", Noise::Rate)),
    top(Check::Idle, "ServerAliveInterval", "/settings/server_alive_interval_s", Noise::None),
    top(Check::Idle, "ServerAliveCountMax", "/settings/server_alive_count_max", Noise::None),
    top(Check::Idle, "TCPKeepAlive", "/settings/tcp_keepalive", Noise::None),
    result(top(Check::Idle, "idle time survived, s", "/idle/survived_s", Noise::Seconds)),
    result(top(Check::Idle, "idle timeout, s", "/idle/died_s", Noise::Seconds)),
    result(top(Check::Idle, "keepalive holds", "/idle/own_holds", Noise::None)),
    top(Check::Exit, "limit on connections", "/spent/limit", Noise::None),
];

/// Returns the settings of ssh beside its defaults, each as ssh_config has it. The keepalives and known names have rows
/// of their own.
fn settings(report: &Report) -> Value {
    const OWN_ROWS: [&str; 8] = [
        "serveraliveinterval",
        "serveralivecountmax",
        "tcpkeepalive",
        "connecttimeout",
        "hostname",
        "port",
        "user",
        "proxyjump",
    ];
    let settings = report.seen(Check::Config, "/settings").as_array().into_iter().flatten();
    let lines = settings.filter_map(|setting| {
        let keyword = setting["keyword"].as_str()?;
        let has_own = OWN_ROWS.iter().any(|own| own.eq_ignore_ascii_case(keyword));
        (!has_own).then(|| match setting["value"].as_str() {
            Some(value) => Value::from(format!("{keyword} {value}")),
            None => Value::from(keyword),
        })
    });
    list(lines)
}

fn tcp_attempts(report: &Report) -> Value {
    let attempts = report.seen(Check::Tcp, "/attempts").as_array().into_iter().flatten();
    list(attempts.map(|attempt| attempt["outcome"].clone()))
}

/// Each attempt to log in: what was presented, and the answer.
fn login_attempts(report: &Report) -> Value {
    let attempts = report.seen(Check::Auth, "/attempts").as_array().into_iter().flatten();
    list(attempts.map(|attempt| {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (key, obstacle) = (&attempt["key"], &attempt["obstacle"]["kind"]);
        let parts = [text(&attempt["method"]), text(&key["algorithm"]), text(&key["fingerprint"]), text(obstacle)];
        let presented: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        Value::from(format!("{}: {}", presented.join(" "), text(&attempt["answer"])))
    }))
}

/// Returns the capabilities that the server was seen to grant or refuse.
fn capabilities(report: &Report) -> Value {
    let all = report.seen(Check::Channel, "/capabilities").as_object().into_iter().flatten();
    list(all.filter_map(|(name, one)| {
        let outcome = one["outcome"].as_str().filter(|outcome| *outcome != "not-tested")?;
        Some(Value::from(format!("{}: {outcome}", name.replace('_', " "))))
    }))
}

/// A list; nothing where it is empty, since a report without evidence has none.
fn list(values: impl Iterator<Item = Value>) -> Value {
    let values: Vec<_> = values.collect();
    if values.is_empty() { Value::Null } else { Value::Array(values) }
}
