//! A path for simulated examinations: it resets connections at random, forgets silent ones, or both.

/// The way a timer ends a connection that was silent for too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expiry {
    /// Later packets are lost.
    Forgotten,
    /// Later packets are answered with a reset.
    Rejected,
    /// Both ends are reset as soon as it expires.
    Reset,
}

/// The place of the resets: on the way to the target, or before or behind a jump host on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Direct,
    BeforeHop,
    BehindHop,
}

/// The path and its effects on connections.
#[derive(Debug, Clone, Copy)]
pub(super) struct PathModel {
    /// The seconds from one reset to the next, at least and at most; none where it resets nothing.
    pub(super) resets: Option<(f64, f64)>,
    /// The silence, in seconds, after which it ends a connection, and the way.
    pub(super) timer: Option<(f64, Expiry)>,
    pub(super) place: Place,
    /// The part of the server's lines that come a second and a half late or more.
    pub(super) late_lines: f64,
    /// The times in which nothing comes through.
    pub(super) gaps: Option<Gaps>,
    /// The part of the tasks of this machine that run up to two seconds late.
    pub(super) load: f64,
    /// True if sessions are opened a few at a time.
    pub(super) spread: bool,
}

/// A path that is down again and again; seconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gaps {
    pub(super) up: f64,
    pub(super) down: f64,
    /// The beginning of the first time in which it is down.
    pub(super) first: f64,
}

impl PathModel {
    /// One that does nothing.
    pub(super) const PLAIN: Self =
        Self { resets: None, timer: None, place: Place::Direct, late_lines: 0.0, gaps: None, load: 0.0, spread: false };

    /// True if nothing comes through at that moment.
    pub(super) fn is_down(self, at_s: f64) -> bool {
        self.gaps.is_some_and(|gaps| {
            let since = at_s - gaps.first;
            since >= 0.0 && since.rem_euclid(gaps.up + gaps.down) < gaps.down
        })
    }

    /// The time at which a segment comes through that is sent at a moment, and sent again after 200 ms and after twice the pause each time.
    pub(super) fn through_s(self, at_s: f64) -> f64 {
        self.sent_again(at_s, 0.2)
    }

    /// The time at which a connection opens that is asked for at a moment: the first packet is sent again after 1 s.
    pub(super) fn connects_s(self, at_s: f64) -> f64 {
        self.sent_again(at_s, 1.0)
    }

    fn sent_again(self, at_s: f64, first_s: f64) -> f64 {
        let (mut sent_s, mut pause_s) = (at_s, first_s);
        while self.is_down(sent_s) {
            sent_s += pause_s;
            pause_s *= 2.0;
        }
        sent_s
    }

    /// The time at which a login is done that is begun at a moment.
    pub(super) fn logs_in_s(self, at_s: f64) -> f64 {
        self.through_s(self.connects_s(at_s) + LOGIN_S / 2.0) + LOGIN_S / 2.0
    }
}

/// Seconds that a login takes.
const LOGIN_S: f64 = 0.3;

/// Numbers that look random, the same for each seed (splitmix64).
#[derive(Debug, Clone)]
pub(super) struct Random(pub(super) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number between these.
    #[allow(clippy::cast_precision_loss, reason = "53 bits are kept")]
    pub(super) fn between(&mut self, (least, most): (f64, f64)) -> f64 {
        least + (most - least) * ((self.next() >> 11) as f64 / (1_u64 << 53) as f64)
    }

    /// One of so many, from 0 on.
    pub(super) fn below(&mut self, count: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(count.max(1)).unwrap_or(1)).unwrap_or_default()
    }
}
