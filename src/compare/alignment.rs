//! Which exchange of one connection is which of another.
//!
//! Commands that mean the same are aligned first, in order (histogram diff, the `imara-diff` crate,
//! whose cost is bounded where everything differs). Of the rest, those that mean the same at another
//! place are moved; between two that are aligned, commands with the same name are taken for changed
//! ones, the pairs with the fewest differing arguments first.
//!
//! ```text
//! A             B
//! SELECT INBOX  SELECT INBOX    Both
//! NOOP                          OnlyA
//! FETCH 1:3     FETCH 1:*       Both, changed
//! ```

use std::collections::HashMap;
use std::hash::Hash;
use std::ops::Range;

use imara_diff::{Algorithm, Diff, InternedInput};

use super::comparison::Measure;
use super::exchange::{Exchange, only_asks};
use crate::protocol::imap::sameness;

/// One step through both connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// This exchange of A is this one of B; its arguments may differ.
    Both(usize, usize),
    /// The same, and that it stands elsewhere matters.
    Moved(usize, usize),
    /// It is in A alone.
    OnlyA(usize),
    /// It is in B alone.
    OnlyB(usize),
}

/// Commands between two aligned ones up to which every pair of them is looked at, on each side.
const SMALL: usize = 64;

/// Aligns two connections' exchanges. Those of A come in their order, and those of B that are aligned
/// in order or only in B come in theirs.
pub fn align(a: &[Exchange], b: &[Exchange], measure: Measure) -> Vec<Step> {
    let mut pairs = Pairs {
        of_a: vec![None; a.len()],
        of_b: vec![None; b.len()],
    };
    let key = |exchange: &Exchange| exchange.key;
    let gaps = in_order(a.iter().map(key), b.iter().map(key), &mut pairs, (0, 0));
    answered_alike(a, b, &mut pairs);
    let moved = moved(a, b, &mut pairs);
    for (gap_a, gap_b) in gaps {
        changed(a, b, (gap_a, gap_b), &mut pairs);
    }
    steps(a, b, &pairs, (&moved, measure))
}

/// What is aligned with what.
struct Pairs {
    of_a: Vec<Option<usize>>,
    of_b: Vec<Option<usize>>,
}

impl Pairs {
    fn join(&mut self, a: usize, b: usize) {
        self.of_a[a] = Some(b);
        self.of_b[b] = Some(a);
    }
}

/// Aligns equal ones in order; what stands between them on either side.
fn in_order<K: Hash + Eq + Default>(
    a: impl Iterator<Item = K>,
    b: impl Iterator<Item = K>,
    pairs: &mut Pairs,
    (start_a, start_b): (usize, usize),
) -> Vec<(Range<usize>, Range<usize>)> {
    let mut input = InternedInput::default();
    input.update_before(a);
    input.update_after(b);
    let diff = Diff::compute(Algorithm::Histogram, &input);
    let mut gaps = Vec::new();
    let (mut at_a, mut at_b) = (0, 0);
    let size = |range: &Range<u32>| range.start as usize..range.end as usize;
    let end = (input.before.len(), input.after.len());
    let hunks = diff
        .hunks()
        .map(|hunk| (size(&hunk.before), size(&hunk.after)));
    for (gap_a, gap_b) in hunks.chain([(end.0..end.0, end.1..end.1)]) {
        for (a, b) in (at_a..gap_a.start).zip(at_b..gap_b.start) {
            pairs.join(start_a + a, start_b + b);
        }
        (at_a, at_b) = (gap_a.end, gap_b.end);
        if !gap_a.is_empty() && !gap_b.is_empty() {
            gaps.push((
                start_a + gap_a.start..start_a + gap_a.end,
                start_b + gap_b.start..start_b + gap_b.end,
            ));
        }
    }
    gaps
}

/// Where a command was said again, in one recording more often than in the other, takes the one that
/// was answered in the same way: the LOGIN that succeeded.
fn answered_alike(a: &[Exchange], b: &[Exchange], pairs: &mut Pairs) {
    for place_a in 0..a.len() {
        let Some(place_b) = pairs.of_a[place_a] else {
            continue;
        };
        if a[place_a].answers_key == b[place_b].answers_key {
            continue;
        }
        let fits = |one: &Exchange, other: &Exchange| {
            one.key == other.key && one.answers_key == other.answers_key
        };
        if let Some(other) = nearby(place_a, &pairs.of_a, |other| fits(&a[other], &b[place_b])) {
            pairs.of_a[place_a] = None;
            pairs.join(other, place_b);
        } else if let Some(other) =
            nearby(place_b, &pairs.of_b, |other| fits(&b[other], &a[place_a]))
        {
            pairs.of_b[place_b] = None;
            pairs.join(place_a, other);
        }
    }
}

/// The nearest place behind this one, then before it, that is aligned with nothing, as are all between,
/// and that fits.
fn nearby(place: usize, of: &[Option<usize>], fits: impl Fn(usize) -> bool) -> Option<usize> {
    let is_alone = |other: &usize| of[*other].is_none();
    let behind = (place + 1..of.len()).take(SMALL).take_while(is_alone);
    let before = (0..place).rev().take(SMALL).take_while(is_alone);
    behind.chain(before).find(|other| fits(*other))
}

/// Aligns what means the same, with the same mailbox selected, at another place.
fn moved(a: &[Exchange], b: &[Exchange], pairs: &mut Pairs) -> Vec<usize> {
    let place = |exchange: &Exchange| {
        (
            exchange.key,
            exchange.is_authenticated,
            exchange.mailbox.clone(),
        )
    };
    let mut waiting: HashMap<_, Vec<usize>> = HashMap::new();
    for (place_b, exchange) in b.iter().enumerate().rev() {
        if pairs.of_b[place_b].is_none() {
            waiting.entry(place(exchange)).or_default().push(place_b);
        }
    }
    let mut moved = Vec::new();
    for (place_a, exchange) in a.iter().enumerate() {
        if pairs.of_a[place_a].is_some() {
            continue;
        }
        if let Some(place_b) = waiting.get_mut(&place(exchange)).and_then(Vec::pop) {
            pairs.join(place_a, place_b);
            moved.push(place_a);
        }
    }
    moved
}

/// Aligns commands with the same name between two that are aligned.
fn changed(
    a: &[Exchange],
    b: &[Exchange],
    (gap_a, gap_b): (Range<usize>, Range<usize>),
    pairs: &mut Pairs,
) {
    let rest_a: Vec<usize> = gap_a.filter(|place| pairs.of_a[*place].is_none()).collect();
    let rest_b: Vec<usize> = gap_b.filter(|place| pairs.of_b[*place].is_none()).collect();
    if rest_a.len() <= SMALL && rest_b.len() <= SMALL {
        for (place_a, place_b) in best(a, b, &rest_a, &rest_b) {
            pairs.join(place_a, place_b);
        }
        return;
    }
    let mut by_name = Pairs {
        of_a: vec![None; rest_a.len()],
        of_b: vec![None; rest_b.len()],
    };
    let names_a = rest_a.iter().map(|place| a[*place].name());
    let names_b = rest_b.iter().map(|place| b[*place].name());
    in_order(names_a, names_b, &mut by_name, (0, 0));
    for (place_a, place_b) in by_name.of_a.iter().enumerate() {
        if let Some(place_b) = place_b {
            pairs.join(rest_a[place_a], rest_b[*place_b]);
        }
    }
}

/// The pairs of the same name, in order, that have the most in common.
fn best(a: &[Exchange], b: &[Exchange], of_a: &[usize], of_b: &[usize]) -> Vec<(usize, usize)> {
    let alike = |place_a: usize, place_b: usize| {
        let (a, b) = (&a[of_a[place_a]], &b[of_b[place_b]]);
        match a.name() == b.name() {
            false => 0_u32,
            true => {
                let differ = sameness::differences(&a.command, &b.command).len();
                8 - differ.min(4) as u32
            }
        }
    };
    let width = of_b.len() + 1;
    let mut pairs_alike = vec![0; of_a.len() * of_b.len()];
    // What the rest behind each place has in common at most.
    let mut most = vec![0; (of_a.len() + 1) * width];
    for place_a in (0..of_a.len()).rev() {
        for place_b in (0..of_b.len()).rev() {
            let alike = alike(place_a, place_b);
            pairs_alike[place_a * of_b.len() + place_b] = alike;
            let joined = match alike {
                0 => 0,
                alike => alike + most[(place_a + 1) * width + place_b + 1],
            };
            let here = place_a * width + place_b;
            most[here] = joined.max(most[here + 1]).max(most[here + width]);
        }
    }
    let mut pairs = Vec::new();
    let (mut place_a, mut place_b) = (0, 0);
    while place_a < of_a.len() && place_b < of_b.len() {
        let here = place_a * width + place_b;
        let alike = pairs_alike[place_a * of_b.len() + place_b];
        if alike > 0 && most[here] == alike + most[here + width + 1] {
            pairs.push((of_a[place_a], of_b[place_b]));
            (place_a, place_b) = (place_a + 1, place_b + 1);
        } else if most[here] == most[here + width] {
            place_a += 1;
        } else {
            place_b += 1;
        }
    }
    pairs
}

/// The steps in order. A move matters, unless only commands that ask stand between both places, and it
/// is one itself; measured by octets, it always does.
fn steps(
    a: &[Exchange],
    b: &[Exchange],
    pairs: &Pairs,
    (moved, measure): (&[usize], Measure),
) -> Vec<Step> {
    let is_moved: std::collections::HashSet<usize> = moved.iter().copied().collect();
    // How many aligned commands that do more than ask stand before each place.
    let before = |all: &[Exchange], of: &[Option<usize>], in_order: &dyn Fn(usize) -> bool| {
        let mut changes = 0_usize;
        let count = all
            .iter()
            .zip(of)
            .enumerate()
            .map(|(place, (exchange, other))| {
                let before = changes;
                changes += usize::from(other.is_some() && in_order(place) && !only_asks(exchange));
                before
            });
        count.collect::<Vec<usize>>()
    };
    let before_a = before(a, &pairs.of_a, &|place| !is_moved.contains(&place));
    let is_moved_in_b = |place: usize| pairs.of_b[place].is_some_and(|a| is_moved.contains(&a));
    let before_b = before(b, &pairs.of_b, &|place| !is_moved_in_b(place));
    let mut steps = Vec::with_capacity(a.len().max(b.len()));
    let mut at_b = 0;
    let mut pass_b = |until: usize, steps: &mut Vec<Step>| {
        let passed = at_b..until.max(at_b);
        steps.extend(passed.filter(|b| pairs.of_b[*b].is_none()).map(Step::OnlyB));
        at_b = at_b.max(until);
    };
    for (place_a, place_b) in pairs.of_a.iter().enumerate() {
        match *place_b {
            None => steps.push(Step::OnlyA(place_a)),
            Some(place_b) if is_moved.contains(&place_a) => {
                let is_free = measure == Measure::Meaning
                    && only_asks(&a[place_a])
                    && before_a[place_a] == before_b[place_b];
                steps.push(match is_free {
                    true => Step::Both(place_a, place_b),
                    false => Step::Moved(place_a, place_b),
                });
            }
            Some(place_b) => {
                pass_b(place_b, &mut steps);
                steps.push(Step::Both(place_a, place_b));
            }
        }
    }
    pass_b(b.len(), &mut steps);
    steps
}
