//! The transcript file as a sink.

use std::sync::Arc;

use super::bus::{Purpose, Sink};
use crate::error::Result;
use crate::event::Event;
use crate::transcript::TranscriptFile;

/// Writes every event to a transcript. Its first failure ends it, and leaves the file a valid
/// document with what was written before.
pub struct Recording {
    file: TranscriptFile,
}

impl Recording {
    /// Writes to this file.
    pub fn new(file: TranscriptFile) -> Self {
        Self { file }
    }
}

impl Sink for Recording {
    fn take(&mut self, events: &[Arc<Event>]) -> Result<()> {
        self.file.append(events.iter().map(Arc::as_ref))
    }

    fn finish(&mut self) -> Result<()> {
        self.file.finish();
        Ok(())
    }

    fn purpose(&self) -> Purpose {
        Purpose::Record
    }
}
