//! One frame of a watch's live view: a pure function of what is known and of the terminal.

use std::time::Duration;

use anstyle::{AnsiColor, Style};
use ssh_doctor_checks::base::text::{sanitize, seconds};
use ssh_doctor_checks::measure::watch::{SessionStatus, WatchedSession};

use super::frame::{FrameStyle, Paint, clock};

/// The lines of one frame; none is wider than the terminal.
pub(super) fn lines(target: &str, elapsed: Duration, sessions: &[WatchedSession], looks: FrameStyle) -> Vec<String> {
    let paint = Paint(looks);
    let lost: u32 = sessions.iter().map(|session| session.lost).sum();
    let title = format!("Watching {} for {}, {lost} lost; Ctrl-C ends it", sanitize(target), clock(elapsed));
    let mut lines = vec![paint.line(Style::new().bold(), "", &title)];
    lines.extend(sessions.iter().map(|session| line(session, &paint)));
    lines.truncate(looks.height.saturating_sub(1));
    lines
}

fn line(session: &WatchedSession, paint: &Paint) -> String {
    let (mark, style, status) = match &session.status {
        SessionStatus::Open { age, idle, until: Some(until) } => {
            let times = format!("up {:<9} idle {} of {}", clock(*age), clock(*idle), seconds(until.as_secs_f64()));
            (paint.pick("✓", "+"), AnsiColor::Green.on_default(), times)
        }
        SessionStatus::Open { age, .. } => {
            (paint.pick("✓", "+"), AnsiColor::Green.on_default(), format!("up {}", clock(*age)))
        }
        SessionStatus::Stalled { since } => {
            let status = format!("no answer for {}", clock(since.elapsed()));
            (paint.pick("…", "?"), AnsiColor::Yellow.on_default(), status)
        }
        SessionStatus::Down { why } => {
            let why = why.as_ref().map(|why| format!("no login: {why}"));
            (paint.pick("·", "-"), Style::new().dimmed(), why.unwrap_or_else(|| "opening".to_owned()))
        }
    };
    let last = session.last.as_ref().filter(|_| session.lost > 0).map(|(at, how)| {
        let count = if session.lost == 1 { "once".to_owned() } else { format!("{} times", session.lost) };
        format!("  lost {count}, last {}Z: {how}", at.strftime("%H:%M:%S"))
    });
    paint.line(style, &format!("  {mark} "), &format!("{:<22} {status}{}", session.label, last.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn a_frame_fits_the_terminal_and_tells_each_loss() {
        let session = |label: &str, status, lost| WatchedSession {
            label: label.into(),
            status,
            lost,
            last: Some((Timestamp::UNIX_EPOCH, "reset".into())),
        };
        let s = Duration::from_secs;
        let sessions = [
            session("data every 4 s", SessionStatus::Open { age: s(75), idle: s(2), until: None }, 0),
            session("silent", SessionStatus::Open { age: s(75), idle: s(30), until: Some(s(60)) }, 2),
            session("keepalive every 15 s", SessionStatus::Down { why: Some("x".repeat(200)) }, 1),
        ];
        let looks = FrameStyle { width: 80, height: 24, color: false, unicode: true };
        let lines = lines("db\u{1b}[2J", s(3725), &sessions, looks);
        assert_eq!(lines[0], "Watching db\\u{1b}[2J for 1:02:05, 3 lost; Ctrl-C ends it");
        assert_eq!(lines[1], "  ✓ data every 4 s         up 1:15");
        assert!(lines[2].ends_with("up 1:15      idle 30 s of 60 s  lost 2 times, last …"), "{}", lines[2]);
        assert!(lines.iter().all(|line| line.chars().count() < 80));
    }
}
