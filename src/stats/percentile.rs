//! Percentiles of latencies, by nearest rank: the smallest latency that so many percent of all are
//! not longer than. It is always one that was measured.
//!
//! ```text
//! 10 20 30 40 ms    p50 20 ms    p90 40 ms    p99 40 ms
//! ```
//!
//! Exact for up to [`limits::STATS_LATENCIES`] of them. Beyond that they are counted in buckets, of
//! which each is 1/64 of its latencies wide, so that memory does not grow; a percentile is then the
//! upper end of its bucket, and so at most 1.6 % too long. The longest is exact always.

use crate::event::Micros;
use crate::limits;

/// Bits of a latency that tell its bucket, behind the first one.
const PRECISION: u32 = 6;

/// Latencies of one command name.
#[derive(Clone, Debug, Default)]
pub struct Latencies {
    exact: Vec<u64>,
    buckets: Vec<u64>,
    count: u64,
    max: u64,
}

/// What is told of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Percentiles {
    /// Half of them are not longer.
    pub p50: Micros,
    /// Nine tenths.
    pub p90: Micros,
    /// All but one in a hundred.
    pub p99: Micros,
    /// The longest.
    pub max: Micros,
    /// There were too many to keep them all.
    pub approximate: bool,
}

impl Latencies {
    /// One more.
    pub fn add(&mut self, latency: Micros) {
        let micros = latency.0;
        self.count += 1;
        self.max = self.max.max(micros);
        if self.buckets.is_empty() {
            self.exact.push(micros);
            if self.exact.len() <= limits::STATS_LATENCIES {
                return;
            }
            for micros in std::mem::take(&mut self.exact) {
                self.count_in(micros);
            }
            return;
        }
        self.count_in(micros);
    }

    /// Those of another name, too.
    pub fn join(&mut self, other: &Self) {
        if self.buckets.is_empty()
            && other.buckets.is_empty()
            && self.exact.len() + other.exact.len() <= limits::STATS_LATENCIES
        {
            self.exact.extend(&other.exact);
        } else {
            for micros in std::mem::take(&mut self.exact) {
                self.count_in(micros);
            }
            other.exact.iter().for_each(|micros| self.count_in(*micros));
            if self.buckets.len() < other.buckets.len() {
                self.buckets.resize(other.buckets.len(), 0);
            }
            for (own, more) in self.buckets.iter_mut().zip(&other.buckets) {
                *own += more;
            }
        }
        self.count += other.count;
        self.max = self.max.max(other.max);
    }

    fn count_in(&mut self, micros: u64) {
        let bucket = bucket(micros);
        if self.buckets.len() <= bucket {
            self.buckets.resize(bucket + 1, 0);
        }
        self.buckets[bucket] += 1;
    }

    /// Their percentiles; none where there are none.
    pub fn percentiles(&self) -> Option<Percentiles> {
        if self.count == 0 {
            return None;
        }
        let mut sorted = self.exact.clone();
        sorted.sort_unstable();
        let at = |percent: u64| {
            // Nearest rank: ceil(p/100 * count), from 1.
            let rank = (u128::from(self.count) * u128::from(percent))
                .div_ceil(100)
                .max(1);
            Micros(match self.buckets.is_empty() {
                true => sorted[rank as usize - 1],
                false => self.bucket_at(rank),
            })
        };
        Some(Percentiles {
            p50: at(50),
            p90: at(90),
            p99: at(99),
            max: Micros(self.max),
            approximate: !self.buckets.is_empty(),
        })
    }

    fn bucket_at(&self, rank: u128) -> u64 {
        let mut passed = 0_u128;
        for (bucket, count) in self.buckets.iter().enumerate() {
            passed += u128::from(*count);
            if passed >= rank {
                return upper_end(bucket).min(self.max);
            }
        }
        self.max
    }
}

/// Small ones have one each; the others share theirs with those that begin with the same bits.
fn bucket(micros: u64) -> usize {
    let bits = u64::BITS - micros.leading_zeros();
    let shift = bits.saturating_sub(PRECISION + 1);
    ((u64::from(shift) << PRECISION) + (micros >> shift)) as usize
}

/// The longest latency in the bucket.
fn upper_end(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    let shift = (bucket >> PRECISION).saturating_sub(1);
    let first = bucket - (shift << PRECISION);
    let end = (u128::from(first) + 1) << shift;
    u64::try_from(end - 1).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(all: impl IntoIterator<Item = u64>) -> Latencies {
        let mut latencies = Latencies::default();
        all.into_iter()
            .for_each(|micros| latencies.add(Micros(micros)));
        latencies
    }

    #[test]
    fn nearest_rank_is_one_that_was_measured() {
        let told = of([40, 10, 30, 20]).percentiles().unwrap();
        assert_eq!(
            (told.p50, told.p90, told.p99),
            (Micros(20), Micros(40), Micros(40))
        );
        let told = of(1..=200).percentiles().unwrap();
        assert_eq!(
            (told.p50, told.p90, told.p99),
            (Micros(100), Micros(180), Micros(198))
        );
        assert_eq!((told.max, told.approximate), (Micros(200), false));
        assert_eq!(of([7]).percentiles().unwrap().p50, Micros(7));
        assert_eq!(of([]).percentiles(), None);
    }

    #[test]
    fn those_of_two_names_are_as_if_they_had_one() {
        for (one, other) in [
            (0..3, 3..9),
            (0..3000, 3000..5000),
            (0..5000, 0..3),
            (3..3, 0..9),
        ] {
            let mut joined = of(one.clone());
            joined.join(&of(other.clone()));
            let all = of(one.chain(other));
            assert_eq!(joined.percentiles(), all.percentiles());
        }
    }

    #[test]
    fn buckets_cover_all_latencies_without_a_gap() {
        for micros in (0..10_000).chain([1 << 20, (1 << 40) - 1, 1 << 40, u64::MAX]) {
            let end = upper_end(bucket(micros));
            assert!(
                end >= micros && end - micros <= micros / 64,
                "{micros} {end}"
            );
            assert!(
                end == u64::MAX || bucket(end + 1) == bucket(end) + 1,
                "{end}"
            );
        }
    }

    #[test]
    fn very_many_are_nearly_exact_and_take_no_more_memory() {
        let many = of((1..=1_000_000).rev());
        let told = many.percentiles().unwrap();
        assert!(told.approximate && told.max == Micros(1_000_000));
        for (told, exact) in [
            (told.p50, 500_000),
            (told.p90, 900_000),
            (told.p99, 990_000),
        ] {
            assert!(told.0 >= exact && told.0 <= exact + exact / 63, "{told:?}");
        }
        assert!(many.exact.is_empty() && many.buckets.len() < 64 * 64);
    }
}
