//! What answers two exchanges that belong together, and what nobody asked for on their connections.
//!
//! Data has no order: what both have is taken out first, then what says something else of the same
//! (of a message, a mailbox) is one difference, and what is left is in one recording alone. Data that
//! nobody asked for may have come at any time, and what several commands may have asked for with any of
//! them: it is looked for on the whole connection.

use std::collections::{HashMap, HashSet, VecDeque};

use super::difference::{Change, Difference, Kind, Sides};
use super::digest::Digest;
use super::exchange::{Answer, Exchange};
use super::facts::Facts;
use super::meaning::{Meaning, shown_apart};
use crate::recording::outline;

/// Data that is in one recording alone, as far as is known yet.
pub struct Left<'c> {
    /// In which compared exchange it came.
    pub at: usize,
    answer: &'c Answer,
    facts: Facts,
    /// Nobody asked for it, or one of several commands.
    is_free: bool,
    kind: Kind,
}

/// What one of both has and the other has not, of the data that two exchanges have.
pub fn left<'c>(at: usize, a: &'c Exchange, b: &'c Exchange) -> Sides<Vec<Left<'c>>> {
    let mut sides = Sides {
        a: asked(at, a),
        b: asked(at, b),
    };
    let key = |left: &Left<'_>| left.facts.digest();
    take_out(&mut sides, key, |_, _| true);
    sides
}

/// The data of an exchange that another command may have asked for as well.
pub fn ambiguous(at: usize, exchange: &Exchange) -> impl Iterator<Item = Left<'_>> {
    asked(at, exchange).into_iter().filter(|left| left.is_free)
}

/// All data of an exchange.
fn asked(at: usize, exchange: &Exchange) -> Vec<Left<'_>> {
    let all = exchange.facts().into_iter();
    let left = all.map(|(answer, facts)| Left {
        at,
        answer,
        facts,
        is_free: answer.is_ambiguous,
        kind: Kind::Response,
    });
    left.collect()
}

/// Something that nobody asked for; `None` if it says nothing.
pub fn unasked(at: usize, answer: &Answer) -> Option<Left<'_>> {
    Some(Left {
        at,
        answer,
        facts: answer.facts_as_numbered()?,
        is_free: true,
        kind: Kind::Unasked,
    })
}

/// Takes out what both sides have with the same key, where `may` allows it.
fn take_out<K: Eq + std::hash::Hash>(
    sides: &mut Sides<Vec<Left<'_>>>,
    key: impl Fn(&Left<'_>) -> K,
    may: impl Fn(&Left<'_>, &Left<'_>) -> bool,
) {
    let mut waiting: HashMap<K, VecDeque<usize>> = HashMap::new();
    for (place, left) in sides.b.iter().enumerate() {
        waiting.entry(key(left)).or_default().push_back(place);
    }
    let (mut gone_a, mut gone_b) = (HashSet::new(), HashSet::new());
    for (place, left) in sides.a.iter().enumerate() {
        let Some(others) = waiting.get_mut(&key(left)) else {
            continue;
        };
        let other = others.iter().position(|other| may(left, &sides.b[*other]));
        if let Some(other) = other.and_then(|other| others.remove(other)) {
            gone_a.insert(place);
            gone_b.insert(other);
        }
    }
    let keep = |all: &mut Vec<Left<'_>>, gone: &HashSet<usize>| {
        let mut place = 0;
        all.retain(|_| {
            place += 1;
            !gone.contains(&(place - 1))
        });
    };
    keep(&mut sides.a, &gone_a);
    keep(&mut sides.b, &gone_b);
}

/// The differences that are left on a connection, each with the compared exchange that it belongs to.
pub fn settle(mut sides: Sides<Vec<Left<'_>>>) -> Vec<(usize, Difference)> {
    // What came with one command here and with another there. An asked one goes with a free one.
    let as_numbered = |left: &Left<'_>| -> Digest {
        let facts = left.answer.facts_as_numbered();
        facts.map_or(0, |facts| facts.digest())
    };
    take_out(&mut sides, as_numbered, |a, b| a.is_free || b.is_free);
    let mut differences = Vec::new();
    let mut waiting: HashMap<_, VecDeque<usize>> = HashMap::new();
    for (place, left) in sides.b.iter().enumerate() {
        waiting.entry(subject(left)).or_default().push_back(place);
    }
    let mut gone = HashSet::new();
    for a in &sides.a {
        let other = waiting.get_mut(&subject(a)).and_then(VecDeque::pop_front);
        let Some(place) = other else {
            differences.push((a.at, difference(Some(a), None)));
            continue;
        };
        gone.insert(place);
        let both = difference(Some(a), Some(&sides.b[place]));
        if !both.parts.is_empty() {
            differences.push((a.at, both));
        }
    }
    let only_b = sides.b.iter().enumerate();
    for (_, b) in only_b.filter(|(place, _)| !gone.contains(place)) {
        differences.push((b.at, difference(None, Some(b))));
    }
    differences
}

/// What two that differ have to have in common to be one difference: what they are about, and, if the
/// command asked for them, the command.
fn subject<'l>(left: &'l Left<'_>) -> (&'l str, &'l [u8], Option<usize>) {
    let at = (left.kind == Kind::Response).then_some(left.at);
    (&left.facts.name, &left.facts.subject, at)
}

fn difference(a: Option<&Left<'_>>, b: Option<&Left<'_>>) -> Difference {
    let said = |left: Option<&Left<'_>>| left.map(|left| outline(&left.answer.said));
    let parts = match (a, b) {
        (Some(a), Some(b)) => changes(&a.facts, &b.facts),
        _ => Vec::new(),
    };
    Difference {
        kind: a.or(b).map_or(Kind::Response, |left| left.kind),
        said: Sides {
            a: said(a),
            b: said(b),
        },
        parts,
    }
}

/// The difference of two responses of which each connection or command has one: greetings, tagged
/// responses.
pub fn single(kind: Kind, a: Option<&Answer>, b: Option<&Answer>) -> Option<Difference> {
    let facts = |answer: Option<&Answer>| answer.and_then(Answer::facts);
    let said = |answer: Option<&Answer>| answer.map(|answer| outline(&answer.said));
    let parts = match (facts(a), facts(b)) {
        (None, None) => return None,
        (Some(a), Some(b)) => match changes(&a, &b) {
            changes if changes.is_empty() => return None,
            changes => changes,
        },
        _ => Vec::new(),
    };
    Some(Difference {
        kind,
        said: Sides {
            a: said(a),
            b: said(b),
        },
        parts,
    })
}

/// The parts that differ.
fn changes(a: &Facts, b: &Facts) -> Vec<Change> {
    let mut changes = Vec::new();
    for (name, value) in &a.parts {
        match b.part(name) {
            Some(other) if value.is_same(other) => {}
            other => changes.push(change(name, Some(value), other)),
        }
    }
    for (name, value) in &b.parts {
        if a.part(name).is_none() {
            changes.push(change(name, None, Some(value)));
        }
    }
    changes
}

fn change(name: &str, a: Option<&Meaning>, b: Option<&Meaning>) -> Change {
    let is = match (a, b) {
        (Some(a), Some(b)) => {
            let (a, b) = shown_apart(a, b);
            Sides {
                a: Some(a),
                b: Some(b),
            }
        }
        (a, b) => Sides {
            a: a.map(Meaning::shown),
            b: b.map(Meaning::shown),
        },
    };
    Change {
        of: name.to_owned(),
        is,
    }
}
