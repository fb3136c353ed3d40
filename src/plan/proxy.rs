//! `ProxyJump` and `ProxyCommand` as the command that ssh itself would run.

use anyhow::{Context, Result};
use ssh_doctor_checks::base::target::Proxy;

use super::destination::Destination;
use super::raw::Raw;
use super::tokens::Tokens;
use crate::shell::quoted;

/// The way to the server, when it is not a TCP connection of our own. `config` is the file given with `-F`.
pub(super) fn proxy(raw: &Raw, tokens: &Tokens<'_>, config: Option<&str>) -> Result<Option<Proxy>> {
    if let Some(hops) = raw.set("proxyjump") {
        return jump(&tokens.percent(hops)?, tokens, config).map(Some).with_context(|| "the jump host cannot be used");
    }
    let Some(command) = raw.set("proxycommand") else { return Ok(None) };
    let command = tokens.percent(command).with_context(|| "the ProxyCommand cannot be used")?;
    Ok(Some(Proxy { command, hops: Vec::new(), jumps: Vec::new() }))
}

/// Returns the proxy that ssh makes of a `ProxyJump`: another ssh, that goes to the last hop by the ones before it. It
/// is only reported, not run: the hops are examined one by one.
fn jump(hops: &str, tokens: &Tokens<'_>, config: Option<&str>) -> Result<Proxy> {
    let (before, last) = match hops.rsplit_once(',') {
        Some((before, last)) => (Some(before), last),
        None => (None, hops),
    };
    let hop = Destination::parse(last.trim())?;
    let port = hop.port.map(|port| port.to_string());
    let target = format!("[{}]:{}", tokens.host, tokens.port);
    let mut words = vec!["ssh", "-W", &target];
    let options = [("-l", hop.user.as_deref()), ("-p", port.as_deref()), ("-J", before), ("-F", config)];
    for (flag, value) in options {
        words.extend(value.into_iter().flat_map(|value| [flag, value]));
    }
    words.extend(["-o", "BatchMode=yes", "--", &hop.host]);
    let command = words.into_iter().map(quoted).collect::<Vec<_>>().join(" ");
    let hops =
        hops.split(',').map(|hop| Destination::parse(hop.trim()).map(|hop| hop.to_string())).collect::<Result<_>>()?;
    Ok(Proxy { command, hops, jumps: Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::{Raw, proxy};
    use crate::plan::tokens::refusal_of_proxy;
    use crate::plan::tokens::tests::{local, plain};

    fn made(lines: &str, config: Option<&str>) -> Result<Option<(String, Vec<String>)>, String> {
        let local = local();
        let tokens = plain(&local);
        let made = proxy(&Raw::from_lines(lines), &tokens, config);
        made.map(|proxy| proxy.map(|proxy| (proxy.command, proxy.hops))).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn a_jump_becomes_the_command_that_ssh_would_run() {
        let (command, hops) = made("proxyjump a,me@[::1]:2222", Some("/a b")).unwrap().unwrap();
        assert_eq!(command, "ssh -W '[db.example]:22' -l me -p 2222 -J a -F '/a b' -o BatchMode=yes -- ::1");
        assert_eq!(hops, ["a", "me@[::1]:2222"]);
        assert_eq!(made("proxyjump none", None).unwrap(), None);
        assert!(made("proxyjump -oProxyCommand=x", None).unwrap_err().contains("begins with a dash"));
    }

    #[test]
    fn a_proxy_command_has_its_tokens_expanded() {
        let (command, hops) = made("proxycommand nc -X 5 %h %p # %r %n %%", None).unwrap().unwrap();
        assert_eq!(command, "nc -X 5 db.example 22 # joe db %");
        assert!(hops.is_empty());
        assert_eq!(made("proxycommand none", None).unwrap(), None);
        assert!(made("proxycommand nc %z", None).is_err());
        for (command, works) in
            [("nc %z", false), ("nc %d", false), ("nc %%d %k", true), ("nc %%%h", true), ("nc %%%l", false)]
        {
            assert_eq!(refusal_of_proxy(command).is_none(), works, "{command}");
        }
        let (_, hops) = made("proxyjump %r@hop,%h.gate", None).unwrap().unwrap();
        assert_eq!(hops, ["joe@hop", "db.example.gate"]);
    }
}
