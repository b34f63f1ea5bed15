//! Limits on what a session may cost: `commands=70,bytes=1MiB,round-trips=40`.
//!
//! Each is on a sum over all connections: `bytes` (both ways), `bytes-client`, `bytes-server`,
//! `commands`, `connections`, `literals`, `round-trips`, `waiting` (a time, such as `2s`), and `waste`
//! (items of it, capabilities that were not used apart: nothing was lost by them yet). Octets may have a unit: `B`, `kB`, `KiB`, `MB`, `MiB`, `GB`, `GiB`. A figure that is
//! equal to its limit is within it.

use super::Summary;
use super::waste::Kind;
use crate::error::{Error, Result};
use crate::event::Micros;
use crate::event::json::Object;
use crate::figure;

/// What a limit is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    Count,
    Octets,
    Time,
}

const NAMES: [(&str, Of); 9] = [
    ("bytes", Of::Octets),
    ("bytes-client", Of::Octets),
    ("bytes-server", Of::Octets),
    ("commands", Of::Count),
    ("connections", Of::Count),
    ("literals", Of::Count),
    ("round-trips", Of::Count),
    ("waiting", Of::Time),
    ("waste", Of::Count),
];

/// Limits, each on a figure.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    limits: Vec<(&'static str, Of, u64)>,
}

/// A limit and its figure; of times, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What it is on.
    pub name: &'static str,
    of: Of,
    /// The limit.
    pub limit: u64,
    /// What it came to.
    pub figure: u64,
}

impl Budget {
    /// Adds the limits in `text`.
    ///
    /// # Errors
    ///
    /// It is none: what is wrong, and what to write.
    pub fn add(&mut self, text: &str) -> Result<()> {
        for part in text.split(',') {
            let no = |why: String| {
                Err(Error::new(format!("read the budget {text:?}"), why)
                    .hint("--budget commands=70,bytes=1MiB,round-trips=40"))
            };
            let Some((name, value)) = part.split_once('=') else {
                return no(format!("{part:?} is no NAME=LIMIT"));
            };
            let known = NAMES.iter().find(|(known, _)| *known == name.trim());
            let Some((name, of)) = known else {
                let names: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
                return no(format!(
                    "no figure is called {name:?}, but {}",
                    names.join(", ")
                ));
            };
            let limit = match of {
                Of::Count => value.trim().parse().ok(),
                Of::Octets => octets(value.trim()),
                Of::Time => time(value.trim()),
            };
            let Some(limit) = limit else {
                let wanted = match of {
                    Of::Count => "a whole number",
                    Of::Octets => "octets, such as 4096 or 1MiB",
                    Of::Time => "a time, such as 500ms or 2s",
                };
                return no(format!("{name} wants {wanted}, not {value:?}"));
            };
            self.limits.push((name, *of, limit));
        }
        Ok(())
    }

    /// Whether there is no limit.
    pub fn is_empty(&self) -> bool {
        self.limits.is_empty()
    }

    /// Each limit with its figure, in the order in which they were given.
    pub fn verdicts(&self, summary: &Summary) -> Vec<Verdict> {
        let sums = &summary.sums;
        let figure = |name| match name {
            "bytes" => sums.bytes(),
            "bytes-client" => sums.bytes_client,
            "bytes-server" => sums.bytes_server,
            "commands" => sums.commands,
            "connections" => sums.connections,
            "literals" => sums.literals,
            "round-trips" => sums.round_trips,
            "waiting" => sums.waiting.0,
            _ => {
                let items = summary.waste.iter();
                items
                    .filter(|item| item.kind != Kind::UnusedCapability)
                    .count() as u64
            }
        };
        let verdict = |&(name, of, limit): &(&'static str, Of, u64)| Verdict {
            name,
            of,
            limit,
            figure: figure(name),
        };
        self.limits.iter().map(verdict).collect()
    }
}

impl Verdict {
    /// Whether the figure is beyond the limit.
    pub fn is_exceeded(&self) -> bool {
        self.figure > self.limit
    }

    /// Its limit or its figure, for people.
    pub fn shown(&self, number: u64) -> String {
        match self.of {
            Of::Count => figure::count(number),
            Of::Octets => figure::octets(number),
            Of::Time => figure::duration(Micros(number)),
        }
    }

    pub(super) fn write_json(&self, out: &mut Vec<u8>) {
        let mut row = Object::open(out);
        row.string("name", self.name);
        match self.of {
            Of::Time => {
                row.time("limit", Micros(self.limit));
                row.time("figure", Micros(self.figure));
            }
            Of::Count | Of::Octets => {
                row.number("limit", self.limit);
                row.number("figure", self.figure);
            }
        }
        row.name("exceeded")
            .extend_from_slice(match self.is_exceeded() {
                true => b"true",
                false => b"false",
            });
        row.close();
    }
}

/// `4096`, `1MiB`, `1.5 kB`
fn octets(text: &str) -> Option<u64> {
    let size: bytesize::ByteSize = text.parse().ok()?;
    Some(size.as_u64())
}

/// `500ms`, `2s`; a number needs its unit.
fn time(text: &str) -> Option<u64> {
    let time = humantime::parse_duration(text).ok()?;
    u64::try_from(time.as_micros()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Sums;

    fn budget(text: &str) -> Result<Budget> {
        let mut budget = Budget::default();
        budget.add(text).map(|()| budget)
    }

    #[test]
    fn limits_are_read_and_held_against_the_figures() {
        let budget = budget("commands=70, bytes=1MiB,round-trips=40,waiting=500ms").unwrap();
        let sums = Sums {
            commands: 70,
            bytes_client: 1 << 20,
            bytes_server: 1,
            round_trips: 41,
            ..Sums::default()
        };
        let summary = Summary {
            sums,
            ..Summary::default()
        };
        let verdicts = budget.verdicts(&summary);
        let exceeded: Vec<&str> = verdicts
            .iter()
            .filter(|verdict| verdict.is_exceeded())
            .map(|verdict| verdict.name)
            .collect();
        assert_eq!(exceeded, ["bytes", "round-trips"]);
        assert_eq!(verdicts[1].shown(verdicts[1].limit), "1.0 MiB");
        assert_eq!(verdicts[3].limit, 500_000);
    }

    #[test]
    fn what_is_no_budget_is_told_with_what_to_write() {
        for (text, why) in [
            ("", "\"\" is no NAME=LIMIT"),
            ("commands", "no NAME=LIMIT"),
            ("fetches=3", "but bytes, bytes-client"),
            ("commands=-1", "a whole number"),
            ("bytes=many", "octets, such as"),
            ("waiting=3", "a time, such as"),
            ("commands=1,", "no NAME=LIMIT"),
        ] {
            let error = budget(text).unwrap_err().to_string();
            assert!(
                error.contains(why) && error.contains("--budget commands=70"),
                "{error}"
            );
        }
    }
}
