//! A plan in words, for `-v`.

use std::path::Path;

use ssh_doctor_checks::base::masking::masked;
use ssh_doctor_checks::base::target::Identity;
use ssh_doctor_checks::base::text::{sanitize, seconds};

use super::Planned;

impl Planned {
    /// The settings that the examination uses, one a line; at the second level the algorithms too.
    #[must_use]
    pub fn describe(&self, verbose: u8) -> Vec<String> {
        let Self { target, limits, .. } = self;
        let (settings, credentials, policy) = (&target.settings, &target.credentials, &target.host_keys);
        let yes_no = |flag: bool| if flag { "yes" } else { "no" };
        let mut lines = vec![
            format!("target: {}@{} port {}", sanitize(&target.user), sanitize(&target.host), target.port),
            format!("settings: {}", settings.source),
            format!(
                "keepalive: ServerAliveInterval {} ({}), ServerAliveCountMax {}, TCPKeepAlive {}",
                settings.server_alive_interval_s,
                sanitize(&settings.server_alive_from),
                settings.server_alive_count_max,
                yes_no(settings.tcp_keepalive)
            ),
            format!(
                "identities: {}",
                listed(credentials.identities.iter().filter(|key| worth_naming(key)).map(|key| &*key.path))
            ),
            format!("agent: {}", listed(credentials.agent.as_deref())),
            format!("methods: {}", credentials.preferred.join(", ")),
            format!(
                "known hosts: {}",
                listed(policy.user_files.iter().chain(&policy.global_files).map(|file| &**file))
            ),
            format!(
                "limits: {} to connect, {} a stage, {} of silence",
                seconds(limits.connect.as_secs_f64()),
                seconds(limits.stage.as_secs_f64()),
                if limits.idle.is_zero() { "no test".to_owned() } else { seconds(limits.idle.as_secs_f64()) }
            ),
        ];
        lines.extend(target.proxy.as_ref().map(|proxy| match proxy.hops.as_slice() {
            [] if !limits.plain => format!("proxy: ProxyCommand {}", masked(&proxy.command)),
            _ => format!("proxy: {}", sanitize(&proxy.command)),
        }));
        lines.extend(settings.not_honoured.iter().map(|sentence| format!("not honoured: {sentence}")));
        if verbose > 1 {
            let offer = &target.algorithms;
            let kinds =
                [("kex", &offer.kex), ("host keys", &offer.host_key), ("ciphers", &offer.cipher), ("macs", &offer.mac)];
            lines.extend(kinds.map(|(kind, names)| format!("{kind}: {}", names.join(","))));
        }
        lines
    }
}

fn worth_naming(identity: &Identity) -> bool {
    identity.explicit || identity.path.exists()
}

fn listed<'a>(files: impl IntoIterator<Item = &'a Path>) -> String {
    let names: Vec<String> = files.into_iter().map(|file| sanitize(&file.to_string_lossy())).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
