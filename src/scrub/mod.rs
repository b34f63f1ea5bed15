//! The same conversation with nobody's data in it: words replaced by pseudonyms of the same shape, so
//! that a transcript can be shared, still reads and still replays.
//!
//! ```text
//! transcript -> each message's labelled spans -> a rule for each -> words -> pseudonyms -> the same, read again
//!                                                                        '-> the last check: is a word left?
//! ```
//!
//! A word is a run of letters and digits, wherever it stands: the name of a mailbox in modified UTF-7,
//! a subject in an encoded word, a text in base64. Everything that is no word stays, and therefore the
//! structure of mails and messages, and every length.
//!
//! A transcript is read twice, first for the words that are in it, then to replace them: what stands
//! for a word is no other word of the original. All pseudonyms are drawn at random and forgotten.
//! Secrets that were not masked (`--show-secrets`) are masked before anything else.
//!
//! Until the last check has found nothing, what is written lies in a file without a name, which is gone
//! when the process is.

mod check;
mod encoding;
mod facts;
mod mailbox;
mod message;
mod mime;
mod pseudonym;
mod rules;
mod session;
mod shifts;
mod source;
mod text;
mod vocabulary;

#[cfg(test)]
mod tests;

use std::io::{self, BufReader, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::error::{Doing, Error, Result};
use crate::event::{Event, Secrets};
use crate::limits;
use crate::recording::Form;
use crate::transcript::{Header, Nameless, NamelessTranscript, Reader, TextWriter};

use check::Check;
pub use message::Kept;
use pseudonym::Pseudonyms;
use session::Session;
use source::{Counted, Source};
use text::Words;
use vocabulary::Vocabulary;

/// What was done.
pub struct Scrubbed {
    /// Words that were replaced, each counted once.
    pub words: usize,
    /// Events that were written.
    pub events: u64,
    /// What is to be said of a transcript that ends before its end.
    pub torn: Option<String>,
    /// Why no more of it was read: what stands before it was written.
    pub damage: Option<Error>,
}

/// Where the new transcript goes.
pub enum Target<'a> {
    /// A file, which is not there yet.
    File(&'a Path),
    /// What is written to.
    Out(&'a mut dyn Write),
}

/// What is being done, for who wants to say how far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The words are being gathered.
    Reading,
    /// Others are being written for them.
    Replacing,
    /// What was written is being searched for the original ones.
    Checking,
}

/// Is told how many octets were read.
pub type Counter = Box<dyn FnMut(u64) + Send>;

/// Who is told how far it is.
pub trait Watch {
    /// A stage begins, in which so many octets will be read.
    fn begin(&self, stage: Stage, octets: u64) -> Counter;
}

/// Nobody.
pub struct Unwatched;

impl Watch for Unwatched {
    fn begin(&self, _: Stage, _: u64) -> Counter {
        Box::new(|_| ())
    }
}

/// Reads the transcript or text `from` (`-` for standard input) and writes it with other words to `to`,
/// in the same form.
///
/// # Errors
///
/// It cannot be read or written, `to` is there already, or the last check found something that was left;
/// then nothing is written.
pub fn scrub(from: &Path, mut to: Target<'_>, kept: Kept, watch: &dyn Watch) -> Result<Scrubbed> {
    if let Target::File(path) = &to
        && path.symlink_metadata().is_ok()
    {
        return Err(is_there(path));
    }
    let source = Source::open(from)?;
    let pseudonyms = Pseudonyms::new(Vocabulary::new());
    let mut session = Session::new(Words::new(pseudonyms), kept);
    let folder = folder_of(&to);
    let (header, Passed { torn, damage }) = gather(&mut session, &source, watch)?;
    let write = Writing {
        source: &source,
        folder: &folder,
        doing: match &to {
            Target::File(path) => format!("write {}", path.display()),
            Target::Out(_) => "write to standard output".into(),
        },
    };
    let (file, events) = write.until_clean(&mut session, &header, watch)?;
    if let (Some(damage), 0) = (damage.as_ref(), events) {
        return Err(Error::new(damage.doing_what(), damage.why()));
    }
    let file = match source.form() {
        Form::Json => file,
        Form::Text => write.as_text(&file)?,
    };
    publish(file, &mut to)?;
    Ok(Scrubbed {
        words: session.words().pseudonyms.words().count(),
        events,
        torn,
        damage,
    })
}

fn is_there(path: &Path) -> Error {
    let doing = format!("write {}", path.display());
    Error::new(doing, "it is there already").hint("another file with -o FILE")
}

/// Where the file without a name is to be, so that it can have one there.
fn folder_of(to: &Target<'_>) -> PathBuf {
    match to {
        Target::Out(_) => std::env::temp_dir(),
        Target::File(path) => match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder.into(),
            _ => PathBuf::from("."),
        },
    }
}

/// Gathers all words.
fn gather(session: &mut Session, source: &Source, watch: &dyn Watch) -> Result<(Header, Passed)> {
    let counter = watch.begin(Stage::Reading, source.length());
    let events = source.events(counter)?;
    let header = events.header();
    scrubbed_header(session, &header);
    let passed = pass(session, events, |_| Ok(()))?;
    Ok((header, passed))
}

/// How often other pseudonyms are drawn when the last check finds something: what is there by chance is
/// gone then, and what is a mistake of ours comes again.
const ATTEMPTS: usize = 3;

/// What is written until it may have a name.
struct Writing<'a> {
    source: &'a Source,
    folder: &'a Path,
    /// What is being done, for errors.
    doing: String,
}

impl Writing<'_> {
    /// Writes the transcript; with it, the number of its events comes back.
    fn until_clean(
        &self,
        session: &mut Session,
        header: &Header,
        watch: &dyn Watch,
    ) -> Result<(Nameless, u64)> {
        let mut attempt = 1;
        loop {
            session.words().pseudonyms.draw();
            session.again();
            let header = scrubbed_header(session, header);
            let file = NamelessTranscript::begin(self.folder, &header);
            let mut file = file.doing(|| self.doing.clone())?;
            let counter = watch.begin(Stage::Replacing, self.source.length());
            pass(session, self.source.events(counter)?, |events| {
                file.append(events)
            })?;
            let events = file.events();
            let file = file.finish();
            let counter = watch.begin(Stage::Checking, file.length());
            let originals = self.source.events(Unwatched.begin(Stage::Checking, 0))?;
            let reader = read(&file, counter)?;
            match Check::new(session.words()).transcript(originals, reader) {
                Ok(()) => return Ok((file, events)),
                Err(error) if attempt == ATTEMPTS => return Err(error),
                Err(_) => attempt += 1,
            }
        }
    }

    /// The same as a text.
    fn as_text(&self, file: &Nameless) -> Result<Nameless> {
        let doing = || self.doing.clone();
        let out = BufWriter::new(Nameless::in_folder(self.folder).doing(doing)?);
        let mut writer = TextWriter::new(out);
        for recorded in read(file, Unwatched.begin(Stage::Checking, 0))? {
            writer.write(&recorded?).doing(doing)?;
        }
        writer.flush().doing(doing)?;
        let out = writer.into_inner().into_inner();
        out.map_err(io::IntoInnerError::into_error).doing(doing)
    }
}

/// Reads what was written.
fn read(file: &Nameless, counter: Counter) -> Result<Reader> {
    let doing = || "read a file without a name".to_owned();
    let inner = file.read().doing(doing)?;
    let octets = BufReader::with_capacity(limits::READ, Counted { inner, counter });
    Reader::new(octets, "what was written")
}

fn publish(file: Nameless, to: &mut Target<'_>) -> Result<()> {
    match to {
        Target::File(path) => file.publish(path).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => is_there(path),
            _ => Error::new(format!("write {}", path.display()), error),
        }),
        Target::Out(out) => {
            let copied = file.read().and_then(|mut file| io::copy(&mut file, out));
            match copied.and_then(|_| out.flush()) {
                Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                    Err(Error::new("write to standard output", error))
                }
                _ => Ok(()),
            }
        }
    }
}

/// Nothing of a secret is left in it.
fn scrubbed_header(session: &mut Session, header: &Header) -> Header {
    Header {
        server: facts::address(session.words(), &header.server),
        secrets: Secrets::Masked,
        scrubbed: true,
        ..header.clone()
    }
}

/// How far a pass came.
struct Passed {
    /// What is to be said of a transcript that ends before its end.
    torn: Option<String>,
    damage: Option<Error>,
}

/// Scrubs all events that can be read.
fn pass(
    session: &mut Session,
    mut source: source::SourceEvents,
    mut write: impl FnMut(&[Event]) -> Result<()>,
) -> Result<Passed> {
    let mut events = Vec::new();
    let mut damage = None;
    for recorded in &mut source {
        match recorded {
            Ok(recorded) => session.take(recorded, &mut events)?,
            Err(error) => damage = Some(error),
        }
        write(&events)?;
        events.clear();
    }
    session.finish(&mut events);
    write(&events)?;
    let torn = source.torn();
    Ok(Passed { torn, damage })
}
