//! The progress of many targets in one line.

use std::time::Duration;

use super::frame::FrameStyle;
use super::live_display::LiveDisplay;

/// The columns of the bar.
const BAR: usize = 24;

/// The first estimate comes after this time: before it, it is a guess.
const FIRST_ESTIMATE: Duration = Duration::from_secs(2);

/// The progress of a run.
#[derive(Debug, Clone, Copy)]
pub struct Tally {
    /// Targets with a report.
    pub done: u64,
    /// The number of broken ones.
    pub broken: u64,
    /// The part of the list that was read, from 0 to 1; none where its length is not known.
    pub part: Option<f64>,
    /// The time since the run began.
    pub took: Duration,
}

impl LiveDisplay {
    /// Draws the progress in place of that before.
    pub fn tally(&self, tally: &Tally) {
        self.draw(&[tally.line(self.frame_style(), self.is_ending())]);
    }
}

impl Tally {
    fn line(&self, looks: FrameStyle, ending: bool) -> String {
        let Self { done, broken, part, took } = *self;
        let mut words = vec![format!("{done} done")];
        if broken > 0 {
            words.push(format!("{broken} broken"));
        }
        let seconds = took.as_secs_f64();
        let estimate = part.filter(|part| *part > 0.0 && took >= FIRST_ESTIMATE);
        words.push(match estimate {
            _ if ending => "ending; Ctrl-C once more leaves without a summary".to_owned(),
            // What was read may still be waiting, so there is always something left.
            Some(part) => format!("about {} left", clock((seconds / part - seconds).max(1.0))),
            None => clock(seconds),
        });
        let bar = part.map_or_else(String::new, |part| bar(part, looks.unicode));
        let line = format!("{bar}{}", words.join(", "));
        line.chars().take(looks.width).collect()
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a part of 24 columns")]
fn bar(part: f64, unicode: bool) -> String {
    let filled = ((part.clamp(0.0, 1.0) * BAR as f64) as usize).min(BAR);
    let (full, empty) = if unicode { ("━", "─") } else { ("#", "-") };
    format!("{}{} ", full.repeat(filled), empty.repeat(BAR - filled))
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "seconds of a run")]
fn clock(seconds: f64) -> String {
    let seconds = seconds.max(0.0) as u64;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{FrameStyle, Tally};

    fn line(part: Option<f64>, seconds: u64, width: usize) -> String {
        let tally = Tally { done: 1234, broken: 12, part, took: Duration::from_secs(seconds) };
        tally.line(FrameStyle { width, height: 24, color: false, unicode: false }, false)
    }

    #[test]
    fn the_line_tells_how_far_it_is_and_how_long_it_takes_yet() {
        assert_eq!(line(Some(0.25), 60, 80), "######------------------ 1234 done, 12 broken, about 3:00 left");
        assert_eq!(line(Some(0.25), 1, 80), "######------------------ 1234 done, 12 broken, 0:01");
        assert_eq!(line(None, 3700, 80), "1234 done, 12 broken, 1:01:40");
        assert_eq!(line(Some(1.0), 60, 30).chars().count(), 30);
    }
}
