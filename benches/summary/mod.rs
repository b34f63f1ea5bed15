//! The copy and the relay compared: measured in turns, so that whatever else the machine does
//! falls on all of them alike, and told as ratios.

use std::fmt;
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use crate::loopback::{Connection, Loopback, Way};
use crate::traffic::Exchange;

/// How often each way has its turn.
const ROUNDS: usize = 15;

/// Round trips of one turn.
const TRIPS: usize = 1_000;

/// Octets of one turn.
const LARGE: u64 = 64 * 1024 * 1024;

/// As [`LARGE`], where an octet takes longer, since every response has its own overhead.
const SMALL: u64 = 6 * 1024 * 1024;

/// The part of a turn that comes before it and is not measured: enough to fill the queue of a
/// transcript file that does not keep up, so that its writing is a part of what is measured.
const BEFORE: u64 = 4;

/// Everything that was measured, as a Markdown table.
pub struct Summary {
    large: Rates,
    small: Rates,
    trips: Trips,
}

impl Summary {
    /// Takes less than a minute.
    pub fn measure(loopback: &Loopback) -> Self {
        let mut summary = Self {
            large: Rates::default(),
            small: Rates::default(),
            trips: Trips::default(),
        };
        let large = Exchange::large_literals();
        let small = Exchange::small_responses();
        for round in 0..ROUNDS {
            // Nobody is always the first.
            for turn in 0..Way::ALL.len() {
                let way = (round + turn) % Way::ALL.len();
                let measured = |measure: &mut dyn FnMut(&mut Connection)| {
                    let mut connection = loopback.connect(Way::ALL[way]);
                    measure(&mut connection);
                    connection.close();
                };
                measured(&mut |c| summary.large.of[way].push(rate(c, &large, LARGE)));
                measured(&mut |c| summary.small.of[way].push(rate(c, &small, SMALL)));
                measured(&mut |c| summary.trips.of[way].extend(trips(c)));
            }
        }
        summary
    }
}

/// MB/s of about so many `octets`.
fn rate(connection: &mut Connection, exchange: &Exchange, octets: u64) -> f64 {
    let times = octets.div_ceil(exchange.octets());
    for _ in 0..times.div_ceil(BEFORE) {
        connection.ask(exchange);
    }
    let begun = Instant::now();
    for _ in 0..times {
        connection.ask(exchange);
    }
    (times * exchange.octets()) as f64 / 1e6 / begun.elapsed().as_secs_f64()
}

fn trips(connection: &mut Connection) -> Vec<Duration> {
    let noop = Exchange::noop();
    let mut trip = || {
        let begun = Instant::now();
        connection.ask(&noop);
        begun.elapsed()
    };
    for _ in 0..TRIPS / 10 {
        trip();
    }
    (0..TRIPS).map(|_| trip()).collect()
}

/// MB/s of every turn of each way.
#[derive(Default)]
struct Rates {
    of: [Vec<f64>; Way::ALL.len()],
}

impl Rates {
    fn median(&self, way: Way) -> f64 {
        median(&self.of[way as usize])
    }

    /// The median of what the way did in a round for what the copy did in the same round.
    fn ratio(&self, way: Way) -> f64 {
        let copied = &self.of[Way::Copy as usize];
        let ratios = self.of[way as usize].iter().zip(copied);
        median(&ratios.map(|(this, copy)| this / copy).collect::<Vec<_>>())
    }
}

/// The time of every round trip of each way.
#[derive(Default)]
struct Trips {
    of: [Vec<Duration>; Way::ALL.len()],
}

impl Trips {
    /// In microseconds.
    fn median(&self, way: Way) -> f64 {
        let micros = self.of[way as usize]
            .iter()
            .map(|trip| trip.as_secs_f64() * 1e6);
        median(&micros.collect::<Vec<_>>())
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{ROUNDS} turns each, on {}. Medians; percentages are of the copy in the same turn:\n",
            machine()
        )?;
        writeln!(f, "| | copy | relay | relay, recording |")?;
        writeln!(f, "|---|---|---|---|")?;
        for (name, rates) in [
            ("large literals", &self.large),
            ("small responses", &self.small),
        ] {
            write!(f, "| {name} | {:.0} MB/s |", rates.median(Way::Copy))?;
            for way in [Way::Relay, Way::Recorded] {
                let percent = 100.0 * rates.ratio(way);
                write!(f, " {:.0} MB/s, {percent:.0} % |", rates.median(way))?;
            }
            writeln!(f)?;
        }
        let copy = self.trips.median(Way::Copy);
        write!(f, "| round trip | {copy:.1} µs, {:.0}/s |", 1e6 / copy)?;
        for way in [Way::Relay, Way::Recorded] {
            let micros = self.trips.median(way);
            write!(f, " {:+.1} µs, {:.0}/s |", micros - copy, 1e6 / micros)?;
        }
        writeln!(f)
    }
}

fn machine() -> String {
    let cores = available_parallelism().map_or(1, usize::from);
    let told = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = told
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or(std::env::consts::ARCH, |(_, model)| model);
    format!("{cores} cores of {model}, {}", std::env::consts::OS)
}
