//! The flags of ssh. Those that an examination has no use for, or that stand for a setting, are accepted as ssh accepts them.

use clap::{ArgAction, Args};

use super::values::port;

/// The flags that `ssh` has too.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Same as ssh")]
pub struct SshFlags {
    /// Port to connect to
    #[arg(short = 'p', value_name = "PORT", value_parser = port)]
    pub port: Option<u16>,
    /// Login name on the server
    #[arg(short = 'l', value_name = "LOGIN")]
    pub login: Option<String>,
    /// Private key to log in with; repeats
    #[arg(short = 'i', value_name = "FILE", action = ArgAction::Append)]
    pub identities: Vec<String>,
    /// Configuration file instead of ~/.ssh/config; `none` for none
    #[arg(short = 'F', value_name = "CONFIG")]
    pub config: Option<String>,
    /// Any option of ssh_config, as Key=Value; repeats
    #[arg(short = 'o', value_name = "KEY=VALUE", action = ArgAction::Append)]
    pub options: Vec<String>,
    /// Hosts to jump through, separated by commas
    #[arg(short = 'J', value_name = "HOPS")]
    pub jump: Option<String>,
    /// IPv4 only
    #[arg(short = '4', conflicts_with = "inet6")]
    pub inet: bool,
    /// IPv6 only
    #[arg(short = '6')]
    pub inet6: bool,
    /// The others.
    #[command(flatten)]
    pub others: OtherSshFlags,
}

impl SshFlags {
    /// Returns the flags with the settings that other flags stand for among the options; where an option was given too, that one counts.
    #[must_use]
    pub fn with_others(&self) -> Self {
        let options = [&self.options[..], &self.others.options()].concat();
        Self { options, ..self.clone() }
    }
}

/// Flags of ssh(1) beside those that `--help` lists.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "As in ssh")]
pub struct OtherSshFlags {
    /// Compression
    #[arg(short = 'C', hide = true, action = ArgAction::Count)]
    compress: u8,
    /// Agent forwarding
    #[arg(short = 'A', hide = true, action = ArgAction::Count)]
    agent: u8,
    /// Kerberos
    #[arg(short = 'K', hide = true, action = ArgAction::Count)]
    kerberos: u8,
    /// Ciphers
    #[arg(short = 'c', hide = true, value_name = "LIST")]
    ciphers: Option<String>,
    /// Message authentication codes
    #[arg(short = 'm', hide = true, value_name = "LIST")]
    macs: Option<String>,
    /// Address to connect from
    #[arg(short = 'b', hide = true, value_name = "ADDRESS")]
    bind_address: Option<String>,
    /// Interface to connect from
    #[arg(short = 'B', hide = true, value_name = "INTERFACE")]
    bind_interface: Option<String>,
    /// PKCS#11 library
    #[arg(short = 'I', hide = true, value_name = "LIBRARY")]
    pkcs11: Option<String>,
    /// Control socket
    #[arg(short = 'S', hide = true, value_name = "SOCKET")]
    control: Option<String>,
    /// Forwardings of this side's ports
    #[arg(short = 'L', hide = true, value_name = "FORWARDING", action = ArgAction::Append)]
    local: Vec<String>,
    /// Forwardings of the server's ports
    #[arg(short = 'R', hide = true, value_name = "FORWARDING", action = ArgAction::Append)]
    remote: Vec<String>,
    /// SOCKS proxies
    #[arg(short = 'D', hide = true, value_name = "PORT", action = ArgAction::Append)]
    dynamic: Vec<String>,
    /// The other end of standard input and output
    #[arg(short = 'W', hide = true, value_name = "HOST:PORT")]
    stdio: Option<String>,
    /// Tunnel devices
    #[arg(short = 'w', hide = true, value_name = "DEVICES")]
    tunnel: Option<String>,
    /// Escape character
    #[arg(short = 'e', hide = true, value_name = "CHARACTER")]
    escape: Option<String>,
    /// Log file
    #[arg(short = 'E', hide = true, value_name = "FILE")]
    log: Option<String>,
    /// No agent forwarding
    #[arg(short = 'a', hide = true, action = ArgAction::Count)]
    no_agent: u8,
    /// Go into the background
    #[arg(short = 'f', hide = true, action = ArgAction::Count)]
    background: u8,
    /// Forwarded ports for all
    #[arg(short = 'g', hide = true, action = ArgAction::Count)]
    gateway: u8,
    /// No delegation of Kerberos credentials
    #[arg(short = 'k', hide = true, action = ArgAction::Count)]
    no_delegation: u8,
    /// Control master
    #[arg(short = 'M', hide = true, action = ArgAction::Count)]
    master: u8,
    /// No command
    #[arg(short = 'N', hide = true, action = ArgAction::Count)]
    no_command: u8,
    /// No standard input
    #[arg(short = 'n', hide = true, action = ArgAction::Count)]
    no_input: u8,
    /// No messages
    #[arg(short = 'q', hide = true, action = ArgAction::Count)]
    no_messages: u8,
    /// Subsystem
    #[arg(short = 's', hide = true, action = ArgAction::Count)]
    subsystem: u8,
    /// No terminal
    #[arg(short = 'T', hide = true, action = ArgAction::Count)]
    no_terminal: u8,
    /// Terminal
    #[arg(short = 't', hide = true, action = ArgAction::Count)]
    terminal: u8,
    /// X11 forwarding
    #[arg(short = 'X', hide = true, action = ArgAction::Count)]
    x11: u8,
    /// No X11 forwarding
    #[arg(short = 'x', hide = true, action = ArgAction::Count)]
    no_x11: u8,
    /// Trusted X11 forwarding
    #[arg(short = 'Y', hide = true, action = ArgAction::Count)]
    trusted_x11: u8,
    /// Log to syslog
    #[arg(short = 'y', hide = true, action = ArgAction::Count)]
    syslog: u8,
}

impl OtherSshFlags {
    /// The settings of ssh_config that they stand for, as `Key=Value`.
    #[must_use]
    pub fn options(&self) -> Vec<String> {
        let switches = [
            (self.compress, "Compression=yes"),
            (self.agent, "ForwardAgent=yes"),
            (self.kerberos, "GSSAPIAuthentication=yes"),
        ];
        let values = [
            ("Ciphers", &self.ciphers),
            ("MACs", &self.macs),
            ("BindAddress", &self.bind_address),
            ("BindInterface", &self.bind_interface),
            ("PKCS11Provider", &self.pkcs11),
            ("ControlPath", &self.control),
        ];
        let switches = switches.into_iter().filter(|(count, _)| *count > 0).map(|(_, option)| option.to_owned());
        let values = values.into_iter().filter_map(|(key, value)| Some(format!("{key}={}", value.as_ref()?)));
        switches.chain(values).collect()
    }

    /// The flags of ssh for forwardings, with their values.
    #[must_use]
    pub fn forwardings(&self) -> Vec<String> {
        let tunnel: Vec<_> = self.tunnel.iter().cloned().collect();
        let kinds = [("-L", &self.local), ("-R", &self.remote), ("-D", &self.dynamic), ("-w", &tunnel)];
        let flags = kinds
            .into_iter()
            .flat_map(|(flag, values)| values.iter().map(move |value| [flag.to_owned(), value.clone()]));
        flags.flatten().collect()
    }

    /// Lists the flags that an examination ignores, in a sentence for each kind.
    #[must_use]
    pub fn passed_over(&self) -> Vec<String> {
        let forwardings = [("-W", self.stdio.is_some())];
        let counted = [
            ("-a", self.no_agent),
            ("-f", self.background),
            ("-g", self.gateway),
            ("-k", self.no_delegation),
            ("-M", self.master),
            ("-N", self.no_command),
            ("-n", self.no_input),
            ("-q", self.no_messages),
            ("-s", self.subsystem),
            ("-T", self.no_terminal),
            ("-t", self.terminal),
            ("-X", self.x11),
            ("-x", self.no_x11),
            ("-Y", self.trusted_x11),
            ("-y", self.syslog),
        ];
        let others = [("-E", self.log.is_some()), ("-e", self.escape.is_some())];
        let others = counted.map(|(flag, count)| (flag, count > 0)).into_iter().chain(others);
        let given = |flags: &mut dyn Iterator<Item = (&'static str, bool)>| {
            flags.filter(|(_, given)| *given).map(|(flag, _)| flag).collect::<Vec<_>>().join(" ")
        };
        let sentences = [
            (given(&mut forwardings.into_iter()), "forwardings are not set up"),
            (given(&mut others.into_iter()), "accepted as ssh accepts it, without a bearing on the examination"),
        ];
        let sentences = sentences.into_iter().filter(|(flags, _)| !flags.is_empty());
        sentences.map(|(flags, words)| format!("{flags}: {words}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use crate::cli::{CheckArgs, Cli, Command};

    fn check(flags: &str) -> Box<CheckArgs> {
        let line = format!("ssh-doctor check {flags} db");
        match Cli::try_parse_from(line.split(' ')).unwrap_or_else(|error| panic!("{flags}: {error}")).command {
            Command::Check(args) => args,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn flags_that_stand_for_a_setting_are_settings() {
        let flags = check("-oPort=22 -CA -c aes128-ctr -S none").ssh.with_others();
        let settings = ["Port=22", "Compression=yes", "ForwardAgent=yes", "Ciphers=aes128-ctr", "ControlPath=none"];
        assert_eq!(flags.options, settings);
        assert!(flags.others.passed_over().is_empty());
        assert_eq!(check("-p22").ssh.port, Some(22));
    }

    #[test]
    fn the_others_are_accepted_and_told() {
        let flags = check("-aXxYNTttnqfgskMy -L 8080:db:80 -R 1:a:2 -D 1080 -W a:1 -w 0 -e none -E /tmp/log").ssh;
        let told = flags.others.passed_over().join("\n");
        assert!(told.starts_with("-W: forwardings are not set up\n"), "{told}");
        assert_eq!(flags.others.forwardings().join(" "), "-L 8080:db:80 -R 1:a:2 -D 1080 -w 0");
        assert!(told.contains("-a -f -g -k -M -N -n -q -s -T -t -X -x -Y -y -E -e: accepted"), "{told}");
        assert_eq!(check("").ssh.others.passed_over(), Vec::<String>::new());
    }
}
