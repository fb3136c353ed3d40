//! A product with a known timer.

use crate::base::text::seconds;

/// The value to ask of a knob, seconds: RFC 5382 REQ-5 wants established connections kept for 2 h 4 min.
pub(super) const WANTED_S: u32 = 7440;

/// A product or service that ends sessions by a timer of its own.
#[derive(Debug)]
pub struct Suspect {
    /// The name that its maker uses.
    pub name: &'static str,
    /// The clock of its timer.
    pub clock: Clock,
    /// The timer as it comes, seconds.
    pub limit_s: u32,
    /// The least and the most that it can be set to, seconds; `None` where that is not published or not settable.
    pub range_s: Option<(u32, u32)>,
    /// The way it takes part in the connection.
    pub kind: SuspectKind,
    /// The ways in which it ends a session.
    pub endings: &'static [SuspectEnding],
    /// True if a packet of the server restores an expired connection.
    pub revived_by_server: bool,
    /// The text that the server's version line must contain.
    pub version: Option<&'static str>,
    /// The reliability of its values.
    pub sure: Sure,
    /// The setting to change; `None` where the vendor fixes the timer.
    pub knob: Option<Knob>,
    /// The document that says so.
    pub source: &'static str,
}

/// The clock of a timer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// The time without a packet, or without a byte for what ends TCP itself.
    Idle,
    /// The age of the connection, regardless of traffic.
    Age,
}

/// The role of a suspect in a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SuspectKind {
    /// It passes packets on and keeps a table: any packet counts, a TCP keepalive too.
    Table,
    /// It ends TCP on both sides: only bytes count, and a TCP keepalive does not cross it.
    Proxy,
    /// It is the SSH server.
    Server,
}

/// The way a session ends, as its client sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SuspectEnding {
    /// Packets sent after the timer are dropped silently.
    Silent,
    /// Packets sent after the timer are answered by a reset.
    ResetAfterPacket,
    /// A reset comes by itself when the timer runs out.
    ResetAtExpiry,
    /// The connection is closed in good order when the timer runs out.
    Fin,
}

/// The reliability of a suspect's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sure {
    /// Read in its maker's document or source, or seen on the thing itself.
    Documented,
    /// Told by others.
    Secondary,
}

/// A setting of a product.
#[derive(Debug)]
pub struct Knob {
    /// The change, in a few words; may hold `{wanted}` for the value.
    pub summary: &'static str,
    /// A command or a directive with `{wanted}`; words in capitals are the user's own. `None` where it is set in a window.
    pub snippet: Option<&'static str>,
    /// The unit of `{wanted}`.
    pub unit: Unit,
}

/// The unit in which a product takes its timer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Seconds.
    Seconds,
    /// Minutes.
    Minutes,
    /// Hours, minutes and seconds as `h:mm:ss`.
    Clock,
}

impl Suspect {
    /// Its timer and its manner in one line.
    #[must_use]
    pub fn why(&self) -> String {
        let limit = f64::from(self.limit_s);
        let limit = if limit < 600.0 { format!("{limit:.0} s") } else { seconds(limit) };
        let settable = match (self.range_s, &self.knob) {
            (Some((least, most)), _) => {
                format!(", settable from {} to {}", seconds(f64::from(least)), seconds(f64::from(most)))
            }
            (None, None) => ", not settable".to_owned(),
            (None, Some(_)) => String::new(),
        };
        let manner: Vec<_> = self.endings.iter().map(|ending| ending.words()).collect();
        let after = match self.clock {
            Clock::Idle => "of silence",
            Clock::Age => "of age, busy or not,",
        };
        let sure = if self.sure == Sure::Secondary { " (reported by others than its maker)" } else { "" };
        format!("{limit} {after} by default{settable}; then {}{sure}", manner.join(", or "))
    }

    /// Returns the change and the text to paste: the longest time that the product takes, up to what RFC 5382 asks for,
    /// in its own unit.
    #[must_use]
    pub fn turned(&self) -> Option<(String, Option<String>)> {
        let most = self.range_s.map_or(WANTED_S, |(_, most)| most);
        let knob = self.knob.as_ref()?;
        let wanted = knob.unit.of(WANTED_S.min(most));
        let filled = |text: &str| text.replace("{wanted}", &wanted);
        Some((filled(knob.summary), knob.snippet.map(filled)))
    }
}

impl SuspectEnding {
    fn words(self) -> &'static str {
        match self {
            Self::Silent => "packets are dropped without a word",
            Self::ResetAfterPacket => "the next packet is answered by a reset",
            Self::ResetAtExpiry => "a reset comes at once",
            Self::Fin => "the connection is closed",
        }
    }
}

impl Unit {
    pub(super) fn of(self, seconds: u32) -> String {
        match self {
            Self::Seconds => seconds.to_string(),
            Self::Minutes => (seconds / 60).to_string(),
            Self::Clock => format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60),
        }
    }
}
