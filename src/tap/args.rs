//! The arguments of `tap`.

use std::net::IpAddr;
use std::time::Duration;

use clap::Args;

use crate::cli::port;

/// The arguments of `tap`.
#[derive(Debug, Args)]
pub struct TapArgs {
    /// The host to connect to: `%h` in a ProxyCommand
    #[arg(value_name = "HOST")]
    pub host: String,
    /// Its port: `%p` in a ProxyCommand
    #[arg(value_name = "PORT", value_parser = port)]
    pub port: u16,
    /// IPv4 only
    #[arg(short = '4', conflicts_with = "inet6")]
    pub inet: bool,
    /// IPv6 only
    #[arg(short = '6')]
    pub inet6: bool,
    /// Connect from this address of this machine
    #[arg(short = 'b', value_name = "ADDRESS")]
    pub bind: Option<IpAddr>,
    /// Send a TCP keepalive after so much idle time
    #[arg(long, value_name = "DURATION", value_parser = keep_alive)]
    pub keep_alive: Option<Duration>,
    /// Print nothing when a session ends badly
    #[arg(long)]
    pub quiet: bool,
}

/// The longest idle time that the kernel takes (`MAX_TCP_KEEPIDLE`), seconds.
const LONGEST: u64 = 32_767;

fn keep_alive(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(idle) if (1..=LONGEST).contains(&idle.as_secs()) && idle.subsec_nanos() == 0 => Ok(idle),
        Ok(_) => Err("the kernel takes whole seconds from 1s to 9h".to_owned()),
        Err(_) => Err("a duration reads 30s or 5m".to_owned()),
    }
}
