//! The messages of Erlang's ssh, which names the state in which it disconnects.

use super::family::When::{Always, Seen};
use super::family::{Family, is};

/// States of a login.
const OF_A_LOGIN: &[&str] = &["State = {userauth", "State = {service_request,client}"];
/// States of a key exchange.
const OF_A_KEY_EXCHANGE: &[&str] = &["State = {kexinit", "State = {key_exchange", "State = {new_keys"];

pub(super) static FAMILIES: &[Family] = &[
    Family {
        texts: &["User interaction is not allowed", "Module = ssh_no_io"],
        candidates: &[
            is(
                "auth-question-unanswered",
                Seen(OF_A_LOGIN),
                "the server asks for a password or an answer, and user_interaction is false",
            ),
            is(
                "hostkey-unknown",
                Seen(OF_A_KEY_EXCHANGE),
                "no key of this host is recorded, and user_interaction is false (silently_accept_hosts)",
            ),
            is("hostkey-unknown", Always, "it comes during the key exchange: no key of this host is recorded"),
            is("auth-question-unanswered", Always, "it comes during the login: the server asks a question"),
            is("auth-key-encrypted", Always, "the key has a passphrase, which nobody is there to type"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "Disconnects with code = 2 [",
            "Disconnects with code = 7 [",
            "Disconnects with code = 10 [",
            "Disconnects with code = 11 [",
            "Disconnects with code = 12 [",
            "Received disconnect with code = 2 [",
            "Received disconnect with code = 7 [",
            "Received disconnect with code = 10 [",
            "Received disconnect with code = 11 [",
            "Received disconnect with code = 12 [",
        ],
        is_wrapper: true,
        candidates: &[
            is("auth-disconnected", Seen(OF_A_LOGIN), "the state in which it disconnects is one of the login"),
            is(
                "handshake-kex-failed",
                Seen(OF_A_KEY_EXCHANGE),
                "the state in which it disconnects is one of the key exchange",
            ),
            is("handshake-closed-before-banner", Seen(&["State = {hello"]), "no version has come in that state"),
            is("idle-server-disconnect", Seen(&["State = {connected"]), "the session was open"),
            is("auth-disconnected", Always, "it comes during the login"),
            is("handshake-kex-failed", Always, "it comes during the key exchange"),
        ],
        ..Family::NEW
    },
];
