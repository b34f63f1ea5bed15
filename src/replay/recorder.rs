//! Where the events of connections to the real server go: into the transcript, behind what is there.
//!
//! Not the live apps' events, which are shown and have numbers of their own.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crate::error::Result;
use crate::event::{Draft, Micros, Numbers};
use crate::net::Clock;
use crate::sink::bus::{Bus, OnFailure, Sink};
use crate::sink::queue::Policy;

/// The transcript that is added to.
pub struct Recorder {
    bus: Bus,
    connections: AtomicU64,
    /// The time of the transcript's beginning to ours.
    since: Micros,
    clock: Clock,
}

/// What is in a transcript already.
#[derive(Clone, Copy, Debug, Default)]
pub struct Before {
    /// The number of its last event.
    pub last: u64,
    /// The highest number of a connection.
    pub connections: u64,
    /// The time from its beginning to now.
    pub since: Micros,
}

impl Recorder {
    /// Adds to what is there.
    pub fn new(sink: Box<dyn Sink>, before: Before, on_failure: &OnFailure) -> Result<Self> {
        let bus = Bus::new(vec![(Policy::PushBack, sink)], on_failure)?;
        Ok(Self {
            bus: bus.numbering_from(before.last),
            connections: AtomicU64::new(before.connections),
            since: before.since,
            clock: Clock::start(),
        })
    }

    /// The time since the transcript began.
    pub fn now(&self) -> Micros {
        Micros(self.since.0.saturating_add(self.clock.now().0))
    }

    /// Numbers for one connection more.
    pub fn connection(&self) -> Numbers {
        Numbers::new(self.connections.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// Adds events.
    pub fn publish(&self, numbers: &mut Numbers, drafts: &mut Vec<Draft>) {
        self.bus.publish(numbers, drafts);
    }

    /// Waits until the file's writer has room.
    pub async fn room(&self) {
        self.bus.room().await;
    }

    /// Writes what is left until `deadline`; whether all of it is written.
    pub fn finish(&self, deadline: Instant) -> bool {
        self.bus.finish(deadline).is_empty()
    }
}
