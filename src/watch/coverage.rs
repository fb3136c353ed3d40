//! The time that a journal covers: a gap between its records is time without a watch.

use ssh_doctor_checks::facts::journal::{Event, Record};

/// A longer time without a record, seconds, is a gap: a heartbeat comes every minute, and one may be late.
const GAP_S: f64 = 150.0;

/// The time that a journal covers, seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Coverage {
    /// Seconds with a watch.
    pub(super) watched_s: f64,
    /// Seconds without one, between the first record and the last.
    pub(super) unwatched_s: f64,
    /// The number of gaps.
    pub(super) gaps: u32,
}

impl Coverage {
    /// The time that these records cover.
    pub(super) fn of(records: &[Record]) -> Self {
        let mut coverage = Self::default();
        for pair in records.windows(2) {
            let [earlier, later] = pair else { continue };
            let time = between(earlier, later);
            // Whatever came before a new writer, nobody saw its last moments.
            if time > GAP_S || matches!(later.event, Event::Started(_)) {
                coverage.unwatched_s += time;
                coverage.gaps += 1;
            } else {
                coverage.watched_s += time;
            }
        }
        coverage
    }
}

/// Seconds between two records: by the clock that is never set, unless the machine was restarted.
fn between(earlier: &Record, later: &Record) -> f64 {
    let same_boot = earlier.boot.is_some() && earlier.boot == later.boot;
    let by_boot = earlier.boot_s.zip(later.boot_s).filter(|_| same_boot).map(|(earlier, later)| later - earlier);
    by_boot.unwrap_or_else(|| (later.at.as_millisecond() - earlier.at.as_millisecond()) as f64 / 1000.0).max(0.0)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use ssh_doctor_checks::facts::journal::Started;

    use super::*;

    fn record(at: i64, boot: &str, event: Event) -> Record {
        let wall = Timestamp::from_second(1_767_000_000 + at).unwrap();
        Record { seq: 0, at: wall, boot_s: Some(at as f64), boot: Some(boot.to_owned()), event }
    }

    fn started() -> Event {
        Event::Started(Started {
            journal: 1,
            command: "watch".into(),
            version: "0".into(),
            pid: 1,
            host: "db".into(),
            port: 22,
            holds: None,
            keep_alive_s: None,
        })
    }

    #[test]
    fn a_missing_heartbeat_and_a_new_writer_are_gaps_and_a_clock_that_is_set_is_none() {
        let mut records = vec![
            record(0, "a", started()),
            record(60, "a", Event::Watching),
            record(120, "a", Event::Watching),
            record(720, "a", Event::Watching),
            record(780, "a", Event::Stopped),
            record(800, "a", started()),
            record(860, "a", Event::Watching),
        ];
        assert_eq!(Coverage::of(&records), Coverage { watched_s: 240.0, unwatched_s: 620.0, gaps: 2 });
        // The wall clock jumps by a day between two heartbeats.
        records[2].at = Timestamp::from_second(1_767_086_400).unwrap();
        assert_eq!(Coverage::of(&records), Coverage { watched_s: 240.0, unwatched_s: 620.0, gaps: 2 });
        assert_eq!(Coverage::of(&records[..1]), Coverage::default());
    }
}
