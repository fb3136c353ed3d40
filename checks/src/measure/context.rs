//! The context shared by all checks.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::progress::Progress;
use crate::base::admission::Admission;
use crate::base::ask::Ask;
use crate::base::limits::Limits;
use crate::base::stop::Stop;
use crate::base::target::Target;
use crate::os::pause::Mark;
use crate::ssh::budget::Budget;

/// The time beyond ConnectTimeout that a run without a login may take: 0.6 s short of what is promised, since the
/// settings have to be read and the report written too, on a busy machine.
const BEYOND: Duration = Duration::from_millis(1400);

/// The target, the limits of its examination, and the user's part in it.
#[derive(Clone)]
pub struct Context {
    /// The target.
    pub target: Arc<Target>,
    /// Within which limits.
    pub limits: Limits,
    /// The budget for connections.
    pub budget: Arc<Budget>,
    /// The time at which it began; the time spent waiting for leave to connect does not count.
    pub began: Instant,
    /// The moment from which on the pauses of this process count.
    pub(crate) mark: Mark,
    /// The onlooker.
    pub progress: Progress,
    /// The wish to end it early.
    pub stop: Stop,
    /// Questions to the user.
    pub ask: Arc<dyn Ask>,
    /// Gives leave to connect; `None` where none is needed.
    pub admission: Option<Arc<dyn Admission>>,
}

impl Context {
    /// An examination that has not begun.
    #[must_use]
    pub fn new(target: Target, limits: Limits, progress: Progress, stop: Stop, ask: Arc<dyn Ask>) -> Self {
        Self {
            target: Arc::new(target),
            budget: Arc::new(Budget::new(&limits)),
            limits,
            began: Instant::now(),
            mark: Mark::now(),
            progress,
            stop,
            ask,
            admission: None,
        }
    }

    /// Returns a copy without its observer.
    #[must_use]
    pub fn unobserved(self) -> Self {
        Self { progress: Progress::default(), ..self }
    }

    /// Returns a copy for a hop on the way to the target, at the expense of the same budget.
    #[must_use]
    pub(crate) fn of_hop(&self, hop: &Target) -> Self {
        let limits = Limits { ask_server: false, with_ssh: false, ..self.limits.clone() };
        Self {
            target: Arc::new(hop.clone()),
            limits,
            began: Instant::now(),
            mark: Mark::now(),
            admission: None,
            ..self.clone()
        }
    }

    /// Returns the time until which a run that comes to no login may look further than ssh does; checks without time
    /// left are skipped.
    ///
    /// The lookup of the name counts, although ConnectTimeout does not bound it: a slow one leaves less for the rest.
    #[must_use]
    pub fn until(&self) -> Instant {
        self.began + self.limits.connect + BEYOND + self.mark.paused()
    }
}
