//! The report on its way out: its format, and the file or the stream that it goes to.

use std::fs::Permissions;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use ssh_doctor_checks::base::text::escaped;
use ssh_doctor_checks::facts::Evidence;
use tempfile::NamedTempFile;

use crate::cli::{Format, Output};
use crate::diagnose::Diagnosis;
use crate::report::{full, html, json, nagios, prometheus, text};
use crate::terminal::{say, style};

/// Refuses options that contradict each other.
pub(super) fn makes_sense(output: &Output) -> Result<()> {
    let json = output.format == Format::Json;
    ensure!(json || !output.pretty, "--pretty indents JSON; add --format json or drop it");
    ensure!(json || !output.brief, "--brief shortens JSON; add --format json or drop it");
    Ok(())
}

/// The report in the format that was asked for; it ends with a line end.
pub(super) fn rendered(evidence: &Evidence, diagnosis: &Diagnosis, output: &Output) -> String {
    let mut report = match output.format {
        Format::Text if output.verbose > 0 => full::render(evidence, diagnosis, &style(output.look.color)),
        Format::Text => text::render(evidence, diagnosis, &style(output.look.color)),
        Format::Json => json::render(evidence, diagnosis, shape(output)),
        Format::Html => html::render(evidence, diagnosis),
        Format::Nagios => nagios::render(evidence, diagnosis),
        Format::Prometheus => {
            // Of several files in a collector's folder each needs a label of its own.
            let target = output.file.is_some().then(|| escaped(&evidence.target.input));
            prometheus::render(vec![prometheus::Figures::of(evidence, diagnosis, target.as_deref())])
        }
    };
    if !report.ends_with('\n') {
        report.push('\n');
    }
    report
}

/// The layout of the JSON.
pub(super) fn shape(output: &Output) -> json::Shape {
    json::Shape { pretty: output.pretty, brief: output.brief }
}

/// The end of the reports: standard output, or a file that is replaced when all of them are written.
#[derive(Debug)]
pub(super) enum Sink {
    /// Standard output.
    Out,
    /// A new file beside the old one, and the name that it will get.
    File { file: NamedTempFile, path: PathBuf },
}

impl Sink {
    /// Opens the sink before anything is examined: a file that cannot be written is known at once.
    pub(super) fn open(path: Option<&Path>, format: Format) -> Result<Self> {
        let Some(path) = path else { return Ok(Self::Out) };
        let name = path.display();
        if let Ok(there) = path.metadata() {
            ensure!(there.is_file(), "{name} cannot be replaced: it is not a plain file");
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut builder = tempfile::Builder::new();
        // As any new file: the umask counts. A textfile collector runs as another user.
        let file = builder.prefix(".ssh-doctor-").permissions(Permissions::from_mode(0o666)).tempfile_in(folder);
        let file = file.with_context(|| format!("{name} cannot be written"))?;
        if format == Format::Prometheus {
            file.as_file().set_permissions(Permissions::from_mode(0o644))?;
        }
        Ok(Self::File { file, path: path.to_owned() })
    }

    /// Writes a report, or a part of one, at once.
    pub(super) fn write(&mut self, text: &str) -> Result<()> {
        match self {
            Self::Out => say(text),
            Self::File { file, path } => {
                file.write_all(text.as_bytes()).with_context(|| format!("{} cannot be written", path.display()))
            }
        }
    }

    /// Puts the file in its place, safe on the disk.
    pub(super) fn close(self) -> Result<()> {
        let Self::File { file, path } = self else { return Ok(()) };
        let name = || format!("{} cannot be written", path.display());
        file.as_file().sync_all().with_context(name)?;
        file.persist(&path).with_context(name)?;
        Ok(())
    }
}
