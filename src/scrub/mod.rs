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

mod check;
mod encoding;
mod facts;
mod mailbox;
mod message;
mod mime;
mod pseudonym;
mod rules;
mod session;
mod text;
mod vocabulary;

#[cfg(test)]
mod tests;

use std::path::Path;

use crate::error::{Doing, Error, Result};
use crate::event::{Event, Secrets};
use crate::transcript::{Header, Reader, TranscriptFile};

use check::Check;
pub use message::Kept;
use pseudonym::Pseudonyms;
use session::Session;
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
}

/// Reads the transcript `from` and writes it with other words to `to`, which is not there yet.
///
/// # Errors
///
/// It cannot be read or written, `to` is there already, or the last check found a word that was left;
/// then nothing is written.
pub fn scrub(from: &Path, to: &Path, kept: Kept) -> Result<Scrubbed> {
    if to.symlink_metadata().is_ok() {
        let doing = format!("write {}", to.display());
        return Err(Error::new(doing, "it is there already").hint("another file with -o FILE"));
    }
    let pseudonyms = Pseudonyms::new(Vocabulary::new());
    let mut session = Session::new(Words::new(pseudonyms), kept);
    let reader = Reader::open(from)?;
    let header = reader.header().clone();
    scrubbed_header(&mut session, &header);
    let torn = pass(&mut session, reader, |_| Ok(()))?;
    let folder = match to.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let doing = || format!("write {}", to.display());
    let aside = tempfile::Builder::new()
        .prefix(".mailscope-scrub-")
        .tempdir_in(folder)
        .doing(doing)?;
    let path = aside.path().join("scrubbed.json");
    let events = write_until_clean(&mut session, from, &path, &header)?;
    let words = session.words().pseudonyms.words().count();
    tempfile::TempPath::try_from_path(&path)
        .doing(doing)?
        .persist_noclobber(to)
        .doing(doing)?;
    Ok(Scrubbed {
        words,
        events,
        torn,
    })
}

/// How often other pseudonyms are drawn when the last check finds something: what is there by chance is
/// gone then, and what is a mistake of ours comes again.
const ATTEMPTS: usize = 3;

/// Writes the file, and the number of its events comes back.
fn write_until_clean(
    session: &mut Session,
    from: &Path,
    path: &Path,
    header: &Header,
) -> Result<u64> {
    let mut attempt = 1;
    loop {
        session.words().pseudonyms.draw();
        session.again();
        let header = scrubbed_header(session, header);
        let mut file = TranscriptFile::create(path, &header)?;
        pass(session, Reader::open(from)?, |events| file.append(events))?;
        file.finish();
        let events = file.events();
        drop(file);
        match Check::new(session.words()).file(path) {
            Ok(()) => return Ok(events),
            Err(error) if attempt == ATTEMPTS => return Err(error),
            Err(_) => {}
        }
        attempt += 1;
        std::fs::remove_file(path).doing(|| format!("remove {}", path.display()))?;
    }
}

fn scrubbed_header(session: &mut Session, header: &Header) -> Header {
    Header {
        server: facts::address(session.words(), &header.server),
        secrets: match header.secrets {
            Secrets::Masked => Secrets::Masked,
            Secrets::Shown => Secrets::Shown,
        },
        scrubbed: true,
        ..header.clone()
    }
}

/// Scrubs all events of a transcript; what is to be said of one that ends before its end comes back.
fn pass(
    session: &mut Session,
    mut reader: Reader,
    mut write: impl FnMut(&[Event]) -> Result<()>,
) -> Result<Option<String>> {
    let mut events = Vec::new();
    for recorded in &mut reader {
        session.take(recorded?, &mut events);
        write(&events)?;
        events.clear();
    }
    session.finish(&mut events);
    write(&events)?;
    Ok(reader.torn())
}
