//! One message of a log: what syslog, journald or a logging library put around it is taken off.

use std::borrow::Cow;

use serde::Deserialize;

use super::stamp::{Kind, Stamp, stamp};

/// A message and where it comes from.
#[derive(Debug, Default)]
pub(super) struct Record<'a> {
    /// Its time, and the text of it.
    pub(super) stamp: Option<(Stamp, Cow<'a, str>)>,
    /// The program that sent it to syslog, without its process id.
    pub(super) ident: Option<Cow<'a, str>>,
    /// Its process id.
    pub(super) pid: Option<u32>,
    /// The text of the message.
    pub(super) message: Cow<'a, [u8]>,
}

impl Record<'_> {
    /// A copy of the record.
    pub(super) fn to_owned(&self) -> Record<'static> {
        Record {
            stamp: self.stamp.as_ref().map(|(stamp, text)| (*stamp, text.to_string().into())),
            ident: self.ident.as_ref().map(|ident| ident.to_string().into()),
            pid: self.pid,
            message: self.message.to_vec().into(),
        }
    }
}

/// Takes lines, gives records; holds what belongs together in journald's formats of several lines a record.
#[derive(Default)]
pub(super) struct Records {
    /// The fields of the record that is being read, where a record has several lines.
    fields: Option<Fields>,
}

/// The fields of a record of journald that matter here (systemd.journal-fields(7)).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Fields {
    #[serde(rename = "MESSAGE")]
    message: Message,
    #[serde(rename = "SYSLOG_IDENTIFIER")]
    ident: Option<String>,
    #[serde(rename = "_PID")]
    pid: Option<String>,
    #[serde(rename = "SYSLOG_PID")]
    syslog_pid: Option<String>,
    #[serde(rename = "__REALTIME_TIMESTAMP")]
    micros: Option<String>,
}

/// A message, which journald writes as numbers where it is not UTF-8.
#[derive(Debug, Default, Deserialize)]
#[serde(untagged)]
enum Message {
    Text(String),
    Bytes(Vec<u8>),
    #[default]
    None,
}

impl Fields {
    fn record<'a>(self) -> Option<Record<'a>> {
        let message = match self.message {
            Message::Text(text) => text.into_bytes(),
            Message::Bytes(bytes) => bytes,
            Message::None => return None,
        };
        let pid = self.pid.or(self.syslog_pid).and_then(|pid| pid.parse().ok());
        let micros = self.micros.and_then(|micros| micros.parse::<i64>().ok());
        let stamp = micros.and_then(|micros| {
            let text = jiff::Timestamp::from_microsecond(micros).ok()?.to_string();
            Some((Stamp { start: 0, end: 0, seconds: micros as f64 / 1e6, kind: Kind::Date }, text.into()))
        });
        Some(Record { stamp, ident: self.ident.map(Cow::Owned), pid, message: message.into() })
    }

    /// Takes a line `NAME=value` or `"NAME" : "value",`.
    fn take(&mut self, line: &str) {
        let line = line.trim().trim_end_matches(',');
        let (name, value) = if line.starts_with('"') {
            let Some((name, value)) = line.split_once(" : ") else { return };
            (name.trim_matches('"'), serde_json::from_str(value).unwrap_or_else(|_| value.trim_matches('"').to_owned()))
        } else {
            let Some((name, value)) = line.split_once('=') else { return };
            (name, value.to_owned())
        };
        match name {
            "MESSAGE" => self.message = Message::Text(value),
            "SYSLOG_IDENTIFIER" => self.ident = Some(value),
            "_PID" => self.pid = Some(value),
            "SYSLOG_PID" => self.syslog_pid = Some(value),
            "__REALTIME_TIMESTAMP" | "_SOURCE_REALTIME_TIMESTAMP" => self.micros = Some(value),
            _ => (),
        }
    }
}

impl Records {
    /// The record that a line completes; `None` where it belongs to one that goes on.
    pub(super) fn next<'a>(&mut self, line: &'a [u8]) -> Option<Record<'a>> {
        let json = line.strip_prefix(b"data: ").unwrap_or(line);
        if json.starts_with(b"{\"") && json.ends_with(b"}") {
            return serde_json::from_slice::<Fields>(json).ok().and_then(Fields::record).or_else(|| Some(of(line)));
        }
        if let Some(fields) = &mut self.fields {
            let ends =
                line.is_empty() || begins_fields(line) || line == b"}" || line == b"}{" || line.starts_with(b"},");
            let is_field = line.iter().any(|byte| b"=:".contains(byte)) && field_begins(line);
            if !ends && is_field {
                fields.take(&String::from_utf8_lossy(line));
                return None;
            }
            let whole = self.fields.take().and_then(Fields::record);
            if ends || whole.is_some() {
                self.fields = (line == b"}{" || begins_fields(line)).then(Fields::default);
                return whole;
            }
        }
        if begins_fields(line) {
            let mut fields = Fields::default();
            fields.take(&String::from_utf8_lossy(line));
            self.fields = Some(fields);
            return None;
        }
        Some(of(line))
    }

    /// The record that the log ended in.
    pub(super) fn last(&mut self) -> Option<Record<'static>> {
        self.fields.take().and_then(Fields::record)
    }
}

/// True if a line begins a record of `journalctl -o export`, `-o verbose` or `-o json-pretty`.
fn begins_fields(line: &[u8]) -> bool {
    line == b"{" || line.starts_with(b"__CURSOR=") || line.ends_with(b"]") && contains(line, b" [s=")
}

/// True if a line can be a field: an indent and capitals.
fn field_begins(line: &[u8]) -> bool {
    let name = line.trim_ascii_start();
    let name = name.strip_prefix(b"\"").unwrap_or(name);
    name.first().is_some_and(|byte| byte.is_ascii_uppercase() || *byte == b'_')
}

fn contains(line: &[u8], piece: &[u8]) -> bool {
    line.windows(piece.len()).any(|window| window == piece)
}

/// A line without the box that Terraform draws around its errors.
fn without_box(line: &[u8]) -> &[u8] {
    line.trim_ascii_start().strip_prefix("│".as_bytes()).map_or(line, <[u8]>::trim_ascii_start)
}

/// The record of a format with one line a record.
fn of(line: &[u8]) -> Record<'_> {
    let line = without_box(line);
    // The time in this greeting is that of another session.
    let Some(stamp) = stamp(line).filter(|_| !line.starts_with(b"Last login: ")) else {
        let (ident, pid, message) = sender(line).unwrap_or((None, None, line));
        return Record { stamp: None, ident, pid, message: message.into() };
    };
    let text = line[stamp.start..stamp.end].trim_ascii();
    let text = text.strip_prefix(b"[").unwrap_or(text);
    let text = String::from_utf8_lossy(text.strip_suffix(b"]").unwrap_or(text).trim_ascii());
    let rest = &line[stamp.end..];
    let (ident, pid, message) = behind(rest).unwrap_or((None, None, rest));
    // dropbear and Windows' sshd put their process id in front of the time.
    let pid =
        pid.or_else(|| number(line[..stamp.start].trim_ascii().strip_prefix(b"[").unwrap_or(&line[..stamp.start])));
    Record { stamp: Some((stamp, text)), ident, pid, message: message.trim_ascii_start().into() }
}

type Sent<'a> = (Option<Cow<'a, str>>, Option<u32>, &'a [u8]);

/// Reads the part between a time and a message in syslog: a host, perhaps a facility, and the sender.
fn behind(rest: &[u8]) -> Option<Sent<'_>> {
    let mut rest = rest.strip_prefix(b" ")?;
    for _ in 0..4 {
        if let Some(found) = sender(rest) {
            return Some(found);
        }
        let end = rest.iter().position(|byte| *byte == b' ')?;
        let word = &rest[..end];
        // Ruby's logger, with Net::SSH's names and their brackets.
        let rest_of_it = rest[end..].trim_ascii_start();
        if word == b"--" && (rest_of_it.starts_with(b"net.ssh") || rest_of_it.starts_with(b"socket[")) {
            return None;
        }
        rest = rest[end..].trim_ascii_start();
        // RFC 5424: host, name, process id, message id, structured data.
        if let Some(found) = rfc_5424(word, rest) {
            return Some(found);
        }
    }
    None
}

fn rfc_5424<'a>(name: &'a [u8], rest: &'a [u8]) -> Option<Sent<'a>> {
    let mut words = rest.splitn(4, |byte| *byte == b' ');
    let pid = number(words.next()?)?;
    let (_, data) = (words.next()?, words.next()?);
    (data == b"-" || data.starts_with(b"[")).then_some(())?;
    is_name(name).then(|| (Some(String::from_utf8_lossy(name)), Some(pid), words.next().unwrap_or_default()))
}

/// `sshd[123]: message`, or `sshd: message` of a program that is known here.
fn sender(text: &[u8]) -> Option<Sent<'_>> {
    let end = text.iter().take(48).position(|byte| b" :[".contains(byte))?;
    let name = &text[..end];
    // The dynamic linker of macOS is no sender: its line is a complaint of the program that it could not start.
    (is_name(name) && name != b"dyld").then_some(())?;
    // fail2ban pads its name.
    let rest = text[end..].trim_ascii_start();
    match rest {
        [b'[', rest @ ..] => {
            let close = rest.iter().take(12).position(|byte| *byte == b']')?;
            let pid = number(&rest[..close])?;
            let message = rest[close + 1..].strip_prefix(b":")?;
            Some((Some(String::from_utf8_lossy(name)), Some(pid), message.trim_ascii_start()))
        }
        [b':', b' ', message @ ..] if super::programs::is_daemon(name) => {
            Some((Some(String::from_utf8_lossy(name)), None, message))
        }
        _ => None,
    }
}

fn is_name(name: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-/@()".contains(byte);
    !name.is_empty() && (name[0].is_ascii_alphabetic() || name[0] == b'(') && name.iter().all(plain)
}

fn number(text: &[u8]) -> Option<u32> {
    let text = text.trim_ascii().strip_suffix(b"]").unwrap_or(text.trim_ascii());
    std::str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{Cow, Records};

    fn read(log: &str) -> Vec<(Option<String>, Option<u32>, String, bool)> {
        let mut records = Records::default();
        let mut all = Vec::new();
        let mut keep = |record: super::Record<'_>| {
            all.push((
                record.ident.map(Cow::into_owned),
                record.pid,
                String::from_utf8_lossy(&record.message).into_owned(),
                record.stamp.is_some(),
            ));
        };
        for line in log.lines() {
            if let Some(record) = records.next(line.as_bytes()) {
                keep(record);
            }
        }
        if let Some(record) = records.last() {
            keep(record);
        }
        all
    }

    #[test]
    fn every_format_of_syslog_and_journald_gives_the_same_record() {
        for log in [
            "Nov 20 10:00:00 web1 sshd[12]: Server listening",
            "<38>Nov 20 10:00:00 sshd[12]: Server listening",
            "2026-11-20T10:00:00.123456+00:00 web1 sshd[12]: Server listening",
            "Fri 2026-11-20 10:00:00 UTC web1 sshd[12]: Server listening",
            "1763632800.123456 web1 sshd[12]: Server listening",
            "[   12.123456] web1 sshd[12]: Server listening",
            "Fri Nov 20 10:00:00 2026 authpriv.info sshd[12]: Server listening",
            "Nov 20 10:00:00 web1 auth.info sshd[12]: Server listening",
            "<38>1 2026-11-20T10:00:00Z web1 sshd 12 - - Server listening",
            "{\"MESSAGE\":\"Server listening\",\"_PID\":\"12\",\"SYSLOG_IDENTIFIER\":\"sshd\",\"__REALTIME_TIMESTAMP\":\"1763632800000000\"}",
            "data: {\"MESSAGE\":\"Server listening\",\"_PID\":\"12\",\"SYSLOG_IDENTIFIER\":\"sshd\",\"__REALTIME_TIMESTAMP\":\"1763632800000000\"}",
            "{\n\t\"_PID\" : \"12\",\n\t\"MESSAGE\" : \"Server listening\",\n\t\"SYSLOG_IDENTIFIER\" : \"sshd\",\n\t\"__REALTIME_TIMESTAMP\" : \"1763632800000000\"\n}",
            "__CURSOR=s=1\n__REALTIME_TIMESTAMP=1763632800000000\nMESSAGE=Server listening\n_PID=12\nSYSLOG_IDENTIFIER=sshd\n",
        ] {
            assert_eq!(read(log), [(Some("sshd".to_owned()), Some(12), "Server listening".to_owned(), true)], "{log}");
        }
    }

    #[test]
    fn what_is_no_syslog_keeps_its_message_and_its_time() {
        for (line, message) in [
            ("debug1: Connection established.", "debug1: Connection established."),
            ("2026-11-20 10:00:00,123 - paramiko.transport - DEBUG - x", "- paramiko.transport - DEBUG - x"),
            ("ssh: connect to host db port 22: No route to host", "ssh: connect to host db port 22: No route to host"),
        ] {
            let all = read(line);
            assert_eq!((all[0].0.as_deref(), all[0].2.as_str()), (None, message));
        }
    }

    #[test]
    fn a_broken_record_of_journald_is_a_line_like_any_other() {
        assert_eq!(read("{\"MESSAGE\":").len(), 1);
        assert_eq!(read("{\"a\":[1}").len(), 1);
        assert_eq!(read("{\nnot a field\nnor this").len(), 2);
    }
}
