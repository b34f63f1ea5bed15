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
    /// Where it stands among those of the exchange, or of the connection.
    order: usize,
}

/// What one of both has and the other has not, of the data that two exchanges have. What both have is
/// told by what stands for it, so that not all of it is there at once.
pub fn left<'c>(at: usize, a: &'c Exchange, b: &'c Exchange) -> Sides<Vec<Left<'c>>> {
    let counted = |exchange: &Exchange| {
        let mut counts: HashMap<Digest, usize> = HashMap::new();
        exchange.each_fact(|_, _, facts| *counts.entry(facts.digest()).or_default() += 1);
        counts
    };
    let without = |exchange: &'c Exchange, mut others: HashMap<Digest, usize>| {
        asked(at, exchange, |facts| {
            match others.get_mut(&facts.digest()) {
                Some(more @ 1..) => {
                    *more -= 1;
                    false
                }
                _ => true,
            }
        })
    };
    Sides {
        a: without(a, counted(b)),
        b: without(b, counted(a)),
    }
}

/// The data of an exchange that another command may have asked for as well.
pub fn ambiguous(at: usize, exchange: &Exchange) -> impl Iterator<Item = Left<'_>> {
    let all = asked(at, exchange, |_| true).into_iter();
    all.filter(|left| left.is_free)
}

/// The data of an exchange that is wanted.
fn asked(at: usize, exchange: &Exchange, mut wanted: impl FnMut(&Facts) -> bool) -> Vec<Left<'_>> {
    let mut all = Vec::new();
    exchange.each_fact(|order, answer, facts| {
        if wanted(&facts) {
            all.push(Left {
                at,
                answer,
                facts,
                is_free: answer.is_ambiguous,
                kind: Kind::Response,
                order,
            });
        }
    });
    all.sort_by_key(|left| left.order);
    all
}

/// Something that nobody asked for; `None` if it says nothing.
pub fn unasked(at: usize, order: usize, answer: &Answer) -> Option<Left<'_>> {
    Some(Left {
        at,
        answer,
        facts: answer.lasting_facts()?,
        is_free: true,
        kind: Kind::Unasked,
        order,
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

/// The differences that are left on a connection, each with the compared exchange that it belongs to, in
/// order.
pub fn settle(mut sides: Sides<Vec<Left<'_>>>) -> Vec<(usize, Difference)> {
    let lasting = |left: &Left<'_>| -> Digest {
        let facts = left.answer.lasting_facts();
        facts.map_or(0, |facts| facts.digest())
    };
    let mut differences = Vec::new();
    // What came with one command here and with another there.
    take_out(&mut sides, lasting, |a, b| a.is_free && b.is_free);
    // One command was told something else here than there.
    let of_the_command = |left: &Left<'_>| (!left.is_free).then_some(Some(left.at));
    pair_up(&mut sides, of_the_command, &mut differences);
    // What was asked for here came by itself there.
    take_out(&mut sides, lasting, |a, b| a.is_free || b.is_free);
    let of_nobody = |left: &Left<'_>| left.is_free.then_some(None);
    pair_up(&mut sides, of_nobody, &mut differences);
    differences.extend(
        sides
            .a
            .iter()
            .map(|a| (a.order, a.at, difference(Some(a), None))),
    );
    differences.extend(
        sides
            .b
            .iter()
            .map(|b| (b.order, b.at, difference(None, Some(b)))),
    );
    differences.sort_by_key(|(order, at, _)| (*at, *order));
    let placed = differences.into_iter();
    placed.map(|(_, at, difference)| (at, difference)).collect()
}

/// Takes out, as one difference, what both sides say of the same subject, where `of` is the same too;
/// what has none of that, or no other, is left.
fn pair_up(
    sides: &mut Sides<Vec<Left<'_>>>,
    of: impl Fn(&Left<'_>) -> Option<Option<usize>>,
    differences: &mut Vec<(usize, usize, Difference)>,
) {
    let subject = |left: &Left<'_>| {
        let of = of(left)?;
        Some((left.facts.name.clone(), left.facts.subject.clone(), of))
    };
    let mut waiting: HashMap<_, VecDeque<Left<'_>>> = HashMap::new();
    let mut rest_b = Vec::new();
    for b in std::mem::take(&mut sides.b) {
        match subject(&b) {
            Some(subject) => waiting.entry(subject).or_default().push_back(b),
            None => rest_b.push(b),
        }
    }
    for a in std::mem::take(&mut sides.a) {
        let subject = subject(&a);
        let other = subject.and_then(|subject| waiting.get_mut(&subject)?.pop_front());
        let Some(b) = other else {
            sides.a.push(a);
            continue;
        };
        let both = difference(Some(&a), Some(&b));
        if !both.parts.is_empty() {
            differences.push((a.order, a.at, both));
        }
    }
    rest_b.extend(waiting.into_values().flatten());
    rest_b.sort_by_key(|left| (left.at, left.order));
    sides.b = rest_b;
}

fn difference(a: Option<&Left<'_>>, b: Option<&Left<'_>>) -> Difference {
    let said = |left: Option<&Left<'_>>| left.map(|left| outline(&left.answer.said()));
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
    let said = |answer: Option<&Answer>| answer.map(|answer| outline(&answer.said()));
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
