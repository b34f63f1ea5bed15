//! Which connection of one recording is which of another: those in which the same is done, whatever
//! their numbers.
//!
//! First those where everything is the same, then those with the same commands, each in order; of the
//! rest, the two that have the most commands in common, and so on.

use std::collections::HashMap;

use super::digest::{Digest, digest};
use super::exchange::{Connection, Exchange};

/// Pairs of connections that are compared by what they have in common; of more, the rest is taken in
/// order. Each costs as much as the connections are long.
const LOOKED_AT: usize = 10_000;

/// Places of connections that belong together; one that is `None` has none in the other recording.
/// In A's order, those only in B behind.
pub fn pair(a: &[Connection], b: &[Connection]) -> Vec<(Option<usize>, Option<usize>)> {
    let mut pairing = Pairing {
        of_a: vec![None; a.len()],
        of_b: vec![false; b.len()],
    };
    pairing.by(a, b, |connection| {
        let whole = |exchange: &Exchange| (exchange.key, exchange.answers_key);
        digest(&connection.exchanges.iter().map(whole).collect::<Vec<_>>())
    });
    pairing.by(a, b, |connection| {
        digest(
            &connection
                .exchanges
                .iter()
                .map(|exchange| exchange.key)
                .collect::<Vec<_>>(),
        )
    });
    pairing.by_likeness(a, b);
    let of_a = pairing.of_a.iter().enumerate().map(|(a, b)| (Some(a), *b));
    let only_b = (0..b.len()).filter(|b| !pairing.of_b[*b]);
    of_a.chain(only_b.map(|b| (None, Some(b)))).collect()
}

struct Pairing {
    of_a: Vec<Option<usize>>,
    of_b: Vec<bool>,
}

impl Pairing {
    fn join(&mut self, a: usize, b: usize) {
        self.of_a[a] = Some(b);
        self.of_b[b] = true;
    }

    fn rest(&self) -> (Vec<usize>, Vec<usize>) {
        let of_a = (0..self.of_a.len()).filter(|a| self.of_a[*a].is_none());
        let of_b = (0..self.of_b.len()).filter(|b| !self.of_b[*b]);
        (of_a.collect(), of_b.collect())
    }

    /// Joins those that have the same key, in order.
    fn by(&mut self, a: &[Connection], b: &[Connection], key: impl Fn(&Connection) -> Digest) {
        let (of_a, of_b) = self.rest();
        let mut waiting: HashMap<Digest, Vec<usize>> = HashMap::new();
        for place in of_b.into_iter().rev() {
            waiting.entry(key(&b[place])).or_default().push(place);
        }
        for place in of_a {
            if let Some(other) = waiting.get_mut(&key(&a[place])).and_then(Vec::pop) {
                self.join(place, other);
            }
        }
    }

    fn by_likeness(&mut self, a: &[Connection], b: &[Connection]) {
        let (of_a, of_b) = self.rest();
        if of_a.len() * of_b.len() > LOOKED_AT {
            return of_a
                .into_iter()
                .zip(of_b)
                .for_each(|(a, b)| self.join(a, b));
        }
        let features_a: Vec<_> = of_a.iter().map(|place| features(&a[*place])).collect();
        let features_b: Vec<_> = of_b.iter().map(|place| features(&b[*place])).collect();
        let mut candidates = Vec::new();
        for (one, place_a) in features_a.iter().zip(&of_a) {
            for (other, place_b) in features_b.iter().zip(&of_b) {
                candidates.push((likeness(one, other), *place_a, *place_b));
            }
        }
        candidates.sort_by(|one, other| {
            let by_place = || (one.1, one.2).cmp(&(other.1, other.2));
            other.0.total_cmp(&one.0).then_with(by_place)
        });
        let is_the_only = a.len() == 1 && b.len() == 1;
        for (likeness, place_a, place_b) in candidates {
            let is_free = self.of_a[place_a].is_none() && !self.of_b[place_b];
            if is_free && (likeness > 0.0 || is_the_only) {
                self.join(place_a, place_b);
            }
        }
    }
}

/// How often each command is said, and each name.
#[derive(Default)]
struct Features<'c> {
    commands: HashMap<Digest, usize>,
    names: HashMap<&'c str, usize>,
    all: usize,
}

fn features(connection: &Connection) -> Features<'_> {
    let mut features = Features::default();
    for exchange in &connection.exchanges {
        *features.commands.entry(exchange.key).or_default() += 1;
        *features.names.entry(exchange.name()).or_default() += 1;
        features.all += 1;
    }
    features
}

/// From 0, nothing in common, to 1.1.
fn likeness(one: &Features<'_>, other: &Features<'_>) -> f64 {
    fn common<K: Eq + std::hash::Hash>(one: &HashMap<K, usize>, other: &HashMap<K, usize>) -> f64 {
        let both = one.iter().map(|(key, count)| {
            let other = other.get(key).copied().unwrap_or_default();
            other.min(*count)
        });
        both.sum::<usize>() as f64
    }
    let all = (one.all + other.all).max(1) as f64;
    let commands = common(&one.commands, &other.commands);
    let names = common(&one.names, &other.names);
    (2.0 * commands + 0.2 * names) / all
}
