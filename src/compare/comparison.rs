//! The comparison itself: connection by connection, exchange by exchange.

use std::collections::HashMap;

use super::alignment::{Step, align};
use super::difference::{Change, Command, Compared, Comparison, Kind, Pair, Sides};
use super::exchange::{Connection, Conversation, Exchange};
use super::ignored::Ignored;
use super::pairing::pair;
use super::responses::{Left, ambiguous, left, settle, single, unasked};
use crate::protocol::imap::sameness;
use crate::recording::{form, outline};

/// By what commands are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Measure {
    /// By what they mean.
    #[default]
    Meaning,
    /// By their octets too, tags and secrets apart, and by where they stand.
    Octets,
}

/// In what two recordings differ.
pub fn compare(a: &Conversation, b: &Conversation) -> Comparison {
    compare_by(Measure::Meaning, a, b)
}

/// In what two recordings differ by this measure.
pub fn compare_by(measure: Measure, a: &Conversation, b: &Conversation) -> Comparison {
    let pairs = pair(&a.connections, &b.connections).into_iter();
    let connections = pairs.map(|(one, other)| {
        let one = one.map(|place| &a.connections[place]);
        let other = other.map(|place| &b.connections[place]);
        match (one, other) {
            (Some(a), Some(b)) => connections(measure, a, b),
            _ => alone(one, other),
        }
    });
    Comparison {
        connections: connections.collect(),
    }
}

/// A connection that is in one recording alone. What is said in it is not told.
fn alone(a: Option<&Connection>, b: Option<&Connection>) -> Pair {
    let commands = |one: Option<&Connection>| one.map_or(0, |one| one.exchanges.len());
    Pair {
        conn: Sides {
            a: a.map(|a| a.conn),
            b: b.map(|b| b.conn),
        },
        commands: Sides {
            a: commands(a),
            b: commands(b),
        },
        greeting: Vec::new(),
        exchanges: Vec::new(),
    }
}

fn connections(measure: Measure, a: &Connection, b: &Connection) -> Pair {
    let mut walk = Walk {
        pair: alone(Some(a), Some(b)),
        measure,
        ignored: &a.ignored,
        is_secured_alike: a.has_starttls == b.has_starttls,
        at: Sides::default(),
        lefts: Sides::default(),
    };
    walk.greetings(a, b);
    for step in align(&a.exchanges, &b.exchanges, measure) {
        let (place_a, place_b) = match step {
            Step::Both(a, b) | Step::Moved(a, b) => (Some(a), Some(b)),
            Step::OnlyA(a) => (Some(a), None),
            Step::OnlyB(b) => (None, Some(b)),
        };
        let here = walk.pair.exchanges.len();
        place_a.map(|place| walk.at.a.insert(place, here));
        place_b.map(|place| walk.at.b.insert(place, here));
        let one = place_a.map(|place| &a.exchanges[place]);
        let other = place_b.map(|place| &b.exchanges[place]);
        walk.exchanges(one, other, matches!(step, Step::Moved(..)));
    }
    walk.lefts.a.extend(all_unasked(a, &walk.at.a));
    walk.lefts.b.extend(all_unasked(b, &walk.at.b));
    walk.end()
}

/// What nobody asked for, where the exchanges are compared at these places.
fn all_unasked<'c>(
    connection: &'c Connection,
    at: &HashMap<usize, usize>,
) -> impl Iterator<Item = Left<'c>> {
    let all = connection.unasked.iter().enumerate();
    all.filter_map(|(order, (place, answer))| {
        unasked(at.get(place).copied().unwrap_or_default(), order, answer)
    })
}

/// Two connections while they are compared.
struct Walk<'c> {
    pair: Pair,
    measure: Measure,
    ignored: &'c Ignored,
    is_secured_alike: bool,
    /// Where each exchange is compared.
    at: Sides<HashMap<usize, usize>>,
    lefts: Sides<Vec<Left<'c>>>,
}

impl<'c> Walk<'c> {
    fn greetings(&mut self, a: &Connection, b: &Connection) {
        let difference = single(Kind::Greeting, a.greeting.as_ref(), b.greeting.as_ref());
        let Some(mut difference) = difference else {
            return;
        };
        let is_in_both = !difference.parts.is_empty();
        if !self.is_secured_alike {
            difference.parts.retain(|part| part.of != "CAPABILITY");
        }
        if !(is_in_both && difference.parts.is_empty()) {
            self.pair.greeting.push(difference);
        }
    }

    fn exchanges(&mut self, a: Option<&'c Exchange>, b: Option<&'c Exchange>, is_moved: bool) {
        let is_of_the_leg =
            |exchange: &Exchange| exchange.name() == "CAPABILITY" && !exchange.is_authenticated;
        if !self.is_secured_alike && a.is_none_or(is_of_the_leg) && b.is_none_or(is_of_the_leg) {
            return;
        }
        let here = self.pair.exchanges.len();
        let mut compared = Compared {
            command: Sides {
                a: a.map(command),
                b: b.map(command),
            },
            is_moved,
            arguments: Vec::new(),
            responses: Vec::new(),
        };
        match (a, b) {
            (Some(a), Some(b)) => {
                compared.arguments = arguments(a, b);
                let is_kept = |change: &Change| !self.ignored.has(&change.of);
                compared.arguments.retain(is_kept);
                if self.measure == Measure::Octets && compared.arguments.is_empty() {
                    compared.arguments.extend(octets(a, b));
                }
                if a.answers_key != b.answers_key {
                    let left = left(here, a, b);
                    self.lefts.a.extend(left.a);
                    self.lefts.b.extend(left.b);
                    let end = single(Kind::Answer, a.end.as_ref(), b.end.as_ref());
                    compared.responses.extend(end);
                }
            }
            // What answers one command here may be taken to answer another one there.
            (Some(a), None) => self.lefts.a.extend(ambiguous(here, a)),
            (None, Some(b)) => self.lefts.b.extend(ambiguous(here, b)),
            (None, None) => {}
        }
        self.pair.exchanges.push(compared);
    }

    fn end(self) -> Pair {
        let mut pair = self.pair;
        let last = pair.exchanges.len().saturating_sub(1);
        for (at, difference) in settle(self.lefts) {
            match pair.exchanges.get_mut(at.min(last)) {
                Some(compared) => compared.responses.push(difference),
                None => pair.greeting.push(difference),
            }
        }
        for compared in &mut pair.exchanges {
            compared.responses.sort_by_key(|response| response.kind);
        }
        pair
    }
}

fn command(exchange: &Exchange) -> Command {
    Command {
        n: exchange.n,
        text: outline(&exchange.command),
    }
}

/// Two commands that mean the same in other octets.
fn octets(a: &Exchange, b: &Exchange) -> Option<Change> {
    let is = Sides {
        a: form(&a.command),
        b: form(&b.command),
    };
    (is.a != is.b).then(|| Change {
        of: "octets".into(),
        is: Sides {
            a: Some(is.a),
            b: Some(is.b),
        },
    })
}

/// The arguments in which two commands differ; of LOGIN's, the password is none.
fn arguments(a: &Exchange, b: &Exchange) -> Vec<Change> {
    let differences = sameness::differences(&a.command, &b.command).into_iter();
    let is_password = |argument: &str| a.name() == "LOGIN" && argument != "user name";
    let some = |text: String| Some(text).filter(|text| !text.is_empty());
    let mut changes: Vec<Change> = differences
        .filter(|difference| !is_password(&difference.argument))
        .map(|difference| Change {
            of: difference.argument,
            is: Sides {
                a: some(difference.recorded),
                b: some(difference.live),
            },
        })
        .collect();
    if changes.is_empty() && a.long != b.long {
        let digests = |exchange: &Exchange| {
            let digests = exchange.long.iter();
            Some(
                digests
                    .map(|digest| format!("{:08x}…", digest >> 96))
                    .collect::<String>(),
            )
        };
        changes.push(Change {
            of: "octets of a large literal".into(),
            is: Sides {
                a: digests(a),
                b: digests(b),
            },
        });
    }
    changes
}
