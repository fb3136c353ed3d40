//! This machine's own files on name lookup.

use std::fs;
use std::io::Read;
use std::net::IpAddr;

use hickory_resolver::Hosts;
use hickory_resolver::config::{NameServerConfig, ResolverOpts};
use hickory_resolver::proto::op::Query;
use hickory_resolver::proto::rr::{Name, RecordType};
use hickory_resolver::system_conf::read_system_conf;

/// Bytes read of nsswitch.conf at most.
const NSSWITCH_BYTES: u64 = 64 * 1024;

/// The contents of the files.
#[derive(Default)]
pub(super) struct Files {
    /// The hosts file's addresses of the name.
    pub(super) hosts: Vec<IpAddr>,
    /// The sources of nsswitch.conf's `hosts` line.
    pub(super) sources: Option<Vec<String>>,
    /// The search list.
    pub(super) search: Vec<Name>,
    /// Dots that a name needs to be tried as it is first.
    pub(super) ndots: usize,
    /// The configured name servers, in order.
    pub(super) servers: Vec<NameServerConfig>,
    /// The resolver's options.
    pub(super) options: ResolverOpts,
    /// The reason why the DNS configuration could not be used.
    pub(super) error: Option<String>,
}

/// Reads the hosts file, nsswitch.conf and the DNS configuration.
pub(super) async fn read(host: &str) -> Files {
    let host = host.to_owned();
    tokio::task::spawn_blocking(move || read_now(&host)).await.unwrap_or_default()
}

fn read_now(host: &str) -> Files {
    let mut files = Files { hosts: hosts_file(host), sources: sources(), ndots: 1, ..Files::default() };
    match read_system_conf() {
        Ok((config, options)) => {
            let (domain, search, servers) = config.into_parts();
            files.search = if search.is_empty() { domain.into_iter().collect() } else { search };
            files.ndots = options.ndots;
            files.servers = servers;
            files.options = options;
        }
        Err(error) => files.error = Some(error.to_string()),
    }
    files
}

fn hosts_file(host: &str) -> Vec<IpAddr> {
    let (Ok(hosts), Ok(name)) = (Hosts::from_system(), Name::from_ascii(host)) else { return Vec::new() };
    [RecordType::A, RecordType::AAAA]
        .into_iter()
        .filter_map(|record_type| hosts.lookup_static_host(&Query::query(name.clone(), record_type)))
        .flat_map(|lookup| lookup.answers().iter().filter_map(|record| record.data.ip_addr()).collect::<Vec<_>>())
        .collect()
}

fn sources() -> Option<Vec<String>> {
    let mut text = String::new();
    fs::File::open("/etc/nsswitch.conf").ok()?.take(NSSWITCH_BYTES).read_to_string(&mut text).ok()?;
    hosts_line(&text)
}

/// The sources of the `hosts` line, without actions such as `[NOTFOUND=return]`.
fn hosts_line(text: &str) -> Option<Vec<String>> {
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    let line = lines.filter_map(|line| line.strip_prefix("hosts:")).next_back()?;
    let mut sources = Vec::new();
    let mut in_action = false;
    for word in line.split_whitespace() {
        if word.starts_with('[') {
            in_action = true;
        } else if !in_action {
            sources.push(word.to_owned());
        }
        in_action = in_action && !word.ends_with(']');
    }
    Some(sources)
}

#[cfg(test)]
mod tests {
    use super::hosts_line;

    #[test]
    fn the_sources_of_host_names_are_read_without_their_actions() {
        let text = "passwd: files\n# hosts: nis\nhosts: files mdns4_minimal [NOTFOUND=return] dns # as installed\n";
        assert_eq!(hosts_line(text).unwrap(), ["files", "mdns4_minimal", "dns"]);
        assert_eq!(hosts_line("hosts: resolve [!UNAVAIL = return] files\n").unwrap(), ["resolve", "files"]);
        assert_eq!(hosts_line("passwd: files\n"), None);
    }
}
