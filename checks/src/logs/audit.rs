//! Records of the kernel's audit that a terminal or a mail broke into lines: what matters may stand in the last one.

use memchr::memmem;

use super::record::Record;

/// The lines of one record, and the bytes of it, at most.
const LINES: u8 = 8;
const BYTES: usize = 2048;

/// Joins the lines of one record of SELinux or AppArmor.
#[derive(Default)]
pub(super) struct Audit {
    held: Option<(u64, Record<'static>)>,
    lines: u8,
}

impl Audit {
    /// Takes the record of a line, and hands on what is whole.
    pub(super) fn take(&mut self, number: u64, record: Record<'_>, mut next: impl FnMut(u64, Record<'_>)) {
        if let Some((_, held)) = &mut self.held
            && self.lines < LINES
            && let Some(rest) = rest(&record)
            && held.message.len() + rest.len() < BYTES
        {
            let whole = held.message.to_mut();
            whole.push(b' ');
            whole.extend_from_slice(rest);
            self.lines += 1;
            return;
        }
        self.rest(&mut next);
        if is_denial(&record.message) {
            self.held = Some((number, record.to_owned()));
            self.lines = 1;
        } else {
            next(number, record);
        }
    }

    /// Hands on the record that is left.
    pub(super) fn rest(&mut self, next: impl FnOnce(u64, Record<'_>)) {
        if let Some((number, record)) = self.held.take() {
            next(number, record);
        }
    }
}

/// True if a message is a denial.
fn is_denial(message: &[u8]) -> bool {
    [&b"avc: "[..], b"apparmor=\""].iter().any(|word| memmem::find(message, word).is_some())
}

/// The fields in a line that is the rest of a record: `tcontext=... tclass=file`.
fn rest<'a>(record: &'a Record<'_>) -> Option<&'a [u8]> {
    let text = record.message.trim_ascii_start();
    let text = text.strip_prefix(b">").unwrap_or(text).trim_ascii();
    let name = text.iter().take_while(|byte| byte.is_ascii_lowercase() || **byte == b'_').count();
    let is_field = name > 1 && text.get(name) == Some(&b'=') && !text.starts_with(b"type=");
    (record.ident.is_none() && record.stamp.is_none() && is_field).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::{Audit, Record};

    fn joined(log: &str) -> Vec<String> {
        let mut audit = Audit::default();
        let mut all = Vec::new();
        let mut keep = |_, record: Record<'_>| all.push(String::from_utf8_lossy(&record.message).into_owned());
        for (at, line) in log.lines().enumerate() {
            let record = Record { message: line.as_bytes().into(), ..Record::default() };
            audit.take(at as u64 + 1, record, &mut keep);
        }
        audit.rest(&mut keep);
        all
    }

    #[test]
    fn a_denial_in_several_lines_is_one_message() {
        let log = "avc:  denied  { read } for  pid=1 comm=\"sshd\"\n> name=\"x\" dev=\"dm-0\"\ntclass=file permissive=1\nnext";
        let whole = "avc:  denied  { read } for  pid=1 comm=\"sshd\" name=\"x\" dev=\"dm-0\" tclass=file permissive=1";
        assert_eq!(joined(log), [whole, "next"]);
    }

    #[test]
    fn denials_that_follow_each_other_stay_apart() {
        let log =
            "avc:  denied  { read } for  pid=1\ntype=AVC avc:  denied  { open } for  pid=1\nroot=1 is no field of them";
        assert_eq!(joined(log).len(), 2);
        assert_eq!(joined("a line\nname=value").len(), 2);
    }
}
