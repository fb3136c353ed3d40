//! ssh's policy for the server's key, and its files of known ones.

use std::path::PathBuf;

use anyhow::{Context, Result};
use ssh_doctor_checks::base::target::{HostKeyPolicy, Strictness};

use super::raw::Raw;
use super::tokens::{Tokens, tilde};

/// Returns ssh's policy for the server's key.
pub(super) fn host_keys(raw: &Raw, tokens: &Tokens<'_>) -> Result<HostKeyPolicy> {
    Ok(HostKeyPolicy {
        alias: raw.one("hostkeyalias").filter(|name| !name.is_empty()).map(ToOwned::to_owned),
        user_files: known_hosts(raw, tokens, "userknownhostsfile", "~/.ssh/known_hosts ~/.ssh/known_hosts2")?,
        global_files: known_hosts(
            raw,
            tokens,
            "globalknownhostsfile",
            "/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2",
        )?,
        strictness: match raw.one("stricthostkeychecking") {
            Some("yes" | "true") => Strictness::Yes,
            Some("accept-new") => Strictness::AcceptNew,
            Some("no" | "off" | "false") => Strictness::No,
            _ => Strictness::Ask,
        },
        verify_dns: raw.one("verifyhostkeydns").is_some_and(|value| ["yes", "true", "ask"].contains(&value)),
        revoked: raw.set("revokedhostkeys").map(PathBuf::from),
        command: raw.set("knownhostscommand").is_some(),
        check_address: raw.flag("checkhostip", false),
        authority_algorithms: raw.algorithms(&["casignaturealgorithms"]),
        skip_loopback: raw.flag("nohostauthenticationforlocalhost", false),
    })
}

/// Files in one value, separated by blanks.
fn known_hosts(raw: &Raw, tokens: &Tokens<'_>, keyword: &str, default: &str) -> Result<Vec<PathBuf>> {
    let names = split_files(raw.one(keyword).unwrap_or(default));
    let names = names.into_iter().filter(|name| !name.eq_ignore_ascii_case("none"));
    names
        .map(|name| if raw.expanded { tilde(&name, tokens.local).map(PathBuf::from) } else { tokens.path(&name) })
        .collect::<Result<_>>()
        .with_context(|| "a known_hosts file cannot be used")
}

/// ssh prints names with blanks in them without quotes: what does not begin like a name belongs to the one before.
fn split_files(value: &str) -> Vec<String> {
    let rooted = |name: &str| name.starts_with(['/', '~', '$', '%']);
    let mut names: Vec<String> = Vec::new();
    for piece in value.split(' ').filter(|piece| !piece.is_empty()) {
        match names.last_mut() {
            Some(last) if rooted(last) && !rooted(piece) => *last = format!("{last} {piece}"),
            _ => names.push(piece.to_owned()),
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::split_files;

    #[test]
    fn names_with_blanks_stay_whole() {
        assert_eq!(split_files("/a b /c ~/d e"), ["/a b", "/c", "~/d e"]);
        assert_eq!(split_files("a b"), ["a", "b"]);
    }
}
