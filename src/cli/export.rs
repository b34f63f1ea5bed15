//! `mailscope export TRANSCRIPT --to FORM`: a transcript for other programs, or for people.

use std::fs::OpenOptions;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::ValueEnum;

use super::filter::FilterArgument;
use super::say::{say, warn};
use crate::error::{Error, Result};
use crate::filter::Matcher;
use crate::recording::Readings;
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
}

/// Writes it.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let Form::Text = arguments.to;
    let filter = arguments.filter.read()?;
    let mut reader = Reader::open(&arguments.transcript)?;
    let file = arguments
        .out
        .as_deref()
        .filter(|out| *out != Path::new("-"));
    let name = file.map_or_else(
        || "standard output".into(),
        |file| file.display().to_string(),
    );
    let out: Box<dyn Write> = match file {
        None => Box::new(io::stdout().lock()),
        Some(file) => Box::new(create(file)?),
    };
    match write(&mut reader, filter, BufWriter::new(out), &name) {
        Err(Written::Closed) => return Ok(ExitCode::SUCCESS),
        Err(Written::Failed(error)) => return Err(error),
        Ok(()) => {}
    }
    if let Some(torn) = reader.torn() {
        say(&warn(&torn.to_string()));
    }
    Ok(ExitCode::SUCCESS)
}

fn create(path: &Path) -> Result<std::fs::File> {
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    file.map_err(|error| {
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

fn write(
    reader: &mut Reader,
    mut filter: Option<Matcher>,
    out: impl Write,
    name: &str,
) -> Result<(), Written> {
    let failed = |error: io::Error| match error.kind() {
        ErrorKind::BrokenPipe => Written::Closed,
        _ => Written::Failed(Error::new(format!("write {name}"), error)),
    };
    let mut writer = TextWriter::new(out);
    let mut readings = Readings::default();
    for recorded in reader {
        let recorded = recorded.map_err(Written::Failed)?;
        let is_wanted = filter.as_mut().is_none_or(|filter| {
            let events = readings.read(recorded.clone());
            // Each is to be seen by the filter, whether it matches or not.
            events.iter().filter(|event| filter.matches(event)).count() > 0
        });
        match is_wanted {
            true => writer.write(&recorded).map_err(failed)?,
            false => writer.pass_over(&recorded),
        }
    }
    writer.flush().map_err(failed)
}
