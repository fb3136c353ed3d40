//! The man pages: one for the program and one per command, from the same words as `--help`.

mod sections;

use std::io;

use clap::{Command, CommandFactory};
use clap_mangen::Man;
use clap_mangen::roff::{Inline, Roff, bold, roman};

use super::{COMMANDS, Cli, EXAMPLES};
use sections::{Entry, Sections};

/// The page of a command, or of the program where none is named, as roff text.
pub fn man_page(of: Option<&str>) -> io::Result<String> {
    let mut program = Cli::command().after_help("");
    program.build();
    let page = match of.and_then(|name| program.find_subcommand(name)) {
        Some(command) => page_of_command(command)?,
        None => page_of_program(&program)?,
    };
    Ok(String::from_utf8_lossy(&page).into_owned())
}

/// Every page with the name of its file: `ssh-doctor.1` and `ssh-doctor-COMMAND.1`.
pub fn man_pages() -> io::Result<Vec<(String, String)>> {
    let pages = std::iter::once(None).chain(COMMANDS.map(Some));
    let named = pages.map(|of| {
        let name = of.map_or_else(|| "ssh-doctor.1".to_owned(), |command| format!("ssh-doctor-{command}.1"));
        Ok((name, man_page(of)?))
    });
    named.collect()
}

fn page_of_program(program: &Command) -> io::Result<Vec<u8>> {
    let mut page = begun(program)?;
    let man = Man::new(program.clone());
    let mut roff = Roff::new();
    roff.control("SH", ["COMMANDS"]);
    for command in program.get_subcommands().filter(|command| command.get_name() != "help") {
        entry(&mut roff, &[bold(format!("ssh-doctor-{}", command.get_name())), roman("(1)")], &about(command));
    }
    roff.to_writer(&mut page)?;
    man.render_options_section(&mut page)?;
    ended(&mut page, Sections::of(program.get_name()), EXAMPLES)?;
    Ok(page)
}

fn page_of_command(command: &Command) -> io::Result<Vec<u8>> {
    let name = command.get_name();
    let mut page = begun(command)?;
    // The text after `--help` has its own sections here.
    Man::new(command.clone().after_help("")).render_options_section(&mut page)?;
    let line = format!("ssh-doctor {name}");
    let examples = EXAMPLES.iter().filter(|(example, _)| example.contains(&line)).copied();
    let sections = Sections::of(name);
    let examples: Vec<_> = examples.chain(sections.examples.iter().copied()).collect();
    ended(&mut page, sections, &examples)?;
    Ok(page)
}

/// The title, NAME, SYNOPSIS and DESCRIPTION.
fn begun(command: &Command) -> io::Result<Vec<u8>> {
    let title = command.get_display_name().unwrap_or_else(|| command.get_name());
    // No date: a page changes with its program. The writer would leave out an empty one.
    let mut page =
        format!(".TH {title} 1 \"\" \"ssh-doctor {}\" \"User Commands\"\n", env!("CARGO_PKG_VERSION")).into_bytes();
    let man = Man::new(command.clone());
    man.render_name_section(&mut page)?;
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").trim();
    let name =
        if command.get_name() == "ssh-doctor" { "ssh-doctor" } else { command.get_bin_name().unwrap_or_default() };
    let rest = usage.strip_prefix(name).unwrap_or(usage);
    let mut roff = Roff::new();
    roff.control("SH", ["SYNOPSIS"]).text([bold(name), roman(rest)]);
    roff.control("SH", ["DESCRIPTION"]).text([roman(about(command) + ".")]);
    for paragraph in Sections::of(command.get_name()).description {
        roff.control("PP", []).text([roman(*paragraph)]);
    }
    roff.to_writer(&mut page)?;
    Ok(page)
}

fn about(command: &Command) -> String {
    command.get_about().map(ToString::to_string).unwrap_or_default()
}

/// The sections after the options, those that have something to say.
fn ended(page: &mut Vec<u8>, sections: &Sections, examples: &[Entry]) -> io::Result<()> {
    let mut roff = Roff::new();
    section(&mut roff, "EXIT STATUS", sections.exit_status);
    section(&mut roff, "ENVIRONMENT", sections.environment);
    section(&mut roff, "FILES", sections.files);
    section(&mut roff, "JSON", sections.json);
    section(&mut roff, "EXAMPLES", examples);
    let see_also = sections.see_also;
    let pages = see_also.iter().map(|command| format!("ssh-doctor-{command}")).map(|name| (name, "(1)"));
    let program = (!see_also.is_empty()).then(|| ("ssh-doctor".to_owned(), "(1)"));
    let pages = program.into_iter().chain(pages).chain([("ssh".into(), "(1)"), ("ssh_config".into(), "(5)")]);
    let mut line = Vec::new();
    for (name, number) in pages {
        if !line.is_empty() {
            line.push(roman(", "));
        }
        line.extend([bold(name), roman(number)]);
    }
    roff.control("SH", ["SEE ALSO"]).text(line);
    roff.to_writer(page)
}

fn section(roff: &mut Roff, title: &str, entries: &[Entry]) {
    if entries.is_empty() {
        return;
    }
    roff.control("SH", [title]);
    for (head, text) in entries {
        entry(roff, &[bold(*head)], text);
    }
}

fn entry(roff: &mut Roff, head: &[Inline], text: &str) {
    roff.control("TP", []).text(head.to_vec()).text([roman(text)]);
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::{COMMANDS, Cli, man_page, man_pages};

    #[test]
    fn every_command_has_a_page_of_its_own() {
        let commands: Vec<_> = Cli::command().get_subcommands().map(|command| command.get_name().to_owned()).collect();
        let mut known = COMMANDS;
        let mut named = commands.clone();
        known.sort_unstable();
        named.sort_unstable();
        assert_eq!(named, known);
        assert_eq!(man_pages().unwrap().len(), COMMANDS.len() + 1);
        for command in COMMANDS {
            let page = man_page(Some(command)).unwrap();
            assert!(page.contains(&format!("ssh\\-doctor\\-{command}")), "{page}");
            for heading in ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "\"EXIT STATUS\"", "EXAMPLES", "\"SEE ALSO\""]
            {
                assert!(page.contains(&format!(".SH {heading}\n")), "{command}: {heading}\n{page}");
            }
        }
    }
}
