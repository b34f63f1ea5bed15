//! One exchange on several routes, measured in turns.

use std::fmt;

use super::measure::{Measure, median};
use crate::loopback::{Loopback, Route, Session, Way};
use crate::traffic::Exchange;

/// What is measured, of which exchange, and what came out so far.
pub struct Comparison {
    name: &'static str,
    measure: Measure,
    exchange: Exchange,
    /// A value of each turn.
    turns: Vec<(Route, Vec<f64>)>,
}

impl Comparison {
    /// Nothing is measured yet.
    pub fn new(name: &'static str, measure: Measure, exchange: Exchange, routes: &[Route]) -> Self {
        Self {
            name,
            measure,
            exchange,
            turns: routes.iter().map(|&route| (route, Vec::new())).collect(),
        }
    }

    /// Gives each route a turn. In another round another one is the first, and stands behind another
    /// one, whose transcript the system may still be writing.
    pub fn turn(&mut self, loopback: &Loopback, round: usize) {
        // Their number is a prime, so that with any stride each has its turn.
        let routes = self.turns.len();
        let stride = 1 + round % (routes - 1);
        for next in 0..routes {
            let (route, values) = &mut self.turns[(round + next * stride) % routes];
            let mut connection = loopback.connect(*route);
            values.push(self.measure.of(&mut connection, &self.exchange));
            connection.close();
        }
    }

    fn values(&self, route: Route) -> Option<&[f64]> {
        let mut turns = self.turns.iter();
        turns
            .find(|(of, _)| *of == route)
            .map(|(_, values)| &**values)
    }

    /// The median of what the route did in a round, made one with what its base did in that round.
    fn against_base(&self, route: Route, join: impl Fn(f64, f64) -> f64) -> Option<f64> {
        let (values, base) = (self.values(route)?, self.values(route.base())?);
        let joined = values
            .iter()
            .zip(base)
            .map(|(&this, &base)| join(this, base));
        Some(median(&joined.collect::<Vec<_>>()))
    }

    /// A route's cell of the table: what came out, and what that is of (or more than) its base's.
    fn cell(&self, route: Route) -> Option<String> {
        let typical = median(self.values(route)?);
        let is_base = route.base() == route;
        Some(match self.measure {
            Measure::Rate(_) => {
                let ratio = self.against_base(route, |this, base| this / base)?;
                let mut cell = self.rate(typical);
                if !is_base {
                    cell.push_str(&format!(", {:.0} %", 100.0 * ratio));
                }
                cell
            }
            Measure::Trip | Measure::SetUp if is_base => format!("{typical:.1} µs"),
            Measure::Trip | Measure::SetUp => {
                let more = self.against_base(route, |this, base| this - base)?;
                format!("{more:+.1} µs")
            }
        })
    }

    fn rate(&self, wire: f64) -> String {
        match self.exchange.inflated {
            None => format!("{wire:.0} MB/s"),
            Some(inflated) => {
                let inflated = wire * inflated as f64 / self.exchange.octets() as f64;
                format!("{wire:.0} MB/s ({inflated:.0} inflated)")
            }
        }
    }
}

/// Its rows of the table, one a session.
impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for session in Session::ALL {
            let cells = Way::ALL.map(|way| self.cell(Route { way, session }));
            if cells.iter().all(Option::is_none) {
                continue;
            }
            write!(f, "| {}, {} |", self.name, session.name())?;
            for cell in cells {
                write!(f, " {} |", cell.unwrap_or_default())?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}
