//! A list as Prometheus' file_sd has it: `[{"targets": ["db:22"], "labels": {"site": "fra"}}]`, read group by group.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, BufRead, Read};
use std::ops::ControlFlow;

use serde::Deserialize;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};

use super::Entry;

/// The largest group, bytes: some hundred thousand targets; a group is kept whole, since its labels may stand at its end.
const LARGEST: usize = 2 << 20;
/// The longest labels of a group in all, bytes: each of its targets has them.
const LABELS: usize = 8 << 10;

/// True if a list is JSON: an address of IPv6 in brackets begins with one too, and no brace after it.
pub(super) fn begins_like_one(start: &[u8]) -> bool {
    let mut bytes = start.iter().filter(|byte| !byte.is_ascii_whitespace());
    bytes.next() == Some(&b'[') && bytes.next().is_some_and(|next| matches!(next, b'{' | b']'))
}

/// Passes on the targets of every group.
pub(super) fn each(reader: impl BufRead, to: &mut impl FnMut(Entry) -> ControlFlow<()>) -> anyhow::Result<()> {
    let (taken, mut stopped) = (Cell::new(0), false);
    let mut json = serde_json::Deserializer::from_reader(OneGroup { reader, taken: &taken });
    let read = json.deserialize_seq(Groups { to, stopped: &mut stopped, taken: &taken });
    if stopped {
        return Ok(());
    }
    read?;
    Ok(json.end()?)
}

#[derive(Deserialize)]
struct Group {
    targets: Vec<String>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

struct Groups<'a, F> {
    to: &'a mut F,
    stopped: &'a mut bool,
    taken: &'a Cell<usize>,
}

/// Returns no more bytes than a group may have; the reader of a group resets `taken`.
struct OneGroup<'a, R> {
    reader: R,
    taken: &'a Cell<usize>,
}

impl<R: Read> Read for OneGroup<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.taken.set(self.taken.get() + count);
        if self.taken.get() > LARGEST {
            return Err(io::Error::other("it has a group of more than 2 MiB; split it"));
        }
        Ok(count)
    }
}

impl<'de, F: FnMut(Entry) -> ControlFlow<()>> Visitor<'de> for Groups<'_, F> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a list of groups with targets and labels")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut groups: A) -> Result<(), A::Error> {
        while let Some(Group { targets, labels }) = groups.next_element()? {
            self.taken.set(0);
            if labels.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>() > LABELS {
                return Err(A::Error::custom("the labels of a group are longer than 8 KiB"));
            }
            for input in targets {
                if (self.to)(Entry { input, labels: labels.clone(), fault: None }).is_break() {
                    *self.stopped = true;
                    return Err(A::Error::custom("no more is wanted"));
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use super::{begins_like_one, each};

    #[test]
    fn a_list_is_told_from_an_address_in_brackets() {
        assert!([&b"[{"[..], b" \n[ ]", b"[\n  {\"t"].iter().all(|start| begins_like_one(start)));
        assert!([&b"[::1]:22"[..], b"db", b"", b"[", b"{"].iter().all(|start| !begins_like_one(start)));
    }

    #[test]
    fn groups_come_one_by_one_and_a_fault_names_its_place() {
        let mut seen = Vec::new();
        let text = r#"[{"targets":["a","b:22"],"labels":{"site":"fra"}},{"targets":["c"]}, 7]"#;
        let error = each(text.as_bytes(), &mut |entry| {
            seen.push((entry.input, entry.labels.get("site").cloned()));
            ControlFlow::Continue(())
        });
        let site = || Some("fra".to_owned());
        assert_eq!(seen, [("a".to_owned(), site()), ("b:22".to_owned(), site()), ("c".to_owned(), None)]);
        assert!(error.unwrap_err().to_string().contains("line 1 column"));
        assert!(each(&b"[{\"targets\":[\"a\"]}] x"[..], &mut |_| ControlFlow::Continue(())).is_err());
        assert!(each(&b"[{\"targets\":[\"a\"]}, broken"[..], &mut |_| ControlFlow::Break(())).is_ok());
    }
}
