//! Disturbances of this machine while sessions are idle, during which nothing seen may be judged.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::base::text::seconds;

/// Something that happened to this machine during the test.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    /// The time at which it was noticed, seconds since the test began.
    pub at_s: f64,
    /// The subject.
    #[serde(flatten)]
    pub what: What,
}

/// The event.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum What {
    /// The clock that runs on through a suspension (CLOCK_BOOTTIME, clock_gettime(2)) gained on the one that stands still in it.
    Suspended {
        /// By so much.
        clock_gap_s: f64,
    },
    /// The clock on the wall went ahead of the one that is never set, on a system that has no clock for suspensions.
    ClockJump {
        /// By so much.
        clock_gap_s: f64,
    },
    /// A moment that we were waiting for came late: we did not run.
    NotRun {
        /// By so much.
        late_s: f64,
    },
    /// The address that our connections have is no longer one of this machine.
    AddressGone {
        /// The address that is gone.
        from: IpAddr,
        /// The one that a new connection would have; `null` where there is no route.
        to: Option<IpAddr>,
    },
    /// The route to the server begins at another address of this machine.
    RouteMoved {
        /// The one before.
        from: IpAddr,
        /// The one after.
        to: IpAddr,
    },
}

/// Seconds for which an incident can have gone unnoticed: the address is checked every second, the clocks four times as
/// often.
const UNNOTICED_S: f64 = 1.5;

impl Incident {
    /// The earliest moment at which it can have begun, seconds since the test began.
    pub(crate) fn earliest_s(&self) -> f64 {
        // The clock stands still while the machine is suspended.
        let late_s = if let What::NotRun { late_s } = self.what { late_s } else { 0.0 };
        self.at_s - late_s - UNNOTICED_S
    }

    /// It in words, as the end of a sentence.
    pub(crate) fn words(&self) -> String {
        let when = seconds(self.at_s);
        let happened = match self.what {
            What::Suspended { clock_gap_s } => format!("this machine was suspended for {}", seconds(clock_gap_s)),
            What::ClockJump { clock_gap_s } => {
                format!("this machine was suspended for {}, or its clock was set", seconds(clock_gap_s))
            }
            What::NotRun { late_s } => {
                format!(
                    "ssh-doctor was not run for {} (stopped, a paused machine, or far too much load)",
                    seconds(late_s)
                )
            }
            What::AddressGone { from, to: Some(to) } => format!("this machine's address changed from {from} to {to}"),
            What::AddressGone { from, to: None } => format!("this machine lost its address {from}"),
            What::RouteMoved { from, to } => {
                format!("this machine's route to the server changed from address {from} to {to}")
            }
        };
        format!("{happened}, noticed {when} into the test")
    }
}
