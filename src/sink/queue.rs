//! The bounded queue between the relay and one sink's thread.
//!
//! The relay never waits for a thread to wake: it pushes and goes on. What the sink is for decides
//! what happens when it is too slow ([`Policy`]).

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::timeout;

use super::batch::Batch;
use crate::event::{Body, Event};
use crate::limits;

/// What happens when a sink is slower than the relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// The relay waits: nothing is lost.
    PushBack,
    /// What does not fit is left out, all that one read led to, and the sink is told how many octets that were.
    Drop,
}

/// How a wait for [room](Queue::room) ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "one that waited in vain would wait again"]
pub enum Wait {
    /// There is room, or none is needed.
    Over,
    /// The sink hangs.
    InVain,
}

/// Events on their way to one sink.
pub struct Queue {
    policy: Policy,
    bound: usize,
    state: Mutex<State>,
    filled: Condvar,
    drained: Notify,
}

#[derive(Default)]
struct State {
    events: Batch,
    /// Octets of the events here and of those that the sink works on.
    weight: usize,
    /// Octets of the events here.
    waiting: usize,
    /// What stands for the events that were left out since the last one that was not.
    gap: Option<Event>,
    closed: bool,
    /// The sink's thread sleeps until something comes.
    idle: bool,
}

impl State {
    /// Adds the published events, and before them what stands for those that were left out.
    fn add(&mut self, published: &Arc<Vec<Event>>, weight: usize) {
        if let Some(gap) = self.gap.take() {
            self.events.add(&Arc::new(vec![gap]));
        }
        self.events.add(published);
        self.weight += weight;
        self.waiting += weight;
    }
}

impl Queue {
    /// A queue for events of `bound` octets in all; the bound may be exceeded by what one read
    /// leads to, of each connection that is looked after at that moment (one a thread of the runtime).
    pub fn new(policy: Policy, bound: usize) -> Self {
        Self {
            policy,
            bound,
            state: Mutex::default(),
            filled: Condvar::new(),
            drained: Notify::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds events that are published together. Never waits.
    pub fn push(&self, published: &Arc<Vec<Event>>) {
        let mut state = self.state();
        if state.closed {
            return;
        }
        let weight = published.iter().map(|event| event.body.weight()).sum();
        match self.policy {
            Policy::Drop if state.weight + weight > self.bound => {
                let gap = &mut state.gap;
                published.iter().for_each(|event| widen(gap, event));
            }
            Policy::Drop | Policy::PushBack => state.add(published, weight),
        }
        let wakes = state.idle || self.is_worth_it(&state);
        drop(state);
        if wakes {
            self.filled.notify_one();
        }
    }

    /// Waits until the queue has room; at once unless it [pushes back](Policy::PushBack). In vain where the sink
    /// takes nothing for [`limits::SINK_STALLED`].
    pub async fn room(&self) -> Wait {
        // In steps: however long the whole process is stopped (Ctrl-Z), the sink's thread is with it, and has
        // the other ones when both go on.
        const STEPS: u32 = 15;
        let mut left = STEPS;
        loop {
            let drained = self.drained.notified();
            if self.has_room() {
                return Wait::Over;
            }
            if left == 0 {
                return Wait::InVain;
            }
            left = match timeout(limits::SINK_STALLED / STEPS, drained).await {
                Ok(()) => STEPS,
                Err(_) => left - 1,
            };
        }
    }

    /// Whether it has room, or none is needed.
    pub fn has_room(&self) -> bool {
        if self.policy != Policy::PushBack {
            return true;
        }
        let state = self.state();
        state.closed || state.weight <= self.bound
    }

    /// Whether the sink need not wait for more events than those here: an eighth of the bound, so that it works
    /// while the relay does, on what is still in a processor's cache, and is woken rarely enough.
    fn is_worth_it(&self, state: &State) -> bool {
        state.waiting > self.bound / 8
    }

    /// What came since the last call; waits for something to come, and a little longer for company.
    /// `None` when the queue is closed and empty.
    pub fn take(&self) -> Option<Batch> {
        let mut state = self.state();
        state.weight = state.waiting; // what was taken last is done
        self.drained.notify_waiters();
        while state.events.is_empty() && !state.closed {
            state.idle = true;
            state = self
                .filled
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        state.idle = false;
        let patient = |state: &mut State| !state.closed && !self.is_worth_it(state);
        (state, _) = self
            .filled
            .wait_timeout_while(state, limits::SINK_LINGER, patient)
            .unwrap_or_else(PoisonError::into_inner);
        state.waiting = 0;
        let mut events = std::mem::take(&mut state.events);
        if state.closed
            && let Some(gap) = state.gap.take()
        {
            events.add(&Arc::new(vec![gap]));
        }
        (!events.is_empty()).then_some(events)
    }

    /// No more events come; those that are here are still taken. Whether it was open.
    pub fn close(&self) -> bool {
        let was_closed = std::mem::replace(&mut self.state().closed, true);
        self.filled.notify_all();
        self.drained.notify_waiters();
        !was_closed
    }
}

/// Counts `event` among those that are left out.
fn widen(gap: &mut Option<Event>, event: &Event) {
    let more = match &event.body {
        // Without those of a streamed literal: its parts are events of their own.
        Body::Said(said) => said.wire.bytes().len() as u64,
        _ => 0,
    };
    let gap = gap.get_or_insert_with(|| Event {
        n: event.n,
        conn: event.conn,
        at: event.at,
        body: Body::Gap {
            octets: 0,
            missed_by: crate::event::MissedBy::Viewer,
        },
    });
    if let Body::Gap { octets, .. } = &mut gap.body {
        *octets += more;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Gate, LiteralForm, Message, Micros, Peer, Reading, Said, Secrets};

    fn event(n: u64) -> Event {
        Event {
            n,
            conn: 1,
            at: Micros(n),
            body: Body::Closed { reason: None },
        }
    }

    /// Two events and a half have room in it.
    fn queue(policy: Policy) -> Queue {
        Queue::new(policy, event(1).body.weight() * 5 / 2)
    }

    fn published<const N: usize>(events: [Event; N]) -> Arc<Vec<Event>> {
        Arc::new(events.into())
    }

    fn numbers(events: &Batch) -> Vec<u64> {
        events.iter().map(|event| event.n).collect()
    }

    #[test]
    fn a_viewer_that_is_too_slow_is_told_what_it_missed() {
        let queue = queue(Policy::Drop);
        queue.push(&published([event(1)]));
        queue.push(&published([event(2), event(3)])); // together, or not at all
        queue.push(&published([event(4)]));
        queue.push(&published([event(5)]));
        let first = queue.take().unwrap();
        assert_eq!(numbers(&first), [1, 2, 4]);
        assert!(matches!(
            first.iter().nth(1).unwrap().body,
            Body::Gap { .. }
        ));
        queue.push(&published([event(6)]));
        queue.close();
        let last = queue.take().unwrap();
        assert_eq!(numbers(&last), [5]);
        assert!(matches!(last.iter().next().unwrap().body, Body::Gap { .. }));
        assert!(queue.take().is_none());
    }

    #[test]
    fn octets_of_a_streamed_literal_are_missed_once_with_its_parts() {
        let mut message = Message::new();
        message.push_whole_streamed(LiteralForm::Sync, b"{1000}\r\n", 1000, vec![1]);
        message.push_text(b"\r\n");
        let wire = Gate::new(Secrets::Masked).seal(message, &[]);
        let said = Said::new(Peer::Server, wire, Reading::Opaque);
        let body = Body::Said(Box::new(said));
        let mut gap = None;
        widen(&mut gap, &Event { body, ..event(1) });
        assert!(matches!(gap.unwrap().body, Body::Gap { octets: 10, .. }));
    }

    #[test]
    fn a_closed_queue_gives_what_it_has_and_then_nothing() {
        let queue = queue(Policy::PushBack);
        queue.push(&published([event(1)]));
        queue.close();
        queue.push(&published([event(2)]));
        assert_eq!(numbers(&queue.take().unwrap()), [1]);
        assert!(queue.take().is_none());
    }

    #[tokio::test]
    async fn a_recorder_that_is_too_slow_holds_the_relay_back() {
        let queue = Arc::new(queue(Policy::PushBack));
        assert_eq!(queue.room().await, Wait::Over);
        queue.push(&published([event(1), event(2), event(3)]));
        let waiting = tokio::spawn({
            let queue = Arc::clone(&queue);
            async move { queue.room().await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        let taken = tokio::task::spawn_blocking(move || {
            let first = queue.take().map(|batch| numbers(&batch));
            queue.close(); // the next call says that the batch is done
            (first, queue.take().is_none())
        });
        assert_eq!(taken.await.unwrap(), (Some(vec![1, 2, 3]), true));
        assert_eq!(waiting.await.unwrap(), Wait::Over);
    }

    #[tokio::test(start_paused = true)]
    async fn a_recorder_that_hangs_is_waited_for_and_not_for_ever() {
        let queue = queue(Policy::PushBack);
        queue.push(&published([event(1), event(2), event(3)]));
        let begun = tokio::time::Instant::now();
        assert_eq!(queue.room().await, Wait::InVain);
        assert!(begun.elapsed() >= limits::SINK_STALLED);
        assert!(queue.close() && !queue.close());
        assert_eq!(queue.room().await, Wait::Over);
        // What it was given, it still gets.
        assert_eq!(numbers(&queue.take().unwrap()), [1, 2, 3]);
    }

    /// The clock goes on, and nobody runs.
    #[tokio::test(start_paused = true)]
    async fn a_process_that_is_stopped_for_long_gives_no_recorder_up() {
        let queue = Arc::new(queue(Policy::PushBack));
        queue.push(&published([event(1), event(2), event(3)]));
        let waiting = tokio::spawn({
            let queue = Arc::clone(&queue);
            async move { queue.room().await }
        });
        tokio::task::yield_now().await;
        tokio::time::advance(100 * limits::SINK_STALLED).await;
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        assert_eq!(numbers(&queue.take().unwrap()), [1, 2, 3]);
        queue.close();
        assert!(queue.take().is_none());
        assert_eq!(waiting.await.unwrap(), Wait::Over);
    }
}
