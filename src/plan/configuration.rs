//! The `Host` lines of ssh_config: which of them a name falls under, so that names under the same lines can share an answer of ssh.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use ssh_doctor_checks::base::pattern::matches;

use super::origin::{contents, keyword_and_value};

/// The most `Host` lines with wildcards for which names are compared; with more, asking ssh costs no more.
const WILDCARDS: usize = 10_000;

/// The `Host` lines of some files.
#[derive(Debug, Default)]
pub(super) struct Configuration {
    /// The files, as ssh names them.
    files: HashSet<PathBuf>,
    /// The lines that name hosts outright, by the name.
    literal: HashMap<String, Vec<u32>>,
    /// The lines with a wildcard or a negation.
    wildcards: Vec<(u32, Vec<String>)>,
}

/// The `Host` lines that a name falls under.
pub(super) type Lines = Vec<u32>;

impl Configuration {
    /// Reads the files that ssh has read; none where more than the name's patterns decides which settings apply.
    pub(super) fn read(files: &[PathBuf]) -> Option<Self> {
        let mut configuration = Self { files: files.iter().cloned().collect(), ..Self::default() };
        let mut number = 0;
        for file in files {
            for line in contents(file)?.lines() {
                let Some((keyword, value)) = keyword_and_value(line) else { continue };
                match keyword.to_ascii_lowercase().as_str() {
                    "host" => {
                        number += 1;
                        configuration.add(number, value)?;
                    }
                    "match" if !value.trim().eq_ignore_ascii_case("all") => return None,
                    // What an Include with a token reads depends on the host.
                    "include" if value.contains(['%', '$']) => return None,
                    _ => {}
                }
            }
        }
        Some(configuration)
    }

    fn add(&mut self, number: u32, value: &str) -> Option<()> {
        let patterns = value.split_whitespace().map(|pattern| pattern.trim_matches('"').to_lowercase());
        let patterns: Vec<String> = patterns.filter(|pattern| !pattern.is_empty()).collect();
        if patterns.iter().any(|pattern| pattern.contains(['*', '?', '!', '\\'])) {
            self.wildcards.push((number, patterns));
            return (self.wildcards.len() <= WILDCARDS).then_some(());
        }
        for pattern in patterns {
            self.literal.entry(pattern).or_default().push(number);
        }
        Some(())
    }

    /// True if ssh read these files and no others.
    pub(super) fn is_of(&self, files: &[PathBuf]) -> bool {
        files.iter().collect::<HashSet<_>>() == self.files.iter().collect()
    }

    /// The lines that a name in lower case falls under.
    pub(super) fn lines(&self, host: &str) -> Lines {
        let mut lines = self.literal.get(host).cloned().unwrap_or_default();
        let applies = |patterns: &Vec<String>| {
            let negated = |pattern: &String| pattern.strip_prefix('!').is_some_and(|negated| matches(negated, host));
            patterns.iter().any(|pattern| matches(pattern, host)) && !patterns.iter().any(negated)
        };
        lines.extend(self.wildcards.iter().filter(|(_, patterns)| applies(patterns)).map(|(number, _)| *number));
        lines
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::Configuration;

    fn read(text: &str) -> Option<Configuration> {
        let folder = tempfile::tempdir().unwrap();
        let file: PathBuf = folder.path().join("config");
        fs::write(&file, text).unwrap();
        Configuration::read(&[file])
    }

    #[test]
    fn a_name_falls_under_the_lines_whose_patterns_match() {
        let text =
            "Host web1 web2\n Port 1\nHost *.fra !db.fra\n Port 2\nhost=\"DB.fra\"\n Port 3\nMatch all\nHost *\n";
        let configuration = read(text).unwrap();
        let lines = |host: &str| configuration.lines(host);
        assert_eq!(lines("web1"), lines("web2"));
        assert_eq!(
            [lines("web1"), lines("a.fra"), lines("db.fra"), lines("x")],
            [vec![1, 4], vec![2, 4], vec![3, 4], vec![4]]
        );
    }

    #[test]
    fn where_more_than_patterns_decides_nothing_is_shared() {
        for text in
            ["Match host a\n", "Match exec \"true\"\n", "match final all\n", "Include %h.conf\n", "Include ${X}/c\n"]
        {
            assert!(read(text).is_none(), "{text}");
        }
        assert!(Configuration::read(&["/nonexistent".into()]).is_none());
    }
}
