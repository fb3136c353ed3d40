//! The examples and exit statuses at the end of `--help`.

use ssh_doctor_checks::facts::Check;

/// The exit statuses, for `--help` and the man page.
pub const EXIT_STATUS: [(&str, &str); 4] = [
    ("0", "healthy: nothing wrong was found in what was tested"),
    ("1", "degraded: it works, with a problem you should fix"),
    ("2", "broken: sessions or channels fail or cannot be opened"),
    ("3", "inconclusive: the examination could not decide; usage errors too"),
];

/// The exit status of `compare`.
pub const COMPARE_STATUS: &[(&str, &str)] =
    &[("0", "no relevant difference"), ("1", "something differs"), ("3", "a file cannot be read, or is no report")];

/// Commands worth copying, for `--help` and the man page.
pub const EXAMPLES: &[(&str, &str)] = &[
    ("ssh-doctor check db", "Check the host that `ssh db` would reach, with the same settings"),
    ("ssh-doctor check --idle 30m me@db.example:2222", "Find an idle timeout of up to half an hour"),
    ("ssh-doctor check --idle 0 -J bastion db", "All but the idle test, through a jump host"),
    ("ssh-doctor check --only tcp,auth --format json a b c", "Some checks of three hosts, for a program"),
    ("ssh-doctor check --targets hosts.txt --resume hosts.jsonl", "A list of hosts; resumes after an interruption"),
    ("ssh-doctor check --record db.json db", "Keep the evidence, without secrets"),
    ("ssh-doctor diagnose db.json", "Diagnose it again, offline"),
    ("ssh-doctor compare mine.json hers.json", "What differs between two reports, and may explain the outcome"),
    ("ssh-doctor explain \"Connection reset by peer\"", "The causes of an error line, and what tells them apart"),
    ("ssh -vvv db 2>&1 | ssh-doctor explain -", "The cause in a log: ssh's, sshd's, PuTTY's, paramiko's and others"),
    ("ssh-doctor sessions --probe", "Find dead sessions among those open now"),
    ("ssh-doctor watch --for 8h db", "Hold sessions for hours; journal and explain every loss"),
    ("ssh-doctor serve --config serve.yml --check-config", "Check the exporter's configuration"),
    ("ssh-doctor serve --config serve.yml", "Serve http://127.0.0.1:9822/probe?target=HOST&module=NAME"),
    ("ssh-doctor demo", "Watch it find a fault, with nothing installed"),
];

pub(super) fn after_help() -> String {
    format!("Examples:\n{}\n\nExit status:\n{}", examples("ssh-doctor"), exit_status(&EXIT_STATUS))
}

pub(super) fn explain_after_help() -> String {
    format!("Examples:\n{}\n\nExit status:\n{}", examples("ssh-doctor explain"), exit_status(&EXIT_STATUS))
}

pub(super) fn check_after_help() -> String {
    let names = Check::ALL.map(Check::name).join(", ");
    format!(
        "Checks, in this order: {names}.\nDurations read 90s, 6m, 1h30m. Other flags of ssh are accepted too.\n\nExamples:\n{}\n\nExit status:\n{}",
        examples("ssh-doctor check"),
        exit_status(&EXIT_STATUS)
    )
}

pub(super) fn compare_after_help() -> String {
    format!(
        "Times and rates are compared beyond what varies from run to run.\n\nExamples:\n{}\n\nExit status:\n{}",
        examples("ssh-doctor compare"),
        exit_status(COMPARE_STATUS)
    )
}

pub(super) fn serve_after_help() -> String {
    format!("Reads the configuration again on SIGHUP.\n\nExamples:\n{}", examples("ssh-doctor serve"))
}

fn examples(of: &str) -> String {
    let examples = EXAMPLES.iter().filter(|(command, _)| command.contains(of));
    examples.map(|(command, what)| format!("  {command}\n      {what}")).collect::<Vec<_>>().join("\n")
}

fn exit_status(of: &[(&str, &str)]) -> String {
    of.iter().map(|(status, meaning)| format!("  {status}  {meaning}")).collect::<Vec<_>>().join("\n")
}
