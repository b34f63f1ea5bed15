//! Limits on what a session may cost: `commands=70,bytes=1MiB,round-trips=40,max:SELECT=500ms`.
//!
//! | name | what |
//! |---|---|
//! | `bytes`, `bytes-client`, `bytes-server` | octets of both, of the app, of the server |
//! | `commands`, `unanswered` | commands, and those without a tagged response |
//! | `literals`, `round-trips` | as in the tables |
//! | `p50`, `p90`, `p99`, `max` | latencies, of all commands but IDLE |
//! | `connections` | how many |
//! | `waiting` | the time with a command in flight, of all connections together |
//! | `duration`, `setup`, `first-mail` | of the connection with the longest |
//! | `waste` | items of it, capabilities that were not used apart: nothing was lost by them yet |
//!
//! All but those from `connections` to `first-mail` take a name behind a colon: a command's (`max:SELECT`;
//! `FETCH` stands for UID FETCH too, `UID FETCH` for itself), or a kind of waste (`waste:fetched-twice`).
//! Octets may have a unit (`B`, `kB`, `KiB`, `MB`, `MiB`, `GB`, `GiB`), times need one (`500ms`, `2s`). A
//! figure that is equal to its limit is within it, and so is one that was not measured because no command
//! of the name was answered.

use super::percentile::{Latencies, Percentiles};
use super::summary::nullable;
use super::waste::Kind;
use super::{CommandFigures, ConnectionFigures, Summary};
use crate::error::{Error, Result};
use crate::event::json::Object;
use crate::event::{Micros, Times};
use crate::figure;
use crate::protocol::imap::is_command;

/// What a limit is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    Count,
    Octets,
    Time,
}

/// What may stand behind a colon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Takes {
    Nothing,
    Command,
    Waste,
}

/// A figure that there may be a limit on.
#[derive(Debug, PartialEq, Eq)]
struct Figure {
    name: &'static str,
    of: Of,
    takes: Takes,
}

const fn figure(name: &'static str, of: Of, takes: Takes) -> Figure {
    Figure { name, of, takes }
}

static FIGURES: [Figure; 16] = [
    figure("bytes", Of::Octets, Takes::Command),
    figure("bytes-client", Of::Octets, Takes::Command),
    figure("bytes-server", Of::Octets, Takes::Command),
    figure("commands", Of::Count, Takes::Command),
    figure("connections", Of::Count, Takes::Nothing),
    figure("duration", Of::Time, Takes::Nothing),
    figure("first-mail", Of::Time, Takes::Nothing),
    figure("literals", Of::Count, Takes::Command),
    figure("max", Of::Time, Takes::Command),
    figure("p50", Of::Time, Takes::Command),
    figure("p90", Of::Time, Takes::Command),
    figure("p99", Of::Time, Takes::Command),
    figure("round-trips", Of::Count, Takes::Command),
    figure("setup", Of::Time, Takes::Nothing),
    figure("unanswered", Of::Count, Takes::Command),
    figure("waiting", Of::Time, Takes::Nothing),
];

/// The one that counts what was wasted.
static WASTE: Figure = figure("waste", Of::Count, Takes::Waste);

/// Limits, each on a figure.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    limits: Vec<Limit>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Limit {
    figure: &'static Figure,
    /// A command's name, upper case, or the id of a kind of waste.
    only: Option<String>,
    limit: u64,
}

/// A limit and its figure; of times, in microseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What it is on.
    pub name: String,
    of: Of,
    /// The limit.
    pub limit: u64,
    /// What it came to; `None` where nothing was measured.
    pub figure: Option<u64>,
}

impl Budget {
    /// Adds the limits in `text`.
    ///
    /// # Errors
    ///
    /// It is none: what is wrong, and what to write.
    pub fn add(&mut self, text: &str) -> Result<()> {
        for part in text.split(',') {
            let limit = Limit::read(part).map_err(|why| {
                Error::new(format!("read the budget {text:?}"), why)
                    .hint("--budget commands=70,bytes=1MiB,round-trips=40,max:SELECT=500ms")
            })?;
            self.limits.push(limit);
        }
        Ok(())
    }

    /// Whether there is no limit.
    pub fn is_empty(&self) -> bool {
        self.limits.is_empty()
    }

    /// Each limit with its figure, in the order in which they were given.
    ///
    /// # Errors
    ///
    /// One is on a time, and nobody knows when something was said.
    pub fn verdicts(&self, summary: &Summary) -> Result<Vec<Verdict>> {
        let is_time = |limit: &&Limit| limit.figure.of == Of::Time;
        let untold = summary.times == Times::Untold;
        if let Some(limit) = self.limits.iter().find(is_time).filter(|_| untold) {
            let why = "the recording does not say when something was said";
            return Err(Error::new(format!("measure {}", limit.name()), why)
                .hint("a transcript, or limits on counts and octets"));
        }
        let verdict = |limit: &Limit| Verdict {
            name: limit.name(),
            of: limit.figure.of,
            limit: limit.limit,
            figure: limit.of(summary),
        };
        Ok(self.limits.iter().map(verdict).collect())
    }
}

impl Limit {
    /// `max:SELECT=500ms`; or why it is none.
    fn read(part: &str) -> std::result::Result<Self, String> {
        let Some((name, value)) = part.split_once('=') else {
            return Err(format!("{part:?} is no NAME=LIMIT"));
        };
        let (name, only) = match name.split_once(':') {
            Some((name, only)) => (name.trim(), Some(only.trim())),
            None => (name.trim(), None),
        };
        let all = || FIGURES.iter().chain([&WASTE]);
        let Some(figure) = all().find(|figure| figure.name == name) else {
            let names: Vec<&str> = all().map(|figure| figure.name).collect();
            return Err(format!(
                "no figure is called {name:?}, but {}",
                names.join(", ")
            ));
        };
        let limit = match figure.of {
            Of::Count => value.trim().parse().ok(),
            Of::Octets => octets(value.trim()),
            Of::Time => time(value.trim()),
        };
        let Some(limit) = limit else {
            let wanted = match figure.of {
                Of::Count => "a whole number",
                Of::Octets => "octets, such as 4096 or 1MiB",
                Of::Time => "a time, such as 500ms or 2s",
            };
            return Err(format!("{name} wants {wanted}, not {value:?}"));
        };
        let only = only.map(|only| figure.only(only)).transpose()?;
        Ok(Self {
            figure,
            only,
            limit,
        })
    }

    fn name(&self) -> String {
        match &self.only {
            Some(only) => format!("{}:{only}", self.figure.name),
            None => self.figure.name.to_owned(),
        }
    }

    fn of(&self, summary: &Summary) -> Option<u64> {
        let only = self.only.as_deref();
        match self.figure.takes {
            Takes::Waste => {
                let is_counted = |kind: Kind| match only {
                    Some(only) => kind.id() == only,
                    None => kind != Kind::UnusedCapability,
                };
                let items = summary.waste.iter().filter(|item| is_counted(item.kind));
                Some(items.count() as u64)
            }
            Takes::Nothing => self.of_connections(summary),
            Takes::Command => self.of_commands(summary, only),
        }
    }

    fn of_connections(&self, summary: &Summary) -> Option<u64> {
        let longest = |time: fn(&ConnectionFigures) -> Option<Micros>| {
            let times = summary.connections.iter().filter_map(time);
            times.max().map(|time| time.0)
        };
        match self.figure.name {
            "connections" => Some(summary.sums.connections),
            "duration" => longest(|one| Some(one.duration)),
            "first-mail" => longest(|one| one.first_message),
            "setup" => longest(|one| one.setup),
            _ => Some(summary.sums.waiting.0),
        }
    }

    fn of_commands(&self, summary: &Summary, only: Option<&str>) -> Option<u64> {
        let sums = &summary.sums;
        // What belongs to no command is in the sums, too.
        match (self.figure.name, only) {
            ("bytes", None) => return Some(sums.bytes()),
            ("bytes-client", None) => return Some(sums.bytes_client),
            ("bytes-server", None) => return Some(sums.bytes_server),
            ("literals", None) => return Some(sums.literals),
            _ => {}
        }
        let rows = summary.commands.iter();
        let rows = rows.filter(|(name, _)| match only {
            Some(only) => *name == only || name.strip_prefix("UID ") == Some(only),
            None => true,
        });
        let sum = |of: fn(&CommandFigures) -> u64| Some(rows.clone().map(|(_, row)| of(row)).sum());
        let latency = |of: fn(Percentiles) -> Micros| {
            let mut all = Latencies::default();
            for (name, row) in rows.clone() {
                if name != "IDLE" || only.is_some() {
                    all.join(&row.latencies);
                }
            }
            all.percentiles().map(|told| of(told).0)
        };
        match self.figure.name {
            "bytes" => sum(|row| row.bytes_client + row.bytes_server),
            "bytes-client" => sum(|row| row.bytes_client),
            "bytes-server" => sum(|row| row.bytes_server),
            "commands" => sum(|row| row.count),
            "literals" => sum(|row| row.literals_client + row.literals_server),
            "round-trips" => sum(|row| row.round_trips),
            "unanswered" => sum(|row| row.unanswered),
            "p50" => latency(|told| told.p50),
            "p90" => latency(|told| told.p90),
            "p99" => latency(|told| told.p99),
            _ => latency(|told| told.max),
        }
    }
}

impl Figure {
    /// What stands behind the colon, as it is compared.
    fn only(&self, only: &str) -> std::result::Result<String, String> {
        let name = self.name;
        match self.takes {
            Takes::Nothing => Err(format!("{name} is of all together, and not of {only:?}")),
            Takes::Command if only.is_empty() => {
                Err(format!("a command's name belongs behind {name}:"))
            }
            Takes::Command if !is_command(&only.to_ascii_uppercase()) => Err(format!(
                "{only} is no command of IMAP that mailscope knows, and so would never be over"
            )),
            Takes::Command => Ok(only.to_ascii_uppercase()),
            Takes::Waste if Kind::ALL.iter().any(|kind| kind.id() == only) => Ok(only.to_owned()),
            Takes::Waste => {
                let kinds: Vec<&str> = Kind::ALL.iter().map(|kind| kind.id()).collect();
                Err(format!(
                    "no kind of waste is called {only:?}, but {}",
                    kinds.join(", ")
                ))
            }
        }
    }
}

impl Verdict {
    /// Whether the figure is beyond the limit.
    pub fn is_exceeded(&self) -> bool {
        self.figure.is_some_and(|figure| figure > self.limit)
    }

    /// Its limit or its figure, for people.
    pub fn shown(&self, number: Option<u64>) -> String {
        match (number, self.of) {
            (None, _) => "none".to_owned(),
            (Some(number), Of::Count) => figure::count(number),
            (Some(number), Of::Octets) => figure::octets(number),
            (Some(number), Of::Time) => figure::duration(Micros(number)),
        }
    }

    /// Figure and limit for people: exact where both would read alike and are not.
    pub fn both_shown(&self) -> (String, String) {
        let shown = (self.shown(self.figure), self.shown(Some(self.limit)));
        let exact = |number: u64| match self.of {
            Of::Octets => figure::counted(number, "octet"),
            Of::Time => format!("{number} µs"),
            Of::Count => figure::count(number),
        };
        match self.figure {
            Some(figure) if shown.0 == shown.1 && figure != self.limit => {
                (exact(figure), exact(self.limit))
            }
            _ => shown,
        }
    }

    pub(super) fn write_json(&self, out: &mut Vec<u8>) {
        let mut row = Object::open(out);
        row.string("name", &self.name);
        for (name, number) in [("limit", Some(self.limit)), ("figure", self.figure)] {
            match (self.of, number) {
                (Of::Count | Of::Octets, Some(number)) => row.number(name, number),
                (_, number) => nullable(&mut row, name, number.map(Micros)),
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
    use crate::stats::waste::Waste;

    fn budget(text: &str) -> Result<Budget> {
        let mut budget = Budget::default();
        budget.add(text).map(|()| budget)
    }

    fn exceeded(text: &str, summary: &Summary) -> Vec<String> {
        let verdicts = budget(text).unwrap().verdicts(summary).unwrap();
        let exceeded = verdicts.into_iter().filter(Verdict::is_exceeded);
        exceeded.map(|verdict| verdict.name).collect()
    }

    fn row(count: u64, octets: u64, latencies: &[u64]) -> CommandFigures {
        let mut row = CommandFigures {
            count,
            bytes_client: octets,
            bytes_server: 10 * octets,
            round_trips: count,
            ..CommandFigures::default()
        };
        for millis in latencies {
            row.latencies.add(Micros(1000 * millis));
        }
        row
    }

    fn summary() -> Summary {
        let commands = [
            ("FETCH", row(1, 100, &[40])),
            ("UID FETCH", row(3, 1000, &[10, 20, 300])),
            ("IDLE", row(1, 10, &[5000])),
            ("NOOP", row(65, 1, &[1])),
        ];
        let one = ConnectionFigures {
            duration: Micros(9_000_000),
            setup: Some(Micros(30_000)),
            ..ConnectionFigures::default()
        };
        Summary {
            commands: commands.map(|(name, row)| (name.to_owned(), row)).into(),
            connections: vec![one, ConnectionFigures::default()],
            sums: Sums {
                commands: 70,
                bytes_client: 1 << 20,
                bytes_server: 1,
                round_trips: 70,
                ..Sums::default()
            },
            waste: vec![Kind::Polling.at(1, 5), Kind::UnusedCapability.at(1, 0)],
            ..Summary::default()
        }
    }

    #[test]
    fn limits_are_read_and_held_against_the_figures() {
        let summary = summary();
        let limits = "commands=70, bytes=1MiB,round-trips=40,waiting=500ms";
        assert_eq!(exceeded(limits, &summary), ["bytes", "round-trips"]);
        let verdicts = budget(limits).unwrap().verdicts(&summary).unwrap();
        assert_eq!(verdicts[1].shown(Some(verdicts[1].limit)), "1.0 MiB");
        assert_eq!(verdicts[3].limit, 500_000);
    }

    #[test]
    fn a_figure_just_beyond_its_limit_is_told_exactly() {
        let shown = |limits: &str| {
            let verdicts = budget(limits).unwrap().verdicts(&summary()).unwrap();
            verdicts[0].both_shown()
        };
        let both = |one: &str, two: &str| (one.to_owned(), two.to_owned());
        assert_eq!(
            shown("bytes=1MiB"),
            both("1,048,577 octets", "1,048,576 octets")
        );
        assert_eq!(shown("bytes=1048577"), both("1.0 MiB", "1.0 MiB"));
        assert_eq!(shown("bytes=1KiB"), both("1.0 MiB", "1.0 KiB"));
    }

    #[test]
    fn commands_kinds_of_waste_and_times_have_limits_of_their_own() {
        let summary = summary();
        for (within, beyond) in [
            ("commands:FETCH=4", "commands:FETCH=3"),
            ("commands:uid fetch=3", "commands:uid fetch=2"),
            ("bytes:FETCH=12100", "bytes:FETCH=12099"),
            ("max:FETCH=300ms", "max:FETCH=299ms"),
            ("p50:FETCH=20ms", "p50:FETCH=19ms"),
            ("max=300ms", "max=299ms"),
            ("max:IDLE=5s", "max:IDLE=4s"),
            ("round-trips:NOOP=65", "round-trips:NOOP=64"),
            ("duration=9s", "duration=8s"),
            ("setup=30ms", "setup=29ms"),
            ("waste=1", "waste=0"),
            ("waste:polling=1", "waste:polling=0"),
            ("waste:unused-capability=1", "waste:unused-capability=0"),
        ] {
            assert!(exceeded(within, &summary).is_empty(), "{within}");
            assert_eq!(exceeded(beyond, &summary).len(), 1, "{beyond}");
        }
        for none in ["max:SELECT=0s", "first-mail=0s", "waste:status-loop=0"] {
            assert!(exceeded(none, &summary).is_empty(), "{none}");
        }
        let verdicts = budget("max:SELECT=1s").unwrap().verdicts(&summary).unwrap();
        assert_eq!(verdicts[0].shown(verdicts[0].figure), "none");
    }

    #[test]
    fn times_are_no_limit_where_there_are_none() {
        let mut summary = summary();
        summary.times = Times::Untold;
        let waste: Vec<Waste> = Vec::new();
        summary.waste = waste;
        assert!(
            budget("commands=70,waste=0")
                .unwrap()
                .verdicts(&summary)
                .is_ok()
        );
        let error = budget("max:SELECT=1s")
            .unwrap()
            .verdicts(&summary)
            .unwrap_err();
        assert!(error.to_string().contains("measure max:SELECT"), "{error}");
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
            ("commands:=1", "behind commands:"),
            ("max:SELCT=1ms", "SELCT is no command"),
            ("connections:FETCH=1", "of all together"),
            ("waste:fetches=1", "but fetched-twice, part-of-whole"),
        ] {
            let error = budget(text).unwrap_err().to_string();
            assert!(
                error.contains(why) && error.contains("--budget commands=70"),
                "{error}"
            );
        }
    }
}
