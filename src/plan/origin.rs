//! The source of a setting: the command line, a line of a configuration file, or ssh itself.

use std::fs::{File, metadata};
use std::io::Read;
use std::path::Path;

use super::local::Local;
use super::raw::{Log, Raw};
use crate::cli::SshFlags;

/// The source of a setting that nobody changed.
pub(super) const DEFAULT: &str = "ssh's default";

/// Bytes of a configuration file that are searched.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// Returns the source of the `ServerAliveInterval`.
pub(super) fn of_interval(raw: &Raw, defaults: &Raw, flags: &SshFlags, local: &Local) -> String {
    const KEYWORD: &str = "serveraliveinterval";
    let interval = raw.number(KEYWORD, 0);
    let is_default = defaults.number(KEYWORD, 0) == interval;
    let place = of_setting(raw, flags, local, KEYWORD, |value| seconds(value) == Some(interval));
    place.unwrap_or_else(|| if is_default { DEFAULT.to_owned() } else { of_files(raw, local) })
}

/// Returns the place that sets a keyword to an accepted value for the host; `None` where neither the command line nor a
/// file that was read does.
pub(super) fn of_setting(
    raw: &Raw,
    flags: &SshFlags,
    local: &Local,
    keyword: &str,
    accepted: impl Fn(&str) -> bool,
) -> Option<String> {
    let given = on_command_line(&flags.options, keyword).then(|| "the command line".to_owned());
    given.or_else(|| in_files(&raw.log, local, keyword, accepted))
}

/// The files that may have set it, where no line was found that did.
pub(super) fn of_files(raw: &Raw, local: &Local) -> String {
    if raw.log.files.is_empty() {
        return DEFAULT.to_owned();
    }
    raw.log.files.iter().map(|file| short(file, local)).collect::<Vec<_>>().join(" or ")
}

/// True if `-o` sets the keyword.
pub(super) fn on_command_line(options: &[String], keyword: &str) -> bool {
    options.iter().any(|option| keyword_and_value(option).is_some_and(|(set, _)| set.eq_ignore_ascii_case(keyword)))
}

/// The first line that sets the keyword to an accepted value, in a block that applied or may have applied.
pub(super) fn in_files(log: &Log, local: &Local, keyword: &str, accepted: impl Fn(&str) -> bool) -> Option<String> {
    log.files.iter().find_map(|file| {
        let text = contents(file)?;
        let name = file.to_string_lossy();
        let mut applies = true;
        for (number, line) in (1..).zip(text.lines()) {
            let Some((set, value)) = keyword_and_value(line) else { continue };
            let place = || (name.clone().into_owned(), number);
            match set.to_ascii_lowercase().as_str() {
                "host" => applies = log.applied.contains(&place()),
                "match" => applies = !log.unmatched.contains(&place()),
                set if applies && set == keyword && accepted(value) => {
                    return Some(format!("{} line {number}", short(file, local)));
                }
                _ => {}
            }
        }
        None
    })
}

/// A line of ssh_config(5) taken apart; none for comments and empty lines.
pub(super) fn keyword_and_value(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let (keyword, rest) = line.split_once(|c: char| c.is_whitespace() || c == '=')?;
    let value = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '=');
    Some((keyword, value.trim_matches('"')))
}

/// A file name as people write it: the home directory is `~`.
pub(super) fn short(file: &Path, local: &Local) -> String {
    match file.strip_prefix(&local.home) {
        Ok(rest) if !local.home.as_os_str().is_empty() => format!("~/{}", rest.display()),
        _ => file.display().to_string(),
    }
}

/// The text of a regular file; a pipe was for ssh to read, once.
pub(super) fn contents(file: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    metadata(file).ok().filter(std::fs::Metadata::is_file)?;
    File::open(file).ok()?.take(MAX_FILE_BYTES).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// A time of sshd_config(5), TIME FORMATS, in seconds: `90`, `1m30s`.
pub(super) fn seconds(text: &str) -> Option<u64> {
    let mut total: u64 = 0;
    let mut number: Option<u64> = None;
    for c in text.trim().chars() {
        if let Some(digit) = c.to_digit(10) {
            number = Some(number.unwrap_or(0).checked_mul(10)?.checked_add(u64::from(digit))?);
            continue;
        }
        let unit = match c.to_ascii_lowercase() {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            'w' => 604_800,
            _ => return None,
        };
        total = total.checked_add(number.take()?.checked_mul(unit)?)?;
    }
    total.checked_add(number.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{Log, in_files, keyword_and_value, on_command_line, seconds};
    use crate::plan::tokens::tests::local;

    #[test]
    fn times_are_read_as_ssh_reads_them() {
        assert_eq!(["90", "1m30s", "1h", "2D", "1m5"].map(seconds), [90, 90, 3600, 172_800, 65].map(Some));
        assert_eq!(["m", "1x", "99999999999999999999"].map(seconds), [None; 3]);
    }

    #[test]
    fn options_are_taken_apart_as_ssh_takes_them() {
        for line in ["A=b", "A b", " A = b ", "A \"b\"", "A\tb"] {
            assert_eq!(keyword_and_value(line), Some(("A", "b")), "{line}");
        }
        assert_eq!(keyword_and_value("# A b"), None);
        assert!(on_command_line(&["SERVERaliveInterval 5".into()], "serveraliveinterval"));
    }

    #[test]
    fn only_blocks_that_applied_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("config");
        fs::write(&file, "Host a\n  User x\nHost b\n  User y\nMatch exec false\n  User z\nMatch all\n  User w\n")
            .unwrap();
        let name = file.display().to_string();
        let log = Log { files: vec![file], applied: [(name.clone(), 3)].into(), unmatched: [(name.clone(), 5)].into() };
        assert_eq!(in_files(&log, &local(), "user", |_| true), Some(format!("{name} line 4")));
        assert_eq!(in_files(&log, &local(), "user", |value| value == "x"), None);
        assert_eq!(in_files(&log, &local(), "user", |value| value == "z"), None);
        assert_eq!(in_files(&log, &local(), "user", |value| value == "w"), Some(format!("{name} line 8")));
    }
}
