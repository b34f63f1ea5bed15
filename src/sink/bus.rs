//! Where events get their numbers and are handed to every sink.
//!
//! The one place where the connections meet: numbers rise by one in the order in which the sinks
//! are given the events, so that order in a transcript is the order of numbers.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use super::batch::Batch;
use super::queue::{Policy, Queue, Wait};
use crate::error::{Error, Result};
use crate::event::{Draft, Numbers};
use crate::limits;

/// Something that takes events: a transcript, a terminal.
pub trait Sink: Send {
    /// Takes events in order. After an error it is given no more.
    fn take(&mut self, events: &Batch) -> Result<()>;

    /// The run is over.
    fn finish(&mut self) -> Result<()> {
        Ok(())
    }

    /// Whether what it took is still there, as far as it can know; one that lost something has told of it.
    fn is_whole(&self) -> bool {
        true
    }

    /// What it is for, and so what is lost when it fails.
    fn purpose(&self) -> Purpose;
}

/// What a sink is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To keep everything.
    Record,
    /// To keep it in a form for other programs.
    Capture,
    /// To show it while it happens.
    View,
}

/// A sink that did not take everything.
#[derive(Debug)]
pub struct Shortfall {
    /// What it was for.
    pub purpose: Purpose,
    /// Why it did not.
    pub cause: Cause,
}

/// Why a sink did not take everything.
#[derive(Debug)]
pub enum Cause {
    /// It failed, as was told when it happened.
    Failed,
    /// It was not done when the run had to end.
    Late,
    /// Others made away with some of it, as was told when it was noticed.
    Bereft,
}

/// Told at once when a sink fails, from the sink's own thread.
pub type OnFailure = Arc<dyn Fn(Purpose, &Error) + Send + Sync>;

/// Numbers events and hands them to the sinks, each on a thread of its own.
pub struct Bus {
    last: Mutex<u64>,
    sinks: Vec<Attached>,
    on_failure: OnFailure,
}

struct Attached {
    queue: Arc<Queue>,
    purpose: Purpose,
    done: Mutex<Receiver<Option<Cause>>>,
    /// It took nothing for too long, and was given up.
    hangs: AtomicBool,
}

impl Bus {
    /// Starts a thread for each sink. Fails if the system has none to give.
    pub fn new(sinks: Vec<(Policy, Box<dyn Sink>)>, on_failure: &OnFailure) -> Result<Self> {
        let attach = |(policy, sink)| attach(policy, sink, Arc::clone(on_failure));
        Ok(Self {
            last: Mutex::new(0),
            sinks: sinks.into_iter().map(attach).collect::<Result<_>>()?,
            on_failure: Arc::clone(on_failure),
        })
    }

    /// The same, its first event to have the number behind `last`.
    #[must_use = "the changed bus is returned, not changed in place"]
    pub fn numbering_from(self, last: u64) -> Self {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = last;
        self
    }

    /// Numbers the drafts and hands them to every sink. Never waits; see [`room`](Self::room).
    pub fn publish(&self, numbers: &mut Numbers, drafts: &mut Vec<Draft>) {
        if drafts.is_empty() {
            return;
        }
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let events = drafts.drain(..).map(|draft| {
            *last += 1;
            numbers.number(draft, *last)
        });
        let published = Arc::new(events.collect());
        for sink in &self.sinks {
            sink.queue.push(&published);
        }
    }

    /// Waits until every sink that must not lose anything has room. One that hangs is given up, as one that
    /// failed is.
    pub async fn room(&self) {
        for sink in &self.sinks {
            if sink.queue.room().await == Wait::InVain && sink.queue.close() {
                self.give_up(sink);
            }
        }
    }

    /// Whether every sink that must not lose anything has room now.
    pub fn has_room(&self) -> bool {
        self.sinks.iter().all(|sink| sink.queue.has_room())
    }

    fn give_up(&self, sink: &Attached) {
        sink.hangs.store(true, Ordering::Release);
        let (purpose, on_failure) = (sink.purpose, Arc::clone(&self.on_failure));
        // Whoever is told may take long to say it, and the relay is to go on.
        let tell = move || on_failure(purpose, &hangs(purpose));
        let _ = thread::Builder::new().name("sink".into()).spawn(tell);
    }

    /// Events published so far.
    pub fn events(&self) -> u64 {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the sinks take what is left until `deadline`, viewers for at most
    /// [`limits::FINISH_VIEW`], and ends them. Those that did not take everything are returned.
    pub fn finish(&self, deadline: Instant) -> Vec<Shortfall> {
        for sink in &self.sinks {
            sink.queue.close();
        }
        let viewers = deadline.min(Instant::now() + limits::FINISH_VIEW);
        self.sinks
            .iter()
            .filter_map(|sink| {
                let done = sink.done.lock().unwrap_or_else(PoisonError::into_inner);
                let deadline = match sink.purpose {
                    Purpose::Record | Purpose::Capture => deadline,
                    Purpose::View => viewers,
                };
                let patience = deadline.saturating_duration_since(Instant::now());
                let cause = match done.recv_timeout(patience) {
                    Ok(_) if sink.hangs.load(Ordering::Acquire) => Cause::Failed,
                    Ok(outcome) => outcome?,
                    Err(RecvTimeoutError::Disconnected) => Cause::Failed,
                    Err(RecvTimeoutError::Timeout) => Cause::Late,
                };
                let purpose = sink.purpose;
                Some(Shortfall { purpose, cause })
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
    let purpose = sink.purpose();
    let (tell, done) = channel();
    let source = Arc::clone(&queue);
    let work = move || {
        // A sink that nobody empties would hold the relay up for good, so a defect in one is a
        // failure like any other.
        let outcome = catch_unwind(AssertUnwindSafe(|| drain(&source, sink.as_mut())))
            .unwrap_or_else(|_| Err(Error::new("write events", "a defect in mailscope")));
        if let Err(error) = &outcome {
            source.close(); // the relay goes on without this sink
            on_failure(purpose, error);
        }
        let cause = match outcome {
            Ok(()) => (!sink.is_whole()).then_some(Cause::Bereft),
            Err(_) => Some(Cause::Failed),
        };
        // Nobody waits for the outcome when the run was ended at once.
        let _ = tell.send(cause);
    };
    thread::Builder::new()
        .name("sink".into())
        .spawn(work)
        .map_err(|why| Error::new("start a thread for writing events", why))?;
    Ok(Attached {
        queue,
        purpose,
        done: Mutex::new(done),
        hangs: AtomicBool::new(false),
    })
}

/// What is said of a sink that hangs.
fn hangs(purpose: Purpose) -> Error {
    let what = match purpose {
        Purpose::Record => "write the transcript",
        Purpose::Capture => "write the capture",
        Purpose::View => "write to standard output",
    };
    let seconds = limits::SINK_STALLED.as_secs();
    Error::new(what, format!("nothing could be written for {seconds} s"))
        .hint("see whether that disk answers, or record to another one with --out")
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
    use std::sync::atomic::AtomicUsize;
    use std::time::Duration;

    struct Collect(Arc<Mutex<Vec<u64>>>);

    impl Sink for Collect {
        fn take(&mut self, events: &Batch) -> Result<()> {
            self.0.lock().unwrap().extend(events.iter().map(|e| e.n));
            Ok(())
        }

        fn purpose(&self) -> Purpose {
            Purpose::View
        }
    }

    enum Bad {
        Fails,
        Panics,
        Hangs(Purpose),
    }

    impl Sink for Bad {
        fn take(&mut self, _: &Batch) -> Result<()> {
            match self {
                Self::Fails => Err(Error::new("write", "disk full")),
                Self::Panics => panic!("a defect, on purpose"),
                Self::Hangs(_) => loop {
                    thread::park();
                },
            }
        }

        fn purpose(&self) -> Purpose {
            match self {
                Self::Fails | Self::Panics => Purpose::Record,
                Self::Hangs(purpose) => *purpose,
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_recorder_that_hangs_is_given_up_and_told_of_once() {
        let (tell, told) = channel();
        let on_failure: OnFailure = Arc::new(move |purpose, error: &Error| {
            tell.send((purpose, error.to_string())).unwrap();
        });
        let hangs: Box<dyn Sink> = Box::new(Bad::Hangs(Purpose::Record));
        let bus = Bus::new(vec![(Policy::PushBack, hangs)], &on_failure).unwrap();
        let mut numbers = Numbers::new(1);
        let more_than_enough = limits::RECORDING_QUEUE / draft().body().weight() + 1;
        bus.publish(&mut numbers, &mut vec![draft(); more_than_enough]);
        tokio::join!(bus.room(), bus.room());
        let (purpose, error) = told.recv().unwrap();
        assert_eq!(purpose, Purpose::Record);
        assert!(
            error.starts_with("write the transcript: nothing could be written for "),
            "{error}"
        );
        bus.publish(&mut numbers, &mut vec![draft(); more_than_enough]);
        bus.room().await;
        assert!(told.try_recv().is_err());
        let short = bus.finish(Instant::now() + Duration::from_millis(50));
        assert_eq!(short[0].purpose, Purpose::Record);
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    fn draft() -> Draft {
        Draft::new(0, Micros(0), Body::Closed { reason: None })
    }

    #[test]
    fn numbers_rise_by_one_for_all_connections_together() {
        let seen = Arc::default();
        let sink = Box::new(Collect(Arc::clone(&seen)));
        let on_failure: OnFailure = Arc::new(|_, _| panic!("nothing fails"));
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
        assert!(bus.finish(soon()).is_empty());
        assert_eq!(*seen.lock().unwrap(), (1..=800).collect::<Vec<u64>>());
    }

    #[test]
    fn a_sink_that_fails_is_told_of_at_once_and_the_others_go_on() {
        for bad in [Bad::Fails, Bad::Panics] {
            let seen = Arc::default();
            let sink = Box::new(Collect(Arc::clone(&seen)));
            let failures = Arc::new(AtomicUsize::new(0));
            let counted = Arc::clone(&failures);
            let on_failure: OnFailure = Arc::new(move |purpose, _| {
                assert_eq!(purpose, Purpose::Record);
                counted.fetch_add(1, Ordering::SeqCst);
            });
            let sinks: Vec<(Policy, Box<dyn Sink>)> =
                vec![(Policy::PushBack, Box::new(bad)), (Policy::Drop, sink)];
            let bus = Bus::new(sinks, &on_failure).unwrap();
            let mut numbers = Numbers::new(1);
            for _ in 0..10 {
                bus.publish(&mut numbers, &mut vec![draft()]);
            }
            let short = bus.finish(soon());
            assert_eq!(short.len(), 1);
            assert!(matches!(short[0].cause, Cause::Failed));
            assert_eq!(failures.load(Ordering::SeqCst), 1);
            assert_eq!(seen.lock().unwrap().len(), 10);
        }
    }

    #[test]
    fn a_sink_that_hangs_does_not_hold_the_end_up() {
        for (purpose, patience) in [
            (Purpose::Record, Duration::from_millis(50)),
            (Purpose::View, Duration::from_secs(60)),
        ] {
            let on_failure: OnFailure = Arc::new(|_, _| panic!("nothing fails"));
            let hangs: Box<dyn Sink> = Box::new(Bad::Hangs(purpose));
            let bus = Bus::new(vec![(Policy::PushBack, hangs)], &on_failure).unwrap();
            bus.publish(&mut Numbers::new(1), &mut vec![draft()]);
            let begun = Instant::now();
            let short = bus.finish(begun + patience);
            assert!(begun.elapsed() < Duration::from_secs(30));
            assert_eq!(short[0].purpose, purpose);
            assert!(matches!(short[0].cause, Cause::Late));
        }
    }
}
