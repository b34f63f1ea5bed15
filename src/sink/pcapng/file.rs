//! A capture in a file, while it is recorded.
//!
//! It promises of what others do to the file what [`Kept`] promises. There is no second copy of it: one that
//! they emptied goes on in another file, where Wireshark finds connections without a beginning; all of it can
//! be made of the transcript.

use std::io::{self, BufWriter, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use time::OffsetDateTime;

use super::Capture;
use crate::error::{Doing, Error, Result};
use crate::private;
use crate::sink::batch::Batch;
use crate::sink::bus::{Purpose, Sink};
use crate::sink::recording::OnDisplaced;
use crate::transcript::Kept;

/// A capture file that grows with the session.
pub struct CaptureFile {
    capture: Capture<BufWriter<Kept>>,
    path: PathBuf,
    /// What every such file begins with.
    begin: Vec<u8>,
    on_displaced: Option<OnDisplaced>,
    is_whole: bool,
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
        let mut begin = Vec::new();
        Capture::new(&mut begin, since).doing(doing)?;
        let file = BufWriter::new(Kept::new(path, file));
        let mut capture = Capture::new(file, since).doing(doing)?;
        capture.flush().doing(doing)?;
        Ok(Self {
            capture,
            path: path.to_owned(),
            begin,
            on_displaced: None,
            is_whole: true,
        })
    }

    /// The same, which calls this at once if somebody removes, moves or changes the file.
    #[must_use = "the capture that tells is returned, not changed in place"]
    pub fn telling(mut self, on_displaced: &OnDisplaced) -> Self {
        self.on_displaced = Some(Arc::clone(on_displaced));
        self
    }

    /// Sees to it that more can be written. Between two blocks, with nothing in the buffer: another file
    /// begins with a whole one.
    fn keep(&mut self) -> io::Result<()> {
        let file = self.capture.out_mut().get_mut();
        file.keep(&self.begin)?;
        let Some(displaced) = file.displaced() else {
            return Ok(());
        };
        self.is_whole &= !displaced.loses();
        if let Some(tell) = &self.on_displaced {
            tell(&self.path, &displaced);
        }
        if let Some(now) = displaced.now() {
            self.path = now.into();
        }
        Ok(())
    }

    fn doing(&self) -> String {
        format!("write the capture {}", self.path.display())
    }
}

impl Sink for CaptureFile {
    fn take(&mut self, events: &Batch) -> Result<()> {
        let mut written = self.keep();
        for event in events.iter() {
            written = written.and_then(|()| self.capture.write(event));
        }
        written
            .and_then(|()| self.capture.flush())
            .doing(|| self.doing())
    }

    fn finish(&mut self) -> Result<()> {
        let kept = self.keep();
        let finished = kept.and_then(|()| self.capture.finish());
        // What comes at the end may be a moment ago.
        let finished = finished.and_then(|()| self.keep());
        finished.doing(|| self.doing())
    }

    fn is_whole(&self) -> bool {
        self.is_whole
    }

    fn purpose(&self) -> Purpose {
        Purpose::Capture
    }
}
