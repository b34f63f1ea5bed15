//! `mailscope import FILE... -o FILE`: what others kept of a session, made a transcript.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::SystemTime;

use time::OffsetDateTime;

use super::say::{say, warn};
use crate::error::{Doing, Result};
use crate::event::Secrets;
use crate::import::{Log, transcribe};
use crate::transcript::{Header, TranscriptFile};

/// The arguments of `import`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// A Dovecot rawlog (X.in or X.out finds the other), C: and S: lines, pcap, pcapng, or a log of
    /// Thunderbird (MOZ_LOG=IMAP:5), MailKit, Python's imaplib or openssl s_client. The kind is found
    /// out; several files become one transcript.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// The transcript, never overwritten; standard output with `-`.
    #[arg(short, long, value_name = "FILE")]
    out: PathBuf,

    /// Do not mask passwords and tokens.
    #[arg(long)]
    show_secrets: bool,
}

/// Writes it. Of damaged input, what can be read is written, and the damage is an error all the same.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let mut log = Log::read(&arguments.files)?;
    for remark in &log.remarks {
        say(&warn(remark));
    }
    let secrets = match arguments.show_secrets {
        true => Secrets::Shown,
        false => Secrets::Masked,
    };
    if secrets == Secrets::Shown {
        let shown = "secrets are not masked (--show-secrets): do not share this transcript";
        say(&warn(shown));
    }
    let server = log.server.as_deref().unwrap_or("unknown");
    let mut header = Header::new(started(&log, &arguments.files), server);
    header.secrets = secrets;
    let (kept, place) = match arguments.out == Path::new("-") {
        true => (print(&log, &header)?, "standard output".to_owned()),
        false => {
            let place = arguments.out.display().to_string();
            (write(&log, &header, &arguments.out)?, place)
        }
    };
    match log.damage.take() {
        Some(damage) => Err(damage.hint(format!(
            "what stands before it: its {kept} events are in {place}"
        ))),
        None => Ok(ExitCode::SUCCESS),
    }
}

/// When the session was; where the log does not say it, when it was written.
fn started(log: &Log, files: &[PathBuf]) -> OffsetDateTime {
    let first = log.steps.iter().map(|step| step.at).min();
    let dated = first
        .filter(|_| log.is_dated)
        .and_then(|first| OffsetDateTime::from_unix_timestamp_nanos(i128::from(first) * 1000).ok());
    let modified = || {
        let written = std::fs::metadata(&files[0]).and_then(|file| file.modified());
        written.unwrap_or_else(|_| SystemTime::now()).into()
    };
    dated.unwrap_or_else(modified)
}

/// The number of events written.
fn write(log: &Log, header: &Header, path: &Path) -> Result<u64> {
    let mut file = TranscriptFile::create(path, header)?;
    let mut events = Vec::new();
    transcribe(log, header.secrets, |more| {
        /// Events that are written at once.
        const MANY: usize = 1000;
        events.extend_from_slice(more);
        if events.len() > MANY {
            file.append(&events)?;
            events.clear();
        }
        Ok(())
    })?;
    file.append(&events)?;
    file.finish();
    Ok(file.events())
}

/// The same, on standard output, by way of a file that only its owner can read.
fn print(log: &Log, header: &Header) -> Result<u64> {
    let folder = tempfile::tempdir().doing(|| "make a temporary folder".into())?;
    let path = folder.path().join("import.json");
    let events = write(log, header, &path)?;
    let octets = std::fs::read(&path).doing(|| format!("read {}", path.display()))?;
    super::print_octets(&octets)?;
    Ok(events)
}
