//! The clocks that stand in each record.

use std::sync::OnceLock;
use std::time::Duration;

/// Seconds on the clock that runs on through the machine's sleep and is never set; `None` where there is none.
pub(super) fn boot_s() -> Option<f64> {
    through_sleep().map(|time| milliseconds(time.as_secs_f64()))
}

/// The first digits of the boot's identifier: enough to tell one boot from the next.
pub(super) fn boot() -> Option<String> {
    static BOOT: OnceLock<Option<String>> = OnceLock::new();
    BOOT.get_or_init(|| {
        let identifier = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        identifier.get(..8).map(str::to_owned)
    })
    .clone()
}

/// The number with three decimals: no clock here is worth more.
#[must_use]
pub fn milliseconds(seconds: f64) -> f64 {
    (seconds * 1000.0).round() / 1000.0
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn through_sleep() -> Option<Duration> {
    nix::time::clock_gettime(nix::time::ClockId::CLOCK_BOOTTIME).ok().map(Duration::from)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn through_sleep() -> Option<Duration> {
    None
}
