//! The bound on a whole run: when it begins to end, and when it is over.

use std::time::{Duration, Instant};

use ssh_doctor_checks::base::stop::Stop;

/// The default deadline of a Nagios plugin: a second below the timeout of its core and of NRPE.
pub(super) const OF_PLUGINS: Duration = Duration::from_secs(9);

/// The longest time that is kept back for checks to end and for the report.
const KEPT_BACK: Duration = Duration::from_millis(1500);

/// The time that a run which comes to no login may take beyond ConnectTimeout, with a margin.
const LOOKING_FURTHER: Duration = Duration::from_millis(1600);

/// The end of a run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline {
    /// No new step begins after this, and running ones are ended.
    soft: Instant,
    /// The time for that.
    grace: Duration,
    /// No check is waited for after this.
    pub(crate) hard: Instant,
    /// The whole time.
    pub(crate) whole: Duration,
}

impl Deadline {
    /// The end of a run that may take so long.
    pub(crate) fn of(began: Instant, whole: Duration) -> Self {
        let kept_back = KEPT_BACK.min(whole / 5);
        let grace = kept_back * 3 / 5;
        let soft = began + whole.saturating_sub(kept_back);
        Self { soft, grace, hard: soft + kept_back * 4 / 5, whole }
    }

    /// The time that one stage may take, so that a silent target is named before the run is ended.
    pub(crate) fn stage(&self) -> Duration {
        let kept_back = KEPT_BACK.min(self.whole / 5);
        self.whole.saturating_sub(kept_back + LOOKING_FURTHER).min(self.whole * 11 / 20).max(self.whole / 4)
    }

    /// The wish to stop that comes with it.
    pub(crate) fn stop(&self, stop: &Stop) -> Stop {
        stop.by(self.soft, self.grace)
    }
}
