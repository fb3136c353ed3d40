//! The names of key files and the comments of keys, and the replacement for each.

use ssh_doctor_checks::facts::Evidence;

use super::homes::without_homes;

/// The names that ssh itself looks for in `~/.ssh`, which say nothing of anybody.
const DEFAULTS: [&str; 7] = ["id_dsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk", "id_rsa", "id_xmss"];
/// Suffixes of the name of a private key's file.
const SUFFIXES: [&str; 2] = ["-cert.pub", ".pub"];

/// The keys met so far, each by its place in its list.
#[derive(Debug, Default)]
pub(super) struct Keys {
    /// The files of private keys, home folders replaced.
    files: Vec<String>,
    comments: Vec<String>,
}

impl Keys {
    /// The keys that an examination came upon, of its hops too.
    pub(super) fn of(evidence: &Evidence) -> Self {
        let mut keys = Self::default();
        keys.know(evidence);
        evidence.hops.iter().for_each(|hop| keys.know(&hop.evidence));
        keys
    }

    fn know(&mut self, evidence: &Evidence) {
        evidence.target.flags.identities.iter().for_each(|file| self.know_file(file));
        let Some(facts) = evidence.auth.facts() else { return };
        let offered = facts.attempts.iter().filter_map(|attempt| attempt.key.as_ref()?.file.as_ref());
        for file in facts.files.iter().map(|file| &file.path).chain(offered) {
            self.know_file(&file.to_string_lossy());
        }
    }

    fn know_file(&mut self, file: &str) {
        let file = without_homes(file);
        let name = SUFFIXES.iter().find_map(|suffix| file.strip_suffix(suffix)).unwrap_or(&file);
        let is_default = name.strip_prefix("~/.ssh/").is_some_and(|name| DEFAULTS.contains(&name));
        if !name.is_empty() && !is_default && !self.files.iter().any(|known| known == name) {
            self.files.push(name.to_owned());
        }
    }

    /// The text with the files of keys replaced; home folders are `~` in it.
    pub(super) fn replaced(&self, text: &str) -> String {
        let mut safe = String::with_capacity(text.len());
        let mut rest = text;
        // Of two names of which one begins the other, the longer one is meant.
        while let Some((at, place, name)) = self.first(rest) {
            safe.push_str(&rest[..at]);
            safe.push_str("/keys/key-");
            safe.push_str(&(place + 1).to_string());
            rest = &rest[at + name.len()..];
        }
        safe + rest
    }

    /// The first known name in a text: where, its place in the list, and itself.
    fn first<'a>(&'a self, text: &str) -> Option<(usize, usize, &'a str)> {
        let found = self.files.iter().enumerate().filter_map(|(place, name)| {
            let at = text.match_indices(name.as_str()).map(|(at, _)| at).find(|at| is_whole(text, *at, name.len()))?;
            Some((at, place, name.as_str()))
        });
        found.min_by_key(|(at, _, name)| (*at, usize::MAX - name.len()))
    }

    /// Returns the replacement for the comment of a key.
    pub(super) fn comment(&mut self, comment: &str) -> String {
        if comment.is_empty() {
            return String::new();
        }
        let place = self.comments.iter().position(|known| known == comment).unwrap_or_else(|| {
            self.comments.push(comment.to_owned());
            self.comments.len() - 1
        });
        format!("comment {}", place + 1)
    }
}

/// True if a name in a text is not a part of a longer one.
fn is_whole(text: &str, at: usize, length: usize) -> bool {
    let in_name = |c: char| c.is_alphanumeric() || c == '_' || c == '/';
    let after = &text[at + length..];
    !text[..at].ends_with(in_name)
        && (SUFFIXES.iter().any(|suffix| after.starts_with(suffix)) || !after.starts_with(in_name))
}

#[cfg(test)]
mod tests {
    use super::Keys;

    #[test]
    fn the_name_of_a_key_goes_and_ssh_s_own_names_stay() {
        let mut keys = Keys::default();
        for file in
            ["/home/me/.ssh/acme-prod", "/home/me/.ssh/acme-prod.pub", "~/.ssh/id_rsa", "/srv/k", "/srv/k2-cert.pub"]
        {
            keys.know_file(file);
        }
        for (text, safe) in [
            ("~/.ssh/acme-prod", "/keys/key-1"),
            ("~/.ssh/acme-prod.pub: no such file", "/keys/key-1.pub: no such file"),
            ("~/.ssh/acme-prod-cert.pub", "/keys/key-1-cert.pub"),
            ("~/.ssh/id_rsa.pub", "~/.ssh/id_rsa.pub"),
            ("/srv/k, /srv/k2", "/keys/key-2, /keys/key-3"),
            ("/srv/kit and /usr/srv/k", "/srv/kit and /usr/srv/k"),
        ] {
            assert_eq!(keys.replaced(text), safe);
        }
        assert_eq!(
            (keys.comment("a"), keys.comment("b"), keys.comment("a")),
            ("comment 1".into(), "comment 2".into(), "comment 1".into())
        );
        assert_eq!(keys.comment(""), "");
    }
}
