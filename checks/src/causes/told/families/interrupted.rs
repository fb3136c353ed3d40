//! Programs that a person interrupted because they hung, or that gave up without a word: the frames of their stacks, or the steps before it,
//! tell where.

use super::family::When::{Between, Exchanging, Seen};
use super::family::{Family, is};
use super::stages::{OF_A_KEY_EXCHANGE, OF_A_LOGIN, OF_A_SESSION, OF_A_VERSION, OF_AN_AGENT};
use crate::facts::Check;

pub(super) static FAMILIES: &[Family] = &[
    Family {
        // JSch.
        texts: &["INFO: Disconnecting from <host>"],
        is_wrapper: true,
        candidates: &[
            is("handshake-kex-failed", Exchanging, "it comes during the key exchange"),
            is(
                "auth-key-rejected",
                Between(Check::Handshake, Check::Auth),
                "it comes after the method publickey: the key, or its signature algorithm, is refused",
            ),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["KeyboardInterrupt", "^CTraceback", "Interrupt: "],
        is_wrapper: true,
        candidates: &[
            is("auth-agent-silent", Seen(OF_AN_AGENT), "the program waited for the agent: its frames say so"),
            is(
                "handshake-no-banner",
                Seen(OF_A_VERSION),
                "the program waited for the server's version: its frames say so",
            ),
            is(
                "handshake-kex-stalled",
                Seen(OF_A_KEY_EXCHANGE),
                "keys were being exchanged: its library's frames say so",
            ),
            is("auth-slow", Seen(OF_A_LOGIN), "the login was under way: its library's frames say so"),
            is("session-start-hangs", Seen(OF_A_SESSION), "the command or shell printed nothing: its frames say so"),
        ],
        ..Family::NEW
    },
];
