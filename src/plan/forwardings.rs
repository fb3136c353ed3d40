//! The forwardings that ssh sets up after its login, as `ssh -G` prints them.

use std::collections::BTreeSet;

use ssh_doctor_checks::base::own_ssh::{Forwardings, ListenPlace, Listener};

use super::raw::Raw;

/// The forwardings of the settings.
pub(super) fn of(raw: &Raw) -> Forwardings {
    let replaces = raw.flag("streamlocalbindunlink", false);
    let gateway = raw.flag("gatewayports", false);
    let mut known = BTreeSet::new();
    let of_keyword = |keyword: &'static str, key: &str| {
        raw.all(key).iter().map(move |value| (keyword, value.split(' ').next().unwrap_or_default())).collect::<Vec<_>>()
    };
    let local = [of_keyword("LocalForward", "localforward"), of_keyword("DynamicForward", "dynamicforward")].concat();
    // ssh -G prints a LocalForward from a socket to a socket as a DynamicForward too.
    let local = local.into_iter().filter(|(_, listen)| !listen.is_empty() && *listen != "none");
    let local = local.filter(|(_, listen)| !is_path(listen) || known.insert(*listen));
    let listeners = local.filter_map(|(keyword, listen)| {
        Some(Listener { keyword, listen: listen.to_owned(), place: place(listen, gateway, replaces)? })
    });
    let listeners: Vec<_> = listeners.collect();
    let remote: Vec<_> =
        of_keyword("RemoteForward", "remoteforward").into_iter().filter(|(_, at)| *at != "none").collect();
    let has_tunnel = raw.set("tunnel").is_some_and(|mode| !["no", "false"].contains(&mode));
    let leaves_socket =
        listeners.iter().map(|listener| &*listener.listen).chain(remote.iter().map(|(_, at)| *at)).any(is_path);
    let requested = remote.iter().map(|(keyword, _)| *keyword).chain(has_tunnel.then_some("Tunnel")).collect();
    Forwardings { required: raw.flag("exitonforwardfailure", false), listeners, requested, leaves_socket }
}

/// Returns the place where ssh listens for `8080`, `[127.0.0.1]:8080`, `[*]:8080`, `[]:8080` or a path.
fn place(listen: &str, gateway: bool, replaces: bool) -> Option<ListenPlace> {
    if is_path(listen) {
        return Some(ListenPlace::Socket { path: listen.into(), replaces });
    }
    let (host, port) = listen.rsplit_once(':').map_or((None, listen), |(host, port)| (Some(host), port));
    let host = match host.map(|host| host.trim_start_matches('[').trim_end_matches(']')) {
        None => gateway.then_some(""),
        Some("" | "*") => Some(""),
        Some("localhost") => None,
        Some(host) => Some(host),
    };
    Some(ListenPlace::Port { host: host.map(ToOwned::to_owned), port: port.parse().ok()? })
}

fn is_path(listen: &str) -> bool {
    listen.contains('/')
}

#[cfg(test)]
mod tests {
    use super::{ListenPlace, Raw, of};

    #[test]
    fn each_kind_of_listener_is_understood_as_ssh_prints_it() {
        let of = |lines: &str| of(&Raw::from_lines(lines));
        let port = |host: Option<&str>, port| ListenPlace::Port { host: host.map(Into::into), port };
        for (line, expected) in [
            ("localforward 8080 [db]:80", port(None, 8080)),
            ("localforward [localhost]:8080 [db]:80", port(None, 8080)),
            ("localforward [*]:8080 [db]:80", port(Some(""), 8080)),
            ("localforward []:8080 [db]:80", port(Some(""), 8080)),
            ("dynamicforward [::1]:1080", port(Some("::1"), 1080)),
            ("gatewayports yes\ndynamicforward 1080", port(Some(""), 1080)),
            (
                "streamlocalbindunlink yes\nlocalforward /run/s /run/t\ndynamicforward /run/s",
                ListenPlace::Socket { path: "/run/s".into(), replaces: true },
            ),
        ] {
            let found = of(line);
            assert_eq!((found.listeners.len(), &found.listeners[0].place), (1, &expected), "{line}");
            assert_eq!(found.leaves_socket, line.contains('/'), "{line}");
        }
        let asked =
            of("remoteforward 9000 [db]:80\nremoteforward 1080\ntunnel point-to-point\nexitonforwardfailure yes");
        assert_eq!(asked.requested, ["RemoteForward", "RemoteForward", "Tunnel"]);
        assert!(asked.required && of("tunnel false").requested.is_empty());
    }
}
