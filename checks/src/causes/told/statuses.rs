//! Reports of programs that ran a command over SSH, and tell the status with which it failed: the connection stood until then.

use std::ops::RangeInclusive;

use super::foreign::is_of_ssh;
use crate::facts::log::{Connection, Log, Sighting};

/// The statuses of a command's own failure: 254 and 255 are also those of a session that was not let in, and -1 is where none came.
pub(super) const OF_A_COMMAND: RangeInclusive<i64> = 1..=253;

/// Texts of programs that work over SSH alone. The status is the number in the last hole of digits.
const OWN: &[&str] = &[
    // Jenkins: Publish over SSH, and the SSH plugin.
    "Exec exit status not zero. Status [<n>]",
    "[SSH] exit-status: <n>",
    // Terraform's remote-exec, whose script on a host with SSH has this name, Packer's communicator, Pulumi.
    "error executing \"<file>/terraform_<n>.sh\": Process exited with status <n>",
    "remote command exited with '<n>':",
    "Process exited with status <n>: running \"",
    // docker-machine.
    "Error running SSH command: exit status <n>",
    // Fabric.
    "run() received nonzero return code <n>",
    "sudo() received nonzero return code <n>",
    // Airflow, Rundeck and Ant, the Gradle plugin, Test Kitchen.
    "SSH operator error: exit status = <n>",
    "NonZeroResultCode: Remote command failed with exit status <n>",
    "BadExitStatusException: Command returned exit status <n>",
    "SSH exited (<n>) for command:",
    // What starts ssh itself: gcloud, pdsh, clush, pssh, Python.
    "ssh] exited with return code [<n>]",
    ": ssh exited with exit code <n>",
    "clush: <text>: exited with exit code <n>",
    "[FAILURE] <host> Exited with error code <n>",
    "Command '['ssh', <text>returned non-zero exit status <n>",
    "Command '['/usr/bin/ssh', <text>returned non-zero exit status <n>",
    // Deployer.
    DEPLOYER,
    // AsyncSSH.
    "ProcessError: Process exited with non-zero exit status <n>",
];

/// Texts of programs that run commands elsewhere in other ways too, or that others print: they need a sign of SSH beside them.
const BESIDE_SSH: &[&str] = &[
    // Go's library.
    GO,
    // docker-machine, below the words that name SSH.
    "err     : exit status <n>",
    // Packer and Terraform.
    "Script exited with non-zero exit status: <n>",
    "Remote command failed with exit status <n>",
    // The task for SSH of Azure Pipelines.
    "##[error]Command <text> exited with code <n>.",
];
/// Reports below the output of the one host's command that they are about.
const HAS_OUTPUT_ABOVE: [&str; 4] =
    ["Exec exit status not zero. Status [<n>]", "[SSH] exit-status: <n>", "SSH operator error: exit status = <n>", GO];
/// Ansible's status of a command, and the words for one that failed.
const ANSIBLE: &str = "\"msg\": \"non-zero return code\"";
const ANSIBLE_STATUS: &str = "\"rc\": <n>";
/// Deployer's words, which name the host, and those for the task above them.
const DEPLOYER: &str = "[<host>] exit code <n> (";
const DEPLOYERS_TASK: &str = "]  error  in <file> on line <n>:";
/// The words of Go's library for SSH.
const GO: &str = "Process exited with status <n>";

/// The texts that are looked for.
pub(super) fn texts() -> impl Iterator<Item = &'static str> {
    OWN.iter().chain(BESIDE_SSH).chain(&[ANSIBLE_STATUS, DEPLOYERS_TASK]).copied()
}

/// The last report of a connection, and the status in it where that is the command's own.
pub(super) fn report<'a>(log: &Log, connection: &'a Connection) -> Option<(&'a Sighting, i64)> {
    let is_elsewhere = |seen: &&Sighting| match seen.symptom.as_str() {
        ANSIBLE_STATUS => seen.line.text.contains("FAILED! =>") && seen.line.text.contains(ANSIBLE) && !is_local(seen),
        DEPLOYER => !is_local(seen) && connection.sightings.iter().any(|other| other.symptom == DEPLOYERS_TASK),
        _ => true,
    };
    let reports = connection.sightings.iter().filter(is_elsewhere);
    let reports = reports.filter_map(|seen| Some((seen, status(log, seen)?)));
    reports.max_by_key(|(seen, _)| seen.line.number)
}

/// True for the report that a command failed, and for a complaint of the command above it: what ends or keeps out a connection leaves no
/// status, and ssh and its libraries name themselves.
pub(super) fn is_of_a_command(log: &Log, connection: &Connection, seen: &Sighting) -> bool {
    let report = report(log, connection).map(|(report, _)| report);
    let is_above = || {
        report.is_some_and(|report| {
            seen.line.number < report.line.number && HAS_OUTPUT_ABOVE.contains(&report.symptom.as_str())
        })
    };
    let is_above_vagrants = || {
        let ends = |other: &Sighting| OF_VAGRANT.contains(&other.symptom.as_str());
        connection.sightings.iter().any(|other| other.line.number > seen.line.number && ends(other))
    };
    let line = seen.line.in_english();
    let is_sshs = is_of_ssh(without_source(line)) || OF_AN_END.iter().any(|words| line.contains(words));
    let is_its_line = report
        .is_some_and(|report| report.line.number == seen.line.number && !(is_sshs && report.symptom == ANSIBLE_STATUS));
    is_its_line || !is_sshs && (is_above() || is_above_vagrants())
}

/// Words of ssh that say why it ended, without its name.
const OF_AN_END: [&str; 6] = [
    "closed by remote host",
    "Permission denied, please try again",
    "Permission denied (",
    "access denied to ",
    "banner exchange",
    "dial tcp ",
];

/// A line without the file of Airflow's own that logs it: `{ssh.py:154} WARNING - ...`.
fn without_source(line: &str) -> &str {
    line.split_once("ssh.py:").and_then(|(_, rest)| rest.split_once('}')).map_or(line, |(_, rest)| rest)
}

/// Vagrant's words for a command that failed, which give no status.
const OF_VAGRANT: [&str; 2] = [
    "The SSH command responded with a non-zero exit status",
    "The following SSH command responded with a non-zero exit status",
];

/// True for a command on the machine of Ansible or Deployer itself.
fn is_local(seen: &Sighting) -> bool {
    const LOCAL: [&str; 6] = ["[local]", "[localhost", "localhost |", "-> localhost", "-> 127.0.0.1", "[127.0.0.1"];
    LOCAL.iter().any(|host| seen.line.text.contains(host))
}

/// The status of a command's own that a line reports.
fn status(log: &Log, seen: &Sighting) -> Option<i64> {
    let text = texts().find(|text| *text == seen.symptom)?;
    let is_sure = OWN.contains(&text)
        || text == ANSIBLE_STATUS
        || log.names_ssh && (text != GO || is_gos(seen.line.in_english()));
    let status = last_number(text, seen.line.in_english()).filter(|_| is_sure)?;
    OF_A_COMMAND.contains(&status).then_some(status)
}

/// True for the words of Go's library as a message of their own: others have them in a sentence about a process.
fn is_gos(line: &str) -> bool {
    let Some((before, _)) = line.split_once("Process exited with status ") else { return false };
    let last = before.trim_end().rsplit(' ').next().unwrap_or_default();
    // A sender of syslog is no SSH client.
    !last.ends_with("]:") && !last.ends_with(char::is_alphabetic)
        || ["fatal", "error"].contains(&last.to_ascii_lowercase().as_str())
}

/// The number that stands in a line where its text has the last hole of digits.
fn last_number(text: &str, line: &str) -> Option<i64> {
    let (before, _) = text.rsplit_once("<n>")?;
    let words = before.rsplit('>').next()?.to_ascii_lowercase();
    let at = line.to_ascii_lowercase().rfind(&words)? + words.len();
    let digits: String = line.get(at..)?.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_is_the_number_in_the_last_hole() {
        for (text, line, status) in [
            (OWN[0], "message [Exec exit status not zero. Status [125]]", Some(125)),
            (OWN[2], "error executing \"/tmp/terraform_77.sh\": Process exited with status 3", Some(3)),
            (GO, "fatal Process exited with status 7", Some(7)),
            ("SSH exited (<n>) for command:", "[SSH exited (1) for command: [x 9]]", Some(1)),
            (GO, "Process exited with status -1", None),
        ] {
            assert_eq!(last_number(text, line), status, "{line}");
        }
    }

    #[test]
    fn a_sentence_about_a_process_is_not_gos() {
        assert!(is_gos("2024/05/02 10:11:12 Process exited with status 1"));
        assert!(is_gos("[15:55:51] fatal Process exited with status 1"));
        assert!(!is_gos("Main Process exited with status 1"));
    }
}
