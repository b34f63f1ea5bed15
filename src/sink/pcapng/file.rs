//! A capture in a file, while it is recorded.

use std::io::{BufWriter, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use time::OffsetDateTime;

use super::Capture;
use crate::error::{Doing, Error, Result};
use crate::event::Event;
use crate::private;
use crate::sink::bus::{Purpose, Sink};

/// A capture file that grows with the session.
pub struct CaptureFile {
    capture: Capture<BufWriter<std::fs::File>>,
    path: PathBuf,
}

impl CaptureFile {
    /// Makes the file, for its owner alone; `started` is when the run did.
    ///
    /// # Errors
    ///
    /// It is there already, or cannot be made.
    pub fn create(path: &Path, started: OffsetDateTime) -> Result<Self> {
        let doing = || format!("write the capture {}", path.display());
        let file = private::create_new(path).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => {
                Error::new(doing(), "it is there already").hint("another file")
            }
            _ => Error::new(doing(), error),
        })?;
        let since = (started - OffsetDateTime::UNIX_EPOCH).unsigned_abs();
        let capture = Capture::new(BufWriter::new(file), since).doing(doing)?;
        let path = path.to_owned();
        Ok(Self { capture, path })
    }

    fn doing(&self) -> String {
        format!("write the capture {}", self.path.display())
    }
}

impl Sink for CaptureFile {
    fn take(&mut self, events: &[Arc<Event>]) -> Result<()> {
        let mut written = Ok(());
        for event in events {
            written = written.and_then(|()| self.capture.write(event));
        }
        written
            .and_then(|()| self.capture.flush())
            .doing(|| self.doing())
    }

    fn finish(&mut self) -> Result<()> {
        self.capture.finish().doing(|| self.doing())
    }

    fn purpose(&self) -> Purpose {
        Purpose::Capture
    }
}
