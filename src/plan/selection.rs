//! The selection of checks by `--only` and `--skip`, with the needs of each check.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Result, ensure};
use ssh_doctor_checks::facts::Check;

use crate::cli::Scope;

/// The checks that were asked for and those that they need, less those that were left out and those that need them.
pub(super) fn selected(scope: &Scope, idle: Duration) -> Result<BTreeSet<Check>> {
    let mut left_out: Vec<(Check, &str)> = scope.skip.iter().map(|check| (*check, "--skip leaves out")).collect();
    if idle.is_zero() {
        left_out.push((Check::Idle, "--idle 0 leaves out"));
    }
    for asked in &scope.only {
        for (check, how) in &left_out {
            ensure!(
                asked != check && !needs(*asked).contains(check),
                "--only {} needs the {} check, which {how}; drop one of the two",
                asked.name(),
                check.name()
            );
        }
    }
    let runs = |check: &Check| {
        if *check == Check::Config {
            // ssh itself cannot do without it.
            return !scope.skip.contains(check);
        }
        let wanted =
            scope.only.is_empty() || scope.only.iter().any(|asked| asked == check || needs(*asked).contains(check));
        wanted && !left_out.iter().any(|(left, _)| left == check || needs(*check).contains(left))
    };
    let selected: BTreeSet<Check> = Check::ALL.into_iter().filter(runs).collect();
    ensure!(
        scope.expect.is_empty() || selected.contains(&Check::Channel),
        "what the account must serve (expect) shows at the channel check, which is left out; drop one of the two"
    );
    let is_enough = selected.iter().any(|check| *check != Check::Config) || scope.only.contains(&Check::Config);
    ensure!(is_enough, "--skip leaves no check to run; leave at least the dns check");
    Ok(selected)
}

/// The checks that must have passed before this one can run.
fn needs(check: Check) -> &'static [Check] {
    match CHAIN.iter().position(|other| *other == check) {
        _ if check == Check::Config => &[],
        Some(before) => CHAIN.get(..before).unwrap_or(CHAIN),
        None => CHAIN,
    }
}

/// The checks of which each needs all before it; the other checks need all of these.
const CHAIN: &[Check] = &[Check::Dns, Check::Tcp, Check::Handshake, Check::Hostkey, Check::Auth];

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ssh_doctor_checks::facts::Check;

    use super::selected;
    use crate::cli::Scope;

    fn scope(only: &[Check], skip: &[Check]) -> Scope {
        Scope {
            idle: None,
            only: only.into(),
            skip: skip.into(),
            server: false,
            with_ssh: false,
            timeout: None,
            sessions: 16,
            expect: Vec::new(),
            deep: false,
        }
    }

    fn names(only: &[Check], skip: &[Check], idle: u64) -> Result<Vec<&'static str>, String> {
        selected(&scope(only, skip), Duration::from_secs(idle))
            .map(|set| set.into_iter().map(Check::name).collect())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_check_brings_what_it_needs_and_takes_along_what_needs_it() {
        assert_eq!(names(&[], &[], 9).unwrap().len(), 10);
        assert_eq!(names(&[Check::Tcp], &[], 9).unwrap(), ["config", "dns", "tcp"]);
        assert_eq!(
            names(&[Check::Idle], &[], 9).unwrap(),
            ["config", "dns", "tcp", "handshake", "hostkey", "auth", "idle"]
        );
        assert_eq!(names(&[], &[Check::Handshake], 9).unwrap(), ["config", "dns", "tcp"]);
        assert!(!names(&[], &[], 0).unwrap().contains(&"idle"));
        assert_eq!(names(&[], &[Check::Transfer], 9).unwrap().len(), 9);
    }

    #[test]
    fn the_settings_are_looked_at_with_every_check_unless_they_are_left_out() {
        assert_eq!(names(&[Check::Config], &[], 9).unwrap(), ["config"]);
        assert_eq!(names(&[Check::Tcp], &[Check::Config], 9).unwrap(), ["dns", "tcp"]);
    }

    #[test]
    fn contradictions_are_refused() {
        assert!(names(&[Check::Idle], &[Check::Auth], 9).unwrap_err().contains("needs the auth check"));
        assert!(names(&[Check::Idle], &[], 0).unwrap_err().contains("--idle 0"));
        assert!(names(&[], &[Check::Dns], 9).is_err());
        let expecting = |only: &[Check]| {
            let expect = vec![ssh_doctor_checks::base::service::Service::Sftp];
            selected(&Scope { expect, ..scope(only, &[]) }, Duration::ZERO)
        };
        assert!(expecting(&[]).is_ok() && expecting(&[Check::Channel]).is_ok());
        assert!(expecting(&[Check::Tcp]).unwrap_err().to_string().contains("channel check"));
    }
}
