//! Commands sent before the one before them is answered (RFC 9051, section 5.5).

use crate::event::Span;
use crate::lint::look::Look;
use crate::lint::table::Breach;
use crate::model::{Bound, ranges};

/// Commands in flight among which the one that is named is looked for.
const LOOKED_AT: usize = 256;

/// A message number names another message once one before it is expunged; so it is not to be sent
/// while that may happen: during any command but FETCH, STORE and SEARCH.
pub(super) fn check(look: &mut Look<'_>) {
    let Some(command) = &look.command else {
        return;
    };
    if !matches!(&*command.name, "FETCH" | "STORE" | "COPY" | "MOVE") {
        return;
    }
    let in_flight = look.session.in_flight();
    if in_flight.count() == in_flight.keeping_numbers() {
        return;
    }
    let Some(set) = look.first_argument().filter(|set| !is_all(look, set)) else {
        return;
    };
    let mut newest = in_flight.iter().rev().take(LOOKED_AT);
    let other = newest.find(|other| !other.keeps_numbers());
    let about = other.map(|other| format!("{} {} is in flight", other.tag, other.name));
    let range = set.range.clone();
    look.add(
        Breach::AmbiguousPipelining,
        range,
        about.unwrap_or_default(),
    );
}

/// `1:*` is all messages, however they are numbered.
fn is_all(look: &Look<'_>, set: &Span) -> bool {
    let all = Some((Bound::Number(1), Bound::Largest));
    let mut ranges = ranges(look.said.span_bytes(set));
    ranges.next() == Some(all) && ranges.next().is_none()
}
