//! A transcript that grows while it is replayed: what is in it is answered from it, and what is not
//! is passed to the real server and added. The modes have the names that cassettes of HTTP have.
//!
//! ```text
//! mode   the transcript has sessions      it has none, or is not there
//! once   answers from it, passes nothing  everything is passed and recorded
//! new    answers from it, passes the rest everything is passed and recorded
//! none   answers from it, passes nothing  refused
//! all    passes everything, records anew; everything is passed and recorded
//!        the former one is kept beside it
//! ```
//!
//! It promises that no former content is lost: what is added stands behind it, and what is recorded
//! anew leaves it in `NAME.old` (`NAME.old-2`... where that is taken), from the moment on when there
//! is something new to be kept.

use std::ffi::OsString;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use time::OffsetDateTime;

use super::recorder::{Before, Recorder};
use super::script::{Script, Session};
use crate::error::{Doing, Error, Result};
use crate::event::Micros;
use crate::sink::batch::Batch;
use crate::sink::bus::{OnFailure, Purpose, Sink};
use crate::sink::recording::{OnDisplaced, Recording};
use crate::transcript::{Header, Resumed, TranscriptFile, is_text};

/// What is passed on and recorded: `--record`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RecordMode {
    /// Everything, if there is no recording yet; else nothing.
    Once,
    /// What is not recorded.
    #[default]
    New,
    /// Nothing.
    None,
    /// Everything, whatever is recorded.
    All,
}

/// A transcript and what is done with it.
pub struct Cassette {
    /// What is answered from it; never without a session.
    pub script: Script,
    /// What is recorded goes there; `None` where nothing is passed on.
    pub recorder: Option<Recorder>,
    /// Nothing is answered from it.
    pub is_blank: bool,
    /// The former recording is to be kept beside it.
    pub puts_aside: bool,
    /// What to say about the transcript's torn tail.
    pub torn: Option<String>,
}

impl Cassette {
    /// Opens the transcript, or makes it. `server` (`host:port`) and `insecure` go into the header of
    /// one that is made.
    ///
    /// # Errors
    ///
    /// It is not there and nothing may be recorded, is none, is in the short text form, or cannot be
    /// added to.
    pub fn open(
        path: &Path,
        mode: RecordMode,
        server: &str,
        insecure: bool,
        on_failure: &OnFailure,
        on_displaced: &OnDisplaced,
    ) -> Result<Self> {
        let mut header = Header::new(OffsetDateTime::now_utc(), server);
        header.insecure = insecure;
        if !path.exists() {
            if mode == RecordMode::None {
                let doing = format!("read {}", path.display());
                return Err(Error::new(doing, "there is no such file")
                    .hint("--record once makes it, with all that the app asks the server"));
            }
            let file = TranscriptFile::create(path, &header)?;
            return Self::blank(
                Box::new(Recording::new(file).telling(on_displaced)),
                Before::default(),
                on_failure,
            );
        }
        refuse_text(path)?;
        let script = Script::open_even_empty(path)?;
        let is_empty = script.sessions.is_empty();
        match mode {
            RecordMode::None if is_empty => Script::open(path).map(Self::closed),
            RecordMode::None => Ok(Self::closed(script)),
            RecordMode::Once if !is_empty => Ok(Self::closed(script)),
            RecordMode::All if !is_empty => {
                let sink = Anew {
                    path: path.into(),
                    header,
                    former: Some(TranscriptFile::resume(path)?.file),
                    file: None,
                    on_displaced: Arc::clone(on_displaced),
                };
                let mut cassette = Self::blank(Box::new(sink), Before::default(), on_failure)?;
                cassette.puts_aside = true;
                Ok(cassette)
            }
            RecordMode::Once | RecordMode::New | RecordMode::All => {
                let resumed = TranscriptFile::resume(path)?;
                let (before, torn) = (before(&resumed), resumed.torn);
                let sink = Box::new(Recording::new(resumed.file).telling(on_displaced));
                let mut cassette = match is_empty {
                    true => Self::blank(sink, before, on_failure)?,
                    false => Self {
                        recorder: Some(Recorder::new(sink, before, on_failure)?),
                        ..Self::closed(script)
                    },
                };
                cassette.torn = torn;
                Ok(cassette)
            }
        }
    }

    fn closed(script: Script) -> Self {
        Self {
            script,
            recorder: None,
            is_blank: false,
            puts_aside: false,
            torn: None,
        }
    }

    fn blank(sink: Box<dyn Sink>, before: Before, on_failure: &OnFailure) -> Result<Self> {
        let mut script = Script::default();
        script.sessions.push(Session::default());
        Ok(Self {
            recorder: Some(Recorder::new(sink, before, on_failure)?),
            is_blank: true,
            ..Self::closed(script)
        })
    }
}

/// What is in the transcript; its clock goes on, unless its header does not say when it began.
fn before(resumed: &Resumed) -> Before {
    let elapsed = resumed.header.start().map(|start| {
        let elapsed = OffsetDateTime::now_utc() - start;
        Micros(u64::try_from(elapsed.whole_microseconds()).unwrap_or_default())
    });
    Before {
        last: resumed.last,
        connections: resumed.connections,
        since: elapsed.unwrap_or_default().max(resumed.at),
    }
}

/// It is written by hand, line by line; nothing could be added in its form.
fn refuse_text(path: &Path) -> Result<()> {
    let doing = || format!("add to {}", path.display());
    let mut beginning = Vec::new();
    let file = std::fs::File::open(path).doing(doing)?;
    file.take(4096).read_to_end(&mut beginning).doing(doing)?;
    match is_text(&beginning) {
        false => Ok(()),
        true => Err(
            Error::new(doing(), "it is in the short C:/S: form, which is not added to").hint(
                "a transcript as mailscope record writes it, or replay this one without --on-miss record",
            ),
        ),
    }
}

/// Records to a new file in the place of the former one, which is put aside when there is something
/// to record.
struct Anew {
    path: PathBuf,
    header: Header,
    /// Held, so that nobody adds to it meanwhile.
    former: Option<TranscriptFile>,
    file: Option<Recording>,
    on_displaced: OnDisplaced,
}

impl Anew {
    fn begin(&mut self) -> Result<Recording> {
        let aside = aside(&self.path);
        std::fs::rename(&self.path, &aside)
            .doing(|| format!("keep {} as {}", self.path.display(), aside.display()))?;
        self.former = None;
        let file = TranscriptFile::create(&self.path, &self.header)?;
        Ok(Recording::new(file).telling(&self.on_displaced))
    }
}

impl Sink for Anew {
    fn take(&mut self, events: &Batch) -> Result<()> {
        if self.file.is_none() {
            self.file = Some(self.begin()?);
        }
        self.file.as_mut().map_or(Ok(()), |file| file.take(events))
    }

    fn finish(&mut self) -> Result<()> {
        self.file.as_mut().map_or(Ok(()), Sink::finish)
    }

    fn purpose(&self) -> Purpose {
        Purpose::Record
    }
}

/// `NAME.old`, or the first of `NAME.old-2`... that is free.
fn aside(path: &Path) -> PathBuf {
    let named = |end: &str| {
        let mut name = OsString::from(path);
        name.push(end);
        PathBuf::from(name)
    };
    let numbered = (2_u32..).map(|number| named(&format!(".old-{number}")));
    let mut names = std::iter::once(named(".old")).chain(numbered);
    names
        .find(|name| name.symlink_metadata().is_err())
        .unwrap_or_else(|| named(".old"))
}
