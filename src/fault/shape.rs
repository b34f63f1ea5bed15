//! When how many octets go to the app: latency, jitter, bandwidth, split, and an early end.

use super::chance::Dice;
use super::{Fault, What};
use crate::event::Micros;

/// How octets reach the app on one connection. Octets keep their order.
#[derive(Clone, Debug, Default)]
pub struct Shape {
    latency: Vec<(Micros, f64, Dice)>,
    jitter: Vec<(Micros, f64, Dice)>,
    /// Octets a second.
    bandwidth: Option<u64>,
    split: Option<usize>,
    /// Octets until the end, and the fault that says so.
    left: Option<(u64, Box<str>)>,
    /// When the octets that came last are due.
    last_due: Micros,
    /// When the way is free again.
    free: Micros,
}

/// What may be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allowance {
    /// So many octets, at least one.
    Now(usize),
    /// None before this.
    At(Micros),
    /// None any more: the connection is to close.
    Never,
}

impl Shape {
    /// What the faults say of octets; `None` if nothing.
    pub(super) fn new<'f>(faults: impl Iterator<Item = (&'f Fault, Dice)>) -> Option<Self> {
        let mut shape = Self::default();
        let mut is_shaped = false;
        for (fault, mut dice) in faults {
            let micros = |time: std::time::Duration| {
                Micros(u64::try_from(time.as_micros()).unwrap_or(u64::MAX))
            };
            let probability = fault.probability;
            is_shaped |= match fault.what {
                What::Latency(time) => {
                    shape.latency.push((micros(time), probability, dice));
                    true
                }
                What::Jitter(time) => {
                    shape.jitter.push((micros(time), probability, dice));
                    true
                }
                // What follows is for the whole connection, or not for it at all.
                What::Bandwidth(rate) if dice.falls(probability) => {
                    shape.bandwidth = Some(shape.bandwidth.map_or(rate, |other| other.min(rate)));
                    true
                }
                What::Split(octets) if dice.falls(probability) => {
                    shape.split = Some(shape.split.map_or(octets, |other| other.min(octets)));
                    true
                }
                What::CutAfter(octets) if dice.falls(probability) => {
                    let is_first = shape.left.as_ref().is_none_or(|(other, _)| octets < *other);
                    if is_first {
                        shape.left = Some((octets, (*fault.spelled).into()));
                    }
                    true
                }
                _ => false,
            };
        }
        is_shaped.then_some(shape)
    }

    /// Octets came at `now`: when they are due. Never before those that came before them.
    pub fn due(&mut self, now: Micros) -> Micros {
        let mut delay = 0;
        for (time, probability, dice) in &mut self.latency {
            if dice.falls(*probability) {
                delay += time.0;
            }
        }
        for (time, probability, dice) in &mut self.jitter {
            if dice.falls(*probability) {
                delay += dice.up_to(time.0);
            }
        }
        self.last_due = self.last_due.max(Micros(now.0 + delay));
        self.last_due
    }

    /// What may be written at `now` of octets that are due.
    pub fn allowance(&self, now: Micros, octets: usize) -> Allowance {
        /// A hundredth of a second's octets at once: small enough to look even.
        const SHARE: u64 = 100;
        let mut octets = octets;
        if let Some((left, _)) = self.left {
            if left == 0 {
                return Allowance::Never;
            }
            octets = octets.min(usize::try_from(left).unwrap_or(usize::MAX));
        }
        if let Some(rate) = self.bandwidth {
            if now < self.free {
                return Allowance::At(self.free);
            }
            let share = usize::try_from((rate / SHARE).max(1)).unwrap_or(usize::MAX);
            octets = octets.min(share);
        }
        Allowance::Now(octets.min(self.split.unwrap_or(usize::MAX)))
    }

    /// So many octets were written at `now`.
    pub fn written(&mut self, now: Micros, octets: usize) {
        let octets = octets as u64;
        if let Some((left, _)) = &mut self.left {
            *left = left.saturating_sub(octets);
        }
        if let Some(rate) = self.bandwidth {
            let time = octets.saturating_mul(1_000_000) / rate;
            self.free = Micros(self.free.max(now).0 + time);
        }
    }

    /// Whether each write is to leave by itself.
    pub fn is_split(&self) -> bool {
        self.split.is_some()
    }

    /// The fault that ended the connection, once no octet is left.
    pub fn cut(&self) -> Option<&str> {
        let (left, fault) = self.left.as_ref()?;
        (*left == 0).then_some(fault)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Faults;
    use super::*;

    fn shape(faults: &[&str]) -> Shape {
        let faults: Vec<Fault> = faults.iter().map(|text| text.parse().unwrap()).collect();
        Faults::new(faults, 7).shape(1).expect("a shape")
    }

    #[test]
    fn latency_delays_and_jitter_keeps_the_order() {
        let mut even = shape(&["latency=50ms"]);
        assert_eq!(even.due(Micros(0)), Micros(50_000));
        assert_eq!(even.due(Micros(10)), Micros(50_010));
        let mut uneven = shape(&["latency=50ms", "jitter=10ms"]);
        let due: Vec<Micros> = (0..100).map(|now| uneven.due(Micros(now))).collect();
        assert!(due.is_sorted());
        assert!(due[0] >= Micros(50_000) && due[99] <= Micros(60_099));
        assert!(due[0] < due[99]);
        let mut again = shape(&["latency=50ms", "jitter=10ms"]);
        assert!(
            due.iter()
                .zip(0..)
                .all(|(due, now)| again.due(Micros(now)) == *due)
        );
    }

    #[test]
    fn a_second_takes_no_more_than_the_bandwidth() {
        let mut shape = shape(&["bandwidth=1000"]);
        let (mut now, mut sent) = (Micros(0), 0);
        while now < Micros(1_000_000) {
            match shape.allowance(now, 500) {
                Allowance::Now(octets) => {
                    sent += octets;
                    shape.written(now, octets);
                }
                Allowance::At(later) => {
                    assert!(later > now);
                    now = later;
                }
                Allowance::Never => panic!("it has no end"),
            }
        }
        assert!((990..=1010).contains(&sent), "{sent}");
    }

    #[test]
    fn writes_are_split_and_the_end_comes_after_so_many_octets() {
        let mut shape = shape(&["split=3", "close-after=7"]);
        for octets in [3, 3, 1] {
            assert_eq!(shape.allowance(Micros(0), 100), Allowance::Now(octets));
            assert_eq!(shape.cut(), None);
            shape.written(Micros(0), octets);
        }
        assert_eq!(shape.allowance(Micros(0), 100), Allowance::Never);
        assert_eq!(shape.cut(), Some("close-after=7"));
    }

    #[test]
    fn commands_faults_shape_nothing() {
        let faults = Faults::new(vec!["no:SELECT".parse::<Fault>().unwrap()], 7);
        assert!(faults.shape(1).is_none());
    }
}
