//! `mailscope export TRANSCRIPT --to FORM`: a transcript for other programs, or for people.

use std::io::{self, BufWriter, ErrorKind, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::ValueEnum;
use time::OffsetDateTime;

use super::filter::FilterArgument;
use super::say::{say, warn};
use crate::error::{Error, Result};
use crate::event::{Body, Event, Reading};
use crate::filter::Matcher;
use crate::private;
use crate::recording::{Events, Readings};
use crate::sink::page::Page;
use crate::sink::pcapng::Capture;
use crate::transcript::{Reader, TextWriter};

/// The arguments of `export`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The transcript.
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
    let reader = Reader::open(&arguments.transcript)?;
    let file = arguments
        .out
        .as_deref()
        .filter(|out| *out != Path::new("-"));
    if file.is_none() && arguments.to == Form::Pcapng && io::stdout().is_terminal() {
        let doing = format!("export {}", arguments.transcript.display());
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
        Form::Text => write_text(reader, filter, out, &name),
        Form::Pcapng => write_capture(reader, filter, out, &name),
        Form::Html => write_page(reader, filter, out, &name),
    };
    match written {
        Err(Written::Closed) => {}
        Err(Written::Failed(error)) => return Err(error),
        Ok(None) => {}
        Ok(Some(torn)) => say(&warn(&torn)),
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

/// What is to be said of a file that ends before its end comes back.
fn write_text(
    mut reader: Reader,
    mut filter: Option<Matcher>,
    out: impl Write,
    name: &str,
) -> Result<Option<String>, Written> {
    let mut writer = TextWriter::new(out);
    let mut readings = Readings::default();
    for recorded in &mut reader {
        let recorded = recorded.map_err(Written::Failed)?;
        let is_wanted = filter.as_mut().is_none_or(|filter| {
            let events = readings.read(recorded.clone());
            // Each is to be seen by the filter, whether it matches or not.
            events.iter().filter(|event| filter.matches(event)).count() > 0
        });
        match is_wanted {
            true => writer.write(&recorded).map_err(failed(name))?,
            false => writer.pass_over(&recorded),
        }
    }
    writer.flush().map_err(failed(name))?;
    Ok(reader.torn())
}

/// The same.
fn write_capture(
    reader: Reader,
    mut filter: Option<Matcher>,
    out: impl Write,
    name: &str,
) -> Result<Option<String>, Written> {
    let start = reader.header().start();
    let since = start.map(|start| (start - OffsetDateTime::UNIX_EPOCH).unsigned_abs());
    let mut capture = Capture::new(out, since.unwrap_or_default()).map_err(failed(name))?;
    let mut events = Events::new(reader);
    for event in &mut events {
        let event = event.map_err(Written::Failed)?;
        // A literal's parts go with its message, if that does.
        if is_wanted(&mut filter, &event) || is_part(&event) {
            capture.write(&event).map_err(failed(name))?;
        }
    }
    capture.flush().map_err(failed(name))?;
    Ok(events.torn())
}

/// The same.
fn write_page(
    reader: Reader,
    mut filter: Option<Matcher>,
    out: impl Write,
    name: &str,
) -> Result<Option<String>, Written> {
    let mut page = Page::new(out, reader.header()).map_err(failed(name))?;
    let mut events = Events::new(reader);
    for event in &mut events {
        let event = event.map_err(Written::Failed)?;
        if is_wanted(&mut filter, &event) {
            page.write(&event).map_err(failed(name))?;
        }
    }
    page.finish().map_err(failed(name))?;
    Ok(events.torn())
}
