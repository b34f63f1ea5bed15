//! The figures, and how they are written as JSON: seconds and octets.
//!
//! ```text
//! {"commands":{"FETCH":{"count":3,"p50":0.1,"p90":0.1,"p99":0.1,"max":0.1,"bytes_client":1,
//!   "bytes_server":1,"round_trips":1,"literals_client":0,"literals_server":0,"unanswered":0}},
//!  "connections":[{"conn":1,"server":"imap.example.com:993","duration":5.2,"setup":0.03,
//!   "time_to_first_message":2.06,"waiting":0.8,"idle":4.4,"idling":2.8,"commands":11,
//!   "round_trips":10,"bytes_client":1,"bytes_server":1,"bytes_unattributed":1,"notes":0}],
//!  "waste":[{"kind":"status-loop","conn":1,"count":3,"octets":0,"seconds":0.2,"round_trips":2,
//!   "commands":[7,9,12],"further_commands":0,"figure":"...","better":"...","clause":"RFC 5819, 2"}],
//!  "totals":{"connections":1,"commands":11,"round_trips":10,"bytes":2,"bytes_client":1,
//!   "bytes_server":1,"literals":0,"waiting":0.8},
//!  "budget":[{"name":"commands","limit":70,"figure":11,"exceeded":false}]}
//! ```
//!
//! A JSON Schema of it is [`SCHEMA`](super::SCHEMA). Where the recording does not say when something was
//! said, all times are `null`. `p50` to `max` are `null` where no command of the name was answered, and `"approximate":true`
//! stands there where there were too many to keep ([`percentile`](super::percentile)). `setup` and
//! `time_to_first_message` are `null` where there was no greeting, or no message. Of connections the
//! first [`limits::STATS_CONNECTIONS`](crate::limits::STATS_CONNECTIONS) are listed, all are in
//! `totals`; waste of others has `"conn":null`, and so has what concerns more than one. Its
//! `commands` are the first few, `further_commands` the number of the others. `budget` is there with
//! `--budget` alone.

use std::collections::BTreeMap;

use super::budget::Verdict;
use super::percentile::Latencies;
use super::waste::Waste;
use crate::event::json::{Object, write_array, write_number};
use crate::event::{Micros, Times};

/// What a run came to.
#[derive(Debug, Default)]
pub struct Summary {
    /// By name.
    pub commands: BTreeMap<String, CommandFigures>,
    /// In the order of their numbers.
    pub connections: Vec<ConnectionFigures>,
    /// All connections together.
    pub sums: Sums,
    /// By kind and connection.
    pub waste: Vec<Waste>,
    /// Whether it is known when something was said.
    pub times: Times,
}

/// Commands of one name.
#[derive(Debug, Default)]
pub struct CommandFigures {
    /// How many.
    pub count: u64,
    /// Those without a tagged response.
    pub unanswered: u64,
    /// How long answers took.
    pub latencies: Latencies,
    /// Octets of the app.
    pub bytes_client: u64,
    /// Octets of the server.
    pub bytes_server: u64,
    /// Literals of the app.
    pub literals_client: u64,
    /// Literals of the server.
    pub literals_server: u64,
    /// Round trips that they began.
    pub round_trips: u64,
}

/// One connection.
#[derive(Clone, Debug, Default)]
pub struct ConnectionFigures {
    /// Its number.
    pub conn: u64,
    /// The server that it was for.
    pub server: String,
    /// From its first event to its last.
    pub duration: Micros,
    /// Up to the greeting.
    pub setup: Option<Micros>,
    /// Up to the first message.
    pub first_message: Option<Micros>,
    /// With a command in flight.
    pub waiting: Micros,
    /// Without.
    pub idle: Micros,
    /// Of that, in IDLE.
    pub idling: Micros,
    /// Commands.
    pub commands: u64,
    /// Round trips.
    pub round_trips: u64,
    /// Octets of the app.
    pub bytes_client: u64,
    /// Octets of the server.
    pub bytes_server: u64,
    /// Octets of the server that belong to no command.
    pub bytes_unattributed: u64,
    /// Literals of both.
    pub literals: u64,
    /// What mailscope noticed.
    pub notes: u64,
}

/// All connections together.
#[derive(Clone, Debug, Default)]
pub struct Sums {
    /// How many.
    pub connections: u64,
    /// Commands.
    pub commands: u64,
    /// Round trips.
    pub round_trips: u64,
    /// Octets of the app.
    pub bytes_client: u64,
    /// Octets of the server.
    pub bytes_server: u64,
    /// Literals of both.
    pub literals: u64,
    /// With a command in flight, each connection by itself.
    pub waiting: Micros,
}

impl Sums {
    /// Octets of both.
    pub fn bytes(&self) -> u64 {
        self.bytes_client + self.bytes_server
    }

    pub(super) fn add(&mut self, connection: &ConnectionFigures) {
        self.connections += 1;
        self.commands += connection.commands;
        self.round_trips += connection.round_trips;
        self.bytes_client += connection.bytes_client;
        self.bytes_server += connection.bytes_server;
        self.literals += connection.literals;
        self.waiting.0 += connection.waiting.0;
    }
}

impl Summary {
    /// Adds it as one line of JSON.
    pub fn write_json(&self, out: &mut Vec<u8>, budget: Option<&[Verdict]>) {
        let mut whole = Object::open(out);
        let mut rows = Object::open(whole.name("commands"));
        for (name, row) in &self.commands {
            row.write_json(rows.key(name));
        }
        rows.close();
        write_array(
            whole.name("connections"),
            &self.connections,
            |out, connection| {
                connection.write_json(out, self.times);
            },
        );
        write_array(whole.name("waste"), &self.waste, |out, waste| {
            waste.write_json(out, self.times)
        });
        self.sums.write_json(whole.name("totals"), self.times);
        if let Some(budget) = budget {
            write_array(whole.name("budget"), budget, |out, verdict| {
                verdict.write_json(out)
            });
        }
        whole.close();
        out.push(b'\n');
    }
}

impl CommandFigures {
    fn write_json(&self, out: &mut Vec<u8>) {
        let told = self.latencies.percentiles();
        let mut row = Object::open(out);
        row.number("count", self.count);
        nullable(&mut row, "p50", told.map(|told| told.p50));
        nullable(&mut row, "p90", told.map(|told| told.p90));
        nullable(&mut row, "p99", told.map(|told| told.p99));
        nullable(&mut row, "max", told.map(|told| told.max));
        row.flag("approximate", told.is_some_and(|told| told.approximate));
        row.number("bytes_client", self.bytes_client);
        row.number("bytes_server", self.bytes_server);
        row.number("round_trips", self.round_trips);
        row.number("literals_client", self.literals_client);
        row.number("literals_server", self.literals_server);
        row.number("unanswered", self.unanswered);
        row.close();
    }
}

impl ConnectionFigures {
    fn write_json(&self, out: &mut Vec<u8>, times: Times) {
        let mut row = Object::open(out);
        row.number("conn", self.conn);
        row.string("server", &self.server);
        for (name, time) in [
            ("duration", Some(self.duration)),
            ("setup", self.setup),
            ("time_to_first_message", self.first_message),
            ("waiting", Some(self.waiting)),
            ("idle", Some(self.idle)),
            ("idling", Some(self.idling)),
        ] {
            nullable(&mut row, name, time.filter(|_| times == Times::Told));
        }
        row.number("commands", self.commands);
        row.number("round_trips", self.round_trips);
        row.number("bytes_client", self.bytes_client);
        row.number("bytes_server", self.bytes_server);
        row.number("bytes_unattributed", self.bytes_unattributed);
        row.number("literals", self.literals);
        row.number("notes", self.notes);
        row.close();
    }
}

impl Sums {
    fn write_json(&self, out: &mut Vec<u8>, times: Times) {
        let mut row = Object::open(out);
        row.number("connections", self.connections);
        row.number("commands", self.commands);
        row.number("round_trips", self.round_trips);
        row.number("bytes", self.bytes());
        row.number("bytes_client", self.bytes_client);
        row.number("bytes_server", self.bytes_server);
        row.number("literals", self.literals);
        let waiting = Some(self.waiting).filter(|_| times == Times::Told);
        nullable(&mut row, "waiting", waiting);
        row.close();
    }
}

impl Waste {
    fn write_json(&self, out: &mut Vec<u8>, times: Times) {
        let mut item = Object::open(out);
        item.string("kind", self.kind.id());
        match self.conn {
            Some(conn) => item.number("conn", conn),
            None => item.nullable("conn", None),
        }
        item.optional("capability", self.capability);
        item.number("count", self.count);
        item.number("octets", self.octets);
        let time = Some(self.time).filter(|_| times == Times::Told);
        nullable(&mut item, "seconds", time);
        item.number("round_trips", self.round_trips);
        write_array(item.name("commands"), &self.commands, |out, n| {
            write_number(out, *n)
        });
        item.number("further_commands", self.further_commands);
        item.string("figure", &self.figure());
        item.string("better", self.better());
        item.string("clause", self.clause());
        item.close();
    }
}

pub(super) fn nullable(object: &mut Object<'_>, name: &'static str, time: Option<Micros>) {
    match time {
        Some(time) => object.time(name, time),
        None => object.nullable(name, None),
    }
}
