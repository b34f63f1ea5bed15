//! What is measured of a connection, and how it is told.

use std::time::{Duration, Instant};

use crate::loopback::Connection;
use crate::traffic::Exchange;

/// Round trips of one turn.
const TRIPS: u32 = 1_000;

/// Connections of one turn.
const CONNECTIONS: u32 = 15;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// MB/s on the wire, while an exchange of at least so many octets (inflated) is repeated.
    Rate(u64),
    /// µs of one exchange.
    Trip,
    /// µs from the first packet to the login's answer.
    SetUp,
}

impl Measure {
    /// What one turn of a connection gave.
    pub fn of(self, connection: &mut Connection, exchange: &Exchange) -> f64 {
        match self {
            Self::Rate(octets) => rate(connection, exchange, octets),
            Self::Trip => typical(TRIPS, || {
                let begun = Instant::now();
                connection.ask(exchange);
                begun.elapsed()
            }),
            Self::SetUp => typical(CONNECTIONS, || connection.again()),
        }
    }
}

fn rate(connection: &mut Connection, exchange: &Exchange, octets: u64) -> f64 {
    // What comes before is enough to fill the queue of a transcript file that does not keep up, so
    // that its writing is a part of what is measured.
    const BEFORE: u64 = 4;
    let times = octets.div_ceil(exchange.inflated_octets());
    for _ in 0..times.div_ceil(BEFORE) {
        connection.ask(exchange);
    }
    let begun = Instant::now();
    for _ in 0..times {
        connection.ask(exchange);
    }
    (times * exchange.octets()) as f64 / 1e6 / begun.elapsed().as_secs_f64()
}

/// The median of so many, in microseconds; some more come before and are not counted.
fn typical(times: u32, mut once: impl FnMut() -> Duration) -> f64 {
    for _ in 0..times / 10 {
        once();
    }
    let micros: Vec<f64> = (0..times).map(|_| once().as_secs_f64() * 1e6).collect();
    median(&micros)
}

/// The one in the middle.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}
