//! The file that a transcript is written to while it is recorded.
//!
//! It promises that no file is ever overwritten, that nobody else may read it (mode 0600), that it is
//! a valid document at every moment, from the one when it is there on, and that one which somebody
//! removes is written again, and one which somebody empties or writes to is written anew beside it.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use time::OffsetDateTime;

use crate::error::{Doing, Error, Result};
use crate::event::Event;
use crate::private::create_whole;

use super::document::{Document, empty};
use super::header::Header;
use super::pair::Pair;
use super::place::{Place, exists};
use super::resume::Resumed;

/// A transcript on disk, open for more events.
pub struct TranscriptFile {
    path: PathBuf,
    document: Document<Pair>,
}

/// What others did to a transcript while it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Displaced {
    /// It was removed, and is written again, all of it.
    Removed {
        /// Where it is now.
        now: PathBuf,
    },
    /// It was emptied, or something else was written to it. That is left as it is, and the transcript goes
    /// on in another file.
    Changed {
        /// The other file.
        now: PathBuf,
        /// What is in it.
        restored: Restored,
    },
    /// It was moved, and is written there.
    Moved {
        /// Where it is now, if the system tells.
        now: Option<PathBuf>,
    },
}

/// What a file holds that takes the place of one that others have changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restored {
    /// All of it.
    All,
    /// What comes from here on: what came before was nowhere else.
    FromHereOn,
}

impl Displaced {
    /// Where the file is now, if it is somewhere else than before and the system tells.
    pub fn now(&self) -> Option<&Path> {
        match self {
            Self::Removed { now } | Self::Changed { now, .. } => Some(now),
            Self::Moved { now } => now.as_deref(),
        }
    }

    /// Whether something that was written is lost by it.
    pub fn loses(&self) -> bool {
        matches!(
            self,
            Self::Changed {
                restored: Restored::FromHereOn,
                ..
            }
        )
    }
}

impl TranscriptFile {
    /// Makes the file, a valid document without events.
    ///
    /// # Errors
    ///
    /// It exists, its folder does not, or it cannot be written.
    pub fn create(path: &Path, header: &Header) -> Result<Self> {
        match Self::make(path, header) {
            Ok(file) => Ok(file),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(exists(path)),
            Err(error) => Err(cannot_create(path, &error)),
        }
    }

    /// Makes the file that `--out PATH` means, as [`place`](super::place()) does, and its folder.
    /// Safe against another mailscope that does the same at the same time.
    ///
    /// # Errors
    ///
    /// The folder or the file cannot be made, or `out` is a file that exists.
    pub fn create_at(out: &Path, host: &str, now: OffsetDateTime, header: &Header) -> Result<Self> {
        let place = Place::of(out, host, now);
        place.make_folder()?;
        for path in place.paths() {
            match Self::make(&path, header) {
                Ok(file) => return Ok(file),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(cannot_create(&path, &error)),
            }
        }
        Err(exists(out))
    }

    fn make(path: &Path, header: &Header) -> io::Result<Self> {
        let empty = empty(header);
        let file = create_whole(path, |file| file.write_all(&empty))?;
        let document = Document::of_empty(Pair::new(path, file), empty);
        Ok(Self::going_on(path.into(), document))
    }

    /// Opens a transcript that is there, to add to it. Nothing is written before the first event is.
    ///
    /// # Errors
    ///
    /// It is no transcript or a broken one (file, line and reason), cannot be written, or somebody
    /// else is adding to it.
    pub fn resume(path: &Path) -> Result<Resumed> {
        super::resume::resume(path)
    }

    pub(super) fn going_on(path: PathBuf, document: Document<Pair>) -> Self {
        Self { path, document }
    }

    /// Writes events behind those that are there, each call to the system with whole events and
    /// the document's closing.
    ///
    /// # Errors
    ///
    /// They could not be written (disk full). The file is a valid document still, with the events
    /// that [`events`](Self::events) counts; the caller stops recording.
    pub fn append<'e>(&mut self, events: impl IntoIterator<Item = &'e Event>) -> Result<()> {
        let path = &self.path;
        self.document
            .append(events)
            .doing(|| format!("write {}", path.display()))
            .map_err(|error| {
                error.hint("make room on that disk, or record to another one with --out")
            })
    }

    /// Sees to it that the file survives a power cut, as far as the system does that.
    ///
    /// # Errors
    ///
    /// Somebody removed it or wrote to it, and it cannot be written again.
    pub fn finish(&mut self) -> Result<()> {
        let path = &self.path;
        let kept = self.document.keep();
        self.document.storage_mut().finish();
        kept.doing(|| format!("write {}", path.display()))
    }

    /// Where it lies: somewhere else than before, if somebody has moved it, has written to it, or has removed
    /// it and put something else there.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What others did to it since this was asked last.
    pub fn displaced(&mut self) -> Option<Displaced> {
        let displaced = self.document.storage_mut().displaced()?;
        if let Some(now) = displaced.now() {
            self.path = now.into();
        }
        Some(displaced)
    }

    /// Events in it.
    pub fn events(&self) -> u64 {
        self.document.events()
    }
}

fn cannot_create(path: &Path, error: &io::Error) -> Error {
    Error::new(format!("create {}", path.display()), error).hint("another place, with --out PATH")
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;
    use time::macros::datetime;

    #[test]
    fn a_new_file_is_a_valid_empty_document_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        let file = TranscriptFile::create(&path, &sample::header()).unwrap();
        let text = std::fs::read_to_string(file.path()).unwrap();
        assert!(text.ends_with("},\n\"events\":[\n]}\n"), "{text}");
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["mailscope"]["protocol"], "imap");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = path.metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn events_are_in_the_file_when_append_returns() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        let mut file = TranscriptFile::create(&path, &sample::header()).unwrap();
        let session = sample::session();
        for half in session.chunks(session.len() / 2 + 1) {
            file.append(half).unwrap();
            let text = std::fs::read_to_string(&path).unwrap();
            let value: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!(
                value["events"].as_array().unwrap().len() as u64,
                file.events()
            );
        }
        file.finish().unwrap();
        assert_eq!(file.events(), session.len() as u64);
    }

    #[test]
    fn a_file_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        std::fs::write(&path, "mine").unwrap();
        let now = datetime!(2026-11-24 04:15:30 UTC);
        for created in [
            TranscriptFile::create(&path, &sample::header()),
            TranscriptFile::create_at(&path, "h", now, &sample::header()),
        ] {
            let error = created.err().unwrap().to_string();
            assert!(error.contains("never overwritten"), "{error}");
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
    }

    #[test]
    fn two_runs_in_one_second_have_a_file_each() {
        let folder = tempfile::tempdir().unwrap();
        let now = datetime!(2026-11-24 04:15:30 UTC);
        let out = folder.path().join("r/");
        let first = TranscriptFile::create_at(&out, "h", now, &sample::header()).unwrap();
        let second = TranscriptFile::create_at(&out, "h", now, &sample::header()).unwrap();
        assert!(first.path().ends_with("r/20261124T041530Z-h.json"));
        assert!(second.path().ends_with("r/20261124T041530Z-h-2.json"));
    }

    #[test]
    fn an_error_names_the_file_and_what_to_try() {
        let error = TranscriptFile::create(Path::new("/nowhere/a.json"), &sample::header());
        let error = error.err().unwrap().to_string();
        assert!(error.starts_with("create /nowhere/a.json: "), "{error}");
        assert!(error.contains("--out"), "{error}");
    }
}
