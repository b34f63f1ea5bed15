//! The comparison itself: connection by connection, exchange by exchange.

use std::collections::HashMap;

use super::alignment::{Step, align};
use super::difference::{Change, Command, Compared, Comparison, Kind, Pair, Sides};
use super::exchange::{Connection, Conversation, Exchange};
use super::pairing::pair;
use super::responses::{Left, ambiguous, left, settle, single, unasked};
use crate::protocol::imap::sameness;
use crate::recording::outline;

/// In what two recordings differ.
pub fn compare(a: &Conversation, b: &Conversation) -> Comparison {
    let pairs = pair(&a.connections, &b.connections).into_iter();
    let connections = pairs.map(|(one, other)| {
        let one = one.map(|place| &a.connections[place]);
        let other = other.map(|place| &b.connections[place]);
        match (one, other) {
            (Some(a), Some(b)) => connections(a, b),
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
        greeting: None,
        exchanges: Vec::new(),
    }
}

fn connections(a: &Connection, b: &Connection) -> Pair {
    let mut pair = alone(Some(a), Some(b));
    let is_secured_alike = a.has_starttls == b.has_starttls;
    pair.greeting = single(Kind::Greeting, a.greeting.as_ref(), b.greeting.as_ref());
    if let Some(greeting) = &mut pair.greeting
        && !is_secured_alike
        && !greeting.parts.is_empty()
    {
        greeting.parts.retain(|part| part.of != "CAPABILITY");
        pair.greeting = pair.greeting.filter(|greeting| !greeting.parts.is_empty());
    }
    let mut at = Sides {
        a: HashMap::new(),
        b: HashMap::new(),
    };
    let mut lefts = Sides::<Vec<Left<'_>>>::default();
    for step in align(&a.exchanges, &b.exchanges) {
        let here = pair.exchanges.len();
        let (place_a, place_b) = match step {
            Step::Both(a, b) | Step::Moved(a, b) => (Some(a), Some(b)),
            Step::OnlyA(a) => (Some(a), None),
            Step::OnlyB(b) => (None, Some(b)),
        };
        let one = place_a.map(|place| &a.exchanges[place]);
        let other = place_b.map(|place| &b.exchanges[place]);
        place_a.map(|place| at.a.insert(place, here));
        place_b.map(|place| at.b.insert(place, here));
        let is_of_the_leg = |exchange: Option<&Exchange>| {
            exchange.is_none_or(|exchange| {
                exchange.name() == "CAPABILITY" && !exchange.is_authenticated
            })
        };
        let is_passed_over = !is_secured_alike && is_of_the_leg(one) && is_of_the_leg(other);
        let mut compared = Compared {
            command: Sides {
                a: one.or(other.filter(|_| is_passed_over)).map(command),
                b: other.or(one.filter(|_| is_passed_over)).map(command),
            },
            is_moved: matches!(step, Step::Moved(..)),
            arguments: Vec::new(),
            responses: Vec::new(),
        };
        if let (Some(a), Some(b), false) = (one, other, is_passed_over) {
            compared.arguments = arguments(a, b);
            if a.answers_key != b.answers_key {
                let here = left(here, a, b);
                lefts.a.extend(here.a);
                lefts.b.extend(here.b);
                let end = single(Kind::Answer, a.end.as_ref(), b.end.as_ref());
                compared.responses.extend(end);
            }
        }
        // What answers one command here may be taken to answer another one there.
        match (one, other) {
            (Some(a), None) => lefts.a.extend(ambiguous(here, a)),
            (None, Some(b)) => lefts.b.extend(ambiguous(here, b)),
            _ => {}
        }
        pair.exchanges.push(compared);
    }
    let here = |at: &HashMap<usize, usize>, place: &usize| at.get(place).copied().unwrap_or(0);
    let of_a = a.unasked.iter().enumerate();
    lefts.a.extend(
        of_a.filter_map(|(order, (place, answer))| unasked(here(&at.a, place), order, answer)),
    );
    let of_b = b.unasked.iter().enumerate();
    lefts.b.extend(
        of_b.filter_map(|(order, (place, answer))| unasked(here(&at.b, place), order, answer)),
    );
    settle_into(&mut pair, lefts);
    pair
}

fn settle_into(pair: &mut Pair, lefts: Sides<Vec<Left<'_>>>) {
    for (at, difference) in settle(lefts) {
        match pair.exchanges.get_mut(at) {
            Some(compared) => compared.responses.push(difference),
            // A connection without any command.
            None => pair.greeting = pair.greeting.take().or(Some(difference)),
        }
    }
    for compared in &mut pair.exchanges {
        compared.responses.sort_by_key(|response| response.kind);
    }
}

fn command(exchange: &Exchange) -> Command {
    Command {
        n: exchange.n,
        text: outline(&exchange.command),
    }
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
