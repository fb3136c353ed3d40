//! JSON as text that is safe on a terminal and has no more digits than a clock deserves.

use std::io;

use schemars::JsonSchema;
use serde::{Serialize, Serializer};
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter};
use ssh_doctor_checks::base::text::is_unprintable;

/// A time in UTC with milliseconds (RFC 3339).
#[derive(Debug, Clone, Copy, JsonSchema)]
#[schemars(
    with = "String",
    extend("format" = "date-time", "pattern" = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
)]
pub(crate) struct Time(pub(crate) jiff::Timestamp);

impl Time {
    /// Seconds since 1970, to the millisecond.
    pub(super) fn unix_s(self) -> f64 {
        self.0.as_millisecond() as f64 / 1000.0
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // The same milliseconds as above: cut, never rounded.
        let cut = jiff::Timestamp::from_millisecond(self.0.as_millisecond()).unwrap_or(self.0);
        serializer.collect_str(&format_args!("{cut:.3}"))
    }
}

/// The value on one line, or indented; without a line end at its end.
pub(crate) fn to_text(value: &impl Serialize, pretty: bool) -> String {
    let mut bytes = Vec::with_capacity(16 << 10);
    // Serialization of plain data into memory fails only on a map key that is no string, which no fact has.
    let _ = if pretty {
        value.serialize(&mut serde_json::Serializer::with_formatter(&mut bytes, Tame::over(PrettyFormatter::new())))
    } else {
        value.serialize(&mut serde_json::Serializer::with_formatter(&mut bytes, Tame::over(CompactFormatter)))
    };
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A layout with numbers rounded to the microsecond, and with escapes for what a terminal would obey: DEL, the C1 controls and
/// bidirectional marks, which JSON leaves as they are.
struct Tame<F> {
    layout: F,
    in_key: bool,
    /// True if the key that was read last ends in `ms`, so that its value is in milliseconds.
    millis: bool,
}

impl<F> Tame<F> {
    fn over(layout: F) -> Self {
        Self { layout, in_key: false, millis: false }
    }
}

/// Passes these calls on to the layout unchanged.
macro_rules! by_layout {
    ($($name:ident($($argument:ident: $kind:ty)?)),* $(,)?) => {
        $(fn $name<W: ?Sized + io::Write>(&mut self, out: &mut W $(, $argument: $kind)?) -> io::Result<()> {
            self.layout.$name(out $(, $argument)?)
        })*
    };
}

impl<F: Formatter> Formatter for Tame<F> {
    by_layout! {
        begin_array(), end_array(), begin_array_value(first: bool), end_array_value(),
        begin_object(), end_object(), begin_object_value(), end_object_value(),
    }

    fn begin_object_key<W: ?Sized + io::Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.in_key = true;
        self.layout.begin_object_key(out, first)
    }

    fn end_object_key<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.in_key = false;
        self.layout.end_object_key(out)
    }

    fn write_f64<W: ?Sized + io::Write>(&mut self, out: &mut W, value: f64) -> io::Result<()> {
        let scale = if self.millis { 1e3 } else { 1e6 };
        let rounded = (value * scale).round() / scale;
        self.layout.write_f64(out, if rounded.is_finite() { rounded } else { value })
    }

    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        if self.in_key {
            self.millis = fragment.ends_with("ms");
        }
        let mut rest = fragment;
        while let Some((at, odd)) = rest.char_indices().find(|(_, c)| is_unprintable(*c)) {
            self.layout.write_string_fragment(out, &rest[..at])?;
            for unit in odd.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}")?;
            }
            rest = &rest[at + odd.len_utf8()..];
        }
        self.layout.write_string_fragment(out, rest)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Time, to_text};

    #[test]
    fn numbers_are_rounded_to_the_microsecond_of_their_unit() {
        let value = json!({"rtt_ms": 0.123_456_789, "survived_s": 12.345_678_9, "list_ms": [1.000_04, 7], "n": 5.0});
        let text = to_text(&value, false);
        assert_eq!(text, r#"{"list_ms":[1.0,7],"n":5.0,"rtt_ms":0.123,"survived_s":12.345679}"#);
    }

    #[test]
    fn what_a_terminal_obeys_is_escaped_and_reads_the_same() {
        let value = json!({"a": "x\u{202e}y\u{7f}\u{9b}1m\u{1b}\"\\\n", "\u{202e}ms": 1.23456});
        for pretty in [false, true] {
            let text = to_text(&value, pretty);
            assert!(!text.contains(['\u{202e}', '\u{7f}', '\u{9b}', '\u{1b}']), "{text}");
            let back: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(back["a"], value["a"]);
            assert_eq!(back["\u{202e}ms"], 1.235);
        }
    }

    #[test]
    fn times_have_milliseconds_and_agree_with_the_number() {
        let time = Time("2026-11-20T22:41:07.500999999Z".parse().unwrap());
        assert_eq!(to_text(&time, false), "\"2026-11-20T22:41:07.500Z\"");
        assert_eq!(to_text(&time.unix_s(), false), "1795214467.5");
    }
}
