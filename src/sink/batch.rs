//! Events on their way to sinks: what one read led to is made once, and every sink has a share in it.
//!
//! Most events go to one sink, and there may be a million a second; so they are not counted, nor given
//! back to the system, one by one.

use std::ops::Range;
use std::sync::Arc;

use crate::event::Event;

/// Events in their order, as a sink is given them.
#[derive(Default)]
pub struct Batch {
    shares: Vec<Share>,
}

/// Some of the events that were published together. All of them stay in memory for that.
struct Share {
    published: Arc<Vec<Event>>,
    range: Range<usize>,
}

impl Batch {
    /// Adds some of the events that were published together.
    pub(super) fn add(&mut self, published: &Arc<Vec<Event>>, range: Range<usize>) {
        let last = self.shares.last_mut();
        match last.filter(|last| last.goes_on_with(published, &range)) {
            Some(last) => last.range.end = range.end,
            None if range.is_empty() => {}
            None => self.shares.push(Share {
                published: Arc::clone(published),
                range,
            }),
        }
    }

    /// Adds an event of its own.
    pub(super) fn add_one(&mut self, event: Event) {
        self.add(&Arc::new(vec![event]), 0..1);
    }

    /// The events.
    pub fn iter(&self) -> impl Iterator<Item = &Event> {
        self.shares.iter().flat_map(Share::events)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.shares.is_empty()
    }
}

impl Share {
    fn events(&self) -> &[Event] {
        &self.published[self.range.clone()]
    }

    fn goes_on_with(&self, published: &Arc<Vec<Event>>, range: &Range<usize>) -> bool {
        Arc::ptr_eq(&self.published, published) && self.range.end == range.start
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Body, Micros};

    fn published(numbers: Range<u64>) -> Arc<Vec<Event>> {
        let event = |n| Event {
            n,
            conn: 1,
            at: Micros(0),
            body: Body::Closed { reason: None },
        };
        Arc::new(numbers.map(event).collect())
    }

    #[test]
    fn what_is_shared_comes_in_its_order_and_once() {
        let (first, second) = (published(1..5), published(5..8));
        let mut batch = Batch::default();
        batch.add(&first, 0..0);
        assert!(batch.is_empty());
        batch.add(&first, 0..1);
        batch.add(&first, 1..2);
        batch.add(&first, 3..4);
        batch.add(&second, 0..3);
        let numbers: Vec<u64> = batch.iter().map(|event| event.n).collect();
        assert_eq!(numbers, [1, 2, 4, 5, 6, 7]);
        assert_eq!(batch.shares.len(), 3);
    }
}
