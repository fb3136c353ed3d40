//! Every recording of a real run, judged again: the same verdict and codes as on the day of the recording.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Recording, verdict, the check at which it died, and the codes, root cause first.
const JUDGED: &str = "\
auth-agent-refused--ssh-agent-confirm: broken auth auth-agent-refused
auth-cert-invalid--openssh-expired: broken auth auth-cert-invalid
auth-key-lookup-hangs--openssh-command: broken auth auth-key-lookup-hangs
auth-key-rejected--openssh: broken auth auth-key-rejected
auth-method-unavailable--openssh-password-only: broken auth auth-method-unavailable
auth-too-many-failures--openssh: broken auth auth-too-many-failures
channel-max-sessions--openssh-1: degraded - channel-max-sessions
channel-open-refused--openssh-max-sessions-0: broken channel channel-open-refused
dns-no-address--dnsmasq-ipv6-only: broken dns dns-no-address
dns-no-server--empty-resolv-conf: broken dns dns-no-server
dns-not-asked--nsswitch-files-only: broken dns dns-not-asked
dns-nxdomain--dnsmasq: broken dns dns-nxdomain
dns-refused--dnsmasq-no-upstream: broken dns dns-refused
dns-servfail--dnsmasq-dnssec: broken dns dns-servfail
dns-slow--first-server-silent: degraded - dns-slow
dns-timeout--firewall-drops: broken dns dns-timeout
exit-hangs--openssh-background-process: broken exit exit-hangs
exit-output-lost--openssh-wrapper: broken exit exit-output-lost
handshake-max-startups--openssh: broken handshake handshake-max-startups
handshake-no-common-kex--openssh: broken handshake handshake-no-common-kex
handshake-not-ssh--nginx: broken handshake handshake-not-ssh
handshake-proxy-header--haproxy: broken handshake handshake-proxy-header
handshake-weak-algorithms--dropbear-2012: degraded - handshake-weak-algorithms
handshake-weak-algorithms--openssh-6.6: healthy - handshake-weak-algorithms
healthy--apache-mina: healthy -
healthy--node-ssh2: healthy -
healthy--openssh-10.5: healthy -
healthy--openssh: healthy -
healthy--twisted-conch: healthy -
hostkey-cert-invalid--openssh-expired: degraded - hostkey-cert-invalid
hostkey-changed--openssh-new-key: broken hostkey hostkey-changed
hostkey-unknown--openssh-first-visit: degraded - hostkey-unknown
idle-channel-timeout--openssh-7s: broken idle idle-channel-timeout
idle-reset--kernel-nat-8s: broken idle idle-reset idle-no-keepalive
idle-silent-drop--kernel-nat-30s: broken idle idle-silent-drop idle-no-keepalive
network-outage--path-cut: broken idle network-outage
session-chroot-failed--openssh-ends-after-login: broken channel session-chroot-failed
session-chroot-failed--openssh-owner: broken channel session-chroot-failed
session-command-missing--openssh-forced: broken channel session-command-missing
session-forced-command--openssh: broken channel session-forced-command
session-limit--device: broken channel session-limit
session-nologin--openssh: broken channel session-nologin
session-pam-refused--openssh-maxlogins: broken channel session-pam-refused
session-process-limit--bash-ulimit: broken transfer session-process-limit
session-restricted--apache-mina-sftp: healthy - session-restricted
session-restricted--copyparty-sftp: healthy - session-restricted
session-restricted--device-of-one-session: healthy - session-restricted
session-restricted--device-shell-only: healthy - session-restricted
session-restricted--fake-ssh: healthy - session-restricted
session-restricted--git-shell: healthy - session-restricted
session-restricted--gitolite: healthy - session-restricted
session-restricted--openssh-internal-sftp: healthy - session-restricted
session-restricted--openssh-menu: healthy - session-restricted
session-restricted--termlit: healthy - session-restricted
session-restricted--wolfssh-shell: healthy - session-restricted
session-shell-exits--openssh-bin-false: broken channel session-shell-exits
session-shell-exits--openssh-job-that-fails: degraded - session-shell-exits
session-start-hangs--bash-reads-a-fifo: broken channel session-start-hangs
session-startup-exec--bash-executes-dash: broken channel session-startup-exec
tcp-bind-address--not-ours: broken tcp tcp-bind-address
tcp-filtered--firewall-drops: broken tcp tcp-filtered
tcp-prohibited--firewall-rejects: broken tcp tcp-prohibited
tcp-refused--no-listener: broken tcp tcp-refused
tcp-some-addresses-dead--two-a-records: degraded - tcp-some-addresses-dead
tcp-unreachable--host-gone: broken tcp tcp-unreachable
transfer-stalled--libssh-sftp-example: broken transfer transfer-stalled session-restricted
";

fn judged(recording: &Path) -> Value {
    let mut doctor = Command::new(env!("CARGO_BIN_EXE_ssh-doctor"));
    let run = doctor.args(["diagnose", "--format", "json"]).arg(recording).output().unwrap();
    serde_json::from_slice(&run.stdout).unwrap_or_else(|e| panic!("{}: {e}: {run:?}", recording.display()))
}

fn line(recording: &Path) -> String {
    let report = judged(recording);
    let words = [&report["verdict"], &report["died_at"]].map(|value| value.as_str().unwrap_or("-"));
    let codes = report["diagnoses"].as_array().into_iter().flatten().filter_map(|found| found["code"].as_str());
    let words: Vec<_> = words.into_iter().chain(codes).collect();
    format!("{}: {}\n", recording.file_stem().unwrap().to_string_lossy(), words.join(" "))
}

#[test]
fn every_recording_gives_the_codes_that_it_gave_when_it_was_made() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/recorded");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let lines: String = files.iter().map(|file| line(file)).collect();
    assert_eq!(lines, JUDGED);
}
