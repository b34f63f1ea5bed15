//! Events on their way to sinks: what one read led to is made once, and every sink shares it, as a whole.
//!
//! Most events go to one sink, and there may be a million a second; so they are not counted, nor given
//! back to the system, one by one.

use std::sync::Arc;

use crate::event::Event;

/// Events in their order, as a sink is given them.
#[derive(Default)]
pub struct Batch {
    published: Vec<Arc<Vec<Event>>>,
}

impl Batch {
    /// Adds the events that were published together.
    pub(super) fn add(&mut self, published: &Arc<Vec<Event>>) {
        if !published.is_empty() {
            self.published.push(Arc::clone(published));
        }
    }

    /// The events.
    pub fn iter(&self) -> impl Iterator<Item = &Event> {
        self.published.iter().flat_map(|published| published.iter())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.published.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Body, Micros};

    fn published<const N: usize>(numbers: [u64; N]) -> Arc<Vec<Event>> {
        let event = |n| Event {
            n,
            conn: 1,
            at: Micros(0),
            body: Body::Closed { reason: None },
        };
        Arc::new(numbers.map(event).into())
    }

    #[test]
    fn what_is_shared_comes_in_its_order() {
        let mut batch = Batch::default();
        batch.add(&published([]));
        assert!(batch.is_empty());
        batch.add(&published([1, 2]));
        batch.add(&published([3]));
        let numbers: Vec<u64> = batch.iter().map(|event| event.n).collect();
        assert_eq!(numbers, [1, 2, 3]);
    }
}
