//! The clock of a run: how long it has gone on.
//!
//! Not the calendar, which somebody may set: this one never goes back, and setting the calendar does not
//! change it. It runs on while the computer is suspended, where the system has such a clock (Linux,
//! macOS, Windows), so that a transcript's beginning and an event's time together are when it happened,
//! also behind a night in which the lid was closed.

use std::time::Duration;

use crate::event::Micros;

/// Runs since it was started.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    started: Duration,
}

impl Clock {
    /// Starts it.
    pub fn start() -> Self {
        Self {
            started: system::reading(),
        }
    }

    /// How long it has run.
    pub fn now(&self) -> Micros {
        self.at(system::reading())
    }

    fn at(&self, reading: Duration) -> Micros {
        let elapsed = reading.saturating_sub(self.started);
        Micros(u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX))
    }
}

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
mod system {
    use std::time::Duration;

    use rustix::time::{ClockId, clock_gettime};

    /// The one that runs on in suspend; the usual one of std does not.
    #[cfg(not(target_vendor = "apple"))]
    const CLOCK: ClockId = ClockId::Boottime;
    #[cfg(target_vendor = "apple")]
    const CLOCK: ClockId = ClockId::Monotonic;

    /// Since some moment before the run.
    pub(super) fn reading() -> Duration {
        Duration::try_from(clock_gettime(CLOCK)).unwrap_or_default()
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
mod system {
    use std::sync::LazyLock;
    use std::time::{Duration, Instant};

    static FIRST: LazyLock<Instant> = LazyLock::new(Instant::now);

    /// Since it was asked for first.
    pub(super) fn reading() -> Duration {
        FIRST.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_how_long_it_has_run_and_never_less_than_nothing() {
        let clock = Clock {
            started: Duration::from_secs(1000),
        };
        assert_eq!(
            clock.at(Duration::from_millis(1_001_500)),
            Micros(1_500_000)
        );
        assert_eq!(clock.at(Duration::from_secs(999)), Micros(0));
        let clock = Clock::start();
        let readings: Vec<Micros> = (0..1000).map(|_| clock.now()).collect();
        assert!(readings.is_sorted());
        assert!(readings[0] < Micros(60_000_000));
    }

    /// Linux tells how long the computer is up, suspended or not, by the same clock; where it was
    /// never suspended, or is in no time namespace of its own, the other clock says the same.
    #[test]
    #[cfg(target_os = "linux")]
    fn it_runs_on_in_suspend() {
        let uptime = || {
            let text = std::fs::read_to_string("/proc/uptime").unwrap();
            text.split(' ').next().unwrap().parse::<f64>().unwrap()
        };
        let (before, reading, after) = (uptime(), system::reading().as_secs_f64(), uptime());
        let hundredth = 0.01;
        assert!(
            (before - hundredth..=after + hundredth).contains(&reading),
            "{before} {reading} {after}"
        );
    }
}
