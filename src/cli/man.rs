//! The man page, from the same words as `--help`.

use std::io;

use clap::CommandFactory;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::{Cli, EXAMPLES, EXIT_STATUS};

/// What the environment has a say in.
const ENVIRONMENT: &[(&str, &str)] = &[
    ("SSH_DOCTOR_PASSWORD", "A password to log in with."),
    ("SSH_AUTH_SOCK", "The agent's socket, unless IdentityAgent of ssh_config(5) says otherwise."),
    ("NO_COLOR", "No colours, unless --color asks for them."),
];

/// The files that are read; none is changed.
const FILES: &[(&str, &str)] = &[
    ("~/.ssh/config, /etc/ssh/ssh_config", "The settings of ssh, as ssh -G prints them."),
    (
        "~/.ssh/known_hosts, /etc/ssh/ssh_known_hosts",
        "Trusted host keys, or the files that UserKnownHostsFile and GlobalKnownHostsFile name.",
    ),
    ("~/.ssh/id_*", "Private keys, or those that IdentityFile names; an agent's keys come first."),
    ("/etc/resolv.conf, /etc/hosts, /etc/nsswitch.conf", "The sources of host names."),
];

/// How to read the JSON.
const JSON: &[(&str, &str)] = &[
    ("verdict, exit_status, died_at", "The result, and the check at which sessions fail."),
    ("checks[]", "name, status (pass, warn, fail, skip, error), duration_ms, summary, evidence."),
    ("diagnoses[]", "code, stage, severity, certainty, title, explanation, because, fixes; the root cause first."),
    ("schema", "ssh-doctor schema prints the JSON Schema. Keys are added and never renamed."),
];

/// The man page as roff text.
pub fn man_page() -> io::Result<String> {
    let mut command = Cli::command().after_help("");
    command.build();
    let mut page = Vec::new();
    let top = Man::new(command.clone());
    top.render_title(&mut page)?;
    top.render_name_section(&mut page)?;
    top.render_synopsis_section(&mut page)?;
    top.render_description_section(&mut page)?;
    for subcommand in command.get_subcommands_mut().filter(|subcommand| subcommand.get_name() != "help") {
        let heading = format!("ssh-doctor {}", subcommand.get_name());
        let about = subcommand.get_about().map(ToString::to_string).unwrap_or_default();
        Roff::new().control("SH", [heading.as_str()]).text([roman(about + ".")]).to_writer(&mut page)?;
        let mut options = Vec::new();
        Man::new(subcommand.clone()).render_options_section(&mut options)?;
        // The options stand under their command's own heading.
        let text = String::from_utf8_lossy(&options).replace(".SH OPTIONS\n", "").replace(".SH ", ".SS ");
        page.extend_from_slice(text.as_bytes());
    }
    let mut rest = Roff::new();
    section(&mut rest, "EXIT STATUS", &EXIT_STATUS);
    section(&mut rest, "ENVIRONMENT", ENVIRONMENT);
    section(&mut rest, "FILES", FILES);
    section(&mut rest, "JSON", JSON);
    section(&mut rest, "EXAMPLES", EXAMPLES);
    rest.control("SH", ["SEE ALSO"]).text([bold("ssh"), roman("(1), "), bold("ssh_config"), roman("(5)")]);
    rest.to_writer(&mut page)?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}

fn section(page: &mut Roff, title: &str, entries: &[(&str, &str)]) {
    page.control("SH", [title]);
    for (head, text) in entries {
        page.control("TP", []).text([bold(*head)]).text([roman(*text)]);
    }
}
