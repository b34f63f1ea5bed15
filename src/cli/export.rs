//! `mailscope export TRANSCRIPT --to FORM`: a transcript for other programs, or for people.

use std::io::{self, BufWriter, ErrorKind, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::ValueEnum;
use time::OffsetDateTime;

use super::before;
use super::filter::FilterArgument;
use super::progress::{Beside, Progress};
use super::say::{say, warn};
use crate::error::{Error, Result};
use crate::event::{Body, Event, Reading};
use crate::filter::Matcher;
use crate::private;
use crate::recording::{Events, name_of};
use crate::sink::page::Page;
use crate::sink::pcapng::Capture;
use crate::transcript::TextWriter;

/// The arguments of `export`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The transcript, or a text with C: and S: lines; - for standard input.
    transcript: PathBuf,

    /// The form.
    #[arg(long, value_enum, value_name = "FORM")]
    to: Form,

    #[command(flatten)]
    filter: FilterArgument,

    /// The file, never overwritten; standard output without it, or with `-`.
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// Lines that begin with C: and S:, to read, to edit and to replay.
    Text,
    /// A decrypted capture for Wireshark and its kin.
    Pcapng,
    /// A page for a browser: one file that fetches nothing.
    Html,
}

/// Writes it.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let filter = arguments.filter.read()?;
    let beside = match arguments.out.as_deref() {
        Some(out) if out != Path::new("-") => Beside::Nothing,
        _ => Beside::Output,
    };
    let progress = Progress::begin("reading", beside);
    let events = Events::read(progress.input(&arguments.transcript)?)?;
    let file = arguments
        .out
        .as_deref()
        .filter(|out| *out != Path::new("-"));
    if file.is_none() && arguments.to == Form::Pcapng && io::stdout().is_terminal() {
        let doing = format!("export {}", name_of(&arguments.transcript));
        return Err(Error::new(doing, "a capture is nothing for a terminal")
            .hint("-o FILE, or a pipe: mailscope export ... --to pcapng | wireshark -k -i -"));
    }
    let name = file.map_or_else(
        || "standard output".into(),
        |file| file.display().to_string(),
    );
    let out: Box<dyn Write> = match file {
        None => Box::new(io::stdout().lock()),
        Some(file) => Box::new(create(file)?),
    };
    let out = BufWriter::new(out);
    let written = match arguments.to {
        Form::Text => write_text(events, filter, out, &name),
        Form::Pcapng => write_capture(events, filter, out, &name),
        Form::Html => write_page(events, filter, out, &name),
    };
    drop(progress);
    match written {
        Err(Written::Closed) => {}
        Err(Written::Failed(error)) => return Err(error),
        Ok(Ended { torn, damage }) => {
            if let Some(torn) = torn {
                say(&warn(&torn));
            }
            if let Some(damage) = damage {
                return Err(damage.hint(format!("what stands before it was written to {name}")));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// As private as the transcript that it was made of.
fn create(path: &Path) -> Result<std::fs::File> {
    private::create_new(path).map_err(|error| {
        let doing = format!("write {}", path.display());
        match error.kind() {
            ErrorKind::AlreadyExists => {
                Error::new(doing, "it is there already").hint("another file with -o FILE")
            }
            _ => Error::new(doing, error),
        }
    })
}

/// Why not everything was written.
enum Written {
    /// Whoever read it has gone, which is no error.
    Closed,
    Failed(Error),
}

fn failed(name: &str) -> impl Fn(io::Error) -> Written {
    move |error| match error.kind() {
        ErrorKind::BrokenPipe => Written::Closed,
        _ => Written::Failed(Error::new(format!("write {name}"), error)),
    }
}

/// Whether the event is to be there: connections begin and end whatever matches of what is said on them.
fn is_wanted(filter: &mut Option<Matcher>, event: &Event) -> bool {
    let matches = |filter: &mut Matcher| filter.matches(event);
    filter.as_mut().is_none_or(matches) || !matches!(event.body, Body::Said(_) | Body::Note(_))
}

fn is_part(event: &Event) -> bool {
    match &event.body {
        Body::Said(said) => matches!(said.reading, Reading::LiteralPart { .. }),
        _ => false,
    }
}

/// How far the recording could be read.
struct Ended {
    /// What is to be said of a file that ends before its end.
    torn: Option<String>,
    damage: Option<Error>,
}

/// Writes what can be read.
fn write_text(
    mut events: Events,
    mut filter: Option<Matcher>,
    out: impl Write,
    name: &str,
) -> Result<Ended, Written> {
    let mut writer = TextWriter::new(out);
    let mut damage = None;
    for event in before(&mut events, &mut damage) {
        match filter.as_mut().is_none_or(|filter| filter.matches(&event)) {
            true => writer.write_event(&event).map_err(failed(name))?,
            false => writer.pass_over(&event),
        }
    }
    writer.flush().map_err(failed(name))?;
    Ok(Ended {
        torn: events.torn(),
        damage,
    })
}

/// The same.
fn write_capture(
    mut events: Events,
    mut filter: Option<Matcher>,
    out: impl Write,
    name: &str,
) -> Result<Ended, Written> {
    let start = events.header().start();
    let since = start.map(|start| (start - OffsetDateTime::UNIX_EPOCH).unsigned_abs());
    let mut capture = Capture::new(out, since.unwrap_or_default()).map_err(failed(name))?;
    let mut damage = None;
    for event in before(&mut events, &mut damage) {
        // A literal's parts go with its message, if that does.
        if is_wanted(&mut filter, &event) || is_part(&event) {
            capture.write(&event).map_err(failed(name))?;
        }
    }
    capture.finish().map_err(failed(name))?;
    Ok(Ended {
        torn: events.torn(),
        damage,
    })
}

/// The same.
fn write_page(
    mut events: Events,
    mut filter: Option<Matcher>,
    out: impl Write,
    name: &str,
) -> Result<Ended, Written> {
    let mut page = Page::new(out, events.header()).map_err(failed(name))?;
    let mut damage = None;
    for event in before(&mut events, &mut damage) {
        if is_wanted(&mut filter, &event) {
            page.write(&event).map_err(failed(name))?;
        }
    }
    page.finish().map_err(failed(name))?;
    Ok(Ended {
        torn: events.torn(),
        damage,
    })
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;
    use crate::event::Secrets;
    use crate::protocol::imap::conversations::random::{conversation, events};
    use crate::transcript::{Reader, write_event};

    fn document(events: &[Event]) -> Cursor<Vec<u8>> {
        let mut document = b"{\"mailscope\":{\"format\":1},\"events\":[\n".to_vec();
        for (place, event) in events.iter().enumerate() {
            document.extend_from_slice(if place == 0 { b"" } else { b",\n" });
            write_event(&mut document, event);
        }
        document.extend_from_slice(b"\n]}\n");
        Cursor::new(document)
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            failure_persistence: None,
            ..ProptestConfig::with_cases(96)
        })]

        /// What is understood of a message makes no difference to its text.
        #[test]
        fn events_and_what_is_recorded_of_them_have_the_same_text(steps in conversation()) {
            let document = document(&events(&steps, Secrets::Masked));
            let mut recorded = Vec::new();
            let mut writer = TextWriter::new(&mut recorded);
            for one in Reader::new(document.clone(), "test").unwrap() {
                writer.write(&one.unwrap()).unwrap();
            }
            writer.flush().unwrap();
            drop(writer);
            let mut exported = Vec::new();
            let events = Events::new(Reader::new(document, "test").unwrap());
            assert!(write_text(events, None, &mut exported, "test").is_ok());
            prop_assert_eq!(String::from_utf8_lossy(&exported), String::from_utf8_lossy(&recorded));
        }
    }
}
