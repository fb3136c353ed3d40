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
}

impl PathModel {
    /// One that does nothing.
    pub(super) const PLAIN: Self = Self { resets: None, timer: None, place: Place::Direct, late_lines: 0.0 };
}

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
