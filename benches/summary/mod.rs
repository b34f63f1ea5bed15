//! The copy and the relay compared: measured in turns, so that whatever else the machine does
//! falls on all of them alike, and told as ratios.

mod comparison;
mod measure;

use std::fmt;
use std::thread::available_parallelism;

use crate::loopback::{Loopback, Route};
use crate::traffic::Exchange;
use comparison::Comparison;
use measure::Measure;

/// How often each route has its turn.
const ROUNDS: usize = 15;

/// Octets of one turn.
const LARGE: Measure = Measure::Rate(64 * 1024 * 1024);

/// As [`LARGE`], where an octet takes longer, since every response has its own overhead.
const SMALL: Measure = Measure::Rate(6 * 1024 * 1024);

/// Everything that was measured, as a Markdown table.
pub struct Summary {
    comparisons: [Comparison; 8],
}

impl Summary {
    /// Takes some minutes.
    pub fn measure(loopback: &Loopback) -> Self {
        let plain = |name, measure, exchange: Exchange| {
            Comparison::new(name, measure, exchange, &Route::PLAIN)
        };
        let compressed = |name, measure, exchange: Exchange| {
            Comparison::new(name, measure, exchange.deflated(), &Route::COMPRESSED)
        };
        let mut comparisons = [
            plain("large literals", LARGE, Exchange::large_literals()),
            plain("small responses", SMALL, Exchange::small_responses()),
            plain("round trip", Measure::Trip, Exchange::noop()),
            plain("set-up", Measure::SetUp, Exchange::login()),
            compressed("large literals", LARGE, Exchange::large_literals()),
            compressed("mails of 24 KiB", LARGE, Exchange::letters()),
            compressed("small responses", SMALL, Exchange::small_responses()),
            compressed("round trip", Measure::Trip, Exchange::noop()),
        ];
        for round in 0..ROUNDS {
            for comparison in &mut comparisons {
                comparison.turn(loopback, round);
            }
        }
        Self { comparisons }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let machine = machine();
        writeln!(
            f,
            "{ROUNDS} turns each, on {machine}. Medians. Percentages and differences are to"
        )?;
        writeln!(
            f,
            "the copy in the same round; with STARTTLS, to TLS at once in the same column.\n"
        )?;
        writeln!(f, "| | copy | relay | relay, recording |")?;
        writeln!(f, "|---|---|---|---|")?;
        self.comparisons
            .iter()
            .try_for_each(|comparison| comparison.fmt(f))
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
