//! Kerberos tickets that ssh could log in with (`GSSAPIAuthentication`).

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use ssh_doctor_checks::base::target::PASSWORD_VARIABLE;
use ssh_doctor_checks::os::pause;
use tokio::process::Command;

use super::local::Local;

/// The time for klist, which asks the kernel or a daemon for some kinds of cache.
const DEADLINE: Duration = Duration::from_secs(3);
/// The most that is read of a configuration file, bytes.
const CONFIG_BYTES: u64 = 1 << 16;

/// True if there may be a valid ticket: klist knows every kind of cache. Without it, whether a cache is named or in its usual place.
pub(super) async fn has_ticket(local: &Local) -> bool {
    match klist().await {
        Some(0) => true,
        Some(1) => false,
        _ => names_cache(local),
    }
}

/// The exit status of `klist -A -s`: 0 with a valid ticket in one of the caches, 1 without; none where it cannot be run.
async fn klist() -> Option<i32> {
    let mut command = Command::new("klist");
    command.args(["-A", "-s"]).env_remove(PASSWORD_VARIABLE).kill_on_drop(true);
    let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    pause::timeout(DEADLINE, command.status()).await.ok()?.ok()?.code()
}

fn names_cache(local: &Local) -> bool {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let configured = || {
        let files = variable("KRB5_CONFIG").map(|files| std::env::split_paths(&files).collect::<Vec<_>>());
        let files = files.unwrap_or_else(system_configuration);
        files.iter().any(|file| sets_default_cache(file))
    };
    variable("KRB5CCNAME").is_some() || Path::new(&format!("/tmp/krb5cc_{}", local.uid)).exists() || configured()
}

/// krb5.conf(5) and the folder that distributions have it include.
fn system_configuration() -> Vec<PathBuf> {
    let folder = std::fs::read_dir("/etc/krb5.conf.d").into_iter().flatten();
    let included = folder.flatten().map(|entry| entry.path());
    std::iter::once("/etc/krb5.conf".into()).chain(included).filter(|file: &PathBuf| file.is_file()).collect()
}

/// True if the file names another kind of cache, or another place, than the usual file.
fn sets_default_cache(file: &Path) -> bool {
    let mut text = String::new();
    let read = File::open(file).and_then(|file| file.take(CONFIG_BYTES).read_to_string(&mut text));
    read.is_ok() && text.lines().any(|line| line.trim_start().starts_with("default_ccache_name"))
}

#[cfg(test)]
mod tests {
    use super::sets_default_cache;

    #[test]
    fn a_configuration_that_names_a_cache_is_told_from_others() {
        let file = std::env::temp_dir().join(format!("ssh-doctor-krb5-{}", std::process::id()));
        for (text, expected) in [
            ("[libdefaults]\n    default_ccache_name = KCM:\n", true),
            ("[libdefaults]\n    # default_ccache_name = KCM:\n    default_realm = EXAMPLE\n", false),
        ] {
            std::fs::write(&file, text).unwrap();
            assert_eq!(sets_default_cache(&file), expected, "{text}");
        }
        std::fs::remove_file(&file).unwrap();
        assert!(!sets_default_cache(&file));
    }
}
