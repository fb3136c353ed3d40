//! Logs that begin with their newest line, as `journalctl -r` and log viewers on the web show them.

use std::cmp::Ordering;

use super::stamp::{Stamp, stamp};

/// Steps back in time that show it, where none goes forward: one alone is midnight, in a log without dates.
const STEPS: usize = 2;

/// The lines in the order of their time where each is older than the one before; lines without a time stay with the one above them.
pub(super) fn turned(log: &[u8]) -> Option<Vec<u8>> {
    let lines: Vec<&[u8]> = log.split_inclusive(|byte| *byte == b'\n').collect();
    // journalctl's heading names times of the whole journal.
    let time = |line: &[u8]| if line.starts_with(b"-- ") { None } else { stamp(line) };
    let stamps: Vec<Option<Stamp>> = lines.iter().map(|line| time(line)).collect();
    let times: Vec<&Stamp> = stamps.iter().flatten().collect();
    let steps = |is: Ordering| {
        let pairs = times.windows(2).filter(|pair| pair[0].kind == pair[1].kind);
        pairs.filter(|pair| pair[1].seconds.total_cmp(&pair[0].seconds) == is).count()
    };
    let is_a_log = times.len() * 2 > lines.len();
    if !is_a_log || steps(Ordering::Less) < STEPS || steps(Ordering::Greater) > 0 {
        return None;
    }
    let begins: Vec<usize> = (0..lines.len()).filter(|at| stamps[*at].is_some()).collect();
    let ends = begins[1..].iter().copied().chain([lines.len()]);
    let entries: Vec<_> = begins.iter().copied().zip(ends).collect();
    let heading = 0..begins.first().copied().unwrap_or_default();
    let order = heading.chain(entries.into_iter().rev().flat_map(|(begin, end)| begin..end));
    let mut turned = Vec::with_capacity(log.len() + 1);
    for line in order {
        turned.extend_from_slice(lines[line]);
        if !lines[line].ends_with(b"\n") {
            turned.push(b'\n');
        }
    }
    Some(turned)
}

#[cfg(test)]
mod tests {
    use super::turned;

    fn read(log: &str) -> Option<String> {
        turned(log.as_bytes()).map(|turned| String::from_utf8(turned).unwrap())
    }

    #[test]
    fn a_log_whose_times_fall_is_turned_with_what_belongs_to_each_line() {
        let log = "-- Logs begin at Mon 2026-11-02 10:00:00 UTC. --\nNov 20 10:00:03 d\n  rest of d\nNov 20 10:00:02 c\nNov 20 10:00:02 b\nNov 20 10:00:01 a";
        let turned = "-- Logs begin at Mon 2026-11-02 10:00:00 UTC. --\nNov 20 10:00:01 a\nNov 20 10:00:02 b\n\
            Nov 20 10:00:02 c\nNov 20 10:00:03 d\n  rest of d\n";
        assert_eq!(read(log).as_deref(), Some(turned));
    }

    #[test]
    fn any_other_text_is_read_as_it_stands() {
        for log in [
            "Nov 20 10:00:01 a\nNov 20 10:00:02 b\nNov 20 10:00:03 c\n",
            "23:59:58 a\n23:59:59 b\n00:00:01 c\n",
            "Nov 20 10:00:03 c\nNov 20 10:00:02 b\nNov 20 10:00:01 a\nNov 20 10:00:04 d\n",
            "Nov 20 10:00:03 c\na\nb\nc\nNov 20 10:00:02 b\nd\ne\nNov 20 10:00:01 a\nf\n",
            "no time\nat all\n",
            "",
        ] {
            assert_eq!(read(log), None, "{log}");
        }
    }
}
