//! Where events get their numbers and are handed to every sink.
//!
//! The one place where the connections meet: numbers rise by one in the order in which the sinks
//! are given the events, so that order in a transcript is the order of numbers.

use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use super::queue::{Policy, Queue};
use crate::error::{Error, Result};
use crate::event::{Draft, Event, Numbers};
use crate::limits;

/// Something that takes events: a transcript, a terminal.
pub trait Sink: Send {
    /// Takes events in order. After an error it is given no more.
    fn take(&mut self, events: &[Arc<Event>]) -> Result<()>;

    /// The run is over.
    fn finish(&mut self) -> Result<()> {
        Ok(())
    }
}

/// Told at once when a sink fails, from the sink's own thread.
pub type OnFailure = Arc<dyn Fn(&Error) + Send + Sync>;

/// Numbers events and hands them to the sinks, each on a thread of its own.
pub struct Bus {
    last: Mutex<u64>,
    sinks: Vec<Attached>,
}

struct Attached {
    queue: Arc<Queue>,
    done: Mutex<Receiver<Option<Error>>>,
}

impl Bus {
    /// Starts a thread for each sink. Fails if the system has none to give.
    pub fn new(sinks: Vec<(Policy, Box<dyn Sink>)>, on_failure: &OnFailure) -> Result<Self> {
        let attach = |(policy, sink)| attach(policy, sink, Arc::clone(on_failure));
        Ok(Self {
            last: Mutex::new(0),
            sinks: sinks.into_iter().map(attach).collect::<Result<_>>()?,
        })
    }

    /// Numbers the drafts and hands them to every sink. Never waits; see [`room`](Self::room).
    pub fn publish(&self, numbers: &mut Numbers, drafts: &mut Vec<Draft>) {
        if drafts.is_empty() {
            return;
        }
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let events: Vec<_> = drafts
            .drain(..)
            .map(|draft| {
                *last += 1;
                let weight = draft.weight();
                (Arc::new(numbers.number(draft, *last)), weight)
            })
            .collect();
        for sink in &self.sinks {
            sink.queue.push(&events);
        }
    }

    /// Waits until every sink that must not lose anything has room.
    pub async fn room(&self) {
        for sink in &self.sinks {
            sink.queue.room().await;
        }
    }

    /// Events published so far.
    pub fn events(&self) -> u64 {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the sinks take what is left, for at most [`limits::FINISH`], and ends them. What went
    /// wrong in any of them is returned.
    pub fn finish(&self) -> Vec<Error> {
        for sink in &self.sinks {
            sink.queue.close();
        }
        let deadline = Instant::now() + limits::FINISH;
        self.sinks
            .iter()
            .filter_map(|sink| {
                let done = sink.done.lock().unwrap_or_else(PoisonError::into_inner);
                let patience = deadline.saturating_duration_since(Instant::now());
                match done.recv_timeout(patience) {
                    Ok(outcome) => outcome,
                    Err(RecvTimeoutError::Disconnected) => None,
                    Err(RecvTimeoutError::Timeout) => Some(Error::new(
                        "finish writing",
                        format!("not done within {:?}", limits::FINISH),
                    )),
                }
            })
            .collect()
    }
}

fn attach(policy: Policy, mut sink: Box<dyn Sink>, on_failure: OnFailure) -> Result<Attached> {
    let bound = match policy {
        Policy::PushBack => limits::RECORDING_QUEUE,
        Policy::Drop => limits::VIEWING_QUEUE,
    };
    let queue = Arc::new(Queue::new(policy, bound));
    let (tell, done) = channel();
    let source = Arc::clone(&queue);
    let work = move || {
        let outcome = drain(&source, sink.as_mut());
        if let Err(error) = &outcome {
            source.close(); // the relay goes on without this sink
            on_failure(error);
        }
        // Nobody waits for the outcome when the run was ended at once.
        let _ = tell.send(outcome.err());
    };
    thread::Builder::new()
        .name("sink".into())
        .spawn(work)
        .map_err(|why| Error::new("start a thread for writing events", why))?;
    Ok(Attached {
        queue,
        done: Mutex::new(done),
    })
}

fn drain(queue: &Queue, sink: &mut dyn Sink) -> Result<()> {
    while let Some(events) = queue.take() {
        sink.take(&events)?;
    }
    sink.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Body, Micros};
    use std::sync::atomic::{AtomicUsize, Ordering};

    struct Collect(Arc<Mutex<Vec<u64>>>);

    impl Sink for Collect {
        fn take(&mut self, events: &[Arc<Event>]) -> Result<()> {
            self.0.lock().unwrap().extend(events.iter().map(|e| e.n));
            Ok(())
        }
    }

    struct Fail;

    impl Sink for Fail {
        fn take(&mut self, _: &[Arc<Event>]) -> Result<()> {
            Err(Error::new("write", "disk full"))
        }
    }

    fn draft() -> Draft {
        Draft::new(0, Micros(0), Body::Closed { reason: None })
    }

    #[test]
    fn numbers_rise_by_one_for_all_connections_together() {
        let seen = Arc::default();
        let sink = Box::new(Collect(Arc::clone(&seen)));
        let on_failure: OnFailure = Arc::new(|_| panic!("nothing fails"));
        let bus = Bus::new(vec![(Policy::PushBack, sink)], &on_failure).unwrap();
        thread::scope(|scope| {
            for conn in 1..=4 {
                let bus = &bus;
                scope.spawn(move || {
                    let mut numbers = Numbers::new(conn);
                    for _ in 0..100 {
                        bus.publish(&mut numbers, &mut vec![draft(), draft()]);
                    }
                });
            }
        });
        assert!(bus.finish().is_empty());
        assert_eq!(*seen.lock().unwrap(), (1..=800).collect::<Vec<u64>>());
    }

    #[test]
    fn a_sink_that_fails_is_told_of_at_once_and_the_others_go_on() {
        let seen = Arc::default();
        let sink = Box::new(Collect(Arc::clone(&seen)));
        let failures = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&failures);
        let on_failure: OnFailure = Arc::new(move |_| {
            counted.fetch_add(1, Ordering::SeqCst);
        });
        let sinks: Vec<(Policy, Box<dyn Sink>)> =
            vec![(Policy::PushBack, Box::new(Fail)), (Policy::Drop, sink)];
        let bus = Bus::new(sinks, &on_failure).unwrap();
        let mut numbers = Numbers::new(1);
        for _ in 0..10 {
            bus.publish(&mut numbers, &mut vec![draft()]);
        }
        let errors = bus.finish();
        assert_eq!(errors.len(), 1);
        assert_eq!(failures.load(Ordering::SeqCst), 1);
        assert_eq!(seen.lock().unwrap().len(), 10);
    }
}
