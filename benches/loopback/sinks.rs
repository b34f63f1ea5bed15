//! Where events go.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mailscope::error::Result;
use mailscope::sink::batch::Batch;
use mailscope::sink::bus::{Bus, OnFailure, Purpose, Sink};
use mailscope::sink::queue::Policy;
use mailscope::sink::recording::Recording;
use mailscope::transcript::{Header, TranscriptFile};
use tempfile::TempDir;
use time::OffsetDateTime;

use super::Way;

/// How long a sink may take to write what is left; a busy disk is no failure here.
const PATIENCE: Duration = Duration::from_secs(60);

/// A bus, and the transcript that it may lead to.
pub struct Sinks {
    /// Takes the events.
    pub bus: Arc<Bus>,
    /// With the transcript.
    _folder: Option<TempDir>,
}

impl Sinks {
    /// As this way needs them.
    pub fn new(way: Way) -> Self {
        let on_failure: OnFailure = Arc::new(|_, failure| panic!("{failure}"));
        let folder = (way == Way::Recorded).then(|| tempfile::tempdir().expect("a folder"));
        let transcripts = folder.iter().map(|folder| {
            let header = Header::new(OffsetDateTime::now_utc(), "localhost");
            let path = folder.path().join("transcript.json");
            let file = TranscriptFile::create(&path, &header).expect("a transcript");
            let sink: Box<dyn Sink> = Box::new(Unsynchronized(Recording::new(file)));
            (Policy::PushBack, sink)
        });
        let bus = Bus::new(transcripts.collect(), &on_failure).expect("a bus");
        Self {
            bus: Arc::new(bus),
            _folder: folder,
        }
    }

    /// Ends when everything is written.
    pub fn finish(self) {
        let failures = self.bus.finish(Instant::now() + PATIENCE);
        assert!(failures.is_empty(), "{failures:?}");
    }
}

/// A recording that does not make the disk write at its end: its files are gone before that.
struct Unsynchronized(Recording);

impl Sink for Unsynchronized {
    fn take(&mut self, events: &Batch) -> Result<()> {
        self.0.take(events)
    }

    fn purpose(&self) -> Purpose {
        self.0.purpose()
    }
}
