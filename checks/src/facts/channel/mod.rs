//! The observations of a session channel.

pub mod account;
pub mod capabilities;
mod conduct;
mod known_programs;
mod program;
pub mod programs;
mod refusals;
mod session;
pub mod sftp;
mod unknown_words;
pub mod words;

pub use account::Account;
pub use capabilities::{Capabilities, Capability, Sessions};
pub(crate) use session::{AT_ONCE_S, OUR_STATUS, OURS};
pub use session::{Facts, HungUp, Lead, LoginOfShell, OnInput, Shell};
pub use sftp::Sftp;

use crate::base::service::Service;
use crate::base::text::{self, bytes, sanitize_bytes, seconds};
use crate::facts;

impl facts::Facts for Facts {
    fn summary(&self) -> String {
        let ran = &self.ran;
        if let Some((code, text)) = &ran.refused {
            return format!("channel refused: {} (reason {code})", sanitize_bytes(text.as_bytes()));
        }
        let Some(open_ms) = ran.open_ms else { return "no channel could be opened".to_owned() };
        let opened = format!("channel open in {}", seconds(open_ms / 1000.0));
        let other = format!("{} of other output", bytes(ran.stdout_bytes as f64));
        if !self.mark_seen && self.account() == Account::Restricted {
            let serves: Vec<_> = self.serves().into_iter().map(Service::words).collect();
            return format!("{opened}, no command of ours; it serves {}", serves.join(", "));
        }
        match (ran.accepted, self.mark_seen, ran.status) {
            (Some(false), ..) => format!("{opened}, command refused"),
            (_, true, _) => format!("{opened}, a command's first output after {}", seconds(ran.duration_ms / 1000.0)),
            (_, false, Some(status)) => format!("{opened}, the command did not run: {}", text::status(status)),
            (_, false, None) if ran.stdout_bytes > 0 => format!("{opened}, {other}"),
            (_, false, None) => format!("{opened}, no output of the command"),
        }
    }
}
