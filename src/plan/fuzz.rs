//! User input and ssh's output, for the fuzz targets.

use ssh_doctor_checks::base::masking::holds_password;

use super::destination::Destination;
use super::local::Local;
use super::proxy::proxy;
use super::raw::Raw;
use super::resolve::{self, Given};
use super::tokens::Tokens;
use crate::cli::SshFlags;

/// A TARGET: what is taken can be shown, begins no option, and reads back as itself.
pub(crate) fn target(text: &str) {
    match Destination::parse(text) {
        Ok(destination) => {
            let parts = [Some(&destination.host), destination.user.as_ref()];
            assert!(parts.into_iter().flatten().all(|part| !part.starts_with('-') && !part.contains(char::is_control)));
            assert!(!holds_password(text));
            let again = Destination::parse(&destination.to_string());
            assert_eq!(again.ok(), Some(destination));
        }
        Err(error) => {
            let words = error.to_string();
            assert!(words.len() < 2000 && !words.contains(char::is_control), "{words:?}");
            assert!(!holds_password(&words), "{words:?}");
        }
    }
}

/// A value of ProxyJump: no hop of it is an option of ssh.
pub(crate) fn jump(text: &str) {
    let local = Local::default();
    let tokens = Tokens {
        local: &local,
        alias: "db",
        host: "db.example",
        port: 22,
        user: "me",
        key_alias: "db",
        jump: "",
        hash: None,
    };
    let Ok(Some(proxy)) = proxy(&Raw::from_lines(&format!("proxyjump {text}")), &tokens, None) else { return };
    assert!(proxy.hops.iter().all(|hop| !hop.starts_with('-') && !hop.is_empty()));
}

/// The words of `ssh -G`.
pub(crate) fn settings(text: &str) {
    let (raw, local, flags) = (Raw { expanded: true, ..Raw::from_lines(text) }, Local::default(), SshFlags::default());
    let given = Given {
        input: "db",
        alias: "db",
        flags: &flags,
        local: &local,
        password: None,
        person: false,
        defaults: &Raw::default(),
        settings: Vec::new(),
        server_alive_from: String::new(),
        ticket: false,
        plain: false,
        arguments: Vec::new(),
    };
    if let Ok(target) = resolve::target(&raw, given) {
        assert!(target.settings.not_honoured.iter().all(|sentence| !sentence.contains(char::is_control)));
    }
}
