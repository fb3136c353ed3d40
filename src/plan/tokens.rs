//! `~`, `%` tokens and `${VARIABLES}` of ssh_config(5), sections TOKENS and ENVIRONMENT VARIABLES.

use std::path::PathBuf;

use anyhow::{Result, anyhow, bail};
use nix::unistd::User;
use ssh_doctor_checks::base::text::sanitize;

use super::local::Local;

/// The values of the tokens.
#[derive(Debug, Clone)]
pub(super) struct Tokens<'a> {
    /// This side.
    pub(super) local: &'a Local,
    /// The host as the user typed it (%n).
    pub(super) alias: &'a str,
    /// The host that is connected to (%h).
    pub(super) host: &'a str,
    /// The port (%p).
    pub(super) port: u16,
    /// The login name on the server (%r).
    pub(super) user: &'a str,
    /// The name that known_hosts is searched for (%k).
    pub(super) key_alias: &'a str,
    /// The jump host next to the target (%j).
    pub(super) jump: &'a str,
    /// ssh's hash of the connection (%C), where ssh printed it.
    pub(super) hash: Option<&'a str>,
}

impl Tokens<'_> {
    /// A file name: `~`, tokens and variables expanded.
    pub(super) fn path(&self, template: &str) -> Result<PathBuf> {
        let text = tilde(template, self.local)?;
        self.percent(&variables(&text)?).map(PathBuf::from)
    }

    /// The `%` tokens expanded.
    pub(super) fn percent(&self, template: &str) -> Result<String> {
        let mut text = String::with_capacity(template.len());
        let mut chars = template.chars();
        while let Some(c) = chars.next() {
            if c != '%' {
                text.push(c);
                continue;
            }
            let local = self.local;
            match chars.next() {
                Some('%') => text.push('%'),
                Some('h') => text.push_str(self.host),
                Some('n') => text.push_str(self.alias),
                Some('p') => text.push_str(&self.port.to_string()),
                Some('r') => text.push_str(self.user),
                Some('k') => text.push_str(self.key_alias),
                Some('j') => text.push_str(self.jump),
                Some('C') if self.hash.is_some() => text.push_str(self.hash.unwrap_or_default()),
                Some('u') => text.push_str(&local.user),
                Some('i') => text.push_str(&local.uid.to_string()),
                Some('d') => text.push_str(&local.home.to_string_lossy()),
                Some('l') => text.push_str(&local.host),
                Some('L') => text.push_str(local.host.split('.').next().unwrap_or_default()),
                Some(other) => {
                    bail!("the token %{} in '{}' is not expanded", sanitize(&other.to_string()), sanitize(template))
                }
                None => bail!("'{}' ends in a %", sanitize(template)),
            }
        }
        Ok(text)
    }
}

/// ssh's complaint about a token that it does not expand in a ProxyCommand or ProxyJump, which have fewer than other settings.
pub(super) fn refusal_of_proxy(template: &str) -> Option<String> {
    let mut pieces = template.split('%').skip(1);
    while let Some(behind) = pieces.next() {
        match behind.chars().next() {
            // The second of two signs begins a piece of its own.
            None => drop(pieces.next()?),
            Some('h' | 'k' | 'n' | 'p' | 'r') => {}
            Some(other) => return Some(format!("percent_expand: unknown key %{}", sanitize(&other.to_string()))),
        }
    }
    None
}

/// The tokens of a file name (ssh_config(5), TOKENS).
const OF_FILES: &str = "%CdhijkLlnpru";

/// True if ssh may not be able to expand a file name: its user, a variable or a token is not known here.
pub(super) fn may_fail(template: &str, local: &Local) -> bool {
    let mut chars = template.chars();
    let mut knows_tokens = true;
    while let Some(c) = chars.next() {
        knows_tokens &= c != '%' || chars.next().is_some_and(|token| OF_FILES.contains(token));
    }
    !knows_tokens || tilde(template, local).is_err() || variables(template).is_err()
}

/// `~` and `~user` at the start, expanded.
pub(super) fn tilde(template: &str, local: &Local) -> Result<String> {
    let Some(rest) = template.strip_prefix('~') else { return Ok(template.to_owned()) };
    let (name, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let home = if name.is_empty() {
        local.home.clone()
    } else {
        let entry = User::from_name(name).ok().flatten();
        entry.ok_or_else(|| anyhow!("'{}' names a user that this machine does not know", sanitize(template)))?.dir
    };
    Ok(format!("{}{path}", home.display()))
}

/// `${NAME}` expanded from the environment.
fn variables(template: &str) -> Result<String> {
    let mut pieces = template.split("${");
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (name, rest) =
            piece.split_once('}').ok_or_else(|| anyhow!("'{}' has a ${{ without a }}", sanitize(template)))?;
        let value = std::env::var(name).map_err(|_| {
            anyhow!("'{}' needs the environment variable {}, which is not set", sanitize(template), sanitize(name))
        })?;
        text.push_str(&value);
        text.push_str(rest);
    }
    Ok(text)
}

#[cfg(test)]
pub(super) mod tests {
    use std::path::{Path, PathBuf};

    use super::{Local, Tokens, tilde};

    pub(in super::super) fn local() -> Local {
        Local { user: "me".into(), uid: 1000, home: "/home/me".into(), host: "desk.example".into() }
    }

    /// Of the host `db`, without hops.
    pub(in super::super) fn plain(local: &Local) -> Tokens<'_> {
        Tokens { local, alias: "db", host: "db.example", port: 22, user: "joe", key_alias: "db", jump: "", hash: None }
    }

    fn tokens(local: &Local) -> Tokens<'_> {
        Tokens {
            local,
            alias: "db",
            host: "db.example",
            port: 2222,
            user: "joe",
            key_alias: "key",
            jump: "bastion",
            hash: Some("cafe"),
        }
    }

    #[test]
    fn what_ssh_may_not_expand_is_told_from_what_it_does() {
        let local = local();
        for (name, fails) in [
            ("~/.ssh/id_%h-%%d", false),
            ("/x/%z", true),
            ("/x/%", true),
            ("~no-such-user/id", true),
            ("${NO_SUCH_VARIABLE}/id", true),
            ("${PATH}/id", false),
        ] {
            assert_eq!(super::may_fail(name, &local), fails, "{name}");
        }
    }

    #[test]
    fn every_token_stands_for_what_the_manual_says() {
        let local = local();
        let text = tokens(&local).percent("%h %n %p %r %k %j %C %u %i %d %l %L 100%%").unwrap();
        assert_eq!(text, "db.example db 2222 joe key bastion cafe me 1000 /home/me desk.example desk 100%");
    }

    #[test]
    fn paths_are_expanded_in_full() {
        let local = local();
        let path = std::env::var("PATH").unwrap();
        assert_eq!(tokens(&local).path("~/.ssh/k_%r_%h").unwrap(), Path::new("/home/me/.ssh/k_joe_db.example"));
        assert_eq!(tokens(&local).path("/x/${PATH}/y").unwrap(), PathBuf::from(format!("/x/{path}/y")));
        assert_eq!(tilde("~root/x", &local).unwrap(), "/root/x");
        assert_eq!(tilde("a~b", &local).unwrap(), "a~b");
    }

    #[test]
    fn what_cannot_be_expanded_is_said() {
        let local = local();
        assert!(Tokens { hash: None, ..tokens(&local) }.path("%C").is_err());
        for template in ["%z", "x%", "${NO_SUCH_VARIABLE}", "${PATH", "~no-such-user/x"] {
            assert!(tokens(&local).path(template).is_err(), "{template}");
        }
    }
}
