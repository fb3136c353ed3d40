//! Time stamps at the beginning of a line, in the spellings of syslog, journald and the logging libraries.

/// A time in a line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Stamp {
    /// Its beginning and end in the line.
    pub(super) start: usize,
    pub(super) end: usize,
    /// Seconds on the axis that `kind` names.
    pub(super) seconds: f64,
    /// The epoch of the seconds; those of different kinds cannot be subtracted.
    pub(super) kind: Kind,
}

/// The epoch of a stamp's seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// 1970, or the year 2000 where the stamp has no year, in the time zone of the log.
    Date,
    /// Midnight.
    Day,
    /// The start of the machine or the program.
    Start,
}

/// Bytes into a line at which its time stamp may begin: behind a syslog priority, a level, a process id or the name of
/// a container.
const REACH: usize = 64;
const MONTHS: [&[u8]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];
const DAY_S: f64 = 86_400.0;

/// The first time stamp of a line.
pub(super) fn stamp(line: &[u8]) -> Option<Stamp> {
    let reach = line.len().min(REACH);
    let begins = |at: usize| at == 0 || !line[at - 1].is_ascii_alphanumeric() && !b".:-/".contains(&line[at - 1]);
    (0..reach).filter(|at| begins(*at)).find_map(|at| read(line, at))
}

fn read(line: &[u8], at: usize) -> Option<Stamp> {
    let rest = &line[at..];
    let made = |length: usize, seconds: f64, kind| Some(Stamp { start: at, end: at + length, seconds, kind });
    match rest.first()? {
        b'0'..=b'9' => {
            if let Some((length, seconds)) = date(rest).or_else(|| compact(rest)).or_else(|| day_first(rest)) {
                return made(length, seconds, Kind::Date);
            }
            if let Some((length, seconds)) = time(rest) {
                return made(length, seconds, Kind::Day);
            }
            let (length, seconds) = decimal(rest)?;
            // Seconds of the epoch as in journalctl -o short-unix; others are those since the start.
            let kind = if seconds > 1e9 { Kind::Date } else { Kind::Start };
            let is_bracketed = at > 0 && rest.get(length) == Some(&b']');
            (kind == Kind::Date || is_bracketed).then_some(())?;
            made(length, seconds, kind)
        }
        b'A'..=b'Z' => month_first(rest).and_then(|(length, seconds)| made(length, seconds, Kind::Date)),
        b'[' => {
            // journalctl -o short-monotonic and the kernel pad: [    5.123456].
            let pad = rest[1..].iter().take_while(|byte| **byte == b' ').count();
            let (length, seconds) = decimal(rest.get(1 + pad..)?)?;
            (pad > 0 && rest.get(1 + pad + length) == Some(&b']')).then_some(())?;
            made(length + pad + 2, seconds, Kind::Start)
        }
        _ => None,
    }
}

/// `2026-11-20T10:00:00.123+01:00`, `2026/11/20 10:00:00`, `2026.11.20 10:00:00,123`.
fn date(text: &[u8]) -> Option<(usize, f64)> {
    let separator = *text.get(4).filter(|byte| b"-/.".contains(byte))?;
    (text.get(7) == Some(&separator)).then_some(())?;
    let (year, month, day) = (number(text, 0, 4)?, number(text, 5, 2)?, number(text, 8, 2)?);
    text.get(10).filter(|byte| b"T :".contains(byte))?;
    let (length, seconds) = time(&text[11..])?;
    let days = days(year, month, day)?;
    Some((11 + length, days * DAY_S + seconds))
}

/// `20261120-10:00:00.123` of paramiko.
fn compact(text: &[u8]) -> Option<(usize, f64)> {
    (text.get(8) == Some(&b'-')).then_some(())?;
    let (length, seconds) = time(text.get(9..)?)?;
    let days = days(number(text, 0, 4)?, number(text, 4, 2)?, number(text, 6, 2)?)?;
    Some((9 + length, days * DAY_S + seconds))
}

/// `20-Nov-2026::10:00:00` of Erlang, `20/Nov/2026:10:00:00` of web servers.
fn day_first(text: &[u8]) -> Option<(usize, f64)> {
    text.get(2).filter(|byte| b"-/".contains(byte))?;
    let days = days(number(text, 7, 4)?, month(text.get(3..)?)?, number(text, 0, 2)?)?;
    let colons = text.get(11..)?.iter().take_while(|byte| b": ".contains(byte)).count();
    let (length, seconds) = time(text.get(11 + colons..)?)?;
    Some((11 + colons + length, days * DAY_S + seconds))
}

/// `Nov 20 10:00:00` and `Nov 20 10:00:00 2026` of syslog and ctime.
fn month_first(text: &[u8]) -> Option<(usize, f64)> {
    let month = month(text)?;
    (text.get(3) == Some(&b' ')).then_some(())?;
    let day = number(text, 4, 2)?;
    (text.get(6) == Some(&b' ')).then_some(())?;
    let (length, seconds) = time(text.get(7..)?)?;
    let year = number(text, 7 + length + 1, 4).filter(|year| (1990..2200).contains(year));
    let end = 7 + length + year.map_or(0, |_| 5);
    // A leap year, so that the 29th of February is a day.
    Some((end, days(year.unwrap_or(2000), month, day)? * DAY_S + seconds))
}

fn month(text: &[u8]) -> Option<u32> {
    let at = MONTHS.iter().position(|month| text.starts_with(month))?;
    u32::try_from(at + 1).ok()
}

/// `10:00:00` with or without a fraction and a zone, in seconds of the day.
fn time(text: &[u8]) -> Option<(usize, f64)> {
    (text.get(2) == Some(&b':') && text.get(5) == Some(&b':')).then_some(())?;
    let (hour, minute, second) = (number(text, 0, 2)?, number(text, 3, 2)?, number(text, 6, 2)?);
    (hour < 24 && minute < 60 && second < 61).then_some(())?;
    let mut length = 8;
    let mut seconds = f64::from(hour * 3600 + minute * 60 + second);
    // Windows' sshd.log has a colon before its milliseconds.
    let has_colon =
        matches!(text.get(8..), Some([b':', a, b, c, b' ', ..]) if [a, b, c].iter().all(|byte| byte.is_ascii_digit()));
    if has_colon || text.get(8).is_some_and(|byte| b".,".contains(byte)) {
        let digits = text[9..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        if (1..=9).contains(&digits) {
            let fraction: f64 = std::str::from_utf8(&text[9..9 + digits]).ok()?.parse().ok()?;
            seconds += fraction / 10_f64.powi(i32::try_from(digits).unwrap_or(9));
            length = 9 + digits;
        }
    }
    Some((length + zone(&text[length..]), seconds))
}

/// The length of `Z`, `+01:00`, `+0100`, ` UTC`.
fn zone(text: &[u8]) -> usize {
    match text {
        [b'Z', ..] => 1,
        [b'+' | b'-', a, b, b':', c, d, ..] if [a, b, c, d].iter().all(|byte| byte.is_ascii_digit()) => 6,
        [b'+' | b'-', a, b, c, d, ..] if [a, b, c, d].iter().all(|byte| byte.is_ascii_digit()) => 5,
        [b' ', rest @ ..] => {
            let letters = rest.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
            let ends = rest.get(letters).is_none_or(|byte| *byte == b' ');
            // Zones in capitals; a host name of capitals alone is rarer.
            if (3..=4).contains(&letters) && ends { letters + 1 } else { 0 }
        }
        _ => 0,
    }
}

/// `1763632800.123456`.
fn decimal(text: &[u8]) -> Option<(usize, f64)> {
    let whole = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (text.get(whole) == Some(&b'.') && whole <= 12).then_some(())?;
    let digits = text[whole + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    (3..=9).contains(&digits).then_some(())?;
    let length = whole + 1 + digits;
    Some((length, std::str::from_utf8(&text[..length]).ok()?.parse().ok()?))
}

/// The number in these columns; the first may be blank.
fn number(text: &[u8], at: usize, length: usize) -> Option<u32> {
    let digits = text.get(at..at + length)?;
    let digits = if length == 2 && digits[0] == b' ' { &digits[1..] } else { digits };
    digits.iter().try_fold(0, |sum: u32, byte| byte.is_ascii_digit().then(|| sum * 10 + u32::from(byte - b'0')))
}

/// Days since 1970 in the proleptic Gregorian calendar.
fn days(year: u32, month: u32, day: u32) -> Option<f64> {
    let (year, month, day) = (i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?);
    let date = jiff::civil::Date::new(year, month, day).ok()?;
    let since = date.duration_since(jiff::civil::Date::constant(1970, 1, 1));
    Some(since.as_secs_f64() / DAY_S)
}

#[cfg(test)]
mod tests {
    use super::{Kind, stamp};

    #[test]
    fn every_spelling_is_read_to_its_end() {
        for (line, rest) in [
            ("Nov  5 10:00:02 web1 sshd[1]: x", " web1 sshd[1]: x"),
            ("2026-11-20T10:00:02.123456+01:00 web1 x", " web1 x"),
            ("2026-11-20T10:00:02Z INFO x", " INFO x"),
            ("Fri 2026-11-20 10:00:02 UTC web1 x", " web1 x"),
            ("2026-11-20 10:00:02,123 - x", " - x"),
            ("DEB [20261120-10:00:02.123] thr=1 x", "] thr=1 x"),
            ("2026/11/20 10:00:02 x", " x"),
            (". 2026-11-20 10:00:02.123 x", " x"),
            ("D, [2026-11-20T10:00:02.123456 #1] x", " #1] x"),
            ("=ERROR REPORT==== 20-Nov-2026::10:00:02.123 ===", " ==="),
            ("Fri Nov 20 10:00:02 2026 authpriv.info x", " authpriv.info x"),
            ("[10:00:02.123] x", "] x"),
            ("[1234] Nov 20 10:00:02 x", " x"),
            ("2440 10:00:02:123 debug1: x", " debug1: x"),
            ("1763632802.123456 web1 x", " web1 x"),
            ("[ 12345.678901] web1 x", " web1 x"),
            ("<38>1 2026-11-20T10:00:02.5Z web1 x", " web1 x"),
        ] {
            let found = stamp(line.as_bytes()).unwrap_or_else(|| panic!("{line}"));
            assert_eq!(&line[found.end..], rest, "{line}");
            assert!((found.seconds % 60.0 - 2.0).abs() < 0.9 || found.kind == Kind::Start, "{line}: {}", found.seconds);
        }
    }

    #[test]
    fn addresses_versions_and_counts_are_no_times() {
        for line in [
            "debug1: Remote protocol version 2.0, remote software version 9.2p1",
            "connect to 10.1.2.3 port 22",
            "",
            "[12345]",
        ] {
            assert_eq!(stamp(line.as_bytes()), None, "{line}");
        }
    }

    #[test]
    fn times_can_be_subtracted_across_a_day_and_a_leap_day() {
        let seconds = |line: &str| stamp(line.as_bytes()).unwrap().seconds;
        assert!((seconds("Mar  1 00:00:01 x") - seconds("Feb 29 23:59:59 x") - 2.0).abs() < 1e-6);
        assert!((seconds("2026-03-01 00:00:01 x") - seconds("2026-02-28 23:59:59 x") - 2.0).abs() < 1e-6);
    }
}
