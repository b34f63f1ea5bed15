//! Commands sent before the one before them is answered (RFC 9051, section 5.5).

use std::ops::Range;

use super::keys::Keys;
use crate::lint::look::Look;
use crate::lint::table::Breach;
use crate::session::{Bound, ranges};

/// Commands in flight among which the one that is named is looked for.
const LOOKED_AT: usize = 256;

/// A message number names another message once one before it is expunged; so it is not to be sent
/// while that may happen: during any command but FETCH, STORE and SEARCH.
pub(super) fn check(look: &mut Look<'_>) {
    let Some(command) = &look.command else {
        return;
    };
    let has_keys = super::has_keys(command);
    if !has_keys && !["FETCH", "STORE", "COPY", "MOVE"].contains(&&*command.name) {
        return;
    }
    let in_flight = look.session.in_flight();
    if in_flight.count() == in_flight.keeping_numbers() {
        return;
    }
    let range = match has_keys {
        true => {
            let sets = Keys::read(look).sets.into_iter();
            let mut sets = sets.filter(|set| !set.by_uid && has_numbers(look, &set.range));
            sets.next().map(|set| set.range)
        }
        false => {
            let set = look.first_argument().map(|set| set.range.clone());
            set.filter(|set| has_numbers(look, set))
        }
    };
    let Some(range) = range else {
        return;
    };
    let mut newest = in_flight.iter().rev().take(LOOKED_AT);
    let other = newest.find(|other| !other.keeps_numbers());
    let about = other.map(|other| format!("{} {} is in flight", other.tag, other.name));
    look.add(
        Breach::AmbiguousPipelining,
        range,
        about.unwrap_or_default(),
    );
}

/// Whether it is a set of message numbers. `1:*` is all messages, however they are numbered.
fn has_numbers(look: &Look<'_>, set: &Range<usize>) -> bool {
    let all = Some((Bound::Number(1), Bound::Largest));
    let text = &look.said.wire.bytes()[set.clone()];
    let mut read = ranges(text);
    let is_all = read.next() == Some(all) && read.next().is_none();
    !is_all && ranges(text).all(|range| range.is_some())
}
