//! The transcript file as a sink.

use std::path::Path;
use std::sync::Arc;

use super::bus::{Purpose, Sink};
use crate::error::Result;
use crate::event::Event;
use crate::transcript::{Displaced, TranscriptFile};

/// Told what others did to the transcript, which was at this path.
pub type OnDisplaced = Arc<dyn Fn(&Path, &Displaced) + Send + Sync>;

/// Writes every event to a transcript. Its first failure ends it, and leaves the file a valid
/// document with what was written before.
pub struct Recording {
    file: TranscriptFile,
    on_displaced: Option<OnDisplaced>,
}

impl Recording {
    /// Writes to this file.
    pub fn new(file: TranscriptFile) -> Self {
        Self {
            file,
            on_displaced: None,
        }
    }

    /// The same, which calls this at once if somebody removes or moves the file.
    #[must_use = "the recording that tells is returned, not changed in place"]
    pub fn telling(mut self, on_displaced: &OnDisplaced) -> Self {
        self.on_displaced = Some(Arc::clone(on_displaced));
        self
    }

    fn tell(&mut self) {
        let before = self.file.path().to_owned();
        if let (Some(displaced), Some(tell)) = (self.file.displaced(), &self.on_displaced) {
            tell(&before, &displaced);
        }
    }
}

impl Sink for Recording {
    fn take(&mut self, events: &[Arc<Event>]) -> Result<()> {
        let written = self.file.append(events.iter().map(Arc::as_ref));
        self.tell();
        written
    }

    fn finish(&mut self) -> Result<()> {
        let finished = self.file.finish();
        self.tell();
        finished
    }

    fn purpose(&self) -> Purpose {
        Purpose::Record
    }
}
