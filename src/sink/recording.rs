//! The transcript file as a sink.

use std::path::Path;
use std::sync::Arc;

use super::batch::Batch;
use super::bus::{Purpose, Sink};
use crate::error::Result;
use crate::transcript::{Displaced, Restored, TranscriptFile};

/// Told what others did to the transcript, or to the capture, which was at this path.
pub type OnDisplaced = Arc<dyn Fn(&Path, &Displaced) + Send + Sync>;

/// Writes every event to a transcript. Its first failure ends it, and leaves the file a valid
/// document with what was written before.
pub struct Recording {
    file: TranscriptFile,
    on_displaced: Option<OnDisplaced>,
    /// What it holds of what was written to it.
    held: Restored,
}

impl Recording {
    /// Writes to this file.
    pub fn new(file: TranscriptFile) -> Self {
        Self {
            file,
            on_displaced: None,
            held: Restored::All,
        }
    }

    /// The same, which calls this at once if somebody removes, moves or changes the file.
    #[must_use = "the recording that tells is returned, not changed in place"]
    pub fn telling(mut self, on_displaced: &OnDisplaced) -> Self {
        self.on_displaced = Some(Arc::clone(on_displaced));
        self
    }

    fn tell(&mut self) {
        let before = self.file.path().to_owned();
        let Some(displaced) = self.file.displaced() else {
            return;
        };
        if displaced.loses() {
            self.held = Restored::FromHereOn;
        }
        if let Some(tell) = &self.on_displaced {
            tell(&before, &displaced);
        }
    }
}

impl Sink for Recording {
    fn take(&mut self, events: &Batch) -> Result<()> {
        let written = self.file.append(events.iter());
        self.tell();
        written
    }

    fn finish(&mut self) -> Result<()> {
        let finished = self.file.finish();
        self.tell();
        finished
    }

    fn is_whole(&self) -> bool {
        self.held == Restored::All
    }

    fn purpose(&self) -> Purpose {
        Purpose::Record
    }
}
